/* Identity files on disk, mounts, the agent, and the order in which ssh would offer keys. */
#include "loop/owner.h"
#include "ssh/machine/identity.h"
#include "ssh/ssh.h"
#include "tests/unit/tool.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static json_t *doc;
static struct facts facts;
static struct loop *loop;
static int done_count;

static void
setup(void)
{
	tool_folder();
	doc = facts_new(1767225600);
	json_array_append_new(json_object_get(doc, "targets"), json_object());
	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	loop = loop_new(15000, NULL);
	done_count = 0;
	setenv("HOME", tool_folder(), 1);
	unsetenv("SSH_AUTH_SOCK");
	ck_assert_int_eq(chdir(tool_folder()), 0);
}

static void
teardown(void)
{
	loop_free(loop);
	json_decref(doc);
	ck_assert_int_eq(chdir("/"), 0);
	tool_folder_remove();
}

static void
done(void *ctx)
{
	(void)ctx;
	done_count++;
}

static void
collect(const char *identity)
{
	ssh_identities_collect(loop, &facts, identity, done, NULL);
	loop_run(loop, NULL, NULL);
	ck_assert_int_eq(done_count, 1);
}

/* ---- files ---- */

static json_t *
read_path(const char *path)
{
	struct mounts mounts = { 0 };

	return key_file_facts(path, &mounts);
}

START_TEST(what_is_no_regular_file_is_named_and_never_opened)
{
	json_t *key;

	ck_assert_int_eq(mkfifo("pipe", 0600), 0);
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	ck_assert_int_eq(symlink("gone", "dangling"), 0);
	key = read_path("pipe");
	ck_assert_str_eq(doc_str(key, "what"), "fifo");
	json_decref(key);
	key = read_path("folder");
	ck_assert_str_eq(doc_str(key, "what"), "directory");
	json_decref(key);
	key = read_path("/dev/zero");
	ck_assert_str_eq(doc_str(key, "what"), "device");
	json_decref(key);
	key = read_path("loop");
	ck_assert_str_eq(doc_str(key, "what"), "loop");
	ck_assert_str_eq(doc_str(key, "errno"), "ELOOP");
	json_decref(key);
	key = read_path("dangling");
	ck_assert(!doc_bool(key, "present", true));
	ck_assert_str_eq(doc_str(key, "links_to"), "gone");
	json_decref(key);
}
END_TEST

START_TEST(a_file_above_one_mebibyte_is_no_key)
{
	json_t *key;

	tool_write("big", "-----BEGIN", 10);
	ck_assert_int_eq(truncate("big", (1 << 20) + 1), 0);
	key = read_path("big");
	ck_assert_str_eq(doc_str(key, "what"), "too-big");
	ck_assert_ptr_null(doc_str(key, "kind"));
	json_decref(key);
}
END_TEST

