#include "facts/arm.h"
#include "facts/doc.h"
#include "facts/err.h"
#include "facts/facts.h"
#include "checks/finding.h"

#include <check.h>
#include <stdlib.h>

#define VM "/subscriptions/s1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/myVM"
#define SUBNET                                                                                     \
	"/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/"       \
	"subnets/default"

START_TEST(a_hostile_document_is_tidied)
{
	json_t *doc =
	    json_loads("{\"duration_ms\": -5, \"machine\": {\"keys\": {\"/k\": {\"encrypted\": "
		       "\"perhaps\", \"azure\": 7, \"mode\": \"rw\","
		       " \"bits\": [], \"fingerprint\": \"MD5:00\", \"type\": \"ssh-rsa\"}, "
		       "\"/good\": {\"encrypted\": \"no\", \"mode\": \"0600\","
		       " \"bits\": 256, \"fingerprint\": \"SHA256:x\"}}}, \"targets\": [{\"wire\": "
		       "{\"tcp\": {\"result\": \"melted\", \"ms\": -1},"
		       " \"auth\": {\"methods\": [\"publickey\", 7, {}]}, \"host_key\": {\"keys\": "
		       "[{\"fingerprint\": \"x\"}]}}}, 3]}",
		       0, NULL);
	const json_t *bad, *good, *wire;

	ck_assert_ptr_nonnull(doc);
	facts_tidy(doc);
	bad = json_object_get(doc_get(doc, "machine.keys"), "/k");
	good = json_object_get(doc_get(doc, "machine.keys"), "/good");
	wire = doc_get(json_array_get(doc_list(doc, "targets"), 0), "wire");
	ck_assert_uint_eq(json_object_size(bad), 1);
	ck_assert_uint_eq(json_object_size(good), 4);
	ck_assert_uint_eq(json_object_size(doc_get(wire, "tcp")), 0);
	ck_assert_uint_eq(json_array_size(doc_list(wire, "auth.methods")), 1);
	ck_assert_uint_eq(json_object_size(json_array_get(doc_list(wire, "host_key.keys"), 0)), 0);
	ck_assert_ptr_null(doc_get(doc, "duration_ms"));
	json_decref(doc);
}
END_TEST

START_TEST(members_are_put_in_the_order_of_their_keys)
{
	json_t *object = json_pack("{s:i, s:{s:i}, s:i}", "b", 1, "c", "z", 2, "a", 3);
	char *dump;

	ck_assert_ptr_nonnull(object);
	doc_sort(object);
	doc_sort(NULL);
	dump = json_dumps(object, JSON_COMPACT);
	ck_assert_str_eq(dump, "{\"a\":3,\"b\":1,\"c\":{\"z\":2}}");
	free(dump);
	json_decref(object);
}
END_TEST

START_TEST(arm_ids_compare_in_any_case)
{
	ck_assert(arm_id_same(VM, "/SUBSCRIPTIONS/S1/resourcegroups/rg/PROVIDERS/microsoft.compute/"
				  "VIRTUALMACHINES/MYvm/"));
	ck_assert(!arm_id_same(VM, SUBNET));
	ck_assert(!arm_id_same(NULL, NULL));
}
END_TEST

START_TEST(arm_id_parts_are_found)
{
	char type[128], parent[256], group[32];

	ck_assert_int_eq(arm_id_type(SUBNET, type, sizeof(type)), 0);
	ck_assert_str_eq(type, "microsoft.network/virtualnetworks/subnets");
	ck_assert_int_eq(arm_id_parent(SUBNET, parent, sizeof(parent)), 0);
	ck_assert_str_eq(
	    parent,
	    "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v");
	ck_assert_str_eq(arm_id_name(SUBNET), "default");
	arm_id_group(VM, group, sizeof(group));
	ck_assert_str_eq(group, "RG");
	ck_assert_int_lt(arm_id_parent(VM, parent, sizeof(parent)), 0);
}
END_TEST

static const char *const bad_ids[] = { NULL,
				       "",
				       "/",
				       "subscriptions/x",
				       "/subscriptions//resourceGroups/a",
				       "/subscriptions/a/b",
				       "/a/b/c",
				       "/subscriptions/s/resourceGroups/g/providers/P/t",
				       "/subscriptions/s/providers" };

