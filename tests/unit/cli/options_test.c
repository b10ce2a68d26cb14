#include "cli/options.h"

#include <check.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 8 };

/* Parses "azssh-doctor" with these words after it. */
static int
parse(const char *const *words, struct options *ret, struct err *err)
{
	char *argv[MOST + 2] = { strdup("azssh-doctor") };
	int argc = 1, r;

	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	optind = 0; /* glibc: start anew */
	*err = (struct err){ "" };
	r = options_parse(argc, argv, ret, err);
	free(argv[0]);
	return r;
}

/* Command lines that are refused, and the sentence. */
static const struct {
	const char *words[MOST];
	const char *sentence;
} refused[] = {
	{ { "ssh -J hop me@vm" },
	  "'ssh -J hop me@vm': '-J' is not understood here; accepted: ssh with -i, -l, -p, -F and "
	  "USER@HOST" },
	{ { "ssh -i" }, "'ssh -i': there is no host in this line" },
	{ { "vm:99999" }, "'vm:99999': '99999' is not accepted, it takes a port from 1 to 65535" },
	{ { "-p", "22", "20.1.2.3:23" },
	  "'20.1.2.3:23': one port a run is accepted, '22' was given before" },
	{ { "--fromat", "json" }, "unknown option --fromat; did you mean --format?" },
	{ { "--deeep" }, "unknown option --deeep; did you mean --deep?" },
	{ { "--no-azrue=x" }, "unknown option --no-azrue; did you mean --no-azure?" },
	{ { "--frobnicate" }, "unknown option --frobnicate (see --help)" },
	{ { "--form", "json" }, "unknown option --form; did you mean --format?" },
	{ { "--form=json" }, "unknown option --form; did you mean --format?" },
	{ { "--no" }, "unknown option --no (see --help)" },
	{ { "-X" }, "unknown option '-X' (see --help)" },
	{ { "--deep=yes" }, "'--deep=yes': --deep takes no value" },
	{ { "vm", "--port" }, "'--port' needs a value (see --help)" },
	{ { "-p", "0" }, "--port: '0' is not accepted, it takes a port from 1 to 65535" },
	{ { "-f", "jsn" },
	  "--format: 'jsn' is not accepted, it takes FORMATS, each also with =FILE; did you mean "
	  "json?" },
	{ { "-o", "spreadsheet=x" },
	  "--output: 'spreadsheet' is not accepted, it takes FORMATS, each also with =FILE" },
	{ { "-f", "json=" }, "--format: 'json=' lacks the name of the file" },
	{ { "-f", "json", "--json" },
	  "--json: 'json' and 'json' would both go to standard output; give one of them a file: "
	  "json=FILE" },
	{ { "--remedy", "az,pwershell" },
	  "--remedy: 'pwershell' is not accepted, it takes az, powershell or portal, with commas "
	  "between; did you mean powershell?" },
	{ { "--credential", "mangaed" },
	  "--credential: 'mangaed' is not accepted, it takes auto, environment, workload, github, "
	  "managed or cli; did you mean managed?" },
	{ { "--color", "on" }, "--color: 'on' is not accepted, it takes auto, always or never" },
	{ { "-l", "-oProxyCommand=x" },
	  "--login: '-oProxyCommand=x' is not accepted, it takes a user name without blanks, "
	  "quotes and any of ; & < > | ( ) { }" },
	{ { "-x@vm" }, "unknown option '-x' (see --help)" },
	{ { "--", "-x@vm" }, "'-x@vm': '-x' is not a user name" },
	{ { "a@vm", "b@vm" }, "'b@vm': one user a run is accepted, 'a' was given before" },
	{ { "--host", "-x" }, "--host: '-x' is not accepted, it takes a host name or an address" },
	{ { "--ip-service", "http://example.org" },
	  "--ip-service: 'http://example.org' is not accepted, it takes an https URL (plain http "
	  "only to this computer)" },
	{ { "--reference", "host" }, "--reference: 'host' is not accepted, it takes HOST:PORT" },
	{ { "--only", "" }, "--only: an empty value is not accepted, it takes ID,.." },
};

/* The sentence with the names of all formats, "a, b or c", for FORMATS. */
static void
with_formats(const char *sentence, char *ret, size_t size)
{
	const char *at = strstr(sentence, "FORMATS");
	char names[256] = "";

	for (const struct format *format = formats; format->name != NULL; format++) {
		const char *before = format[1].name == NULL ? " or " : ", ";

		strcat(names, format == formats ? "" : before);
		strcat(names, format->name);
	}
	if (at != NULL)
		snprintf(ret, size, "%.*s%s%s", (int)(at - sentence), sentence, names, at + 7);
	else
		snprintf(ret, size, "%s", sentence);
}

START_TEST(a_wrong_word_is_quoted_and_the_right_one_offered)
{
	struct options options;
	struct err err;
	char sentence[512];

	with_formats(refused[_i].sentence, sentence, sizeof(sentence));
	ck_assert_int_eq(parse(refused[_i].words, &options, &err), -EINVAL);
	ck_assert_str_eq(err.text, sentence);
}
END_TEST

START_TEST(formats_are_resolved_once)
{
	static const char *const words[] = { "-f", "json=a.json", "--output=ndjson=b", "-otext",
					     NULL };
	struct options options;
	struct err err;

	ck_assert_int_eq(parse(words, &options, &err), 0);
	ck_assert_int_eq((int)options.output_count, 3);
	ck_assert_str_eq(options.outputs[0].format->name, "json");
	ck_assert_str_eq(options.outputs[0].file, "a.json");
	ck_assert_str_eq(options.outputs[1].format->name, "ndjson");
	ck_assert_str_eq(options.outputs[1].file, "b");
	ck_assert_str_eq(options.outputs[2].format->name, "text");
	ck_assert_ptr_null(options.outputs[2].file);
	options_free(&options);
}
END_TEST

