#include "model/nsg/nsg_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	int number;
} protocols[] = {
	{ "*", NSG_PROTOCOL_ANY },
	{ "Any", NSG_PROTOCOL_ANY },
	{ "All", NSG_PROTOCOL_ANY },
	{ "Tcp", 6 },
	{ "Udp", 17 },
	{ "Icmp", 1 },
	{ "Esp", 50 },
	{ "Ah", 51 },
	{ "IcmpV6", 58 },
	{ "Gre", 47 },
};

static int
parse_protocol(const json_t *value)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	if (text == NULL && !json_is_integer(value))
		return NSG_PROTOCOL_BAD;
	for (size_t i = 0; text != NULL && i < sizeof(protocols) / sizeof(*protocols); i++)
		if (strcasecmp(text, protocols[i].name) == 0)
			return protocols[i].number;
	if (text != NULL) {
		char *end;

		if (*text < '0' || *text > '9' || strlen(text) > 3)
			return NSG_PROTOCOL_BAD;
		number = strtol(text, &end, 10);
		if (*end != '\0')
			return NSG_PROTOCOL_BAD;
	}
	return number >= 0 && number <= 255 ? (int)number : NSG_PROTOCOL_BAD;
}

/* Decimal digits up to 65535 at *at, which moves behind them. */
static bool
take_port(const char **at, unsigned *ret)
{
	unsigned value = 0;
	const char *start = *at;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		if ((value = value * 10 + (unsigned)(**at - '0')) > 65535)
			return false;
	*ret = value;
	return *at != start;
}

static bool
parse_ports(const char *text, struct port_range *ret)
{
	if (strcmp(text, "*") == 0 || strcasecmp(text, "Any") == 0) {
		*ret = (struct port_range){ 0, 65535 };
		return true;
	}
	if (!take_port(&text, &ret->from))
		return false;
	ret->to = ret->from;
	if (*text == '-') {
		text++;
		if (!take_port(&text, &ret->to))
			return false;
	}
	return *text == '\0' && ret->from <= ret->to;
}

