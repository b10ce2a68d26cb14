/* Addresses, prefixes and sets of them. */
#include "model/prefix.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *prefix, *inside, *outside;
} prefixes[] = {
	{ "10.0.0.5/24", "10.0.0.255", "10.0.1.0" },
	{ "0.0.0.0/0", "255.255.255.255", "::1" },
	{ "::/0", "2001:db8::1", "10.0.0.4" },
	{ "203.0.113.7", "203.0.113.7", "203.0.113.8" },
	{ "203.0.113.7/32", "203.0.113.7", "203.0.113.6" },
	{ "fd00::/8", "fdff::1", "fe00::1" },
	{ "2001:db8::4/128", "2001:db8::4", "2001:db8::5" },
	{ "128.0.0.0/1", "255.0.0.1", "127.255.255.255" },
};

START_TEST(prefixes_hold_what_they_say)
{
	struct ip_range range;
	struct ip in, out;

	ck_assert_int_eq(prefix_parse(prefixes[_i].prefix, &range), 0);
	ck_assert_int_eq(ip_parse(prefixes[_i].inside, &in), 0);
	ck_assert_int_eq(ip_parse(prefixes[_i].outside, &out), 0);
	ck_assert(range_has(&range, in));
	ck_assert(!range_has(&range, out));
}
END_TEST

static const char *const bad_prefixes[] = { "",
					    "/",
					    "10.0.0.0/33",
					    "10.0.0/8",
					    "10.0.0.0/",
					    "10.0.0.0/-1",
					    "10.0.0.0/08",
					    "::/129",
					    "10.0.0.256",
					    "010.0.0.1",
					    "10.0.0.0/8/9",
					    " 10.0.0.1",
					    "10.0.0.1 ",
					    "fe80::1%eth0",
					    "1.2.3.4.5",
					    "x",
					    "10.0.0.1-10.0.0.9" };

START_TEST(nonsense_is_no_prefix)
{
	struct ip_range range;

	ck_assert_int_lt(prefix_parse(bad_prefixes[_i], &range), 0);
	ck_assert_int_lt(prefix_parse(NULL, &range), 0);
}
END_TEST

START_TEST(sets_are_cut_and_joined)
{
	struct ip_set set = { 0 };
	struct ip_range range;
	char text[IP_TEXT_MAX * 2];

	prefix_parse("10.0.0.0/8", &range);
	ip_set_add(&set, &range);
	prefix_parse("10.1.0.0/16", &range);
	ip_set_cut(&set, &range);
	ck_assert_uint_eq(set.count, 2);
	range_format(&set.list[0], text, sizeof(text));
	ck_assert_str_eq(text, "10.0.0.0/16");
	range_format(&set.list[1], text, sizeof(text));
	ck_assert_str_eq(text, "10.2.0.0-10.255.255.255");
	ip_set_add(&set, &range_everything);
	ck_assert_uint_eq(set.count, 1);
	ip_set_free(&set);
}
END_TEST

static const struct {
	const char *ip;
	bool is_public;
} kinds[] = { { "10.0.0.4", false },    { "172.31.0.1", false },
	      { "172.32.0.1", true },   { "192.168.1.1", false },
	      { "100.64.0.1", false },  { "203.0.113.7", true },
	      { "20.51.230.13", true }, { "168.63.129.16", false },
	      { "127.0.0.1", false },   { "169.254.169.254", false },
	      { "2603:1020::1", true }, { "fd00::1", false },
	      { "fe80::1", false },     { "::1", false } };

START_TEST(public_addresses_are_known)
{
	struct ip ip;

	ck_assert_int_eq(ip_parse(kinds[_i].ip, &ip), 0);
	ck_assert_int_eq(ip_is_public(ip), kinds[_i].is_public);
}
END_TEST

START_TEST(kinds_of_addresses_are_told_apart)
{
	ck_assert(ip_text_is("127.8.0.1", IP_LOOPBACK) && ip_text_is("::1", IP_LOOPBACK));
	ck_assert(ip_text_is("::ffff:127.0.0.1", IP_LOOPBACK));
	ck_assert(ip_text_is("100.127.0.1", IP_PRIVATE) && ip_text_is("fdff::1", IP_PRIVATE));
	ck_assert(ip_text_is("168.63.129.16", IP_SPECIAL) && ip_text_is("fe80::1", IP_SPECIAL));
	ck_assert(ip_text_is("203.0.113.7", IP_PUBLIC) && !ip_text_is("vm1", IP_SPECIAL));
	ck_assert(ip_is_text("::") && !ip_is_text("10.0.0.04") && !ip_is_text(NULL));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
	Suite *suite = suite_create("prefixes");
	TCase *tc = tcase_create("prefixes");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tc, prefixes_hold_what_they_say, 0, COUNT(prefixes));
	tcase_add_loop_test(tc, nonsense_is_no_prefix, 0, COUNT(bad_prefixes));
	tcase_add_test(tc, kinds_of_addresses_are_told_apart);
	tcase_add_loop_test(tc, public_addresses_are_known, 0, COUNT(kinds));
	tcase_add_test(tc, sets_are_cut_and_joined);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
