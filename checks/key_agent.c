#include "checks/checks.h"
#include "checks/ssh_word.h"
#include "checks/keys.h"
#include "facts/words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What comes before the wanted key, and what there is. */
struct offers {
	size_t total, agent; /* offers that the server would count */
	size_t before;       /* of them before the wanted one */
	const char *wanted;  /* fingerprint; NULL when no key stands out */
	const char
	    *wanted_type; /* of what the server accepted: a certificate has its key's fingerprint */
	bool wanted_offered, on_vm, file;
};

/* The key that should get in: -i's, the one that the server accepted, one that Azure was given for
 * the VM. */
static const char *
wanted_key(const struct scene *scene)
{
	const struct fact_identity *entry = key_entry(scene, scene->identities->explicit);

	if (scene->accepted)
		return scene->auth->accepted;
	if (entry != NULL && entry->fingerprint != NULL)
		return entry->fingerprint;
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		entry = &scene->identities->order[i];
		if (key_on_vm(scene, entry->fingerprint) == FACT_YES)
			return entry->fingerprint;
	}
	return NULL;
}

static const char *
accepted_type(const struct fact_auth *auth)
{
	for (size_t i = 0; i < auth->queries_count; i++)
		if (auth->queries[i].answer == AUTH_ACCEPTED &&
		    word_same(auth->queries[i].fingerprint, auth->accepted))
			return auth->queries[i].type;
	return NULL;
}

/* Would ssh offer it? What says nothing of it offers what it could use. */
static bool
is_offered(const struct scene *scene, const struct fact_identity *entry)
{
	bool offered = entry->offered == FACT_MAYBE ? entry->usable : entry->offered == FACT_YES;

	return entry->public != NULL && offered && key_entry_allowed(scene, entry);
}

static struct offers
offers_count(const struct scene *scene)
{
	struct offers offers = { .wanted = wanted_key(scene),
				 .wanted_type = accepted_type(scene->auth) };

	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const struct fact_identity *entry = &scene->identities->order[i];

		if (!is_offered(scene, entry))
			continue;
		if (!offers.wanted_offered && word_same(entry->fingerprint, offers.wanted) &&
		    (offers.wanted_type == NULL || word_same(entry->type, offers.wanted_type)))
			offers.wanted_offered = true;
		else if (!offers.wanted_offered)
			offers.before++;
		offers.total++;
		offers.agent += entry->agent;
		offers.file = offers.file || (!entry->agent && entry->usable);
		offers.on_vm = offers.on_vm || key_on_vm(scene, entry->fingerprint) == FACT_YES;
	}
	return offers;
}

/* The file that holds the wanted key, for the remedy. */
static void
evidence_path(const struct scene *scene, const struct offers *offers, struct finding *finding)
{
	for (size_t i = 0; i < scene->machine.keys_count; i++) {
		const struct fact_key *key = &scene->machine.keys[i];

		if (offers->wanted != NULL ? word_same(key->fingerprint, offers->wanted)
					   : key_on_vm(scene, key->fingerprint) == FACT_YES) {
			finding_text(finding, "path", key->path);
			break;
		}
	}
	finding_text(finding, "fingerprint", offers->wanted);
}

static int
too_many(const struct scene *scene, const struct offers *offers, json_int_t limit,
	 struct finding *finding)
{

	evidence_path(scene, offers, finding);
	finding_number(finding, "position", (json_int_t)offers->before + 1);
	finding_number(finding, "limit", limit);
	return finding_likely(
	    finding, FAIL, CODE_TOO_MANY_AUTH_FAILURES,
	    "ssh offers %zu other keys before the right one, and the server ends the "
	    "connection after %lld",
	    offers->before, (long long)limit);
}

/* More keys than a server looks at, and it accepted none of those it was asked about: the rest
 * hides behind the limit. */
static int
too_many_unknown(const struct scene *scene, const struct offers *offers, json_int_t limit,
		 struct finding *finding)
{
	const char *path = NULL;

	for (size_t i = 0; i < scene->identities->order_count && path == NULL; i++)
		if (scene->identities->order[i].usable && !scene->identities->order[i].agent)
			path = scene->identities->order[i].path;
	finding_text(finding, "path", path);
	finding_number(finding, "limit", limit);
	finding_number(finding, "offers", (json_int_t)offers->total);
	finding_possible(finding, CODE_KEY_NOT_ON_VM);
	finding_possible(finding, CODE_USERNAME_WRONG);
	finding_likely(
	    finding, FAIL, CODE_TOO_MANY_AUTH_FAILURES,
	    "ssh has %zu keys to offer; the server accepts none of those asked about, and ends the "
	    "connection after %lld",
	    offers->total, (long long)limit);
	return 0;
}

static int
wrong_key(const struct scene *scene, const struct offers *offers, struct finding *finding)
{
	bool denied = scene->auth->state == FACT_KNOWN;

	evidence_path(scene, offers, finding);
	return finding_likely(
	    finding, denied ? FAIL : WARN, CODE_AGENT_WRONG_KEY,
	    "the agent holds %zu key%s, none of them the one that Azure gave this VM",
	    offers->agent, offers->agent == 1 ? "" : "s");
}