START_TEST(mode_owner_and_the_public_half_are_told)
{
	json_t *key;

	ck_assert_int_eq(TOOL(NULL, 0, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k"),
			 0);
	ck_assert_int_eq(
	    TOOL(NULL, 0, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "other"), 0);
	ck_assert_int_eq(chmod("k", 0640), 0);
	key = read_path("k");
	ck_assert_str_eq(doc_str(key, "mode"), "0640");
	ck_assert(doc_bool(key, "owned", false));
	ck_assert(doc_bool(key, "pub.matches", false));
	json_decref(key);
	ck_assert_int_eq(rename("other.pub", "k.pub"), 0);
	key = read_path("k");
	ck_assert(!doc_bool(key, "pub.matches", true));
	json_decref(key);
}
END_TEST

START_TEST(a_certificate_beside_the_key_is_told)
{
	json_t *key;

	ck_assert_int_eq(TOOL(NULL, 0, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "k"),
			 0);
	ck_assert_int_eq(TOOL(NULL, 0, "ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", "ca"), 0);
	ck_assert_int_eq(TOOL(NULL, 0, "ssh-keygen", "-q", "-s", "ca", "-I", "id", "-n", "me,you",
			      "-V", "20200101:20200102", "k.pub"),
			 0);
	key = read_path("k");
	ck_assert_str_eq(doc_str(key, "cert.path"), "k-cert.pub");
	ck_assert_str_eq(json_string_value(json_array_get(doc_list(key, "cert.principals"), 1)),
			 "you");
	ck_assert_int_lt(doc_int(key, "cert.valid_before", 0), 1577923200 + 86400);
	json_decref(key);
}
END_TEST

/* ---- mounts ---- */

#define WSL2 "Linux version 5.15.90.1-microsoft-standard-WSL2 (oe-user@oe-host)"
#define ROOT "/dev/sdc / ext4 rw 0 0\n"

static const struct {
	const char *table, *version, *path;
	bool drvfs, metadata;
} mount_cases[] = {
	{ ROOT "C:\\134 /mnt/c 9p "
	       "rw,dirsync,aname=drvfs;path=C:\\;uid=1000;gid=1000;symlinkroot=/mnt/,mmap,trans=fd "
	       "0 0\n",
	  WSL2, "/mnt/c/Users/me/k", true, false },
	{ ROOT "C:\\134 /mnt/c 9p "
	       "rw,aname=drvfs;path=C:\\;uid=1000;metadata;symlinkroot=/mnt/,trans=fd 0 0\n",
	  WSL2, "/mnt/c/k", true, true },
	{ ROOT "C: /mnt/c drvfs rw,noatime,uid=1000,gid=1000,case=off 0 0\n",
	  "Linux version 4.4.0-19041-Microsoft", "/mnt/c/k", true, false },
	{ ROOT "C: /mnt/c drvfs rw,noatime,metadata,case=off 0 0\n",
	  "Linux version 4.4.0-19041-Microsoft", "/mnt/c/k", true, true },
	{ ROOT "D:\\134 /my\\040drive 9p rw,aname=drvfs;path=D:\\ 0 0\n", WSL2, "/my drive/k", true,
	  false },
	{ ROOT "C:\\134 /mnt/c 9p rw,aname=drvfs;path=C:\\ 0 0\n", WSL2, "/mnt/cc/k", false,
	  false },
	{ ROOT "C:\\134 /mnt/c 9p rw,aname=drvfs;path=C:\\ 0 0\n", WSL2, "/home/me/.ssh/k", false,
	  false },
	{ ROOT "host /mnt/c 9p rw,trans=virtio 0 0\n", WSL2, "/mnt/c/k", false, false },
	{ ROOT "C:\\134 /mnt/c 9p rw,aname=drvfs 0 0\n", "Linux version 6.1.0-debian", "/mnt/c/k",
	  false, false },
	{ ROOT "x /mnt/c 9p rw,aname=drvfs 0 0\ny /mnt/c/in ext4 rw 0 0\n", WSL2, "/mnt/c/in/k",
	  false, false },
	{ "garbage\n\n a b\n" ROOT, WSL2, "/k", false, false },
};

START_TEST(windows_drives_are_recognised_by_the_mount_table)
{
	char *table = strdup(mount_cases[_i].table), *version = strdup(mount_cases[_i].version);
	struct mounts mounts = { table, version };
	json_t *mount = mounts_find(&mounts, mount_cases[_i].path);

	ck_assert_ptr_nonnull(mount);
	ck_assert_int_eq(doc_bool(mount, "drvfs", false), mount_cases[_i].drvfs);
	ck_assert_int_eq(doc_bool(mount, "metadata", false), mount_cases[_i].metadata);
	json_decref(mount);
	mounts_free(&mounts);
}
END_TEST

/* ---- paths ---- */

static const struct {
	const char *path, *expanded;
} path_cases[] = {
	{ "~/.ssh/id_%h", "/home/me/.ssh/id_vm.example" },
	{ "/k/%%%u-%r@%n:%p", "/k/%me-azureuser@vm:2200" },
	{ "%d/x", "/home/me/x" },
	{ "/k/%i/%L/%l/%k", "/k/1000/box/box.lan/alias" },
	{ "/k/${TEST_WORD}/x", "/k/word/x" },
	{ "~", "/home/me" },
	{ "/k/%", NULL },
	{ "/k/%z", NULL },
	{ "/k/${TEST_NOT_SET_AT_ALL}", NULL },
	{ "~no-such-user-here/x", NULL },
	{ "/plain $x", "/plain $x" },
	{ "%C", "e5a0ca0ec26d8a35b3cb0ed0c8b25df6b52ed18c" },
};

START_TEST(tokens_tildes_and_variables_expand_as_in_ssh)
{
	const struct identity_names names = { .home = "/home/me",
					      .name = "vm",
					      .hostname = "vm.example",
					      .alias = "alias",
					      .user = "azureuser",
					      .local_user = "me",
					      .local_host = "box.lan",
					      .port = 2200,
					      .uid = 1000 };
	char *path;

	setenv("TEST_WORD", "word", 1);
	path = identity_path(path_cases[_i].path, &names);
	if (path_cases[_i].expanded == NULL)
		ck_assert_ptr_null(path);
	else if (strcmp(path_cases[_i].path, "%C") == 0)
		ck_assert_uint_eq(strlen(path), 40);
	else
		ck_assert_str_eq(path, path_cases[_i].expanded);
	free(path);
}
END_TEST

START_TEST(relative_paths_start_in_the_current_folder)
{
	const struct identity_names names = { 0 };
	char *path = identity_path("./keys/k", &names), *want = tool_path("keys/k");

	ck_assert_str_eq(path, want);
	free(path);
	free(want);
}
END_TEST

/* ---- the agent ---- */

static const struct {
	const char *bytes;
	size_t len;
	int r;
} replies[] = {
	{ "", 0, -EBADMSG },
	{ "\x05", 1, -EACCES },
	{ "\x06", 1, -EBADMSG },
	{ "\x0c", 1, -EBADMSG },
	{ "\x0c\0\0\0\0", 5, 0 },
	{ "\x0c\0\0\0\1", 5, -EBADMSG },
	{ "\x0c\xff\xff\xff\xff", 5, -EBADMSG },
	{ "\x0c\0\0\0\1\xff\xff\xff\xff", 9, -EBADMSG },
	{ "\x0c\0\0\0\1\0\0\0\1x\0\0\0\0", 14, 0 },
};

START_TEST(agent_replies_are_read_within_their_bounds)
{
	unsigned char *exact = malloc(replies[_i].len + 1);
	json_t *keys = json_array();

	memcpy(exact, replies[_i].bytes, replies[_i].len);
	ck_assert_int_eq(agent_reply_keys(exact, replies[_i].len, keys), replies[_i].r);
	free(exact);
	json_decref(keys);
}
END_TEST

/* Starts a real agent on FOLDER/agent, for a minute at most; returns the process to be ended. */
static pid_t
agent_start(void)
{
	char *path = tool_path("agent"), out[256];
	pid_t pid;

	ck_assert_int_eq(
	    TOOL(out, sizeof(out), "sh", "-c",
		 "timeout 60 ssh-agent -D -a agent >/dev/null 2>&1 & echo $!;"
		 " for i in 1 2 3 4 5 6 7 8 9 10; do [ -S agent ] && break; sleep 0.2; done"),
	    0);
	pid = (pid_t)strtol(out, NULL, 10);
	ck_assert_int_gt(pid, 1);
	setenv("SSH_AUTH_SOCK", path, 1);
	free(path);
	return pid;
}

static void
make_key(const char *name, bool load)
{
	ck_assert_int_eq(
	    TOOL(NULL, 0, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name),
	    0);
	if (load)
		ck_assert_int_eq(TOOL(NULL, 0, "ssh-add", "-q", name), 0);
}

static const json_t *
order_at(size_t i)
{
	return json_array_get(doc_list(facts_section(&facts, FACT_IDENTITIES), "order"), i);
}

static void
config_set(const char *first, const char *second, bool only)
{
	json_t *config = facts_known(&facts, FACT_SSH_CONFIG);
	char *a = tool_path(first), *b = tool_path(second);

	json_object_set_new(config, "options",
			    json_pack("{s:[s, s], s:s}", "identityfile", a, b, "identitiesonly",
				      only ? "yes" : "no"));
	free(a);
	free(b);
}

START_TEST(agent_keys_that_are_configured_go_first_then_other_agent_keys_then_files)
{
	pid_t pid = agent_start();

	make_key("other", true);
	make_key("both", true);
	make_key("file", false);
	config_set("file", "both", false);
	collect(NULL);
	kill(pid, SIGTERM);
	ck_assert_uint_eq(
	    json_array_size(doc_list(facts_section(&facts, FACT_IDENTITIES), "order")), 3);
	ck_assert_ptr_nonnull(strstr(doc_str(order_at(0), "path"), "/both"));
	ck_assert(doc_bool(order_at(0), "agent", false));
	ck_assert_str_eq(doc_str(order_at(1), "comment"), "other");
	ck_assert_ptr_nonnull(strstr(doc_str(order_at(2), "path"), "/file"));
}
END_TEST

START_TEST(identities_only_leaves_other_agent_keys_out)
{
	pid_t pid = agent_start();

	make_key("other", true);
	make_key("file", false);
	config_set("file", "missing", true);
	collect(NULL);
	kill(pid, SIGTERM);
	ck_assert_uint_eq(json_array_size(doc_list(facts_section(&facts, FACT_AGENT), "keys")), 1);
	ck_assert_uint_eq(
	    json_array_size(doc_list(facts_section(&facts, FACT_IDENTITIES), "order")), 2);
	ck_assert_str_eq(doc_str(order_at(0), "from"), "config");
	ck_assert(!doc_bool(order_at(1), "present", true));
}
END_TEST

START_TEST(a_public_file_stands_for_the_agents_key)
{
	pid_t pid = agent_start();

	make_key("k", true);
	ck_assert_int_eq(unlink("k"), 0);
	facts_settle(&facts, FACT_SSH_CONFIG, FACT_ABSENT, "not-installed", "no ssh");
	collect("k.pub");
	kill(pid, SIGTERM);
	ck_assert_str_eq(doc_str(order_at(0), "from"), "option");
	ck_assert(doc_bool(order_at(0), "agent", false));
	ck_assert(doc_bool(order_at(0), "usable", false));
}
END_TEST

START_TEST(a_socket_without_listener_is_no_agent)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "dead" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char *path = tool_path("dead");

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	setenv("SSH_AUTH_SOCK", path, 1);
	free(path);
	collect(NULL);
	ck_assert_int_eq(facts_state(&facts, FACT_AGENT, NULL), FACT_ABSENT);
	ck_assert_str_eq(doc_str(facts_section(&facts, FACT_AGENT), "cause"), "dead");
}
END_TEST

