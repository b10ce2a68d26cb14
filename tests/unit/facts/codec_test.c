#include "facts/doc.h"
#include "facts/facts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static json_t *
parse(const char *text)
{
	json_error_t where;
	json_t *value = json_loads(text, JSON_DECODE_ANY, &where);

	ck_assert_msg(value != NULL, "%s: %s", text, where.text);
	return value;
}

START_TEST(members_are_read_by_their_types)
{
	json_t *doc =
	    parse("{\"state\": \"known\", \"address\": \"10.0.0.4\", \"port\": \"2222\", "
		  "\"result\": \"refused\", \"errno\": \"ECONNREFUSED\", \"ms\": 12, "
		  "\"way6\": \"false\", \"tunnels\": [\"tun0\", 7, \"wg0\"], "
		  "\"icmp\": {\"type\": 3, \"from\": \"10.0.0.1\"}, "
		  "\"tried\": [{\"address\": \"10.0.0.4\", \"result\": \"timeout\"}, {}]}");
	struct fact_tcp tcp;

	fact_read(doc, shape_of_tcp(), &tcp);
	ck_assert_int_eq(tcp.state, FACT_KNOWN);
	ck_assert_str_eq(tcp.address, "10.0.0.4");
	ck_assert_int_eq(tcp.port, 2222);
	ck_assert_int_eq(tcp.result, TCP_REFUSED);
	ck_assert_str_eq(tcp.errno_, "ECONNREFUSED");
	ck_assert_int_eq(tcp.ms, 12);
	ck_assert(tcp.way4 && !tcp.way6);
	ck_assert_uint_eq(tcp.tunnels_count, 2);
	ck_assert_str_eq(tcp.tunnels[1], "wg0");
	ck_assert_int_eq(tcp.icmp->type, 3);
	ck_assert_str_eq(tcp.icmp->from, "10.0.0.1");
	ck_assert_uint_eq(tcp.tried_count, 2);
	ck_assert_int_eq(tcp.tried[0].result, TCP_TIMEOUT);
	ck_assert_int_eq(tcp.tried[1].result, TCP_UNRECORDED);
	ck_assert_ptr_null(tcp.proxy);
	fact_free(shape_of_tcp(), &tcp);
	ck_assert_ptr_null(tcp.tried);
	json_decref(doc);
}
END_TEST

static const char *const nothing[] = { "null",
				       "7",
				       "[]",
				       "\"x\"",
				       "{}",
				       "{\"address\": 1, \"port\": [], \"result\": {}, "
				       "\"way4\": \"perhaps\", \"tunnels\": {\"a\": 1}, "
				       "\"tried\": {\"a\": {}}, \"icmp\": [], \"state\": null}",
				       "{\"address\": null, \"port\": null, \"result\": "
				       "\"melted\", \"tried\": null, \"port\": \"12x\"}" };

START_TEST(what_is_missing_or_of_another_type_gets_its_fallback)
{
	json_t *doc = parse(nothing[_i]);
	struct fact_tcp tcp;

	fact_read(doc, shape_of_tcp(), &tcp);
	ck_assert_int_eq(tcp.state, FACT_PENDING);
	ck_assert_ptr_null(tcp.address);
	ck_assert_int_eq(tcp.port, 22);
	ck_assert_int_eq(tcp.result, TCP_UNRECORDED);
	ck_assert(tcp.way4 && tcp.way6 && !tcp.loopback);
	ck_assert_ptr_null(tcp.tunnels);
	ck_assert_ptr_null(tcp.tried);
	ck_assert_ptr_null(tcp.icmp);
	fact_free(shape_of_tcp(), &tcp);
	json_decref(doc);
}
END_TEST

START_TEST(a_state_that_is_no_state_is_unknown)
{
	json_t *doc = parse("{\"state\": \"maybe\"}");

	ck_assert_int_eq(FACT_GET(doc, tcp, state), FACT_UNKNOWN);
	json_decref(doc);
}
END_TEST

START_TEST(an_empty_list_is_not_an_absent_one)
{
	json_t *doc = parse("{\"user_known_hosts\": []}");
	struct fact_ssh_config config;

	fact_read(doc, shape_of_ssh_config(), &config);
	ck_assert_ptr_nonnull(config.user_known_hosts);
	ck_assert_uint_eq(config.user_known_hosts_count, 0);
	ck_assert_ptr_null(config.global_known_hosts);
	ck_assert_int_eq(config.options.port, 22);
	fact_free(shape_of_ssh_config(), &config);
	json_decref(doc);
}
END_TEST

