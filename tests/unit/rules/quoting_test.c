/* What stands in a placeholder's place: values quoted for the shell, the script or the dialect
 * around them. */
#include "rules/rules.h"
#include "rules/tree.h"
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
				       "=ls",
				       "$'x'",
				       "'; touch /tmp/pwned; '",
				       "\"; id; \"",
				       "{\"a\": [1]}",
				       "\\\"",
				       "a\\'b" };

#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

/* What a script printed, by a real shell whose home is "~", so that ~/ stays what it is. */
static char *
run_sh(const char *script)
{
	FILE *file = tmpfile();
	int fds[2], status;
	size_t used = 0, room = 1 << 20;
	char *out = malloc(room);
	ssize_t n;
	pid_t pid;

	ck_assert_ptr_nonnull(out);
	ck_assert(file != NULL && fputs(script, file) >= 0 && fflush(file) == 0);
	rewind(file);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) {
		setenv("HOME", "~", 1);
		dup2(fileno(file), STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl("/bin/sh", "sh", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	while (used + 1 < room && (n = read(fds[0], out + used, room - 1 - used)) > 0)
		used += (size_t)n;
	out[used] = '\0';
	close(fds[0]);
	fclose(file);
	waitpid(pid, &status, 0);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%.2000s", script);
	return out;
}

static char *
fill(const char *command, const char *dialect, const json_t *evidence, char **arguments, bool *full)
{
	return rules_command(command, dialect, &(struct values){ .evidence = evidence }, arguments,
			     full);
}

/* Shell texts, and what is around the value in what they mean. */
static const struct {
	const char *text, *start, *end;
} texts[] = {
	{ "{v}", "", "" },           { "a{v}b", "a", "b" },
	{ "'{v}'", "", "" },         { "\"$(printf %s {v})\"", "", "" },
	{ "--x={v}", "--x=", "" },   { "'it'\\''s '{v}", "it's ", "" },
	{ "\"a\"'b'{v}", "ab", "" }, { "{v} | cat", "", "" },
};

START_TEST(a_shell_text_keeps_each_value)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s}", "v", hostile[i]);
		char *template = doc_fmt("printf '<%%s>' %s", texts[_i].text), *arguments = NULL,
		     *expected = doc_fmt("<%s%s%s>", texts[_i].start, hostile[i], texts[_i].end);
		bool full = false;
		char *line = fill(template, "az", evidence, &arguments, &full), *out = run_sh(line);

		ck_assert(full);
		ck_assert_ptr_null(arguments);
		ck_assert_msg(strcmp(out, expected) == 0, "%s printed %s and not %s", line, out,
			      expected);
		free(template);
		free(expected);
		free(line);
		free(out);
		json_decref(evidence);
	}
}
END_TEST

/* Arguments, and what is around the value in them. */
static const struct {
	const char *argument, *start, *end;
} words[] = {
	{ "{v}", "", "" },     { "a{v}b", "a", "b" },       { "--x={v}", "--x=", "" },
	{ "~/{v}", "~/", "" }, { "it's {v}", "it's ", "" }, { "$HOME {v}", "$HOME ", "" },
	{ "~{v}", "~", "" },   { "'{v}'", "'", "'" },
};

START_TEST(an_argument_stays_one_word)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s}", "v", hostile[i]);
		char *command = doc_fmt("printf%c<%%s>%c%s%c", ARGUMENT_END, ARGUMENT_END,
					words[_i].argument, ARGUMENT_END),
		     *word = doc_fmt("%s%s%s", words[_i].start, hostile[i], words[_i].end),
		     *expected = doc_fmt("<%s>", word),
		     *list = doc_fmt("printf%c<%%s>%c%s%c", ARGUMENT_END, ARGUMENT_END, word,
				     ARGUMENT_END),
		     *arguments = NULL, *line, *out;
		bool full = false;

		line = fill(command, "shell", evidence, &arguments, &full);
		out = run_sh(line);
		ck_assert(full);
		ck_assert_str_eq(arguments, list);
		ck_assert_msg(strcmp(out, expected) == 0, "%s printed %s and not %s", line, out,
			      expected);
		free(command);
		free(word);
		free(expected);
		free(list);
		free(arguments);
		free(line);
		free(out);
		json_decref(evidence);
	}
}
END_TEST