START_TEST(text_is_the_default_and_json_an_alias)
{
	static const char *const none[] = { "vm", NULL }, *const json[] = { "--json", "vm", NULL };
	struct options options;
	struct err err;

	ck_assert_int_eq(parse(none, &options, &err), 0);
	ck_assert_int_eq((int)options.output_count, 1);
	ck_assert_str_eq(options.outputs[0].format->name, "text");
	options_free(&options);
	ck_assert_int_eq(parse(json, &options, &err), 0);
	ck_assert_int_eq((int)options.output_count, 1);
	ck_assert_str_eq(options.outputs[0].format->name, "json");
	ck_assert_str_eq(options.vms.at[0], "vm");
	options_free(&options);
}
END_TEST

START_TEST(every_option_has_its_place)
{
	static const char *const words[] = { "-qv",      "-p22",     "--deadline=90",   "--skip",
					     "tcp,,nsg", "me@rg/vm", "--remedy=portal", NULL };
	struct options options;
	struct err err;

	ck_assert_int_eq(parse(words, &options, &err), 0);
	ck_assert(options.quiet && options.verbose);
	ck_assert_int_eq(options.port, 22);
	ck_assert_int_eq(options.deadline_ms, 90000);
	ck_assert_int_eq((int)options.skip.count, 2);
	ck_assert_str_eq(options.skip.at[1], "nsg");
	ck_assert_str_eq(options.login, "me");
	ck_assert_str_eq(options.vms.at[0], "rg/vm");
	ck_assert_str_eq(options.remedy.at[0], "portal");
	options_free(&options);
}
END_TEST

/* What people paste, and what it comes to. */
static const struct {
	const char *words[MOST];
	const char *vm, *host, *login, *identity;
	int port;
} pasted[] = {
	{ { "20.1.2.3:2222" }, NULL, "20.1.2.3", NULL, NULL, 2222 },
	{ { "me@[fd00::1]:22" }, NULL, "fd00::1", "me", NULL, 22 },
	{ { "fd00::22" }, NULL, "fd00::22", NULL, NULL, 0 },
	{ { "me@vm.contoso.com:22" }, NULL, "vm.contoso.com", "me", NULL, 22 },
	{ { "myVM:2200" }, "myVM", NULL, NULL, NULL, 2200 },
	{ { "rg/myVM" }, "rg/myVM", NULL, NULL, NULL, 0 },
	{ { "ssh://me@vm.contoso.com:2222/" }, NULL, "vm.contoso.com", "me", NULL, 2222 },
	{ { "ssh://20.1.2.3" }, NULL, "20.1.2.3", NULL, NULL, 0 },
	{ { "ssh -v -i ~/k.pem -p2200 me@20.1.2.3 uptime" },
	  NULL,
	  "20.1.2.3",
	  "me",
	  "~/k.pem",
	  2200 },
	{ { "ssh -l me vm.contoso.com" }, NULL, "vm.contoso.com", "me", NULL, 0 },
	{ { "ssh", "-i", "k", "me@20.1.2.3" }, NULL, "20.1.2.3", "me", "k", 0 },
	{ { "ssh" }, "ssh", NULL, NULL, NULL, 0 },
	{ { "https://portal.azure.com/#@contoso.com/resource/subscriptions/S/resourceGroups/rg/"
	    "providers/Microsoft.Compute/virtualMachines/myVM/overview" },
	  "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/myVM",
	  NULL,
	  NULL,
	  NULL,
	  0 },
	{ { "https://portal.azure.us/#resource%2Fsubscriptions%2FS%2FresourceGroups%2Frg%2F"
	    "providers%2FMicrosoft.Compute%2FvirtualMachineScaleSets%2Fs%2FvirtualMachines%2F3" },
	  "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/"
	  "s/virtualMachines/3",
	  NULL,
	  NULL,
	  NULL,
	  0 },
};

static void
same(const char *got, const char *wanted)
{
	if (wanted == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, wanted);
}

START_TEST(what_people_paste_is_understood)
{
	struct options options;
	struct err err;

	ck_assert_msg(parse(pasted[_i].words, &options, &err) == 0, "%s", err.text);
	same(options.vms.count > 0 ? options.vms.at[0] : NULL, pasted[_i].vm);
	same(options.host, pasted[_i].host);
	same(options.login, pasted[_i].login);
	same(options.identity, pasted[_i].identity);
	ck_assert_int_eq(options.port, pasted[_i].port);
	options_free(&options);
}
END_TEST

START_TEST(ids_of_checks_are_looked_up)
{
	static const char *const words[] = { "--skip", "banner,bannner", "vm", NULL };
	struct options options;
	struct rules *rules;
	struct err err;

	ck_assert_int_eq(rules_default(&rules, &err), 0);
	ck_assert_int_eq(parse(words, &options, &err), 0);
	ck_assert_int_eq(options_check_ids(&options, rules, &err), -EINVAL);
	ck_assert_str_eq(err.text,
			 "--skip: 'bannner' is not the id of a check; did you mean banner?");
	options_free(&options);
	rules_free(rules);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("options");
	SRunner *runner;

	tcase_add_loop_test(tcase, a_wrong_word_is_quoted_and_the_right_one_offered, 0,
			    COUNT(refused));
	tcase_add_test(tcase, formats_are_resolved_once);
	tcase_add_test(tcase, text_is_the_default_and_json_an_alias);
	tcase_add_test(tcase, every_option_has_its_place);
	tcase_add_test(tcase, ids_of_checks_are_looked_up);
	tcase_add_loop_test(tcase, what_people_paste_is_understood, 0,
			    sizeof(pasted) / sizeof(*pasted));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
