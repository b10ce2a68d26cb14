#include "checks/checks.h"
#include "checks/talk.h"
#include "model/key.h"

#include <string.h>
#include <strings.h>

/* The answers of the server, and what they are judged by. */
struct view {
	const struct facts *facts;
	const json_t *auth, *methods, *queries, *order;
	const char *user, *admin, *accepted;
	bool publickey, password, interactive;
};

static bool
has(const json_t *list, const char *word)
{
	const json_t *each;
	size_t i;

	json_array_foreach (list, i, each)
		if (json_string_value(each) != NULL && strcmp(json_string_value(each), word) == 0)
			return true;
	return false;
}

static const char *
config_option(const struct view *view, const char *path)
{
	return doc_str(facts_section(view->facts, FACT_SSH_CONFIG), path);
}

/* The identity of that fingerprint: in the agent, or in a file. */
static const json_t *
identity_find(const struct view *view, const char *fingerprint, bool agent)
{
	const json_t *each;
	size_t i;

	json_array_foreach (view->order, i, each)
		if (doc_bool(each, "agent", false) == agent &&
		    doc_str(each, "fingerprint") != NULL && fingerprint != NULL &&
		    strcmp(doc_str(each, "fingerprint"), fingerprint) == 0)
			return each;
	return NULL;
}

/* true when the client still signs with RSA and SHA-2, which servers of these years want. */
static bool
signs_sha2(const struct view *view)
{
	const char *accepted = config_option(view, "options.pubkeyacceptedalgorithms");
	json_int_t number = doc_int(facts_section(view->facts, FACT_CLIENT), "number", 0);

	if (accepted == NULL)
		accepted = config_option(view, "options.pubkeyacceptedkeytypes");
	if (number > 0 && number < 702)
		return false;
	return accepted == NULL || strstr(accepted, "rsa-sha2-") != NULL;
}

static bool
is_explicit(const struct view *view)
{
	const json_t *each;
	size_t i;

	json_array_foreach (view->order, i, each)
		if (doc_is(each, "from", "option") || doc_is(each, "from", "config"))
			return true;
	return doc_str(facts_section(view->facts, FACT_IDENTITIES), "explicit") != NULL;
}

/* The words of ssh_config that keep ssh from using any key, NULL when none do. */
static const char *
keys_off(const struct view *view)
{
	const char *publickey = config_option(view, "options.pubkeyauthentication"),
		   *preferred = config_option(view, "options.preferredauthentications");

	if (doc_same(publickey, "no") || doc_same(publickey, "false"))
		return "PubkeyAuthentication no";
	return preferred != NULL && strstr(preferred, "publickey") == NULL
		   ? "PreferredAuthentications without publickey"
		   : NULL;
}

/* The server takes keys, but ssh here would not use one. */
static int
judge_client_off(const struct view *view, const char *words, struct finding *finding)
{
	finding_text(finding, "option", words);
	if ((view->password || view->interactive) && !is_explicit(view))
		return finding_set(finding, WARN, CODE_AUTH_BY_PASSWORD,
				   "ssh_config keeps ssh from using keys (%s), and the server asks "
				   "%s for a password",
				   words, view->user);
	return finding_set(finding, FAIL, CODE_CLIENT_PUBKEY_DISABLED,
			   "the server takes keys%s, but ssh_config keeps ssh from using them (%s)",
			   view->accepted != NULL ? ", this one too" : "", words);
}

/* The server takes the key; can this machine use it? What its file lacks is for the key's own
 * checks to say. */
