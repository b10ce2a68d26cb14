#include "checks/checks.h"
#include "facts/doc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define VM "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm"

static const char document[] =
    "{'schema': 'azssh-doctor/facts/1', 'started': '2026-01-01T00:00:00Z', 'machine': {'client': "
    "{'state': 'known', 'number': "
    "902},"
    " 'a/b': {'c~d': [10, {'e': 'f'}]}}, 'azure': {'resources': {'" VM
    "': {'location': 'westeurope', 'tags': {'n': '12', 'long': null}}},"
    " 'missing': {'/x': {'state': 'unknown', 'cause': 'forbidden', 'reason': 'not allowed'}}, "
    "'requests': []},"
    " 'targets': [{'vm': {'state': 'known', 'id': '" VM
    "'}, 'jit': {'state': 'unknown', 'cause': 'forbidden', 'reason': '403'},"
    " 'proof': {'state': 'not-asked', 'cause': 'not-asked', 'reason': 'not asked for'}, 'agent': "
    "{'state': 'absent', 'cause': "
    "'none',"
    " 'reason': 'no agent'}, 'wire': {'tcp': {'state': 'known', 'result': 'connected', 'ms': "
    "12.5}}, 'commands':"
    " {'good': {'state': 'known', 'object': {'status': 'warn', 'code': 'some-code', 'message': 'a "
    "sentence', 'evidence': {'k': "
    "[1]}}},"
    "  'no-code': {'state': 'known', 'object': {'status': 'warn', 'message': 'm'}},"
    "  'bad-code': {'state': 'known', 'object': {'status': 'warn', 'code': 'Bad Code', 'message': "
    "'m'}},"
    "  'bad-status': {'state': 'known', 'object': {'status': 'fine', 'code': 'c', 'message': 'm'}},"
    "  'bad-evidence': {'state': 'known', 'object': {'status': 'pass', 'code': 'c', 'message': "
    "'m', 'evidence': []}},"
    "  'more-keys': {'state': 'known', 'object': {'status': 'pass', 'code': 'c', 'message': 'm', "
    "'title': 't'}},"
    "  'a-list': {'state': 'known', 'object': []}, 'no-message': {'state': 'known', 'object': "
    "{'status': 'pass', 'code': 'c'}},"
    "  'failed': {'state': 'unknown', 'cause': 'command-failed', 'reason': 'it did not end'},"
    "  'forbidden': {'state': 'not-asked', 'cause': 'not-allowed', 'reason': 'not allowed'}}}]}";

