#include "model/nsg/nsg.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A client's own port is one of these (RFC 6335 lets it be any from 1024). */
#define CLIENT_PORT_FROM 1024
#define CLIENT_PORT_TO 65535

static struct nsg_step
step(const struct nsg_rule *rule, enum nsg_match match, const char *field, bool nonsense)
{
	return (
	    struct nsg_step){ .rule = rule, .match = match, .field = field, .nonsense = nonsense };
}

size_t
nsg_side_size(const struct nsg_side *side)
{
	return side->v4_count + side->count;
}

struct ip_range
nsg_side_at(const struct nsg_side *side, size_t i)
{
	struct ip_range range = range_v4;

	if (i >= side->v4_count)
		return side->list[i - side->v4_count];
	range.from.lo = (range.from.lo & ~0xffffffffULL) | side->v4[i].from;
	range.to.lo = (range.from.lo & ~0xffffffffULL) | side->v4[i].to;
	return range;
}

#define BLOCK 64

/* Without a branch inside, so that the compiler may compare several at once. */
static bool
block_meets(const struct range4 block[static BLOCK], uint32_t from, uint32_t to)
{
	unsigned hit = 0;

	for (size_t i = 0; i < BLOCK; i++)
		hit |= (unsigned)(block[i].from <= to) & (unsigned)(block[i].to >= from);
	return hit != 0;
}

/* Where in an ascending list a range that ends at or behind `from` stands first. */
static size_t
first_behind(const struct nsg_side *side, uint32_t from)
{
	size_t low = 0, high = side->v4_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (side->v4[middle].to < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum nsg_match
nsg_side_meets(const struct nsg_side *side, const struct ip_range *range)
{
	enum nsg_match found = NSG_NO;
	uint32_t from = (uint32_t)range->from.lo, to = (uint32_t)range->to.lo;

	for (size_t i = 0; i < side->count; i++) {
		if (range_covers(&side->list[i], range))
			return NSG_YES;
		if (range_meets(&side->list[i], range))
			found = NSG_MAYBE;
	}
	if (!ip_is_v4(range->from) || !ip_is_v4(range->to) || side->hull.from > to ||
	    side->hull.to < from)
		return found;
	for (size_t i = side->sorted ? first_behind(side, from) : 0; i < side->v4_count; i++) {
		if (side->sorted && side->v4[i].from > to)
			break;
		if (i % BLOCK == 0 && side->v4_count - i >= BLOCK &&
		    !block_meets(&side->v4[i], from, to)) {
			i += BLOCK - 1;
			continue;
		}
		if (side->v4[i].from > to || side->v4[i].to < from)
			continue;
		if (side->v4[i].from <= from && to <= side->v4[i].to)
			return NSG_YES;
		found = NSG_MAYBE;
	}
	return found;
}

static enum nsg_match
match_port(const struct nsg_ports *ports, unsigned port)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->list[i].from <= port && port <= ports->list[i].to)
			return NSG_YES;
	return ports->bad != NULL ? NSG_MAYBE : NSG_NO;
}

/* Every port a client may use, some of them, or none? */
static enum nsg_match
match_client_port(const struct nsg_ports *ports)
{
	unsigned next = CLIENT_PORT_FROM;
	bool some = false, grown = true;

	while (grown && next <= CLIENT_PORT_TO) {
		grown = false;
		for (size_t i = 0; i < ports->count; i++) {
			const struct port_range *own = &ports->list[i];

			some |= own->to >= CLIENT_PORT_FROM;
			if (own->from <= next && own->to >= next) {
				next = own->to + 1;
				grown = true;
			}
		}
	}
	if (next > CLIENT_PORT_TO)
		return NSG_YES;
	return some || ports->bad != NULL ? NSG_MAYBE : NSG_NO;
}

static bool
lists_meet(const json_t *a, const json_t *b)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (a, i, entry)
		if (net_list_has(b, doc_str(entry, "id")))
			return true;
	return false;
}

