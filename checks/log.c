/* What somebody pasted: a log of ssh or of a program that uses it. Alone in its run: nothing else
 * is looked at. */
#include "checks/checks.h"
#include "checks/log_run.h"
#include "model/prefix.h"

#include <string.h>
#include <strings.h>

enum { LIKE_IT = 4, POSSIBLE_TOLD = 3 };

static const struct cause {
	const char *word;
	enum code code;
	enum confidence confidence;
	enum code possible[LIKE_IT];
} causes[] = {
#define LOGGED(word, code, confidence, ...) { word, code, confidence, { __VA_ARGS__ } },
#include "checks/log_causes.def"
#undef LOGGED
};

/* ---- what the words come to, with what else the log tells ---- */

static bool
holds(const char *text, const char *part)
{
	return text != NULL && strcasestr(text, part) != NULL;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = text != NULL ? strlen(text) : 0;

	return len >= strlen(end) && strcasecmp(text + len - strlen(end), end) == 0;
}

static bool
is_entra(const struct fact_log *log)
{
	return doc_same(log->client, "az-ssh");
}

/* ssh -v names every key that it offers, so that none is known to have been offered. */
static const char *
verbose_denial(const struct fact_log *log)
{
	if (log->accepts > 0)
		return "accepted-then-nothing";
	if (log->offers == 0 && log->reached == REHEARSAL_AUTH)
		return log->absences > 0 && log->identity != NULL &&
			       doc_same(log->identity, log->absent)
			   ? "key-missing"
			   : "no-key-offered";
	if (log->offers > 0 && log->agent_offers == log->offers && log->identity == NULL)
		return "agent-keys-alone";
	return log->offers > 0 ? "key-not-on-vm" : "denied";
}

static const char *
denial(const struct fact_log *log)
{
	bool provisioner = doc_same(log->client, "packer") || doc_same(log->client, "terraform");

	if (is_entra(log))
		return "entra-denied";
	if (doc_same(log->user, "root"))
		return "root-login";
	if (log->user != NULL && strchr(log->user, '@') != NULL)
		return "aad-plain-ssh";
	if (log->methods != NULL && !holds(log->methods, "publickey"))
		return "sshd-pubkey-disabled";
	if (log->verbose)
		return verbose_denial(log);
	if (holds(log->message, "please try again"))
		return "password-denied";
	return provisioner ? "early-denied" : "denied";
}

/* The server, or something before it, ended the connection: when tells what for. */
static const char *
ended(const struct fact_log *log)
{
	if (log->login)
		return "session-idle-drop";
	if (log->reached >= REHEARSAL_AUTH)
		return log->accepts > 0 || is_entra(log) ? "closed-after-login" : denial(log);
	if (log->reached >= REHEARSAL_KEX)
		return "kex-closed";
	return holds(log->fault, "reset") ? "reset" : "closed";
}

/* A log of ssh -v without a word on why: where it ends is where ssh stopped, if it is whole. */
static const char *
silence(const struct fact_log *log)
{
	switch (log->verbose ? log->reached : REHEARSAL_UNRECORDED) {
	case REHEARSAL_TCP:
		return "timeout";
	case REHEARSAL_BANNER:
		return "silent";
	case REHEARSAL_KEX:
		return log->expecting != NULL ? "mtu-blackhole" : "kex-stalled";
	case REHEARSAL_HOST_KEY:
		return "would-ask";
	case REHEARSAL_AUTH:
		return log->asked != NULL ? "accepted-then-nothing" : NULL;
	default:
		return NULL;
	}
}

static const char *
mismatch(const struct fact_log *log)
{
	if (holds(log->what, "cipher"))
		return "cipher-mismatch";
	if (holds(log->what, "mac"))
		return "mac-mismatch";
	return holds(log->what, "host key") ? "hostkey-alg-mismatch" : "kex-mismatch";
}

/* A file that ssh does not take, by its name. */
static const char *
key_word(const struct fact_log *log, const char *word)
{
	if (ends_with(log->path, ".pub") && !ends_with(log->path, "cert.pub"))
		return "key-is-public-half";
	if (strcmp(word, "key-mode") == 0 && log->windows)
		return "windows-acl";
	if (strcmp(word, "key-mode") == 0 && log->path != NULL &&
	    strncmp(log->path, "/mnt/", 5) == 0)
		return "key-perms-wsl-drvfs";
	if (strcmp(word, "windows-acl") == 0 &&
	    (ends_with(log->path, "/config") || ends_with(log->path, "\\config")))
		return "config-permissions";
	if (strcmp(word, "key-not-loaded") == 0 && ends_with(log->path, ".ppk"))
		return "key-ppk-format";
	return word;
}

