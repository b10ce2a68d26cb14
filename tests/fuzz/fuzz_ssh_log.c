/* Any text as what ssh writes while it talks to a hostile server. */
#include "facts/sections.h"
#include "model/log_read.h"
#include "model/log_text.h"
#include "ssh/probe/rehearsal_log.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is in the log, a stage is named, and authentication only with a word of ssh's for it. */
static void
rehearsal(const char *log)
{
	struct rehearsal_log read;

	for (int i = 0; i < 4; i++) {
		rehearsal_log_read(&(const struct rehearsal_output){ .log = i & 1 ? log : "",
								     .errors = i & 1 ? "" : log,
								     .hung = i > 1 },
				   &read);
		if (read.reached < REHEARSAL_CONFIG || read.reached > REHEARSAL_AUTH ||
		    strpbrk(read.message, "\r\n") != NULL)
			abort();
		if (read.through && (read.reached != REHEARSAL_AUTH ||
				     (read.methods[0] == '\0' && !read.admitted && !read.master)))
			abort();
	}
}

/* Whatever was pasted, its text has no control characters and its values keep to their grammar. */
static void
pasted(const uint8_t *data, size_t size)
{
	char *text = log_text((struct bytes){ data, size });
	const char *host;
	json_t *log;

	if (text == NULL)
		return;
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 && *at != '\n')
			abort();
	log = log_read(text);
	host = FACT_GET(log, log, host);
	if (host != NULL && (*host == '-' || strpbrk(host, " \t\"'`$;|&<>\\") != NULL))
		abort();
	if (FACT_GET(log, log, port) < 0 || FACT_GET(log, log, port) > 65535)
		abort();
	json_decref(log);
	free(text);
}

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
	rehearsal(log);
	pasted(data, size);
	free(log);
	return 0;
}
