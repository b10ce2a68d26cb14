#include "model/jit.h"
#include "model/arm.h"
#include "model/vm.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOUR 3600
#define SETTLE_S 120 /* a request still "Initiating" after this long is in force: Azure does not update the word reliably */

const char *
jit_state_word(enum jit_state state)
{
	static const char *const words[] = {
		[JIT_NONE] = "none",       [JIT_NOT_COVERED] = "not-covered", [JIT_NOT_REQUESTED] = "not-requested",
		[JIT_PENDING] = "pending", [JIT_FAILED] = "failed",           [JIT_ACTIVE] = "active",
		[JIT_EXPIRED] = "expired", [JIT_REVOKED] = "revoked",         [JIT_OTHER_SOURCE] = "other-source"
	};

	return words[state];
}

long
duration_from_iso(const char *text)
{
	long total = 0;
	bool time = false;

	if (text == NULL || *text++ != 'P' || *text == '\0')
		return -1;
	while (*text != '\0') {
		char *end;
		long n, unit;

		if (*text == 'T' && !time) {
			time = true;
			text++;
			continue;
		}
		if (*text < '0' || *text > '9')
			return -1;
		n = strtol(text, &end, 10);
		unit = *end == 'D' && !time  ? 24 * HOUR
		       : *end == 'H' && time ? HOUR
		       : *end == 'M' && time ? 60
		       : *end == 'S' && time ? 1
					     : 0;
		if (unit == 0 || n > 100000 || total > LONG_MAX / 4)
			return -1;
		total += n * unit;
		text = end + 1;
	}
	return total;
}

/* Does "*", an address, a prefix or a list of them hold the source? MAYBE (1) when the source is not known, YES 2, NO 0. */
static int
holds(const json_t *entry, const struct ip *source)
{
	const json_t *list = doc_list(entry, "allowedSourceAddressPrefixes"), *one;
	const char *text = doc_str(entry, "allowedSourceAddressPrefix");
	int found = 0;
	size_t i;

	for (i = 0; i < json_array_size(list) + 1; i++) {
		struct ip_range range;

		if (i > 0) {
			one = json_array_get(list, i - 1);
			text = json_string_value(one);
		}
		if (text == NULL || *text == '\0')
			continue;
		if (strcmp(text, "*") == 0 || strcasecmp(text, "Any") == 0)
			return 2;
		if (prefix_parse(text, &range) < 0 || source == NULL)
			found = found > 1 ? found : 1;
		else if (range_has(&range, *source))
			return 2;
	}
	return found;
}

static const json_t *
vm_entry(const json_t *list, const char *vm_id)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry)
		if (arm_id_same(doc_str(entry, "id"), vm_id))
			return entry;
	return NULL;
}

static bool
port_is_tcp(const json_t *port)
{
	const char *protocol = doc_str(port, "protocol");

	return protocol == NULL || strcasecmp(protocol, "TCP") == 0 || strcmp(protocol, "*") == 0 ||
	       strcasecmp(protocol, "All") == 0;
}

static const json_t *
port_entry(const json_t *vm, int number)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (doc_list(vm, "ports"), i, entry)
		if (doc_int(entry, "number", -1) == number && port_is_tcp(entry))
			return entry;
	return NULL;
}

/* What one request's port entry means for this source at that time. */
static enum jit_state
state_of(const json_t *request, const json_t *port, const struct ip *source, time_t now, bool *unknown)
{
	const char *status = doc_str(port, "status"), *reason = doc_str(port, "statusReason");
	time_t end = time_from_iso(doc_str(port, "endTimeUtc")), start = time_from_iso(doc_str(request, "startTimeUtc"));
	bool initiating = doc_same(status, "Initiating") || doc_same(status, "Pending");
	int mine;

	if (status != NULL && strcasestr(status, "fail") != NULL)
		return JIT_FAILED;
	if (doc_same(status, "Revoked"))
		return doc_same(reason, "Expired") ? JIT_EXPIRED : JIT_REVOKED;
	if (end >= 0 && end <= now)
		return JIT_EXPIRED;
	if (start > now || (initiating && (start < 0 || now - start < SETTLE_S)))
		return JIT_PENDING;
	if (!initiating && !doc_same(status, "Initiated"))
		return JIT_PENDING;
	mine = holds(port, source);
	*unknown = mine == 1;
	return mine == 0 ? JIT_OTHER_SOURCE : JIT_ACTIVE;
}

