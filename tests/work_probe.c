/* Does one kind of work on SIZE bytes of input: what tests/linear_test.py counts the instructions
 * of. work_probe lists the kinds; work_probe KIND SIZE does one. */
#include "azure/arm/secrets.h"
#include "azure/arm/url.h"
#include "azure/signin/aadsts.h"
#include "facts/doc.h"
#include "facts/command.h"
#include "facts/visible.h"
#include "model/boot_log.h"
#include "model/known_hosts.h"
#include "ssh/key/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct work {
	const char *name, *unit; /* unit: what the input repeats */
	void (*run)(const char *text, size_t len);
};

static void
cut_secrets(const char *text, size_t len)
{
	struct secrets secrets = { .count = 0 };

	(void)len;
	secrets_learn(&secrets, "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9");
	free(secrets_text(&secrets, text));
	secrets_free(&secrets);
}

static void
read_error_number(const char *text, size_t len)
{
	(void)len;
	aadsts_number(text);
}

static void
show_url(const char *text, size_t len)
{
	char *url = doc_fmt("https://a.example/?%s", text);

	(void)len;
	free(url_shown(url));
	free(url);
}

static void
parse_key(const char *text, size_t len)
{
	struct key_info info;

	key_parse((const unsigned char *)text, len, &info);
	key_info_free(&info);
}

static void
read_known_hosts(const char *text, size_t len)
{
	const struct known_query query = { .name = "h", .port = 22 };
	json_t *entries = json_array(), *damaged = json_array();

	known_hosts_read(text, len, "/k", &query, entries, damaged);
	known_hosts_second_look(entries);
	json_decref(entries);
	json_decref(damaged);
}

static void
read_boot_log(const char *text, size_t len)
{
	json_t *section = json_object();

	boot_log_read(text, len, section);
	json_decref(section);
}

static void
show_text(const char *text, size_t len)
{
	(void)len;
	free(visible_text(text, false));
}

static void
show_command(const char *text, size_t len)
{
	free(command_shown(text, len));
}

static const struct work works[] = {
	{ "jwt heads", "eyJ", cut_secrets },
	{ "jwt heads and dots", "eyJhbGciOiJub25l.", cut_secrets },
	{ "jwt without an end", "eyJhbGciOiJub25l.eyJ", cut_secrets },
	{ "jwt tokens", "eyJhbGciOiJub25l.eyJhIjoxfQ.sig ", cut_secrets },
	{ "armour", "-----BEGIN ", cut_secrets },
	{ "armour and ends", "-----BEGIN -----END ", cut_secrets },
	{ "armour far from its word", "-----BEGIN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ",
	  cut_secrets },
	{ "private keys", "-----BEGIN PRIVATE KEY----- -----END PRIVATE KEY-----", cut_secrets },
	{ "known prefixes", "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ8", cut_secrets },
	{ "markers", "sig=a;", cut_secrets },
	{ "markers without values", "bearer pwd=&", cut_secrets },
	{ "error numbers", "AADSTS", read_error_number },
	{ "url parameters", "sig=a&", show_url },
	{ "url without values", "&;#", show_url },
	{ "command words", "a:b@c -p ", show_command },
	{ "command without blanks", "a:@", show_command },
	{ "command names", "pass=", show_command },
	{ "boot log: one line", "[ failed: dependency for ", read_boot_log },
	{ "boot log: boots", "Linux version 6\n", read_boot_log },
	{ "boot log: signs", "Kernel panic - not syncing: x\n", read_boot_log },
	{ "boot log: escapes", "\x1b[1;1H\x1b[", read_boot_log },
	{ "boot log: blocks", "-----BEGIN SSH HOST KEY KEYS-----\nssh-rsa AAAA\n", read_boot_log },
	{ "boot log: users", "no authorized SSH keys fingerprints found for user a.\n",
	  read_boot_log },
	{ "hidden text", "\xe2\x80\xae\x1b", show_text },
	{ "key: begins", "-----BEGIN RSA PRIVATE KEY-----\n", parse_key },
	{ "key: begins in a line", "-----BEGIN RSA PRIVATE KEY-----", parse_key },
	{ "key: ends", "-----END RSA PRIVATE KEY-----\n", parse_key },
	{ "key: dashes", "-", parse_key },
	{ "key: half a begin", "-----BEGIN ", parse_key },
	{ "key: base64", "QUJD", parse_key },
	{ "key: base64 in base64", "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0K", parse_key },
	{ "key: quoted", "> -----BEGIN PRIVATE KEY-----\n> QUJD\n", parse_key },
	{ "key: escaped", "-----BEGIN PRIVATE KEY-----\\n\\u002d", parse_key },
	{ "key: percent", "-----BEGIN%20PRIVATE%20KEY-----%0A", parse_key },
	{ "key: numbered", "1 -----BEGIN PRIVATE KEY-----\n2 QUJD\n", parse_key },
	{ "key: blanks", " \n\t\n", parse_key },
	{ "key: dashes of other kinds", "\xe2\x80\x94\xe2\x80\x8b", parse_key },
	{ "key: headers", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n", parse_key },
	{ "key: putty", "PuTTY-User-Key-File-3: ssh-rsa\nPublic-Lines: 9999\n", parse_key },
	{ "key: public lines", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQE= c\n", parse_key },
	{ "key: json", "{\"kty\":\"RSA\",\"n\":\"AQAB\"}", parse_key },
	{ "key: braces", "{[", parse_key },
	{ "key: sequences", "0\x82\x01\x01\x02\x01", parse_key },
	{ "key: markup", "<html><a>", parse_key },
	{ "known hosts: names", "h,", read_known_hosts },
	{ "known hosts: lines",
	  "h ssh-ed25519 "
	  "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	  read_known_hosts },
	{ "known hosts: stars", "*?", read_known_hosts },
	{ "known hosts: hashes",
	  "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= ssh-rsa A\n",
	  read_known_hosts },
};

enum { WORKS = sizeof(works) / sizeof(*works) };

static char *
repeat(const char *unit, size_t size)
{
	size_t len = strlen(unit);
	char *text = malloc(size + 1);

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < size; i++)
		text[i] = unit[i % len];
	text[size] = '\0';
	return text;
}

int
main(int argc, char **argv)
{
	size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	for (unsigned i = 0; i < WORKS; i++)
		if (argc < 2) {
			puts(works[i].name);
		} else if (strcmp(argv[1], works[i].name) == 0) {
			char *text = repeat(works[i].unit, size);

			if (text != NULL)
				works[i].run(text, size);
			free(text);
			return text == NULL;
		}
	return argc >= 2;
}
