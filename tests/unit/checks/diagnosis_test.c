/* Findings made by hand, with the real rules: which one is named first, what follows from it, and
 * what the wire outranks. */
#include "checks/checks.h"
#include "checks/causes.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct given {
	const char *check;
	enum status status;
	const char *code;
	enum confidence confidence;
};

struct world {
	struct rules *rules;
	json_t *doc;
	struct facts facts;
	struct finding said[16], *findings; /* as the checks made them; weighed together */
	size_t count;
	struct diagnosis diagnosis;
};

static struct world world;

static void
begin(void)
{
	struct err err;

	memset(&world, 0, sizeof(world));
	ck_assert_msg(rules_default(&world.rules, &err) == 0, "%s", err.text);
	world.doc = facts_new(0);
	json_array_append_new(json_object_get(world.doc, "targets"), json_object());
	facts_view(world.doc, 0, &world.facts);
}

static void
end(void)
{
	diagnosis_free(&world.diagnosis);
	for (size_t i = 0; i < world.count; i++)
		finding_free(&world.said[i]);
	findings_free(world.findings, world.count);
	json_decref(world.doc);
	rules_free(world.rules);
}

static void
find(const char *check, enum status status, const char *code)
{
	struct finding *finding = &world.said[world.count++];

	finding_init(finding, check);
	if (code_find(code) != CODE_CUSTOM)
		finding_set(finding, status, code_find(code), "%s", code);
	else
		finding_custom(finding, status, code, "%s", code);
}

static const struct diagnosis *
diagnose(void)
{
	struct scene scene;

	scene_make(&world.facts, &scene);
	ck_assert_int_eq(causes_make(&scene, world.rules, world.said, world.count, &world.findings),
			 0);
	scene_free(&scene);
	ck_assert_int_eq(diagnosis_make(world.findings, world.count, &world.diagnosis), 0);
	return &world.diagnosis;
}

static void
connected(bool loopback)
{
	json_t *tcp = facts_known(&world.facts, FACT_TCP);

	doc_set_str(tcp, "result", "connected");
	doc_set_bool(tcp, "loopback", loopback);
	doc_set_str(facts_known(&world.facts, FACT_BANNER), "result", "ssh");
}

START_TEST(what_blocks_first_is_named_first)
{
	find("key-permissions", FAIL, "key-perms-too-open");
	find("vm-state", FAIL, "vm-deallocated");
	find("nsg", FAIL, "nsg-no-allow-rule");
	find("tcp", FAIL, "tcp-timeout");
	ck_assert_str_eq(diagnose()->cause->code, "vm-deallocated");
	ck_assert_int_eq(world.diagnosis.verdict, FAIL);
	ck_assert_str_eq(world.diagnosis.next[0]->code, "nsg-no-allow-rule");
	ck_assert_str_eq(world.diagnosis.next[1]->code, "key-perms-too-open");
}
END_TEST

START_TEST(a_timeout_follows_from_the_security_group)
{
	find("vm-state", PASS, "vm-running");
	find("nsg", FAIL, "nsg-no-allow-rule");
	find("tcp", FAIL, "tcp-timeout");
	ck_assert_str_eq(diagnose()->cause->code, "nsg-no-allow-rule");
	ck_assert_uint_eq(world.diagnosis.explained_count, 1);
	ck_assert_ptr_eq(world.findings[2].explained_by, &world.findings[1]);
	ck_assert_uint_eq(world.diagnosis.next_count, 0);
}
END_TEST

START_TEST(a_refusal_does_not_follow_from_a_security_group)
{
	find("vm-state", PASS, "vm-running");
	find("nsg", FAIL, "nsg-no-allow-rule");
	find("tcp", FAIL, "sshd-refused");
	diagnose();
	ck_assert_ptr_null(world.findings[2].explained_by);
}
END_TEST

