#include "cli/commands.h"
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_MS = 5000, MAX_ANSWER = 256 << 10 };

struct batch {
	json_t *commands; /* borrowed: target.commands */
	char *facts;      /* the document as text; NULL until the first program starts */
	size_t running;
	void (*done)(void *ctx);
	void *ctx;
};

struct command {
	struct batch *batch;
	char *id;
};

static void
batch_end(struct batch *batch)
{
	if (--batch->running > 0)
		return;
	batch->done(batch->ctx);
	free(batch->facts);
	free(batch);
}

static void
settle(json_t *commands, const char *id, enum fact_state state, const char *cause,
       const char *reason)
{
	json_object_set_new(commands, id,
			    FACT_OBJECT(command, .state = state, .cause = cause, .reason = reason));
}

static void
read_answer(json_t *commands, const char *id, const struct child_reply *reply)
{
	json_error_t where;
	json_t *object;
	char *reason;

	if (reply->error == 0 && !reply->cut &&
	    (object = json_loadb(reply->out, reply->out_len, JSON_REJECT_DUPLICATES, &where)) !=
		NULL) {
		settle(commands, id, FACT_KNOWN, NULL, NULL);
		FACT_PUT_JSON(json_object_get(commands, id), command, object, object);
		return;
	}
	if (reply->error == -ETIMEDOUT || reply->error == -ECANCELED)
		reason = strdup("it did not end within its deadline");
	else if (reply->error != 0)
		reason = strdup(strerror(-reply->error));
	else if (reply->cut)
		reason = strdup("it printed more than 256 KiB");
	else
		reason = doc_fmt("it printed no JSON object (exit status %d)", reply->status);
	settle(commands, id, FACT_UNKNOWN, "command-failed", reason);
	free(reason);
}

static void
command_done(void *ctx, const struct child_reply *reply)
{
	struct command *command = ctx;
	struct batch *batch = command->batch;

	read_answer(batch->commands, command->id, reply);
	free(command->id);
	free(command);
	batch_end(batch);
}

static void
command_start(struct loop *loop, struct batch *batch, const json_t *doc, const json_t *rule)
{
	const json_t *words = doc_list(rule, "argv");
	const char **argv = calloc(json_array_size(words) + 1, sizeof(*argv)),
		   *deadline = doc_str(rule, "deadline");
	struct command *command = calloc(1, sizeof(*command));
	int ms = DEFAULT_MS, r = -ENOMEM;

	if (batch->facts == NULL)
		batch->facts = json_dumps(doc, JSON_COMPACT);
	if (argv != NULL && command != NULL && batch->facts != NULL &&
	    (command->id = strdup(doc_str(rule, "id"))) != NULL) {
		for (size_t i = 0; i < json_array_size(words); i++)
			argv[i] = json_string_value(json_array_get(words, i));
		if (deadline != NULL)
			options_duration(deadline, &ms);
		command->batch = batch;
		batch->running++;
		r = loop_child(loop,
			       &(struct child_request){ .argv = argv,
							.input = batch->facts,
							.input_len = strlen(batch->facts),
							.timeout_ms = ms,
							.max_bytes = MAX_ANSWER },
			       command_done, command);
		if (r < 0)
			batch->running--;
	}
	if (r < 0) {
		settle(batch->commands, doc_str(rule, "id"), FACT_UNKNOWN, "command-failed",
		       r == -ENOENT ? "there is no such program" : strerror(-r));
		if (command != NULL)
			free(command->id);
		free(command);
	}
	free(argv);
}

void
commands_run(struct loop *loop, struct facts *facts, const json_t *custom, bool allowed,
	     void (*done)(void *ctx), void *ctx)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	json_t *commands = json_object();
	const json_t *rule;
	size_t i;

	if (batch == NULL) {
		json_decref(commands);
		done(ctx);
		return;
	}
	*batch = (struct batch){ .commands = commands, .running = 1, .done = done, .ctx = ctx };
	json_array_foreach (custom, i, rule) {
		if (!doc_is(rule, "type", "command"))
			continue;
		if (allowed)
			command_start(loop, batch, facts->doc, rule);
		else
			settle(commands, doc_str(rule, "id"), FACT_NOT_ASKED, "not-allowed",
			       "rule files run programs only with --allow-commands");
	}
	if (json_object_size(commands) > 0 || batch->running > 1)
		FACT_PUT_JSON(facts->target, target, commands, commands);
	else
		json_decref(commands);
	batch_end(batch);
}
