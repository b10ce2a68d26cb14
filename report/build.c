#include "report/report.h"
#include "facts/time.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The text, or what else there is: facts from elsewhere may leave it empty. */
static const char *
words_of(const char *text, const struct finding *finding)
{
	if (text != NULL && *text != '\0')
		return text;
	return finding->summary != NULL && *finding->summary != '\0' ? finding->summary
								     : finding->code;
}

const char *
report_title(const struct finding *finding)
{
	return words_of(finding->title, finding);
}

const char *
report_summary(const struct finding *finding)
{
	return words_of(finding->summary, finding);
}

const char *
report_why(const struct finding *finding)
{
	return words_of(finding->why, finding);
}

/* When the facts were collected; a document from elsewhere may say anything there. */
static void
set_started(struct report *report, time_t started)
{
	if (*time_to_iso(started, report->started) == '\0')
		time_to_iso(0, report->started);
}

static const char *
text_of(const json_t *globals, const char *key)
{
	const char *text = doc_str(globals, key);

	return text != NULL && *text != '\0' ? text : NULL;
}

static struct report_target
target_of(const json_t *globals)
{
	json_int_t port = doc_int(globals, "port", -1);

	return (struct report_target){
		.vm = text_of(globals, "vm"),
		.resource_group = text_of(globals, "rg"),
		.subscription = text_of(globals, "subscription"),
		.host = text_of(globals, "host"),
		.user = text_of(globals, "user"),
		.user_from = text_of(globals, "user_from"),
		.source_ip = text_of(globals, "source_ip"),
		.port = port >= 0 && port <= 65535 ? (int)port : -1,
	};
}

static void
add_possible(struct report *report, const struct rules *rules, const json_t *globals)
{
	const struct values values = { .evidence = report->cause->evidence, .globals = globals };

	for (const enum code *code = report->cause->possible; *code != CODE_CUSTOM; code++) {
		struct report_possible *one = &report->possible[report->possible_count++];
		const struct code_words *words = rules_code(rules, code_word(*code));

		one->code = code_word(*code);
		if (words != NULL)
			one->decide = rules_command(words->decide, "shell", &values, NULL, NULL);
	}
}

int
report_build(const struct facts *facts, const struct rules *rules, const struct finding *findings,
	     size_t count, const struct diagnosis *diagnosis, const json_t *globals, int exit_code,
	     struct report *ret)
{
	struct report report = { .version = PACKAGE_VERSION,
				 .rules = rules_digest(rules),
				 .duration_ms = doc_int(facts->doc, "duration_ms", 0),
				 .target = target_of(globals),
				 .verdict = diagnosis->verdict,
				 .exit_code = exit_code,
				 .findings = findings,
				 .count = count };
	int r;

	set_started(&report, facts->now);
	if (diagnosis->verdict == FAIL || diagnosis->verdict == UNKNOWN)
		report.cause = diagnosis->cause;
	if (report.cause != NULL) {
		report.explained = diagnosis->explained;
		report.explained_count = diagnosis->explained_count;
		report.next = diagnosis->next;
		report.next_count = diagnosis->next_count;
		add_possible(&report, rules, globals);
	}
	if ((r = report_path(findings, count, diagnosis, report.path)) < 0) {
		report_free(&report);
		return r;
	}
	*ret = report;
	return 0;
}

void
report_free(struct report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->possible_count; i++)
		free(report->possible[i].decide);
	for (size_t i = 0; i < REPORT_HOPS; i++)
		free(report->path[i].label);
	*report = (struct report){ 0 };
}