START_TEST(texts_of_the_wrong_form_are_dropped)
{
	json_t *doc = parse("{\"keys\": {\"/a\": {\"mode\": \"rw\", \"fingerprint\": \"MD5:00\", "
			    "\"encrypted\": \"perhaps\", \"azure\": 7, \"bits\": []}, "
			    "\"/b\": {\"path\": \"/other\", \"mode\": \"0600\", \"fingerprint\": "
			    "\"SHA256:x\", \"encrypted\": \"no\", \"loads\": false, "
			    "\"bits\": 256}}}");
	struct fact_machine machine;

	fact_read(doc, shape_of_machine(), &machine);
	ck_assert_uint_eq(machine.keys_count, 2);
	ck_assert_str_eq(machine.keys[0].path, "/a");
	ck_assert_ptr_null(machine.keys[0].mode);
	ck_assert_ptr_null(machine.keys[0].fingerprint);
	ck_assert_int_eq(machine.keys[0].encrypted, UNTOLD);
	ck_assert_int_eq(machine.keys[0].azure, AZURE_UNTOLD);
	ck_assert_int_eq(machine.keys[0].bits, 0);
	ck_assert_int_eq(machine.keys[0].loads, FACT_MAYBE);
	ck_assert_str_eq(machine.keys[1].path, "/b");
	ck_assert_str_eq(machine.keys[1].mode, "0600");
	ck_assert_str_eq(machine.keys[1].fingerprint, "SHA256:x");
	ck_assert_int_eq(machine.keys[1].encrypted, NO);
	ck_assert_int_eq(machine.keys[1].loads, FACT_NO);
	fact_free(shape_of_machine(), &machine);
	json_decref(doc);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
	const char *const methods[] = { "publickey", "pass\xffword" };
	const struct fact_auth_query queries[] = { { .path = "/k", .answer = AUTH_DENIED },
						   { .agent = true, .answer = AUTH_ACCEPTED } };
	const struct fact_auth auth = { .state = FACT_KNOWN,
					.user = "me",
					.methods = methods,
					.methods_count = 2,
					.queries = queries,
					.queries_count = 2 };
	json_t *doc = fact_object(shape_of_auth(), &auth);
	struct fact_auth again;

	ck_assert_uint_eq(json_object_size(doc), 4);
	fact_read(doc, shape_of_auth(), &again);
	ck_assert_int_eq(again.state, FACT_KNOWN);
	ck_assert_str_eq(again.user, "me");
	ck_assert_str_eq(again.methods[1], "pass\xef\xbf\xbdword");
	ck_assert_uint_eq(again.queries_count, 2);
	ck_assert_str_eq(again.queries[0].path, "/k");
	ck_assert_int_eq(again.queries[0].answer, AUTH_DENIED);
	ck_assert(again.queries[1].agent);
	fact_free(shape_of_auth(), &again);
	json_decref(doc);
}
END_TEST

START_TEST(maps_and_parts_are_written_too)
{
	const struct fact_key keys[] = { { .path = "/k", .loads = FACT_YES } };
	json_t *doc = FACT_OBJECT(machine, .keys = keys, .keys_count = 1, .user.name = "me");

	ck_assert_str_eq(doc_str(doc, "user.name"), "me");
	ck_assert(json_is_true(doc_get(json_object_get(doc_get(doc, "keys"), "/k"), "loads")));
	ck_assert_ptr_null(doc_get(doc, "client"));
	json_decref(doc);
}
END_TEST

START_TEST(one_member_is_set_and_read)
{
	json_t *doc = json_object();

	FACT_PUT(doc, key, errno_, "ENOENT");
	FACT_PUT(doc, key, uid, 0);
	FACT_PUT(doc, key, owned, false);
	FACT_PUT(doc, key, kind, KEY_PRIVATE);
	FACT_PUT(doc, key, owner, NULL);
	ck_assert_str_eq(doc_str(doc, "errno"), "ENOENT");
	ck_assert_int_eq(doc_int(doc, "uid", -1), 0);
	ck_assert_str_eq(doc_str(doc, "kind"), "private");
	ck_assert_uint_eq(json_object_size(doc), 4);
	ck_assert_str_eq(FACT_GET(doc, key, errno_), "ENOENT");
	ck_assert_int_eq(FACT_GET(doc, key, uid), 0);
	ck_assert_int_eq(FACT_GET(doc, key, kind), KEY_PRIVATE);
	ck_assert_ptr_null(FACT_GET(doc, key, owner));
	ck_assert_int_eq(FACT_GET(NULL, key, uid), -1);
	FACT_PUT_JSON(doc, key, defects, json_array());
	ck_assert(json_is_array(FACT_JSON(doc, key, defects)));
	json_decref(doc);
}
END_TEST

START_TEST(the_words_of_an_enum)
{
	ck_assert_str_eq(FACT_WORD(tcp_result, TCP_REFUSED), "refused");
	ck_assert_ptr_null(FACT_WORD(tcp_result, TCP_UNRECORDED));
	ck_assert_ptr_null(fact_word(words_of_tcp_result(), 99));
}
END_TEST

/* Every member has a key of its own, in every struct that the document holds. */
static size_t
count_fields(const struct fact_shape *shape)
{
	char one[FACT_KEY_MAX], other[FACT_KEY_MAX];
	size_t count = shape->count;

	for (size_t i = 0; i < shape->count; i++) {
		if (shape->fields[i].type == FIELD_REST)
			continue;
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(fact_key(&shape->fields[i], one),
					 fact_key(&shape->fields[j], other));
		if (shape->fields[i].shape != NULL)
			count += count_fields(shape->fields[i].shape());
	}
	return count;
}

START_TEST(keys_are_unique)
{
	ck_assert_uint_gt(count_fields(shape_of_document()), 500);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("codec");
	TCase *tcase = tcase_create("codec");
	SRunner *runner;

	tcase_add_test(tcase, members_are_read_by_their_types);
	tcase_add_loop_test(tcase, what_is_missing_or_of_another_type_gets_its_fallback, 0,
			    sizeof(nothing) / sizeof(*nothing));
	tcase_add_test(tcase, a_state_that_is_no_state_is_unknown);
	tcase_add_test(tcase, an_empty_list_is_not_an_absent_one);
	tcase_add_test(tcase, texts_of_the_wrong_form_are_dropped);
	tcase_add_test(tcase, what_is_written_is_read_again);
	tcase_add_test(tcase, maps_and_parts_are_written_too);
	tcase_add_test(tcase, one_member_is_set_and_read);
	tcase_add_test(tcase, the_words_of_an_enum);
	tcase_add_test(tcase, keys_are_unique);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