static const char *const scripts[] = {
	"printf '<%s>' {v}",
	"printf '<%s>' '{v}'",
	"printf \"<%s>\" {v}",
	"printf '<%s>' \"$(printf %s {v})\"",
};

/* Where HOME is not the home that ssh uses, a ~ that the shell of this computer would expand is
 * written out; one on the VM stays. */
START_TEST(a_tilde_is_the_home_that_ssh_uses)
{
	static const char text[] = "cat ~/.ssh/config \"$(cat ~/.ssh/a.pub)\" --x=~/y a~/b",
			  remote[] = "remove it from ~/.ssh/authorized_keys on the VM";
	json_t *globals = json_pack("{s:s}", "home", "/home/me");
	const struct values differs = { .globals = globals }, same = { 0 };
	char *line = rules_command(text, "shell", &differs, NULL, NULL);

	ck_assert_str_eq(line, "cat /home/me/.ssh/config \"$(cat /home/me/.ssh/a.pub)\" "
			       "--x=/home/me/y a~/b");
	free(line);
	line = rules_command(text, "shell", &same, NULL, NULL);
	ck_assert_str_eq(line, text);
	free(line);
	line = rules_command(remote, "shell", &differs, NULL, NULL);
	ck_assert_str_eq(line, remote);
	free(line);
	json_decref(globals);
}
END_TEST

START_TEST(a_script_is_quoted_for_both_shells)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s}", "v", hostile[i]);
		char *command = doc_fmt("printf%c%%s%c%s%c", ARGUMENT_END, ARGUMENT_END,
					scripts[_i], SCRIPT_END),
		     *expected = doc_fmt("<%s>", hostile[i]),
		     *line = fill(command, "az", evidence, NULL, NULL), *script = run_sh(line),
		     *out = run_sh(script);

		ck_assert_msg(strcmp(out, expected) == 0,
			      "%s\nhands on\n%s\nwhich prints %s and not %s", line, script, out,
			      expected);
		free(command);
		free(expected);
		free(line);
		free(script);
		free(out);
		json_decref(evidence);
	}
}
END_TEST

START_TEST(scripts_of_other_programs_take_plain_values_only)
{
	static const char *const commands[] = {
		"sed\x1f-i\x1fs/{v}/x/\x1e{v}\x1f", "sudo\x1fsed\x1fs/{v}/x/\x1e{v}\x1f",
		"ssh\x1fh\x1f\x1dperl\x1f-pe\x1fs/{v}/x/\x1e{v}\x1f"
	};

	for (size_t i = 0; i < HOSTILE; i++) {
		json_t *evidence = json_pack("{s:s}", "v", hostile[i]);
		bool full = false, special = strpbrk(hostile[i], "/\\&'\"$`;|!*{<[(~#\xc3") != NULL;
		char *line = fill(commands[_i], "shell", evidence, NULL, &full);

		ck_assert_msg(full == !special, "%s", line);
		ck_assert_msg(full || strstr(line, "'s/<V>/x/'") != NULL, "%s", line);
		free(line);
		json_decref(evidence);
	}
}
END_TEST

