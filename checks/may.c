#include "checks/may.h"
#include "facts/arm.h"
#include "model/grant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ACTION_MAX = 160 };

/* The action changes the resource, or a part of it: no more is known of where it happens. */
static bool
is_about(const char *action, const char *resource)
{
	char type[160];

	return arm_id_type(resource, type, sizeof(type)) == 0 &&
	       strncasecmp(action, type, strlen(type)) == 0 && action[strlen(type)] == '/';
}

static void
refuse(struct remedy *remedy, const char *action)
{
	char *cost = doc_fmt("%s%sask an owner: your roles there lack %s",
			     remedy->cost != NULL ? remedy->cost : "",
			     remedy->cost != NULL ? "; " : "", action);

	free(remedy->cost);
	remedy->cost = cost;
	remedy->may = "ask an owner";
}

static void
judge(const struct scene *scene, const char *resource, struct remedy *remedy)
{
	const char *needs = remedy->needs;
	bool all = true;

	if (doc_same(remedy->changes, "nothing"))
		return;
	for (size_t len; needs != NULL && *needs != '\0'; needs += len + (needs[len] == ' ')) {
		char action[ACTION_MAX];
		enum fact_maybe granted = FACT_MAYBE;

		len = strcspn(needs, " ");
		snprintf(action, sizeof(action), "%.*s", (int)len, needs);
		if (is_about(action, resource))
			granted = grant_of(scene->facts, resource, action);
		if (granted == FACT_NO) {
			refuse(remedy, action);
			return;
		}
		all = all && granted == FACT_YES;
	}
	if (all && remedy->needs != NULL && *remedy->needs != '\0')
		remedy->may = "you may";
}

void
finding_may(const struct scene *scene, struct finding *finding)
{
	for (size_t i = 0; finding->changes != NULL && i < finding->remedies.count; i++)
		judge(scene, finding->changes, &finding->remedies.at[i]);
	for (size_t i = 0; i < finding->also_count; i++)
		finding_may(scene, &finding->also[i]);
}
