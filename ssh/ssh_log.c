#include "ssh/ssh_log.h"

#include <stdio.h>
#include <string.h>

bool
ssh_log_line(const char *log, const char *begin, char *rest, size_t size)
{
	size_t len = strlen(begin);

	for (const char *at = log; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *line = strncmp(at, "debug1: ", 8) == 0 ? at + 8 : at;

		if (strncmp(line, begin, len) != 0)
			continue;
		if (rest != NULL)
			snprintf(rest, size, "%.*s", (int)strcspn(line + len, "\r\n"), line + len);
		return true;
	}
	return false;
}

void
ssh_log_last_words(const char *log, char ret[SSH_LOG_LINE])
{
	static const char *const noise[] = { "debug", "Connection closed by UNKNOWN", "stdio forwarding failed", "Transferred:", "Bytes per second",
		"Killed by signal" };

	ret[0] = '\0';
	for (const char *at = log; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		int len = (int)strcspn(at, "\r\n");
		bool skip = len == 0;

		for (size_t i = 0; i < sizeof(noise) / sizeof(*noise); i++)
			skip |= strncmp(at, noise[i], strlen(noise[i])) == 0;
		if (!skip)
			snprintf(ret, SSH_LOG_LINE, "%.*s", len, at);
	}
}
