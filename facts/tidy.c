#include "facts/facts.h"

#include <string.h>

/* A value that reports hand on in words that are promised to other programs. */
static const struct promise {
	const char *key, *begins; /* what a text begins with; NULL: see words */
	const char *const *words; /* the only texts there may be; NULL: any */
} key_promises[] = {
	{ "encrypted", NULL, (const char *const[]){ "yes", "no", "-", "unknown", NULL } },
	{ "azure", NULL, (const char *const[]){ "accept", "reject", "unknown", "-", NULL } },
	{ "fingerprint", "SHA256:", NULL },
}, host_promises[] = {
	{ "fingerprint", "SHA256:", NULL },
}, tcp_promises[] = {
	{ "result", NULL, (const char *const[]){ "connected", "refused", "timeout", "unreachable", "prohibited", "reset", "local", NULL } },
};

static bool
kept(const struct promise *promise, const char *text)
{
	if (text == NULL)
		return false;
	if (promise->begins != NULL)
		return strncmp(text, promise->begins, strlen(promise->begins)) == 0 ||
		       strcmp(text, "-") == 0;
	for (const char *const *word = promise->words; *word != NULL; word++)
		if (strcmp(*word, text) == 0)
			return true;
	return false;
}

static void
tidy_texts(json_t *obj, const struct promise *promises, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!kept(&promises[i], doc_str(obj, promises[i].key)))
			json_object_del(obj, promises[i].key);
}

/* Four octal digits, or nothing. */
static void
tidy_mode(json_t *key)
{
	const char *mode = doc_str(key, "mode");

	if (mode == NULL || strlen(mode) != 4 || strspn(mode, "01234567") != 4)
		json_object_del(key, "mode");
}

static void
tidy_key(json_t *key)
{
	json_t *bits = doc_get(key, "bits");

	tidy_texts(key, key_promises, sizeof(key_promises) / sizeof(*key_promises));
	tidy_mode(key);
	if (!json_is_integer(bits) && !json_is_string(bits))
		json_object_del(key, "bits");
}

static void
keep_texts(json_t *list)
{
	for (size_t i = json_array_size(list); i > 0; i--)
		if (!json_is_string(json_array_get(list, i - 1)))
			json_array_remove(list, i - 1);
}

static void
tidy_wire(json_t *wire)
{
	json_t *tcp = doc_get(wire, "tcp"), *keys = doc_list(doc_get(wire, "host_key"), "keys");

	tidy_texts(tcp, tcp_promises, sizeof(tcp_promises) / sizeof(*tcp_promises));
	if (doc_int(tcp, "ms", 0) < 0)
		json_object_del(tcp, "ms");
	for (size_t i = 0; i < json_array_size(keys); i++)
		tidy_texts(json_array_get(keys, i), host_promises,
			   sizeof(host_promises) / sizeof(*host_promises));
	keep_texts(doc_list(doc_get(wire, "auth"), "methods"));
}

void
facts_tidy(json_t *doc)
{
	json_t *targets = doc_list(doc, "targets"), *key;
	const char *path;

	json_object_foreach (doc_get(doc, "machine.keys"), path, key)
		tidy_key(key);
	for (size_t i = 0; i < json_array_size(targets); i++)
		tidy_wire(doc_get(json_array_get(targets, i), "wire"));
	if (doc_int(doc, "duration_ms", 0) < 0)
		json_object_del(doc, "duration_ms");
}
