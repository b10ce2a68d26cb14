/* The checks of ssh's configuration and of the host key: each case is the healthy facts with one
 * thing changed. */
#include "tests/unit/checks/on_facts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *srcdir;

struct local_case {
	const struct check *check;
	const char *target,
	    *doc; /* merged into the target, and into the document; NULL for nothing */
	enum status status;
	const char *code;
	const char *also; /* a code beside it, NULL for none */
	const char *says; /* stands in the summary; NULL: anything */
};

#define CFG(text) "{\"ssh_config\": {" text "}}"
#define ALIAS                                                                                      \
	"\"name\": \"myVM\", \"hostname\": \"20.51.230.99\", \"places\": {\"hostname\": "          \
	"{\"file\": \"/home/me/.ssh/config\", \"line\": 2}}"
#define REFUSED(text)                                                                              \
	"{\"ssh_config\": {\"state\": \"unknown\", \"cause\": \"ssh-config\", \"reason\": "        \
	"\"r\", " text "}}"
#define PIP "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/publicipaddresses/pip"
#define RESOURCE(id, text) "{\"azure\": {\"resources\": {\"" id "\": " text "}}}"
#define ENTRY(text) "{\"file\": \"/home/me/.ssh/known_hosts\", \"line\": 3, " text "}"
#define KNOWN(entries) "\"known_hosts\": {\"entries\": [" entries "]}"
#define OTHER                                                                                      \
	ENTRY("\"type\": \"ssh-ed25519\", \"fingerprint\": \"SHA256:old\", \"public\": \"OLD\", "  \
	      "\"via\": \"hashed\"")
#define RSA                                                                                        \
	ENTRY("\"type\": \"ssh-rsa\", \"fingerprint\": \"SHA256:rsa\", \"public\": \"RSA\", "      \
	      "\"via\": \"host\"")
#define DSA                                                                                        \
	ENTRY("\"type\": \"ssh-dss\", \"fingerprint\": \"SHA256:dsa\", \"public\": \"DSA\", "      \
	      "\"via\": \"host\"")
#define CA                                                                                         \
	ENTRY("\"type\": \"ssh-ed25519\", \"fingerprint\": \"SHA256:ca\", \"public\": \"CA\", "    \
	      "\"via\": \"pattern\", \"marker\": \"cert-authority\"")
#define REVOKED                                                                                    \
	ENTRY("\"type\": \"ssh-ed25519\", \"fingerprint\": \"SHA256:live\", \"public\": "          \
	      "\"LIVE\", \"via\": \"pattern\", \"marker\": \"revoked\"")
#define PROOF(type, print)                                                                         \
	"\"proof\": {\"state\": \"known\", \"by\": \"run-command\", \"keys\": [{\"type\": \"" type \
	"\", \"fingerprint\": \"" print "\"}]}"
#define OPTIONS(text) "\"ssh_config\": {\"options\": {" text "}}"
#define STRICT OPTIONS("\"stricthostkeychecking\": \"true\"")
#define ELSEWHERE                                                                                  \
	"\"wire\": {\"host_key\": {\"elsewhere\": [{\"file\": \"/f\", \"line\": 7, \"name\": "     \
	"\"[20.51.230.13]:2222\"}]}}"
#define UNNAMED                                                                                    \
	"\"wire\": {\"host_key\": {\"elsewhere\": [{\"file\": \"/f\", \"line\": 1, \"why\": "      \
	"\"it ends before its key\"}]}}"
#define MUTE "{\"machine\": {\"terminal\": false}}"
#define AUTH(text) "\"wire\": {\"auth\": {\"state\": \"known\", " text "}}"

/* HOME of another folder than the account's, with a key there that ssh does not see */
#define OTHER_HOME                                                                                 \
	"{\"machine\": {\"terminal\": true, \"user\": {\"home\": \"/home/me\", \"home_env\": "     \
	"\"/github/home\"}, \"keys\": {\"/github/home/.ssh/id_rsa\": {\"path\": "                  \
	"\"/github/home/.ssh/id_rsa\", \"present\": true, \"stray\": true}}}}"
#define NO_KEYS(stray)                                                                             \
	"\"identities\": {\"order\": [], \"stray\": [" stray "]}, " AUTH("\"accepted\": null")
