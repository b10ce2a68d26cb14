#include "cli/print.h"
#include "azure/azure.h"
#include "checks/stanza.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
write_out(FILE *out, const char *text, const char *end)
{
	if (fputs(text, out) == EOF || fputs(end, out) == EOF || fflush(out) != 0)
		return errno == EPIPE || errno == EBADF ? 0 : -EIO;
	return 0;
}

int
print_fix(FILE *out, const struct report *report, struct err *err)
{
	const struct finding *cause = report->cause;

	if (cause == NULL) {
		err_set(err, "--print-fix: there is nothing to fix: %s", report->title);
		return 0;
	}
	for (size_t i = 0; i < cause->remedies.count - cause->ways; i++)
		if (cause->remedies.at[i].runnable)
			return write_out(out, cause->remedies.at[i].command, "\n");
	err_set(err, "--print-fix: no command fixes this by itself: %s", report_title(cause));
	return 0;
}

int
print_config(FILE *out, const json_t *doc, const struct judgement *judgement, struct err *err)
{
	const struct report *report = &judgement->report;
	const char *why = NULL;
	struct facts facts;
	struct scene scene;
	char *text;
	int r;

	if (report->verdict == FAIL || report->verdict == UNKNOWN) {
		err_set(err, "--print-config: no connection is known to work: %s", report->title);
		return 0;
	}
	if ((r = facts_view((json_t *)(uintptr_t)doc, 0, &facts)) < 0)
		return r;
	scene_make(&facts, &scene);
	text = stanza_make(&scene, &judgement->about, judgement->globals, report->way, &why);
	scene_free(&scene);
	if (text != NULL)
		r = write_out(out, text, "");
	else
		err_set(err, "--print-config: %s cannot be written into an ssh_config",
			why != NULL ? why : "the target");
	free(text);
	return r;
}

static void
add_names(json_t *list, const char *names)
{
	for (size_t len; names != NULL && *names != '\0'; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		if (len > 0)
			json_array_append_new(list, json_stringn(names, len));
	}
}

/* The Azure actions that the remedies of all codes need; the caller owns the array. */
static json_t *
remedy_actions(const struct rules *rules)
{
	json_t *list = json_array();
	size_t count;
	const struct rule *all = rules_all(rules, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < all[i].code_count; j++)
			for (size_t k = 0; k < all[i].codes[j].remedy_count; k++)
				add_names(list, all[i].codes[j].remedies[k].needs);
	return list;
}

int
print_permissions(FILE *out, const struct options *options)
{
	struct rules *rules = NULL;
	struct err err = { 0 };
	json_t *more = NULL;
	int r = options->fix ? rules_default(&rules, &err) : 0;

	if (r == 0 && options->fix)
		more = remedy_actions(rules);
	if (r == 0)
		r = azure_permissions(out, options->deep, options->guest, more);
	json_decref(more);
	rules_free(rules);
	return r < 0 ? EXIT_INTERNAL : EXIT_HEALTHY;
}
