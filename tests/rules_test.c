#include "rules/rules.h"
#include "model/doc.h"
#include "tests/rules_bad.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAYER "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: 'T {port}'\n        why: 'W {source_ip}'\n"
#define REMEDIES                                                                                                                 \
	"        remedies:\n"                                                                                                    \
	"          az:\n            - {run: 'az x -n {vm} -g {rg}', title: 'do {vm}', cost: none, undo: 'az y {vm}', verify: "   \
	"'azssh-doctor {vm}'}\n"                                                                                                 \
	"            - {run: 'only {priority}', when: priority}\n            - {run: 'without', unless: priority}\n"             \
	"          powershell: [{run: 'Get-X {vm}'}]\n          shell: [{run: 'chmod 600 {vm}'}]\n          portal: [{steps: "   \
	"'Open {vm}'}]\n"

static struct rules *
rules_with(const char *layer)
{
	struct rules *rules = NULL;
	struct err err = { "" };

	ck_assert_msg(rules_default(&rules, &err) == 0, "%s", err.text);
	ck_assert_msg(layer == NULL || rules_layer_text(rules, "layer.yaml", layer, strlen(layer), &err) == 0, "%s", err.text);
	return rules;
}

START_TEST(a_bad_file_gives_one_sentence_with_its_place)
{
	const struct bad *bad = &bad_files[_i];
	struct rules *rules = rules_with(NULL);
	char *digest = strdup(rules_digest(rules)), *start = doc_fmt("bad.yaml:%s: %s", bad->at, bad->says);
	struct err err = { "" };

	ck_assert_msg(rules_layer_text(rules, "bad.yaml", bad->text, strlen(bad->text), &err) == -EINVAL, "%s is accepted",
		      bad->name);
	ck_assert_msg(strncmp(err.text, start, strlen(start)) == 0, "%s:\n%s\nand not\n%s", bad->name, err.text, start);
	ck_assert_msg(strchr(err.text, '\n') == NULL && strstr(err.text, "accepted") != NULL, "%s", err.text);
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
		ck_assert_msg(json_object_get(rules_checks(rules), ids[i]) != NULL, "%s", ids[i]);
		ck_assert(rules_for(rules, ids[i]).enabled);
	}
	ck_assert(rules_for(rules, "no-such-check").enabled);
	rules_free(rules);
}
END_TEST

START_TEST(a_layer_merges_maps_and_replaces_lists)
{
	struct rules *rules = rules_with(LAYER REMEDIES);
	const char *more = "version: 1\nchecks:\n  nsg:\n    enabled: false\n    codes:\n      my-code:\n        title: 'New'\n"
			   "        remedies: {az: [{run: 'az z'}]}\n",
		   *check;
	struct err err;
	const json_t *code;

	ck_assert_int_eq(rules_layer_text(rules, "more.yaml", more, strlen(more), &err), 0);
	code = rules_code(rules, "my-code", &check);
	ck_assert_str_eq(check, "nsg");
	ck_assert_str_eq(doc_str(code, "title"), "New");
	ck_assert_str_eq(doc_str(code, "why"), "W {source_ip}");
	ck_assert_int_eq((int)json_array_size(doc_get(code, "remedies.az")), 1);
	ck_assert_int_eq((int)json_array_size(doc_get(code, "remedies.shell")), 1);
	ck_assert(!rules_for(rules, "nsg").enabled);
	rules_free(rules);
}
END_TEST

START_TEST(a_code_belongs_to_one_check)
{
	struct rules *rules = rules_with(LAYER);
	const char *more = "version: 1\nchecks:\n  tcp:\n    codes:\n      my-code: {title: t, why: w}\n";
	struct err err;

	ck_assert_int_eq(rules_layer_text(rules, "more.yaml", more, strlen(more), &err), -EINVAL);
	ck_assert_str_eq(err.text, "more.yaml:5:7: \"my-code\" is a code of nsg already; accepted: each code once");
	rules_free(rules);
}
END_TEST

START_TEST(taking_evidence_away_from_words_is_refused)
{
	const char *base = "version: 1\nchecks:\n  nsg:\n    evidence: [rule]\n    codes: {my-code: {title: '{rule}', why: w}}\n";
	const char *more = "version: 1\nchecks:\n  nsg:\n    evidence: [vm]\n";
	struct rules *rules = NULL;
	struct err err;

	ck_assert_int_eq(rules_text(&rules, "base.yaml", base, strlen(base), &err), 0);
	ck_assert_int_eq(rules_layer_text(rules, "more.yaml", more, strlen(more), &err), -EINVAL);
	ck_assert_str_eq(err.text,
			 "more.yaml:4:15: \"rule\" is missing in the evidence of nsg, and the words of my-code name it; "
			 "accepted: a list with all that they name");
	rules_free(rules);
}
END_TEST

