/* Pure, bounded readers of what an SSH server sends before encryption begins (RFC 4253):
 * identification lines, packets, KEXINIT. Nothing here reads a descriptor or keeps state; bytes are
 * borrowed from the bytes given. */
#ifndef SSH_PACKET_H
#define SSH_PACKET_H

#include "facts/bytes.h"

/* ---- names separated by commas ---- */

/* Takes the next name off the list; false at its end. Empty names are skipped. */
bool names_next(struct bytes *list, struct bytes *ret);
bool names_have(struct bytes list, struct bytes name);

/* The first name of ours that theirs has too, no bytes when there is none. */
struct bytes names_common(struct bytes ours, struct bytes theirs);

/* ---- identification (banner.c) ---- */

enum banner_state {
	BANNER_MORE,  /* no line that begins with "SSH-" so far */
	BANNER_SSH,   /* `line` is it */
	BANNER_OTHER, /* another protocol has answered: `guess` names it */
	BANNER_BAD    /* a line that ssh would refuse: too long, too many, or with a NUL */
};

struct banner {
	struct bytes line;               /* without its end */
	struct bytes protocol, software; /* "2.0" and "OpenSSH_9.2p1": parts of the line */
	const char *
	    guess; /* "tls", "http", "ftp", "smtp", "proxy", ...; NULL when nothing is recognised */
	unsigned before; /* complete lines before it */
	size_t used;     /* bytes up to the end of the line */
};

enum { BANNER_LINE_MAX = 8192, BANNER_LINES_MAX = 1024 }; /* as OpenSSH takes them */

enum banner_state banner_read(const uint8_t *bytes, size_t len, struct banner *ret);

/* The protocol whose server would begin (or answer an SSH banner) like this; NULL when it is none
 * of those known. */
const char *banner_guess(const uint8_t *bytes, size_t len);

/* "openssh", "dropbear", "tinysshd", ...; "other" for software nobody here knows. */
const char *banner_product(struct bytes software);

/* ---- packets ---- */

enum {
	SSH_MSG_DISCONNECT = 1,
	SSH_MSG_IGNORE = 2,
	SSH_MSG_DEBUG = 4,
	SSH_MSG_KEXINIT = 20,
	SSH_MSG_NEWKEYS = 21,
	SSH_MSG_KEX_INIT = 30,
	SSH_MSG_KEX_REPLY = 31,
	PACKET_MAX = 35000
};

/* Takes one cleartext packet off the front. Returns 1 and its payload (never empty), 0 when it has
 * not all arrived, or -EBADMSG when it is no packet (length or padding out of bounds). */
int packet_next(struct bytes *from, struct bytes *payload);

/* Writes a payload as one cleartext packet (padded to eight bytes). */
void packet_write(struct buffer *to, struct bytes payload);

/* The text of a DISCONNECT payload; -EBADMSG when it is none. */
int packet_disconnect(struct bytes payload, uint32_t *code, struct bytes *text);

enum kexinit_list {
	KEXINIT_KEX,
	KEXINIT_HOST_KEY,
	KEXINIT_CIPHER_CS,
	KEXINIT_CIPHER_SC,
	KEXINIT_MAC_CS,
	KEXINIT_MAC_SC,
	KEXINIT_COMP_CS,
	KEXINIT_COMP_SC,
	KEXINIT_LANG_CS,
	KEXINIT_LANG_SC,
	KEXINIT_LISTS
};

struct kexinit {
	struct bytes list[KEXINIT_LISTS];
	bool guessed; /* first_kex_packet_follows */
};

/* Reads a KEXINIT payload, message number included. Returns 0 or -EBADMSG (short, or bytes left
 * over). */
int kexinit_read(struct bytes payload, struct kexinit *ret);

/* What two sides agree on. */
struct agreement {
	struct bytes kex, host_key, cipher, mac; /* mac is "" with a cipher that needs none */
	const char *missing; /* the first kind with nothing in common: "kex", "host_key", "cipher",
				"mac"; NULL: they agree */
};

/* The client's lists by kind; ciphers and MACs count for both directions. */
struct offer {
	struct bytes kex, host_key, cipher, mac;
};

struct agreement kexinit_agree(const struct offer *client, const struct kexinit *server);

#endif