static int
not_spoken_to(const struct scene *scene, struct finding *finding)
{
	const struct fact_agent *agent = scene->agent;
	const struct fact_rehearsal *stopped = ssh_stopped_at(scene, REHEARSAL_AUTH);

	finding_text(finding, "socket", agent->socket);
	if (agent->state == FACT_ABSENT || agent->state == FACT_NOT_ASKED)
		return finding_set(finding, SKIP, CODE_NO_AGENT, "%s",
				   agent->reason != NULL ? agent->reason : "no agent");
	if (doc_same(agent->cause, "timeout"))
		return finding_set(finding, stopped != NULL && stopped->hung ? FAIL : WARN,
				   CODE_AGENT_SILENT, "%s; ssh waits for it without end",
				   agent->reason);
	return finding_set(finding, WARN, CODE_AGENT_UNKNOWN, "%s",
			   agent->reason != NULL ? agent->reason : "the agent could not be asked");
}

/* How many keys the server refused. */
static json_int_t
denials(const struct fact_auth *auth)
{
	json_int_t count = 0;

	for (size_t i = 0; i < auth->queries_count; i++)
		count += auth->queries[i].answer == AUTH_DENIED;
	return count;
}

/* How many refused keys the server bears: usual for OpenSSH (and for whom nobody was heard), unless
 * it has cut the conversation earlier; Dropbear's are 10 as it is built; others do not count. */
static json_int_t
tries_of(const struct scene *scene, json_int_t usual)
{
	const char *text = scene->auth->text, *product = scene->banner->product;
	json_int_t denied = denials(scene->auth);

	if (product != NULL && strcmp(product, "openssh") != 0)
		usual = strcmp(product, "dropbear") == 0 ? 10 : INT_MAX;

	return text != NULL && strstr(text, "Too many auth") != NULL && denied > 0 && denied < usual
		   ? denied
		   : usual;
}

/* A file that ssh is told to use, whose public half it cannot read: encrypted, and no .pub beside
 * it. NULL when there is none. */
static const struct fact_key *
unlinked_file(const struct scene *scene)
{
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const struct fact_identity *entry = &scene->identities->order[i];
		const struct fact_key *key =
		    entry->agent || entry->public != NULL ? NULL : key_at(scene, entry->path);

		if (key != NULL && key->present && key->encrypted == YES &&
		    key->fingerprint == NULL)
			return key;
	}
	return NULL;
}

/* The agent has keys that ssh may not offer (IdentitiesOnly), and ssh has none that it could.
 * Returns false when that is not so. */
static bool
shut_out(const struct scene *scene, const struct offers *offers, struct finding *finding)
{
	const struct fact_key *unlinked = unlinked_file(scene);
	char *public_path;

	if (scene->accepted || !scene->identities->identities_only || offers->total > 0 ||
	    scene->agent->keys_count == 0)
		return false;
	if (unlinked == NULL) {
		finding_likely(
		    finding, FAIL, CODE_AGENT_SHUT_OUT,
		    "the agent holds %zu key%s, IdentitiesOnly is yes, and no file names "
		    "one of them",
		    scene->agent->keys_count, scene->agent->keys_count == 1 ? "" : "s");
		return true;
	}
	public_path = doc_fmt("%s.pub", unlinked->path);
	finding_text(finding, "path", unlinked->path);
	finding_text(finding, "public_path", public_path);
	finding_likely(finding, FAIL, CODE_AGENT_KEY_UNLINKED,
		       "%s is encrypted and has no %s beside it; the agent holds %zu key%s",
		       unlinked->path, public_path, scene->agent->keys_count,
		       scene->agent->keys_count == 1 ? "" : "s");
	free(public_path);
	return true;
}

int
check_key_agent(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_agent *agent = scene->agent;
	json_int_t limit = tries_of(scene, rule_int(rule, "max_auth_tries", 6));
	struct offers offers = offers_count(scene);
	bool many = !scene->accepted && (json_int_t)offers.total > limit;

	if (agent->state != FACT_KNOWN)
		return not_spoken_to(scene, finding);
	finding_text(finding, "socket", agent->socket);
	finding_number(finding, "count", (json_int_t)agent->keys_count);
	if (scene->asked.key_only)
		return finding_set(finding, SKIP, CODE_NOT_ASKED, "no VM was named");
	if (shut_out(scene, &offers, finding))
		return 0;
	if (offers.wanted_offered && (json_int_t)offers.before >= limit)
		return too_many(scene, &offers, limit, finding);
	if (agent->keys_count == 0)
		return finding_set(finding, PASS, CODE_AGENT_EMPTY,
				   "the agent holds no keys (or is locked)");
	if (!scene->accepted && scene->identities->explicit == NULL && offers.agent > 0 &&
	    !offers.file && !offers.on_vm && key_on_vm(scene, "") != FACT_MAYBE)
		return wrong_key(scene, &offers, finding);
	if (many && denials(scene->auth) > 0)
		return too_many_unknown(scene, &offers, limit, finding);
	if (many) {
		finding_number(finding, "limit", limit);
		return finding_set(
		    finding, WARN, CODE_AGENT_MANY_KEYS,
		    "ssh has %zu keys to offer; a server ends the connection after %lld",
		    offers.total, (long long)limit);
	}
	return finding_set(finding, PASS, CODE_KEY_AGENT_OK, "the agent holds %zu key%s",
			   agent->keys_count, agent->keys_count == 1 ? "" : "s");
}
