/* Private to ssh/: what a key file is, read from its bytes alone. Never asks for a passphrase; what
 * was copied of private material is wiped. key_parse.c    the decision: which kind of file
 * key_info.c     the answer, and the facts made of it key_text.c     undoing encodings and line
 * ends             key_pem.c      BEGIN/END blocks and what surrounds them key_body.c     the
 * base64 between them                     key_openssh.c  openssh-key-v1 key_der.c      PKCS#1,
 * SEC1, PKCS#8, X.509, PKCS#12        key_evp.c      OpenSSL keys to SSH public keys key_ppk.c
 * PuTTY                                       key_sshcom.c   ssh.com key_jwk.c      JSON Web Key
 * key_public.c   public lines, certificates, RFC 4716 key_other.c    what is no key at all
 * key_loads.c    would OpenSSH load it as it stands key_wrap.c     percent signs, line numbers
 * key_mark.c     BEGIN and END A parser returns 0 when the bytes are of its kind (however damaged),
 * -ENOENT when they are not. */
#ifndef SSH_KEY_H
#define SSH_KEY_H

#include "facts/sections.h"
#include "model/pubkey.h"

#include <openssl/evp.h>

/* What is wrong with a file (enum key_defect, the gravest first), as a set: the first one found is
 * "defect", all of them are "defects". */
#define KEY_BIT(name) (UINT64_C(1) << DEFECT_##name)

/* What a file is. Zeroed at the start; freed with key_info_free. */
struct key_info {
	enum key_kind kind;
	char format[24];          /* "openssh-key-v1", "pkcs1-pem", ... "unknown" */
	enum yes_no encrypted;    /* UNTOLD: cannot be known */
	char cipher[64], kdf[64]; /* "" when not known */
	unsigned about_bits;      /* of an encrypted RSA key: what its length tells; 0 for none */
	struct pubkey pub;
	uint64_t defects; /* KEY_BIT()s */
	int loads; /* 1, 0, or -1 when it depends on the version of ssh, or on what is encrypted */
};

/* Reads a file's bytes; every file is something. */
void key_parse(const unsigned char *bytes, size_t len, struct key_info *ret);
void key_info_free(struct key_info *info);

/* Writes the KEY facts that come from the bytes: kind, format, type, bits, ... */
void key_info_facts(const struct key_info *info, json_t *key);

/* Would Azure take such a key when it makes a VM (RSA of at least
 * 2048 bits, Ed25519). */
enum azure_takes key_azure(const char *type, unsigned bits);

void key_flag(struct key_info *info, uint64_t defects);
void key_kind(struct key_info *info, enum key_kind kind, const char *format);
void key_plain(struct key_info *info); /* not encrypted: "no", "none", "none" */
void key_comment(struct key_info *info, const void *bytes, size_t len);

/* Setting the public half from its numbers (big endian, as DER, JWK and SSH hold them). 0, -EBADMSG
 * for nonsense. */
int key_set_rsa(struct key_info *info, const struct bytes *n, const struct bytes *e);
int key_set_dss(struct key_info *info, const struct bytes numbers[4]); /* p q g y */
/* p q g, and the private number; the public half stays unknown when they are larger than any
 * standard has them. */
int key_set_dss_private(struct key_info *info, const struct bytes numbers[3],
			const struct bytes *x);
int key_set_ec(struct key_info *info, int nid, const struct bytes *point);
int key_set_ec_curve(struct key_info *info, int nid); /* type and bits alone */
int key_set_ec_scalar(struct key_info *info, int nid, const struct bytes *scalar);
int key_set_raw(struct key_info *info, const char *type, unsigned bits,
		const struct bytes *point); /* Ed25519 and its like */
int key_set_evp(struct key_info *info, EVP_PKEY *pkey);

bool key_product_is(const struct bytes *p, const struct bytes *q, const struct bytes *n);
bool key_ed25519_pair(const struct bytes *seed, const struct bytes *point);

