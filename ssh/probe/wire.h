/* One conversation with the server, from the name to "would this key be accepted": its state, and
 * the helpers that read, write and wait on its connection. The layers of this folder:
 *
 *   wire.c                  state and socket helpers; knows no stretch
 *   stretch.h, engine.h     one stretch of the way a file; it ends by reporting an event
 *   driver.c                alone decides which stretch comes next
 *   probe.c                 the public entry, one conversation or two (VM, jump host) */
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
	struct buffer blob;
	bool certain; /* a refusal means that the key is refused, not only the way it was asked */
	const char *answer; /* "accepted", "denied", "unknown"; NULL: not asked */
};

/* How a stretch ended. The driver decides what follows; it may free the wire, so reporting is the
 * last thing a stretch does with it. */
enum wire_event {
	WIRE_RESOLVED,    /* DNS has settled */
	WIRE_CONNECTED,   /* a connection stands, or none could be made (fd is -1) */
	WIRE_UNCONNECTED, /* nor does SSH answer on another port that the VM lets in */
	WIRE_GREETED,     /* the server's line is known */
	WIRE_OFFERED,     /* the server's KEXINIT is known */
	WIRE_ANSWERED,    /* the present connection has given what it could */
	WIRE_STALLED,     /* silence within the key exchange */
	WIRE_FAILED,      /* nothing more can be learnt: cause and reason say why */
	WIRE_EVENTS
};

struct wire_engine;
struct wire_jump;

struct wire {
	struct loop *loop;
	struct facts *facts;
	ssh_done *done;
	void *ctx;
	ssh_done *connected; /* as in the request */
	void *connected_ctx;
	char *host, *user, *self, *config_file, *reference;
	char *proxy_command; /* ssh carries the bytes through it; NULL: none */
	int port, step_ms;
	void (*on_event)(struct wire *wire, enum wire_event event); /* the driver's */
	const char *cause, *reason; /* of WIRE_FAILED; valid while it is reported */
	bool by_jump;               /* ssh carries the bytes through a jump host */
	struct wire_jump *jump;     /* while that ssh runs */

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
	int ports[1 + WIRE_PORTS];
	struct wire_address sibling; /* the VM's address of the other family, tried as the first of
					the ports; text "" for none */
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
	char spoken[64]; /* the key exchange method of the engine; "" when it does not tell */
	const struct wire_engine *engine; /* of the present connection; NULL: none yet */
	void *engine_state;               /* owned by it */

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

/* Reports how the present stretch ended. */
void wire_report(struct wire *wire, enum wire_event event);

/* Reports WIRE_FAILED: what is still open becomes unknown with that cause. */
void wire_end(struct wire *wire, const char *cause, const char *reason);

/* Waits on the connection (or only for time, events 0) until `until`, then calls step. */
void wire_wait(struct wire *wire, short events, void (*step)(struct wire *wire, int revents));
void wire_unwait(struct wire *wire);        /* waits for nothing */
void wire_until(struct wire *wire, int ms); /* starts a step of that length */
int64_t wire_ms(const struct wire *wire);   /* since the present step began */

/* Sends what stands in `out`; true when all of it went, or the peer is gone. */
bool wire_flush(struct wire *wire);
void wire_send_line(struct wire *wire); /* our own identification line, once a connection */

/* Reads what is there into `in`. Returns bytes read, 0 at the end (closed or reset is set),
 * -EAGAIN, or -ENOBUFS beyond WIRE_CLEAR_MAX. */
ssize_t wire_read(struct wire *wire);

/* How a connect ended that `revents` tells of (0: its time is over): 0 or an errno. */
int wire_connect_error(const struct wire *wire, int revents);
bool wire_has_input(struct wire *wire); /* something has come, perhaps not yet read */

/* Gives the connection to an engine; wire_hang_up frees its state. */
void wire_engine_start(struct wire *wire, const struct wire_engine *engine, struct bytes host_key);

void wire_hang_up(struct wire *wire); /* closes the connection; what was learnt stays */

#endif
