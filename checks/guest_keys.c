/* Does sshd find the caller's key for this user, and may it use it? */
#include "checks/checks.h"
#include "checks/guest.h"
#include "facts/time.h"

#include <stdlib.h>
#include <string.h>

struct view {
	const struct scene *scene;
	const struct fact_guest *guest;
	const struct fact_guest_account *account;
	struct guest_key key;
};

static void
put_path(struct finding *finding, const char *path, const char *mode, json_int_t owner)
{
	char octal[5];

	guest_mode_octal(mode, octal);
	finding_text(finding, "path", path);
	finding_text(finding, "mode", *octal != '\0' ? octal : NULL);
	if (owner >= 0)
		finding_number(finding, "owner", owner);
}

/* ---- owner and mode ---- */

static int
set_unsafe(const struct view *view, const char *path, const char *mode, json_int_t owner,
	   struct finding *finding)
{
	put_path(finding, path, mode, owner);
	guest_seen(finding, guest_log(view->scene, "bad ownership or modes for"),
		   "%s is %s and belongs to the user id %lld.", path, mode, (long long)owner);
	return finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_PERMS,
			   "sshd (StrictModes) refuses %s: mode %s, owner %lld", path,
			   doc_str(finding->evidence, "mode"), (long long)owner);
}

/* sshd refuses a path, and the modes that the script saw do not show why (they were put right
 * meanwhile, or did not fit): its word counts. */
static bool
judge_by_log(const struct view *view, struct finding *finding)
{
	char path[256];
	const char *log = guest_log_path(view->scene, path, sizeof(path));

	if (log == NULL || !guest_in_home(view->scene, path))
		return false;
	put_path(finding, path, NULL, -1);
	guest_seen(finding, log, "%s", "");
	finding_likely(finding, FAIL, CODE_AUTHORIZED_KEYS_PERMS,
		       "sshd (StrictModes) refused %s a moment ago", path);
	return true;
}

static bool
judge_modes(const struct view *view, struct finding *finding)
{
	const struct fact_guest_path *path = guest_unsafe(view->scene, false);
	const struct fact_guest_file *file = guest_unsafe_file(view->scene);

	if (path != NULL)
		set_unsafe(view, path->path, path->mode, path->owner, finding);
	else if (file != NULL)
		set_unsafe(view, file->path, file->mode, file->owner, finding);
	else
		return judge_by_log(view, finding);
	return true;
}

/* sshd reads the file as the user: who may read it, or enter a folder, is told by the mode's
 * letters. A group that may read is taken for the user's. */
static bool
keeps_out(const struct view *view, const char *mode, json_int_t owner, char letter)
{
	size_t place = letter == 'r' ? 1 : 3;

	if (mode == NULL || strlen(mode) < 10 || view->account->uid <= 0)
		return false;
	if (owner == view->account->uid)
		return mode[place] == '-';
	return mode[place + 3] == '-' && mode[place + 6] == '-';
}

static int
set_unreadable(const struct view *view, const char *path, const char *mode, json_int_t owner,
	       struct finding *finding)
{
	put_path(finding, path, mode, owner);
	guest_seen(finding, guest_log(view->scene, "Could not open"),
		   "%s is %s and belongs to the user id %lld.", path, mode, (long long)owner);
	if (owner == view->account->uid)
		return finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_PERMS,
				   "%s may not be read by its own user (%s)", path, mode);
	return finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_ROOT_OWNED,
			   "%s belongs to the user id %lld, and %s may not read it (%s)", path,
			   (long long)owner, view->guest->user, mode);
}

/* sshd could not open a file that looks readable: a mount, an ACL, SELinux. */
static bool
judge_unopened(const struct view *view, struct finding *finding)
{
	const char *log = guest_log(view->scene, "Could not open user");

	if (log == NULL)
		log = guest_log(view->scene, "Could not open authorized keys");
	if (log == NULL || view->guest->selinux || strstr(log, "denied") == NULL)
		return false;
	finding_text(finding, "path",
		     guest_main_file(view->scene) != NULL ? guest_main_file(view->scene)->path
							  : NULL);
	guest_seen(finding, log, "%s", "");
	finding_likely(finding, FAIL, CODE_AUTHORIZED_KEYS_ROOT_OWNED,
		       "sshd cannot open the keys of %s: %s", view->guest->user, log);
	return true;
}

