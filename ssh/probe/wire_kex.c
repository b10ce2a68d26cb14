#include "ssh/probe/stretch.h"
#include "ssh/probe/wire_kex.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 200, NAME_MAX_LEN = 128, TEXT_MAX = 1024 };

int
wire_packet(struct wire *wire, struct bytes *payload)
{
	struct bytes rest = { wire->in + wire->scanned, wire->in_len - wire->scanned }, text;
	uint32_t code;
	int r = packet_next(&rest, payload);

	if (r != 1)
		return r;
	wire->scanned = (size_t)(rest.at - wire->in);
	if (packet_disconnect(*payload, &code, &text) == 0 && wire->disconnect_text == NULL)
		wire->disconnect_text =
		    strndup((const char *)text.at, text.len < TEXT_MAX ? text.len : TEXT_MAX);
	return 1;
}

static json_t *
names_json(struct bytes list)
{
	json_t *names = json_array();
	struct bytes name;

	while (json_array_size(names) < NAMES_MAX && names_next(&list, &name))
		json_array_append_new(names,
				      doc_text((const char *)name.at,
					       name.len < NAME_MAX_LEN ? name.len : NAME_MAX_LEN));
	return names;
}

static void
set_span(json_t *obj, const char *key, struct bytes span)
{
	if (span.len > 0)
		doc_set_strn(obj, key, (const char *)span.at, span.len);
}

static json_t *
lists_json(struct bytes kex, struct bytes host_key, struct bytes cipher, struct bytes mac)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "kex", names_json(kex), "host_key",
			 names_json(host_key), "cipher", names_json(cipher), "mac",
			 names_json(mac));
}

static void
agreement_facts(const struct wire *wire, json_t *kex)
{
	const struct bytes *server = wire->lists.list;
	json_t *chosen = json_object();

	json_object_set_new(kex, "server",
			    lists_json(server[KEXINIT_KEX], server[KEXINIT_HOST_KEY],
				       server[KEXINIT_CIPHER_SC], server[KEXINIT_MAC_SC]));
	doc_set_bool(kex, "strict",
		     names_have(server[KEXINIT_KEX], bytes_of("kex-strict-s-v00@openssh.com")));
	if (wire->offer_known) {
		json_object_set_new(kex, "client",
				    lists_json(wire->offer.kex, wire->offer.host_key,
					       wire->offer.cipher, wire->offer.mac));
		doc_set_str(kex, "missing", wire->agreed.missing);
		set_span(chosen, "kex", wire->agreed.kex);
		set_span(chosen, "host_key", wire->agreed.host_key);
		set_span(chosen, "cipher", wire->agreed.cipher);
		set_span(chosen, "mac", wire->agreed.mac);
		json_object_set(kex, "chosen", chosen);
	}
	json_decref(chosen);
}

