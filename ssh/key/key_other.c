#include "ssh/key/key.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool
begins(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

/* One word that looks like a place where a file lies. */
static bool
is_path(const char *text, size_t len)
{
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	if (len < 2 || len > 4096 || memchr(text, '\n', len) != NULL)
		return false;
	return *text == '~' || *text == '/' || begins(text, "./") || begins(text, "../") ||
	       begins(text, "$HOME") || begins(text, "file:") || begins(text, "%USERPROFILE%") ||
	       (isalpha((unsigned char)text[0]) && text[1] == ':' &&
		(text[2] == '\\' || text[2] == '/'));
}

static bool
is_vault(const char *text)
{
	return strstr(text, "@Microsoft.KeyVault(") != NULL ||
	       (strstr(text, "https://") != NULL &&
		(strstr(text, ".vault.azure.") != NULL ||
		 strstr(text, ".vault.usgovcloudapi.") != NULL) &&
		(strstr(text, "/secrets/") != NULL || strstr(text, "/keys/") != NULL));
}

static bool
mostly_text(const unsigned char *bytes, size_t len)
{
	size_t odd = 0;

	for (size_t i = 0; i < len; i++)
		odd += (bytes[i] < ' ' && !isspace(bytes[i])) || bytes[i] == 0x7f;
	return odd * 20 <= len && memchr(bytes, '\0', len) == NULL;
}

bool
key_archive(const unsigned char *bytes, size_t len)
{
	static const struct {
		size_t at, len;
		const char *magic;
	} archives[] = { { 0, 4, "PK\3\4" },
			 { 0, 3, "\x1f\x8b\x08" },
			 { 0, 6,
			   "\xfd"
			   "7zXZ" },
			 { 0, 6, "7z\xbc\xaf\x27\x1c" },
			 { 0, 4, "Rar!" },
			 { 0, 4, "\x28\xb5\x2f\xfd" },
			 { 257, 5, "ustar" } };

	for (size_t i = 0; i < sizeof(archives) / sizeof(archives[0]); i++)
		if (len >= archives[i].at + archives[i].len &&
		    memcmp(bytes + archives[i].at, archives[i].magic, archives[i].len) == 0)
			return true;
	return false;
}

static uint64_t
what(const unsigned char *bytes, size_t len, const struct buffer *text)
{
	const char *start = (const char *)text->at + strspn((const char *)text->at, " \t\n");
	bool zeros = true;

	if (len == 0)
		return KEY_BIT(EMPTY);
	for (size_t i = 0; i < len && zeros; i++)
		zeros = bytes[i] == 0;
	if (zeros)
		return KEY_BIT(NULS);
	if (key_archive(bytes, len))
		return KEY_BIT(ARCHIVE);
	if (*start == '\0' && strlen((const char *)text->at) == text->len)
		return KEY_BIT(WHITESPACE);
	if (!mostly_text(text->at, text->len))
		return KEY_BIT(RANDOM);
	if (is_vault(start))
		return KEY_BIT(KEYVAULT);
	if (begins(start, "<!DOCTYPE html") || begins(start, "<html") ||
	    strcasestr(start, "<html") != NULL)
		return KEY_BIT(HTML);
	if (begins(start, "<?xml"))
		return KEY_BIT(XML);
	return is_path(start, text->len - (size_t)(start - (const char *)text->at))
		   ? KEY_BIT(PATH)
		   : KEY_BIT(NOT_A_KEY);
}

void
key_other(const unsigned char *bytes, size_t len, const struct buffer *text, struct key_info *info)
{
	key_kind(info, KEY_OTHER, "unknown");
	info->defects = what(bytes, len, text);
}
