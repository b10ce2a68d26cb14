/* The own key exchange, for servers that libssh2 shares no algorithms with: everything up to
 * NEWKEYS is cleartext, so one exchange of public values yields any host key with its signature
 * verified, whatever ciphers and MACs the server has. No I/O here. */
#ifndef SSH_EXCHANGE_H
#define SSH_EXCHANGE_H

#include "model/pubkey.h"
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

/* ---- host keys and their certificates (host_key.c) ---- */

/* Verifies a signature blob of that algorithm over data; with a certificate's algorithm, `key` is a
 * certificate. Returns 0, -EKEYREJECTED, -EBADMSG (malformed) or -ENOTSUP (no such algorithm). */
int host_key_verify(struct bytes key, struct bytes algorithm, struct bytes signature,
		    struct bytes data);

/* Does the authority's signature hold? As host_key_verify. */
int certificate_verify(const struct certificate *cert);

/* The key type ("ssh-rsa") that a host key algorithm ("rsa-sha2-512") uses; the algorithm itself
 * for all others. */
struct bytes host_key_type(struct bytes algorithm);

/* The plain algorithm of a certificate's ("rsa-sha2-512" of "rsa-sha2-512-cert-v01@openssh.com");
 * any other one is its own. */
struct bytes host_key_plain(struct bytes algorithm);

#endif
