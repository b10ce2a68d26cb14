/* The conversation with the server, inside ssh/: one struct wire is one run of it, from the name to
 * "would this key be accepted". Each wire_*.c file is one stretch of the way; they call one another
 * only through what stands here. */
#ifndef SSH_WIRE_H
#define SSH_WIRE_H

#include "ssh/probe/exchange.h"
#include "ssh/ssh.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum {
	WIRE_STEP_MS = 5000,
	WIRE_ADDRESSES = 8, /* tried at most */
	WIRE_CONNECTIONS =
	    3, /* to the SSH port; one more only to prove a stall or for the installed ssh */
	WIRE_QUERIES = 3,       /* of keys */
	WIRE_CLEAR_MAX = 65536, /* bytes read before encryption */
	WIRE_PADDING = 1500,    /* added to our KEXINIT so that it fills whole segments */
	WIRE_SMALL_SEGMENT = 536,
	WIRE_PORTS = 2 /* other ports that SSH is looked for on when its own gives no connection */
};

#define WIRE_LINE "SSH-2.0-azssh_doctor_" PACKAGE_VERSION

struct wire_address {
	char text[80];
	struct sockaddr_storage at;
	socklen_t len;
};

/* How far the answers are: what is still wanted decides what the next connection is for. */
struct wire_answers {
	bool banner, kex, host_key, auth;
};

/* One of the keys that ssh would offer, as the server is asked about it. */
struct wire_key {
	const json_t *identity; /* borrowed from IDENTITIES */
	uint8_t *blob;
	size_t len;
	bool certain; /* a refusal means that the key is refused, not only the way it was asked */
	const char *answer; /* "accepted", "denied", "unknown"; NULL: not asked */
};

struct wire_session;
struct wire_ssh;
struct wire_jump;

struct wire {
	struct loop *loop;
	struct facts *facts;
	ssh_done *done;
	void *ctx;
	struct ssh_wire_request request; /* as it was asked; what it points at is the asker's */
	char *host, *user, *self, *config_file, *reference;
	int port, step_ms;
	bool by_jump;           /* ssh carries the bytes through a jump host */
	struct wire_jump *jump; /* while that ssh runs */

	/* what is waited for now */
	struct watch *watch;
	void (*step)(struct wire *wire, int revents); /* revents 0: its time is over */
	int64_t began, until;

	/* name and connection */
	struct wire_address addresses[WIRE_ADDRESSES];
	size_t address_count, address;
	json_t *tried;
	long long send_failures; /* this machine's count of segments it could not send, when the
				    connect began; -1: not known */
	int ports[WIRE_PORTS];
	size_t port_count, port_at;
	bool was_connected; /* the TCP section stands */
	int fd;
	unsigned connections;
	bool small;         /* the next connection asks for small segments */
	bool closed, reset; /* how the peer ended the present connection */

	/* cleartext of the present connection: everything received, and what of it the next reader
	 * begins with */
	uint8_t *in;
	size_t in_len, in_at, scanned;
	bool flooded;   /* more than WIRE_CLEAR_MAX came in the clear */
	bool encrypted; /* NEWKEYS has been seen: `in` grows no more */
	bool line_sent;
	struct buffer out;
	size_t out_at;
	char *disconnect_text;

	/* of the server */
	char *server_line, *product;
	unsigned openssh;             /* major * 100 + minor, 0 when it is not OpenSSH */
	struct buffer server_kexinit; /* payload of the first connection */
	struct kexinit lists;         /* borrowed from server_kexinit */

	/* of the installed ssh */
	char *client_kex, *client_host_key, *client_cipher, *client_mac;
	struct offer offer;      /* borrowed from the four */
	bool offer_known;        /* false: no ssh is installed, its lists are guessed */
	struct agreement agreed; /* between it and the server */

	struct wire_answers have;
	struct wire_session *session;
	struct wire_ssh *ssh;
	struct exchange *exchange;
	struct buffer client_kexinit;
	bool ignores_guess; /* the server's next packet of an exchange is a wrong guess */
	struct bytes exchange_method, exchange_key; /* what the own exchange agreed on; constant or
						      borrowed from server_kexinit */

	json_t *methods; /* NULL until the server has named them */
	char *auth_banner;
	struct wire_key keys[WIRE_QUERIES];
	size_t key_count, key;
	bool stalled, proving; /* a key exchange stalled; the present connection shall prove why */
	struct bytes another; /* host key algorithm of the present connection, which is for a second
				key only */
	bool reference_asked;
	bool library_failed; /* libssh2 gave up where it should have been able */
};

/* ---- wire.c: order of things ---- */

/* Waits on the connection (or only for time, events 0) until `until`, then calls step. */
void wire_wait(struct wire *wire, short events, void (*step)(struct wire *wire, int revents));
void wire_until(struct wire *wire, int ms); /* starts a step of that length */
int64_t wire_ms(const struct wire *wire);   /* since the present step began */

