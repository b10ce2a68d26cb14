#include "model/jit.h"
#include "facts/time.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOUR 3600
#define SETTLE_S                                                                                   \
	120 /* a request still "Initiating" after this long is in force: Azure does not update the \
	       word reliably */

const char *
jit_state_word(enum jit_state state)
{
	static const char *const words[] = { [JIT_NONE] = "none",
					     [JIT_NOT_COVERED] = "not-covered",
					     [JIT_NOT_REQUESTED] = "not-requested",
					     [JIT_PENDING] = "pending",
					     [JIT_FAILED] = "failed",
					     [JIT_ACTIVE] = "active",
					     [JIT_EXPIRED] = "expired",
					     [JIT_REVOKED] = "revoked",
					     [JIT_OTHER_SOURCE] = "other-source",
					     [JIT_UNCLEAR] = NULL };

	return words[state];
}

/* Seconds of a designator of a duration, 0 when it is none; M is minutes only behind the T. */
static long
unit_seconds(char designator, bool time)
{
	switch (designator) {
	case 'D':
		return time ? 0 : 24 * HOUR;
	case 'H':
		return time ? HOUR : 0;
	case 'M':
		return time ? 60 : 0;
	case 'S':
		return time ? 1 : 0;
	default:
		return 0;
	}
}

/* Seconds of an ISO 8601 duration of hours, minutes and seconds, or days ("PT3H", "PT1H30M",
 * "P1D"); -1 when it is none. */
static long
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
		unit = unit_seconds(*end, time);
		if (unit == 0 || n > 100000 || total > LONG_MAX / 4)
			return -1;
		total += n * unit;
		text = end + 1;
	}
	return total;
}

enum fit { FIT_NO, FIT_MAYBE, FIT_YES };

/* Does one source hold ours (NULL: not known)? */
static enum fit
one_fits(const char *text, const struct ip *source)
{
	struct ip_range range;

	if (strcmp(text, "*") == 0 || strcasecmp(text, "Any") == 0)
		return FIT_YES;
	if (source == NULL)
		return FIT_MAYBE;
	if (strcasecmp(text, "Internet") == 0)
		return ip_is_public(*source) ? FIT_YES : FIT_NO;
	if (prefix_parse(text, &range) < 0)
		return FIT_MAYBE;
	return range_has(&range, *source) ? FIT_YES : FIT_NO;
}

/* The i-th source of a port entry, the single one first; NULL when it is none. */
static const char *
source_at(const json_t *entry, size_t i)
{
	const char *text = i == 0 ? doc_str(entry, "allowedSourceAddressPrefix")
				  : json_string_value(json_array_get(
					doc_list(entry, "allowedSourceAddressPrefixes"), i - 1));

	return text != NULL && *text != '\0' ? text : NULL;
}

static size_t
source_count(const json_t *entry)
{
	return json_array_size(doc_list(entry, "allowedSourceAddressPrefixes")) + 1;
}

/* Do the sources of a port entry hold ours? *said becomes true when it names any. */
static enum fit
sources_fit(const json_t *entry, const struct ip *source, bool *said)
{
	enum fit found = FIT_NO, one;

	*said = false;
	for (size_t i = 0; i < source_count(entry); i++) {
		const char *text = source_at(entry, i);

		if (text == NULL)
			continue;
		*said = true;
		if ((one = one_fits(text, source)) > found)
			found = one;
	}
	return found;
}

char *
jit_sources(const json_t *port)
{
	char *words = NULL;

	for (size_t i = 0; i < source_count(port); i++) {
		const char *text = source_at(port, i);
		char *longer;

		if (text == NULL)
			continue;
		longer = words == NULL ? doc_fmt("%s", text) : doc_fmt("%s, %s", words, text);
		free(words);
		words = longer;
	}
	return words;
}

static bool
port_is_tcp(const json_t *port)
{
	const char *protocol = doc_str(port, "protocol");

	return protocol == NULL || strcasecmp(protocol, "TCP") == 0 || strcmp(protocol, "*") == 0 ||
	       strcasecmp(protocol, "All") == 0 || strcasecmp(protocol, "Any") == 0;
}

/* Is the entry for that port, by its number, "*", or the port that Azure Firewall maps to it? */
static bool
port_is(const json_t *port, int number)
{
	return port_is_tcp(port) &&
	       (doc_int(port, "number", -1) == number || doc_is(port, "number", "*") ||
		doc_int(port, "mappedPort", -1) == number);
}

/* The entry for the port among all entries of a list that name the VM; one with its own number
 * before "*". *vm becomes its VM's. */
