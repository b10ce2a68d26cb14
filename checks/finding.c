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
	*finding = (struct finding){ .check = check,
				     .check_id = check_find(check),
				     .rule = check,
				     .evidence = json_object() };
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
	*finding = (struct finding){ 0 };
}

void
findings_free(struct finding *findings, size_t count)
{
	for (size_t i = 0; findings != NULL && i < count; i++)
		finding_free(&findings[i]);
	free(findings);
}

static bool
copy_text(const char *text, char **ret)
{
	*ret = text != NULL ? strdup(text) : NULL;
	return text == NULL || *ret != NULL;
}

int
finding_copy(const struct finding *finding, struct finding *ret)
{
	*ret = (struct finding){ .check = finding->check,
				 .check_id = finding->check_id,
				 .rule = finding->rule,
				 .status = finding->status,
				 .confidence = finding->confidence,
				 .id = finding->id,
				 .evidence = json_copy(finding->evidence),
				 .also = calloc(finding->also_count + 1, sizeof(*ret->also)) };
	if (ret->also == NULL || ret->evidence == NULL ||
	    !copy_text(finding->own_code, &ret->own_code) ||
	    !copy_text(finding->summary, &ret->summary) ||
	    !copy_text(finding->changes, &ret->changes))
		return -ENOMEM;
	memcpy(ret->possible, finding->possible, sizeof(ret->possible));
	ret->code = ret->own_code != NULL ? ret->own_code : finding->code;
	for (; ret->also_count < finding->also_count; ret->also_count++)
		if (finding_copy(&finding->also[ret->also_count], &ret->also[ret->also_count]) < 0)
			return -ENOMEM;
	return 0;
}

int
findings_flatten(const struct finding *findings, size_t count, struct flat *ret)
{
	size_t n = count;

	for (size_t i = 0; i < count; i++)
		n += findings[i].also_count;
	*ret = (struct flat){ .at = calloc(n + 1, sizeof(struct finding *)) };
	if (ret->at == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		ret->at[ret->count++] = &findings[i];
		for (size_t j = 0; j < findings[i].also_count; j++)
			ret->at[ret->count++] = &findings[i].also[j];
	}
	return 0;
}

/* Takes `own`, the word of a code of a rule file; NULL for the others. */
static int set(struct finding *finding, enum status status, enum code id, char *own,
	       const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

static int
set(struct finding *finding, enum status status, enum code id, char *own, const char *fmt,
    va_list ap)
{
	char *text = doc_vfmt(fmt, ap);

	if (text == NULL) {
		free(own);
		return -ENOMEM;
	}
	free(finding->summary);
	free(finding->own_code);
	finding->summary = text;
	finding->status = status;
	finding->confidence = CERTAIN;
	finding->own_code = own;
	finding->id = id;
	finding->code = own != NULL ? own : code_word(id);
	return 0;
}

int
finding_set(struct finding *finding, enum status status, enum code code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(finding, status, code, NULL, fmt, ap);
	va_end(ap);
	return r;
}

int
finding_likely(struct finding *finding, enum status status, enum code code, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = set(finding, status, code, NULL, fmt, ap);
	va_end(ap);
	finding->confidence = LIKELY;
	return r;
}

int
finding_custom(struct finding *finding, enum status status, const char *code, const char *fmt, ...)
{
	char *own = strdup(code);
	va_list ap;
	int r = -ENOMEM;

	va_start(ap, fmt);
	if (own != NULL)
		r = set(finding, status, CODE_CUSTOM, own, fmt, ap);
	va_end(ap);
	return r;
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
	size_t i = 0;

	while (i < POSSIBLE_MAX - 1 && finding->possible[i] != CODE_CUSTOM)
		i++;
	if (i < POSSIBLE_MAX - 1)
		finding->possible[i] = code;
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

struct finding *
finding_next(struct finding *finding)
{
	return finding->id == CODE_NOT_RUN ? finding : finding_also(finding);
}
