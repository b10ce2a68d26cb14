/* How far ssh got, from what OpenSSH 9.2 really wrote. */
#include "ssh/probe/rehearsal_log.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELLO "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026\n"
#define CONNECTS HELLO "debug1: Connecting to 127.0.0.1 [127.0.0.1] port 2222.\n"
#define READS_KEYS CONNECTS "debug1: Connection established.\n"
#define CONNECTED                                                                                  \
	READS_KEYS                                                                                 \
	"debug1: Local version string SSH-2.0-OpenSSH_9.2p1\n"
#define GREETED                                                                                    \
	CONNECTED "debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1\n"
#define CHOSEN                                                                                     \
	GREETED "debug1: SSH2_MSG_KEXINIT sent\n"                                                  \
		"debug1: SSH2_MSG_KEXINIT received\n"                                              \
		"debug1: kex: algorithm: sntrup761x25519-sha512\n"                                 \
		"debug1: expecting SSH2_MSG_KEX_ECDH_REPLY\n"
#define SHOWN                                                                                      \
	CHOSEN "debug1: SSH2_MSG_KEX_ECDH_REPLY received\n"                                        \
	       "debug1: Server host key: ssh-ed25519 SHA256:abc\n"
#define KEYED SHOWN "debug1: SSH2_MSG_NEWKEYS received\n"
#define PROXIED                                                                                    \
	HELLO "debug1: Executing proxy command: exec nosuch 127.0.0.1 2222\n"                      \
	      "debug1: Local version string SSH-2.0-OpenSSH_9.2p1\n"
#define ENDED                                                                                      \
	"kex_exchange_identification: Connection closed by remote host\n"                          \
	"Connection closed by UNKNOWN port 65535\n"
#define NASTY                                                                                      \
	"@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"                            \
	"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"                            \
	"@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"                            \
	"Offending ED25519 key in /home/me/.ssh/known_hosts:1\n"                                   \
	"Host key for vm has changed and you have requested strict checking.\n"                    \
	"Host key verification failed.\n"

