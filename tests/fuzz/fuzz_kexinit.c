/* Any bytes as the packets of a server before encryption: KEXINIT, DISCONNECT, and what is neither.
 */
#include "ssh/probe/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct offer client = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };

static void
agree(const struct kexinit *lists)
{
	struct offer full = client;
	struct agreement agreed;

	full.kex = bytes_of("curve25519-sha256,ecdh-sha2-nistp256");
	full.host_key = bytes_of("ssh-ed25519,rsa-sha2-512");
	full.cipher = bytes_of("aes128-ctr,chacha20-poly1305@openssh.com");
	full.mac = bytes_of("hmac-sha2-256");
	agreed = kexinit_agree(&full, lists);
	if (agreed.missing == NULL && (!names_have(lists->list[KEXINIT_KEX], agreed.kex) ||
				       !names_have(lists->list[KEXINIT_HOST_KEY], agreed.host_key)))
		abort();
	/* a server that is asked for what it offers agrees with itself */
	full = (struct offer){ lists->list[KEXINIT_KEX], lists->list[KEXINIT_HOST_KEY],
			       lists->list[KEXINIT_CIPHER_SC], lists->list[KEXINIT_MAC_SC] };
	kexinit_agree(&full, lists);
	if (kexinit_agree(&client, lists).missing == NULL)
		abort();
}

static void
read_payload(struct bytes payload)
{
	struct kexinit lists;
	struct bytes text;
	uint32_t code;

	if (kexinit_read(payload, &lists) == 0)
		agree(&lists);
	if (packet_disconnect(payload, &code, &text) == 0 &&
	    (text.at < payload.at || text.at + text.len > payload.at + payload.len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size }, payload;

	read_payload(bytes);
	while (packet_next(&bytes, &payload) == 1) {
		if (payload.len == 0 || payload.at < data || payload.at + payload.len > data + size)
			abort();
		read_payload(payload);
	}
	return 0;
}
