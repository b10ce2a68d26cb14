/* Is sshd there, does it run, where does it listen, and does its configuration let this user in? */
#include "checks/checks.h"
#include "checks/guest.h"

#include <stdlib.h>
#include <string.h>

struct view {
	const struct scene *scene;
	const struct fact_guest *guest;
};

/* ---- running ---- */

static const char *
test_line(const struct fact_guest *guest, const char *words)
{
	for (size_t i = 0; i < guest->test_count; i++)
		if (strcasestr(guest->test[i], words) != NULL)
			return guest->test[i];
	return NULL;
}

static const char *
start_line(const struct fact_guest *guest, const char *words)
{
	for (size_t i = 0; i < guest->start_count; i++)
		if (strcasestr(guest->start[i], words) != NULL)
			return guest->start[i];
	return NULL;
}

static const struct fact_guest_path *
path_of(const struct fact_guest *guest, const char *what)
{
	for (size_t i = 0; i < guest->paths_count; i++)
		if (doc_same(guest->paths[i].what, what))
			return &guest->paths[i];
	return NULL;
}

/* The line of `sshd -t` is the finding's evidence, word for word. */
static int
set_by_test(struct finding *finding, enum status status, enum code code, const char *line,
	    const char *summary)
{
	finding_text(finding, "line", line);
	guest_seen(finding, NULL, "sshd -t says: %s.", line);
	return finding_set(finding, status, code, "%s: %s", summary, line);
}

/* The first line that names a place in a file ("/etc/ssh/sshd_config line 7: ..."), else the first.
 */
static const char *
best_line(const struct fact_guest *guest)
{
	const char *line = test_line(guest, " line ");

	return line != NULL ? line : guest->test[0];
}

/* The folder that a line of `sshd -t` is about: its one word that begins with a slash. */
static void
put_folder(struct finding *finding, const char *line)
{
	const char *path = strchr(line, '/');

	if (path != NULL)
		finding_value(finding, "folder", json_stringn(path, strcspn(path, " ")));
}

static bool
judge_test(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	const char *line;

	if (guest->tested != FACT_NO || guest->test_count == 0)
		return false;
	if ((line = test_line(guest, "Missing privilege separation directory")) != NULL &&
	    guest->makes_folder)
		return false; /* its service makes the folder as it starts */
	if (line == NULL)
		line = test_line(guest, "must be owned by root and not group or world-writable");
	if (line != NULL) {
		put_folder(finding, line);
		set_by_test(finding, FAIL, CODE_SSHD_PRIVSEP_DIR, line, "sshd does not start");
		return true;
	}
	if ((line = test_line(guest, "too open")) != NULL ||
	    (guest->host_keys_count > 0 && guest->host_keys[0].mode != NULL &&
	     (line = test_line(guest, "no hostkeys available")) != NULL)) {
		set_by_test(finding, FAIL, CODE_SSHD_HOSTKEY_PERMS, line, "sshd does not start");
		return true;
	}
	if ((line = test_line(guest, "no hostkeys available")) != NULL) {
		set_by_test(finding, FAIL, CODE_SSHD_HOSTKEYS_MISSING, line, "sshd does not start");
		return true;
	}
	set_by_test(finding, FAIL, CODE_SSHD_CONFIG_SYNTAX, best_line(guest),
		    "sshd does not start");
	return true;
}

/* Its service is there, and nothing starts it. */
static const struct fact_guest_unit *
disabled_unit(const struct fact_guest *guest)
{
	const struct fact_guest_unit *found = NULL;

	for (size_t i = 0; i < guest->units_count; i++) {
		const struct fact_guest_unit *unit = &guest->units[i];

		if (doc_same(unit->enabled, "enabled") || doc_same(unit->active, "active"))
			return NULL;
		if (unit->name != NULL && strstr(unit->name, ".service") != NULL &&
		    (doc_same(unit->enabled, "disabled") || doc_same(unit->enabled, "masked")))
			found = unit;
	}
	return found;
}

