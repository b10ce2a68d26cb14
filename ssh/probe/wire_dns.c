#include "ssh/probe/stretch.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Adds a numeric address; false when the text is none, or one of a family that ssh was told to
 * leave alone, or the list is full. */
static bool
address_add(struct wire *wire, const char *text)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST },
			*found = NULL;
	struct wire_address *address = &wire->addresses[wire->address_count];
	const char *family =
	    doc_str(facts_section(wire->facts, FACT_SSH_CONFIG), "options.addressfamily");

	if (wire->address_count == WIRE_ADDRESSES || getaddrinfo(text, NULL, &hints, &found) != 0)
		return false;
	if ((doc_same(family, "inet") && found->ai_family != AF_INET) ||
	    (doc_same(family, "inet6") && found->ai_family != AF_INET6) ||
	    found->ai_addrlen > sizeof(address->at) ||
	    getnameinfo(found->ai_addr, found->ai_addrlen, address->text, sizeof(address->text),
			NULL, 0, NI_NUMERICHOST) != 0) {
		freeaddrinfo(found);
		return false;
	}
	memcpy(&address->at, found->ai_addr, found->ai_addrlen);
	address->len = found->ai_addrlen;
	freeaddrinfo(found);
	if (address->at.ss_family == AF_INET)
		((struct sockaddr_in *)&address->at)->sin_port = htons((uint16_t)wire->port);
	else
		((struct sockaddr_in6 *)&address->at)->sin6_port = htons((uint16_t)wire->port);
	wire->address_count++;
	return true;
}

static void
settle_known(struct wire *wire, bool literal, int64_t ms)
{
	json_t *dns = facts_known(wire->facts, FACT_DNS), *addresses = json_array();

	doc_set_str(dns, "name", wire->host);
	for (size_t i = 0; i < wire->address_count; i++)
		doc_append_str(addresses, wire->addresses[i].text);
	json_object_set_new(dns, "addresses", addresses);
	doc_set_int(dns, "ms", ms);
	doc_set_bool(dns, "literal", literal);
}

/* The resolver's answer was no address: a name that does not exist, or a resolver that could not
 * say. */
static void
settle_failed(struct wire *wire, const char *word, int code, int64_t ms)
{
	static const char *const absent[] = { "EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY" };
	bool gone = false;
	json_t *dns;

	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		gone |= strcmp(word, absent[i]) == 0;
	facts_settle(wire->facts, FACT_DNS, gone ? FACT_ABSENT : FACT_UNKNOWN,
		     gone ? "nxdomain" : "resolver",
		     gone ? "the name has no address in DNS" : "the resolver gave no answer");
	dns = facts_section(wire->facts, FACT_DNS);
	doc_set_str(dns, "name", wire->host);
	doc_set_str(dns, "error", word);
	if (code > 0)
		doc_set_int(dns, "rcode", code);
	doc_set_int(dns, "ms", ms);
}

static void
on_resolved(void *ctx, const struct child_reply *reply)
{
	struct wire *wire = ctx;
	char word[32] = "EAI_FAIL", line[128];
	int code = 0;

	if (reply->error == -ECANCELED) {
		wire_end(wire, "deadline", "the time allowed was over");
		return;
	}
	for (const char *at = reply->out; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		if (strncmp(line, "EAI_", 4) == 0)
			snprintf(word, sizeof(word), "%.31s", line);
		else if (sscanf(line, "RCODE %2d", &code) != 1)
			address_add(wire, line);
	}
	if (wire->address_count > 0)
		settle_known(wire, false, reply->ms);
	else if (reply->error == 0 && reply->status == 0)
		settle_failed(wire, "EAI_ADDRFAMILY", 0, reply->ms);
	else
		settle_failed(wire, reply->error != 0 ? "EAI_AGAIN" : word, code, reply->ms);
	wire_report(wire, WIRE_RESOLVED);
}

void
wire_dns(struct wire *wire)
{
	const char *argv[] = { wire->self, "--resolve-for-probe", wire->host, NULL };
	struct child_request request = { .argv = argv,
					 .timeout_ms = wire->step_ms,
					 .max_bytes = 65536 };

	if (address_add(wire, wire->host)) {
		settle_known(wire, true, 0);
		wire_report(wire, WIRE_RESOLVED);
	} else if (loop_child(wire->loop, &request, on_resolved, wire) < 0) {
		facts_settle(wire->facts, FACT_DNS, FACT_UNKNOWN, "error",
			     "the name resolver could not be started");
		wire_end(wire, "not-reached", "the name was not resolved");
	}
}
