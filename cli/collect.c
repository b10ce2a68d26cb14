#include "cli/collect.h"
#include "azure/azure.h"
#include "cli/commands.h"
#include "cli/loop.h"
#include "cli/source.h"
#include "cli/target.h"
#include "model/facts.h"
#include "ssh/ssh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum collector_id { CLIENT, SIGNIN, FIND, READ, SOURCE, ALIAS, ADDRESS, CONFIG, IDENTITIES, KNOWN_HOSTS, USER, WIRE, COMMANDS, COLLECTORS };

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
	int busy;			/* collectors under way */
};

struct run {
	const struct options *options;
	const struct collect_hooks *hooks;
	const json_t *custom;		/* the custom rules, for the programs among them */
	struct loop *loop;
	struct azure *azure;
	json_t *doc;
	struct job *jobs;
	size_t count;
	bool settled;			/* something has changed since the table was last walked */
};

static bool
is_settled(const struct job *job, enum fact_section section)
{
	return facts_state(&job->facts, section, NULL) != FACT_PENDING;
}

static void
done(void *ctx)
{
	struct job *job = ctx;

	job->busy--;
	job->run->settled = true;
}

/* ---- the collectors: when each may start, and how ---- */

static bool
always(const struct job *job)
{
	(void)job;
	return true;
}

static bool
after_signin(const struct job *job)
{
	return is_settled(job, FACT_SIGNIN);
}

/* The owner of a host is looked for by the address that ssh would really go to. */
static bool
after_signin_and_alias(const struct job *job)
{
	return is_settled(job, FACT_SIGNIN) && (job->azure.host == NULL || is_settled(job, FACT_ALIAS));
}

static bool
after_find(const struct job *job)
{
	return is_settled(job, FACT_VM);
}

static bool
alias_says(const struct job *job)
{
	return doc_bool(facts_section(&job->facts, FACT_ALIAS), "changes", false);
}

/* The address is known from --host or ssh_config at once, else when Azure has been read. */
static bool
after_place(const struct job *job)
{
	return is_settled(job, FACT_ALIAS) && (job->target.host != NULL || alias_says(job) || is_settled(job, FACT_NETWORK));
}

static bool
after_address(const struct job *job)
{
	return is_settled(job, FACT_ADDRESS);
}

static bool
after_config(const struct job *job)
{
	return is_settled(job, FACT_SSH_CONFIG);
}

/* The user name is the VM's own when neither the options nor ssh_config name one. */
static bool
after_user(const struct job *job)
{
	const char *from = doc_str(facts_section(&job->facts, FACT_SSH_CONFIG), "user_from");

	return after_config(job) && (doc_same(from, "option") || doc_same(from, "ssh-config") || is_settled(job, FACT_NETWORK));
}

/* Programs of rule files see everything else. */
static bool
after_all(const struct job *job)
{
	for (int c = 0; c < COMMANDS; c++)
		if (!job->started[c] && !(job != job->run->jobs && (c == CLIENT || c == SIGNIN)))
			return false;
	return job->busy == 0 && job->run->jobs[0].started[SIGNIN] && is_settled(job, FACT_SIGNIN);
}

static bool
after_machine(const struct job *job)
{
	return job->started[USER] && is_settled(job, FACT_CLIENT) && is_settled(job, FACT_IDENTITIES) && is_settled(job, FACT_KNOWN_HOSTS);
}

static void
start_client(struct job *job)
{
	ssh_client_collect(job->run->loop, &job->facts, done, job);
}

static void
start_signin(struct job *job)
{
	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_SIGNIN, FACT_NOT_ASKED, "no-azure", "Azure was left out (--no-azure)");
		done(job);
		return;
	}
	azure_signin(job->run->azure, done, job);
}

static void
start_find(struct job *job)
{
	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_VM, FACT_NOT_ASKED, "no-azure", "Azure was left out (--no-azure)");
		done(job);
		return;
	}
	if (job->azure.host != NULL && doc_str(facts_section(&job->facts, FACT_ALIAS), "hostname") != NULL)
		job->azure.host = doc_str(facts_section(&job->facts, FACT_ALIAS), "hostname");
	azure_find(job->run->azure, &job->facts, &job->azure, done, job);
}

