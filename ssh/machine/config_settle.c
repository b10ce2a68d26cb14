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
	const char *name = FACT_GET(FACT_JSON(facts_machine(facts), machine, user), user, name);
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
 * the name. NULL when there is none. */
static const struct fact_config_line *
line_of(const struct fact_config_scan *scan, const char *keyword, const char *value,
	const char *name)
{
	for (size_t i = 0; i < scan->lines_count; i++) {
		const struct fact_config_line *line = &scan->lines[i];
		const char *token = line->value != NULL ? strstr(line->value, "%h") : NULL;
		char *expanded;
		bool same;

		if (line->value == NULL || !doc_same(line->keyword, keyword))
			continue;
		expanded = token == NULL ? strdup(line->value)
					 : doc_fmt("%.*s%s%s", (int)(token - line->value),
						   line->value, name, token + 2);
		same = same_setting(expanded, value);
		free(expanded);
		if (same)
			return line;
	}
	return NULL;
}

/* Where the options that have a place in the facts were set. */
static json_t *
places_of(const struct fact_config_scan *scan, const char *name, const json_t *options)
{
	const struct fact_shape *shape = shape_of_ssh_places();
	json_t *places = json_object();

	for (size_t i = 0; i < shape->count; i++) {
		char buf[FACT_KEY_MAX];
		const char *keyword = fact_key(&shape->fields[i], buf),
			   *value = doc_str(options, keyword);
		const struct fact_config_line *line =
		    value != NULL ? line_of(scan, keyword, value, name) : NULL;

		if (line != NULL)
			json_object_set_new(
			    places, keyword,
			    FACT_OBJECT(ssh_place, .file = line->file, .line = line->line));
	}
	return places;
}

static enum user_origin
origin_of_user(const struct ssh_config_request *request, const char *user, const char *local)
{
	if (request->user != NULL)
		return USER_OPTION;
	if (user == NULL)
		return USER_UNRECORDED;
	return local != NULL && strcmp(user, local) == 0 ? USER_LOCAL : USER_SSH_CONFIG;
}

/* ssh reorders its host key algorithms by what is on file unless the user has set them himself (+
 * and - still leave the order to ssh). */
static bool
algorithms_are_fixed(const struct fact_config_scan *scan, const char *algorithms)
{
	for (size_t i = 0; algorithms != NULL && i < scan->lines_count; i++) {
		const char *value = scan->lines[i].value;
		bool first = value != NULL && value[0] == '^';

		if (value != NULL && doc_same(scan->lines[i].keyword, "hostkeyalgorithms") &&
		    strncmp(algorithms, value + first, strlen(value + first)) == 0)
			return true;
	}
	return false;
}

/* The command that ssh runs whenever it reads its configuration. */
static void
set_exec(const struct ssh_config_outcome *config, json_t *section)
{
	struct fact_config_scan scan;

	fact_read(config->scan, shape_of_config_scan(), &scan);
	if (scan.match_exec != NULL)
		fact_write(
		    section, shape_of_ssh_config(),
		    &(const struct fact_ssh_config){ .match_exec = true,
						     .match_exec_command = scan.match_exec->command,
						     .match_exec_file = scan.match_exec->file,
						     .match_exec_line = scan.match_exec->line });
	fact_free(shape_of_config_scan(), &scan);
}

static bool
canonicalizes(const char *word)
{
	return word != NULL && !doc_same(word, "no") && !doc_same(word, "false");
}

