#include "checks/checks.h"
#include "model/key.h"

#include <stdlib.h>
#include <string.h>

/* Where a copy would go: the user's own ~/.ssh, under the same name. */
static void
evidence(const struct facts *facts, const struct key *key, struct finding *finding)
{
	const char *name = strrchr(key->path, '/'),
		   *home = doc_str(facts->doc, "machine.user.home");
	char *copy;

	finding_text(finding, "path", key->path);
	finding_text(finding, "mode", doc_str(key->facts, "mode"));
	finding_text(finding, "owner", key->owner);
	finding_text(finding, "errno", key->error);
	if (!key->drive && key->searchable)
		return;
	finding_text(finding, "mount", doc_str(key->facts, "mount.mount"));
	copy =
	    doc_fmt("%s/.ssh/%s", home != NULL ? home : "~", name != NULL ? name + 1 : key->path);
	finding_text(finding, "copy", copy);
	free(copy);
}

static int
not_readable(const struct key *key, struct finding *finding)
{
	if (key->error == NULL || strcmp(key->error, "EACCES") != 0)
		return finding_set(finding, UNKNOWN, CODE_KEY_READ_ERROR, "%s cannot be read: %s",
				   key->path, key->error != NULL ? key->error : "error");
	finding_text(finding, key->owned ? "own_mode" : "other_owner", "yes");
	if (!key->owned)
		return finding_set(finding, FAIL, CODE_KEY_UNREADABLE_OWNER,
				   "%s belongs to %s with mode %04o, and you cannot read it",
				   key->path, key->owner != NULL ? key->owner : "somebody else",
				   key->mode);
	return finding_set(finding, FAIL, CODE_KEY_UNREADABLE_OWNER,
			   "%s has mode %04o: not even you, its owner, may read it", key->path,
			   key->mode);
}

static int
out_of_reach(const struct key *key, struct finding *finding)
{
	const char *folder = doc_str(key->facts, "parent");

	finding_text(finding, "folder", folder);
	finding_text(finding,
		     doc_bool(key->facts, "parent_owned", false) ? "own_folder" : "other_folder",
		     "yes");
	return finding_set(finding, FAIL, CODE_KEY_UNREADABLE_OWNER,
			   "%s may not be entered, so ssh cannot reach %s", folder, key->path);
}

static int
too_open(const struct key *key, struct finding *finding)
{
	if (key->drive)
		return finding_set(
		    finding, FAIL, CODE_KEY_PERMS_WSL_DRVFS,
		    "%s has mode %04o and lies on a Windows drive where chmod changes nothing",
		    key->path, key->mode);
	if (key->acl)
		return finding_set(
		    finding, FAIL, CODE_KEY_PERMS_ACL,
		    "%s has mode %04o because an access control list lets others read it",
		    key->path, key->mode);
	return finding_set(finding, FAIL, CODE_KEY_PERMS_TOO_OPEN,
			   "%s has mode %04o, so ssh refuses it", key->path, key->mode);
}

static int
judge(const struct facts *facts, const struct key *key, struct finding *finding)
{
	evidence(facts, key, finding);
	if (!key->searchable && !key->present)
		return out_of_reach(key, finding);
	if (!key->present && key->what == NULL && !key_is_gone(key))
		return finding_set(finding, UNKNOWN, CODE_KEY_READ_ERROR,
				   "%s cannot be looked at: %s", key->path, key->error);
	if (!key->present)
		return finding_set(finding, SKIP, CODE_NO_KEY, "%s is not there", key->path);
	if (key->what != NULL)
		return finding_set(finding, SKIP, CODE_NO_KEY, "%s is no file with a key",
				   key->path);
	if (key_in_agent(facts, key))
		return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK,
				   "the agent holds the key of %s, so the file is not read",
				   key->path);
	if (!key->readable)
		return not_readable(key, finding);
	if (key->kind != NULL && strcmp(key->kind, "private") != 0)
		return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK,
				   "%s holds no private key, so its mode does not matter",
				   key->path);
	if (key_is_open(key))
		return too_open(key, finding);
	if (!key->owned)
		return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK,
				   "%s belongs to %s and you can read it: ssh checks only the "
				   "modes of your own files",
				   key->path, key->owner != NULL ? key->owner : "somebody else");
	return finding_set(finding, PASS, CODE_KEY_PERMISSIONS_OK, "%s has mode %04o", key->path,
			   key->mode);
}

int
check_key_permissions(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	struct key key;

	(void)rule;
	if (key_that_matters(facts, &key) < 0)
		return finding_set(finding, SKIP, CODE_NO_KEY, "there is no key file to look at");
	return judge(facts, &key, finding);
}
