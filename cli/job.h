/* What the collectors of a run work on: one job a VM, all in one loop. */
#pragma once

#include "azure/azure.h"
#include "cli/collect.h"
#include "loop/owner.h"
#include "cli/target.h"
#include "facts/facts.h"
#include "ssh/ssh.h"

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
	COMMANDS,
	COLLECTORS
};

struct run;

/* One VM or host of the run. */
struct job {
	struct run *run;
	struct facts facts;
	struct target target;
	struct ssh_config_request config;
	struct ssh_wire_request wire;
	struct azure_target azure;
	bool started[COLLECTORS];
	int busy; /* collectors under way */
};

struct run {
	const struct options *options;
	const struct collect_hooks *hooks;
	const json_t *custom; /* the custom rules, for the programs among them */
	struct loop *loop;
	struct azure *azure;
	json_t *doc;
	struct job *jobs;
	size_t count;
	bool settled; /* something has changed since the table was last walked */
};

/* One row of the table: when a collector may start, how, and whether it serves all VMs of a run. A
 * start that has nothing to do settles its sections and reports back at once. */
struct collector {
	bool (*ready)(const struct job *job);
	void (*start)(struct job *job);
	bool once;
};

extern const struct collector collectors[COLLECTORS];

/* true when the section is known, absent, unknown or not asked for. */
bool job_settled(const struct job *job, enum fact_section section);
