/* The own key exchange, for servers that libssh2 shares no algorithms with: everything up to
 * NEWKEYS is cleartext, so one exchange of public values yields any host key with its signature
 * verified, whatever ciphers and MACs the server has. No I/O here. */
#ifndef SSH_EXCHANGE_H
#define SSH_EXCHANGE_H

#include "ssh/probe/packet.h"

#include <stdio.h>

/* Key exchange methods and host key algorithms that the functions below can do, as lists of names.
 */
struct bytes exchange_methods(void);
struct bytes exchange_host_keys(void);

struct exchange;

/* Begins an exchange by that method, which must be one of exchange_methods. NULL when it is not or
 * memory ran out. */
struct exchange *exchange_new(struct bytes method);
void exchange_free(struct exchange *exchange);

/* Our KEXINIT for this server: the method and host key algorithm named, the server's own ciphers,
 * MACs and compression, and `padding` bytes of language name, which make it fill whole segments
 * (servers ignore it). */
void exchange_kexinit(struct buffer *ret, struct bytes method, struct bytes host_key,
		      const struct kexinit *server, size_t padding);

/* Our public value as a payload (message 30). */
void exchange_init(const struct exchange *exchange, struct buffer *ret);

/* What both sides have said so far, for the exchange hash. */
struct transcript {
	struct bytes client_line, server_line;       /* without line ends */
	struct bytes client_kexinit, server_kexinit; /* payloads */
};

/* Reads the server's reply (message 31), computes the shared secret and verifies the signature by
 * the host key. Returns 0 and the host key's blob (borrowed from reply), -EBADMSG when the reply is
 * malformed, -EKEYREJECTED when the signature is wrong or of another algorithm. */
int exchange_finish(const struct exchange *exchange, const struct transcript *said,
		    struct bytes algorithm, struct bytes reply, struct bytes *host_key);

/* ---- host keys (host_key.c) ---- */

/* Verifies a signature blob of that algorithm over data; `key` is a plain key. Returns 0,
 * -EKEYREJECTED, -EBADMSG (malformed) or -ENOTSUP (no such algorithm). */
int plain_key_verify(struct bytes key, struct bytes algorithm, struct bytes signature,
		     struct bytes data);

/* The key type ("ssh-rsa") that a host key algorithm ("rsa-sha2-512") uses; the algorithm itself
 * for all others. */
struct bytes host_key_type(struct bytes algorithm);

/* ---- host certificates (certificate.c), as OpenSSH's PROTOCOL.certkeys has them ---- */

/* The plain algorithm of a certificate's ("rsa-sha2-512" of "rsa-sha2-512-cert-v01@openssh.com");
 * any other one is its own. */
struct bytes host_key_plain(struct bytes algorithm);

enum { CERTIFICATE_HOST = 2 };

struct certificate {
	struct buffer plain; /* owned: the key within, as a plain blob */
	uint64_t serial;
	uint32_t kind; /* CERTIFICATE_HOST, or 1: a user's */
	struct bytes id,
	    principals; /* principals: strings one after the other; none is for all names */
	uint64_t valid_after, valid_before; /* seconds since 1970, the second exclusive */
	struct bytes critical;  /* options that whoever does not know them must refuse */
	struct bytes authority; /* the signer's public blob */
	struct bytes covered, signature;
};

/* Reads a certificate to its end; bytes are borrowed from the blob. Returns 0 (then
 * buffer_free(&ret->plain) is the caller's), -EBADMSG, -ENOTSUP (a key type unknown here) or
 * -ENOMEM.
 */
int certificate_read(struct bytes blob, struct certificate *ret);

/* Does the authority's signature hold? As plain_key_verify. */
int certificate_verify(const struct certificate *cert);

/* As plain_key_verify; with a certificate's algorithm, `key` is a certificate. */
int host_key_verify(struct bytes key, struct bytes algorithm, struct bytes signature,
		    struct bytes data);

enum { FINGERPRINT_SIZE = 64 };

/* "SHA256:..." and "MD5:aa:bb..." of a public blob, as ssh-keygen -l shows them; "" when the digest
 * is not to be had. */
void host_key_fingerprints(struct bytes key, char sha256[FINGERPRINT_SIZE],
			   char md5[FINGERPRINT_SIZE]);

#endif
