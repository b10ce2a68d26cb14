#include "cli/print.h"
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
	text =
	    stanza_make(&scene, &judgement->about, judgement->globals, report->way != NULL, &why);
	scene_free(&scene);
	if (text != NULL)
		r = write_out(out, text, "");
	else
		err_set(err, "--print-config: %s cannot be written into an ssh_config",
			why != NULL ? why : "the target");
	free(text);
	return r;
}
