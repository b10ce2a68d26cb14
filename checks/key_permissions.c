#include "checks/checks.h"
#include "checks/keys.h"

#include <stdlib.h>
#include <string.h>

/* Where a copy would go: the user's own ~/.ssh, under the same name. */
static void
evidence(const struct scene *scene, const struct fact_key *key, struct finding *finding)
{
	const char *name = strrchr(key->path, '/'), *home = scene->machine.user.home;
	char *copy;

	finding_text(finding, "path", key->path);
	finding_text(finding, "mode", key->mode);
	finding_text(finding, "owner", key->owner);
	finding_text(finding, "errno", key->errno_);
	if (!key_on_drive(key) && key->parent_searchable)
		return;
	finding_text(finding, "mount", key->mount.mount);
	copy =
	    doc_fmt("%s/.ssh/%s", home != NULL ? home : "~", name != NULL ? name + 1 : key->path);
	finding_text(finding, "copy", copy);
	free(copy);
}

static int
not_readable(const struct fact_key *key, struct finding *finding)
{
	if (key->errno_ == NULL || strcmp(key->errno_, "EACCES") != 0)
		return finding_set(finding, UNKNOWN, CODE_KEY_READ_ERROR, "%s cannot be read: %s",
				   key->path, key->errno_ != NULL ? key->errno_ : "error");
	finding_text(finding, key->owned ? "own_mode" : "other_owner", "yes");
	if (!key->owned)
		return finding_set(finding, FAIL, CODE_KEY_UNREADABLE_OWNER,
				   "%s belongs to %s with mode %04o, and you cannot read it",
				   key->path, key->owner != NULL ? key->owner : "another user",
				   key_mode(key));
	return finding_set(finding, FAIL, CODE_KEY_UNREADABLE_OWNER,
			   "%s has mode %04o: not even you, its owner, may read it", key->path,
			   key_mode(key));
}

static int
out_of_reach(const struct fact_key *key, struct finding *finding)
{
	const char *folder = key->parent;

	finding_text(finding, "folder", folder);
	finding_text(finding, key->parent_owned ? "own_folder" : "other_folder", "yes");
	return finding_set(finding, FAIL, CODE_KEY_UNREADABLE_OWNER,
			   "%s may not be entered, so ssh cannot reach %s", folder, key->path);
}

static int
too_open(const struct fact_key *key, struct finding *finding)
{
	if (key_on_drive(key))
		return finding_set(
		    finding, FAIL, CODE_KEY_PERMS_WSL_DRVFS,
		    "%s has mode %04o and lies on a Windows drive where chmod changes nothing",
		    key->path, key_mode(key));
	if (key->acl)
		return finding_set(
		    finding, FAIL, CODE_KEY_PERMS_ACL,
		    "%s has mode %04o because an access control list lets others read it",
		    key->path, key_mode(key));
	return finding_set(finding, FAIL, CODE_KEY_PERMS_TOO_OPEN,
			   "%s has mode %04o, so ssh refuses it", key->path, key_mode(key));
}

static int
judge(const struct scene *scene, const struct fact_key *key, struct finding *finding)
{
	evidence(scene, key, finding);
	if (!key->parent_searchable && !key->present)
		return out_of_reach(key, finding);
	if (!key->present && key->what == NULL && !key_is_gone(key))
		return finding_set(finding, UNKNOWN, CODE_KEY_READ_ERROR,
				   "%s cannot be looked at: %s", key->path, key->errno_);
	if (!key->present)
		return finding_set(finding, SKIP, CODE_NO_KEY, "%s is not there", key->path);
	if (key->what != NULL)
		return finding_set(finding, SKIP, CODE_NO_KEY, "%s is not a file with a key",
				   key->path);
	if (key_in_agent(scene, key))
		return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK,
				   "the agent holds the key of %s, so the file is not read",
				   key->path);
	if (!key->readable)
		return not_readable(key, finding);
	if (key->kind != KEY_KIND_UNRECORDED && key->kind != KEY_PRIVATE)
		return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK,
				   "%s holds no private key, so its mode does not matter",
				   key->path);
	if (key_is_open(key))
		return too_open(key, finding);
	if (!key->owned)
		return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK,
				   "%s belongs to %s and you can read it: ssh checks only the "
				   "modes of your own files",
				   key->path, key->owner != NULL ? key->owner : "another user");
	return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK, "%s has mode %04o", key->path,
			   key_mode(key));
}

int
check_key_permissions(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_key *key = key_that_matters(scene);

	(void)rule;
	if (key != NULL)
		return judge(scene, key, finding);
	/* the copy that such a key needs is what ssh can then be given */
	key = key_stray(scene, NULL, false);
	if (key == NULL || !key_on_drive(key) || !key_is_open(key))
		return finding_set(finding, SKIP, CODE_NO_KEY, "there is no key file to look at");
	finding_text(finding, "unnamed", "yes");
	return judge(scene, key, finding);
}
