/* known_hosts: our reading against ssh-keygen -F on a generated corpus, our verdicts against the real ssh and a server on loopback. */
#include "model/known_hosts.h"
#include "ssh/ssh.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOSTS = 40, LINES = 400, LOOKUPS = 520, REFEREE = 48 };

static const char *self;		/* path of this program: it relays for ssh */
static char dir[64];
static unsigned seed = 20260101;

/* ---- helpers ---- */

static unsigned
pick(unsigned below)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % below;
}

static void
make_dir(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/known-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

/* Runs a program to its end; its output (stdout and stderr) into out. Returns the exit status. */
static int
run(const char *const *argv, char *out, size_t size)
{
	int fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) < 0)
		return 127;
	if ((pid = fork()) == 0) {
		alarm(20);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		setenv("LC_ALL", "C", 1);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	while (len + 1 < size && (n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void
remove_dir(void)
{
	const char *const argv[] = { "rm", "-rf", "--", dir, NULL };
	char out[256];

	run(argv, out, sizeof(out));
}

static char *
in_dir(const char *name)
{
	char *path = doc_fmt("%s/%s", dir, name);

	ck_assert_ptr_nonnull(path);
	return path;
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

/* "ssh-ed25519 BASE64" of a made-up key: any 32 bytes are one. */
static void
made_up_key(unsigned number, char *ret, size_t size)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[] = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	for (size_t i = 26; i < 66; i++, number = number * 31 + 7)
		text[i] = alphabet[number % 64];
	snprintf(ret, size, "ssh-ed25519 %s", text);
}

static json_t *
read_text(const char *text, const char *name, int port, json_t **damaged)
{
	const struct known_query query = { .name = name, .port = port };
	json_t *entries = json_array(), *bad = json_array();

	known_hosts_read(text, strlen(text), "f", &query, entries, bad);
	known_hosts_second_look(entries);
	if (damaged != NULL)
		*damaged = bad;
	else
		json_decref(bad);
	return entries;
}

/* ---- single lines ---- */

#define K1 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define K2 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static const struct names {
	const char *hosts, *name;
	int found;
} names[] = {
	{ "vm1", "vm1", 1 }, { "VM1", "vm1", 1 }, { "vm1", "VM1", 1 }, { "a,vm1,b", "vm1", 1 }, { "vm1.x", "vm1", 0 }, { "vm?", "vm1", 1 },
	{ "v*1", "vm1", 1 }, { "*", "vm1", 1 }, { "*,!vm1", "vm1", 0 }, { "!vm1,*", "vm1", 0 }, { "!vm2,*", "vm1", 1 }, { "!vm2", "vm1", 0 },
	{ "[vm1]:2200", "[vm1]:2200", 1 }, { "[vm1]:*", "[vm1]:2200", 1 }, { "[*]:2200", "[vm1]:2200", 1 }, { "", "vm1", 0 }, { ",,", "vm1", 0 },
	{ "a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 }, { "|1|x|y", "vm1", -1 }, { "|", "vm1", -1 },
	{ "|2|AAAA", "vm1", -1 },
};

START_TEST(names_and_patterns_match_as_in_ssh)
{
	int r = known_hosts_names(names[_i].hosts, strlen(names[_i].hosts), names[_i].name);

	ck_assert_int_eq(r < 0 ? -1 : r > 0, names[_i].found);
}
END_TEST

static const struct damage {
	const char *line, *why;
} damages[] = {
	{ "vm1", "ends before" }, { "vm1 ssh-ed25519", "ends before" }, { "vm1 garbage AAAA", "no type" }, { "vm1 ssh-ed25519 AAAA!", "base64" },
	{ "vm1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAA", "damaged" }, { "vm1 ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"another type" }, { "@unknown vm1 " K1, "marker" }, { "@revoked @revoked vm1 " K1, "more than one" }, { "|1|bad|bad " K1, "hashed" },
	{ "\xef\xbb\xbfvm1 " K1, "byte order" },
};

START_TEST(damaged_lines_are_named_and_the_rest_is_read)
{
	char *text = doc_fmt("# c\n%s\n\n\t vm1\t" K1 " comment\r\n", damages[_i].line);
	json_t *damaged, *entries = read_text(text, "vm1", 22, &damaged);

	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_int_eq(doc_int(json_array_get(entries, 0), "line", 0), 4);
	ck_assert_uint_eq(json_array_size(damaged), 1);
	ck_assert_int_eq(doc_int(json_array_get(damaged, 0), "line", 0), 2);
	ck_assert(strstr(doc_str(json_array_get(damaged, 0), "why"), damages[_i].why) != NULL);
	json_decref(damaged);
	json_decref(entries);
	free(text);
}
END_TEST

START_TEST(lines_of_other_kinds_are_no_damage)
{
	json_t *damaged, *entries = read_text("\r\nvm1 1024 35 123456\nvm1 ssh-new-type@example.com AAAA\n#\n  # x\n@revoked vm1 " K2 "\n", "vm1", 22, &damaged);

	ck_assert_uint_eq(json_array_size(damaged), 0);
	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_str_eq(doc_str(json_array_get(entries, 0), "marker"), "revoked");
	json_decref(damaged);
	json_decref(entries);
}
END_TEST

START_TEST(the_second_look_is_for_names_without_a_port)
{
	json_t *entries = read_text("vm1 " K1 "\n[vm1]:2200 " K2 "\n", "vm1", 2200, NULL);

	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_str_eq(doc_str(json_array_get(entries, 0), "via"), "host");
	json_decref(entries);
	entries = read_text("vm1 " K1 "\n[vm1]:2201 " K2 "\n", "vm1", 2200, NULL);
	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_str_eq(doc_str(json_array_get(entries, 0), "via"), "port-less");
	json_decref(entries);
}
END_TEST

START_TEST(the_same_key_is_found_under_other_names)
{
	static const char text[] = "vm1 " K2 "\n[vm1]:2222,other " K1 "\n|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= " K1 "\n@revoked x " K1 "\n";
	const struct known_query query = { .name = "vm1", .port = 22 };
	json_t *keys = json_pack("[{s:s}]", "public", strchr(K1, ' ') + 1), *found = json_array();

	known_hosts_elsewhere(text, strlen(text), "f", &query, keys, found);
	ck_assert_uint_eq(json_array_size(found), 2);
	ck_assert_str_eq(doc_str(json_array_get(found, 0), "name"), "[vm1]:2222,other");
	ck_assert_str_eq(doc_str(json_array_get(found, 1), "name"), "(hashed)");
	json_decref(keys);
	json_decref(found);
}
END_TEST

START_TEST(types_on_file_are_asked_for_first)
{
	static const char algorithms[] = "ssh-ed25519-cert-v01@openssh.com,rsa-sha2-512-cert-v01@openssh.com,ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512";
	json_t *entries = json_pack("[{s:s, s:s}]", "type", "ssh-rsa", "via", "host");
	char *order = known_hosts_order(entries, algorithms);

	ck_assert_str_eq(order, "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512,ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,ecdsa-sha2-nistp256");
	free(order);
	json_array_append_new(entries, json_pack("{s:s, s:s}", "type", "ssh-ed25519", "via", "host"));
	order = known_hosts_order(entries, algorithms);
	ck_assert_str_eq(order, algorithms);
	free(order);
	json_decref(entries);
}
END_TEST

/* ---- the collector ---- */

START_TEST(the_collector_reads_regular_files_only)
{
	json_t *doc = facts_new(0), *section, *host_key;
	struct facts facts;
	char *path, *fifo;

	make_dir();
	path = in_dir("known hosts");
	fifo = in_dir("fifo");
	write_file(path, "vm1 " K1 "\nother " K2 "\n");
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	json_array_append_new(json_object_get(doc, "targets"), json_object());
	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	section = facts_known(&facts, FACT_SSH_CONFIG);
	json_object_set_new(section, "user_known_hosts", json_pack("[s, s, s]", path, fifo, dir));
	json_object_set_new(section, "global_known_hosts", json_pack("[s]", "/nonexistent/known_hosts"));
	ssh_known_hosts_collect(&facts, "VM1", 22);
	section = facts_section(&facts, FACT_KNOWN_HOSTS);
	ck_assert_str_eq(doc_str(section, "name"), "vm1");
	ck_assert_uint_eq(json_array_size(doc_list(section, "entries")), 1);
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 0), "state"), "known");
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 1), "errno"), "EINVAL");
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 2), "errno"), "EISDIR");
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 3), "state"), "absent");
	host_key = facts_known(&facts, FACT_HOST_KEY);
	json_array_clear(doc_list(section, "entries"));
	json_object_set_new(host_key, "keys", json_pack("[{s:s}]", "public", strchr(K2, ' ') + 1));
	ssh_known_hosts_elsewhere(&facts, host_key);
	ck_assert_str_eq(doc_str(json_array_get(doc_list(host_key, "elsewhere"), 0), "name"), "other");
	json_decref(doc);
	free(path);
	free(fifo);
	remove_dir();
}
END_TEST

