#include "checks/checks.h"
#include "facts/arm.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Everything that was asked for this VM and did not come, gathered by cause. */
struct gap {
	const char *cause;         /* borrowed from the facts */
	struct fact_missing first; /* the first entry of that cause */
	const char *resource;
	json_t *actions, *resources;
	size_t count;
};

enum { GAPS = 24 };

struct gaps {
	struct gap at[GAPS];
	size_t count;
};

/* The entry says why something did not arrive; of a resource, or of a section that did not. */
static void
gaps_add(struct gaps *gaps, const char *id, const char *cause, const json_t *entry)
{
	struct gap *gap = gaps->at;
	struct fact_missing missing;

	fact_read(entry, shape_of_missing(), &missing);
	cause = cause != NULL ? cause : missing.cause;
	if (cause == NULL || missing.state == FACT_ABSENT || missing.state == FACT_NOT_ASKED)
		return;
	while (gap < gaps->at + gaps->count && strcmp(gap->cause, cause) != 0)
		gap++;
	if (gap == gaps->at + gaps->count) {
		if (gaps->count == GAPS)
			return;
		*gap = (struct gap){ .cause = cause,
				     .first = missing,
				     .resource = id,
				     .actions = json_array(),
				     .resources = json_array() };
		gaps->count++;
	}
	doc_append_once(gap->actions, missing.action);
	doc_append_once(gap->resources, id);
	gap->count++;
}

static void
gaps_add_missing(const struct facts *facts, struct gaps *gaps, const char *id)
{
	const json_t *body, *why;

	if (id != NULL && facts_resource(facts, id, &body, &why) != FACT_KNOWN)
		gaps_add(gaps, id, NULL, why);
}

static void
gaps_free(struct gaps *gaps)
{
	for (size_t i = 0; i < gaps->count; i++) {
		json_decref(gaps->at[i].actions);
		json_decref(gaps->at[i].resources);
	}
}

/* Who comes by a public address needs no Bastion. */
static bool
has_public_way(const struct fact_network *network)
{
	for (size_t i = 0; i < network->read_count; i++)
		if (strcasestr(network->read[i], "/publicIPAddresses/") != NULL)
			return true;
	return false;
}

/* Lists that nothing stands in for. A list that single reads made good is no gap, but a link to a
 * foreign host is told all the same. */
static void
gaps_of_lists(const struct scene *scene, struct gaps *gaps)
{
	const char *key, *cause, *subscription = scene->vm->subscription;
	json_t *entry;
	bool public_way = has_public_way(scene->network);

	json_object_foreach ((json_t *)(uintptr_t)facts_lists(scene->facts), key, entry) {
		cause = FACT_GET(entry, missing, cause);
		if (subscription != NULL && strncmp(key, "/subscriptions/", 15) == 0 &&
		    strncasecmp(key + 15, subscription, strlen(subscription)) != 0)
			continue;
		if (doc_same(cause, "not-registered") || doc_same(cause, "not-offered"))
			continue;
		if (strstr(key, "/jitnetworkaccesspolicies") != NULL ||
		    (strstr(key, "/bastionhosts") != NULL && !public_way))
			gaps_add(gaps, key, NULL, entry);
		else if (doc_same(cause, "foreign-host"))
			gaps_add(gaps, key, "foreign-link", entry);
	}
}

/* The action's resource is one of those this VM refers to. */
static bool
parent_was_read(const struct fact_network *network, const char *key)
{
	const char *slash = strrchr(key, '/');
	size_t len = slash != NULL ? (size_t)(slash - key) : 0;

	for (size_t i = 0; len > 0 && i < network->read_count; i++)
		if (strlen(network->read[i]) == len && strncasecmp(network->read[i], key, len) == 0)
			return true;
	return false;
}

/* Diagnostic actions (effective rules, Run Command) that a Reader may not use. What they would add
 * is missed; the reads stand without. */
static void
gaps_of_actions(const struct scene *scene, struct gaps *gaps)
{
	const char *key;
	json_t *entry;

	if (doc_same(scene->proof->cause, "forbidden"))
		gaps_add(gaps, scene->vm->id, "forbidden-action",
			 facts_section(scene->facts, FACT_PROOF));
	json_object_foreach ((json_t *)(uintptr_t)facts_missing(scene->facts), key, entry) {
		const char *action = FACT_GET(entry, missing, action);
		size_t len = action != NULL ? strlen(action) : 0;

		if (doc_same(FACT_GET(entry, missing, cause), "forbidden") && len > 7 &&
		    (strcasecmp(action + len - 7, "/action") == 0 ||
		     strstr(key, "/ipflowverify") != NULL) &&
		    parent_was_read(scene->network, key))
			gaps_add(gaps, key, "forbidden-action", entry);
	}
}