static int
judge_accepted(const struct view *view, struct finding *finding)
{
	const json_t *in_file = identity_find(view, view->accepted, false),
		     *in_agent = identity_find(view, view->accepted, true);
	const json_t *identity = in_file != NULL ? in_file : in_agent;
	const char *path = doc_str(in_file, "path"), *type = doc_str(identity, "type");

	finding_text(finding, "path", path);
	finding_text(finding, "fingerprint", view->accepted);
	if (doc_same(type, "ssh-rsa") && !signs_sha2(view))
		return finding_set(
		    finding, FAIL, CODE_RSA_SHA1_REJECTED,
		    "the server takes the RSA key, but this ssh would sign with SHA-1 only");
	if (in_agent != NULL)
		return finding_set(finding, PASS, CODE_AUTH_KEY_ACCEPTED,
				   "the server accepts %s for %s; the agent holds it (whether it "
				   "signs was not tried)",
				   path != NULL ? path : view->accepted, view->user);
	if (doc_is(in_file, "encrypted", "yes"))
		return finding_set(finding, PASS, CODE_AUTH_KEY_ACCEPTED,
				   "the server accepts %s for %s; using it takes its passphrase",
				   path != NULL ? path : view->accepted, view->user);
	return finding_set(finding, PASS, CODE_AUTH_KEY_ACCEPTED, "the server accepts %s for %s",
			   path != NULL ? path : view->accepted, view->user);
}

/* What the remedies name. Keys given at creation say little: they are added and reset later without
 * a trace. */
static void
remedy_evidence(const struct view *view, struct finding *finding)
{
	const json_t *each;
	size_t i;

	json_array_foreach (view->order, i, each)
		if (doc_str(each, "path") != NULL && doc_bool(each, "present", false)) {
			finding_text(finding, "identity", doc_str(each, "path"));
			break;
		}
	finding_text(finding, "expected_user", view->admin);
	if (config_option(view, "user_from") != NULL)
		finding_text(finding, "user_from", config_option(view, "user_from"));
}

static bool
has_certificate(const struct view *view)
{
	const json_t *each;
	size_t i;

	json_array_foreach (view->order, i, each)
		if (doc_is(each, "from", "certificate") ||
		    (doc_str(each, "type") != NULL &&
		     strstr(doc_str(each, "type"), "-cert-v01@") != NULL))
			return true;
	return false;
}

/* A certificate outside its time is refused like a wrong key. Returns false when every certificate
 * is within it. */
static bool
judge_certificate(const struct view *view, struct finding *finding)
{
	const json_t *each;
	size_t i;

	json_array_foreach (view->order, i, each) {
		const char *path = doc_str(each, "path");
		json_int_t before = doc_int(each, "valid_before", 0),
			   after = doc_int(each, "valid_after", 0);
		bool over = before > 0 && before <= view->facts->now,
		     entra = path != NULL && strstr(path, "aadcert") != NULL;

		if (!doc_is(each, "from", "certificate") || (!over && after <= view->facts->now))
			continue;
		finding_text(finding, "certificate", path);
		finding_set(
		    finding, FAIL,
		    over ? entra ? CODE_AAD_CERT_EXPIRED : CODE_CERT_EXPIRED
			 : CODE_CERT_NOT_YET_VALID,
		    over ? "the certificate %s is over since %lld minutes"
			 : "the certificate %s is valid only in %lld minutes",
		    path != NULL ? path : "of the key",
		    (long long)(over ? view->facts->now - before : after - view->facts->now) / 60);
		return true;
	}
	return false;
}

/* Nobody named a user, and the VM, whose own user it would be, could not be read: the name of the
 * local account is only a guess. */
static bool
user_is_guess(const struct view *view)
{
	const json_t *vm = facts_section(view->facts, FACT_VM), *body = NULL, *why = NULL;
	enum fact_state state = facts_state(view->facts, FACT_VM, NULL);

	if (!doc_same(config_option(view, "user_from"), "local") || view->admin != NULL)
		return false;
	if (state == FACT_UNKNOWN)
		return doc_str(view->facts->target, "name") != NULL;
	return state == FACT_KNOWN && doc_str(vm, "id") != NULL &&
	       facts_resource(view->facts, doc_str(vm, "id"), &body, &why) == FACT_UNKNOWN;
}

/* ssh has further keys ready, nothing says that they are not the VM's, and nobody meant one of
 * those refused in particular. */
