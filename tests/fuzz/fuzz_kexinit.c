/* Any bytes as what a server sends before encryption: identification, packets, KEXINIT, DISCONNECT, the reply of our own key exchange. */
#include "ssh/exchange.h"
#include "ssh/packet.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A server's answer to our own key exchange. */
static void
read_reply(struct span payload)
{
	static struct exchange *exchange;
	struct transcript said = { span_of("SSH-2.0-a"), span_of("SSH-2.0-b"), span_of("c"), payload };
	struct span key;

	if (exchange == NULL)
		exchange = exchange_new(span_of("curve25519-sha256"));
	if (exchange != NULL)
		exchange_finish(exchange, &said, span_of("ssh-ed25519"), payload, &key);
}

static void
read_payload(struct span payload)
{
	struct kexinit lists;
	struct span text, key;
	uint32_t code;
	char sha256[FINGERPRINT_SIZE], md5[FINGERPRINT_SIZE];

	if (kexinit_read(payload, &lists) == 0)
		names_common(span_of("curve25519-sha256,ssh-ed25519"), lists.list[KEXINIT_KEX]);
	packet_disconnect(payload, &code, &text);
	read_reply(payload);
	host_key_fingerprints(payload, sha256, md5);
	for (struct span list = payload; names_next(&list, &key);)
		host_key_verify(payload, key, payload, key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = { data, size }, payload;
	struct banner banner;

	if (banner_read(data, size, &banner) == BANNER_SSH) {
		banner_product(banner.software);
		bytes = (struct span){ data + banner.used, size - banner.used };
	}
	banner_guess(data, size);
	read_payload(bytes);
	while (packet_next(&bytes, &payload) == 1)
		read_payload(payload);
	return 0;
}
