/* A bundle from anywhere through the checks, the diagnosis and the reports: the program ends, what
 * it writes keeps the report's schema, and no byte of it moves a terminal. Mutations keep the JSON
 * whole: they change values, not brackets. */
#include "checks/checks.h"
#include "facts/visible.h"
#include "model/redact/redact.h"
#include "report/format.h"
#include "tests/fuzz/schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static const struct rules *
rules(void)
{
	static struct rules *set;
	struct err err = { "" };

	if (set == NULL && rules_default(&set, &err) < 0)
		abort();
	return set;
}

/* FUZZ_SCHEMA names report.schema.json. */
static const json_t *
schema(void)
{
	static json_t *root;

	if (root == NULL &&
	    (root = json_load_file(getenv("FUZZ_SCHEMA") != NULL ? getenv("FUZZ_SCHEMA")
								 : "report.schema.json",
				   0, NULL)) == NULL)
		abort();
	return root;
}

static void
examine(const struct report *report)
{
	static const struct report_style style = { .verbose = true, .utf8 = true };
	char path[SCHEMA_PATH];
	json_t *json = report_as_json(report);
	const char *broken = schema_breaks(schema(), "report", json, path);
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (broken != NULL) {
		fprintf(stderr, "the report breaks its schema: %s of %s\n", broken, path);
		if (getenv("FUZZ_GO_ON") == NULL)
			abort();
	}
	json_decref(json);
	if ((out = open_memstream(&text, &len)) == NULL)
		abort();
	for (const struct format *format = formats; format->name != NULL; format++)
		if (format_write(format, out, &report, 1, &style) < 0)
			abort();
	if (fclose(out) != 0)
		abort();
	for (char *line = text, *end; line < text + len; line = end + 1) {
		if ((end = memchr(line, '\n', len - (size_t)(line - text))) == NULL)
			end = text + len;
		*end = '\0';
		if (strlen(line) != (size_t)(end - line) || !visible_clean(line)) {
			fprintf(stderr, "a terminal would act on this line: %s\n", line);
			if (getenv("FUZZ_GO_ON") == NULL)
				abort();
		}
		if (end == text + len)
			break;
	}
	free(text);
}

static void
judge(json_t *doc, size_t index)
{
	static const char *const az[] = { "az", "powershell", "portal", NULL };
	struct finding *findings = NULL;
	struct diagnosis diagnosis = { 0 };
	struct facts facts;
	struct report report;
	struct scene scene;
	struct about about;
	json_t *globals;
	size_t count = 0;

	if (facts_view(doc, index, &facts) < 0)
		return;
	scene_make(&facts, &scene);
	if (checks_run(&scene, rules(), NULL, &findings, &count) < 0)
		abort();
	about = about_make(&scene);
	globals = globals_make(&scene, &about);
	scene_free(&scene);
	for (size_t i = 0; i < count; i++)
		if (finding_fill_in(&findings[i], rules(), globals, az) < 0)
			abort();
	if (diagnosis_make(findings, count, &diagnosis) < 0 ||
	    report_build(&about, rules(), findings, count, &diagnosis, globals, 0, &report) < 0)
		abort();
	examine(&report);
	report_free(&report);
	diagnosis_free(&diagnosis);
	findings_free(findings, count);
	json_decref(globals);
	about_free(&about);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *bundle = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	json_t *facts = doc_get(bundle, "facts");
	struct redacted redacted;

	if (facts != NULL)
		facts_tidy(facts);
	for (size_t i = 0; i < json_array_size(doc_list(facts, "targets")) && i < 4; i++)
		judge(facts, i);
	if (json_is_object(facts)) {
		redact_facts(facts, &redacted);
		judge(redacted.facts, 0);
		json_decref(redacted.facts);
		json_decref(redacted.replaced);
		json_decref(redacted.map);
	}
	json_decref(bundle);
	return 0;
}

/* ---- mutation ---- */

static unsigned state;

static unsigned
pick(unsigned below)
{
	state = state * 1664525u + 1013904223u;
	return below > 0 ? (state >> 8) % below : 0;
}

