/* Commands: lists of arguments written as one line of a shell, and what a rule may not write. */
#include "rules/tree.h"

#include <stdlib.h>
#include <string.h>

bool
command_next(const char *command, const char **at, struct argument *ret)
{
	static const char ends[] = { ARGUMENT_END, SCRIPT_END, '\0' };
	const char *text = *at;
	bool first = text == command;

	if (*text == STEP_START) {
		first = true;
		text++;
	}
	*ret = (struct argument){ .text = text, .len = strcspn(text, ends), .first = first };
	if (text[ret->len] == '\0')
		return false;
	ret->script = text[ret->len] == SCRIPT_END;
	*at = text + ret->len + 1;
	return true;
}

/* A command while it is written: as a line for the shell and as arguments. */
struct writer {
	FILE *line, *arguments;
	enum lang lang, inner; /* of the line, and of a script in it */
	const struct values *values;
	bool full;
};

/* "--host": a list of arguments may name options of its own. Other values with a dash in front are
 * quoted, so that they show as values. */
static bool
is_option(const char *value)
{
	return strncmp(value, "--", 2) == 0 && value[2] != '\0' &&
	       strspn(value + 2, "abcdefghijklmnopqrstuvwxyz-") == strlen(value + 2);
}

/* An argument with its gaps: those stay bare, what is between them is one word each. A ~/ at the
 * start is the shell's to expand. */
static void
write_word(struct writer *writer, const char *template, char *filled)
{
	bool option = template[0] == '-' || is_option(filled);
	char *p = filled;

	if (strncmp(template, "~/", 2) == 0 && template[2] != '\0') {
		fputs("~/", writer->line);
		fputs("~/", writer->arguments);
		p += 2;
	}
	do {
		size_t n = strcspn(p, (const char[]){ GAP_START, '\0' });
		char next = p[n];

		p[n] = '\0';
		if (n > 0 || (p == filled && next == '\0'))
			quote_word(writer->line, writer->lang, p,
				   p == filled && *p == '-' && !option);
		fputs(p, writer->arguments);
		p += n;
		if (next == '\0')
			return;
		n = strcspn(++p, (const char[]){ GAP_END, '\0' });
		fwrite(p, 1, n, writer->line);
		fwrite(p, 1, n, writer->arguments);
		p += n + 1;
	} while (*p != '\0');
}

static int
fill_argument(struct writer *writer, const char *template, const struct values *values, bool script)
{
	char *filled = NULL;
	size_t size;
	FILE *out = open_memstream(&filled, &size);
	bool full;

	if (out == NULL)
		return -1;
	full = words_fill(out, template, script ? writer->inner : LANG_ARGUMENT, values);
	if (fclose(out) != 0) {
		free(filled);
		return -1;
	}
	writer->full = writer->full && full;
	if (script) {
		quote_word(writer->line, writer->lang, filled, true);
		fputs(filled, writer->arguments);
	} else {
		write_word(writer, template, filled);
	}
	putc(script ? SCRIPT_END : ARGUMENT_END, writer->arguments);
	free(filled);
	return 0;
}

/* The list that is the value of an argument that is nothing but a placeholder, NULL for none. */
static const json_t *
list_value(const char *template, const struct values *values)
{
	const char *rest = template, *from, *name;
	char key[64];
	const json_t *value;
	size_t len;

	if (!words_next(&rest, &from, &name, &len) || from != template || *rest != '\0' ||
	    len >= sizeof(key))
		return NULL;
	snprintf(key, sizeof(key), "%.*s", (int)len, name);
	value = words_value(key, values);
	return json_is_array(value) ? value : NULL;
}

/* Each value of the list is an argument. */
static int
write_list(struct writer *writer, const json_t *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		json_t *one = json_object();

		json_object_set(one, "value", json_array_get(list, i));
		if (i > 0)
			fputs(writer->lang == LANG_PS ? ", " : " ", writer->line);
		r = fill_argument(writer, "{value}", &(struct values){ .evidence = one }, false);
		json_decref(one);
	}
	return r;
}

