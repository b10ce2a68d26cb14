/* From what `ssh -G` printed to the section of the facts. */
#include "facts/file.h"
#include "ssh/machine/config.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
path_exists(const char *path)
{
	struct stat st;

	return file_stat(path, &st) == 0;
}

static const char *
local_user(const struct facts *facts)
{
	const char *name = doc_str(facts->doc, "machine.user.name");
	const struct passwd *pw = name == NULL ? getpwuid(getuid()) : NULL;

	return pw != NULL ? pw->pw_name : name;
}

/* ---- from the options to the section ---- */

/* ssh -G prints some of its truth values otherwise than they were written. */
static bool
same_setting(const char *written, const char *printed)
{
	return doc_same(written, printed) ||
	       (doc_same(written, "yes") && doc_same(printed, "true")) ||
	       ((doc_same(written, "no") || doc_same(written, "off")) &&
		doc_same(printed, "false"));
}

/* The line of the configuration files that gave a keyword its value; %h of a HostName stands for
 * the name. */
static const json_t *
line_of(const json_t *scan, const char *keyword, const char *value, const char *name)
{
	const json_t *line;
	size_t i;

	json_array_foreach (doc_list(scan, "lines"), i, line) {
		const char *text = doc_str(line, "value"),
			   *token = text != NULL ? strstr(text, "%h") : NULL;
		char *expanded;
		bool same;

		if (text == NULL || !doc_is(line, "keyword", keyword))
			continue;
		expanded = token == NULL
			       ? strdup(text)
			       : doc_fmt("%.*s%s%s", (int)(token - text), text, name, token + 2);
		same = same_setting(expanded, value);
		free(expanded);
		if (same)
			return line;
	}
	return NULL;
}

static void
set_places(const struct ssh_config_outcome *config, json_t *section, json_t *options)
{
	static const char *const keywords[] = { "hostname",
						"user",
						"port",
						"proxyjump",
						"proxycommand",
						"controlpath",
						"stricthostkeychecking",
						"batchmode",
						"identitiesonly",
						"bindaddress",
						"bindinterface",
						"remotecommand" };
	json_t *places = json_object();

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		const char *value = doc_str(options, keywords[i]);
		const json_t *line =
		    value != NULL ? line_of(config->scan, keywords[i], value, config->request->name)
				  : NULL;
		json_t *place = line != NULL ? json_object() : NULL;

		if (line == NULL)
			continue;
		doc_set_str(place, "file", doc_str(line, "file"));
		doc_set_int(place, "line", doc_int(line, "line", 0));
		json_object_set_new(places, keywords[i], place);
	}
	json_object_set_new(section, "places", places);
}

static void
set_user(const struct facts *facts, const struct ssh_config_outcome *config, json_t *section)
{
	const char *user = doc_str(config->options, "user"), *local = local_user(facts);

	doc_set_str(section, "user", user);
	doc_set_str(section, "local_user", local);
	if (config->request->user != NULL)
		doc_set_str(section, "user_from", "option");
	else if (user != NULL)
		doc_set_str(section, "user_from",
			    local != NULL && strcmp(user, local) == 0 ? "local" : "ssh-config");
}

const char *
ssh_config_value(const json_t *options, const char *keyword)
{
	const char *value = doc_str(options, keyword);

	return value != NULL && *value != '\0' && strcmp(value, "none") != 0 ? value : NULL;
}

/* ssh reorders its host key algorithms by what is on file unless the user has set them himself (+
 * and - still leave the order to ssh). */
static bool
algorithms_are_fixed(const struct ssh_config_outcome *config, json_t *options)
{
	const char *algorithms = doc_str(options, "hostkeyalgorithms");
	const json_t *line;
	size_t i;

	json_array_foreach (doc_list(config->scan, "lines"), i, line) {
		const char *value = doc_str(line, "value");
		bool first = value != NULL && value[0] == '^';

		if (algorithms != NULL && value != NULL &&
		    doc_is(line, "keyword", "hostkeyalgorithms") &&
		    strncmp(algorithms, value + first, strlen(value + first)) == 0)
			return true;
	}
	return false;
}

