#include "rules/rules.h"
#include "rules/tree.h"
#include "facts/doc.h"
#include "facts/visible.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The placeholders that every rule may use, and how a missing one prints. {your_...} is one too: it
 * asks the reader for a value.
 */
static const struct {
	const char *name, *missing;
} globals_known[] = {
	{ "vm", NULL },
	{ "rg", "RESOURCE-GROUP" },
	{ "subscription", NULL },
	{ "tenant", NULL },
	{ "user", NULL },
	{ "host", NULL },
	{ "port", NULL },
	{ "source_ip", "YOUR-PUBLIC-IP" },
	{ "vm_id", "VM-RESOURCE-ID" },
	{ "location", NULL },
	{ "os", NULL },
	{ "nic", NULL },
	{ "subnet", NULL },
	{ "vnet", NULL },
	{ "public_ip", "PUBLIC-IP-NAME" },
	{ "bastion", NULL },
	{ "bastion_rg", NULL },
	{ "identity", "PRIVATE-KEY-FILE" },
	{ "public_key", "PUBLIC-KEY-FILE" },
	{ "address", NULL },
	{ "login", NULL },
	{ "code", NULL },
	{ "check", NULL },
	{ "way_bastion", NULL },
	{ "way_bastion_group", NULL },
	{ "way_browser", NULL },
	{ "way_shell", NULL },
	{ "way_powershell", NULL },
	{ "way_console", NULL },
};

#define GLOBALS (sizeof(globals_known) / sizeof(globals_known[0]))

bool
words_global(const char *name)
{
	for (size_t i = 0; i < GLOBALS; i++)
		if (strcmp(globals_known[i].name, name) == 0)
			return true;
	return strncmp(name, "your_", 5) == 0;
}

const char *
words_globals(void)
{
	static char list[512];
	size_t used = 0;

	for (size_t i = 0; i < GLOBALS && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s, ",
					 globals_known[i].name);
	if (used < sizeof(list))
		snprintf(list + used, sizeof(list) - used, "your_...");
	return list;
}

static size_t
name_length(const char *text)
{
	size_t len = 0;

	if (text[0] < 'a' || text[0] > 'z')
		return 0;
	while ((text[len] >= 'a' && text[len] <= 'z') || (text[len] >= '0' && text[len] <= '9') ||
	       text[len] == '_')
		len++;
	return len;
}

bool
words_next(const char **at, const char **from, const char **name, size_t *len)
{
	for (const char *p = *at; (p = strchr(p, '{')) != NULL; p++) {
		size_t n = name_length(p + 1);

		if (n == 0 || p[1 + n] != '}')
			continue;
		*from = p;
		*name = p + 1;
		*len = n;
		*at = p + n + 2;
		return true;
	}
	return false;
}

static bool
is_value(const json_t *value)
{
	if (json_is_string(value))
		return json_string_length(value) > 0;
	return value != NULL && !json_is_null(value) && !json_is_false(value) &&
	       !json_is_object(value) && (!json_is_array(value) || json_array_size(value) > 0);
}

const json_t *
words_value(const char *name, const struct values *values)
{
	const json_t *value = values != NULL ? json_object_get(values->evidence, name) : NULL;

	if (!is_value(value) && values != NULL)
		value = json_object_get(values->globals, name);
	return is_value(value) ? value : NULL;
}

/* A scalar as text; the caller frees. */
static char *
scalar_text(const json_t *value)
{
	if (json_is_string(value))
		return strlen(json_string_value(value)) == json_string_length(value)
			   ? strdup(json_string_value(value))
			   : NULL;
	if (json_is_integer(value))
		return doc_fmt("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_real(value))
		return doc_fmt("%.6g", json_real_value(value));
	return json_is_true(value) ? strdup("true") : NULL;
}

static bool
write_scalar(FILE *out, const struct quote *quote, const json_t *value)
{
	char *text = scalar_text(value), *quoted = NULL;

	if (text != NULL)
		quoted = quote->outer.lang == LANG_PLAIN ? visible_text(text, false)
							 : quote_value(quote, text);
	if (quoted != NULL)
		fputs(quoted, out);
	free(text);
	free(quoted);
	return quoted != NULL;
}

/* Writes a value as one word, a list as several of them; false when it cannot be written here. */
static bool
write_value(FILE *out, const struct quote *quote, const json_t *value)
{
	const char *between =
	    quote->outer.lang == LANG_PLAIN || quote->outer.lang == LANG_PS ? ", " : " ";

	if (!json_is_array(value))
		return write_scalar(out, quote, value);
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (i > 0)
			fputs(between, out);
		if (!write_scalar(out, quote, json_array_get(value, i)))
			return false;
	}
	return true;
}

static void
write_missing(FILE *out, const char *name)
{
	for (size_t i = 0; i < GLOBALS; i++) {
		if (strcmp(globals_known[i].name, name) == 0 && globals_known[i].missing != NULL) {
			fprintf(out, "<%s>", globals_known[i].missing);
			return;
		}
	}
	putc('<', out);
	for (; *name != '\0'; name++)
		putc(*name == '_' ? '-' : toupper((unsigned char)*name), out);
	putc('>', out);
}

/* One placeholder; false when it had no value. */
static bool
fill_one(FILE *out, const struct quote *quote, const char *name, const struct values *values)
{
	const json_t *value = words_value(name, values);
	char *text = NULL;
	size_t size;
	FILE *part = value != NULL ? open_memstream(&text, &size) : NULL;
	bool ok = part != NULL && write_value(part, quote, value);

	ok = part != NULL && fclose(part) == 0 && ok;
	if (ok)
		fputs(text, out);
	else
		write_missing(out, name);
	free(text);
	return ok;
}

char *
rules_fill(const char *text, const struct values *values, const char *dialect, bool *runnable)
{
	const char *rest = text, *from, *name;
	struct quote quote;
	char *filled = NULL, key[64];
	size_t len, size;
	bool full = true;
	FILE *out = text == NULL ? NULL : open_memstream(&filled, &size);

	if (out == NULL)
		return NULL;
	quote_start(&quote, lang_of_dialect(dialect));
	for (const char *at = text; words_next(&rest, &from, &name, &len); at = rest) {
		fwrite(at, 1, (size_t)(from - at), out);
		if (quote_literal(&quote, at, (size_t)(from - at)) != NULL)
			full = false;
		snprintf(key, sizeof(key), "%.*s", (int)(len < sizeof(key) ? len : sizeof(key) - 1),
			 name);
		full = fill_one(out, &quote, key, values) && full;
		quote_placeholder(&quote);
		text = rest;
	}
	fputs(text, out);
	if (fclose(out) != 0) {
		free(filled);
		return NULL;
	}
	if (runnable != NULL)
		*runnable = full;
	return filled;
}

const char *
words_check(const char *text, enum lang lang)
{
	const char *at = text, *rest = text, *from, *name, *wrong;
	struct quote quote;
	size_t len;

	if (lang == LANG_PLAIN)
		return NULL;
	quote_start(&quote, lang);
	for (; words_next(&rest, &from, &name, &len); at = rest)
		if ((wrong = quote_literal(&quote, at, (size_t)(from - at))) != NULL ||
		    (wrong = quote_placeholder(&quote)) != NULL)
			return wrong;
	wrong = quote_literal(&quote, at, strlen(at));
	return wrong != NULL ? wrong : quote_end(&quote);
}