static void
gaps_find(const struct scene *scene, struct gaps *gaps)
{
	const struct fact_vm *vm = scene->vm;
	const json_t *body, *why = NULL;

	if (doc_same(vm->cause, "no-subscriptions")) { /* which explains all other refusals */
		gaps_add(gaps, vm->id != NULL ? vm->id : vm->name, NULL,
			 facts_section(scene->facts, FACT_VM));
		return;
	}
	if (vm->id != NULL)
		facts_resource(scene->facts, vm->id, &body, &why);
	if (why == NULL && vm->state == FACT_UNKNOWN)
		gaps_add(gaps, vm->name, NULL, facts_section(scene->facts, FACT_VM));
	gaps_add_missing(scene->facts, gaps, vm->id);
	for (size_t i = 0; i < scene->network->read_count; i++)
		if (!arm_id_same(scene->network->read[i], vm->id))
			gaps_add_missing(scene->facts, gaps, scene->network->read[i]);
	gaps_of_lists(scene, gaps);
	gaps_of_actions(scene, gaps);
}

/* In the order in which they are to be named: the first there is becomes the finding, the others
 * stand beside it. */
static const struct meaning {
	const char *cause;
	enum code code;
	enum status status;
} meanings[] = {
	{ "subscription-disabled", CODE_SUBSCRIPTION_DISABLED, FAIL },
	{ "tenant", CODE_TENANT_WRONG, UNKNOWN },
	{ "no-subscriptions", CODE_IDENTITY_NO_ROLE, UNKNOWN },
	{ "subscription-not-found", CODE_SUBSCRIPTION_NOT_SEEN, UNKNOWN },
	{ "challenge", CODE_TOKEN_EXPIRED_CA, UNKNOWN },
	{ "expired", CODE_AZ_NOT_LOGGED_IN, UNKNOWN },
	{ "unauthorized", CODE_AZ_NOT_LOGGED_IN, UNKNOWN },
	{ "forbidden", CODE_RBAC_MISSING_READ, UNKNOWN },
	{ "throttled", CODE_API_THROTTLED, UNKNOWN },
	{ "proxy", CODE_API_UNREACHABLE, UNKNOWN },
	{ "unresolved", CODE_API_UNREACHABLE, UNKNOWN },
	{ "unreachable", CODE_API_UNREACHABLE, UNKNOWN },
	{ "reset", CODE_API_UNREACHABLE, UNKNOWN },
	{ "tls", CODE_API_TLS_FAILED, UNKNOWN },
	{ "timeout", CODE_API_TIMEOUT, UNKNOWN },
	{ "deadline", CODE_API_TIMEOUT, UNKNOWN },
	{ "not-json", CODE_API_NOT_JSON, UNKNOWN },
	{ "too-big", CODE_API_REPLY_TOO_BIG, UNKNOWN },
	{ "server-error", CODE_API_SERVER_ERROR, UNKNOWN },
	{ "foreign-host", CODE_FOREIGN_HOST_REFUSED, UNKNOWN },
	{ "redirect", CODE_API_NOT_JSON, UNKNOWN },
	{ "foreign-link", CODE_FOREIGN_HOST_REFUSED, WARN },
	{ "forbidden-action", CODE_RBAC_MISSING_ACTION, WARN },
};

static const struct meaning other = { "", CODE_API_ERROR, UNKNOWN };

static const struct meaning *
meaning_of(const char *cause, size_t *rank)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strcmp(meanings[i].cause, cause) == 0) {
			*rank = i;
			return &meanings[i];
		}
	*rank = sizeof(meanings) / sizeof(*meanings);
	return &other;
}

static int
by_rank(const void *a, const void *b)
{
	size_t ra, rb;

	meaning_of(((const struct gap *)a)->cause, &ra);
	meaning_of(((const struct gap *)b)->cause, &rb);
	return ra < rb ? -1 : ra > rb;
}

static void
gap_evidence(const struct gap *gap, struct finding *finding)
{
	const struct fact_missing *first = &gap->first;

	finding_text(finding, "resource", gap->resource);
	finding_text(finding, "action", first->action);
	finding_text(finding, "scope", first->scope);
	finding_text(finding, "code", first->code);
	finding_text(finding, "reason", first->reason);
	finding_text(finding, "tenant_wanted", first->tenant);
	finding_text(finding, "foreign_host", first->host);
	finding_text(finding, "request_id", first->request_id);
	finding_text(finding, "correlation_id", first->correlation_id);
	finding_text(finding, "client_request_id", first->client_request_id);
	finding_text(finding, "message", first->message);
	if (first->retry_after >= 0)
		finding_number(finding, "retry_after", first->retry_after);
	finding_text(finding, "limit", first->limit);
	if (first->status > 0)
		finding_number(finding, "status", first->status);
	if (json_array_size(gap->actions) > 1)
		finding_value(finding, "actions", json_incref(gap->actions));
	if (json_array_size(gap->resources) > 1)
		finding_value(finding, "resources", json_incref(gap->resources));
}

