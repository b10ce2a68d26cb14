/* The table of ssh's keywords beside the installed ssh and the manual of OpenSSH 9.9. */
#include "checks/keywords.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HAVE_SSH (access("/usr/bin/ssh", X_OK) == 0)

static FILE *
open_list(void)
{
	const char *source = getenv("srcdir");
	char path[512];
	FILE *in;

	snprintf(path, sizeof(path), "%s/tests/data/ssh_config-9.9.txt",
		 source != NULL ? source : ".");
	in = fopen(path, "r");
	ck_assert_ptr_nonnull(in);
	return in;
}

START_TEST(the_words_are_in_order_and_unique)
{
	for (size_t i = 1; i < keyword_count; i++)
		ck_assert_msg(strcmp(keyword_table[i - 1].word, keyword_table[i].word) < 0, "%s",
			      keyword_table[i].word);
	for (size_t i = 0; i < keyword_count; i++) {
		const struct keyword *row = &keyword_table[i];

		ck_assert_msg((row->how == JUDGED) == (row->check != CHECK_NONE), "%s", row->word);
		ck_assert_msg(row->how == UNJUDGED || row->defaults == NULL, "%s", row->word);
	}
}
END_TEST

/* A new keyword of ssh wants a row. */
START_TEST(every_keyword_of_the_manual_has_a_row)
{
	FILE *in = open_list();
	char word[128];
	size_t count = 0;

	while (fgets(word, sizeof(word), in) != NULL) {
		word[strcspn(word, "\n")] = '\0';
		if (word[0] == '#')
			continue;
		count++;
		ck_assert_msg(keyword_find(word) != NULL, "no row for %s", word);
	}
	fclose(in);
	ck_assert_uint_gt(count, 90);
}
END_TEST

/* Rows that the manual of 9.9 does not have are of later versions, or of Debian's patch. */
START_TEST(every_row_is_a_keyword)
{
	static const char *const others[] = { "gssapiclientidentity", "gssapikexalgorithms",
					      "gssapikeyexchange",    "gssapirenewalforcesrekey",
					      "gssapiserveridentity", "gssapitrustdns",
					      "refuseconnection",     "versionaddendum",
					      "warnweakcrypto" };
	char text[8192], mark[128];
	FILE *in = open_list();
	size_t len = fread(text, 1, sizeof(text) - 1, in);

	fclose(in);
	text[len] = '\0';
	for (size_t i = 0; i < keyword_count; i++) {
		bool found = false;

		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			found |= strcmp(others[j], keyword_table[i].word) == 0;
		snprintf(mark, sizeof(mark), "\n%s\n", keyword_table[i].word);
		ck_assert_msg(found || strstr(text, mark) != NULL, "%s is no keyword",
			      keyword_table[i].word);
	}
}
END_TEST

/* What the installed ssh prints has rows; and as it comes nothing of it is told as not judged. */
START_TEST(every_keyword_of_the_installed_ssh_has_a_row)
{
	FILE *in = popen("ssh -G -F none -- host.invalid 2>/dev/null", "r");
	char line[4096];
	size_t count = 0;

	ck_assert_ptr_nonnull(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		char *value = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (value == NULL)
			continue;
		*value++ = '\0';
		count++;
		ck_assert_msg(keyword_find(line) != NULL, "no row for %s", line);
		ck_assert_msg(!keyword_unjudged(line, value), "%s %s is not ssh's own value?", line,
			      value);
	}
	ck_assert_int_eq(pclose(in), 0);
	ck_assert_uint_gt(count, 50);
}
END_TEST

START_TEST(only_what_nothing_judges_is_told)
{
	ck_assert(keyword_unjudged("tunnel", "point-to-point"));
	ck_assert(!keyword_unjudged("tunnel", "false"));
	ck_assert(keyword_unjudged("ipqos", "none none"));
	ck_assert(!keyword_unjudged("ipqos", "af21 cs1"));
	ck_assert(keyword_unjudged("of-the-future", "yes"));
	ck_assert(!keyword_unjudged("visualhostkey", "yes"));
	ck_assert(!keyword_unjudged("proxycommand", "nc %h %p"));
}
END_TEST

static Suite *
keywords_suite(void)
{
	Suite *suite = suite_create("keywords of ssh_config");
	TCase *table = tcase_create("the table");

	tcase_add_test(table, the_words_are_in_order_and_unique);
	tcase_add_test(table, every_keyword_of_the_manual_has_a_row);
	tcase_add_test(table, every_row_is_a_keyword);
	tcase_add_test(table, only_what_nothing_judges_is_told);
	if (HAVE_SSH)
		tcase_add_test(table, every_keyword_of_the_installed_ssh_has_a_row);
	suite_add_tcase(suite, table);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(keywords_suite());

	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
