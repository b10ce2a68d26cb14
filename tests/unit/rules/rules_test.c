#include "rules/rules.h"
#include "checks/finding.h"
#include "facts/doc.h"
#include "tests/unit/rules/rules_bad.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYER                                                                                      \
	"version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: 'T {port}'\n    " \
	"    why: 'W {source_ip}'\n"
#define REMEDIES                                                                                   \
	"        remedies:\n"                                                                      \
	"          - {dialect: shell, argv: [chmod, 600, '{vm}']}\n"                               \
	"          - {dialect: az, argv: [az, x, -n, '{vm}', -g, '{rg}'], title: 'do {vm}', "      \
	"cost: none, undo: [az, y, '{vm}'], verify: 'azssh-doctor {vm}'}\n"                        \
	"          - &twice\n"                                                                     \
	"            - {dialect: az, argv: [only, '{priority}'], when: priority}\n"                \
	"            - {dialect: az, text: 'without', unless: priority}\n"                         \
	"          - {dialect: powershell, argv: [Get-X, '{vm}']}\n"                               \
	"          - {dialect: portal, text: 'Open {vm}'}\n"                                       \
	"          - *twice\n"
#define OLD_REMEDIES                                                                               \
	"        remedies:\n"                                                                      \
	"          shell: [{run: 'chmod 600 {vm}'}]\n"                                             \
	"          az: [{run: 'az x -n {vm}', undo: 'az y {vm}'}, {run: 'az z'}]\n"                \
	"          portal: [{steps: 'Open {vm}'}]\n"

static struct rules *
rules_with(const char *layer)
{
	struct rules *rules = NULL;
	struct err err = { "" };

	ck_assert_msg(rules_default(&rules, &err) == 0, "%s", err.text);
	ck_assert_msg(layer == NULL ||
			  rules_layer_text(rules, "layer.yaml", layer, strlen(layer), &err) == 0,
		      "%s", err.text);
	return rules;
}

START_TEST(a_bad_file_gives_one_sentence_with_its_place)
{
	const struct bad *bad = &bad_files[_i];
	struct rules *rules = rules_with(NULL);
	char *digest = strdup(rules_digest(rules)),
	     *start = doc_fmt("bad.yaml:%s: %s", bad->at, bad->says);
	struct err err = { "" };

	ck_assert_msg(rules_layer_text(rules, "bad.yaml", bad->text, strlen(bad->text), &err) ==
			  -EINVAL,
		      "%s is accepted", bad->name);
	ck_assert_msg(strncmp(err.text, start, strlen(start)) == 0, "%s:\n%s\nand not\n%s",
		      bad->name, err.text, start);
	ck_assert_msg(strchr(err.text, '\n') == NULL && strstr(err.text, "accepted") != NULL, "%s",
		      err.text);
	ck_assert_str_eq(rules_digest(rules), digest);
	free(digest);
	free(start);
	rules_free(rules);
}
END_TEST

START_TEST(the_default_has_every_check_of_the_contract)
{
	static const char *const ids[] = { "ssh-config",
					   "key-file",
					   "key-permissions",
					   "key-format",
					   "key-agent",
					   "azure-signin",
					   "azure-access",
					   "vm-found",
					   "vm-state",
					   "vm-os",
					   "vm-boot",
					   "public-ip",
					   "nsg",
					   "jit",
					   "route",
					   "dns",
					   "tcp",
					   "banner",
					   "kex",
					   "host-key",
					   "auth",
					   "guest-sshd",
					   "guest-firewall",
					   "guest-disk",
					   "guest-account",
					   "guest-keys" };
	struct rules *rules = rules_with(NULL);

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		ck_assert_msg(rules_for(rules, ids[i]).evidence != NULL, "%s", ids[i]);
		ck_assert(rules_for(rules, ids[i]).enabled);
	}
	ck_assert(rules_for(rules, "no-such-check").enabled);
	rules_free(rules);
}
END_TEST

