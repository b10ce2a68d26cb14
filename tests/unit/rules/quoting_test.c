/* What stands in a placeholder's place: values quoted for the shell, the script or the dialect
 * around them. */
#include "rules/rules.h"
#include "facts/doc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static const char *const templates[] = {
	"{v}",     "-c 5 \"{v}\"",   "a{v}b",        "'{v}'",
	"\"{v}\"", "'a {v} b'",      "\"a {v} b\"",  "\"$(printf %s {v})\"",
	"--x={v}", "'it'\\''s {v}'", "\"a\"'{v}'{v}"
};

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
	static const char *const formats[] = { "%s",     "-c><5><%s", "a%sb",   "%s",
					       "%s",     "a %s b",    "a %s b", "%s",
					       "--x=%s", "it's %s",   NULL };

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
		char *script = doc_fmt("printf '<%%s>' %s", templates[_i]),
		     *expected = meant((size_t)_i, hostile[i]), out[512], *framed;
		bool runnable = false;
		char *filled =
		    rules_fill(script, &(struct values){ .evidence = evidence }, "az", &runnable);

		framed = doc_fmt("<%s>", expected);
		ck_assert(runnable);
		run_sh(filled, out, sizeof(out));
		ck_assert_msg(strcmp(out, framed) == 0, "%s printed %s and not %s", filled, out,
			      framed);
		free(script);
		free(expected);
		free(framed);
		free(filled);
		json_decref(evidence);
	}
}
END_TEST

static const char *const scripts[] = {
	"printf '[%s]' --scripts \"printf '<%s>' {v}\"",
	"printf '[%s]' --scripts \"printf '<%s>' '{v}'\"",
	"printf '[%s]' --scripts 'printf \"<%s>\" {v}'",
	"printf '[%s]' --scripts 'printf \"<%s>\" \"{v}\"'",
	"printf '[%s]' --scripts \"printf \\\"<%s>\\\" \\\"{v}\\\"\""
};

START_TEST(a_script_handed_on_is_quoted_for_both_shells)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s}", "v", hostile[i]);
		char first[1024], second[512], *filled, *framed = doc_fmt("<%s>", hostile[i]),
							*script;

		filled =
		    rules_fill(scripts[_i], &(struct values){ .evidence = evidence }, "az", NULL);
		run_sh(filled, first, sizeof(first));
		ck_assert_int_eq(strncmp(first, "[--scripts][", 12), 0);
		script = strdup(first + 12);
		script[strlen(script) - 1] = '\0';
		run_sh(script, second, sizeof(second));
		ck_assert_msg(strcmp(second, framed) == 0,
			      "%s\nhands on\n%s\nwhich prints %s and not %s", filled, script,
			      second, framed);
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
		char *filled = rules_fill(
			 _i == 0 ? "printf %s '{\"a\": \"x{v}\", \"b\": {v}, \"n\": {n}}'"
				 : "printf %s \"{\\\"a\\\": \\\"x{v}\\\", \\\"b\\\": {v}, "
				   "\\\"n\\\": {n}}\"",
			 &(struct values){ .evidence = evidence }, "az", NULL),
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
	char *filled = rules_fill(powershell[_i].template, &(struct values){ .evidence = evidence },
				  "powershell", &runnable);

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
	char *filled =
		 rules_fill("x {v}", &(struct values){ .evidence = evidence }, "az", &runnable),
	     *plain = rules_fill("x {v}", &(struct values){ .evidence = evidence }, NULL, NULL);

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
	json_t *evidence = json_pack("{s:s, s:b, s:n, s:[s, s], s:b, s:f}", "empty", "", "no", 0,
				     "null", "list", "a", "b c", "yes", 1, "real", 1.5);
	bool runnable = true;
	char *filled = rules_fill(missing[_i].template, &(struct values){ .evidence = evidence },
				  "shell", &runnable);

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
	Suite *suite = suite_create("quoting");
	TCase *quoting = tcase_create("quoting");
	SRunner *runner;

	tcase_add_loop_test(quoting, a_real_shell_reads_back_what_was_quoted, 0, COUNT(templates));
	tcase_add_loop_test(quoting, a_script_handed_on_is_quoted_for_both_shells, 0,
			    COUNT(scripts));
	tcase_add_loop_test(quoting, json_in_an_argument_stays_json, 0, 2);
	tcase_add_loop_test(quoting, powershell_has_its_own_quotes, 0, COUNT(powershell));
	tcase_add_loop_test(quoting, what_cannot_be_seen_does_not_go_into_commands, 0,
			    COUNT(unshowable));
	tcase_add_loop_test(quoting, what_is_missing_is_named, 0, COUNT(missing));
	tcase_set_timeout(quoting, 60);
	suite_add_tcase(suite, quoting);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