/* The order in which states win when several requests stand there; among ended ones the later end wins. */
static int
weight(enum jit_state state, bool unknown)
{
	switch (state) {
	case JIT_ACTIVE:
		return unknown ? 6 : 7;
	case JIT_PENDING:
		return 5;
	case JIT_OTHER_SOURCE:
		return 4;
	case JIT_FAILED:
		return 3;
	case JIT_EXPIRED:
	case JIT_REVOKED:
		return 2;
	default:
		return 1;
	}
}

static void
consider(const json_t *request, const json_t *port, const struct ip *source, time_t now, struct jit *jit)
{
	bool unknown = false;
	enum jit_state state = state_of(request, port, source, now, &unknown);
	int mine = weight(state, unknown), best = weight(jit->state, jit->source_unknown);
	const char *end = doc_str(port, "endTimeUtc");

	if (mine < best || (mine == best && time_from_iso(end) < time_from_iso(jit->end)))
		return;
	jit->state = state;
	jit->source_unknown = unknown;
	jit->granted = port;
	jit->requestor = doc_str(request, "requestor");
	jit->end = end;
}

static void
read_policy(const json_t *body, const char *vm_id, int number, const struct ip *source, time_t now, struct jit *jit)
{
	const json_t *vm = vm_entry(doc_list(body, "properties.virtualMachines"), vm_id), *port = port_entry(vm, number),
		     *request;
	long max = duration_from_iso(doc_str(port, "maxRequestAccessDuration"));
	size_t i;

	if (vm == NULL || (port == NULL && jit->port != NULL))
		return;
	jit->policy_id = doc_str(body, "id");
	jit->policy_name = doc_str(body, "name");
	if (jit->state == JIT_NONE)
		jit->state = JIT_NOT_COVERED;
	if (port == NULL)
		return;
	jit->port = port;
	if (jit->state == JIT_NOT_COVERED)
		jit->state = JIT_NOT_REQUESTED;
	jit->max_seconds = max > 0 ? max : 3 * HOUR;
	jit->source_forbidden =
	    source != NULL && holds(port, source) == 0 &&
	    (doc_str(port, "allowedSourceAddressPrefix") != NULL || doc_list(port, "allowedSourceAddressPrefixes") != NULL);
	json_array_foreach (doc_list(body, "properties.requests"), i, request) {
		const json_t *asked = port_entry(vm_entry(doc_list(request, "virtualMachines"), vm_id), number);

		if (asked != NULL)
			consider(request, asked, source, now, jit);
	}
}

void
jit_from_facts(const struct facts *facts, const char *vm_id, int port, const struct ip *source, struct jit *ret)
{
	const json_t *policies = doc_list(facts_section(facts, FACT_JIT), "policies"), *id, *body, *why;
	time_t end;
	size_t i;

	*ret = (struct jit){ .state = JIT_NONE, .minutes_left = -1, .max_seconds = 3 * HOUR };
	json_array_foreach (policies, i, id) {
		if (facts_resource(facts, json_string_value(id), &body, &why) == FACT_KNOWN)
			read_policy(body, vm_id, port, source, facts->now, ret);
		else if (ret->missing == NULL)
			ret->missing = why;
	}
	end = time_from_iso(ret->end);
	if ((ret->state == JIT_ACTIVE || ret->state == JIT_OTHER_SOURCE) && end > facts->now)
		ret->minutes_left = (long)(end - facts->now) / 60;
}

char *
jit_request_body(const struct jit *jit, const char *vm_id, int port, const char *source, time_t now)
{
	long seconds = jit->max_seconds < HOUR ? jit->max_seconds : HOUR;
	time_t end = now + seconds - (seconds == jit->max_seconds ? 30 : 0); /* a slow clock here must not overstep the limit */
	json_t *entry, *body;
	char stamp[32] = "", *text;
	struct tm tm;

	if (gmtime_r(&end, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
	entry = json_pack("{s:i, s:s*, s:s}", "number", port, "allowedSourceAddressPrefix", source, "endTimeUtc", stamp);
	body = json_pack("{s:[{s:s, s:[o]}]}", "virtualMachines", "id", vm_id, "ports", entry);
	text = body != NULL ? json_dumps(body, JSON_PRESERVE_ORDER) : NULL;
	json_decref(body);
	return text;
}
