#include "azure/arm/fetch.h"
#include "facts/arm.h"
#include "facts/doc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FALLBACK_PAGES 4

/* What is held is a body, or its text: of many VMs there is no room for all the bodies at once. A
 * new reference; NULL when there is none. */
static json_t *
held_body(const struct fetches *fetches, const char *key)
{
	json_t *held = json_object_get(fetches->held, key);

	if (json_is_string(held))
		return json_loadb(json_string_value(held), json_string_length(held), 0, NULL);
	return json_incref(held);
}

bool
list_keep(struct fetches *fetches, const char *id)
{
	char key[ARM_ID_MAX];
	json_t *body;

	if (arm_id_key(id, key, sizeof(key)) < 0)
		return false;
	if (json_object_get(fetch_facts(fetches, "resources"), key) != NULL)
		return true;
	if ((body = held_body(fetches, key)) == NULL)
		return false;
	json_object_set_new(fetch_facts(fetches, "resources"), key, body);
	json_object_del(fetch_facts(fetches, "missing"), key);
	return true;
}

void
list_each(const struct fetches *fetches, const char *path,
	  void (*item)(void *ctx, const char *id, const json_t *body), void *ctx)
{
	const struct fetch *fetch = fetch_find(fetches, path);
	char key[ARM_ID_MAX];

	for (size_t i = 0; fetch != NULL && fetch->ended && i < fetch->count; i++) {
		const struct item *at = &fetch->items[i];
		json_t *body = json_incref(at->body);

		if (body == NULL && arm_id_key(at->id, key, sizeof(key)) == 0)
			body = held_body(fetches, key);
		if (body != NULL)
			item(ctx, at->id, body);
		json_decref(body);
	}
}

const json_t *
list_state(const struct fetches *fetches, const char *path)
{
	char key[ARM_ID_MAX];

	if (arm_id_key(path, key, sizeof(key)) < 0)
		return NULL;
	return json_object_get(fetch_facts(fetches, "lists"), key);
}

/* ---- asking ---- */

/* Of a resource that is held already, that body stays. */
static void
hold_items(struct fetch *fetch, const json_t *items)
{
	json_t *held = fetch->all->held;
	char key[ARM_ID_MAX];
	const json_t *item;
	size_t i;

	fetch->items = calloc(json_array_size(items), sizeof(*fetch->items));
	json_array_foreach (items, i, item) {
		const char *id = doc_str(item, "id");

		if (id == NULL || arm_id_key(id, key, sizeof(key)) < 0)
			continue;
		if (json_object_get(held, key) == NULL)
			json_object_set(held, key, (json_t *)(uintptr_t)item);
		fetch->items[fetch->count++] =
		    (struct item){ .id = strdup(id), .body = json_object_get(held, key) };
	}
}

static void
list_got(void *ctx, const struct arm_answer *answer)
{
	struct fetch *fetch = ctx;
	json_t *lists = fetch_facts(fetch->all, "lists"), *entry;

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
list_feed(struct fetches *fetches, const char *path, const json_t *ids, json_t *why)
{
	const json_t *id;
	struct fetch *fetch;
	bool begin;
	size_t i;

	if ((fetch = fetch_of(fetches, path, &begin)) == NULL || !begin)
		return;
	list_got(fetch, &(struct arm_answer){ .why = why });
	free(fetch->items);
	fetch->items = calloc(json_array_size(ids) + 1, sizeof(*fetch->items));
	json_array_foreach (ids, i, id)
		fetch->items[fetch->count++].id = strdup(json_string_value(id));
}

void
list_hold(struct fetches *fetches, const char *id, json_t *body)
{
	char key[ARM_ID_MAX];

	if (arm_id_key(id, key, sizeof(key)) == 0)
		json_object_set_new(fetches->held, key, body);
	else
		json_decref(body);
}

void
list_forget(struct fetches *fetches, const char *id)
{
	char key[ARM_ID_MAX];

	if (arm_id_key(id, key, sizeof(key)) == 0 &&
	    json_is_string(json_object_get(fetches->held, key)))
		json_object_del(fetch_facts(fetches, "resources"), key);
}

void
list_fetch(struct fetches *fetches, const char *path, bool has_fallback, void (*done)(void *ctx),
	   void *ctx)
{
	struct arm_ask ask = { .path = path, .flags = ARM_LIST };
	bool begin;
	struct fetch *fetch = fetch_of(fetches, path, &begin);

	if (has_fallback) {
		ask.flags |= ARM_HAS_FALLBACK;
		ask.pages = FALLBACK_PAGES;
	}
	fetch_wait(fetch, done, ctx);
	if (begin)
		arm_ask(fetches->arm, &ask, list_got, fetch);
}

struct visit {
	const struct fetches *fetches;
	char *path;
	void (*item)(void *ctx, const char *id, const json_t *body);
	void *ctx;
	void (*done)(void *ctx);
	void *done_ctx;
};

static void
visit_items(void *ctx)
{
	struct visit visit = *(struct visit *)ctx;

	free(ctx);
	list_each(visit.fetches, visit.path, visit.item, visit.ctx);
	free(visit.path);
	visit.done(visit.done_ctx);
}

void
list_visit(struct fetches *fetches, const char *path, bool has_fallback,
	   void (*item)(void *ctx, const char *id, const json_t *body), void *ctx,
	   void (*done)(void *ctx), void *done_ctx)
{
	struct visit *visit = malloc(sizeof(*visit));

	*visit = (struct visit){ .fetches = fetches,
				 .path = strdup(path),
				 .item = item,
				 .ctx = ctx,
				 .done = done,
				 .done_ctx = done_ctx };
	list_fetch(fetches, path, has_fallback, visit_items, visit);
}