static const json_t *
port_entry(const json_t *list, const char *vm_id, int number, const json_t **vm)
{
	const json_t *entry, *port, *found = NULL;
	size_t i, k;

	json_array_foreach (list, i, entry) {
		if (!arm_id_same(doc_str(entry, "id"), vm_id))
			continue;
		if (*vm == NULL)
			*vm = entry;
		json_array_foreach (doc_list(entry, "ports"), k, port)
			if (port_is(port, number) &&
			    (found == NULL || doc_is(found, "number", "*"))) {
				found = port;
				*vm = entry;
			}
	}
	return found;
}

static enum jit_state
unclear(struct jit *one, const char *field)
{
	one->field = field;
	return JIT_UNCLEAR;
}

/* What one request's port entry means for this source at that time; what else it says goes into
 * *one. */
static enum jit_state
state_of(const json_t *request, const json_t *port, const struct ip *source, time_t now,
	 struct jit *one)
{
	const char *status = doc_str(port, "status"), *reason = doc_str(port, "statusReason");
	time_t end = time_from_iso(doc_str(port, "endTimeUtc")),
	       start = time_from_iso(doc_str(request, "startTimeUtc"));
	bool initiating = doc_same(status, "Initiating") || doc_same(status, "Pending"), said;
	enum fit mine = sources_fit(port, source, &said);

	one->asked_seconds = end >= 0 && start >= 0 && end > start ? (long)(end - start) : -1;
	if (status != NULL && strcasestr(status, "fail") != NULL)
		return JIT_FAILED;
	if (doc_same(status, "Revoked") || doc_same(status, "Expired"))
		return doc_same(status, "Expired") || doc_same(reason, "Expired") ? JIT_EXPIRED
										  : JIT_REVOKED;
	if (end >= 0 && end <= now)
		return JIT_EXPIRED;
	if (said && mine == FIT_NO)
		return end < 0 || !(initiating || doc_same(status, "Initiated")) ? JIT_NOT_REQUESTED
										 : JIT_OTHER_SOURCE;
	if (!initiating && !doc_same(status, "Initiated"))
		return unclear(one, "status");
	if (start > now || (initiating && (start < 0 || now - start < SETTLE_S)))
		return JIT_PENDING;
	if (end < 0)
		return unclear(one, "endTimeUtc");
	if (!said || (mine == FIT_MAYBE && source != NULL))
		return unclear(one, "allowedSourceAddressPrefix");
	one->source_unknown = mine == FIT_MAYBE;
	return JIT_ACTIVE;
}

/* The order in which states win when several requests stand there; among ended ones the later end
 * wins, and one that a newer request has replaced says least. */
static int
weight(const struct jit *jit)
{
	switch (jit->state) {
	case JIT_ACTIVE:
		return jit->source_unknown ? 8 : 9;
	case JIT_UNCLEAR:
		return 7;
	case JIT_PENDING:
		return 6;
	case JIT_OTHER_SOURCE:
		return 5;
	case JIT_FAILED:
		return 4;
	case JIT_EXPIRED:
	case JIT_REVOKED:
		return doc_is(jit->granted, "statusReason", "NewerRequestInitiated") ? 2 : 3;
	default:
		return 1;
	}
}

static void
consider(const json_t *request, const json_t *port, const struct ip *source, time_t now,
	 struct jit *jit)
{
	struct jit one = *jit;
	int mine, best = weight(jit);
	json_int_t mapped = doc_int(port, "mappedPort", 0);

	one.source_unknown = false;
	one.granted = port;
	one.requestor = doc_str(request, "requestor");
	one.end = doc_str(port, "endTimeUtc");
	one.mapped_port = mapped > 0 && mapped <= 65535 ? (int)mapped : 0;
	one.state = state_of(request, port, source, now, &one);
	mine = weight(&one);
	if (one.state != JIT_NOT_REQUESTED &&
	    (mine > best || (mine == best && time_from_iso(one.end) >= time_from_iso(jit->end))))
		*jit = one;
}

/* What a policy says of the VM's port. Of several policies for it, one that takes requests from
 * this source stands for all. */
static void
read_policy(const json_t *body, const char *vm_id, int number, const struct ip *source,
	    struct jit *jit)
{
	const json_t *vm = NULL, *port = port_entry(doc_list(body, "properties.virtualMachines"),
						    vm_id, number, &vm);
	const char *limit = doc_str(port, "maxRequestAccessDuration");
	long max = duration_from_iso(limit);
	bool said, forbidden = source != NULL && sources_fit(port, source, &said) == FIT_NO && said;

