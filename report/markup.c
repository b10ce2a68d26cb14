#include "report/markup.h"
#include "facts/visible.h"

#include <stdlib.h>
#include <string.h>

void
markup_text(FILE *out, const char *text)
{
	char *clean = visible_text(text, true);

	for (const char *p = clean; p != NULL && *p != '\0'; p++) {
		if (strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0) {
			fputs(p[2] == '\xbe' ? "\\ufffe" : "\\uffff", out); /* not in XML */
			p += 2;
			continue;
		}
		switch (*p) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			putc(*p, out);
		}
	}
	free(clean);
}

void
markup_attribute(FILE *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(out, " %s=\"", name);
	markup_text(out, text);
	putc('"', out);
}

void
markup_element(FILE *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	fprintf(out, "<%s>", name);
	markup_text(out, text);
	fprintf(out, "</%s>", name);
}