START_TEST(a_layer_merges_maps_and_replaces_lists)
{
	struct rules *rules = rules_with(LAYER REMEDIES);
	const char *more = "version: 1\nchecks:\n  nsg:\n    enabled: false\n    codes:\n      "
			   "my-code:\n        title: 'New'\n"
			   "        remedies: [{dialect: az, argv: [az, z]}]\n";
	struct err err;
	const struct code_words *code = rules_code(rules, "my-code");

	ck_assert_int_eq((int)code->remedy_count, 8);
	ck_assert_str_eq(code->remedies[0].dialect, "shell");
	ck_assert_str_eq(code->remedies[0].command, "chmod\x1f"
						    "600\x1f{vm}\x1f");
	ck_assert_str_eq(code->remedies[7].command, "without");
	ck_assert_int_eq(rules_layer_text(rules, "more.yaml", more, strlen(more), &err), 0);
	code = rules_code(rules, "my-code");
	ck_assert_str_eq(code->owner, "nsg");
	ck_assert_str_eq(code->title, "New");
	ck_assert_str_eq(code->why, "W {source_ip}");
	ck_assert_int_eq((int)code->remedy_count, 1);
	ck_assert_str_eq(code->remedies[0].command, "az\x1fz\x1f");
	ck_assert(!rules_for(rules, "nsg").enabled);
	rules_free(rules);
}
END_TEST

START_TEST(the_old_form_of_remedies_is_read)
{
	struct rules *rules = rules_with(LAYER REMEDIES);
	const char *more = "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n" OLD_REMEDIES;
	struct err err = { "" };
	const struct code_words *code;

	ck_assert_msg(rules_layer_text(rules, "more.yaml", more, strlen(more), &err) == 0, "%s",
		      err.text);
	code = rules_code(rules, "my-code");
	ck_assert_int_eq((int)code->remedy_count, 4);
	ck_assert_str_eq(code->remedies[0].dialect, "shell");
	ck_assert_str_eq(code->remedies[0].command, "chmod 600 {vm}");
	ck_assert_str_eq(code->remedies[0].changes, "this-computer");
	ck_assert_str_eq(code->remedies[1].command, "az x -n {vm}");
	ck_assert_str_eq(code->remedies[1].undo, "az y {vm}");
	ck_assert_str_eq(code->remedies[1].changes, "azure");
	ck_assert_str_eq(code->remedies[2].command, "az z");
	ck_assert_str_eq(code->remedies[3].command, "Open {vm}");
	rules_free(rules);
}
END_TEST

static const struct {
	const char *remedy, *changes, *needs;
} effects[] = {
	{ "{dialect: az, argv: [az, vm, start, -n, x]}", "azure",
	  "Microsoft.Compute/virtualMachines/start/action" },
	{ "{dialect: az, argv: [[az, vm, start], [az, vm, deallocate], [az, vm, start]]}", "azure",
	  "Microsoft.Compute/virtualMachines/deallocate/action "
	  "Microsoft.Compute/virtualMachines/start/action" },
	{ "{dialect: az, argv: [az, vm, list, --query, '{a:b}']}", "nothing",
	  "Microsoft.Compute/virtualMachines/read" },
	{ "{dialect: az, argv: [az, thing, list, -o, table]}", "nothing", NULL },
	{ "{dialect: az, argv: [az, thing, add]}", "azure", NULL },
	{ "{dialect: az, argv: [az, vm, run-command, invoke, --scripts, {script: 'az vm start'}]}",
	  "guest", "Microsoft.Compute/virtualMachines/runCommand/action" },
	{ "{dialect: az, argv: [az, rest], changes: nothing, needs: [A.B/c/read, A.B/d/read]}",
	  "nothing", "A.B/c/read A.B/d/read" },
	{ "{dialect: az, text: 'ssh-keygen -y -f x && az vm user update -n x'}", "guest",
	  "Microsoft.Compute/virtualMachines/extensions/write" },
	{ "{dialect: powershell, text: '$n = Get-AzNetworkInterface; $n.A = 1; $n | "
	  "Set-AzNetworkInterface'}",
	  "azure", "Microsoft.Network/networkInterfaces/write" },
	{ "{dialect: powershell, text: '(Get-AzVM).Id'}", "nothing", NULL },
	{ "{dialect: shell, argv: [cat, x]}", "nothing", NULL },
	{ "{dialect: shell, argv: [catapult, x]}", "this-computer", NULL },
	{ "{dialect: shell, text: 'ssh -G x | grep y'}", "nothing", NULL },
	{ "{dialect: shell, text: 'ssh -G x | rm y'}", "this-computer", NULL },
	{ "{dialect: shell, argv: [[cat, x], [rm, x]]}", "this-computer", NULL },
	{ "{dialect: shell, text: 'ssh -G x > y'}", "this-computer", NULL },
	{ "{dialect: shell, argv: [cat, <FILE>]}", "nothing", NULL },
	{ "{dialect: portal, text: 'Virtual machines > {vm} > Start'}", "azure", NULL },
};

