#include "checks/boot.h"
#include "checks/checks.h"
#include "checks/guest.h"
#include "checks/keys.h"
#include "checks/talk.h"
#include "facts/words.h"

#include <string.h>
#include <strings.h>

/* The answers of the server, and what they are judged by. */
struct view {
	const struct scene *scene;
	const struct fact_auth *auth;
	const struct fact_ssh_options *options;
	const char *user, *admin;
	bool publickey, password, interactive;
};

static bool
has(const struct fact_auth *auth, const char *method)
{
	return word_among(method, auth->methods, auth->methods_count);
}

/* The first identity of the order that `is` says yes to. */
static const struct fact_identity *
first(const struct view *view, bool (*is)(const struct view *, const struct fact_identity *))
{
	const struct fact_identities *ids = view->scene->identities;

	for (size_t i = 0; i < ids->order_count; i++)
		if (is(view, &ids->order[i]))
			return &ids->order[i];
	return NULL;
}

static bool
is_accepted(const struct view *view, const struct fact_identity *each)
{
	return each->fingerprint != NULL && view->auth->accepted != NULL &&
	       strcmp(each->fingerprint, view->auth->accepted) == 0;
}

static bool
is_accepted_file(const struct view *view, const struct fact_identity *each)
{
	return !each->agent && is_accepted(view, each);
}

static bool
is_accepted_in_agent(const struct view *view, const struct fact_identity *each)
{
	return each->agent && is_accepted(view, each);
}

static bool
is_named(const struct view *view, const struct fact_identity *each)
{
	(void)view;
	return each->from == IDENTITY_OPTION || each->from == IDENTITY_CONFIG;
}

static bool
is_file(const struct view *view, const struct fact_identity *each)
{
	(void)view;
	return each->path != NULL && each->present;
}

static bool
is_there(const struct view *view, const struct fact_identity *each)
{
	(void)view;
	return each->agent || each->present;
}

static bool
is_certificate(const struct view *view, const struct fact_identity *each)
{
	(void)view;
	return each->from == IDENTITY_CERTIFICATE ||
	       (each->type != NULL && strstr(each->type, "-cert-v01@") != NULL);
}

/* true when the client still signs with RSA and SHA-2, which servers of these years want. */
static bool
signs_sha2(const struct view *view)
{
	const char *accepted = view->options->pubkeyacceptedalgorithms;
	json_int_t number = view->scene->client->number;

	if (accepted == NULL)
		accepted = view->options->pubkeyacceptedkeytypes;
	if (number > 0 && number < 702)
		return false;
	return accepted == NULL || strstr(accepted, "rsa-sha2-") != NULL;
}

static bool
is_explicit(const struct view *view)
{
	return first(view, is_named) != NULL || view->scene->identities->explicit != NULL;
}

/* The words of ssh_config that keep ssh from using any key, NULL when none do. */
static const char *
keys_off(const struct view *view)
{
	const char *publickey = view->options->pubkeyauthentication,
		   *preferred = view->options->preferredauthentications;

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
			   view->auth->accepted != NULL ? ", this one too" : "", words);
}

/* The server takes the key; can this machine use it? What its file lacks is for the key's own
 * checks to say. */