static void
start_read(struct job *job)
{
	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_NETWORK, FACT_NOT_ASKED, "no-azure", "Azure was left out (--no-azure)");
		facts_settle(&job->facts, FACT_JIT, FACT_NOT_ASKED, "no-azure", "Azure was left out (--no-azure)");
		done(job);
		return;
	}
	azure_read(job->run->azure, &job->facts, done, job);
}

static void
start_source(struct job *job)
{
	const struct options *options = job->run->options;

	source_settle(job->run->loop, &job->facts, options->source_ip, options->ip_service, done, job);
}

static void
start_alias(struct job *job)
{
	const char *name = job->target.host != NULL ? job->target.host : job->target.name;

	if (name == NULL) {
		facts_settle(&job->facts, FACT_ALIAS, FACT_NOT_ASKED, "no-name", "no host was named");
		done(job);
		return;
	}
	job->config.name = name;
	ssh_config_collect(job->run->loop, &job->facts, FACT_ALIAS, &job->config, done, job);
}

static void
start_address(struct job *job)
{
	target_address(&job->facts, job->target.host);
	done(job);
}

/* `ssh -G` of the name typed has been asked already; only an address that came from Azure needs a question of its own. */
static void
start_config(struct job *job)
{
	const json_t *address = facts_section(&job->facts, FACT_ADDRESS), *alias = facts_section(&job->facts, FACT_ALIAS);

	if (facts_state(&job->facts, FACT_ADDRESS, NULL) != FACT_KNOWN || job->target.host != NULL || alias_says(job)) {
		if (alias != NULL)
			json_object_set_new(job->facts.target, facts_section_key(FACT_SSH_CONFIG), json_deep_copy(alias));
		done(job);
		return;
	}
	job->config.name = doc_str(address, "host");
	if (job->config.port == 0)
		job->config.port = (int)doc_int(address, "port", 0);
	ssh_config_collect(job->run->loop, &job->facts, FACT_SSH_CONFIG, &job->config, done, job);
}

static void
start_identities(struct job *job)
{
	ssh_identities_collect(job->run->loop, &job->facts, job->run->options->identity, done, job);
}

static void
start_known_hosts(struct job *job)
{
	const json_t *config = facts_section(&job->facts, FACT_SSH_CONFIG), *address = facts_section(&job->facts, FACT_ADDRESS);
	const char *host = doc_str(config, "hostname") != NULL ? doc_str(config, "hostname") : doc_str(address, "host");

	if (host == NULL)
		facts_settle(&job->facts, FACT_KNOWN_HOSTS, FACT_NOT_ASKED, "no-address", "there is no host to look up");
	else
		ssh_known_hosts_collect(&job->facts, host, (int)doc_int(config, "port", 22));
	done(job);
}

static void
start_user(struct job *job)
{
	target_user(&job->facts);
	done(job);
}

static void
start_wire(struct job *job)
{
	const json_t *config = facts_section(&job->facts, FACT_SSH_CONFIG), *address = facts_section(&job->facts, FACT_ADDRESS);

	if (!target_may_probe(&job->facts, job->run->options->no_probe)) {
		done(job);
		return;
	}
	job->wire = (struct ssh_wire_request){ .self = "/proc/self/exe", .user = doc_str(config, "user"),
		.reference = job->run->options->reference, .config_file = job->config.no_config ? "none" : job->config.config_file,
		.host = doc_str(config, "hostname") != NULL ? doc_str(config, "hostname") : doc_str(address, "host"),
		.port = (int)doc_int(config, "port", job->run->options->port != 0 ? job->run->options->port : doc_int(address, "port", 22)) };
	ssh_wire_collect(job->run->loop, &job->facts, &job->wire, done, job);
}

static void
start_commands(struct job *job)
{
	commands_run(job->run->loop, &job->facts, job->run->custom, job->run->options->allow_commands, done, job);
}