enum lang
command_script_lang(enum lang now, const struct argument *argument)
{
	static const struct {
		const char *word;
		enum lang lang;
	} words[] = {
		{ "RunPowerShellScript", LANG_PS },
		{ "pwsh", LANG_PS },
		{ "powershell", LANG_PS },
		{ "powershell.exe", LANG_PS },
		{ "sed", LANG_OTHER },
		{ "awk", LANG_OTHER },
		{ "perl", LANG_OTHER },
		{ "python3", LANG_OTHER },
		{ "jq", LANG_OTHER },
		{ "cmd.exe", LANG_OTHER },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == argument->len &&
		    memcmp(argument->text, words[i].word, argument->len) == 0)
			return words[i].lang;
	return argument->first ? LANG_SH : now;
}

static int
write_argument(struct writer *writer, const struct argument *argument)
{
	char *template = strndup(argument->text, argument->len);
	const json_t *list;
	int r;

	if (template == NULL)
		return -1;
	list = argument->script ? NULL : list_value(template, writer->values);
	r = list != NULL ? write_list(writer, list)
			 : fill_argument(writer, template, writer->values, argument->script);
	free(template);
	return r;
}

static int
write_command(struct writer *writer, const char *command)
{
	struct argument argument;
	int r = 0;

	for (const char *at = command; r == 0 && command_next(command, &at, &argument);) {
		writer->inner = command_script_lang(writer->inner, &argument);
		if (argument.first && argument.text != command) {
			fputs(writer->lang == LANG_PS ? "; " : " && ", writer->line);
			putc(STEP_START, writer->arguments);
		} else if (!argument.first) {
			putc(' ', writer->line);
		}
		r = write_argument(writer, &argument);
	}
	return r;
}

bool
command_is_list(const char *command)
{
	return strchr(command, ARGUMENT_END) != NULL || strchr(command, SCRIPT_END) != NULL;
}

/* Is this ~/ of this computer one that a shell expands? On the VM it is another matter. */
static bool
is_tilde(const char *command, const char *at)
{
	static const char before[] = { ' ',          '=',        '(',        '\n',
				       ARGUMENT_END, SCRIPT_END, STEP_START, '\0' };

	return strncmp(at, "~/", 2) == 0 && strncmp(at, "~/.ssh/authorized_keys", 22) != 0 &&
	       (at == command || strchr(before, at[-1]) != NULL);
}

/* The command with {home} for each ~ where that is another folder for the shell than for ssh. The
 * caller frees. */
static char *
with_home(const char *command, const struct values *values)
{
	bool differs = words_value("home", values) != NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	for (const char *p = command; *p != '\0'; p++)
		if (differs && is_tilde(command, p))
			fputs("{home}", out);
		else
			putc(*p, out);
	return fclose(out) == 0 ? text : NULL;
}

char *
rules_command(const char *written, const char *dialect, const struct values *values,
	      char **arguments, bool *full)
{
	struct writer writer = { .lang = lang_of_dialect(dialect), .values = values, .full = true };
	char *line = NULL, *list = NULL,
	     *command = written != NULL ? with_home(written, values) : NULL;
	size_t line_size, list_size;
	int r = 0;

	if (command == NULL)
		return NULL;
	writer.line = open_memstream(&line, &line_size);
	writer.arguments = open_memstream(&list, &list_size);
	if (writer.line == NULL || writer.arguments == NULL)
		r = -1;
	else if (command_is_list(command))
		r = write_command(&writer, command);
	else
		writer.full = words_fill(writer.line, command, writer.lang, values);
	if (writer.line != NULL && fclose(writer.line) != 0)
		r = -1;
	if (writer.arguments != NULL && fclose(writer.arguments) != 0)
		r = -1;
	if (r < 0) {
		free(line);
		line = NULL;
	}
	if (full != NULL)
		*full = writer.full;
	if (arguments != NULL && line != NULL && command_is_list(command)) {
		*arguments = list;
		list = NULL;
	}
	free(command);
	free(list);
	return line;
}
