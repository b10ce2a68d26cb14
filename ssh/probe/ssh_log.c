#include "ssh/probe/ssh_log.h"

#include <stdio.h>
#include <string.h>

/* What follows the words with which the line begins; NULL when it begins otherwise. */
static const char *
line_begins(const char *line, const char *begin)
{
	size_t len = strlen(begin);

	if (strncmp(line, "debug1: ", 8) == 0)
		line += 8;
	return strncmp(line, begin, len) == 0 ? line + len : NULL;
}

bool
ssh_log_line(const char *log, const char *begin, char *rest, size_t size)
{
	for (; *log != '\0'; log += strcspn(log, "\n"), log += *log == '\n') {
		const char *after = line_begins(log, begin);

		if (after == NULL)
			continue;
		if (rest != NULL)
			snprintf(rest, size, "%.*s", (int)strcspn(after, "\r\n"), after);
		return true;
	}
	return false;
}

void
ssh_log_last_words(const char *log, char ret[SSH_LOG_LINE])
{
	static const char *const noise[] = { "debug",
					     "Connection closed by UNKNOWN",
					     "stdio forwarding failed",
					     "Transferred:",
					     "Bytes per second",
					     "Killed by signal" };

	/* a hop's own words; what follows is their consequence */
	static const char *const final[] = { ": open failed: ", "Permission denied (",
					     "Host key verification failed" };
	bool ended = false;

	ret[0] = '\0';
	for (const char *at = log; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		int len = (int)strcspn(at, "\r\n");
		bool skip = len == 0;

		for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++)
			skip |= strncmp(at, noise[i], strlen(noise[i])) == 0;
		if (!skip && !ended)
			snprintf(ret, SSH_LOG_LINE, "%.*s", len, at);
		for (size_t i = 0; i < sizeof(final) / sizeof(*final); i++)
			ended |= strstr(ret, final[i]) != NULL;
	}
}

size_t
ssh_log_count(const char *log, const char *begin)
{
	size_t count = 0;

	for (; *log != '\0'; log += strcspn(log, "\n"), log += *log == '\n')
		count += line_begins(log, begin) != NULL;
	return count;
}
