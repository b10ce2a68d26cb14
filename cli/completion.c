#include "cli/completion.h"
#include "checks/checks.h"
#include "cli/option.h"

#include <errno.h>
#include <string.h>

/* The words that an option's value is one of, with blanks between; nothing for free text. */
static void
write_words(FILE *out, const struct option_row *row)
{
	char names[256];

	if (row->words != NULL) {
		for (const char *p = row->words; *p != '\0'; p++)
			putc(*p == '|' ? ' ' : *p, out);
	} else if (row->kind == OPT_FORMAT) {
		format_names(names, sizeof(names), ' ');
		fputs(names, out);
	} else if (row->kind == OPT_COMMAS || strncmp(row->arg, "CODE", 4) == 0) {
		for (size_t i = CHECK_NONE + 1; i < CHECK_COUNT; i++)
			fprintf(out, "%s%s", i > CHECK_NONE + 1 ? " " : "", check_table[i].id);
		for (size_t i = CODE_CUSTOM + 1; row->kind != OPT_COMMAS && i < CODE_COUNT; i++)
			fprintf(out, " %s", code_table[i].word);
	}
}

static bool
takes_file(const struct option_row *row)
{
	return row->arg != NULL && strcmp(row->arg, "FILE") == 0;
}

static bool
has_words(const struct option_row *row)
{
	return row->words != NULL || row->kind == OPT_FORMAT || row->kind == OPT_COMMAS ||
	       strncmp(row->arg, "CODE", 4) == 0;
}

/* ---- bash ---- */

static void
bash_option(FILE *out, const struct option_row *row)
{
	if (row->arg == NULL)
		return;
	fputs("  ", out);
	if (row->letter != 0)
		fprintf(out, "-%c|", row->letter);
	fprintf(out, "--%s) ", row->name);
	if (takes_file(row)) {
		fputs("COMPREPLY=($(compgen -f -- \"$cur\"))", out);
	} else if (has_words(row)) {
		fputs("COMPREPLY=($(compgen -W '", out);
		write_words(out, row);
		fputs("' -- \"$cur\"))", out);
	} else {
		fputs("COMPREPLY=()", out);
	}
	fputs(" ;;\n", out);
}

static void
write_bash(FILE *out, const struct option_row *rows, size_t count)
{
	fputs("_azssh_doctor() {\n"
	      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "  case $prev in\n",
	      out);
	for (size_t i = 0; i < count; i++)
		if (rows[i].name != NULL)
			bash_option(out, &rows[i]);
	fputs("  *) COMPREPLY=($(compgen -W '", out);
	for (size_t i = 0; i < count; i++)
		if (rows[i].name != NULL)
			fprintf(out, "--%s ", rows[i].name);
	fputs("' -- \"$cur\")) ;;\n  esac\n}\ncomplete -F _azssh_doctor azssh-doctor\n", out);
}

/* ---- zsh and fish ---- */

/* In '...'; zsh also needs brackets and colons escaped. */
static void
write_help(FILE *out, const char *help, const char *escape)
{
	for (const char *p = help != NULL ? help : ""; *p != '\0'; p++)
		if (*p == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c", strchr(escape, *p) != NULL ? "\\" : "", *p);
}

static void
zsh_value(FILE *out, const struct option_row *row)
{
	if (takes_file(row)) {
		fputs(":value:_files", out);
	} else if (has_words(row)) {
		fputs(":value:(", out);
		write_words(out, row);
		putc(')', out);
	} else {
		fputs(":value: ", out);
	}
}

static void
write_zsh(FILE *out, const struct option_row *rows, size_t count)
{
	fputs("#compdef azssh-doctor\n_arguments -s", out);
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = &rows[i];

		if (row->name == NULL)
			continue;
		fputs(" \\\n  ", out);
		if (row->letter != 0)
			fprintf(out, "'*'{-%c,--%s}'[", row->letter, row->name);
		else
			fprintf(out, "'*--%s[", row->name);
		write_help(out, row->help, "[]:");
		putc(']', out);
		if (row->arg != NULL)
			zsh_value(out, row);
		putc('\'', out);
	}
	putc('\n', out);
}

static void
write_fish(FILE *out, const struct option_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = &rows[i];

		if (row->name == NULL)
			continue;
		fprintf(out, "complete -c azssh-doctor -l %s", row->name);
		if (row->letter != 0)
			fprintf(out, " -s %c", row->letter);
		if (row->arg != NULL)
			fputs(takes_file(row) ? " -r -F" : " -x", out);
		if (row->arg != NULL && !takes_file(row) && has_words(row)) {
			fputs(" -a '", out);
			write_words(out, row);
			putc('\'', out);
		}
		fputs(" -d '", out);
		write_help(out, row->help, "\\");
		fputs("'\n", out);
	}
}

int
completion_write(FILE *out, const char *shell)
{
	static const struct {
		const char *shell;
		void (*write)(FILE *out, const struct option_row *rows, size_t count);
	} shells[] = { { "bash", write_bash }, { "zsh", write_zsh }, { "fish", write_fish } };
	size_t count;
	const struct option_row *rows = option_rows(&count);

	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		if (strcmp(shells[i].shell, shell) == 0)
			shells[i].write(out, rows, count);
	return format_end(out);
}
