#include "checks/checks.h"
#include "checks/talk.h"
#include "checks/unread.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* true when one of the name's addresses is the VM's. */
static bool
leads_to(const struct fact_dns *dns, const json_t *own)
{
	const json_t *each;
	size_t i;

	json_array_foreach (own, i, each)
		for (size_t j = 0; j < dns->addresses_count; j++)
			if (doc_same(json_string_value(each), dns->addresses[j]))
				return true;
	return false;
}

/* true when a request of this run reached a host by its name, so that the resolver is alive. */
static bool
resolver_works(const struct facts *facts)
{
	const json_t *request;
	size_t i;

	json_array_foreach (facts_requests(facts), i, request) {
		const char *url = FACT_GET(request, request, url),
			   *host = url != NULL ? strstr(url, "://") : NULL;

		if (host != NULL && FACT_GET(request, request, status) > 0 && host[3] != '[' &&
		    strspn(host + 3, "0123456789.") < strcspn(host + 3, ":/"))
			return true;
	}
	return false;
}

/* The name or address within what was pasted with a scheme, quotation marks, blanks, a user, a port
 * or a path around it; NULL when nothing is around it. The caller frees. */
static char *
plain_name(const char *name)
{
	const char *start = strstr(name, "://"), *end, *at;

	start = start != NULL ? start + 3 : name;
	start += strspn(start, " \t\"'`([{<");
	if ((at = strchr(start, '@')) != NULL)
		start = at + 1;
	end = start + strcspn(start, " \t\"'`)]}>/,;");
	if ((at = memchr(start, ':', (size_t)(end - start))) != NULL && at > start &&
	    memchr(at + 1, ':', (size_t)(end - at - 1)) == NULL)
		end = at;
	if (end == start || strlen(name) == (size_t)(end - start))
		return NULL;
	return strndup(start, (size_t)(end - start));
}

static const char *
what_is_around(const char *name)
{
	if (strpbrk(name, "\"'`") != NULL)
		return "quotation marks";
	if (strstr(name, "://") != NULL)
		return "a scheme as in a URL";
	return strchr(name, ' ') != NULL ? "a blank" : "more than the name itself";
}

static int
not_plain(const char *name, const char *plain, struct finding *finding)
{
	const char *what = what_is_around(name);

	finding_text(finding, "plain", plain);
	finding_text(finding, "around", what);
	return finding_set(finding, FAIL, CODE_NAME_NOT_PLAIN,
			   "the name %s has %s in it; the name itself is %s", name, what, plain);
}

static int
not_found(const struct scene *scene, struct finding *finding)
{
	const struct fact_dns *dns = scene->dns;
	const char *fqdn = NULL;
	json_t *addresses = talk_vm_addresses(scene, &fqdn);
	char *plain = dns->name != NULL ? plain_name(dns->name) : NULL;
	int r;

	finding_text(finding, "name", dns->name);
	finding_number(finding, "ms", dns->ms);
	finding_text(finding, "fqdn", fqdn);
	finding_value(finding, "address", json_incref(json_array_get(addresses, 0)));
	json_decref(addresses);
	if (plain != NULL) {
		r = not_plain(dns->name, plain, finding);
		free(plain);
		return r;
	}
	if (doc_same(dns->cause, "nxdomain"))
		return finding_set(finding, FAIL, CODE_DNS_NXDOMAIN,
				   "%s has no address in DNS (%s)", dns->name, dns->error);
	if (dns->rcode > 0) {
		finding_number(finding, "rcode", dns->rcode);
		return finding_likely(finding, FAIL, CODE_DNS_SERVFAIL,
				      "the name server answers that it %s %s (code %d)",
				      dns->rcode == 5 ? "refuses to look up" : "cannot find out",
				      dns->name, (int)dns->rcode);
	}
	if (resolver_works(scene->facts))
		return finding_likely(finding, FAIL, CODE_DNS_SERVFAIL,
				      "the resolver knows other names, but has no answer for %s",
				      dns->name);
	return finding_set(finding, FAIL, CODE_DNS_RESOLVER_DOWN,
			   "the resolver of this machine gave no answer for %s within %lld ms",
			   dns->name, (long long)dns->ms);
}

/* A name that leads elsewhere than to this VM. A server that accepts the key counts as the right
 * one: a firewall may stand in front. */
static int
judge_addresses(const struct scene *scene, const json_t *addresses, struct finding *finding)
{
	const struct fact_dns *dns = scene->dns;
	const char *fqdn = NULL, *public = talk_vm_public(scene);
	json_t *own = talk_vm_addresses(scene, &fqdn);
	char *text = doc_join(addresses, 4);
	bool stale = public != NULL && !leads_to(dns, own) && !scene->accepted;
	struct unread unread;
	int r;

	json_decref(own);
	finding_text(finding, "fqdn", fqdn);
	finding_text(finding, "address", public);
	if (dns->addresses_count > 0 && address_is_stand_in(dns->addresses[0]))
		r = finding_set(finding, WARN, CODE_DNS_INTERCEPTED,
				"%s leads to %s, an address that a proxy or VPN client of this "
				"machine hands out",
				dns->name, text);
	else if (stale && unread_in_front(scene, &unread)) {
		finding_unread(finding, &unread);
		r = finding_set(finding, UNKNOWN, CODE_DNS_STALE,
				"%s leads to %s, while the VM's address is %s; %s was not read "
				"and may forward to it",
				dns->name, text, public, doc_str(finding->evidence, "unread"));
	} else if (stale)
		r = finding_set(finding, FAIL, CODE_DNS_STALE,
				"%s leads to %s, but the VM's address is %s", dns->name, text,
				public);
	else
		r = finding_set(finding, PASS, CODE_DNS_OK, "%s is %s", dns->name, text);
	free(text);
	return r;
}

int
check_dns(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_dns *dns = scene->dns;
	const json_t *addresses;

	(void)rule;
	if ((dns->state == FACT_ABSENT && doc_same(dns->cause, "nxdomain")) ||
	    (dns->state == FACT_UNKNOWN && doc_same(dns->cause, "resolver")))
		return not_found(scene, finding);
	if (talk_missing(scene->facts, FACT_DNS, finding))
		return 0;
	finding_text(finding, "name", dns->name);
	addresses = finding_texts(finding, "addresses", dns->addresses, dns->addresses_count);
	finding_number(finding, "ms", dns->ms);
	if (dns->literal)
		return finding_set(finding, PASS, CODE_DNS_LITERAL,
				   "%s is an address, no name to look up", dns->name);
	return judge_addresses(scene, addresses, finding);
}
