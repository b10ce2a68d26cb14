/* Does the account exist, and may it sign in: home, shell, locks, dates, PAM? */
#include "checks/checks.h"
#include "checks/guest.h"

#include <stdlib.h>
#include <string.h>

struct view {
	const struct scene *scene;
	const struct fact_guest *guest;
	const struct fact_guest_account *account;
	bool pam; /* UsePAM */
};

static const char *
base_of(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;

	return slash != NULL ? slash + 1 : path;
}

/* ---- before a key counts ---- */

static bool
judge_home_by_log(const struct view *view, struct finding *finding)
{
	char path[256];
	const char *log = guest_log_path(view->scene, path, sizeof(path));

	if (log == NULL || guest_in_home(view->scene, path))
		return false;
	finding_text(finding, "path", path);
	guest_seen(finding, log, "%s", "");
	finding_likely(finding, FAIL, CODE_HOME_DIR_PERMS,
		       "sshd (StrictModes) refused the keys of %s a moment ago, for %s",
		       view->guest->user, path);
	return true;
}

static bool
judge_home(const struct view *view, struct finding *finding)
{
	const struct fact_guest_path *path = guest_unsafe(view->scene, true);
	char octal[5];

	if (path == NULL)
		return judge_home_by_log(view, finding);
	guest_mode_octal(path->mode, octal);
	finding_text(finding, "path", path->path);
	finding_text(finding, "mode", octal);
	finding_number(finding, "owner", path->owner);
	guest_seen(finding, guest_log(view->scene, "bad ownership or modes for directory"),
		   "%s is %s and belongs to the user id %lld.", path->path, path->mode,
		   (long long)path->owner);
	finding_set(finding, FAIL, CODE_HOME_DIR_PERMS,
		    "sshd (StrictModes) refuses the keys of %s: %s has mode %s, owner %lld",
		    view->guest->user, path->path, octal, (long long)path->owner);
	return true;
}

static bool
judge_shell(const struct view *view, struct finding *finding)
{
	const struct fact_guest_account *account = view->account;
	const char *log = guest_log(view->scene, "because shell ");

	if (log == NULL && (account->shell_state == NULL || doc_same(account->shell_state, "runs")))
		return false;
	finding_text(finding, "shell", account->shell);
	guest_seen(finding, log, "The shell in /etc/passwd is %s.", account->shell);
	finding_set(finding, FAIL, CODE_SHELL_MISSING, "the login shell %s %s", account->shell,
		    doc_same(account->shell_state, "not-executable") ? "cannot be run"
								     : "does not exist");
	return true;
}

/* sshd itself looks for a lock only where PAM does not. */
static bool
judge_locked(const struct view *view, struct finding *finding)
{
	const char *log = guest_log(view->scene, "account is locked");

	if (log == NULL && (view->pam || !doc_same(view->account->password, "locked")))
		return false;
	finding_text(finding, "account", view->guest->user);
	guest_seen(finding, log, "The password field in /etc/shadow begins with \"!\".");
	finding_set(finding, FAIL, CODE_ACCOUNT_LOCKED, "the account %s is locked",
		    view->guest->user);
	return true;
}

static bool
judge_label(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	const char *label = guest->labels_count > 0 ? guest->labels[guest->labels_count - 1] : NULL;
	struct guest_key key;

	if (!guest->selinux ||
	    (guest->avc == NULL && (label == NULL || strstr(label, ":ssh_home_t:") != NULL ||
				    strstr(label, "unconfined_t:") != NULL)))
		return false;
	guest_key_find(view->scene, &key);
	if (guest->avc == NULL && key.place != GUEST_KEY_LISTED)
		return false; /* a label alone is a fault only of a key that is there */
	finding_text(finding, "path", key.file != NULL ? key.file->path : NULL);
	finding_text(finding, "label", label);
	guest_seen(finding, NULL,
		   guest->avc != NULL ? "The audit log says: %s." : "ls -Z says: %s.",
		   guest->avc != NULL ? guest->avc : label);
	finding_set(finding, FAIL, CODE_SELINUX_HOME_LABEL,
		    "SELinux keeps sshd from reading the keys of %s", guest->user);
	return true;
}

/* ---- behind the key ---- */

static bool
judge_dates(const struct view *view, struct finding *finding)
{
	const struct fact_guest_account *account = view->account;
	const char *log = guest_log(view->scene, "has expired");

	if (account->today < 0)
		return false;
	if (account->expires >= 0 && account->expires <= account->today) {
		finding_number(finding, "expires", account->expires);
		guest_seen(finding,
			   log != NULL ? log : guest_log(view->scene, "PAM account configuration"),
			   "The account expired %lld days ago.",
			   (long long)(account->today - account->expires));
		finding_set(finding, FAIL, CODE_ACCOUNT_EXPIRED, "the account %s has expired",
			    view->guest->user);
		return true;
	}
	if (account->changed == 0 ||
	    (account->changed > 0 && account->max_days >= 0 && account->max_days < 99999 &&
	     account->changed + account->max_days < account->today)) {
		guest_seen(finding, guest_log(view->scene, "password"),
			   "The password's last change in /etc/shadow is day %lld of 1970, and it "
			   "holds for %lld days.",
			   (long long)account->changed, (long long)account->max_days);
		finding_set(finding, view->pam ? FAIL : WARN, CODE_PASSWORD_EXPIRED_CHANGE,
			    "the password of %s has expired and must be changed at the next login",
			    view->guest->user);
		return true;
	}
	return false;
}

