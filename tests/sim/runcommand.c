/* Run Command: hands the script to the world's program on stdin, or gives the world's text; one at
 * a time for each VM. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAIL 4096

struct tail {
	char text[TAIL];
	size_t used;
};

struct runcommand {
	struct sim *sim;
	struct runcommand *next;
	pthread_t thread;
	char *operation, *vm, *script;
	json_t *settings; /* own copy of the world's run_command */
	bool done;
};

static void
tail_add(struct tail *tail, const char *data, size_t length)
{
	if (length > TAIL) {
		data += length - TAIL;
		length = TAIL;
	}
	if (tail->used + length > TAIL) {
		size_t drop = tail->used + length - TAIL;

		memmove(tail->text, tail->text + drop, tail->used - drop);
		tail->used -= drop;
	}
	memcpy(tail->text + tail->used, data, length);
	tail->used += length;
}

static char *
tail_text(const struct tail *tail)
{
	char *text = text_format("%*s", (int)tail->used, "");

	for (size_t i = 0; i < tail->used; i++)
		text[i] = tail->text[i] != '\0' ? tail->text[i] : '?';
	return text;
}

static pid_t
spawn_script(json_t *argv, int in, int out, int error)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, pipe_only;
	char *arguments[33] = { NULL };
	pid_t pid = -1;

	for (size_t i = 0; i < json_array_size(argv) && i < 32; i++)
		arguments[i] = text_copy(json_string_value(json_array_get(argv, i)) != NULL
					     ? json_string_value(json_array_get(argv, i))
					     : "");
	sigemptyset(&none);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, error, 2);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						  POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &pipe_only);
	if (arguments[0] == NULL ||
	    posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments, environ) != 0)
		pid = -1;
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; arguments[i] != NULL; i++)
		free(arguments[i]);
	return pid;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
feed(int *fd, const char **script)
{
	ssize_t written = write(*fd, *script, strlen(*script));

	if (written > 0)
		*script += written;
	if ((written < 0 && errno != EAGAIN) || **script == '\0')
		close_end(fd);
}

static void
drain(int *fd, struct tail *tail)
{
	char piece[4096];
	ssize_t got = read(*fd, piece, sizeof piece);

	if (got > 0)
		tail_add(tail, piece, (size_t)got);
	else if (got == 0 || errno != EAGAIN)
		close_end(fd);
}

/* Feeds and reads the child until both outputs end. False when the time is over or the simulator
 * ends. */
static bool
converse(const struct runcommand *run, int pipes[3], struct tail *out, struct tail *error,
	 double seconds)
{
	const char *script = run->script;
	double end = clock_ms() + seconds * 1000.0;

	while (pipes[1] >= 0 || pipes[2] >= 0) {
		struct pollfd wait[4] = { { .fd = pipes[0], .events = POLLOUT },
					  { .fd = pipes[1], .events = POLLIN },
					  { .fd = pipes[2], .events = POLLIN },
					  { .fd = run->sim->stop_fd, .events = POLLIN } };
		double left = end - clock_ms();

		if (left <= 0 || poll(wait, 4, (int)left + 1) < 0 || wait[3].revents != 0)
			return false;
		if (wait[0].revents != 0)
			feed(&pipes[0], &script);
		if (wait[1].revents != 0)
			drain(&pipes[1], out);
		if (wait[2].revents != 0)
			drain(&pipes[2], error);
	}
	return true;
}

/* The exit status, as a shell would number it; -1 when it did not start or was stopped for its
 * time. */