#define IN_OTHER_HOME                                                                              \
	"\"wire\": {\"host_key\": {\"elsewhere\": [{\"file\": "                                    \
	"\"/github/home/.ssh/known_hosts\", \"line\": 1, \"name\": \"20.51.230.13\"}]}}"

static const struct local_case cases[] = {
	{ &check_table[CHECK_SSH_CONFIG], "{" NO_KEYS("\"/github/home/.ssh/id_rsa\"") "}",
	  OTHER_HOME, FAIL, "home-differs", NULL, "/github/home/.ssh/id_rsa" },
	{ &check_table[CHECK_SSH_CONFIG], "{" NO_KEYS("") "}", OTHER_HOME, PASS, "ssh-config-ok",
	  NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], "{" IN_OTHER_HOME "}", OTHER_HOME, WARN, "home-differs",
	  NULL, "/github/home/.ssh/known_hosts" },
	{ &check_table[CHECK_SSH_CONFIG], NULL, NULL, PASS, "ssh-config-ok", NULL,
	  "20.51.230.13 port 22 as azureuser" },
	{ &check_table[CHECK_SSH_CONFIG],
	  REFUSED("\"problem\": \"permissions\", \"file\": \"/home/me/.ssh/config\", \"mode\": "
		  "\"0666\", \"uid\": 1000, \"owner\": \"me\""),
	  NULL, FAIL, "cfg-bad-perms", NULL, "0666" },
	{ &check_table[CHECK_SSH_CONFIG],
	  REFUSED("\"problem\": \"option\", \"file\": \"/home/me/.ssh/config\", \"line\": 2, "
		  "\"option\": \"usekeychain\""),
	  NULL, FAIL, "cfg-bad-option", NULL, "line 2" },
	{ &check_table[CHECK_SSH_CONFIG],
	  REFUSED("\"problem\": \"value\", \"file\": \"c\", \"line\": 4, \"message\": \"Bad port "
		  "'x'.\""),
	  NULL, FAIL, "ssh-config-error", NULL, "c, line 4: Bad port" },
	{ &check_table[CHECK_SSH_CONFIG],
	  REFUSED("\"problem\": \"no-user\", \"message\": \"No user exists for uid 7\""), NULL,
	  FAIL, "ssh-config-error", NULL, "uid 7" },
	{ &check_table[CHECK_SSH_CONFIG], REFUSED("\"problem\": \"other\""), NULL, FAIL,
	  "ssh-config-error", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"state\": \"unknown\", \"cause\": \"deadline\", \"reason\": \"too late\""), NULL,
	  UNKNOWN, "not-known", NULL, "too late" },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"state\": \"not-asked\", \"cause\": \"x\", \"reason\": \"no host\""), NULL, SKIP,
	  "not-asked", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"state\": \"absent\", \"cause\": \"not-installed\", \"reason\": \"none\""),
	  "{\"machine\": {\"client\": {\"state\": \"absent\", \"cause\": \"not-installed\"}}}",
	  FAIL, "ssh-missing", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], NULL,
	  "{\"machine\": {\"client\": {\"version\": \"OpenSSH_6.6\", \"number\": 606}}}", WARN,
	  "ssh-too-old", NULL, "7.2" },

	{ &check_table[CHECK_SSH_CONFIG], CFG(ALIAS), NULL, FAIL, "cfg-host-alias-override", NULL,
	  "line 2), which is none of this VM's addresses; it has 20.51.230.13" },
	{ &check_table[CHECK_SSH_CONFIG], CFG("\"name\": \"myVM\", \"hostname\": \"20.51.230.13\""),
	  NULL, PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], CFG("\"name\": \"myVM\", \"hostname\": \"10.0.0.4\""),
	  NULL, PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"name\": \"myVM\", \"hostname\": \"MY.example.net\""), NULL, PASS, "ssh-config-ok",
	  NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], CFG("\"name\": \"myVM\", \"hostname\": \"127.0.0.1\""),
	  NULL, PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], CFG("\"name\": \"MYVM\", \"hostname\": \"myvm\""), NULL,
	  PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], CFG(ALIAS ", \"proxyjump\": \"j\""), NULL, PASS,
	  "ssh-config-ok", "proxy-in-use", NULL },
	{ &check_table[CHECK_SSH_CONFIG], CFG(ALIAS),
	  RESOURCE(PIP, "{\"properties\": {\"ipAddress\": null}}"), PASS, "ssh-config-ok", NULL,
	  NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {" ALIAS "}, " AUTH("\"accepted\": \"SHA256:k\"") "}", NULL, PASS,
	  "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {\"name\": \"myVM\", \"hostname\": \"old.example.net\"}, \"wire\": "
	  "{\"dns\": {\"state\": \"known\", \"addresses\": "
	  "[\"20.51.230.99\"]}}}",
	  NULL, FAIL, "cfg-host-alias-override", NULL, "old.example.net" },
	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {\"name\": \"myVM\", \"hostname\": \"new.example.net\"}, \"wire\": "
	  "{\"dns\": {\"state\": \"known\", \"addresses\": "
	  "[\"20.51.230.99\", \"20.51.230.13\"]}}}",
	  NULL, PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"name\": \"myVM\", \"hostname\": \"unresolved.example.net\""), NULL, PASS,
	  "ssh-config-ok", NULL, NULL },

	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {\"user\": \"ubuntu\", \"user_from\": \"ssh-config\"}, " AUTH(
	      "\"queries\": [{\"fingerprint\": \"SHA256:k\", \"answer\": \"denied\"}]") "}",
	  NULL, FAIL, "cfg-user-override", NULL, "azureuser" },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"user\": \"ubuntu\", \"user_from\": \"ssh-config\""), NULL, WARN,
	  "cfg-user-override", NULL, "not asked" },
	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {\"user\": \"ubuntu\", \"user_from\": \"ssh-config\"}, " AUTH(
	      "\"queries\": [{}], \"accepted\": \"SHA256:k\"") "}",
	  NULL, PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], CFG("\"user\": \"ubuntu\", \"user_from\": \"option\""),
	  NULL, PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG], CFG("\"user\": \"azureuser\", \"user_from\": \"vm\""),
	  NULL, PASS, "ssh-config-ok", "user-from-vm", NULL },

	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"controlpath\": \"/m\", \"controlmaster\": {\"socket\": true, \"listens\": true, "
	      "\"silent\": true, \"answers\": false}"),
	  NULL, FAIL, "controlmaster-stale", NULL, "/m" },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"controlpath\": \"/m\", \"controlmaster\": {\"socket\": true, \"listens\": false, "
	      "\"silent\": false, \"answers\": false}"),
	  NULL, PASS, "ssh-config-ok", NULL, NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"controlpath\": \"/m\", \"controlmaster\": {\"socket\": true, \"listens\": true, "
	      "\"silent\": false, \"answers\": true}"),
	  NULL, PASS, "ssh-config-ok", "controlmaster-active", NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {\"proxyjump\": \"j\"}, \"jump\": {\"host\": \"192.0.2.7\", \"port\": "
	  "22, \"tcp\": {\"result\": \"refused\"}}}",
	  NULL, FAIL, "proxyjump-broken", "proxy-in-use", "192.0.2.7 port 22 refuses" },
	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {\"proxyjump\": \"j\"}, \"jump\": {\"host\": \"j.example.net\", "
	  "\"dns\": {\"state\": \"absent\"}}}",
	  NULL, FAIL, "proxyjump-broken", "proxy-in-use", "DNS" },
	{ &check_table[CHECK_SSH_CONFIG],
	  "{\"ssh_config\": {\"proxyjump\": \"j\"}, \"jump\": {\"host\": \"j\", \"tcp\": "
	  "{\"result\": \"connected\"}, \"banner\": {\"state\": "
	  "\"known\", \"result\": \"ssh\"}, \"kex\": {\"result\": \"done\"}}}",
	  NULL, PASS, "ssh-config-ok", "proxy-in-use", NULL },
	{ &check_table[CHECK_SSH_CONFIG],
	  CFG("\"match_exec\": true, \"match_exec_command\": \"on-vpn\", \"match_exec_file\": "
	      "\"/f\", \"match_exec_line\": 9"),
	  NULL, PASS, "ssh-config-ok", "match-exec", NULL },

	{ &check_table[CHECK_HOST_KEY], NULL, NULL, PASS, "hostkey-ok", NULL, "20.51.230.13" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN(OTHER) "}", NULL, FAIL,
	  "hostkey-changed-vm-rebuilt", NULL, "line 3" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN(OTHER) "}",
	  RESOURCE(PIP, "{\"properties\": {\"publicIPAllocationMethod\": \"Dynamic\"}}"), FAIL,
	  "hostkey-changed-ip-reused", NULL, "created later" },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN(OTHER) ", \"vm\": {\"state\": \"not-asked\", \"id\": null}, \"network\": "
			   "{\"state\": \"not-asked\", \"nics\": null}}",
	  NULL, FAIL, "hostkey-changed-ip-reused", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN(OTHER) ", " PROOF("ssh-ed25519", "SHA256:live") "}", NULL, FAIL,
	  "hostkey-changed-vm-rebuilt", NULL, "proven" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN(OTHER) ", " PROOF("ED25519", "SHA256:vm") "}",
	  NULL, FAIL, "hostkey-mitm-suspected", NULL, "SHA256:vm" },
	{ &check_table[CHECK_HOST_KEY], "{" PROOF("ssh-ed25519", "SHA256:vm") "}", NULL, FAIL,
	  "hostkey-mitm-suspected", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY], "{" PROOF("ECDSA", "SHA256:vm") "}", NULL, PASS,
	  "hostkey-ok", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN(OTHER) ", " OPTIONS("\"stricthostkeychecking\": \"false\"") "}", NULL, WARN,
	  "hostkey-changed-vm-rebuilt", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN(REVOKED) "}", NULL, FAIL, "hostkey-revoked", NULL,
	  NULL },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN(RSA) "}", NULL, WARN, "hostkey-other-type", NULL,
	  "not compared" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN(DSA) "}", NULL, FAIL, "hostkey-other-type", NULL,
	  "changed key" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN(CA) "}", NULL, WARN,
	  "hostkey-first-use-unverified", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN(CA) ", \"wire\": {\"kex\": {\"server\": {\"host_key\": "
			"[\"ssh-ed25519-cert-v01@openssh.com\"]}}}}",
	  NULL, UNKNOWN, "hostkey-cert-not-read", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") "}", NULL, WARN,
	  "hostkey-first-use-unverified", NULL, "SHA256:live" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") "}", MUTE, FAIL,
	  "hostkey-unknown-noninteractive", NULL, "terminal" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " PROOF("ssh-ed25519", "SHA256:live") "}",
	  MUTE, FAIL, "hostkey-unknown-noninteractive", NULL, "proven" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " PROOF("ssh-ed25519", "SHA256:live") "}",
	  "{\"machine\": {\"terminal\": false}, \"asked\": {\"known_hosts\": \"f\"}}", PASS,
	  "hostkey-proven", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN("") ", " OPTIONS("\"stricthostkeychecking\": \"accept-new\"") "}", MUTE, WARN,
	  "hostkey-first-use-unverified", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " UNNAMED "}", MUTE, FAIL,
	  "hostkey-unknown-noninteractive", NULL, "/f, line 1, holds the very key" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " UNNAMED "}", NULL, WARN,
	  "hostkey-first-use-unverified", NULL, "ends before its key" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " ELSEWHERE "}", MUTE, FAIL,
	  "hostkey-known-under-other-name", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " STRICT "}", NULL, FAIL,
	  "hostkey-unknown-noninteractive", NULL, "StrictHostKeyChecking yes" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " OPTIONS("\"batchmode\": \"yes\"") "}",
	  NULL, FAIL, "hostkey-unknown-noninteractive", NULL, "BatchMode" },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN("") ", " OPTIONS(
	      "\"batchmode\": \"yes\", \"stricthostkeychecking\": \"accept-new\"") "}",
	  NULL, WARN, "hostkey-first-use-unverified", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " PROOF("ssh-ed25519", "SHA256:live") "}",
	  NULL, PASS, "hostkey-proven", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN("") ", " STRICT ", " PROOF("ssh-ed25519", "SHA256:live") "}", NULL, FAIL,
	  "hostkey-unknown-noninteractive", NULL, "proven" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " ELSEWHERE "}", NULL, WARN,
	  "hostkey-known-under-other-name", NULL, "[20.51.230.13]:2222" },
	{ &check_table[CHECK_HOST_KEY], "{" KNOWN("") ", " ELSEWHERE ", " STRICT "}", NULL, FAIL,
	  "hostkey-known-under-other-name", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN("") ", " OPTIONS("\"knownhostscommand\": \"/bin/keys\"") "}", NULL, UNKNOWN,
	  "hostkey-command", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{" KNOWN(OTHER) ", \"wire\": {\"kex\": {\"result\": \"no-common\"}}}", NULL, SKIP,
	  "not-reached", NULL, NULL },
	{ &check_table[CHECK_HOST_KEY],
	  "{\"known_hosts\": {\"state\": \"unknown\", \"reason\": \"r\"}}", NULL, UNKNOWN,
	  "not-known", NULL, NULL },
};