static int
judge_accepted(const struct view *view, struct finding *finding)
{
	const struct fact_identity *in_file = first(view, is_accepted_file),
				   *in_agent = first(view, is_accepted_in_agent),
				   *identity = in_file != NULL ? in_file : in_agent;
	const char *path = in_file != NULL ? in_file->path : NULL,
		   *type = identity != NULL ? identity->type : NULL;

	finding_text(finding, "path", path);
	finding_text(finding, "fingerprint", view->auth->accepted);
	if (doc_same(type, "ssh-rsa") && !signs_sha2(view))
		return finding_set(
		    finding, FAIL, CODE_RSA_SHA1_REJECTED,
		    "the server takes the RSA key, but this ssh would sign with SHA-1 only");
	if (in_agent != NULL)
		return finding_set(finding, PASS, CODE_AUTH_KEY_ACCEPTED,
				   "the server accepts %s for %s; the agent holds it (whether it "
				   "signs was not tried)",
				   path != NULL ? path : view->auth->accepted, view->user);
	if (in_file != NULL && in_file->encrypted == YES)
		return finding_set(finding, PASS, CODE_AUTH_KEY_ACCEPTED,
				   "the server accepts %s for %s; using it takes its passphrase",
				   path != NULL ? path : view->auth->accepted, view->user);
	return finding_set(finding, PASS, CODE_AUTH_KEY_ACCEPTED, "the server accepts %s for %s",
			   path != NULL ? path : view->auth->accepted, view->user);
}

/* What the remedies name. Keys given at creation say little: they are added and reset later without
 * a trace. */
static void
remedy_evidence(const struct view *view, struct finding *finding)
{
	const struct fact_identity *file = first(view, is_file);

	if (file != NULL)
		finding_text(finding, "identity", file->path);
	finding_text(finding, "expected_user", view->admin);
	finding_text(finding, "user_from",
		     FACT_WORD(user_origin, view->scene->ssh_config->user_from));
}

/* A certificate outside its time is refused like a wrong key. Returns false when every certificate
 * is within it. */
static bool
judge_certificate(const struct view *view, struct finding *finding)
{
	const struct fact_identities *ids = view->scene->identities;
	time_t now = view->scene->now;
	const char *path;

	for (size_t i = 0; i < ids->order_count; i++) {
		const struct fact_identity *each = &ids->order[i];
		json_int_t before = each->valid_before, after = each->valid_after;
		bool over = before > 0 && before <= now,
		     entra = each->path != NULL && strstr(each->path, "aadcert") != NULL;

		if (each->from != IDENTITY_CERTIFICATE || (!over && after <= now))
			continue;
		finding_text(finding, "certificate", each->path);
		path = each->path != NULL ? each->path : "of the key";
		if (over)
			finding_set(finding, FAIL,
				    entra ? CODE_AAD_CERT_EXPIRED : CODE_CERT_EXPIRED,
				    "the certificate %s expired %lld minutes ago", path,
				    (long long)(now - before) / 60);
		else
			finding_set(finding, FAIL, CODE_CERT_NOT_YET_VALID,
				    "the certificate %s is valid only in %lld minutes", path,
				    (long long)(after - now) / 60);
		return true;
	}
	return false;
}

/* The authority signed the certificate with SHA-1, which sshd has not taken since OpenSSH 8.2
 * (CASignatureAlgorithms). */
static bool
judge_signature(const struct view *view, struct finding *finding)
{
	const struct fact_identities *ids = view->scene->identities;

	for (size_t i = 0; i < ids->order_count; i++) {
		const struct fact_identity *each = &ids->order[i];

		if (each->from != IDENTITY_CERTIFICATE || !doc_same(each->signature, "ssh-rsa"))
			continue;
		finding_text(finding, "certificate", each->path);
		finding_likely(finding, FAIL, CODE_CERT_SIGNED_SHA1,
			       "the authority signed the certificate %s with SHA-1 (ssh-rsa)",
			       each->path != NULL ? each->path : "of the key");
		return true;
	}
	return false;
}

static bool
lists(const char *const *list, size_t count, const char *part)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(list[i], part) != NULL)
			return true;
	return false;
}

/* The family of a key type, by the word that the lists of the key exchange have in common with it.
 */
static const char *
family_of(const char *type)
{
	return type != NULL && strstr(type, "ed25519") != NULL ? "25519" : NULL;
}

/* A server whose lists have nothing of Curve25519 (key exchange, host keys, and no ChaCha20)
 * follows a policy like FIPS 140, which excludes Ed25519 keys of users as well; sshd does not say
 * so itself (server-sig-algs names all types, measured with OpenSSH 9.2). */