static bool
judge_nologin(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;

	/* sshd without PAM looks at /etc/nologin alone */
	if (guest->nologin == NULL || view->account->uid == 0 ||
	    (!view->pam && strncmp(guest->nologin, "/etc/nologin", 12) != 0))
		return false;
	finding_value(finding, "path", json_stringn(guest->nologin, strcspn(guest->nologin, " ")));
	guest_seen(finding, NULL, "The VM has %s.", guest->nologin);
	finding_set(finding, FAIL, CODE_PAM_NOLOGIN,
		    "logins are closed to everybody but root: %s exists", guest->nologin);
	return true;
}

static bool
judge_pam(const struct view *view, struct finding *finding)
{
	static const char *const modules[] = { "pam_access", "pam_faillock", "pam_listfile",
					       "PAM account configuration" };
	const char *log = NULL, *module = NULL;

	for (size_t i = 0; log == NULL && i < sizeof(modules) / sizeof(*modules); i++) {
		module = modules[i];
		log = guest_log_before(view->scene, module);
	}
	if (log == NULL)
		return false;
	finding_text(finding, "reason", module);
	guest_seen(finding, log, "%s", "");
	/* without a module that decides by a list, what refused then may be repaired by now */
	finding_likely(finding, view->guest->pam_count > 0 ? FAIL : WARN, CODE_PAM_DENIES,
		       "PAM refused %s at an earlier login (%s)", view->guest->user, module);
	return true;
}

static bool
judge_session(const struct view *view, struct finding *finding)
{
	const char *shell = base_of(view->account->shell);
	const struct fact_guest *guest = view->guest;

	if (doc_same(shell, "nologin") || doc_same(shell, "false")) {
		finding_text(finding, "file", "/etc/passwd");
		finding_text(finding, "shell", view->account->shell);
		guest_seen(finding, NULL, "The shell in /etc/passwd is %s.", view->account->shell);
		finding_set(finding, FAIL, CODE_SHELL_NOLOGIN,
			    "the shell of %s, %s, ends each session at once", guest->user,
			    view->account->shell);
		return true;
	}
	if (view->account->home_missing) {
		finding_text(finding, "home", view->account->home);
		guest_seen(finding, NULL, "%s does not exist.", view->account->home);
		finding_set(finding, view->scene->accepted ? WARN : FAIL, CODE_HOME_MISSING,
			    "the home folder %s does not exist", view->account->home);
		return true;
	}
	if (guest->startup_count > 0) {
		finding_value(finding, "file",
			      json_stringn(guest->startup[0], strcspn(guest->startup[0], ":")));
		guest_seen(finding, NULL, "%s.", guest->startup[0]);
		finding_likely(finding, FAIL, CODE_LOGIN_RC_BREAKS_SESSION,
			       "a line of a start-up file ends or delays the session: %s",
			       guest->startup[0]);
		return true;
	}
	return false;
}

static int
judge_account(const struct view *view, struct finding *finding)
{
	bool accepted = view->scene->accepted;

	if (!accepted && (judge_home(view, finding) || judge_shell(view, finding) ||
			  judge_locked(view, finding) || judge_label(view, finding)))
		return 0;
	if (judge_dates(view, finding) || judge_nologin(view, finding) ||
	    judge_pam(view, finding) || judge_session(view, finding))
		return 0;
	return finding_set(finding, PASS, CODE_GUEST_ACCOUNT_FINE,
			   "the account %s exists and may sign in", view->guest->user);
}

/* A user that the VM does have: its own one, else the first. */
static const char *
other_user(const struct view *view)
{
	const struct fact_guest_account *account = view->account;

	if (view->scene->admin != NULL && !doc_same(view->scene->admin, view->guest->user))
		return view->scene->admin;
	return account->users_count > 0 ? account->users[0] : NULL;
}

int
check_guest_account(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct view view = { .scene = scene,
				   .guest = scene->guest,
				   .account = &scene->guest->account,
				   .pam = !doc_same(guest_setting(scene->guest, "usepam"), "no") };

	(void)rule;
	if (!guest_known(scene, finding, false))
		return 0;
	finding_text(finding, "account", scene->guest->user);
	finding_text(finding, "home", view.account->home);
	if (scene->guest->user == NULL)
		return finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK,
				   "the user's name has characters that are not passed to the VM");
	if (view.account->exists == FACT_MAYBE)
		return finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK,
				   "the VM's answer lacks the account (it was cut)");
	if (view.account->exists == FACT_NO) {
		finding_texts(finding, "users", view.account->users, view.account->users_count);
		guest_seen(finding, guest_log(scene, "Invalid user"),
			   "The VM has no account of that name.");
		finding_text(finding, "expected_user", other_user(&view));
		return finding_set(finding, FAIL, CODE_USERNAME_WRONG, "the VM has no user %s",
				   scene->guest->user);
	}
	return judge_account(&view, finding);
}