static const struct row {
	const char *log, *errors;
	bool hung;
	enum rehearsal_stage reached;
	enum rehearsal_fault fault;
	const char *message;
} rows[] = {
	{ KEYED "debug1: Authentications that can continue: publickey,password\n"
		"debug1: No more authentication methods to try.\n"
		"me@vm: Permission denied (publickey,password).\n",
	  "", false, REHEARSAL_AUTH, FAULT_UNTOLD,
	  "Authentications that can continue: publickey,password" },
	{ HELLO "ControlPath too long ('/home/me/.ssh/aaa' >= 108 bytes)\n", "", false,
	  REHEARSAL_CONFIG, FAULT_CONTROL_PATH,
	  "ControlPath too long ('/home/me/.ssh/aaa' >= 108 bytes)" },
	{ "", "ssh: error while loading shared libraries: libcrypto.so.3: cannot open\n", false,
	  REHEARSAL_CONFIG, FAULT_PROGRAM_BROKEN,
	  "ssh: error while loading shared libraries: libcrypto.so.3: cannot open" },
	{ "", "OpenSSL version mismatch. Built against 30000020, you have 30200010\n", false,
	  REHEARSAL_CONFIG, FAULT_PROGRAM_BROKEN,
	  "OpenSSL version mismatch. Built against 30000020, you have 30200010" },
	{ "", "", true, REHEARSAL_CONFIG, FAULT_UNTOLD, "" },
	{ CONNECTS "bind 10.8.0.2: Cannot assign requested address\n"
		   "ssh: connect to host 127.0.0.1 port 2222: failure\n",
	  "", false, REHEARSAL_TCP, FAULT_BIND_ADDRESS,
	  "ssh: connect to host 127.0.0.1 port 2222: failure" },
	{ CONNECTS "debug1: connect to address 127.0.0.1 port 2222: Connection refused\n"
		   "ssh: connect to host 127.0.0.1 port 2222: Connection refused\n",
	  "", false, REHEARSAL_TCP, FAULT_REFUSED,
	  "ssh: connect to host 127.0.0.1 port 2222: Connection refused" },
	{ HELLO "ssh: Could not resolve hostname vm: Name or service not known\n", "", false,
	  REHEARSAL_TCP, FAULT_NOT_RESOLVED,
	  "ssh: Could not resolve hostname vm: Name or service not known" },
	{ READS_KEYS, "", true, REHEARSAL_CONFIG, FAULT_KEY_FILE, "Connection established." },
	{ READS_KEYS "debug1: identity file /home/me/k type -1\n"
		     "vdollar_percent_expand: unknown key %q\n",
	  "", false, REHEARSAL_CONFIG, FAULT_KEY_FILE, "vdollar_percent_expand: unknown key %q" },
	{ CONNECTED ENDED, "", false, REHEARSAL_BANNER, FAULT_CLOSED,
	  "kex_exchange_identification: Connection closed by remote host" },
	{ CONNECTED "Connection timed out during banner exchange\n"
		    "Connection to 127.0.0.1 port 2222 timed out\n",
	  "", false, REHEARSAL_BANNER, FAULT_SILENT,
	  "Connection to 127.0.0.1 port 2222 timed out" },
	{ CHOSEN, "", true, REHEARSAL_KEX, FAULT_UNTOLD, "expecting SSH2_MSG_KEX_ECDH_REPLY" },
	{ GREETED "Unable to negotiate with 10.0.0.4 port 22: no matching key exchange method "
		  "found. Their offer: diffie-hellman-group1-sha1\n",
	  "", false, REHEARSAL_KEX, FAULT_NO_COMMON,
	  "Unable to negotiate with 10.0.0.4 port 22: no matching key exchange method found. "
	  "Their offer: diffie-hellman-group1-sha1" },
	{ GREETED "Bad packet length 1231976033.\n"
		  "ssh_dispatch_run_fatal: Connection to 10.0.0.4 port 22: Connection corrupted\n",
	  "", false, REHEARSAL_KEX, FAULT_GARBAGE,
	  "ssh_dispatch_run_fatal: Connection to 10.0.0.4 port 22: Connection corrupted" },
	{ SHOWN "Host key verification failed.\n", "", false, REHEARSAL_HOST_KEY, FAULT_WOULD_ASK,
	  "Host key verification failed." },
	{ SHOWN "No ED25519 host key is known for vm and you have requested strict checking.\n"
		"Host key verification failed.\n",
	  "", false, REHEARSAL_HOST_KEY, FAULT_KEY_UNKNOWN, "Host key verification failed." },
	{ SHOWN NASTY, "", false, REHEARSAL_HOST_KEY, FAULT_KEY_CHANGED,
	  "Host key verification failed." },
	{ SHOWN "Warning: the ED25519 host key for 'vm' differs from the key for the IP address "
		"'10.0.0.4'\n"
		"Offending key for IP in /home/me/.ssh/known_hosts:2\n"
		"Exiting, you have requested strict checking.\n"
		"Host key verification failed.\n",
	  "", false, REHEARSAL_HOST_KEY, FAULT_KEY_OF_ADDRESS, "Host key verification failed." },
	{ SHOWN "KnownHostsCommand-ORDER /bin/false failed, status 1\nKnownHostsCommand failed\n",
	  "", false, REHEARSAL_HOST_KEY, FAULT_HOSTS_COMMAND, "KnownHostsCommand failed" },
	{ KEYED "Connection closed by 10.0.0.4 port 22\n", "", false, REHEARSAL_AUTH, FAULT_UNTOLD,
	  "Connection closed by 10.0.0.4 port 22" },
	{ KEYED, "", true, REHEARSAL_AUTH, FAULT_UNTOLD, "SSH2_MSG_NEWKEYS received" },
	/* a proxy: its own words come first, and what it says is no word of ssh's log */
	{ PROXIED ENDED, "/bin/sh: 1: exec: nosuch: not found\n", false, REHEARSAL_PROXY,
	  FAULT_CLOSED, "/bin/sh: 1: exec: nosuch: not found" },
	{ PROXIED ENDED, "", false, REHEARSAL_PROXY, FAULT_CLOSED,
	  "kex_exchange_identification: Connection closed by remote host" },
	{ PROXIED,
	  "debug1: SSH2_MSG_NEWKEYS received\n"
	  "debug1: Authentications that can continue: publickey\n",
	  true, REHEARSAL_PROXY, FAULT_UNTOLD, "Local version string SSH-2.0-OpenSSH_9.2p1" },
	{ PROXIED "debug1: Remote protocol version 2.0, remote software version x\n", "", true,
	  REHEARSAL_KEX, FAULT_UNTOLD, "Remote protocol version 2.0, remote software version x" },
};

