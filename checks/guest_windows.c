#include "checks/guest_windows.h"
#include "facts/doc.h"
#include "facts/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ADMIN_FILE = 1, PROFILE_FILE = 2 };

/* What follows "windows-NAME " in the nth such line, NULL when there are fewer. */
static const char *
told(const struct fact_guest *guest, const char *name, size_t nth)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < guest->win_count; i++) {
		const char *line = guest->win[i];

		if (strncmp(line, name, len) == 0 && line[len] == ' ' && nth-- == 0)
			return line + len + 1;
	}
	return NULL;
}

/* The text behind "key=" in a line, to the next " word=" or the end; "" when there is none. */
static const char *
value_of(const char *line, const char *key, char ret[static 64])
{
	const char *at = strstr(line, key), *next;
	size_t len;

	*ret = '\0';
	if (at == NULL)
		return ret;
	at += strlen(key);
	len = strlen(at);
	if ((next = strchr(at, '=')) != NULL)
		for (len = (size_t)(next - at); len > 0 && at[len] != ' '; len--)
			;
	snprintf(ret, 64, "%.*s", len < 63 ? (int)len : 63, at);
	return ret;
}

static void seen(struct finding *finding, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
seen(struct finding *finding, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = doc_vfmt(fmt, ap);
	va_end(ap);
	finding_text(finding, "seen", text);
	free(text);
}

/* ---- the service ---- */

/* A service that is there is judged by guest_sshd.c. */
static void
judge_service(const struct scene *scene, struct finding *finding)
{
	if (scene->answers) {
		finding_set(finding, PASS, CODE_GUEST_SSHD_FINE, "sshd runs in the VM");
	} else if (scene->guest->installed != FACT_NO) {
		finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK,
			    "the script told nothing of the service sshd");
	} else {
		seen(finding, "Get-Service finds no service sshd.");
		finding_set(finding, FAIL, CODE_WINDOWS_OPENSSH_MISSING,
			    "the Windows VM has no SSH server");
	}
}

/* ---- the firewall ---- */

/* A rule's profiles ("Any", "Domain, Private") hold the network that the VM is on. */
static bool
covers(const char *profiles, const char *network)
{
	const char *name = strncasecmp(network, "Domain", 6) == 0 ? "Domain" : network;

	return strcasecmp(profiles, "Any") == 0 || strcasestr(profiles, name) != NULL;
}

/* Only rules of OpenSSH are listed: another one may let the port in, so a rule that does not hold
 * here is needed for a failure. */
static void
judge_firewall(const struct scene *scene, struct finding *finding)
{
	const struct fact_guest *guest = scene->guest;
	const char *line = told(guest, "windows-network", 0), *network, *blocked = NULL;
	char enabled[64], action[64], profile[64], of[64] = "";
	bool open = false;

	network = line != NULL && strrchr(line, ' ') != NULL ? strrchr(line, ' ') + 1 : line;
	finding_number(finding, "port", guest->port);
	if (scene->answers) {
		finding_set(finding, PASS, CODE_GUEST_FIREWALL_FINE,
			    "packets from here reach sshd");
		return;
	}
	for (size_t i = 0; network != NULL && (line = told(guest, "windows-firewall", i)) != NULL;
	     i++) {
		bool allows = strcasecmp(value_of(line, "enabled=", enabled), "True") == 0 &&
			      strcasecmp(value_of(line, "action=", action), "Allow") == 0;

		value_of(line, "profile=", profile);
		open |= allows && covers(profile, network);
		if (blocked == NULL && strcasecmp(action, "Allow") == 0) {
			blocked = line;
			snprintf(of, sizeof(of), "%s",
				 strcasecmp(enabled, "True") == 0 ? profile : "no");
		}
	}
	if (open || blocked == NULL) {
		finding_set(finding, open ? PASS : SKIP,
			    open ? CODE_GUEST_FIREWALL_FINE : CODE_NOTHING_TO_CHECK,
			    open ? "a rule of Windows Firewall lets SSH in on this network"
				 : "the script lists no rule of OpenSSH");
		return;
	}
	seen(finding, "The rule %.*s holds on %s networks; the VM's network counts as %s.",
	     (int)strcspn(blocked, " "), blocked, of, network);
	finding_set(finding, FAIL, CODE_WIN_FIREWALL_PROFILE,
		    "Windows Firewall does not let SSH in on the VM's network (%s)", network);
}

/* ---- keys ---- */

/* What follows the number of a file in lines of that name. */
static const char *
of_file(const struct fact_guest *guest, const char *name, int number, size_t nth)
{
	const char *line;

	for (size_t i = 0; (line = told(guest, name, i)) != NULL; i++)
		if (line[0] == '0' + number && line[1] == ' ' && nth-- == 0)
			return line + 2;
	return NULL;
}

