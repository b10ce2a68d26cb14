#include "cli/collect.h"
#include "cli/collectors.h"
#include "loop/aside.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* ---- ending ---- */

/* What has not arrived when the round is over. */
static void
settle_rest(struct job *job)
{
	const json_t *asked = facts_asked(&job->facts);
	const bool deep = FACT_GET(asked, asked, deep), guest = FACT_GET(asked, asked, guest);

	for (enum fact_section section = 0; section < FACT_SECTION_COUNT; section++) {
		if (job_settled(job, section))
			continue;
		if ((section == FACT_DEEP && !deep) ||
		    ((section == FACT_PROOF || section == FACT_GUEST) && !guest))
			facts_settle(&job->facts, section, FACT_NOT_ASKED, "not-asked",
				     "not asked for");
		else
			facts_settle(&job->facts, section, FACT_UNKNOWN, "deadline",
				     "the deadline of %lld ms came first",
				     (long long)FACT_GET(asked, asked, deadline_ms));
	}
}

static void
run_loop(struct run *run, int64_t began)
{
	run_begin(run);
	run_start_ready(run);
	while (run->left > 0) {
		if (loop_left(run->loop) == 0) {
			loop_close(run->loop);
			return;
		}
		if (!loop_turn(run->loop, 100) && run->lists[READY].first == NULL)
			return; /* nothing under way and nothing to start: a row did not end */
		run_start_ready(run);
		if (run->hooks != NULL && run->hooks->turn != NULL)
			run->hooks->turn(run->hooks->ctx, run->doc, run->first,
					 loop_now(run->loop) - began);
	}
}

/* An ambiguous VM name is a usage error. */
static int
refuse_ambiguous(const struct run *run, struct err *err)
{
	for (size_t i = 0; i < run->count; i++) {
		const json_t *vm = facts_section(&run->jobs[i].facts, FACT_VM),
			     *candidates = FACT_JSON(vm, vm, candidates), *id;
		size_t j;

		if (!doc_same(FACT_GET(vm, vm, cause), "ambiguous"))
			continue;
		err_set(err, "'%s' is the name of %zu VMs; give one of these ids:",
			FACT_GET(run->jobs[i].facts.target, target, name),
			json_array_size(candidates));
		json_array_foreach (candidates, j, id) {
			struct err more = *err;

			err_set(err, "%s%s %s", more.text, j > 0 ? "," : "", json_string_value(id));
		}
		return -EINVAL;
	}
	return 0;
}

/* ---- beginning ---- */

static void
job_begin(struct job *job, const struct options *options)
{
	const struct target *target = &job->target;

	job->azure =
	    (struct azure_target){ .id = target->id, .group = target->group, .name = target->name };
	if (target->name == NULL && target->id == NULL)
		job->azure.host = target->host;
	job->config = (struct ssh_config_request){ .user = options->login,
						   .port = options->port,
						   .identity = options->identity,
						   .config_file = options->ssh_config,
						   .no_config = options->no_ssh_config };
}

static int
make_jobs(struct run *run, struct err *err)
{
	const struct words *vms = &run->options->vms;
	json_t *targets = FACT_JSON(run->doc, document, targets);
	int r = 0;

	run->count = vms->count > 0 ? vms->count : 1;
	if ((run->jobs = calloc(run->count, sizeof(*run->jobs))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < run->count && r == 0; i++) {
		r = target_parse(run->options, vms->count > 0 ? vms->at[i] : NULL,
				 &run->jobs[i].target, err);
		if (r == 0)
			json_array_append_new(targets, target_object(&run->jobs[i].target));
	}
	for (size_t i = 0; i < run->count && r == 0; i++) {
		job_begin(&run->jobs[i], run->options);
		r = facts_view(run->doc, i, &run->jobs[i].facts);
	}
	return r;
}

static int
make_azure(struct run *run, struct err *err)
{
	const struct options *options = run->options;
	struct azure_options azure = { .cloud = options->cloud,
				       .credential = options->credential,
				       .tenant = options->tenant,
				       .arm_endpoint = options->arm_endpoint != NULL
							   ? options->arm_endpoint
							   : getenv("AZSSH_ARM_ENDPOINT"),
				       .subscription = options->subscription,
				       .resolver = "/proc/self/exe" };

	return options->no_azure ? 0 : azure_new(run->loop, run->doc, &azure, &run->azure, err);
}

int
collect_deadline(const struct options *options)
{
	if (options->deadline_ms != 0)
		return options->deadline_ms;
	if (options->guest)
		return 120000;
	return options->deep ? 60000 : 30000;
}

int
collect(const struct options *options, const json_t *custom, const struct collect_hooks *hooks,
	json_t **ret, struct err *err)
{
	struct run run = { .options = options,
			   .hooks = hooks,
			   .custom = custom,
			   .doc = facts_new(time(NULL)),
			   .table = collectors };
	int deadline = collect_deadline(options);
	json_t *azure;
	int64_t began;
	int r = -ENOMEM;

	if (run.doc == NULL ||
	    (run.loop = loop_new(deadline, hooks != NULL ? hooks->trace : NULL)) == NULL)
		goto out;
	began = loop_now(run.loop);
	aside_deadline(deadline);
	target_asked(run.doc, options, deadline);
	target_machine(run.doc);
	if ((r = make_jobs(&run, err)) < 0 || (r = make_azure(&run, err)) < 0)
		goto out;
	run_loop(&run, began);
	for (size_t i = 0; i < run.count; i++) {
		settle_rest(&run.jobs[i]);
		azure_cut(run.azure, run.jobs[i].facts.target);
	}
	azure_cut(run.azure, FACT_JSON(run.doc, document, machine));
	azure = FACT_JSON(run.doc, document, azure);
	doc_sort(FACT_JSON(azure, azure, resources));
	doc_sort(FACT_JSON(azure, azure, missing));
	doc_sort(FACT_JSON(azure, azure, lists));
	FACT_PUT(run.doc, document, duration_ms, loop_now(run.loop) - began);
	if ((r = refuse_ambiguous(&run, err)) == 0)
		*ret = json_incref(run.doc);
out:
	loop_free(run.loop);
	azure_free(run.azure);
	for (size_t i = 0; run.jobs != NULL && i < run.count; i++)
		target_free(&run.jobs[i].target);
	free(run.jobs);
	json_decref(run.doc);
	return r;
}
