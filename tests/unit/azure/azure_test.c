#include "azure/arm/error.h"
#include "azure/arm/fetch.h"
#include "azure/arm/json.h"
#include "azure/arm/secrets.h"
#include "azure/arm/url.h"
#include "azure/join.h"
#include "azure/read/search.h"
#include "azure/signin/account.h"
#include "azure/signin/jwt.h"
#include "tests/unit/checks/on_facts.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- origins and links ---- */

#define ARM "https://management.azure.com"

static const struct {
	const char *link;
	bool follows;
} links[] = {
	{ ARM "/subscriptions?$skiptoken=x", true },
	{ "HTTPS://Management.Azure.COM:443/x", true },
	{ "/subscriptions/1", true },
	{ "http://management.azure.com/x", false },
	{ ARM ":444/x", false },
	{ "https://evil.example/x", false },
	{ "https://management.azure.com.evil.example/", false },
	{ "https://management.azure.com@evil.example/", false },
	{ "https://evil.example/https://management.azure.com/", false },
	{ "//evil.example/x", false },
	{ "https:/management.azure.com/x", false },
	{ "https://management.azure.com\\@evil.example/", false },
	{ "https://management.azure.com%2eevil.example/", false },
	{ "https://management.azure.com#@evil.example/", true },
	{ "...", false },
	{ "", false },
	{ "/\r\nHost: evil", false },
	{ "https://management.azure.com.:443/", false },
	{ "ftp://management.azure.com/", false },
};

START_TEST(links_to_other_hosts_are_not_followed)
{
	char *url = url_follow(ARM, links[_i].link);

	ck_assert_msg((url != NULL) == links[_i].follows, "%s", links[_i].link);
	free(url);
}
END_TEST

START_TEST(plain_http_is_for_loopback_only)
{
	ck_assert(url_safe("http://127.0.0.1:8080/x"));
	ck_assert(url_safe("http://localhost/"));
	ck_assert(url_safe("http://[::1]:9/"));
	ck_assert(!url_safe("http://127.0.0.1.evil.example/"));
	ck_assert(!url_safe("http://10.0.0.1/"));
	ck_assert(!url_safe("http://localhost.evil.example/"));
	ck_assert(url_safe("https://evil.example/"));
	ck_assert(!url_safe("http://[fe80::1]/") && !url_safe("http://2886729729/"));
	ck_assert(url_safe("http://[::ffff:127.0.0.1]/"));
}
END_TEST

/* The parser is curl's, so that a host is the same when it is checked and when it is asked. */
START_TEST(origins_are_read_strictly)
{
	static const char *const bad[] = {
		"https://a@b/",       "https://a%2eb/",
		"https:///a",         "https:a",
		"https://",           "https://a:b/",
		"https://a:99999/",   "https://[::1/",
		"https://[::1%251]/", "https://a\xc3\xa4/",
		"https://a b/",       "https://a\\b/",
		"file:///etc/passwd", NULL,
	};
	struct origin origin;

	for (size_t i = 0; bad[i] != NULL; i++)
		ck_assert_msg(url_origin(bad[i], &origin) < 0, "%s", bad[i]);
	ck_assert_int_eq(url_origin(NULL, &origin), -EINVAL);
	ck_assert_int_eq(url_origin("HTTPS://Host.Example:8443/P?q#f", &origin), 0);
	ck_assert_str_eq(origin.scheme, "https");
	ck_assert_str_eq(origin.host, "host.example");
	ck_assert_str_eq(origin.port, "8443");
	ck_assert_int_eq(url_origin("http://[FD00::1]?x", &origin), 0);
	ck_assert_str_eq(origin.host, "[fd00::1]");
	ck_assert_str_eq(origin.port, "80");
	ck_assert(url_same_origin("https://a", "https://A:443/"));
	ck_assert(!url_same_origin("https://a", "http://a:443/"));
}
END_TEST

START_TEST(shown_urls_hold_no_signature)
{
	char *shown = url_shown(
	    "https://a.blob.core.windows.net/b?sv=1&sig=abc%2Bdef&se=2&token=zzz#frag&x=1");

	ck_assert_str_eq(shown, "https://a.blob.core.windows.net/b?sv=1&sig=*&se=2&token=*");
	free(shown);
}
END_TEST

/* ---- secrets ---- */

static json_t *
cut(const char *text)
{
	struct secrets secrets = { .count = 0 };
	json_t *json = json_loads(text, JSON_ALLOW_NUL, NULL);

	ck_assert_ptr_nonnull(json);
	secrets_learn(&secrets, "the-client-secret");
	secrets_cut(&secrets, json);
	secrets_free(&secrets);
	return json;
}

