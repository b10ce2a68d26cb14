#include "checks/guest.h"
#include "checks/guest_windows.h"
#include "checks/talk.h"

#include <stdlib.h>
#include <string.h>

bool
guest_known(const struct scene *scene, struct finding *finding, bool tells)
{
	const struct fact_guest *guest = scene->guest;

	if (guest->state == FACT_UNKNOWN && !tells) {
		finding_set(finding, SKIP, CODE_NOT_REACHED, "the VM was not looked into");
		return false;
	}
	if (guest->state == FACT_UNKNOWN) {
		finding_set(finding, UNKNOWN, CODE_GUEST_NOT_READ, "the VM was not looked into: %s",
			    guest->reason != NULL ? guest->reason : "no reason is recorded");
		finding_text(finding, "cause", guest->cause);
		finding_text(finding, "reason", guest->reason);
		finding_text(finding, "action", guest->action);
		return false;
	}
	if (talk_missing(scene->facts, FACT_GUEST, finding))
		return false;
	if (guest->windows)
		guest_windows(scene, finding);
	return !guest->windows;
}

static const char *
line_with(const char *const *lines, size_t count, const char *words)
{
	for (size_t i = 0; i < count; i++)
		if (strcasestr(lines[i], words) != NULL)
			return lines[i];
	return NULL;
}

const char *
guest_log_before(const struct scene *scene, const char *words)
{
	return line_with(scene->guest->before, scene->guest->before_count, words);
}

const char *
guest_log(const struct scene *scene, const char *words)
{
	const char *line = line_with(scene->guest->log, scene->guest->log_count, words);

	return line != NULL || scene->auth->state == FACT_KNOWN ? line
								: guest_log_before(scene, words);
}

void
guest_seen(struct finding *finding, const char *log, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (log != NULL) {
		text = doc_fmt("sshd's log says: %s.", log);
		finding_text(finding, "log", log);
	} else {
		va_start(ap, fmt);
		text = doc_vfmt(fmt, ap);
		va_end(ap);
	}
	finding_text(finding, "seen", text);
	free(text);
}

/* Lines that give no reason, or one that a check knows. */
static const char *const understood[] = {
	"Accepted ", "Failed none", "Failed publickey", "Failed password", "Connection closed",
	"Connection reset", "Connection from", "Disconnected", "Received disconnect",
	"session opened", "session closed", "Server listening", "User child is on",
	"subsystem request", "Invalid user", "input_userauth_request", "Received signal",
	"no such user", "check pass; user unknown", "kex_exchange_identification",
	"banner exchange", "Did not receive identification", "Close session",
	"Transferred:", "Closing connection",
	/* guest-account, guest-keys */
	"bad ownership or modes for", "because shell ", "account is locked", "has expired",
	"entry expired", "Refused by key options", "PAM account configuration", "pam_access",
	"pam_faillock", "Could not open user", "Could not open authorized keys",
	"not from a permitted host", "bad key options",
	/* guest-sshd, guest-firewall */
	"listed in ", "not in PubkeyAccepted", "penalty", "MaxStartups", "refused connect"
};

const char *
guest_log_unknown(const struct scene *scene)
{
	const struct fact_guest *guest = scene->guest;

	for (size_t i = 0; i < guest->log_count; i++) {
		bool known = false;

		for (size_t j = 0; j < sizeof(understood) / sizeof(*understood); j++)
			known |= strcasestr(guest->log[i], understood[j]) != NULL;
		if (!known)
			return guest->log[i];
	}
	return NULL;
}

bool
guest_sshd_runs(const struct fact_guest *guest)
{
	const struct fact_guest_listen *there = guest_listens(guest, NULL, guest->port);

	return guest_listens(guest, "sshd", 0) != NULL ||
	       guest_listens(guest, "systemd", guest->port) != NULL ||
	       (guest->daemon != NULL && there != NULL && there->by == NULL);
}

bool
guest_sshd_stopped(const struct scene *scene)
{
	const struct fact_guest *guest = scene->guest;

	return guest->state == FACT_KNOWN && !guest->windows && guest->sshd != NULL &&
	       guest->tested == FACT_YES && !guest_sshd_runs(guest) &&
	       guest_listens(guest, NULL, guest->port) == NULL;
}

