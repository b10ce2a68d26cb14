/* What ssh would really do with a name: `ssh -G`, and what it does not tell. Settles ALIAS or
 * SSH_CONFIG. */
#include "model/jump_host.h"
#include "ssh/machine/aside.h"
#include "ssh/machine/config.h"
#include "ssh/machine/config_share.h"
#include "ssh/ssh.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_BYTES = 1 << 20, HOPS_MAX = SSH_HOPS_MAX };

/* No pattern of a configuration is likely to name these; the second one stands for names with dots.
 */
#define NEUTRAL_NAME "azssh-doctor-neutral"
#define NEUTRAL_DOTTED "azssh-doctor-neutral.invalid"

struct config {
	struct loop *loop;
	struct facts *facts;
	enum fact_section section;
	ssh_done *done;
	void *ctx;
	struct ssh_config_outcome outcome; /* owned, but for the request */
	json_t *chain; /* the first hop of each ProxyJump so far, as it is written */
	int under_way;
	struct config_share *share; /* NULL: with nobody */
	struct config *next;        /* of those that wait for it */
};

static void
config_finish(struct config *config)
{
	config->done(config->ctx);
	json_decref(config->outcome.scan);
	json_decref(config->outcome.control);
	json_decref(config->outcome.jump);
	json_decref(config->outcome.options);
	json_decref(config->outcome.neutral);
	json_decref(config->outcome.complaint);
	json_decref(config->chain);
	free(config);
}

/* ssh takes the home of the password database, never $HOME. */
static const char *
local_home(const struct facts *facts)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw != NULL ? pw->pw_dir
			  : FACT_GET(FACT_JSON(facts_machine(facts), machine, user), user, home);
}

static void
control_known(void *ctx, json_t *result)
{
	struct config *config = ctx;

	config->outcome.control = json_incref(result);
	ssh_config_settle_known(config->facts, config->section, &config->outcome);
	config_finish(config);
}

static void
ask_master(struct config *config)
{
	const char *path =
	    ssh_config_value(FACT_GET(config->outcome.options, ssh_options, controlpath));

	if (path != NULL) {
		ssh_control_probe(config->loop, path, control_known, config);
		return;
	}
	ssh_config_settle_known(config->facts, config->section, &config->outcome);
	config_finish(config);
}

/* ---- the children ---- */

static void runs_ended(struct config *config);
static bool ask_neutral(struct config *config);

static void
named_ran(void *ctx, const struct child_reply *reply)
{
	struct config *config = ctx;

	config->outcome.error = reply->error;
	config->outcome.status = reply->status;
	if (reply->error == 0 && reply->status == 0) {
		config->outcome.options = ssh_config_parse(reply->out, reply->out_len);
	} else if (reply->error == 0 && (reply->status < 128 || reply->status == 255) &&
		   reply->err_len > 0) {
		config->outcome.complaint = json_object();
		ssh_config_complaint(config->outcome.complaint, reply->err, reply->err_len);
	}
	if (--config->under_way == 0 && !ask_neutral(config))
		runs_ended(config);
}

static void
neutral_ran(void *ctx, const struct child_reply *reply)
{
	struct config *config = ctx;

	if (reply->error == 0 && reply->status == 0)
		config->outcome.neutral = ssh_config_parse(reply->out, reply->out_len);
	if (--config->under_way == 0)
		runs_ended(config);
}

size_t
ssh_config_environment(const json_t *scan, const char *env[static SSH_CONFIG_ENV])
{
	const json_t *names = FACT_JSON(scan, config_scan, variables);
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(names) && count < SSH_CONFIG_ENV - 1; i++) {
		const char *name = json_string_value(json_array_get(names, i)),
			   *value = getenv(name);

		if (value != NULL && strncmp(name, "AZURE_", 6) != 0 &&
		    (env[count] = doc_fmt("%s=%s", name, value)) != NULL)
			count++;
	}
	env[count] = NULL;
	return count;
}

size_t
ssh_config_argv(const struct ssh_config_request *request, const char **argv, char *port)
{
	size_t n = 0;

	if (request->no_config || request->config_file != NULL) {
		argv[n++] = "-F";
		argv[n++] = request->no_config ? "none" : request->config_file;
	}
	if (request->port > 0) {
		snprintf(port, 16, "%d", request->port);
		argv[n++] = "-p";
		argv[n++] = port;
	}
	if (request->user != NULL) {
		argv[n++] = "-l";
		argv[n++] = request->user;
	}
	if (request->identity != NULL) {
		argv[n++] = "-i";
		argv[n++] = request->identity;
	}
	argv[n++] = "--";
	return n;
}

