#include "cli/job.h"

/* ---- which jobs to look at ---- */

static void
push(struct job *job, enum job_list_id id)
{
	struct job_list *list = &job->run->lists[id];

	if (job->listed[id])
		return;
	job->listed[id] = true;
	job->next[id] = NULL;
	if (list->first == NULL)
		list->first = job;
	else
		list->last->next[id] = job;
	list->last = job;
}

static struct job *
pop(struct run *run, enum job_list_id id)
{
	struct job *job = run->lists[id].first;

	if (job != NULL) {
		run->lists[id].first = job->next[id];
		job->listed[id] = false;
	}
	return job;
}

bool
job_settled(const struct job *job, enum fact_section section)
{
	return facts_state(&job->facts, section, NULL) != FACT_PENDING;
}

static bool
has_row(const struct job *job, enum collector_id c)
{
	return job->rows == ROWS_ALL || (job->rows == ROWS_ONCE) == job->run->table[c].once;
}

void
job_begin(struct job *job)
{
	struct run *run = job->run;

	for (enum collector_id c = 0; c < COLLECTORS; c++) {
		job->steps[c] = (struct step){ .job = job, .row = c };
		job->left += has_row(job, c);
	}
	run->left += job->left;
	run->active++;
	job->before = run->last;
	if (run->last != NULL)
		run->last->after = job;
	else
		run->first = job;
	run->last = job;
	push(job, READY);
}

static void
unlist(struct job *job, enum job_list_id id)
{
	struct job_list *list = &job->run->lists[id];
	struct job *before = NULL;

	for (struct job *at = list->first; job->listed[id] && at != NULL; at = at->next[id]) {
		if (at == job) {
			if (before == NULL)
				list->first = job->next[id];
			else
				before->next[id] = job->next[id];
			if (list->last == job)
				list->last = before;
			job->listed[id] = false;
			return;
		}
		before = at;
	}
}

void
job_end(struct job *job)
{
	struct run *run = job->run;

	for (enum job_list_id id = 0; id < JOB_LISTS; id++)
		unlist(job, id);
	if (job->before != NULL)
		job->before->after = job->after;
	else
		run->first = job->after;
	if (job->after != NULL)
		job->after->before = job->before;
	else
		run->last = job->before;
	run->left -= job->left;
	run->active--;
}

void
step_settled(void *ctx)
{
	const struct step *step = ctx;
	struct run *run = step->job->run;

	if (!run->table[step->row].once)
		push(step->job, READY);
	else
		for (struct job *job = run->first; job != NULL; job = job->after)
			push(job, READY);
}

void
step_end(void *ctx)
{
	struct step *step = ctx;
	struct job *job = step->job;

	step->ended = true;
	job->left--;
	job->run->left--;
	job->run->local -= job->run->table[step->row].local;
	step_settled(step);
}

/* ---- starting ---- */

static bool
may_start(const struct job *job, enum collector_id c)
{
	const struct collector *row = &job->run->table[c];

	if (job->steps[c].started || !has_row(job, c))
		return false;
	for (enum fact_section section = 0; section < FACT_SECTION_COUNT; section++)
		if ((row->needs & 1u << section) != 0 && !job_settled(job, section))
			return false;
	return row->ready == NULL || row->ready(job);
}

static void
start_rows(struct job *job)
{
	struct run *run = job->run;

	for (enum collector_id c = 0; c < COLLECTORS; c++) {
		if (!may_start(job, c))
			continue;
		if (run->table[c].local && run->local >= run->places) {
			push(job, BLOCKED);
			continue;
		}
		run->local += run->table[c].local;
		job->steps[c].started = true;
		run->table[c].start(job, &job->steps[c]);
	}
}

void
run_start_ready(struct run *run)
{
	struct job *job;

	do {
		while ((job = pop(run, READY)) != NULL)
			start_rows(job);
		if (run->local < run->places && (job = pop(run, BLOCKED)) != NULL)
			push(job, READY);
	} while (job != NULL);
}
