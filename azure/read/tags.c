/* The service tag list of the VM's region (--deep): several MB, so it is asked for only when a rule
 * names a tag that cannot be told without it, and only the tags that rules name are kept. */
#include "azure/read/rows.h"
#include "facts/arm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TAG_PAGES 20

struct tags {
	struct vm_reader *reader;
	char *path;
	json_t *named;  /* lower-cased name: true */
	json_t *values; /* what was kept */
	unsigned page;
};

static bool
is_tag(const char *prefix)
{
	static const char *const known[] = { "VirtualNetwork", "AzureLoadBalancer", "Internet",
					     "Any" };

	if (prefix == NULL ||
	    !((*prefix >= 'a' && *prefix <= 'z') || (*prefix >= 'A' && *prefix <= 'Z')) ||
	    strchr(prefix, ':') != NULL)
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcasecmp(prefix, known[i]) == 0)
			return false;
	return true;
}

static void
name_tag(json_t *named, const char *prefix)
{
	char key[ARM_ID_MAX];

	if (is_tag(prefix) && arm_id_key(prefix, key, sizeof(key)) == 0)
		json_object_set_new(named, key, json_true());
}

static void
name_tags_of(json_t *named, const json_t *group)
{
	const json_t *rule, *prefix;
	size_t i, j;

	json_array_foreach (doc_list(group, "properties.securityRules"), i, rule) {
		name_tag(named, doc_str(rule, "properties.sourceAddressPrefix"));
		json_array_foreach (doc_list(rule, "properties.sourceAddressPrefixes"), j, prefix)
			name_tag(named, json_string_value(prefix));
	}
}

static void
tags_end(struct tags *tags, json_t *why)
{
	struct vm_reader *reader = tags->reader;

	reader_enter(reader, tags->path,
		     why == NULL ? json_pack("{s:O}", "values", tags->values) : NULL, why);
	json_decref(tags->named);
	json_decref(tags->values);
	free(tags->path);
	free(tags);
	join_end(&reader->all);
}

static void tags_ask(struct tags *tags, const char *query);

static void
keep_named(struct tags *tags, const json_t *values)
{
	const json_t *entry;
	char key[ARM_ID_MAX];
	size_t i;

	json_array_foreach (values, i, entry)
		if (arm_id_key(doc_str(entry, "name"), key, sizeof(key)) == 0 &&
		    json_object_get(tags->named, key) != NULL)
			json_array_append(tags->values, (json_t *)(uintptr_t)entry);
}

/* The next page is this list again, with the token that the link holds. */
static void
tags_got(void *ctx, const struct arm_answer *answer)
{
	struct tags *tags = ctx;
	const char *next = doc_str(answer->body, "nextLink"),
		   *token = next != NULL ? strcasestr(next, "skiptoken=") : NULL;
	char *query;

	keep_named(tags, doc_list(answer->body, "values"));
	if (answer->why != NULL || token == NULL ||
	    json_array_size(tags->values) == json_object_size(tags->named) ||
	    ++tags->page >= TAG_PAGES) {
		tags_end(tags, answer->why);
		return;
	}
	query = doc_fmt("$%.*s", (int)strcspn(token, "&"), token);
	tags_ask(tags, query);
	free(query);
}

static void
tags_ask(struct tags *tags, const char *query)
{
	arm_ask(tags->reader->fetches->arm, &(struct arm_ask){ .path = tags->path, .query = query },
		tags_got, tags);
}

void
read_service_tags(struct vm_reader *reader)
{
	const char *location = doc_str(reader_vm(reader, NULL), "location"), *id;
	json_t *named = json_object();
	char type[256];
	struct tags *tags;
	const json_t *body;

	for (void *at = NULL; (id = reader_seen(reader, "/networksecuritygroups/", &at)) != NULL;)
		if (facts_resource(&reader->facts, id, &body, NULL) == FACT_KNOWN)
			name_tags_of(named, body);
	if (json_object_size(named) == 0 || location == NULL) {
		json_decref(named);
		return;
	}
	snprintf(type, sizeof(type), "Microsoft.Network/locations/%s/serviceTags", location);
	tags = malloc(sizeof(*tags));
	*tags = (struct tags){ .reader = reader,
			       .named = named,
			       .values = json_array(),
			       .path = path_in_subscription(reader->id, type) };
	join_add(&reader->all);
	tags_ask(tags, NULL);
}