static int
run(struct config *config, const struct ssh_config_request *asked, const char *name,
    void (*ran)(void *ctx, const struct child_reply *reply))
{
	const char *argv[SSH_CONFIG_ARGS] = { "ssh", "-G" }, *env[SSH_CONFIG_ENV];
	char port[16];
	size_t n = 2 + ssh_config_argv(asked, argv + 2, port),
	       variables = ssh_config_environment(config->outcome.scan, env);
	const struct child_request request = { .argv = argv,
					       .env = env,
					       .timeout_ms = ssh_config_timeout(asked),
					       .max_bytes = CONFIG_BYTES };
	int r;

	argv[n++] = name;
	argv[n] = NULL;
	if ((r = loop_child(config->loop, &request, ran, config)) == 0) {
		config->under_way++;
		ssh_started(config->facts, 1);
	}
	while (variables > 0)
		free((char *)(uintptr_t)env[--variables]);
	return r;
}

/* Does the configuration treat the name otherwise than one that no pattern speaks of? A HostName of
 * its own shows that by itself. */
static bool
ask_neutral(struct config *config)
{
	const struct ssh_config_request *request = config->outcome.request;
	const char *hostname = FACT_GET(config->outcome.options, ssh_options, hostname);

	return config->section == FACT_ALIAS && request->compare && hostname != NULL &&
	       config->outcome.neutral == NULL && strcasecmp(hostname, request->name) == 0 &&
	       run(config, request, config->outcome.neutral_name, neutral_ran) == 0;
}

/* ---- the jump hosts ---- */

static bool ask_hop(struct config *config, const char *proxyjump);

/* The first hop that is asked is the one that ssh connects to, unless it goes through others in
 * turn. */
static void
hop_ran(void *ctx, const struct child_reply *reply)
{
	struct config *config = ctx;
	json_t *options = reply->error == 0 && reply->status == 0
			      ? ssh_config_parse(reply->out, reply->out_len)
			      : NULL;
	struct fact_ssh_options set;
	const char *further;

	fact_read(options, shape_of_ssh_options(), &set);
	further = ssh_config_value(set.proxyjump);
	config->under_way--;
	if (json_array_size(config->chain) == 1) {
		FACT_PUT(config->outcome.jump, ssh_hop, hostname, set.hostname);
		FACT_PUT(config->outcome.jump, ssh_hop, port, set.port);
		FACT_PUT(config->outcome.jump, ssh_hop, user, set.user);
		FACT_PUT(config->outcome.jump, ssh_hop, kexalgorithms, set.kexalgorithms);
		FACT_PUT(config->outcome.jump, ssh_hop, hostkeyalgorithms, set.hostkeyalgorithms);
		FACT_PUT(config->outcome.jump, ssh_hop, ciphers, set.ciphers);
		FACT_PUT(config->outcome.jump, ssh_hop, macs, set.macs);
		FACT_PUT(config->outcome.jump, ssh_hop, proxied,
			 further != NULL || ssh_config_value(set.proxycommand) != NULL);
	}
	if (further == NULL || !ask_hop(config, further))
		ask_master(config);
	fact_free(shape_of_ssh_options(), &set);
	json_decref(options);
}

/* Counts the hops of a ProxyJump value, and keeps its first one, whose own configuration decides
 * how it is reached. false when it was there before: then ssh would go round for ever. */
static bool
chain_add(struct config *config, const char *proxyjump)
{
	json_t *first = doc_text(proxyjump, strcspn(proxyjump, ",")), *each;
	json_int_t hops = FACT_GET(config->outcome.jump, ssh_hop, hops) + 1;
	size_t i;

	for (const char *at = proxyjump; (at = strchr(at, ',')) != NULL; at++)
		hops++;
	FACT_PUT(config->outcome.jump, ssh_hop, hops, hops);
	json_array_foreach (config->chain, i, each)
		if (json_equal(each, first)) {
			FACT_PUT(config->outcome.jump, ssh_hop, loop, json_string_value(first));
			json_decref(first);
			return false;
		}
	json_array_append_new(config->chain, first);
	return hops <= HOPS_MAX;
}

/* Asks ssh about the first hop of a ProxyJump value, as ssh itself would. false when there is
 * nothing (more) to ask. */
