#include "report/wrap.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH = 16, SEARCH = 24 };

/* Which quotes and substitutions are open at a place of a shell command. */
struct shell {
	char open[DEPTH]; /* what closes each: ' " ) ` */
	size_t depth;
	bool lost;  /* nested too deeply to tell */
	bool posix; /* else PowerShell */
};

static char
top_of(const struct shell *shell)
{
	return shell->depth == 0 ? '\0' : shell->open[shell->depth - 1];
}

static void
push(struct shell *shell, char closes)
{
	if (shell->depth < DEPTH)
		shell->open[shell->depth++] = closes;
	else
		shell->lost = true;
}

/* Moves over one character, or over two that belong together; returns how many bytes. */
static size_t
step(struct shell *shell, const char *p)
{
	char top = top_of(shell);
	uint32_t cp;
	size_t len = visible_decode(p, strlen(p), &cp);

	if (len != 1)
		return len > 0 ? len : 1;
	if (*p == top) {
		shell->depth--;
		return 1;
	}
	if (top == '\'')
		return 1;
	if (*p == (shell->posix ? '\\' : '`') && p[1] != '\0')
		return 2;
	if (*p == '$' && p[1] == '(') {
		push(shell, ')');
		return 2;
	}
	if (*p == '"' || (*p == '`' && shell->posix) || (*p == '\'' && top != '"'))
		push(shell, *p);
	else if (*p == '(' && top == ')')
		push(shell, ')');
	return 1;
}

/* The length of the word at p, which is not blank. */
static size_t
word_len(const char *p, bool posix)
{
	struct shell shell = { .posix = posix };
	const char *start = p;

	while (*p != '\0' && !(*p == ' ' && shell.depth == 0 && !shell.lost))
		p += step(&shell, p);
	return (size_t)(p - start);
}

static size_t
columns_of(const char *text, size_t len)
{
	size_t columns = 0;
	uint32_t cp;

	for (size_t i = 0, n; i < len; i += n) {
		n = visible_decode(text + i, len - i, &cp);
		columns += n == 0 ? 1 : visible_columns(cp);
		n = n == 0 ? 1 : n;
	}
	return columns;
}

/* A command under way. */
struct writer {
	struct page *page;
	size_t at, indent; /* columns used; where later lines begin */
	bool posix;        /* else PowerShell */
	bool begun;        /* a word is on this line */
};

static void
put(struct writer *writer, const char *bytes, size_t len)
{
	fwrite(bytes, 1, len, writer->page->out);
	writer->at += columns_of(bytes, len);
}

/* Ends the line with the text that makes the shell go on, and begins the next. */
static void
new_line(struct writer *writer, const char *end, size_t indent)
{
	fprintf(writer->page->out, "%s\n%*s", end, (int)indent, "");
	writer->at = indent;
	writer->begun = false;
}

/* A place where a word can be broken. */
struct place {
	size_t at; /* bytes into the word */
	size_t columns;
	struct shell shell;
};

static bool
breakable(const struct shell *shell)
{
	char top = top_of(shell);

	return !shell->lost &&
	       (shell->depth == 0 || (shell->depth == 1 && (top == '\'' || top == '"')));
}

/* Finds where the rest of the word from `from` on has to be broken: false when it fits, or cannot
 * be broken any more. A blank or a slash near the end is the better place. */
static bool
find_break(const struct writer *writer, const char *word, size_t len, const struct place *from,
	   struct place *ret)
{
	struct place here = *from, any = { 0 }, good = { 0 };
	size_t room = writer->page->width - 2;

	here.columns = writer->at;
	while (here.at < len) {
		size_t n = step(&here.shell, word + here.at);

		here.columns += columns_of(word + here.at, n);
		here.at += n;
		if (here.columns > room && any.at > 0)
			break;
		if (!breakable(&here.shell) || here.at >= len)
			continue;
		any = here;
		if (strchr(" /,;", word[here.at - 1]) != NULL)
			good = here;
	}
	if (here.columns <= room || any.at == 0)
		return false;
	*ret = good.at > 0 && any.columns - good.columns < SEARCH ? good : any;
	return true;
}

/* A word that no line has room for: the quote is closed, the line continued, the quote opened
 * again. */
static void
put_long_word(struct writer *writer, const char *word, size_t len)
{
	struct place from = { .shell = { .posix = true } }, next;

	while (find_break(writer, word, len, &from, &next)) {
		bool quoted = top_of(&next.shell) == '\'';

		put(writer, word + from.at, next.at - from.at);
		new_line(writer, quoted ? "'\\" : "\\", 0);
		if (quoted)
			put(writer, "'", 1);
		from = next;
	}
	put(writer, word + from.at, len - from.at);
}

