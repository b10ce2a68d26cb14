#include "ssh/probe/wire_path.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The bytes of an address; 0 for other families. */
static size_t
address_bytes(const struct sockaddr *at, const uint8_t **ret)
{
	if (at->sa_family == AF_INET) {
		*ret = (const uint8_t *)&((const struct sockaddr_in *)at)->sin_addr;
		return 4;
	}
	*ret = (const uint8_t *)&((const struct sockaddr_in6 *)at)->sin6_addr;
	return at->sa_family == AF_INET6 ? 16 : 0;
}

static bool
is_tunnel(const char *name)
{
	static const char *const begins[] = { "tun",       "tap",      "wg",     "ppp",   "utun",
					      "tailscale", "zt",       "vpn",    "ipsec", "gpd",
					      "cscotun",   "nordlynx", "proton", "snx",   "xfrm" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (strncmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* The interface that holds the local address, and the tunnels that are up. */
static void
interface_facts(json_t *tcp, const struct sockaddr *local)
{
	struct ifaddrs *all = NULL;
	json_t *tunnels = json_array();
	const uint8_t *ours = NULL, *its;
	size_t len = local != NULL ? address_bytes(local, &ours) : 0;

	if (getifaddrs(&all) < 0)
		all = NULL;
	for (const struct ifaddrs *each = all; each != NULL; each = each->ifa_next) {
		if (each->ifa_addr == NULL)
			continue;
		if (len > 0 && local->sa_family == each->ifa_addr->sa_family &&
		    address_bytes(each->ifa_addr, &its) == len && memcmp(ours, its, len) == 0)
			doc_set_str(tcp, "local_interface", each->ifa_name);
		if ((each->ifa_flags & IFF_UP) != 0 && is_tunnel(each->ifa_name) &&
		    each->ifa_addr->sa_family != AF_PACKET)
			doc_append_str(tunnels, each->ifa_name);
	}
	freeifaddrs(all);
	json_object_set_new(tcp, "tunnels", tunnels);
}

/* Asks the kernel's routing, without sending anything: is there a way to such an address? */
static bool
has_route(int family, const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has;

	if (fd < 0)
		return false;
	if (family == AF_INET)
		has = inet_pton(AF_INET, text, &v4.sin_addr) == 1 &&
		      connect(fd, (const struct sockaddr *)&v4, sizeof(v4)) == 0;
	else
		has = inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
		      connect(fd, (const struct sockaddr *)&v6, sizeof(v6)) == 0;
	close(fd);
	return has;
}

/* The route of the main table that would be taken to an IPv4 address: "default", or its prefix. */
static void
route_facts(json_t *tcp, const struct sockaddr *peer)
{
	enum { UP = 1, GATEWAY = 2, REJECT = 0x200 }; /* linux/route.h */
	bool on_link = false;
	FILE *file = peer->sa_family == AF_INET ? fopen("/proc/net/route", "re") : NULL;
	uint32_t target, best_mask = 0, best_destination = 0;
	char line[512], name[32], best[32] = "", prefix[INET_ADDRSTRLEN];

	if (file == NULL)
		return;
	target = ((const struct sockaddr_in *)peer)->sin_addr.s_addr;
	for (int i = 0; i < 65536 && fgets(line, sizeof(line), file) != NULL; i++) {
		unsigned destination, gateway, flags, mask;

		if (sscanf(line, "%31s %x %x %x %*s %*s %*s %x", name, &destination, &gateway,
			   &flags, &mask) != 5 ||
		    (flags & UP) == 0)
			continue;
		if ((target & mask) != destination ||
		    (best[0] != '\0' && ntohl(mask) <= ntohl(best_mask)))
			continue;
		best_mask = mask;
		best_destination = destination;
		on_link = (flags & (GATEWAY | REJECT)) == 0;
		memcpy(best, name, sizeof(best));
	}
	fclose(file);
	if (best[0] == '\0')
		return;
	json_object_set_new(tcp, "route",
			    json_pack("{s:s, s:b}", "interface", best, "default", best_mask == 0));
	doc_set_bool(doc_get(tcp, "route"), "on_link", on_link);
	if (best_mask != 0 && inet_ntop(AF_INET, &best_destination, prefix, sizeof(prefix)) != NULL)
		doc_set_fmt(doc_get(tcp, "route"), "prefix", "%s/%d", prefix,
			    __builtin_popcount(best_mask));
}

/* The number of the line of values under the word of the line of names, both beginning with
 * "TcpExt:". */
static long long
counter_of(const char *names, const char *values, const char *word)
{
	while (*names != '\0' && *values != '\0') {
		size_t len = strcspn(names, " \n");

		if (len == strlen(word) && strncmp(names, word, len) == 0)
			return strtoll(values, NULL, 10);
		names += len;
		names += strspn(names, " \n");
		values += strcspn(values, " \n");
		values += strspn(values, " \n");
	}
	return -1;
}

long long
wire_send_failures(void)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	char *names = NULL, *values = NULL;
	size_t names_size = 0, values_size = 0;
	long long count = -1;

	for (int i = 0;
	     file != NULL && i < 16 && count < 0 && getline(&names, &names_size, file) > 0 &&
	     getline(&values, &values_size, file) > 0;
	     i++)
		if (strncmp(names, "TcpExt:", 7) == 0)
			count = counter_of(names, values, "TCPRetransFail");
	if (file != NULL)
		fclose(file);
	free(names);
	free(values);
	return count;
}

/* Azure's own machines carry this asset tag (documented for cloud-init's data source). */
static bool
on_azure(void)
{
	static const char tag[] = "7783-7084-3265-9085-8269-3286-77";
	char text[64] = "";
	int fd = open("/sys/class/dmi/id/chassis_asset_tag", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n >= (ssize_t)sizeof(tag) - 1 && strncmp(text, tag, sizeof(tag) - 1) == 0;
}

/* Names the proxies of the environment: ssh does not use them, other programs on this machine do.
 */
static void
proxy_facts(json_t *tcp)
{
	static const char *const names[] = { "ALL_PROXY", "all_proxy", "HTTPS_PROXY",
					     "https_proxy" };
	json_t *set = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && *value != '\0')
			doc_append_str(set, names[i]);
	}
	if (json_array_size(set) > 0)
		json_object_set(tcp, "proxy_variables", set);
	json_decref(set);
}

void
wire_path_facts(json_t *tcp, const struct sockaddr *peer, const struct sockaddr *local)
{
	char text[NI_MAXHOST];
	const uint8_t *bytes;
	static const uint8_t zero[16];
	size_t len = local != NULL ? address_bytes(local, &bytes) : 0;

	if (len == 0 || memcmp(bytes, zero, len) == 0 ||
	    getnameinfo(local, len == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6),
			text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
		local = NULL;
	else
		doc_set_str(tcp, "local_address", text);
	interface_facts(tcp, local);
	route_facts(tcp, peer);
	doc_set_bool(tcp, "way4", has_route(AF_INET, "192.0.2.1"));
	doc_set_bool(tcp, "way6", has_route(AF_INET6, "2001:db8::1"));
	if (on_azure())
		doc_set_bool(tcp, "on_azure", true);
	proxy_facts(tcp);
}
