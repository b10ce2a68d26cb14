/* The rehearsal: the user's own ssh with his own configuration does everything up to authentication
 * and stops there, because it is told to offer no method. It writes nothing (keys of unknown hosts
 * go to /dev/null), asks nothing, signs nothing, and opens no session: a master connection is only
 * asked whether it runs. */
#include "facts/command.h"
#include "ssh/machine/config.h"
#include "ssh/probe/rehearsal_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

enum {
	CONNECT_S = 4,         /* ConnectTimeout: connect and banner */
	PROXIED_CONNECT_S = 7, /* a jump host is signed in at first */
	BEYOND_MS = 1500,      /* silence beyond that is no patience of ssh's */
	TOTAL_MS = 20000,
	MASTER_MS = 3000,
	LOG_BYTES = 1 << 18,
	ARGS_MAX = 64,
	TEXTS_MAX = 8,
	LINES_MAX = 16
};

struct rehearsal {
	struct loop *loop;
	struct facts *facts;
	struct ssh_rehearsal_request request;
	struct fact_ssh_config config;
	ssh_done *done;
	void *ctx;
	json_t *scan; /* of the configuration files, for the variables that they name */
	const char *argv[ARGS_MAX];
	size_t args;
	char port[16];
	char *texts[TEXTS_MAX]; /* owned words of argv */
	size_t text_count;
	bool proxied, took_unknown_key;
};

static void
rehearsal_end(struct rehearsal *rehearsal)
{
	ssh_done *done = rehearsal->done;
	void *ctx = rehearsal->ctx;

	for (size_t i = 0; i < rehearsal->text_count; i++)
		free(rehearsal->texts[i]);
	fact_free(shape_of_ssh_config(), &rehearsal->config);
	json_decref(rehearsal->scan);
	free(rehearsal);
	done(ctx);
}

/* ---- what ssh is started with ---- */

static void
add(struct rehearsal *rehearsal, const char *word)
{
	if (rehearsal->args < ARGS_MAX - 1)
		rehearsal->argv[rehearsal->args++] = word;
	rehearsal->argv[rehearsal->args] = NULL;
}

static void
add_option(struct rehearsal *rehearsal, const char *option)
{
	add(rehearsal, "-o");
	add(rehearsal, option);
}

/* Takes the text, which is new. */
static void
add_text(struct rehearsal *rehearsal, char *option)
{
	if (option == NULL || rehearsal->text_count == TEXTS_MAX) {
		free(option);
		return;
	}
	rehearsal->texts[rehearsal->text_count++] = option;
	add_option(rehearsal, option);
}

static bool
is_set(const char *value)
{
	return value != NULL && *value != '\0' && strcmp(value, "none") != 0;
}

static bool
is_one_of(const char *value, const char *const *words)
{
	for (; value != NULL && *words != NULL; words++)
		if (strcasecmp(value, *words) == 0)
			return true;
	return false;
}

/* The option of `ssh -G` that has no row of its own. */
static const char *
option(const struct rehearsal *rehearsal, const char *keyword)
{
	return doc_str(doc_get(facts_section(rehearsal->facts, FACT_SSH_CONFIG), "options"),
		       keyword);
}

/* The files of known hosts behind /dev/null, which is where ssh then writes. NULL when a path holds
 * what cannot be quoted; the caller frees. */
static char *
known_hosts_option(const struct rehearsal *rehearsal)
{
	const struct fact_ssh_config *config = &rehearsal->config;
	char *option = strdup("UserKnownHostsFile=/dev/null");

	for (size_t i = 0; i < config->user_known_hosts_count && option != NULL; i++) {
		const char *path = config->user_known_hosts[i];
		char *longer =
		    strpbrk(path, "\"\\\n") == NULL ? doc_fmt("%s \"%s\"", option, path) : NULL;

		free(option);
		option = longer;
	}
	return option;
}

/* An unknown key: ssh would ask about it, and BatchMode answers no. Where the user can be asked, it
 * is taken here (and forgotten), so that ssh goes on as it does after a yes. */
static void
add_host_key_options(struct rehearsal *rehearsal)
{
	static const char *const asks[] = { "ask", NULL };
	static const char *const yes[] = { "yes", "true", NULL };
	char *files = known_hosts_option(rehearsal);

	if (files == NULL)
		return;
	add_text(rehearsal, files);
	rehearsal->took_unknown_key =
	    rehearsal->request.can_ask &&
	    is_one_of(rehearsal->config.options.stricthostkeychecking, asks) &&
	    !is_one_of(rehearsal->config.options.batchmode, yes);
	if (rehearsal->took_unknown_key)
		add_option(rehearsal, "StrictHostKeyChecking=accept-new");
}