START_TEST(a_timeout_that_all_rules_allow_lies_outside_them)
{
	find("vm-state", PASS, "vm-running");
	find("nsg", PASS, "nsg-allows");
	find("tcp", FAIL, "tcp-timeout");
	ck_assert_str_eq(diagnose()->cause->code, "blocked-outside-azure-rules");
	ck_assert_int_eq(world.diagnosis.cause->confidence, LIKELY);
}
END_TEST

START_TEST(the_wire_outranks_the_model)
{
	connected(false);
	find("nsg", FAIL, "nsg-no-allow-rule");
	find("auth", PASS, "auth-accepted");
	ck_assert_int_eq(diagnose()->verdict, WARN);
	ck_assert_int_eq(world.findings[0].status, WARN);
	ck_assert_ptr_nonnull(strstr(world.findings[0].summary, "allows you"));
}
END_TEST

START_TEST(an_address_of_this_machine_proves_nothing_of_azure)
{
	connected(true);
	find("nsg", FAIL, "nsg-no-allow-rule");
	ck_assert_str_eq(diagnose()->cause->code, "nsg-no-allow-rule");
}
END_TEST

START_TEST(a_vm_that_is_off_stays_off_whoever_answers)
{
	connected(false);
	find("vm-state", FAIL, "vm-deallocated");
	ck_assert_str_eq(diagnose()->cause->code, "vm-deallocated");
}
END_TEST

START_TEST(an_unknown_bars_the_verdict)
{
	find("azure-access", UNKNOWN, "rbac-missing-read");
	find("nsg", UNKNOWN, "not-known");
	find("auth", SKIP, "not-asked");
	ck_assert_int_eq(diagnose()->verdict, UNKNOWN);
	ck_assert_str_eq(world.diagnosis.cause->code, "rbac-missing-read");
}
END_TEST

START_TEST(a_timeout_names_no_cause_while_part_of_the_model_is_unknown)
{
	find("vm-state", PASS, "vm-running");
	find("nsg", UNKNOWN, "nsg-unreadable");
	find("tcp", FAIL, "tcp-timeout");
	ck_assert_int_eq(diagnose()->verdict, UNKNOWN);
	ck_assert_str_eq(world.diagnosis.cause->code, "nsg-unreadable");
	ck_assert_str_eq(world.diagnosis.next[0]->code, "tcp-timeout");
}
END_TEST

START_TEST(a_refusal_is_a_fault_whatever_is_unknown)
{
	find("nsg", UNKNOWN, "nsg-unreadable");
	find("tcp", FAIL, "sshd-refused");
	ck_assert_int_eq(diagnose()->verdict, FAIL);
	ck_assert_str_eq(world.diagnosis.cause->code, "sshd-refused");
}
END_TEST

START_TEST(an_unknown_that_a_later_hop_proves_bars_nothing)
{
	find("nsg", UNKNOWN, "not-known");
	find("auth", PASS, "auth-accepted");
	ck_assert_int_eq(diagnose()->verdict, PASS);
	ck_assert_ptr_null(world.diagnosis.cause);
}
END_TEST

START_TEST(a_refusal_comes_before_a_key_though_it_is_only_likely)
{
	find("tcp", FAIL, "sshd-refused");
	world.said[0].confidence = LIKELY;
	find("key-permissions", FAIL, "key-perms-too-open");
	ck_assert_str_eq(diagnose()->cause->code, "sshd-refused");
}
END_TEST

START_TEST(a_certain_cause_comes_before_a_possible_one)
{
	find("nsg", FAIL, "nsg-source-ip-changed");
	world.said[0].confidence = POSSIBLE;
	find("key-file", FAIL, "key-missing");
	ck_assert_str_eq(diagnose()->cause->code, "key-missing");
}
END_TEST

START_TEST(another_key_that_is_missing_is_a_remark_when_one_was_accepted)
{
	doc_set_str(facts_known(&world.facts, FACT_AUTH), "accepted", "SHA256:x");
	find("key-file", FAIL, "key-missing");
	find("auth", PASS, "auth-accepted");
	ck_assert_int_eq(diagnose()->verdict, WARN);
}
END_TEST

