/* What the collectors of a run work on: one job a VM, all in one loop. A job is ready when
 * something that its rows may wait for has happened; only ready jobs are looked at. */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "azure/azure.h"
#include "cli/collect.h"
#include "cli/names.h"
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
	HOP,
	GUEST,
	COMMANDS,
	COLLECTORS
};

/* READY: something has happened that a row may wait for. BLOCKED: a row waits for a place. */
enum job_list_id { READY, BLOCKED, JOB_LISTS };

/* Which rows of the table a job has: a run of one VM has one job with all of them; else the head
 * has those that serve all VMs, and each VM's job has the others. */
enum job_rows { ROWS_ALL, ROWS_ONCE, ROWS_OWN };

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
	struct job *before, *after; /* of those under way, in the order of their beginning */
	enum job_rows rows;
	size_t index; /* of the VM in the run */
	json_t *doc;  /* what facts view; owned */
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
	struct ssh_config_shared *shared; /* what ssh says of many names; NULL for one */
	struct azure *azure;
	json_t *doc;
	const struct collector *table; /* COLLECTORS rows */
	struct job *head;              /* whose rows serve all VMs */
	struct job *first, *last;      /* under way */
	struct job *late; /* handed over at the deadline, before their rows had ended */
	struct job_list lists[JOB_LISTS];
	size_t places, local;    /* for rows that are local; those taken */
	size_t left;             /* rows of all jobs that have not ended */
	size_t active;           /* jobs under way */
	struct names names;      /* of the VMs, once `chosen` */
	json_t *done;            /* of --resume: those that are not looked at again */
	bool asked, chosen;      /* Azure has been asked for the VMs; and has answered */
	size_t admitted, handed; /* VMs that have a job or had one; that are handed over */
	int64_t began;
	int refused; /* the first name that several VMs bear, with its sentence */
	struct err why;
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

/* Puts a job among those under way, ready; takes it out, ended or not. */
void job_begin(struct job *job);
void job_end(struct job *job);
/* Starts whatever may start; rows that end at once let others start. */
void run_start_ready(struct run *run);

/* Ends a row; ctx is the `end` it was started with. */
void step_end(void *ctx);

/* A section has been settled before its row ends: whoever needs it may start. */
void step_settled(void *ctx);

#endif