static const struct collector {
	bool (*ready)(const struct job *job);
	void (*start)(struct job *job);
	bool once;			/* once a run, not once a VM */
} collectors[COLLECTORS] = {
	[CLIENT] = { always, start_client, true },
	[SIGNIN] = { always, start_signin, true },
	[FIND] = { after_signin_and_alias, start_find, false },
	[READ] = { after_find, start_read, false },
	[SOURCE] = { after_signin, start_source, false },
	[ALIAS] = { always, start_alias, false },
	[ADDRESS] = { after_place, start_address, false },
	[CONFIG] = { after_address, start_config, false },
	[IDENTITIES] = { after_config, start_identities, false },
	[KNOWN_HOSTS] = { after_config, start_known_hosts, false },
	[USER] = { after_user, start_user, false },
	[WIRE] = { after_machine, start_wire, false },
	[COMMANDS] = { after_all, start_commands, false },
};

/* Starts whatever may start; collectors that finish at once let others start. */
static void
walk_table(struct run *run)
{
	do {
		run->settled = false;
		for (size_t i = 0; i < run->count; i++)
			for (int c = 0; c < COLLECTORS; c++) {
				struct job *job = &run->jobs[i];

				if (job->started[c] || (collectors[c].once && i > 0) || !collectors[c].ready(job))
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
		if (!is_settled(job, section)) {
			if ((section == FACT_DEEP && !doc_bool(job->facts.doc, "asked.deep", false)) ||
			    (section == FACT_PROOF && !doc_bool(job->facts.doc, "asked.guest", false)))
				facts_settle(&job->facts, section, FACT_NOT_ASKED, "not-asked", "not asked for");
			else
				facts_settle(&job->facts, section, FACT_UNKNOWN, "deadline", "the deadline of %lld ms came first",
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
			return;		/* nothing under way and nothing to start: a collector forgot to call back */
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
		const json_t *vm = facts_section(&run->jobs[i].facts, FACT_VM), *candidates = doc_list(vm, "candidates"), *id;
		size_t j;

		if (!doc_is(vm, "cause", "ambiguous"))
			continue;
		err_set(err, "'%s' is the name of %zu VMs; give one of these ids:", doc_str(run->jobs[i].facts.target, "name"),
		    json_array_size(candidates));
		json_array_foreach(candidates, j, id) {
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

		r = target_parse(options, options->vms.count > 0 ? options->vms.at[i] : NULL, &job->target, err);
		if (r == 0)
			json_array_append_new(targets, target_object(&job->target));
	}
	for (size_t i = 0; i < run->count && r == 0; i++) {
		struct job *job = &run->jobs[i];

		job->run = run;
		r = facts_view(run->doc, i, &job->facts);
		job->azure = (struct azure_target){ .id = job->target.id, .group = job->target.group, .name = job->target.name,
			.host = job->target.name == NULL && job->target.id == NULL ? job->target.host : NULL };
		job->config = (struct ssh_config_request){ .user = options->login, .port = options->port, .identity = options->identity,
			.config_file = options->ssh_config, .no_config = options->no_ssh_config };
	}
	return r;
}

static int
make_azure(struct run *run, struct err *err)
{
	const struct options *options = run->options;
	struct azure_options azure = { .cloud = options->cloud, .credential = options->credential, .tenant = options->tenant,
		.arm_endpoint = options->arm_endpoint != NULL ? options->arm_endpoint : getenv("AZSSH_ARM_ENDPOINT"),
		.subscription = options->subscription, .deep = options->deep, .guest = options->guest };

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
collect(const struct options *options, const json_t *custom, const struct collect_hooks *hooks, json_t **ret, struct err *err)
{
	struct run run = { .options = options, .hooks = hooks, .custom = custom, .doc = facts_new(time(NULL)) };
	int deadline = collect_deadline(options);
	int64_t began;
	int r = -ENOMEM;

	if (run.doc == NULL || (run.loop = loop_new(deadline, options->verbose ? stderr : NULL)) == NULL)
		goto out;
	began = loop_now(run.loop);
	target_asked(run.doc, options, deadline);
	target_machine(run.doc);
	if ((r = make_jobs(&run, err)) < 0 || (r = make_azure(&run, err)) < 0)
		goto out;
	run_loop(&run, began);
	for (size_t i = 0; i < run.count; i++)
		settle_rest(&run.jobs[i]);
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
