/* SARIF 2.1.0: a run a target, a result for what failed, was not known or is worth knowing. */
#include "report/format.h"
#include "facts/doc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SARIF_SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"
#define DOCS "https://learn.microsoft.com/azure/virtual-machines/linux-vm-connect"

static json_t *
message(const char *text)
{
	json_t *obj = json_object();

	doc_set_str(obj, "text", text);
	return obj;
}

static bool
is_result(const struct report *report, const struct finding *finding)
{
	return finding->status == FAIL || finding->status == WARN || finding == report->cause;
}

/* The index of the rule of that code, which is added when it is new. */
static json_int_t
rule_index(json_t *rules, const struct finding *finding)
{
	json_t *rule, *known;
	size_t i;

	json_array_foreach (rules, i, known)
		if (doc_is(known, "id", finding->code))
			return (json_int_t)i;
	rule = json_object();
	doc_set_str(rule, "id", finding->code);
	json_object_set_new(rule, "shortDescription", message(report_title(finding)));
	json_object_set_new(rule, "fullDescription", message(report_why(finding)));
	doc_set_str(rule, "helpUri", finding->docs != NULL ? finding->docs : DOCS);
	json_array_append_new(rules, rule);
	return (json_int_t)json_array_size(rules) - 1;
}

/* A URI reference of the VM: its ARM id without the first slash, or its name. */
static char *
target_uri(const struct report *report)
{
	const char *text =
	    report->about->vm_id != NULL ? report->about->vm_id : report_name(report);
	char *uri = NULL;
	size_t size;
	FILE *out = open_memstream(&uri, &size);

	for (text += *text == '/'; *text != '\0'; text++)
		if (isalnum((unsigned char)*text) || strchr("/-._~", *text) != NULL)
			putc(*text, out);
		else
			fprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
	fclose(out);
	return uri;
}

static json_t *
locations_of(const struct report *report)
{
	json_t *logical = json_object(), *location = json_object(), *physical;
	char *uri = target_uri(report);

	doc_set_str(logical, "name", report_name(report));
	doc_set_str(logical, "fullyQualifiedName", report->about->vm_id);
	doc_set_str(logical, "kind", "resource");
	json_object_set_new(location, "logicalLocations", json_pack("[o]", logical));
	physical = json_object();
	doc_set_str(physical, "uri", uri);
	json_object_set_new(location, "physicalLocation",
			    json_pack("{s:o}", "artifactLocation", physical));
	free(uri);
	return json_pack("[o]", location);
}

static const char *
level_of(const struct finding *finding)
{
	if (finding->explained_by != NULL)
		return "note";
	return finding->status == FAIL ? "error" : "warning";
}

static json_t *
result_of(const struct report *report, const struct finding *finding, json_t *rules)
{
	json_t *result = json_object(), *properties = json_object();
	const struct remedy *remedy = report_remedy(finding);
	bool open = finding->status == UNKNOWN;

	doc_set_str(result, "ruleId", finding->code);
	doc_set_int(result, "ruleIndex", rule_index(rules, finding));
	doc_set_str(result, "kind", open ? "open" : "fail");
	doc_set_str(result, "level", open ? "none" : level_of(finding));
	json_object_set_new(result, "message", message(report_summary(finding)));
	json_object_set_new(result, "locations", locations_of(report));
	doc_set_str(properties, "check", finding->rule);
	doc_set_str(properties, "confidence", confidence_word(finding->confidence));
	if (finding->explained_by != NULL)
		doc_set_str(properties, "explainedBy", finding->explained_by->code);
	if (remedy != NULL)
		doc_set_str(properties, "command", remedy->command);
	json_object_set_new(result, "properties", properties);
	return result;
}

/* When the run ended, from when it began and how long it took; the caller frees. */
static json_t *
invocation_of(const struct report *report)
{
	json_t *invocation = json_object();

	doc_set_bool(invocation, "executionSuccessful", true);
	doc_set_int(invocation, "exitCode", report->exit_code);
	doc_set_str(invocation, "startTimeUtc", report->started);
	return json_pack("[o]", invocation);
}

static json_t *
run_of(const struct report *report)
{
	json_t *run = json_object(), *driver = json_object(), *rules = json_array(),
	       *results = json_array();
	size_t count;
	const struct finding **list = report_findings(report, &count);

	for (size_t i = 0; i < count; i++)
		if (is_result(report, list[i]))
			json_array_append_new(results, result_of(report, list[i], rules));
	doc_set_str(driver, "name", PACKAGE_NAME);
	doc_set_str(driver, "version", report->version);
	json_object_set_new(driver, "rules", rules);
	json_object_set_new(run, "tool", json_pack("{s:o}", "driver", driver));
	json_object_set_new(run, "invocations", invocation_of(report));
	json_object_set_new(run, "results", results);
	free(list);
	return run;
}

int
report_sarif(FILE *out, const struct report *const *reports, size_t count,
	     const struct report_style *style)
{
	json_t *log = json_object(), *runs = json_array();

	(void)style;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(runs, run_of(reports[i]));
	doc_set_str(log, "$schema", SARIF_SCHEMA);
	doc_set_str(log, "version", "2.1.0");
	json_object_set_new(log, "runs", runs);
	return format_json(out, log, JSON_INDENT(2));
}
