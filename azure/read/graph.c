/* Azure Resource Graph: one query over every subscription in sight. */
#include "azure/arm/pages.h"
#include "azure/read/fleet.h"
#include "azure/read/search.h"

#include <stdint.h>

#define GRAPH "/providers/Microsoft.ResourceGraph/resources"
#define GRAPH_PAGES 20
#define FLEET_PAGES 1000

/* Rows come as objects, or as a table of columns and rows. */
static bool
take_rows(json_t *rows, const json_t *page)
{
	const json_t *data = json_object_get(page, "data"), *row, *column;
	size_t i, j;

	if (json_is_array(data))
		json_array_extend(rows, (json_t *)(uintptr_t)data);
	json_array_foreach (doc_list(data, "rows"), i, row) {
		json_t *object = json_object();

		json_array_foreach (doc_list(data, "columns"), j, column)
			if (doc_str(column, "name") != NULL && json_array_get(row, j) != NULL)
				json_object_set(object, doc_str(column, "name"),
						json_array_get(row, j));
		json_array_append_new(rows, object);
	}
	return data != NULL;
}

/* The same for many: of each row only what tells it from others, and its text. */
static bool
take_texts(json_t *texts, const json_t *page)
{
	json_t *rows = json_array(), *row;
	bool taken = take_rows(rows, page);
	size_t i;

	json_array_foreach (rows, i, row)
		json_array_append_new(texts, fleet_row(row));
	json_decref(rows);
	return taken;
}

static json_t *
body_of(const char *query)
{
	return json_pack("{s:s, s:{s:s, s:i}}", "query", query, "options", "resultFormat",
			 "objectArray", "$top", 1000);
}

void
graph_ask(struct arm *arm, const char *query,
	  void (*done)(void *ctx, const struct arm_answer *answer), void *ctx)
{
	pages_ask(arm,
		  &(struct pages_ask){ .path = GRAPH,
				       .body = body_of(query),
				       .in = "options",
				       .token = "$skipToken",
				       .flags = ARM_HAS_FALLBACK,
				       .most = GRAPH_PAGES,
				       .take = take_rows },
		  done, ctx);
}

void
graph_read(struct arm *arm, const char *query, json_t *subscriptions,
	   void (*done)(void *ctx, const struct arm_answer *answer), void *ctx)
{
	json_t *body = body_of(query);

	json_object_set(body, "subscriptions", subscriptions);
	pages_ask(arm,
		  &(struct pages_ask){ .path = GRAPH,
				       .body = body,
				       .in = "options",
				       .token = "$skipToken",
				       .flags = ARM_LARGE,
				       .most = FLEET_PAGES,
				       .take = take_texts },
		  done, ctx);
}
