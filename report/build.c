#include "report/report.h"
#include "facts/doc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void
set_or_null(json_t *obj, const char *key, const char *text)
{
	if (text != NULL)
		doc_set_str(obj, key, text);
	else
		json_object_set_new(obj, key, json_null());
}

static json_t *
remedies_json(const struct finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->remedies.count; i++) {
		const struct remedy *remedy = &finding->remedies.at[i];
		json_t *one = json_object();

		doc_set_str(one, "dialect", remedy->dialect);
		set_or_null(one, "title", remedy->title);
		doc_set_str(one, "command", remedy->command);
		doc_set_bool(one, "runnable", remedy->runnable);
		set_or_null(one, "cost", remedy->cost);
		set_or_null(one, "undo", remedy->undo);
		set_or_null(one, "verify", remedy->verify);
		json_array_append_new(list, one);
	}
	return list;
}

/* The text, or what else there is to say: facts from elsewhere may leave it empty. */
static const char *
words_of(const char *text, const struct finding *finding)
{
	if (text != NULL && *text != '\0')
		return text;
	return finding->summary != NULL && *finding->summary != '\0' ? finding->summary
								     : finding->code;
}

static json_t *
finding_json(const struct finding *finding)
{
	json_t *one = json_object(), *also = json_array();

	doc_set_str(one, "check", finding->check);
	doc_set_str(one, "rule", finding->rule != NULL ? finding->rule : finding->check);
	doc_set_str(one, "status", status_word(finding->status));
	doc_set_str(one, "code", finding->code);
	doc_set_str(one, "title", words_of(finding->title, finding));
	doc_set_str(one, "summary", words_of(finding->summary, finding));
	json_object_set_new(one, "evidence",
			    finding->evidence != NULL ? json_deep_copy(finding->evidence)
						      : json_object());
	for (size_t i = 0; i < finding->also_count; i++)
		json_array_append_new(also, finding_json(&finding->also[i]));
	json_object_set_new(one, "also", also);
	json_object_set_new(one, "remedies", remedies_json(finding));
	set_or_null(one, "docs", finding->docs);
	set_or_null(one, "explained_by",
		    finding->explained_by != NULL ? finding->explained_by->code : NULL);
	return one;
}

static bool
holds_text(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return true;
	return false;
}

static json_t *
possible_json(const struct rules *rules, const struct finding *cause, const json_t *globals)
{
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(cause->possible); i++) {
		const char *code = json_string_value(json_array_get(cause->possible, i));
		char *decide = rules_fill(doc_str(rules_code(rules, code, NULL), "decide"),
					  cause->evidence, globals, "shell", NULL);
		json_t *one = json_object();

		doc_set_str(one, "code", code);
		set_or_null(one, "decide", decide);
		json_array_append_new(list, one);
		free(decide);
	}
	return list;
}

static json_t *
diagnosis_json(const struct rules *rules, const struct diagnosis *diagnosis, const json_t *globals)
{
	const struct finding *cause = diagnosis->cause;
	json_t *one, *explains = json_array(), *next = json_array();

	if (cause == NULL || diagnosis->verdict == PASS || diagnosis->verdict == WARN) {
		json_decref(explains);
		json_decref(next);
		return json_null();
	}
	for (size_t i = 0; i < diagnosis->explained_count; i++)
		if (!holds_text(explains, diagnosis->explained[i]->check))
			doc_append_str(explains, diagnosis->explained[i]->check);
	for (size_t i = 0; i < diagnosis->next_count; i++)
		if (!holds_text(next, diagnosis->next[i]->code))
			doc_append_str(next, diagnosis->next[i]->code);
	one = json_object();
	doc_set_str(one, "code", cause->code);
	doc_set_str(one, "check", cause->check);
	doc_set_str(one, "status", status_word(cause->status));
	doc_set_str(one, "confidence", confidence_word(cause->confidence));
	doc_set_str(one, "title", words_of(cause->title, cause));
	doc_set_str(one, "why", words_of(cause->why, cause));
	json_object_set_new(one, "explains", explains);
	json_object_set_new(one, "next", next);
	json_object_set_new(one, "possible", possible_json(rules, cause, globals));
	json_object_set_new(one, "remedies", remedies_json(cause));
	return one;
}

static json_t *
target_json(const json_t *globals)
{
	static const char *const keys[][2] = { { "vm", "vm" },
					       { "resource_group", "rg" },
					       { "subscription", "subscription" },
					       { "host", "host" },
					       { "port", "port" },
					       { "user", "user" },
					       { "user_from", "user_from" },
					       { "source_ip", "source_ip" } };
	json_t *target = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(globals, keys[i][1]);

		if (json_is_integer(value)
			? json_integer_value(value) >= 0 && json_integer_value(value) <= 65535
			: json_string_length(value) > 0)
			json_object_set(target, keys[i][0], value);
	}
	return target;
}

/* When the facts were collected; a document from elsewhere may say anything there. */
static void
set_started(json_t *report, time_t started)
{
	struct tm tm;

	if (gmtime_r(&started, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		tm = (struct tm){ .tm_year = 70, .tm_mday = 1 };
	doc_set_fmt(report, "started", "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

json_t *
report_build(const struct facts *facts, const struct rules *rules, const struct finding *findings,
	     size_t count, const struct diagnosis *diagnosis, const json_t *globals, int exit_code)
{
	json_t *report = json_object(), *tool = json_object(), *list = json_array();

	doc_set_str(report, "schema", REPORT_SCHEMA);
	doc_set_str(tool, "name", PACKAGE_NAME);
	doc_set_str(tool, "version", PACKAGE_VERSION);
	doc_set_str(tool, "rules", rules_digest(rules));
	json_object_set_new(report, "tool", tool);
	set_started(report, facts->now);
	doc_set_int(report, "duration_ms", doc_int(facts->doc, "duration_ms", 0));
	json_object_set_new(report, "target", target_json(globals));
	doc_set_str(report, "verdict", status_word(diagnosis->verdict));
	doc_set_int(report, "exit_code", exit_code);
	json_object_set_new(report, "diagnosis", diagnosis_json(rules, diagnosis, globals));
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, finding_json(&findings[i]));
	json_object_set_new(report, "findings", list);
	json_object_set_new(report, "path", report_path(findings, count, diagnosis));
	return report;
}
