#include "model/ssh_config.h"

#include <errno.h>
#include <string.h>

static enum ssh_strict
read_strict(const char *word)
{
	if (doc_same(word, "yes") || doc_same(word, "true"))
		return STRICT_YES;
	if (doc_same(word, "accept-new"))
		return STRICT_ACCEPT_NEW;
	if (doc_same(word, "no") || doc_same(word, "false") || doc_same(word, "off"))
		return STRICT_OFF;
	return STRICT_ASK;
}

const char *
ssh_config_option(const struct ssh_config *config, const char *keyword)
{
	const char *value = doc_str(doc_get(config->section, "options"), keyword);

	return value != NULL && *value != '\0' && strcmp(value, "none") != 0 ? value : NULL;
}

int
ssh_config_from_facts(const struct facts *facts, struct ssh_config *ret)
{
	const json_t *section = facts_section(facts, FACT_SSH_CONFIG);
	const char *batch;

	*ret = (struct ssh_config){ .port = 22 };
	if (facts_state(facts, FACT_SSH_CONFIG, NULL) != FACT_KNOWN)
		return -ENOENT;
	ret->section = section;
	ret->name = doc_str(section, "name");
	ret->hostname = doc_str(section, "hostname");
	ret->user = doc_str(section, "user");
	ret->user_from = doc_str(section, "user_from");
	ret->local_user = doc_str(section, "local_user");
	ret->port = (int)doc_int(section, "port", 22);
	ret->proxyjump = doc_str(section, "proxyjump");
	ret->proxycommand = doc_str(section, "proxycommand");
	ret->controlpath = doc_str(section, "controlpath");
	ret->match_exec =
	    doc_bool(section, "match_exec", false) ? doc_str(section, "match_exec_command") : NULL;
	ret->strict = read_strict(ssh_config_option(ret, "stricthostkeychecking"));
	batch = ssh_config_option(ret, "batchmode");
	ret->batch = doc_same(batch, "yes") || doc_same(batch, "true");
	ret->algorithms_fixed = doc_bool(section, "host_key_algorithms_fixed", false);
	ret->host_key_algorithms = ssh_config_option(ret, "hostkeyalgorithms");
	return 0;
}

struct ssh_place
ssh_config_place(const struct ssh_config *config, const char *keyword)
{
	const json_t *place = json_object_get(doc_get(config->section, "places"), keyword);

	return (struct ssh_place){ .file = doc_str(place, "file"),
				   .line = (int)doc_int(place, "line", 0) };
}

bool
ssh_config_redirects(const struct ssh_config *config)
{
	return config->name != NULL && config->hostname != NULL &&
	       strcasecmp(config->name, config->hostname) != 0;
}
