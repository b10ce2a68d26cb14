/* --guest: what the VM says of itself, by Run Command; one script, sent once, which only reads. */
#include "azure/read/guest.h"
#include "azure/azure.h"
#include "azure/session.h"
#include "model/address.h"
#include "model/guest.h"
#include "model/pubkey.h"
#include "model/vm.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct asking {
	struct facts facts;
	bool windows;
	void (*done)(void *ctx);
	void *ctx;
};

/* ---- the host keys among the lines ---- */

/* "256 SHA256:... comment (ED25519)": the type as known_hosts writes it. */
static const char *
type_of(const char *line, size_t len)
{
	const char *open = memrchr(line, '(', len);
	const struct pubkey_type *type;
	struct bytes nick;

	if (open == NULL || line[len - 1] != ')')
		return NULL;
	nick = (struct bytes){ (const unsigned char *)open + 1, (size_t)(line + len - open) - 2 };
	type = pubkey_type_find(nick, (unsigned)strtoul(line, NULL, 10));
	return type != NULL ? type->name : NULL;
}

static void
take_line(json_t *keys, const char *line, size_t len)
{
	static const char kind[] = "hostkey ";
	const char *print, *type;
	json_t *key;
	size_t run;

	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	if (len < sizeof(kind) || strncmp(line, kind, sizeof(kind) - 1) != 0)
		return;
	line += sizeof(kind) - 1;
	len -= sizeof(kind) - 1;
	if ((print = memmem(line, len, " SHA256:", 8)) == NULL ||
	    (type = type_of(line, len)) == NULL)
		return;
	run = strcspn(++print, " \r\n");
	if (run != 7 + 43)
		return;
	key = json_object();
	doc_set_str(key, "type", type);
	doc_set_strn(key, "fingerprint", print, run);
	json_array_append_new(keys, key);
}

/* The host keys in front of the end mark; a guest's output is cut at its head. */
static json_t *
keys_in(const char *text)
{
	const char *end = strstr(text, GUEST_END);
	json_t *keys = json_array();

	for (const char *p = text; end != NULL && p < end;) {
		size_t len = strcspn(p, "\n");

		take_line(keys, p, len);
		p += len + (p[len] == '\n');
	}
	return keys;
}

static void
settle_proof(struct facts *facts, const char *text)
{
	json_t *keys = keys_in(text), *section;

	if (json_array_size(keys) > 0) {
		section = facts_known(facts, FACT_PROOF);
		FACT_PUT(section, proof, by, "run-command");
		FACT_PUT_JSON(section, proof, keys, json_incref(keys));
	} else {
		facts_settle(facts, FACT_PROOF, FACT_UNKNOWN, "error",
			     "the guest's answer names no host key");
	}
	json_decref(keys);
}

/* ---- the answer ---- */

/* Both sections share the reason why nothing was learnt. */
static void
settle_unknown(struct facts *facts, const char *cause, const char *reason, const char *action)
{
	facts_settle(facts, FACT_PROOF, FACT_UNKNOWN, cause, "%s", reason);
	facts_settle(facts, FACT_GUEST, FACT_UNKNOWN, cause, "%s", reason);
	FACT_PUT(facts_section(facts, FACT_PROOF), proof, action, action);
	FACT_PUT(facts_section(facts, FACT_GUEST), guest, action, action);
}

static void
asking_end(struct asking *asking)
{
	void (*done)(void *) = asking->done;
	void *ctx = asking->ctx;

	free(asking);
	done(ctx);
}

/* The text of the results that holds the script's end mark; NULL when none does. */
static const char *
output_of(const json_t *body)
{
	const json_t *result, *list = doc_list(body, "value");
	size_t i;

	if (list == NULL)
		list = doc_list(body, "properties.output.value");
	json_array_foreach (list, i, result) {
		const char *text = doc_str(result, "message");

		if (text != NULL && strstr(text, GUEST_END) != NULL)
			return text;
	}
	return NULL;
}

/* What a failure means: another command at work, an agent that does not answer, a VM that stopped
 * meanwhile, no time left. */