START_TEST(a_circle_of_explanations_leaves_a_cause)
{
	static const char yaml[] =
	    "version: 1\nchecks:\n  nsg:\n    codes:\n      nsg-no-allow-rule: {explains: "
	    "[key-missing]}\n"
	    "  key-file:\n    codes:\n      key-missing: {explains: [sshd-refused]}\n"
	    "  tcp:\n    codes:\n      sshd-refused: {explains: [nsg-no-allow-rule]}\n";
	struct err err;

	ck_assert_msg(rules_layer_text(world.rules, "circle.yaml", yaml, sizeof(yaml) - 1, &err) ==
			  0,
		      "%s", err.text);
	find("nsg", FAIL, "nsg-no-allow-rule");
	find("key-file", FAIL, "key-missing");
	find("tcp", FAIL, "sshd-refused");
	ck_assert_int_eq(diagnose()->verdict, FAIL);
	ck_assert_ptr_nonnull(world.diagnosis.cause);
}
END_TEST

START_TEST(severity_of_a_layer_swaps_fail_and_warn_only)
{
	static const char yaml[] = "version: 1\nchecks:\n  nsg:\n    codes:\n      "
				   "nsg-no-allow-rule: {severity: warn}\n";
	static const enum status before[] = { FAIL, WARN, PASS, UNKNOWN, SKIP },
				 after[] = { WARN, WARN, PASS, UNKNOWN, SKIP };
	struct err err;

	ck_assert_msg(rules_layer_text(world.rules, "layer.yaml", yaml, sizeof(yaml) - 1, &err) ==
			  0,
		      "%s", err.text);
	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
		find("nsg", before[i], "nsg-no-allow-rule");
	diagnose();
	for (size_t i = 0; i < sizeof(after) / sizeof(*after); i++)
		ck_assert_int_eq(world.findings[i].status, after[i]);
}
END_TEST

START_TEST(what_a_check_said_stays_as_it_was)
{
	connected(false);
	find("nsg", FAIL, "nsg-no-allow-rule");
	diagnose();
	ck_assert_int_eq(world.findings[0].status, WARN);
	ck_assert_int_eq(world.said[0].status, FAIL);
	ck_assert_str_eq(world.said[0].summary, "nsg-no-allow-rule");
	ck_assert_uint_eq(json_object_size(world.said[0].evidence), 0);
}
END_TEST

START_TEST(behind_a_proxy_the_model_judges_nothing)
{
	doc_set_str(facts_known(&world.facts, FACT_SSH_CONFIG), "proxyjump", "bastion");
	find("nsg", FAIL, "nsg-no-allow-rule");
	find("public-ip", FAIL, "no-public-ip");
	find("vm-state", FAIL, "vm-deallocated");
	diagnose();
	ck_assert_int_eq(world.findings[0].status, SKIP);
	ck_assert_int_eq(world.findings[1].status, SKIP);
	ck_assert_int_eq(world.findings[2].status, FAIL);
}
END_TEST

/* A code, what follows from it on the wire, and what does not. */
static const struct {
	const char *cause, *effects[3], *others[3];
} follows[] = {
	{ "nsg-deny-nic",
	  { "tcp-timeout", "blocked-outside-azure-rules" },
	  { "sshd-refused", "key-not-on-vm", "dns-nxdomain" } },
	{ "vm-deallocated", { "sshd-refused", "hostkey-mitm-suspected" }, { "key-missing" } },
	{ "vm-health-unavailable", { "tcp-timeout" }, { "sshd-refused", "username-wrong" } },
	{ "kex-mismatch", { "hostkey-ok", "key-not-on-vm" }, { "key-missing", "banner-not-ssh" } },
	{ "key-damaged", { "key-not-on-vm" }, { "agent-wrong-key", "hostkey-revoked" } },
	{ "key-missing", { "key-not-on-vm", "agent-wrong-key" }, { "hostkey-revoked" } },
	{ "jit-request-expired", { "nsg-jit-deny", "tcp-timeout" }, { "nsg-deny-nic" } },
	{ "vm-not-found", { "no-public-ip" }, { "key-not-on-vm" } },
};

