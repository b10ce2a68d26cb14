#include "azure/arm/fetch.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

void
fetches_begin(struct fetches *fetches, struct arm *arm)
{
	*fetches = (struct fetches){ .arm = arm, .held = json_object() };
}

/* ---- the table ---- */

/* Where the key is or would be: open addressing, at most half full. */
static struct fetch **
slot_of(const struct fetches *fetches, const char *key)
{
	size_t hash = 2166136261u;

	for (const char *p = key; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	for (;; hash++) {
		struct fetch **slot = &fetches->at[hash % fetches->room];

		if (*slot == NULL || strcmp((*slot)->key, key) == 0)
			return slot;
	}
}

static void
grow(struct fetches *fetches)
{
	struct fetches old = *fetches;

	fetches->room = old.room == 0 ? 64 : old.room * 2;
	fetches->at = calloc(fetches->room, sizeof(struct fetch *));
	for (size_t i = 0; i < old.room; i++)
		if (old.at[i] != NULL)
			*slot_of(fetches, old.at[i]->key) = old.at[i];
	free(old.at);
}

struct fetch *
fetch_find(const struct fetches *fetches, const char *path)
{
	char key[ARM_ID_MAX];

	if (fetches->room == 0 || arm_id_key(path, key, sizeof(key)) < 0)
		return NULL;
	return *slot_of(fetches, key);
}

struct fetch *
fetch_of(struct fetches *fetches, const char *path, bool *begin)
{
	char key[ARM_ID_MAX];
	struct fetch **slot;

	*begin = false;
	if (arm_id_key(path, key, sizeof(key)) < 0)
		return NULL;
	if (fetches->count * 2 >= fetches->room)
		grow(fetches);
	slot = slot_of(fetches, key);
	if (*slot == NULL) {
		*slot = malloc(sizeof(struct fetch));
		**slot = (struct fetch){ .all = fetches, .key = strdup(key), .path = strdup(path) };
		fetches->count++;
		*begin = true;
	}
	return *slot;
}

void
fetches_free(struct fetches *fetches)
{
	for (size_t i = 0; i < fetches->room; i++) {
		struct fetch *fetch = fetches->at[i];

		if (fetch == NULL)
			continue;
		for (size_t j = 0; j < fetch->count; j++)
			free(fetch->items[j].id);
		free(fetch->items);
		free(fetch->key);
		free(fetch->path);
		free(fetch);
	}
	free(fetches->at);
	json_decref(fetches->held);
}

/* ---- ending ---- */

void
fetch_wait(struct fetch *fetch, void (*done)(void *ctx), void *ctx)
{
	if (done == NULL)
		return;
	if (fetch == NULL || fetch->ended)
		done(ctx);
	else
		waiters_add(&fetch->waiters, done, ctx);
}

void
fetch_end(struct fetch *fetch)
{
	fetch->ended = true;
	waiters_call(&fetch->waiters);
}

json_t *
fetch_facts(const struct fetches *fetches, const char *member)
{
	return azure_facts(fetches->arm->web->doc, member);
}

void
fetch_enter(struct fetches *fetches, const char *path, json_t *body, json_t *why)
{
	char key[ARM_ID_MAX];

	if (arm_id_key(path, key, sizeof(key)) < 0)
		json_decref(body);
	else if (body != NULL)
		json_object_set_new(fetch_facts(fetches, "resources"), key, body);
	else if (why != NULL)
		json_object_set(fetch_facts(fetches, "missing"), key, why);
}

static void
share(json_t *from, json_t *doc, const char *member, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value != NULL)
		json_object_set(azure_facts(doc, member), key, value);
}

void
fetch_share(const struct fetches *fetches, const char *path, json_t *doc)
{
	char key[ARM_ID_MAX];

	if (doc == fetches->arm->web->doc || arm_id_key(path, key, sizeof(key)) < 0)
		return;
	share(fetch_facts(fetches, "resources"), doc, "resources", key);
	share(fetch_facts(fetches, "missing"), doc, "missing", key);
}
