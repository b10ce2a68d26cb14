#include "model/redact/inner.h"

#include "facts/doc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RUN_MAX = 128 };

static bool
is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* strspn that looks at no more than `most` characters, so that a walk over a text stays linear. */
static size_t
span(const char *text, const char *accepted, size_t most)
{
	size_t len = 0;

	while (len < most && text[len] != '\0' && strchr(accepted, text[len]) != NULL)
		len++;
	return len;
}

/* ---- addresses ---- */

/* The address, or prefix, of these bytes. */
static bool
put_address(struct redact *redact, struct buffer *out, const char *text, size_t len, int length)
{
	char buf[IP_TEXT_MAX];
	struct ip ip, mapped;
	int bits = 128;

	if (len == 0 || len >= sizeof(buf))
		return false;
	snprintf(buf, sizeof(buf), "%.*s", (int)len, text);
	if (ip_parse(buf, &ip) < 0)
		return false;
	if (length >= 0)
		bits = length + (ip_is_v4(ip) ? 96 : 0);
	if (bits > 128)
		return false;
	if (redact->learning)
		address_tree_learn(&redact->tree, ip, bits);
	mapped = redact->learning ? ip : address_tree_map(&redact->tree, ip, bits);
	if (ip_cmp(mapped, ip) == 0) {
		buffer_add(out, text, len);
		return true;
	}
	ip_format(mapped, buf, sizeof(buf));
	buffer_add(out, buf, strlen(buf));
	if (json_object_get(redact->map, buf) == NULL) {
		char *original = strndup(text, len);

		doc_set_str(redact->map, buf, original);
		free(original);
	}
	return true;
}

/* The length behind a slash, -1 when there is none; *used is that of its text. */
static int
prefix_length(const char *text, size_t *used)
{
	size_t digits = text[0] == '/' ? strspn(text + 1, "0123456789") : 0;

	*used = 0;
	if (digits == 0 || digits > 3 || is_word_char(text[1 + digits]))
		return -1;
	*used = digits + 1;
	return (int)strtol(text + 1, NULL, 10);
}

/* "10.0.0.4", "10.0.0.0/8", "fd00::4" */
static size_t
address_at(struct redact *redact, struct buffer *out, const char *text)
{
	static const char *const alphabets[] = { "0123456789.", "0123456789abcdefABCDEF:." };

	for (size_t i = 0; i < 2; i++) {
		size_t len = span(text, alphabets[i], IP_TEXT_MAX), more;
		int length;

		while (len > 0 && text[len - 1] == '.')
			len--;
		if (len < 2 || is_word_char(text[len]))
			continue;
		length = prefix_length(text + len, &more);
		if (put_address(redact, out, text, len, length)) {
			buffer_add(out, text + len, more);
			return len + more;
		}
		if (text[len - 1] == ':' && put_address(redact, out, text, len - 1, -1))
			return len - 1;
	}
	return 0;
}

/* An address as names hold it: "20-51-230-13". */
static size_t
dashed_at(struct redact *redact, struct buffer *out, const char *text)
{
	size_t len = span(text, "0123456789-", IP_TEXT_MAX), at = out->len;
	char buf[IP_TEXT_MAX];

	if (len < 7 || len >= sizeof(buf) || is_word_char(text[len]))
		return 0;
	snprintf(buf, sizeof(buf), "%.*s", (int)len, text);
	for (char *p = buf; *p != '\0'; p++)
		*p = *p == '-' ? '.' : *p;
	if (!put_address(redact, out, buf, len, -1))
		return 0;
	for (; at < out->len; at++)
		out->at[at] = out->at[at] == '.' ? '-' : out->at[at];
	return len;
}

/* ---- what is public by its form ---- */

