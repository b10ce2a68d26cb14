/* What the script of --guest prints, and what follows from it. */
#include "model/guest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- the output ---- */

static void
parse(const char *text, struct fact_guest *ret, json_t **section)
{
	*section = json_pack("{s:s}", "state", "known");
	ck_assert(guest_parse(text, *section));
	fact_read(*section, shape_of_guest(), ret);
}

START_TEST(facts_are_read)
{
	static const char text[] =
	    "Enable succeeded: \n[stdout]\nazssh-doctor begin\nos debian 12\ndisk 93 1024 4 ro "
	    "/var\n"
	    "sshd /usr/sbin/sshd OpenSSH_9.2\nlisten [::]:22 sshd\nset allowusers bob\n"
	    "set forcecommand /bin/a b\naccount 1000 1000 /home/a b\nshell runs /bin/bash\n"
	    "shadow locked 19700 99999 - 20000 20787\ngroups a b\n"
	    "file 1 0 -rw-r--r-- /home/a b/.ssh/authorized_keys\nlines 1 3 2 2 base64\n"
	    "key 1 1 line 3 from=\"10.0.0.0/8\" ssh-ed25519\npath 0 drwxrwxr-x /home/a b/.ssh\n"
	    "log Failed x\nbefore Failed y\nazssh-doctor end\n[stderr]\n";
	struct fact_guest guest;
	json_t *section;

	parse(text, &guest, &section);
	ck_assert(guest.whole);
	ck_assert_str_eq(guest.os, "debian 12");
	ck_assert_int_eq(guest.disks[0].used, 93);
	ck_assert(guest.disks[0].read_only);
	ck_assert_str_eq(guest.listen[0].address, "[::]");
	ck_assert_int_eq(guest.listen[0].port, 22);
	ck_assert_str_eq(guest_setting(&guest, "forcecommand"), "/bin/a b");
	ck_assert_ptr_null(guest_setting(&guest, "chrootdirectory"));
	ck_assert_int_eq(guest.account.exists, FACT_YES);
	ck_assert_str_eq(guest.account.home, "/home/a b");
	ck_assert_int_eq(guest.account.expires, 20000);
	ck_assert_int_eq(guest.account.inactive, -1);
	ck_assert_int_eq((int)guest.account.groups_count, 2);
	ck_assert_int_eq(guest.files[0].owner, 0);
	ck_assert_str_eq(guest.files[0].bad, "2 base64");
	ck_assert_str_eq(guest.found[0].before, "from=\"10.0.0.0/8\" ssh-ed25519");
	ck_assert_str_eq(guest.log[0], "Failed x");
	ck_assert_str_eq(guest.before[0], "Failed y");
	fact_free(shape_of_guest(), &guest);
	json_decref(section);
}
END_TEST

START_TEST(a_cut_output_counts_from_its_first_whole_line)
{
	struct fact_guest guest;
	json_t *section;

	parse("account none\nlog x\nazssh-doctor end", &guest, &section);
	ck_assert(!guest.whole);
	ck_assert_int_eq(guest.account.exists, FACT_MAYBE);
	ck_assert_str_eq(guest.log[0], "x");
	fact_free(shape_of_guest(), &guest);
	json_decref(section);
}
END_TEST

static const char *const no_output[] = { "", "azssh-doctor begin\nlog x\n", "sh: 1: not found" };

START_TEST(without_the_end_mark_there_is_no_output)
{
	json_t *section = json_object();

	ck_assert(!guest_parse(no_output[_i], section));
	json_decref(section);
}
END_TEST

/* ---- modes ---- */

static const struct {
	const char *mode, *octal;
	json_int_t owner;
	bool unsafe;
} modes[] = {
	{ "drwxr-xr-x", "0755", 1000, false }, { "drwxrwxr-x", "0775", 1000, true },
	{ "-rw-rw-rw-", "0666", 1000, true },  { "drwxr-xr-x", "0755", 0, false },
	{ "drwxr-xr-x", "0755", 1234, true },  { "drwxrwxrwt+", "1777", 0, true },
	{ "-rwsr-sr-x.", "6755", 0, false },   { "d---------", "0000", 1000, false },
};

START_TEST(modes_are_judged_as_strict_modes_does)
{
	char octal[5];

	guest_mode_octal(modes[_i].mode, octal);
	ck_assert_str_eq(octal, modes[_i].octal);
	ck_assert_int_eq(guest_mode_unsafe(modes[_i].mode, modes[_i].owner, 1000),
			 modes[_i].unsafe);
}
END_TEST

/* ---- options ---- */

static const struct {
	const char *before, *source;
	enum guest_option what;
} options[] = {
	{ "ssh-ed25519 ", "203.0.113.7", GUEST_OPTION_FINE },
	{ "restrict,pty,command=\"a \\\"b\\\", c\" ssh-ed25519 ", "203.0.113.7",
	  GUEST_OPTION_FINE },
	{ "from=\"203.0.113.0/24\" ssh-ed25519 ", "203.0.113.7", GUEST_OPTION_FINE },
	{ "from=\"10.*,203.0.113.?\" ssh-ed25519 ", "203.0.113.7", GUEST_OPTION_FINE },
	{ "from=\"10.0.0.0/8\" ssh-ed25519 ", "203.0.113.7", GUEST_OPTION_FROM },
	{ "from=\"*,!203.0.113.7\" ssh-ed25519 ", "203.0.113.7", GUEST_OPTION_FROM },
	{ "from=\"10.0.0.0/8,home.example.com\" ssh-ed25519 ", "203.0.113.7", GUEST_OPTION_FINE },
	{ "from=\"10.0.0.0/8\" ssh-ed25519 ", NULL, GUEST_OPTION_FINE },
	{ "expiry-time=\"20200101\" ssh-ed25519 ", NULL, GUEST_OPTION_EXPIRED },
	{ "expiry-time=\"203801010000Z\" ssh-ed25519 ", NULL, GUEST_OPTION_FINE },
	{ "cert-authority ssh-ed25519 ", NULL, GUEST_OPTION_CA },
	{ "no-pty,no-such ssh-ed25519 ", NULL, GUEST_OPTION_UNKNOWN },
	{ "command=\"unclosed ssh-ed25519 ", NULL, GUEST_OPTION_UNKNOWN },
	{ "from ssh-ed25519 ", NULL, GUEST_OPTION_UNKNOWN },
	{ "ssh-rsa ", NULL, GUEST_OPTION_TYPE },
	{ "", NULL, GUEST_OPTION_TYPE },
};