/* ---- against ssh-keygen -F ---- */

static const char *
host_name(unsigned index)
{
	static char name[32];

	snprintf(name, sizeof(name), index % 3 == 0 ? "vm%u" : index % 3 == 1 ? "vm%u.x.example.com" : "10.0.0.%u", index);
	return name;
}

/* One host field of a random form; bracketed ones with a port of their own. */
static void
random_hosts(char *ret, size_t size)
{
	unsigned a = pick(HOSTS), b = pick(HOSTS);
	char one[32], other[32];

	snprintf(one, sizeof(one), "%s", host_name(a));
	snprintf(other, sizeof(other), "%s", host_name(b));
	switch (pick(11)) {
	case 0: snprintf(ret, size, "%s,%s", one, other); break;
	case 1: snprintf(ret, size, "[%s]:%u", one, 2200 + pick(3)); break;
	case 2: snprintf(ret, size, "[%s]:*,%s", one, other); break;
	case 3: snprintf(ret, size, "vm%u?", pick(4)); break;
	case 4: snprintf(ret, size, "*.example.com,!%s", one); break;
	case 5: snprintf(ret, size, "10.0.0.%u*", pick(4)); break;
	case 6: snprintf(ret, size, "VM%u.X.Example.COM", a); break;
	case 7: snprintf(ret, size, "!%s,%s,vm*", one, other); break;
	case 8: snprintf(ret, size, "%s", pick(4) == 0 ? "*" : one); break;
	default: snprintf(ret, size, "%s", one); break;
	}
}