static int
judge_stopped(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	const struct fact_guest_unit *unit = disabled_unit(guest);
	const struct fact_guest_listen *other = guest_listens(guest, NULL, guest->port);
	const char *line;

	if (judge_test(view, finding))
		return 0;
	finding_number(finding, "port", guest->port);
	if ((line = start_line(guest, "Cannot assign requested address")) != NULL) {
		finding_text(finding, "line", line);
		guest_seen(finding, line, "%s", "");
		return finding_set(finding, FAIL, CODE_SSHD_LISTEN_ADDRESS,
				   "sshd does not start: it is to listen on an address that the VM "
				   "does not have");
	}
	if (other != NULL) {
		const char *program = other->by != NULL ? other->by : "Another program";

		finding_text(finding, "program", program);
		guest_seen(finding, start_line(guest, "Address already in use"),
			   "%s listens on port %lld.", program, (long long)guest->port);
		return finding_set(finding, FAIL, CODE_SSHD_PORT_TAKEN,
				   "sshd does not run, and %s listens on port %lld", program,
				   (long long)guest->port);
	}
	if (unit != NULL) {
		finding_text(finding, "unit", unit->name);
		finding_text(finding, "value", unit->enabled);
		guest_seen(finding, NULL, "systemctl is-enabled %s says: %s.", unit->name,
			   unit->enabled);
		return finding_set(finding, FAIL, CODE_SSHD_DISABLED_AT_BOOT,
				   "sshd does not run: %s is %s", unit->name, unit->enabled);
	}
	guest_seen(finding, guest->start_count > 0 ? guest->start[guest->start_count - 1] : NULL,
		   "No process of sshd runs, and nothing listens on port %lld.",
		   (long long)guest->port);
	return finding_set(finding, FAIL, CODE_SSHD_STOPPED,
			   "sshd does not run in the VM; its configuration is sound");
}

/* ---- where it listens ---- */

static bool
is_any(const char *address)
{
	return doc_same(address, "0.0.0.0") || doc_same(address, "*") ||
	       doc_same(address, "[::]") || doc_same(address, "::");
}

static bool
is_own(const struct fact_guest *guest, const char *address)
{
	size_t len = address != NULL ? strlen(address) : 0;

	if (guest->addresses_count == 0)
		return strncmp(address, "127.", 4) != 0 && !doc_same(address, "[::1]");
	for (size_t i = 0; i < guest->addresses_count; i++)
		if (strncmp(guest->addresses[i], address, len) == 0 &&
		    strchr("/", guest->addresses[i][len]) != NULL)
			return true;
	return address[0] == '[' && !doc_same(address, "[::1]");
}

static bool
judge_listen(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	const struct fact_guest_listen *wrong = NULL, *other = guest_listens(guest, "sshd", 0);

	for (size_t i = 0; i < guest->listen_count; i++) {
		const struct fact_guest_listen *one = &guest->listen[i];

		if (one->port != guest->port || one->address == NULL)
			continue;
		if (is_any(one->address) || is_own(guest, one->address))
			return false;
		wrong = one;
	}
	finding_number(finding, "port", guest->port);
	if (wrong != NULL) {
		finding_text(finding, "listen", wrong->address);
		guest_seen(finding, NULL, "sshd listens on %s port %lld only.", wrong->address,
			   (long long)wrong->port);
		finding_set(finding, FAIL, CODE_SSHD_LISTEN_ADDRESS,
			    "sshd listens on %s only, which nobody outside reaches",
			    wrong->address);
		return true;
	}
	if (other == NULL)
		return false;
	finding_number(finding, "other_port", other->port);
	guest_seen(finding, NULL, "sshd listens on port %lld.", (long long)other->port);
	finding_set(finding, FAIL, CODE_SSHD_CUSTOM_PORT,
		    "sshd listens on port %lld, and not on %lld", (long long)other->port,
		    (long long)guest->port);
	return true;
}

/* ---- connections that sshd drops ---- */

static bool
judge_drops(const struct view *view, struct finding *finding)
{
	const char *penalty = guest_log(view->scene, "penalty"),
		   *startups = guest_log(view->scene, "MaxStartups");

	if (view->scene->answers || (penalty == NULL && startups == NULL))
		return false;
	guest_seen(finding, penalty != NULL ? penalty : startups, "%s", "");
	finding_set(finding, FAIL,
		    penalty != NULL ? CODE_SSHD_PERSOURCE_PENALTIES : CODE_SSHD_MAXSTARTUPS,
		    "sshd drops your connections");
	return true;
}