/* From -F to the name, as the user would type it. */
static void
add_target(struct rehearsal *rehearsal)
{
	struct ssh_config_request typed = *rehearsal->request.config;
	size_t n;

	typed.user = rehearsal->request.user;
	n = ssh_config_argv(&typed, rehearsal->argv + rehearsal->args, rehearsal->port);
	rehearsal->args += n;
	add(rehearsal, typed.name);
}

static void
begin_argv(struct rehearsal *rehearsal)
{
	rehearsal->args = 0;
	add(rehearsal, "ssh");
	add(rehearsal, "-v");
	add(rehearsal, "-E"); /* the log apart from what proxies and the server's greeting write */
	add(rehearsal, "/dev/stdout");
}

static void
fill_argv(struct rehearsal *rehearsal)
{
	static const char *const fixed[] = { "BatchMode=yes",
					     "PreferredAuthentications=none",
					     "NumberOfPasswordPrompts=0",
					     "UpdateHostKeys=no",
					     "PermitLocalCommand=no",
					     "ClearAllForwardings=yes",
					     "ControlMaster=no",
					     "ControlPath=none" };
	const char *own = option(rehearsal, "connecttimeout");
	long theirs = is_set(own) ? strtol(own, NULL, 10) : 0,
	     ours = rehearsal->proxied ? PROXIED_CONNECT_S : CONNECT_S;

	begin_argv(rehearsal);
	add(rehearsal, "-N"); /* a server that lets us in gets no session */
	add(rehearsal, "-T");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		add_option(rehearsal, fixed[i]);
	add_text(rehearsal,
		 doc_fmt("ConnectTimeout=%ld", theirs > 0 && theirs < ours ? theirs : ours));
	if (option(rehearsal, "forkafterauthentication") != NULL)
		add_option(rehearsal, "ForkAfterAuthentication=no");
	add_host_key_options(rehearsal);
	add_target(rehearsal);
}

/* What ssh starts of itself: one for each jump host, or the proxy. */
static json_int_t
processes(const struct rehearsal *rehearsal)
{
	const struct fact_ssh_hop *jump = rehearsal->config.jump;

	if (jump != NULL)
		return 1 + jump->hops;
	return is_set(rehearsal->config.proxycommand) ? 2 : 1;
}

static int
start(struct rehearsal *rehearsal, int timeout_ms, int quiet_ms,
      bool (*enough)(void *ctx, const char *out, size_t len),
      void (*done)(void *ctx, const struct child_reply *reply))
{
	const char *env[SSH_CONFIG_ENV];
	size_t variables = ssh_config_environment(rehearsal->scan, env);
	const struct child_request request = { .argv = rehearsal->argv,
					       .env = env,
					       .user_env = true,
					       .unattended = true,
					       .timeout_ms = timeout_ms,
					       .quiet_ms = quiet_ms,
					       .max_bytes = LOG_BYTES,
					       .enough = enough };
	int r = loop_child(rehearsal->loop, &request, done, rehearsal);

	if (r == 0)
		ssh_started(rehearsal->facts, processes(rehearsal));

	while (variables > 0)
		free((char *)(uintptr_t)env[--variables]);
	return r;
}

/* ---- what came of it ---- */

/* true for the name of a variable that holds a secret. */
static bool
is_secret(const char *entry)
{
	static const char *const parts[] = { "SECRET", "TOKEN", "PASSW", "CREDENTIAL", "_KEY" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const char *found = strstr(entry, parts[i]);

		if (found != NULL && found < entry + strcspn(entry, "="))
			return true;
	}
	return false;
}

/* A proxy may write the command that it was given, and what the environment hides: both without the
 * secrets. */
static json_t *
clean_text(const char *text)
{
	char *clean = command_shown(text, strlen(text)), *at;
	json_t *ret;

	for (size_t i = 0; environ[i] != NULL && clean != NULL; i++) {
		const char *value = strchr(environ[i], '=');
		size_t len = value != NULL ? strlen(++value) : 0;

		while (len >= 6 && is_secret(environ[i]) && (at = strstr(clean, value)) != NULL) {
			memcpy(at, "[cut]", 5);
			memmove(at + 5, at + len, strlen(at + len) + 1);
		}
	}
	ret = doc_text(clean != NULL ? clean : "", clean != NULL ? strlen(clean) : 0);
	free(clean);
	return ret;
}

/* The last lines that are no debugging: ssh's own words, and before the server spoke those of
 * others too. */
