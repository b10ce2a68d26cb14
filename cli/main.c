#include "azure/azure.h"
#include "checks/checks.h"
#include "cli/baseline.h"
#include "cli/bundle.h"
#include "cli/collect.h"
#include "cli/completion.h"
#include "cli/from_log.h"
#include "cli/gate.h"
#include "cli/known.h"
#include "cli/output.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/rule_files.h"
#include "cli/stream.h"
#include "facts/memory.h"
#include "facts/visible.h"
#include "loop/aside.h"
#include "loop/leave.h"
#include "ssh/machine/aside.h"
#include "ssh/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif

enum { REPLAY_MS = 60000 };

/* One line on stderr, whatever the text holds. */
static void
say(const char *text)
{
	char *clean = visible_text(text, false), *safe;
	size_t len;

	safe = visible_log(clean, strlen(clean), "\\x5b", "\\x3a", &len);
	fprintf(stderr, "azssh-doctor: %s\n", safe != NULL ? safe : clean);
	free(safe);
	free(clean);
}

/* Returns the exit code that fits the error. */
static int
complain(int r, const struct err *err)
{
	if (r == -ENOMEM)
		memory_lost();
	say(err->text[0] != '\0' ? err->text : strerror(-r));
	if (r == -ENODATA)
		return EXIT_UNDETERMINED;
	if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG || r == -EIO)
		return EXIT_INTERNAL;
	return EXIT_USAGE;
}

/* What a look at VMs side by side needs when one of them is done. */
struct watcher {
	struct progress progress;
	const struct options *options;
	struct judgements *judgements;
	struct stream stream;
	struct err err;
	int r; /* of what could not be judged or written */
};

static void
on_turn(void *ctx, json_t *doc, int64_t elapsed_ms)
{
	progress_turn(&((struct watcher *)ctx)->progress, doc, elapsed_ms);
}

static void
on_finished(void *ctx, size_t index, json_t *doc)
{
	struct watcher *watcher = ctx;
	int r =
	    judge_one(doc, index, watcher->options, watcher->progress.rules, watcher->judgements);

	if (r == 0 && watcher->stream.fd >= 0)
		r = stream_write(&watcher->stream, watcher->judgements->at[index], &watcher->err);
	if (stream_alone(&watcher->stream, watcher->options))
		judgements_drop(watcher->judgements, index);
	watcher->r = r < 0 ? r : watcher->r;
}

static void
on_gap(void *ctx, const char *sentence)
{
	struct watcher *watcher = ctx;

	say(sentence);
	if (watcher->judgements->exit_code == EXIT_HEALTHY)
		watcher->judgements->exit_code = EXIT_UNDETERMINED;
}

/* The facts, judged: collected now, or read from a bundle. *doc is those of a run of one VM, and
 * of a bundle. */
static int
look_and_judge(const struct options *options, const struct rules *rules, json_t **doc,
	       struct judgements *judgements, struct err *err)
{
	struct watcher watcher = { .progress = { .rules = rules, .many = collect_many(options) },
				   .options = options,
				   .judgements = judgements };
	struct collect_hooks hooks = { .ctx = &watcher,
				       .finished = on_finished,
				       .gap = on_gap,
				       .trace = options->verbose ? say : NULL };
	bool person = isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && !options->quiet &&
		      !options->verbose;
	int r;

	if (options->from_log != NULL) {
		r = from_log(options, doc, err);
	} else if (options->replay == NULL) {
		if (person)
			hooks.turn = on_turn;
		if ((r = stream_begin(options, &watcher.stream, err)) == 0)
			r = collect(options, rules_custom(rules), &hooks, doc, err);
		progress_end(&watcher.progress);
		judgements->streamed = watcher.stream.fd >= 0 ? watcher.stream.output : NULL;
		stream_end(&watcher.stream);
	} else {
		r = bundle_read(options->replay, doc, NULL, err);
	}
	if (r == 0 && *doc != NULL)
		return judge_all(*doc, options, rules, judgements);
	if (r == 0 && watcher.r < 0)
		*err = watcher.err;
	return r == 0 ? watcher.r : r;
}

/* How long a look may take; 0 for what waits on a person. */
static int
limit(const struct options *options)
{
	if (options->from_log != NULL && strcmp(options->from_log, "-") == 0)
		return 0;
	return options->replay == NULL && options->from_log == NULL ? collect_deadline(options)
								    : REPLAY_MS;
}

