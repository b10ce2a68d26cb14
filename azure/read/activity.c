/* --deep: who did what to the VM lately, what happened to the rules of its security groups, and
 * which policies speak of them. */
#include "azure/arm/url.h"
#include "azure/read/rows.h"
#include "facts/arm.h"
#include "facts/time.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ACTIVITY_DAYS 7
#define ACTIVITY_MAX 50
#define CHANGES_MAX 200

#define GROUPS "/networksecuritygroups/"

static json_t *
entry_of(const json_t *event)
{
	json_t *entry = json_object();

	doc_set_str(entry, "time", doc_str(event, "eventTimestamp"));
	doc_set_str(entry, "operation", doc_str(event, "operationName.value"));
	doc_set_str(entry, "status", doc_str(event, "status.value"));
	doc_set_str(entry, "caller", doc_str(event, "caller"));
	doc_set_str(entry, "resource", doc_str(event, "resourceId"));
	return entry;
}

static void
vm_activity_got(void *ctx, const struct arm_answer *answer)
{
	struct vm_reader *reader = ctx;
	const json_t *event;
	size_t i;

	if (answer->why == NULL)
		reader->activity = json_array();
	json_array_foreach (answer->body, i, event) {
		if (reader->activity == NULL || i >= ACTIVITY_MAX)
			break;
		json_array_append_new(reader->activity, entry_of(event));
	}
	join_end(&reader->all);
}

/* One of the security groups that were reader, or a rule of it. */
static bool
on_our_groups(const struct vm_reader *reader, const char *resource)
{
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, GROUPS, &at)) != NULL;)
		if (resource != NULL && strncasecmp(resource, id, strlen(id)) == 0 &&
		    (resource[strlen(id)] == '/' || resource[strlen(id)] == '\0'))
			return true;
	return false;
}

static void
changes_got(void *ctx, const struct arm_answer *answer)
{
	struct vm_reader *reader = ctx;
	const json_t *event;
	size_t i;

	if (answer->why == NULL && reader->changes == NULL)
		reader->changes = json_array();
	json_array_foreach (answer->body, i, event)
		if (reader->changes != NULL && json_array_size(reader->changes) < CHANGES_MAX &&
		    on_our_groups(reader, doc_str(event, "resourceId")))
			json_array_append_new(reader->changes, entry_of(event));
	join_end(&reader->all);
}

static void
ask(struct vm_reader *reader, const char *id, const char *which, const char *value,
    void (*got)(void *ctx, const struct arm_answer *answer))
{
	char *path = path_in_subscription(id, "Microsoft.Insights/eventtypes/management/values");
	time_t at = time(NULL) - ACTIVITY_DAYS * 86400;
	char since[TIME_TEXT_SIZE], *filter, *encoded, *query;

	filter =
	    doc_fmt("eventTimestamp ge '%s' and %s eq '%s'", time_to_iso(at, since), which, value);
	encoded = url_encode(filter);
	query = doc_fmt("$filter=%s&$select=eventTimestamp,operationName,status,caller,resourceId",
			encoded);
	join_add(&reader->all);
	arm_ask(reader->fetches->arm,
		&(struct arm_ask){ .path = path, .query = query, .flags = ARM_LIST, .pages = 3 },
		got, reader);
	free(path);
	free(filter);
	free(encoded);
	free(query);
}

void
read_activity(struct vm_reader *reader)
{
	json_t *asked = json_object();
	char group[128];
	const char *id;

	ask(reader, reader->id, "resourceUri", reader->id, vm_activity_got);
	for (void *at = NULL; (id = reader_seen(reader, GROUPS, &at)) != NULL;) {
		char key[ARM_ID_MAX] = "";

		arm_id_key(id, key, sizeof(key));
		arm_id_group(key, group, sizeof(group));
		if (json_object_get(asked, group) == NULL)
			ask(reader, id, "resourceGroupName", group, changes_got);
		json_object_set_new(asked, group, json_true());
	}
	json_decref(asked);
}

/* ---- policies that speak of ports or of the Internet ---- */

static bool
speaks_of_ports(const json_t *assignment)
{
	static const char *const words[] = { "port", "ssh", "internet", "nsg", "security group" };
	const char *texts[] = { doc_str(assignment, "name"),
				doc_str(assignment, "properties.displayName") };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (size_t j = 0; j < 2; j++)
			if (texts[j] != NULL && strcasestr(texts[j], words[i]) != NULL)
				return true;
	return false;
}

static void
keep_policy(void *ctx, const char *id, const json_t *body)
{
	struct vm_reader *reader = ctx;

	if (speaks_of_ports(body))
		reader_keep(reader, id);
}

void
read_policies(struct vm_reader *reader)
{
	const char *id;

	for (void *at = NULL; (id = reader_seen(reader, GROUPS, &at)) != NULL;)
		reader_list(reader, &reader->all,
			    doc_fmt("%s/providers/Microsoft.Authorization/policyAssignments", id),
			    true, keep_policy);
}
