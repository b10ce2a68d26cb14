/* Does one kind of work on SIZE bytes of input: what tests/linear_test.py counts the instructions
 * of. work_probe lists the kinds; work_probe KIND SIZE does one. */
#include "azure/inside.h"
#include "facts/visible.h"

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