/* Writes a file of hashed lines (made by ssh-keygen) and of all other forms. readable[line] says whether ssh can read its key. */
static void
write_corpus(const char *path, bool *readable)
{
	const char *const argv[] = { "ssh-keygen", "-q", "-H", "-f", path, NULL };
	char hosts[256], key[128], out[4096];
	FILE *file = fopen(path, "w");
	unsigned line = 0;

	ck_assert_ptr_nonnull(file);
	for (; line < LINES / 4; line++) {
		made_up_key(line, key, sizeof(key));
		if (pick(3) == 0)
			fprintf(file, "[%s]:%u %s\n", host_name(pick(HOSTS)), 2200 + pick(3), key);
		else
			fprintf(file, "%s %s\n", host_name(pick(HOSTS)), key);
		readable[line + 1] = true;
	}
	fclose(file);
	run(argv, out, sizeof(out));
	file = fopen(path, "a");
	for (; line < LINES; line++) {
		static const char *const before[] = { "", "", "", " ", "\t", "@revoked ", "@cert-authority\t" };
		static const char *const after[] = { "\n", "\n", " comment\n", "\r\n", " c\r\n", "\t\n" };

		random_hosts(hosts, sizeof(hosts));
		made_up_key(line, key, sizeof(key));
		readable[line + 1] = pick(12) != 0;
		if (!readable[line + 1] && pick(2) == 0)
			fprintf(file, "# %s %s\n", hosts, key);
		else if (!readable[line + 1])
			fprintf(file, "%s ssh-ed25519 AAAA%u\n", hosts, line);
		else
			fprintf(file, "%s%s %s%s", before[pick(7)], hosts, key, after[pick(6)]);
	}
	fprintf(file, "%s %s", host_name(1), K1);	/* no end of line */
	readable[line + 1] = true;
	fclose(file);
}

/* The lines ssh-keygen finds, as a set; -1 when it does not run. */
static int
keygen_lines(const char *path, const char *query, bool *found)
{
	const char *const argv[] = { "ssh-keygen", "-F", query, "-f", path, NULL };
	static char out[1 << 20];
	int r = run(argv, out, sizeof(out)), count = 0;

	if (r > 1)
		return -1;
	for (const char *at = out; (at = strstr(at, " found: line ")) != NULL; count++) {
		at += strlen(" found: line ");
		found[atol(at)] = true;
	}
	return count;
}