static bool
judge_key_type(const struct view *view, const struct fact_auth_query *asked,
	       struct finding *finding)
{
	const struct fact_kex_lists *server = view->scene->kex->server;
	const char *family = asked != NULL ? family_of(asked->type) : NULL;

	if (family == NULL || server == NULL || server->kex_count == 0 ||
	    server->host_key_count == 0 || lists(server->kex, server->kex_count, family) ||
	    lists(server->host_key, server->host_key_count, family) ||
	    lists(server->cipher, server->cipher_count, "chacha20"))
		return false;
	finding_text(finding, "key_type", asked->type);
	finding_likely(
	    finding, FAIL, CODE_SERVER_REJECTS_KEY_TYPE,
	    "the server's algorithms look like a FIPS policy: none of them is Curve25519, "
	    "and the key is %s",
	    asked->type);
	return true;
}

/* Nobody named a user, and the VM, whose own user it would be, could not be read: the name of the
 * local account is only a guess. */
static bool
user_is_guess(const struct view *view)
{
	const struct scene *scene = view->scene;
	const json_t *body;

	if (scene->ssh_config->user_from != USER_LOCAL || view->admin != NULL)
		return false;
	if (scene->vm->state == FACT_UNKNOWN)
		return scene->target.name != NULL;
	return scene->vm->state == FACT_KNOWN && scene->vm->id != NULL &&
	       facts_resource(scene->facts, scene->vm->id, &body, NULL) == FACT_UNKNOWN;
}

/* ssh has further keys ready, nothing says that they are not the VM's, and nobody meant one of
 * those refused in particular. */
static bool
keys_left(const struct view *view)
{
	return view->scene->identities->explicit == NULL &&
	       key_on_vm(view->scene, "") == FACT_MAYBE && key_left_unasked(view->scene, NULL);
}

/* The VM was looked into: the key is there, or it is not. */
static int
judge_by_guest(const struct view *view, const struct guest_key *key, struct finding *finding)
{
	const char *path = key->file != NULL ? key->file->path : NULL;

	if (path == NULL && guest_main_file(view->scene) != NULL)
		path = guest_main_file(view->scene)->path;
	if (key->place == GUEST_KEY_LISTED) {
		finding_text(finding, "path", path);
		finding_text(finding, "fingerprint", key->fingerprint);
		return finding_set(
		    finding, FAIL, CODE_KEY_REFUSED_UNEXPLAINED,
		    "the server refuses the key for %s, although %s in the VM has it", view->user,
		    path != NULL ? path : "authorized_keys");
	}
	finding_text(finding, "listed_in", path);
	return finding_set(finding, FAIL, CODE_KEY_NOT_ON_VM,
			   "the server does not accept the key for %s, and %s in the VM does not "
			   "list it",
			   view->user, path != NULL ? path : "no file");
}

/* The serial log shows that the VM was given this very key for this user: to add it again is no
 * help. */
static bool
judge_given(const struct view *view, const char *fingerprint, const enum code *causes,
	    struct finding *finding)
{
	if (boot_has_key(view->scene, view->user, fingerprint) != FACT_YES)
		return false;
	finding_value(finding, "given_at_boot", json_true());
	talk_possible(finding, causes);
	finding_likely(finding, FAIL, CODE_KEY_GIVEN_BUT_REFUSED,
		       "the server refuses the key that cloud-init installed for %s at the first "
		       "boot, as the serial log shows",
		       view->user);
	return true;
}