static bool
is_private(const char *host)
{
	struct ip ip;

	return host != NULL && ip_parse(host, &ip) == 0 && !ip_is_public(ip);
}

static const char *
unreachable(const struct fact_log *log)
{
	const char *host = log->address != NULL ? log->address : log->host;

	if (is_private(host))
		return "vpn-not-connected";
	if (holds(log->message, "no route to host"))
		return "firewalld-reject";
	if (host != NULL && strchr(host, ':') != NULL)
		return "ipv6-only-route";
	return holds(log->message, "network is unreachable") ? "no-local-network" : "unreachable";
}

static const char *
connecting(const struct fact_log *log, const char *word)
{
	if (strcmp(word, "unreachable") == 0)
		return unreachable(log);
	if (strcmp(word, "not-resolved") == 0 &&
	    (holds(log->words, "temporary failure") || holds(log->words, "misbehaving")))
		return "dns-resolver-down";
	if (strcmp(word, "refused") == 0 &&
	    (doc_same(log->host, "127.0.0.1") || doc_same(log->host, "localhost")))
		return "tunnel-not-running";
	return word;
}

/* What went wrong at a jump host, or in a command that is the proxy; NULL for what is the same
 * wherever it comes from. */
static const char *
proxy_word(const char *word)
{
	static const char *const own[] = { "refused", "timeout",    "unreachable", "not-resolved",
					   "closed",  "closed-by",  "reset",       "reset-by",
					   "silent",  "proxy-ended" };

	if (strcmp(word, "denied") == 0)
		return "jump-denied";
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strcmp(word, own[i]) == 0)
			return "proxy-ended";
	return NULL;
}

static const char *
word_of(const struct fact_log *log)
{
	const char *word = log->fault, *proxy;

	if (word == NULL)
		return log->login ? NULL : silence(log);
	if (log->proxy_ended && (proxy = proxy_word(word)) != NULL)
		return proxy;
	if (strcmp(word, "denied") == 0)
		return denial(log);
	if (strcmp(word, "closed-by") == 0 || strcmp(word, "reset-by") == 0)
		return ended(log);
	if (strcmp(word, "no-common") == 0)
		return mismatch(log);
	if (strcmp(word, "root-login") == 0 && log->expected != NULL)
		return "root-told";
	if (strcmp(word, "rbac") == 0 && log->action != NULL && !ends_with(log->action, "/read"))
		return "rbac-missing-action";
	return connecting(log, key_word(log, word));
}

/* A word without a row is a code's, if that can be a cause at all. */
static struct cause
cause_of(const char *word)
{
	enum code code = code_find(word);

	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		if (strcmp(causes[i].word, word) == 0)
			return causes[i];
	if (code != CODE_CUSTOM && code_table[code].check != CHECK_NONE &&
	    code_table[code].severity != PASS && code_table[code].severity != SKIP)
		return (struct cause){ .word = word, .code = code, .confidence = LIKELY };
	return (struct cause){ .code = CODE_LOG_NOT_RECOGNIZED };
}

/* ---- what is told ---- */

/* The hop that each check judges. */
static const enum hop hops[CHECK_COUNT] = {
#define CHECK(ident, run, id, title, hop, medium, needs) [CHECK_##ident] = HOP_##hop,
#define WORDS(ident, id, hop) [CHECK_##ident] = HOP_##hop,
#include "checks/checks.def"
#undef CHECK
#undef WORDS
};

static const char *
layer_of(enum code code)
{
	static const char *const layers[HOP_COUNT] = {
		[HOP_CLIENT] = "local",     [HOP_AZURE] = "control-plane",
		[HOP_VM] = "control-plane", [HOP_PUBLIC_IP] = "network",
		[HOP_NSG] = "network",      [HOP_JIT] = "network",
		[HOP_ROUTE] = "network",    [HOP_TCP] = "network",
		[HOP_SSH] = "sshd",         [HOP_HOST_KEY] = "host-key",
		[HOP_AUTH] = "auth"
	};
	enum check_id check = code_table[code].check;

	switch (code) {
	case CODE_KEY_NOT_LOADED:
	case CODE_KEY_NOT_FOR_PUTTY:
	case CODE_AAD_SSH_EXT_MISSING:
		return "local";
	case CODE_HOSTKEY_CHANGED:
		return "host-key";
	case CODE_SESSION_IDLE_DROP:
		return "network";
	default:
		return check >= CHECK_KEY_FILE && check <= CHECK_KEY_AGENT ? "local"
									   : layers[hops[check]];
	}
}

