/* known_hosts: our verdicts against those of the real ssh, which speaks to a server on loopback
 * through this program as its ProxyCommand. */
#include "tests/unit/model/known_lib.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REFEREE = 48 };

static const char *self; /* path of this program: it relays for ssh */

#define FIXED "rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256"

static char *algorithms; /* the installed ssh's own */

static const char *const server_types[] = { "ed25519", "ecdsa", "rsa" };

struct server {
	pid_t pid;
	int port;
	json_t *keys;                   /* {"type","public"} as the check sees them */
	char *lines[3], *wrong[3], *ca; /* "type base64" */
};

/* The "type base64" line of `dropbearkey -y`. */
static char *
public_line(const char *file)
{
	const char *const argv[] = { "dropbearkey", "-y", "-f", file, NULL };
	char out[8192], *at, *end;

	known_run(argv, out, sizeof(out));
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
	char *path = known_path(name), out[8192], *line;
	const char *const argv[] = { "dropbearkey", "-t", type, "-f", path, NULL };

	ck_assert_int_eq(known_run(argv, out, sizeof(out)), 0);
	line = public_line(path);
	ck_assert_ptr_nonnull(line);
	free(path);
	return line;
}

static int
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
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
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
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
		char name[24];

		snprintf(name, sizeof(name), "key%d", i);
		server->lines[i] = make_key(server_types[i], name);
		files[i] = known_path(name);
		snprintf(name, sizeof(name), "wrong%d", i);
		server->wrong[i] = make_key(server_types[i], name);
		json_array_append_new(
		    server->keys,
		    json_pack("{s:o, s:s}", "type",
			      doc_text(server->lines[i], strcspn(server->lines[i], " ")), "public",
			      strchr(server->lines[i], ' ') + 1));
	}
	server->ca = make_key("ed25519", "ca");
	snprintf(listen_at, sizeof(listen_at), "127.0.0.1:%d", server->port);
	if ((server->pid = fork()) == 0) {
		alarm(120);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		execlp("dropbear", "dropbear", "-F", "-E", "-p", listen_at, "-r", files[0], "-r",
		       files[1], "-r", files[2], NULL);
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
referee(const struct server *server, const char *known_hosts, const char *name, int port,
	bool fixed)
{
	static char out[65536];
	char *proxy = doc_fmt("ProxyCommand=%s --relay %d", self, server->port),
	     *file = doc_fmt("UserKnownHostsFile=%s", known_hosts), number[16];
	const char *const argv[] = { "ssh",
				     "-F",
				     "none",
				     "-o",
				     proxy,
				     "-o",
				     file,
				     "-o",
				     "GlobalKnownHostsFile=none",
				     "-o",
				     "StrictHostKeyChecking=yes",
				     "-o",
				     "BatchMode=yes",
				     "-o",
				     "PreferredAuthentications=none",
				     "-p",
				     number,
				     "-l",
				     "nobody",
				     fixed ? "-oHostKeyAlgorithms=" FIXED
					   : "-oHostKeyAlgorithms=-ssh-dss",
				     "--",
				     name,
				     "true",
				     NULL };
	const char *said;

	snprintf(number, sizeof(number), "%d", port);
	known_run(argv, out, sizeof(out));
	said = strstr(out, "REVOKED HOST KEY")             ? "revoked"
	       : strstr(out, "IDENTIFICATION HAS CHANGED") ? "changed"
	       : strstr(out, "host key is known")          ? "unknown"
	       : strstr(out, "Permission denied")          ? "match"
							   : out;
	free(proxy);
	free(file);
	return said;
}

static const char *
ours(const struct server *server, const char *text, const char *name, int port, bool fixed)
{
	json_t *entries = known_read(text, name, port, NULL);
	json_t *shown = json_pack("{s:O}", "keys", server->keys);
	struct known_section section = known_section(entries);
	struct fact_host_key host_key;
	enum known_verdict verdict;

	fact_read(shown, shape_of_host_key(), &host_key);
	verdict =
	    known_hosts_judge(&section.known, &host_key, fixed ? FIXED : algorithms, fixed).verdict;
	fact_free(shape_of_host_key(), &host_key);
	known_section_free(&section);
	json_decref(shown);
	json_decref(entries);
	return verdict == KNOWN_OTHER_TYPE ? "changed"
	       : verdict == KNOWN_CA       ? "unknown"
					   : known_verdict_word(verdict);
}

/* A random file about vm1: each type right, wrong, both or missing, under the full name, without
 * its port, or both; revocations; a CA. */
static void
random_file(const struct server *server, int port, char *ret, size_t size)
{
	char full[32];
	size_t len = 0;

	snprintf(full, sizeof(full), port == 22 ? "vm1" : "[vm1]:%d", port);
	ret[0] = '\0';
	for (int i = 0; i < 3; i++) {
		unsigned form = known_pick(6);
		const char *name = known_pick(3) == 0 ? "vm1" : full;

		if (form == 1 || form == 3)
			len += (size_t)snprintf(ret + len, size - len, "%s %s\n", name,
						server->wrong[i]);
		if (form == 2 || form == 3)
			len += (size_t)snprintf(ret + len, size - len, "%s %s%s\n", name,
						server->lines[i], known_pick(2) ? "\r" : "");
		if (form == 4 && known_pick(2) == 0)
			len += (size_t)snprintf(ret + len, size - len, "@revoked %s %s\n",
						known_pick(2) ? "*" : name, server->lines[i]);
	}
	if (known_pick(4) == 0)
		len += (size_t)snprintf(ret + len, size - len, "@cert-authority %s %s\n",
					known_pick(2) ? "*" : full, server->ca);
}

START_TEST(verdicts_are_those_of_the_real_ssh)
{
	struct server server;
	char text[16384], *path;

	known_folder();
	path = known_path("known_hosts");
	start_server(&server);
	for (int i = 0; i < REFEREE; i++) {
		int port = i % 2 ? 22 : 2200;
		bool fixed = i % 7 == 0;
		const char *we, *ssh;

		random_file(&server, port, text, sizeof(text));
		known_write(path, text);
		we = ours(&server, text, "vm1", port, fixed);
		ssh = referee(&server, path, "VM1", port, fixed);
		ck_assert_msg(strcmp(we, ssh) == 0, "ours %s, ssh's %s, port %d, fixed %d:\n%s", we,
			      ssh, port, fixed, text);
	}
	stop_server(&server);
	free(path);
	known_folder_remove();
}
END_TEST

static const struct difference {
	const char *before, *hosts, *after; /* around the server's ED25519 key */
	int port;
	const char *verdict;
} differences[] = {
	{ "", "vm1", "", 2200, "match" },                 /* accepted without its port */
	{ "", "[vm1]:22", "", 22, "unknown" },            /* never looked up */
	{ "@cert-authority ", "vm1", "", 22, "unknown" }, /* a plain key is not certified */
	{ "@revoked ", "*", "", 22, "revoked" },
	{ "\xef\xbb\xbf", "vm1", "", 22, "unknown" }, /* a byte order mark hides the first line */
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

	known_folder();
	path = known_path("known_hosts");
	start_server(&server);
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const struct difference *d = &differences[i];

		snprintf(text, sizeof(text), "%s%s %s%s\n", d->before, d->hosts, server.lines[0],
			 d->after);
		known_write(path, text);
		ck_assert_str_eq(referee(&server, path, "vm1", d->port, false), d->verdict);
		ck_assert_str_eq(ours(&server, text, "vm1", d->port, false), d->verdict);
	}
	stop_server(&server);
	free(path);
	known_folder_remove();
}
END_TEST