/* One value for all that the words of the default may name. */
static json_t *
all_values(const struct rules *rules, const char *value)
{
	static const char *const globals[] = {
		"vm",         "rg",       "subscription", "tenant",    "user",
		"host",       "port",     "source_ip",    "vm_id",     "location",
		"nic",        "subnet",   "vnet",         "public_ip", "bastion",
		"bastion_rg", "identity", "public_key",   "address",   "login"
	};
	json_t *values = json_object();
	size_t count;
	const struct rule *all = rules_all(rules, &count);

	for (size_t i = 0; i < sizeof(globals) / sizeof(globals[0]); i++)
		json_object_set_new(values, globals[i], json_string(value));
	for (size_t i = 0; i < count; i++) {
		for (const char *p = all[i].evidence; p != NULL && *p != '\0';) {
			size_t len = strcspn(p, " ");
			char *name = strndup(p, len);

			json_object_set_new(values, name, json_string(value));
			free(name);
			p += len + (p[len] == ' ');
		}
	}
	return values;
}

/* Each step of a list as a call of f, and what f prints for it. */
static void
add_steps(FILE *script, FILE *expected, const char *command, const json_t *values)
{
	for (const char *step = command; step != NULL; step = strchr(step + 1, STEP_START)) {
		const char *start = *step == STEP_START ? step + 1 : step;
		char *one = strndup(start, strcspn(start, (const char[]){ STEP_START, '\0' })),
		     *arguments = NULL, *line = fill(one, "az", values, &arguments, NULL);
		struct argument argument;

		fprintf(script, "f %s\n", line);
		for (const char *at = arguments; command_next(arguments, &at, &argument);)
			fprintf(expected, "<%.*s>", (int)argument.len, argument.text);
		putc('\n', expected);
		free(one);
		free(arguments);
		free(line);
	}
}

/* Lists of arguments become the same arguments again; texts have to be whole commands. What the
 * reader has to fill in would be a redirection, so lists with that are left out. */
static void
add_command(FILE *script, FILE *expected, const char *command, const json_t *values)
{
	bool full = true;
	char *arguments = NULL, *line = fill(command, "az", values, &arguments, &full);

	if (arguments != NULL && full)
		add_steps(script, expected, command, values);
	else if (arguments == NULL && line != NULL && strchr(line, '<') == NULL)
		fprintf(script, "g() {\n%s\n}\n", line);
	free(arguments);
	free(line);
}

static void
add_code(FILE *script, FILE *expected, const struct code_words *code, const json_t *values)
{
	add_command(script, expected, code->decide, values);
	for (size_t i = 0; i < code->remedy_count; i++) {
		const struct remedy_words *remedy = &code->remedies[i];

		if (strcmp(remedy->dialect, "az") != 0 && strcmp(remedy->dialect, "shell") != 0)
			continue;
		add_command(script, expected, remedy->command, values);
		add_command(script, expected, remedy->undo, values);
		add_command(script, expected, remedy->verify, values);
	}
}

START_TEST(the_default_keeps_each_value)
{
	char *script = NULL, *expected = NULL, *out;
	size_t count, script_size, expected_size;
	FILE *lines = open_memstream(&script, &script_size),
	     *printed = open_memstream(&expected, &expected_size);
	struct rules *rules = NULL;
	const struct rule *all;
	json_t *values;

	ck_assert_int_eq(rules_default(&rules, NULL), 0);
	values = all_values(rules, hostile[_i]);
	all = rules_all(rules, &count);
	fputs("f() { printf '<%s>' \"$@\"; echo; }\n", lines);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < all[i].code_count; j++)
			add_code(lines, printed, &all[i].codes[j], values);
	ck_assert(fclose(lines) == 0 && fclose(printed) == 0);
	out = run_sh(script);
	ck_assert_int_gt((int)strlen(expected), 10000);
	for (const char *a = out, *b = expected; *a != '\0' || *b != '\0';) {
		size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");

		ck_assert_msg(m == n && memcmp(a, b, n) == 0, "%.*s\nand not\n%.*s", (int)m, a,
			      (int)n, b);
		a += m + (a[m] == '\n');
		b += n + (b[n] == '\n');
	}
	free(script);
	free(expected);
	free(out);
	json_decref(values);
	rules_free(rules);
}
END_TEST

