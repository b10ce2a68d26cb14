#include "model/nsg/nsg.h"

#include <stdio.h>

#define FIRST_PRIORITY 100
#define LAST_PRIORITY 4096
#define USUAL_PRIORITY 300

static bool
priority_taken(const struct nsg *nsg, int priority)
{
	for (size_t i = 0; i < nsg->count; i++)
		if (nsg->rules[i].priority == priority)
			return true;
	return false;
}

/* The new rule must stand before whatever denies, or may deny, some of the flow. */
static int
first_deny(const struct nsg_gate *gate)
{
	int first = LAST_PRIORITY + 1;

	for (size_t i = 0; i < gate->result.step_count; i++) {
		const struct nsg_step *step = &gate->result.steps[i];

		if (step->match != NSG_NO && step->rule->access != NSG_ACCESS_ALLOW &&
		    step->rule->priority >= 0 && step->rule->priority < first)
			first = step->rule->priority;
	}
	return first;
}

int
nsg_free_priority(const struct nsg_gate *gate)
{
	int limit = first_deny(gate);

	for (int priority = USUAL_PRIORITY; priority < limit; priority += 10)
		if (!priority_taken(&gate->nsg, priority))
			return priority;
	for (int priority = limit - 1; priority >= FIRST_PRIORITY; priority--)
		if (!priority_taken(&gate->nsg, priority))
			return priority;
	return 0;
}

int
nsg_free_behind(const struct nsg_gate *gate, const struct nsg_rule *rule)
{
	for (int priority = 4000; priority > rule->priority; priority--)
		if (!priority_taken(&gate->nsg, priority))
			return priority;
	return 0;
}

/* Outbound rules share the names with inbound ones, so the body is asked and not the view. */
static bool
name_taken(const struct nsg_gate *gate, const char *name)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (doc_list(gate->ref.body, "properties.securityRules"), i, rule)
		if (doc_is(rule, "name", name))
			return true;
	for (i = 0; i < gate->nsg.count; i++)
		if (doc_same(gate->nsg.rules[i].name, name))
			return true;
	return false;
}

void
nsg_free_name(const struct nsg_gate *gate, char *ret, size_t size)
{
	snprintf(ret, size, "allow-ssh-me");
	for (size_t i = 2; name_taken(gate, ret) && i < 10000; i++)
		snprintf(ret, size, "allow-ssh-me-%zu", i);
}