static bool
keys_left(const struct view *view)
{
	const char *explicit = doc_str(facts_section(view->facts, FACT_IDENTITIES), "explicit");

	return explicit == NULL && key_on_vm(view->facts, "") == KEY_CANNOT_TELL &&
	       key_left_unasked(view->facts, NULL);
}

/* No key was accepted although the server takes keys: one text from outside, many causes on the VM.
 */
static int
judge_denied(const struct view *view, struct finding *finding)
{
	static const enum code causes[] = { CODE_USERNAME_WRONG,
					    CODE_SSHD_ALLOWUSERS,
					    CODE_AUTHORIZED_KEYS_PERMS,
					    CODE_HOME_DIR_PERMS,
					    CODE_AUTHORIZED_KEYS_MANGLED,
					    CODE_AUTHORIZED_KEYS_ROOT_OWNED,
					    CODE_AUTHORIZED_KEYS_FROM_RESTRICTION,
					    CODE_SSHD_AUTHORIZEDKEYSFILE_MOVED,
					    CODE_SHELL_MISSING,
					    CODE_SELINUX_HOME_LABEL,
					    CODE_DISK_FULL,
					    CODE_CUSTOM };
	const json_t *first = json_array_get(view->queries, 0);
	const char *path = doc_str(first, "path"), *fingerprint = doc_str(first, "fingerprint");

	remedy_evidence(view, finding);
	finding_text(finding, "path", path);
	finding_text(finding, "fingerprint", fingerprint);
	if (user_is_guess(view))
		return finding_set(finding, UNKNOWN, CODE_AUTH_USER_UNKNOWN,
				   "no key is accepted for %s, the name of the account here; the "
				   "VM's own user is not known",
				   view->user);
	if (judge_certificate(view, finding))
		return talk_confidence(finding, LIKELY, 0);
	if (strcmp(view->user, "root") == 0 &&
	    (view->admin == NULL || strcmp(view->admin, "root") != 0))
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(finding, FAIL, CODE_ROOT_LOGIN,
				"the server does not let root in%s%s",
				view->admin != NULL ? "; this VM's own user is " : "",
				view->admin != NULL ? view->admin : ""));
	if (strchr(view->user, '@') != NULL && !has_certificate(view))
		return talk_confidence(finding, LIKELY,
				       finding_set(finding, FAIL, CODE_AAD_PLAIN_SSH,
						   "%s is an Entra user, who needs a certificate "
						   "from az ssh; plain ssh has none",
						   view->user));
	if (view->admin != NULL && strcmp(view->admin, view->user) != 0) {
		finding_possible(finding, CODE_KEY_NOT_ON_VM);
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(
			finding, FAIL, CODE_USERNAME_WRONG,
			"the server accepts no key for %s; this VM was made with the user %s",
			view->user, view->admin));
	}
	if (keys_left(view))
		return finding_set(finding, UNKNOWN, CODE_AUTH_KEYS_NOT_ASKED,
				   "the server accepts none of the %zu keys it was asked about for "
				   "%s; ssh has more",
				   json_array_size(view->queries), view->user);
	if (doc_str(view->auth, "text") != NULL &&
	    strstr(doc_str(view->auth, "text"), "Too many") != NULL &&
	    json_array_size(view->order) > 1)
		finding_possible(finding, CODE_TOO_MANY_AUTH_FAILURES);
	talk_possible(finding, view->admin != NULL ? causes + 1 : causes);
	return talk_confidence(finding, LIKELY,
			       finding_set(finding, FAIL, CODE_KEY_NOT_ON_VM,
					   "the server does not accept %s for %s (nor tells why)",
					   path != NULL          ? path
					   : fingerprint != NULL ? fingerprint
								 : "the key",
					   view->user));
}

static bool
any_answer(const struct view *view, const char *answer)
{
	const json_t *each;
	size_t i;

	json_array_foreach (view->queries, i, each)
		if (doc_is(each, "answer", answer))
			return true;
	return false;
}

/* true when ssh has a key to offer at all, whether or not we could ask about it. */
static bool
has_identity(const struct view *view)
{
	const json_t *each;
	size_t i;

	json_array_foreach (view->order, i, each)
		if (doc_bool(each, "agent", false) || doc_bool(each, "present", false))
			return true;
	return false;
}

