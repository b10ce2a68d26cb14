#include "checks/stanza.h"
#include "checks/keys.h"
#include "rules/rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TUNNEL_PORT = 50022 };

struct stanza {
	FILE *out;
	const char *why; /* what cannot be written; NULL while all can */
};

/* No pattern, no option, nothing that ends the word. */
static bool
is_name(const char *text)
{
	if (text == NULL || !isalnum((unsigned char)text[0]))
		return false;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && strchr("._-:()", *text) == NULL)
			return false;
	return true;
}

/* Text that stays one value, and what it is: no quotes, no escapes, no variable, no line end. */
static bool
is_value(const char *text)
{
	if (*text == '\0' || *text == '-' || strstr(text, "${") != NULL)
		return false;
	for (; *text != '\0'; text++)
		if (iscntrl((unsigned char)*text) || strchr("\"'\\", *text) != NULL)
			return false;
	return true;
}

/* A value that ssh takes as it stands, but for its percent signs. */
static void
put(struct stanza *stanza, const char *keyword, const char *value)
{
	bool quoted = value != NULL && strpbrk(value, " #=") != NULL;

	if (value == NULL)
		return;
	if (!is_value(value)) {
		stanza->why = keyword;
		return;
	}
	fprintf(stanza->out, "    %s %s", keyword, quoted ? "\"" : "");
	for (; *value != '\0'; value++)
		fprintf(stanza->out, "%s%c", *value == '%' ? "%" : "", *value);
	fputs(quoted ? "\"\n" : "\n", stanza->out);
}

static void
put_number(struct stanza *stanza, const char *keyword, int value)
{
	fprintf(stanza->out, "    %s %d\n", keyword, value);
}

/* A line of the user's own configuration, with the tokens that it has. */
static void
put_own(struct stanza *stanza, const char *keyword, const char *value)
{
	const char *at = value;

	if (value == NULL || strcmp(value, "none") == 0)
		return;
	while (*at != '\0' && !iscntrl((unsigned char)*at))
		at++;
	if (*at != '\0' || *value == '\0')
		stanza->why = keyword;
	else
		fprintf(stanza->out, "    %s %s\n", keyword, value);
}

/* The file of the key that the server accepted, or that was asked for. NULL for an agent's. */
static const char *
key_file(const struct scene *scene)
{
	const struct fact_key *key = key_that_matters(scene);
	bool chosen = scene->auth->accepted != NULL || scene->asked.identity != NULL;

	return key != NULL && chosen && key->present ? key->path : NULL;
}

static void
put_key(struct stanza *stanza, const char *path)
{
	put(stanza, "IdentityFile", path);
	if (path != NULL)
		fputs("    IdentitiesOnly yes\n", stanza->out);
}

static void
put_direct(struct stanza *stanza, const struct scene *scene, const struct about *about)
{
	const struct fact_ssh_config *config = scene->ssh_config;

	put(stanza, "HostName", about->host);
	put(stanza, "User", about->user);
	put_number(stanza, "Port", about->port);
	put_key(stanza, key_file(scene));
	put_own(stanza, "ProxyJump", config->proxyjump);
	if (config->proxyjump == NULL)
		put_own(stanza, "ProxyCommand", config->proxycommand);
	put(stanza, "HostKeyAlias", config->host_key_alias);
}

/* az listens on a port of this computer; the key belongs to the VM, not to that port. */
static void
put_bastion(struct stanza *stanza, const struct about *about, const struct finding *bastion,
	    const json_t *globals, const char *path)
{
	static const char template[] =
	    "az network bastion tunnel -n {bastion} -g {bastion_group} "
	    "--target-resource-id {vm_id} --resource-port 22 --port 50022";
	const struct values values = { .evidence = bastion->evidence, .globals = globals };
	bool full = false;
	char *command = rules_command(template, "az", &values, NULL, &full);

	if (full)
		fprintf(stanza->out, "    # first, and to be left running: %s\n", command);
	else
		stanza->why = "the Bastion";
	free(command);
	fputs("    HostName 127.0.0.1\n", stanza->out);
	put(stanza, "User", about->user);
	put_number(stanza, "Port", TUNNEL_PORT);
	put_key(stanza, path != NULL ? path : about->identity);
	put(stanza, "HostKeyAlias", about->vm);
}

char *
stanza_make(const struct scene *scene, const struct about *about, const json_t *globals,
	    const struct finding *bastion, const char **why)
{
	const char *name = about->vm != NULL ? about->vm : scene->ssh_config->name;
	struct stanza stanza = { .why = NULL };
	char *text = NULL;
	size_t size;

	if (name == NULL)
		name = about->host;
	if (!is_name(name) || (bastion == NULL && about->host == NULL)) {
		*why = name == NULL || about->host == NULL ? "the address" : "the name";
		return NULL;
	}
	if ((stanza.out = open_memstream(&text, &size)) == NULL)
		return NULL;
	fprintf(stanza.out, "Host %s\n", name);
	if (bastion != NULL)
		put_bastion(&stanza, about, bastion, globals, key_file(scene));
	else
		put_direct(&stanza, scene, about);
	fclose(stanza.out);
	*why = stanza.why;
	if (stanza.why == NULL)
		return text;
	free(text);
	return NULL;
}
