#include "checks/checks.h"
#include "checks/talk.h"

#include <string.h>

/* The connect as the facts tell it, with what the judgements need of it. */
struct view {
	const struct facts *facts;
	const json_t *tcp;
	const char *address, *result, *error, *local, *from; /* from: who sent the ICMP message */
	bool icmp, loopback, private;
	long long ms;
};

enum { FAST_MS = 1000, ARP_MS = 2500 };

static bool
from_target(const struct view *view)
{
	return view->from != NULL && doc_same(view->from, view->address);
}

static bool
from_here(const struct view *view)
{
	return view->from != NULL && !view->loopback && doc_same(view->from, view->local);
}

/* ICMP, or a reset made of it, says that a filter forbids: whose filter it is stands in the
 * sender's address. */
static int
judge_rejected(const struct view *view, struct finding *finding)
{
	if (from_here(view))
		return finding_set(finding, FAIL, CODE_LOCAL_FIREWALL_REJECT,
				   "this machine's own firewall rejects connections to %s",
				   view->address);
	if (view->from != NULL && !from_target(view))
		return finding_set(finding, FAIL, CODE_REJECTED_ON_PATH,
				   "%s, a device on the way, rejects connections to %s", view->from,
				   view->address);
	finding_possible(finding, CODE_FAIL2BAN_BAN);
	return finding_set(
	    finding, FAIL, CODE_FIREWALLD_REJECT,
	    "the firewall of %s itself rejects the connection (answer after %lld ms)",
	    view->address, view->ms);
}

/* SSH answers on another port that the VM's security groups let in. */
static const json_t *
other_port(const struct view *view)
{
	const json_t *others = doc_list(view->tcp, "others"), *each;
	size_t i;

	json_array_foreach (others, i, each)
		if (doc_is(each, "result", "ssh"))
			return each;
	return NULL;
}

static int
judge_other_port(const struct view *view, const json_t *other, struct finding *finding)
{
	finding_number(finding, "other_port", doc_int(other, "port", 0));
	finding_text(finding, "line", doc_str(other, "line"));
	return finding_set(finding, FAIL, CODE_SSHD_CUSTOM_PORT,
			   "%s port %lld %s, but SSH answers on port %lld: %s", view->address,
			   (long long)doc_int(view->tcp, "port", 22),
			   doc_is(view->tcp, "result", "refused") ? "refuses" : "does not answer",
			   (long long)doc_int(other, "port", 0), doc_str(other, "line"));
}

static int
judge_refused(const struct view *view, struct finding *finding)
{
	static const enum code linux_causes[] = { CODE_SSHD_CUSTOM_PORT,
						  CODE_SSHD_CONFIG_SYNTAX,
						  CODE_SSHD_DISABLED_AT_BOOT,
						  CODE_SSHD_LISTEN_ADDRESS,
						  CODE_SSHD_HOSTKEYS_MISSING,
						  CODE_FAIL2BAN_BAN,
						  CODE_CUSTOM };
	static const enum code windows_causes[] = { CODE_WINDOWS_OPENSSH_MISSING,
						    CODE_WIN_SSHD_STOPPED, CODE_CUSTOM };

	if (view->icmp && !view->loopback)
		return judge_rejected(view, finding);
	talk_possible(finding, talk_vm_windows(view->facts) ? windows_causes : linux_causes);
	/* a firewall that answers with RST looks just the same (measured) */
	return talk_confidence(
	    finding, view->loopback ? CERTAIN : LIKELY,
	    finding_set(finding, FAIL, CODE_SSHD_REFUSED,
			"%s port %lld refused the connection: nothing listens there%s",
			view->address, (long long)doc_int(view->tcp, "port", 22),
			view->loopback ? "" : ", or a firewall answers in its place"));
}

/* A private address, no tunnel up, and nothing but the default route leads there: the network
 * behind it is not ours. */
static bool
lacks_vpn(const struct view *view)
{
	return view->private && !doc_bool(view->tcp, "on_azure", false) &&
	       json_array_size(doc_list(view->tcp, "tunnels")) == 0 &&
	       doc_bool(view->tcp, "route.default", true) && !view->loopback;
}

/* That the VM has a public address as well is for the check of its addresses to say. */
static int
judge_private(const struct view *view, struct finding *finding)
{
	finding_possible(finding, CODE_PRIVATE_IP_FROM_INTERNET);
	return talk_confidence(
	    finding, LIKELY,
	    finding_set(
		finding, FAIL, CODE_VPN_NOT_CONNECTED,
		"%s is a private address, and this machine has no VPN or route to its network",
		view->address));
}

/* What a second server says: the fault lies before both of them when it does not answer either. */
static const json_t *
reference(const struct view *view)
{
	return doc_get(view->tcp, "reference");
}