static const char *const secret_bodies[] = {
	"{\"properties\":{\"protectedSettings\":{\"a\":\"CANARY\"}}}",
	"{\"osProfile\":{\"adminPassword\":\"CANARY\",\"customData\":\"CANARY\"}}",
	"{\"properties\":{\"userData\":\"CANARY\"}}",
	"{\"properties\":{\"settings\":{\"workspaceKey\":\"CANARY\",\"n\":{\"storageSas\":"
	"\"CANARY\"}}}}",
	"{\"properties\":{\"settings\":{\"commandToExecute\":\"x -p CANARY\"}}}",
	"{\"a\":\"https://x.blob/y?sv=1&sig=CANARY&x=1\"}",
	"{\"a\":[\"https://x/y?SIG=CANARY\"]}",
	"{\"a\":\"DefaultEndpointsProtocol=https;AccountKey=CANARY==;E=1\"}",
	"{\"tags\":{\"db_password\":\"CANARY\"}}",
	"{\"message\":\"Authorization: Bearer CANARY\"}",
	"{\"message\":\"your token eyJhbGciOiJub25lIn0.eyJDQU5BUlkiOjF9.CANARY is bad\"}",
	"{\"a\":\"-----BEGIN RSA PRIVATE KEY-----\\nCANARY\\n-----END RSA PRIVATE KEY-----\"}",
	"{\"a\":{\"access_token\":\"CANARY\",\"connectionString\":\"CANARY\"}}",
	"{\"a\":\"x\\u0000sig=CANARY\"}",
	"{\"a\":\"eyJeyJeyJ eyJ.eyJ eyJhbGciOiJub25lIn0.CANARY1.CANARY\"}",
	"{\"a\":\"-----BEGIN -----BEGIN EC PRIVATE KEY-----CANARY\"}",
	"{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_password\":"
	"\"CANARY\"}",
};

START_TEST(secrets_are_cut_from_bodies)
{
	json_t *json = cut(secret_bodies[_i]);
	char *text = json_dumps(json, 0);

	ck_assert_msg(strstr(text, "CANARY") == NULL && strstr(text, "the-client-secret") == NULL,
		      "%s", text);
	free(text);
	json_decref(json);
}
END_TEST

START_TEST(what_was_signed_in_with_is_cut_wherever_it_stands)
{
	json_t *json = cut("{\"error\":{\"message\":\"bad the-client-secret!\"}}");

	ck_assert_str_eq(doc_str(json, "error.message"), "bad [cut]!");
	json_decref(json);
}
END_TEST

static const char *const harmless_bodies[] = {
	"{\"publicKeys\": [{\"keyData\": \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc== me@host\"}]}",
	"{\"disablePasswordAuthentication\": true, \"secrets\": []}",
	"{\"$skipToken\": \"abc\"}",
	"{\"description\": \"design=good\"}",
	"{\"properties\": {\"keyVaultUrl\": \"https://v.vault.azure.net\", \"provisioningState\": "
	"\"Succeeded\"}}",
};

