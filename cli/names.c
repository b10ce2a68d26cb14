#include "cli/names.h"
#include "cli/option.h"
#include "cli/typed.h"
#include "facts/arm.h"
#include "facts/doc.h"
#include "facts/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { NAMES_MAX = 64 << 20, REPORTS_MAX = 1 << 30 };

int
options_read_names(struct options *options, struct err *err)
{
	struct buffer text = { 0 };
	int r = file_drain(STDIN_FILENO, NAMES_MAX, &text);
	char *line, *rest = r == 0 ? (char *)text.at : NULL;
	const char *kept;

	if (r < 0)
		err_set(err, "the names on standard input cannot be read: %s", strerror(-r));
	while (r == 0 && (line = strsep(&rest, "\r\n")) != NULL) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t")] = '\0';
		if (*line == '\0' || *line == '#')
			continue;
		kept = options_keep(options, line, strlen(line));
		r = kept != NULL ? options_add_vm(options, kept, err) : -ENOMEM;
	}
	buffer_free(&text);
	return r;
}

/* The same for every machine and every order of the VMs. */
static bool
in_shard(const char *shard, const char *name)
{
	uint64_t hash = 1469598103934665603u;
	size_t k, n;

	if (shard == NULL || !option_shard(shard, &k, &n))
		return true;
	for (; *name != '\0'; name++)
		hash = (hash ^ (uint64_t)tolower((unsigned char)*name)) * 1099511628211u;
	return (hash ^ hash >> 32) % n == k - 1;
}

/* ---- what is done ---- */

/* Of an id what a report says of its VM too: subscription, group and name; of a name itself. */
static char *
key_of(const char *name)
{
	char subscription[128], group[128], *key;

	if (*name == '/') {
		arm_id_subscription(name, subscription, sizeof(subscription));
		arm_id_group(name, group, sizeof(group));
		key = doc_fmt("%s/%s/%s", subscription, group, arm_id_name(name));
	} else {
		key = strdup(strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name);
	}
	for (char *p = key; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return key;
}

static void
add_key(json_t *done, char *key)
{
	for (char *p = key; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	json_object_set_new(done, key, json_true());
	free(key);
}

static void
add_done(json_t *done, const json_t *report)
{
	const char *vm = doc_str(report, "target.vm"),
		   *group = doc_str(report, "target.resource_group"),
		   *subscription = doc_str(report, "target.subscription");

	if (vm == NULL || doc_str(report, "verdict") == NULL)
		return;
	add_key(done, strdup(vm));
	if (group != NULL && subscription != NULL)
		add_key(done, doc_fmt("%s/%s/%s", subscription, group, vm));
}

int
names_done(const char *path, json_t **ret, struct err *err)
{
	struct buffer text = { 0 };
	char *line, *rest;
	int r = file_read(path, REPORTS_MAX, &text, NULL);
	json_t *report;

	*ret = json_object();
	if (r < 0 && !file_is_absent(r)) {
		err_set(err, "--resume '%s' cannot be read: %s", path, strerror(-r));
		return r;
	}
	rest = r == 0 ? (char *)text.at : NULL;
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) /* the last line is cut off */
		if ((report = json_loads(line, 0, NULL)) != NULL) {
			add_done(*ret, report);
			json_decref(report);
		}
	buffer_free(&text);
	return 0;
}

/* ---- choosing ---- */

static void
choose(const struct options *options, const char *name, const json_t *done, struct names *ret)
{
	char *key = key_of(name);

	if (in_shard(options->shard, name) && json_object_get(done, key) == NULL)
		ret->at[ret->count++] = name;
	free(key);
}

void
names_choose(const struct options *options, json_t *ids, const json_t *done, struct names *ret)
{
	size_t count = ids != NULL ? json_array_size(ids) : options->vms.count;

	*ret = (struct names){ .at = calloc(count + 1, sizeof(*ret->at)), .ids = json_incref(ids) };
	for (size_t i = 0; i < count; i++)
		choose(options,
		       ids != NULL ? json_string_value(json_array_get(ids, i)) : options->vms.at[i],
		       done, ret);
}

void
names_free(struct names *names)
{
	free(names->at);
	json_decref(names->ids);
	*names = (struct names){ 0 };
}