static void
add_lines(json_t *lines, const char *text)
{
	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		char line[SSH_LOG_LINE];
		int len = (int)strcspn(text, "\r\n");

		if (len == 0 || strncmp(text, "debug", 5) == 0 || strncmp(text, "OpenSSH_", 8) == 0)
			continue;
		snprintf(line, sizeof(line), "%.*s", len, text);
		if (json_array_size(lines) == LINES_MAX)
			json_array_remove(lines, 0);
		json_array_append_new(lines, clean_text(line));
	}
}

static json_t *
methods_json(const char *text)
{
	json_t *methods = json_array();

	for (; *text != '\0'; text += strcspn(text, ","), text += *text == ',')
		if (strcspn(text, ",") > 0)
			json_array_append_new(methods, doc_text(text, strcspn(text, ",")));
	return methods;
}

static void
settle_known(struct rehearsal *rehearsal, const struct rehearsal_log *read,
	     const struct child_reply *reply)
{
	json_t *section = facts_known(rehearsal->facts, FACT_REHEARSAL), *lines = json_array();
	bool hung = reply->error == -ETIMEDOUT;

	FACT_PUT(section, rehearsal, reached, read->reached);
	FACT_PUT(section, rehearsal, fault, read->fault);
	FACT_PUT(section, rehearsal, through, read->through);
	if (read->admitted)
		FACT_PUT(section, rehearsal, admitted, true);
	if (read->master)
		FACT_PUT(section, rehearsal, master, true);
	if (hung)
		FACT_PUT(section, rehearsal, hung, true);
	if (rehearsal->took_unknown_key)
		FACT_PUT(section, rehearsal, took_unknown_key, true);
	FACT_PUT_JSON(section, rehearsal, message, clean_text(read->message));
	if (!hung && !reply->enough)
		FACT_PUT(section, rehearsal, exit_status, reply->status);
	FACT_PUT(section, rehearsal, ms, reply->ms);
	if (read->methods[0] != '\0')
		FACT_PUT_JSON(section, rehearsal, methods, methods_json(read->methods));
	if (read->kex[0] != '\0')
		FACT_PUT(section, rehearsal, kex, read->kex);
	if (read->host_key[0] != '\0')
		FACT_PUT(section, rehearsal, host_key, read->host_key);
	if (read->reached <= REHEARSAL_PROXY)
		add_lines(lines, reply->err);
	add_lines(lines, reply->out);
	FACT_PUT_JSON(section, rehearsal, lines, lines);
}

static void
settle_reply(struct rehearsal *rehearsal, const struct child_reply *reply)
{
	const struct rehearsal_output output = { .log = reply->out,
						 .errors = reply->err,
						 .hung = reply->error != 0 };
	struct rehearsal_log read;

	rehearsal_log_read(&output, &read);
	if (reply->error == -ECANCELED)
		facts_settle(rehearsal->facts, FACT_REHEARSAL, FACT_UNKNOWN, "deadline",
			     "the time allowed was over while ssh was at: %s",
			     read.message[0] != '\0' ? read.message : "its start");
	else if (reply->error != 0 && reply->error != -ETIMEDOUT)
		facts_settle(rehearsal->facts, FACT_REHEARSAL, FACT_UNKNOWN, "error",
			     "ssh could not be run: %s", strerror(-reply->error));
	else
		settle_known(rehearsal, &read, reply);
	rehearsal_end(rehearsal);
}

static void
on_ended(void *ctx, const struct child_reply *reply)
{
	settle_reply(ctx, reply);
}

static bool
on_log(void *ctx, const char *out, size_t len)
{
	(void)ctx;
	(void)len;
	return rehearsal_log_admitted(out);
}

static void
start_ssh(struct rehearsal *rehearsal)
{
	int quiet_ms = (rehearsal->proxied ? PROXIED_CONNECT_S : CONNECT_S) * 1000 + BEYOND_MS, r;

	fill_argv(rehearsal);
	if ((r = start(rehearsal, TOTAL_MS, quiet_ms, on_log, on_ended)) < 0)
		settle_reply(rehearsal,
			     &(const struct child_reply){ .error = r, .out = "", .err = "" });
}

/* ssh has asked for its master connection: "Master running (pid=N)" ends the rehearsal, for ssh
 * would go by it; a path that is too long ends ssh; silence keeps it waiting. */