/* The server takes keys, and none was accepted. */
static int
judge_keys(const struct view *view, struct finding *finding)
{
	bool denied = any_answer(view, "denied"), by_hand = view->password || view->interactive;

	if (by_hand && (!denied || !is_explicit(view)))
		return finding_set(
		    finding, WARN, CODE_AUTH_BY_PASSWORD, "%s, but it asks %s for a password",
		    denied ? "the server accepts none of the keys here" : "no key was asked about",
		    view->user);
	if (denied)
		return judge_denied(view, finding);
	if (any_answer(view, "unknown"))
		return finding_set(
		    finding, UNKNOWN, CODE_AUTH_NOT_ANSWERED,
		    "whether the server accepts the key for %s could not be found out", view->user);
	remedy_evidence(view, finding);
	if (!has_identity(view) && facts_state(view->facts, FACT_AGENT, NULL) == FACT_UNKNOWN)
		return finding_set(finding, UNKNOWN, CODE_AUTH_NO_KEY_ASKED,
				   "what keys the agent holds is not known, so the server was not "
				   "asked about any");
	if (has_identity(view))
		return finding_set(finding, UNKNOWN, CODE_AUTH_NO_KEY_ASKED,
				   "the public half of the key cannot be read, so the server was "
				   "not asked about it");
	if (strchr(view->user, '@') != NULL && !has_certificate(view))
		return judge_denied(view, finding);
	return finding_set(finding, FAIL, CODE_PASSWORD_AUTH_DISABLED,
			   "the server takes keys only, and there is no key here to offer");
}

/* The server takes no keys at all. */
static int
judge_no_publickey(const struct view *view, struct finding *finding)
{
	if (has(view->methods, "none"))
		return finding_set(finding, WARN, CODE_AUTH_OPEN,
				   "the server lets %s in without any proof", view->user);
	if ((view->password || view->interactive) && !has_identity(view))
		return finding_set(finding, WARN, CODE_AUTH_BY_PASSWORD,
				   "the server asks %s for a password and takes no keys",
				   view->user);
	return finding_set(finding, FAIL, CODE_SSHD_PUBKEY_DISABLED,
			   "the server does not take keys from %s; it offers %s", view->user,
			   view->password      ? "password"
			   : view->interactive ? "keyboard-interactive"
					       : "nothing that ssh could use here");
}

int
check_auth(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const json_t *auth = facts_section(facts, FACT_AUTH);
	struct view view = { .facts = facts,
			     .auth = auth,
			     .methods = doc_list(auth, "methods"),
			     .queries = doc_list(auth, "queries"),
			     .order = doc_list(facts_section(facts, FACT_IDENTITIES), "order"),
			     .user = doc_str(auth, "user"),
			     .admin = scene->admin,
			     .accepted = doc_str(auth, "accepted") };
	const char *off;

	(void)rule;
	finding_changes(finding, doc_str(facts_section(facts, FACT_VM), "id"));
	view.user = view.user != NULL ? view.user : "";
	view.publickey = has(view.methods, "publickey");
	view.password = has(view.methods, "password");
	view.interactive = has(view.methods, "keyboard-interactive");
	finding_value(finding, "methods",
		      view.methods != NULL ? json_deep_copy(view.methods) : json_array());
	finding_value(finding, "accepted",
		      view.accepted != NULL ? json_string(view.accepted) : json_null());
	finding_text(finding, "user", view.user);
	finding_text(finding, "text", doc_str(auth, "text"));
	finding_text(finding, "banner", doc_str(auth, "banner"));
	if (scene->windows)
		finding_value(finding, "windows", json_true());
	if (view.publickey && (off = keys_off(&view)) != NULL)
		return judge_client_off(&view, off, finding);
	if (view.accepted != NULL)
		return judge_accepted(&view, finding);
	return view.publickey ? judge_keys(&view, finding) : judge_no_publickey(&view, finding);
}
