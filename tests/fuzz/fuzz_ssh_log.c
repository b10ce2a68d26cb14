/* Any text as what ssh writes while it talks to a hostile server. */
#include "ssh/probe/ssh_log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const begins[] = { "Authentications that can continue: ",
					      "Authenticated to ", "SSH2_MSG_NEWKEYS received",
					      "Server accepts key: /tmp/x/key0 " };
	char *log = malloc(size + 1), rest[64], words[SSH_LOG_LINE];

	if (log == NULL)
		return 0;
	memcpy(log, data, size);
	log[size] = '\0';
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (ssh_log_line(log, begins[i], rest, sizeof(rest)) &&
		    (strstr(log, begins[i]) == NULL || strpbrk(rest, "\r\n") != NULL))
			abort();
	ssh_log_last_words(log, words);
	if (strpbrk(words, "\r\n") != NULL || strncmp(words, "debug", 5) == 0)
		abort();
	free(log);
	return 0;
}