static json_t *
from_text(const char *text)
{
	char *json = strdup(text);
	json_error_t error;
	json_t *made;

	for (char *p = json; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	made = json_loads(json, JSON_DECODE_ANY, &error);
	ck_assert_msg(made != NULL, "%s: %s", text, error.text);
	free(json);
	return made;
}

static const struct {
	const char *pointer, *way, *expected;
	enum status status;
	const char *code;
} cases[] = {
	{ "/machine/client/number", "exists", "true", PASS, "as-expected" },
	{ "/machine/client/number", "absent", "true", FAIL, "my-code" },
	{ "/machine/client/nothing", "exists", "true", FAIL, "my-code" },
	{ "/machine/client/nothing", "absent", "true", PASS, NULL },
	{ "/machine/client/number", "equals", "902", PASS, NULL },
	{ "/machine/client/number", "equals", "902.0", PASS, NULL },
	{ "/machine/client/number", "equals", "'902'", FAIL, NULL },
	{ "/machine/client/number", "not-equals", "902", FAIL, NULL },
	{ "/machine/client/nothing", "equals", "902", FAIL, NULL },
	{ "/machine/client/nothing", "not-equals", "902", PASS, NULL },
	{ "/machine/client/number", "in", "[1, 902]", PASS, NULL },
	{ "/machine/client/number", "in", "[]", FAIL, NULL },
	{ "/machine/client/nothing", "in", "[1]", FAIL, NULL },
	{ "/machine/client/number", "less", "903", PASS, NULL },
	{ "/machine/client/number", "less", "902", FAIL, NULL },
	{ "/machine/client/number", "greater", "901.5", PASS, NULL },
	{ "/machine/client/nothing", "greater", "1", FAIL, NULL },
	{ "/vm/tags/n", "less", "13", PASS, NULL },
	{ "/vm/location", "less", "13", UNKNOWN, "not-comparable" },
	{ "/vm/location", "matches", "'^west'", PASS, NULL },
	{ "/vm/location", "matches", "'^west$'", FAIL, NULL },
	{ "/vm/tags", "matches", "'x'", UNKNOWN, "not-comparable" },
	{ "/vm/tags/long", "exists", "true", FAIL, NULL },
	{ "/vm/none/of/this", "exists", "true", FAIL, NULL },
	{ "/machine/a~1b/c~0d/1/e", "equals", "'f'", PASS, NULL },
	{ "/machine/a~1b/c~0d/0", "equals", "10", PASS, NULL },
	{ "/machine/a~1b/c~0d/01", "exists", "true", FAIL, NULL },
	{ "/machine/a~1b/c~0d/2", "exists", "true", FAIL, NULL },
	{ "/machine/a~1b/c~0d/-", "exists", "true", FAIL, NULL },
	{ "/machine/a~1b/c~0d/99999999999999999999", "exists", "true", FAIL, NULL },
	{ "/target/wire/tcp/result", "equals", "'connected'", PASS, NULL },
	{ "/target/wire/tcp/ms", "less", "13", PASS, NULL },
	{ "/targets/0/wire/tcp/result", "equals", "'connected'", PASS, NULL },
	{ "/targetsomething", "exists", "true", FAIL, NULL },
	{ "/target/jit/policies", "absent", "true", UNKNOWN, "not-known" },
	{ "/target/proof/keys", "absent", "true", SKIP, "not-asked" },
	{ "/target/agent/keys", "absent", "true", PASS, NULL },
	{ "/target/jit/state", "equals", "'unknown'", UNKNOWN, "not-known" },
};

START_TEST(facts_are_compared)
{
	json_t *doc = from_text(document),
	       *rule = json_pack("{s:s, s:s, s:s, s:s}", "id", "my-rule", "type", "fact", "pointer",
				 cases[_i].pointer, "code", "my-code");
	struct finding finding;
	struct facts facts;

	json_object_set_new(rule, cases[_i].way, from_text(cases[_i].expected));
	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	finding_init(&finding, "my-rule");
	ck_assert_int_eq(generic_run(&facts, rule, &finding), 0);
	ck_assert_msg(finding.status == cases[_i].status, "%s %s %s: %s (%s)", cases[_i].pointer,
		      cases[_i].way, cases[_i].expected, status_word(finding.status),
		      finding.summary);
	if (cases[_i].code != NULL)
		ck_assert_str_eq(finding.code, cases[_i].code);
	finding_free(&finding);
	json_decref(rule);
	json_decref(doc);
}
END_TEST

START_TEST(a_vm_that_could_not_be_read_is_unknown)
{
	json_t *doc = from_text(document),
	       *rule = json_pack("{s:s, s:s, s:s, s:b}", "id", "r", "type", "fact", "pointer",
				 "/vm/location", "exists", 1);
	struct finding finding;
	struct facts facts;

	json_object_clear(doc_get(doc, "azure.resources"));
	json_object_set(doc_get(doc, "azure.missing"), VM, doc_get(doc, "azure.missing./x"));
	facts_view(doc, 0, &facts);
	finding_init(&finding, "r");
	ck_assert_int_eq(generic_run(&facts, rule, &finding), 0);
	ck_assert_int_eq(finding.status, UNKNOWN);
	ck_assert_str_eq(finding.summary, "/vm/location is not known: not allowed");
	finding_free(&finding);
	json_decref(rule);
	json_decref(doc);
}
END_TEST

static const struct {
	const char *id;
	enum status status;
	const char *code;
} commands[] = {
	{ "good", WARN, "some-code" },
	{ "no-code", UNKNOWN, "command-failed" },
	{ "bad-code", UNKNOWN, "command-failed" },
	{ "bad-status", UNKNOWN, "command-failed" },
	{ "bad-evidence", UNKNOWN, "command-failed" },
	{ "more-keys", UNKNOWN, "command-failed" },
	{ "a-list", UNKNOWN, "command-failed" },
	{ "no-message", UNKNOWN, "command-failed" },
	{ "failed", UNKNOWN, "command-failed" },
	{ "forbidden", SKIP, "not-asked" },
	{ "never-run", SKIP, "not-asked" },
};

START_TEST(what_programs_said_is_judged)
{
	json_t *doc = from_text(document),
	       *rule = json_pack("{s:s, s:s, s:[s]}", "id", commands[_i].id, "type", "command",
				 "argv", "prog");
	struct finding finding;
	struct facts facts;

	facts_view(doc, 0, &facts);
	finding_init(&finding, commands[_i].id);
	ck_assert_int_eq(generic_run(&facts, rule, &finding), 0);
	ck_assert_int_eq(finding.status, commands[_i].status);
	ck_assert_str_eq(finding.code, commands[_i].code);
	ck_assert_int_eq((int)json_object_size(finding.evidence), finding.status == WARN ? 1 : 0);
	finding_free(&finding);
	json_decref(rule);
	json_decref(doc);
}
END_TEST

static const char *const examples[] = { "fact.yaml", "command.yaml" };

START_TEST(the_examples_are_accepted_and_run)
{
	const char *srcdir = getenv("srcdir");
	char *path = doc_fmt("%s/rules/examples/%s", srcdir != NULL ? srcdir : ".", examples[_i]);
	json_t *doc = from_text(document);
	struct rules *rules = NULL;
	struct err err = { "" };
	struct facts facts;

	facts_view(doc, 0, &facts);
	ck_assert_msg(rules_default(&rules, &err) == 0 && rules_layer(rules, path, &err) == 0, "%s",
		      err.text);
	ck_assert_int_gt((int)json_array_size(rules_custom(rules)), 0);
	for (size_t i = 0; i < json_array_size(rules_custom(rules)); i++) {
		const json_t *rule = json_array_get(rules_custom(rules), i);
		struct finding finding;

		finding_init(&finding, doc_str(rule, "id"));
		ck_assert_int_eq(generic_run(&facts, rule, &finding), 0);
		ck_assert_int_eq(finding_fill_in(&finding, rules, NULL, NULL), 0);
		ck_assert_int_ne(finding.status, UNKNOWN);
		ck_assert(finding.status != WARN || rules_code(rules, finding.code) != NULL);
		finding_free(&finding);
	}
	rules_free(rules);
	json_decref(doc);
	free(path);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("generic");
	TCase *tcase = tcase_create("generic");
	SRunner *runner;

	tcase_add_loop_test(tcase, facts_are_compared, 0, COUNT(cases));
	tcase_add_test(tcase, a_vm_that_could_not_be_read_is_unknown);
	tcase_add_loop_test(tcase, what_programs_said_is_judged, 0, COUNT(commands));
	tcase_add_loop_test(tcase, the_examples_are_accepted_and_run, 0, COUNT(examples));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
