#include "model/nsg/nsg.h"

#include <stdlib.h>
#include <string.h>

/* Cutting a source of many ranges by many prefixes costs their product; beyond this a rule counts
 * as "may match" instead. */
#define CUT_BUDGET 20000

struct run {
	const struct nsg_flow *flow;
	struct ip_set rest; /* sources that no rule has settled yet */
	struct nsg_result result;
	size_t cuts;
	const struct nsg_rule *first[4]; /* first rule of each access that settles, or may settle,
					    some of the source */
};

static void
mark(struct nsg_result *result, enum nsg_access access)
{
	result->can_allow |= access == NSG_ACCESS_ALLOW || access == NSG_ACCESS_UNKNOWN;
	result->can_deny |= access == NSG_ACCESS_DENY || access == NSG_ACCESS_UNKNOWN;
	result->can_always |= access == NSG_ACCESS_ALWAYS;
}

/* A rule that may match: what it would do becomes possible. */
static void
may_match(struct run *run, const struct nsg_step *step, const char *tag)
{
	struct nsg_result *result = &run->result;
	enum nsg_access access = step->rule->access;

	mark(result, access);
	if (run->first[access] == NULL)
		run->first[access] = step->rule;
	if (access != NSG_ACCESS_DENY)
		result->exact = false;
	if (step->nonsense && result->unknown_field == NULL) {
		result->unknown_field = step->field;
		result->unknown_rule = step->rule;
	} else if (tag != NULL && result->unknown_tag == NULL) {
		result->unknown_tag = tag;
	}
}

/* Takes one range of the rule out of what is left, and notes it when it is allowed. */
static void
settle_range(struct run *run, const struct ip_range *range, bool allow)
{
	for (size_t i = 0; allow && i < run->rest.count; i++) {
		struct ip_range part = run->rest.list[i];

		if (!range_meets(&part, range))
			continue;
		if (ip_cmp(part.from, range->from) < 0)
			part.from = range->from;
		if (ip_cmp(part.to, range->to) > 0)
			part.to = range->to;
		ip_set_add(&run->result.allowed, &part);
	}
	ip_set_cut(&run->rest, range);
}

/* The rule matches some of the source for certain: that part is settled. `whole` are the ranges of
 * the rest that lie in it entirely. */
static void
settle(struct run *run, const struct nsg_rule *rule, const bool *whole)
{
	bool allow = rule->access != NSG_ACCESS_DENY;
	struct ip_set before = ip_set_copy(&run->rest);

	for (size_t i = 0; i < before.count; i++) {
		if (whole[i]) {
			settle_range(run, &before.list[i], allow);
			continue;
		}
		for (size_t k = 0; k < nsg_side_size(&rule->source); k++) {
			struct ip_range own = nsg_side_at(&rule->source, k);

			if (range_meets(&own, &before.list[i]) && run->cuts++ < CUT_BUDGET)
				settle_range(run, &own, allow);
		}
	}
	ip_set_free(&before);
}

/* Matches the rule's source against what is left. Sets whole[i] for ranges inside it; returns YES
 * when it takes all, MAYBE when it takes some (or may), NO when nothing. *certain: some prefix of
 * the rule meets the rest. */
static enum nsg_match
match_rest(struct run *run, const struct nsg_rule *rule, bool *whole, bool *certain,
	   const char **tag, bool *nonsense)
{
	size_t yes = 0, maybe = 0;

	for (size_t i = 0; i < run->rest.count; i++) {
		enum nsg_match one =
		    nsg_match_source(rule, run->flow, &run->rest.list[i], tag, nonsense);

		whole[i] = one == NSG_YES;
		yes += one == NSG_YES;
		maybe += one == NSG_MAYBE;
	}
	*certain = yes > 0;
	for (size_t i = 0; maybe > 0 && !*certain && i < run->rest.count; i++)
		*certain = nsg_side_meets(&rule->source, &run->rest.list[i]) != NSG_NO;
	if (yes == run->rest.count)
		return NSG_YES;
	return yes + maybe > 0 ? NSG_MAYBE : NSG_NO;
}

