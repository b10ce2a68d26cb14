#include "checks/ssh_blocks.h"
#include "checks/keys.h"
#include "checks/ssh_word.h"

#include <stdlib.h>
#include <string.h>

/* The first place on the way where ssh fails. */
enum place { AT_NONE = 0, AT_DNS = 1, AT_TCP = 2, AT_HOST_KEY = 4, AT_AUTH = 8 };

enum { FROM_TCP = AT_TCP | AT_HOST_KEY | AT_AUTH, ANYWHERE = AT_DNS | FROM_TCP };

static enum place
failing_at(const struct scene *scene)
{
	const struct fact_banner *banner = scene->banner;
	enum kex_result kex = scene->kex->result;

	if (scene->accepted)
		return AT_NONE;
	if (scene->dns->state == FACT_ABSENT || scene->dns->state == FACT_UNKNOWN)
		return AT_DNS;
	if ((scene->tcp->state == FACT_KNOWN && scene->tcp->result != TCP_CONNECTED) ||
	    (banner->state == FACT_KNOWN && banner->result != BANNER_IS_SSH) ||
	    (kex != KEX_UNRECORDED && kex != KEX_DONE && kex != KEX_AGREED))
		return AT_TCP;
	if (ssh_stopped_at(scene, REHEARSAL_HOST_KEY) != NULL)
		return AT_HOST_KEY;
	return scene->auth->state == FACT_KNOWN ? AT_AUTH : AT_NONE;
}

/* The path as ssh has it, but for tokens; the caller frees. */
static char *
absolute(const struct scene *scene, const char *path)
{
	const char *home = scene->machine.user.home;

	return strncmp(path, "~/", 2) == 0 && home != NULL ? doc_fmt("%s%s", home, path + 1)
							   : strdup(path);
}

/* ssh would offer a key that it does not offer now. */
static bool
new_key(const struct scene *scene, const char *value)
{
	char *path = absolute(scene, value);
	const struct fact_identity *entry = key_entry(scene, path);
	const struct fact_key *key = key_at(scene, path);
	bool ret = scene->identities->explicit == NULL && (entry == NULL || !entry->present) &&
		   (key == NULL || key->present) &&
		   (key == NULL || key_server_says(scene, key->fingerprint) != AUTH_DENIED);

	free(path);
	return ret;
}

/* Where a setting makes a difference, if it is not in force anyway. */
static int
bears_on(const struct scene *scene, const struct fact_config_line *line)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	const struct fact_ssh_options *options = &config->options;
	const struct {
		const char *keyword, *now;
		int where;
		bool given; /* on the command line, which goes first */
	} rows[] = {
		{ "hostname", config->hostname, ANYWHERE, false },
		{ "proxyjump", config->proxyjump, ANYWHERE, false },
		{ "proxycommand", config->proxycommand, ANYWHERE, false },
		{ "user", config->user, AT_AUTH, config->user_from == USER_OPTION },
		{ "bindaddress", options->bindaddress, AT_TCP, false },
		{ "bindinterface", options->bindinterface, AT_TCP, false },
		{ "hostkeyalias", options->hostkeyalias, AT_HOST_KEY, false },
		{ "userknownhostsfile", NULL, AT_HOST_KEY, false },
		{ "stricthostkeychecking", options->stricthostkeychecking, AT_HOST_KEY, false },
		{ "identityagent", options->identityagent, AT_AUTH, false },
		{ "identitiesonly", options->identitiesonly, AT_AUTH, false },
		{ "certificatefile", NULL, AT_AUTH, false },
	};

	if (doc_same(line->keyword, "identityfile"))
		return new_key(scene, line->value) ? AT_AUTH : AT_NONE;
	if (doc_same(line->keyword, "port"))
		return scene->asked.port == 0 && strtol(line->value, NULL, 10) != (long)config->port
			   ? FROM_TCP
			   : AT_NONE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (doc_same(line->keyword, rows[i].keyword))
			return rows[i].given || doc_same(line->value, rows[i].now) ? AT_NONE
										   : rows[i].where;
	return AT_NONE;
}

/* The first setting that bears on the place, NULL when none does. */
static const struct fact_config_line *
matters(const struct scene *scene, const struct fact_config_unused *unused, enum place place)
{
	/* a block for another user of any host: only where ssh has no key at all */
	if (unused->any_host && key_any_offered(scene))
		return NULL;
	for (size_t i = 0; i < unused->settings_count; i++)
		if (unused->settings[i].value != NULL &&
		    (bears_on(scene, &unused->settings[i]) & (int)place) != 0)
			return &unused->settings[i];
	return NULL;
}

static const char *
setting(const struct fact_config_unused *unused, const char *keyword)
{
	for (size_t i = 0; i < unused->settings_count; i++)
		if (doc_same(unused->settings[i].keyword, keyword))
			return unused->settings[i].value;
	return NULL;
}

/* ---- what is said ---- */

