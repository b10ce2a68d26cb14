/* Reading and writing bytes as SSH has them (RFC 4251, section 5). What is read is hostile: every
 * length is checked, and a short buffer is an error, never an over-read. */
#ifndef FACTS_BYTES_H
#define FACTS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes still to be read; borrowed. */
struct bytes {
	const unsigned char *at;
	size_t len;
};

/* Each reads one value off the front: 0, or -EBADMSG when not that much is left (then nothing is
 * taken). */
int bytes_u8(struct bytes *from, unsigned char *ret);
int bytes_u32(struct bytes *from, uint32_t *ret);
int bytes_u64(struct bytes *from, uint64_t *ret);
int bytes_take(struct bytes *from, size_t len, struct bytes *ret);
int bytes_string(struct bytes *from, struct bytes *ret); /* u32 length, then that many bytes */

/* Borrowed; NULL gives no bytes. */
struct bytes bytes_of(const char *text);

bool bytes_is(struct bytes bytes, const char *text);
bool bytes_same(struct bytes a, struct bytes b);

/* Bits of a big-endian number, leading zeros not counted. */
unsigned bytes_bits(struct bytes number);

/* Bytes that are written one after the other; {0} is an empty one. They may be private: memory is
 * wiped before it is freed. */
struct buffer {
	unsigned char *at; /* owned: len bytes and a NUL; NULL before the first write */
	size_t len, size;
};

/* Makes room for len more bytes; `at` is not NULL then. */
void buffer_reserve(struct buffer *buffer, size_t len);
void buffer_add(struct buffer *buffer, const void *bytes, size_t len);
void buffer_u8(struct buffer *buffer, uint8_t value);
void buffer_u32(struct buffer *buffer, uint32_t value);
void buffer_string(struct buffer *buffer, struct bytes string); /* u32 length, then the bytes */
void buffer_mpint(struct buffer *buffer, struct bytes number);  /* unsigned, big-endian */
void buffer_free(struct buffer *buffer);
struct bytes buffer_bytes(const struct buffer *buffer);

/* Base64 (RFC 4648). Without a flag: whole groups, with their padding, and nothing else. */
enum {
	BASE64_LOOSE = 1, /* padding may be missing and is not written; blanks and line ends are
			     skipped */
	BASE64_URL = 2    /* - and _ may stand for + and /, and are written */
};

/* Decodes to the end of ret. 0, or -EBADMSG; then ret is empty. */
int base64_decode(struct bytes text, unsigned flags, struct buffer *ret);

/* The caller frees. */
char *base64_encode(struct bytes bytes, unsigned flags);

#endif
