#include "ssh/probe/packet.h"

#include <openssl/rand.h>

#include <errno.h>
#include <string.h>

bool
names_next(struct bytes *list, struct bytes *ret)
{
	while (list->len > 0) {
		const uint8_t *comma = memchr(list->at, ',', list->len);
		size_t len = comma == NULL ? list->len : (size_t)(comma - list->at),
		       step = len + (comma != NULL);

		*ret = (struct bytes){ list->at, len };
		list->at += step;
		list->len -= step;
		if (len > 0)
			return true;
	}
	return false;
}

bool
names_have(struct bytes list, struct bytes name)
{
	struct bytes each;

	while (names_next(&list, &each))
		if (bytes_same(each, name))
			return true;
	return false;
}

struct bytes
names_common(struct bytes ours, struct bytes theirs)
{
	struct bytes name;

	while (names_next(&ours, &name))
		if (names_have(theirs, name))
			return name;
	return (struct bytes){ NULL, 0 };
}

int
packet_next(struct bytes *from, struct bytes *payload)
{
	struct bytes rest = *from;
	uint32_t len;
	uint8_t padding;

	if (bytes_u32(&rest, &len) < 0)
		return 0;
	if (len < 6 || len > PACKET_MAX)
		return -EBADMSG;
	if (rest.len < len)
		return 0;
	padding = *rest.at;
	if (padding < 4 || (uint32_t)padding + 1 >= len)
		return -EBADMSG;
	*payload = (struct bytes){ rest.at + 1, len - padding - 1 };
	*from = (struct bytes){ rest.at + len, rest.len - len };
	return 1;
}

void
packet_write(struct buffer *to, struct bytes payload)
{
	enum { BLOCK = 8, PADDING_MIN = 4 };
	size_t padding = BLOCK - (5 + payload.len) % BLOCK;
	uint8_t noise[2 * BLOCK] = { 0 };

	if (padding < PADDING_MIN)
		padding += BLOCK;
	if (RAND_bytes(noise, (int)padding) != 1)
		memset(noise, 0, sizeof(noise));
	buffer_u32(to, (uint32_t)(payload.len + padding + 1));
	buffer_u8(to, (uint8_t)padding);
	buffer_add(to, payload.at, payload.len);
	buffer_add(to, noise, padding);
}

int
packet_disconnect(struct bytes payload, uint32_t *code, struct bytes *text)
{
	uint8_t type;

	if (bytes_u8(&payload, &type) < 0 || type != SSH_MSG_DISCONNECT)
		return -EBADMSG;
	if (bytes_u32(&payload, code) < 0 || bytes_string(&payload, text) < 0)
		return -EBADMSG;
	return 0;
}

int
kexinit_read(struct bytes payload, struct kexinit *ret)
{
	struct kexinit read = { .guessed = false };
	uint32_t reserved;
	uint8_t type, follows;
	enum { COOKIE = 16 };

	if (bytes_u8(&payload, &type) < 0 || type != SSH_MSG_KEXINIT || payload.len < COOKIE)
		return -EBADMSG;
	payload.at += COOKIE;
	payload.len -= COOKIE;
	for (int i = 0; i < KEXINIT_LISTS; i++)
		if (bytes_string(&payload, &read.list[i]) < 0)
			return -EBADMSG;
	if (bytes_u8(&payload, &follows) < 0 || bytes_u32(&payload, &reserved) < 0 ||
	    payload.len != 0)
		return -EBADMSG;
	read.guessed = follows != 0;
	*ret = read;
	return 0;
}

/* true for a cipher that authenticates by itself, so that no MAC is negotiated. */
static bool
cipher_is_aead(struct bytes cipher)
{
	static const char *const aead[] = { "chacha20-poly1305@openssh.com",
					    "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
					    "AEAD_AES_128_GCM", "AEAD_AES_256_GCM" };

	for (size_t i = 0; i < sizeof(aead) / sizeof(*aead); i++)
		if (bytes_is(cipher, aead[i]))
			return true;
	return false;
}

struct agreement
kexinit_agree(const struct offer *client, const struct kexinit *server)
{
	struct agreement agreed = {
		.kex = names_common(client->kex, server->list[KEXINIT_KEX]),
		.host_key = names_common(client->host_key, server->list[KEXINIT_HOST_KEY]),
		.cipher = names_common(client->cipher, server->list[KEXINIT_CIPHER_SC])
	};
	struct bytes upstream = names_common(client->cipher, server->list[KEXINIT_CIPHER_CS]);
	bool no_mac = false;

	if (!cipher_is_aead(agreed.cipher))
		agreed.mac = names_common(client->mac, server->list[KEXINIT_MAC_SC]);
	no_mac |= !cipher_is_aead(agreed.cipher) && agreed.mac.len == 0;
	no_mac |= !cipher_is_aead(upstream) &&
		  names_common(client->mac, server->list[KEXINIT_MAC_CS]).len == 0;
	if (agreed.kex.len == 0)
		agreed.missing = "kex";
	else if (agreed.host_key.len == 0)
		agreed.missing = "host_key";
	else if (agreed.cipher.len == 0 || upstream.len == 0)
		agreed.missing = "cipher";
	else if (no_mac)
		agreed.missing = "mac";
	return agreed;
}