/* The bytes from p up to the next word that begins an option or another command: these belong on
 * one line. */
static size_t
group_len(const char *p, bool posix)
{
	size_t len = word_len(p, posix);

	while (p[len] == ' ' && p[len - 1] != ';' && p[len + 1] != '\0' &&
	       strchr("-&|; ", p[len + 1]) == NULL)
		len += 1 + word_len(p + len + 1, posix);
	return len;
}

static void
put_whole(struct writer *writer, const char *p, size_t len)
{
	if (writer->begun)
		put(writer, " ", 1);
	put(writer, p, len);
	writer->begun = true;
}

/* Writes these bytes, which end with a word: on this line, on the next, or else in parts. */
static void
put_words(struct writer *writer, const char *p, size_t len)
{
	const char *go_on = writer->posix ? " \\" : " `";
	size_t columns = columns_of(p, len), room = writer->page->width - 2,
	       word = word_len(p, writer->posix);

	if (writer->at + writer->begun + columns <= room) {
		put_whole(writer, p, len);
	} else if (writer->begun && writer->indent + columns <= room) {
		new_line(writer, go_on, writer->indent);
		put_whole(writer, p, len);
	} else if (word < len) {
		for (const char *end = p + len; p < end; p += word + 1) {
			word = word_len(p, writer->posix);
			put_words(writer, p, word);
		}
	} else {
		if (writer->begun && (!writer->posix || writer->at + SEARCH > room))
			new_line(writer, go_on, writer->indent);
		if (writer->posix && writer->begun)
			put(writer, " ", 1);
		if (writer->posix)
			put_long_word(writer, p, len);
		else
			put_whole(writer, p, len);
		writer->begun = true;
	}
}

static void
put_line(struct writer *writer, const char *p)
{
	while (*p != '\0') {
		size_t len = group_len(p, writer->posix);

		put_words(writer, p, len);
		p += len;
		while (*p == ' ')
			p++;
	}
}

void
page_command(struct page *page, const char *first, size_t indent, enum ink ink, const char *dialect,
	     const char *text)
{
	struct writer writer = { .page = page,
				 .indent = indent + 2,
				 .posix = strcmp(dialect, "powershell") != 0 };
	char *clean = visible_text(text == NULL ? "" : text, true), *rest = NULL;

	fputs(first, page->out);
	writer.at = page->at + visible_width(first);
	page->at = 0;
	for (char *line = clean != NULL ? strtok_r(clean, "\n", &rest) : NULL; line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (writer.at < indent)
			fprintf(page->out, "%*s", (int)(indent - writer.at), "");
		writer.at = writer.at < indent ? indent : writer.at;
		if (ink != INK_NONE)
			page_ink(page, ink);
		if (page->width >= PAGE_ENDLESS)
			fputs(line, page->out);
		else
			put_line(&writer, line);
		if (ink != INK_NONE)
			page_ink(page, INK_NONE);
		putc('\n', page->out);
		writer.at = 0;
		writer.begun = false;
	}
	free(clean);
}

/* The last word of a line; "" for none. */
static const char *
last_word(const char *line)
{
	const char *last = line;

	for (const char *p = line; *p != '\0';) {
		last = p;
		p += word_len(p, true);
		while (*p == ' ')
			p++;
	}
	return last;
}

/* true for '...' without any other quote in it. */
static bool
is_plain_quoted(const char *word)
{
	size_t len = strlen(word);

	return len > 2 && word[0] == '\'' && word[len - 1] == '\'' &&
	       memchr(word + 1, '\'', len - 2) == NULL;
}

/* true when all of them are the same up to their last word, a quoted script. */
static bool
differ_in_script(const char *const *commands, size_t count, size_t head)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(commands[i], commands[0], head) != 0 ||
		    last_word(commands[i]) != commands[i] + head ||
		    !is_plain_quoted(commands[i] + head))
			return false;
	return true;
}

char *
command_joined(const char *const *commands, size_t count)
{
	size_t head = count > 1 ? (size_t)(last_word(commands[0]) - commands[0]) : 0, size;
	char *text = NULL;
	FILE *out;

	if (head == 0 || !differ_in_script(commands, count, head) ||
	    (out = open_memstream(&text, &size)) == NULL)
		return NULL;
	fprintf(out, "%.*s'", (int)head, commands[0]);
	for (size_t i = 0; i < count; i++) {
		const char *script = commands[i] + head;

		fprintf(out, "%s%.*s", i > 0 ? "; " : "", (int)strlen(script) - 2, script + 1);
	}
	putc('\'', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
