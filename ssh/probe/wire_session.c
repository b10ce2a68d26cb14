#include "ssh/probe/engine.h"
#include "ssh/probe/wire_client.h"
#include "ssh/probe/wire_keys.h"
#include "ssh/probe/wire_kex.h"
#include "ssh/probe/wire_memory.h"

#include <errno.h>
#include <libssh2.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

struct wire_session {
	struct wire_memory memory; /* first: what libssh2's callbacks are given is this */
	struct wire *wire;
	LIBSSH2_SESSION *ssh;
	size_t swallow; /* bytes of its own line that we have sent already */
	unsigned signs; /* calls of the signature callback: each is an acceptance */
	bool negotiated;
};

static void session_step(struct wire *wire, int revents);

/* What libssh2 can do, as a list of names; empty when it does not say. The caller frees with
 * buffer_free. */
static struct buffer
library_names(LIBSSH2_SESSION *ssh, int method)
{
	const char **names = NULL;
	int count = libssh2_session_supported_algs(ssh, method, &names);
	struct buffer list = { 0 };

	for (int i = 0; i < count; i++) {
		if (i > 0)
			buffer_u8(&list, ',');
		buffer_add(&list, names[i], strlen(names[i]));
	}
	if (count > 0)
		libssh2_free(ssh, names);
	return list;
}

bool
wire_session_able(const struct wire *wire, struct bytes host_key)
{
	static bool initialised;
	LIBSSH2_SESSION *ssh;
	struct buffer kex, keys, ciphers, macs;
	struct agreement agreed;

	if (wire->library_failed || (!initialised && libssh2_init(0) != 0))
		return false;
	initialised = true;
	if ((ssh = libssh2_session_init()) == NULL)
		return false;
	kex = library_names(ssh, LIBSSH2_METHOD_KEX);
	keys = library_names(ssh, LIBSSH2_METHOD_HOSTKEY);
	ciphers = library_names(ssh, LIBSSH2_METHOD_CRYPT_SC);
	macs = library_names(ssh, LIBSSH2_METHOD_MAC_SC);
	agreed = kexinit_agree(&(struct offer){ buffer_bytes(&kex), buffer_bytes(&keys),
						buffer_bytes(&ciphers), buffer_bytes(&macs) },
			       &wire->lists);
	if (host_key.len > 0 && !(names_have(buffer_bytes(&keys), host_key) &&
				  names_have(wire->lists.list[KEXINIT_HOST_KEY], host_key)))
		agreed.missing = "host_key";
	buffer_free(&kex);
	buffer_free(&keys);
	buffer_free(&ciphers);
	buffer_free(&macs);
	libssh2_session_free(ssh);
	return agreed.missing == NULL;
}

/* Before encryption begins every byte is seen here too: the server's lists, the text of a
 * DISCONNECT. */
static void
tap(struct wire *wire, const void *bytes, size_t len)
{
	struct bytes payload;

	if (wire->encrypted)
		return;
	if (len > WIRE_CLEAR_MAX - wire->in_len) {
		wire->flooded = true;
		return;
	}
	memcpy(wire->in + wire->in_len, bytes, len);
	wire->in_len += len;
	wire->in_at = wire->in_len;
	while (!wire->encrypted && wire_packet(wire, &payload) == 1)
		wire->encrypted = *payload.at == SSH_MSG_NEWKEYS;
}

static LIBSSH2_RECV_FUNC(on_recv)
{
	struct wire *wire = ((struct wire_session *)*abstract)->wire;
	size_t kept = wire->in_len - wire->in_at;
	ssize_t n;

	(void)flags;
	if (kept > 0) {
		n = (ssize_t)(kept < length ? kept : length);
		memcpy(buffer, wire->in + wire->in_at, (size_t)n);
		wire->in_at += (size_t)n;
		return n;
	}
	if ((n = recv(socket, buffer, length, 0)) < 0) {
		wire->reset |= errno != EAGAIN && errno != EINTR;
		return errno == EINTR ? -EAGAIN : -errno;
	}
	wire->closed |= n == 0;
	if (n > 0)
		tap(wire, buffer, (size_t)n);
	return wire->flooded ? -ECONNABORTED : n;
}

