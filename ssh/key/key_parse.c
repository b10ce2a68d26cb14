#include "ssh/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LAYERS_MAX 3

static bool layer(const unsigned char *bytes, size_t len, unsigned depth, struct key_info *info);
static int text_file(const struct buffer *text, unsigned depth, struct key_info *info);

/* Files that are no text: DER, and what is inside the base64 of other formats. */
static int
binary(const unsigned char *bytes, size_t len, struct key_info *info)
{
	size_t want;
	int r;

	if ((r = key_ssh1(bytes, len, info)) != -ENOENT)
		return r;
	if (!key_length(bytes, len, &want))
		return -ENOENT;
	if (bytes[0] != 0x30) {
		key_flag(info, want > len ? KEY_BIT(TRUNCATED) : KEY_BIT(DAMAGED));
		r = key_openssh(bytes, len, info);
		return r == -ENOENT ? key_sshcom(bytes, len, info) : r;
	}
	return bytes[1] >= 0x80 || want == len ? key_der(bytes, len, false, info) : -ENOENT;
}

/* Key bytes whose BEGIN and END lines are gone. */
static int
body_only(const struct buffer *text, size_t from, size_t to, uint64_t defect, struct key_info *info)
{
	struct key_body body;
	struct pubkey pub;
	int r = -ENOENT;

	key_body_read(text, from, to,
		      memchr(text->at + from, '\n', to - from) == NULL && to - from > 4096,
		      to < text->len, &body);
	if ((body.defects & KEY_BIT(DAMAGED)) == 0 && body.bytes.len > 24 && !body.encrypted) {
		key_flag(info,
			 defect | (body.defects & ~(KEY_BIT(ONE_LINE) | KEY_BIT(NEWLINES_LOST))));
		if ((r = key_openssh(body.bytes.at, body.bytes.len, info)) == -ENOENT &&
		    (r = key_sshcom(body.bytes.at, body.bytes.len, info)) == -ENOENT)
			r = key_der(body.bytes.at, body.bytes.len, true, info);
		if (r == -ENOENT && pubkey_from_blob(buffer_bytes(&body.bytes), &pub) == 0) {
			info->pub = pub;
			info->defects = defect;
			key_kind(info, pub.cert ? KEY_CERT : KEY_PUBLIC,
				 pub.cert ? "ssh-cert" : "ssh-public");
			key_plain(info);
			r = 0;
		} else if (r == -ENOENT) {
			pubkey_free(&pub);
		}
	}
	buffer_free(&body.bytes);
	return r;
}

static bool
all_base64(const struct buffer *text)
{
	size_t count = 0;

	for (size_t i = 0; i < text->len; i++) {
		if (!isalnum(text->at[i]) && strchr("+/=-_", text->at[i]) == NULL &&
		    !isspace(text->at[i]))
			return false;
		count += text->at[i] != '\0' && !isspace(text->at[i]);
		if (text->at[i] == '\0')
			return false;
	}
	return count >= 40;
}

/* A file that is nothing but base64: of a whole key file, or the body of one. */
static int
base64_file(const struct buffer *text, unsigned depth, struct key_info *info)
{
	struct buffer inner = { 0 };
	struct key_info found = { 0 };

	if (!all_base64(text) || depth >= LAYERS_MAX)
		return -ENOENT;
	if (key_base64(text, 0, text->len, &inner) == 0 &&
	    layer(inner.at, inner.len, depth + 1, &found) && found.kind != KEY_OTHER &&
	    memmem(inner.at, inner.len, "openssh-key-v1", 14) == NULL &&
	    strstr(found.format, "-der") == NULL && strcmp(found.format, "sshcom") != 0) {
		found.defects |= info->defects | KEY_BIT(BASE64_OF_FILE);
		*info = found;
		buffer_free(&inner);
		return 0;
	}
	key_info_free(&found);
	buffer_free(&inner);
	return body_only(text, 0, text->len, KEY_BIT(BODY_ONLY), info);
}

static bool
in_run(unsigned char c, bool spaced)
{
	return isalnum(c) || (c != '\0' && strchr("+/=-_", c) != NULL) || (spaced && isspace(c));
}

/* The next run of base64 that may hold a key file, behind *end: sets where it starts and ends. Line
 * breaks may stand in it where it begins as
 * "-----BEGIN" or PuTTY's header do. */
static bool
run_next(const struct buffer *text, size_t *at, size_t *end)
{
	enum { RUN_MIN = 160 };

	for (size_t i = *end; i < text->len; i = *end + 1) {
		bool marked;

		while (i < text->len && !isalnum(text->at[i]))
			i++;
		marked = text->len - i > 14 && (memcmp(text->at + i, "LS0tLS1CRUdJTi", 14) == 0 ||
						memcmp(text->at + i, "UHVUVFktVXNlci", 14) == 0);
		for (*at = *end = i; *end < text->len && in_run(text->at[*end], marked);)
			++*end;
		if (*end - *at >= RUN_MIN)
			return true;
	}
	return false;
}

/* A key file in base64 behind other things: the value of a variable, of JSON, of a Kubernetes
 * secret. */