void wire_resolved(struct wire *wire);  /* DNS has settled */
void wire_connected(struct wire *wire); /* a connection stands, or none could be made (fd is -1) */
void
wire_unconnected(struct wire *wire);  /* nor does SSH answer on another port that the VM lets in */
void wire_greeted(struct wire *wire); /* the server's line is known */
void wire_offered(struct wire *wire); /* the server's KEXINIT is known */
void wire_next(struct wire *wire); /* the present connection has given what it could: what next? */
void wire_stalled(struct wire *wire); /* silence within the key exchange */
void wire_hang_up(struct wire *wire); /* closes the connection; what was learnt stays */
void wire_end(struct wire *wire, const char *cause,
	      const char *reason); /* settles what is still open as unknown, and calls done */

/* Sends what stands in `out`; true when all of it went, or the peer is gone. */
bool wire_flush(struct wire *wire);

/* Reads what is there into `in`. Returns bytes read, 0 at the end (closed or reset is set),
 * -EAGAIN, or -ENOBUFS beyond WIRE_CLEAR_MAX. */
ssize_t wire_read(struct wire *wire);

/* ---- the stretches ---- */

void wire_dns(struct wire *wire);
void
wire_connect(struct wire *wire); /* wire_tcp.c: the next address, or the one that worked, again */

/* wire_path.c: interface, route, tunnels, proxies of the environment */
void wire_path_facts(json_t *tcp, const struct sockaddr *peer, const struct sockaddr *local);

/* Segments whose retransmission this machine itself refused to send (TCPRetransFail of
 * /proc/net/netstat); -1 when not known. A local firewall that drops leaves no other trace. */
long long wire_send_failures(void);

/* wire_jump.c: a connection through ssh -W; that the VM was heard through it; the end of the
 * conversation before that ssh's */
void wire_jump_connect(struct wire *wire);
void wire_jump_through(struct wire *wire);
void wire_jump_leave(struct wire *wire);
bool
wire_has_input(struct wire *wire); /* wire_banner.c: something has come, perhaps not yet read */

void wire_ports_ask(struct wire *wire); /* wire_ports.c: after the SSH port gave no connection; then
					   wire_unconnected */
void wire_reference_ask(struct wire *wire); /* wire_reference.c: after the VM gave no answer, or
					       broke off; then all ends */
void wire_greet(struct wire *wire);         /* wire_banner.c */
void wire_kexinit(struct wire *wire);       /* wire_kex.c: waits for the server's lists */

/* The next cleartext packet of this connection; a DISCONNECT's text is kept. Returns 1, 0 (more to
 * come) or -EBADMSG. */
int wire_packet(struct wire *wire, struct bytes *payload);

/* Ends the run at a connection that broke within the key exchange: KEX says `fault` ("garbage",
 * "bad-signature"), or with NULL how the peer ended it ("disconnect", "closed", "reset"). When a
 * former connection has done the exchange, goes on with what is left. */
void wire_kex_broken(struct wire *wire, const char *fault);
void wire_kex_settle(struct wire *wire, const char *result, const char *by);
void wire_session_start(struct wire *wire,
			struct bytes host_key); /* wire_session.c: libssh2; host_key empty: any */
void wire_session_free(struct wire_session *session);
bool wire_session_able(const struct wire *wire, struct bytes host_key);
void wire_exchange_start(struct wire *wire, struct bytes host_key); /* wire_exchange.c */
void wire_ssh_start(struct wire *wire); /* wire_ssh.c: the installed ssh */
void wire_ssh_free(struct wire_ssh *ssh);

/* ---- wire_memory.c: libssh2's allocations, so that none outlives its session; *abstract points at
 * a struct wire_memory ---- */

struct chunk;
struct wire_memory {
	struct chunk *chunks;
};

void *wire_memory_take(size_t size, void **abstract);
void *wire_memory_resize(void *bytes, size_t size, void **abstract);
void wire_memory_drop(void *bytes, void **abstract);
void wire_memory_clear(struct wire_memory *memory);

/* ---- wire_client.c: what the installed ssh would offer ---- */

int wire_client_lists(struct wire *wire); /* fills client_* and offer; 0 or -ENOMEM */

/* The algorithm to ask for a host key with: as ssh would choose, else anything that can be read
 * here. A certificate is asked for only where known_hosts trusts an authority, or the server has
 * nothing else: ssh takes it for the key within, otherwise. */
struct bytes wire_host_key_wanted(const struct wire *wire);

/* The algorithm to ask for a second host key with: where known_hosts lacks the key shown, but holds
 * one of another type that the server has. Empty: none. */
struct bytes wire_host_key_another(const struct wire *wire);

/* wire_host_key.c: adds a key (a certificate: the key within, and what it says) to HOST_KEY, which
 * begins to be known with the first. */
void wire_host_key_add(struct wire *wire, struct bytes blob);

/* ---- wire_keys.c ---- */

void wire_keys_pick(
    struct wire *wire); /* the likeliest identities of IDENTITIES that have a public half */
void wire_keys_free(struct wire *wire);
bool wire_key_ready(const struct wire_key *key); /* ssh could sign with it at once */
void wire_auth_settle(struct wire *wire, const char *by);

#endif