static int
run_script(const struct runcommand *run, struct tail *out, struct tail *error)
{
	int pairs[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, mine[3], status = -1;
	bool finished = false;
	pid_t pid = -1;

	if (pipe2(pairs[0], O_CLOEXEC) == 0 && pipe2(pairs[1], O_CLOEXEC) == 0 &&
	    pipe2(pairs[2], O_CLOEXEC) == 0)
		pid = spawn_script(json_object_get(run->settings, "argv"), pairs[0][0], pairs[1][1],
				   pairs[2][1]);
	close_end(&pairs[0][0]);
	close_end(&pairs[1][1]);
	close_end(&pairs[2][1]);
	mine[0] = pairs[0][1];
	mine[1] = pairs[1][0];
	mine[2] = pairs[2][0];
	if (pid > 0) {
		fcntl(mine[0], F_SETFL, O_NONBLOCK);
		finished = converse(run, mine, out, error,
				    (double)json_number_at(run->settings, "timeout", 60));
		if (!finished)
			kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		kill(-pid, SIGKILL);
	}
	for (size_t i = 0; i < 3; i++)
		close_end(&mine[i]);
	if (!finished)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static json_t *
linux_result(int status, const char *out, const char *error)
{
	char *head = status == 0 ? text_copy("Enable succeeded: ")
				 : text_format("Enable failed: failed to execute command: command "
					       "terminated with exit status=%d",
					       status);
	char *message = text_format("%s\n[stdout]\n%s\n[stderr]\n%s", head, out, error);
	json_t *result =
	    json_pack("{s:[{s:s,s:s,s:s,s:o,s:n}]}", "value", "code",
		      status == 0 ? "ProvisioningState/succeeded" : "ProvisioningState/failed/1",
		      "level", status == 0 ? "Info" : "Error", "displayStatus",
		      status == 0 ? "Provisioning succeeded" : "Provisioning failed", "message",
		      json_bytes(message), "time");

	free(head);
	free(message);
	return result;
}

static void *
run_thread(void *context)
{
	struct runcommand *run = context;
	struct tail *tails = calloc(2, sizeof *tails);
	const char *given = json_text_at(run->settings, "output");
	json_t *body = NULL, *error = NULL;
	int status = 0;

	if (json_object_get(run->settings, "argv") != NULL && tails != NULL)
		status = run_script(run, &tails[0], &tails[1]);
	if (status >= 0 && tails != NULL) {
		char *out = given != NULL ? text_copy(given) : tail_text(&tails[0]),
		     *bad = tail_text(&tails[1]);

		body = linux_result(status, out, bad);
		free(out);
		free(bad);
	} else {
		error = json_pack("{s:s,s:s}", "code", "VMExtensionProvisioningTimeout", "message",
				  "Provisioning of VM extension RunCommandLinux has timed out. "
				  "Extension provisioning has taken too long to "
				  "complete. "
				  "The extension did not report a message.");
	}
	pthread_mutex_lock(&run->sim->lock);
	operation_finish(run->sim, run->operation, body, error);
	run->done = true;
	pthread_mutex_unlock(&run->sim->lock);
	free(tails);
	return NULL;
}

static void
run_free(struct runcommand *run)
{
	pthread_join(run->thread, NULL);
	json_decref(run->settings);
	free(run->operation);
	free(run->vm);
	free(run->script);
	free(run);
}

/* Forgets what is done (whose threads end without the lock); true when this VM still runs one. */
static bool
busy(struct sim *sim, const char *vm)
{
	struct runcommand **at = &sim->runs;
	bool found = false;

	while (*at != NULL) {
		struct runcommand *run = *at;

		if (run->done) {
			*at = run->next;
			run_free(run);
			continue;
		}
		found = found || text_same(run->vm, vm);
		at = &run->next;
	}
	return found;
}

/* The script's lines; parameters become $1, $2... as the guest agent passes them. */
static char *
script_text(const json_t *question)
{
	char *text = text_copy(""), *longer;
	json_t *line, *parameter;
	size_t i;

	json_array_foreach (json_object_get(question, "parameters"), i, parameter) {
		const char *value = json_text_at(parameter, "value");

		longer = text_format("%s%s '", text, i == 0 ? "set --" : "");
		free(text);
		text = longer;
		for (; value != NULL && *value != '\0'; value++) {
			longer = text_format(*value == '\'' ? "%s'\\%c'" : "%s%c", text, *value);
			free(text);
			text = longer;
		}
		longer = text_format(
		    "%s'%s", text,
		    i + 1 == json_array_size(json_object_get(question, "parameters")) ? "\n" : "");
		free(text);
		text = longer;
	}
	json_array_foreach (json_object_get(question, "script"), i, line) {
		longer = text_format(
		    "%s%s\n", text, json_string_value(line) != NULL ? json_string_value(line) : "");
		free(text);
		text = longer;
	}
	return text;
}

static bool
refused(struct request *request, const json_t *vm, const json_t *question, struct reply *reply)
{
	const char *command = json_text_at(question, "commandId");
	const char *agent =
	    json_text_at(json_array_get(json_at(vm, "properties.instanceView.vmAgent.statuses"), 0),
			 "displayStatus");

	if (!text_same(command, "RunShellScript") && !text_same(command, "RunPowerShellScript"))
		reply_error(reply, 404, "NotFound",
			    "The entity was not found in this Azure location.");
	else if (!text_same(vm_power(vm), "running"))
		reply_error(reply, 409, "OperationNotAllowed",
			    "The operation requires the VM to be running (or set to run).");
	else if (busy(request->sim, json_text_at(vm, "id")))
		reply_error(reply, 409, "Conflict",
			    "Run command extension execution is in progress. Please wait for "
			    "completion before invoking a "
			    "run command.");
	else if (agent != NULL && !text_same(agent, "Ready"))
		reply_error(reply, 409, "OperationNotAllowed",
			    "Cannot modify extensions in the VM when the VM is not running or its "
			    "agent is not "
			    "ready.");
	else
		return false;
	return true;
}

void
runcommand_post(struct request *request, const json_t *vm, struct reply *reply)
{
	struct sim *sim = request->sim;
	json_t *question = request->body != NULL ? json_loads(request->body, 0, NULL) : NULL;
	struct operation_plan plan = { .retry_after = json_number_at(sim->world, "retry_after", 1),
				       .waits = true };
	struct runcommand *run;

	if (refused(request, vm, question, reply) || (run = calloc(1, sizeof *run)) == NULL) {
		json_decref(question);
		return;
	}
	run->sim = sim;
	run->vm = text_copy(json_text_at(vm, "id"));
	run->script = script_text(question);
	run->settings = json_object_get(sim->world, "run_command") != NULL
			    ? json_deep_copy(json_object_get(sim->world, "run_command"))
			    : json_object();
	run->operation = operation_start(request, &plan, reply);
	run->next = sim->runs;
	if (pthread_create(&run->thread, NULL, run_thread, run) == 0) {
		sim->runs = run;
	} else {
		reply_error(reply, 500, "InternalServerError", "no thread");
		json_decref(run->settings);
		free(run->vm);
		free(run->script);
		free(run->operation);
		free(run);
	}
	json_decref(question);
}

void
runcommand_end(struct sim *sim)
{
	struct runcommand *run;

	for (;;) {
		pthread_mutex_lock(&sim->lock);
		if ((run = sim->runs) != NULL)
			sim->runs = run->next;
		pthread_mutex_unlock(&sim->lock);
		if (run == NULL)
			return;
		run_free(run);
	}
}