	if (vm == NULL ||
	    (jit->port != NULL && (port == NULL || forbidden || !jit->source_forbidden)))
		return;
	jit->policy_id = doc_str(body, "id");
	jit->policy_name = doc_str(body, "name");
	if (jit->state == JIT_NONE)
		jit->state = JIT_NOT_COVERED;
	if (port == NULL)
		return;
	jit->state = JIT_NOT_REQUESTED;
	jit->port = port;
	jit->number = (int)doc_int(port, "number", 0);
	jit->max_seconds = max > 0 ? max : 3 * HOUR;
	if (max <= 0 && doc_get(port, "maxRequestAccessDuration") != NULL)
		jit->bad_limit = limit != NULL ? limit : "no text";
	jit->source_forbidden = forbidden;
	jit->mapped_address = doc_str(vm, "publicIpAddress");
}

/* The requests of a policy, also of one that does not list the VM itself (any more). */
static void
read_requests(const json_t *body, const char *vm_id, int number, const struct ip *source,
	      time_t now, struct jit *jit)
{
	const json_t *request, *vm, *entry, *port;
	size_t i, k, n;

	json_array_foreach (doc_list(body, "properties.requests"), i, request)
		json_array_foreach (doc_list(request, "virtualMachines"), k, vm) {
			if (!arm_id_same(doc_str(vm, "id"), vm_id))
				continue;
			entry = doc_list(vm, "ports");
			json_array_foreach (entry, n, port)
				if (port_is(port, number))
					consider(request, port, source, now, jit);
		}
}

/* The port of the VM behind one that Azure Firewall maps to it, as the requests say; `number`
 * itself when they do not. */
static int
behind_mapping(const json_t *body, const char *vm_id, int number)
{
	const json_t *request, *port;
	size_t i;

	json_array_foreach (doc_list(body, "properties.requests"), i, request) {
		const json_t *vm = NULL;

		port = port_entry(doc_list(request, "virtualMachines"), vm_id, number, &vm);
		if (doc_int(port, "mappedPort", -1) == number)
			return (int)doc_int(port, "number", number);
	}
	return number;
}

static void
each_policy(const struct facts *facts, const char *vm_id, int port, const struct ip *source,
	    bool requests, struct jit *jit)
{
	const json_t *id, *body, *why;
	size_t i;

	json_array_foreach (doc_list(facts_section(facts, FACT_JIT), "policies"), i, id) {
		if (facts_resource(facts, json_string_value(id), &body, &why) != FACT_KNOWN) {
			if (jit->missing == NULL)
				jit->missing = why;
		} else if (requests) {
			read_requests(body, vm_id, port, source, facts->now, jit);
		} else {
			read_policy(body, vm_id, port, source, jit);
			if (jit->port == NULL && behind_mapping(body, vm_id, port) != port)
				read_policy(body, vm_id, behind_mapping(body, vm_id, port), source,
					    jit);
		}
	}
}

void
jit_from_facts(const struct facts *facts, const char *vm_id, int port, const struct ip *source,
	       struct jit *ret)
{
	time_t end;

	*ret = (struct jit){
		.state = JIT_NONE, .minutes_left = -1, .max_seconds = 3 * HOUR, .asked_seconds = -1
	};
	each_policy(facts, vm_id, port, source, false, ret);
	if (ret->port != NULL)
		each_policy(facts, vm_id, port, source, true, ret);
	end = time_from_iso(ret->end);
	if ((ret->state == JIT_ACTIVE || ret->state == JIT_OTHER_SOURCE) && end > facts->now)
		ret->minutes_left = (long)(end - facts->now) / 60;
}

char *
jit_request_body(const struct jit *jit, const char *vm_id, int port, const char *source, time_t now)
{
	long seconds = jit->max_seconds < HOUR ? jit->max_seconds : HOUR;
	time_t end =
	    now + seconds -
	    (seconds == jit->max_seconds ? 30
					 : 0); /* a slow clock here must not overstep the limit */
	json_t *entry, *body;
	char stamp[TIME_TEXT_SIZE], *text;

	entry = json_pack("{s:i, s:s*, s:s}", "number", port, "allowedSourceAddressPrefix", source,
			  "endTimeUtc", time_to_iso(end, stamp));
	body = json_pack("{s:[{s:s, s:[o]}]}", "virtualMachines", "id", vm_id, "ports", entry);
	text = body != NULL ? json_dumps(body, JSON_PRESERVE_ORDER) : NULL;
	json_decref(body);
	return text;
}
