/* Runs while the program is built: checks default.yaml and writes it as C, so that the program need
 * not read YAML to start. */
#include "facts/file.h"
#include "rules/rules.h"
#include "rules/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JSON as string literals of at most 100 characters of content. */
static void
write_c(const char *json, const char *digest)
{
	size_t column = 0;

	fputs("/* made from default.yaml by rules/pack */\nextern const char rules_default_json[], "
	      "rules_default_digest[];\n",
	      stdout);
	printf(
	    "const char rules_default_digest[] = \"%s\";\nconst char rules_default_json[] =\n\t\"",
	    digest);
	for (const char *p = json; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\' || *p == '?')
			putchar('\\');
		putchar(*p);
		if (++column >= 100 && p[1] != '\0') {
			fputs("\"\n\t\"", stdout);
			column = 0;
		}
	}
	fputs("\";\n", stdout);
}

int
main(int argc, char **argv)
{
	struct rules *rules = NULL;
	struct err err = { "" };
	struct buffer text = { 0 };
	char *json = NULL;
	int bad = 1;

	if (argc != 2 || file_read(argv[1], RULES_FILE_MAX, &text, NULL) < 0)
		fprintf(stderr, "usage: pack default.yaml > default.c\n");
	else if (rules_text(&rules, argv[1], (const char *)text.at, text.len, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	else if ((json = json_dumps(rules_set(rules), JSON_COMPACT | JSON_ENSURE_ASCII)) != NULL) {
		write_c(json, rules_digest(rules));
		bad = fflush(stdout) != 0 || ferror(stdout);
	}
	free(json);
	buffer_free(&text);
	rules_free(rules);
	return bad;
}