START_TEST(the_corpus_reads_as_ssh_keygen_reads_it)
{
	bool readable[LINES + 2] = { false };
	char *path, *text;
	unsigned found_any = 0;
	struct stat st;
	FILE *file;

	make_dir();
	path = in_dir("known_hosts");
	write_corpus(path, readable);
	ck_assert_int_eq(stat(path, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	file = fopen(path, "r");
	ck_assert_uint_eq(fread(text, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	fclose(file);
	for (unsigned i = 0; i < LOOKUPS; i++) {
		int port = i % 3 == 0 ? 2200 + (int)pick(4) : 22;
		const struct known_query query = { .name = host_name(i % (HOSTS + 4)), .port = port };
		bool theirs[LINES + 2] = { false }, ours[LINES + 2] = { false };
		json_t *entries = json_array(), *damaged = json_array(), *entry;
		char *name = known_hosts_name(&query);
		size_t k;

		ck_assert_int_ge(keygen_lines(path, name, theirs), 0);
		known_hosts_read(text, strlen(text), path, &query, entries, damaged);
		json_array_foreach(entries, k, entry)
			if (!doc_is(entry, "via", "port-less"))
				ours[doc_int(entry, "line", 0)] = true;
		for (size_t line = 1; line <= LINES + 1; line++)
			ck_assert_msg(ours[line] == (theirs[line] && readable[line]), "%s: line %zu: ours %d, theirs %d, readable %d", name, line,
			    ours[line], theirs[line], readable[line]);
		found_any += json_array_size(entries) > 0;
		json_decref(entries);
		json_decref(damaged);
		free(name);
	}
	ck_assert_uint_gt(found_any, LOOKUPS / 2);
	free(text);
	free(path);
	remove_dir();
}
END_TEST

/* ---- against the real ssh ---- */

#define FIXED "rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256"

static char *algorithms;		/* the installed ssh's own */

static const char *const server_types[] = { "ed25519", "ecdsa", "rsa" };

struct server {
	pid_t pid;
	int port;
	json_t *keys;			/* {"type","public"} as the check sees them */
	char *lines[3], *wrong[3], *ca;	/* "type base64" */
};

/* The "type base64" line of `dropbearkey -y`. */
static char *
public_line(const char *file)
{
	const char *const argv[] = { "dropbearkey", "-y", "-f", file, NULL };
	char out[8192], *at, *end;

	run(argv, out, sizeof(out));
	if ((at = strstr(out, "\nssh-")) == NULL && (at = strstr(out, "\necdsa-")) == NULL)
		return NULL;
	at++;
	end = strchr(strchr(at, ' ') + 1, ' ');
	end = end != NULL ? end : at + strcspn(at, "\n");
	return strndup(at, (size_t)(end - at));
}

static char *
make_key(const char *type, const char *name)
{
	char *path = in_dir(name), out[8192], *line;
	const char *const argv[] = { "dropbearkey", "-t", type, "-f", path, NULL };

	ck_assert_int_eq(run(argv, out, sizeof(out)), 0);
	line = public_line(path);
	ck_assert_ptr_nonnull(line);
	free(path);
	return line;
}

static int
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, len), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	close(fd);
	return ntohs(address.sin_port);
}

static int
connect_port(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
start_server(struct server *server)
{
	char listen_at[32], *files[3];

	*server = (struct server){ .port = free_port(), .keys = json_array() };
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "key%d", i);
		server->lines[i] = make_key(server_types[i], name);
		files[i] = in_dir(name);
		snprintf(name, sizeof(name), "wrong%d", i);
		server->wrong[i] = make_key(server_types[i], name);
		json_array_append_new(server->keys, json_pack("{s:o, s:s}", "type", doc_text(server->lines[i], strcspn(server->lines[i], " ")),
		    "public", strchr(server->lines[i], ' ') + 1));
	}
	server->ca = make_key("ed25519", "ca");
	snprintf(listen_at, sizeof(listen_at), "127.0.0.1:%d", server->port);
	if ((server->pid = fork()) == 0) {
		alarm(120);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		execlp("dropbear", "dropbear", "-F", "-E", "-p", listen_at, "-r", files[0], "-r", files[1], "-r", files[2], NULL);
		_exit(127);
	}
	for (int fd = -1, tries = 0; fd < 0 && tries < 100; tries++) {
		if ((fd = connect_port(server->port)) >= 0)
			close(fd);
		else
			usleep(50000);
	}
	for (int i = 0; i < 3; i++)
		free(files[i]);
}

static void
stop_server(struct server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	json_decref(server->keys);
	for (int i = 0; i < 3; i++) {
		free(server->lines[i]);
		free(server->wrong[i]);
	}
	free(server->ca);
}

/* What the real ssh says: "match", "changed", "revoked" or "unknown". */
static const char *
referee(const struct server *server, const char *known_hosts, const char *name, int port, bool fixed)
{
	static char out[65536];
	char *proxy = doc_fmt("ProxyCommand=%s --relay %d", self, server->port), *file = doc_fmt("UserKnownHostsFile=%s", known_hosts), number[16];
	const char *const argv[] = { "ssh", "-F", "none", "-o", proxy, "-o", file, "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes",
		"-o", "BatchMode=yes", "-o", "PreferredAuthentications=none", "-p", number, "-l", "nobody",
		fixed ? "-oHostKeyAlgorithms=" FIXED : "-oHostKeyAlgorithms=-ssh-dss", "--", name, "true", NULL };
	const char *said;

	snprintf(number, sizeof(number), "%d", port);
	run(argv, out, sizeof(out));
	said = strstr(out, "REVOKED HOST KEY") ? "revoked" : strstr(out, "IDENTIFICATION HAS CHANGED") ? "changed" :
	    strstr(out, "host key is known") ? "unknown" : strstr(out, "Permission denied") ? "match" : out;
	free(proxy);
	free(file);
	return said;
}

static const char *
ours(const struct server *server, const char *text, const char *name, int port, bool fixed)
{
	json_t *entries = read_text(text, name, port, NULL);
	enum known_verdict verdict = known_hosts_judge(entries, server->keys, fixed ? FIXED : algorithms, fixed).verdict;

	json_decref(entries);
	return verdict == KNOWN_OTHER_TYPE ? "changed" : verdict == KNOWN_CA ? "unknown" : known_verdict_word(verdict);
}

/* A random file about vm1: each type right, wrong, both or missing, under the full name, without its port, or both; revocations; a CA. */
static void
random_file(const struct server *server, int port, char *ret, size_t size)
{
	char full[32];
	size_t len = 0;

	snprintf(full, sizeof(full), port == 22 ? "vm1" : "[vm1]:%d", port);
	ret[0] = '\0';
	for (int i = 0; i < 3; i++) {
		unsigned form = pick(6);
		const char *name = pick(3) == 0 ? "vm1" : full;

		if (form == 1 || form == 3)
			len += (size_t)snprintf(ret + len, size - len, "%s %s\n", name, server->wrong[i]);
		if (form == 2 || form == 3)
			len += (size_t)snprintf(ret + len, size - len, "%s %s%s\n", name, server->lines[i], pick(2) ? "\r" : "");
		if (form == 4 && pick(2) == 0)
			len += (size_t)snprintf(ret + len, size - len, "@revoked %s %s\n", pick(2) ? "*" : name, server->lines[i]);
	}
	if (pick(4) == 0)
		len += (size_t)snprintf(ret + len, size - len, "@cert-authority %s %s\n", pick(2) ? "*" : full, server->ca);
}

START_TEST(verdicts_are_those_of_the_real_ssh)
{
	struct server server;
	char text[16384], *path;

	make_dir();
	path = in_dir("known_hosts");
	start_server(&server);
	for (int i = 0; i < REFEREE; i++) {
		int port = i % 2 ? 22 : 2200;
		bool fixed = i % 7 == 0;
		const char *we, *ssh;

		random_file(&server, port, text, sizeof(text));
		write_file(path, text);
		we = ours(&server, text, "vm1", port, fixed);
		ssh = referee(&server, path, "VM1", port, fixed);
		ck_assert_msg(strcmp(we, ssh) == 0, "ours %s, ssh's %s, port %d, fixed %d:\n%s", we, ssh, port, fixed, text);
	}
	stop_server(&server);
	free(path);
	remove_dir();
}
END_TEST

static const struct difference {
	const char *before, *hosts, *after;	/* around the server's ED25519 key */
	int port;
	const char *verdict;
} differences[] = {
	{ "", "vm1", "", 2200, "match" },			/* accepted without its port */
	{ "", "[vm1]:22", "", 22, "unknown" },			/* never looked up */
	{ "@cert-authority ", "vm1", "", 22, "unknown" },	/* a plain key is not certified */
	{ "@revoked ", "*", "", 22, "revoked" },
	{ "\xef\xbb\xbf", "vm1", "", 22, "unknown" },		/* a byte order mark hides the first line */
	{ "garbage\n@x y z\n|1|a|b c d\n", "vm1", "\r", 22, "match" },
	{ "", "*,!vm1", "", 22, "unknown" },
	{ "", "VM?", " # c", 22, "match" },
	{ "", "[VM1]:*", "", 2200, "match" },
	{ "vm1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA\n", "[vm1]:2200", "", 2200, "match" },
};

START_TEST(odd_lines_are_judged_as_by_the_real_ssh)
{
	struct server server;
	char text[16384], *path;

	make_dir();
	path = in_dir("known_hosts");
	start_server(&server);
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const struct difference *d = &differences[i];

		snprintf(text, sizeof(text), "%s%s %s%s\n", d->before, d->hosts, server.lines[0], d->after);
		write_file(path, text);
		ck_assert_str_eq(referee(&server, path, "vm1", d->port, false), d->verdict);
		ck_assert_str_eq(ours(&server, text, "vm1", d->port, false), d->verdict);
	}
	stop_server(&server);
	free(path);
	remove_dir();
}
END_TEST