/* The hostkeyalgorithms of `ssh -G`. */
static char *
own_algorithms(void)
{
	const char *const argv[] = { "ssh", "-G", "-F", "none", "--", "vm1", NULL };
	static char out[65536];
	const char *at;

	known_run(argv, out, sizeof(out));
	at = strstr(out, "\nhostkeyalgorithms ");
	return at != NULL ? strndup(at + 19, strcspn(at + 19, "\n")) : NULL;
}

/* ---- this program as ProxyCommand ---- */

static int
relay(int port)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN },
				 { .fd = connect_port(port), .events = POLLIN } };
	char bytes[16384];

	alarm(20);
	while (fds[1].fd >= 0 && poll(fds, 2, -1) > 0)
		for (int i = 0; i < 2; i++) {
			ssize_t n = fds[i].revents != 0 ? read(fds[i].fd, bytes, sizeof(bytes)) : 0;

			if (fds[i].revents != 0 &&
			    (n <= 0 || write(i == 0 ? fds[1].fd : 1, bytes, (size_t)n) != n))
				return 0;
		}
	return 1;
}

static Suite *
known_real_suite(void)
{
	Suite *suite = suite_create("known_hosts and the real ssh");
	TCase *real = tcase_create("the real ssh");

	tcase_set_timeout(real, 120);
	if (known_runs("ssh", "-V") && known_runs("dropbear", "-V") &&
	    known_runs("dropbearkey", "-h")) {
		tcase_add_test(real, verdicts_are_those_of_the_real_ssh);
		tcase_add_test(real, odd_lines_are_judged_as_by_the_real_ssh);
	} else {
		printf("# ssh or dropbear is not installed: verdicts are not compared with the "
		       "real ssh\n");
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
	known_seed();
	self = realpath("/proc/self/exe", NULL);
	algorithms = own_algorithms();
	runner = srunner_create(known_real_suite());
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
