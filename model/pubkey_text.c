#include "model/pubkey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/' || c == '=';
}

/* Ends of the word at p; a quoted part of authorized_keys options may hold blanks. */
static const char *
word_end(const char *p, const char *end)
{
	bool quoted = false;

	for (; p < end && (quoted || !is_blank(*p)); p++) {
		if (*p == '\\' && quoted && p + 1 < end)
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

static void
comment_set(struct pubkey *key, const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	while (end > at && (is_blank(end[-1]) || end[-1] == '\r' || end[-1] == '\n'))
		end--;
	if (at < end)
		buffer_add(&key->comment, at, (size_t)(end - at));
}

static int
from_base64(const char *at, size_t len, struct pubkey *ret)
{
	struct buffer blob = { 0 };
	int r =
	    base64_decode((struct bytes){ (const unsigned char *)at, len }, BASE64_LOOSE, &blob);

	if (r < 0)
		return r;
	r = pubkey_from_blob(buffer_bytes(&blob), ret);
	buffer_free(&blob);
	return r;
}

/* The stated type must be the one inside ("ssh-rsa-cert-v01@openssh.com" states a certificate). */
static bool
type_agrees(const char *word, size_t len, const struct pubkey *key)
{
	size_t plain = strlen(key->type);
	const char *at = memchr(key->type, '@', plain);

	if (!key->cert)
		return len == plain && memcmp(word, key->type, len) == 0;
	if (at != NULL)
		plain = (size_t)(at - key->type);
	return len > plain && memcmp(word, key->type, plain) == 0 &&
	       memcmp(word + plain, "-cert-", len - plain < 6 ? len - plain : 6) == 0;
}

int
pubkey_from_line(const char *line, size_t len, struct pubkey *ret, const char **rest)
{
	const char *end = line + len, *type = line, *type_end, *body, *body_end;
	int r;

	*ret = (struct pubkey){ 0 };
	while (type < end && is_blank(*type))
		type++;
	type_end = word_end(type, end);
	if (!pubkey_type_word(type, (size_t)(type_end - type))) {
		for (type = type_end; type < end && is_blank(*type);)
			type++;
		type_end = word_end(type, end);
		if (!pubkey_type_word(type, (size_t)(type_end - type)))
			return -ENOENT;
	}
	for (body = type_end; body < end && is_blank(*body);)
		body++;
	for (body_end = body; body_end < end && is_base64(*body_end);)
		body_end++;
	if (rest != NULL)
		*rest = body_end;
	if (body_end - body < 8)
		return -ENOENT;
	if ((r = from_base64(body, (size_t)(body_end - body), ret)) == 0 &&
	    !type_agrees(type, (size_t)(type_end - type), ret))
		r = -EBADMSG;
	comment_set(ret, body_end, end);
	return r;
}

/* Takes the backslashes off that PuTTY puts before quotes and backslashes, in place; returns the
 * new end. */
static char *
unquote(char *start, char *stop)
{
	char *to = start;

	for (const char *from = start; from < stop; from++) {
		if (*from == '\\' && from + 1 < stop && (from[1] == '\\' || from[1] == '"'))
			from++;
		*to++ = *from;
	}
	return to;
}

/* The first "Comment:" header of an RFC 4716 file: continued lines joined, quotes taken off. */
static void
rfc4716_header(const char *at, const char *end, struct pubkey *ret)
{
	static const char name[] = "Comment:";
	struct buffer text = { 0 };
	char *start, *stop;

	if (ret->comment.len > 0 || (size_t)(end - at) < sizeof(name) - 1 ||
	    strncasecmp(at, name, sizeof(name) - 1) != 0)
		return;
	at += sizeof(name) - 1;
	buffer_reserve(&text, (size_t)(end - at));
	for (; at < end; at++) {
		if (*at == '\\' && at + 1 < end && (at[1] == '\n' || at[1] == '\r'))
			at += at[1] == '\r' && at + 2 < end && at[2] == '\n' ? 2 : 1;
		else
			buffer_u8(&text, (unsigned char)*at);
	}
	start = (char *)text.at;
	stop = start + text.len;
	while (start < stop && is_blank(*start))
		start++;
	while (stop > start && (is_blank(stop[-1]) || stop[-1] == '\r' || stop[-1] == '\n'))
		stop--;
	if (stop - start >= 2 && *start == '"' && stop[-1] == '"') {
		start++;
		stop = unquote(start, stop - 1);
	}
	comment_set(ret, start, stop);
	buffer_free(&text);
}

/* The end of a header line with its continuations. */
static const char *
header_end(const char *at, const char *end)
{
	for (const char *p = at; p < end; p++)
		if (*p == '\n' && !(p > at && p[-1] == '\\') &&
		    !(p > at + 1 && p[-1] == '\r' && p[-2] == '\\'))
			return p;
	return end;
}

static int
rfc4716(const char *at, const char *end, struct pubkey *ret)
{
	struct pubkey header = { 0 };
	const char *line, *stop;
	int r;

	if ((at = memchr(at, '\n', (size_t)(end - at))) == NULL)
		return -EBADMSG;
	for (line = ++at; line < end; line = stop + 1) {
		const char *colon;

		stop = memchr(line, '\n', (size_t)(end - line));
		stop = stop != NULL ? stop : end;
		colon = memchr(line, ':', (size_t)(stop - line));
		if (colon == NULL)
			break;
		stop = header_end(line, end);
		rfc4716_header(line, stop, &header);
	}
	for (stop = line; stop < end && *stop != '-';)
		stop++;
	r = line >= end ? -EBADMSG : from_base64(line, (size_t)(stop - line), ret);
	ret->comment = header.comment;
	return r;
}

/* A key whose base64 was broken over lines: joined, and read once more. */
static int
joined_line(const char *at, const char *end, struct pubkey *ret)
{
	struct buffer text = { 0 };
	int r;

	buffer_reserve(&text, (size_t)(end - at));
	for (; at < end; at++)
		if (*at != '\r' && *at != '\n')
			buffer_u8(&text, (unsigned char)*at);
	r = pubkey_from_line((const char *)text.at, text.len, ret, NULL);
	buffer_free(&text);
	return r;
}

int
pubkey_from_text(const char *text, size_t len, struct pubkey *ret)
{
	const char *end = text + len, *line, *stop;
	int r = -ENOENT;

	*ret = (struct pubkey){ 0 };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	for (line = text; line < end; line = stop + 1) {
		stop = memchr(line, '\n', (size_t)(end - line));
		stop = stop != NULL ? stop : end;
		while (line < stop && (is_blank(*line) || *line == '\r'))
			line++;
		if (line == stop || *line == '#')
			continue;
		if (stop - line > 10 && memcmp(line, "---- BEGIN", 10) == 0)
			return rfc4716(line, end, ret);
		if ((r = pubkey_from_line(line, (size_t)(stop - line), ret, NULL)) == -ENOENT)
			continue;
		if (r == -EBADMSG && stop < end) {
			pubkey_free(ret);
			r = joined_line(line, end, ret);
		}
		return r;
	}
	return r;
}