static bool
judge_readable(const struct view *view, struct finding *finding)
{
	for (size_t i = 0; i < view->guest->paths_count; i++) {
		const struct fact_guest_path *path = &view->guest->paths[i];

		if (doc_same(path->what, "path") && keeps_out(view, path->mode, path->owner, 'x')) {
			set_unreadable(view, path->path, path->mode, path->owner, finding);
			return true;
		}
	}
	for (size_t i = 0; i < view->guest->files_count; i++) {
		const struct fact_guest_file *file = &view->guest->files[i];

		if (keeps_out(view, file->mode, file->owner, 'r')) {
			set_unreadable(view, file->path, file->mode, file->owner, finding);
			return true;
		}
	}
	return judge_unopened(view, finding);
}

/* ---- where the key is ---- */

static const char *
file_path(const struct view *view)
{
	const struct fact_guest_file *file =
	    view->key.file != NULL ? view->key.file : guest_main_file(view->scene);

	return file != NULL ? file->path : "authorized_keys";
}

static void
key_evidence(const struct view *view, struct finding *finding)
{
	finding_text(finding, "fingerprint", view->key.fingerprint);
	finding_text(finding, "path", file_path(view));
	if (view->key.found != NULL && view->key.found->line > 0)
		finding_number(finding, "line", view->key.found->line);
	finding_text(finding, "option",
		     view->key.options.name[0] != '\0' ? view->key.options.name : NULL);
	finding_text(finding, "value",
		     view->key.options.value[0] != '\0' ? view->key.options.value : NULL);
}

static int
set_mangled(const struct view *view, struct finding *finding, const char *what)
{
	guest_seen(finding, guest_log(view->scene, "bad key options"), "%s: %s.", file_path(view),
		   what);
	return finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_MANGLED,
			   "%s holds your key, but sshd cannot use it there: %s", file_path(view),
			   what);
}

/* The text that says how a key's line is damaged. */
static const char *
damage(const struct view *view)
{
	const char *how = view->key.found->how;

	if (view->key.file != NULL && view->key.file->encoding != NULL)
		return "the file is UTF-16 or begins with a byte order mark";
	if (doc_same(how, "comment"))
		return "its line begins with # and so is a comment";
	if (doc_same(how, "torn"))
		return "its line is broken into several lines";
	if (doc_same(how, "part"))
		return "its line is cut: a part of the key is missing";
	return "its line is not what sshd reads: the type is missing, or two lines are joined";
}

static int
judge_options(const struct view *view, struct finding *finding)
{
	const struct guest_options *options = &view->key.options;
	const char *path = file_path(view), *source = view->guest->source;
	char *text, when[TIME_TEXT_SIZE];

	switch (options->what) {
	case GUEST_OPTION_FROM:
		guest_seen(finding, guest_log(view->scene, "not from a permitted host"),
			   "%s has from=\"%s\", and the VM sees you as %s.", path, options->value,
			   source);
		return finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_FROM_RESTRICTION,
				   "from=\"%s\" in %s leaves %s out", options->value, path, source);
	case GUEST_OPTION_EXPIRED:
		time_to_iso((time_t)view->key.found->expires, when);
		finding_text(finding, "value", when);
		guest_seen(finding, guest_log(view->scene, "expired"),
			   "%s has an expiry-time= of %s.", path, when);
		return finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_EXPIRED,
				   "the line of your key in %s expired at %s", path, when);
	case GUEST_OPTION_CA:
		return set_mangled(view, finding,
				   "its line is marked cert-authority, so it signs certificates "
				   "and lets nobody in itself");
	case GUEST_OPTION_TYPE:
		text =
		    doc_fmt("the word before it is \"%s\", which is not its type", options->name);
		set_mangled(view, finding, text);
		free(text);
		return 0;
	default:
		text =
		    doc_fmt("sshd does not know the option \"%s\" in front of it", options->name);
		set_mangled(view, finding, text);
		free(text);
		return 0;
	}
}

/* The file that would hold the keys if AuthorizedKeysFile had its usual value. */
static const char *
usual_place(const struct view *view)
{
	for (size_t i = 0; i < view->guest->elsewhere_count; i++) {
		const char *path = view->guest->elsewhere[i];
		size_t len = view->account->home != NULL ? strlen(view->account->home) : 0;

		if (len > 0 && strncmp(path, view->account->home, len) == 0 &&
		    strcmp(path + len, "/.ssh/authorized_keys") == 0)
			return path;
	}
	return NULL;
}

