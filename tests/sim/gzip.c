/* Content-Encoding: gzip with stored blocks: as valid as any, without a compressor. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK ((size_t)65535)

static uint32_t
crc32_of(const char *text, size_t length)
{
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < length; i++) {
		crc ^= (unsigned char)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc;
}

static char *
put_little(char *to, uint32_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		*to++ = (char)(value >> 8 * i & 255);
	return to;
}

void
reply_gzip(struct reply *reply)
{
	static const char head[10] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	size_t blocks = reply->length / BLOCK + 1, left = reply->length;
	char *packed =
		 reply->text != NULL ? malloc(sizeof head + blocks * 5 + reply->length + 8) : NULL,
	     *to = packed;
	const char *from = reply->text;

	if (packed == NULL)
		return;
	memcpy(to, head, sizeof head);
	to += sizeof head;
	for (size_t i = 0; i < blocks; i++) {
		size_t piece = left < BLOCK ? left : BLOCK;

		*to++ = i + 1 == blocks ? 1 : 0;
		to = put_little(to, (uint32_t)piece, 2);
		to = put_little(to, (uint32_t)~piece, 2);
		memcpy(to, from, piece);
		to += piece;
		from += piece;
		left -= piece;
	}
	to = put_little(to, crc32_of(reply->text, reply->length), 4);
	to = put_little(to, (uint32_t)reply->length, 4);
	free(reply->text);
	reply->text = packed;
	reply->length = (size_t)(to - packed);
	reply_header(reply, "Content-Encoding", "gzip");
}
