#include "checks/boot.h"
#include "checks/checks.h"
#include "checks/guest.h"
#include "checks/ssh_word.h"
#include "checks/talk.h"

#include <string.h>

/* The connect, with what the judgements need of it beside its section. */
struct view {
	const struct scene *scene;
	const struct fact_tcp *tcp;
	const char *error; /* its errno, or its result */
	const char *from;  /* who sent the ICMP message */
	bool private;
};

static bool
from_target(const struct view *view)
{
	return view->from != NULL && doc_same(view->from, view->tcp->address);
}

static bool
from_here(const struct view *view)
{
	return view->from != NULL && !view->tcp->loopback &&
	       doc_same(view->from, view->tcp->local_address);
}

/* ICMP, or a reset made of it, says that a filter forbids: whose filter it is stands in the
 * sender's address. */
/* An ICMP "host unreachable" of our own address says that no neighbour answered (ip(7)); rules that
 * reject send other codes, unless somebody chose this one. Then the address belongs to a network
 * that this machine is on itself: a bridge of containers, a VPN, the home network. */
static bool
is_on_own_link(const struct view *view)
{
	const struct fact_tcp *tcp = view->tcp;

	return tcp->route != NULL && !tcp->route->default_ && tcp->route->on_link &&
	       tcp->route->interface != NULL && !tcp->loopback;
}

static int
judge_own_link(const struct view *view, struct finding *finding)
{
	const struct fact_tcp_route *route = view->tcp->route;

	finding_text(finding, "interface", route->interface);
	finding_text(finding, "prefix", route->prefix);
	return finding_likely(finding, FAIL, CODE_ADDRESS_IS_LOCAL,
			      "%s lies in %s, which this machine is on itself by %s, and no host "
			      "answers there",
			      view->tcp->address, route->prefix, route->interface);
}

static int
judge_rejected(const struct view *view, struct finding *finding)
{
	if (from_here(view) && is_on_own_link(view) && !view->tcp->icmp->v6 &&
	    view->tcp->icmp->type == 3 && view->tcp->icmp->code == 1)
		return judge_own_link(view, finding);
	if (from_here(view))
		return finding_set(finding, FAIL, CODE_LOCAL_FIREWALL_REJECT,
				   "this machine's own firewall rejects connections to %s",
				   view->tcp->address);
	if (view->from != NULL && !from_target(view))
		return finding_set(finding, FAIL, CODE_REJECTED_ON_PATH,
				   "%s, a device on the way, rejects connections to %s", view->from,
				   view->tcp->address);
	finding_possible(finding, CODE_FAIL2BAN_BAN);
	return finding_set(
	    finding, FAIL, CODE_FIREWALLD_REJECT,
	    "the firewall of %s itself rejects the connection (answer after %lld ms)",
	    view->tcp->address, (long long)view->tcp->ms);
}

/* SSH answers elsewhere: at the VM's address of the other family, or on another port that the VM's
 * security groups let in. */
static const struct fact_tcp_peer *
other_port(const struct fact_tcp *tcp)
{
	for (size_t i = 0; i < tcp->others_count; i++)
		if (tcp->others[i].result == PEER_SSH)
			return &tcp->others[i];
	return NULL;
}

/* SSH answers at the VM's address of the other family, and not at this one. */
static int
judge_other_family(const struct fact_tcp *tcp, const struct fact_tcp_peer *other,
		   struct finding *finding)
{
	bool v6 = address_is_v6(tcp->address);

	finding_text(finding, "other_address", other->address);
	finding_text(finding, "family", v6 ? "IPv6" : "IPv4");
	finding_text(finding, "other_family", v6 ? "IPv4" : "IPv6");
	finding_text(finding, "line", other->line);
	finding_set(finding, FAIL, CODE_SSHD_ONE_FAMILY,
		    "%s port %lld %s, but SSH answers at %s, the VM's other address: %s",
		    tcp->address, (long long)tcp->port,
		    tcp->result == TCP_REFUSED ? "refuses" : "does not answer", other->address,
		    other->line);
	if (tcp->result != TCP_REFUSED)
		finding->confidence = LIKELY;
	return 0;
}

static int
judge_other_port(const struct fact_tcp *tcp, const struct fact_tcp_peer *other,
		 struct finding *finding)
{
	finding_number(finding, "other_port", other->port);
	finding_text(finding, "line", other->line);
	return finding_set(finding, FAIL, CODE_SSHD_CUSTOM_PORT,
			   "%s port %lld %s, but SSH answers on port %lld: %s", tcp->address,
			   (long long)tcp->port,
			   tcp->result == TCP_REFUSED ? "refuses" : "does not answer",
			   (long long)other->port, other->line);
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