/* One look at everything. Returns 0, or -errno with a sentence. */
static int
look(const struct options *options, const struct rules *rules, json_t **doc,
     struct judgements *judgements, struct err *err)
{
	int r;

	leave_after(limit(options));
	judgements_begin(judgements);
	r = look_and_judge(options, rules, doc, judgements, err);
	leave_after(0);
	return r;
}

/* --print-fix, --print-config. Why nothing is printed is said on stderr, and is no error. */
static int
print_alone(const struct options *options, const json_t *doc, const struct judgements *judgements)
{
	const struct judgement *one = judgements->count > 0 ? judgements->at[0] : NULL;
	struct err err = { 0 };
	int r = 0;

	if (one != NULL && options->print_fix)
		r = print_fix(stdout, &one->report, &err);
	else if (one != NULL && options->print_config)
		r = print_config(stdout, doc, one, &err);
	if (r < 0 || err.text[0] != '\0')
		complain(r < 0 ? r : -EINVAL, &err);
	return r;
}

/* Writes the bundle and the reports; what cannot be written is an internal error. */
static int
deliver(const struct options *options, json_t *doc, const struct judgements *judgements)
{
	struct facts facts;
	struct err err = { 0 };
	int code = judgements->exit_code;
	struct bundle_options bundle = { .path = options->bundle,
					 .plain = options->no_redact,
					 .rules = "",
					 .map = options->keep_map };

	if (bundle.path == NULL && code != EXIT_HEALTHY)
		bundle.path = options->bundle_on_fail;
	leave_on_signals();
	if (judgements->count > 0 && judgements->at[0] != NULL)
		bundle.rules = report_digest(&judgements->at[0]->report);
	if (bundle.path != NULL && bundle_write(&bundle, doc, &err) < 0) {
		complain(-EIO, &err);
		code = EXIT_INTERNAL;
	}
	if (options->known_hosts != NULL && facts_view(doc, 0, &facts) == 0) {
		int r =
		    known_append(options->known_hosts, &facts, &judgements->at[0]->report, &err);

		if (r < 0 || err.text[0] != '\0')
			complain(-EIO, &err);
		code = r < 0 ? EXIT_INTERNAL : code;
	}
	if (output_reports(judgements, options, &err) < 0) {
		complain(-EIO, &err);
		code = EXIT_INTERNAL;
	}
	if (print_alone(options, doc, judgements) < 0)
		code = EXIT_INTERNAL;
	return code;
}

static int
diagnose(const struct options *options, const struct rules *rules)
{
	struct judgements judgements = { 0 };
	struct baseline baseline = { 0 };
	json_t *doc = NULL;
	struct err err = { 0 };
	int r = 0, code;

	if (options->baseline != NULL)
		r = baseline_read(options->baseline, options, rules, &baseline, &err);
	if (r == 0)
		r = gate_look(options, rules, look, say, &doc, &judgements, &err);
	if (r == 0)
		baseline_apply(&baseline, options, &judgements);
	code = r < 0 ? complain(r, &err) : deliver(options, doc, &judgements);
	baseline_free(&baseline);
	judgements_free(&judgements);
	json_decref(doc);
	return code;
}

static int
lint(const struct options *options)
{
	int code = EXIT_HEALTHY;

	for (size_t i = 0; i < options->lint.count; i++) {
		struct rules *rules = NULL;
		struct err err = { 0 };
		int r = rules_default(&rules, &err);

		if (r == 0 && (r = rules_layer(rules, options->lint.at[i], &err)) == 0)
			report_lint(stdout, rules, options->lint.at[i]);
		else
			code = complain(r, &err);
		rules_free(rules);
	}
	return code;
}

/* A reader that has seen enough ("| head") is no fault. */
static int
help(const struct options *options, const struct rules *rules)
{
	struct err err = { 0 };
	int r = output_help(options, rules, &err);

	if (r == 0 || r == -EPIPE)
		return EXIT_HEALTHY;
	return complain(err.text[0] != '\0' ? -EINVAL : r, &err);
}