/* What TCP knows of a stall: packets of ours that nobody has acknowledged. */
static void
stall_facts(const struct wire *wire, json_t *kex)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (wire->fd < 0 || getsockopt(wire->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return;
	json_object_set_new(kex, "info",
			    json_pack("{s:i, s:i, s:i, s:i, s:i}", "retransmits",
				      (int)info.tcpi_retransmits, "total_retrans",
				      (int)info.tcpi_total_retrans, "unacked",
				      (int)info.tcpi_unacked, "pmtu", (int)info.tcpi_pmtu,
				      "rcv_mss", (int)info.tcpi_rcv_mss));
	if (info.tcpi_unacked > 0 && info.tcpi_retransmits > 0)
		doc_set_str(kex, "mtu", "suspected");
}

void
wire_kex_settle(struct wire *wire, const char *result, const char *by)
{
	bool done = strcmp(result, "done") == 0,
	     had_info = facts_state(wire->facts, FACT_KEX, NULL) == FACT_KNOWN;
	json_t *kex, *before = had_info ? json_incref(facts_section(wire->facts, FACT_KEX)) : NULL;

	if (wire->have.kex) {
		json_decref(before);
		return;
	}
	wire->have.kex = done;
	kex = facts_known(wire->facts, FACT_KEX);
	if (wire->server_kexinit.len > 0)
		agreement_facts(wire, kex);
	doc_set_str(kex, "by", by);
	doc_set_int(kex, "ms", wire_ms(wire));
	doc_set_str(kex, "text", wire->disconnect_text);
	if (done && wire->spoken[0] != '\0')
		doc_set_str(kex, "spoken", wire->spoken);
	if (before != NULL) {
		json_object_set(kex, "info", doc_get(before, "info"));
		json_object_set(kex, "mtu", doc_get(before, "mtu"));
	} else if (strcmp(result, "stalled") == 0) {
		stall_facts(wire, kex);
	}
	if (done && wire->proving) {
		result = "stalled";
		doc_set_str(kex, "mtu", "proven");
	} else if (done && wire->offer_known && wire->agreed.missing != NULL) {
		result = "no-common";
	}
	doc_set_str(kex, "result", result);
	json_decref(before);
}

/* Words in the place of a packet: the first line of what came, when it is one. */
static void
keep_clear_text(struct wire *wire)
{
	const uint8_t *at = wire->in + wire->scanned;
	size_t rest = wire->in_len - wire->scanned, len = 0;

	while (len < rest && len < TEXT_MAX && at[len] >= 0x20 && at[len] < 0x7f)
		len++;
	if (len >= 8 && wire->disconnect_text == NULL)
		wire->disconnect_text = strndup((const char *)at, len);
}

void
wire_kex_broken(struct wire *wire, const char *fault)
{
	const char *result = wire->reset ? "reset" : "closed";

	if (wire->disconnect_text != NULL)
		result = "disconnect";
	else if (fault != NULL)
		result = fault;
	if (wire->have.kex) {
		wire_report(wire, WIRE_ANSWERED);
		return;
	}
	if (fault != NULL && strcmp(fault, "garbage") == 0)
		keep_clear_text(wire);
	wire_kex_settle(wire, result, NULL);
	wire_end(wire, "not-reached", "the key exchange was not finished");
}

/* Keeps the payload, since the exchange hash and the lists are made of it. */
static int
kexinit_keep(struct wire *wire, struct bytes payload)
{
	wire->server_kexinit.len = 0;
	buffer_add(&wire->server_kexinit, payload.at, payload.len);
	if (kexinit_read(buffer_bytes(&wire->server_kexinit), &wire->lists) < 0)
		return -EBADMSG;
	wire->agreed = kexinit_agree(&wire->offer, &wire->lists);
	return 0;
}

static void
on_lists(void *ctx)
{
	wire_report(ctx, WIRE_OFFERED);
}

/* Where they share nothing of a kind, the advice needs to know what the installed ssh could do. */
static void
kexinit_kept(struct wire *wire)
{
	if (!wire->offer_known || wire->agreed.missing == NULL || wire->connections > 1) {
		wire_report(wire, WIRE_OFFERED);
		return;
	}
	wire_unwait(wire);
	ssh_client_lists(wire->loop, wire->facts, wire->agreed.missing, on_lists, wire);
}

static void
kexinit_step(struct wire *wire, int revents)
{
	struct bytes payload;
	ssize_t n = -EAGAIN;
	int r;

	if (revents == 0) {
		wire_report(wire, WIRE_STALLED);
		return;
	}
	if ((revents & POLLOUT) != 0)
		wire_flush(wire);
	while ((n = wire_read(wire)) > 0)
		;
	while ((r = wire_packet(wire, &payload)) == 1) {
		if (*payload.at == SSH_MSG_KEXINIT) {
			if (kexinit_keep(wire, payload) < 0)
				wire_kex_broken(wire, "garbage");
			else
				kexinit_kept(wire);
			return;
		}
		if (*payload.at == SSH_MSG_DISCONNECT)
			break;
	}
	if (r != 0 || n != -EAGAIN)
		wire_kex_broken(wire, r < 0 || n == -ENOBUFS ? "garbage" : NULL);
	else
		wire_wait(wire, (short)(POLLIN | (wire->out.len > 0 ? POLLOUT : 0)), kexinit_step);
}

void
wire_kexinit(struct wire *wire)
{
	wire_until(wire, wire->step_ms);
	wire_send_line(wire);
	kexinit_step(wire, POLLIN);
}
