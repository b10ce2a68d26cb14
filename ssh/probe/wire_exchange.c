#include "ssh/probe/engine.h"
#include "ssh/probe/wire_client.h"
#include "ssh/probe/wire_kex.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct own {
	struct exchange *exchange;
	struct buffer client_kexinit;
	struct bytes method, key; /* agreed on; constant or borrowed from server_kexinit */
	bool ignores_guess;       /* the server's next packet of an exchange is a wrong guess */
};

/* A farewell, so that the server's log shows an end and not a break. */
static void
say_goodbye(struct wire *wire)
{
	static const char words[] = "azssh-doctor: probe finished";
	struct buffer payload = { 0 };
	enum { BY_APPLICATION = 11 };

	buffer_u8(&payload, SSH_MSG_DISCONNECT);
	buffer_u32(&payload, BY_APPLICATION);
	buffer_string(&payload, bytes_of(words));
	buffer_string(&payload, bytes_of(""));
	packet_write(&wire->out, buffer_bytes(&payload));
	buffer_free(&payload);
	wire_flush(wire);
}

static void
reply_read(struct wire *wire, struct bytes reply)
{
	const struct own *own = wire->engine_state;
	struct bytes line = { wire->in + wire->in_at, strlen(wire->server_line) }, key;
	struct transcript said = { .client_line = bytes_of(WIRE_LINE),
				   .server_line = line,
				   .client_kexinit = buffer_bytes(&own->client_kexinit),
				   .server_kexinit = buffer_bytes(&wire->server_kexinit) };
	int r = exchange_finish(own->exchange, &said, own->key, reply, &key);

	if (r < 0) {
		wire_kex_broken(wire, r == -EKEYREJECTED ? "bad-signature" : "garbage");
		return;
	}
	snprintf(wire->spoken, sizeof(wire->spoken), "%.*s", (int)own->method.len,
		 (const char *)own->method.at);
	wire_kex_settle(wire, "done", "own");
	wire_host_key_add(wire, key);
	say_goodbye(wire);
	wire_report(wire, WIRE_ANSWERED);
}

/* true when the server has guessed what would be agreed on, and guessed wrong: its next packet is
 * of that exchange and counts for nothing (RFC 4253, section 7.1). */
static bool
guessed_wrong(const struct wire *wire, const struct own *own)
{
	struct bytes kex = wire->lists.list[KEXINIT_KEX], keys = wire->lists.list[KEXINIT_HOST_KEY],
		     first;

	if (!wire->lists.guessed)
		return false;
	return !names_next(&kex, &first) || !bytes_same(first, own->method) ||
	       !names_next(&keys, &first) || !bytes_same(first, own->key);
}

static void
exchange_step(struct wire *wire, int revents)
{
	struct own *own = wire->engine_state;
	struct bytes payload;
	ssize_t n = -EAGAIN;
	int r;

	if (revents == 0) {
		wire_report(wire, WIRE_STALLED);
		return;
	}
	wire_flush(wire);
	while ((n = wire_read(wire)) > 0)
		;
	while ((r = wire_packet(wire, &payload)) == 1 && *payload.at != SSH_MSG_DISCONNECT) {
		if (*payload.at < SSH_MSG_KEX_INIT)
			continue;
		if (own->ignores_guess) {
			own->ignores_guess = false;
		} else if (*payload.at == SSH_MSG_KEX_REPLY) {
			reply_read(wire, payload);
			return;
		}
	}
	if (r != 0 || n != -EAGAIN)
		wire_kex_broken(wire, r < 0 || n == -ENOBUFS ? "garbage" : NULL);
	else
		wire_wait(wire, (short)(POLLIN | (wire->out.len > 0 ? POLLOUT : 0)), exchange_step);
}

static struct own *
own_new(const struct wire *wire, struct bytes host_key)
{
	struct own *own = calloc(1, sizeof(*own));

	if (own == NULL)
		return NULL;
	own->method = names_common(exchange_methods(), wire->lists.list[KEXINIT_KEX]);
	own->key = host_key;
	own->ignores_guess = guessed_wrong(wire, own);
	if ((own->exchange = exchange_new(own->method)) != NULL)
		return own;
	free(own);
	return NULL;
}

static void
own_start(struct wire *wire, struct bytes host_key)
{
	struct buffer init = { 0 };
	struct own *own;

	wire_until(wire, wire->step_ms);
	if ((wire->engine_state = own = own_new(wire, host_key)) == NULL) {
		wire_end(wire, "error", "the key exchange could not be computed");
		return;
	}
	exchange_kexinit(&own->client_kexinit, own->method, host_key, &wire->lists,
			 wire->small ? 0 : WIRE_PADDING);
	exchange_init(own->exchange, &init);
	packet_write(&wire->out, buffer_bytes(&own->client_kexinit));
	packet_write(&wire->out, buffer_bytes(&init));
	buffer_free(&init);
	exchange_step(wire, POLLIN | POLLOUT);
}

static void
own_free(void *state)
{
	struct own *own = state;

	if (own == NULL)
		return;
	exchange_free(own->exchange);
	buffer_free(&own->client_kexinit);
	free(own);
}

const struct wire_engine wire_engine_own = { "own", own_start, own_free };

bool
wire_exchange_able(const struct wire *wire, struct bytes host_key)
{
	return names_common(exchange_methods(), wire->lists.list[KEXINIT_KEX]).len > 0 &&
	       names_have(exchange_host_keys(), host_key_plain(host_key));
}
