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

const char *
report_doubt(const struct finding *finding)
{
	static const char *const doubts[] = {
		[CERTAIN] = "", [LIKELY] = " (likely)", [POSSIBLE] = " (possibly)"
	};

	return doubts[finding->confidence];
}

/* When the facts were collected; a document from elsewhere may say anything there. */
static void
set_started(struct report *report, time_t started)
{
	if (*time_to_iso(started, report->started) == '\0')
		time_to_iso(0, report->started);
}

bool
report_connects(const struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->findings[i].check, "auth") == 0)
			return report->findings[i].status == PASS ||
			       report->findings[i].status == WARN;
	return false;
}

const char *
report_name(const struct report *report)
{
	if (report->about->vm != NULL)
		return report->about->vm;
	return report->about->host != NULL ? report->about->host : "this computer";
}

const char *
report_digest(const struct report *report)
{
	const char *colon = strchr(report->rules, ':');

	return colon != NULL ? colon + 1 : report->rules;
}

const struct remedy *
report_remedy(const struct finding *finding)
{
	return finding->remedies.count > finding->ways ? &finding->remedies.at[0] : NULL;
}

const struct finding *
report_worst(const struct finding *finding)
{
	static const int order[] = {
		[SKIP] = 0, [PASS] = 1, [WARN] = 2, [UNKNOWN] = 3, [FAIL] = 4
	};
	const struct finding *worst = finding;

	for (size_t i = 0; i < finding->also_count; i++)
		if (order[finding->also[i].status] > order[worst->status] &&
		    finding->also[i].status != PASS)
			worst = &finding->also[i];
	return worst;
}

const char *
report_hop_name(const struct report_hop *hop)
{
	static const char *const names[][2] = {
		{ "client", "you" },
		{ "azure", "Azure" },
		{ "vm", "VM" },
		{ "public-ip", "public IP" },
		{ "subnet-nsg", "subnet NSG" },
		{ "nic-nsg", "NIC NSG" },
		{ "jit", "JIT" },
		{ "tcp", "TCP" },
		{ "ssh", "SSH" },
		{ "host-key", "host key" },
		{ "auth", "login" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(hop->name, names[i][0]) == 0)
			return names[i][1];
	return hop->name;
}

static size_t
flatten(const struct finding *findings, size_t count, const struct finding **list)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (list != NULL)
			list[n] = &findings[i];
		n++;
		n += flatten(findings[i].also, findings[i].also_count,
			     list != NULL ? list + n : NULL);
	}
	return n;
}

const struct finding **
report_findings(const struct report *report, size_t *count)
{
	size_t n = flatten(report->findings, report->count, NULL);
	const struct finding **list = calloc(n + 1, sizeof(*list));

	*count = flatten(report->findings, report->count, list);
	return list;
}

/* The finding of that code, also among those beside others. */
static const struct finding *
finding_of(const struct finding *findings, size_t count, enum code code)
{
	for (size_t i = 0; i < count; i++) {
		const struct finding *beside;

		if (findings[i].id == code)
			return &findings[i];
		beside = finding_of(findings[i].also, findings[i].also_count, code);
		if (beside != NULL)
			return beside;
	}
	return NULL;
}

static int
add_title(struct report *report)
{
	if (report->cause != NULL)
		report->title = report_title(report->cause);
	else if (report_connects(report) && report->about->login != NULL)
		report->title = report->own_title =
		    doc_fmt("You can connect: %s", report->about->login);
	else if (report_connects(report))
		report->title = "You can connect";
	else if (report->way != NULL)
		report->title = report_title(report->way);
	else
		report->title =
		    report->about->key_only ? "The key is fit for a new VM" : "No fault was found";
	return report->title != NULL ? 0 : -ENOMEM;
}

/* true for "azssh-doctor VM" without any option. */
static bool
is_plain_look(const struct about *about, const char *command)
{
	static const char program[] = PACKAGE_NAME " ";
	const char *vm = about->vm, *user = about->user;
	size_t len;

	if (strncmp(command, program, strlen(program)) != 0)
		return false;
	command += strlen(program);
	if (*command == '-' || strchr(command, ' ') != NULL || vm == NULL)
		return false;
	len = user != NULL ? strlen(user) : 0;
	if (len > 0 && strncmp(command, user, len) == 0 && command[len] == '@')
		command += len + 1;
	if (strrchr(command, '/') != NULL)
		command = strrchr(command, '/') + 1;
	return strcmp(command, vm) == 0;
}

const char *
report_verify(const struct report *report, const struct remedy *remedy)
{
	if (remedy->verify == NULL || report->about->again == NULL ||
	    !is_plain_look(report->about, remedy->verify))
		return remedy->verify;
	return report->about->again;
}

static void
add_possible(struct report *report, const struct rules *rules, const json_t *globals)
{
	const struct values values = { .evidence = report->cause->evidence, .globals = globals };

	for (const enum code *code = report->cause->possible; *code != CODE_CUSTOM; code++) {
		struct report_possible *one = &report->possible[report->possible_count++];
		const struct code_words *words = rules_code(rules, code_word(*code));

		one->code = code_word(*code);
		if (words == NULL)
			continue;
		one->title = rules_fill(words->title, &values);
		one->decide = rules_command(words->decide, "shell", &values, NULL, NULL);
	}
}

int
report_build(const struct about *about, const struct rules *rules, const struct finding *findings,
	     size_t count, const struct diagnosis *diagnosis, const json_t *globals, int exit_code,
	     struct report *ret)
{
	struct report report = { .version = PACKAGE_VERSION,
				 .rules = rules_digest(rules),
				 .rule_files = rules_files(rules),
				 .about = about,
				 .verdict = diagnosis->verdict,
				 .exit_code = exit_code,
				 .findings = findings,
				 .count = count };
	int r;

	set_started(&report, about->started);
	if (diagnosis->verdict == FAIL || diagnosis->verdict == UNKNOWN)
		report.cause = diagnosis->cause;
	if (report.cause != NULL) {
		report.explained = diagnosis->explained;
		report.explained_count = diagnosis->explained_count;
		report.next = diagnosis->next;
		report.next_count = diagnosis->next_count;
		add_possible(&report, rules, globals);
	}
	if (report.cause == NULL && !report_connects(&report))
		report.way = finding_of(findings, count, CODE_BASTION_WAY_IN);
	if ((r = add_title(&report)) < 0 ||
	    (r = report_path(findings, count, diagnosis, report.path)) < 0) {
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
	for (size_t i = 0; i < report->possible_count; i++) {
		free(report->possible[i].title);
		free(report->possible[i].decide);
	}
	json_decref(report->baseline);
	free(report->own_title);
	for (size_t i = 0; i < REPORT_HOPS; i++)
		free(report->path[i].label);
	*report = (struct report){ 0 };
}
