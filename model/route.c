#include "model/route.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct best {
	struct route route;
	struct ip_range range;
	int weight;
	bool found;
	struct route nonsense; /* the first one whose prefix makes no sense and might win */
	bool doubtful;
};

/* User-defined routes win over those of a gateway, these over Azure's own. */
static int
source_weight(const char *source)
{
	if (doc_same(source, "User"))
		return 3;
	return doc_same(source, "VirtualNetworkGateway") ? 2 : 1;
}

/* "AzureCloud", "Storage.WestEurope": lists of Azure's own addresses, which no client of ours has.
 */
static bool
is_tag(const char *prefix)
{
	return isalpha((unsigned char)*prefix) && strpbrk(prefix, "/:") == NULL;
}

/* "203.0.113.0/33" can still be told not to hold an address whose first bits differ. */
static bool
may_hold(const char *prefix, const struct ip *destination)
{
	char text[IP_TEXT_MAX];
	struct ip_range half;
	struct ip ip;

	snprintf(text, sizeof(text), "%s", prefix);
	text[strcspn(text, "/")] = '\0';
	if (destination == NULL || ip_parse(text, &ip) < 0)
		return true;
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "/1");
	return prefix_parse(text, &half) < 0 || range_has(&half, *destination);
}

static bool
is_one_address(const struct ip_range *range)
{
	return ip_cmp(range->from, range->to) == 0;
}

static void
doubt(struct best *best, const struct route *route, const struct ip *destination)
{
	if (best->doubtful || (route->prefix != NULL && !may_hold(route->prefix, destination)))
		return;
	best->doubtful = true;
	best->nonsense = *route;
}

static void
consider(struct best *best, const struct route *route, const struct ip *destination)
{
	struct ip_range range;
	bool narrower;
	int weight = source_weight(route->source);

	if (route->prefix != NULL && is_tag(route->prefix))
		return;
	if (prefix_parse(route->prefix, &range) < 0) {
		doubt(best, route, destination);
		return;
	}
	if (destination != NULL ? !range_has(&range, *destination)
				: !range_covers(&range, &range_v4))
		return;
	narrower = best->found && range_covers(&best->range, &range) &&
		   !range_covers(&range, &best->range);
	if (best->found && !narrower &&
	    !(range_covers(&range, &best->range) && range_covers(&best->range, &range) &&
	      weight > best->weight))
		return;
	best->route = *route;
	best->range = range;
	best->weight = weight;
	best->found = true;
}

/* Would the answer be another one if the route that makes no sense won? */
static bool
doubt_matters(const struct best *best)
{
	const struct route *one = &best->route, *other = &best->nonsense;

	if (!best->doubtful || (best->found && is_one_address(&best->range)))
		return false;
	if (!best->found)
		return !doc_same(other->hop_type, "Internet");
	return other->hop_type == NULL || !doc_same(one->hop_type, other->hop_type) ||
	       (one->hop != NULL && !doc_same(one->hop, other->hop));
}

static void
read_effective(const json_t *list, const struct ip *destination, struct best *best)
{
	const json_t *entry, *prefix;
	size_t i, j;

	json_array_foreach (list, i, entry) {
		struct route route = { .name = doc_str(entry, "name"),
				       .hop_type = doc_str(entry, "nextHopType"),
				       .source = doc_str(entry, "source"),
				       .hop = json_string_value(json_array_get(
					   doc_list(entry, "nextHopIpAddress"), 0)) };

		if (doc_is(entry, "state", "Invalid"))
			continue;
		json_array_foreach (doc_list(entry, "addressPrefix"), j, prefix) {
			route.prefix = json_string_value(prefix);
			consider(best, &route, destination);
		}
	}
}

static void
read_table(const json_t *body, const struct ip *destination, struct best *best)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(body, "properties.routes"), i, entry) {
		struct route route = { .name = doc_str(entry, "name"),
				       .prefix = doc_str(entry, "properties.addressPrefix"),
				       .hop_type = doc_str(entry, "properties.nextHopType"),
				       .hop = doc_str(entry, "properties.nextHopIpAddress") };

		consider(best, &route, destination);
	}
}

enum route_state
route_to(const struct facts *facts, const struct net_path *path, const struct ip *destination,
	 struct route *ret, bool *effective)
{
	char *id = doc_fmt("%s/effectiveRouteTable", path->nic_id);
	const json_t *body = NULL;
	struct best best = { .found = false };

	if (id != NULL)
		facts_resource(facts, id, &body, NULL);
	free(id);
	*effective = doc_list(body, "value") != NULL;
	if (*effective)
		read_effective(doc_list(body, "value"), destination, &best);
	else if (path->route_table.state == FACT_ABSENT)
		return ROUTE_NONE;
	else if (path->route_table.state != FACT_KNOWN)
		return ROUTE_UNKNOWN;
	else
		read_table(path->route_table.body, destination, &best);
	if (doubt_matters(&best)) {
		*ret = best.nonsense;
		return ROUTE_NONSENSE;
	}
	if (!best.found)
		return ROUTE_NONE;
	*ret = best.route;
	return ROUTE_FOUND;
}
