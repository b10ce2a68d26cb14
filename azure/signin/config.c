#include "azure/signin/config.h"
#include "azure/arm/json.h"
#include "facts/doc.h"
#include "facts/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONFIG_MAX (1u << 20)
#define PROFILE_MAX (8u << 20)

char *
config_file(struct az_config *config, const char *name, size_t max)
{
	char *path, *text;
	struct buffer file = { 0 };
	int r;

	if (config->dir == NULL || config->unread != NULL)
		return NULL;
	path = doc_fmt("%s/%s", config->dir, name);
	r = file_read(path, max, &file, NULL);
	if (r < 0 && !file_is_absent(r))
		config->unread = doc_fmt("%s could not be read: %s", path,
					 r == -ETIMEDOUT ? "the file system did not answer in time"
							 : strerror(-r));
	free(path);
	text = (char *)file.at;
	if (text != NULL && strncmp(text, "\xef\xbb\xbf", 3) == 0)
		memmove(text, text + 3, strlen(text + 3) + 1);
	return text;
}

const char *
env_text(const char *name)
{
	const char *text = getenv(name);

	return text != NULL && *text != '\0' ? text : NULL;
}

void
config_load(struct az_config *ret)
{
	struct az_config config = { 0 };
	char *profile;

	if (env_text("AZURE_CONFIG_DIR") != NULL)
		config.dir = strdup(env_text("AZURE_CONFIG_DIR"));
	else if (env_text("HOME") != NULL)
		config.dir = doc_fmt("%s/.azure", env_text("HOME"));
	config.config = config_file(&config, "config", CONFIG_MAX);
	config.clouds = config_file(&config, "clouds.config", CONFIG_MAX);
	if ((profile = config_file(&config, "azureProfile.json", PROFILE_MAX)) != NULL)
		config.profile = parse_json(profile, strlen(profile));
	free(profile);
	*ret = config;
}

void
config_free(struct az_config *config)
{
	free(config->dir);
	free(config->unread);
	free(config->config);
	free(config->clouds);
	json_decref(config->profile);
	*config = (struct az_config){ 0 };
}

struct span {
	const char *at;
	size_t len;
};

static struct span
trim(const char *at, size_t len)
{
	while (len > 0 && isspace((unsigned char)at[0])) {
		at++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)at[len - 1]))
		len--;
	return (struct span){ at, len };
}

/* The value of "name = value" or "name: value", .at NULL when the line is of another name. */
static struct span
line_value(struct span line, const char *name)
{
	size_t key = 0;
	struct span found;

	while (key < line.len && line.at[key] != '=' && line.at[key] != ':')
		key++;
	found = trim(line.at, key);
	if (key == line.len || found.len != strlen(name) ||
	    strncasecmp(found.at, name, found.len) != 0)
		return (struct span){ NULL, 0 };
	return trim(line.at + key + 1, line.len - key - 1);
}

/* Python's configparser writes a percent sign as "%%". */
static char *
unescape(struct span value)
{
	char *text = strndup(value.at, value.len);
	size_t used = 0;

	for (size_t i = 0; text != NULL && i < value.len; i++) {
		text[used++] = text[i];
		if (text[i] == '%' && i + 1 < value.len && text[i + 1] == '%')
			i++;
	}
	if (text != NULL)
		text[used] = '\0';
	return text;
}

char *
config_get(const char *ini, const char *section, const char *name)
{
	bool inside = false;
	struct span value, last = { NULL, 0 };

	for (const char *p = ini; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, "\n");
		struct span line = trim(p, len);

		if (line.len > 1 && line.at[0] == '[' && line.at[line.len - 1] == ']')
			inside = line.len - 2 == strlen(section) &&
				 strncmp(line.at + 1, section, line.len - 2) == 0;
		else if (inside && line.len > 0 && line.at[0] != '#' && line.at[0] != ';' &&
			 (value = line_value(line, name)).at != NULL)
			last = value;
		p += len + (p[len] == '\n');
	}
	return last.at != NULL && last.len > 0 ? unescape(last) : NULL;
}

char *
config_setting(const struct az_config *config, const char *section, const char *name)
{
	char variable[64] = "AZURE_";
	size_t used = strlen(variable);

	for (const char *p = section; *p != '\0' && used < 40; p++)
		variable[used++] = (char)toupper((unsigned char)*p);
	variable[used++] = '_';
	for (const char *p = name; *p != '\0' && used < 62; p++)
		variable[used++] = (char)toupper((unsigned char)*p);
	variable[used] = '\0';
	if (env_text(variable) != NULL)
		return strdup(env_text(variable));
	return config_get(config->config, section, name);
}

const json_t *
config_default_subscription(const struct az_config *config, const char *cloud)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(config->profile, "subscriptions"), i, entry)
		if (doc_bool(entry, "isDefault", false) && doc_str(entry, "id") != NULL &&
		    (cloud == NULL || doc_is(entry, "environmentName", cloud)))
			return entry;
	return NULL;
}

const json_t *
config_subscription(const struct az_config *config, const char *id_or_name)
{
	const json_t *entry, *by_name = NULL;
	size_t i, named = 0;

	json_array_foreach (doc_list(config->profile, "subscriptions"), i, entry) {
		if (doc_is(entry, "id", id_or_name))
			return entry;
		if (doc_is(entry, "name", id_or_name)) {
			by_name = entry;
			named++;
		}
	}
	return named == 1 ? by_name : NULL;
}

bool
config_is_tenant_level(const json_t *entry)
{
	const char *id = doc_str(entry, "id");

	return id != NULL && doc_is(entry, "tenantId", id);
}

const char *
config_lists(const struct az_config *config, const char *cloud, const char *id)
{
	const char *found = NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(config->profile, "subscriptions"), i, entry) {
		if (cloud != NULL && !doc_is(entry, "environmentName", cloud))
			continue;
		if (doc_is(entry, "id", id))
			return "listed";
		if (!config_is_tenant_level(entry))
			found = "not-listed";
		else if (found == NULL)
			found = "tenant-level";
	}
	return found;
}
