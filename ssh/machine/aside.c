#include "ssh/machine/aside.h"
#include "facts/file.h"
#include "loop/aside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool
machine_aside(const char *work, json_t *request, json_t **ret, const char **why)
{
	unsigned char *reply = NULL;
	char *question;
	size_t len = 0;
	int r;

	if (!aside_used()) {
		json_decref(request);
		return false;
	}
	doc_set_str(request, "work", work);
	question = json_dumps(request, JSON_COMPACT);
	r = aside_ask(question, strlen(question), &reply, &len);
	json_decref(request);
	free(question);
	if (r == -ENOSYS)
		return false;
	*ret = r == 0 ? json_loadb((const char *)reply, len, JSON_ALLOW_NUL, NULL) : NULL;
	if (*ret == NULL)
		*why = aside_words(r < 0 ? r : -EPROTO);
	free(reply);
	return true;
}

json_t *
machine_aside_path(const char *path)
{
	json_t *request = json_object();

	if (path != NULL)
		json_object_set_new(request, "path", doc_base64(bytes_of(path)));
	return request;
}

char *
machine_aside_path_of(const json_t *request)
{
	struct buffer path = { 0 };

	if (doc_str(request, "path") == NULL ||
	    base64_decode(bytes_of(doc_str(request, "path")), 0, &path) < 0)
		return NULL;
	return (char *)path.at;
}

/* "LETTER PATH" with the most bytes that are wanted between them. */
static int
look_aside(char letter, const char *path, size_t max, unsigned char **ret, size_t *ret_len,
	   struct aside_look *look)
{
	struct buffer question = { 0 };
	int r;

	buffer_u8(&question, (uint8_t)letter);
	buffer_add(&question, &max, sizeof(max));
	buffer_add(&question, path, strlen(path) + 1);
	r = aside_ask(question.at, question.len, ret, ret_len);
	buffer_free(&question);
	if (r == 0 && *ret_len < sizeof(*look))
		r = -EPROTO;
	if (r == 0)
		memcpy(look, *ret, sizeof(*look));
	return r < 0 ? r : look->r;
}

static int
read_aside(const char *path, size_t max, struct buffer *ret, struct stat *st)
{
	unsigned char *answer = NULL;
	struct aside_look look;
	size_t len = 0;
	int r = look_aside('R', path, max, &answer, &len, &look);

	if (r == -ENOSYS) {
		file_by(NULL, NULL);
		return file_read(path, max, ret, st);
	}
	if (r == 0) {
		buffer_add(ret, answer + sizeof(look), len - sizeof(look));
		if (st != NULL)
			*st = look.st;
	}
	if (answer != NULL)
		explicit_bzero(answer, len);
	free(answer);
	return r;
}

static int
stat_aside(const char *path, struct stat *st)
{
	unsigned char *answer = NULL;
	struct aside_look look;
	size_t len = 0;
	int r = look_aside('S', path, 0, &answer, &len, &look);

	if (r == -ENOSYS) {
		file_by(NULL, NULL);
		return file_stat(path, st);
	}
	if (r == 0)
		*st = look.st;
	free(answer);
	return r;
}

void
machine_aside_begin(const char *const *argv, int deadline_ms)
{
	aside_begin(argv, deadline_ms);
	file_by(read_aside, stat_aside);
}