START_TEST(equal_sets_have_equal_digests)
{
	struct rules *a = rules_with("version: 1\nchecks: {nsg: {codes: {my-code: {title: t, why: w}}}}\n");
	struct rules *b = rules_with(
	    "# other words\nversion: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        why: \"w\"\n        title: 't'\n");
	struct rules *c = rules_with("version: 1\nchecks: {nsg: {codes: {my-code: {title: t, why: x}}}}\n");

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
	finding_set(&finding, FAIL, "my-code", "s");
	finding_number(&finding, "port", 2222);
	also = finding_also(&finding);
	finding_set(also, WARN, "no-such-code", "its summary");
	ck_assert_int_eq(rules_lend(rules, &finding, globals, dialects), 0);
	ck_assert_str_eq(finding.title, "T 2222");
	ck_assert_str_eq(finding.why, "W <YOUR-PUBLIC-IP>");
	ck_assert_int_eq((int)finding.remedy_count, 4);
	ck_assert_str_eq(finding.remedies[0].command, "az x -n 'my VM' -g <RESOURCE-GROUP>");
	ck_assert_str_eq(finding.remedies[0].title, "do my VM");
	ck_assert_str_eq(finding.remedies[0].undo, "az y 'my VM'");
	ck_assert(!finding.remedies[0].runnable);
	ck_assert_str_eq(finding.remedies[1].command, "without");
	ck_assert(finding.remedies[1].runnable);
	ck_assert_str_eq(finding.remedies[2].dialect, "shell");
	ck_assert_str_eq(finding.remedies[3].command, "Open my VM");
	ck_assert_str_eq(finding.also[0].title, "its summary");
	finding_free(&finding);
	json_decref(globals);
	rules_free(rules);
}
END_TEST

START_TEST(severity_of_a_layer_swaps_fail_and_warn_only)
{
	struct rules *rules = rules_with(LAYER "        severity: warn\n");
	static const struct {
		enum status before, after;
	} cases[] = { { FAIL, WARN }, { WARN, WARN }, { PASS, PASS }, { UNKNOWN, UNKNOWN }, { SKIP, SKIP } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct finding finding;

		finding_init(&finding, "nsg");
		finding_set(&finding, cases[i].before, "my-code", "s");
		ck_assert_int_eq(rules_lend(rules, &finding, NULL, NULL), 0);
		ck_assert_int_eq(finding.status, cases[i].after);
		ck_assert_int_eq((int)finding.remedy_count, 0);
		finding_free(&finding);
	}
	rules_free(rules);
}
END_TEST

