#include "cli/collect.h"
#include "cli/job.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* Starts whatever may start; collectors that finish at once let others start. */
static void
walk_table(struct run *run)
{
	do {
		run->settled = false;
		for (size_t i = 0; i < run->count; i++)
			for (int c = 0; c < COLLECTORS; c++) {
				struct job *job = &run->jobs[i];

				if (job->started[c] || (collectors[c].once && i > 0) ||
				    !collectors[c].ready(job))
					continue;
				job->started[c] = true;
				job->busy++;
				collectors[c].start(job);
			}
	} while (run->settled);
}

static bool
finished(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		if (run->jobs[i].busy > 0)
			return false;
		for (int c = 0; c < COLLECTORS; c++)
			if (!run->jobs[i].started[c] && !(collectors[c].once && i > 0))
				return false;
	}
	return true;
}

/* What has not arrived when the round is over. */
static void
settle_rest(struct job *job)
{
	int64_t deadline = doc_int(job->facts.doc, "asked.deadline_ms", 0);

	for (enum fact_section section = 0; section < FACT_SECTION_COUNT; section++)
		if (!job_settled(job, section)) {
			if ((section == FACT_DEEP &&
			     !doc_bool(job->facts.doc, "asked.deep", false)) ||
			    (section == FACT_PROOF &&
			     !doc_bool(job->facts.doc, "asked.guest", false)))
				facts_settle(&job->facts, section, FACT_NOT_ASKED, "not-asked",
					     "not asked for");
			else
				facts_settle(&job->facts, section, FACT_UNKNOWN, "deadline",
					     "the deadline of %lld ms came first",
					     (long long)deadline);
		}
}

static void
run_loop(struct run *run, int64_t began)
{
	walk_table(run);
	while (!finished(run)) {
		if (loop_left(run->loop) == 0) {
			loop_close(run->loop);
			return;
		}
		if (!loop_turn(run->loop, 100) && !run->settled)
			return; /* nothing under way and nothing to start: a collector forgot to
				   call back */
		walk_table(run);
		if (run->hooks != NULL && run->hooks->turn != NULL)
			run->hooks->turn(run->hooks->ctx, run->doc, loop_now(run->loop) - began);
	}
}

/* A VM name that several VMs bear is a question back to the user. */
static int
refuse_ambiguous(const struct run *run, struct err *err)
{
	for (size_t i = 0; i < run->count; i++) {
		const json_t *vm = facts_section(&run->jobs[i].facts, FACT_VM),
			     *candidates = doc_list(vm, "candidates"), *id;
		size_t j;

		if (!doc_is(vm, "cause", "ambiguous"))
			continue;
		err_set(err, "'%s' is the name of %zu VMs; give one of these ids:",
			doc_str(run->jobs[i].facts.target, "name"), json_array_size(candidates));
		json_array_foreach (candidates, j, id) {
			struct err more = *err;

			err_set(err, "%s%s %s", more.text, j > 0 ? "," : "", json_string_value(id));
		}
		return -EINVAL;
	}
	return 0;
}

static int
make_jobs(struct run *run, struct err *err)
{
	const struct options *options = run->options;
	json_t *targets = json_object_get(run->doc, "targets");
	int r = 0;

	run->count = options->vms.count > 0 ? options->vms.count : 1;
	if ((run->jobs = calloc(run->count, sizeof(*run->jobs))) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < run->count && r == 0; i++) {
		struct job *job = &run->jobs[i];

		r = target_parse(options, options->vms.count > 0 ? options->vms.at[i] : NULL,
				 &job->target, err);
		if (r == 0)
			json_array_append_new(targets, target_object(&job->target));
	}
	for (size_t i = 0; i < run->count && r == 0; i++) {
		struct job *job = &run->jobs[i];

		job->run = run;
		r = facts_view(run->doc, i, &job->facts);
		job->azure = (struct azure_target){ .id = job->target.id,
						    .group = job->target.group,
						    .name = job->target.name,
						    .host = job->target.name == NULL &&
								    job->target.id == NULL
								? job->target.host
								: NULL,
						    .resolver = "/proc/self/exe" };
		job->config = (struct ssh_config_request){ .user = options->login,
							   .port = options->port,
							   .identity = options->identity,
							   .config_file = options->ssh_config,
							   .no_config = options->no_ssh_config };
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
				       .deep = options->deep,
				       .guest = options->guest };

	return options->no_azure ? 0 : azure_new(run->loop, run->doc, &azure, &run->azure, err);
}

int
collect_deadline(const struct options *options)
{
	if (options->deadline_ms != 0)
		return options->deadline_ms;
	return options->guest ? 120000 : options->deep ? 60000 : 30000;
}

int
collect(const struct options *options, const json_t *custom, const struct collect_hooks *hooks,
	json_t **ret, struct err *err)
{
	struct run run = {
		.options = options, .hooks = hooks, .custom = custom, .doc = facts_new(time(NULL))
	};
	int deadline = collect_deadline(options);
	int64_t began;
	int r = -ENOMEM;

	if (run.doc == NULL ||
	    (run.loop = loop_new(deadline, options->verbose ? stderr : NULL)) == NULL)
		goto out;
	began = loop_now(run.loop);
	target_asked(run.doc, options, deadline);
	target_machine(run.doc);
	if ((r = make_jobs(&run, err)) < 0 || (r = make_azure(&run, err)) < 0)
		goto out;
	run_loop(&run, began);
	for (size_t i = 0; i < run.count; i++) {
		settle_rest(&run.jobs[i]);
		azure_cut(run.azure, run.jobs[i].facts.target);
	}
	azure_cut(run.azure, json_object_get(run.doc, "machine"));
	doc_sort(doc_get(run.doc, "azure.resources"));
	doc_sort(doc_get(run.doc, "azure.missing"));
	doc_sort(doc_get(run.doc, "azure.lists"));
	doc_set_int(run.doc, "duration_ms", loop_now(run.loop) - began);
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