START_TEST(effects_follow_from_the_command)
{
	char *text = doc_fmt(LAYER "        remedies: [%s]\n", effects[_i].remedy);
	struct rules *rules = rules_with(text);
	const struct remedy_words *remedy = rules_code(rules, "my-code")->remedies;

	ck_assert_str_eq(remedy->changes, effects[_i].changes);
	ck_assert_pstr_eq(remedy->needs, effects[_i].needs);
	free(text);
	rules_free(rules);
}
END_TEST

/* Microsoft Graph has permissions of another kind. */
static bool
is_graph(const char *command)
{
	return strstr(command, "az ad ") != NULL || strstr(command, "AzADApp") != NULL;
}

START_TEST(remedies_of_the_default_say_what_they_change)
{
	struct rules *rules = rules_with(NULL);
	size_t count;
	const struct rule *all = rules_all(rules, &count);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < all[i].code_count; j++) {
			const struct code_words *code = &all[i].codes[j];

			for (size_t k = 0; k < code->remedy_count; k++) {
				const struct remedy_words *remedy = &code->remedies[k];
				bool cli = strcmp(remedy->dialect, "az") == 0 ||
					   strcmp(remedy->dialect, "powershell") == 0,
				     changes = strcmp(remedy->changes, "azure") == 0 ||
					       strcmp(remedy->changes, "guest") == 0;

				ck_assert_msg(!cli || !changes || remedy->needs != NULL ||
						  is_graph(remedy->command),
					      "%s: %s needs no action", code->code,
					      remedy->command);
				ck_assert_msg(remedy->undo == NULL ||
						  strcmp(remedy->changes, "nothing") != 0,
					      "%s: %s changes nothing and has an undo", code->code,
					      remedy->command);
			}
		}
	}
	rules_free(rules);
}
END_TEST

START_TEST(a_code_belongs_to_one_check)
{
	struct rules *rules = rules_with(LAYER);
	const char *more =
	    "version: 1\nchecks:\n  tcp:\n    codes:\n      my-code: {title: t, why: w}\n";
	struct err err;

	ck_assert_int_eq(rules_layer_text(rules, "more.yaml", more, strlen(more), &err), -EINVAL);
	ck_assert_str_eq(
	    err.text,
	    "more.yaml:5:7: \"my-code\" is a code of nsg already; accepted: each code once");
	rules_free(rules);
}
END_TEST

