/* The second process: what it is asked to do, and what it answers. */
#include "facts/file.h"
#include "loop/aside.h"
#include "ssh/machine/aside.h"
#include "ssh/machine/config.h"
#include "ssh/machine/identity.h"
#include "ssh/machine/known_hosts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *
answer_look(const char *question, size_t len, size_t *ret_len)
{
	const char *path = question + 1 + sizeof(size_t);
	struct aside_look look = { .r = -EPROTO };
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