static void
add_values(const struct fact_log *log, struct finding *finding)
{
	const char *address = log_host(log);
	const char *path = log->path != NULL ? log->path : log->identity;

	finding_text(finding, "client", log->client);
	finding_text(finding, "platform", log->windows ? "windows" : NULL);
	finding_text(finding, "reached", FACT_WORD(rehearsal_stage, log->reached));
	finding_text(finding, "message", log->message);
	finding_text(finding, "address", address);
	finding_text(finding, "name", address);
	finding_text(finding, "hostname", address);
	finding_text(finding, "lookup_name", address);
	finding_text(finding, "host", address);
	finding_number(finding, "port", log->port > 0 ? log->port : 22);
	finding_text(finding, "user", log->user);
	finding_text(finding, "account", log->user);
	finding_text(finding, "path", path);
	finding_text(finding, "mode", log->mode);
	finding_text(finding, "file", log->file);
	if (log->line > 0)
		finding_number(finding, "line", log->line);
	finding_text(finding, "option", log->option);
	finding_text(finding, "owner", log->owner);
	finding_text(finding, "methods", log->methods);
	finding_text(finding, "server", log->server);
	finding_text(finding, "words", log->words);
	finding_text(finding, "value", log->value);
	finding_text(finding, "proxyjump", log->jump);
	finding_text(finding, "jump_host", log->jump);
	finding_text(finding, "expected_user", log->expected);
	if (log->forward > 0)
		finding_number(finding, "forward", log->forward);
	finding_text(finding, "controlpath", log->controlpath);
	finding_text(finding, "type", log->type);
	finding_text(finding, "offered", log->offered);
	if (log->verbose)
		finding_number(finding, "offers", log->offers);
}

/* Of a file that ssh does not take, while the server refused other keys that were offered: the file
 * need not be what keeps the user out. */
static bool
is_one_key_of_several(const struct fact_log *log, enum code code)
{
	enum check_id check = code_table[code].check;

	return log->offers > 0 && log->accepts == 0 &&
	       ((check >= CHECK_KEY_FILE && check <= CHECK_KEY_AGENT) ||
		code == CODE_KEY_NOT_LOADED);
}

static void
set_finding(const struct fact_log *log, const struct cause *cause, struct finding *finding)
{
	enum status status = code_table[cause->code].severity == UNKNOWN ? UNKNOWN : FAIL;
	const char *layer = layer_of(cause->code);
	size_t left = POSSIBLE_TOLD;

	finding_text(finding, "layer", layer);
	if (log->fault == NULL)
		finding_set(finding, status, cause->code,
			    "the log ends where ssh waits (layer: %s), after: %s", layer,
			    log->message != NULL ? log->message : "its start");
	else
		finding_set(finding, status, cause->code, "the log says (layer: %s): %s", layer,
			    log->message != NULL ? log->message : log->fault);
	finding->confidence = cause->confidence;
	if (log->fault == NULL && finding->confidence != CERTAIN)
		finding->confidence = POSSIBLE; /* it may be cut */
	if (is_one_key_of_several(log, cause->code) && finding->confidence == CERTAIN) {
		finding->confidence = LIKELY;
		finding_possible(finding, CODE_KEY_NOT_ON_VM);
		left--;
	}
	for (size_t i = 0; i < left && cause->possible[i] != CODE_CUSTOM; i++)
		finding_possible(finding, cause->possible[i]);
}

int
check_log(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_log *log = scene->target.log;
	const char *word = word_of(log);
	struct cause cause;

	(void)rule;
	add_values(log, finding);
	log_run(scene, finding);
	if (word == NULL && log->login)
		return finding_set(finding, PASS, CODE_LOG_LOGIN_WORKED,
				   "the log shows a login that worked");
	cause = word != NULL ? cause_of(word) : (struct cause){ .code = CODE_LOG_NOT_RECOGNIZED };
	if (cause.code == CODE_LOG_NOT_RECOGNIZED)
		return finding_set(finding, UNKNOWN, CODE_LOG_NOT_RECOGNIZED,
				   "no line of it is one of an SSH client that failed or got in");
	set_finding(log, &cause, finding);
	return 0;
}
