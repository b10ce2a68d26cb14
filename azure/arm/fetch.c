#include "azure/inside.h"
#include "facts/arm.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPARE_PAGES 4

/* One resource or list on its way or there. */
struct fetch {
	struct azure *azure;
	char *key, *path;
	bool list, ended;
	json_t *ids; /* of a list's items */
	struct waiter *waiters;
};

static struct fetch *
fetch_find(const struct azure *azure, const char *key)
{
	const json_t *at = json_object_get(azure->fetches, key);

	return at != NULL ? (struct fetch *)(intptr_t)json_integer_value(at) : NULL;
}

static struct fetch *
fetch_new(struct azure *azure, const char *key, const char *path, bool list)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	*fetch = (struct fetch){ .azure = azure,
				 .key = strdup(key),
				 .path = strdup(path),
				 .list = list,
				 .ids = list ? json_array() : NULL };
	json_object_set_new(azure->fetches, key, json_integer((json_int_t)(intptr_t)fetch));
	return fetch;
}

static void
fetch_wait(struct fetch *fetch, void (*done)(void *ctx), void *ctx)
{
	struct waiter *waiter = malloc(sizeof(*waiter)), **end = &fetch->waiters;

	if (waiter == NULL) {
		done(ctx);
		return;
	}
	*waiter = (struct waiter){ .done = done, .ctx = ctx };
	while (*end != NULL)
		end = &(*end)->next;
	*end = waiter;
}

static void
fetch_end(struct fetch *fetch)
{
	struct waiter *waiters = fetch->waiters;

	fetch->ended = true;
	fetch->waiters = NULL;
	while (waiters != NULL) {
		struct waiter *next = waiters->next;

		waiters->done(waiters->ctx);
		free(waiters);
		waiters = next;
	}
}

void
fetch_free(struct azure *azure)
{
	const char *key;
	json_t *value;

	json_object_foreach (azure->fetches, key, value) {
		struct fetch *fetch = (struct fetch *)(intptr_t)json_integer_value(value);

		free(fetch->key);
		free(fetch->path);
		json_decref(fetch->ids);
		free(fetch);
	}
	json_decref(azure->fetches);
}

/* ---- what is there ---- */

json_t *
fetch_held(const struct azure *azure, const char *id)
{
	char key[ARM_ID_MAX];

	return arm_id_key(id, key, sizeof(key)) == 0 ? json_object_get(azure->held, key) : NULL;
}

bool
fetch_keep(struct azure *azure, const char *id)
{
	char key[ARM_ID_MAX];
	json_t *body;

	if (arm_id_key(id, key, sizeof(key)) < 0)
		return false;
	if (json_object_get(azure_facts(azure, "resources"), key) != NULL)
		return true;
	if ((body = json_object_get(azure->held, key)) == NULL)
		return false;
	json_object_set(azure_facts(azure, "resources"), key, body);
	json_object_del(azure_facts(azure, "missing"), key);
	return true;
}

const json_t *
fetch_listed(const struct azure *azure, const char *path)
{
	char key[ARM_ID_MAX];
	const struct fetch *fetch;

	if (arm_id_key(path, key, sizeof(key)) < 0 || (fetch = fetch_find(azure, key)) == NULL ||
	    !fetch->ended)
		return NULL;
	return fetch->ids;
}

/* ---- lists ---- */

/* Items are held by id; of a resource that was read by itself, that reading stays. */
static void
hold_items(struct fetch *fetch, const json_t *items)
{
	char key[ARM_ID_MAX];
	const json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		const char *id = doc_str(item, "id");

		if (id == NULL || arm_id_key(id, key, sizeof(key)) < 0)
			continue;
		doc_append_str(fetch->ids, id);
		if (json_object_get(fetch->azure->held, key) == NULL)
			json_object_set(fetch->azure->held, key, (json_t *)(uintptr_t)item);
	}
}

