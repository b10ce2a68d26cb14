/* --deep: who did what to the VM lately, what happened to the rules of its security groups, and
 * which policies speak of them. */
#include "azure/inside.h"
#include "facts/time.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ACTIVITY_DAYS 7
#define ACTIVITY_MAX 50
#define CHANGES_MAX 200

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
	struct read *read = ctx;
	const json_t *event;
	size_t i;

	if (answer->why == NULL)
		read->activity = json_array();
	json_array_foreach (answer->body, i, event) {
		if (read->activity == NULL || i >= ACTIVITY_MAX)
			break;
		json_array_append_new(read->activity, entry_of(event));
	}
	read_aside_end(read);
}

/* One of the security groups that were read, or a rule of it. */
static bool
on_our_groups(const struct read *read, const char *resource)
{
	const char *key;
	const json_t *id;

	json_object_foreach (read->seen, key, id)
		if (strstr(key, "/networksecuritygroups/") != NULL && resource != NULL &&
		    strncasecmp(resource, key, strlen(key)) == 0 &&
		    (resource[strlen(key)] == '/' || resource[strlen(key)] == '\0'))
			return true;
	return false;
}

static void
changes_got(void *ctx, const struct arm_answer *answer)
{
	struct read *read = ctx;
	const json_t *event;
	size_t i;

	if (answer->why == NULL && read->changes == NULL)
		read->changes = json_array();
	json_array_foreach (answer->body, i, event)
		if (read->changes != NULL && json_array_size(read->changes) < CHANGES_MAX &&
		    on_our_groups(read, doc_str(event, "resourceId")))
			json_array_append_new(read->changes, entry_of(event));
	read_aside_end(read);
}

static void
ask(struct read *read, const char *id, const char *which, const char *value,
    void (*got)(void *ctx, const struct arm_answer *answer))
{
	char subscription[128], since[TIME_TEXT_SIZE];
	time_t at = time(NULL) - ACTIVITY_DAYS * 86400;
	char *path, *filter, *encoded, *query;

	arm_id_subscription(id, subscription, sizeof(subscription));
	path =
	    doc_fmt("/subscriptions/%s/providers/Microsoft.Insights/eventtypes/management/values",
		    subscription);
	filter =
	    doc_fmt("eventTimestamp ge '%s' and %s eq '%s'", time_to_iso(at, since), which, value);
	encoded = url_encode(filter);
	query =
	    encoded != NULL
		? doc_fmt(
		      "$filter=%s&$select=eventTimestamp,operationName,status,caller,resourceId",
		      encoded)
		: NULL;
	if (path != NULL && query != NULL) {
		read->aside++;
		arm_ask(read->azure,
			&(struct arm_ask){
			    .path = path, .query = query, .flags = ARM_LIST, .pages = 3 },
			got, read);
	}
	free(path);
	free(filter);
	free(encoded);
	free(query);
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

struct policies {
	struct read *read;
	char *path;
};

static void
policies_listed(void *ctx)
{
	struct policies *policies = ctx;
	struct read *read = policies->read;
	const json_t *id;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(read->azure, policies->path), i, id)
		if (speaks_of_ports(fetch_held(read->azure, json_string_value(id))))
			fetch_keep(read->azure, json_string_value(id));
	free(policies->path);
	free(policies);
	read_aside_end(read);
}

static void
ask_policies(struct read *read, const char *group)
{
	struct policies *policies = malloc(sizeof(*policies));

	if (policies == NULL)
		return;
	*policies = (struct policies){
		read, doc_fmt("%s/providers/Microsoft.Authorization/policyAssignments", group)
	};
	read->aside++;
	fetch_list(read->azure, policies->path, true, policies_listed, policies);
}

void
read_activity(struct read *read)
{
	json_t *asked = json_object();
	const char *key;
	const json_t *id;
	char name[128];

	ask(read, read->id, "resourceUri", read->id, vm_activity_got);
	json_object_foreach (read->seen, key, id) {
		struct arm_id parsed;

		if (strstr(key, "/networksecuritygroups/") == NULL ||
		    arm_id_parse(json_string_value(id), &parsed) < 0)
			continue;
		ask_policies(read, json_string_value(id));
		arm_id_group(key, name, sizeof(name));
		if (json_object_get(asked, name) == NULL)
			ask(read, json_string_value(id), "resourceGroupName", name, changes_got);
		json_object_set_new(asked, name, json_true());
	}
	json_decref(asked);
}
