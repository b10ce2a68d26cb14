/* Tables written as C: the constants of the default, and the text that a digest is made of. */
#include "rules/table.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* " .name = "text",", or nothing when there is no text. */
static void
write_member(FILE *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(out, " .%s = \"", name);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p >= 0x7f)
			fprintf(out, "\\%03o", *p);
		else
			fprintf(out, strchr("\"\\?", *p) != NULL ? "\\%c" : "%c", *p);
	}
	fputs("\",", out);
}

static void
write_texts(FILE *out, const void *row, const struct text_field *field)
{
	for (; field->key != NULL; field++)
		write_member(out, field->key, text_of(row, field));
}

static void
write_remedies(FILE *out, const struct code_words *code, size_t rule, size_t index)
{
	if (code->remedy_count == 0)
		return;
	fprintf(out, "static const struct remedy_words remedies_%zu_%zu[] = {\n", rule, index);
	for (size_t i = 0; i < code->remedy_count; i++) {
		fputs("\t{", out);
		write_texts(out, &code->remedies[i], remedy_texts);
		fputs(" },\n", out);
	}
	fputs("};\n", out);
}

static void
write_codes(FILE *out, const struct rule *rule, size_t index)
{
	for (size_t i = 0; i < rule->code_count; i++)
		write_remedies(out, &rule->codes[i], index, i);
	fprintf(out, "static const struct code_words codes_%zu[] = {\n", index);
	for (size_t i = 0; i < rule->code_count; i++) {
		const struct code_words *code = &rule->codes[i];

		fputs("\t{", out);
		write_member(out, "code", code->code);
		write_member(out, "owner", code->owner);
		write_texts(out, code, code_texts);
		if (code->remedy_count > 0)
			fprintf(out, " .remedies = remedies_%zu_%zu, .remedy_count = %zu", index, i,
				code->remedy_count);
		fputs(" },\n", out);
	}
	fputs("\t{ .code = 0 }\n};\n", out);
	fprintf(out, "static const struct param params_%zu[] = {", index);
	for (size_t i = 0; i < rule->param_count; i++)
		fprintf(out, " { \"%s\", %lld },", rule->params[i].name, rule->params[i].value);
	fputs(" { 0, 0 } };\n", out);
}

static void
write_rule(FILE *out, const struct rule *rule, size_t index)
{
	fprintf(out, "\t{ .id = \"%s\", .enabled = %d,", rule->id, rule->enabled);
	write_member(out, "evidence", rule->evidence);
	write_member(out, "ways", rule->ways);
	fprintf(
	    out,
	    " .params = params_%zu, .param_count = %zu, .codes = codes_%zu, .code_count = %zu },\n",
	    index, rule->param_count, index, rule->code_count);
}

static void
write_index(FILE *out, const struct tables *tables)
{
	fputs("static const struct code_words *const codes[] = {\n", out);
	for (size_t i = 0; i < tables->code_count; i++) {
		const struct code_words *code = tables->codes[i];
		const struct rule *rule = table_rule(tables, code->owner);

		fprintf(out, "\t&codes_%zu[%zu],\n", (size_t)(rule - tables->rules),
			(size_t)(code - rule->codes));
	}
	fputs("};\n", out);
}

void
table_write(FILE *out, const struct tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		write_codes(out, &tables->rules[i], i);
	fputs("static const struct rule rules[] = {\n", out);
	for (size_t i = 0; i < tables->count; i++)
		write_rule(out, &tables->rules[i], i);
	fputs("};\n", out);
	write_index(out, tables);
}

int
table_digest(const struct tables *tables, const json_t *custom, const json_t *waivers, char *ret,
	     size_t size)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char *text = NULL;
	size_t len;
	unsigned bytes = 0;
	FILE *out = open_memstream(&text, &len);
	bool ok = out != NULL;

	if (ok) {
		table_write(out, tables);
		json_dumpf(custom, out, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
		json_dumpf(waivers, out, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
		ok = fclose(out) == 0 &&
		     EVP_Digest(text, len, hash, &bytes, EVP_sha256(), NULL) == 1 &&
		     size >= 8 + 2 * (size_t)bytes;
	}
	free(text);
	if (!ok)
		return -ENOMEM;
	snprintf(ret, size, "sha256:");
	for (unsigned i = 0; i < bytes; i++)
		snprintf(ret + 7 + 2 * i, size - 7 - 2 * i, "%02x", hash[i]);
	return 0;
}
