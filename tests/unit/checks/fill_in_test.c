/* The words of a finding: which remedy comes first. */
#include "checks/finding.h"
#include "facts/doc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char rule_text[] =
    "version: 1\nchecks:\n  tcp:\n    codes:\n      tcp-timeout:\n"
    "        title: t\n        why: w\n        remedies:\n"
    "          - {dialect: az, title: 'Open the port (1 of 2)', text: 'az one', changes: azure}\n"
    "          - {dialect: az, title: 'Open the port (2 of 2)', text: 'az two', changes: azure}\n"
    "          - {dialect: portal, title: Look there, text: 'Open it', changes: nothing}\n"
    "          - {dialect: shell, title: 'Or mend it here', text: 'chmod x', changes: "
    "this-computer}\n"
    "          - {dialect: az, title: 'Or see what listens', text: 'az look', changes: nothing}\n"
    "          - {dialect: shell, title: Look again, text: 'azssh-doctor --guest vm', changes: "
    "nothing}\n"
    "      sshd-refused:\n        title: t\n        why: w\n        remedies:\n"
    "          - {dialect: shell, title: 'Or mend it', text: 'chmod x', changes: this-computer}\n";

/* The commands in their order, with commas between. */
static char *
ordered(enum code code, enum status status, enum confidence confidence, char **first)
{
	static const char *const dialects[] = { "az", "portal", NULL };
	struct rules *rules;
	struct finding finding;
	struct err err = { "" };
	json_t *list = json_array();
	char *text;

	ck_assert_int_eq(rules_text(&rules, "t", rule_text, strlen(rule_text), &err), 0);
	finding_init(&finding, "tcp");
	finding_set(&finding, status, code, "s");
	finding.confidence = confidence;
	ck_assert_int_eq(finding_fill_in(&finding, rules, NULL, dialects), 0);
	for (size_t i = 0; i < finding.remedies.count; i++)
		doc_append_str(list, finding.remedies.at[i].command);
	*first = strdup(finding.remedies.at[0].title);
	text = doc_join(list, 9);
	json_decref(list);
	finding_free(&finding);
	rules_free(rules);
	return text;
}

static const struct {
	enum status status;
	enum confidence confidence;
	const char *order, *first;
} orders[] = {
	{ FAIL, CERTAIN, "az one, az two, Open it, chmod x, az look, azssh-doctor --guest vm",
	  "Open the port (1 of 2)" },
	{ FAIL, LIKELY, "azssh-doctor --guest vm, az look, chmod x, az one, az two, Open it",
	  "Look again" },
	{ UNKNOWN, CERTAIN, "azssh-doctor --guest vm, az look, chmod x, az one, az two, Open it",
	  "Look again" },
};

START_TEST(what_is_not_certain_is_looked_at_first)
{
	char *first,
	    *order = ordered(CODE_TCP_TIMEOUT, orders[_i].status, orders[_i].confidence, &first);

	ck_assert_str_eq(order, orders[_i].order);
	ck_assert_str_eq(first, orders[_i].first);
	free(order);
	free(first);
}
END_TEST

START_TEST(the_first_remedy_is_no_alternative)
{
	char *first, *order = ordered(CODE_SSHD_REFUSED, FAIL, CERTAIN, &first);

	ck_assert_str_eq(first, "Mend it");
	free(order);
	free(first);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("fill_in");
	TCase *tcase = tcase_create("fill_in");
	SRunner *runner;

	tcase_add_loop_test(tcase, what_is_not_certain_is_looked_at_first, 0,
			    (int)(sizeof(orders) / sizeof(*orders)));
	tcase_add_test(tcase, the_first_remedy_is_no_alternative);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
