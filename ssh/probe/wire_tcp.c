#include "ssh/probe/stretch.h"
#include "ssh/probe/wire_path.h"
#include "model/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* An ICMP message about our connection; type -1: none. */
struct icmp {
	int type, code;
	bool v6;
	char from[80];
};

static const struct error_word {
	int error;
	const char *word, *result;
} error_words[] = { { ECONNREFUSED, "ECONNREFUSED", "refused" },
		    { ETIMEDOUT, "ETIMEDOUT", "timeout" },
		    { EHOSTUNREACH, "EHOSTUNREACH", "unreachable" },
		    { ENETUNREACH, "ENETUNREACH", "unreachable" },
		    { ENETDOWN, "ENETDOWN", "unreachable" },
		    { EHOSTDOWN, "EHOSTDOWN", "unreachable" },
		    { ENOPROTOOPT, "ENOPROTOOPT", "unreachable" },
		    { ECONNRESET, "ECONNRESET", "reset" },
		    { ECONNABORTED, "ECONNABORTED", "reset" },
		    { EACCES, "EACCES", "local" },
		    { EPERM, "EPERM", "local" },
		    { EINVAL, "EINVAL", "local" },
		    { EADDRNOTAVAIL, "EADDRNOTAVAIL", "local" },
		    { EAFNOSUPPORT, "EAFNOSUPPORT", "local" },
		    { EMFILE, "EMFILE", "local" },
		    { EPROTO, "EPROTO", "unreachable" } };

static const char *
error_word(int error)
{
	for (size_t i = 0; i < sizeof(error_words) / sizeof(*error_words); i++)
		if (error_words[i].error == error)
			return error_words[i].word;
	return "EIO";
}

/* true for the ICMP codes by which a filter says that it forbids (RFC 1812, RFC 4443). */
static bool
icmp_forbids(const struct icmp *icmp)
{
	if (icmp->v6)
		return icmp->type == 1 && (icmp->code == 1 || icmp->code == 5 || icmp->code == 6);
	return icmp->type == 3 && (icmp->code == 9 || icmp->code == 10 || icmp->code == 13);
}

static const char *
connect_result(int error, const struct icmp *icmp)
{
	if (icmp_forbids(icmp))
		return "prohibited";
	for (size_t i = 0; i < sizeof(error_words) / sizeof(*error_words); i++)
		if (error_words[i].error == error)
			return error_words[i].result;
	return "local";
}

/* Reads the error queue: the last ICMP message that the kernel has seen for this socket. */
static void
icmp_read(int fd, struct icmp *ret)
{
	*ret = (struct icmp){ .type = -1 };
	for (int i = 0; i < 8; i++) {
		char control[512], data[64];
		struct iovec iov = { data, sizeof(data) };
		struct msghdr msg = { .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = control,
				      .msg_controllen = sizeof(control) };

		if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL;
		     cmsg = CMSG_NXTHDR(&msg, cmsg)) {
			struct sock_extended_err error;
			struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
			size_t room = cmsg->cmsg_len - CMSG_LEN(sizeof(error));

			if (!((cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR) ||
			      (cmsg->cmsg_level == IPPROTO_IPV6 &&
			       cmsg->cmsg_type == IPV6_RECVERR)) ||
			    cmsg->cmsg_len < CMSG_LEN(sizeof(error)))
				continue;
			memcpy(&error, CMSG_DATA(cmsg), sizeof(error));
			if (error.ee_origin != SO_EE_ORIGIN_ICMP &&
			    error.ee_origin != SO_EE_ORIGIN_ICMP6)
				continue;
			*ret = (struct icmp){ error.ee_type, error.ee_code,
					      error.ee_origin == SO_EE_ORIGIN_ICMP6, "" };
			memcpy(&from, CMSG_DATA(cmsg) + sizeof(error),
			       room < sizeof(from) ? room : sizeof(from));
			if (getnameinfo((struct sockaddr *)&from,
					from.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
								   : sizeof(struct sockaddr_in),
					ret->from, sizeof(ret->from), NULL, 0, NI_NUMERICHOST) != 0)
				ret->from[0] = '\0';
		}
	}
}

static json_t *
tcp_info(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return NULL;
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "state",
			 (int)info.tcpi_state, "retransmits", (int)info.tcpi_retransmits,
			 "total_retrans", (int)info.tcpi_total_retrans, "unacked",
			 (int)info.tcpi_unacked, "rtt_us", (int)info.tcpi_rtt, "pmtu",
			 (int)info.tcpi_pmtu, "snd_mss", (int)info.tcpi_snd_mss, "rcv_mss",
			 (int)info.tcpi_rcv_mss, "advmss", (int)info.tcpi_advmss);
}

/* How much a result says of the VM: the section shows the address that got farthest. */
static int
telling(const char *result)
{
	static const char *const order[] = { "local",      "unreachable", "timeout",  "reset",
					     "prohibited", "refused",     "connected" };

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (result != NULL && strcmp(result, order[i]) == 0)
			return (int)i;
	return -1;
}