START_TEST(taking_evidence_away_from_words_is_refused)
{
	const char *base = "version: 1\nchecks:\n  nsg:\n    evidence: [rule]\n    codes: "
			   "{my-code: {title: '{rule}', why: w}}\n";
	const char *more = "version: 1\nchecks:\n  nsg:\n    evidence: [vm]\n";
	struct rules *rules = NULL;
	struct err err;

	ck_assert_int_eq(rules_text(&rules, "base.yaml", base, strlen(base), &err), 0);
	ck_assert_int_eq(rules_layer_text(rules, "more.yaml", more, strlen(more), &err), -EINVAL);
	ck_assert_str_eq(err.text, "more.yaml:4:15: \"rule\" is missing in the evidence of nsg, "
				   "and the words of my-code name it; "
				   "accepted: a list with all that they name");
	rules_free(rules);
}
END_TEST

START_TEST(equal_sets_have_equal_digests)
{
	struct rules *a =
	    rules_with("version: 1\nchecks: {nsg: {codes: {my-code: {title: t, why: w}}}}\n");
	struct rules *b = rules_with("# other words\nversion: 1\nchecks:\n  nsg:\n    codes:\n     "
				     " my-code:\n        why: \"w\"\n        title: 't'\n");
	struct rules *c =
	    rules_with("version: 1\nchecks: {nsg: {codes: {my-code: {title: t, why: x}}}}\n");

	ck_assert_str_eq(rules_digest(a), rules_digest(b));
	ck_assert_str_ne(rules_digest(a), rules_digest(c));
	ck_assert_int_eq((int)strlen(rules_digest(a)), 7 + 64);
	rules_free(a);
	rules_free(b);
	rules_free(c);
}
END_TEST

START_TEST(odd_files_are_refused)
{
	char dir[] = "/tmp/rules_test.XXXXXX", path[64], *big = malloc(1024 * 1024 + 2);
	struct rules *rules = rules_with(NULL);
	struct err err;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_lt(rules_layer(rules, dir, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "is not a regular file"));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_lt(rules_layer(rules, path, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "is not a regular file"));
	unlink(path);
	snprintf(path, sizeof(path), "%s/file", dir);
	ck_assert_int_eq(rules_layer(rules, path, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, ":1:1: \""));
	memset(big, '#', 1024 * 1024 + 1);
	file = fopen(path, "w");
	ck_assert_int_eq((int)fwrite(big, 1, 1024 * 1024 + 1, file), 1024 * 1024 + 1);
	fclose(file);
	ck_assert_int_eq(rules_layer(rules, path, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "is too big"));
	file = fopen(path, "w");
	fputs(LAYER, file);
	fclose(file);
	ck_assert_int_eq(rules_layer(rules, path, &err), 0);
	unlink(path);
	rmdir(dir);
	free(big);
	rules_free(rules);
}
END_TEST

START_TEST(a_finding_gets_its_words)
{
	static const char *const dialects[] = { "az", "portal", NULL };
	struct rules *rules = rules_with(LAYER REMEDIES);
	json_t *globals = json_pack("{s:s, s:i}", "vm", "my VM", "port", 22);
	struct finding finding, *also;

	finding_init(&finding, "nsg");
	finding_custom(&finding, FAIL, "my-code", "s");
	finding_number(&finding, "port", 2222);
	also = finding_also(&finding);
	finding_custom(also, WARN, "no-such-code", "its summary");
	ck_assert_int_eq(finding_fill_in(&finding, rules, globals, dialects), 0);
	ck_assert_str_eq(finding.title, "T 2222");
	ck_assert_str_eq(finding.why, "W <YOUR-PUBLIC-IP>");
	ck_assert_int_eq((int)finding.remedies.count, 4);
	ck_assert_str_eq(finding.remedies.at[0].dialect, "shell");
	ck_assert_str_eq(finding.remedies.at[0].command, "chmod 600 'my VM'");
	ck_assert_str_eq(finding.remedies.at[0].changes, "this-computer");
	ck_assert_str_eq(finding.remedies.at[1].command, "az x -n 'my VM' -g <RESOURCE-GROUP>");
	ck_assert_str_eq(finding.remedies.at[1].arguments,
			 "az\x1fx\x1f-n\x1fmy VM\x1f-g\x1f<RESOURCE-GROUP>\x1f");
	ck_assert_str_eq(finding.remedies.at[1].title, "do my VM");
	ck_assert_str_eq(finding.remedies.at[1].undo, "az y 'my VM'");
	ck_assert(!finding.remedies.at[1].runnable);
	ck_assert_str_eq(finding.remedies.at[2].command, "without");
	ck_assert_ptr_null(finding.remedies.at[2].arguments);
	ck_assert(finding.remedies.at[2].runnable);
	ck_assert_str_eq(finding.remedies.at[3].command, "Open my VM");
	ck_assert_str_eq(finding.also[0].title, "its summary");
	finding_free(&finding);
	json_decref(globals);
	rules_free(rules);
}
END_TEST

