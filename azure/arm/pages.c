#include "azure/arm/pages.h"
#include "azure/arm/reply.h"

#include <stdlib.h>

struct pages {
	struct arm *arm;
	struct pages_ask ask;
	json_t *items;
	unsigned page;
	void (*done)(void *ctx, const struct arm_answer *answer);
	void *ctx;
};

static void
pages_end(struct pages *pages, json_t *why, bool more)
{
	struct pages ended = *pages;

	free(pages);
	ended.done(ended.ctx, &(struct arm_answer){ .body = why == NULL ? ended.items : NULL,
						    .why = why,
						    .more = more });
	json_decref(ended.items);
	json_decref(ended.ask.body);
}

static void pages_next(struct pages *pages);

/* The object that takes the token. */
static json_t *
token_place(const struct pages *pages)
{
	const struct pages_ask *ask = &pages->ask;

	return ask->in != NULL ? json_object_get(ask->body, ask->in) : ask->body;
}

static void
pages_got(void *ctx, const struct arm_answer *answer)
{
	struct pages *pages = ctx;
	const struct pages_ask *ask = &pages->ask;
	const char *token = json_string_value(json_object_get(answer->body, ask->token));
	json_t *why;

	if (answer->why != NULL) {
		pages_end(pages, answer->why, false);
	} else if (!ask->take(pages->items, answer->body)) {
		why = reply_entry(FACT_UNKNOWN, "not-json", "a page came without its items");
		pages_end(pages, why, false);
		json_decref(why);
	} else if (token == NULL || *token == '\0') {
		pages_end(pages, NULL, false);
	} else if (doc_same(token,
			    json_string_value(json_object_get(token_place(pages), ask->token)))) {
		why = reply_entry(FACT_UNKNOWN, "error", "the same page came again and again");
		pages_end(pages, why, false);
		json_decref(why);
	} else if (++pages->page == ask->most) {
		pages_end(pages, NULL, true);
	} else {
		json_object_set_new(token_place(pages), ask->token, json_string(token));
		pages_next(pages);
	}
}

static void
pages_next(struct pages *pages)
{
	arm_ask(pages->arm,
		&(struct arm_ask){ .method = "POST",
				   .path = pages->ask.path,
				   .body = pages->ask.body,
				   .flags = pages->ask.flags },
		pages_got, pages);
}

void
pages_ask(struct arm *arm, const struct pages_ask *ask,
	  void (*done)(void *ctx, const struct arm_answer *answer), void *ctx)
{
	struct pages *pages = malloc(sizeof(*pages));

	*pages = (struct pages){
		.arm = arm, .ask = *ask, .items = json_array(), .done = done, .ctx = ctx
	};
	pages_next(pages);
}
