#include "checks/about.h"
#include "checks/inbound.h"
#include "rules/rules.h"
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
static int
port(const struct scene *scene)
{
	const json_int_t ports[] = { scene->ssh_config->port, scene->asked.port,
				     scene->address->port };

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if (ports[i] > 0 && ports[i] <= 65535)
			return (int)ports[i];
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
login_line(const struct scene *scene, const struct about *about)
{
	const struct fact_asked *asked = &scene->asked;
	const char *name = scene->ssh_config->name, *user = about->user;
	char *line, *text;

	if (name == NULL || (line = strdup("ssh")) == NULL)
		return NULL;
	if (asked->no_ssh_config)
		line = add_word(line, "-F", "none");
	else if (asked->ssh_config != NULL)
		line = add_word(line, "-F", asked->ssh_config);
	if (asked->identity != NULL)
		line = add_word(line, "-i", asked->identity);
	if (about->port != 22) {
		text = doc_fmt("%d", about->port);
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
	    json_array_size(FACT_JSON(scene->facts->doc, document, targets)) != 1 ||
	    (line = strdup(PACKAGE_NAME)) == NULL)
		return NULL;
	for (size_t i = 0; i < asked->command_count; i++)
		line = add_word(line, "", asked->command[i]);
	return line;
}

static char *
copy_first(const char *a, const char *b, const char *c)
{
	if (a == NULL || *a == '\0')
		a = b != NULL && *b != '\0' ? b : c;
	return a != NULL && *a != '\0' ? strdup(a) : NULL;
}

struct about
about_make(const struct scene *scene)
{
	const struct fact_vm *vm = scene->vm;
	const struct fact_target *target = &scene->target;
	const struct fact_ssh_config *config = scene->ssh_config;
	const json_t *doc = scene->facts->doc;
	struct about about = {
		.started = scene->now,
		.duration_ms = FACT_GET(doc, document, duration_ms),
		.key_only = scene->asked.key_only,
		.vm = copy_first(vm->name, target->name, NULL),
		.vm_id = copy_first(vm->id, NULL, NULL),
		.resource_group = copy_first(vm->resource_group, target->resource_group, NULL),
		.subscription = copy_first(vm->subscription, target->subscription, NULL),
		.host = copy_first(config->hostname, scene->address->host, scene->asked.host),
		.user = copy_first(config->user, scene->asked.login, NULL),
		.user_from = FACT_WORD(user_origin, config->user_from),
		.identity = copy_first(identity(scene->identities), NULL, NULL),
		.source_ip = copy_first(inbound_source(scene), NULL, NULL),
		.port = port(scene),
	};

	if (scene->instance != NULL)
		about.location = copy_first(scene->instance->location, NULL, NULL);
	about.login = login_line(scene, &about);
	about.again = command_line(scene);
	return about;
}

void
about_free(struct about *about)
{
	if (about == NULL)
		return;
	free(about->vm);
	free(about->vm_id);
	free(about->resource_group);
	free(about->subscription);
	free(about->location);
	free(about->host);
	free(about->user);
	free(about->identity);
	free(about->source_ip);
	free(about->login);
	free(about->again);
	*about = (struct about){ 0 };
}

json_t *
globals_make(const struct scene *scene, const struct about *about)
{
	json_t *globals = json_object();

	doc_set_str(globals, "vm", about->vm);
	doc_set_str(globals, "vm_id", about->vm_id);
	doc_set_str(globals, "rg", about->resource_group);
	doc_set_str(globals, "subscription", about->subscription);
	doc_set_str(globals, "location", about->location);
	doc_set_str(globals, "user", about->user);
	doc_set_str(globals, "user_from", about->user_from);
	doc_set_str(globals, "host", about->host);
	doc_set_int(globals, "port", about->port);
	if (scene->machine.user.home_env != NULL)
		doc_set_str(globals, "home", scene->machine.user.home);
	doc_set_str(globals, "identity", about->identity);
	if (scene->guest->state == FACT_KNOWN)
		doc_set_str(globals, "looked", "yes");
	doc_set_str(globals, "source_ip", about->source_ip);
	if (scene->instance != NULL && scene->instance->ephemeral)
		doc_set_bool(globals, "ephemeral", true);
	inbound_ways(scene, globals);
	return globals;
}
