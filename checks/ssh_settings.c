/* Settings of ssh_config that end ssh before or after the login, whatever the server does. */
#include "checks/ssh_settings.h"

#include <string.h>

/* A Unix socket's path has 108 bytes with its NUL (unix(7)); a master that listens adds a dot and
 * 16 characters to it first (OpenSSH, mux.c). */
enum { SOCKET_PATH = 108, MASTER_SUFFIX = 17 };

static void
add_setting(struct finding *finding, const char *option, const struct fact_ssh_place *place)
{
	finding_text(finding, "option", option);
	finding_text(finding, "file", place->file);
	if (place->line > 0)
		finding_number(finding, "line", place->line);
}

static void
bind_missing(const struct fact_ssh_config *config, struct finding *main)
{
	const struct fact_ssh_options *options = &config->options;
	bool address = options->bindaddress != NULL && strcmp(options->bindaddress, "none") != 0;
	const char *option = address ? "BindAddress" : "BindInterface";
	struct finding *finding;

	if (config->bind_missing == NULL)
		return;
	finding = finding_next(main);
	add_setting(finding, option,
		    address ? &config->places.bindaddress : &config->places.bindinterface);
	finding_text(finding, "value", config->bind_missing);
	finding_set(finding, FAIL, CODE_CFG_BIND_ADDRESS,
		    "%s in ssh_config is %s, which this computer does not have now", option,
		    config->bind_missing);
}

static bool
is_master(const struct fact_ssh_options *options)
{
	return options->controlmaster != NULL && strcmp(options->controlmaster, "no") != 0 &&
	       strcmp(options->controlmaster, "false") != 0;
}

static size_t
path_bytes(const struct fact_ssh_config *config)
{
	if (config->controlpath == NULL)
		return 0;
	return config->controlpath_bytes > 0 ? (size_t)config->controlpath_bytes
					     : strlen(config->controlpath);
}

static void
control_path(const struct fact_ssh_config *config, struct finding *main)
{
	const struct fact_ssh_options *options = &config->options;
	size_t len = path_bytes(config),
	       room = SOCKET_PATH - 1 - (is_master(options) ? MASTER_SUFFIX : 0);
	struct finding *finding;

	if (len <= room && config->control_folder_missing == NULL)
		return;
	finding = finding_next(main);
	add_setting(finding, "ControlPath", &config->places.controlpath);
	finding_text(finding, "controlpath", config->controlpath);
	finding_text(finding, "folder", config->control_folder_missing);
	if (len > room)
		finding_set(finding, FAIL, CODE_CFG_CONTROL_PATH,
			    "ControlPath is %zu bytes long, and %zu is the limit here", len, room);
	else
		finding_set(finding, FAIL, CODE_CFG_CONTROL_PATH,
			    "the folder of ControlPath, %s, does not exist",
			    config->control_folder_missing);
}

static void
forward_taken(const struct fact_ssh_config *config, struct finding *main)
{
	struct finding *finding;

	if (config->forward_taken == 0)
		return;
	finding = finding_next(main);
	finding_text(finding, "option", "ExitOnForwardFailure");
	finding_number(finding, "forward", config->forward_taken);
	finding_set(finding, FAIL, CODE_CFG_FORWARD_TAKEN,
		    "ssh is to forward the local port %d, which another program uses, and "
		    "ExitOnForwardFailure is yes",
		    (int)config->forward_taken);
}

static void
remote_command(const struct fact_ssh_config *config, struct finding *main)
{
	const char *command = config->options.remotecommand;
	struct finding *finding;

	if (command == NULL || *command == '\0' || strcmp(command, "none") == 0)
		return;
	finding = finding_next(main);
	add_setting(finding, "RemoteCommand", &config->places.remotecommand);
	finding_text(finding, "command", command);
	finding_set(finding, WARN, CODE_CFG_REMOTE_COMMAND,
		    "ssh_config gives this host a RemoteCommand");
}

void
ssh_settings(const struct fact_ssh_config *config, struct finding *main)
{
	if (config->state != FACT_KNOWN)
		return;
	bind_missing(config, main);
	control_path(config, main);
	forward_taken(config, main);
}

void
ssh_settings_remarks(const struct fact_ssh_config *config, struct finding *main)
{
	if (config->state == FACT_KNOWN)
		remote_command(config, main);
}