START_TEST(the_log_says_where_ssh_stopped)
{
	const struct row *row = &rows[_i];
	struct rehearsal_log read;

	rehearsal_log_read(&(const struct rehearsal_output){ .log = row->log,
							     .errors = row->errors,
							     .hung = row->hung },
			   &read);
	ck_assert_int_eq(read.reached, row->reached);
	ck_assert_int_eq(read.fault, row->fault);
	ck_assert_str_eq(read.message, row->message);
	ck_assert_int_eq(read.through, _i == 0);
	ck_assert(!read.admitted && !read.master);
}
END_TEST

START_TEST(a_server_that_wants_no_proof_is_seen_at_once)
{
	static const char *const logs[] = { KEYED
					    "Authenticated to vm ([10.0.0.4]:22) using \"none\".\n",
					    KEYED "debug1: Authentication succeeded (none).\n" };
	struct rehearsal_log read;

	for (size_t i = 0; i < 2; i++) {
		ck_assert(rehearsal_log_admitted(logs[i]));
		rehearsal_log_read(&(const struct rehearsal_output){ .log = logs[i], .errors = "" },
				   &read);
		ck_assert(read.admitted && read.through);
		ck_assert_int_eq(read.reached, REHEARSAL_AUTH);
	}
	ck_assert(!rehearsal_log_admitted(KEYED));
}
END_TEST

START_TEST(a_running_master_is_a_way_in)
{
	struct rehearsal_log read;

	rehearsal_log_read(
	    &(const struct rehearsal_output){ .log = HELLO,
					      .errors = "Master running (pid=18)\r\n" },
	    &read);
	ck_assert(read.master && read.through);
	ck_assert_int_eq(read.reached, REHEARSAL_AUTH);
	ck_assert_str_eq(read.message, "Master running (pid=18)");
	/* a proxy may write what it likes */
	rehearsal_log_read(
	    &(const struct rehearsal_output){ .log = PROXIED,
					      .errors = "Master running (pid=18)\n" },
	    &read);
	ck_assert(!read.master && !read.through);
}
END_TEST

START_TEST(what_ssh_chose_is_kept)
{
	struct rehearsal_log read;

	rehearsal_log_read(
	    &(const struct rehearsal_output){ .log = SHOWN, .errors = "", .hung = true }, &read);
	ck_assert_str_eq(read.kex, "sntrup761x25519-sha512");
	ck_assert_str_eq(read.host_key, "ssh-ed25519 SHA256:abc");
	ck_assert_str_eq(read.methods, "");
}
END_TEST

START_TEST(long_lines_are_cut)
{
	char log[2000];
	struct rehearsal_log read;

	memset(log, 'x', sizeof(log));
	log[sizeof(log) - 1] = '\0';
	rehearsal_log_read(&(const struct rehearsal_output){ .log = log, .errors = log }, &read);
	ck_assert_uint_eq(strlen(read.message), SSH_LOG_LINE - 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rehearsal");
	TCase *tcase = tcase_create("log");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tcase, the_log_says_where_ssh_stopped, 0,
			    (int)(sizeof(rows) / sizeof(*rows)));
	tcase_add_test(tcase, a_server_that_wants_no_proof_is_seen_at_once);
	tcase_add_test(tcase, a_running_master_is_a_way_in);
	tcase_add_test(tcase, what_ssh_chose_is_kept);
	tcase_add_test(tcase, long_lines_are_cut);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
