/* SSH public keys and certificates as the wire and text files hold them: type, bits and
 * fingerprints. Pure: bytes in, values out. */
#ifndef MODEL_PUBKEY_H
#define MODEL_PUBKEY_H

#include "facts/bytes.h"

#include <jansson.h>

/* A type of public key. */
struct pubkey_type {
	const char *name;
	const char *nick; /* as ssh-keygen -l prints it; NULL: OpenSSH does not know the type */
	unsigned strings; /* how many follow the name in a public blob */
	int sized_by;     /* index of the number whose length counts, -1: bits */
	unsigned bits;
};

/* The type of that name, or of that nick (in any case) with so many bits (0: any). NULL for none.
 */
const struct pubkey_type *pubkey_type_find(struct bytes word, unsigned bits);

/* The short name that ssh shows for a type ("ED25519"); the type itself when it has none. */
const char *pubkey_nick(const char *type);

#define PUBKEY_TYPE_MAX 96

/* One public key. Of a certificate: the plain key inside it. */
struct pubkey {
	char type[PUBKEY_TYPE_MAX]; /* "ssh-ed25519"; "" when not known */
	unsigned bits;              /* 0 when not known */
	struct buffer blob;         /* empty when incomplete */
	struct buffer comment;      /* any bytes, also NUL */
	bool cert;
	uint64_t valid_after,
	    valid_before; /* of a certificate: seconds since 1970; UINT64_MAX is for ever */
	char cert_type[PUBKEY_TYPE_MAX]; /* "ssh-ed25519-cert-v01@openssh.com" */
	struct buffer cert_blob;         /* the whole certificate; empty for a plain key */
	struct buffer principals;        /* the packed list of strings of a certificate */
};

/* Reads a public blob to its end. Returns 0; -EBADMSG when it is cut, has bytes to spare or makes
 * no sense (type and bits are then set as far as they could be read, blob is empty). An unknown
 * type is taken as it is, without bits. */
int pubkey_from_blob(struct bytes blob, struct pubkey *ret);

enum { CERTIFICATE_HOST = 2 };

/* A certificate (OpenSSH's PROTOCOL.certkeys); bytes are borrowed from its blob. */
struct certificate {
	struct pubkey key; /* owned: the key within */
	uint64_t serial;
	uint32_t kind; /* CERTIFICATE_HOST, or 1: a user's */
	struct bytes id,
	    principals; /* principals: strings one after the other; none is for all names */
	uint64_t valid_after, valid_before; /* seconds since 1970, the second exclusive */
	struct bytes critical;  /* options that whoever does not know them must refuse */
	struct bytes authority; /* the signer's public blob */
	struct bytes covered, signature;
};

/* Reads a certificate to its end. Returns 0 (then pubkey_free(&ret->key) is the caller's) or
 * -EBADMSG. */
int certificate_read(struct bytes blob, struct certificate *ret);

/* Reads a public key as text: "type base64 comment" (perhaps behind authorized_keys options,
 * comment lines, a byte order mark, with CR/LF, its base64 perhaps broken over lines) or RFC 4716.
 * 0, -ENOENT when there is none, -EBADMSG when it is damaged. */
int pubkey_from_text(const char *text, size_t len, struct pubkey *ret);

/* Reads one line of the form "[options] type base64 comment". Same errors; *rest (may be NULL)
 * becomes where the base64 ended. */
int pubkey_from_line(const char *line, size_t len, struct pubkey *ret, const char **rest);

/* Frees the contents; NULL is fine. */
void pubkey_free(struct pubkey *key);

enum { FINGERPRINT_SIZE = 64 };

/* "SHA256:..." of a public blob, as ssh-keygen -l prints it: returns ret, NULL for no bytes. */
const char *pubkey_fingerprint(struct bytes blob, char ret[FINGERPRINT_SIZE]);

/* Sets "fingerprint" and "fingerprint_md5" ("MD5:aa:bb..."; not under FIPS) of a public blob, and
 * "public": the base64 of `whole`, which is the same or the certificate around it. Nothing is set
 * for no bytes. */
void pubkey_facts(json_t *obj, struct bytes blob, struct bytes whole);

/* true for a word that can begin a public key line ("ssh-rsa", "ecdsa-sha2-nistp256", "sk-...",
 * their certificates). */
bool pubkey_type_word(const char *word, size_t len);

#endif
