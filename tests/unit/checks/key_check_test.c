/* The checks of the keys on facts that are each broken in one way. */
#include "tests/unit/checks/on_facts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A whole, fitting key; cases overlay it. */
#define KEY                                                                                        \
	"{'path': '/k', 'present': true, 'regular': true, 'readable': true, 'owned': true, "       \
	"'owner': 'me', 'uid': 1000, 'mode': '0600', 'acl': false,"                                \
	" 'parent_searchable': true, 'kind': 'private', 'format': 'openssh-key-v1', 'type': "      \
	"'ssh-ed25519', 'bits': 256, 'encrypted': 'no', 'cipher': 'none',"                         \
	" 'kdf': 'none', 'fingerprint': 'SHA256:k', 'public': 'AAAA', 'azure': 'accept', "         \
	"'loads': true}"

/* The same entry, found in the agent as well. */
#define HELD                                                                                       \
	"{'identities': {'order': [{'path': '/k', 'from': 'default', 'present': true, 'usable': "  \
	"true, 'offered': true, 'agent': true,"                                                    \
	" 'fingerprint': 'SHA256:k', 'public': 'AAAA', 'type': 'ssh-ed25519'}]}, 'agent': "        \
	"{'state': 'known', 'keys': [{'fingerprint': 'SHA256:k'}]}}"

/* Facts in which ssh offers /k, by default or by -i. `key` overlays the key, `target` the target,
 * `asked` what was asked. */
