#include "ssh/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

static void
kind_set(struct key_info *info, const char *format)
{
	key_kind(info, info->pub.cert ? KEY_CERT : KEY_PUBLIC,
		 info->pub.cert ? "ssh-cert" : format);
	key_plain(info);
}

int
key_rfc4716(const struct buffer *text, size_t at, struct key_info *info)
{
	int r = pubkey_from_text((const char *)text->at + at, text->len - at, &info->pub);

	kind_set(info, "rfc4716");
	if (r < 0)
		key_flag(info, key_find(text, at, "END SSH2") == SIZE_MAX ? KEY_BIT(TRUNCATED)
									  : KEY_BIT(DAMAGED));
	else if (key_find(text, at, "END SSH2 PUBLIC KEY ----") == SIZE_MAX)
		key_flag(info, key_find(text, at, "\n-") == SIZE_MAX ? KEY_BIT(NO_FOOTER)
								     : KEY_BIT(TRUNCATED));
	return 0;
}

static bool
comment_line(const unsigned char *at, size_t len)
{
	while (len > 0 && (*at == ' ' || *at == '\t')) {
		at++;
		len--;
	}
	return len == 0 || *at == '#';
}

/* Blanks around the line, what stands above it, and a second key below. */
static void
surroundings(const struct buffer *text, size_t start, size_t end, struct key_info *info)
{
	struct pubkey other;
	size_t at = end, stop;
	int r;

	if (start > 0 || text->at[start] == ' ' || text->at[start] == '\t')
		key_lead(text, start + strspn((const char *)text->at + start, " \t"), info);
	if (end > start + 1 && isspace(text->at[end - 1]) &&
	    (info->pub.comment.len > 0 || isspace(text->at[end - 2])))
		key_flag(info, KEY_BIT(TRAILING_SPACES)); /* one blank stands where an empty comment
							     would follow */
	if (end == text->len)
		key_flag(info, KEY_BIT(NO_FINAL_NEWLINE));
	while (at < text->len) {
		stop = key_find(text, ++at, "\n");
		stop = stop == SIZE_MAX ? text->len : stop;
		if (!comment_line(text->at + at, stop - at)) {
			r = pubkey_from_line((const char *)text->at + at, stop - at, &other, NULL);
			pubkey_free(&other);
			key_flag(info, r == 0 ? KEY_BIT(TWO_KEYS) : KEY_BIT(TRAILING_GARBAGE));
			return;
		}
		at = stop;
	}
}

/* The base64 ends where the file does, or a line break stands inside it. */
static void
damage(const struct buffer *text, size_t start, size_t rest, struct key_info *info)
{
	struct pubkey joined;

	if (pubkey_from_text((const char *)text->at + start, text->len - start, &joined) == 0) {
		pubkey_free(&info->pub);
		info->pub = joined;
		key_flag(info, KEY_BIT(DAMAGED));
		return;
	}
	pubkey_free(&joined);
	while (rest < text->len && text->at[rest] == '\n')
		rest++;
	key_flag(info, rest == text->len ? KEY_BIT(TRUNCATED) : KEY_BIT(DAMAGED));
}

/* The first word of a line of known_hosts (names, a hash, a marker); a line of authorized_keys has
 * options there, or nothing. */
static bool
names_hosts(const char *at, size_t len)
{
	static const char *const options[] = { "agent-forwarding",
					       "cert-authority",
					       "command=",
					       "environment=",
					       "expiry-time=",
					       "from=",
					       "no-agent-forwarding",
					       "no-port-forwarding",
					       "no-pty",
					       "no-touch-required",
					       "no-user-rc",
					       "no-x11-forwarding",
					       "permitlisten=",
					       "permitopen=",
					       "port-forwarding",
					       "principals=",
					       "pty",
					       "restrict",
					       "tunnel=",
					       "user-rc",
					       "verify-required",
					       "x11-forwarding" };
	size_t word = 0;

	while (len > 0 && (*at == ' ' || *at == '\t')) {
		at++;
		len--;
	}
	while (word < len && at[word] != ' ' && at[word] != '\t')
		word++;
	if (word > 3 && memcmp(at, "|1|", 3) == 0)
		return true;
	if (word == len || word == 0 || pubkey_type_word(at, word) ||
	    strchr("$#>:=\"'", at[word - 1]) != NULL)
		return false; /* no name ends like this: a shell's prompt, an assignment */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strncasecmp(at, options[i], strlen(options[i])) == 0)
			return false;
	return true;
}

/* "@cert-authority NAMES TYPE KEY": the word that marks the line, or its names, left out. */
static size_t
marker(const char *at, size_t len)
{
	static const char *const markers[] = { "@cert-authority ", "@revoked " };

	for (size_t i = 0; i < 2; i++)
		if (len > strlen(markers[i]) && strncmp(at, markers[i], strlen(markers[i])) == 0)
			return strlen(markers[i]);
	return 0;
}

int
key_public(const struct buffer *text, struct key_info *info)
{
	size_t start, end;
	const char *rest;
	int r = -ENOENT;

	for (start = 0; start < text->len; start = end + 1) {
		end = key_find(text, start, "\n");
		end = end == SIZE_MAX ? text->len : end;
		if (comment_line(text->at + start, end - start))
			continue;
		start += marker((const char *)text->at + start, end - start);
		r = pubkey_from_line((const char *)text->at + start, end - start, &info->pub,
				     &rest);
		if (r != -ENOENT)
			break;
		pubkey_free(&info->pub);
	}
	if (r == -ENOENT)
		return r;
	if (names_hosts((const char *)text->at + start, end - start)) {
		pubkey_free(&info->pub);
		key_kind(info, KEY_OTHER, "unknown");
		info->defects = KEY_BIT(KNOWN_HOSTS);
		return 0;
	}
	if (r < 0)
		damage(text, start, (size_t)((const unsigned char *)rest - text->at), info);
	kind_set(info, "ssh-public");
	surroundings(text, start, end, info);
	return 0;
}
