/* The collectors: when each may start, and how. */
#include "cli/commands.h"
#include "cli/job.h"
#include "cli/source.h"

#include <string.h>

bool
job_settled(const struct job *job, enum fact_section section)
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

static bool
always(const struct job *job)
{
	(void)job;
	return true;
}

static bool
after_signin(const struct job *job)
{
	return job_settled(job, FACT_SIGNIN);
}

/* The owner of a host is looked for by the address that ssh would really go to. */
static bool
after_signin_and_alias(const struct job *job)
{
	return job_settled(job, FACT_SIGNIN) &&
	       (job->azure.host == NULL || job_settled(job, FACT_ALIAS));
}

static bool
after_find(const struct job *job)
{
	return job_settled(job, FACT_VM);
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
	return job_settled(job, FACT_ALIAS) &&
	       (job->target.host != NULL || alias_says(job) || job_settled(job, FACT_NETWORK));
}

static bool
after_address(const struct job *job)
{
	return job_settled(job, FACT_ADDRESS);
}

static bool
after_config(const struct job *job)
{
	return job_settled(job, FACT_SSH_CONFIG);
}

/* The user name is the VM's own when neither the options nor ssh_config name one. */
static bool
after_user(const struct job *job)
{
	const char *from = doc_str(facts_section(&job->facts, FACT_SSH_CONFIG), "user_from");

	return after_config(job) && (doc_same(from, "option") || doc_same(from, "ssh-config") ||
				     job_settled(job, FACT_NETWORK));
}

/* Programs of rule files see everything else. */
static bool
after_all(const struct job *job)
{
	for (int c = 0; c < COMMANDS; c++)
		if (!job->started[c] && !(job != job->run->jobs && (c == CLIENT || c == SIGNIN)))
			return false;
	return job->busy == 0 && job->run->jobs[0].started[SIGNIN] && job_settled(job, FACT_SIGNIN);
}

static bool
after_machine(const struct job *job)
{
	return job->started[USER] && job_settled(job, FACT_CLIENT) &&
	       job_settled(job, FACT_IDENTITIES) && job_settled(job, FACT_KNOWN_HOSTS);
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
		facts_settle(&job->facts, FACT_SIGNIN, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		done(job);
		return;
	}
	azure_signin(job->run->azure, done, job);
}

static void
start_find(struct job *job)
{
	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_VM, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		done(job);
		return;
	}
	if (job->azure.host != NULL &&
	    doc_str(facts_section(&job->facts, FACT_ALIAS), "hostname") != NULL)
		job->azure.host = doc_str(facts_section(&job->facts, FACT_ALIAS), "hostname");
	azure_find(job->run->azure, &job->facts, &job->azure, done, job);
}

static void
start_read(struct job *job)
{
	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_NETWORK, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		facts_settle(&job->facts, FACT_JIT, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		done(job);
		return;
	}
	azure_read(job->run->azure, &job->facts, done, job);
}

static void
start_source(struct job *job)
{
	const struct options *options = job->run->options;

	source_settle(job->run->loop, &job->facts, options->source_ip, options->ip_service, done,
		      job);
}

static void
start_alias(struct job *job)
{
	const char *name = job->target.host != NULL ? job->target.host : job->target.name;

	/* the number of a scale set's instance: ssh would take it for an address */
	if (name == NULL ||
	    (job->target.host == NULL && name[strspn(name, "0123456789")] == '\0')) {
		facts_settle(&job->facts, FACT_ALIAS, FACT_NOT_ASKED, "no-name",
			     "no host was named");
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

/* `ssh -G` of the name typed has been asked already; only an address that came from Azure needs a
 * question of its own. */
static void
start_config(struct job *job)
{
	const json_t *address = facts_section(&job->facts, FACT_ADDRESS),
		     *alias = facts_section(&job->facts, FACT_ALIAS);

	if (facts_state(&job->facts, FACT_ADDRESS, NULL) != FACT_KNOWN ||
	    job->target.host != NULL || alias_says(job)) {
		if (alias != NULL)
			json_object_set_new(job->facts.target, facts_section_key(FACT_SSH_CONFIG),
					    json_deep_copy(alias));
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
	const json_t *config = facts_section(&job->facts, FACT_SSH_CONFIG),
		     *address = facts_section(&job->facts, FACT_ADDRESS);
	const char *host = doc_str(config, "hostname") != NULL ? doc_str(config, "hostname")
							       : doc_str(address, "host");

	if (host == NULL)
		facts_settle(&job->facts, FACT_KNOWN_HOSTS, FACT_NOT_ASKED, "no-address",
			     "there is no host to look up");
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
	const json_t *config = facts_section(&job->facts, FACT_SSH_CONFIG),
		     *address = facts_section(&job->facts, FACT_ADDRESS);

	if (!target_may_probe(&job->facts, job->run->options->no_probe)) {
		done(job);
		return;
	}
	job->wire = (struct ssh_wire_request){
		.self = "/proc/self/exe",
		.user = doc_str(config, "user"),
		.reference = job->run->options->reference,
		.config_file = job->config.no_config ? "none" : job->config.config_file,
		.host = doc_str(config, "hostname") != NULL ? doc_str(config, "hostname")
							    : doc_str(address, "host"),
		.port = (int)doc_int(config, "port",
				     job->run->options->port != 0 ? job->run->options->port
								  : doc_int(address, "port", 22))
	};
	ssh_wire_collect(job->run->loop, &job->facts, &job->wire, done, job);
}

static void
start_commands(struct job *job)
{
	commands_run(job->run->loop, &job->facts, job->run->custom,
		     job->run->options->allow_commands, done, job);
}

const struct collector collectors[COLLECTORS] = {
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
