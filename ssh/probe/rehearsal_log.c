#include "ssh/probe/rehearsal_log.h"

#include <stdio.h>
#include <string.h>

/* The line that shows each stage begun, in the order of the way. */
static const struct mark {
	enum rehearsal_stage stage;
	const char *begin;
} marks[] = {
	{ REHEARSAL_TCP, "Connecting to " },
	{ REHEARSAL_BANNER, "Local version string " },
	{ REHEARSAL_KEX, "Remote protocol version " },
	{ REHEARSAL_HOST_KEY, "Server host key: " },
	{ REHEARSAL_AUTH, "SSH2_MSG_NEWKEYS received" },
};

/* Words that leave no doubt what is wrong: a line that begins so and holds `part` behind that. The
 * first row that fits counts, so what is special comes first. */
static const struct fault {
	enum rehearsal_stage stage;
	enum rehearsal_fault word;
	const char *begin, *part;
} faults[] = {
	{ REHEARSAL_CONFIG, FAULT_CONTROL_PATH, "ControlPath too long (", "" },
	{ REHEARSAL_CONFIG, FAULT_PROGRAM_BROKEN, "OpenSSL version mismatch", "" },
	{ REHEARSAL_CONFIG, FAULT_CONFIG_MODE, "Bad owner or permissions on ", "" },
	{ REHEARSAL_CONFIG, FAULT_NO_ACCOUNT, "No user exists for uid ", "" },
	{ REHEARSAL_TCP, FAULT_NOT_RESOLVED, "ssh: Could not resolve hostname ", "" },
	{ REHEARSAL_TCP, FAULT_BIND_ADDRESS, "bind ", "Cannot assign requested address" },
	{ REHEARSAL_TCP, FAULT_BIND_ADDRESS, "getaddrinfo: ", "" },
	{ REHEARSAL_TCP, FAULT_BIND_INTERFACE, "getifaddrs: ", "no suitable addresses" },
	{ REHEARSAL_TCP, FAULT_REFUSED, "ssh: connect to host ", "Connection refused" },
	{ REHEARSAL_TCP, FAULT_TIMEOUT, "ssh: connect to host ", "timed out" },
	{ REHEARSAL_TCP, FAULT_UNREACHABLE, "ssh: connect to host ", "No route to host" },
	{ REHEARSAL_TCP, FAULT_UNREACHABLE, "ssh: connect to host ", "Network is unreachable" },
	{ REHEARSAL_BANNER, FAULT_SILENT, "Connection timed out during banner exchange", "" },
	{ REHEARSAL_BANNER, FAULT_CLOSED, "kex_exchange_identification: ", "Connection closed" },
	{ REHEARSAL_BANNER, FAULT_RESET, "kex_exchange_identification: ", "reset by peer" },
	{ REHEARSAL_BANNER, FAULT_OLD_PROTOCOL, "Protocol major versions differ", "" },
	{ REHEARSAL_KEX, FAULT_NO_COMMON, "Unable to negotiate with ", "no matching" },
	{ REHEARSAL_KEX, FAULT_BAD_SIGNATURE, "ssh_dispatch_run_fatal: ", "incorrect signature" },
	{ REHEARSAL_KEX, FAULT_GARBAGE, "Bad packet length ", "" },
	{ REHEARSAL_HOST_KEY, FAULT_KEY_CHANGED, "@",
	  " WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!" },
	{ REHEARSAL_HOST_KEY, FAULT_KEY_REVOKED, "@", " WARNING: REVOKED HOST KEY DETECTED!" },
	{ REHEARSAL_HOST_KEY, FAULT_KEY_OF_ADDRESS, "@",
	  " WARNING: POSSIBLE DNS SPOOFING DETECTED!" },
	{ REHEARSAL_HOST_KEY, FAULT_KEY_OF_ADDRESS, "Warning: the ",
	  "differs from the key for the IP address" },
	{ REHEARSAL_HOST_KEY, FAULT_KEY_TOO_SHORT, "Bad server host key: ", "Invalid key length" },
	{ REHEARSAL_HOST_KEY, FAULT_KEY_UNKNOWN, "No ", "host key is known for" },
	{ REHEARSAL_HOST_KEY, FAULT_CERTIFICATE, "Certificate invalid: ", "" },
	{ REHEARSAL_HOST_KEY, FAULT_HOSTS_COMMAND, "KnownHostsCommand", "failed" },
	/* with BatchMode ssh writes nothing else where it would have asked */
	{ REHEARSAL_HOST_KEY, FAULT_WOULD_ASK, "Host key verification failed.", "" },
};

/* The loader's words; they come before ssh has a log. */
static const char *const broken[] = { "error while loading shared libraries", "symbol lookup error",
				      "' not found (required by", "OpenSSL version mismatch" };

/* Between the connection and ssh's own line it reads the key files: that is a matter of this
 * machine. A proxy is one that carries nothing until the server's line is there. */
static enum rehearsal_stage
stage_of(const struct rehearsal_output *output)
{
	enum rehearsal_stage stage = REHEARSAL_CONFIG;
	const char *log = output->log;

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (ssh_log_line(log, marks[i].begin, NULL, 0))
			stage = marks[i].stage;
	if (stage == REHEARSAL_TCP && ssh_log_line(log, "Connection established.", NULL, 0))
		return REHEARSAL_CONFIG;
	if (stage == REHEARSAL_BANNER && ssh_log_line(log, "Executing proxy command: ", NULL, 0))
		return REHEARSAL_PROXY;
	return stage;
}

static bool
line_holds(const char *line, size_t len, const char *part)
{
	size_t n = strlen(part);

	for (size_t i = 0; i + n <= len; i++)
		if (strncmp(line + i, part, n) == 0)
			return true;
	return false;
}

/* true when a line of the text begins so and holds the part behind that. */
static bool
text_holds(const char *text, const char *begin, const char *part)
{
	size_t n = strlen(begin);

	for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t len = strcspn(text, "\r\n");

		if (len >= n && strncmp(text, begin, n) == 0 && line_holds(text + n, len - n, part))
			return true;
	}
	return false;
}

static void
find_fault(const struct rehearsal_output *output, struct rehearsal_log *ret)
{
	for (size_t i = 0; ret->reached == REHEARSAL_CONFIG && i < sizeof(broken) / sizeof(*broken);
	     i++)
		if (text_holds(output->errors, "", broken[i]))
			ret->fault = FAULT_PROGRAM_BROKEN;
	for (size_t i = 0; ret->fault == FAULT_UNTOLD && i < sizeof(faults) / sizeof(*faults); i++)
		if (text_holds(output->log, faults[i].begin, faults[i].part)) {
			ret->fault = faults[i].word;
			/* a proxy that ends looks like a server that closes */
			if (ret->reached != REHEARSAL_PROXY)
				ret->reached = faults[i].stage;
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