START_TEST(a_silent_agent_is_given_up)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "mute" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char *path = tool_path("mute");

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	setenv("SSH_AUTH_SOCK", path, 1);
	free(path);
	collect(NULL);
	close(fd);
	ck_assert_int_eq(facts_state(&facts, FACT_AGENT, NULL), FACT_UNKNOWN);
	ck_assert_str_eq(doc_str(facts_section(&facts, FACT_AGENT), "cause"), "timeout");
	ck_assert_int_eq(facts_state(&facts, FACT_IDENTITIES, NULL), FACT_KNOWN);
}
END_TEST

/* ---- keys that lie about ---- */

START_TEST(unused_keys_are_found_by_name_and_by_content)
{
	const json_t *stray;

	ck_assert_int_eq(mkdir("Downloads", 0755), 0);
	make_key("Downloads/vm.pem", false);
	make_key("Downloads/vm.txt", false);
	tool_write("Downloads/cert.pem",
		   "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", 58);
	tool_write("id_html", "<html>", 6);
	ck_assert_int_eq(mkdir("Downloads/folder.pem", 0755), 0);
	collect(NULL);
	stray = doc_list(facts_section(&facts, FACT_IDENTITIES), "stray");
	ck_assert_uint_eq(json_array_size(stray), 1);
	ck_assert_ptr_nonnull(
	    strstr(json_string_value(json_array_get(stray, 0)), "/Downloads/vm.pem"));
}
END_TEST