static bool
ask_hop(struct config *config, const char *proxyjump)
{
	struct jump_host first;
	struct ssh_config_request request = { .no_config = config->outcome.request->no_config,
					      .config_file = config->outcome.request->config_file };
	bool asked = false;
	const char *name;
	json_t *hop;

	if (!jump_host_at(proxyjump, 0, &first))
		return false;
	hop = json_object();
	if (first.user.len > 0)
		FACT_PUT_BYTES(hop, ssh_hop, user, first.user.at, first.user.len);
	FACT_PUT_BYTES(hop, ssh_hop, name, first.host.at, first.host.len);
	if (first.port > 0)
		FACT_PUT(hop, ssh_hop, port, first.port);
	name = FACT_GET(hop, ssh_hop, name);
	request.user = FACT_GET(hop, ssh_hop, user);
	request.port = first.port;
	if (ssh_config_safe(name) && (request.user == NULL || ssh_user_valid(request.user))) {
		if (config->chain == NULL) {
			config->outcome.jump = json_incref(hop);
			config->chain = json_array();
		}
		asked = chain_add(config, proxyjump) && run(config, &request, name, hop_ran) == 0;
	}
	json_decref(hop);
	return asked;
}

static void config_begin(struct config *config);

/* What was found out for this name serves the others, too. */
static void
share(struct config *config)
{
	struct config_share *share = config->share;
	struct config *waiting, *next;

	if (share == NULL || share->state != SHARE_ASKED || share->neutral != NULL)
		return;
	share->state = SHARE_KNOWN;
	share->scan = json_incref(config->outcome.scan);
	share->neutral = json_incref(config->outcome.neutral);
	if (config->section != FACT_ALIAS) {
		json_decref(config->outcome.neutral);
		config->outcome.neutral = NULL;
	}
	waiting = share->waiting;
	share->waiting = NULL;
	for (; waiting != NULL; waiting = next) {
		next = waiting->next;
		config_begin(waiting);
	}
}

static void
runs_ended(struct config *config)
{
	share(config);
	if (config->outcome.options == NULL) {
		ssh_config_settle_unknown(config->facts, config->section, &config->outcome);
		config_finish(config);
	} else if (!ask_hop(config, ssh_config_value(FACT_GET(config->outcome.options, ssh_options,
							      proxyjump)))) {
		ask_master(config);
	}
}

static json_t *
scan(const char *file, const char *home)
{
	json_t *request = machine_aside_path(file), *found;
	const char *why;

	doc_set_str(request, "home", home);
	if (!machine_aside("scan", request, &found, &why))
		return ssh_config_scan(file, home);
	return found != NULL ? found : json_object();
}

static void
ask_ssh(struct config *config)
{
	const struct ssh_config_request *request = config->outcome.request;
	bool first = config->share != NULL && config->share->state == SHARE_ASKED;

	config->outcome.error = run(config, request, request->name, named_ran);
	if (config->outcome.error == 0 && first)
		run(config, request, config->outcome.neutral_name, neutral_ran);
	if (config->under_way == 0)
		runs_ended(config);
}

static void
config_begin(struct config *config)
{
	const struct ssh_config_request *request = config->outcome.request;
	struct config_share *share = config->share;

	if (share != NULL && share->state == SHARE_ASKED) {
		config->next = share->waiting;
		share->waiting = config;
		return;
	}
	if (share != NULL && share->state == SHARE_KNOWN) {
		config->outcome.scan = json_incref(share->scan);
		config->outcome.options =
		    config_share_options(share, config->outcome.neutral_name, request->name);
		if (config->outcome.options != NULL) {
			if (config->section == FACT_ALIAS)
				config->outcome.neutral = json_incref(share->neutral);
			runs_ended(config);
			return;
		}
	}
	if (config->outcome.scan == NULL)
		config->outcome.scan = request->no_config
					   ? json_object()
					   : scan(request->config_file, local_home(config->facts));
	if (share != NULL && share->state == SHARE_NEW)
		share->state = SHARE_ASKED;
	ask_ssh(config);
}

void
ssh_config_collect(struct loop *loop, struct facts *facts, enum fact_section section,
		   const struct ssh_config_request *request, ssh_done *done, void *ctx)
{
	struct config *config;

	if (request->name == NULL || !ssh_config_safe(request->name) ||
	    (request->user != NULL && !ssh_user_valid(request->user))) {
		facts_settle(facts, section, FACT_UNKNOWN, "bad-name",
			     "ssh does not take such a name: \"%s%s%s\"",
			     request->user != NULL ? request->user : "",
			     request->user != NULL ? "@" : "",
			     request->name != NULL ? request->name : "");
		done(ctx);
		return;
	}
	if ((config = calloc(1, sizeof(*config))) == NULL) {
		facts_settle(facts, section, FACT_UNKNOWN, "error", "out of memory");
		done(ctx);
		return;
	}
	*config = (struct config){ .loop = loop,
				   .facts = facts,
				   .section = section,
				   .done = done,
				   .ctx = ctx,
				   .outcome.request = request };
	config->outcome.neutral_name =
	    strchr(request->name, '.') != NULL ? NEUTRAL_DOTTED : NEUTRAL_NAME;
	config->share = config_share_of(request, config->outcome.neutral_name);
	config_begin(config);
}
