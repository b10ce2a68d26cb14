#include "checks/finding.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *
status_word(enum status status)
{
	static const char *const words[] = { [PASS] = "pass",
					     [WARN] = "warn",
					     [FAIL] = "fail",
					     [SKIP] = "skip",
					     [UNKNOWN] = "unknown" };

	return words[status];
}

const char *
confidence_word(enum confidence confidence)
{
	static const char *const words[] = {
		[CERTAIN] = "certain", [LIKELY] = "likely", [POSSIBLE] = "possible"
	};

	return words[confidence];
}

void
finding_init(struct finding *finding, const char *check)
{
	*finding = (struct finding){ .check = check, .rule = check, .evidence = json_object() };
	finding_set(finding, SKIP, CODE_NOT_RUN, "not run");
}

void
finding_free(struct finding *finding)
{
	if (finding == NULL)
		return;
	for (size_t i = 0; i < finding->also_count; i++)
		finding_free(&finding->also[i]);
	remedies_free(&finding->remedies);
	free(finding->also);
	free(finding->own_code);
	free(finding->changes);
	free(finding->summary);
	free(finding->title);
	free(finding->why);
	free(finding->docs);
	json_decref(finding->evidence);
	json_decref(finding->possible);
	*finding = (struct finding){ 0 };
}

static int
set(struct finding *finding, enum status status, const char *fmt, va_list ap)
{
	char *text = doc_vfmt(fmt, ap);

	if (text == NULL)
		return -ENOMEM;
	free(finding->summary);
	finding->summary = text;
	finding->status = status;
	finding->confidence = CERTAIN;
	return 0;
}

static void
set_code(struct finding *finding, enum code id, char *own)
{
	free(finding->own_code);
	finding->own_code = own;
	finding->id = id;
	finding->code = own != NULL ? own : code_word(id);
}

int
finding_set(struct finding *finding, enum status status, enum code code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(finding, status, fmt, ap);
	va_end(ap);
	if (r == 0)
		set_code(finding, code, NULL);
	return r;
}

int
finding_custom(struct finding *finding, enum status status, const char *code, const char *fmt, ...)
{
	char *own = strdup(code);
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = own != NULL ? set(finding, status, fmt, ap) : -ENOMEM;
	va_end(ap);
	if (r < 0) {
		free(own);
		return r;
	}
	set_code(finding, CODE_CUSTOM, own);
	return 0;
}

void
finding_text(struct finding *finding, const char *key, const char *text)
{
	doc_set_str(finding->evidence, key, text);
}

void
finding_number(struct finding *finding, const char *key, json_int_t value)
{
	doc_set_int(finding->evidence, key, value);
}

void
finding_value(struct finding *finding, const char *key, json_t *value)
{
	if (value != NULL)
		json_object_set_new(finding->evidence, key, value);
}

void
finding_changes(struct finding *finding, const char *id)
{
	free(finding->changes);
	finding->changes = id != NULL ? strdup(id) : NULL;
}

const json_t *
finding_texts(struct finding *finding, const char *key, const char *const *texts, size_t count)
{
	json_t *list = texts != NULL ? json_array() : NULL;

	for (size_t i = 0; i < count; i++)
		doc_append_str(list, texts[i]);
	finding_value(finding, key, list);
	return list;
}

void
finding_possible(struct finding *finding, enum code code)
{
	if (finding->possible == NULL)
		finding->possible = json_array();
	doc_append_str(finding->possible, code_word(code));
}

struct finding *
finding_also(struct finding *finding)
{
	struct finding *grown =
	    reallocarray(finding->also, finding->also_count + 1, sizeof(*grown));

	if (grown == NULL)
		return NULL;
	finding->also = grown;
	finding_init(&grown[finding->also_count], finding->check);
	return &grown[finding->also_count++];
}
