#include "cli/rule_files.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FILE ".azssh-doctor.yaml"

/* A file that was found, not named: whoever can write to it could change what is said here. */
static int
check_owner(const char *path, const struct stat *st, struct err *err)
{
	if ((st->st_uid == geteuid() || st->st_uid == 0) && (st->st_mode & 022) == 0)
		return 0;
	err_set(err,
		"'%s' belongs to another user or is writable by others; accepted: a file that only "
		"you or root can write to (--no-config ignores it)",
		path);
	return -EINVAL;
}

static int
layer_found(struct rules *rules, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	return check_owner(path, &st, err) < 0 ? -EINVAL : rules_layer(rules, path, err);
}

static int
layer_users(struct rules *rules, struct err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int r = 0;

	if (config != NULL && *config == '/')
		path = doc_fmt("%s/azssh-doctor/rules.yaml", config);
	else if (home != NULL && *home == '/')
		path = doc_fmt("%s/.config/azssh-doctor/rules.yaml", home);
	if (path != NULL)
		r = layer_found(rules, path, err);
	free(path);
	return r;
}

/* The file may come with a repository that somebody else wrote, so it starts no program. */
static int
layer_folders(struct rules *rules, struct err *err)
{
	const json_t *before = rules_custom(rules), *custom, *rule;
	int r = layer_found(rules, FOLDER_FILE, err);
	size_t i;

	custom = rules_custom(rules);
	if (r < 0 || custom == before)
		return r;
	json_array_foreach (custom, i, rule)
		if (doc_is(rule, "type", "command")) {
			err_set(
			    err,
			    "%s: \"%s\" is a rule of type command; accepted: such rules only in "
			    "files that --rules or AZSSH_RULES names",
			    FOLDER_FILE, doc_str(rule, "id"));
			return -EINVAL;
		}
	return 0;
}

int
rule_files_layer(const struct options *options, struct rules *rules, struct err *err)
{
	const char *named = getenv("AZSSH_RULES");
	int r = 0;

	if (!options->no_config) {
		if ((r = layer_users(rules, err)) == 0)
			r = layer_folders(rules, err);
		if (r == 0 && named != NULL && *named != '\0')
			r = rules_layer(rules, named, err);
	}
	for (size_t i = 0; i < options->rules.count && r == 0; i++)
		r = rules_layer(rules, options->rules.at[i], err);
	return r;
}