static LIBSSH2_SEND_FUNC(on_send)
{
	struct wire_session *session = *abstract;
	ssize_t n;

	(void)flags;
	if (session->swallow > 0) {
		n = (ssize_t)(session->swallow < length ? session->swallow : length);
		session->swallow -= (size_t)n;
		return n;
	}
	n = send(socket, buffer, length, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	return n;
}

static LIBSSH2_DISCONNECT_FUNC(on_disconnect)
{
	struct wire *wire = ((struct wire_session *)*abstract)->wire;

	(void)session;
	(void)reason;
	(void)language;
	(void)language_len;
	if (wire->disconnect_text == NULL && message_len > 0)
		wire->disconnect_text =
		    strndup(message, (size_t)message_len < 1024 ? (size_t)message_len : 1024);
}

/* The server accepts the key, or it would not have us sign: refused, so nobody logs in. */
static int
refuse_to_sign(LIBSSH2_SESSION *ssh, unsigned char **signature, size_t *signature_len,
	       const unsigned char *data, size_t data_len, void **abstract)
{
	unsigned *signs = *abstract;

	(void)ssh;
	(void)signature;
	(void)signature_len;
	(void)data;
	(void)data_len;
	++*signs;
	return -1;
}

static void
on_negotiated(struct wire_session *session)
{
	struct wire *wire = session->wire;
	size_t len = 0;
	int type;
	const char *key = libssh2_session_hostkey(session->ssh, &len, &type);

	const char *method = libssh2_session_methods(session->ssh, LIBSSH2_METHOD_KEX);

	session->negotiated = true;
	snprintf(wire->spoken, sizeof(wire->spoken), "%s", method != NULL ? method : "");
	wire_kex_settle(wire, "done", "libssh2");
	if (key != NULL && len > 0 && !wire->have.host_key)
		wire_host_key_add(wire, (struct bytes){ (const uint8_t *)key, len });
	wire_keys_pick(wire);
	wire_until(wire, wire->step_ms);
}

/* The list of methods as libssh2 gives it; NULL with "none" when nothing is asked for. */
static void
on_methods(struct wire *wire, const char *list)
{
	struct bytes all = bytes_of(list), name;

	wire->methods = json_array();
	while (names_next(&all, &name))
		json_array_append_new(wire->methods, doc_text((const char *)name.at, name.len));
	if (list == NULL)
		doc_append_str(wire->methods, "none");
}

/* Asks about the next key, until one is accepted that ssh could sign with. Returns 0 when there is
 * none left, 1 when it was answered, LIBSSH2_ERROR_EAGAIN while under way. */
static int
query(struct wire_session *session)
{
	struct wire *wire = session->wire;
	struct wire_key *key = &wire->keys[wire->key];
	void *count = &session->signs;
	unsigned before = session->signs;
	bool accepted;
	int r;

	if (wire->key == wire->key_count)
		return 0;
	r = libssh2_userauth_publickey(session->ssh, wire->user, key->blob.at, key->blob.len,
				       refuse_to_sign, &count);
	if (r == LIBSSH2_ERROR_EAGAIN)
		return r;
	accepted = session->signs > before || r == 0;
	if (accepted)
		key->answer = "accepted";
	else if (r == LIBSSH2_ERROR_AUTHENTICATION_FAILED || wire->disconnect_text != NULL)
		key->answer = key->certain ? "denied" : "unknown";
	else
		key->answer = "unknown";
	wire->key++;
	if ((accepted && wire_key_ready(key)) || wire->closed || wire->reset ||
	    wire->disconnect_text != NULL)
		wire->key = wire->key_count;
	return 1;
}

/* One turn of the conversation. Returns 0 when all is said, LIBSSH2_ERROR_EAGAIN to wait, another
 * error when it broke. */
static int
converse(struct wire_session *session)
{
	struct wire *wire = session->wire;
	const char *list;
	int r;

	if (!session->negotiated) {
		if ((r = libssh2_session_handshake(session->ssh, wire->fd)) != 0)
			return r;
		on_negotiated(session);
	}
	if (wire->have.auth)
		return 0;
	if (wire->methods == NULL) {
		list =
		    libssh2_userauth_list(session->ssh, wire->user, (unsigned)strlen(wire->user));
		if (list == NULL && !libssh2_userauth_authenticated(session->ssh))
			return libssh2_session_last_errno(session->ssh);
		on_methods(wire, list);
		if (list == NULL || !names_have(bytes_of(list), bytes_of("publickey")))
			wire->key = wire->key_count;
	}
	while ((r = query(session)) == 1)
		;
	return r;
}

/* The conversation broke: within the key exchange, or later. */
static void
session_broke(struct wire *wire, int error)
{
	struct wire_session *session = wire->engine_state;

	if (session->negotiated) {
		if (wire->key < wire->key_count)
			wire->keys[wire->key].answer =
			    "unknown"; /* it was asked, and this is what came of it */
		if (wire->methods != NULL)
			wire_auth_settle(wire, "libssh2");
		else
			facts_settle(
			    wire->facts, FACT_AUTH, FACT_UNKNOWN, "closed",
			    "the server ended the connection before it named its methods%s%s",
			    wire->disconnect_text != NULL ? ": " : "",
			    wire->disconnect_text != NULL ? wire->disconnect_text : "");
		wire->have.auth = true;
		wire_report(wire, WIRE_ANSWERED);
	} else if (wire->flooded) {
		wire_kex_broken(wire, "garbage");
	} else if (wire->closed || wire->reset || wire->disconnect_text != NULL ||
		   error == LIBSSH2_ERROR_EAGAIN) {
		wire_kex_broken(wire, NULL);
	} else {
		wire->library_failed = true;
		wire_report(wire, WIRE_ANSWERED);
	}
}

static void
session_step(struct wire *wire, int revents)
{
	struct wire_session *session = wire->engine_state;
	int r = revents == 0 ? LIBSSH2_ERROR_TIMEOUT : converse(session), waits;

	if (r == LIBSSH2_ERROR_EAGAIN) {
		waits = libssh2_session_block_directions(session->ssh);
		wire_wait(wire,
			  (short)((waits & LIBSSH2_SESSION_BLOCK_OUTBOUND ? POLLOUT : 0) |
				  (waits & LIBSSH2_SESSION_BLOCK_OUTBOUND &&
					   !(waits & LIBSSH2_SESSION_BLOCK_INBOUND)
				       ? 0
				       : POLLIN)),
			  session_step);
	} else if (r == 0) {
		if (!wire->have.auth)
			wire_auth_settle(wire, "libssh2");
		libssh2_session_disconnect(session->ssh, "azssh-doctor: probe finished");
		wire_report(wire, WIRE_ANSWERED);
	} else if (r == LIBSSH2_ERROR_TIMEOUT && !session->negotiated) {
		wire_report(wire, WIRE_STALLED);
	} else {
		session_broke(wire, r);
	}
}

/* A session on our socket, with languages so long that our KEXINIT fills whole segments: a path
 * that loses those shows itself. */
static struct wire_session *
session_new(struct wire *wire, struct bytes host_key)
{
	struct wire_session *session = calloc(1, sizeof(*session));
	char padding[WIRE_PADDING + 1], name[64];
	bool pads = strcmp(wire->product, "openssh") == 0 || strcmp(wire->product, "dropbear") == 0;

	if (session == NULL ||
	    (session->ssh = libssh2_session_init_ex(wire_memory_take, wire_memory_drop,
						    wire_memory_resize, session)) == NULL) {
		free(session);
		return NULL;
	}
	session->wire = wire;
	session->swallow = strlen(WIRE_LINE "\r\n");
	libssh2_session_set_blocking(session->ssh, 0);
	libssh2_session_banner_set(session->ssh, WIRE_LINE);
	if (host_key.len > 0 && host_key.len < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)host_key.len, (const char *)host_key.at);
		libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_HOSTKEY, name);
	}
	if (pads && !wire->small) {
		memset(padding, 'x', WIRE_PADDING);
		padding[WIRE_PADDING] = '\0';
		libssh2_session_method_pref(session->ssh, LIBSSH2_METHOD_LANG_CS, padding);
	}
	libssh2_session_callback_set(session->ssh, LIBSSH2_CALLBACK_RECV,
				     (void *)(uintptr_t)on_recv);
	libssh2_session_callback_set(session->ssh, LIBSSH2_CALLBACK_SEND,
				     (void *)(uintptr_t)on_send);
	libssh2_session_callback_set(session->ssh, LIBSSH2_CALLBACK_DISCONNECT,
				     (void *)(uintptr_t)on_disconnect);
	return session;
}

static void
session_start(struct wire *wire, struct bytes host_key)
{
	wire_until(wire, wire->step_ms);
	if ((wire->engine_state = session_new(wire, host_key)) == NULL)
		wire_end(wire, "error", "out of memory");
	else
		session_step(wire, POLLIN | POLLOUT);
}

static void
session_free(void *state)
{
	struct wire_session *session = state;

	if (session == NULL)
		return;
	libssh2_session_free(session->ssh);
	wire_memory_clear(&session->memory);
	free(session);
}

const struct wire_engine wire_engine_libssh2 = { "libssh2", session_start, session_free };