/* Deep merge; null takes a member out, arrays replace. */
static void
merge(json_t *base, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)patch, key, value) {
		json_t *old = json_object_get(base, key);

		if (json_is_null(value))
			json_object_del(base, key);
		else if (json_is_object(value) && json_is_object(old))
			merge(old, value);
		else
			json_object_set_new(base, key, json_deep_copy(value));
	}
}

static void
merge_text(json_t *base, const char *text)
{
	json_error_t error;
	json_t *patch = text != NULL ? json_loads(text, 0, &error) : json_object();

	ck_assert_msg(patch != NULL, "%s", text);
	merge(base, patch);
	json_decref(patch);
}

static json_t *
load_facts(const struct local_case *c, struct facts *facts)
{
	char *path = doc_fmt("%s/tests/facts/local-base.json", srcdir);
	json_error_t error;
	json_t *doc = json_load_file(path, 0, &error);

	ck_assert_msg(doc != NULL, "%s: %s", path, error.text);
	merge_text(doc, c->doc);
	ck_assert_int_eq(facts_view(doc, 0, facts), 0);
	merge_text(facts->target, c->target);
	free(path);
	return doc;
}

/* No advice to forget a key, and none to switch checking off, before the new key is proven. */
static void
advice_is_safe(const struct finding *finding)
{
	bool proven = doc_bool(finding->evidence, "proven", false);

	for (size_t i = 0; i < finding->remedies.count; i++) {
		const char *command = finding->remedies.at[i].command;

		ck_assert_msg(proven || strstr(command, "-R ") == NULL, "%s", command);
		ck_assert_msg(strstr(command, "StrictHostKeyChecking") == NULL, "%s", command);
	}
	ck_assert(proven || finding->why == NULL || strstr(finding->why, "ssh-keygen -R") == NULL);
}

