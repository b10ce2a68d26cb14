/* Runs while the program is built: checks default.yaml and writes it as constant C tables, so that
 * a run reads no YAML and parses nothing. */
#include "rules/table.h"
#include "rules/tree.h"
#include "facts/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
write_text(const char *text)
{
	if (text == NULL) {
		fputs("0", stdout);
		return;
	}
	putchar('"');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\' || *p == '?')
			printf("\\%c", *p);
		else if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			printf("\\%03o", (unsigned char)*p);
		else
			putchar(*p);
	}
	putchar('"');
}

static void
write_member(const char *name, const char *text)
{
	if (text == NULL)
		return;
	printf(" .%s = ", name);
	write_text(text);
	putchar(',');
}

static void
write_texts(const void *row, const struct text_field *field)
{
	for (; field->key != NULL; field++)
		write_member(field->key, text_of(row, field));
}

static void
write_remedies(const struct code_words *code, size_t rule, size_t index)
{
	if (code->remedy_count == 0)
		return;
	printf("static const struct remedy_words remedies_%zu_%zu[] = {\n", rule, index);
	for (size_t i = 0; i < code->remedy_count; i++) {
		fputs("\t{", stdout);
		write_texts(&code->remedies[i], remedy_texts);
		fputs(" },\n", stdout);
	}
	fputs("};\n", stdout);
}

static void
write_codes(const struct rule *rule, size_t index)
{
	for (size_t i = 0; i < rule->code_count; i++)
		write_remedies(&rule->codes[i], index, i);
	printf("static const struct code_words codes_%zu[] = {\n", index);
	for (size_t i = 0; i < rule->code_count; i++) {
		const struct code_words *code = &rule->codes[i];

		fputs("\t{", stdout);
		write_member("code", code->code);
		write_member("owner", code->owner);
		write_texts(code, code_texts);
		if (code->remedy_count > 0)
			printf(" .remedies = remedies_%zu_%zu, .remedy_count = %zu", index, i,
			       code->remedy_count);
		fputs(" },\n", stdout);
	}
	fputs("\t{ .code = 0 }\n};\n", stdout);
	printf("static const struct param params_%zu[] = {", index);
	for (size_t i = 0; i < rule->param_count; i++)
		printf(" { \"%s\", %lld },", rule->params[i].name, rule->params[i].value);
	fputs(" { 0, 0 } };\n", stdout);
}

static void
write_rule(const struct rule *rule, size_t index)
{
	printf("\t{ .id = \"%s\", .enabled = %d,", rule->id, rule->enabled);
	write_member("evidence", rule->evidence);
	write_member("ways", rule->ways);
	printf(
	    " .params = params_%zu, .param_count = %zu, .codes = codes_%zu, .code_count = %zu },\n",
	    index, rule->param_count, index, rule->code_count);
}

static void
write_index(const struct tables *tables)
{
	fputs("static const struct code_words *const codes[] = {\n", stdout);
	for (size_t i = 0; i < tables->code_count; i++) {
		const struct code_words *code = tables->codes[i];
		const struct rule *rule = table_rule(tables, code->owner);

		printf("\t&codes_%zu[%zu],\n", (size_t)(rule - tables->rules),
		       (size_t)(code - rule->codes));
	}
	fputs("};\n", stdout);
}

static void
write_tables(const struct tables *tables)
{
	fputs("/* made from default.yaml by rules/pack */\n#include \"rules/table.h\"\n\n", stdout);
	for (size_t i = 0; i < tables->count; i++)
		write_codes(&tables->rules[i], i);
	fputs("static const struct rule rules[] = {\n", stdout);
	for (size_t i = 0; i < tables->count; i++)
		write_rule(&tables->rules[i], i);
	fputs("};\n", stdout);
	write_index(tables);
	printf("const struct tables rules_default_tables = {\n\t.rules = rules, .count = %zu,"
	       " .checks = %zu, .codes = codes, .code_count = %zu,\n\t.digest = \"%s\"\n};\n",
	       tables->count, tables->checks, tables->code_count, tables->digest);
}

int
main(int argc, char **argv)
{
	struct rules *rules = NULL;
	struct err err = { "" };
	struct buffer text = { 0 };
	int bad = 1;

	if (argc != 2 || file_read(argv[1], RULES_FILE_MAX, &text, NULL) < 0)
		fprintf(stderr, "usage: pack default.yaml > default.c\n");
	else if (rules_text(&rules, argv[1], (const char *)text.at, text.len, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	else if (json_array_size(rules_custom(rules)) + json_array_size(rules_waivers(rules)) > 0)
		fprintf(stderr, "%s: the default has neither custom rules nor waivers\n", argv[1]);
	else {
		write_tables(rules_tables(rules));
		bad = fflush(stdout) != 0 || ferror(stdout);
	}
	buffer_free(&text);
	rules_free(rules);
	return bad;
}