void
ssh_config_settle_known(struct facts *facts, enum fact_section where,
			const struct ssh_config_outcome *config)
{
	json_t *section = facts_known(facts, where), *options = config->options;
	const char *name = config->request->name, *hostname = doc_str(options, "hostname");
	const json_t *exec = doc_get(config->scan, "match_exec");

	doc_set_str(section, "name", name);
	doc_set_str(section, "hostname", hostname);
	doc_set_int(section, "port", doc_int(options, "port", 22));
	set_user(facts, config, section);
	doc_set_bool(section, "changes",
		     config->neutral != NULL
			 ? ssh_config_differs(options, name, config->neutral, config->neutral_name)
			 : !doc_same(hostname, name));
	doc_set_str(section, "proxyjump", ssh_config_value(options, "proxyjump"));
	doc_set_str(section, "proxycommand", ssh_config_value(options, "proxycommand"));
	doc_set_str(section, "controlpath", ssh_config_value(options, "controlpath"));
	doc_set_str(section, "host_key_alias", ssh_config_value(options, "hostkeyalias"));
	json_object_set_new(section, "user_known_hosts",
			    ssh_config_paths(doc_str(options, "userknownhostsfile"), path_exists));
	json_object_set_new(
	    section, "global_known_hosts",
	    ssh_config_paths(doc_str(options, "globalknownhostsfile"), path_exists));
	if (config->control != NULL)
		json_object_set(section, "controlmaster", config->control);
	if (config->jump != NULL)
		json_object_set(section, "jump", config->jump);
	doc_set_bool(section, "match_exec", exec != NULL);
	doc_set_str(section, "match_exec_command", doc_str(exec, "command"));
	doc_set_str(section, "match_exec_file", doc_str(exec, "file"));
	if (exec != NULL)
		doc_set_int(section, "match_exec_line", doc_int(exec, "line", 0));
	doc_set_bool(section, "host_key_algorithms_fixed", algorithms_are_fixed(config, options));
	ssh_config_surroundings(options, section);
	set_places(config, section, options);
	json_object_set(section, "options", options);
}

/* Mode and owner of a configuration file that ssh does not trust. */
static void
set_owner(json_t *complaint)
{
	const char *path = doc_str(complaint, "file");
	const struct passwd *pw;
	struct stat st;

	if (path == NULL || !doc_is(complaint, "problem", "permissions") ||
	    file_stat(path, &st) < 0)
		return;
	doc_set_fmt(complaint, "mode", "%04o", (unsigned)(st.st_mode & 07777));
	doc_set_int(complaint, "uid", st.st_uid);
	if ((pw = getpwuid(st.st_uid)) != NULL)
		doc_set_str(complaint, "owner", pw->pw_name);
	else
		doc_set_fmt(complaint, "owner", "uid %u", (unsigned)st.st_uid);
}

void
ssh_config_settle_unknown(struct facts *facts, enum fact_section where,
			  const struct ssh_config_outcome *config)
{
	const char *message = doc_str(config->complaint, "message");

	set_owner(config->complaint);
	if (config->error == -ENOENT) {
		facts_settle(facts, where, FACT_ABSENT, "not-installed",
			     "no ssh is installed on this computer");
	} else if (config->error == -ETIMEDOUT) {
		facts_settle(facts, where, FACT_UNKNOWN, "timeout",
			     "ssh -G did not end within %d s", SSH_CONFIG_TIMEOUT_MS / 1000);
	} else if (config->error != 0) {
		facts_settle(facts, where, FACT_UNKNOWN,
			     config->error == -ECANCELED ? "deadline" : "error",
			     "ssh -G could not be run: %s", strerror(-config->error));
	} else if (message == NULL) {
		facts_settle(facts, where, FACT_UNKNOWN, "error", "ssh -G %s %d without a word",
			     config->status > 128 && config->status < 255 ? "was ended by signal"
									  : "ended with status",
			     config->status > 128 && config->status < 255 ? config->status - 128
									  : config->status);
	} else {
		facts_settle(facts, where, FACT_UNKNOWN, "ssh-config",
			     "ssh refuses its configuration: %s", message);
		json_object_update(facts_section(facts, where), config->complaint);
	}
	doc_set_str(facts_section(facts, where), "name", config->request->name);
	doc_set_str(facts_section(facts, where), "user",
		    config->request->user); /* what was asked for holds whatever the files say */
	doc_set_str(facts_section(facts, where), "user_from",
		    config->request->user != NULL ? "option" : NULL);
	if (config->request->port > 0)
		doc_set_int(facts_section(facts, where), "port", config->request->port);
}
