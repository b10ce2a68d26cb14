#include "ssh/probe/rehearsal_log.h"
#include "model/log_shape.h"

#include <stdio.h>
#include <string.h>

/* The loader's words; they come before ssh has a log. */
static const char *const broken[] = { "error while loading shared libraries", "symbol lookup error",
				      "' not found (required by", "OpenSSL version mismatch" };

/* true when a line of the text begins with the shape, behind `lead` (or without that). Servers
 * choose words that ssh repeats in lines of debugging, so faults are looked for in others only. */
static bool
text_holds(const char *text, const char *lead, const char *shape)
{
	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t skip = strncmp(text, lead, strlen(lead)) == 0 ? strlen(lead) : 0;

		if (log_shape_begins(shape, text + skip, strcspn(text + skip, "\r\n")))
			return true;
	}
	return false;
}

/* Between the connection and ssh's own line it reads the key files: that is a matter of this
 * machine. A proxy is one that carries nothing until the server's line is there. */
static enum rehearsal_stage
stage_of(const struct rehearsal_output *output)
{
	enum rehearsal_stage stage = REHEARSAL_CONFIG;
	const char *log = output->log;
	size_t count;
	const struct log_shape *rows = log_shapes(&count);

	for (size_t i = 0; i < count; i++)
		if (rows[i].kind == LOG_STEP && text_holds(log, "debug1: ", rows[i].shape))
			stage = rows[i].stage;
	if (stage == REHEARSAL_TCP && ssh_log_line(log, "Connection established.", NULL, 0))
		return REHEARSAL_CONFIG;
	if (stage == REHEARSAL_BANNER && ssh_log_line(log, "Executing proxy command: ", NULL, 0))
		return REHEARSAL_PROXY;
	return stage;
}

static void
find_fault(const struct rehearsal_output *output, struct rehearsal_log *ret)
{
	size_t count;
	const struct log_shape *rows = log_shapes(&count);

	for (size_t i = 0; ret->reached == REHEARSAL_CONFIG && i < sizeof(broken) / sizeof(*broken);
	     i++)
		if (strstr(output->errors, broken[i]) != NULL)
			ret->fault = FAULT_PROGRAM_BROKEN;
	for (size_t i = 0; ret->fault == FAULT_UNTOLD && i < count; i++)
		if (rows[i].kind == LOG_OWN && text_holds(output->log, "", rows[i].shape)) {
			ret->fault = rows[i].fault;
			/* a proxy that ends looks like a server that closes */
			if (ret->reached != REHEARSAL_PROXY)
				ret->reached = rows[i].stage;
		}
}

/* The last line that is neither debugging nor the version that ssh begins with; "" when there is
 * none. */
static void
last_error(const char *text, char ret[SSH_LOG_LINE])
{
	ret[0] = '\0';
	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		int len = (int)strcspn(text, "\r\n");

		if (len > 0 && strncmp(text, "debug", 5) != 0 && strncmp(text, "OpenSSH_", 8) != 0)
			snprintf(ret, SSH_LOG_LINE, "%.*s", len, text);
	}
}

/* What ssh was about: its last line, without the mark of debugging. */
static void
last_step(const char *log, char ret[SSH_LOG_LINE])
{
	for (; *log != '\0'; log += strcspn(log, "\n"), log += *log == '\n') {
		int len = (int)strcspn(log, "\r\n"),
		    mark = strncmp(log, "debug1: ", 8) == 0 ? 8 : 0;

		if (len > mark)
			snprintf(ret, SSH_LOG_LINE, "%.*s", len - mark, log + mark);
	}
}

/* Before the server has spoken, what others wrote (a proxy, the loader) comes before ssh's own
 * complaint, which only follows from it. */
static void
find_message(const struct rehearsal_output *output, struct rehearsal_log *ret)
{
	ret->message[0] = '\0';
	if (ret->through && ret->methods[0] != '\0') {
		snprintf(ret->message, SSH_LOG_LINE, "Authentications that can continue: %.250s",
			 ret->methods);
		return;
	}
	if (ret->reached == REHEARSAL_CONFIG || ret->reached == REHEARSAL_PROXY || ret->master)
		last_error(output->errors, ret->message);
	if (ret->message[0] == '\0' && !output->hung)
		ssh_log_last_words(output->log, ret->message);
	if (ret->message[0] == '\0' || strncmp(ret->message, "OpenSSH_", 8) == 0)
		last_step(output->log, ret->message);
}

bool
rehearsal_log_admitted(const char *log)
{
	return ssh_log_line(log, "Authenticated to ", NULL, 0) ||
	       ssh_log_line(log, "Authentication succeeded (none)", NULL, 0);
}

void
rehearsal_log_read(const struct rehearsal_output *output, struct rehearsal_log *ret)
{
	const char *log = output->log;

	*ret = (struct rehearsal_log){ .reached = stage_of(output) };
	ssh_log_line(log, "kex: algorithm: ", ret->kex, sizeof(ret->kex));
	ssh_log_line(log, "Server host key: ", ret->host_key, sizeof(ret->host_key));
	ssh_log_line(log, "Authentications that can continue: ", ret->methods,
		     sizeof(ret->methods));
	ret->admitted = rehearsal_log_admitted(log);
	/* the answer of ssh -O check is no line of its log */
	ret->master = ret->reached == REHEARSAL_CONFIG &&
		      ssh_log_line(output->errors, "Master running (pid=", NULL, 0);
	ret->through = ret->methods[0] != '\0' || ret->admitted || ret->master;
	if (ret->through)
		ret->reached = REHEARSAL_AUTH;
	else if (!output->hung)
		find_fault(output, ret);
	if (ret->reached == REHEARSAL_CONFIG && ret->fault == FAULT_UNTOLD &&
	    (ssh_log_line(log, "Connection established.", NULL, 0) ||
	     ssh_log_line(log, "Executing proxy command: ", NULL, 0)))
		ret->fault = FAULT_KEY_FILE;
	find_message(output, ret);
}
