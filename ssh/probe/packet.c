#include "ssh/probe/packet.h"

#include <errno.h>
#include <string.h>

int
span_u8(struct span *from, uint8_t *ret)
{
	if (from->len < 1)
		return -EBADMSG;
	*ret = *from->at++;
	from->len--;
	return 0;
}

int
span_u32(struct span *from, uint32_t *ret)
{
	const uint8_t *p = from->at;

	if (from->len < 4)
		return -EBADMSG;
	*ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	from->at += 4;
	from->len -= 4;
	return 0;
}

int
span_string(struct span *from, struct span *ret)
{
	struct span rest = *from;
	uint32_t len;

	if (span_u32(&rest, &len) < 0 || len > rest.len)
		return -EBADMSG;
	*ret = (struct span){ rest.at, len };
	*from = (struct span){ rest.at + len, rest.len - len };
	return 0;
}

bool
span_is(struct span span, const char *word)
{
	size_t len = strlen(word);

	return span.len == len && (len == 0 || memcmp(span.at, word, len) == 0);
}

bool
span_same(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

struct span
span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, text == NULL ? 0 : strlen(text) };
}

bool
names_next(struct span *list, struct span *ret)
{
	while (list->len > 0) {
		const uint8_t *comma = memchr(list->at, ',', list->len);
		size_t len = comma == NULL ? list->len : (size_t)(comma - list->at),
		       step = len + (comma != NULL);

		*ret = (struct span){ list->at, len };
		list->at += step;
		list->len -= step;
		if (len > 0)
			return true;
	}
	return false;
}

bool
names_have(struct span list, struct span name)
{
	struct span each;

	while (names_next(&list, &each))
		if (each.len == name.len && memcmp(each.at, name.at, name.len) == 0)
			return true;
	return false;
}

struct span
names_common(struct span ours, struct span theirs)
{
	struct span name;

	while (names_next(&ours, &name))
		if (names_have(theirs, name))
			return name;
	return (struct span){ NULL, 0 };
}

int
packet_next(struct span *from, struct span *payload)
{
	struct span rest = *from;
	uint32_t len;
	uint8_t padding;

	if (span_u32(&rest, &len) < 0)
		return 0;
	if (len < 6 || len > PACKET_MAX)
		return -EBADMSG;
	if (rest.len < len)
		return 0;
	padding = *rest.at;
	if (padding < 4 || (uint32_t)padding + 1 >= len)
		return -EBADMSG;
	*payload = (struct span){ rest.at + 1, len - padding - 1 };
	*from = (struct span){ rest.at + len, rest.len - len };
	return 1;
}

int
packet_disconnect(struct span payload, uint32_t *code, struct span *text)
{
	uint8_t type;

	if (span_u8(&payload, &type) < 0 || type != SSH_MSG_DISCONNECT)
		return -EBADMSG;
	if (span_u32(&payload, code) < 0 || span_string(&payload, text) < 0)
		return -EBADMSG;
	return 0;
}

int
kexinit_read(struct span payload, struct kexinit *ret)
{
	struct kexinit read = { .guessed = false };
	uint32_t reserved;
	uint8_t type, follows;
	enum { COOKIE = 16 };

	if (span_u8(&payload, &type) < 0 || type != SSH_MSG_KEXINIT || payload.len < COOKIE)
		return -EBADMSG;
	payload.at += COOKIE;
	payload.len -= COOKIE;
	for (int i = 0; i < KEXINIT_LISTS; i++)
		if (span_string(&payload, &read.list[i]) < 0)
			return -EBADMSG;
	if (span_u8(&payload, &follows) < 0 || span_u32(&payload, &reserved) < 0 ||
	    payload.len != 0)
		return -EBADMSG;
	read.guessed = follows != 0;
	*ret = read;
	return 0;
}

bool
cipher_is_aead(struct span cipher)
{
	static const char *const aead[] = { "chacha20-poly1305@openssh.com",
					    "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
					    "AEAD_AES_128_GCM", "AEAD_AES_256_GCM" };

	for (size_t i = 0; i < sizeof(aead) / sizeof(*aead); i++)
		if (span_is(cipher, aead[i]))
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
	struct span upstream = names_common(client->cipher, server->list[KEXINIT_CIPHER_CS]);
	bool no_mac = false;

	if (!cipher_is_aead(agreed.cipher))
		agreed.mac = names_common(client->mac, server->list[KEXINIT_MAC_SC]);
	no_mac |= !cipher_is_aead(agreed.cipher) && agreed.mac.len == 0;
	no_mac |= !cipher_is_aead(upstream) &&
		  names_common(client->mac, server->list[KEXINIT_MAC_CS]).len == 0;
	agreed.missing = agreed.kex.len == 0                           ? "kex"
			 : agreed.host_key.len == 0                    ? "host_key"
			 : agreed.cipher.len == 0 || upstream.len == 0 ? "cipher"
			 : no_mac                                      ? "mac"
								       : NULL;
	return agreed;
}
