#include "checks/checks.h"
#include "model/key.h"

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

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* The key that should get in: -i's, the one that the server accepted, one that Azure was given for
 * the VM. */
static const char *
wanted_key(const struct facts *facts, const json_t *order)
{
	const json_t *entry =
	    key_entry(facts, doc_str(facts_section(facts, FACT_IDENTITIES), "explicit"));
	const char *accepted = doc_str(facts_section(facts, FACT_AUTH), "accepted");
	size_t i;

	if (accepted != NULL)
		return accepted;
	if (doc_str(entry, "fingerprint") != NULL)
		return doc_str(entry, "fingerprint");
	json_array_foreach (order, i, entry)
		if (key_on_vm(facts, doc_str(entry, "fingerprint")) == KEY_YES)
			return doc_str(entry, "fingerprint");
	return NULL;
}

static const char *
accepted_type(const struct facts *facts)
{
	const json_t *queries = doc_list(facts_section(facts, FACT_AUTH), "queries"), *query;
	size_t i;

	json_array_foreach (queries, i, query)
		if (doc_is(query, "answer", "accepted") &&
		    same(doc_str(query, "fingerprint"),
			 doc_str(facts_section(facts, FACT_AUTH), "accepted")))
			return doc_str(query, "type");
	return NULL;
}

static struct offers
offers_count(const struct facts *facts)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	struct offers offers = { .wanted = wanted_key(facts, order),
				 .wanted_type = accepted_type(facts) };
	size_t i;

	json_array_foreach (order, i, entry) {
		const char *fingerprint = doc_str(entry, "fingerprint");

		if (doc_str(entry, "public") == NULL ||
		    !doc_bool(entry, "offered", doc_bool(entry, "usable", true)) ||
		    !key_entry_allowed(facts, entry))
			continue;
		if (!offers.wanted_offered && same(fingerprint, offers.wanted) &&
		    (offers.wanted_type == NULL ||
		     same(doc_str(entry, "type"), offers.wanted_type)))
			offers.wanted_offered = true;
		else if (!offers.wanted_offered)
			offers.before++;
		offers.total++;
		offers.agent += doc_bool(entry, "agent", false);
		offers.file = offers.file || (!doc_bool(entry, "agent", false) &&
					      doc_bool(entry, "usable", false));
		offers.on_vm = offers.on_vm || key_on_vm(facts, fingerprint) == KEY_YES;
	}
	return offers;
}

/* The file that holds the wanted key, for the remedy. */
static void
evidence_path(const struct facts *facts, const struct offers *offers, struct finding *finding)
{
	json_t *keys = doc_get(facts->doc, "machine.keys"), *key;
	const char *path, *found = NULL;

	json_object_foreach (keys, path, key)
		if (found == NULL &&
		    (offers->wanted != NULL
			 ? same(doc_str(key, "fingerprint"), offers->wanted)
			 : key_on_vm(facts, doc_str(key, "fingerprint")) == KEY_YES))
			found = path;
	finding_text(finding, "path", found);
	finding_text(finding, "fingerprint", offers->wanted);
}

static int
too_many(const struct facts *facts, const struct offers *offers, json_int_t limit,
	 struct finding *finding)
{
	int r;

	evidence_path(facts, offers, finding);
	finding_number(finding, "position", (json_int_t)offers->before + 1);
	finding_number(finding, "limit", limit);
	r = finding_set(finding, FAIL, CODE_TOO_MANY_AUTH_FAILURES,
			"ssh offers %zu other keys before the right one, and the server ends the "
			"connection after %lld",
			offers->before, (long long)limit);
	finding->confidence = LIKELY;
	return r;
}

/* More keys than a server looks at, and it accepted none of those it was asked about: the rest
 * hides behind the limit. */
static int
too_many_unknown(const struct facts *facts, const struct offers *offers, json_int_t limit,
		 struct finding *finding)
{
	const json_t *order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"), *entry;
	size_t i;

	json_array_foreach (order, i, entry)
		if (doc_bool(entry, "usable", false) && !doc_bool(entry, "agent", false) &&
		    doc_get(finding->evidence, "path") == NULL)
			finding_text(finding, "path", doc_str(entry, "path"));
	finding_number(finding, "limit", limit);
	finding_number(finding, "offers", (json_int_t)offers->total);
	finding_possible(finding, CODE_KEY_NOT_ON_VM);
	finding_possible(finding, CODE_USERNAME_WRONG);
	finding_set(
	    finding, FAIL, CODE_TOO_MANY_AUTH_FAILURES,
	    "ssh has %zu keys to offer; the server accepts none of those asked about, and ends the "
	    "connection after %lld",
	    offers->total, (long long)limit);
	finding->confidence = LIKELY;
	return 0;
}