/* ---- what fails behind the authentication ---- */

static void
judge_session(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	const struct fact_guest_path *root = path_of(guest, "chroot");
	const char *log = guest_log(view->scene, "chroot directory"),
		   *command = guest_setting(guest, "forcecommand"),
		   *methods = guest_setting(guest, "authenticationmethods");
	struct finding *next;

	if (root != NULL && guest_mode_unsafe(root->mode, root->owner, 0)) {
		next = finding_next(finding);
		finding_text(next, "folder", root->path);
		guest_seen(next, log, "%s is %s and belongs to the user id %lld.", root->path,
			   root->mode, (long long)root->owner);
		finding_set(next, FAIL, CODE_SSHD_CHROOT_DIR,
			    "sshd ends each session: ChrootDirectory %s is not root's alone",
			    root->path);
	} else if (root != NULL && root->mode == NULL) {
		next = finding_next(finding);
		finding_text(next, "folder", root->path);
		guest_seen(next, log, "%s does not exist.", root->path);
		finding_set(next, FAIL, CODE_SSHD_CHROOT_DIR,
			    "sshd ends each session: ChrootDirectory %s does not exist",
			    root->path);
	}
	if (command != NULL &&
	    (strstr(command, "/false") != NULL || strstr(command, "nologin") != NULL)) {
		next = finding_next(finding);
		finding_text(next, "file", "ForceCommand");
		guest_seen(next, NULL, "sshd -T says: forcecommand %s.", command);
		finding_set(next, FAIL, CODE_LOGIN_RC_BREAKS_SESSION,
			    "ForceCommand %s ends each session at once", command);
	}
	if (doc_same(guest_setting(guest, "maxsessions"), "0")) {
		next = finding_next(finding);
		finding_text(next, "file", "MaxSessions");
		guest_seen(next, NULL, "sshd -T says: maxsessions 0.");
		finding_set(next, FAIL, CODE_LOGIN_RC_BREAKS_SESSION,
			    "MaxSessions 0 lets nobody open a shell or run a command");
	}
	if (methods != NULL && strchr(methods, ',') != NULL) {
		next = finding_next(finding);
		finding_text(next, "value", methods);
		guest_seen(next, NULL, "sshd -T says: authenticationmethods %s.", methods);
		finding_set(next, WARN, CODE_SSHD_SECOND_FACTOR, "sshd wants more than a key: %s",
			    methods);
	}
	if (guest->sftp_missing != NULL) {
		next = finding_next(finding);
		finding_text(next, "path", guest->sftp_missing);
		guest_seen(next, NULL, "Subsystem sftp names %s, which does not exist.",
			   guest->sftp_missing);
		finding_set(next, WARN, CODE_SFTP_SERVER_MISSING,
			    "scp and sftp fail: %s does not exist", guest->sftp_missing);
	}
}

/* ---- the whole ---- */

static bool
offers(const struct scene *scene, const char *method)
{
	for (size_t i = 0; i < scene->auth->methods_count; i++)
		if (doc_same(scene->auth->methods[i], method))
			return true;
	return false;
}

/* The user has no key, and a drop-in of cloud-init forbids the password that sshd_config allows. */
static bool
judge_password(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	const char *blank;

	if (guest->overridden == NULL || guest->keys_count > 0 ||
	    view->scene->auth->state != FACT_KNOWN || offers(view->scene, "password") ||
	    (blank = strchr(guest->overridden, ' ')) == NULL)
		return false;
	finding_value(finding, "file",
		      json_stringn(guest->overridden, (size_t)(blank - guest->overridden)));
	finding_text(finding, "path", blank + 1);
	guest_seen(finding, NULL, "%.*s says PasswordAuthentication no, and comes before%s.",
		   (int)(blank - guest->overridden), guest->overridden, blank);
	finding_set(finding, FAIL, CODE_CLOUDINIT_DROPIN_OVERRIDES,
		    "a drop-in forbids the password that%s allows", blank);
	return true;
}