static void
settle_failure(struct facts *facts, const json_t *why)
{
	const char *cause = doc_str(why, "cause"), *said = doc_str(why, "reason");
	bool late = doc_same(cause, "deadline");
	char *reason;

	if (said != NULL && strcasestr(said, "execution is in progress") != NULL) {
		cause = "busy";
		reason = strdup("another Run Command is at work in the VM, and it takes one at a "
				"time; run this again when that one has ended");
	} else if (said != NULL && strcasestr(said, "requires the VM to be running") != NULL) {
		cause = "not-running";
		reason = strdup("the VM stopped meanwhile");
	} else if (said != NULL && (strcasestr(said, "has not reported latest status") != NULL ||
				    strcasestr(said, "agent is not ready") != NULL)) {
		cause = "agent-not-ready";
		reason = doc_fmt("the VM's agent does not answer: %s", said);
	} else if (late) {
		reason = doc_fmt("the guest did not answer in time (%s); the script only reads, "
				 "and runs on in the VM until it ends",
				 said != NULL ? said : "deadline");
	} else if (doc_same(cause, "forbidden")) {
		reason = doc_fmt("the guest was not asked: %s", said);
	} else {
		reason =
		    doc_fmt("Run Command gave no answer: %s", said != NULL ? said : "no reason");
	}
	settle_unknown(facts, cause != NULL ? cause : "error", reason, doc_str(why, "action"));
	FACT_PUT(facts_section(facts, FACT_GUEST), guest, sent, late);
	free(reason);
}

/* ---- the question ---- */

enum { KEYS_MAX = 3, USER_MAX = 64 };

/* A name that a shell's single quotes, awk and sshd -C take as it is. */
static bool
is_plain(const char *text, const char *more)
{
	if (text == NULL || *text == '\0' || *text == '-' || strlen(text) > USER_MAX)
		return false;
	for (; *text != '\0'; text++)
		if (!(isascii((unsigned char)*text) && isalnum((unsigned char)*text)) &&
		    strchr(more, *text) == NULL)
			return false;
	return true;
}