/* The hostkeyalgorithms of `ssh -G`. */
static char *
own_algorithms(void)
{
	const char *const argv[] = { "ssh", "-G", "-F", "none", "--", "vm1", NULL };
	static char out[65536];
	const char *at;

	run(argv, out, sizeof(out));
	at = strstr(out, "\nhostkeyalgorithms ");
	return at != NULL ? strndup(at + 19, strcspn(at + 19, "\n")) : NULL;
}

/* ---- this program as ProxyCommand ---- */

static int
relay(int port)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .fd = connect_port(port), .events = POLLIN } };
	char bytes[16384];

	alarm(20);
	while (fds[1].fd >= 0 && poll(fds, 2, -1) > 0)
		for (int i = 0; i < 2; i++) {
			ssize_t n = fds[i].revents != 0 ? read(fds[i].fd, bytes, sizeof(bytes)) : 0;

			if (fds[i].revents != 0 && (n <= 0 || write(i == 0 ? fds[1].fd : 1, bytes, (size_t)n) != n))
				return 0;
		}
	return 1;
}

static bool
runs(const char *name, const char *option)
{
	const char *const argv[] = { name, option, NULL };
	char out[4096];

	return run(argv, out, sizeof(out)) != 127;
}

static Suite *
known_hosts_suite(void)
{
	Suite *suite = suite_create("known_hosts");
	TCase *pure = tcase_create("lines"), *keygen = tcase_create("ssh-keygen -F"), *real = tcase_create("the real ssh");

	tcase_add_loop_test(pure, names_and_patterns_match_as_in_ssh, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_loop_test(pure, damaged_lines_are_named_and_the_rest_is_read, 0, sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(pure, lines_of_other_kinds_are_no_damage);
	tcase_add_test(pure, the_second_look_is_for_names_without_a_port);
	tcase_add_test(pure, the_same_key_is_found_under_other_names);
	tcase_add_test(pure, types_on_file_are_asked_for_first);
	tcase_add_test(pure, the_collector_reads_regular_files_only);
	suite_add_tcase(suite, pure);
	tcase_set_timeout(keygen, 120);
	tcase_set_timeout(real, 120);
	if (runs("ssh-keygen", "-?"))
		tcase_add_test(keygen, the_corpus_reads_as_ssh_keygen_reads_it);
	else
		printf("# ssh-keygen is not installed: the corpus is not compared with it\n");
	suite_add_tcase(suite, keygen);
	if (runs("ssh", "-V") && runs("dropbear", "-V") && runs("dropbearkey", "-h")) {
		tcase_add_test(real, verdicts_are_those_of_the_real_ssh);
		tcase_add_test(real, odd_lines_are_judged_as_by_the_real_ssh);
	} else {
		printf("# ssh or dropbear is not installed: verdicts are not compared with the real ssh\n");
	}
	suite_add_tcase(suite, real);
	return suite;
}

int
main(int argc, char **argv)
{
	SRunner *runner;

	if (argc == 3 && strcmp(argv[1], "--relay") == 0)
		return relay((int)strtol(argv[2], NULL, 10));
	if (getenv("KNOWN_HOSTS_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("KNOWN_HOSTS_SEED"), NULL, 10);
	self = realpath("/proc/self/exe", NULL);
	algorithms = own_algorithms();
	runner = srunner_create(known_hosts_suite());
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