	if (view->tcp->icmp != NULL && !view->tcp->loopback)
		return judge_rejected(view, finding);
	if (view->tcp->loopback)
		return finding_set(finding, FAIL, CODE_TUNNEL_NOT_RUNNING,
				   "no program on this machine listens on %s port %lld",
				   view->tcp->address, (long long)view->tcp->port);
	if (guest_sshd_stopped(view->scene))
		return finding_set(
		    finding, FAIL, CODE_SSHD_REFUSED,
		    "%s port %lld refused the connection: sshd does not run in the VM",
		    view->tcp->address, (long long)view->tcp->port);
	if (view->scene->guest->state != FACT_KNOWN)
		boot_possible(view->scene, finding,
			      view->scene->windows ? windows_causes : linux_causes);
	/* a firewall that answers with RST looks just the same (measured) */
	return finding_likely(finding, FAIL, CODE_SSHD_REFUSED,
			      "%s port %lld refused the connection: nothing listens there, or a "
			      "firewall answers in its place",
			      view->tcp->address, (long long)view->tcp->port);
}

/* A private address, no tunnel up, and nothing but the default route leads there: the network
 * behind it is not ours. */
static bool
lacks_vpn(const struct view *view)
{
	const struct fact_tcp *tcp = view->tcp;

	return view->private && !tcp->on_azure && tcp->tunnels_count == 0 &&
	       (tcp->route == NULL || tcp->route->default_) && !tcp->loopback;
}

/* That the VM has a public address as well is for the check of its addresses to say. */
static int
judge_private(const struct view *view, struct finding *finding)
{
	finding_possible(finding, CODE_PRIVATE_IP_FROM_INTERNET);
	return finding_likely(
	    finding, FAIL, CODE_VPN_NOT_CONNECTED,
	    "%s is a private address, and this machine has no VPN or route to its network",
	    view->tcp->address);
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
	static const enum code guest[] = { CODE_FSTAB_EMERGENCY_MODE, CODE_KERNEL_PANIC,
					   CODE_GUEST_NIC_DOWN, CODE_CUSTOM };
	static const enum code windows[] = { CODE_WIN_FIREWALL_PROFILE, CODE_WIN_SSHD_STOPPED,
					     CODE_CUSTOM };
	static const enum code azure[] = { CODE_VM_DEALLOCATED, CODE_NSG_NO_ALLOW_RULE,
					   CODE_JIT_NO_ACTIVE_REQUEST, CODE_CUSTOM };
	/* a second server: when it does not answer either, the fault lies before both of them */
	const struct fact_tcp_peer *reference = view->tcp->reference;
	bool answered = reference != NULL &&
			(reference->result == PEER_CONNECTED || reference->result == PEER_REFUSED);
	json_int_t failed = view->tcp->send_failed;

	if (failed > 0) {
		finding_number(finding, "send_failed", failed);
		return finding_likely(
		    finding, FAIL, CODE_LOCAL_FIREWALL_DROP,
		    "this machine dropped its own packets to %s: sending failed %lld times",
		    view->tcp->address, (long long)failed);
	}
	if (lacks_vpn(view))
		return judge_private(view, finding);
	if (reference != NULL && reference->address != NULL && reference->result == PEER_TIMEOUT) {
		finding_text(finding, "reference", reference->address);
		finding_possible(finding, CODE_LOCAL_FIREWALL_DROP);
		return finding_likely(finding, FAIL, CODE_CORP_FIREWALL_BLOCKS_22,
				      "neither %s nor the reference server %s "
				      "answers: this network blocks the port",
				      view->tcp->address, reference->address);
	}
	if (talk_egress_differs(view->scene, finding))
		return finding_likely(
		    finding, FAIL, CODE_EGRESS_IP_DIFFERS,
		    "the rules allow %s, but SSH seems to connect from %s, which they deny",
		    doc_str(finding->evidence, "source_ip"),
		    doc_str(finding->evidence, "egress_ip"));
	if (view->scene->windows && view->scene->guest->state != FACT_KNOWN)
		talk_possible(finding, windows);
	if (boot_is_doubtful(view->scene)) {
		finding_value(finding, "boot_doubtful", json_true());
		talk_possible(finding, guest);
	}
	finding_text(finding, "gateway_network", route_by_gateway(view->scene));
	if (route_by_gateway(view->scene) != NULL)
		finding_possible(finding, CODE_UDR_DEFAULT_TO_GATEWAY);
	if (view->scene->guest->state != FACT_KNOWN)
		talk_possible(finding, answered ? outside + 2 : outside);
	if (view->scene->network->state != FACT_KNOWN)
		talk_possible(finding, azure);
	return finding_set(finding, FAIL, CODE_TCP_TIMEOUT,
			   "%s port %lld did not answer within %lld ms", view->tcp->address,
			   (long long)view->tcp->port, (long long)view->tcp->ms);
}

