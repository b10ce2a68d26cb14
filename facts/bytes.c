#include "facts/bytes.h"
#include "facts/memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
bytes_take(struct bytes *from, size_t len, struct bytes *ret)
{
	if (len > from->len)
		return -EBADMSG;
	*ret = (struct bytes){ from->at, len };
	if (len > 0)
		from->at += len;
	from->len -= len;
	return 0;
}

int
bytes_u8(struct bytes *from, unsigned char *ret)
{
	struct bytes part;

	if (bytes_take(from, 1, &part) < 0)
		return -EBADMSG;
	*ret = part.at[0];
	return 0;
}

int
bytes_u32(struct bytes *from, uint32_t *ret)
{
	struct bytes part;

	if (bytes_take(from, 4, &part) < 0)
		return -EBADMSG;
	*ret = (uint32_t)part.at[0] << 24 | (uint32_t)part.at[1] << 16 | (uint32_t)part.at[2] << 8 |
	       part.at[3];
	return 0;
}

int
bytes_u64(struct bytes *from, uint64_t *ret)
{
	struct bytes part;
	uint32_t high = 0, low = 0;

	if (bytes_take(from, 8, &part) < 0)
		return -EBADMSG;
	bytes_u32(&part, &high);
	bytes_u32(&part, &low);
	*ret = (uint64_t)high << 32 | low;
	return 0;
}

int
bytes_string(struct bytes *from, struct bytes *ret)
{
	struct bytes rest = *from;
	uint32_t len;

	if (bytes_u32(&rest, &len) < 0 || bytes_take(&rest, len, ret) < 0)
		return -EBADMSG;
	*from = rest;
	return 0;
}

struct bytes
bytes_of(const char *text)
{
	return (struct bytes){ (const unsigned char *)text, text == NULL ? 0 : strlen(text) };
}

bool
bytes_is(struct bytes bytes, const char *text)
{
	return bytes_same(bytes, bytes_of(text));
}

bool
bytes_same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static struct bytes
without_zeros(struct bytes number)
{
	while (number.len > 0 && *number.at == 0) {
		number.at++;
		number.len--;
	}
	return number;
}

unsigned
bytes_bits(struct bytes number)
{
	struct bytes n = without_zeros(number);
	unsigned bits;

	if (n.len == 0)
		return 0;
	bits = (unsigned)(n.len - 1) * 8;
	for (unsigned top = *n.at; top != 0; top >>= 1)
		bits++;
	return bits;
}

void
buffer_reserve(struct buffer *buffer, size_t len)
{
	const size_t most = (size_t)1 << 30;
	size_t size = buffer->size != 0 ? buffer->size : 256;
	unsigned char *grown;

	if (len > most || buffer->len > most)
		memory_lost();
	while (size - buffer->len <= len)
		size *= 2;
	if (size == buffer->size)
		return;
	/* a new block instead of realloc, which would leave a copy of what may be private */
	if ((grown = malloc(size)) == NULL)
		memory_lost();
	if (buffer->at != NULL) {
		memcpy(grown, buffer->at, buffer->len);
		OPENSSL_cleanse(buffer->at, buffer->len);
		free(buffer->at);
	}
	grown[buffer->len] = '\0';
	buffer->at = grown;
	buffer->size = size;
}

void
buffer_add(struct buffer *buffer, const void *bytes, size_t len)
{
	buffer_reserve(buffer, len);
	if (len > 0)
		memcpy(buffer->at + buffer->len, bytes, len);
	buffer->len += len;
	buffer->at[buffer->len] = '\0';
}

void
buffer_u8(struct buffer *buffer, uint8_t value)
{
	buffer_add(buffer, &value, 1);
}

void
buffer_u32(struct buffer *buffer, uint32_t value)
{
	const uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16),
				   (uint8_t)(value >> 8), (uint8_t)value };

	buffer_add(buffer, bytes, sizeof(bytes));
}

void
buffer_string(struct buffer *buffer, struct bytes string)
{
	buffer_u32(buffer, (uint32_t)string.len);
	buffer_add(buffer, string.at, string.len);
}

void
buffer_mpint(struct buffer *buffer, struct bytes number)
{
	struct bytes n = without_zeros(number);
	const bool sign = n.len > 0 && *n.at >= 0x80;

	buffer_u32(buffer, (uint32_t)n.len + sign);
	if (sign)
		buffer_u8(buffer, 0);
	buffer_add(buffer, n.at, n.len);
}

void
buffer_free(struct buffer *buffer)
{
	if (buffer->at != NULL)
		OPENSSL_cleanse(buffer->at, buffer->len);
	free(buffer->at);
	*buffer = (struct buffer){ 0 };
}

struct bytes
buffer_bytes(const struct buffer *buffer)
{
	return (struct bytes){ buffer->at, buffer->len };
}

/* -1 for a character that is not of base64. */
static int
base64_value(unsigned char c, unsigned flags)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || (c == '-' && (flags & BASE64_URL) != 0))
		return 62;
	return c == '/' || (c == '_' && (flags & BASE64_URL) != 0) ? 63 : -1;
}

int
base64_decode(struct bytes text, unsigned flags, struct buffer *ret)
{
	const bool loose = (flags & BASE64_LOOSE) != 0;
	size_t count = 0, pads = 0;
	unsigned spare = 0; /* bits of the last character that no byte holds */
	uint32_t bits = 0;

	buffer_reserve(ret, text.len / 4 * 3 + 3);
	for (size_t i = 0; i < text.len; i++) {
		const unsigned char c = text.at[i];
		int value = base64_value(c, flags);

		if (loose && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
			continue;
		if (c == '=' && ++pads > 0)
			continue;
		if (value < 0 || pads > 0)
			goto bad;
		bits = bits << 6 | (uint32_t)value;
		spare = (unsigned)(4 - ++count % 4) % 4 * 2;
		if (spare != 6)
			buffer_u8(ret, (uint8_t)(bits >> spare));
	}
	if (spare == 6 || (!loose && (pads != spare / 2 || (bits & ((1u << spare) - 1)) != 0)))
		goto bad;
	return 0;
bad:
	buffer_free(ret);
	return -EBADMSG;
}

char *
base64_encode(struct bytes bytes, unsigned flags)
{
	unsigned char *text = malloc((bytes.len + 2) / 3 * 4 + 1);
	int used;

	if (text == NULL)
		memory_lost();
	used = EVP_EncodeBlock(text, bytes.at, (int)bytes.len);
	while ((flags & BASE64_LOOSE) != 0 && used > 0 && text[used - 1] == '=')
		text[--used] = '\0';
	for (int i = 0; (flags & BASE64_URL) != 0 && i < used; i++)
		if (text[i] == '+' || text[i] == '/')
			text[i] = text[i] == '+' ? '-' : '_';
	return (char *)text;
}