static const struct {
	const struct check *check;
	const char *key, *target, *asked;
	enum status status;
	const char *code;
} cases[] = {
	{ &check_table[CHECK_KEY_FILE], "{}", "{}", "{}", PASS, "key-file-ok" },
	{ &check_table[CHECK_KEY_FILE], "{'present': false, 'errno': 'ENOENT'}",
	  "{'identities': {'explicit': '/k'}}", "{}", FAIL, "key-missing" },
	{ &check_table[CHECK_KEY_FILE],
	  "{'present': false, 'errno': 'EACCES', 'parent_searchable': false}",
	  "{'identities': {'explicit': '/k'}}", "{}", SKIP, "key-out-of-sight" },
	{ &check_table[CHECK_KEY_FILE], "{}", "{'identities': {'order': []}}", "{}", FAIL,
	  "key-missing" },
	{ &check_table[CHECK_KEY_FILE], "{}",
	  "{'identities': {'order': []}, 'agent': {'state': 'unknown', 'cause': 'timeout', "
	  "'reason': 'r'}}",
	  "{}", UNKNOWN, "key-agent-unknown" },
	{ &check_table[CHECK_KEY_FILE], "{}",
	  "{'identities': {'order': [{'agent': true, 'present': true, 'from': 'agent'}]}}", "{}",
	  PASS, "key-file-ok" },
	{ &check_table[CHECK_KEY_FILE], "{}", "{'identities': {'order': [], 'stray': ['/k']}}",
	  "{}", FAIL, "key-default-not-picked" },
	{ &check_table[CHECK_KEY_FILE], "{}",
	  "{'identities': {'order': []}, 'wire': {'auth': {'state': 'known', 'methods': "
	  "['password']}}}",
	  "{}", WARN, "key-missing" },
	{ &check_table[CHECK_KEY_FILE], "{}",
	  "{'identities': {'order': []}, 'wire': {'auth': {'state': 'known', 'accepted': "
	  "'SHA256:x'}}}",
	  "{}", PASS, "key-file-ok" },

	{ &check_table[CHECK_KEY_PERMISSIONS], "{}", "{}", "{}", PASS, "key-permissions-ok" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0400'}", "{}", "{}", PASS,
	  "key-permissions-ok" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0700'}", "{}", "{}", PASS,
	  "key-permissions-ok" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0644'}", "{}", "{}", FAIL,
	  "key-perms-too-open" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0604'}", "{}", "{}", FAIL,
	  "key-perms-too-open" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0644', 'owned': false}", "{}", "{}", PASS,
	  "key-permissions-ok" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0640', 'acl': true}", "{}", "{}", FAIL,
	  "key-perms-acl" },
	{ &check_table[CHECK_KEY_PERMISSIONS],
	  "{'mode': '0777', 'mount': {'mount': '/mnt/c', 'drvfs': true, 'metadata': false}}", "{}",
	  "{}", FAIL, "key-perms-wsl-drvfs" },
	{ &check_table[CHECK_KEY_PERMISSIONS],
	  "{'mode': '0777', 'mount': {'mount': '/mnt/c', 'drvfs': true, 'metadata': true}}", "{}",
	  "{}", FAIL, "key-perms-too-open" },
	{ &check_table[CHECK_KEY_PERMISSIONS],
	  "{'readable': false, 'errno': 'EACCES', 'owned': false}", "{}", "{}", FAIL,
	  "key-unreadable-owner" },
	{ &check_table[CHECK_KEY_PERMISSIONS],
	  "{'readable': false, 'errno': 'EACCES', 'mode': '0000'}", "{}", "{}", FAIL,
	  "key-unreadable-owner" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'readable': false, 'errno': 'EIO'}", "{}", "{}",
	  UNKNOWN, "key-read-error" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0644', 'kind': 'public'}", "{}", "{}",
	  PASS, "key-permissions-ok" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{'mode': '0644'}", HELD, "{}", PASS,
	  "key-permissions-ok" },
	{ &check_table[CHECK_KEY_PERMISSIONS], "{}", "{'identities': {'order': []}}", "{}", SKIP,
	  "no-key" },

	{ &check_table[CHECK_KEY_FORMAT], "{}", "{}", "{}", PASS, "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'what': 'fifo', 'readable': false}", "{}", "{}", FAIL,
	  "key-not-a-key-file" },
	{ &check_table[CHECK_KEY_FORMAT], "{'kind': 'public'}", "{}", "{}", FAIL,
	  "key-is-public-half" },
	{ &check_table[CHECK_KEY_FORMAT], "{'kind': 'public'}", HELD, "{}", PASS, "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'kind': 'cert'}", "{}", "{}", FAIL,
	  "key-is-public-half" },
	{ &check_table[CHECK_KEY_FORMAT], "{'format': 'ppk2', 'loads': false}", "{}", "{}", FAIL,
	  "key-ppk-format" },
	{ &check_table[CHECK_KEY_FORMAT], "{'format': 'sshcom', 'loads': false}", "{}", "{}", FAIL,
	  "key-sshcom-format" },
	{ &check_table[CHECK_KEY_FORMAT], "{'format': 'jwk', 'loads': false}", "{}", "{}", FAIL,
	  "key-jwk-format" },
	{ &check_table[CHECK_KEY_FORMAT], "{'format': 'pkcs8-der', 'loads': false}", "{}", "{}",
	  FAIL, "key-der-format" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'crlf', 'loads': false}", "{}", "{}", FAIL,
	  "key-crlf" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'crlf', 'format': 'pkcs1-pem'}", "{}", "{}",
	  PASS, "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'utf16le', 'loads': false}", "{}", "{}", FAIL,
	  "key-utf16-bom" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'bom', 'loads': false}", "{}", "{}", FAIL,
	  "key-utf16-bom" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'truncated', 'loads': false}", "{}", "{}",
	  FAIL, "key-truncated" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'no-footer', 'loads': false}", "{}", "{}",
	  FAIL, "key-truncated" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'json-quoted', 'loads': false}", "{}", "{}",
	  FAIL, "key-newlines-lost" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'indented', 'loads': false}", "{}", "{}",
	  FAIL, "key-newlines-lost" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'base64-of-file', 'loads': false}", "{}",
	  "{}", FAIL, "key-base64-encoded" },
	{ &check_table[CHECK_KEY_FORMAT], "{'defect': 'four-dashes', 'loads': false}", "{}", "{}",
	  FAIL, "key-damaged" },
	{ &check_table[CHECK_KEY_FORMAT],
	  "{'kind': 'other', 'format': 'unknown', 'defect': 'html', 'loads': false}", "{}", "{}",
	  FAIL, "key-not-a-key-file" },
	{ &check_table[CHECK_KEY_FORMAT], "{'kind': 'other', 'format': 'pkcs12', 'loads': false}",
	  "{}", "{}", FAIL, "key-not-a-key-file" },
	{ &check_table[CHECK_KEY_FORMAT], "{'encrypted': 'yes'}", "{}", "{}", FAIL,
	  "key-encrypted-no-passphrase" },
	{ &check_table[CHECK_KEY_FORMAT], "{'mode': '0644', 'encrypted': 'yes'}",
	  "{'agent': {'state': 'known', 'keys': [{'fingerprint': 'SHA256:k'}]}}", "{}", FAIL,
	  "key-encrypted-no-passphrase" }, /* IdentitiesOnly: ssh leaves the agent's key aside */
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 2048}",
	  "{'ssh_config': {'state': 'known', 'options': {'requiredrsasize': '3072'}}}", "{}", FAIL,
	  "key-algorithm-off" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 1024, 'encrypted': 'yes'}",
	  "{}", "{}", FAIL, "key-encrypted-no-passphrase" },
	{ &check_table[CHECK_KEY_FORMAT], "{'encrypted': 'yes'}", HELD, "{}", PASS,
	  "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'encrypted': 'yes'}", "{}", "{'key_only': true}", PASS,
	  "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 1024}", "{}", "{}", WARN,
	  "key-rsa-too-short" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 1024}",
	  "{'wire': {'auth': {'state': 'known', 'accepted': 'SHA256:k'}}}", "{}", WARN,
	  "key-rsa-too-short" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 1024}",
	  "{'wire': {'auth': {'state': 'known', 'queries': [{'fingerprint': 'SHA256:k', 'answer': "
	  "'denied'}]}}}",
	  "{}", FAIL, "key-rsa-too-short" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 2047}", "{}",
	  "{'key_only': true}", FAIL, "key-rsa-too-short" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 2048}", "{}",
	  "{'key_only': true}", PASS, "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ecdsa-sha2-nistp256', 'azure': 'reject'}",
	  "{}", "{'key_only': true}", FAIL, "key-type-unsupported-azure" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ecdsa-sha2-nistp256', 'azure': 'reject'}",
	  "{}", "{}", PASS, "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT],
	  "{'type': 'sk-ssh-ed25519@openssh.com', 'azure': 'reject'}", "{}", "{}", PASS,
	  "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ecdsa-sha2-nistp256'}",
	  "{'wire': {'auth': {'state': 'known', 'queries': [{'fingerprint': 'SHA256:k', 'answer': "
	  "'denied'}]}}}",
	  "{}", FAIL, "key-type-unsupported-azure" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ed448', 'loads': false}", "{}", "{}", FAIL,
	  "key-type-unusable" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-dss'}",
	  "{'ssh_config': {'state': 'known', 'options': {'pubkeyacceptedalgorithms': "
	  "'ssh-ed25519,rsa-sha2-512'}}}",
	  "{}", FAIL, "key-algorithm-off" },
	{ &check_table[CHECK_KEY_FORMAT], "{'type': 'ssh-rsa', 'bits': 4096}",
	  "{'ssh_config': {'state': 'known', 'options': {'pubkeyacceptedalgorithms': "
	  "'ssh-ed25519,rsa-sha2-512'}}}",
	  "{}", PASS, "key-format-ok" },
	{ &check_table[CHECK_KEY_FORMAT], "{'pub': {'path': '/k.pub', 'matches': false}}", "{}",
	  "{}", FAIL, "key-stale-pub" },
	{ &check_table[CHECK_KEY_FORMAT], "{'pub': {'path': '/k.pub', 'matches': true}}", "{}",
	  "{}", PASS, "key-format-ok" },

	{ &check_table[CHECK_KEY_AGENT], "{}", "{}", "{}", SKIP, "no-agent" },
	{ &check_table[CHECK_KEY_AGENT], "{}",
	  "{'agent': {'state': 'unknown', 'cause': 'timeout', 'reason': 'it is silent'}}", "{}",
	  WARN, "agent-silent" },
	{ &check_table[CHECK_KEY_AGENT], "{}", "{'agent': {'state': 'known', 'keys': []}}", "{}",
	  PASS, "agent-empty" },
	{ &check_table[CHECK_KEY_AGENT], "{}",
	  "{'agent': {'state': 'known', 'keys': [{'fingerprint': 'SHA256:k'}]}}", "{}", PASS,
	  "key-agent-ok" },
};