START_TEST(what_is_no_secret_stays)
{
	json_t *before = json_loads(harmless_bodies[_i], 0, NULL),
	       *after = cut(harmless_bodies[_i]);

	ck_assert(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}
END_TEST

/* ---- replies ---- */

static const struct {
	const char *message, *action;
} actions[] = {
	{ "The client 'x' with object id 'y' does not have authorization to perform action "
	  "'Microsoft.Network/networkSecurityGroups/read' over scope '/subscriptions/s'",
	  "Microsoft.Network/networkSecurityGroups/read" },
	{ "The client 'x' does not have authorizationto perform action "
	  "\"Microsoft.Compute/virtualMachines/read\" over scope 'z'",
	  "Microsoft.Compute/virtualMachines/read" },
	{ "has permission to perform action 'Microsoft.Network/a/join/action' on scope",
	  "Microsoft.Network/a/join/action" },
	{ "no such thing", NULL },
	{ "action", NULL },
	{ "action 'unclosed", NULL },
	{ "perform action 'nothing here'", NULL },
	{ NULL, NULL },
};

START_TEST(refused_actions_are_read_from_the_sentence)
{
	char *action = error_action(actions[_i].message);

	if (actions[_i].action == NULL)
		ck_assert_ptr_null(action);
	else
		ck_assert_str_eq(action, actions[_i].action);
	free(action);
}
END_TEST

START_TEST(the_newest_older_api_version_is_taken)
{
	json_t *body =
	    json_pack("{s:{s:s, s:s}}", "error", "code", "NoRegisteredProviderFound", "message",
		      "No registered resource provider found for location 'x' and API version "
		      "'2024-07-01' for type 'virtualMachines'. "
		      "The supported api-versions are '2015-06-15, 2020-06-01, 2017-12-01, "
		      "2025-01-01, 2021-01-01-preview'.");
	char *version = error_api_version(body, "2024-07-01");

	ck_assert_str_eq(version, "2020-06-01");
	free(version);
	json_decref(body);
}
END_TEST

START_TEST(json_is_bounded_in_depth)
{
	char deep[1200];
	json_t *json;

	memset(deep, '[', 600);
	memset(deep + 600, ']', 600);
	ck_assert_ptr_null(parse_json(deep, sizeof(deep)));
	json = parse_json(deep + 500, 200);
	ck_assert_ptr_nonnull(json);
	json_decref(json);
	json = parse_json("\xef\xbb\xbf{\"a\":\"\xff\"}", 12);
	ck_assert_str_eq(doc_str(json, "a"), "\xef\xbf\xbd");
	json_decref(json);
	ck_assert_ptr_null(parse_json("<html>", 6));
	ck_assert_ptr_null(parse_json("", 0));
}
END_TEST

/* ---- az's files ---- */

START_TEST(ini_files_are_read_as_az_writes_them)
{
	static const char ini[] =
	    "# comment\n[defaults]\ngroup = rg one\nVM: v\n; no\n[cloud]\nname = "
	    "AzureUSGovernment\r\nurl = a%%20b\n[empty]\nx =\n";
	char *value;

	ck_assert_str_eq(value = config_get(ini, "defaults", "group"), "rg one");
	free(value);
	ck_assert_str_eq(value = config_get(ini, "defaults", "vm"), "v");
	free(value);
	ck_assert_str_eq(value = config_get(ini, "cloud", "name"), "AzureUSGovernment");
	free(value);
	ck_assert_str_eq(value = config_get(ini, "cloud", "url"), "a%20b");
	free(value);
	ck_assert_ptr_null(config_get(ini, "Defaults", "group"));
	ck_assert_ptr_null(config_get(ini, "empty", "x"));
	ck_assert_ptr_null(config_get(NULL, "empty", "x"));
}
END_TEST

/* ---- tokens ---- */

START_TEST(claims_are_decoded_without_the_token)
{
	unsigned char payload[] = "{\"aud\":\"https://"
				  "management.azure.com\",\"tid\":\"t\",\"oid\":\"o\",\"secret\":"
				  "\"s\",\"exp\":1700000000}";
	char *body = base64_encode((struct bytes){ payload, sizeof(payload) - 1 },
				   BASE64_LOOSE | BASE64_URL),
	     *token = doc_fmt("eyJhbGciOiJub25lIn0.%s.sig", body);
	json_t *claims = jwt_claims(token);

	ck_assert_str_eq(doc_str(claims, "tid"), "t");
	ck_assert_int_eq(doc_int(claims, "exp", 0), 1700000000);
	ck_assert_ptr_null(doc_str(claims, "secret"));
	json_decref(claims);
	ck_assert_ptr_null(jwt_claims("no token"));
	ck_assert_ptr_null(jwt_claims("a.!!!.c"));
	ck_assert_ptr_null(jwt_claims("a..c"));
	free(body);
	free(token);
}
END_TEST

#define GUID "4de154de-f8a8-4017-af41-df619da68155"
#define ENTRA "https://login.microsoftonline.com"

/* may: 'n' nobody's token is asked for, 'o' only one of the cloud's own authority, 'y' any */
static const struct {
	const char *arm, *authority, *audience;
	bool chosen;
	char may;
} audiences[] = {
	{ ARM, ENTRA, "https://management.azure.com/", false, 'y' },
	{ ARM, ENTRA, "https://management.core.windows.net/", false, 'y' },
	{ ARM, ENTRA, "https://management.core.windows.net:443", true, 'y' },
	{ ARM, ENTRA, "https://graph.microsoft.com", true, 'n' },
	{ ARM, "https://login.example", "https://graph.microsoft.com", true, 'n' },
	{ "https://management.usgovcloudapi.net", ENTRA, "https://management.azure.com", true,
	  'n' },
	{ "https://evil.example", ENTRA, "https://management.azure.com/", true, 'n' },
	{ "https://evil.example", ENTRA, "https://management.core.windows.net", true, 'n' },
	{ "https://evil.example", ENTRA, "https://management.azure.com/x", true, 'n' },
	{ "https://evil.example", ENTRA, "https://graph.microsoft.com", true, 'n' },
	{ "https://evil.example", ENTRA, "https://vault.azure.net", true, 'n' },
	{ "https://evil.example", ENTRA, "797f4846-ba00-4fd7-ba43-dac1f8f63013", true, 'n' },
	{ "https://evil.example", ENTRA, "api://evil.example", true, 'n' },
	{ "https://evil.example", ENTRA, "https://evil.example@graph.microsoft.com", true, 'n' },
	{ "https://evil.example", ENTRA, "https://evil.example https://graph.microsoft.com", true,
	  'n' },
	{ "https://evil.example", ENTRA, "https://evil.example%20https://vault.azure.net", true,
	  'n' },
	{ "https://evil.example", ENTRA, "https://evil.example\xc2\xa0https://x.net", true, 'n' },
	{ "https://evil.example", ENTRA, "http://evil.example", true, 'n' },
	{ "https://evil.example", ENTRA, "https://other.example", true, 'n' },
	{ "https://evil.example", ENTRA, "https://EVIL.example/x", true, 'y' },
	{ "https://evil.example:8443", ENTRA, "https://evil.example/", false, 'y' },
	{ "https://evil.example", ENTRA, "https://contoso.onmicrosoft.com/" GUID, false, 'y' },
	{ "https://evil.example", ENTRA, "https://contoso.onmicrosoft.com/payroll", false, 'n' },
	{ "https://evil.example", ENTRA, "https://xonmicrosoft.com/" GUID, false, 'n' },
	{ "https://evil.example", ENTRA, "https://x.onmicrosoft.com.evil.example/" GUID, false,
	  'n' },
	{ "https://management.evil.example", ENTRA, "https://graph.evil.example", true, 'n' },
	{ "https://a.microsoft.com", "https://login.microsoft.com", "https://graph.microsoft.com",
	  true, 'n' },
	{ "https://a.microsoft.com", "https://sts.windows.net", "https://graph.microsoft.com", true,
	  'n' },
	{ "https://management.stack.local", "https://adfs.stack.local", "https://x.stack.local/a",
	  true, 'o' },
	{ "https://management.stack.local", "https://adfs.stack.local", "https://x.stack.local/a",
	  false, 'n' },
	{ "https://stack.local", "https://adfs.local", "https://other.local", true, 'n' },
	{ "https://management.stack.local", "https://adfs.stack.local",
	  "https://graph.microsoft.com", true, 'n' },
	{ "https://stack.local", NULL, "https://stack.local/guid", false, 'y' },
	{ "http://127.0.0.1:1", "http://127.0.0.1:1", "https://management.azure.com/", true, 'y' },
	{ "http://127.0.0.1:1", ENTRA, "https://graph.microsoft.com", true, 'n' },
	{ "http://127.0.0.1:1", "http://[::1]:2", "https://stack.local/one", false, 'o' },
	{ "http://127.0.0.1:1", "http://[::1]:2", "https://graph.microsoft.com", false, 'n' },
	{ "http://10.0.0.1", ENTRA, "https://stack.local/", true, 'n' },
	{ "http://10.0.0.1", ENTRA, "http://10.0.0.1/", true, 'n' },
};

START_TEST(a_token_is_asked_for_only_for_the_host_it_goes_to)
{
	struct cloud cloud = { .arm = strdup(audiences[_i].arm),
			       .authority = NULL,
			       .audience = strdup(audiences[_i].audience),
			       .authority_chosen = audiences[_i].chosen };
	char may = 'n';

	if (audiences[_i].authority != NULL)
		cloud.authority = strdup(audiences[_i].authority);
	if (cloud_may_ask(&cloud, false, NULL))
		may = 'y';
	else if (cloud_may_ask(&cloud, true, NULL))
		may = 'o';
	ck_assert_msg(may == audiences[_i].may, "%s to %s: %c", cloud.audience, cloud.arm, may);
	cloud_free(&cloud);
}
END_TEST

START_TEST(an_ad_fs_knows_its_arm_by_an_internal_name)
{
	char arm[] = "https://management.north.example", authority[] = "https://adfs.north.example",
	     audience[] = "https://management.adfs.internal/" GUID;
	struct cloud cloud = { .arm = arm,
			       .authority = authority,
			       .audience = audience,
			       .authority_chosen = true,
			       .adfs = true };

	ck_assert(cloud_may_ask(&cloud, true, NULL));
	ck_assert(!cloud_may_ask(&cloud, false, NULL));
	cloud.authority_chosen = false;
	ck_assert(!cloud_may_ask(&cloud, true, NULL));
}
END_TEST

START_TEST(a_secret_goes_to_an_authority_that_the_user_named)
{
	static const struct {
		const char *arm, *authority;
		bool custom, chosen, may;
	} cases[] = {
		{ ARM, ENTRA, false, false, true },
		{ "https://evil.example", ENTRA, true, false, true },
		{ "https://evil.example", "https://login.windows.net", true, false, true },
		{ "https://evil.example", "https://evil.example", true, false, false },
		{ "https://evil.example", "https://login.evil.example", true, false, false },
		{ "https://evil.example", "https://login.microsoftonline.com:444", true, false,
		  false },
		{ "https://evil.example", "https://evil.example", true, true, true },
		{ "https://evil.example", "http://127.0.0.1:1", true, false, false },
		{ "http://127.0.0.1:2", "http://127.0.0.1:1", true, false, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cloud cloud = { .arm = strdup(cases[i].arm),
				       .authority = strdup(cases[i].authority),
				       .custom = cases[i].custom,
				       .authority_chosen = cases[i].chosen };

		ck_assert_msg(cloud_may_prove(&cloud, NULL) == cases[i].may, "%s for %s",
			      cases[i].authority, cases[i].arm);
		cloud_free(&cloud);
	}
}
END_TEST

START_TEST(a_token_of_another_audience_is_not_the_one_asked_for)
{
	static const struct {
		const char *asked, *came;
		bool fits;
	} cases[] = {
		{ "https://management.azure.com/", "https://management.azure.com", true },
		{ "https://management.azure.com/", "https://management.core.windows.net/", true },
		{ "https://management.azure.com/", "797f4846-ba00-4fd7-ba43-dac1f8f63013", true },
		{ "https://management.azure.com/", "https://management.usgovcloudapi.net", false },
		{ "https://management.azure.com/", "https://graph.microsoft.com", false },
		{ "https://management.azure.com/", "", false },
		{ "https://stack.local/a", "https://stack.local/a/", true },
		{ "https://stack.local/a", "https://stack.local/b", false },
		{ "https://stack.local/a", "797f4846-ba00-4fd7-ba43-dac1f8f63013", false },
		{ "https://stack.local/a", "https://management.azure.com/", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cloud cloud = { .audience = strdup(cases[i].asked) };

		ck_assert_msg(cloud_audience_fits(&cloud, cases[i].came) == cases[i].fits,
			      "%s for %s", cases[i].came, cases[i].asked);
		cloud_free(&cloud);
	}
}
END_TEST

/* ---- names ---- */

static const struct {
	const char *typed, *name;
	bool near;
} names[] = {
	{ "myVM", "myvm", true },       { "myvm", "my-vm", true },
	{ "web01", "web10", true },     { "web01", "web-01", true },
	{ "myvm", "database", false },  { "prod-web", "prod-web-2", true },
	{ "a", "zz", false },           { "vm", "vn", true },
	{ "jumpbox", "jumpobx", true }, { "", "x", false },
};

START_TEST(near_names_are_what_a_person_mistypes)
{
	ck_assert_msg(name_near(names[_i].typed, names[_i].name) == names[_i].near, "%s %s",
		      names[_i].typed, names[_i].name);
}
END_TEST

/* ---- the rules lend words to every code ---- */

static const char *const codes[] = { "az-not-logged-in",       "token-expired-ca",
				     "signin-blocked-ca",      "tenant-wrong",
				     "signin-secret-wrong",    "signin-assertion-time",
				     "signin-consent-missing", "signin-federation-mismatch",
				     "signin-unreachable",     "signin-too-slow",
				     "az-signin-failed",       "clock-skew-token",
				     "foreign-host-refused",   "rbac-missing-read",
				     "rbac-missing-action",    "subscription-disabled",
				     "subscription-past-due",  "subscription-not-seen",
				     "api-throttled",          "api-unreachable",
				     "api-tls-failed",         "api-timeout",
				     "api-not-json",           "api-reply-too-big",
				     "api-server-error",       "api-error",
				     "vm-not-found",           "sub-wrong",
				     "subscription-not-found", "vm-name-ambiguous",
				     "vm-not-looked-up",       "host-owner-unknown" };

START_TEST(every_code_has_words)
{
	struct rules *rules;
	struct err err = { "" };

	ck_assert_msg(rules_default(&rules, &err) == 0, "%s", err.text);
	ck_assert_msg(rules_code(rules, codes[_i]) != NULL, "%s", codes[_i]);
	rules_free(rules);
}
END_TEST

/* ---- checks ---- */

#define SUB "/subscriptions/s1"
#define NSG SUB "/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/n"
#define NSG_KEY                                                                                    \
	"/subscriptions/s1/resourcegroups/rg/providers/microsoft.network/networksecuritygroups/n"
#define VM SUB "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"

/* A target that was found and read, with `patch` merged over its document. */
static json_t *
facts_with(struct facts *facts, const char *azure, const char *target)
{
	json_t *doc = facts_new(1767225600), *patch = json_loads(azure, 0, NULL),
	       *one = json_loads(target, 0, NULL);

	ck_assert_ptr_nonnull(patch);
	ck_assert_ptr_nonnull(one);
	json_object_set_new(json_object_get(doc, "asked"), "azure", json_true());
	json_object_update(json_object_get(doc, "azure"), patch);
	json_array_append_new(json_object_get(doc, "targets"), one);
	json_decref(patch);
	ck_assert_int_eq(facts_view(doc, 0, facts), 0);
	return doc;
}

#define SIGNED                                                                                     \
	"\"signin\":{\"state\":\"known\",\"credential\":\"azure-cli\",\"claims\":{\"upn\":\"me@"   \
	"x\"}}"
#define FOUND                                                                                      \
	"\"vm\":{\"state\":\"known\",\"id\":\"" VM                                                 \
	"\",\"name\":\"vm\",\"resource_group\":\"rg\",\"subscription\":\"s1\"}"
#define READ "\"network\":{\"state\":\"known\",\"nics\":[],\"read\":[\"" NSG "\"]}"

static const struct {
	const struct check *check;
	const char *azure, *target;
	enum status status;
	const char *code, *also;
} cases[] = {
	{ &check_table[CHECK_AZURE_SIGNIN], "{" SIGNED "}", "{" FOUND "}", PASS, "azure-signin-ok",
	  NULL },
	{ &check_table[CHECK_AZURE_SIGNIN],
	  "{\"signin\":{\"state\":\"unknown\",\"cause\":\"signed-out\",\"reason\":\"r\"}}", "{}",
	  UNKNOWN, "az-not-logged-in", NULL },
	{ &check_table[CHECK_AZURE_SIGNIN],
	  "{\"signin\":{\"state\":\"unknown\",\"cause\":\"expired\",\"kind\":\"expired\","
	  "\"aadsts\":70043,\"reason\":\"r\"}}",
	  "{}", UNKNOWN, "token-expired-ca", NULL },
	{ &check_table[CHECK_AZURE_SIGNIN],
	  "{\"signin\":{\"state\":\"unknown\",\"cause\":\"failed\",\"kind\":\"clock\",\"skew_s\":"
	  "900,\"reason\":\"r\"}}",
	  "{}", UNKNOWN, "clock-skew-token", NULL },
	{ &check_table[CHECK_AZURE_SIGNIN],
	  "{\"signin\":{\"state\":\"known\",\"credential\":\"x\",\"skew_s\":-3600}}", "{" FOUND "}",
	  PASS, "azure-signin-ok", "clock-skew-token" },
	{ &check_table[CHECK_AZURE_SIGNIN],
	  "{\"signin\":{\"state\":\"not-asked\",\"reason\":\"r\"}}", "{}", SKIP, "not-asked",
	  NULL },
	{ &check_table[CHECK_AZURE_ACCESS], "{" SIGNED "}", "{" FOUND "," READ "}", PASS,
	  "azure-access-ok", NULL },
	{ &check_table[CHECK_AZURE_ACCESS],
	  "{" SIGNED ",\"missing\":{\"" NSG_KEY "\":{\"state\":\"unknown\",\"cause\":\"forbidden\","
	  "\"action\":\"a/read\",\"reason\":\"r\"}}}",
	  "{" FOUND "," READ "}", UNKNOWN, "rbac-missing-read", NULL },
	{ &check_table[CHECK_AZURE_ACCESS],
	  "{" SIGNED ",\"missing\":{\"" NSG_KEY
	  "\":{\"state\":\"absent\",\"cause\":\"not-found\",\"reason\":\"r\"}}}",
	  "{" FOUND "," READ "}", PASS, "azure-access-ok", NULL },
	{ &check_table[CHECK_AZURE_ACCESS],
	  "{" SIGNED ",\"missing\":{\"/subscriptions/s1/"
	  "other\":{\"state\":\"unknown\",\"cause\":\"forbidden\",\"reason\":\"r\"}}}",
	  "{" FOUND "," READ "}", PASS, "azure-access-ok", NULL },
	{ &check_table[CHECK_AZURE_ACCESS],
	  "{" SIGNED ",\"resources\":{\"/subscriptions/s1\":{\"state\":\"Disabled\"}}}",
	  "{" FOUND "," READ "}", FAIL, "subscription-disabled", NULL },
	{ &check_table[CHECK_AZURE_ACCESS],
	  "{" SIGNED ",\"lists\":{\"/subscriptions/s1/resourcegroups/rg/providers/"
	  "microsoft.network/networkinterfaces\":"
	  "{\"state\":\"unknown\",\"cause\":\"foreign-host\",\"reason\":\"r\"}}}",
	  "{" FOUND "," READ "}", WARN, "foreign-host-refused", NULL },
	{ &check_table[CHECK_AZURE_ACCESS], "{" SIGNED "}",
	  "{\"vm\":{\"state\":\"unknown\",\"cause\":\"tenant\",\"reason\":\"r\"}}", UNKNOWN,
	  "tenant-wrong", NULL },
	{ &check_table[CHECK_AZURE_ACCESS],
	  "{" SIGNED ",\"missing\":{\"" NSG_KEY
	  "/effective\":{\"state\":\"unknown\",\"cause\":\"forbidden\",\"action\":\"a/b/"
	  "action\",\"reason\":\"r\"}}}",
	  "{" FOUND "," READ "}", WARN, "rbac-missing-action", NULL },
	{ &check_table[CHECK_AZURE_ACCESS], "{" SIGNED "}",
	  "{" FOUND "," READ ",\"proof\":{\"state\":\"unknown\",\"cause\":\"forbidden\",\"action\":"
	  "\"x/action\",\"reason\":\"r\"}}",
	  WARN, "rbac-missing-action", NULL },
	{ &check_table[CHECK_VM_FOUND], "{" SIGNED "}", "{" FOUND "}", PASS, "vm-found-ok", NULL },
	{ &check_table[CHECK_VM_FOUND], "{" SIGNED "}",
	  "{\"vm\":{\"state\":\"absent\",\"cause\":\"not-found\",\"reason\":\"r\",\"near\":["
	  "\"vm1\"]}}",
	  FAIL, "vm-not-found", NULL },
	{ &check_table[CHECK_VM_FOUND], "{" SIGNED "}",
	  "{\"vm\":{\"state\":\"unknown\",\"cause\":\"forbidden\",\"reason\":\"r\"}}", UNKNOWN,
	  "vm-not-looked-up", NULL },
	{ &check_table[CHECK_VM_FOUND], "{" SIGNED "}",
	  "{\"vm\":{\"state\":\"known\",\"name\":\"vm\",\"subscription\":\"s2\",\"elsewhere\":{"
	  "\"active\":\"s1\"}}}",
	  FAIL, "sub-wrong", NULL },
	{ &check_table[CHECK_VM_FOUND], "{" SIGNED "}",
	  "{\"vm\":{\"state\":\"known\",\"name\":\"vm\",\"subscription\":\"s2\",\"elsewhere\":{"
	  "\"active\":\"s1\"}},"
	  "\"wire\":{\"auth\":{\"state\":\"known\",\"accepted\":\"SHA256:x\"}}}",
	  WARN, "sub-wrong", NULL },
	{ &check_table[CHECK_VM_FOUND], "{" SIGNED "}",
	  "{\"resource_group\":\"rg\",\"vm\":{\"state\":\"known\",\"name\":\"vm\",\"subscription\":"
	  "\"s2\","
	  "\"elsewhere\":{\"active\":\"s1\"}},\"wire\":{\"auth\":{\"state\":\"known\",\"accepted\":"
	  "\"SHA256:x\"}}}",
	  FAIL, "sub-wrong", NULL },
};

START_TEST(checks_say_what_the_facts_show)
{
	struct facts facts;
	struct finding finding;
	json_t *doc = facts_with(&facts, cases[_i].azure, cases[_i].target);
	struct rule rule = { .id = cases[_i].check->id, .enabled = true };

	finding_init(&finding, cases[_i].check->id);
	check_on(&facts, cases[_i].check, &rule, &finding);
	ck_assert_str_eq(finding.code, cases[_i].code);
	ck_assert_str_eq(status_word(finding.status), status_word(cases[_i].status));
	ck_assert_uint_eq(finding.also_count, cases[_i].also != NULL);
	if (cases[_i].also != NULL)
		ck_assert_str_eq(finding.also[0].code, cases[_i].also);
	finding_free(&finding);
	json_decref(doc);
}
END_TEST

/* ---- waiting ---- */

static void
count(void *ctx)
{
	++*(int *)ctx;
}

START_TEST(a_join_ends_once_and_after_all_of_its_parts)
{
	struct join join;
	int ended = 0;

	join_begin(&join, count, &ended);
	join_add(&join);
	join_end(join_add(&join)); /* ended before the beginner had added everything */
	ck_assert_int_eq(ended, 0);
	join_end(&join); /* the beginner */
	ck_assert_int_eq(ended, 0);
	join_end(&join);
	ck_assert_int_eq(ended, 1);
}
END_TEST

struct again {
	struct waiters *waiters;
	int calls;
};

static void
wait_again(void *ctx)
{
	struct again *again = ctx;

	if (again->calls++ == 0)
		waiters_add(again->waiters, wait_again, again);
}

START_TEST(who_waits_again_is_called_the_next_time)
{
	struct waiters waiters = { NULL, NULL };
	struct again again = { .waiters = &waiters };
	int others = 0;

	waiters_add(&waiters, wait_again, &again);
	waiters_add(&waiters, count, &others);
	waiters_call(&waiters);
	ck_assert_int_eq(again.calls, 1);
	ck_assert_int_eq(others, 1);
	waiters_call(&waiters);
	ck_assert_int_eq(again.calls, 2);
	ck_assert_int_eq(others, 1);
}
END_TEST

/* Without a sign-in every request ends at once, with a reason. */
START_TEST(a_thousand_resources_are_told_apart_by_their_paths)
{
	struct web web = { .doc = json_object() };
	struct fetches fetches;
	struct arm arm;
	int ended = 0;
	char *path;

	arm_begin(&arm, &web, "https://management.azure.com");
	fetches_begin(&fetches, &arm);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 1000; i++) {
			path =
			    doc_fmt("/subscriptions/s/%s/%d", round == 0 ? "Things" : "things", i);
			fetch_resource(&fetches, path, count, &ended);
			free(path);
		}
	ck_assert_int_eq(ended, 2000);
	ck_assert_uint_eq(fetches.count, 1000);
	ck_assert_uint_eq(json_object_size(doc_get(web.doc, "azure.missing")), 1000);
	ck_assert_str_eq(
	    doc_str(doc_get(web.doc, "azure.missing"), "/subscriptions/s/things/7.cause"),
	    "expired");
	fetches_free(&fetches);
	arm_free(&arm);
	json_decref(web.doc);
}
END_TEST

#define LOOP(tc, test, table)                                                                      \
	tcase_add_loop_test(tc, test, 0, (int)(sizeof(table) / sizeof(*table)))

int
main(void)
{
	Suite *suite = suite_create("azure");
	TCase *tc = tcase_create("pure parts");
	SRunner *runner = srunner_create(suite);

	LOOP(tc, links_to_other_hosts_are_not_followed, links);
	tcase_add_test(tc, plain_http_is_for_loopback_only);
	tcase_add_test(tc, shown_urls_hold_no_signature);
	tcase_add_test(tc, origins_are_read_strictly);
	LOOP(tc, secrets_are_cut_from_bodies, secret_bodies);
	tcase_add_test(tc, what_was_signed_in_with_is_cut_wherever_it_stands);
	LOOP(tc, what_is_no_secret_stays, harmless_bodies);
	LOOP(tc, refused_actions_are_read_from_the_sentence, actions);
	tcase_add_test(tc, the_newest_older_api_version_is_taken);
	tcase_add_test(tc, json_is_bounded_in_depth);
	tcase_add_test(tc, ini_files_are_read_as_az_writes_them);
	tcase_add_test(tc, claims_are_decoded_without_the_token);
	LOOP(tc, a_token_is_asked_for_only_for_the_host_it_goes_to, audiences);
	tcase_add_test(tc, an_ad_fs_knows_its_arm_by_an_internal_name);
	tcase_add_test(tc, a_secret_goes_to_an_authority_that_the_user_named);
	tcase_add_test(tc, a_token_of_another_audience_is_not_the_one_asked_for);
	LOOP(tc, near_names_are_what_a_person_mistypes, names);
	LOOP(tc, every_code_has_words, codes);
	LOOP(tc, checks_say_what_the_facts_show, cases);
	tcase_add_test(tc, a_join_ends_once_and_after_all_of_its_parts);
	tcase_add_test(tc, who_waits_again_is_called_the_next_time);
	tcase_add_test(tc, a_thousand_resources_are_told_apart_by_their_paths);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