static int
wrong_key(const struct facts *facts, const struct offers *offers, struct finding *finding)
{
	bool denied = facts_state(facts, FACT_AUTH, NULL) == FACT_KNOWN;
	int r;

	evidence_path(facts, offers, finding);
	r = finding_set(finding, denied ? FAIL : WARN, CODE_AGENT_WRONG_KEY,
			"the agent holds %zu key%s, none of them the one that Azure gave this VM",
			offers->agent, offers->agent == 1 ? "" : "s");
	finding->confidence = LIKELY;
	return r;
}

static int
not_spoken_to(const struct facts *facts, enum fact_state state, const char *reason,
	      struct finding *finding)
{
	const json_t *agent = facts_section(facts, FACT_AGENT);

	finding_text(finding, "socket", doc_str(agent, "socket"));
	if (state == FACT_ABSENT || state == FACT_NOT_ASKED)
		return finding_set(finding, SKIP, CODE_NO_AGENT, "%s",
				   reason != NULL ? reason : "no agent");
	if (doc_is(agent, "cause", "timeout"))
		return finding_set(finding, WARN, CODE_AGENT_SILENT,
				   "%s; ssh waits for it without end", reason);
	return finding_set(finding, WARN, CODE_AGENT_UNKNOWN, "%s",
			   reason != NULL ? reason : "the agent could not be asked");
}

/* How many keys the server refused. */
static json_int_t
denials(const struct facts *facts)
{
	const json_t *queries = doc_list(facts_section(facts, FACT_AUTH), "queries"), *query;
	json_int_t count = 0;
	size_t i;

	json_array_foreach (queries, i, query)
		count += doc_is(query, "answer", "denied");
	return count;
}

/* How many refused keys the server bears: usual for OpenSSH (and for whom nobody was heard), unless
 * it has cut the conversation earlier; Dropbear's are 10 as it is built; others do not count. */
static json_int_t
tries_of(const struct facts *facts, json_int_t usual)
{
	const char *text = doc_str(facts_section(facts, FACT_AUTH), "text"),
		   *product = doc_str(facts_section(facts, FACT_BANNER), "product");
	json_int_t denied = denials(facts);

	if (product != NULL && strcmp(product, "openssh") != 0)
		usual = strcmp(product, "dropbear") == 0 ? 10 : INT_MAX;

	return text != NULL && strstr(text, "Too many auth") != NULL && denied > 0 && denied < usual
		   ? denied
		   : usual;
}

int
check_key_agent(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const char *reason = NULL;
	enum fact_state state = facts_state(facts, FACT_AGENT, &reason);
	const json_t *agent = facts_section(facts, FACT_AGENT);
	json_int_t limit = tries_of(facts, rule_int(rule, "max_auth_tries", 6));
	struct offers offers = offers_count(facts);
	bool accepted = key_any_accepted(facts),
	     explicit = doc_str(facts_section(facts, FACT_IDENTITIES), "explicit") != NULL;

	if (state != FACT_KNOWN)
		return not_spoken_to(facts, state, reason, finding);
	finding_text(finding, "socket", doc_str(agent, "socket"));
	finding_number(finding, "count", (json_int_t)json_array_size(doc_list(agent, "keys")));
	if (doc_bool(facts->doc, "asked.key_only", false))
		return finding_set(finding, SKIP, CODE_NOT_ASKED, "no VM was named");
	if (offers.wanted_offered && (json_int_t)offers.before >= limit)
		return too_many(facts, &offers, limit, finding);
	if (json_array_size(doc_list(agent, "keys")) == 0)
		return finding_set(finding, PASS, CODE_AGENT_EMPTY,
				   "the agent holds no keys (or is locked)");
	if (!accepted && !explicit && offers.agent > 0 && !offers.file && !offers.on_vm &&
	    key_on_vm(facts, "") != KEY_CANNOT_TELL)
		return wrong_key(facts, &offers, finding);
	if (!accepted && (json_int_t)offers.total > limit && denials(facts) > 0)
		return too_many_unknown(facts, &offers, limit, finding);
	if (!accepted && (json_int_t)offers.total > limit) {
		finding_number(finding, "limit", limit);
		return finding_set(
		    finding, WARN, CODE_AGENT_MANY_KEYS,
		    "ssh has %zu keys to offer; a server ends the connection after %lld",
		    offers.total, (long long)limit);
	}
	return finding_set(finding, PASS, CODE_KEY_AGENT_OK, "the agent holds %zu key%s",
			   json_array_size(doc_list(agent, "keys")),
			   json_array_size(doc_list(agent, "keys")) == 1 ? "" : "s");
}