START_TEST(options_are_judged_as_sshd_does)
{
	struct guest_options got;

	guest_options_judge(options[_i].before, "ssh-ed25519", options[_i].source, 1796059110,
			    &got);
	ck_assert_int_eq(got.what, options[_i].what);
}
END_TEST

/* ---- the packet filter ---- */

static const struct {
	const char *lines[8], *source;
	enum guest_verdict verdict;
} filters[] = {
	{ { NULL }, "203.0.113.7", GUEST_OPEN },
	{ { "nft chain inet f input", "nft tcp dport 22 drop", "nft policy accept" },
	  NULL,
	  GUEST_SHUT },
	{ { "nft chain inet f input", "nft tcp dport { 80, 443 } accept", "nft policy drop" },
	  NULL,
	  GUEST_SHUT },
	{ { "nft chain inet f input", "nft tcp dport { 20-30, 443 } accept", "nft policy drop" },
	  NULL,
	  GUEST_OPEN },
	{ { "nft chain inet f input", "nft ct state established,related accept",
	    "nft tcp dport != 22 accept", "nft policy drop" },
	  NULL,
	  GUEST_SHUT },
	{ { "nft chain inet f input", "nft ip saddr 203.0.113.0/24 tcp dport 22 reject" },
	  "203.0.113.7",
	  GUEST_SHUT },
	{ { "nft chain inet f input", "nft ip saddr 203.0.113.0/24 tcp dport 22 reject" },
	  "198.51.100.1",
	  GUEST_OPEN },
	{ { "nft chain inet f input", "nft ip saddr @friends accept", "nft policy drop" },
	  "203.0.113.7",
	  GUEST_UNSURE },
	{ { "nft chain inet f input", "nft iifname \"lo\" accept", "nft meta mark 7 drop",
	    "nft policy accept" },
	  NULL,
	  GUEST_OPEN },
	{ { "nft chain inet a input", "nft tcp dport 22 accept", "nft policy accept",
	    "nft chain inet b input", "nft tcp dport ssh drop" },
	  NULL,
	  GUEST_SHUT },
	{ { "iptables -P INPUT DROP", "iptables -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT" },
	  NULL,
	  GUEST_OPEN },
	{ { "iptables -P INPUT DROP",
	    "iptables -A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT" },
	  NULL,
	  GUEST_SHUT },
	{ { "iptables -P INPUT ACCEPT", "iptables -A INPUT -s 203.0.113.7/32 -p tcp -j DROP" },
	  "203.0.113.7",
	  GUEST_SHUT },
	{ { "iptables -P INPUT ACCEPT", "iptables -A INPUT ! -s 203.0.113.7/32 -j DROP" },
	  "203.0.113.7",
	  GUEST_OPEN },
	{ { "ufw Default: deny (incoming), allow (outgoing)", "ufw 80/tcp ALLOW IN Anywhere" },
	  NULL,
	  GUEST_SHUT },
	{ { "ufw Default: deny (incoming)", "ufw 22/tcp LIMIT IN Anywhere" }, NULL, GUEST_OPEN },
	{ { "ufw Default: deny (incoming)", "ufw 22 ALLOW IN 10.0.0.0/8" },
	  "203.0.113.7",
	  GUEST_SHUT },
	{ { "ufw Default: allow (incoming)", "ufw 22/tcp DENY IN Anywhere" }, NULL, GUEST_SHUT },
	{ { "firewalld zone public target=default;services=ssh http;ports=;" }, NULL, GUEST_OPEN },
	{ { "firewalld zone public target=default;services=http;ports=22/tcp;" },
	  NULL,
	  GUEST_OPEN },
	{ { "firewalld zone public target=default;services=http;ports=8080/tcp;" },
	  NULL,
	  GUEST_SHUT },
	{ { "firewalld zone public target=default;services=;rule family=\"ipv4\";" },
	  NULL,
	  GUEST_UNSURE },
	{ { "firewalld zone trusted target=ACCEPT;services=;" }, NULL, GUEST_OPEN },
};

START_TEST(filters_are_judged)
{
	struct fact_guest guest = { .port = 22,
				    .source = filters[_i].source,
				    .firewall = filters[_i].lines };
	struct guest_filter got;

	while (guest.firewall_count < 8 && filters[_i].lines[guest.firewall_count] != NULL)
		guest.firewall_count++;
	guest_filter_judge(&guest, &got);
	ck_assert_int_eq(got.verdict, filters[_i].verdict);
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof(*(table)))

int
main(void)
{
	Suite *suite = suite_create("guest");
	TCase *tcase = tcase_create("guest");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, facts_are_read);
	tcase_add_test(tcase, a_cut_output_counts_from_its_first_whole_line);
	LOOP(without_the_end_mark_there_is_no_output, no_output);
	LOOP(modes_are_judged_as_strict_modes_does, modes);
	LOOP(options_are_judged_as_sshd_does, options);
	LOOP(filters_are_judged, filters);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
