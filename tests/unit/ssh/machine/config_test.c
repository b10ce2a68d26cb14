/* The installed ssh: its abilities, its effective configuration, its refusals, its control socket.
 */
#include "model/jump_host.h"
#include "loop/owner.h"
#include "ssh/machine/config.h"
#include "ssh/ssh.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HAVE_SSH (access("/usr/bin/ssh", X_OK) == 0)

static char dir[64];
static json_t *doc;
static struct facts facts;
static struct loop *loop;
static int done_count;

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/config-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	doc = facts_new(1767225600);
	json_array_append_new(json_object_get(doc, "targets"), json_object());
	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	loop = loop_new(15000, NULL);
	done_count = 0;
}

static void
teardown(void)
{
	char *command;

	loop_free(loop);
	json_decref(doc);
	if (fork() == 0) {
		command = dir;
		execlp("rm", "rm", "-rf", "--", command, NULL);
		_exit(1);
	}
}

static void
count_done(void *ctx)
{
	(void)ctx;
	done_count++;
}

/* Writes dir/name; returns its path, which lives until the next call. */
static const char *
write_file(const char *name, const char *text)
{
	static char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static json_t *
collect(enum fact_section section, const char *name, const char *config)
{
	const struct ssh_config_request request = { .name = name,
						    .config_file = config,
						    .no_config = config == NULL,
						    .compare = section == FACT_ALIAS };

	ssh_config_collect(loop, &facts, section, &request, count_done, NULL);
	loop_run(loop, NULL, NULL);
	ck_assert_int_eq(done_count, 1);
	done_count = 0;
	return facts_section(&facts, section);
}

/* ---- the parser ---- */

START_TEST(options_become_a_map_and_identity_files_a_list)
{
	static const char text[] =
	    "host X\nhostname x\nport 2222\nidentityfile ~/.ssh/a b\nsendenv LANG\nsendenv "
	    "LC_*\r\nproxycommand nc %h %p\n"
	    "setenv TOKEN=secret\ncontrolpath\n junk\n=x\ncanonicalizePermittedcnames none";
	json_t *options = ssh_config_parse(text, strlen(text));

	ck_assert_str_eq(doc_str(options, "hostname"), "x");
	ck_assert_int_eq(doc_int(options, "port", 0), 2222);
	ck_assert_str_eq(json_string_value(json_array_get(doc_list(options, "identityfile"), 0)),
			 "~/.ssh/a b");
	ck_assert_uint_eq(json_array_size(doc_list(options, "sendenv")), 2);
	ck_assert_str_eq(doc_str(options, "proxycommand"), "nc %h %p");
	ck_assert_str_eq(doc_str(options, "setenv"), "TOKEN");
	ck_assert_str_eq(doc_str(options, "controlpath"), "");
	ck_assert_str_eq(doc_str(options, "canonicalizepermittedcnames"), "none");
	ck_assert_uint_eq(json_object_size(options), 9);
	json_decref(options);
}
END_TEST

static const struct complaint {
	const char *text, *problem, *file, *option;
	int line;
} complaints[] = {
	{ "/home/me/.ssh/config: line 2: Bad configuration option: "
	  "usekeychain\r\n/home/me/.ssh/config: terminating, 1 bad configuration options\n",
	  "option", "/home/me/.ssh/config", "usekeychain", 2 },
	{ "c: line 2: Bad configuration option: a1\nc: line 3: Bad configuration option: b2\nc: "
	  "line 9: Bad configuration option: a1\n",
	  "option", "c", "a1,b2", 2 },
	{ "c line 3: Bad port 'x'.\n", "value", "c", "x", 3 },
	{ "a line 1 b line 7: unsupported option \"maybe\".\n", "value", "a line 1 b", "maybe", 7 },
	{ "c line 2: Unsupported option \"gssapiauthentication\"\nc line 9: no argument after "
	  "keyword \"host\"\n",
	  "value", "c", "host", 9 },
	{ "c line 2: Bad Match condition\n", "value", "c", NULL, 2 },
	{ "Bad owner or permissions on /home/me/.ssh/config\n", "permissions",
	  "/home/me/.ssh/config", NULL, 0 },
	{ "Can't open user config file /x: y: No such file or directory\n", "unreadable", "/x: y",
	  NULL, 0 },
	{ "No user exists for uid 4711\n", "no-user", NULL, NULL, 0 },
	{ "Pseudo-terminal will not be allocated because stdin is not a terminal.\nhostname "
	  "contains invalid characters\n",
	  "name", NULL, NULL, 0 },
	{ "vdollar_percent_expand: env var ${NOPE} has no value\n", "variable", NULL, NULL, 0 },
	{ "something new\n\n", "other", NULL, NULL, 0 },
	{ "", "other", NULL, NULL, 0 },
	{ "c line 99999999999999999999: Bad\n line 4: x", "other", NULL, NULL, 0 },
};

START_TEST(complaints_are_read_with_file_line_and_option)
{
	const struct complaint *c = &complaints[_i];
	json_t *obj = json_object();

	ssh_config_complaint(obj, c->text, strlen(c->text));
	ck_assert_str_eq(doc_str(obj, "problem"), c->problem);
	ck_assert_pstr_eq(doc_str(obj, "file"), c->file);
	ck_assert_pstr_eq(doc_str(obj, "option"), c->option);
	ck_assert_int_eq(doc_int(obj, "line", 0), c->line);
	json_decref(obj);
}
END_TEST

static bool
exists(const char *path)
{
	return strcmp(path, "/a") == 0 || strcmp(path, "/b c/d") == 0;
}

START_TEST(paths_with_blanks_are_kept_together)
{
	json_t *paths = ssh_config_paths("/a /b c/d /no such/file /z", exists);
	static const char *const want[] = { "/a", "/b c/d", "/no such/file", "/z" };

	ck_assert_uint_eq(json_array_size(paths), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(json_string_value(json_array_get(paths, i)), want[i]);
	json_decref(paths);
	paths = ssh_config_paths("none", exists);
	ck_assert_uint_eq(json_array_size(paths), 0);
	json_decref(paths);
}
END_TEST

static const struct hop {
	const char *text, *name, *user;
	int port;
	size_t number;
} hops[] = {
	{ "jump", "jump", NULL, 0, 0 },
	{ "me@jump:2200,other", "jump", "me", 2200, 0 },
	{ "azureuser@[20.51.230.50]:22", "20.51.230.50", "azureuser", 22, 0 },
	{ "[fd00::1]:2200", "fd00::1", NULL, 2200, 0 },
	{ "fd00::1", "fd00::1", NULL, 0, 0 },
	{ "ssh://u@h:7", "h", "u", 7, 0 },
	{ "a@b@h", "h", "a@b", 0, 0 },
	{ "h:99999999999", "h", NULL, 0, 0 },
	{ "", NULL, NULL, 0, 0 },
	{ "[", "[", NULL, 0, 0 },
	{ "@", "", NULL, 0, 0 },
	{ "ssh://", NULL, NULL, 0, 0 },
	{ NULL, NULL, NULL, 0, 0 },
	{ "a,ssh://b@[::1]:3/,c", "::1", "b", 3, 1 },
	{ "a,b,c:4", "c", NULL, 4, 2 },
	{ "a,b", NULL, NULL, 0, 2 },
};

START_TEST(jump_hosts_are_read_as_by_ssh)
{
	struct jump_host hop;

	if (!jump_host_at(hops[_i].text, hops[_i].number, &hop)) {
		ck_assert_ptr_null(hops[_i].name);
		return;
	}
	ck_assert(bytes_is(hop.host, hops[_i].name));
	ck_assert(bytes_is(hop.user, hops[_i].user != NULL ? hops[_i].user : ""));
	ck_assert_int_eq(hop.port, hops[_i].port);
}
END_TEST

/* ---- the real ssh ---- */

START_TEST(the_client_tells_its_version_and_on_demand_its_algorithms)
{
	json_t *client;

	if (!HAVE_SSH)
		return;
	ssh_client_collect(loop, &facts, count_done, NULL);
	loop_run(loop, NULL, NULL);
	ck_assert_int_eq(done_count, 1);
	ck_assert_int_eq(facts_state(&facts, FACT_CLIENT, NULL), FACT_KNOWN);
	client = facts_section(&facts, FACT_CLIENT);
	ck_assert_int_ge(doc_int(client, "number", 0), 700);
	ck_assert_ptr_null(doc_get(client, "kex"));
	ssh_client_lists(loop, &facts, "mac", count_done, NULL);
	loop_run(loop, NULL, NULL);
	ck_assert_int_eq(done_count, 2);
	ck_assert_uint_gt(json_array_size(doc_list(client, "macs")), 3);
	ck_assert_ptr_null(doc_get(client, "ciphers"));
	ssh_client_lists(loop, &facts, NULL, count_done, NULL);
	loop_run(loop, NULL, NULL);
	ck_assert_int_eq(done_count, 3);
	ck_assert_uint_gt(json_array_size(doc_list(client, "kex")), 3);
	ck_assert_uint_gt(json_array_size(doc_list(client, "ciphers")), 3);
	ck_assert_uint_gt(json_array_size(doc_list(client, "host_key_algorithms")), 3);
}
END_TEST

START_TEST(a_missing_client_is_absent)
{
	setenv("PATH", dir, 1);
	ssh_client_collect(loop, &facts, count_done, NULL);
	loop_run(loop, NULL, NULL);
	ck_assert_int_eq(done_count, 1);
	ck_assert_int_eq(facts_state(&facts, FACT_CLIENT, NULL), FACT_ABSENT);
	done_count = 0;
	collect(FACT_SSH_CONFIG, "vm1", NULL);
	ck_assert_int_eq(facts_state(&facts, FACT_SSH_CONFIG, NULL), FACT_ABSENT);
}
END_TEST

START_TEST(the_effective_configuration_is_what_ssh_says)
{
	const char *config =
	    write_file("config", "Host MyVM\n\tHostName 203.0.113.9\n\tUser \"ubuntu\"\n\tPort "
				 "2200\n\tProxyJump me@jump:22\n"
				 "\tHostKeyAlias al\n\tUserKnownHostsFile \"/x y/known\" "
				 "~/k\n\tIdentityFile ~/.ssh/%h\n");
	json_t *section = collect(FACT_SSH_CONFIG, "MyVM", config);

	ck_assert_str_eq(doc_str(section, "state"), "known");
	ck_assert_str_eq(doc_str(section, "hostname"), "203.0.113.9");
	ck_assert_int_eq(doc_int(section, "port", 0), 2200);
	ck_assert_str_eq(doc_str(section, "user"), "ubuntu");
	ck_assert_str_eq(doc_str(section, "user_from"), "ssh-config");
	ck_assert_str_eq(doc_str(section, "proxyjump"), "me@jump:22");
	ck_assert_str_eq(doc_str(section, "jump.hostname"), "jump");
	ck_assert_str_eq(doc_str(section, "jump.user"), "me");
	ck_assert(!doc_bool(section, "jump.proxied", true));
	ck_assert_str_eq(doc_str(section, "host_key_alias"), "al");
	ck_assert_uint_eq(json_array_size(doc_list(section, "user_known_hosts")), 2);
	ck_assert_int_eq(doc_int(section, "places.hostname.line", 0), 2);
	ck_assert_int_eq(doc_int(section, "places.user.line", 0), 3);
	ck_assert(!doc_bool(section, "match_exec", true));
}
END_TEST

static const struct alias {
	const char *config, *name;
	bool changes;
} aliases[] = {
	{ "", "myvm", false },
	{ "Host *\n\tUser ubuntu\n\tUserKnownHostsFile /k/%h-%n\n\tControlPath /tmp/%C-%n\n",
	  "myvm", false },
	{ "Host *\n\tUser ubuntu\n\tUserKnownHostsFile /k/%h-%n\n\tControlPath /tmp/%C-%n\n", "a",
	  false },
	{ "Host *\n\tUser ubuntu\n", "MYVM", false },
	{ "Host myvm\n\tHostName 10.0.0.4\n", "myvm", true },
	{ "Host my*\n\tUser other\n", "myvm", true },
	{ "Host myvm\n\tIdentityFile ~/.ssh/vm.pem\n", "myvm", true },
	{ "Host myvm\n\tProxyJump j\n", "myvm", true },
	{ "Host *\n\tHostName %h.example.invalid\n", "myvm", true },
	{ "Host *.*\n\tUser other\n", "vm.example.com", false },
	{ "Host *.example.com\n\tUser other\n", "vm.example.com", true },
};

START_TEST(an_alias_changes_something_or_not)
{
	json_t *section =
	    collect(FACT_ALIAS, aliases[_i].name, write_file("config", aliases[_i].config));

	ck_assert_str_eq(doc_str(section, "state"), "known");
	ck_assert_int_eq(doc_bool(section, "changes", !aliases[_i].changes), aliases[_i].changes);
}
END_TEST

START_TEST(a_bad_option_is_unknown_with_its_line)
{
	json_t *section =
	    collect(FACT_SSH_CONFIG, "vm1", write_file("config", "Host *\n UseKeychain yes\n"));

	ck_assert_str_eq(doc_str(section, "state"), "unknown");
	ck_assert_str_eq(doc_str(section, "cause"), "ssh-config");
	ck_assert_int_eq(doc_int(section, "line", 0), 2);
	ck_assert_str_eq(doc_str(section, "option"), "usekeychain");
	ck_assert_str_eq(doc_str(section, "problem"), "option");
}
END_TEST

static const char *const bad_names[] = {
	"", "-oProxyCommand=touch x", "a b", "a;b", "$(id)", "a`id`", "x\ny"
};

START_TEST(dangerous_names_never_reach_ssh)
{
	json_t *section = collect(FACT_SSH_CONFIG, bad_names[_i], NULL);

	ck_assert_str_eq(doc_str(section, "state"), "unknown");
	ck_assert_str_eq(doc_str(section, "cause"), "bad-name");
}
END_TEST

START_TEST(match_exec_is_found_through_includes)
{
	char text[256];
	json_t *section;

	snprintf(text, sizeof(text), "Include %s\nHost *\n",
		 write_file("more.conf",
			    "# Match exec no\nMatch host zz !exec \"test -e /x=y\"\n  User u\n"));
	section = collect(FACT_SSH_CONFIG, "vm1", write_file("config", text));
	ck_assert(doc_bool(section, "match_exec", false));
	ck_assert_str_eq(doc_str(section, "match_exec_command"), "test -e /x=y");
	ck_assert_int_eq(doc_int(section, "match_exec_line", 0), 2);
	ck_assert(strstr(doc_str(section, "match_exec_file"), "more.conf") != NULL);
}
END_TEST

START_TEST(an_include_of_itself_ends)
{
	char text[256], path[128];

	snprintf(path, sizeof(path), "%s/self", dir);
	snprintf(text, sizeof(text), "Include %s\nInclude %s/*\n", path, dir);
	json_decref(ssh_config_scan(write_file("self", text), NULL));
	mkfifo(path, 0600);
	json_decref(ssh_config_scan(path, NULL));
}
END_TEST

START_TEST(variables_of_the_configuration_reach_ssh)
{
	json_t *section;

	setenv("CONFIG_TEST_DIR", "/run/x", 1);
	section = collect(FACT_SSH_CONFIG, "vm1",
			  write_file("config", "ControlPath ${CONFIG_TEST_DIR}/%n\n"));
	ck_assert_str_eq(doc_str(section, "controlpath"), "/run/x/vm1");
}
END_TEST

/* ---- the control socket ---- */

static int
listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

static json_t *
collect_control(const char *path)
{
	char text[256];

	snprintf(text, sizeof(text), "ControlPath %s\n", path);
	return doc_get(collect(FACT_SSH_CONFIG, "vm1", write_file("config", text)),
		       "controlmaster");
}

START_TEST(a_master_that_never_speaks_is_silent)
{
	char path[128];
	json_t *result;
	int fd;

	snprintf(path, sizeof(path), "%s/sock", dir);
	fd = listen_at(path);
	result = collect_control(path);
	ck_assert(doc_bool(result, "socket", false) && doc_bool(result, "listens", false) &&
		  doc_bool(result, "silent", false));
	ck_assert(!doc_bool(result, "answers", true));
	close(fd);
	result = collect_control(path);
	ck_assert(doc_bool(result, "socket", false) && !doc_bool(result, "listens", true) &&
		  !doc_bool(result, "silent", true));
	unlink(path);
	result = collect_control(path);
	ck_assert(!doc_bool(result, "exists", true) && !doc_bool(result, "silent", true));
}
END_TEST

START_TEST(a_master_that_greets_answers)
{
	static const unsigned char hello[] = { 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4 };
	char path[128];
	json_t *result;
	int fd;

	snprintf(path, sizeof(path), "%s/sock", dir);
	fd = listen_at(path);
	if (fork() == 0) {
		int peer = accept(fd, NULL, NULL);

		_exit(peer >= 0 && write(peer, hello, sizeof(hello)) == sizeof(hello) ? 0 : 1);
	}
	result = collect_control(path);
	ck_assert(doc_bool(result, "answers", false) && !doc_bool(result, "silent", true));
	close(fd);
}
END_TEST

static Suite *
config_suite(void)
{
	Suite *suite = suite_create("ssh configuration");
	TCase *pure = tcase_create("parsers"), *real = tcase_create("the installed ssh");

	tcase_add_test(pure, options_become_a_map_and_identity_files_a_list);
	tcase_add_loop_test(pure, complaints_are_read_with_file_line_and_option, 0,
			    sizeof(complaints) / sizeof(complaints[0]));
	tcase_add_test(pure, paths_with_blanks_are_kept_together);
	tcase_add_loop_test(pure, jump_hosts_are_read_as_by_ssh, 0, sizeof(hops) / sizeof(hops[0]));
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(real, setup, teardown);
	tcase_set_timeout(real, 30);
	tcase_add_test(real, a_missing_client_is_absent);
	tcase_add_loop_test(real, dangerous_names_never_reach_ssh, 0,
			    sizeof(bad_names) / sizeof(bad_names[0]));
	tcase_add_test(real, an_include_of_itself_ends);
	if (HAVE_SSH) {
		tcase_add_test(real, the_client_tells_its_version_and_on_demand_its_algorithms);
		tcase_add_test(real, the_effective_configuration_is_what_ssh_says);
		tcase_add_loop_test(real, an_alias_changes_something_or_not, 0,
				    sizeof(aliases) / sizeof(aliases[0]));
		tcase_add_test(real, a_bad_option_is_unknown_with_its_line);
		tcase_add_test(real, match_exec_is_found_through_includes);
		tcase_add_test(real, variables_of_the_configuration_reach_ssh);
		tcase_add_test(real, a_master_that_never_speaks_is_silent);
		tcase_add_test(real, a_master_that_greets_answers);
	}
	suite_add_tcase(suite, real);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(config_suite());

	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