/* ssh goes on with the keys of a token, which nobody here can ask without its PIN. */
static int
judge_token(const struct view *view, struct finding *finding)
{
	finding_text(finding, "provider", view->scene->identities->pkcs11);
	return finding_set(finding, UNKNOWN, CODE_TOKEN_NOT_ASKED,
			   "ssh would use keys of %s (PKCS11Provider), and they were not asked",
			   view->scene->identities->pkcs11);
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
	const struct fact_auth *auth = view->auth;
	const struct fact_auth_query *asked = auth->queries_count > 0 ? auth->queries : NULL;
	const char *path = asked != NULL ? asked->path : NULL,
		   *fingerprint = asked != NULL ? asked->fingerprint : NULL;
	struct guest_key key;

	if (view->scene->identities->pkcs11 != NULL && view->scene->identities->explicit == NULL)
		return judge_token(view, finding);
	guest_key_find(view->scene, &key);
	if (key.place == GUEST_KEY_LISTED)
		path = fingerprint = NULL;
	remedy_evidence(view, finding);
	finding_text(finding, "path", path);
	finding_text(finding, "fingerprint", fingerprint);
	if (user_is_guess(view))
		return finding_set(finding, UNKNOWN, CODE_AUTH_USER_UNKNOWN,
				   "no key is accepted for %s, the name of the account here; the "
				   "VM's own user is not known",
				   view->user);
	if (judge_certificate(view, finding)) {
		finding->confidence = LIKELY;
		return 0;
	}
	if (judge_signature(view, finding) || judge_key_type(view, asked, finding))
		return 0;
	if (strcmp(view->user, "root") == 0 &&
	    (view->admin == NULL || strcmp(view->admin, "root") != 0))
		return finding_likely(finding, FAIL, CODE_ROOT_LOGIN,
				      "the server does not let root in%s%s",
				      view->admin != NULL ? "; this VM's own user is " : "",
				      view->admin != NULL ? view->admin : "");
	if (strchr(view->user, '@') != NULL && first(view, is_certificate) == NULL)
		return finding_likely(finding, FAIL, CODE_AAD_PLAIN_SSH,
				      "%s is an Entra user, who needs a certificate "
				      "from az ssh; plain ssh has none",
				      view->user);
	if (key.place != GUEST_KEY_NOT_TOLD)
		return judge_by_guest(view, &key, finding);
	if (view->admin != NULL && strcmp(view->admin, view->user) != 0) {
		finding_possible(finding, CODE_KEY_NOT_ON_VM);
		return finding_likely(
		    finding, FAIL, CODE_USERNAME_WRONG,
		    "the server accepts no key for %s; this VM was made with the user %s",
		    view->user, view->admin);
	}
	if (keys_left(view))
		return finding_set(finding, UNKNOWN, CODE_AUTH_KEYS_NOT_ASKED,
				   "the server accepts none of the %zu keys it was asked about for "
				   "%s; ssh has more",
				   auth->queries_count, view->user);
	if (view->scene->windows) {
		finding_possible(finding, CODE_WIN_KEY_IN_PROFILE_FOR_ADMIN);
		finding_possible(finding, CODE_WIN_ADMIN_AUTHORIZED_KEYS_ACL);
		return finding_likely(finding, FAIL, CODE_WIN_KEY_NEVER_PROVISIONED,
				      "the server does not accept the key for %s; Azure puts no "
				      "keys on Windows VMs",
				      view->user);
	}
	if (judge_given(view, fingerprint, causes + 1, finding))
		return 0;
	if (auth->text != NULL && strstr(auth->text, "Too many") != NULL &&
	    view->scene->identities->order_count > 1)
		finding_possible(finding, CODE_TOO_MANY_AUTH_FAILURES);
	talk_possible(finding, view->admin != NULL ? causes + 1 : causes);
	path = path != NULL ? path : fingerprint;
	return finding_likely(finding, FAIL, CODE_KEY_NOT_ON_VM,
			      "the server does not accept %s for %s (nor tells why)",
			      path != NULL ? path : "the key", view->user);
}

static bool
any_answer(const struct view *view, enum auth_answer answer)
{
	for (size_t i = 0; i < view->auth->queries_count; i++)
		if (view->auth->queries[i].answer == answer)
			return true;
	return false;
}