static int
judge_timeout(const struct view *view, struct finding *finding)
{
	static const enum code outside[] = { CODE_CORP_FIREWALL_BLOCKS_22,
					     CODE_LOCAL_FIREWALL_DROP,
					     CODE_UFW_DROP,
					     CODE_UDR_DEFAULT_TO_NVA,
					     CODE_FAIL2BAN_BAN,
					     CODE_EGRESS_IP_DIFFERS,
					     CODE_CUSTOM };
	static const enum code azure[] = { CODE_VM_DEALLOCATED, CODE_NSG_NO_ALLOW_RULE,
					   CODE_JIT_NO_ACTIVE_REQUEST, CODE_CUSTOM };
	const char *address = doc_str(reference(view), "address");
	bool answered = doc_is(reference(view), "result", "connected") ||
			doc_is(reference(view), "result", "refused");
	json_int_t failed = doc_int(view->tcp, "send_failed", 0);

	if (failed > 0) {
		finding_number(finding, "send_failed", failed);
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(
			finding, FAIL, CODE_LOCAL_FIREWALL_DROP,
			"this machine dropped its own packets to %s: sending failed %lld times",
			view->address, (long long)failed));
	}
	if (lacks_vpn(view))
		return judge_private(view, finding);
	if (address != NULL && !answered && doc_is(reference(view), "result", "timeout")) {
		finding_text(finding, "reference", address);
		finding_possible(finding, CODE_LOCAL_FIREWALL_DROP);
		return talk_confidence(finding, LIKELY,
				       finding_set(finding, FAIL, CODE_CORP_FIREWALL_BLOCKS_22,
						   "neither %s nor the reference server %s "
						   "answers: this network blocks the port",
						   view->address, address));
	}
	if (talk_egress_differs(view->facts, finding))
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(
			finding, FAIL, CODE_EGRESS_IP_DIFFERS,
			"the rules admit %s, but SSH seems to leave as %s, which they turn away",
			doc_str(finding->evidence, "source_ip"),
			doc_str(finding->evidence, "egress_ip")));
	talk_possible(finding, answered ? outside + 2 : outside);
	if (facts_state(view->facts, FACT_NETWORK, NULL) != FACT_KNOWN)
		talk_possible(finding, azure);
	return finding_set(finding, FAIL, CODE_TCP_TIMEOUT,
			   "%s port %lld did not answer within %lld ms", view->address,
			   (long long)doc_int(view->tcp, "port", 22), view->ms);
}

static int
judge_unreachable(const struct view *view, struct finding *finding)
{
	bool v6 = address_is_v6(view->address), way4 = doc_bool(view->tcp, "way4", true),
	     way6 = doc_bool(view->tcp, "way6", true);

	if (view->icmp)
		return from_target(view) || from_here(view)
			   ? judge_rejected(view, finding)
			   : finding_set(finding, FAIL, CODE_TCP_UNREACHABLE,
					 "%s answers that it has no way to %s",
					 view->from != NULL ? view->from : "a router",
					 view->address);
	if (!view->loopback && v6 && !way6 && way4)
		return finding_set(finding, FAIL, CODE_IPV6_ONLY_ROUTE,
				   "%s is an IPv6 address, and this machine has no route for IPv6",
				   view->address);
	if (!view->loopback && !(v6 ? way6 : way4))
		return finding_set(finding, FAIL, CODE_NO_LOCAL_NETWORK,
				   "this machine has no route to the Internet (%s)", view->error);
	if (view->private && lacks_vpn(view))
		return judge_private(view, finding);
	if (view->ms >= ARP_MS)
		return finding_set(finding, FAIL, CODE_TCP_UNREACHABLE,
				   "nobody on the local network answers for %s or its router",
				   view->address);
	if (doc_same(view->error, "EHOSTUNREACH") && !view->private && view->ms < FAST_MS &&
	    view->ms > 0)
		return talk_confidence(finding, LIKELY, judge_rejected(view, finding));
	return finding_set(finding, FAIL, CODE_TCP_UNREACHABLE,
			   "this machine has no route to %s (%s)", view->address, view->error);
}

/* The way leads through a jump host: what ssh said when it could not carry the bytes tells which
 * hop failed. */