static json_t *
read_json(const char *text)
{
	char *own = strdup(text);
	json_t *value;

	for (char *at = own; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	value = json_loads(own, 0, NULL);
	ck_assert_msg(value != NULL, "%s", text);
	free(own);
	return value;
}

static json_t *
facts_make(const char *key_overlay, const char *target_overlay, const char *asked)
{
	json_t *doc = facts_new(1767225600), *key = read_json(KEY),
	       *overlay = read_json(key_overlay), *asks = read_json(asked);
	json_t *target =
	    read_json("{'identities': {'state': 'known', 'stray': [], 'order': [{'path': '/k', "
		      "'from': 'default', 'present': true, 'usable': true,"
		      " 'fingerprint': 'SHA256:k', 'public': 'AAAA', 'type': 'ssh-ed25519'}]}, "
		      "'agent': {'state': 'absent', 'cause': 'none', 'reason': 'no agent'}}");
	json_t *more = read_json(target_overlay);

	json_object_update(key, overlay);
	json_object_set_new(json_object_get(doc, "machine"), "keys", json_pack("{s:o}", "/k", key));
	json_object_set_new(json_object_get(doc, "machine"), "terminal", json_false());
	json_object_update(json_object_get(doc, "asked"), asks);
	if (json_object_get(more, "identities") != NULL) {
		json_object_update(json_object_get(target, "identities"),
				   json_object_get(more, "identities"));
		json_object_del(more, "identities");
	}
	json_object_update(target, more);
	json_array_append_new(json_object_get(doc, "targets"), target);
	json_decref(overlay);
	json_decref(asks);
	json_decref(more);
	return doc;
}

START_TEST(each_fault_has_its_code)
{
	json_t *doc = facts_make(cases[_i].key, cases[_i].target, cases[_i].asked);
	const struct rule rule = { .id = cases[_i].check->id, .enabled = true };
	struct finding finding;
	struct facts facts;

	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	finding_init(&finding, cases[_i].check->id);
	check_on(&facts, cases[_i].check, &rule, &finding);
	ck_assert_msg(strcmp(finding.code, cases[_i].code) == 0 &&
			  finding.status == cases[_i].status,
		      "%s on %s %s: %s %s, should be %s %s", cases[_i].check->id, cases[_i].key,
		      cases[_i].target, status_word(finding.status), finding.code,
		      status_word(cases[_i].status), cases[_i].code);
	finding_free(&finding);
	json_decref(doc);
}
END_TEST

/* Keys of the agent in front of the right one, which is named by -i. */
static enum status
status_behind(int others)
{
	json_t *doc = facts_make("{}",
				 "{'identities': {'explicit': '/k'}, 'agent': {'state': 'known', "
				 "'keys': [{'fingerprint': 'SHA256:o'}]}}",
				 "{}"),
	       *order;
	const struct rule rule = { .id = "key-agent", .enabled = true };
	struct finding finding;
	struct facts facts;
	enum status status;

	facts_view(doc, 0, &facts);
	order = doc_list(facts_section(&facts, FACT_IDENTITIES), "order");
	for (int i = 0; i < others; i++)
		json_array_insert_new(order, 0,
				      json_pack("{s:b, s:b, s:s, s:s, s:b}", "agent", 1, "present",
						1, "public", "x", "fingerprint", "SHA256:o",
						"usable", 1));
	finding_init(&finding, "key-agent");
	check_on(&facts, &check_table[CHECK_KEY_AGENT], &rule, &finding);
	status = finding.status;
	if (status == FAIL)
		ck_assert_str_eq(finding.code, "too-many-auth-failures");
	finding_free(&finding);
	json_decref(doc);
	return status;
}

START_TEST(six_other_keys_before_the_right_one_are_too_many)
{
	ck_assert_int_eq(status_behind(5), PASS);
	ck_assert_int_eq(status_behind(6), FAIL);
}
END_TEST

START_TEST(the_evidence_of_the_format_is_whole)
{
	static const char *const keys[] = {
		"path",      "kind",   "format", "type",        "bits",
		"encrypted", "cipher", "kdf",    "fingerprint", "azure"
	};
	json_t *doc = facts_make("{'defect': 'crlf', 'loads': false}", "{}", "{}");
	const struct rule rule = { .id = "key-format", .enabled = true };
	struct finding finding;
	struct facts facts;

	facts_view(doc, 0, &facts);
	finding_init(&finding, "key-format");
	check_on(&facts, &check_table[CHECK_KEY_FORMAT], &rule, &finding);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		ck_assert_ptr_nonnull(doc_get(finding.evidence, keys[i]));
	ck_assert_ptr_null(doc_get(finding.evidence, "comment"));
	finding_free(&finding);
	json_decref(doc);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("key checks");
	TCase *tcase = tcase_create("checks");
	SRunner *runner = srunner_create(suite);

	tcase_add_loop_test(tcase, each_fault_has_its_code, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tcase, six_other_keys_before_the_right_one_are_too_many);
	tcase_add_test(tcase, the_evidence_of_the_format_is_whole);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