static void
words_exist(struct finding *finding, const struct facts *facts)
{
	static const char *const dialects[] = { "az", NULL };
	struct rules *rules;
	struct err err = { "" };
	json_t *globals;

	ck_assert_msg(rules_default(&rules, &err) == 0, "%s", err.text);
	if (finding->status == FAIL || finding->status == WARN)
		ck_assert_msg(rules_code(rules, finding->code) != NULL, "%s has no words",
			      finding->code);
	globals = globals_on(facts);
	ck_assert_int_eq(finding_fill_in(finding, rules, globals, dialects), 0);
	advice_is_safe(finding);
	json_decref(globals);
	rules_free(rules);
}

START_TEST(one_thing_changed_gives_this_verdict)
{
	const struct local_case *c = &cases[_i];
	struct facts facts;
	json_t *doc = load_facts(c, &facts);
	struct rule rule = { .id = c->check->id, .enabled = true };
	struct finding finding;
	bool also = false;

	finding_init(&finding, c->check->id);
	check_on(&facts, c->check, &rule, &finding);
	ck_assert_msg(strcmp(finding.code, c->code) == 0, "case %d: %s, wanted %s: %s", _i,
		      finding.code, c->code, finding.summary);
	ck_assert_msg(finding.status == c->status, "case %d: %s is %s", _i, finding.code,
		      status_word(finding.status));
	ck_assert_msg(c->says == NULL || strstr(finding.summary, c->says) != NULL, "case %d: %s",
		      _i, finding.summary);
	for (size_t i = 0; i < finding.also_count; i++)
		also |= c->also != NULL && strcmp(finding.also[i].code, c->also) == 0;
	ck_assert_msg(c->also == NULL ? finding.also_count == 0 : also,
		      "case %d: wanted %s beside it", _i, c->also != NULL ? c->also : "nothing");
	words_exist(&finding, &facts);
	finding_free(&finding);
	json_decref(doc);
}
END_TEST

static Suite *
local_suite(void)
{
	Suite *suite = suite_create("local checks");
	TCase *tcase = tcase_create("ssh-config and host-key");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, one_thing_changed_gives_this_verdict, 0,
			    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}

int
main(void)
{
	SRunner *runner;

	srcdir = getenv("srcdir") != NULL ? getenv("srcdir") : ".";
	runner = srunner_create(local_suite());
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
