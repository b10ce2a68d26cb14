#include "ssh/key.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define HEADER "PuTTY-User-Key-File-"

/* Where a header's value stands; the next header ends it where the line ends are lost. */
static bool
header(const struct key_buf *text, size_t from, const char *name, const char *next, bool joined, struct bytes *ret)
{
	size_t at = from, end;

	for (;; at++) {
		if ((at = key_find(text, at, name)) == SIZE_MAX)
			return false;
		if (joined || at == from || isspace(text->at[at - 1]))
			break;
	}
	at += strlen(name);
	end = key_find(text, at, joined ? next : "\n");
	end = end == SIZE_MAX ? text->len : end;
	while (at < end && (text->at[at] == ' ' || text->at[at] == '\t'))
		at++;
	while (joined && end > at && isspace(text->at[end - 1]))
		end--;
	*ret = (struct bytes){ text->at + at, end - at };
	return true;
}

static void
trim(struct bytes *value)
{
	while (value->left > 0 && isspace(value->at[value->left - 1]))
		value->left--;
}

static void
word(const struct bytes *value, char *ret, size_t size)
{
	size_t used = 0;

	while (used < value->left && used + 1 < size && value->at[used] > ' ' && value->at[used] < 127) {
		ret[used] = (char)value->at[used];
		used++;
	}
	ret[used] = '\0';
}

/* The public blob stands in clear behind "Public-Lines: N". */
static int
public_read(const struct key_buf *text, const struct bytes *lines, struct key_info *info)
{
	size_t at = (size_t)(lines->at - text->at), end = key_find(text, at, "Private-Lines:");
	struct key_buf blob = { 0 };
	struct pubkey pub;
	unsigned count = 0;
	char *comment = info->pub.comment;
	size_t comment_len = info->pub.comment_len;
	int r;

	while (at < text->len && isdigit(text->at[at]))
		count = count * 10 + (unsigned)(text->at[at++] - '0') % 10;
	if (end == SIZE_MAX && key_find(text, at, "Key-Derivation:") == SIZE_MAX)
		end = text->len;
	else if (key_find(text, at, "Key-Derivation:") < end)
		end = key_find(text, at, "Key-Derivation:");
	r = key_base64_any((const char *)text->at + at, end - at, &blob);
	if (r < 0)
		return r;
	r = pubkey_from_blob(blob.at, blob.len, &pub);
	if (r == 0 && strcmp(pub.type, info->pub.type) != 0) {
		pubkey_free(&pub);
		r = -EBADMSG;
	}
	if (r == -EBADMSG && *pub.type == '\0')
		memcpy(pub.type, info->pub.type, sizeof(pub.type));
	info->pub = pub;
	info->pub.comment = comment;
	info->pub.comment_len = comment_len;
	key_buf_free(&blob);
	return r;
}

static bool
mac_whole(const struct key_buf *text, size_t from, int version, bool joined, size_t *end)
{
	struct bytes mac;
	size_t digits = 0;

	if (!header(text, from, "Private-MAC:", "\n", joined, &mac) && !header(text, from, "Private-Hash:", "\n", joined, &mac))
		return false;
	while (digits < mac.left && isxdigit(mac.at[digits]))
		digits++;
	*end = (size_t)(mac.at - text->at) + digits;
	return digits >= (version >= 3 ? 64 : 40);
}

static void
kdf_set(const struct key_buf *text, size_t from, int version, bool joined, struct key_info *info)
{
	struct bytes value;

	if (strcmp(info->cipher, "none") == 0) {
		key_plain(info);
		return;
	}
	info->encrypted = "yes";
	if (version < 3)
		memcpy(info->kdf, "sha1", 5);
	else if (header(text, from, "Key-Derivation:", "Argon2-Memory:", joined, &value))
		word(&value, info->kdf, sizeof(info->kdf));
}

static int
ppk_read(const struct key_buf *text, size_t at, struct key_info *info)
{
	struct bytes value;
	int version = text->at[at + strlen(HEADER)] - '0', r = 0;
	char name[] = HEADER "0:", format[] = "ppk0";
	bool joined = memchr(text->at + at, '\n', text->len - at < 80 ? text->len - at : 80) == NULL;
	size_t end;

	name[sizeof(name) - 3] = format[3] = (char)('0' + version);
	key_kind(info, "private", format);
	key_lead(text, at, info);
	if (joined)
		key_flag(info, memchr(text->at + at, ' ', text->len - at) != NULL && key_find(text, at, " Encryption:") != SIZE_MAX ?
		    KEY_BIT(NEWLINE_TO_SPACE) : KEY_BIT(NEWLINES_LOST));
	if (header(text, at, name, "Encryption:", joined, &value))
		word(&value, info->pub.type, sizeof(info->pub.type));
	if (header(text, at, "Encryption:", "Comment:", joined, &value)) {
		word(&value, info->cipher, sizeof(info->cipher));
		kdf_set(text, at, version, joined, info);
	}
	if (header(text, at, "Comment:", "Public-Lines:", joined, &value)) {
		if (info->defects & KEY_BIT(TRAILING_SPACES))
			trim(&value);
		r = key_comment(info, value.at, value.left);
	}
	if (r == 0 && header(text, at, "Public-Lines:", "Private-Lines:", joined, &value))
		r = public_read(text, &value, info);
	if (r == -ENOMEM)
		return r;
	if (!mac_whole(text, at, version, joined, &end))
		key_flag(info, KEY_BIT(TRUNCATED));
	else if (r < 0)
		key_flag(info, KEY_BIT(DAMAGED));
	else
		key_trail(text, end, info);
	return 0;
}

/* "Encryption: none  \n": blanks behind the first header's value mean blanks behind every line. */
static void
trailing_blanks(const struct key_buf *text, size_t at, struct key_info *info)
{
	size_t end = key_find(text, at, "\n");

	if (end != SIZE_MAX && end > at && (text->at[end - 1] == ' ' || text->at[end - 1] == '\t'))
		key_flag(info, KEY_BIT(TRAILING_SPACES));
}

int
key_ppk(const struct key_buf *text, struct key_info *info)
{
	size_t at = key_find(text, 0, HEADER);
	struct key_buf plain = { 0 };
	size_t start, len;
	int r;

	if (at == SIZE_MAX || at + strlen(HEADER) + 1 >= text->len || !isdigit(text->at[at + strlen(HEADER)]))
		return -ENOENT;
	if ((len = key_prefix(text, at, &start)) > 0) {
		key_flag(info, text->at[start] == '>' ? KEY_BIT(QUOTED_MAIL) : KEY_BIT(DAMAGED));
		if ((r = key_unprefix(text, (const char *)text->at + start, len, &plain)) == 0 && (at = key_find(&plain, 0, HEADER)) != SIZE_MAX)
			r = ppk_read(&plain, at, info);
		key_buf_free(&plain);
		return r;
	}
	if (key_find(text, at, "\\nEncryption:") == SIZE_MAX && key_find(text, at, "\\r\\nEncryption:") == SIZE_MAX) {
		trailing_blanks(text, at, info);
		return ppk_read(text, at, info);
	}
	key_flag(info, KEY_BIT(NEWLINE_ESCAPED));
	if ((r = key_unescape(text, &plain)) == 0 && (at = key_find(&plain, 0, HEADER)) != SIZE_MAX && at + strlen(HEADER) + 1 < plain.len)
		r = ppk_read(&plain, at, info);
	key_buf_free(&plain);
	return r;
}
