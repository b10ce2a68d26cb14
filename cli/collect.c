#include "cli/collect.h"
#include "cli/collectors.h"
#include "facts/memory.h"
#include "loop/aside.h"
#include "loop/leave.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Of many VMs, so many are looked at side by side, with so many children and sockets. */
enum { WINDOW = 256, MANY_LOCAL = 64, MANY_VMS = 8, MANY_MS = 600000, TURN_MS = 100 };

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
		if (section == FACT_ROLES ||
		    ((section == FACT_DEEP || section == FACT_BOOT) && !deep) ||
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
cut(const struct run *run, const struct job *job)
{
	azure_cut(run->azure, job->facts.target);
	azure_cut(run->azure, FACT_JSON(job->doc, document, machine));
}

static void
sort(json_t *doc)
{
	const json_t *azure = FACT_JSON(doc, document, azure);

	doc_sort(FACT_JSON(azure, azure, resources));
	doc_sort(FACT_JSON(azure, azure, missing));
	doc_sort(FACT_JSON(azure, azure, lists));
}

/* An ambiguous VM name is a usage error. */
static int
refuse_ambiguous(const struct job *job, struct err *err)
{
	const json_t *vm = facts_section(&job->facts, FACT_VM),
		     *candidates = FACT_JSON(vm, vm, candidates), *id;
	size_t i;

	if (!doc_same(FACT_GET(vm, vm, cause), "ambiguous"))
		return 0;
	err_set(err, "'%s' is the name of %zu VMs; give one of these ids:",
		FACT_GET(job->facts.target, target, name), json_array_size(candidates));
	json_array_foreach (candidates, i, id) {
		struct err more = *err;

		err_set(err, "%s%s %s", more.text, i > 0 ? "," : "", json_string_value(id));
	}
	return -EINVAL;
}

static void
job_free(struct job *job)
{
	if (job == NULL)
		return;
	target_free(&job->target);
	json_decref(job->doc);
	free(job);
}

/* ---- beginning ---- */

static void
job_prepare(struct job *job, const struct options *options)
{
	const struct target *target = &job->target;

	job->azure =
	    (struct azure_target){ .id = target->id, .group = target->group, .name = target->name };
	if (target->name == NULL && target->id == NULL)
		job->azure.host = target->host;
	job->config = (struct ssh_config_request){ .shared = job->run->shared,
						   .user = options->login,
						   .port = options->port,
						   .identity = options->identity,
						   .config_file = options->ssh_config,
						   .no_config = options->no_ssh_config };
}

/* What the VMs of a run share is there once; a VM's own document holds what was read for it, so
 * that judging one does not go over what belongs to the others. */
static json_t *
own_document(const json_t *doc)
{
	json_t *own = json_copy((json_t *)(uintptr_t)doc),
	       *azure = json_copy(FACT_JSON(doc, document, azure)),
	       *asked = json_copy(FACT_JSON(doc, document, asked));

	json_object_del(asked, "command"); /* it is about all of them */
	json_object_set_new(own, "asked", asked);
	json_object_set_new(azure, "resources", json_object());
	json_object_set_new(azure, "missing", json_object());
	json_object_set_new(own, "azure", azure);
	json_object_set_new(own, "targets", json_array());
	return own;
}

/* A job for the VM as it was typed (NULL: none was); takes doc. */
static int
job_new(struct run *run, const char *vm, json_t *doc, struct job **ret, struct err *err)
{
	struct job *job = calloc(1, sizeof(*job));
	json_t *targets = FACT_JSON(doc, document, targets);
	int r;

	*job = (struct job){ .run = run, .doc = doc };
	if ((r = target_parse(run->options, vm, &job->target, err)) == 0) {
		json_array_append_new(targets, target_object(&job->target));
		job_prepare(job, run->options);
		r = facts_view(doc, 0, &job->facts);
	}
	if (r < 0) {
		job_free(job);
		return r;
	}
	*ret = job;
	return 0;
}

/* The head of a run of many VMs has a target that nobody looks at. */
static int
make_head(struct run *run, struct err *err)
{
	const struct words *vms = &run->options->vms;
	bool many = collect_many(run->options);
	int r = job_new(run, many || vms->count == 0 ? NULL : vms->at[0], json_incref(run->doc),
			&run->head, err);

	if (r == 0 && many)
		run->head->rows = ROWS_ONCE;
	run->chosen = !many;
	run->places = many ? MANY_LOCAL : LOCAL_MAX;
	if (run->options->jobs > 0)
		run->places = (size_t)run->options->jobs;
	return r;
}

/* All names must be names before anything begins. */
static int
check_names(const struct run *run, struct err *err)
{
	const struct words *vms = &run->options->vms;
	struct target target;
	int r = 0;

	for (size_t i = 0; i < vms->count && r == 0; i++)
		if ((r = target_parse(run->options, vms->at[i], &target, err)) == 0)
			target_free(&target);
	return r;
}

/* ---- which VMs ---- */

static void
tell_gap(const struct run *run, const json_t *why)
{
	struct err err = { 0 };

	err_set(&err, "not every VM may have been found: %s",
		doc_str(why, "reason") != NULL ? doc_str(why, "reason") : "Azure did not answer");
	run->hooks->gap(run->hooks->ctx, err.text);
}

static void
vms_known(void *ctx, json_t *ids, const json_t *why)
{
	struct run *run = ctx;

	run->chosen = true;
	names_choose(run->options, run->options->all ? ids : NULL, run->done, &run->names);
	if (why != NULL && run->options->all)
		tell_gap(run, why);
	if (run->options->all && json_array_size(ids) == 0 && run->refused == 0) {
		run->refused = -ENODATA;
		err_set(&run->why, "no VM was found%s%s", why != NULL ? ": " : "",
			doc_str(why, "reason") != NULL ? doc_str(why, "reason") : "");
	}
}

/* Without a sign-in names can be judged, but nobody knows what "all" are. */
static void
vms_unknown(struct run *run)
{
	const char *reason = NULL;

	facts_state(&run->head->facts, FACT_SIGNIN, &reason);
	run->chosen = true;
	if (!run->options->all) {
		names_choose(run->options, NULL, run->done, &run->names);
		return;
	}
	run->refused = -ENODATA;
	err_set(&run->why, "which VMs there are is not known: %s",
		reason != NULL ? reason : "the deadline came first");
}

/* Once the sign-in has ended. Few names are looked for one by one. */
static void
choose_vms(struct run *run)
{
	const struct options *options = run->options;
	const struct azure_selection selection = { .subscriptions = options->subscriptions.at,
						   .subscription_count =
						       options->subscriptions.count,
						   .group = options->resource_group,
						   .tags = options->tags.at,
						   .tag_count = options->tags.count };

	if (run->asked || !run->head->steps[SIGNIN].ended)
		return;
	run->asked = true;
	if (facts_state(&run->head->facts, FACT_SIGNIN, NULL) != FACT_KNOWN ||
	    (!options->all && options->vms.count < MANY_VMS))
		vms_unknown(run);
	else {
		memory_for_many();
		azure_fleet(run->azure, &selection, vms_known, run);
	}
}

/* As many VMs as there is room for. */
static void
admit(struct run *run)
{
	struct err err;
	struct job *job;

	if (!run->chosen)
		choose_vms(run);
	while (run->chosen && run->admitted < run->names.count && run->active < WINDOW) {
		size_t index = run->admitted++;

		if (job_new(run, run->names.at[index], own_document(run->doc), &job, &err) < 0)
			continue; /* it was a name before */
		job->rows = ROWS_OWN;
		job->index = index;
		job_begin(job);
	}
}

/* ---- the loop ---- */

static void
hand_over(struct run *run, struct job *job)
{
	leave_alive(); /* many take their time */
	settle_rest(job);
	cut(run, job);
	sort(job->doc);
	FACT_PUT(job->doc, document, duration_ms, loop_now(run->loop) - run->began);
	if (run->refused == 0 && collect_few(run->options))
		run->refused = refuse_ambiguous(job, &run->why);
	run->hooks->finished(run->hooks->ctx, job->index, job->doc);
	azure_forget(run->azure, job->doc);
	job_end(job);
	run->handed++;
	if (job->left == 0) {
		job_free(job);
		return;
	}
	job->after = run->late; /* somebody may still write into its facts */
	run->late = job;
}

/* Those that are whole; once the run is over, all of them. */
static void
hand_over_ended(struct run *run, bool over)
{
	struct job *after;

	for (struct job *job = run->first; job != NULL; job = after) {
		after = job->after;
		if (job != run->head && (job->left == 0 || over))
			hand_over(run, job);
	}
}

static void
tell_turn(const struct run *run)
{
	if (run->hooks->turn != NULL && run->last != NULL)
		run->hooks->turn(run->hooks->ctx, run->last->doc, loop_now(run->loop) - run->began);
}

static void
run_turns(struct run *run)
{
	run_start_ready(run);
	while (run->left > 0 || !run->chosen || run->admitted < run->names.count) {
		size_t moved = run->admitted + run->handed;
		bool idle;

		if (loop_left(run->loop) == 0) {
			loop_close(run->loop);
			return;
		}
		idle = !loop_turn(run->loop, TURN_MS) && run->lists[READY].first == NULL;
		run_start_ready(run);
		hand_over_ended(run, false);
		admit(run);
		moved = run->admitted + run->handed - moved;
		if (idle && moved == 0 && run->chosen)
			return; /* nothing under way and nothing to start: a row did not end */
		run_start_ready(run);
		tell_turn(run);
	}
	hand_over_ended(run, false);
}

/* Of many VMs those that the deadline came before are counted, and no report is made of them. */
static void
tell_unseen(const struct run *run)
{
	struct err err = { 0 };

	err_set(&err,
		"the deadline came before %zu of the %zu VMs: --deadline gives more time, --resume "
		"goes on",
		run->names.count - run->admitted, run->names.count);
	run->hooks->gap(run->hooks->ctx, err.text);
}

static void
run_all(struct run *run)
{
	job_begin(run->head);
	run_turns(run);
	hand_over_ended(run, true);
	if (!run->chosen)
		vms_unknown(run);
	if (run->admitted < run->names.count && !collect_few(run->options)) {
		tell_unseen(run);
		return;
	}
	while (run->admitted < run->names.count) { /* those that the deadline came before */
		admit(run);
		hand_over_ended(run, true);
	}
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
	if (collect_many(options) && !collect_few(options))
		return MANY_MS;
	if (options->guest)
		return 120000;
	return options->deep ? 60000 : 30000;
}

bool
collect_many(const struct options *options)
{
	return options->vms.count > 1 || options->all || options->names;
}

bool
collect_few(const struct options *options)
{
	return !options->all && !options->names && options->vms.count < MANY_VMS;
}

/* What a run of one VM leaves. */
static int
take_document(struct run *run, json_t **ret, struct err *err)
{
	settle_rest(run->head);
	cut(run, run->head);
	sort(run->doc);
	FACT_PUT(run->doc, document, duration_ms, loop_now(run->loop) - run->began);
	if (refuse_ambiguous(run->head, err) < 0)
		return -EINVAL;
	*ret = json_incref(run->doc);
	return 0;
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
	int deadline = collect_deadline(options), r = -ENOMEM;

	*ret = NULL;
	if (run.doc == NULL ||
	    (run.loop = loop_new(deadline, hooks != NULL ? hooks->trace : NULL)) == NULL)
		goto out;
	run.began = loop_now(run.loop);
	run.shared = collect_few(options) ? NULL : ssh_config_shared_new();
	aside_deadline(deadline);
	target_asked(run.doc, options, deadline);
	target_machine(run.doc);
	if (options->resume != NULL && (r = names_done(options->resume, &run.done, err)) < 0)
		goto out;
	if ((r = make_head(&run, err)) < 0 || (r = check_names(&run, err)) < 0 ||
	    (r = make_azure(&run, err)) < 0)
		goto out;
	run_all(&run);
	if (!collect_many(options))
		r = take_document(&run, ret, err);
	else if ((r = run.refused) < 0)
		*err = run.why;
out:
	loop_free(run.loop);
	azure_free(run.azure);
	for (struct job *job; (job = run.late) != NULL;) {
		run.late = job->after;
		job_free(job);
	}
	job_free(run.head);
	names_free(&run.names);
	ssh_config_shared_free(run.shared);
	json_decref(run.done);
	json_decref(run.doc);
	return r;
}