static int
judge_unreachable(const struct view *view, struct finding *finding)
{
	bool v6 = address_is_v6(view->tcp->address), way4 = view->tcp->way4, way6 = view->tcp->way6;

	if (view->tcp->icmp != NULL && (from_target(view) || from_here(view)))
		return judge_rejected(view, finding);
	if (view->tcp->icmp != NULL)
		return finding_set(
		    finding, FAIL, CODE_TCP_UNREACHABLE, "%s answers that it has no way to %s",
		    view->from != NULL ? view->from : "a router", view->tcp->address);
	if (!view->tcp->loopback && v6 && !way6 && way4)
		return finding_set(finding, FAIL, CODE_IPV6_ONLY_ROUTE,
				   "%s is an IPv6 address, and this machine has no route for IPv6",
				   view->tcp->address);
	if (!view->tcp->loopback && !(v6 ? way6 : way4))
		return finding_set(finding, FAIL, CODE_NO_LOCAL_NETWORK,
				   "this machine has no route to the Internet (%s)", view->error);
	if (is_on_own_link(view))
		return judge_own_link(view, finding);
	if (view->private && lacks_vpn(view))
		return judge_private(view, finding);
	if (doc_same(view->error, "EHOSTUNREACH")) {
		/* a router, a firewall, or no answer on the local network: who said so is unknown
		 */
		finding_possible(finding, CODE_FIREWALLD_REJECT);
		return finding_likely(finding, FAIL, CODE_TCP_UNREACHABLE,
				      "packets to %s are not delivered (%s)", view->tcp->address,
				      view->error);
	}
	return finding_set(finding, FAIL, CODE_TCP_UNREACHABLE,
			   "this computer has no route to %s (%s)", view->tcp->address,
			   view->error);
}

/* The way leads through a jump host: what ssh said when it could not carry the bytes tells which
 * hop failed. */
static int
judge_jump(const struct view *view, struct finding *finding)
{
	const struct fact_tcp_proxy *proxy = view->tcp->proxy;
	const char *jump = proxy->jump, *words = proxy->words != NULL
						     ? proxy->words
						     : FACT_WORD(tcp_result, view->tcp->result);

	finding_text(finding, "proxyjump", jump);
	finding_text(finding, "words", proxy->words);
	if (proxy->stage == PROXY_THROUGH)
		return finding_set(finding, PASS, CODE_TCP_CONNECTED, "%s answers through %s",
				   view->tcp->address, jump);
	if (proxy->stage == PROXY_TARGET)
		return finding_set(finding, FAIL, CODE_JUMP_CANNOT_REACH_TARGET,
				   "the jump host %s accepts the login but does not reach %s: %s",
				   jump, view->tcp->address, words);
	if (ssh_proxy_may_ask(view->scene))
		return finding_set(finding, UNKNOWN, CODE_JUMP_MAY_ASK,
				   "the jump host %s wants an answer that only you can give: %s",
				   jump, words);
	return finding_set(finding, FAIL, CODE_JUMP_LOGIN_FAILED,
			   "the jump host %s does not let ssh through: %s", jump, words);
}

static int
judge_connected(const struct view *view, struct finding *finding)
{
	const struct fact_tcp_attempt *first = view->tcp->tried;
	struct finding *also;

	if (view->tcp->tried_count > 1 && first->result == TCP_TIMEOUT &&
	    (also = finding_also(finding)) != NULL) {
		finding_text(also, "address", first->address);
		finding_set(also, WARN, CODE_TCP_FIRST_ADDRESS_SILENT,
			    "%s, which ssh tries first, does not answer: ssh waits about two "
			    "minutes before it tries %s",
			    first->address, view->tcp->address);
	}
	return finding_set(finding, PASS, CODE_TCP_CONNECTED, "%s port %lld answered in %lld ms",
			   view->tcp->address, (long long)view->tcp->port,
			   (long long)view->tcp->ms);
}