static void
on_master(void *ctx, const struct child_reply *reply)
{
	struct rehearsal *rehearsal = ctx;
	const struct rehearsal_output output = { .log = reply->out,
						 .errors = reply->err,
						 .hung = reply->error == -ETIMEDOUT };
	struct rehearsal_log read;

	rehearsal_log_read(&output, &read);
	if (output.hung) {
		read.fault = FAULT_MASTER_SILENT;
		snprintf(read.message, sizeof(read.message), "(waits for an answer on %.200s)",
			 rehearsal->config.controlpath);
	}
	if ((reply->error == 0 || output.hung) &&
	    (read.master || read.fault == FAULT_CONTROL_PATH || output.hung)) {
		settle_known(rehearsal, &read, reply);
		rehearsal_end(rehearsal);
	} else if (reply->error == -ECANCELED || reply->error == -ENOENT) {
		settle_reply(rehearsal, reply);
	} else {
		start_ssh(rehearsal);
	}
}

/* With ControlMaster yes or ask ssh never goes by a master that runs already. */
static bool
may_use_master(const struct rehearsal *rehearsal)
{
	static const char *const never[] = { "yes", "true", "ask", NULL };

	return is_set(rehearsal->config.controlpath) &&
	       !is_one_of(option(rehearsal, "controlmaster"), never);
}

static void
ask_master(struct rehearsal *rehearsal)
{
	begin_argv(rehearsal);
	add(rehearsal, "-O");
	add(rehearsal, "check");
	add_option(rehearsal, "BatchMode=yes");
	add_target(rehearsal);
	if (start(rehearsal, MASTER_MS, 0, NULL, on_master) < 0)
		start_ssh(rehearsal);
}

/* Why nothing is started, NULL when ssh may go. */
static const char *
reason_against(const struct rehearsal *rehearsal)
{
	const struct ssh_config_request *typed = rehearsal->request.config;
	const struct fact_ssh_hop *jump = rehearsal->config.jump;

	if (rehearsal->config.state != FACT_KNOWN)
		return rehearsal->config.reason != NULL ? rehearsal->config.reason
							: "what ssh would do is not known";
	if (typed->name == NULL || !ssh_config_safe(typed->name) ||
	    (rehearsal->request.user != NULL && !ssh_user_valid(rehearsal->request.user)))
		return "the name is none that ssh takes";
	if (jump != NULL && jump->loop != NULL)
		return "the jump hosts lead round in a circle";
	if (jump != NULL && jump->hops > SSH_HOPS_MAX)
		return "ssh goes through too many jump hosts";
	return NULL;
}

void
ssh_rehearsal_collect(struct loop *loop, struct facts *facts,
		      const struct ssh_rehearsal_request *request, ssh_done *done, void *ctx)
{
	struct rehearsal *rehearsal = calloc(1, sizeof(*rehearsal));
	const char *against;

	if (rehearsal == NULL) {
		facts_settle(facts, FACT_REHEARSAL, FACT_UNKNOWN, "error", "out of memory");
		done(ctx);
		return;
	}
	*rehearsal = (struct rehearsal){
		.loop = loop, .facts = facts, .request = *request, .done = done, .ctx = ctx
	};
	fact_read(facts_section(facts, FACT_SSH_CONFIG), shape_of_ssh_config(), &rehearsal->config);
	rehearsal->proxied =
	    is_set(rehearsal->config.proxyjump) || is_set(rehearsal->config.proxycommand);
	if (facts_state(facts, FACT_SSH_CONFIG, NULL) == FACT_ABSENT) {
		facts_settle(facts, FACT_REHEARSAL, FACT_NOT_ASKED, "not-installed",
			     "ssh itself was not asked: none is installed");
		rehearsal_end(rehearsal);
	} else if (rehearsal->config.state == FACT_KNOWN &&
		   processes(rehearsal) > ssh_room(facts)) {
		facts_settle(
		    facts, FACT_REHEARSAL, FACT_NOT_ASKED, "too-many-processes",
		    "ssh itself was not asked: with its jump hosts it would make more than "
		    "%d processes of ssh",
		    SSH_PROCESSES_MAX);
		rehearsal_end(rehearsal);
	} else if ((against = reason_against(rehearsal)) != NULL) {
		facts_settle(facts, FACT_REHEARSAL, FACT_UNKNOWN,
			     rehearsal->config.state == FACT_KNOWN ? "not-reached"
								   : "config-unknown",
			     "ssh was not started: %s", against);
		rehearsal_end(rehearsal);
	} else {
		rehearsal->scan =
		    request->config->no_config
			? json_object()
			: ssh_config_scan(
			      request->config->config_file,
			      FACT_GET(doc_get(facts->doc, "machine.user"), user, home));
		if (may_use_master(rehearsal))
			ask_master(rehearsal);
		else
			start_ssh(rehearsal);
	}
}