/* Everything that needs the rules. */
static int
with_rules(const struct options *options, struct rules *rules)
{
	struct err err = { 0 };
	int r;

	if ((r = rule_files_layer(options, rules, &err)) < 0)
		return complain(r, &err);
	if (options->list_checks || options->explain != NULL)
		return help(options, rules);
	if ((r = options_check(options, &err)) < 0 ||
	    (r = options_check_ids(options, rules, &err)) < 0)
		return complain(r, &err);
	return diagnose(options, rules);
}

/* --redact: another file with --bundle, else the same one. */
static int
redact(const struct options *options)
{
	const struct bundle_options bundle = {
		.path = options->bundle != NULL ? options->bundle : options->redact,
		.map = options->keep_map,
		.rules = "",
	};
	struct err err = { 0 };
	int r = options_check(options, &err);

	if (r < 0)
		return complain(r, &err);
	leave_after(REPLAY_MS);
	r = bundle_redact(options->redact, &bundle, &err);
	leave_after(0);
	if (r == 0)
		return EXIT_HEALTHY;
	complain(r, &err);
	return r == -EIO ? EXIT_INTERNAL : EXIT_USAGE;
}

static int
run(const struct options *options)
{
	struct rules *rules = NULL;
	struct err err = { 0 };
	int r, code;

	if (options->help)
		options_help();
	else if (options->version)
		puts(PACKAGE_STRING);
	if (options->help || options->version)
		return EXIT_HEALTHY;
	if (options->lint.count > 0)
		return lint(options);
	if (options->completion != NULL)
		return completion_write(stdout, options->completion) < 0 ? EXIT_INTERNAL
									 : EXIT_HEALTHY;
	if (options->permissions)
		return print_permissions(stdout, options);
	if (options->redact != NULL)
		return redact(options);
	if ((r = rules_default(&rules, &err)) < 0)
		return complain(r, &err);
	code = with_rules(options, rules);
	rules_free(rules);
	return code;
}

/* true when this computer or Azure will be looked at. */
static bool
is_live(const struct options *options)
{
	return options->replay == NULL && options->redact == NULL && options->from_log == NULL &&
	       !options->help && !options->version && options->lint.count == 0 &&
	       !options->permissions && !options->list_checks && options->explain == NULL &&
	       options->completion == NULL;
}

/* `az configure --defaults vm=NAME` stands in for a VM that nobody named. */
static int
take_default(struct options *options)
{
	char *vm = options_want_vm(options) && !options->no_azure ? azure_default_vm() : NULL;
	int r = vm != NULL ? options_default_vm(options, vm) : 0;

	free(vm);
	return r;
}

/* A descriptor that is missing would become a socket's, and what is printed would go there. */
static void
open_descriptors(void)
{
	int fd;

	do
		if ((fd = open("/dev/null", O_RDWR)) < 0)
			fd = open("/", O_RDONLY | O_DIRECTORY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Tokens pass through this memory: no core file, and no other process of the user looks at it. */
static void
hide_memory(void)
{
	struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
#if defined(HAVE_SYS_PRCTL_H) && !defined(__SANITIZE_ADDRESS__)
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

int
main(int argc, char **argv)
{
	static const char *const aside[] = { "/proc/self/exe", "--read-for-doctor", NULL };
	struct options options;
	struct err err = { 0 };
	int r, code;

	open_descriptors();
	setlocale(LC_CTYPE, "");
	unsetenv("POSIXLY_CORRECT"); /* options may come after the VM */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	hide_memory();
	if (argc == 3 && strcmp(argv[1], "--resolve-for-probe") == 0)
		return ssh_resolve_main(argv[2]);
	if (argc == 2 && strcmp(argv[1], aside[1]) == 0)
		return machine_aside_main();
	memory_at_end(leave_now);
	if ((r = options_parse(argc, argv, &options, &err)) < 0)
		return complain(r, &err);
	/* a replay reads its files here, where a signal with a handler could not end a read that
	 * hangs */
	if (options.names && (r = options_read_names(&options, &err)) < 0)
		return complain(r, &err);
	if (is_live(&options)) {
		leave_on_signals();
		memory_hold_secrets();
		machine_aside_begin(aside, collect_deadline(&options));
	}
	if ((r = take_default(&options)) < 0)
		return complain(r, &err);
	code = run(&options);
	aside_end();
	options_free(&options);
	return code;
}