static bool
is_key(const struct fact_identity *one)
{
	static const char base64[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

	return one->public != NULL && one->fingerprint != NULL && is_plain(one->type, "-@.") &&
	       strlen(one->public) > 40 && strlen(one->public) < 4096 &&
	       one->public[strspn(one->public, base64)] == '\0';
}

struct question {
	struct fact_identities identities;
	const struct fact_identity *keys[KEYS_MAX];
	size_t key_count;
	const char *user, *source; /* NULL when not known, or odd */
	char address[IP_TEXT_MAX];
	int port;
};

/* The first keys that ssh would offer, none twice. */
static void
choose_keys(struct question *question)
{
	const struct fact_identities *from = &question->identities;

	for (size_t i = 0; i < from->order_count && question->key_count < KEYS_MAX; i++) {
		bool seen = !is_key(&from->order[i]);

		for (size_t j = 0; j < question->key_count; j++)
			seen |=
			    doc_same(question->keys[j]->fingerprint, from->order[i].fingerprint);
		if (!seen)
			question->keys[question->key_count++] = &from->order[i];
	}
}

/* Where packets for SSH arrive at the VM: behind a load balancer that is another port. */
static void
choose_place(const struct facts *facts, struct question *question)
{
	struct address *ways = NULL;
	const struct address *way;
	struct network network;
	size_t count = 0;
	bool flag;

	question->port = address_ssh_port(facts, &flag);
	if (network_from_facts(facts, &network) < 0)
		return;
	address_list(facts, &network, &ways, &count);
	way = address_in_use(facts, ways, count, &flag);
	if (way != NULL && way->backend_port > 0)
		question->port = way->backend_port;
	if (network.count > 0 && network.paths[way != NULL ? way->path : 0].has_private)
		ip_format(network.paths[way != NULL ? way->path : 0].private_ip, question->address,
			  sizeof(question->address));
	free(ways);
	network_free(&network);
}

static void
question_make(const struct facts *facts, struct question *ret)
{
	const char *user = FACTS_GET(facts, ssh_config, user),
		   *source = FACTS_GET(facts, source, ip);

	*ret = (struct question){ .port = 22 };
	FACTS_READ(facts, identities, &ret->identities);
	choose_keys(ret);
	choose_place(facts, ret);
	ret->user = is_plain(user, "._@\\+$-") ? user : NULL;
	ret->source = ip_is_text(source) && !address_by_proxy(facts) ? source : NULL;
}

static void
question_free(struct question *question)
{
	fact_free(shape_of_identities(), &question->identities);
}

/* So that the checks can tell what the answer is about. */
static void
put_question(const struct facts *facts, json_t *section, bool windows)
{
	struct question question;
	json_t *keys = json_array();

	question_make(facts, &question);
	FACT_PUT(section, guest, user, question.user);
	FACT_PUT(section, guest, source, question.source);
	FACT_PUT(section, guest, port, question.port);
	FACT_PUT(section, guest, windows, windows);
	for (size_t i = 0; i < question.key_count; i++)
		doc_append_str(keys, question.keys[i]->fingerprint);
	FACT_PUT_JSON(section, guest, keys, keys);
	question_free(&question);
}

static void
append_value(json_t *lines, const char *name, const char *value)
{
	char *line = doc_fmt("%s='%s'", name, value != NULL ? value : "");

	doc_append_str(lines, line);
	free(line);
}

/* "type base64", one a line. */
static char *
keys_text(const struct question *question)
{
	char *text = strdup("");

	for (size_t i = 0; i < question->key_count; i++) {
		char *longer = doc_fmt("%s%s%s %s", text, i > 0 ? "\n" : "",
				       question->keys[i]->type, question->keys[i]->public);

		free(text);
		text = longer;
	}
	return text;
}

/* The script with its values in front. They hold no quote: is_plain, is_key. */
static json_t *
lines_of(const struct facts *facts, bool windows)
{
	const char *const *script = windows ? guest_ps1 : guest_sh;
	struct question question;
	json_t *lines = json_array();
	char port[16], since[32], *keys;

	question_make(facts, &question);
	keys = keys_text(&question);
	snprintf(port, sizeof(port), "%d", question.port);
	snprintf(since, sizeof(since), "%lld", (long long)(time(NULL) - facts->now));
	append_value(lines, windows ? "$user" : "user", question.user);
	append_value(lines, windows ? "$source" : "source", question.source);
	append_value(lines, windows ? "$address" : "address", question.address);
	append_value(lines, windows ? "$port" : "port", port);
	append_value(lines, windows ? "$since" : "since", since);
	append_value(lines, windows ? "$keys" : "keys", keys);
	for (; *script != NULL; script++)
		doc_append_str(lines, *script);
	free(keys);
	question_free(&question);
	return lines;
}

/* ---- asking ---- */

static void
guest_answered(void *ctx, const struct arm_answer *answer)
{
	struct asking *asking = ctx;
	const char *text = output_of(answer->body);
	json_t *section;

	if (text != NULL) {
		section = facts_known(&asking->facts, FACT_GUEST);
		put_question(&asking->facts, section, asking->windows);
		guest_parse(text, section);
		settle_proof(&asking->facts, text);
	} else if (answer->why != NULL) {
		settle_failure(&asking->facts, answer->why);
	} else {
		settle_unknown(&asking->facts, "error",
			       "the script's answer is not whole: its end mark is missing", NULL);
	}
	asking_end(asking);
}

void
azure_guest(struct azure *azure, struct facts *facts, void (*done)(void *ctx), void *ctx)
{
	const char *id = FACTS_GET(facts, vm, id);
	struct asking *asking;
	struct vm vm;
	json_t *ask;
	char *path;

	if (id == NULL || vm_from_facts(facts, &vm, NULL) < 0) {
		settle_unknown(facts, "no-vm", "the VM itself was not read", NULL);
	} else if (!doc_same(vm.power, "running")) {
		settle_unknown(facts, "not-running",
			       "the guest cannot be asked: the VM does not run", NULL);
	} else if (vm.agent == VM_AGENT_NOT_READY) {
		settle_unknown(facts, "agent-not-ready",
			       "the guest cannot be asked: its agent is not ready", NULL);
	} else {
		asking = malloc(sizeof(*asking));
		*asking = (struct asking){
			.facts = *facts, .windows = vm.windows, .done = done, .ctx = ctx
		};
		path = doc_fmt("%s/runCommand", id);
		ask = json_pack("{s:s, s:o}", "commandId",
				vm.windows ? "RunPowerShellScript" : "RunShellScript", "script",
				lines_of(facts, vm.windows));
		arm_ask(&azure->arm,
			&(struct arm_ask){ .method = "POST",
					   .path = path,
					   .body = ask,
					   .flags = ARM_LONG | ARM_WRITE },
			guest_answered, asking);
		json_decref(ask);
		free(path);
		return;
	}
	done(ctx);
}

const char *const *
azure_guest_script(bool windows)
{
	return windows ? guest_ps1 : guest_sh;
}
