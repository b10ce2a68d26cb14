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

void
run_begin(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct job *job = &run->jobs[i];

		job->run = run;
		for (enum collector_id c = 0; c < COLLECTORS; c++) {
			job->steps[c] = (struct step){ .job = job, .row = c };
			job->left += !run->table[c].once || i == 0;
		}
		run->left += job->left;
		push(job, READY);
	}
}

void
step_settled(void *ctx)
{
	const struct step *step = ctx;
	struct run *run = step->job->run;

	if (!run->table[step->row].once)
		push(step->job, READY);
	else
		for (size_t i = 0; i < run->count; i++)
			push(&run->jobs[i], READY);
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

	if (job->steps[c].started || (row->once && job != job->run->jobs))
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
		if (run->table[c].local && run->local == LOCAL_MAX) {
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
		if (run->local < LOCAL_MAX && (job = pop(run, BLOCKED)) != NULL)
			push(job, READY);
	} while (job != NULL);
	while (run->first < run->count && run->jobs[run->first].left == 0)
		run->first++;
}
