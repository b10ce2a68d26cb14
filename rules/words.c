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
	{ "bastion_rg_place", NULL },
	{ "home", "HOME" }, /* set where ~ of the shell is not the home that ssh uses */
	{ "identity", "PRIVATE-KEY-FILE" },
	{ "public_key", "PUBLIC-KEY-FILE" },
	{ "address", NULL },
	{ "looked", NULL }, /* the VM was looked into (--guest) */
	{ "login", NULL },
	{ "code", NULL },
	{ "check", NULL },
	{ "way_bastion", NULL },
	{ "way_bastion_group", NULL },
	{ "way_bastion_place", NULL },
	{ "way_browser", NULL },
	{ "way_shell", NULL },
	{ "way_powershell", NULL },
	{ "way_console", NULL },
	{ "ephemeral", NULL },
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

/* Writes a value for its place; false when it cannot be written there. */
static bool
write_scalar(FILE *out, const struct scan *scan, const json_t *value)
{
	char *text = scalar_text(value), *shown = NULL;
	bool ok = text != NULL;

	if (ok && scan->lang == LANG_PLAIN)
		ok = (shown = visible_text(text, false)) != NULL && fputs(shown, out) >= 0;
	else if (ok && scan_place(scan) == '\'')
		ok = visible_clean(text) && (quote_inside(out, scan->lang, text), true);
	else if (ok)
		ok = scan_place(scan) == ' ' && quote_value(out, scan->lang, text);
	free(text);
	free(shown);
	return ok;
}

/* A value is one word, a list several of them. */
static bool
write_value(FILE *out, const struct scan *scan, const json_t *value)
{
	const char *between = scan->lang == LANG_PLAIN || scan->lang == LANG_PS ? ", " : " ";

	if (!json_is_array(value))
		return write_scalar(out, scan, value);
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (i > 0)
			fputs(between, out);
		if (!write_scalar(out, scan, json_array_get(value, i)))
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

/* One placeholder; false when it has no value that can be written here. */
static bool
fill_one(FILE *out, const struct scan *scan, const char *name, size_t len,
	 const struct values *values)
{
	char key[64], *text = NULL;
	const json_t *value;
	size_t size;
	FILE *part;
	bool ok;

	snprintf(key, sizeof(key), "%.*s", (int)(len < sizeof(key) ? len : sizeof(key) - 1), name);
	value = words_value(key, values);
	part = value != NULL ? open_memstream(&text, &size) : NULL;
	ok = part != NULL && write_value(part, scan, value);
	ok = part != NULL && fclose(part) == 0 && ok;
	if (ok) {
		fputs(text, out);
	} else if (scan->lang == LANG_ARGUMENT) {
		putc(GAP_START, out);
		write_missing(out, key);
		putc(GAP_END, out);
	} else {
		write_missing(out, key);
	}
	free(text);
	return ok;
}

/* The length of a <LIKE-THIS> that the reader fills in, 0 when there is none here. */
static size_t
gap_length(const char *text)
{
	size_t n = text[0] != '<' ? 0 : strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return n > 0 && text[1 + n] == '>' ? n + 2 : 0;
}

/* Text of the rule itself; false when the reader has to fill in something. */
static bool
write_literal(FILE *out, struct scan *scan, const char *text, const char *end)
{
	bool full = true;

	while (text < end) {
		size_t gap = scan->lang != LANG_PLAIN ? gap_length(text) : 0, n = gap > 0 ? gap : 1;

		if (gap > 0 && scan->lang == LANG_ARGUMENT)
			fprintf(out, "%c%.*s%c", GAP_START, (int)n, text, GAP_END);
		else
			fwrite(text, 1, n, out);
		for (size_t i = 0; i < n; i++)
			scan_char(scan, text[i]);
		full = full && gap == 0;
		text += n;
	}
	return full;
}

bool
words_fill(FILE *out, const char *text, enum lang lang, const struct values *values)
{
	struct scan scan = { .lang = lang };
	const char *rest = text, *from, *name;
	bool full = true;
	size_t len;

	for (; words_next(&rest, &from, &name, &len); text = rest) {
		full = write_literal(out, &scan, text, from) && full;
		full = fill_one(out, &scan, name, len, values) && full;
	}
	return write_literal(out, &scan, text, text + strlen(text)) && full;
}

/* *full becomes false when a placeholder has no value. */
static char *
fill(const char *text, const struct values *values, bool *full)
{
	char *filled = NULL;
	size_t size;
	FILE *out = text == NULL ? NULL : open_memstream(&filled, &size);

	if (out == NULL)
		return NULL;
	*full = words_fill(out, text, LANG_PLAIN, values);
	if (fclose(out) == 0)
		return filled;
	free(filled);
	return NULL;
}

char *
rules_fill(const char *text, const struct values *values)
{
	bool full;

	return fill(text, values, &full);
}

char *
rules_fill_known(const char *text, const struct values *values)
{
	bool full = false;
	char *filled = fill(text, values, &full);

	if (full)
		return filled;
	free(filled);
	return NULL;
}