START_TEST(waivers_hold_for_their_resource_until_their_last_day)
{
	const char *id = "/subscriptions/S1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/myVM";
	struct rules *rules =
	    rules_with("version: 1\nwaivers:\n"
		       "  - {code: a, reason: r, expires: 2027-01-01}\n"
		       "  - {code: b, resource: myvm, reason: r, expires: 2027-01-01}\n"
		       "  - {code: c, resource: rg/MYVM, reason: r, expires: 2027-01-01}\n"
		       "  - {code: d, resource: /subscriptions/s1/resourcegroups/rg, reason: r, expires: 2027-01-01}\n"
		       "  - {code: e, resource: /subscriptions/s1/resourcegroups/r, reason: r, expires: 2027-01-01}\n"
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

/* Values that somebody might want a shell to stumble over. */
static const char *const hostile[] = { "plain",
				       "two words",
				       "it's",
				       "say \"hi\"",
				       "$HOME",
				       "$(id)",
				       "`id`",
				       "a;id",
				       "a|b&c",
				       "!!",
				       "wow!",
				       "-rf",
				       "*",
				       "a\\",
				       "\\",
				       "'",
				       "\"",
				       "''",
				       "~",
				       "~root/x",
				       "#x",
				       "a'b\"c$d`e\\f!g",
				       "{vm}",
				       "<X>",
				       "\xc3\xa4\xe2\x82\xac",
				       "a  b",
				       "%s%n",
				       "x=y",
				       "$'x'",
				       "'; touch /tmp/pwned; '",
				       "\"; id; \"",
				       "{\"a\": [1]}",
				       "\\\"",
				       "a\\'b" };

static const char *const templates[] = { "{v}",     "-c 5 \"{v}\"",   "a{v}b",        "'{v}'",
					 "\"{v}\"", "'a {v} b'",      "\"a {v} b\"",  "\"$(printf %s {v})\"",
					 "--x={v}", "'it'\\''s {v}'", "\"a\"'{v}'{v}" };

#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

/* What the command printed, by a real shell. */
static void
run_sh(const char *script, char *out, size_t size)
{
	int fds[2], status;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	while (used + 1 < size && (n = read(fds[0], out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", script);
}

/* What the template means with the value put in by hand: quotes of the template removed. */
static char *
meant(size_t index, const char *value)
{
	static const char *const formats[] = { "%s",     "-c><5><%s", "a%sb",   "%s",      "%s", "a %s b",
					       "a %s b", "%s",        "--x=%s", "it's %s", NULL };

	if (formats[index] == NULL)
		return doc_fmt("a%s%s", value, value);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return doc_fmt(formats[index], value);
#pragma GCC diagnostic pop
}

START_TEST(a_real_shell_reads_back_what_was_quoted)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s}", "v", hostile[i]);
		char *script = doc_fmt("printf '<%%s>' %s", templates[_i]), *expected = meant((size_t)_i, hostile[i]), out[512],
		     *framed;
		bool runnable = false;
		char *filled = rules_fill(script, evidence, NULL, "az", &runnable);

		framed = doc_fmt("<%s>", expected);
		ck_assert(runnable);
		run_sh(filled, out, sizeof(out));
		ck_assert_msg(strcmp(out, framed) == 0, "%s printed %s and not %s", filled, out, framed);
		free(script);
		free(expected);
		free(framed);
		free(filled);
		json_decref(evidence);
	}
}
END_TEST

static const char *const scripts[] = { "printf '[%s]' --scripts \"printf '<%s>' {v}\"",
				       "printf '[%s]' --scripts \"printf '<%s>' '{v}'\"",
				       "printf '[%s]' --scripts 'printf \"<%s>\" {v}'",
				       "printf '[%s]' --scripts 'printf \"<%s>\" \"{v}\"'",
				       "printf '[%s]' --scripts \"printf \\\"<%s>\\\" \\\"{v}\\\"\"" };

START_TEST(a_script_handed_on_is_quoted_for_both_shells)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s}", "v", hostile[i]);
		char first[1024], second[512], *filled, *framed = doc_fmt("<%s>", hostile[i]), *script;

		filled = rules_fill(scripts[_i], evidence, NULL, "az", NULL);
		run_sh(filled, first, sizeof(first));
		ck_assert_int_eq(strncmp(first, "[--scripts][", 12), 0);
		script = strdup(first + 12);
		script[strlen(script) - 1] = '\0';
		run_sh(script, second, sizeof(second));
		ck_assert_msg(strcmp(second, framed) == 0, "%s\nhands on\n%s\nwhich prints %s and not %s", filled, script, second,
			      framed);
		free(script);
		free(filled);
		free(framed);
		json_decref(evidence);
	}
}
END_TEST

START_TEST(json_in_an_argument_stays_json)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s, s:i}", "v", hostile[i], "n", 22), *body;
		char *filled = rules_fill(_i == 0 ? "printf %s '{\"a\": \"x{v}\", \"b\": {v}, \"n\": {n}}'"
						  : "printf %s \"{\\\"a\\\": \\\"x{v}\\\", \\\"b\\\": {v}, \\\"n\\\": {n}}\"",
					  evidence, NULL, "az", NULL),
		     out[512];

		run_sh(filled, out, sizeof(out));
		body = json_loads(out, 0, NULL);
		ck_assert_msg(body != NULL, "%s printed %s", filled, out);
		ck_assert_str_eq(doc_str(body, "a") + 1, hostile[i]);
		ck_assert_str_eq(doc_str(body, "b"), hostile[i]);
		ck_assert_int_eq(doc_int(body, "n", 0), 22);
		json_decref(body);
		json_decref(evidence);
		free(filled);
	}
}
END_TEST

static const struct {
	const char *template, *value, *filled;
} powershell[] = {
	{ "Get-AzVM -Name {v}", "myVM", "Get-AzVM -Name myVM" },
	{ "Get-AzVM -Name {v}", "my VM", "Get-AzVM -Name 'my VM'" },
	{ "x {v}", "it's", "x 'it''s'" },
	{ "x '{v}'", "it's", "x 'it''s'" },
	{ "x \"{v}\"", "a\"b$c`d", "x \"a`\"b`$c``d\"" },
	{ "x {v}", "a\xe2\x80\x99; id", "x 'a\xe2\x80\x99\xe2\x80\x99; id'" },
	{ "x {v}", "$(id)", "x '$(id)'" },
	{ "x {v}", "a,b", "x 'a,b'" },
	{ "x {v}", "-x", "x '-x'" },
	{ "x {v}", "22", "x 22" },
	{ "x {v}", "1e3", "x '1e3'" },
	{ "x {v}", "@a", "x '@a'" },
	{ "x \"{v}\"", "a\xe2\x80\x9d; id", "x \"a`\xe2\x80\x9d; id\"" },
	{ "Invoke-AzVMRunCommand -CommandId RunShellScript -ScriptString \"cat {v}\"", "it's $x",
	  "Invoke-AzVMRunCommand -CommandId RunShellScript -ScriptString \"cat 'it'\\''s `$x'\"" },
	{ "az x --command-id RunPowerShellScript --scripts \"cat {v}\"", "it's",
	  "az x --command-id RunPowerShellScript --scripts \"cat 'it''s'\"" },
};