/* Another rule of the same priority and the other access may match too: which of the two comes
 * first is not said. */
static bool
has_rival(const struct nsg *nsg, size_t at, const struct nsg_flow *flow)
{
	const struct nsg_rule *rule = &nsg->rules[at];
	size_t first = at;

	while (first > 0 && nsg->rules[first - 1].priority == rule->priority)
		first--;
	for (size_t i = first;
	     rule->twin && i < nsg->count && nsg->rules[i].priority == rule->priority; i++)
		if (nsg->rules[i].access != rule->access &&
		    nsg_match_rule(&nsg->rules[i], flow).match != NSG_NO)
			return true;
	return false;
}

/* Source against what is left, for a rule whose other fields match or may match. */
static void
look_at_source(struct run *run, struct nsg_step *step, bool *whole)
{
	const struct nsg_rule *rule = step->rule;
	const char *tag = NULL;
	bool nonsense = false, certain;
	enum nsg_match source = match_rest(run, rule, whole, &certain, &tag, &nonsense);
	struct nsg_step part = { .rule = rule,
				 .match = source,
				 .field = "sourceAddressPrefix",
				 .nonsense = nonsense && source == NSG_MAYBE };

	if (part.nonsense)
		part.field = rule->source.bad;
	if (source == NSG_NO) {
		*step = part;
		return;
	}
	if (step->match == NSG_MAYBE) {
		may_match(run, step, NULL);
		return;
	}
	if (source == NSG_MAYBE)
		*step = part;
	if (source == NSG_MAYBE && (tag != NULL || nonsense))
		may_match(run, &part, tag);
	if (!certain)
		return;
	if (run->first[rule->access] == NULL)
		run->first[rule->access] = rule;
	mark(&run->result, rule->access);
	run->result.decider = rule;
	settle(run, rule, whole);
}

static void
look_at(struct run *run, const struct nsg *nsg, size_t at)
{
	struct nsg_step step = nsg_match_rule(&nsg->rules[at], run->flow);
	bool *whole;

	if (step.match == NSG_YES && has_rival(nsg, at, run->flow))
		step = (struct nsg_step){
			.rule = step.rule, .match = NSG_MAYBE, .field = "priority", .nonsense = true
		};
	if (step.match != NSG_NO) {
		whole = calloc(run->rest.count, sizeof(*whole));
		look_at_source(run, &step, whole);
		free(whole);
	}
	run->result.steps[run->result.step_count++] = step;
}

/* A rule of the other access than the deciding one. */
static const struct nsg_rule *
opposite(const struct run *run)
{
	const struct nsg_rule *decider = run->result.decider;

	for (size_t access = 0; access < 4; access++)
		if (run->first[access] != NULL &&
		    (decider == NULL || decider->access != (enum nsg_access)access))
			return run->first[access];
	return NULL;
}

void
nsg_evaluate(const struct nsg *nsg, const struct nsg_flow *flow, struct nsg_result *ret)
{
	struct run run = { .flow = flow, .result = { .exact = true } };

	if (nsg->bad != NULL) {
		*ret = (struct nsg_result){ .can_allow = true,
					    .can_deny = true,
					    .unknown_field = nsg->bad };
		return;
	}
	run.rest = ip_set_copy(&flow->source);
	run.result.steps = calloc(nsg->count + 1, sizeof(*run.result.steps));
	for (size_t i = 0; i < nsg->count && run.rest.count > 0; i++)
		look_at(&run, nsg, i);
	run.result.other = opposite(&run);
	run.result.open = run.rest.count > 0;
	if (run.cuts >= CUT_BUDGET)
		run.result.exact = false;
	ip_set_free(&run.rest);
	*ret = run.result;
}

void
nsg_result_free(struct nsg_result *result)
{
	ip_set_free(&result->allowed);
	free(result->steps);
	*result = (struct nsg_result){ 0 };
}
