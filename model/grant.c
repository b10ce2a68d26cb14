#include "model/grant.h"
#include "model/network.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVERYONE "00000000-0000-0000-0000-000000000000"

/* A pattern of actions, in any case; a star stands for anything. */
static bool
covers(const char *pattern, const char *action)
{
	const char *star = NULL, *from = NULL;

	while (*action != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			from = action;
		} else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*action)) {
			pattern++;
			action++;
		} else if (star != NULL) {
			pattern = star + 1;
			action = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool
listed(const json_t *actions, const char *action)
{
	const json_t *pattern;
	size_t i;

	json_array_foreach (actions, i, pattern)
		if (json_is_string(pattern) && covers(json_string_value(pattern), action))
			return true;
	return false;
}

/* An entry of a role or of a deny assignment. */
static bool
holds(const json_t *entry, const char *action)
{
	return listed(doc_list(entry, "actions"), action) &&
	       !listed(doc_list(entry, "notActions"), action);
}

enum fact_maybe
grant_of(const struct facts *facts, const char *resource, const char *action)
{
	char subscription[128], group[128], path[ARM_ID_MAX];
	const json_t *body, *entry;
	size_t i;

	arm_id_subscription(resource, subscription, sizeof(subscription));
	arm_id_group(resource, group, sizeof(group));
	snprintf(
	    path, sizeof(path),
	    "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Authorization/permissions",
	    subscription, group);
	if (*group == '\0' || facts_resource(facts, path, &body, NULL) != FACT_KNOWN ||
	    doc_str(body, "nextLink") != NULL)
		return FACT_MAYBE;
	json_array_foreach (doc_list(body, "value"), i, entry)
		if (holds(entry, action))
			return FACT_YES;
	return FACT_NO;
}

struct search {
	const char *resource, *action, *principal;
	struct deny deny;
};

static bool
names(const json_t *principals, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach (principals, i, one)
		if (id != NULL && doc_is(one, "id", id))
			return true;
	return false;
}

static bool
is_over(const json_t *body, const char *resource)
{
	const char *scope = doc_str(body, "properties.scope");
	size_t len = scope != NULL ? strlen(scope) : 0;

	while (len > 0 && scope[len - 1] == '/')
		len--;
	if (scope == NULL || strncasecmp(scope, resource, len) != 0)
		return false;
	if (resource[len] == '\0')
		return true;
	return resource[len] == '/' && !doc_bool(body, "properties.doNotApplyToChildScopes", false);
}

static bool
refuses(const char *id, const json_t *body, void *ctx)
{
	struct search *search = ctx;
	const json_t *principals = doc_list(body, "properties.principals"), *entry;
	const char *name = doc_str(body, "properties.denyAssignmentName"),
		   *own = doc_str(body, "id");
	bool denied = false;
	size_t i;

	json_array_foreach (doc_list(body, "properties.permissions"), i, entry)
		denied = denied || holds(entry, search->action);
	if (!denied || !is_over(body, search->resource) ||
	    (!names(principals, EVERYONE) && !names(principals, search->principal)) ||
	    names(doc_list(body, "properties.excludePrincipals"), search->principal))
		return false;
	search->deny.id = own != NULL ? own : id;
	search->deny.name = name != NULL ? name : arm_id_name(search->deny.id);
	snprintf(search->deny.scope, sizeof(search->deny.scope), "%s",
		 doc_str(body, "properties.scope"));
	return true;
}

bool
deny_over(const struct facts *facts, const char *resource, const char *action,
	  const char *principal, struct deny *ret)
{
	struct search search = { resource, action, principal, { 0 } };

	if (resource == NULL ||
	    !net_each(facts, "microsoft.authorization/denyassignments", refuses, &search))
		return false;
	*ret = search.deny;
	return true;
}
