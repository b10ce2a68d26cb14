#include "cli/judge.h"
#include "checks/may.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
exit_code_of(enum status verdict, const struct options *options)
{
	const char *fail_on = options->fail_on != NULL ? options->fail_on : "fail";

	if (strcmp(fail_on, "never") == 0)
		return EXIT_HEALTHY;
	if (verdict == FAIL || (verdict == WARN && strcmp(fail_on, "warn") == 0) ||
	    (verdict == UNKNOWN && strcmp(fail_on, "unknown") == 0))
		return EXIT_FAULT;
	return verdict == UNKNOWN ? EXIT_UNDETERMINED : EXIT_HEALTHY;
}

/* Several VMs: 4, else 1, else 3, else 0. */
static int
worse(int a, int b)
{
	static const int order[] = { EXIT_INTERNAL, EXIT_FAULT, EXIT_UNDETERMINED, EXIT_HEALTHY };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return a;
}

static int
judge(json_t *doc, size_t index, const struct options *options, const struct rules *rules,
      struct judgement *ret)
{
	static const char *const az[] = { "az", NULL };
	struct selection selection = { .only = options->only.at, .skip = options->skip.at };
	struct facts facts;
	struct scene scene;
	int r;

	if ((r = facts_view(doc, index, &facts)) < 0)
		return r;
	scene_make(&facts, &scene);
	if ((r = checks_run(&scene, rules, &selection, &ret->findings, &ret->count)) == 0) {
		ret->about = about_make(&scene);
		ret->globals = globals_make(&scene, &ret->about);
	}
	for (size_t i = 0; i < ret->count && r == 0; i++) {
		r = finding_fill_in(&ret->findings[i], rules, ret->globals,
				    options->remedy.count > 0 ? options->remedy.at : az);
		finding_may(&scene, &ret->findings[i]);
	}
	scene_free(&scene);
	if (r < 0 || (r = diagnosis_make(ret->findings, ret->count, &ret->diagnosis)) < 0)
		return r;
	return report_build(&ret->about, rules, ret->findings, ret->count, &ret->diagnosis,
			    ret->globals, exit_code_of(ret->diagnosis.verdict, options),
			    &ret->report);
}

void
judgements_begin(struct judgements *ret)
{
	*ret = (struct judgements){ .exit_code = EXIT_HEALTHY };
}

/* The place of the index-th target. */
static struct judgement *
place(struct judgements *all, size_t index)
{
	size_t room = all->room == 0 ? 16 : all->room;

	while (room <= index)
		room *= 2;
	if (room != all->room) {
		all->at = realloc(all->at, room * sizeof(*all->at));
		memset(all->at + all->room, 0, (room - all->room) * sizeof(*all->at));
		all->room = room;
	}
	all->count = index < all->count ? all->count : index + 1;
	return all->at[index] = calloc(1, sizeof(struct judgement));
}

static int
judge_at(json_t *doc, size_t target, size_t index, const struct options *options,
	 const struct rules *rules, struct judgements *ret)
{
	struct judgement *one = place(ret, index);
	int r;

	one->doc = json_incref(doc);
	if ((r = judge(doc, target, options, rules, one)) == 0)
		ret->exit_code = worse(ret->exit_code, one->report.exit_code);
	return r;
}

int
judge_one(json_t *doc, size_t index, const struct options *options, const struct rules *rules,
	  struct judgements *ret)
{
	return judge_at(doc, 0, index, options, rules, ret);
}

int
judge_all(json_t *doc, const struct options *options, const struct rules *rules,
	  struct judgements *ret)
{
	size_t count = json_array_size(doc_list(doc, "targets"));
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = judge_at(doc, i, i, options, rules, ret);
	return r;
}

void
judgements_drop(struct judgements *judgements, size_t index)
{
	struct judgement *one = index < judgements->count ? judgements->at[index] : NULL;

	if (one == NULL)
		return;
	report_free(&one->report);
	diagnosis_free(&one->diagnosis);
	findings_free(one->findings, one->count);
	json_decref(one->globals);
	about_free(&one->about);
	json_decref(one->doc);
	free(one);
	judgements->at[index] = NULL;
}

void
judgements_free(struct judgements *judgements)
{
	for (size_t i = 0; i < judgements->count; i++)
		judgements_drop(judgements, i);
	free(judgements->at);
	*judgements = (struct judgements){ 0 };
}
