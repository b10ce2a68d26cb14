#include "ssh/key.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LAYERS_MAX 3

static int layer(const unsigned char *bytes, size_t len, unsigned depth, struct key_info *info);

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
body_only(const struct key_buf *text, size_t from, size_t to, uint64_t defect, struct key_info *info)
{
	struct key_body body;
	struct pubkey pub;
	int r;

	if ((r = key_body_read(text, from, to, memchr(text->at + from, '\n', to - from) == NULL && to - from > 4096, to < text->len, &body)) < 0)
		return r;
	r = -ENOENT;
	if ((body.defects & KEY_BIT(DAMAGED)) == 0 && body.bytes.len > 24 && !body.encrypted) {
		key_flag(info, defect | (body.defects & ~(KEY_BIT(ONE_LINE) | KEY_BIT(NEWLINES_LOST))));
		if ((r = key_openssh(body.bytes.at, body.bytes.len, info)) == -ENOENT && (r = key_sshcom(body.bytes.at, body.bytes.len, info)) == -ENOENT)
			r = key_der(body.bytes.at, body.bytes.len, true, info);
		if (r == -ENOENT && pubkey_from_blob(body.bytes.at, body.bytes.len, &pub) == 0) {
			info->pub = pub;
			info->defects = defect;
			key_kind(info, pub.cert ? "cert" : "public", pub.cert ? "ssh-cert" : "ssh-public");
			key_plain(info);
			r = 0;
		} else if (r == -ENOENT) {
			pubkey_free(&pub);
		}
	}
	key_buf_free(&body.bytes);
	return r;
}

static bool
all_base64(const struct key_buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < text->len; i++) {
		if (!isalnum(text->at[i]) && strchr("+/=-_", text->at[i]) == NULL && !isspace(text->at[i]))
			return false;
		count += text->at[i] != '\0' && !isspace(text->at[i]);
		if (text->at[i] == '\0')
			return false;
	}
	return count >= 40;
}

/* A file that is nothing but base64: of a whole key file, or the body of one. */
static int
base64_file(const struct key_buf *text, unsigned depth, struct key_info *info)
{
	struct key_buf inner = { 0 };
	struct key_info found = { 0 };
	int r;

	if (!all_base64(text) || depth >= LAYERS_MAX)
		return -ENOENT;
	if ((r = key_base64_any((const char *)text->at, text->len, &inner)) == -ENOMEM)
		return r;
	if (r == 0 && (r = layer(inner.at, inner.len, depth + 1, &found)) == 0 && strcmp(found.kind, "other") != 0 &&
	    memmem(inner.at, inner.len, "openssh-key-v1", 14) == NULL && strstr(found.format, "-der") == NULL && strcmp(found.format, "sshcom") != 0) {
		found.defects |= info->defects | KEY_BIT(BASE64_OF_FILE);
		*info = found;
		key_buf_free(&inner);
		return 0;
	}
	key_info_free(&found);
	key_buf_free(&inner);
	return r == -ENOMEM ? r : body_only(text, 0, text->len, KEY_BIT(BODY_ONLY), info);
}

/* "-----BEGIN " in base64, behind other things: the value of a variable, of JSON, of a Kubernetes secret. */
static int
base64_inside(const struct key_buf *text, unsigned depth, struct key_info *info)
{
	size_t at = key_find(text, 0, "LS0tLS1CRUdJTi"), end;
	struct key_info found = { 0 };
	struct key_buf inner = { 0 };
	int r;

	if (at == SIZE_MAX || depth >= LAYERS_MAX)
		return -ENOENT;
	for (end = at; end < text->len && (isalnum(text->at[end]) || isspace(text->at[end]) || (text->at[end] != '\0' &&
	    strchr("+/=-_", text->at[end]) != NULL)); end++)
		;
	r = key_base64_any((const char *)text->at + at, end - at, &inner);
	if (r == 0 && (r = layer(inner.at, inner.len, depth + 1, &found)) == 0 && strcmp(found.kind, "other") != 0) {
		found.defects |= info->defects | KEY_BIT(BASE64_OF_FILE);
		*info = found;
		key_lead(text, at, info);
	} else {
		key_info_free(&found);
		r = r == -ENOMEM ? r : -ENOENT;
	}
	key_buf_free(&inner);
	return r;
}

/* An END line without its BEGIN. */
static int
no_header(const struct key_buf *text, struct key_info *info)
{
	struct key_body body;
	struct key_mark end;
	int r;

	if (!key_mark_find(text, 0, "END", &end))
		return -ENOENT;
	if ((r = key_body_read(text, 0, end.at, memchr(text->at, '\n', end.at) == NULL, true, &body)) < 0)
		return r;
	r = -ENOENT;
	if (body.bytes.len > 24 && (body.defects & KEY_BIT(DAMAGED)) == 0) {
		key_flag(info, KEY_BIT(NO_HEADER) | body.defects);
		r = key_content(&body, end.label, info);
	}
	key_buf_free(&body.bytes);
	return r;
}

static int
text_file(const struct key_buf *text, unsigned depth, struct key_info *info)
{
	int r;

	if ((r = key_jwk(text, info)) != -ENOENT || (r = key_ppk(text, info)) != -ENOENT || (r = key_pem(text, info)) != -ENOENT ||
	    (r = key_public(text, info)) != -ENOENT || (r = base64_file(text, depth, info)) != -ENOENT ||
	    (r = base64_inside(text, depth, info)) != -ENOENT)
		return r;
	return no_header(text, info);
}

static int
layer(const unsigned char *bytes, size_t len, unsigned depth, struct key_info *info)
{
	struct key_buf text = { 0 };
	int r;

	if ((r = binary(bytes, len, info)) != -ENOENT)
		return r;
	key_info_free(info);
	if ((r = key_text(bytes, len, &text, &info->defects)) < 0)
		return r;
	if ((r = text_file(&text, depth, info)) == -ENOENT) {
		key_info_free(info);
		key_other(bytes, len, &text, info);
		r = 0;
	}
	key_buf_free(&text);
	return r;
}

int
key_parse(const unsigned char *bytes, size_t len, struct key_info *ret)
{
	int r;

	*ret = (struct key_info){ 0 };
	if ((r = layer(bytes, len, 0, ret)) < 0) {
		key_info_free(ret);
		return r;
	}
	ret->loads = key_loads(bytes, len, ret);
	return 0;
}
