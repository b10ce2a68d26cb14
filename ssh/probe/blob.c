#include "ssh/probe/exchange.h"

#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

static uint8_t *
blob_room(struct blob *blob, size_t len)
{
	size_t size = blob->size != 0 ? blob->size : 256;
	uint8_t *grown;

	if (blob->failed || len > (size_t)1 << 20) {
		blob->failed = true;
		return NULL;
	}
	while (size - blob->len < len)
		size *= 2;
	if (size != blob->size) {
		if ((grown = realloc(blob->at, size)) == NULL) {
			blob->failed = true;
			return NULL;
		}
		blob->at = grown;
		blob->size = size;
	}
	blob->len += len;
	return blob->at + blob->len - len;
}

void
blob_bytes(struct blob *blob, const void *bytes, size_t len)
{
	uint8_t *room = blob_room(blob, len);

	if (room != NULL && len > 0)
		memcpy(room, bytes, len);
}

void
blob_u8(struct blob *blob, uint8_t value)
{
	blob_bytes(blob, &value, 1);
}

void
blob_u32(struct blob *blob, uint32_t value)
{
	uint8_t bytes[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
			     (uint8_t)value };

	blob_bytes(blob, bytes, sizeof(bytes));
}

void
blob_string(struct blob *blob, struct span span)
{
	blob_u32(blob, (uint32_t)span.len);
	blob_bytes(blob, span.at, span.len);
}

void
blob_mpint(struct blob *blob, const uint8_t *number, size_t len)
{
	while (len > 0 && *number == 0) {
		number++;
		len--;
	}
	if (len > 0 && (*number & 0x80) != 0) {
		blob_u32(blob, (uint32_t)len + 1);
		blob_u8(blob, 0);
		blob_bytes(blob, number, len);
	} else {
		blob_string(blob, (struct span){ number, len });
	}
}

void
blob_free(struct blob *blob)
{
	free(blob->at);
	*blob = (struct blob){ 0 };
}

struct span
blob_span(const struct blob *blob)
{
	return (struct span){ blob->at, blob->len };
}

void
blob_packet(struct blob *blob, struct span payload)
{
	enum { BLOCK = 8, PADDING_MIN = 4 };
	size_t padding = BLOCK - (5 + payload.len) % BLOCK;
	uint8_t noise[2 * BLOCK] = { 0 };

	if (padding < PADDING_MIN)
		padding += BLOCK;
	if (RAND_bytes(noise, (int)padding) != 1)
		memset(noise, 0, sizeof(noise));
	blob_u32(blob, (uint32_t)(payload.len + padding + 1));
	blob_u8(blob, (uint8_t)padding);
	blob_bytes(blob, payload.at, payload.len);
	blob_bytes(blob, noise, padding);
}
