/* codes.def, checks.def and the words of rules/default.yaml fit together. */
#include "checks/checks.h"
#include "facts/doc.h"

#include <check.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const code_idents[] = {
#define CODE(ident, word, check, severity, medium, stops) [CODE_##ident] = #ident,
#include "checks/codes.def"
#undef CODE
};

static const char *const check_idents[] = {
#define CHECK(ident, run, id, title, hop, medium, needs) [CHECK_##ident] = #ident,
#define WORDS(ident, id, hop) [CHECK_##ident] = #ident,
#include "checks/checks.def"
#undef CHECK
#undef WORDS
};

static struct rules *rules;

static void
start(void)
{
	struct err err;

	ck_assert_msg(rules_default(&rules, &err) == 0, "%s", err.text);
}

static void
stop(void)
{
	rules_free(rules);
}

/* "NSG_DENY_NIC" is "nsg-deny-nic". */
static bool
is_word_of(const char *word, const char *ident)
{
	for (; *word != '\0' && *ident != '\0'; word++, ident++)
		if (toupper((unsigned char)*word) != *ident && (*word != '-' || *ident != '_'))
			return false;
	return *word == *ident;
}

START_TEST(a_constant_is_the_word_in_capitals)
{
	for (enum code code = CODE_CUSTOM + 1; code < CODE_COUNT; code++) {
		ck_assert_msg(is_word_of(code_word(code), code_idents[code]), "%s is not %s",
			      code_idents[code], code_word(code));
		ck_assert_msg(code_find(code_word(code)) == code, "%s has two rows",
			      code_word(code));
	}
	for (enum check_id check = CHECK_NONE + 1; check < CHECK_COUNT; check++) {
		ck_assert_msg(is_word_of(check_table[check].id, check_idents[check]),
			      "%s is not %s", check_idents[check], check_table[check].id);
		ck_assert_msg(check_find(check_table[check].id) == check, "%s has two rows",
			      check_table[check].id);
	}
}
END_TEST

START_TEST(a_code_from_warn_on_has_words_under_its_check)
{
	for (enum code code = CODE_CUSTOM + 1; code < CODE_COUNT; code++) {
		const struct code_row *row = &code_table[code];
		bool may_be_silent = row->severity == PASS || row->severity == SKIP;
		const struct code_words *words = rules_code(rules, row->word);

		if (words == NULL)
			ck_assert_msg(may_be_silent || row->check == CHECK_NONE,
				      "%s has no words in default.yaml", row->word);
		else
			ck_assert_msg(doc_same(words->owner, check_table[row->check].id),
				      "%s has its words under %s", row->word, words->owner);
	}
}
END_TEST

START_TEST(words_belong_to_a_code_with_a_row)
{
	size_t count;
	const struct rule *all = rules_all(rules, &count);

	for (size_t i = 0; i < count; i++) {
		ck_assert_msg(check_find(all[i].id) != CHECK_NONE, "%s has no row in checks.def",
			      all[i].id);
		for (size_t j = 0; j < all[i].code_count; j++)
			ck_assert_msg(code_find(all[i].codes[j].code) != CODE_CUSTOM,
				      "%s has no row in codes.def", all[i].codes[j].code);
	}
	for (enum check_id check = CHECK_NONE + 1; check < CHECK_COUNT; check++)
		ck_assert_msg(rules_for(rules, check_table[check].id).evidence != NULL,
			      "%s has no entry in default.yaml", check_table[check].id);
}
END_TEST

/* Codes of earlier versions: reports and waivers of that time name them. */
START_TEST(a_retired_code_is_not_used_again)
{
	static const char *const retired[] = { "nsg-nonsense", "jit-nonsense", "route-nonsense" };

	for (size_t i = 0; i < sizeof(retired) / sizeof(*retired); i++)
		ck_assert_msg(code_find(retired[i]) == CODE_CUSTOM, "%s is back", retired[i]);
}
END_TEST

static const int causes[] = {
#define ALL(check) CODE_CUSTOM
#define CAUSE(cause, ...) cause,
#include "checks/causes.def"
#undef CAUSE
#undef ALL
};

START_TEST(only_a_code_that_can_fail_stops_or_causes_anything)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		ck_assert_msg(causes[i] == CODE_CUSTOM || code_table[causes[i]].severity == FAIL,
			      "%s never fails and is a cause", code_table[causes[i]].word);
	for (enum code code = CODE_CUSTOM + 1; code < CODE_COUNT; code++)
		ck_assert_msg(code_table[code].stops == CHECK_NONE ||
				  code_table[code].severity == FAIL,
			      "%s never fails and stops %s", code_table[code].word,
			      check_table[code_table[code].stops].id);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tables");
	TCase *tcase = tcase_create("tables");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_constant_is_the_word_in_capitals);
	tcase_add_test(tcase, a_code_from_warn_on_has_words_under_its_check);
	tcase_add_test(tcase, a_retired_code_is_not_used_again);
	tcase_add_test(tcase, words_belong_to_a_code_with_a_row);
	tcase_add_test(tcase, only_a_code_that_can_fail_stops_or_causes_anything);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