static const struct {
	const char *template, *value, *filled;
} powershell[] = {
	{ "Get-AzVM -Name {v}", "myVM", "Get-AzVM -Name myVM" },
	{ "Get-AzVM -Name {v}", "my VM", "Get-AzVM -Name 'my VM'" },
	{ "x {v}", "it's", "x 'it''s'" },
	{ "x '{v}'", "it's", "x 'it''s'" },
	{ "x {v}", "a\xe2\x80\x99; id", "x 'a\xe2\x80\x99\xe2\x80\x99; id'" },
	{ "x {v}", "$(id)", "x '$(id)'" },
	{ "x {v}", "a,b", "x 'a,b'" },
	{ "x {v}", "-x", "x '-x'" },
	{ "x {v}", "22", "x 22" },
	{ "x {v}", "1e3", "x '1e3'" },
	{ "x {v}", "@a", "x '@a'" },
	{ "x '{v}'", "a\xe2\x80\x99; id", "x 'a\xe2\x80\x99\xe2\x80\x99; id'" },
	{ "Get-AzVM\x1f-Name\x1f{v}\x1f", "-x y", "Get-AzVM -Name '-x y'" },
	{ "Get-AzVM\x1f-Name\x1f{v}\x1f\x1dGet-AzVM\x1f", "myVM", "Get-AzVM -Name myVM; Get-AzVM" },
	{ "Invoke-AzVMRunCommand\x1f-ScriptString\x1f"
	  "cat {v}\x1e",
	  "$(x)", "Invoke-AzVMRunCommand -ScriptString 'cat ''$(x)'''" },
	{ "az\x1f--command-id\x1fRunPowerShellScript\x1f--scripts\x1f"
	  "cat {v}\x1e",
	  "it's", "az --command-id RunPowerShellScript --scripts 'cat ''it''''s'''" },
};

START_TEST(zsh_finds_no_program_in_a_value)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	quote_word(out, LANG_SH, "=ls", false);
	putc(' ', out);
	quote_word(out, LANG_SH, "a=b", false);
	fclose(out);
	ck_assert_str_eq(text, "'=ls' a=b");
	free(text);
}
END_TEST

START_TEST(powershell_has_its_own_quotes)
{
	json_t *evidence = json_pack("{s:s}", "v", powershell[_i].value);
	bool runnable = false;
	char *filled = fill(powershell[_i].template, "powershell", evidence, NULL, &runnable);

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
	char *filled = fill("x {v}", "az", evidence, NULL, &runnable),
	     *plain = rules_fill("x {v}", &(struct values){ .evidence = evidence });

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
	{ "x\x1f{vm}/{yes}\x1f{list}\x1f", "x <VM>/true a 'b c'" },
	{ "x\x1f<NSG>\x1f"
	  "a <b\x1f",
	  "x <NSG> 'a <b'" },
	{ "x\x1f"
	  "getent {user}\x1e",
	  "x 'getent <USER>'" },
};

START_TEST(what_is_missing_is_named)
{
	json_t *evidence = json_pack("{s:s, s:b, s:n, s:[s, s], s:b, s:f}", "empty", "", "no", 0,
				     "null", "list", "a", "b c", "yes", 1, "real", 1.5);
	bool runnable = true;
	char *filled = fill(missing[_i].template, "shell", evidence, NULL, &runnable);

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

	tcase_add_loop_test(quoting, a_shell_text_keeps_each_value, 0, COUNT(texts));
	tcase_add_loop_test(quoting, an_argument_stays_one_word, 0, COUNT(words));
	tcase_add_test(quoting, a_tilde_is_the_home_that_ssh_uses);
	tcase_add_loop_test(quoting, a_script_is_quoted_for_both_shells, 0, COUNT(scripts));
	tcase_add_loop_test(quoting, scripts_of_other_programs_take_plain_values_only, 0, 3);
	tcase_add_loop_test(quoting, the_default_keeps_each_value, 0, COUNT(hostile));
	tcase_add_test(quoting, zsh_finds_no_program_in_a_value);
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