START_TEST(waivers_hold_for_their_resource_until_their_last_day)
{
	const char *id =
	    "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/myVM";
	struct rules *rules =
	    rules_with("version: 1\nwaivers:\n"
		       "  - {code: a, reason: r, expires: 2027-01-01}\n"
		       "  - {code: b, resource: myvm, reason: r, expires: 2027-01-01}\n"
		       "  - {code: c, resource: rg/MYVM, reason: r, expires: 2027-01-01}\n"
		       "  - {code: d, resource: /subscriptions/s1/resourcegroups/rg, reason: r, "
		       "expires: 2027-01-01}\n"
		       "  - {code: e, resource: /subscriptions/s1/resourcegroups/r, reason: r, "
		       "expires: 2027-01-01}\n"
		       "  - {code: f, resource: other, reason: r, expires: 2027-01-01}\n");
	const json_t *expired;
	const time_t last_second = 1798847999; /* 2027-01-01T23:59:59Z */

	ck_assert_ptr_nonnull(rules_waiver(rules, "a", id, last_second, NULL));
	ck_assert_ptr_nonnull(rules_waiver(rules, "a", NULL, 0, NULL));
	ck_assert_ptr_null(rules_waiver(rules, "a", id, last_second + 1, &expired));
	ck_assert_ptr_nonnull(expired);
	ck_assert_ptr_null(rules_waiver(rules, "e", id, last_second + 1, &expired));
	ck_assert_ptr_null(expired);
	ck_assert_ptr_nonnull(rules_waiver(rules, "b", id, 0, NULL));
	ck_assert_ptr_null(rules_waiver(rules, "b", NULL, 0, NULL));
	ck_assert_ptr_nonnull(rules_waiver(rules, "c", id, 0, NULL));
	ck_assert_ptr_nonnull(rules_waiver(rules, "d", id, 0, NULL));
	ck_assert_ptr_null(rules_waiver(rules, "e", id, 0, NULL));
	ck_assert_ptr_null(rules_waiver(rules, "f", id, 0, NULL));
	rules_free(rules);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("rules");
	TCase *files = tcase_create("files"), *words = tcase_create("words");
	SRunner *runner;

	tcase_add_loop_test(files, a_bad_file_gives_one_sentence_with_its_place, 0,
			    COUNT(bad_files));
	tcase_add_test(files, the_default_has_every_check_of_the_contract);
	tcase_add_test(files, a_layer_merges_maps_and_replaces_lists);
	tcase_add_test(files, the_old_form_of_remedies_is_read);
	tcase_add_loop_test(files, effects_follow_from_the_command, 0, COUNT(effects));
	tcase_add_test(files, remedies_of_the_default_say_what_they_change);
	tcase_add_test(files, a_code_belongs_to_one_check);
	tcase_add_test(files, taking_evidence_away_from_words_is_refused);
	tcase_add_test(files, equal_sets_have_equal_digests);
	tcase_add_test(files, odd_files_are_refused);
	tcase_add_test(files, waivers_hold_for_their_resource_until_their_last_day);
	tcase_add_test(words, a_finding_gets_its_words);
	suite_add_tcase(suite, files);
	suite_add_tcase(suite, words);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