START_TEST(powershell_has_its_own_quotes)
{
	json_t *evidence = json_pack("{s:s}", "v", powershell[_i].value);
	bool runnable = false;
	char *filled = rules_fill(powershell[_i].template, evidence, NULL, "powershell", &runnable);

	ck_assert_str_eq(filled, powershell[_i].filled);
	ck_assert(runnable);
	free(filled);
	json_decref(evidence);
}
END_TEST

static const char *const unshowable[] = { "a\nb",
					  "a\rb",
					  "\x1b[31m",
					  "\x07",
					  "a\x7f",
					  "\xc2\x9b"
					  "31m",
					  "a\xe2\x80\xae"
					  "b",
					  "a\xe2\x80\x8b"
					  "b" };

START_TEST(what_cannot_be_seen_does_not_go_into_commands)
{
	json_t *evidence = json_pack("{s:s}", "v", unshowable[_i]);
	bool runnable = true;
	char *filled = rules_fill("x {v}", evidence, NULL, "az", &runnable),
	     *plain = rules_fill("x {v}", evidence, NULL, NULL, NULL);

	ck_assert_str_eq(filled, "x <V>");
	ck_assert(!runnable);
	for (const char *p = plain; *p != '\0'; p++)
		ck_assert(*p >= ' ' && *p < 0x7f);
	free(filled);
	free(plain);
	json_decref(evidence);
}
END_TEST

static const struct {
	const char *template, *filled;
} missing[] = {
	{ "{source_ip}", "<YOUR-PUBLIC-IP>" },
	{ "{vm}", "<VM>" },
	{ "{rg}", "<RESOURCE-GROUP>" },
	{ "{user}", "<USER>" },
	{ "{next_hop_type}", "<NEXT-HOP-TYPE>" },
	{ "{Vm} {} {a b} {1a} { vm }", "{Vm} {} {a b} {1a} { vm }" },
	{ "{{vm}}", "{<VM>}" },
	{ "{empty} {no} {null}", "<EMPTY> <NO> <NULL>" },
	{ "{list}", "a 'b c'" },
	{ "{yes} {real}", "true 1.5" },
};

START_TEST(what_is_missing_is_named)
{
	json_t *evidence = json_pack("{s:s, s:b, s:n, s:[s, s], s:b, s:f}", "empty", "", "no", 0, "null", "list", "a", "b c",
				     "yes", 1, "real", 1.5);
	bool runnable = true;
	char *filled = rules_fill(missing[_i].template, evidence, NULL, "shell", &runnable);

	ck_assert_str_eq(filled, missing[_i].filled);
	ck_assert_int_eq(runnable, strchr(missing[_i].filled, '<') == NULL);
	free(filled);
	json_decref(evidence);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("rules");
	TCase *files = tcase_create("files"), *words = tcase_create("words");
	SRunner *runner;

	tcase_add_loop_test(files, a_bad_file_gives_one_sentence_with_its_place, 0, COUNT(bad_files));
	tcase_add_test(files, the_default_has_every_check_of_the_contract);
	tcase_add_test(files, a_layer_merges_maps_and_replaces_lists);
	tcase_add_test(files, a_code_belongs_to_one_check);
	tcase_add_test(files, taking_evidence_away_from_words_is_refused);
	tcase_add_test(files, equal_sets_have_equal_digests);
	tcase_add_test(files, odd_files_are_refused);
	tcase_add_test(files, waivers_hold_for_their_resource_until_their_last_day);
	tcase_add_test(words, a_finding_is_lent_its_words);
	tcase_add_test(words, severity_of_a_layer_swaps_fail_and_warn_only);
	tcase_add_loop_test(words, a_real_shell_reads_back_what_was_quoted, 0, COUNT(templates));
	tcase_add_loop_test(words, a_script_handed_on_is_quoted_for_both_shells, 0, COUNT(scripts));
	tcase_add_loop_test(words, json_in_an_argument_stays_json, 0, 2);
	tcase_add_loop_test(words, powershell_has_its_own_quotes, 0, COUNT(powershell));
	tcase_add_loop_test(words, what_cannot_be_seen_does_not_go_into_commands, 0, COUNT(unshowable));
	tcase_add_loop_test(words, what_is_missing_is_named, 0, COUNT(missing));
	tcase_set_timeout(words, 60);
	suite_add_tcase(suite, files);
	suite_add_tcase(suite, words);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
