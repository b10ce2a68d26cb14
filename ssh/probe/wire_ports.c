#include "model/network.h"
#include "ssh/probe/stretch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The SSH port gave no connection: does SSH answer at the VM's public address of the other family,
 * or on another port that the VM's security groups let in? At most two ports are tried, once each,
 * and only those that look like somebody's SSH port. */
enum { PORT_MS = 1500, NETWORK_MS = 2000, TURN_MS = 50 };

static void port_next(struct wire *wire);

/* true when a rule of that name, for that port, is likely to be about SSH. */
static bool
looks_like_ssh(const char *name, int port)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%d", port);
	return strstr(digits, "22") != NULL || (name != NULL && strcasestr(name, "ssh") != NULL);
}

static void
port_add(struct wire *wire, const char *name, const char *range)
{
	char *end;
	long port = range != NULL ? strtol(range, &end, 10) : 0;

	if (port <= 0 || port > 65535 || *end != '\0' || port == wire->port ||
	    !looks_like_ssh(name, (int)port))
		return;
	for (size_t i = 0; i < wire->port_count; i++)
		if (wire->ports[i] == (int)port)
			return;
	if (wire->port_count < WIRE_PORTS + (*wire->sibling.text != '\0'))
		wire->ports[wire->port_count++] = (int)port;
}

/* The same VM by the other family: a server may listen on one only. */
static bool
is_sibling(const struct wire *wire, const struct net_path *path)
{
	bool v6 = wire->addresses[wire->address].at.ss_family == AF_INET6;

	return path->pip.state == FACT_KNOWN && path->v6 != v6 &&
	       doc_str(path->pip.body, "properties.ipAddress") != NULL;
}

/* The address that was connected to is the VM's own. */
static bool
is_own(const struct wire *wire, const struct net_path *path)
{
	struct ip ip, here;

	return ip_parse(doc_str(path->pip.body, "properties.ipAddress"), &ip) == 0 &&
	       ip_parse(wire->addresses[wire->address].text, &here) == 0 && ip_cmp(ip, here) == 0;
}

static void
sibling_set(struct wire *wire, const char *text)
{
	struct wire_address *address = &wire->sibling;
	struct sockaddr_in *four = (struct sockaddr_in *)&address->at;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->at;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		address->len = sizeof(*four);
	} else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		address->len = sizeof(*six);
	} else {
		return;
	}
	snprintf(address->text, sizeof(address->text), "%s", text);
	wire->ports[wire->port_count++] = wire->port;
}

static void
sibling_find(struct wire *wire, const struct network *network)
{
	const struct net_path *sibling = NULL;
	bool own = false;

	for (size_t i = 0; i < network->count; i++) {
		own = own || is_own(wire, &network->paths[i]);
		if (sibling == NULL && is_sibling(wire, &network->paths[i]))
			sibling = &network->paths[i];
	}
	if (own && sibling != NULL)
		sibling_set(wire, doc_str(sibling->pip.body, "properties.ipAddress"));
}

/* Where the next of the ports is. */
static struct wire_address
port_address(const struct wire *wire)
{
	return *wire->sibling.text != '\0' && wire->port_at == 0 ? wire->sibling
								 : wire->addresses[wire->address];
}

static void
ports_of_group(struct wire *wire, const json_t *group)
{
	const json_t *rules = doc_list(group, "properties.securityRules"), *rule, *range;
	size_t i, j;

	json_array_foreach (rules, i, rule) {
		if (!doc_is(rule, "properties.direction", "Inbound") ||
		    !doc_is(rule, "properties.access", "Allow"))
			continue;
		port_add(wire, doc_str(rule, "name"),
			 doc_str(rule, "properties.destinationPortRange"));
		json_array_foreach (doc_list(rule, "properties.destinationPortRanges"), j, range)
			port_add(wire, doc_str(rule, "name"), json_string_value(range));
	}
}

static void
port_settle(struct wire *wire, const char *result, const uint8_t *line, size_t len)
{
	json_t *tcp = facts_section(wire->facts, FACT_TCP), *others = doc_list(tcp, "others"),
	       *one = json_object();

	if (others == NULL) {
		json_object_set_new(tcp, "others", json_array());
		others = doc_list(tcp, "others");
	}
	doc_set_int(one, "port", wire->ports[wire->port_at]);
	if (*wire->sibling.text != '\0' && wire->port_at == 0)
		doc_set_str(one, "address", wire->sibling.text);
	doc_set_str(one, "result", result);
	if (len > 0)
		doc_set_strn(one, "line", (const char *)line, len);
	json_array_append_new(others, one);
	wire->port_at++;
	wire_hang_up(wire);
	port_next(wire);
}

static void
port_step(struct wire *wire, int revents)
{
	struct banner read;
	int error = 0;
	socklen_t len = sizeof(error);
	ssize_t n = -EAGAIN;

	if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != 0) {
		port_settle(wire, error == ECONNREFUSED ? "refused" : "unreachable", NULL, 0);
		return;
	}
	while (revents > 0 && (n = wire_read(wire)) > 0)
		;
	if (banner_read(wire->in, wire->in_len, &read) == BANNER_SSH)
		port_settle(wire, "ssh", read.line.at, read.line.len);
	else if (revents == 0 || n == 0 || n == -ENOBUFS)
		port_settle(wire, revents == 0 && wire->in_len == 0 ? "timeout" : "other", NULL, 0);
	else
		wire_wait(wire, POLLIN, port_step);
}

static void
port_next(struct wire *wire)
{
	struct wire_address address = port_address(wire);
	uint16_t port;

	if (wire->port_at == wire->port_count) {
		wire_report(wire, WIRE_UNCONNECTED);
		return;
	}
	port = htons((uint16_t)wire->ports[wire->port_at]);
	if (address.at.ss_family == AF_INET)
		((struct sockaddr_in *)&address.at)->sin_port = port;
	else
		((struct sockaddr_in6 *)&address.at)->sin6_port = port;
	wire_until(wire, wire->step_ms < PORT_MS ? wire->step_ms : PORT_MS);
	wire->fd = socket(address.at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (wire->fd < 0 ||
	    (connect(wire->fd, (const struct sockaddr *)&address.at, address.len) < 0 &&
	     errno != EINPROGRESS))
		port_settle(wire, errno == ECONNREFUSED ? "refused" : "unreachable", NULL, 0);
	else
		wire_wait(wire, POLLIN, port_step);
}

/* The security groups may still be under way. */
static void
network_step(struct wire *wire, int revents)
{
	struct network network = { 0 };

	(void)revents;
	if (facts_state(wire->facts, FACT_NETWORK, NULL) == FACT_PENDING &&
	    doc_get(facts_section(wire->facts, FACT_VM), "id") != NULL &&
	    wire_ms(wire) < NETWORK_MS) {
		wire->until = loop_now(wire->loop) + TURN_MS;
		wire_wait(wire, 0, network_step);
		return;
	}
	wire_unwait(wire);
	if (network_from_facts(wire->facts, &network) == 0) {
		sibling_find(wire, &network);
		for (size_t i = 0; i < network.count; i++) {
			ports_of_group(wire, network.paths[i].nic_nsg.body);
			ports_of_group(wire, network.paths[i].subnet_nsg.body);
		}
	}
	network_free(&network);
	port_next(wire);
}

void
wire_ports_ask(struct wire *wire)
{
	wire_until(wire, NETWORK_MS);
	network_step(wire, 0);
}
