/* Signs in, finds and reads VMs over the real loop, then prints the facts: what the tests of azure/
 * look at. azure_probe [--deadline MS] [--cloud C] [--arm URL] [--credential K] [--tenant T]
 * [--subscription S] [--login USER] [--deep] [--guest] TARGET... TARGET = an id, GROUP/NAME, NAME
 * or @HOST. Exit status 2 for options that azure_new refuses. */
#include "azure/azure.h"
#include "loop/owner.h"
#include "cli/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct probe {
	struct azure *azure;
	struct facts facts;
	struct azure_target target;
	char *group;
};

static unsigned left;

static void
was_read(void *ctx)
{
	(void)ctx;
	left--;
}

static void
was_read_outside(void *ctx)
{
	struct probe *probe = ctx;
	const json_t *asked = facts_asked(&probe->facts);

	if (FACT_GET(asked, asked, guest) &&
	    facts_state(&probe->facts, FACT_GUEST, NULL) == FACT_PENDING)
		azure_guest(probe->azure, &probe->facts, was_read, probe);
	else
		was_read(ctx);
}

static void
was_found(void *ctx)
{
	struct probe *probe = ctx;

	azure_read(probe->azure, &probe->facts, NULL, was_read_outside, probe);
}

struct run {
	struct loop *loop;
	struct probe *probes;
	size_t count;
};

static void
nothing(void *ctx)
{
	(void)ctx;
}

static void
signed_in(void *ctx)
{
	struct run *run = ctx;

	for (size_t i = 0; i < run->count; i++) {
		source_settle(run->loop, &run->probes[i].facts, NULL, NULL, nothing, NULL);
		azure_find(run->probes[i].azure, &run->probes[i].facts, &run->probes[i].target,
			   was_found, &run->probes[i]);
	}
}

static bool
all_done(void *ctx)
{
	(void)ctx;
	return left == 0;
}

static void
take_target(struct probe *probe, char *text)
{
	char *slash = strchr(text, '/');

	if (text[0] == '/')
		probe->target.id = text;
	else if (text[0] == '@')
		probe->target.host = text + 1;
	else if (slash != NULL)
		probe->target = (struct azure_target){ .group = probe->group =
							   strndup(text, (size_t)(slash - text)),
						       .name = slash + 1 };
	else
		probe->target.name = text;
}

static const char *
option(int argc, char **argv, const char *name)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return argv[i + 1];
	return NULL;
}

static bool
flag(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

static struct run
targets(int argc, char **argv, json_t *doc)
{
	struct run run = { .probes = calloc((size_t)argc, sizeof(struct probe)) };

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0) {
			i += strcmp(argv[i], "--deep") != 0 && strcmp(argv[i], "--guest") != 0;
			continue;
		}
		json_array_append_new(json_object_get(doc, "targets"), json_object());
		take_target(&run.probes[run.count++], argv[i]);
	}
	for (size_t i = 0; i < run.count; i++)
		facts_view(doc, i, &run.probes[i].facts);
	return run;
}

int
main(int argc, char **argv)
{
	const char *deadline = option(argc, argv, "--deadline");
	struct azure_options options = { .cloud = option(argc, argv, "--cloud"),
					 .arm_endpoint = option(argc, argv, "--arm"),
					 .credential = option(argc, argv, "--credential"),
					 .tenant = option(argc, argv, "--tenant"),
					 .subscription = option(argc, argv, "--subscription") };
	struct loop *loop =
	    loop_new(deadline != NULL ? (int)strtol(deadline, NULL, 10) : 30000, NULL);
	json_t *doc = facts_new(time(NULL));
	struct azure *azure = NULL;
	struct err err = { "" };
	struct run run = targets(argc, argv, doc);

	json_object_set_new(json_object_get(doc, "asked"), "azure", json_true());
	doc_set_bool(json_object_get(doc, "asked"), "deep", flag(argc, argv, "--deep"));
	doc_set_bool(json_object_get(doc, "asked"), "guest", flag(argc, argv, "--guest"));
	doc_set_str(json_object_get(doc, "asked"), "login", option(argc, argv, "--login"));
	if (azure_new(loop, doc, &options, &azure, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
	} else {
		for (size_t i = 0; i < run.count; i++)
			run.probes[i].azure = azure;
		left = (unsigned)run.count;
		run.loop = loop;
		azure_signin(azure, signed_in, &run);
		loop_run(loop, run.count > 0 ? all_done : NULL, NULL);
		json_dumpf(doc, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
	}
	loop_free(loop);
	azure_free(azure);
	for (size_t i = 0; i < run.count; i++)
		free(run.probes[i].group);
	free(run.probes);
	json_decref(doc);
	return err.text[0] != '\0' ? 2 : left > 0 ? 1 : 0;
}
