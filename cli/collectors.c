/* The collectors: when each may start, and how. */
#include "cli/collectors.h"
#include "cli/commands.h"
#include "cli/source.h"

#include <string.h>

enum { AGAIN_MS = 2000 }; /* of a second `ssh -G` where the first one did not end */

static bool
alias_says(const struct job *job)
{
	return FACT_GET(facts_section(&job->facts, FACT_ALIAS), ssh_config, changes);
}

/* The owner of a host is looked for by the address that ssh would really go to. */
static bool
owner_known(const struct job *job)
{
	return job->azure.host == NULL || job_settled(job, FACT_ALIAS);
}

/* The address is known from --host or ssh_config at once, else when Azure has been read. */
static bool
place_known(const struct job *job)
{
	return job->target.host != NULL || alias_says(job) || job_settled(job, FACT_NETWORK);
}

/* The user name is the VM's own when neither the options nor ssh_config name one. */
static bool
user_known(const struct job *job)
{
	const enum user_origin from = FACTS_GET(&job->facts, ssh_config, user_from);

	return from == USER_OPTION || from == USER_SSH_CONFIG || job_settled(job, FACT_NETWORK);
}

static bool
user_chosen(const struct job *job)
{
	return job->steps[USER].ended;
}

/* Programs of rule files see everything else. */
static bool
all_else_known(const struct job *job)
{
	const struct step *first = job->run->head->steps;

	return job->left == 1 && first[SIGNIN].ended && first[CLIENT].ended;
}

/* What lies behind a ProxyCommand only ssh itself can show: it goes first, and the keys are asked
 * about through the same command once ssh came through it. */
static bool
is_by_command(const struct job *job)
{
	return FACTS_GET(&job->facts, ssh_config, proxycommand) != NULL &&
	       FACTS_GET(&job->facts, ssh_config, proxyjump) == NULL;
}

static bool
conversation_due(const struct job *job)
{
	return user_chosen(job) && (!is_by_command(job) || job->steps[REHEARSAL].ended);
}

/* ssh itself begins beside the conversation once TCP connects, and behind it where ssh goes through
 * another host: never more than one tree of ssh processes at a time. */
static bool
connection_known(const struct job *job)
{
	if (job->steps[WIRE].ended || (user_chosen(job) && is_by_command(job)))
		return true;
	return job->steps[WIRE].started && FACTS_GET(&job->facts, tcp, result) == TCP_CONNECTED &&
	       FACTS_GET(&job->facts, ssh_config, proxyjump) == NULL;
}

static void
start_client(struct job *job, void *end)
{
	ssh_client_collect(job->run->loop, &job->facts, step_end, end);
}

static void
start_signin(struct job *job, void *end)
{
	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_SIGNIN, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		step_end(end);
		return;
	}
	azure_signin(job->run->azure, step_end, end);
}

static void
start_find(struct job *job, void *end)
{
	const char *hostname;

	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_VM, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		step_end(end);
		return;
	}
	hostname = FACT_GET(facts_section(&job->facts, FACT_ALIAS), ssh_config, hostname);
	if (job->azure.host != NULL && hostname != NULL)
		job->azure.host = hostname;
	azure_find(job->run->azure, &job->facts, &job->azure, step_end, end);
}

static void
start_read(struct job *job, void *end)
{
	if (job->run->azure == NULL) {
		facts_settle(&job->facts, FACT_NETWORK, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		facts_settle(&job->facts, FACT_JIT, FACT_NOT_ASKED, "no-azure",
			     "Azure was left out (--no-azure)");
		step_end(end);
		return;
	}
	azure_read(job->run->azure, &job->facts, step_settled, step_end, end);
}

static void
start_source(struct job *job, void *end)
{
	const struct options *options = job->run->options;

	source_settle(job->run->loop, &job->facts, options->source_ip, options->ip_service,
		      step_end, end);
}

static void
start_alias(struct job *job, void *end)
{
	const char *name = job->target.host != NULL ? job->target.host : job->target.name;

	/* the number of a scale set's instance: ssh would take it for an address */
	if (name == NULL ||
	    (job->target.host == NULL && name[strspn(name, "0123456789")] == '\0')) {
		facts_settle(&job->facts, FACT_ALIAS, FACT_NOT_ASKED, "no-name",
			     "no host was named");
		step_end(end);
		return;
	}
	job->config.name = name;
	job->config.compare = job->target.host == NULL;
	ssh_config_collect(job->run->loop, &job->facts, FACT_ALIAS, &job->config, step_end, end);
}

static void
start_address(struct job *job, void *end)
{
	target_address(&job->facts, job->target.host);
	step_end(end);
}

/* `ssh -G` of the name typed has been asked already; only an address that came from Azure needs a
 * question of its own. */
static void
start_config(struct job *job, void *end)
{
	const json_t *address = facts_section(&job->facts, FACT_ADDRESS),
		     *alias = facts_section(&job->facts, FACT_ALIAS);

	if (facts_state(&job->facts, FACT_ADDRESS, NULL) != FACT_KNOWN ||
	    job->target.host != NULL || alias_says(job)) {
		if (alias != NULL)
			json_object_set_new(job->facts.target, facts_section_key(FACT_SSH_CONFIG),
					    json_deep_copy(alias));
		step_end(end);
		return;
	}
	job->config.name = FACT_GET(address, address, host);
	if (job->config.port == 0)
		job->config.port = (int)FACT_GET(address, address, port);
	job->config.compare = false;
	if (doc_same(FACT_GET(alias, ssh_config, cause), "timeout"))
		job->config.timeout_ms = AGAIN_MS; /* the same command hangs, as a rule */
	ssh_config_collect(job->run->loop, &job->facts, FACT_SSH_CONFIG, &job->config, step_end,
			   end);
}

static void
start_identities(struct job *job, void *end)
{
	ssh_identities_collect(job->run->loop, &job->facts, job->run->options->identity, step_end,
			       end);
}

/* What ssh would connect to; NULL when that is not known. */
static const char *
host_of(const struct facts *facts)
{
	const char *hostname = FACTS_GET(facts, ssh_config, hostname);

	return hostname != NULL ? hostname : FACTS_GET(facts, address, host);
}

static void
start_known_hosts(struct job *job, void *end)
{
	const json_int_t port = FACTS_GET(&job->facts, ssh_config, port);
	const char *host = host_of(&job->facts);

	if (host == NULL)
		facts_settle(&job->facts, FACT_KNOWN_HOSTS, FACT_NOT_ASKED, "no-address",
			     "there is no host to look up");
	else
		ssh_known_hosts_collect(&job->facts, host, port != 0 ? (int)port : 22);
	step_end(end);
}

static void
start_user(struct job *job, void *end)
{
	target_user(&job->facts);
	step_end(end);
}

/* The port that ssh would connect to. */
static int
port_of(const struct job *job)
{
	const json_int_t ports[] = { FACTS_GET(&job->facts, ssh_config, port),
				     job->run->options->port,
				     FACTS_GET(&job->facts, address, port) };

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i] != 0)
			return (int)ports[i];
	return 22;
}