static void
list_got(void *ctx, const struct arm_answer *answer)
{
	struct fetch *fetch = ctx;
	json_t *lists = azure_facts(fetch->azure, "lists"), *entry;

	hold_items(fetch, answer->body);
	if (answer->why != NULL) {
		json_object_set(lists, fetch->key, answer->why);
	} else {
		entry = json_pack("{s:s}", "state", "known");
		if (answer->more)
			doc_set_bool(entry, "partial", true);
		json_object_set_new(lists, fetch->key, entry);
	}
	fetch_end(fetch);
}

void
fetch_list(struct azure *azure, const char *path, bool spare, void (*done)(void *ctx), void *ctx)
{
	char key[ARM_ID_MAX];
	struct fetch *fetch = NULL;
	bool begin;

	if (arm_id_key(path, key, sizeof(key)) == 0 && (fetch = fetch_find(azure, key)) == NULL)
		begin = (fetch = fetch_new(azure, key, path, true)) != NULL;
	else
		begin = false;
	if (done != NULL && (fetch == NULL || fetch->ended))
		done(ctx);
	else if (done != NULL)
		fetch_wait(fetch, done, ctx);
	if (begin)
		arm_ask(azure,
			&(struct arm_ask){ .path = path,
					   .flags = ARM_LIST | (spare ? ARM_SPARE : 0),
					   .pages = spare ? SPARE_PAGES : 0 },
			list_got, fetch);
}

char *
fetch_group_path(const char *id, const char *type)
{
	struct arm_id parsed;

	if (arm_id_parse(id, &parsed) < 0 || parsed.group.len == 0)
		return NULL;
	return doc_fmt("/subscriptions/%.*s/resourceGroups/%.*s/providers/%s",
		       (int)parsed.subscription.len, parsed.subscription.at, (int)parsed.group.len,
		       parsed.group.at, type);
}

static const char *const group_types[] = { "Microsoft.Network/networkInterfaces",
					   "Microsoft.Network/publicIPAddresses",
					   "Microsoft.Network/networkSecurityGroups",
					   "Microsoft.Network/virtualNetworks" };

void
fetch_group(struct azure *azure, const char *vm_id)
{
	for (size_t i = 0; i < sizeof(group_types) / sizeof(*group_types); i++) {
		char *path = fetch_group_path(vm_id, group_types[i]);

		if (path != NULL)
			fetch_list(azure, path, true, NULL, NULL);
		free(path);
	}
}

/* ---- resources ---- */

static const char *
query_for(const char *type)
{
	return strcmp(type, "microsoft.compute/virtualmachines") == 0 ||
		       strcmp(type, "microsoft.compute/virtualmachinescalesets/virtualmachines") ==
			   0
		   ? "$expand=instanceView"
		   : NULL;
}

static void
resource_got(void *ctx, const struct arm_answer *answer)
{
	struct fetch *fetch = ctx;
	struct azure *azure = fetch->azure;

	if (json_is_object(answer->body)) {
		json_object_set(azure_facts(azure, "resources"), fetch->key, answer->body);
	} else if (answer->why != NULL) {
		json_object_set(azure_facts(azure, "missing"), fetch->key, answer->why);
	} else {
		json_object_set_new(azure_facts(azure, "missing"), fetch->key,
				    reply_entry(FACT_UNKNOWN, "not-json",
						"%s came as something else than "
						"an object",
						arm_id_name(fetch->path)));
	}
	fetch_end(fetch);
}

/* A subnet stands in its VNet's body too. */
static bool
take_subnet(struct azure *azure, const char *id)
{
	char parent[ARM_ID_MAX], key[ARM_ID_MAX];
	const json_t *vnet, *subnet;
	size_t i;

	if (arm_id_parent(id, parent, sizeof(parent)) < 0 ||
	    arm_id_key(parent, key, sizeof(key)) < 0)
		return false;
	if ((vnet = json_object_get(azure_facts(azure, "resources"), key)) == NULL)
		vnet = json_object_get(azure->held, key);
	json_array_foreach (doc_list(vnet, "properties.subnets"), i, subnet) {
		if (!arm_id_same(doc_str(subnet, "id"), id) ||
		    doc_get(subnet, "properties") == NULL || arm_id_key(id, key, sizeof(key)) < 0)
			continue;
		json_object_set(azure_facts(azure, "resources"), key, (json_t *)(uintptr_t)subnet);
		return true;
	}
	return false;
}

