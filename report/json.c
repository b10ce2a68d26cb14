#include "report/format.h"
#include "facts/doc.h"

#include <string.h>

static void
set_or_null(json_t *obj, const char *key, const char *text)
{
	if (text != NULL)
		doc_set_str(obj, key, text);
	else
		json_object_set_new(obj, key, json_null());
}

/* A command that is one list of arguments; null for one with several steps, and for a text. */
static json_t *
argv_json(const char *arguments)
{
	json_t *list = json_array();
	struct argument argument;

	for (const char *at = arguments; at != NULL && command_next(arguments, &at, &argument);) {
		if (argument.first && argument.text != arguments) {
			json_decref(list);
			return json_null();
		}
		json_array_append_new(list, json_stringn(argument.text, argument.len));
	}
	if (arguments != NULL)
		return list;
	json_decref(list);
	return json_null();
}

/* A list of names with blanks between them. */
static json_t *
names_json(const char *names)
{
	json_t *list = json_array();

	for (size_t len; names != NULL && *names != '\0'; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		json_array_append_new(list, json_stringn(names, len));
	}
	return list;
}

static json_t *
remedies_json(const struct report *report, const struct finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->remedies.count; i++) {
		const struct remedy *remedy = &finding->remedies.at[i];
		json_t *one = json_object();

		doc_set_str(one, "dialect", remedy->dialect);
		set_or_null(one, "title", remedy->title);
		doc_set_str(one, "command", remedy->command);
		json_object_set_new(one, "argv", argv_json(remedy->arguments));
		doc_set_bool(one, "runnable", remedy->runnable);
		set_or_null(one, "changes", remedy->changes);
		json_object_set_new(one, "needs", names_json(remedy->needs));
		if (remedy->may != NULL)
			doc_set_str(one, "may", remedy->may);
		set_or_null(one, "cost", remedy->cost);
		set_or_null(one, "undo", remedy->undo);
		set_or_null(one, "verify", report_verify(report, remedy));
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *
finding_json(const struct report *report, const struct finding *finding)
{
	json_t *one = json_object(), *also = json_array();

	doc_set_str(one, "check", finding->check);
	doc_set_str(one, "rule", finding->rule != NULL ? finding->rule : finding->check);
	doc_set_str(one, "status", status_word(finding->status));
	doc_set_str(one, "code", finding->code);
	doc_set_str(one, "title", report_title(finding));
	doc_set_str(one, "summary", report_summary(finding));
	json_object_set_new(one, "evidence",
			    finding->evidence != NULL ? json_deep_copy(finding->evidence)
						      : json_object());
	for (size_t i = 0; i < finding->also_count; i++)
		json_array_append_new(also, finding_json(report, &finding->also[i]));
	json_object_set_new(one, "also", also);
	json_object_set_new(one, "remedies", remedies_json(report, finding));
	set_or_null(one, "docs", finding->docs);
	set_or_null(one, "explained_by",
		    finding->explained_by != NULL ? finding->explained_by->code : NULL);
	return one;
}

static void
append_once(json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return;
	doc_append_str(list, text);
}

static json_t *
possible_json(const struct report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->possible_count; i++) {
		json_t *one = json_object();

		doc_set_str(one, "code", report->possible[i].code);
		set_or_null(one, "title", report->possible[i].title);
		set_or_null(one, "decide", report->possible[i].decide);
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *
diagnosis_json(const struct report *report)
{
	const struct finding *cause = report->cause;
	json_t *one, *explains, *next;

	if (cause == NULL)
		return json_null();
	one = json_object();
	explains = json_array();
	next = json_array();
	for (size_t i = 0; i < report->explained_count; i++)
		append_once(explains, report->explained[i]->check);
	for (size_t i = 0; i < report->next_count; i++)
		append_once(next, report->next[i]->code);
	doc_set_str(one, "code", cause->code);
	doc_set_str(one, "check", cause->check);
	doc_set_str(one, "status", status_word(cause->status));
	doc_set_str(one, "confidence", confidence_word(cause->confidence));
	doc_set_str(one, "title", report_title(cause));
	doc_set_str(one, "why", report_why(cause));
	json_object_set_new(one, "explains", explains);
	json_object_set_new(one, "next", next);
	json_object_set_new(one, "possible", possible_json(report));
	json_object_set_new(one, "remedies", remedies_json(report, cause));
	return one;
}

static json_t *
target_json(const struct about *from)
{
	json_t *target = json_object();

	doc_set_str(target, "vm", from->vm);
	doc_set_str(target, "resource_group", from->resource_group);
	doc_set_str(target, "subscription", from->subscription);
	doc_set_str(target, "host", from->host);
	doc_set_int(target, "port", from->port);
	doc_set_str(target, "user", from->user);
	doc_set_str(target, "user_from", from->user_from);
	doc_set_str(target, "source_ip", from->source_ip);
	return target;
}

static json_t *
path_json(const struct report *report)
{
	json_t *path = json_array();

	for (size_t i = 0; i < REPORT_HOPS; i++) {
		json_t *hop = json_object();

		doc_set_str(hop, "hop", report->path[i].name);
		doc_set_str(hop, "state", report->path[i].state);
		doc_set_str(hop, "label", report->path[i].label);
		json_array_append_new(path, hop);
	}
	return path;
}

json_t *
report_as_json(const struct report *report)
{
	json_t *obj = json_object(), *tool = json_object(), *list = json_array();

	doc_set_str(obj, "schema", REPORT_SCHEMA);
	doc_set_str(tool, "name", PACKAGE_NAME);
	doc_set_str(tool, "version", report->version);
	doc_set_str(tool, "rules", report->rules);
	if (report->rule_files != NULL)
		json_object_set_new(tool, "rule_files", json_deep_copy(report->rule_files));
	json_object_set_new(obj, "tool", tool);
	doc_set_str(obj, "started", report->started);
	doc_set_int(obj, "duration_ms", report->about->duration_ms);
	json_object_set_new(obj, "target", target_json(report->about));
	doc_set_str(obj, "verdict", status_word(report->verdict));
	doc_set_int(obj, "exit_code", report->exit_code);
	doc_set_str(obj, "title", report->title);
	json_object_set_new(obj, "diagnosis", diagnosis_json(report));
	for (size_t i = 0; i < report->count; i++)
		json_array_append_new(list, finding_json(report, &report->findings[i]));
	json_object_set_new(obj, "findings", list);
	json_object_set_new(obj, "path", path_json(report));
	if (report->baseline != NULL)
		json_object_set(obj, "baseline", report->baseline);
	return obj;
}

/* One report is an object, any other number of them an array. */
int
report_json(FILE *out, const struct report *const *reports, size_t count,
	    const struct report_style *style)
{
	json_t *list;

	(void)style;
	if (count == 1)
		return format_json(out, report_as_json(reports[0]), JSON_INDENT(2));
	list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, report_as_json(reports[i]));
	return format_json(out, list, JSON_INDENT(2));
}

int
report_ndjson(FILE *out, const struct report *const *reports, size_t count,
	      const struct report_style *style)
{
	int r = 0;

	(void)style;
	for (size_t i = 0; i < count && r == 0; i++)
		r = format_json(out, report_as_json(reports[i]), JSON_COMPACT);
	return r;
}
