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
	"          az:\n            - {run: 'az x -n {vm} -g {rg}', title: 'do {vm}', cost: "      \
	"none, undo: 'az y {vm}', verify: "                                                        \
	"'azssh-doctor {vm}'}\n"                                                                   \
	"            - {run: 'only {priority}', when: priority}\n            - {run: 'without', "  \
	"unless: priority}\n"                                                                      \
	"          powershell: [{run: 'Get-X {vm}'}]\n          shell: [{run: 'chmod 600 "         \
	"{vm}'}]\n          portal: [{steps: "                                                     \
	"'Open {vm}'}]\n"

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
			   "        remedies: {az: [{run: 'az z'}]}\n";
	struct err err;
	const struct code_words *code;

	ck_assert_int_eq(rules_layer_text(rules, "more.yaml", more, strlen(more), &err), 0);
	code = rules_code(rules, "my-code");
	ck_assert_str_eq(code->owner, "nsg");
	ck_assert_str_eq(code->title, "New");
	ck_assert_str_eq(code->why, "W {source_ip}");
	ck_assert_int_eq((int)code->remedy_count, 4);
	ck_assert_str_eq(code->remedies[0].command, "az z");
	ck_assert_str_eq(code->remedies[1].command, "Get-X {vm}");
	ck_assert(!rules_for(rules, "nsg").enabled);
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
	ck_assert_ptr_nonnull(strstr(err.text, "is no regular file"));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_lt(rules_layer(rules, path, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "is no regular file"));
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

START_TEST(a_finding_is_lent_its_words)
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
	ck_assert_str_eq(finding.remedies.at[0].command, "az x -n 'my VM' -g <RESOURCE-GROUP>");
	ck_assert_str_eq(finding.remedies.at[0].title, "do my VM");
	ck_assert_str_eq(finding.remedies.at[0].undo, "az y 'my VM'");
	ck_assert(!finding.remedies.at[0].runnable);
	ck_assert_str_eq(finding.remedies.at[1].command, "without");
	ck_assert(finding.remedies.at[1].runnable);
	ck_assert_str_eq(finding.remedies.at[2].dialect, "shell");
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
	const time_t last_second = 1798847999; /* 2027-01-01T23:59:59Z */

	ck_assert_ptr_nonnull(rules_waiver(rules, "a", id, last_second));
	ck_assert_ptr_nonnull(rules_waiver(rules, "a", NULL, 0));
	ck_assert_ptr_null(rules_waiver(rules, "a", id, last_second + 1));
	ck_assert_ptr_nonnull(rules_waiver(rules, "b", id, 0));
	ck_assert_ptr_null(rules_waiver(rules, "b", NULL, 0));
	ck_assert_ptr_nonnull(rules_waiver(rules, "c", id, 0));
	ck_assert_ptr_nonnull(rules_waiver(rules, "d", id, 0));
	ck_assert_ptr_null(rules_waiver(rules, "e", id, 0));
	ck_assert_ptr_null(rules_waiver(rules, "f", id, 0));
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
	tcase_add_test(files, a_code_belongs_to_one_check);
	tcase_add_test(files, taking_evidence_away_from_words_is_refused);
	tcase_add_test(files, equal_sets_have_equal_digests);
	tcase_add_test(files, odd_files_are_refused);
	tcase_add_test(files, waivers_hold_for_their_resource_until_their_last_day);
	tcase_add_test(words, a_finding_is_lent_its_words);
	suite_add_tcase(suite, files);
	suite_add_tcase(suite, words);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
