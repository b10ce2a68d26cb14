#include "cli/from_log.h"
#include "cli/collect.h"
#include "cli/target.h"
#include "facts/facts.h"
#include "facts/file.h"
#include "model/log_read.h"
#include "model/log_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_MAX = 16 << 20 };

static int
read_stdin(struct buffer *ret)
{
	char block[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (ret->len + (size_t)n > LOG_MAX)
			return -EFBIG;
		buffer_add(ret, block, (size_t)n);
	}
	return 0;
}

/* The text of the log; the caller frees. NULL with a sentence. */
static char *
read_text(const char *path, struct err *err)
{
	struct buffer bytes = { 0 };
	bool is_stdin = strcmp(path, "-") == 0;
	int r = is_stdin ? read_stdin(&bytes) : file_read(path, LOG_MAX, &bytes, NULL);
	char *text = NULL;

	if (r == -EFBIG)
		err_set(err, "--from-log: '%s' is larger than %d MiB; its last part is enough",
			path, LOG_MAX >> 20);
	else if (r < 0)
		err_set(err, "--from-log: '%s' cannot be read: %s", path,
			r == -EINVAL ? "a regular file is needed" : strerror(-r));
	else if ((text = log_text(buffer_bytes(&bytes))) == NULL)
		err_set(
		    err,
		    "--from-log: '%s' is no text; a log or a message of an SSH client is needed",
		    path);
	buffer_free(&bytes);
	return text;
}

/* What the log names counts as asked for, where the command line does not say. */
static void
ask(json_t *doc, const struct options *options, const json_t *log)
{
	json_t *asked;

	target_asked(doc, options, collect_deadline(options));
	asked = FACT_JSON(doc, document, asked);
	FACT_PUT(asked, asked, host, FACT_GET(log, log, host));
	if (options->login == NULL)
		FACT_PUT(asked, asked, login, FACT_GET(log, log, user));
	if (options->port == 0)
		FACT_PUT(asked, asked, port, FACT_GET(log, log, port));
}

int
from_log(const struct options *options, json_t **ret, struct err *err)
{
	const char *vm = options->vms.count > 0 ? options->vms.at[0] : NULL;
	struct target target;
	json_t *doc, *object, *log;
	char *text;
	int r;

	if ((r = target_parse(options, vm, &target, err)) < 0)
		return r;
	if ((text = read_text(options->from_log, err)) == NULL) {
		target_free(&target);
		return -EINVAL;
	}
	doc = facts_new(time(NULL));
	log = log_read(text);
	object = target_object(&target);
	ask(doc, options, log);
	FACT_PUT_JSON(object, target, log, log);
	json_array_append_new(FACT_JSON(doc, document, targets), object);
	free(text);
	target_free(&target);
	*ret = doc;
	return 0;
}