/* What this connect has come to, as TCP's section where it says more than those before. */
static void
tcp_settle(struct wire *wire, int error)
{
	const struct wire_address *address = &wire->addresses[wire->address];
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	struct icmp icmp;
	const char *result;
	json_t *tcp = json_object(), *section;

	icmp_read(wire->fd, &icmp);
	result = error == 0 ? "connected" : connect_result(error, &icmp);
	doc_set_str(tcp, "address", address->text);
	doc_set_int(tcp, "port", wire->port);
	doc_set_str(tcp, "result", result);
	if (error != 0)
		doc_set_str(tcp, "errno", error_word(error));
	doc_set_int(tcp, "ms", wire_ms(wire));
	doc_set_bool(tcp, "loopback", ip_text_is(address->text, IP_LOOPBACK));
	if (icmp.type >= 0) {
		json_object_set_new(tcp, "icmp",
				    json_pack("{s:i, s:i, s:b}", "type", icmp.type, "code",
					      icmp.code, "v6", icmp.v6));
		if (icmp.from[0] != '\0')
			doc_set_str(doc_get(tcp, "icmp"), "from", icmp.from);
	}
	json_object_set_new(tcp, "info", tcp_info(wire->fd));
	if (error == ETIMEDOUT && wire->send_failures >= 0 &&
	    wire_send_failures() > wire->send_failures)
		doc_set_int(tcp, "send_failed", wire_send_failures() - wire->send_failures);
	wire_path_facts(tcp, (const struct sockaddr *)&address->at,
			getsockname(wire->fd, (struct sockaddr *)&local, &len) == 0
			    ? (const struct sockaddr *)&local
			    : NULL);
	json_array_append_new(wire->tried,
			      json_pack("{s:s, s:s, s:I}", "address", address->text, "result",
					result, "ms", (json_int_t)wire_ms(wire)));
	if (error != 0)
		doc_set_str(json_array_get(wire->tried, json_array_size(wire->tried) - 1), "errno",
			    error_word(error));
	if (telling(result) > telling(doc_str(facts_section(wire->facts, FACT_TCP), "result"))) {
		section = facts_known(wire->facts, FACT_TCP);
		json_object_update(section, tcp);
		json_object_set(section, "tried", wire->tried);
	}
	json_decref(tcp);
}

/* This address gave `error` (0: connected). Only the first connection goes on to the next address,
 * as ssh does. */
static void
connect_ended(struct wire *wire, int error)
{
	bool first = !wire->was_connected;
	int off = 0;

	if (first)
		tcp_settle(wire, error);
	wire_unwait(wire);
	if (error == 0) {
		setsockopt(wire->fd, IPPROTO_IP, IP_RECVERR, &off, sizeof(off));
		setsockopt(wire->fd, IPPROTO_IPV6, IPV6_RECVERR, &off, sizeof(off));
		wire_report(wire, WIRE_CONNECTED);
		return;
	}
	if (wire->fd >= 0)
		close(wire->fd);
	wire->fd = -1;
	if (first && wire->address + 1 < wire->address_count) {
		wire->address++;
		wire_connect(wire);
		return;
	}
	wire_report(wire, WIRE_CONNECTED);
}

static void
connect_step(struct wire *wire, int revents)
{
	int error = wire_connect_error(wire, revents);

	if (error == 0 && (revents & (POLLERR | POLLHUP)) != 0 && (revents & POLLOUT) == 0)
		error = ECONNRESET;
	connect_ended(wire, error);
}

/* A socket that reports ICMP errors, bound as ssh_config's BindAddress asks. Returns it or -errno.
 */
static int
socket_open(const struct wire *wire, const struct wire_address *address)
{
	bool v6 = address->at.ss_family == AF_INET6;
	int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
	    on = 1, segment = WIRE_SMALL_SEGMENT;
	const char *bind_to =
	    doc_str(facts_section(wire->facts, FACT_SSH_CONFIG), "options.bindaddress");
	struct addrinfo hints = { .ai_family = address->at.ss_family,
				  .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST },
			*found = NULL;

	if (fd < 0)
		return -errno;
	setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on,
		   sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (wire->small)
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	if (bind_to != NULL && getaddrinfo(bind_to, NULL, &hints, &found) == 0) {
		int r = bind(fd, found->ai_addr, found->ai_addrlen) < 0 ? -errno : 0;

		freeaddrinfo(found);
		if (r < 0) {
			close(fd);
			return r;
		}
	}
	return fd;
}

/* What this process lacks tells nothing of the way to the server. */
static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

static void
end_short(struct wire *wire, int error)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "no connection could be tried from here: %s",
		 strerror(error));
	wire_unwait(wire);
	wire_end(wire, "error", reason);
}

void
wire_connect(struct wire *wire)
{
	const struct wire_address *address = &wire->addresses[wire->address];

	wire_until(wire, wire->step_ms);
	wire->send_failures = wire_send_failures();
	if ((wire->fd = socket_open(wire, address)) < 0) {
		int error = -wire->fd;

		wire->fd = -1;
		if (is_shortage(error))
			end_short(wire, error);
		else
			connect_ended(wire, error);
	} else if (connect(wire->fd, (const struct sockaddr *)&address->at, address->len) == 0) {
		connect_ended(wire, 0);
	} else if (errno == EINPROGRESS) {
		wire_wait(wire, POLLOUT, connect_step);
	} else {
		connect_ended(wire, errno);
	}
}
