/* Roles and deny assignments, from payloads of Azure's own documentation (tests/data/azure) that
 * are turned one way and the other. */
#include "model/grant.h"
#include "facts/doc.h"
#include "model/network.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERMISSIONS RG "/providers/Microsoft.Authorization/permissions"
#define DENY RG "/providers/Microsoft.Authorization/denyAssignments/d"
#define WRITE_RULE "Microsoft.Network/networkSecurityGroups/securityRules/write"

static struct net net;

/* The body of the example's answer; the caller drops it. */
static json_t *
example(const char *name)
{
	const char *source = getenv("srcdir");
	char path[512];
	json_t *file, *body;

	snprintf(path, sizeof(path), "%s/tests/data/azure/%s.json", source != NULL ? source : ".",
		 name);
	file = json_load_file(path, 0, NULL);
	ck_assert_ptr_nonnull(file);
	body = json_incref(
	    json_object_get(json_object_get(json_object_get(file, "responses"), "200"), "body"));
	json_decref(file);
	ck_assert_ptr_nonnull(body);
	return body;
}

static void
put(const char *id, json_t *body)
{
	char *text = json_dumps(body, 0);

	net_put(&net, id, text);
	free(text);
	json_decref(body);
}

static void
start(void)
{
	net_start(&net);
}

static void
end(void)
{
	net_end(&net);
}

START_TEST(the_official_permissions_grant_nothing)
{
	json_t *body = example("authorization__GetPermissions");

	ck_assert_int_eq(grant_of(&net.facts, NSG_ID, WRITE_RULE), FACT_MAYBE);
	put(PERMISSIONS, json_incref(body));
	/* it has a further page, which was not read */
	ck_assert_int_eq(grant_of(&net.facts, NSG_ID, WRITE_RULE), FACT_MAYBE);
	json_object_del(body, "nextLink");
	put(PERMISSIONS, body);
	ck_assert_int_eq(grant_of(&net.facts, NSG_ID, WRITE_RULE), FACT_NO);
}
END_TEST

static const struct {
	const char *entries;
	enum fact_maybe granted;
} roles[] = {
	{ "{'actions': ['*'], 'notActions': []}", FACT_YES },
	{ "{'actions': ['*/read'], 'notActions': []}", FACT_NO },
	{ "{'actions': ['microsoft.network/*'], 'notActions': []}", FACT_YES },
	{ "{'actions': ['Microsoft.Network/networkSecurityGroups/*/write']}", FACT_YES },
	{ "{'actions': ['*'], 'notActions': ['Microsoft.Network/*/write']}", FACT_NO },
	/* what one role takes out, another may give */
	{ "{'actions': ['*'], 'notActions': ['*/write']}, {'actions': ['" WRITE_RULE "']}",
	  FACT_YES },
	{ "{'actions': ['Microsoft.Network/networkSecurityGroups/securityRules/writ']}", FACT_NO },
	{ "{'actions': [7, null], 'notActions': 'no list'}, 'no object'", FACT_NO },
};

START_TEST(roles_are_read_as_azure_reads_them)
{
	char text[512];

	snprintf(text, sizeof(text), "{'value': [%s]}", roles[_i].entries);
	net_put(&net, PERMISSIONS, text);
	ck_assert_int_eq(grant_of(&net.facts, NSG_ID, WRITE_RULE), roles[_i].granted);
}
END_TEST

/* The example's deny assignment, with these members of its properties in the place of its own. */
static void
put_deny(const char *changes)
{
	json_t *body = example("authorization__GetAllDenyAssignments"),
	       *one = json_incref(json_array_get(json_object_get(body, "value"), 0)),
	       *patch = net_json(changes);

	net_merge(json_object_get(one, "properties"), patch);
	json_decref(patch);
	json_decref(body);
	put(DENY, one);
}

#define EVERYONE                                                                                   \
	"'principals': [{'id': '00000000-0000-0000-0000-000000000000', 'type': 'SystemDefined'}]"
#define WRITES "'permissions': [{'actions': ['*'], 'notActions': ['*/read']}]"

static const struct {
	const char *changes;
	bool denies;
} denials[] = {
	{ "{}", false }, /* about another subscription, another action, another principal */
	{ "{'scope': '" RG "', " EVERYONE ", " WRITES "}", true },
	{ "{'scope': '/SUBSCRIPTIONS/s1/', " EVERYONE ", " WRITES "}", true },
	{ "{'scope': '" RG "x', " EVERYONE ", " WRITES "}", false },
	{ "{'scope': '" NSG_ID "', 'doNotApplyToChildScopes': true, " EVERYONE ", " WRITES "}",
	  true },
	{ "{'scope': '" RG "', 'doNotApplyToChildScopes': true, " EVERYONE ", " WRITES "}", false },
	{ "{'scope': '" RG "', " EVERYONE "}", false },
	{ "{'scope': '" RG "', " WRITES "}", false },
	{ "{'scope': '" RG "', 'principals': [{'id': 'me', 'type': 'User'}], " WRITES "}", true },
	{ "{'scope': '" RG "', 'excludePrincipals': [{'id': 'me', 'type': 'User'}], " EVERYONE
	  ", " WRITES "}",
	  false },
	{ "{'scope': null, " EVERYONE ", " WRITES "}", false },
};

START_TEST(the_official_deny_assignment_is_read)
{
	struct deny deny;

	put_deny(denials[_i].changes);
	ck_assert_int_eq(deny_over(&net.facts, NSG_ID, WRITE_RULE, "me", &deny),
			 denials[_i].denies);
	if (denials[_i].denies)
		ck_assert_str_eq(deny.name, "Deny assignment name");
}
END_TEST

/* The VNet has this peering, in that state, and no other. */
static bool
reaches_by(const json_t *peering, const char *state)
{
	json_t *one = json_deep_copy(peering);
	const char *remote = doc_str(one, "properties.remoteVirtualNetwork.id");
	struct network network;
	char *text, *patch;
	bool reaches;

	json_object_set_new(json_object_get(one, "properties"), "peeringState", json_string(state));
	text = json_dumps(one, 0);
	patch = doc_fmt("{\"properties\": {\"virtualNetworkPeerings\": [%s]}}", text);
	net_patch(&net, VNET_ID, patch);
	ck_assert_int_eq(network_from_facts(&net.facts, &network), 0);
	reaches = net_reaches(&network.paths[0], remote);
	ck_assert(net_reaches(&network.paths[0], VNET_ID));
	ck_assert(!net_reaches(&network.paths[0], VNET_ID "x"));
	network_free(&network);
	free(patch);
	free(text);
	json_decref(one);
	return reaches;
}

START_TEST(an_official_peering_reaches_once_it_is_connected)
{
	json_t *body = example("network__VirtualNetworkPeeringList"), *one;
	size_t i;

	json_array_foreach (json_object_get(body, "value"), i, one) {
		ck_assert(!reaches_by(one, "Initiated"));
		ck_assert(reaches_by(one, "Connected"));
		ck_assert(!reaches_by(one, "Disconnected"));
	}
	ck_assert_uint_gt(i, 0);
	json_decref(body);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
	Suite *suite = suite_create("grants");
	TCase *tc = tcase_create("grants");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tc, start, end);
	tcase_add_test(tc, the_official_permissions_grant_nothing);
	tcase_add_loop_test(tc, roles_are_read_as_azure_reads_them, 0, COUNT(roles));
	tcase_add_loop_test(tc, the_official_deny_assignment_is_read, 0, COUNT(denials));
	tcase_add_test(tc, an_official_peering_reaches_once_it_is_connected);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