static void
evidence(const struct view *view, struct finding *finding)
{
	const struct fact_tcp *tcp = view->tcp;

	finding_text(finding, "address", tcp->address);
	finding_number(finding, "port", tcp->port);
	finding_text(finding, "result", FACT_WORD(tcp_result, tcp->result));
	finding_text(finding, "errno", tcp->errno_);
	finding_number(finding, "ms", tcp->ms);
	finding_text(finding, "local_address", tcp->local_address);
	finding_text(finding, "interface", tcp->local_interface);
	finding_text(finding, "sender", view->from);
	if (tcp->icmp != NULL)
		finding_value(finding, "icmp", fact_object(shape_of_tcp_icmp(), tcp->icmp));
	finding_texts(finding, "proxy_variables", tcp->proxy_variables, tcp->proxy_variables_count);
	if (view->scene->windows)
		finding_value(finding, "windows", json_true());
	if (tcp->result != TCP_CONNECTED)
		talk_way_around(view->scene, finding);
}

/* No connection, by what the kernel said. */
static int
judge_result(const struct view *view, struct finding *finding)
{
	switch (view->tcp->result) {
	case TCP_REFUSED:
		return judge_refused(view, finding);
	case TCP_PROHIBITED:
		return judge_rejected(view, finding);
	case TCP_UNREACHABLE:
		return judge_unreachable(view, finding);
	case TCP_TIMEOUT:
		return judge_timeout(view, finding);
	case TCP_LOCAL:
		return finding_set(finding, FAIL, CODE_LOCAL_ROUTE_REFUSES,
				   "this machine itself refuses to send to %s (%s)",
				   view->tcp->address, view->error);
	default:
		finding_possible(finding, CODE_DPI_RESETS_SSH);
		return finding_set(finding, FAIL, CODE_TCP_RESET,
				   "the connection to %s was reset while it was being made",
				   view->tcp->address);
	}
}

/* ssh goes through a ProxyCommand: only ssh itself runs it. */
static int
judge_command(const struct scene *scene, struct finding *finding)
{
	const struct fact_rehearsal *stopped = ssh_stopped_at(scene, REHEARSAL_PROXY);
	const char *command = scene->ssh_config->proxycommand;

	finding_text(finding, "proxycommand", command);
	if (ssh_came_past(scene, REHEARSAL_PROXY))
		return finding_set(finding, PASS, CODE_PROXYCOMMAND_WORKS,
				   "the server answers ssh through ProxyCommand %s", command);
	if (ssh_proxy_may_ask(scene))
		return finding_set(finding, SKIP, CODE_NOT_REACHED,
				   "the ProxyCommand wants an answer that only you can give");
	if (stopped == NULL)
		return finding_set(finding, UNKNOWN, CODE_PROXYCOMMAND_NOT_RUN, "%s",
				   scene->tcp->reason);
	finding_text(finding, "words", stopped->message);
	return finding_likely(
	    finding, FAIL, CODE_PROXYCOMMAND_FAILS,
	    stopped->hung ? "nothing of the server comes through ProxyCommand %s: ssh waits (%s)"
			  : "ProxyCommand %s does not reach the server: %s",
	    command, stopped->message);
}

int
check_tcp(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_tcp *tcp = scene->tcp;
	const struct fact_tcp_peer *other = other_port(tcp);
	const char *result = FACT_WORD(tcp_result, tcp->result);
	const struct view view = { .scene = scene,
				   .tcp = tcp,
				   .error = tcp->errno_ != NULL ? tcp->errno_ : result,
				   .from = tcp->icmp != NULL ? tcp->icmp->from : NULL,
				   .private = ip_text_is(tcp->address, IP_PRIVATE) };

	(void)rule;
	if (doc_same(tcp->cause, "proxied"))
		return judge_command(scene, finding);
	if (talk_missing(scene->facts, FACT_TCP, finding))
		return 0;
	if (tcp->address == NULL || tcp->result == TCP_UNRECORDED)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "the connection's result is not recorded");
	evidence(&view, finding);
	if (tcp->proxy != NULL)
		return judge_jump(&view, finding);
	if (tcp->result == TCP_CONNECTED)
		return judge_connected(&view, finding);
	if (other != NULL && other->address == NULL)
		return judge_other_port(tcp, other, finding);
	if (other != NULL && (tcp->result == TCP_REFUSED || scene->nsg.verdict == NSG_ALLOW))
		return judge_other_family(tcp, other, finding);
	return judge_result(&view, finding);
}
