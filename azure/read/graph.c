/* Azure Resource Graph: one query over every subscription in sight. */
#include "azure/arm/reply.h"
#include "azure/read/search.h"

#include <stdlib.h>
#include <string.h>

#define GRAPH_PAGES 20

struct graph {
	struct arm *arm;
	char *query;
	json_t *rows;
	unsigned page;
	void (*done)(void *ctx, const struct arm_answer *answer);
	void *ctx;
};

static void graph_page(struct graph *graph, const char *skip);

static void
graph_end(struct graph *graph, json_t *why)
{
	struct graph ended = *graph;

	free(graph->query);
	free(graph);
	ended.done(ended.ctx,
		   &(struct arm_answer){ .body = why == NULL ? ended.rows : NULL, .why = why });
	json_decref(ended.rows);
}

/* Rows come as objects, or as a table of columns and rows. */
static void
take_rows(struct graph *graph, const json_t *data)
{
	const json_t *row, *columns = doc_list(data, "columns"), *column;
	json_t *object;
	size_t i, j;

	if (json_is_array(data))
		json_array_extend(graph->rows, (json_t *)(uintptr_t)data);
	json_array_foreach (doc_list(data, "rows"), i, row) {
		object = json_object();
		json_array_foreach (columns, j, column)
			if (doc_str(column, "name") != NULL && json_array_get(row, j) != NULL)
				json_object_set(object, doc_str(column, "name"),
						json_array_get(row, j));
		json_array_append_new(graph->rows, object);
	}
}

static void
graph_got(void *ctx, const struct arm_answer *answer)
{
	struct graph *graph = ctx;
	const char *skip = json_string_value(json_object_get(answer->body, "$skipToken"));
	json_t *why;

	if (answer->why != NULL) {
		graph_end(graph, answer->why);
	} else if (json_object_get(answer->body, "data") == NULL) {
		why = reply_entry(FACT_UNKNOWN, "not-json", "Resource Graph answered without data");
		graph_end(graph, why);
		json_decref(why);
	} else {
		take_rows(graph, json_object_get(answer->body, "data"));
		if (skip != NULL && *skip != '\0' && ++graph->page < GRAPH_PAGES)
			graph_page(graph, skip);
		else
			graph_end(graph, NULL);
	}
}

static void
graph_page(struct graph *graph, const char *skip)
{
	json_t *body = json_pack("{s:s, s:{s:s, s:i}}", "query", graph->query, "options",
				 "resultFormat", "objectArray", "$top", 1000);

	if (skip != NULL)
		json_object_set_new(json_object_get(body, "options"), "$skipToken",
				    json_string(skip));
	arm_ask(graph->arm,
		&(struct arm_ask){ .method = "POST",
				   .path = "/providers/Microsoft.ResourceGraph/resources",
				   .body = body,
				   .flags = ARM_HAS_FALLBACK },
		graph_got, graph);
	json_decref(body);
}

void
graph_ask(struct arm *arm, const char *query,
	  void (*done)(void *ctx, const struct arm_answer *answer), void *ctx)
{
	struct graph *graph = malloc(sizeof(*graph));

	*graph = (struct graph){
		.arm = arm, .query = strdup(query), .rows = json_array(), .done = done, .ctx = ctx
	};
	graph_page(graph, NULL);
}