const char *
guest_log_path(const struct scene *scene, char *ret, size_t size)
{
	static const char *const before[] = { "bad ownership or modes for file ",
					      "bad ownership or modes for directory " };

	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
		const char *log = guest_log(scene, before[i]), *path;
		size_t len;

		if (log == NULL || strstr(log, "chroot") != NULL)
			continue;
		path = strstr(log, before[i]) + strlen(before[i]);
		len = strcspn(path, " ");
		if (len >= size)
			continue;
		memcpy(ret, path, len);
		ret[len] = '\0';
		return log;
	}
	return NULL;
}

/* ---- keys ---- */

static const struct fact_guest_file *
file_of(const struct fact_guest *guest, json_int_t number)
{
	for (size_t i = 0; i < guest->files_count; i++)
		if (guest->files[i].number == number)
			return &guest->files[i];
	return NULL;
}

static const char *
type_of(const struct scene *scene, const char *fingerprint)
{
	for (size_t i = 0; i < scene->identities->order_count; i++)
		if (doc_same(scene->identities->order[i].fingerprint, fingerprint))
			return scene->identities->order[i].type;
	return NULL;
}

static enum guest_key_place
judge_found(const struct scene *scene, const struct fact_guest_key *found, struct guest_key *ret)
{
	const struct fact_guest *guest = scene->guest;

	*ret = (struct guest_key){ .place = GUEST_KEY_SPOILED,
				   .found = found,
				   .file = file_of(guest, found->file) };
	if (found->key > 0 && (size_t)found->key <= guest->keys_count)
		ret->fingerprint = guest->keys[found->key - 1];
	if (!doc_same(found->how, "line") || (ret->file != NULL && ret->file->encoding != NULL))
		return GUEST_KEY_SPOILED;
	guest_options_judge(found->before, type_of(scene, ret->fingerprint), guest->source, 0,
			    &ret->options);
	/* the date is a fact of its own: redaction may take it out of the text */
	if (ret->options.what == GUEST_OPTION_FINE && found->expires > 0 && guest->clock > 0 &&
	    found->expires < guest->clock)
		ret->options.what = GUEST_OPTION_EXPIRED;
	return ret->options.what == GUEST_OPTION_FINE ? GUEST_KEY_LISTED : GUEST_KEY_SPOILED;
}

void
guest_key_find(const struct scene *scene, struct guest_key *ret)
{
	const struct fact_guest *guest = scene->guest;
	struct guest_key one;

	*ret = (struct guest_key){ .place = GUEST_KEY_NOT_TOLD };
	if (guest->state != FACT_KNOWN || guest->windows || guest->keys_count == 0 ||
	    guest->account.exists != FACT_YES)
		return;
	ret->place = GUEST_KEY_ABSENT;
	ret->fingerprint = guest->keys[0];
	if (doc_same(guest->command_gives, "yes"))
		ret->place = GUEST_KEY_LISTED;
	for (size_t i = 0; i < guest->found_count && ret->place != GUEST_KEY_LISTED; i++) {
		one.place = judge_found(scene, &guest->found[i], &one);
		if (one.place == GUEST_KEY_LISTED || ret->found == NULL)
			*ret = one;
	}
}

static bool
strict(const struct scene *scene)
{
	return !doc_same(guest_setting(scene->guest, "strictmodes"), "no");
}

static bool
is_within(const char *path, const char *folder)
{
	size_t len = folder != NULL ? strlen(folder) : 0;

	return path != NULL && len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/';
}

bool
guest_in_home(const struct scene *scene, const char *path)
{
	return is_within(path, scene->guest->account.home);
}

const struct fact_guest_path *
guest_unsafe(const struct scene *scene, bool above)
{
	const struct fact_guest *guest = scene->guest;

	for (size_t i = 0; i < guest->paths_count && strict(scene); i++) {
		const struct fact_guest_path *one = &guest->paths[i];

		if (doc_same(one->what, "path") && guest_in_home(scene, one->path) == !above &&
		    guest_mode_unsafe(one->mode, one->owner, guest->account.uid))
			return one;
	}
	return NULL;
}

const struct fact_guest_file *
guest_unsafe_file(const struct scene *scene)
{
	const struct fact_guest *guest = scene->guest;

	for (size_t i = 0; i < guest->files_count && strict(scene); i++)
		if (guest_mode_unsafe(guest->files[i].mode, guest->files[i].owner,
				      guest->account.uid))
			return &guest->files[i];
	return NULL;
}

const struct fact_guest_file *
guest_main_file(const struct scene *scene)
{
	const struct fact_guest *guest = scene->guest;

	for (size_t i = 0; i < guest->files_count; i++)
		if (guest->files[i].mode != NULL)
			return &guest->files[i];
	return guest->files_count > 0 ? guest->files : NULL;
}
