/* What rules and verdicts are called. */
#include "model/nsg/nsg.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>

const char *
nsg_verdict_word(enum nsg_verdict verdict)
{
	static const char *const words[] = { [NSG_ALLOW] = "allow",
					     [NSG_DENY] = "deny",
					     [NSG_DEPENDS] = "depends",
					     [NSG_UNKNOWN] = "unknown" };

	return words[verdict];
}

const char *
nsg_scope_word(enum nsg_scope scope)
{
	static const char *const words[] = {
		[NSG_SCOPE_ADMIN] = "admin", [NSG_SCOPE_SUBNET] = "subnet", [NSG_SCOPE_NIC] = "nic"
	};

	return words[scope];
}

char *
nsg_step_words(const struct nsg_step *s)
{
	static const char *const accesses[] = { [NSG_ACCESS_ALLOW] = "allow",
						[NSG_ACCESS_DENY] = "deny",
						[NSG_ACCESS_ALWAYS] = "always allow",
						[NSG_ACCESS_UNKNOWN] = "?" };
	const struct nsg_rule *rule = s->rule;
	const char *access = accesses[rule->access], *text = "?";
	char *source = NULL, *words;

	if (s->match == NSG_YES)
		return doc_fmt("%d %s (%s): matches", rule->priority, rule->name, access);
	if (s->nonsense)
		return doc_fmt("%d %s (%s): %s makes no sense or is missing", rule->priority,
			       rule->name, access, s->field);
	if (strcmp(s->field, "protocol") == 0)
		text = rule->protocol_text;
	else if (strcmp(s->field, "destinationPortRange") == 0)
		text = rule->destination_ports.text;
	else if (strcmp(s->field, "sourcePortRange") == 0)
		text = rule->source_ports.text;
	else if (strncmp(s->field, "source", 6) == 0)
		text = source = nsg_source_text(rule);
	else if (strcmp(s->field, "destinationAddressPrefix") == 0)
		text = rule->destination.text;
	else
		text = arm_id_name(doc_str(json_array_get(rule->destination.asgs, 0), "id"));
	words = doc_fmt("%d %s (%s): %s %s %s", rule->priority, rule->name, access, s->field,
			text != NULL ? text : "?",
			s->match == NSG_MAYBE ? "may match" : "does not match");
	free(source);
	return words;
}

char *
nsg_source_text(const struct nsg_rule *rule)
{
	const struct nsg_side *side = &rule->source;
	char text[IP_TEXT_MAX * 2];
	char *words = NULL;
	size_t shown = 0, ranges = nsg_side_size(side);
	size_t total = ranges + side->tag_count + json_array_size(side->asgs);

	if (total == 0)
		return doc_fmt("%s", side->text != NULL ? side->text : "?");
	for (size_t i = 0; i < total && shown < 3; i++, shown++) {
		const char *one = text;
		char *longer;

		if (i < ranges) {
			struct ip_range range = nsg_side_at(side, i);

			range_format(&range, text, sizeof(text));
		} else if (i < ranges + side->tag_count) {
			one = side->tags[i - ranges];
		} else {
			one = arm_id_name(doc_str(
			    json_array_get(side->asgs, i - ranges - side->tag_count), "id"));
		}
		longer = words == NULL ? doc_fmt("%s", one) : doc_fmt("%s, %s", words, one);
		free(words);
		words = longer;
	}
	if (words != NULL && total > shown) {
		char *longer = doc_fmt("%s and %zu more", words, total - shown);

		free(words);
		words = longer;
	}
	return words;
}

/* Only for health probes: no condition that a person could meet. */
static bool
is_probe_rule(const struct nsg_rule *rule)
{
	return rule->source.tag_count == 1 && nsg_side_size(&rule->source) == 0 &&
	       doc_same(rule->source.tags[0], "AzureLoadBalancer");
}

/* Does the step tell a source of that access? `all`: also one that only lacks this flow's source.
 */
static bool
tells_source(const struct nsg_step *step, enum nsg_access access, bool all)
{
	bool lacks = step->match == NSG_NO && step->field != NULL &&
		     strcmp(step->field, "sourceAddressPrefix") == 0;

	return step->rule->access == access && !is_probe_rule(step->rule) &&
	       (step->match != NSG_NO || (all && lacks));
}

/* The sources of the rules of one access up to the deciding rule: "10.0.0.0/8 and VirtualNetwork".
 */
static char *
sources_of(const struct nsg_gate *gate, enum nsg_access access, bool all)
{
	const struct nsg_step *told[4];
	size_t count = 0, left = 0;
	char *words = NULL;

	for (size_t i = 0; i < gate->result.step_count; i++) {
		if (!tells_source(&gate->result.steps[i], access, all))
			continue;
		if (count < sizeof(told) / sizeof(*told))
			told[count++] = &gate->result.steps[i];
		else
			left++;
	}
	for (size_t i = 0; i < count; i++) {
		const char *link = i + 1 < count || left > 0 ? ", " : " and ";
		char *one = nsg_source_text(told[i]->rule), *longer;

		longer =
		    doc_fmt("%s%s%s", words != NULL ? words : "", words != NULL ? link : "", one);
		free(one);
		free(words);
		words = longer;
	}
	if (words != NULL && left > 0) {
		char *longer = doc_fmt("%s and what %zu more rules name", words, left);

		free(words);
		words = longer;
	}
	return words;
}

char *
nsg_condition(const struct nsg_judgement *judgement, bool all)
{
	const struct nsg_gate *gate = judgement->deciding;
	bool denied_last;
	char *sources, *words = NULL;

	if ((judgement->verdict != NSG_DEPENDS && judgement->verdict != NSG_DENY) || gate == NULL ||
	    gate->result.decider == NULL)
		return NULL;
	denied_last = gate->result.decider->access == NSG_ACCESS_DENY;
	if ((sources = sources_of(gate, denied_last ? NSG_ACCESS_ALLOW : NSG_ACCESS_DENY,
				  denied_last && all)) == NULL)
		return NULL;
	words = doc_fmt(denied_last ? "allowed from %s only" : "allowed except from %s", sources);
	free(sources);
	return words;
}

char *
nsg_field_words(const struct nsg_gate *gate, const struct nsg_rule *rule, const char *field)
{
	const json_t *entry, *value = NULL;
	char *text, *words;
	size_t i;

	json_array_foreach (doc_list(gate->ref.body, "properties.securityRules"), i, entry)
		if (doc_is(entry, "name", rule->name))
			value = doc_get(doc_get(entry, "properties"), field);
	if (rule->twin && strcmp(field, "priority") == 0)
		return doc_fmt("the priority %d stands twice", rule->priority);
	if (value == NULL)
		return doc_fmt("%s is missing", field);
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	words = doc_fmt("%s is %.80s", field, text != NULL ? text : "?");
	free(text);
	return words;
}

char *
nsg_manager_name(const struct nsg_gate *gate)
{
	const struct nsg_rule *rule = gate->result.decider;
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(gate->ref.body, "value"), i, entry) {
		const char *id = doc_str(entry, "id"),
			   *manager = id != NULL ? strcasestr(id, "/networkManagers/") : NULL;

		if (manager != NULL && rule != NULL && doc_same(arm_id_name(id), rule->name))
			return doc_fmt("%.*s", (int)strcspn(manager + 17, "/"), manager + 17);
	}
	return NULL;
}