static int
judge_jump(const struct view *view, struct finding *finding)
{
	const char *jump = doc_str(view->tcp, "proxy.jump"),
		   *stage = doc_str(view->tcp, "proxy.stage"),
		   *words = doc_str(view->tcp, "proxy.words");

	finding_text(finding, "proxyjump", jump);
	finding_text(finding, "words", words);
	words = words != NULL ? words : view->result;
	if (doc_same(stage, "through"))
		return finding_set(finding, PASS, CODE_TCP_CONNECTED, "%s answers through %s",
				   view->address, jump);
	if (doc_same(stage, "target"))
		return finding_set(finding, FAIL, CODE_JUMP_CANNOT_REACH_TARGET,
				   "the jump host %s lets you in, but does not reach %s: %s", jump,
				   view->address, words);
	return finding_set(finding, FAIL, CODE_JUMP_LOGIN_FAILED,
			   "the jump host %s does not let ssh through: %s", jump, words);
}

static int
judge_connected(const struct view *view, struct finding *finding)
{
	const json_t *tried = doc_list(view->tcp, "tried"), *first = json_array_get(tried, 0);
	struct finding *also;

	if (json_array_size(tried) > 1 && doc_is(first, "result", "timeout") &&
	    (also = finding_also(finding)) != NULL) {
		finding_text(also, "address", doc_str(first, "address"));
		finding_set(also, WARN, CODE_TCP_FIRST_ADDRESS_SILENT,
			    "%s, which ssh tries first, does not answer: ssh waits about two "
			    "minutes before it tries %s",
			    doc_str(first, "address"), view->address);
	}
	return finding_set(finding, PASS, CODE_TCP_CONNECTED, "%s port %lld answered in %lld ms",
			   view->address, (long long)doc_int(view->tcp, "port", 22), view->ms);
}

static void
evidence(const struct view *view, struct finding *finding)
{
	const json_t *names = doc_list(view->tcp, "proxy_variables");

	finding_text(finding, "address", view->address);
	finding_number(finding, "port", doc_int(view->tcp, "port", 22));
	finding_text(finding, "result", view->result);
	finding_text(finding, "errno", view->error);
	finding_number(finding, "ms", view->ms);
	finding_text(finding, "local_address", view->local);
	finding_text(finding, "interface", doc_str(view->tcp, "local_interface"));
	finding_text(finding, "sender", view->from);
	if (view->icmp)
		finding_value(finding, "icmp", json_incref(doc_get(view->tcp, "icmp")));
	if (names != NULL)
		finding_value(finding, "proxy_variables", json_deep_copy(names));
	if (talk_vm_windows(view->facts))
		finding_value(finding, "windows", json_true());
	if (strcmp(view->result, "connected") != 0)
		talk_way_around(view->facts, finding);
}

int
check_tcp(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const json_t *tcp = facts_section(facts, FACT_TCP);
	struct view view = { .facts = facts,
			     .tcp = tcp,
			     .address = doc_str(tcp, "address"),
			     .result = doc_str(tcp, "result"),
			     .error = doc_str(tcp, "errno"),
			     .local = doc_str(tcp, "local_address"),
			     .from = doc_str(tcp, "icmp.from"),
			     .icmp = doc_get(tcp, "icmp") != NULL,
			     .loopback = doc_bool(tcp, "loopback", false),
			     .ms = doc_int(tcp, "ms", 0) };

	(void)rule;
	if (doc_is(tcp, "cause", "proxied")) {
		finding_text(finding, "proxycommand",
			     doc_str(facts_section(facts, FACT_SSH_CONFIG), "proxycommand"));
		return finding_set(finding, UNKNOWN, CODE_PROXYCOMMAND_NOT_RUN, "%s",
				   doc_str(tcp, "reason"));
	}
	if (talk_missing(facts, FACT_TCP, finding))
		return 0;
	view.private = address_is_private(view.address);
	if (view.address == NULL || view.result == NULL)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "the connection's result is not recorded");
	evidence(&view, finding);
	view.error = view.error != NULL ? view.error : view.result;
	if (doc_get(tcp, "proxy") != NULL)
		return judge_jump(&view, finding);
	if (strcmp(view.result, "connected") == 0)
		return judge_connected(&view, finding);
	if (other_port(&view) != NULL)
		return judge_other_port(&view, other_port(&view), finding);
	if (strcmp(view.result, "refused") == 0)
		return judge_refused(&view, finding);
	if (strcmp(view.result, "prohibited") == 0)
		return judge_rejected(&view, finding);
	if (strcmp(view.result, "unreachable") == 0)
		return judge_unreachable(&view, finding);
	if (strcmp(view.result, "timeout") == 0)
		return judge_timeout(&view, finding);
	if (strcmp(view.result, "local") == 0)
		return finding_set(finding, FAIL, CODE_LOCAL_ROUTE_REFUSES,
				   "this machine itself refuses to send to %s (%s)", view.address,
				   view.error);
	finding_possible(finding, CODE_DPI_RESETS_SSH);
	return finding_set(finding, FAIL, CODE_TCP_RESET,
			   "the connection to %s was reset while it was being made", view.address);
}
