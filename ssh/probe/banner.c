#include "ssh/probe/packet.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool
begins(const uint8_t *bytes, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && memcmp(bytes, word, n) == 0;
}

/* true when the word stands anywhere in the bytes, in any case. */
static bool
mentions(const uint8_t *bytes, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp((const char *)bytes + i, word, n) == 0)
			return true;
	return false;
}

/* A greeting "220 ..." is FTP's and SMTP's alike: its words tell. */
static const char *
guess_greeting(const uint8_t *bytes, size_t len)
{
	if (mentions(bytes, len, "smtp") || mentions(bytes, len, "mail"))
		return "smtp";
	return "ftp";
}

static const char *
guess_http(const uint8_t *bytes, size_t len)
{
	static const char *const proxies[] = { "squid",   "proxy-",    "\nvia:",  "zscaler",
					       "x-squid", "mitmproxy", "privoxy", "proxy error" };

	for (size_t i = 0; i < sizeof(proxies) / sizeof(*proxies); i++)
		if (mentions(bytes, len, proxies[i]))
			return "proxy";
	return "http";
}

const char *
banner_guess(const uint8_t *bytes, size_t len)
{
	static const struct {
		const char *begins, *guess;
	} known[] = { { "HTTP/", "http" },      { "<!DOCTYPE", "http" }, { "<html", "http" },
		      { "<HTML", "http" },      { "+OK", "pop3" },       { "* OK", "imap" },
		      { "RFB 00", "vnc" },      { "-ERR", "redis" },     { "AMQP", "amqp" },
		      { "\xff\xfd", "telnet" }, { "\xff\xfb", "telnet" } };

	if (len >= 3 && (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes[1] == 3 && bytes[2] <= 4)
		return "tls";
	if (len >= 4 && (begins(bytes, len, "220 ") || begins(bytes, len, "220-")))
		return guess_greeting(bytes, len);
	if (len >= 4 && (begins(bytes, len, "421 ") || begins(bytes, len, "554 ")))
		return guess_greeting(bytes, len);
	if (len >= 5 && bytes[3] == 0 && bytes[4] == 10)
		return "mysql";
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (begins(bytes, len, known[i].begins))
			return strcmp(known[i].guess, "http") == 0 ? guess_http(bytes, len)
								   : known[i].guess;
	return NULL;
}

const char *
banner_product(struct bytes software)
{
	static const struct {
		const char *begins, *product;
	} known[] = { { "OpenSSH", "openssh" },
		      { "dropbear", "dropbear" },
		      { "tinyssh", "tinysshd" },
		      { "libssh", "libssh" },
		      { "Cisco", "cisco" },
		      { "Go", "go" },
		      { "mod_sftp", "mod_sftp" },
		      { "SSHD", "apache-sshd" },
		      { "APACHE-SSHD", "apache-sshd" },
		      { "ROSSSH", "routeros" },
		      { "paramiko", "paramiko" },
		      { "AsyncSSH", "asyncssh" },
		      { "Twisted", "twisted" },
		      { "WeOnlyDo", "weonlydo" },
		      { "Bitvise", "bitvise" } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (software.len >= strlen(known[i].begins) &&
		    strncasecmp((const char *)software.at, known[i].begins,
				strlen(known[i].begins)) == 0)
			return known[i].product;
	return "other";
}

/* Splits "SSH-2.0-software comment"; false when there is no second dash. */
static bool
split(struct bytes line, struct banner *ret)
{
	const uint8_t *from = line.at + 4, *end = line.at + line.len,
		      *dash = memchr(from, '-', (size_t)(end - from)), *blank;

	if (dash == NULL)
		return false;
	ret->protocol = (struct bytes){ from, (size_t)(dash - from) };
	dash++;
	blank = memchr(dash, ' ', (size_t)(end - dash));
	ret->software = (struct bytes){ dash, (size_t)((blank != NULL ? blank : end) - dash) };
	return true;
}

enum banner_state
banner_read(const uint8_t *bytes, size_t len, struct banner *ret)
{
	size_t at = 0;

	*ret = (struct banner){ .guess = banner_guess(bytes, len) };
	while (at < len) {
		const uint8_t *end = memchr(bytes + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - bytes) - at;

		if (n > BANNER_LINE_MAX || ret->before >= BANNER_LINES_MAX ||
		    memchr(bytes + at, '\0', n) != NULL)
			return ret->guess != NULL ? BANNER_OTHER : BANNER_BAD;
		if (end == NULL)
			break;
		ret->line =
		    (struct bytes){ bytes + at, n > 0 && bytes[at + n - 1] == '\r' ? n - 1 : n };
		ret->used = at + n + 1;
		if (begins(ret->line.at, ret->line.len, "SSH-"))
			return split(ret->line, ret) ? BANNER_SSH : BANNER_BAD;
		ret->before++;
		at = ret->used;
	}
	ret->line = (struct bytes){ bytes, 0 };
	return ret->guess != NULL ? BANNER_OTHER : BANNER_MORE;
}
