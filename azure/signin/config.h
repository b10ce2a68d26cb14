/* The environment and az's own files: config, clouds.config, azureProfile.json. */
#ifndef AZURE_CONFIG_H
#define AZURE_CONFIG_H

#include <jansson.h>
#include <stdbool.h>

struct az_config {
	char *dir;             /* ~/.azure or AZURE_CONFIG_DIR; NULL without a home */
	char *config, *clouds; /* the two INI files as text, NULL when absent */
	json_t *profile;       /* azureProfile.json, NULL when absent or damaged */
	char *unread;          /* why one of them could not be read, NULL when none is so */
};

void config_load(struct az_config *ret);
void config_free(struct az_config *config);
/* getenv, NULL when empty. */
const char *env_text(const char *name);
/* The value of [section] name; section in its case, name in any. The caller frees; NULL when it is
 * not there. */
char *config_get(const char *ini, const char *section, const char *name);
/* az's setting: the environment variable AZURE_SECTION_NAME, else the file. The caller frees. */
char *config_setting(const struct az_config *config, const char *section, const char *name);
/* The file of that name in az's folder, at most max bytes; NULL when absent. A BOM is skipped. The
 * caller frees. */
char *config_file(struct az_config *config, const char *name, size_t max);
/* An entry of azureProfile.json: the default of the cloud (NULL: of any), or the one of that id or
 * name. Borrowed. */
const json_t *config_default_subscription(const struct az_config *config, const char *cloud);
const json_t *config_subscription(const struct az_config *config, const char *id_or_name);
/* az signed in to a tenant that shows it no subscription, and keeps the tenant's id in the place of
 * one. */
bool config_is_tenant_level(const json_t *entry);
/* Does az's own list have that subscription: "listed", "not-listed", "tenant-level" (it has none at
 * all), or NULL when az is not signed in to that cloud (NULL: any). */
const char *config_lists(const struct az_config *config, const char *cloud, const char *id);

#endif
