/* The words of a query. */
#include "tests/sim/kql.h"

#include <string.h>

void
kql_complain(struct kql_reader *reader, const char *what)
{
	if (reader->why == NULL)
		reader->why = text_format("%s near '%.40s'", what, reader->text);
	reader->token = KQL_END;
	*reader->text = '\0';
	reader->at += strlen(reader->at);
}

static void
read_text(struct kql_reader *reader, char quote)
{
	size_t used = 0;
	const char *at = reader->at;

	for (;; at++) {
		if (*at == '\0' || used + 1 >= sizeof reader->text) {
			kql_complain(reader, "unterminated string");
			return;
		}
		if (*at == quote && reader->odata && at[1] == quote)
			at++;
		else if (*at == quote)
			break;
		else if (*at == '\\' && !reader->odata && at[1] != '\0')
			at++;
		reader->text[used++] = *at;
	}
	reader->text[used] = '\0';
	reader->at = at + 1;
	reader->token = KQL_TEXT;
}

static void
read_span(struct kql_reader *reader, enum kql_token token, size_t length)
{
	if (length >= sizeof reader->text) {
		kql_complain(reader, "token too long");
		return;
	}
	memcpy(reader->text, reader->at, length);
	reader->text[length] = '\0';
	reader->at += length;
	reader->token = token;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$"
#define DIGITS "0123456789"

void
kql_next(struct kql_reader *reader)
{
	static const char *const signs[] = { "==", "!=", "=~", "!~", "<=", ">=", "<>" };
	size_t length;

	reader->at += strspn(reader->at, " \t\r\n");
	*reader->text = '\0';
	reader->token = KQL_END;
	if (*reader->at == '\0')
		return;
	if (*reader->at == '\'' || *reader->at == '"') {
		reader->at++;
		read_text(reader, reader->at[-1]);
		return;
	}
	length = strspn(reader->at, DIGITS);
	if (length > 0) {
		read_span(reader, KQL_NUMBER, length);
		return;
	}
	length = *reader->at == '!' ? 1 : 0;
	if (strspn(reader->at + length, LETTERS) > 0) {
		length += strspn(reader->at + length,
				 reader->odata ? LETTERS DIGITS "/." : LETTERS DIGITS);
		if (reader->at[length] == '~')
			length++;
		else if (strncmp(reader->at, "project-away", 12) == 0 ||
			 strncmp(reader->at, "project-keep", 12) == 0)
			length = 12;
		else if (strncmp(reader->at, "mv-expand", 9) == 0)
			length = 9;
		read_span(reader, KQL_NAME, length);
		return;
	}
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		if (strncmp(reader->at, signs[i], 2) == 0) {
			read_span(reader, KQL_SIGN, 2);
			return;
		}
	}
	read_span(reader, KQL_SIGN, 1);
}

bool
kql_is(const struct kql_reader *reader, const char *text)
{
	return (reader->token == KQL_NAME || reader->token == KQL_SIGN) &&
	       text_same(reader->text, text);
}

bool
kql_take(struct kql_reader *reader, const char *text)
{
	if (!kql_is(reader, text))
		return false;
	kql_next(reader);
	return true;
}

void
kql_expect(struct kql_reader *reader, const char *text)
{
	if (!kql_take(reader, text))
		kql_complain(reader, "syntax error");
}
