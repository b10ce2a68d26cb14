#include "ssh/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "PuTTY-User-Key-File-"

/* Where a header's value stands; the next header ends it where the line ends are lost. */
static bool
header(const struct buffer *text, size_t from, const char *name, const char *next, bool joined,
       struct bytes *ret)
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
	while (value->len > 0 && isspace(value->at[value->len - 1]))
		value->len--;
}

static void
word(const struct bytes *value, char *ret, size_t size)
{
	size_t used = 0;

	while (used < value->len && used + 1 < size && value->at[used] > ' ' &&
	       value->at[used] < 127 && value->at[used] != '\\' && value->at[used] != '%') {
		ret[used] = (char)value->at[used];
		used++;
	}
	ret[used] = '\0';
}

/* The public blob stands in clear behind "Public-Lines: N". */
static int
public_read(const struct buffer *text, const struct bytes *lines, struct key_info *info)
{
	size_t at = (size_t)(lines->at - text->at), end = key_find(text, at, "Private-Lines:");
	struct buffer blob = { 0 };
	struct pubkey pub;
	unsigned count = 0;
	struct buffer comment = info->pub.comment;
	int r;

	while (at < text->len && isdigit(text->at[at]))
		count = count * 10 + (unsigned)(text->at[at++] - '0') % 10;
	if (end == SIZE_MAX && key_find(text, at, "Key-Derivation:") == SIZE_MAX)
		end = text->len;
	else if (key_find(text, at, "Key-Derivation:") < end)
		end = key_find(text, at, "Key-Derivation:");
	r = key_base64(text, at, end, &blob);
	if (r < 0)
		return r;
	r = pubkey_from_blob(buffer_bytes(&blob), &pub);
	if (r == 0 && strcmp(pub.type, info->pub.type) != 0) {
		pubkey_free(&pub);
		r = -EBADMSG;
	}
	if (r == -EBADMSG && *pub.type == '\0')
		memcpy(pub.type, info->pub.type, sizeof(pub.type));
	info->pub = pub;
	info->pub.comment = comment;
	buffer_free(&blob);
	return r;
}

static bool
mac_whole(const struct buffer *text, size_t from, int version, bool joined, size_t *end)
{
	struct bytes mac;
	size_t digits = 0;

	if (!header(text, from, "Private-MAC:", "\n", joined, &mac) &&
	    !header(text, from, "Private-Hash:", "\n", joined, &mac))
		return false;
	while (digits < mac.len && isxdigit(mac.at[digits]))
		digits++;
	*end = (size_t)(mac.at - text->at) + digits;
	return digits >= (version >= 3 ? 64 : 40);
}

/* The bytes behind "NAME-Lines: N", N lines of base64. */
static int
lines_read(const struct buffer *text, size_t from, const char *name, struct buffer *ret)
{
	size_t at = key_find(text, from, name), end;
	unsigned count = 0;

	if (at == SIZE_MAX)
		return -EBADMSG;
	for (at += strlen(name); at < text->len && (isdigit(text->at[at]) || text->at[at] == ' ');
	     at++)
		if (isdigit(text->at[at]))
			count = (count * 10 + (unsigned)(text->at[at] - '0')) % 10000;
	for (end = at; count > 0 && end < text->len; end++)
		count -= end > at && text->at[end] == '\n' && text->at[end - 1] != '\n';
	return key_base64(text, at, end, ret);
}

/* What PuTTY signs: type, encryption, comment, and both halves. An unlocked file's key is known to
 * everybody. */
static bool
mac_make(int version, const struct key_info *info, const struct buffer *public,
	 const struct buffer *private, unsigned char ret[64], size_t *len)
{
	static const char seed[] = "putty-private-key-file-mac-key";
	unsigned char key[EVP_MAX_MD_SIZE] = { 0 };
	unsigned key_len = 0;
	struct buffer signed_part = { 0 };
	bool made;

	buffer_string(&signed_part, bytes_of(info->pub.type));
	buffer_string(&signed_part, bytes_of("none"));
	buffer_string(&signed_part, buffer_bytes(&info->pub.comment));
	buffer_string(&signed_part, buffer_bytes(public));
	buffer_string(&signed_part, buffer_bytes(private));
	made = (version >= 3 ||
		EVP_Digest(seed, sizeof(seed) - 1, key, &key_len, EVP_sha1(), NULL) == 1) &&
	       EVP_Q_mac(NULL, "HMAC", NULL, version >= 3 ? "SHA256" : "SHA1", NULL, key, key_len,
			 signed_part.at, signed_part.len, ret, 64, len) != NULL;
	buffer_free(&signed_part);
	return made;
}

/* false when the file's own checksum says that something in it was changed; true also where that
 * cannot be told. */