static enum nsg_match
match_destination(const struct nsg_rule *rule, const struct nsg_flow *flow, bool *nonsense)
{
	const struct nsg_side *side = &rule->destination;
	const struct ip_range own = { flow->destination, flow->destination };
	const struct ip_range *any =
	    flow->source.count > 0 && !ip_is_v4(flow->source.list[0].from) ? &range_v6 : &range_v4;
	enum nsg_match found = NSG_NO;

	if (nsg_side_meets(side, flow->destination_known ? &own : any) == NSG_YES)
		return NSG_YES;
	for (size_t i = 0; i < side->tag_count; i++)
		if (strcasecmp(side->tags[i], "VirtualNetwork") == 0)
			return NSG_YES; /* the VM's own address is always in it */
	if (lists_meet(side->asgs, flow->asgs))
		return NSG_YES;
	if (side->bad != NULL || (!flow->destination_known && nsg_side_size(side) > 0)) {
		*nonsense = true;
		return NSG_MAYBE;
	}
	if (flow->asgs_bad && json_array_size(side->asgs) > 0) {
		*nonsense = true;
		return NSG_MAYBE;
	}
	for (size_t i = 0; i < side->tag_count && flow->destination_known; i++)
		if (found < nsg_tag_has(&flow->tags, side->tags[i], &own, true))
			found = NSG_MAYBE;
	return found;
}

struct nsg_step
nsg_match_rule(const struct nsg_rule *rule, const struct nsg_flow *flow)
{
	enum nsg_match port = match_port(&rule->destination_ports, flow->port),
		       client = match_client_port(&rule->source_ports), destination;
	bool nonsense = false;

	if (rule->protocol >= 0 && rule->protocol != flow->protocol)
		return step(rule, NSG_NO, "protocol", false);
	if (port == NSG_NO)
		return step(rule, NSG_NO, "destinationPortRange", false);
	if (client == NSG_NO)
		return step(rule, NSG_NO, "sourcePortRange", false);
	if ((destination = match_destination(rule, flow, &nonsense)) == NSG_NO) {
		bool group = json_array_size(rule->destination.asgs) > 0;

		return step(rule, NSG_NO,
			    group ? "destinationApplicationSecurityGroups"
				  : "destinationAddressPrefix",
			    false);
	}
	if (rule->bad != NULL)
		return step(rule, NSG_MAYBE, rule->bad, true);
	if (port == NSG_MAYBE)
		return step(rule, NSG_MAYBE, rule->destination_ports.bad, true);
	if (destination == NSG_MAYBE)
		return step(rule, NSG_MAYBE,
			    rule->destination.bad != NULL ? rule->destination.bad
							  : "destinationAddressPrefix",
			    nonsense);
	if (client == NSG_MAYBE)
		return step(rule, NSG_MAYBE,
			    rule->source_ports.bad != NULL ? rule->source_ports.bad
							   : "sourcePortRange",
			    rule->source_ports.bad != NULL);
	return step(rule, NSG_YES, NULL, false);
}

enum nsg_match
nsg_match_source(const struct nsg_rule *rule, const struct nsg_flow *flow,
		 const struct ip_range *range, const char **tag, bool *nonsense)
{
	const struct nsg_side *side = &rule->source;
	enum nsg_match found = nsg_side_meets(side, range);

	if (found == NSG_YES)
		return NSG_YES;
	for (size_t i = 0; i < side->tag_count; i++) {
		enum nsg_match one =
		    nsg_tag_has(&flow->tags, side->tags[i], range, flow->private_path);

		if (one == NSG_YES)
			return NSG_YES;
		if (one == NSG_MAYBE) {
			*tag = side->tags[i];
			found = NSG_MAYBE;
		}
	}
	if (json_array_size(side->asgs) > 0 && flow->private_path) {
		*tag =
		    arm_id_name(doc_str(json_array_get(side->asgs, 0),
					"id")); /* who is in it shows only in the NICs of others */
		found = NSG_MAYBE;
	}
	if (side->bad != NULL) {
		*nonsense = true;
		found = NSG_MAYBE;
	}
	return found;
}