static json_t *
hostile_value(void)
{
	static const char *const texts[] = { "",
					     " ",
					     "\x1b[2J",
					     "\u202e",
					     "x\ny",
					     "-",
					     "yes",
					     "no",
					     "known",
					     "unknown",
					     "absent",
					     "not-asked",
					     "Allow",
					     "Deny",
					     "Inbound",
					     "*",
					     "0.0.0.0/0",
					     "::1",
					     "203.0.113.7",
					     "999.1.1.1",
					     "22",
					     "-1",
					     "65536",
					     "99999999999999999999",
					     "0-0",
					     "22-",
					     "Tcp",
					     "2026-01-01T00:00:00Z",
					     "9999-99-99T99:99:99Z",
					     "$(id)",
					     "';--",
					     "{vm}",
					     "{}",
					     "%s%n",
					     "/subscriptions/a",
					     "~/.ssh/x",
					     "../..",
					     "connected",
					     "timeout",
					     "refused",
					     "ssh",
					     "done",
					     "no-common",
					     "stalled",
					     "accepted",
					     "denied",
					     "SHA256:",
					     "ssh-ed25519",
					     "true",
					     "PowerState/running" };
	static const json_int_t numbers[] = { 0,         1,         -1,        22,
					      65535,     65536,     INT32_MAX, INT32_MIN,
					      INT64_MAX, INT64_MIN, 4096,      100 };
	char *text;
	json_t *value;

	switch (pick(10)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(pick(2));
	case 2:
	case 3:
		return json_integer(numbers[pick(sizeof(numbers) / sizeof(*numbers))]);
	case 4:
		return json_array();
	case 5:
		return json_object();
	case 6:
		if ((text = malloc(5001)) == NULL)
			return json_null();
		memset(text, 'a' + (int)pick(26), 5000);
		text[5000] = '\0';
		value = json_string(text);
		free(text);
		return value;
	default:
		return json_string(texts[pick(sizeof(texts) / sizeof(*texts))]);
	}
}

/* Where to change something: anywhere, or in what is close to the findings. */
static json_t *
random_root(json_t *root)
{
	json_t *target = json_array_get(doc_list(doc_get(root, "facts"), "targets"), 0),
	       *near = NULL;

	switch (pick(5)) {
	case 0:
		near = target;
		break;
	case 1:
		near = doc_get(target, "wire");
		break;
	case 2:
		near = doc_get(root, "facts.machine");
		break;
	case 3:
		near = doc_get(root, "facts.machine.keys");
		break;
	}
	return near != NULL ? near : root;
}

/* Any value of the document, for planting it elsewhere. */
static json_t *
random_value(json_t *at)
{
	for (unsigned i = 0; i < 12 && json_is_object(at) + json_is_array(at) > 0 && pick(6) > 0;
	     i++) {
		unsigned n = (unsigned)(json_is_object(at) ? json_object_size(at)
							   : json_array_size(at)),
			 k = pick(n);
		void *iter = json_object_iter(at);

		if (n == 0)
			break;
		if (json_is_array(at)) {
			at = json_array_get(at, k);
			continue;
		}
		while (k-- > 0)
			iter = json_object_iter_next(at, iter);
		at = json_object_iter_value(iter);
	}
	return at;
}

static json_t *
new_value(json_t *root)
{
	return pick(4) == 0 ? json_deep_copy(random_value(root)) : hostile_value();
}

static void
change_member(json_t *root, json_t *object)
{
	unsigned k = pick((unsigned)json_object_size(object));
	void *iter = json_object_iter(object);

	while (k-- > 0 && iter != NULL)
		iter = json_object_iter_next(object, iter);
	if (iter == NULL || pick(8) == 0)
		json_object_set_new(object, iter != NULL && pick(2) ? "extra" : "state",
				    new_value(root));
	else if (pick(4) == 0)
		json_object_del(object, json_object_iter_key(iter));
	else
		json_object_iter_set_new(object, iter, new_value(root));
}

static void
change_item(json_t *root, json_t *array)
{
	size_t size = json_array_size(array), k = pick((unsigned)size);

	if (size == 0 || pick(4) == 0)
		json_array_append_new(array, new_value(root));
	else if (pick(4) == 0)
		json_array_remove(array, k);
	else
		json_array_set_new(array, k, new_value(root));
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	json_t *root = json_loadb((const char *)data, size, 0, NULL), *at;
	char *text;
	size_t len = 0;

	state = seed;
	if (root == NULL)
		return LLVMFuzzerMutate(data, size, max_size);
	for (unsigned i = pick(4) + 1; i > 0; i--) {
		for (unsigned k = 0; k < 16 && (at = random_value(random_root(root))) != NULL &&
				     !json_is_object(at) && !json_is_array(at);
		     k++)
			;
		if (json_is_object(at))
			change_member(root, at);
		else if (json_is_array(at))
			change_item(root, at);
	}
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text != NULL && (len = strlen(text)) <= max_size)
		memcpy(data, text, len);
	else
		len = size;
	free(text);
	return len;
}