/* Encodings and lines. */
void key_text(const unsigned char *bytes, size_t len, struct buffer *ret,
	      uint64_t *defects); /* UTF-8 with plain line ends */
void key_unescape(const struct buffer *text, struct buffer *ret);
/* The lines may all begin with the same words ("> " in a mail): how many bytes of the line of `at`
 * stand before it, without blanks behind, when the next line begins with them too; *start becomes
 * where that line begins. 0 for none. */
size_t key_prefix(const struct buffer *text, size_t at, size_t *start);
uint64_t key_prefix_defect(const unsigned char *prefix, size_t len);
void key_unprefix(const struct buffer *text, const char *prefix, size_t len, struct buffer *ret);
/* Undoes what an address or an editor does to every line; -ENOENT when nothing did. Sets the
 * defects that it is. */
int key_unwrap(const struct buffer *text, struct buffer *ret, uint64_t *defects);
void key_strip_invisible(const struct buffer *text, struct buffer *ret, uint64_t *defects);
int key_base64(const struct buffer *text, size_t from, size_t to,
	       struct buffer *ret); /* also base64url, also unpadded; -EBADMSG */
size_t key_find(const struct buffer *text, size_t from,
		const char *word); /* SIZE_MAX when it is not there */
void key_lead(const struct buffer *text, size_t at,
	      struct key_info *info); /* flags for what stands before */
void key_trail(const struct buffer *text, size_t at, struct key_info *info); /* ... and behind */

/* A "-----BEGIN X-----" or its END. */
struct key_mark {
	size_t at, end;         /* with the dashes */
	char label[64];         /* in capitals, single blanks */
	unsigned before, after; /* dashes */
	bool odd, lower;        /* other dashes than '-'; other than capital letters */
};

bool key_mark_find(const struct buffer *text, size_t from, const char *word, struct key_mark *ret);

/* What stands between two marks. */
struct key_body {
	struct buffer bytes;
	bool encrypted; /* by PEM headers; then its cipher */
	char cipher[64];
	bool complete; /* as long as it says it is */
	bool cut;      /* shorter */
	uint64_t defects;
};

void key_body_read(const struct buffer *text, size_t from, size_t to, bool joined, bool ended,
		   struct key_body *ret);
bool key_length(const unsigned char *bytes, size_t len,
		size_t *ret); /* the length the container states; false when it does not */

int key_pem(const struct buffer *text, struct key_info *info);
/* true for the first line of a private key file: kind and format, and nothing else is looked at. */
bool key_armour(const unsigned char *bytes, size_t len, struct key_info *ret);
int key_content(const struct key_body *body, const char *label, struct key_info *info);
int key_openssh(const unsigned char *bytes, size_t len, struct key_info *info);
int key_der(const unsigned char *bytes, size_t len, bool pem, struct key_info *info);
/* true for keys that OpenSSL reads in bounded time. It takes a power in the group that a DSA or DH
 * key names, and multiplies a point as often as the cofactor of a curve says. */
bool key_der_bounded(const unsigned char *bytes, size_t len, bool private);
int key_sshcom(const unsigned char *bytes, size_t len, struct key_info *info);
int key_ssh1(const unsigned char *bytes, size_t len, struct key_info *info);
int key_ppk(const struct buffer *text, struct key_info *info);
int key_jwk(const struct buffer *text, struct key_info *info);
int key_public(const struct buffer *text, struct key_info *info);
int key_rfc4716(const struct buffer *text, size_t at, struct key_info *info);
bool key_archive(const unsigned char *bytes,
		 size_t len); /* zip, tar, gzip, ...: what lies in it is not looked at */
void key_other(const unsigned char *bytes, size_t len, const struct buffer *text,
	       struct key_info *info);
int key_loads(const unsigned char *bytes, size_t len, const struct key_info *info);

#endif