/* true when ssh has a key to offer at all, whether or not we could ask about it. */
static bool
has_identity(const struct view *view)
{
	return first(view, is_there) != NULL;
}

/* The server takes keys, and none was accepted. */
static int
judge_keys(const struct view *view, struct finding *finding)
{
	bool denied = any_answer(view, AUTH_DENIED), by_hand = view->password || view->interactive;

	if (by_hand && (!denied || !is_explicit(view)))
		return finding_set(
		    finding, WARN, CODE_AUTH_BY_PASSWORD, "%s, but it asks %s for a password",
		    denied ? "the server accepts none of the keys here" : "no key was asked about",
		    view->user);
	if (denied)
		return judge_denied(view, finding);
	if (any_answer(view, AUTH_UNANSWERED))
		return finding_set(
		    finding, UNKNOWN, CODE_AUTH_NOT_ANSWERED,
		    "whether the server accepts the key for %s could not be found out", view->user);
	remedy_evidence(view, finding);
	if (!has_identity(view) && view->scene->agent->state == FACT_UNKNOWN)
		return finding_set(finding, UNKNOWN, CODE_AUTH_NO_KEY_ASKED,
				   "what keys the agent holds is not known, so the server was not "
				   "asked about any");
	if (has_identity(view))
		return finding_set(finding, UNKNOWN, CODE_AUTH_NO_KEY_ASKED,
				   "the public half of the key cannot be read, so the server was "
				   "not asked about it");
	if (strchr(view->user, '@') != NULL && first(view, is_certificate) == NULL)
		return judge_denied(view, finding);
	if (view->scene->identities->pkcs11 != NULL)
		return judge_token(view, finding);
	return finding_set(finding, FAIL, CODE_PASSWORD_AUTH_DISABLED,
			   "the server takes keys only, and there is no key here to offer");
}

/* The server takes no keys at all. */
static int
judge_no_publickey(const struct view *view, struct finding *finding)
{
	const char *offered = "nothing that ssh could use here";

	if (has(view->auth, "none"))
		return finding_set(finding, WARN, CODE_AUTH_OPEN,
				   "the server lets %s in without any proof", view->user);
	if ((view->password || view->interactive) && !has_identity(view))
		return finding_set(finding, WARN, CODE_AUTH_BY_PASSWORD,
				   "the server asks %s for a password and takes no keys",
				   view->user);
	if (view->password)
		offered = "password";
	else if (view->interactive)
		offered = "keyboard-interactive";
	return finding_set(finding, FAIL, CODE_SSHD_PUBKEY_DISABLED,
			   "the server does not take keys from %s; it offers %s", view->user,
			   offered);
}

int
check_auth(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_auth *auth = scene->auth;
	const struct view view = { .scene = scene,
				   .auth = auth,
				   .options = &scene->ssh_config->options,
				   .user = auth->user != NULL ? auth->user : "",
				   .admin = scene->admin,
				   .publickey = has(auth, "publickey"),
				   .password = has(auth, "password"),
				   .interactive = has(auth, "keyboard-interactive") };
	const char *off;

	(void)rule;
	finding_changes(finding, scene->vm->id);
	if (finding_texts(finding, "methods", auth->methods, auth->methods_count) == NULL)
		finding_value(finding, "methods", json_array());
	finding_value(finding, "accepted",
		      auth->accepted != NULL ? json_string(auth->accepted) : json_null());
	finding_text(finding, "user", view.user);
	finding_text(finding, "text", auth->text);
	finding_text(finding, "banner", auth->banner);
	if (scene->windows)
		finding_value(finding, "windows", json_true());
	if (view.publickey && (off = keys_off(&view)) != NULL)
		return judge_client_off(&view, off, finding);
	if (auth->accepted != NULL)
		return judge_accepted(&view, finding);
	return view.publickey ? judge_keys(&view, finding) : judge_no_publickey(&view, finding);
}