void
ssh_config_settle_known(struct facts *facts, enum fact_section where,
			const struct ssh_config_outcome *config)
{
	json_t *section = facts_known(facts, where);
	const char *name = config->request->name, *local = local_user(facts);
	const struct fact_config_command *exec;
	struct fact_config_scan scan;
	struct fact_ssh_options options;

	fact_read(config->scan, shape_of_config_scan(), &scan);
	fact_read(config->options, shape_of_ssh_options(), &options);
	exec = scan.match_exec;
	fact_write(section, shape_of_ssh_config(),
		   &(const struct fact_ssh_config){
		       .name = name,
		       .hostname = options.hostname,
		       .port = options.port,
		       .user = options.user,
		       .user_from = origin_of_user(config->request, options.user, local),
		       .local_user = local,
		       .changes = config->neutral != NULL
				      ? ssh_config_differs(config->options, name, config->neutral,
							   config->neutral_name)
				      : !doc_same(options.hostname, name),
		       .proxyjump = ssh_config_value(options.proxyjump),
		       .proxycommand = ssh_config_value(options.proxycommand),
		       .controlpath = ssh_config_value(options.controlpath),
		       .host_key_alias = ssh_config_value(options.hostkeyalias),
		       .match_exec = exec != NULL,
		       .match_exec_command = exec != NULL ? exec->command : NULL,
		       .match_exec_file = exec != NULL ? exec->file : NULL,
		       .match_exec_line = exec != NULL ? exec->line : 0,
		       .host_key_algorithms_fixed =
			   algorithms_are_fixed(&scan, options.hostkeyalgorithms) });
	if (ssh_config_value(options.controlpath) != NULL)
		FACT_PUT(section, ssh_config, controlpath_bytes,
			 (json_int_t)strlen(options.controlpath));
	FACT_PUT_JSON(section, ssh_config, user_known_hosts,
		      ssh_config_paths(options.userknownhostsfile, path_exists));
	FACT_PUT_JSON(section, ssh_config, global_known_hosts,
		      ssh_config_paths(options.globalknownhostsfile, path_exists));
	FACT_PUT_JSON(section, ssh_config, controlmaster, json_incref(config->control));
	FACT_PUT_JSON(section, ssh_config, jump, json_incref(config->jump));
	ssh_config_surroundings(config->options, section);
	FACT_PUT_JSON(section, ssh_config, unused,
		      ssh_config_unused(config->scan, &(const struct ssh_config_names){
							  .name = name,
							  .hostname = options.hostname,
							  .user = config->request->user,
							  .local_user = local,
							  .canonical = canonicalizes(
							      options.canonicalizehostname) }));
	FACT_PUT_JSON(section, ssh_config, places, places_of(&scan, name, config->options));
	FACT_PUT_JSON(section, ssh_config, options, json_incref(config->options));
	fact_free(shape_of_config_scan(), &scan);
	fact_free(shape_of_ssh_options(), &options);
}

/* Mode and owner of a configuration file that ssh does not trust. */
static void
set_owner(json_t *complaint)
{
	const char *path = FACT_GET(complaint, ssh_config, file);
	char mode[8], number[32];
	const struct passwd *pw;
	struct stat st;

	if (path == NULL || FACT_GET(complaint, ssh_config, problem) != CONFIG_PERMISSIONS ||
	    file_stat(path, &st) < 0)
		return;
	snprintf(mode, sizeof(mode), "%04o", (unsigned)(st.st_mode & 07777));
	FACT_PUT(complaint, ssh_config, mode, mode);
	FACT_PUT(complaint, ssh_config, uid, st.st_uid);
	snprintf(number, sizeof(number), "uid %u", (unsigned)st.st_uid);
	pw = getpwuid(st.st_uid);
	FACT_PUT(complaint, ssh_config, owner, pw != NULL ? pw->pw_name : number);
}

void
ssh_config_settle_unknown(struct facts *facts, enum fact_section where,
			  const struct ssh_config_outcome *config)
{
	const char *message = FACT_GET(config->complaint, ssh_config, message);
	json_t *section;

	set_owner(config->complaint);
	if (config->error == -ENOENT) {
		facts_settle(facts, where, FACT_ABSENT, "not-installed",
			     "no ssh is installed on this computer");
	} else if (config->error == -ETIMEDOUT) {
		facts_settle(facts, where, FACT_UNKNOWN, "timeout",
			     "ssh -G did not end within %d s",
			     ssh_config_timeout(config->request) / 1000);
		set_exec(config, facts_section(facts, where));
	} else if (config->error != 0) {
		facts_settle(facts, where, FACT_UNKNOWN,
			     config->error == -ECANCELED ? "deadline" : "error",
			     "ssh -G could not be run: %s", strerror(-config->error));
	} else if (message == NULL) {
		facts_settle(facts, where, FACT_UNKNOWN, "error", "ssh -G %s %d and no message",
			     config->status > 128 && config->status < 255 ? "was ended by signal"
									  : "ended with status",
			     config->status > 128 && config->status < 255 ? config->status - 128
									  : config->status);
	} else {
		facts_settle(facts, where, FACT_UNKNOWN, "ssh-config",
			     "ssh refuses its configuration: %s", message);
		json_object_update(facts_section(facts, where), config->complaint);
	}
	/* what was asked for holds whatever the files say */
	section = facts_section(facts, where);
	FACT_PUT(section, ssh_config, name, config->request->name);
	FACT_PUT(section, ssh_config, user, config->request->user);
	FACT_PUT(section, ssh_config, user_from, origin_of_user(config->request, NULL, NULL));
	if (config->request->port > 0)
		FACT_PUT(section, ssh_config, port, config->request->port);
}
