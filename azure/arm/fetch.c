#include "azure/arm/fetch.h"
#include "azure/arm/path.h"
#include "azure/arm/reply.h"
#include "facts/arm.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
resource_got(void *ctx, const struct arm_answer *answer)
{
	struct fetch *fetch = ctx;
	json_t *why = json_incref(answer->why);

	if (!json_is_object(answer->body) && why == NULL)
		why = reply_entry(FACT_UNKNOWN, "not-json",
				  "%s came as something else than an object",
				  arm_id_name(fetch->path));
	fetch_enter(fetch->all, fetch->key,
		    json_is_object(answer->body) ? json_incref(answer->body) : NULL, why);
	json_decref(why);
	fetch_end(fetch);
}

static bool
is_vm(const char *type)
{
	return strcmp(type, "microsoft.compute/virtualmachines") == 0 ||
	       strcmp(type, "microsoft.compute/virtualmachinescalesets/virtualmachines") == 0;
}

/* The parent of a subnet, which is part of its body; false for any other type. */
static bool
vnet_of(const char *id, char *ret, size_t size)
{
	char type[192];

	return arm_id_type(id, type, sizeof(type)) == 0 &&
	       strcmp(type, "microsoft.network/virtualnetworks/subnets") == 0 &&
	       arm_id_parent(id, ret, size) == 0;
}

/* Takes a subnet out of its VNet's body. */
static bool
keep_subnet(struct fetches *fetches, const char *id)
{
	char vnet_id[ARM_ID_MAX], key[ARM_ID_MAX];
	const json_t *vnet, *subnet;
	size_t i;

	if (!vnet_of(id, vnet_id, sizeof(vnet_id)) || arm_id_key(vnet_id, key, sizeof(key)) < 0)
		return false;
	if ((vnet = json_object_get(fetch_facts(fetches, "resources"), key)) == NULL)
		vnet = json_object_get(fetches->held, key);
	if (json_is_string(vnet) && list_keep(fetches, vnet_id))
		vnet = json_object_get(fetch_facts(fetches, "resources"), key);
	json_array_foreach (doc_list(vnet, "properties.subnets"), i, subnet) {
		if (!arm_id_same(doc_str(subnet, "id"), id) ||
		    doc_get(subnet, "properties") == NULL)
			continue;
		fetch_enter(fetches, id, json_incref((json_t *)(uintptr_t)subnet), NULL);
		return true;
	}
	return false;
}

/* The list under way that may bring the resource, NULL when there is none. */
static struct fetch *
list_bringing(const struct fetches *fetches, const char *id)
{
	char type[192], vnet[ARM_ID_MAX];
	struct fetch *fetch;
	char *path;

	if (vnet_of(id, vnet, sizeof(vnet)))
		id = vnet;
	if (arm_id_type(id, type, sizeof(type)) < 0)
		return NULL;
	path = path_in_group(id, type);
	fetch = fetch_find(fetches, path);
	free(path);
	return fetch != NULL && !fetch->ended ? fetch : NULL;
}

/* A resource asked for again when a list has ended. */
struct deferred_get {
	struct fetches *fetches;
	char *id;
	void (*done)(void *ctx);
	void *ctx;
};

static void
retry_get(void *ctx)
{
	struct deferred_get *get = ctx;

	fetch_resource(get->fetches, get->id, get->done, get->ctx);
	free(get->id);
	free(get);
}

static bool
wait_for_list(struct fetches *fetches, const char *id, void (*done)(void *ctx), void *ctx)
{
	struct fetch *list = list_bringing(fetches, id);
	struct deferred_get *get;

	if (list == NULL)
		return false;
	get = malloc(sizeof(*get));
	*get =
	    (struct deferred_get){ .fetches = fetches, .id = strdup(id), .done = done, .ctx = ctx };
	waiters_add(&list->waiters, retry_get, get);
	return true;
}

void
fetch_resource(struct fetches *fetches, const char *id, void (*done)(void *ctx), void *ctx)
{
	char key[ARM_ID_MAX], type[192] = "";

	if (arm_id_key(id, key, sizeof(key)) < 0 ||
	    json_object_get(fetch_facts(fetches, "resources"), key) != NULL) {
		done(ctx);
		return;
	}
	arm_id_type(id, type, sizeof(type));
	if (is_vm(type) && !list_keep(fetches, id)) { /* but of many, no list holds its state */
		fetch_optional(fetches,
			       &(struct arm_ask){ .path = id, .query = "$expand=instanceView" },
			       done, ctx);
		return;
	}
	if (list_keep(fetches, id) || keep_subnet(fetches, id))
		done(ctx);
	else if (!wait_for_list(fetches, id, done, ctx))
		fetch_optional(fetches, &(struct arm_ask){ .path = id }, done, ctx);
}

void
fetch_optional(struct fetches *fetches, const struct arm_ask *ask, void (*done)(void *ctx),
	       void *ctx)
{
	bool begin;
	struct fetch *fetch = fetch_of(fetches, ask->path, &begin);

	fetch_wait(fetch, done, ctx);
	if (begin)
		arm_ask(fetches->arm, ask, resource_got, fetch);
}