/* sshd gave a reason that no check knows: its words are the finding. */
static bool
judge_unknown_words(const struct view *view, struct finding *finding)
{
	const char *log = guest_log_unknown(view->scene);

	if (log == NULL || view->scene->accepted)
		return false;
	guest_seen(finding, log, "%s", "");
	finding_likely(finding, FAIL, CODE_SSHD_SAYS, "sshd itself says: %s", log);
	return true;
}

static int
judge_running(const struct view *view, struct finding *finding)
{
	const struct fact_guest *guest = view->guest;
	bool accepted = view->scene->accepted;
	struct finding *also;

	if (!accepted && (judge_listen(view, finding) || judge_drops(view, finding) ||
			  guest_shut_out(view->scene, finding) || judge_password(view, finding) ||
			  judge_unknown_words(view, finding)))
		return 0;
	judge_session(view, finding);
	if (guest->tested == FACT_NO && guest->test_count > 0 &&
	    test_line(guest, "Missing privilege separation directory") == NULL) {
		also = finding_next(finding);
		set_by_test(also, WARN, CODE_SSHD_CONFIG_SYNTAX, best_line(guest),
			    "sshd runs, but will not start again");
	}
	if (finding->id == CODE_NOT_RUN)
		finding_set(finding, PASS, CODE_GUEST_SSHD_FINE,
			    "sshd (%s) runs and listens on port %lld",
			    guest->version != NULL ? guest->version : "version not told",
			    (long long)guest->port);
	return 0;
}

/* A part of the output did not fit. */
static bool
is_lost(const struct fact_guest *guest, const char *part)
{
	for (size_t i = 0; i < guest->lost_count; i++)
		if (doc_same(guest->lost[i], part))
			return guest->listen_count == 0;
	return false;
}

/* The service of Windows; NULL where it was not found. */
static const struct fact_guest_unit *
windows_service(const struct fact_guest *guest)
{
	if (guest->state != FACT_KNOWN || !guest->windows)
		return NULL;
	for (size_t i = 0; i < guest->units_count; i++)
		if (doc_same(guest->units[i].name, "sshd"))
			return &guest->units[i];
	return NULL;
}

static int
judge_windows(const struct view *view, const struct fact_guest_unit *service,
	      struct finding *finding)
{
	if (doc_same(service->active, "Running") || view->scene->answers)
		return finding_set(finding, PASS, CODE_GUEST_SSHD_FINE,
				   "the service sshd of Windows runs");
	finding_text(finding, "unit", service->name);
	finding_text(finding, "value", service->enabled);
	guest_seen(finding, NULL, "Get-Service sshd says: %s, start type %s.", service->active,
		   service->enabled != NULL ? service->enabled : "not told");
	return finding_set(finding, FAIL, CODE_WIN_SSHD_STOPPED,
			   "the service sshd of Windows is %s", service->active);
}

int
check_guest_sshd(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct view view = { .scene = scene, .guest = scene->guest };
	const struct fact_guest *guest = scene->guest;
	const struct fact_guest_listen *other = guest_listens(guest, NULL, guest->port);

	(void)rule;
	if (windows_service(guest) != NULL)
		return judge_windows(&view, windows_service(guest), finding);
	if (!guest_known(scene, finding, true))
		return 0;
	finding_text(finding, "version", guest->version);
	if (guest_sshd_runs(guest) || scene->accepted)
		return judge_running(&view, finding);
	if (guest->installed == FACT_MAYBE || is_lost(guest, "sshd"))
		return finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK,
				   "the VM's answer lacks the part about sshd (it was cut)");
	if (guest->installed == FACT_NO && other != NULL)
		return finding_set(finding, PASS, CODE_GUEST_SSHD_FINE,
				   "%s serves port %lld; OpenSSH is not installed",
				   other->by != NULL ? other->by : "another server",
				   (long long)guest->port);
	if (guest->installed == FACT_NO) {
		guest_seen(finding, NULL,
			   "No program sshd is on the VM, and nothing listens on "
			   "port %lld.",
			   (long long)guest->port);
		return finding_set(finding, FAIL, CODE_SSHD_NOT_INSTALLED,
				   "the VM has no SSH server");
	}
	return judge_stopped(&view, finding);
}