static bool
mac_agrees(const struct buffer *text, size_t from, int version, size_t mac_end,
	   const struct key_info *info)
{
	const size_t size = version >= 3 ? 32 : 20;
	struct buffer public = { 0 }, private = { 0 };
	unsigned char made[64];
	char digits[3] = "";
	size_t len = 0;
	bool agrees = true;

	if (version < 2 || info->encrypted != NO || mac_end < size * 2)
		return true;
	if (lines_read(text, from, "Public-Lines:", &public) == 0 &&
	    lines_read(text, from, "Private-Lines:", &private) == 0 &&
	    mac_make(version, info, &public, &private, made, &len) && len == size)
		for (size_t i = 0; i < size && agrees; i++) {
			memcpy(digits, text->at + mac_end - size * 2 + i * 2, 2);
			agrees = strtoul(digits, NULL, 16) == made[i];
		}
	buffer_free(&public);
	buffer_free(&private);
	return agrees;
}

static void
kdf_set(const struct buffer *text, size_t from, int version, bool joined, struct key_info *info)
{
	struct bytes value;

	if (strcmp(info->cipher, "none") == 0) {
		key_plain(info);
		return;
	}
	info->encrypted = YES;
	if (version < 3)
		memcpy(info->kdf, "sha1", 5);
	else if (header(text, from, "Key-Derivation:", "Argon2-Memory:", joined, &value))
		word(&value, info->kdf, sizeof(info->kdf));
}

static int
ppk_read(const struct buffer *text, size_t at, struct key_info *info)
{
	struct bytes value;
	int version = text->at[at + strlen(HEADER)] - '0', r = 0;
	char name[] = HEADER "0:", format[] = "ppk0";
	bool plain,
	    joined = memchr(text->at + at, '\n', text->len - at < 80 ? text->len - at : 80) == NULL;
	size_t end;

	name[sizeof(name) - 3] = format[3] = (char)('0' + version);
	key_kind(info, KEY_PRIVATE, format);
	key_lead(text, at, info);
	if (joined)
		key_flag(info, memchr(text->at + at, ' ', text->len - at) != NULL &&
				       key_find(text, at, " Encryption:") != SIZE_MAX
				   ? KEY_BIT(NEWLINE_TO_SPACE)
				   : KEY_BIT(NEWLINES_LOST));
	if (header(text, at, name, "Encryption:", joined, &value))
		word(&value, info->pub.type, sizeof(info->pub.type));
	if (header(text, at, "Encryption:", "Comment:", joined, &value)) {
		word(&value, info->cipher, sizeof(info->cipher));
		kdf_set(text, at, version, joined, info);
	}
	if (header(text, at, "Comment:", "Public-Lines:", joined, &value)) {
		if (info->defects & KEY_BIT(TRAILING_SPACES))
			trim(&value);
		key_comment(info, value.at, value.len);
	}
	if (header(text, at, "Public-Lines:", "Private-Lines:", joined, &value))
		r = public_read(text, &value, info);
	plain = (info->defects & ~KEY_BIT(CRLF)) ==
		0; /* else the comment may not be what PuTTY wrote */
	if (!mac_whole(text, at, version, joined, &end))
		key_flag(info, KEY_BIT(TRUNCATED));
	else if (r < 0 || (plain && !mac_agrees(text, at, version, end, info)))
		key_flag(info, KEY_BIT(DAMAGED));
	else
		key_trail(text, end, info);
	return 0;
}

/* "Encryption: none  \n": blanks behind the first header's value mean blanks behind every line. */
static void
trailing_blanks(const struct buffer *text, size_t at, struct key_info *info)
{
	size_t end = key_find(text, at, "\n");

	if (end != SIZE_MAX && end > at && (text->at[end - 1] == ' ' || text->at[end - 1] == '\t'))
		key_flag(info, KEY_BIT(TRAILING_SPACES));
}

int
key_ppk(const struct buffer *text, struct key_info *info)
{
	size_t at = key_find(text, 0, HEADER);
	struct buffer plain = { 0 };
	size_t start, len;
	int r = 0;

	if (at == SIZE_MAX || at + strlen(HEADER) + 1 >= text->len ||
	    !isdigit(text->at[at + strlen(HEADER)]))
		return -ENOENT;
	if ((len = key_prefix(text, at, &start)) > 0) {
		key_flag(info, key_prefix_defect(text->at + start, len));
		key_unprefix(text, (const char *)text->at + start, len, &plain);
		if ((at = key_find(&plain, 0, HEADER)) != SIZE_MAX)
			r = ppk_read(&plain, at, info);
		buffer_free(&plain);
		return r;
	}
	if (key_find(text, at, "\\nEncryption:") == SIZE_MAX &&
	    key_find(text, at, "\\r\\nEncryption:") == SIZE_MAX) {
		trailing_blanks(text, at, info);
		return ppk_read(text, at, info);
	}
	key_flag(info, KEY_BIT(NEWLINE_ESCAPED));
	key_unescape(text, &plain);
	if ((at = key_find(&plain, 0, HEADER)) != SIZE_MAX && at + strlen(HEADER) + 1 < plain.len)
		r = ppk_read(&plain, at, info);
	buffer_free(&plain);
	return r;
}
