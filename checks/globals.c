#include "checks/checks.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

/* The private key that ssh would use: the one given, else the first in its order that is there. */
static const char *
identity(const struct fact_identities *identities)
{
	if (identities->explicit != NULL)
		return identities->explicit;
	for (size_t i = 0; i < identities->order_count; i++)
		if (identities->order[i].present && identities->order[i].path != NULL)
			return identities->order[i].path;
	return NULL;
}

/* What ssh would connect to, as far as it is known. */
static json_int_t
port(const struct scene *scene)
{
	const json_int_t ports[] = { scene->ssh_config->port, scene->asked.port,
				     scene->address->port };

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if (ports[i] != 0)
			return ports[i];
	return 22;
}

/* Quoted for the shell where it has to be. */
static char *
quoted_word(const char *word)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-_./:@=,+%";
	json_t *evidence;
	char *quoted;

	if (*word != '\0' && word[strspn(word, safe)] == '\0')
		return strdup(word);
	evidence = json_object();
	doc_set_str(evidence, "word", word);
	quoted =
	    rules_command("{word}", "shell", &(struct values){ .evidence = evidence }, NULL, NULL);
	json_decref(evidence);
	return quoted;
}

/* Appends a word; frees the line that was before. */
static char *
add_word(char *line, const char *option, const char *word)
{
	char *quoted = quoted_word(word), *longer;

	longer = doc_fmt("%s %s%s%s", line, option, *option != '\0' ? " " : "", quoted);
	free(quoted);
	free(line);
	return longer;
}

/* The ssh command that a person types to connect; NULL while the host is not known. */
static char *
login_line(const struct scene *scene, const json_t *globals)
{
	const struct fact_asked *asked = &scene->asked;
	const char *name = scene->ssh_config->name, *user = doc_str(globals, "user");
	json_int_t number = port(scene);
	char *line, *text;

	if (name == NULL || (line = strdup("ssh")) == NULL)
		return NULL;
	if (asked->no_ssh_config)
		line = add_word(line, "-F", "none");
	else if (asked->ssh_config != NULL)
		line = add_word(line, "-F", asked->ssh_config);
	if (asked->identity != NULL)
		line = add_word(line, "-i", asked->identity);
	if (number != 22) {
		text = doc_fmt("%" JSON_INTEGER_FORMAT, number);
		line = add_word(line, "-p", text);
		free(text);
	}
	text = doc_fmt("%s%s%s", user != NULL ? user : "", user != NULL ? "@" : "", name);
	line = add_word(line, "", text);
	free(text);
	return line;
}

/* The user's own command line, quoted; NULL in facts that do not hold it, or that hold several VMs.
 */
static char *
command_line(const struct scene *scene)
{
	const struct fact_asked *asked = &scene->asked;
	char *line;

	if (asked->command_count == 0 ||
	    json_array_size(doc_list(scene->facts->doc, "targets")) != 1 ||
	    (line = strdup(PACKAGE_NAME)) == NULL)
		return NULL;
	for (size_t i = 0; i < asked->command_count; i++)
		line = add_word(line, "", asked->command[i]);
	return line;
}

static void
take_text(json_t *globals, const char *key, char *text)
{
	doc_set_str(globals, key, text);
	free(text);
}

static const char *
first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

json_t *
globals_make(const struct scene *scene)
{
	const struct fact_vm *vm = scene->vm;
	const struct fact_target *target = &scene->target;
	const struct fact_ssh_config *config = scene->ssh_config;
	json_t *globals = json_object();

	doc_set_str(globals, "vm", first_of(vm->name, target->name));
	doc_set_str(globals, "vm_id", vm->id);
	doc_set_str(globals, "rg", first_of(vm->resource_group, target->resource_group));
	doc_set_str(globals, "subscription", first_of(vm->subscription, target->subscription));
	doc_set_str(globals, "location",
		    scene->instance != NULL ? scene->instance->location : NULL);
	doc_set_str(globals, "user", first_of(config->user, scene->asked.login));
	doc_set_str(globals, "user_from", FACT_WORD(user_origin, config->user_from));
	doc_set_str(globals, "host",
		    first_of(config->hostname, first_of(scene->address->host, scene->asked.host)));
	doc_set_int(globals, "port", port(scene));
	doc_set_str(globals, "identity", identity(scene->identities));
	doc_set_str(globals, "source_ip", inbound_source(scene));
	take_text(globals, "ssh", login_line(scene, globals));
	take_text(globals, "again", command_line(scene));
	inbound_ways(scene, globals);
	return globals;
}