/* Where the server has refused the key as well, that is the finding, with its own remedies. */
static int
set_absent(const struct view *view, struct finding *finding)
{
	const struct fact_guest_file *file = guest_main_file(view->scene);
	bool refused = view->scene->auth->state == FACT_KNOWN;

	if (!refused)
		finding_text(finding, "path", doc_str(finding->evidence, "identity"));
	guest_seen(finding, NULL, "%s holds %lld keys, and yours is not among them.",
		   file_path(view), (long long)(file != NULL ? file->sound : 0));
	return finding_set(finding, FAIL, refused ? CODE_KEY_NOT_LISTED : CODE_KEY_NOT_ON_VM,
			   "your key is in no file that sshd reads for %s", view->guest->user);
}

static int
judge_absent(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	const char *files = guest_setting(guest, "authorizedkeysfile"), *usual = usual_place(view);

	finding_text(finding, "option", "AuthorizedKeysFile");
	finding_text(finding, "value", files);
	if (usual != NULL || (doc_same(files, "none") && guest->command == NULL)) {
		finding_text(finding, "usual", usual);
		guest_seen(finding, NULL, "sshd -T says: authorizedkeysfile %s.",
			   files != NULL ? files : "");
		return finding_set(finding, FAIL, CODE_SSHD_AUTHORIZEDKEYSFILE_MOVED,
				   "sshd reads keys of %s from %s%s%s", guest->user,
				   files != NULL ? files : file_path(view),
				   usual != NULL ? ", and yours is in " : "",
				   usual != NULL ? usual : "");
	}
	if (guest->command != NULL && guest->command_status > 0) {
		finding_text(finding, "command", guest->command);
		guest_seen(finding, guest_log(view->scene, "AuthorizedKeysCommand"),
			   "%s ends with status %lld.", guest->command,
			   (long long)guest->command_status);
		return finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_COMMAND_FAILS,
				   "sshd asks %s for keys, and it fails (status %lld)",
				   guest->command, (long long)guest->command_status);
	}
	if (guest->elsewhere_count > 0) {
		finding_text(finding, "other", guest->elsewhere[0]);
		guest_seen(finding, NULL, "%s has it, %s does not.", guest->elsewhere[0],
			   file_path(view));
		return finding_set(finding, FAIL, CODE_KEY_OF_OTHER_ACCOUNT,
				   "your key is in %s, and not in %s", guest->elsewhere[0],
				   file_path(view));
	}
	return set_absent(view, finding);
}

/* The private key's file on this computer. */
static const char *
local_file(const struct scene *scene, const char *fingerprint)
{
	const struct fact_identities *from = scene->identities;

	for (size_t i = 0; i < from->order_count; i++)
		if (from->order[i].present && doc_same(from->order[i].fingerprint, fingerprint))
			return from->order[i].path;
	return NULL;
}

int
check_guest_keys(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	struct view view = { .scene = scene,
			     .guest = scene->guest,
			     .account = &scene->guest->account };

	(void)rule;
	if (!guest_known(scene, finding, false))
		return 0;
	guest_key_find(scene, &view.key);
	finding_text(finding, "account", scene->guest->user);
	finding_text(finding, "identity", local_file(scene, view.key.fingerprint));
	if (scene->accepted)
		return finding_set(finding, PASS, CODE_GUEST_KEYS_FINE,
				   "sshd accepts a key of yours for %s", scene->auth->user);
	if (view.account->exists != FACT_YES)
		return finding_set(finding, SKIP, CODE_NOT_REACHED,
				   "the VM has no such user, so no keys of it");
	if (judge_modes(&view, finding) || judge_readable(&view, finding))
		return 0;
	if (view.key.place == GUEST_KEY_NOT_TOLD)
		return finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK,
				   "there is no public key here to look for");
	key_evidence(&view, finding);
	if (view.key.place == GUEST_KEY_ABSENT)
		return judge_absent(&view, finding);
	if (view.key.place == GUEST_KEY_LISTED)
		return finding_set(finding, PASS, CODE_GUEST_KEYS_FINE,
				   "your key is in %s, with the owner and modes that sshd wants",
				   file_path(&view));
	if (!doc_same(view.key.found->how, "line") ||
	    (view.key.file != NULL && view.key.file->encoding != NULL))
		return set_mangled(&view, finding, damage(&view));
	return judge_options(&view, finding);
}
