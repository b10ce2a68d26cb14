/* Settings of ssh_config that end ssh before or after the login, whatever the server does. */
#include "checks/ssh_settings.h"
#include "checks/keywords.h"
#include "checks/ssh_options.h"

#include <stdint.h>
#include <stdlib.h>
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

/* ssh goes on without the library, so it matters only where its keys were wanted; that they were is
 * not known. */
static void
provider_missing(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	bool token = doc_same(config->provider_missing, config->options.pkcs11provider);
	struct finding *finding;

	if (config->provider_missing == NULL || scene->accepted)
		return;
	finding = finding_next(main);
	finding_text(finding, "option", token ? "PKCS11Provider" : "SecurityKeyProvider");
	finding_text(finding, "value", config->provider_missing);
	finding_likely(finding, WARN, CODE_CFG_PROVIDER_MISSING,
		       "ssh_config takes keys from %s, which is not there",
		       config->provider_missing);
}

/* What leaves a plain ssh without a shell although the login works, NULL when nothing does. (Others
 * of the kind end `ssh -G` as well.) */
static const char *
no_shell(const struct fact_ssh_options *options)
{
	if (doc_same(options->sessiontype, "none"))
		return "SessionType none";
	return ssh_option_on(options->stdinnull) ? "StdinNull yes" : NULL;
}

static void
without_shell(const struct fact_ssh_config *config, struct finding *main)
{
	const char *words = no_shell(&config->options);
	struct finding *finding;

	if (words == NULL)
		return;
	finding = finding_next(main);
	finding_text(finding, "option", words);
	finding_text(finding, "name", config->name);
	finding_set(finding, WARN, CODE_CFG_NO_SHELL,
		    "ssh_config says \"%s\": a plain ssh gets no shell", words);
}

/* The server grants a remote forward, or refuses it, only after the login. */
static void
remote_forward(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_options *options = &scene->ssh_config->options;
	const json_t *all = FACT_JSON(facts_section(scene->facts, FACT_SSH_CONFIG), ssh_config,
				      options),
		     *value = json_object_get(all, "remoteforward");
	const char *forward =
	    json_string_value(json_is_array(value) ? json_array_get(value, 0) : value);
	struct finding *finding;

	if (forward == NULL || !ssh_option_on(options->exitonforwardfailure) ||
	    ssh_option_on(options->clearallforwardings))
		return;
	finding = finding_next(main);
	finding_text(finding, "option", "ExitOnForwardFailure");
	finding_text(finding, "value", forward);
	finding_text(finding, "name", scene->ssh_config->name);
	finding_set(finding, WARN, CODE_CFG_REMOTE_FORWARD,
		    "ssh ends when the server refuses RemoteForward %s, which shows only after the "
		    "login",
		    forward);
}

static void
local_command(const struct fact_ssh_config *config, struct finding *main)
{
	const char *command = ssh_option(config->options.localcommand);
	struct finding *finding;

	if (command == NULL || !ssh_option_on(config->options.permitlocalcommand))
		return;
	finding = finding_next(main);
	finding_text(finding, "command", command);
	finding_set(finding, PASS, CODE_CFG_LOCAL_COMMAND,
		    "after the login ssh runs LocalCommand and waits for it; it was not run here: "
		    "%s",
		    command);
}

/* Settings that nothing here judges, where they are not ssh's own. */
static void
not_judged(const struct scene *scene, struct finding *main)
{
	const json_t *options =
	    FACT_JSON(facts_section(scene->facts, FACT_SSH_CONFIG), ssh_config, options);
	json_t *list = json_array(), *value;
	struct finding *finding;
	const char *word;
	char *text;

	json_object_foreach ((json_t *)(uintptr_t)options, word, value) {
		text = json_is_string(value) && keyword_unjudged(word, json_string_value(value))
			   ? doc_fmt("%s %s", word, json_string_value(value))
			   : NULL;
		if (text != NULL)
			doc_append_str(list, text);
		free(text);
	}
	if (json_array_size(list) > 0) {
		finding = finding_next(main);
		text = doc_join(list, 8);
		finding_value(finding, "settings", json_incref(list));
		finding_set(finding, PASS, CODE_CFG_NOT_JUDGED,
			    "settings that this program does not judge: %s", text);
		free(text);
	}
	json_decref(list);
}

void
ssh_settings(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;

	if (config->state != FACT_KNOWN)
		return;
	bind_missing(config, main);
	control_path(config, main);
	forward_taken(config, main);
}

void
ssh_settings_remarks(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;

	if (config->state != FACT_KNOWN)
		return;
	provider_missing(scene, main);
	remote_command(config, main);
	without_shell(config, main);
	remote_forward(scene, main);
	local_command(config, main);
	not_judged(scene, main);
}