START_TEST(downloads_of_windows_users_are_looked_into)
{
	const char *folder = tool_folder();
	char *table = doc_fmt(
	    "/dev/sdc / ext4 rw 0 0\nC:\\134 %s/c 9p rw,aname=drvfs;path=C:\\ 0 0\n", folder);
	const json_t *stray;

	ck_assert_int_eq(TOOL(NULL, 0, "mkdir", "-p", "proc", "c/Users/Me/Downloads"), 0);
	tool_write("proc/mounts", table, strlen(table));
	tool_write("proc/version", WSL2, strlen(WSL2));
	free(table);
	table = tool_path("proc");
	setenv("AZSSH_DOCTOR_PROC", table, 1);
	free(table);
	make_key("c/Users/Me/Downloads/vm_key.pem", false);
	collect(NULL);
	unsetenv("AZSSH_DOCTOR_PROC");
	stray = doc_list(facts_section(&facts, FACT_IDENTITIES), "stray");
	ck_assert_uint_eq(json_array_size(stray), 1);
	ck_assert(doc_bool(doc, "machine.wsl", false));
	ck_assert_uint_eq(json_array_size(doc_list(doc, "machine.drvfs")), 1);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_no_regular_file_is_named_and_never_opened);
	tcase_add_test(tcase, a_file_above_one_mebibyte_is_no_key);
	tcase_add_test(tcase, mode_owner_and_the_public_half_are_told);
	tcase_add_test(tcase, a_certificate_beside_the_key_is_told);
	tcase_add_loop_test(tcase, windows_drives_are_recognised_by_the_mount_table, 0,
			    sizeof(mount_cases) / sizeof(mount_cases[0]));
	tcase_add_loop_test(tcase, tokens_tildes_and_variables_expand_as_in_ssh, 0,
			    sizeof(path_cases) / sizeof(path_cases[0]));
	tcase_add_test(tcase, relative_paths_start_in_the_current_folder);
	tcase_add_loop_test(tcase, agent_replies_are_read_within_their_bounds, 0,
			    sizeof(replies) / sizeof(replies[0]));
	tcase_add_test(tcase,
		       agent_keys_that_are_configured_go_first_then_other_agent_keys_then_files);
	tcase_add_test(tcase, identities_only_leaves_other_agent_keys_out);
	tcase_add_test(tcase, a_public_file_stands_for_the_agents_key);
	tcase_add_test(tcase, a_socket_without_listener_is_no_agent);
	tcase_add_test(tcase, a_silent_agent_is_given_up);
	tcase_add_test(tcase, unused_keys_are_found_by_name_and_by_content);
	tcase_add_test(tcase, downloads_of_windows_users_are_looked_into);
}

int
main(void)
{
	Suite *suite = suite_create("identity");
	TCase *tcase = tcase_create("identities");
	SRunner *runner = srunner_create(suite);

	if (!tool_there("ssh-keygen") || !tool_there("ssh-agent")) {
		printf("1..0 # SKIP ssh-keygen and ssh-agent are needed\n");
		return 0;
	}
	tcase_set_timeout(tcase, 60);
	add_tests(tcase);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
