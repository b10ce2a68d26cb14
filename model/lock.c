#include "model/lock.h"
#include "facts/arm.h"
#include "model/network.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct search {
	const char *resource;
	struct lock lock;
};

static bool
covers(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	const char *own = doc_str(body, "id") != NULL ? doc_str(body, "id") : id;
	const char *end = strcasestr(own, "/providers/Microsoft.Authorization/locks/");
	size_t len = end != NULL ? (size_t)(end - own) : 0;

	if (len == 0 || len >= sizeof(search->lock.scope) ||
	    !doc_is(body, "properties.level", "ReadOnly") ||
	    strncasecmp(search->resource, own, len) != 0 ||
	    (search->resource[len] != '/' && search->resource[len] != '\0'))
		return false;
	search->lock.id = own;
	search->lock.name =
	    doc_str(body, "name") != NULL ? doc_str(body, "name") : arm_id_name(own);
	snprintf(search->lock.scope, sizeof(search->lock.scope), "%.*s", (int)len, own);
	return true;
}

bool
lock_over(const struct facts *facts, const char *resource, struct lock *ret)
{
	struct search search = { .resource = resource };

	if (resource == NULL || !net_each(facts, "microsoft.authorization/locks", covers, &search))
		return false;
	*ret = search.lock;
	return true;
}