static size_t
public_at(const char *text)
{
	static const char base64[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	size_t len;

	if (strncmp(text, "SHA256:", 7) == 0 && (len = strspn(text + 7, base64)) >= 42)
		return 7 + len;
	if (strncmp(text, "MD5:", 4) == 0)
		return 4 + strspn(text + 4, "0123456789abcdef:");
	if (strncmp(text, "AAAA", 4) == 0 && (len = strspn(text, base64)) >= 40)
		return len;
	return strncmp(text, "[cut]", 5) == 0 ? 5 : 0;
}

/* ---- names in a sentence ---- */

/* true when a name of a document is to be taken for it also in a sentence, where "server" may be
 * but a word. */
static bool
counts_in_prose(const struct redact *redact, const char *text, size_t len)
{
	if (name_is_user(redact, text, len))
		return len >= 2;
	return len >= 3 && !word_is_public(text, len);
}

/* The longest known name that begins here. */
static size_t
known_at(struct redact *redact, struct buffer *out, const char *text)
{
	size_t len = 0;

	while (len < RUN_MAX && (is_word_char(text[len]) ||
				 (text[len] != '\0' && strchr("-.@+", text[len]) != NULL)))
		len++;
	for (; len > 0; len--) {
		if (!is_word_char(text[len - 1]) || is_word_char(text[len]))
			continue;
		if (name_known(redact, text, len) != NULL && counts_in_prose(redact, text, len)) {
			name_put(redact, out, text, len, "name");
			return len;
		}
	}
	return 0;
}

/* true when the text before this ends with a folder of homes: "/home/", "C:\\Users\\". */
static bool
is_behind_homes(const char *text, size_t before)
{
	static const char *const homes[] = { "/home/", "/Users/", "\\Users\\" };

	for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++) {
		size_t n = strlen(homes[i]);

		if (before < n || strncmp(text - n, homes[i], n) != 0)
			continue;
		/* a root, or a drive: "/github/home/" is no such folder, "/mnt/c/Users/" is */
		if (before == n || !is_word_char(text[-(ptrdiff_t)n - 1]) ||
		    (i > 0 && before > n + 1 && !is_word_char(text[-(ptrdiff_t)n - 2])))
			return true;
	}
	return false;
}

/* The account whose home folder a path names. */
static size_t
home_at(struct redact *redact, struct buffer *out, const char *text, size_t before)
{
	size_t len;

	if (!is_word_char(*text) || !is_behind_homes(text, before))
		return 0;
	len = strcspn(text, "/\\ \t\r\n'\":;,)");
	name_put(redact, out, text, len, "user");
	return len;
}

/* "somebody@somewhere", where it is not an algorithm's name. */
static size_t
user_at(struct redact *redact, struct buffer *out, const char *text)
{
	size_t len = 0, at;

	while (len <= RUN_MAX && (is_word_char(text[len]) || (len > 0 && text[len] != '\0' &&
							      strchr("-.+", text[len]) != NULL)))
		len++;
	if (len == 0 || text[len] != '@' || !is_word_char(text[len + 1]) || len > RUN_MAX)
		return 0;
	for (at = 0; at < len; at++)
		if (!is_word_char(text[at]))
			break;
	if (word_is_public(text, at) && strncmp(text + len, "@openssh.com", 12) == 0)
		return 0;
	name_put(redact, out, text, len, "user");
	buffer_add(out, "@", 1);
	return len + 1;
}

static size_t
special_at(struct redact *redact, struct buffer *out, const char *text, size_t before)
{
	size_t n;

	if ((n = id_put(redact, out, text)) > 0 || (n = address_at(redact, out, text)) > 0 ||
	    (n = dashed_at(redact, out, text)) > 0)
		return n;
	if (guid_at(text)) {
		guid_put(redact, out, text);
		return GUID_LEN;
	}
	if ((n = public_at(text)) > 0) {
		buffer_add(out, text, n);
		return n;
	}
	if ((n = home_at(redact, out, text, before)) > 0 || redact->learning)
		return n;
	if ((n = known_at(redact, out, text)) > 0)
		return n;
	return user_at(redact, out, text);
}

