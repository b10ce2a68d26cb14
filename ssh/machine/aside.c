#include "ssh/machine/aside.h"
#include "facts/file.h"
#include "loop/aside.h"
#include "ssh/machine/config.h"
#include "ssh/machine/identity.h"
#include "ssh/machine/known_hosts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

/* ---- asking ---- */

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
	*ret = r == 0 ? json_loadb((const char *)reply, len, JSON_ALLOW_NUL, NULL) : NULL;
	if (*ret == NULL)
		*why = aside_words(r < 0 ? r : -EPROTO);
	free(reply);
	free(question);
	json_decref(request);
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

/* What stands before the bytes of a file in an answer. */
struct look {
	int r;
	struct stat st;
};

/* "LETTER PATH" with the most bytes that are wanted between them. */
static int
look_aside(char letter, const char *path, size_t max, unsigned char **ret, size_t *ret_len,
	   struct look *look)
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
	struct look look;
	size_t len = 0;
	int r = look_aside('R', path, max, &answer, &len, &look);

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
	struct look look;
	size_t len = 0;
	int r = look_aside('S', path, 0, &answer, &len, &look);

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

/* ---- answering ---- */

static unsigned char *
answer_look(const char *question, size_t len, size_t *ret_len)
{
	const char *path = question + 1 + sizeof(size_t);
	struct look look = { .r = -EPROTO };
	struct buffer file = { 0 }, answer = { 0 };
	size_t max;

	if (len > 1 + sizeof(max) && question[len - 1] == '\0') {
		memcpy(&max, question + 1, sizeof(max));
		look.r = question[0] == 'R' ? file_read(path, max, &file, &look.st)
					    : file_stat(path, &look.st);
	}
	buffer_add(&answer, &look, sizeof(look));
	buffer_add(&answer, file.at, file.len);
	buffer_free(&file);
	*ret_len = answer.len;
	return answer.at;
}

static json_t *
work_key(const json_t *request)
{
	static struct mounts mounts;
	json_t *key = NULL;
	char *path;

	if (mounts.table == NULL)
		mounts_read(&mounts);
	if ((path = machine_aside_path_of(request)) != NULL)
		key = key_file_facts(path, &mounts);
	free(path);
	return key;
}

static json_t *
work_stray(const json_t *request)
{
	json_t *ret = json_object(), *keys = json_object_get(request, "keys"),
	       *found = json_array();
	struct mounts mounts;
	char *home = machine_aside_path_of(request);

	mounts_read(&mounts);
	identity_stray(home, &mounts, keys, found);
	mounts_free(&mounts);
	free(home);
	json_object_set(ret, "keys", keys);
	json_object_set_new(ret, "found", found);
	return ret;
}

static json_t *
work_scan(const json_t *request)
{
	char *file = machine_aside_path_of(request);
	json_t *scan = ssh_config_scan(file, doc_str(request, "home"));

	free(file);
	return scan;
}

static const struct {
	const char *name;
	json_t *(*run)(const json_t *request);
} works[] = {
	{ "key", work_key },
	{ "stray", work_stray },
	{ "scan", work_scan },
	{ "known-hosts", known_hosts_look },
	{ "elsewhere", known_hosts_look_elsewhere },
};

static unsigned char *
answer(const char *question, size_t len, size_t *ret_len)
{
	json_t *request, *result = NULL;
	const char *work;
	char *text;

	if (len > 0 && question[0] != '{')
		return answer_look(question, len, ret_len);
	request = json_loadb(question, len, JSON_ALLOW_NUL, NULL);
	work = doc_str(request, "work");
	for (size_t i = 0; i < sizeof(works) / sizeof(*works); i++)
		if (doc_same(work, works[i].name))
			result = works[i].run(request);
	text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text == NULL)
		text = strdup("null");
	json_decref(result);
	json_decref(request);
	*ret_len = strlen(text);
	return (unsigned char *)text;
}

int
machine_aside_main(void)
{
	return aside_serve(answer);
}