/* The list under way that may bring the resource, NULL when there is none. */
static struct fetch *
list_bringing(struct azure *azure, const char *id)
{
	char type[192], parent[ARM_ID_MAX], key[ARM_ID_MAX];
	struct fetch *fetch = NULL;
	char *path;

	if (arm_id_type(id, type, sizeof(type)) < 0)
		return NULL;
	if (strcmp(type, "microsoft.network/virtualnetworks/subnets") == 0 &&
	    arm_id_parent(id, parent, sizeof(parent)) == 0)
		return list_bringing(azure, parent);
	if ((path = fetch_group_path(id, type)) != NULL && arm_id_key(path, key, sizeof(key)) == 0)
		fetch = fetch_find(azure, key);
	free(path);
	return fetch != NULL && !fetch->ended ? fetch : NULL;
}

struct wish {
	struct azure *azure;
	char *id;
	void (*done)(void *ctx);
	void *ctx;
};

static void
wish_again(void *ctx)
{
	struct wish *wish = ctx;

	fetch_resource(wish->azure, wish->id, wish->done, wish->ctx);
	free(wish->id);
	free(wish);
}

static bool
wait_for_list(struct azure *azure, const char *id, void (*done)(void *ctx), void *ctx)
{
	struct fetch *list = list_bringing(azure, id);
	struct wish *wish = list != NULL ? malloc(sizeof(*wish)) : NULL;

	if (wish == NULL)
		return false;
	*wish = (struct wish){ .azure = azure, .id = strdup(id), .done = done, .ctx = ctx };
	fetch_wait(list, wish_again, wish);
	return true;
}

void
fetch_resource(struct azure *azure, const char *id, void (*done)(void *ctx), void *ctx)
{
	char key[ARM_ID_MAX], type[192] = "";
	struct fetch *fetch;

	if (arm_id_key(id, key, sizeof(key)) < 0 ||
	    json_object_get(azure_facts(azure, "resources"), key) != NULL) {
		done(ctx);
		return;
	}
	arm_id_type(id, type, sizeof(type));
	if (query_for(type) == NULL &&
	    (fetch_keep(azure, id) ||
	     (strcmp(type, "microsoft.network/virtualnetworks/subnets") == 0 &&
	      take_subnet(azure, id)))) {
		done(ctx);
		return;
	}
	if (query_for(type) == NULL && wait_for_list(azure, id, done, ctx))
		return;
	if ((fetch = fetch_find(azure, key)) != NULL) {
		if (fetch->ended)
			done(ctx);
		else
			fetch_wait(fetch, done, ctx);
		return;
	}
	if ((fetch = fetch_new(azure, key, id, false)) == NULL) {
		done(ctx);
		return;
	}
	fetch_wait(fetch, done, ctx);
	arm_ask(azure, &(struct arm_ask){ .path = id, .query = query_for(type) }, resource_got,
		fetch);
}

void
fetch_aside(struct azure *azure, const struct arm_ask *ask, void (*done)(void *ctx), void *ctx)
{
	char key[ARM_ID_MAX];
	struct fetch *fetch;
	bool begin;

	if (arm_id_key(ask->path, key, sizeof(key)) < 0) {
		done(ctx);
		return;
	}
	fetch = fetch_find(azure, key);
	if ((begin = fetch == NULL))
		fetch = fetch_new(azure, key, ask->path, false);
	if (fetch == NULL || fetch->ended)
		done(ctx);
	else
		fetch_wait(fetch, done, ctx);
	if (begin && fetch != NULL)
		arm_ask(azure, ask, resource_got, fetch);
}