static bool
lists(const struct fact_guest *guest, int number)
{
	return of_file(guest, "windows-key", number, 0) != NULL;
}

/* Whoever beside Administrators and SYSTEM has rights to the file: sshd ignores it then. */
static const char *
stranger(const struct fact_guest *guest)
{
	const char *line;

	for (size_t i = 0; (line = of_file(guest, "windows-acl", ADMIN_FILE, i)) != NULL; i++)
		if (strncmp(line, "S-1-5-18 ", 9) != 0 && strncmp(line, "S-1-5-32-544 ", 13) != 0)
			return line;
	return NULL;
}

static void
judge_admin_keys(const struct scene *scene, struct finding *finding)
{
	const struct fact_guest *guest = scene->guest;
	const char *file = of_file(guest, "windows-file", ADMIN_FILE, 0), *other;

	if (!lists(guest, ADMIN_FILE) && lists(guest, PROFILE_FILE)) {
		seen(finding, "%s is an administrator, and the key is in the profile's file alone.",
		     guest->user);
		finding_set(finding, FAIL, CODE_WIN_KEY_IN_PROFILE_FOR_ADMIN,
			    "the key is in the profile of %s, whom sshd takes for an administrator",
			    guest->user);
	} else if (!lists(guest, ADMIN_FILE)) {
		finding_set(finding, FAIL, CODE_WIN_KEY_NEVER_PROVISIONED,
			    "administrators_authorized_keys in the VM does not list the key");
	} else if ((other = stranger(guest)) != NULL) {
		seen(finding,
		     "Beside Administrators and SYSTEM, the rights of "
		     "administrators_authorized_keys name: %s.",
		     other);
		finding_set(finding, FAIL, CODE_WIN_ADMIN_AUTHORIZED_KEYS_ACL,
			    "others than Administrators and SYSTEM have rights to "
			    "administrators_authorized_keys, so sshd ignores it");
	} else if (file != NULL &&
		   (strncmp(file, "fffe", 4) == 0 || strncmp(file, "feff", 4) == 0)) {
		seen(finding, "The file is encoded as UTF-16.");
		finding_set(finding, FAIL, CODE_AUTHORIZED_KEYS_MANGLED,
			    "administrators_authorized_keys is encoded as UTF-16, which sshd "
			    "cannot read");
	} else {
		finding_set(finding, PASS, CODE_GUEST_KEYS_FINE,
			    "administrators_authorized_keys lists the key");
	}
}

static bool
is_admin(const struct fact_guest *guest)
{
	const char *account = told(guest, "windows-account", 0);
	char admin[64];

	if (account == NULL || strcasecmp(value_of(account, "administrator=", admin), "True") != 0)
		return false;
	for (size_t i = 0; i < guest->settings_count; i++)
		if (doc_same(guest->settings[i].name, "match") &&
		    strcasestr(guest->settings[i].value, "administrators") != NULL)
			return true;
	return false;
}

static void
judge_keys(const struct scene *scene, struct finding *finding)
{
	const struct fact_guest *guest = scene->guest;

	finding_text(finding, "account", guest->user);
	for (size_t i = 0; i < scene->identities->order_count; i++)
		if (scene->identities->order[i].present) {
			finding_text(finding, "identity", scene->identities->order[i].path);
			break;
		}
	if (scene->accepted)
		finding_set(finding, PASS, CODE_GUEST_KEYS_FINE, "sshd accepts a key of yours");
	else if (guest->keys_count == 0 || guest->user == NULL ||
		 told(guest, "windows-file", 0) == NULL)
		finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK,
			    "there is no public key here to look for");
	else if (is_admin(guest))
		judge_admin_keys(scene, finding);
	else if (!lists(guest, PROFILE_FILE))
		finding_set(finding, FAIL, CODE_WIN_KEY_NEVER_PROVISIONED,
			    "authorized_keys of %s in the VM does not list the key", guest->user);
	else
		finding_set(finding, PASS, CODE_GUEST_KEYS_FINE,
			    "authorized_keys of %s lists the key", guest->user);
}

void
guest_windows(const struct scene *scene, struct finding *finding)
{
	if (finding->check_id == CHECK_GUEST_SSHD)
		judge_service(scene, finding);
	else if (finding->check_id == CHECK_GUEST_FIREWALL)
		judge_firewall(scene, finding);
	else if (finding->check_id == CHECK_GUEST_KEYS)
		judge_keys(scene, finding);
	else
		finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK, "not judged inside a Windows VM");
}
