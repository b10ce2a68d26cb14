/* Who sshd lets in: its lists of users and groups, and the types of keys that it takes. */
#include "checks/guest.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool
in_groups(const struct fact_guest *guest, const char *pattern)
{
	for (size_t i = 0; i < guest->account.groups_count; i++)
		if (fnmatch(pattern, guest->account.groups[i], 0) == 0)
			return true;
	return false;
}

/* USER or USER@HOST, with wildcards. */
static enum fact_maybe
is_user(const struct fact_guest *guest, const char *pattern)
{
	const char *at = strrchr(pattern, '@');
	char *name = strndup(pattern, at != NULL ? (size_t)(at - pattern) : strlen(pattern));
	bool same = guest->user != NULL && fnmatch(name, guest->user, 0) == 0;

	free(name);
	if (!same)
		return FACT_NO;
	return at != NULL ? guest_address_listed(at + 1, guest->source) : FACT_YES;
}

/* Does one of the values of the setting name the user? NO also when it has none; *set tells. */
static enum fact_maybe
is_listed(const struct fact_guest *guest, const char *setting, bool groups, bool *set)
{
	enum fact_maybe found = FACT_NO;

	*set = false;
	for (size_t i = 0; i < guest->settings_count; i++) {
		const struct fact_guest_setting *one = &guest->settings[i];
		enum fact_maybe here;

		if (!doc_same(one->name, setting) || one->value == NULL)
			continue;
		*set = true;
		if (groups)
			here = in_groups(guest, one->value) ? FACT_YES : FACT_NO;
		else
			here = is_user(guest, one->value);
		found = here == FACT_YES || found == FACT_YES ? FACT_YES : here;
	}
	return found;
}

static const char *
shut_out_by(const struct fact_guest *guest)
{
	static const struct {
		const char *setting, *shown;
		bool groups, allows;
	} lists[] = { { "denyusers", "DenyUsers", false, false },
		      { "allowusers", "AllowUsers", false, true },
		      { "denygroups", "DenyGroups", true, false },
		      { "allowgroups", "AllowGroups", true, true } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		bool set;
		enum fact_maybe found = is_listed(guest, lists[i].setting, lists[i].groups, &set);

		if (lists[i].groups && guest->account.groups_count == 0)
			continue;
		if (set && found == (lists[i].allows ? FACT_NO : FACT_YES))
			return lists[i].shown;
	}
	return NULL;
}

static bool
judge_lists(const struct scene *scene, struct finding *finding)
{
	static const char *const names[] = { "AllowUsers", "DenyUsers", "AllowGroups",
					     "DenyGroups" };
	const char *log = guest_log(scene, "listed in "), *option = NULL;

	for (size_t i = 0; log != NULL && i < sizeof(names) / sizeof(*names); i++)
		if (strstr(log, names[i]) != NULL)
			option = names[i];
	if (option == NULL)
		option = shut_out_by(scene->guest);
	if (option == NULL || scene->guest->account.exists != FACT_YES)
		return false;
	finding_text(finding, "option", option);
	guest_seen(finding, log, "sshd -T -C user=%s shows %s.", scene->guest->user, option);
	finding_set(finding, FAIL, CODE_SSHD_ALLOWUSERS, "%s shuts %s out", option,
		    scene->guest->user);
	return true;
}

/* sshd takes no keys of the type of any key here. */
static bool
judge_types(const struct scene *scene, struct finding *finding)
{
	const struct fact_guest *guest = scene->guest;

	if (guest->refuses_count == 0 || guest->refuses_count < guest->keys_count)
		return false;
	finding_text(finding, "key_type", guest->refuses[0]);
	guest_seen(finding, guest_log(scene, "not in PubkeyAccepted"),
		   "PubkeyAcceptedAlgorithms does not name %s.", guest->refuses[0]);
	finding_set(finding, FAIL, CODE_SERVER_REJECTS_KEY_TYPE,
		    "sshd takes no keys of the type %s", guest->refuses[0]);
	return true;
}

bool
guest_shut_out(const struct scene *scene, struct finding *finding)
{
	return judge_lists(scene, finding) || judge_types(scene, finding);
}