static int
base64_inside(const struct buffer *text, unsigned depth, struct key_info *info)
{
	size_t at = 0, end = 0;
	int r = -ENOENT;

	for (unsigned tries = 0;
	     tries < 4 && depth < LAYERS_MAX && r == -ENOENT && run_next(text, &at, &end);
	     tries++) {
		struct key_info found = { 0 };
		struct buffer inner = { 0 };

		if (key_base64(text, at, end, &inner) == 0 &&
		    layer(inner.at, inner.len, depth + 1, &found) && found.kind == KEY_PRIVATE) {
			found.defects |= info->defects | KEY_BIT(BASE64_OF_FILE);
			*info = found;
			key_lead(text, at, info);
			r = 0;
		} else {
			key_info_free(&found);
		}
		buffer_free(&inner);
	}
	return r;
}

/* What is left of a BEGIN line whose start is gone: "GIN RSA PRIVATE KEY-----" and its line end. */
static size_t
partial_begin(const struct buffer *text, size_t end)
{
	size_t line = key_find(text, 0, "\n"), dashes = key_find(text, 0, "KEY-----");

	return line < end && dashes < line ? line + 1 : 0;
}

/* An END line without its BEGIN. */
static int
no_header(const struct buffer *text, struct key_info *info)
{
	struct key_body body;
	struct key_mark end;
	size_t start;
	int r = -ENOENT;

	if (!key_mark_find(text, 0, "END", &end))
		return -ENOENT;
	start = partial_begin(text, end.at);
	key_body_read(text, start, end.at, memchr(text->at + start, '\n', end.at - start) == NULL,
		      true, &body);
	if (body.bytes.len > 24 && (body.defects & KEY_BIT(DAMAGED)) == 0) {
		key_flag(info, KEY_BIT(NO_HEADER) | body.defects);
		r = key_content(&body, end.label, info);
	}
	buffer_free(&body.bytes);
	return r;
}

/* Both lines of an encrypted PEM file are gone, its headers are not: encrypted, and of which kind
 * only the lost label told. */
static int
headers_only(const struct buffer *text, struct key_info *info)
{
	struct key_body body;
	size_t at = 0;
	int r = -ENOENT;

	while (at < text->len && isspace(text->at[at]))
		at++;
	if (key_find(text, at, "Proc-Type:") != at)
		return -ENOENT;
	key_body_read(text, at, text->len, false, false, &body);
	if (body.encrypted && body.bytes.len > 0) {
		key_flag(info, KEY_BIT(BODY_ONLY) | body.defects);
		r = key_content(&body, "", info);
	}
	buffer_free(&body.bytes);
	return r;
}

/* Something was done to every line of it. */
static int
wrapped(const struct buffer *text, unsigned depth, struct key_info *info)
{
	struct buffer plain = { 0 };
	uint64_t defects;
	int r = depth < LAYERS_MAX ? key_unwrap(text, &plain, &defects) : -ENOENT;

	if (r < 0)
		return r;
	r = text_file(&plain, depth + 1, info);
	key_flag(info, defects);
	buffer_free(&plain);
	return r;
}

/* The first reader that knows the text; what the others flagged before they gave up is no defect.
 */
static int
first_of(int (*const readers[])(const struct buffer *text, struct key_info *info),
	 const struct buffer *text, struct key_info *info)
{
	const uint64_t before = info->defects;
	int r = -ENOENT;

	for (size_t i = 0; readers[i] != NULL && r == -ENOENT; i++)
		if ((r = readers[i](text, info)) == -ENOENT)
			info->defects = before;
	return r;
}

static int
text_file(const struct buffer *text, unsigned depth, struct key_info *info)
{
	static int (*const whole[])(const struct buffer *text,
				    struct key_info *info) = { key_jwk, key_ppk, key_pem,
							       key_public, NULL };
	static int (*const rests[])(const struct buffer *text,
				    struct key_info *info) = { no_header, headers_only, NULL };
	const uint64_t before = info->defects;
	int r;

	if ((r = wrapped(text, depth, info)) != -ENOENT ||
	    (r = first_of(whole, text, info)) != -ENOENT)
		return r;
	if ((r = base64_file(text, depth, info)) != -ENOENT ||
	    (r = base64_inside(text, depth, info)) != -ENOENT)
		return r;
	info->defects = before;
	return first_of(rests, text, info);
}

/* What the bytes are, as far as it is known. Returns true, so that it can be one condition of many.
 */
static bool
layer(const unsigned char *bytes, size_t len, unsigned depth, struct key_info *info)
{
	struct buffer text = { 0 };

	if (binary(bytes, len, info) == 0)
		return true;
	key_info_free(info);
	key_text(bytes, len, &text, &info->defects);
	if (key_archive(bytes, len) || text_file(&text, depth, info) < 0) {
		key_info_free(info);
		key_other(bytes, len, &text, info);
	}
	buffer_free(&text);
	return true;
}

void
key_parse(const unsigned char *bytes, size_t len, struct key_info *ret)
{
	*ret = (struct key_info){ 0 };
	layer(bytes, len, 0, ret);
	ret->loads = key_loads(bytes, len, ret);
}