static void
principal_evidence(const struct fact_signin_claims *claims, struct finding *finding)
{
	const char *names[] = { claims->upn, claims->oid, claims->appid }, *name = NULL;

	for (size_t i = 0; name == NULL && i < sizeof(names) / sizeof(*names); i++)
		name = names[i];
	finding_text(finding, "principal", name);
	finding_text(finding, "sign_in_name", claims->upn);
	finding_text(finding, "object_id", claims->oid);
}

/* Where a role would let it be read: the resource group of what Azure named, else that scope. */
static void
place_evidence(const struct gap *gap, struct finding *finding)
{
	const char *id = gap->first.scope != NULL ? gap->first.scope : gap->resource;
	char subscription[128], group[128];
	char *scope;

	if (id == NULL || *id != '/')
		return;
	arm_id_subscription(id, subscription, sizeof(subscription));
	arm_id_group(id, group, sizeof(group));
	if (*subscription == '\0')
		return;
	scope = *group != '\0' ? doc_fmt("/subscriptions/%s/resourceGroups/%s", subscription, group)
			       : doc_fmt("/subscriptions/%s", subscription);
	finding_text(finding, "read_scope", scope);
	finding_text(finding, "read_place", *group != '\0' ? group : subscription);
	free(scope);
}

static int
set_gap(const struct scene *scene, const struct gap *gap, struct finding *finding)
{
	size_t rank;
	const struct meaning *meaning = meaning_of(gap->cause, &rank);
	char more[48] = "";

	gap_evidence(gap, finding);
	place_evidence(gap, finding);
	principal_evidence(&scene->signin->claims, finding);
	if (gap->count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", gap->count - 1);
	return finding_set(finding, meaning->status, meaning->code, "%s%s",
			   gap->first.reason != NULL ? gap->first.reason : "something was not read",
			   more);
}

/* ---- the subscription itself ---- */

/* Stopped, and nothing of the VM itself says why. */
static bool
is_off(const struct scene *scene)
{
	const struct vm *vm = scene->instance;
	struct vm_schedule schedule;

	return vm != NULL &&
	       (doc_same(vm->power, "deallocated") || doc_same(vm->power, "stopped")) &&
	       !vm->spot && !vm->hibernated && !vm_shutdown_schedule(scene->facts, vm, &schedule);
}

/* In its grace period (Warned, Expired) a subscription takes no writes: what stands still there
 * cannot be started. A payment that is due stops nothing at once, but soon. 1 when it said
 * something, 0 when the subscription is in order or not known, or -errno. */
static int
judge_subscription(const struct scene *scene, const char *state, struct finding *finding)
{
	int r;

	if (state == NULL || doc_same(state, "Enabled"))
		return 0;
	finding_text(finding, "subscription_state", state);
	if (doc_same(state, "Disabled") || doc_same(state, "Deleted"))
		r = finding_set(finding, FAIL, CODE_SUBSCRIPTION_DISABLED,
				"the subscription is %s: its VMs are stopped and cannot be started",
				state);
	else if (is_off(scene) && (doc_same(state, "Warned") || doc_same(state, "Expired") ||
				   doc_same(state, "PastDue"))) {
		r = finding_likely(
		    finding, FAIL, CODE_SUBSCRIPTION_DISABLED,
		    "the subscription is %s, and the VM is stopped: most likely Azure "
		    "stopped it, and will not start it",
		    state);
	} else
		r = finding_set(finding, WARN, CODE_SUBSCRIPTION_PAST_DUE,
				"the subscription is in the state %s", state);
	return r < 0 ? r : 1;
}

int
check_azure_access(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const char *id = scene->vm->id,
		   *state = id != NULL ? subscription_state(scene->facts, id) : NULL;
	struct gaps gaps = { .count = 0 };
	struct finding *next = finding;
	int r;

	(void)rule;
	if (!scene->asked.azure)
		return finding_set(finding, SKIP, CODE_NOT_ASKED, "Azure was left out");
	gaps_find(scene, &gaps);
	qsort(gaps.at, gaps.count, sizeof(gaps.at[0]), by_rank);
	if ((r = judge_subscription(scene, state, finding)) == 0 && gaps.count == 0)
		r = finding_set(finding, PASS, CODE_AZURE_ACCESS_OK,
				"Azure let everything be read");
	for (size_t i = 0; i < gaps.count && r >= 0; i++) {
		if ((r > 0 || i > 0) && (next = finding_also(finding)) == NULL)
			r = -1;
		else
			r = set_gap(scene, &gaps.at[i], next);
	}
	gaps_free(&gaps);
	return r < 0 ? r : 0;
}