START_TEST(odd_arm_ids_are_refused)
{
	struct arm_id id;

	ck_assert_int_lt(arm_id_parse(bad_ids[_i], &id), 0);
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_replaced)
{
	json_t *text = doc_text("a\xff\xc3\xa4\xed\xa0\x80\0b", 9);

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(json_string_value(text),
			 "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			 "b");
	json_decref(text);
}
END_TEST

START_TEST(numbers_are_read_also_from_strings)
{
	json_t *obj =
	    json_pack("{s:i, s:s, s:s, s:{s:s}}", "a", 5, "b", "42", "c", "4x", "d", "e", "true");

	ck_assert_int_eq(doc_int(obj, "a", 0), 5);
	ck_assert_int_eq(doc_int(obj, "b", 0), 42);
	ck_assert_int_eq(doc_int(obj, "c", -1), -1);
	ck_assert(doc_bool(obj, "d.e", false));
	ck_assert_ptr_null(doc_get(obj, "a.b"));
	json_decref(obj);
}
END_TEST

START_TEST(a_section_is_pending_until_settled)
{
	struct facts facts;
	const char *reason;
	json_t *doc = facts_new(1767225600);

	ck_assert_int_lt(facts_view(doc, 0, &facts), 0);
	json_array_append_new(json_object_get(doc, "targets"), json_object());
	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	ck_assert_int_eq(facts.now, 1767225600);
	ck_assert_int_eq(facts_state(&facts, FACT_TCP, NULL), FACT_PENDING);
	facts_settle(&facts, FACT_TCP, FACT_UNKNOWN, "deadline", "no answer within %d s", 30);
	ck_assert_int_eq(facts_state(&facts, FACT_TCP, &reason), FACT_UNKNOWN);
	ck_assert_str_eq(reason, "no answer within 30 s");
	doc_set_str(facts_known(&facts, FACT_TCP), "result", "refused");
	ck_assert_int_eq(facts_state(&facts, FACT_TCP, NULL), FACT_KNOWN);
	ck_assert_str_eq(doc_str(facts_section(&facts, FACT_TCP), "result"), "refused");
	json_decref(doc);
}
END_TEST

START_TEST(a_resource_that_did_not_arrive_is_not_absent)
{
	struct facts facts;
	const json_t *body, *why;
	json_t *doc = facts_new(0);

	json_array_append_new(json_object_get(doc, "targets"), json_object());
	facts_view(doc, 0, &facts);
	ck_assert_int_eq(facts_resource(&facts, VM, &body, &why), FACT_NOT_ASKED);
	json_object_set_new(
	    doc_get(doc, "azure.missing"),
	    "/subscriptions/s1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/myvm",
	    json_pack("{s:s, s:i}", "state", "unknown", "status", 403));
	ck_assert_int_eq(facts_resource(&facts, VM, &body, &why), FACT_UNKNOWN);
	ck_assert_int_eq(doc_int(why, "status", 0), 403);
	json_decref(doc);
}
END_TEST

START_TEST(findings_hold_more_findings)
{
	struct finding finding, *also;

	finding_init(&finding, "nsg");
	finding_set(&finding, FAIL, CODE_NSG_DENY_SUBNET, "denied by %s", "a");
	finding_text(&finding, "nsg", "a");
	also = finding_also(&finding);
	finding_set(also, FAIL, CODE_NSG_DENY_NIC, "denied by %s", "b");
	ck_assert_str_eq(finding.also[0].code, "nsg-deny-nic");
	ck_assert_str_eq(finding.also[0].check, "nsg");
	finding_free(&finding);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("model");
	TCase *tc = tcase_create("documents");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tc, a_hostile_document_is_tidied);
	tcase_add_test(tc, members_are_put_in_the_order_of_their_keys);
	tcase_add_test(tc, arm_ids_compare_in_any_case);
	tcase_add_test(tc, arm_id_parts_are_found);
	tcase_add_loop_test(tc, odd_arm_ids_are_refused, 0, sizeof(bad_ids) / sizeof(*bad_ids));
	tcase_add_test(tc, bytes_that_are_no_utf8_are_replaced);
	tcase_add_test(tc, numbers_are_read_also_from_strings);
	tcase_add_test(tc, a_section_is_pending_until_settled);
	tcase_add_test(tc, a_resource_that_did_not_arrive_is_not_absent);
	tcase_add_test(tc, findings_hold_more_findings);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