static void
start_wire(struct job *job, void *end)
{
	if (!target_may_probe(&job->facts, job->run->options->no_probe)) {
		step_end(end);
		return;
	}
	job->wire =
	    (struct ssh_wire_request){ .self = "/proc/self/exe",
				       .connected = step_settled,
				       .connected_ctx = end,
				       .user = FACTS_GET(&job->facts, ssh_config, user),
				       .reference = job->run->options->reference,
				       .config_file =
					   job->config.no_config ? "none" : job->config.config_file,
				       .host = host_of(&job->facts),
				       .port = port_of(job) };
	ssh_wire_collect(job->run->loop, &job->facts, &job->wire, step_end, end);
}

/* The VM's own user is given where nobody named one, as the probe does. */
static void
start_rehearsal(struct job *job, void *end)
{
	const json_t *config = facts_section(&job->facts, FACT_SSH_CONFIG);

	if (!target_may_rehearse(&job->facts, job->run->options)) {
		step_end(end);
		return;
	}
	job->rehearsal = (struct ssh_rehearsal_request){
		.config = &job->config,
		.user = FACT_GET(config, ssh_config, user_from) == USER_VM
			    ? FACT_GET(config, ssh_config, user)
			    : job->config.user,
		.can_ask = FACT_GET(facts_machine(&job->facts), machine, terminal)
	};
	ssh_rehearsal_collect(job->run->loop, &job->facts, &job->rehearsal, step_end, end);
}

/* A hop that refused ssh is told apart only when both have ended. */
static bool
way_ended(const struct job *job)
{
	return job->steps[WIRE].ended && job->steps[REHEARSAL].ended;
}

static void
start_hop(struct job *job, void *end)
{
	ssh_hop_collect(job->run->loop, &job->facts, &job->config, step_end, end);
}

/* sshd has written about the conversation by then, and its script is told the keys and the user. */
static bool
conversation_over(const struct job *job)
{
	return job->steps[READ].ended && job->steps[SOURCE].ended && job->steps[WIRE].ended &&
	       job->steps[REHEARSAL].ended;
}

static void
start_guest(struct job *job, void *end)
{
	if (job->run->azure == NULL || !job->run->options->guest || job_settled(job, FACT_GUEST)) {
		step_end(end);
		return;
	}
	azure_guest(job->run->azure, &job->facts, step_end, end);
}

static void
start_commands(struct job *job, void *end)
{
	commands_run(job->run->loop, &job->facts, job->run->custom,
		     job->run->options->allow_commands, step_end, end);
}

#define NEED FACTS_BIT

const struct collector collectors[COLLECTORS] = {
	[CLIENT] = { .start = start_client, .once = true, .local = true },
	[SIGNIN] = { .start = start_signin, .once = true },
	[FIND] = { .needs = NEED(SIGNIN), .ready = owner_known, .start = start_find },
	[READ] = { .needs = NEED(VM) | NEED(ALIAS), .start = start_read },
	[SOURCE] = { .needs = NEED(SIGNIN), .start = start_source },
	[ALIAS] = { .start = start_alias, .local = true },
	[ADDRESS] = { .needs = NEED(ALIAS), .ready = place_known, .start = start_address },
	[CONFIG] = { .needs = NEED(ADDRESS), .start = start_config, .local = true },
	[IDENTITIES] = { .needs = NEED(SSH_CONFIG), .start = start_identities, .local = true },
	[KNOWN_HOSTS] = { .needs = NEED(SSH_CONFIG), .start = start_known_hosts },
	[USER] = { .needs = NEED(SSH_CONFIG), .ready = user_known, .start = start_user },
	[WIRE] = { .needs = NEED(CLIENT) | NEED(IDENTITIES) | NEED(KNOWN_HOSTS),
		   .ready = conversation_due,
		   .start = start_wire,
		   .local = true },
	[REHEARSAL] = { .ready = connection_known, .start = start_rehearsal, .local = true },
	[HOP] = { .ready = way_ended, .start = start_hop, .local = true },
	[GUEST] = { .ready = conversation_over, .start = start_guest },
	[COMMANDS] = { .ready = all_else_known, .start = start_commands, .local = true },
};