static void
follows_or_not(const char *cause, const char *effect, bool expected)
{
	const struct code_row *a = &code_table[code_find(cause)],
			      *b = &code_table[code_find(effect)];

	begin();
	find(check_table[a->check].id, FAIL, cause);
	find(check_table[b->check].id, UNKNOWN, effect);
	diagnose();
	ck_assert_msg((world.findings[1].explained_by != NULL) == expected, "%s %s from %s", effect,
		      expected ? "does not follow" : "follows", cause);
	end();
}

START_TEST(what_follows_is_computed_from_the_tables)
{
	for (size_t i = 0; i < 3 && follows[_i].effects[i] != NULL; i++)
		follows_or_not(follows[_i].cause, follows[_i].effects[i], true);
	for (size_t i = 0; i < 3 && follows[_i].others[i] != NULL; i++)
		follows_or_not(follows[_i].cause, follows[_i].others[i], false);
}
END_TEST

START_TEST(guards_tell_unknown_from_not_asked)
{
	struct finding *findings;
	struct scene scene;
	size_t count;

	for (enum fact_section section = 0; section < FACT_SECTION_COUNT; section++)
		facts_settle(&world.facts, section,
			     section == FACT_TCP ? FACT_UNKNOWN : FACT_NOT_ASKED, "x", "because");
	scene_make(&world.facts, &scene);
	ck_assert_int_eq(checks_run(&scene, world.rules, NULL, &findings, &count), 0);
	scene_free(&scene);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(findings[i].status != FAIL && findings[i].status != PASS,
			      "%s says %s without facts", findings[i].check, findings[i].code);
	findings_free(findings, count);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("diagnosis");
	TCase *tc = tcase_create("diagnosis"), *table = tcase_create("tables");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, what_blocks_first_is_named_first);
	tcase_add_test(tc, a_timeout_follows_from_the_security_group);
	tcase_add_test(tc, a_refusal_does_not_follow_from_a_security_group);
	tcase_add_test(tc, a_timeout_that_all_rules_allow_lies_outside_them);
	tcase_add_test(tc, the_wire_outranks_the_model);
	tcase_add_test(tc, an_address_of_this_machine_proves_nothing_of_azure);
	tcase_add_test(tc, a_vm_that_is_off_stays_off_whoever_answers);
	tcase_add_test(tc, an_unknown_bars_the_verdict);
	tcase_add_test(tc, a_timeout_names_no_cause_while_part_of_the_model_is_unknown);
	tcase_add_test(tc, a_refusal_is_a_fault_whatever_is_unknown);
	tcase_add_test(tc, an_unknown_that_a_later_hop_proves_bars_nothing);
	tcase_add_test(tc, a_refusal_comes_before_a_key_though_it_is_only_likely);
	tcase_add_test(tc, a_certain_cause_comes_before_a_possible_one);
	tcase_add_test(tc, another_key_that_is_missing_is_a_remark_when_one_was_accepted);
	tcase_add_test(tc, a_circle_of_explanations_leaves_a_cause);
	tcase_add_test(tc, severity_of_a_layer_swaps_fail_and_warn_only);
	tcase_add_test(tc, what_a_check_said_stays_as_it_was);
	tcase_add_test(tc, behind_a_proxy_the_model_judges_nothing);
	tcase_add_test(tc, guards_tell_unknown_from_not_asked);
	tcase_add_loop_test(table, what_follows_is_computed_from_the_tables, 0,
			    sizeof(follows) / sizeof(*follows));
	suite_add_tcase(suite, table);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
