/* SSH public keys as the wire and text files hold them: base64, type, bits and fingerprints. Pure:
 * bytes in, values out. */
#ifndef MODEL_PUBKEY_H
#define MODEL_PUBKEY_H

#include "facts/bytes.h"

/* Decodes standard base64; blanks and line ends are skipped, padding ends it. *ret is owned by the
 * caller (free) and has room for one more byte. Returns 0, -EBADMSG for any other byte or a lone
 * last character, -ENOMEM. */
int base64_decode(const char *text, size_t len, unsigned char **ret, size_t *ret_len);

/* Without line ends; the caller frees; NULL when out of memory. */
char *base64_encode(const unsigned char *bytes, size_t len, bool padded);

#define PUBKEY_TYPE_MAX 96

/* One public key. Of a certificate: the plain key inside it. */
struct pubkey {
	char type[PUBKEY_TYPE_MAX]; /* "ssh-ed25519"; "" when not known */
	unsigned bits;              /* 0 when not known */
	unsigned char *blob;        /* owned; NULL when incomplete */
	size_t blob_len;
	char *comment; /* owned, comment_len bytes (any, also NUL) and a NUL; NULL for none */
	size_t comment_len;
	bool cert;
	uint64_t valid_after,
	    valid_before; /* of a certificate: seconds since 1970; UINT64_MAX is for ever */
	char cert_type[PUBKEY_TYPE_MAX]; /* "ssh-ed25519-cert-v01@openssh.com" */
	unsigned char *cert_blob;        /* owned: the whole certificate; NULL for a plain key */
	size_t cert_blob_len;
	unsigned char *principals; /* owned: the packed list of strings of a certificate */
	size_t principals_len;
};

/* Reads a public blob to its end. Returns 0; -EBADMSG when it is cut, has bytes to spare or makes
 * no sense (type and bits are then set as far as they could be read, blob is NULL); -ENOMEM. An
 * unknown type is taken as it is, without bits. */
int pubkey_from_blob(const unsigned char *bytes, size_t len, struct pubkey *ret);

/* Reads a public key as text: "type base64 comment" (perhaps behind authorized_keys options,
 * comment lines, a byte order mark, with CR/LF, its base64 perhaps broken over lines) or RFC 4716.
 * 0, -ENOENT when there is none, -EBADMSG when it is damaged, -ENOMEM. */
int pubkey_from_text(const char *text, size_t len, struct pubkey *ret);

/* Reads one line of the form "[options] type base64 comment". Same errors; *rest (may be NULL)
 * becomes where the base64 ended. */
int pubkey_from_line(const char *line, size_t len, struct pubkey *ret, const char **rest);

/* Frees the contents; NULL is fine. */
void pubkey_free(struct pubkey *key);

/* "SHA256:..." and "MD5:aa:bb..." of a blob, as ssh-keygen -l prints them; the caller frees. NULL
 * for no blob, or when the digest is not to be had (MD5 under FIPS). */
char *pubkey_fingerprint(const unsigned char *blob, size_t len);
char *pubkey_fingerprint_md5(const unsigned char *blob, size_t len);

/* true for a word that can begin a public key line ("ssh-rsa", "ecdsa-sha2-nistp256", "sk-...",
 * their certificates). */
bool pubkey_type_word(const char *word, size_t len);

#endif