/* What ssh would connect with, if the block counted. */
static void
add_use(const struct scene *scene, const struct fact_config_unused *unused, struct finding *finding)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	const char *identity = setting(unused, "identityfile"), *user = setting(unused, "user"),
		   *host = setting(unused, "hostname"), *port = setting(unused, "port"),
		   *jump = setting(unused, "proxyjump");
	char *path = identity != NULL ? absolute(scene, identity) : NULL;

	finding_text(finding, "block_identity", path);
	finding_text(finding, "use_user",
		     user != NULL && config->user_from != USER_OPTION ? user : config->user);
	finding_text(finding, "use_host", host != NULL ? host : config->hostname);
	if (port != NULL && scene->asked.port == 0)
		finding_text(finding, "use_port", port);
	else
		finding_number(finding, "use_port", config->port != 0 ? config->port : 22);
	finding_text(finding, "use_jump", jump);
	free(path);
}

static void
add_settings(const struct fact_config_unused *unused, struct finding *finding)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < unused->settings_count; i++) {
		text = doc_fmt("%s %s", unused->settings[i].keyword, unused->settings[i].value);
		doc_append_str(list, text);
		free(text);
	}
	finding_value(finding, "settings", list);
}

static void
add_evidence(const struct scene *scene, const struct fact_config_unused *unused,
	     struct finding *finding)
{
	const struct fact_ssh_config *config = scene->ssh_config;

	finding_text(finding, "name", config->name);
	finding_text(finding, "reason", FACT_WORD(config_miss, unused->why));
	finding_text(finding, "block", unused->block);
	finding_text(finding, "other_name", unused->name);
	finding_text(finding, "around", unused->around);
	finding_text(finding, "include", unused->include);
	finding_text(finding, "criterion", unused->criterion);
	finding_text(finding, "file", unused->file);
	finding_text(finding, "around_file", unused->around_file);
	finding_text(finding, "include_file", unused->include_file);
	finding_number(finding, "line", unused->line);
	if (unused->around_line > 0)
		finding_number(finding, "around_line", unused->around_line);
	if (unused->include_line > 0)
		finding_number(finding, "include_line", unused->include_line);
	add_settings(unused, finding);
	add_use(scene, unused, finding);
}

static int
say(const struct fact_config_unused *unused, const char *name, const struct fact_config_line *line,
    struct finding *finding)
{
	const char *block = unused->block, *file = unused->file;
	int at = (int)unused->line;

	switch (unused->why) {
	case MISS_INCLUDE:
		return finding_set(
		    finding, FAIL, CODE_CFG_INCLUDE_IN_BLOCK,
		    "\"%s\" (%s, line %d) does not apply to %s: \"%s\" is inside the block \"%s\"",
		    block, file, at, name, unused->include, unused->around);
	case MISS_LINE:
		return finding_set(
		    finding, FAIL, CODE_CFG_LINE_IN_BLOCK,
		    "\"%s %s\" (%s, line %d) is inside the block \"%s\" and does not apply to %s",
		    line->keyword, line->value, line->file, (int)line->line, unused->around, name);
	case MISS_LATE:
		return finding_set(finding, FAIL, CODE_CFG_VALUE_TOO_LATE,
				   "\"%s %s\" of \"%s\" (%s, line %d) comes too late: ssh keeps "
				   "the first value, \"%s\" of line %d",
				   line->keyword, line->value, block, file, at, unused->around,
				   (int)unused->around_line);
	case MISS_MATCH:
		return finding_set(finding, FAIL, CODE_CFG_BLOCK_NOT_USED,
				   "\"%s\" (%s, line %d) does not count: \"%s\" is not met", block,
				   file, at, unused->criterion);
	default:
		return finding_set(finding, FAIL, CODE_CFG_BLOCK_NOT_USED,
				   "\"%s\" (%s, line %d) is for this host and does not count for "
				   "the name %s",
				   block, file, at, name);
	}
}

/* The name does not exist and the block gives its address, or the VM has the very key that the
 * block names: nothing else looks like it. */
static bool
is_proven(const struct scene *scene, const struct fact_config_unused *unused, enum place place)
{
	const char *identity = setting(unused, "identityfile");
	const struct fact_key *key;
	char *path;
	bool ret;

	if (place == AT_DNS)
		return scene->dns->state == FACT_ABSENT &&
		       (unused->why == MISS_INCLUDE || unused->why == MISS_PATTERN);
	if (place != AT_AUTH || identity == NULL)
		return false;
	path = absolute(scene, identity);
	key = key_at(scene, path);
	ret = key != NULL && key_on_vm(scene, key->fingerprint) == FACT_YES;
	free(path);
	return ret;
}

void
ssh_blocks(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	enum place place = failing_at(scene);
	struct finding *finding;

	for (size_t i = 0; i < config->unused_count && place != AT_NONE; i++) {
		const struct fact_config_unused *unused = &config->unused[i];
		const struct fact_config_line *line = matters(scene, unused, place);

		if (line == NULL)
			continue;
		finding = finding_next(main);
		add_evidence(scene, unused, finding);
		say(unused, config->name, line, finding);
		if (!is_proven(scene, unused, place))
			finding->confidence = LIKELY;
		return;
	}
}
