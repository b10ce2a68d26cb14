/* Runs while the program is built: checks default.yaml and writes it as constant C tables, so that
 * a run reads no YAML and parses nothing. */
#include "rules/table.h"
#include "rules/tree.h"
#include "facts/file.h"

#include <stdio.h>

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
		const struct tables *tables = rules_tables(rules);

		puts("/* made from default.yaml by rules/pack */\n#include \"rules/table.h\"\n");
		table_write(stdout, tables);
		printf(
		    "const struct tables rules_default_tables = {\n\t.rules = rules, .count = %zu,"
		    " .checks = %zu, .codes = codes, .code_count = %zu,\n\t.digest = \"%s\"\n};\n",
		    tables->count, tables->checks, tables->code_count, tables->digest);
		bad = fflush(stdout) != 0 || ferror(stdout);
	}
	buffer_free(&text);
	rules_free(rules);
	return bad;
}
