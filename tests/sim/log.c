/* The request log: one JSON object a line, written before the last byte of a plain answer leaves.
 */
#include "tests/sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int log_fd = -1;

int
log_open(const char *path)
{
	log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	return log_fd < 0 ? -errno : 0;
}

void
log_close(void)
{
	if (log_fd >= 0)
		close(log_fd);
	log_fd = -1;
}

static json_t *
logged_headers(const struct request *request)
{
	json_t *headers = json_deep_copy(request->headers);
	const char *secret = json_text_at(headers, "authorization");

	if (secret != NULL) {
		char *scheme = text_format("%.*s", (int)strcspn(secret, " "), secret);

		json_put_text(headers, "authorization", strchr(secret, ' ') != NULL ? scheme : "?");
		free(scheme);
	}
	return headers;
}

void
log_request(struct request *request, unsigned status)
{
	json_t *line;
	char *body, *text;
	size_t length = request->body_length < 65536 ? request->body_length : 65536;
	ssize_t written;

	if (request->logged || log_fd < 0)
		return;
	request->logged = true;
	body = text_format("%.*s", (int)length, request->body != NULL ? request->body : "");
	line =
	    json_pack("{s:I,s:f,s:f,s:s,s:o,s:o,s:I,s:s,s:o,s:o}", "n", (json_int_t)request->number,
		      "at", request->at, "done", clock_ms(), "method", request->method, "path",
		      json_bytes(request->path), "query", json_bytes(request->query), "status",
		      (json_int_t)status, "auth", request->auth, "body", json_bytes(body),
		      "headers", logged_headers(request));
	text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(line);
	free(body);
	if (text == NULL)
		return;
	body = text_format("%s\n", text);
	written = write(log_fd, body,
			strlen(body)); /* one write: lines of parallel requests do not mix */
	(void)written;
	free(body);
	free(text);
}