/* A name such as VirtualNetwork or AzureCloud.westeurope: neither an address nor nonsense. */
static bool
is_tag(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len < 128 &&
	       ((*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z')) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
		   len;
}

typedef void take_fn(const char *text, const char *field, void *ctx);

/* One value: a string, or a number where ARM has a string. Anything else is `bad`. */
static void
take_value(const json_t *value, const char *field, const char **bad, take_fn *take, void *ctx)
{
	const char *text = json_string_value(value);
	char number[32];

	if (json_is_integer(value))
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
	if (json_is_integer(value))
		take(number, field, ctx);
	else if (text != NULL && *text != '\0')
		take(text, field, ctx);
	else
		*bad = field;
}

/* Calls take for the single value and for each of the list; counts what is there. An empty single
 * value is none. */
static size_t
each_value(const json_t *properties, const char *single, const char *several, const char **bad,
	   take_fn *take, void *ctx)
{
	const json_t *one = doc_get(properties, single), *list = doc_get(properties, several),
		     *entry;
	const char *text = json_string_value(one);
	size_t n = 0, i;

	if (one != NULL && (text == NULL || *text != '\0')) {
		take_value(one, single, bad, take, ctx);
		n++;
	}
	if (list != NULL && !json_is_array(list))
		*bad = several;
	json_array_foreach (list, i, entry) {
		take_value(entry, several, bad, take, ctx);
		n++;
	}
	return n;
}

/* The pieces of "22, 80", each without the blanks around it; false when there is no comma. */
static bool
each_piece(const char *text, const char *field, take_fn *take, void *ctx)
{
	char piece[IP_TEXT_MAX];

	if (strchr(text, ',') == NULL)
		return false;
	for (const char *at = text, *next; at != NULL; at = next) {
		size_t len;

		next = strchr(at, ',');
		next = next != NULL ? next + 1 : NULL;
		at += strspn(at, " ");
		for (len = strcspn(at, ","); len > 0 && at[len - 1] == ' '; len--)
			;
		snprintf(piece, sizeof(piece), "%.*s", len < sizeof(piece) ? (int)len : 0, at);
		take(piece, field, ctx);
	}
	return true;
}

static void
take_ports(const char *text, const char *field, void *ctx)
{
	struct nsg_ports *ports = ctx;
	struct port_range range;

	if (!parse_ports(text, &range)) {
		if (!each_piece(text, field, take_ports, ports))
			ports->bad = field;
		return;
	}
	if ((ports->count & (ports->count - 1)) == 0) /* room for 1, 2, 4, 8, ... */
		ports->list = realloc(ports->list, (ports->count == 0 ? 1 : ports->count * 2) *
						       sizeof(*ports->list));
	ports->list[ports->count++] = range;
}

static void
add_range(struct nsg_side *side, const struct ip_range *range)
{
	if ((side->count & (side->count - 1)) == 0) /* room for 1, 2, 4, 8, ... */
		side->list = realloc(side->list, (side->count == 0 ? 1 : side->count * 2) *
						     sizeof(*side->list));
	side->list[side->count++] = *range;
}

/* A prefix out of a list with commas: rare, so it stands with the ranges that grow. Tags never come
 * this way. */
static void
take_piece(const char *text, const char *field, void *ctx)
{
	struct nsg_side *side = ctx;
	struct ip_range range;

	if (prefix_parse(text, &range) == 0)
		add_range(side, &range);
	else
		side->bad = field;
}

static void
add_v4(struct nsg_side *side, struct range4 range)
{
	if (side->v4_count == 0)
		side->hull = range;
	side->sorted =
	    side->v4_count == 0 || (side->sorted && range.from > side->v4[side->v4_count - 1].to);
	if (range.from < side->hull.from)
		side->hull.from = range.from;
	if (range.to > side->hull.to)
		side->hull.to = range.to;
	side->v4[side->v4_count++] = range;
}

static void
take_side(const char *text, const char *field, void *ctx)
{
	struct nsg_side *side = ctx;
	struct ip_range range = range_everything;
	bool any = strcmp(text, "*") == 0 || strcasecmp(text, "Any") == 0;

	if (any || prefix_parse(text, &range) == 0) {
		if (ip_is_v4(range.from) && ip_is_v4(range.to))
			add_v4(side,
			       (struct range4){ (uint32_t)range.from.lo, (uint32_t)range.to.lo });
		else
			add_range(side, &range);
	} else if (is_tag(text))
		side->tags[side->tag_count++] = text;
	else if (!each_piece(text, field, take_piece, side))
		side->bad = field;
}

struct field_names {
	const char *single, *several, *asgs, *expanded;
};

static const struct field_names source_fields = { "sourceAddressPrefix", "sourceAddressPrefixes",
						  "sourceApplicationSecurityGroups",
						  "expandedSourceAddressPrefix" };
static const struct field_names destination_fields = { "destinationAddressPrefix",
						       "destinationAddressPrefixes",
						       "destinationApplicationSecurityGroups",
						       "expandedDestinationAddressPrefix" };

static const char *
first_text(const json_t *properties, const char *single, const char *several)
{
	const char *text = doc_str(properties, single);

	return text != NULL && *text != '\0'
		   ? text
		   : json_string_value(json_array_get(doc_list(properties, several), 0));
}

/* A list of {"id"}: anything else makes no sense. */
static void
read_groups(const json_t *properties, const char *field, struct nsg_side *side)
{
	const json_t *entry;
	size_t i;

	side->asgs = doc_list(properties, field);
	if (doc_get(properties, field) != NULL && side->asgs == NULL)
		side->bad = field;
	json_array_foreach (side->asgs, i, entry)
		if (doc_str(entry, "id") == NULL)
			side->bad = field;
}

/* Effective rules carry the expanded addresses of a tag or group: those are used instead of it. */
static void
read_side(const json_t *properties, const struct field_names *fields, struct nsg_side *side)
{
	const json_t *expanded = doc_list(properties, fields->expanded);
	const char *several = json_array_size(expanded) > 0 ? fields->expanded : fields->several;
	size_t room = json_array_size(doc_list(properties, several)) + 1;

	side->text = first_text(properties, fields->single, fields->several);
	side->v4 = calloc(room, sizeof(*side->v4));
	side->tags = calloc(room, sizeof(*side->tags));
	read_groups(properties, fields->asgs, side);
	if (each_value(properties, several == fields->expanded ? "" : fields->single, several,
		       &side->bad, take_side, side) == 0 &&
	    json_array_size(side->asgs) == 0)
		side->bad = fields->single;
}

static void
read_ports(const json_t *properties, const char *single, const char *several,
	   struct nsg_ports *ports)
{
	ports->text = first_text(properties, single, several);
	if (each_value(properties, single, several, &ports->bad, take_ports, ports) == 0)
		ports->bad = single;
}

/* true for the names that just-in-time access gives its rules. */
static bool
name_is_jit(const char *name)
{
	static const char *const prefixes[] = { "MicrosoftDefenderForCloud-JITRule",
						"SecurityCenter-JITRule" };

	for (size_t i = 0; name != NULL && i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static enum nsg_access
parse_access(const char *text)
{
	if (doc_same(text, "Allow"))
		return NSG_ACCESS_ALLOW;
	if (doc_same(text, "Deny"))
		return NSG_ACCESS_DENY;
	return doc_same(text, "AlwaysAllow") ? NSG_ACCESS_ALWAYS : NSG_ACCESS_UNKNOWN;
}

/* Fills a rule; returns false when it is one of the other direction, which does not concern us. */
static bool
read_head(const char *name, const json_t *properties, bool outbound, struct nsg_rule *rule)
{
	json_int_t priority = doc_int(properties, "priority", -1);
	const char *direction = doc_str(properties, "direction");

	if (doc_same(direction, outbound ? "Inbound" : "Outbound"))
		return false;
	*rule =
	    (struct nsg_rule){ .name = name != NULL && *name != '\0' ? name : "?",
			       .description = doc_str(properties, "description"),
			       .priority = priority >= 0 && priority <= 65535 ? (int)priority : -1,
			       .access = parse_access(doc_str(properties, "access")),
			       .protocol = parse_protocol(doc_get(properties, "protocol")),
			       .protocol_text = doc_str(properties, "protocol"),
			       .is_jit = name_is_jit(name) };
	rule->is_default = rule->priority >= 65000;
	if (rule->protocol == NSG_PROTOCOL_BAD)
		rule->bad = "protocol";
	if (rule->access == NSG_ACCESS_UNKNOWN)
		rule->bad = "access";
	if (rule->priority < 0)
		rule->bad = "priority";
	if (!doc_same(direction, outbound ? "Outbound" : "Inbound"))
		rule->bad = "direction";
	if (!json_is_object(properties))
		rule->bad = "properties";
	return true;
}

bool
nsg_rule_read(const char *name, const json_t *properties, bool outbound, struct nsg_rule *rule)
{
	if (!read_head(name, properties, outbound, rule))
		return false;
	read_side(properties, &source_fields, &rule->source);
	read_side(properties, &destination_fields, &rule->destination);
	read_ports(properties, "sourcePortRange", "sourcePortRanges", &rule->source_ports);
	read_ports(properties, "destinationPortRange", "destinationPortRanges",
		   &rule->destination_ports);
	return true;
}

static void
fill_side(struct nsg_side *side, const char *text)
{
	side->text = text;
	side->v4 = calloc(1, sizeof(*side->v4));
	side->tags = calloc(1, sizeof(*side->tags));
	take_side(text, "", side);
}

static void
fill_ports(struct nsg_ports *ports)
{
	ports->text = "*";
	take_ports("*", "", ports);
}

void
nsg_rule_fill(struct nsg_rule *rule, const char *source, const char *destination)
{
	fill_side(&rule->source, source);
	fill_side(&rule->destination, destination);
	fill_ports(&rule->source_ports);
	fill_ports(&rule->destination_ports);
}

void
nsg_rule_free(struct nsg_rule *rule)
{
	free(rule->source.v4);
	free(rule->source.list);
	free(rule->source.tags);
	free(rule->destination.v4);
	free(rule->destination.list);
	free(rule->destination.tags);
	free(rule->source_ports.list);
	free(rule->destination_ports.list);
}