void
text_put_prose(struct redact *redact, struct buffer *out, const char *text)
{
	const char *p = text;
	size_t n, whole = strlen(text);

	if (!redact->learning && !guid_at(text) && name_known(redact, text, whole) != NULL) {
		name_put(redact, out, text, whole, "name");
		return;
	}
	while (*p != '\0') {
		bool boundary = p == text || !is_word_char(p[-1]) || !is_word_char(*p);

		if (boundary && (n = special_at(redact, out, p, (size_t)(p - text))) > 0) {
			p += n;
			continue;
		}
		for (n = 0; is_word_char(p[n]);)
			n++;
		if (n == 0 || redact->learning || word_is_public(p, n))
			buffer_add(out, p, n > 0 ? n : 1);
		else
			name_put(redact, out, p, n, "word");
		p += n > 0 ? n : 1;
	}
}

/* ---- names ---- */

/* The part of a host name that is Azure's or the whole world's, from its end. */
static size_t
public_suffix(const char *text, size_t len)
{
	static const char *const azure[] = { ".azure.com",
					     ".windows.net",
					     ".azure.net",
					     ".cloudapp.net",
					     ".azure.us",
					     ".azure.cn",
					     ".chinacloudapi.cn",
					     ".usgovcloudapi.net",
					     ".chinacloudapp.cn",
					     ".usgovcloudapp.net",
					     ".microsoftonline.com",
					     ".microsoft.com",
					     ".onmicrosoft.com" };
	static const char *const ends[] = { ".com",      ".net",    ".org",  ".edu",   ".gov",
					    ".io",       ".dev",    ".app",  ".cloud", ".local",
					    ".internal", ".lan",    ".home", ".arpa",  ".test",
					    ".example",  ".invalid" };
	size_t n;

	for (size_t i = 0; i < sizeof(azure) / sizeof(*azure); i++) {
		n = strlen(azure[i]);
		if (len > n && strncasecmp(text + len - n, azure[i], n) == 0)
			return n;
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		n = strlen(ends[i]);
		if (len > n && strncasecmp(text + len - n, ends[i], n) == 0)
			return n;
	}
	return len > 3 && text[len - 3] == '.' && isalpha((unsigned char)text[len - 1]) ? 3 : 0;
}

/* The labels of a host name, each on its own. */
static void
put_labels(struct redact *redact, struct buffer *out, const char *text, size_t len,
	   const char *sort)
{
	size_t own = len - public_suffix(text, len), at = out->len;

	for (size_t i = 0, n; i < own; i += n) {
		for (n = 0; i + n < own && text[i + n] != '.';)
			n++;
		if (n > 0)
			name_put(redact, out, text + i, n, sort);
		else
			buffer_add(out, text + i, n = 1);
	}
	buffer_add(out, text + own, len - own);
	/* as a whole, for sentences that name it */
	if (own > 0 && memchr(text, '.', len) != NULL && name_known(redact, text, len) == NULL &&
	    (len != out->len - at || memcmp(out->at + at, text, len) != 0)) {
		char *value = strndup((char *)out->at + at, out->len - at);

		name_learn(redact, text, len, value);
		free(value);
	}
}

void
text_put_name(struct redact *redact, struct buffer *out, const char *text, const char *sort)
{
	const char *p = text;
	size_t n;

	while (*p != '\0') {
		if ((n = address_at(redact, out, p)) > 0 || (n = dashed_at(redact, out, p)) > 0) {
			p += n;
		} else if (guid_at(p)) {
			guid_put(redact, out, p);
			p += GUID_LEN;
		} else if ((n = strcspn(p, "@/\\,:;[]|<>\"'`(){}=")) > 0) {
			if (p[n] == '@')
				put_labels(redact, out, p, n, "user");
			else
				put_labels(redact, out, p, n,
					   p > text && p[-1] == '@' ? "host" : sort);
			p += n;
		} else {
			buffer_add(out, p++, 1);
		}
	}
}

void
text_put_id(struct redact *redact, struct buffer *out, const char *text, const char *sort)
{
	size_t n = id_put(redact, out, text);

	if (text[n] == '\0')
		return;
	if (n > 0 || text[0] == '/' || strstr(text, "://") != NULL)
		text_put_prose(redact, out, text + n);
	else
		text_put_name(redact, out, text, sort);
}
