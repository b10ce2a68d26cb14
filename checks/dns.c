#include "checks/checks.h"
#include "checks/talk.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
list_has(const json_t *list, const char *text)
{
	const json_t *each;
	size_t i;

	json_array_foreach (list, i, each)
		if (doc_same(json_string_value(each), text))
			return true;
	return false;
}

static bool
lists_meet(const json_t *a, const json_t *b)
{
	const json_t *each;
	size_t i;

	json_array_foreach (a, i, each)
		if (list_has(b, json_string_value(each)))
			return true;
	return false;
}

/* true when a request of this run reached a host by its name, so that the resolver is alive. */
static bool
resolver_works(const struct facts *facts)
{
	const json_t *requests = doc_list(facts->doc, "azure.requests"), *request;
	size_t i;

	json_array_foreach (requests, i, request) {
		const char *url = doc_str(request, "url"),
			   *host = url != NULL ? strstr(url, "://") : NULL;

		if (host != NULL && doc_int(request, "status", 0) > 0 && host[3] != '[' &&
		    strspn(host + 3, "0123456789.") < strcspn(host + 3, ":/"))
			return true;
	}
	return false;
}

static int
not_found(const struct facts *facts, const json_t *dns, struct finding *finding)
{
	const char *name = doc_str(dns, "name"), *fqdn = NULL;
	json_t *addresses = talk_vm_addresses(facts, &fqdn);

	finding_text(finding, "name", name);
	finding_number(finding, "ms", doc_int(dns, "ms", 0));
	finding_text(finding, "fqdn", fqdn);
	finding_text(finding, "address", json_string_value(json_array_get(addresses, 0)));
	json_decref(addresses);
	if (doc_is(dns, "cause", "nxdomain"))
		return finding_set(finding, FAIL, CODE_DNS_NXDOMAIN,
				   "%s has no address in DNS (%s)", name, doc_str(dns, "error"));
	if (doc_int(dns, "rcode", 0) > 0) {
		finding_number(finding, "rcode", doc_int(dns, "rcode", 0));
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(finding, FAIL, CODE_DNS_SERVFAIL,
				"the name server answers that it %s %s (code %d)",
				doc_int(dns, "rcode", 0) == 5 ? "refuses to look up"
							      : "cannot find out",
				name, (int)doc_int(dns, "rcode", 0)));
	}
	if (resolver_works(facts))
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(finding, FAIL, CODE_DNS_SERVFAIL,
				"the resolver knows other names, but has no answer for %s", name));
	return finding_set(finding, FAIL, CODE_DNS_RESOLVER_DOWN,
			   "the resolver of this machine gave no answer for %s within %lld ms",
			   name, (long long)doc_int(dns, "ms", 0));
}

/* A name that leads elsewhere than to this VM. A server that accepts the key counts as the right
 * one: a firewall may stand in front. */
static int
judge_addresses(const struct facts *facts, const json_t *dns, struct finding *finding)
{
	const json_t *addresses = doc_list(dns, "addresses");
	const char *fqdn = NULL, *name = doc_str(dns, "name");
	char *public = talk_vm_public(facts);
	json_t *own = talk_vm_addresses(facts, &fqdn);
	char *text = doc_join(addresses, 4);
	bool stale = public != NULL && !lists_meet(addresses, own) &&
		     doc_str(facts_section(facts, FACT_AUTH), "accepted") == NULL;
	int r;

	json_decref(own);
	finding_text(finding, "fqdn", fqdn);
	finding_text(finding, "address", public);
	if (address_is_stand_in(json_string_value(json_array_get(addresses, 0))))
		r = finding_set(finding, WARN, CODE_DNS_INTERCEPTED,
				"%s leads to %s, an address that a proxy or VPN client of this "
				"machine hands out",
				name, text);
	else if (stale)
		r = finding_set(finding, FAIL, CODE_DNS_STALE,
				"%s leads to %s, but the VM's address is %s", name, text, public);
	else
		r = finding_set(finding, PASS, CODE_DNS_OK, "%s is %s", name, text);
	free(text);
	free(public);
	return r;
}

int
check_dns(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const json_t *dns = facts_section(facts, FACT_DNS);
	enum fact_state state = facts_state(facts, FACT_DNS, NULL);

	(void)rule;
	if ((state == FACT_ABSENT && doc_is(dns, "cause", "nxdomain")) ||
	    (state == FACT_UNKNOWN && doc_is(dns, "cause", "resolver")))
		return not_found(facts, dns, finding);
	if (talk_missing(facts, FACT_DNS, finding))
		return 0;
	finding_text(finding, "name", doc_str(dns, "name"));
	finding_value(finding, "addresses", json_incref(doc_list(dns, "addresses")));
	finding_number(finding, "ms", doc_int(dns, "ms", 0));
	if (doc_bool(dns, "literal", false))
		return finding_set(finding, PASS, CODE_DNS_LITERAL,
				   "%s is an address, no name to look up", doc_str(dns, "name"));
	return judge_addresses(facts, dns, finding);
}
