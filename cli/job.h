/* What the collectors of a run work on: one job a VM, all in one loop. A job is ready when
 * something that its rows may wait for has happened; only ready jobs are looked at. */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "azure/azure.h"
#include "cli/collect.h"
#include "cli/target.h"
#include "facts/facts.h"
#include "loop/owner.h"
#include "ssh/ssh.h"

/* Rows that hold descriptors of this machine (children, sockets) at the same time. */
enum { LOCAL_MAX = 256 };

enum collector_id {
	CLIENT,
	SIGNIN,
	FIND,
	READ,
	SOURCE,
	ALIAS,
	ADDRESS,
	CONFIG,
	IDENTITIES,
	KNOWN_HOSTS,
	USER,
	WIRE,
	REHEARSAL,
	GUEST,
	COMMANDS,
	COLLECTORS
};

/* READY: something has happened that a row may wait for. BLOCKED: a row waits for a place. */
enum job_list_id { READY, BLOCKED, JOB_LISTS };

struct run;
struct job;
struct collector;

/* One row of the table for one job. */
struct step {
	struct job *job;
	enum collector_id row;
	bool started, ended;
};

/* One VM or host of the run. */
struct job {
	struct run *run;
	struct job *next[JOB_LISTS];
	bool listed[JOB_LISTS];
	struct facts facts;
	struct target target;
	struct ssh_config_request config;
	struct ssh_wire_request wire;
	struct ssh_rehearsal_request rehearsal;
	struct azure_target azure;
	struct step steps[COLLECTORS];
	size_t left; /* of its rows, those that have not ended */
};

struct job_list {
	struct job *first, *last;
};

struct run {
	const struct options *options;
	const struct collect_hooks *hooks;
	const json_t *custom; /* the custom rules, for the programs among them */
	struct loop *loop;
	struct azure *azure;
	json_t *doc;
	const struct collector *table; /* COLLECTORS rows */
	struct job *jobs;
	size_t count;
	struct job_list lists[JOB_LISTS];
	size_t local; /* of LOCAL_MAX places, those taken */
	size_t left;  /* rows of all jobs that have not ended */
	size_t first; /* the first job with rows left */
};

/* One row of the table. */
struct collector {
	unsigned needs;                       /* FACTS_BIT of the sections that must be settled */
	bool (*ready)(const struct job *job); /* what else must be so; NULL: nothing */
	/* Settles its sections and then calls step_end(end) once, perhaps before it returns. */
	void (*start)(struct job *job, void *end);
	bool once;  /* serves all VMs of a run: only the first job has it */
	bool local; /* takes one of LOCAL_MAX places */
};

/* true when the section is known, absent, unknown or not asked for. */
bool job_settled(const struct job *job, enum fact_section section);

/* Makes all jobs ready. */
void run_begin(struct run *run);
/* Starts whatever may start; rows that end at once let others start. */
void run_start_ready(struct run *run);

/* Ends a row; ctx is the `end` it was started with. */
void step_end(void *ctx);

/* A section has been settled before its row ends: whoever needs it may start. */
void step_settled(void *ctx);

#endif
