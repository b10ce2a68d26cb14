#include "facts/command.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CUT "[cut]"

enum { TOKEN_MIN = 24, NAME_MAX_BYTES = 128 };

struct word {
	const char *at;
	size_t len;
};

/* What the words before tell of the next ones. */
struct state {
	bool sshpass;
	unsigned cut;  /* so many words are secret */
	bool password; /* the next word may be USER:PASSWORD */
};

static bool
word_is(const struct word *word, const char *text)
{
	return strlen(text) == word->len && strncasecmp(word->at, text, word->len) == 0;
}

/* true for the name of an option or variable that holds a secret. */
static bool
names_secret(const char *at, size_t len)
{
	static const char *const parts[] = { "pass",         "pwd",        "secret",
					     "token",        "apikey",     "api-key",
					     "api_key",      "accesskey",  "access-key",
					     "access_key",   "credential", "cookie",
					     "authorization" };
	char name[NAME_MAX_BYTES];

	if (len >= sizeof(name))
		len = sizeof(name) - 1;
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)at[i]);
	name[len] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (strstr(name, parts[i]) != NULL)
			return true;
	return false;
}

/* Settings of ssh have such names too. */
static bool
plain_value(const char *at, size_t len)
{
	static const char *const values[] = { "yes", "no", "none", "true", "false", "ask" };

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (strlen(values[i]) == len && strncasecmp(values[i], at, len) == 0)
			return true;
	return false;
}

/* Long, of letters in both cases and digits, and nothing that paths and names have. */
static bool
looks_like_token(const struct word *word)
{
	bool upper = false, lower = false, digit = false;

	if (word->len > 20 && strncmp(word->at, "eyJ", 3) == 0)
		return true;
	for (size_t i = 0; i < word->len; i++) {
		unsigned char c = (unsigned char)word->at[i];

		upper |= isupper(c) != 0;
		lower |= islower(c) != 0;
		digit |= isdigit(c) != 0;
		if (!isalnum(c) && strchr("+_=-\"'", c) == NULL)
			return false;
	}
	return word->len >= TOKEN_MIN && upper && lower && digit;
}

/* "user:password@host", perhaps behind "https://": where the password begins and ends. */
static bool
userinfo(const struct word *word, size_t *from, size_t *to)
{
	const char *end = word->at + word->len, *at = memchr(word->at, '@', word->len),
		   *scheme =
		       at != NULL ? memmem(word->at, (size_t)(at - word->at), "://", 3) : NULL,
		   *start = scheme != NULL ? scheme + 3 : word->at, *colon;

	if (at == NULL || (colon = memchr(start, ':', (size_t)(at - start))) == NULL)
		return false;
	while (memchr(at + 1, '@', (size_t)(end - at - 1)) != NULL)
		at = memchr(at + 1, '@', (size_t)(end - at - 1));
	*from = (size_t)(colon + 1 - word->at);
	*to = (size_t)(at - word->at);
	return true;
}

static void
write_cut(FILE *out, const struct word *word, size_t from, size_t to)
{
	fwrite(word->at, 1, from, out);
	fputs(CUT, out);
	fwrite(word->at + to, 1, word->len - to, out);
}

/* A word that says what the next one is. */
static void
learn(struct state *state, const struct word *word)
{
	static const char *const users[] = { "-u", "-U", "--user", "--proxy-user" };
	struct word bare = *word;

	while (bare.len > 0 && strchr("\"'", bare.at[0]) != NULL) {
		bare.at++;
		bare.len--;
	}
	if (bare.len >= 7 && strncmp(bare.at + bare.len - 7, "sshpass", 7) == 0)
		state->sshpass = true;
	else if (state->sshpass && bare.len > 0 && bare.at[0] != '-')
		state->sshpass = false;
	if (word_is(&bare, "authorization:"))
		state->cut = 2;
	else if (word_is(&bare, "bearer") || word_is(&bare, "basic") || word_is(&bare, "-pw") ||
		 (state->sshpass && word_is(&bare, "-p")) ||
		 (bare.at[0] == '-' && bare.len > 1 && names_secret(bare.at, bare.len)))
		state->cut = 1;
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++)
		state->password |= word_is(&bare, users[i]);
}

static void
write_word(FILE *out, struct state *state, const struct word *word)
{
	const char *equals = memchr(word->at, '=', word->len),
		   *colon = memchr(word->at, ':', word->len);
	bool password = state->password;
	size_t from, to;

	state->password = false;
	if (state->cut > 0) {
		state->cut--;
		fputs(CUT, out);
		return;
	}
	from = equals != NULL ? (size_t)(equals + 1 - word->at) : 0;
	if (equals != NULL && names_secret(word->at, from) && from < word->len &&
	    !plain_value(equals + 1, word->len - from))
		write_cut(out, word, from, word->len);
	else if (state->sshpass && word->len > 2 && strncmp(word->at, "-p", 2) == 0)
		write_cut(out, word, 2, word->len);
	else if (userinfo(word, &from, &to))
		write_cut(out, word, from, to);
	else if (password && colon != NULL)
		write_cut(out, word, (size_t)(colon + 1 - word->at), word->len);
	else if (looks_like_token(word))
		fputs(CUT, out);
	else
		fwrite(word->at, 1, word->len, out);
	if (equals == NULL)
		learn(state, word);
}

char *
command_shown(const char *text, size_t len)
{
	struct state state = { 0 };
	char *shown = NULL;
	size_t size, blanks;
	FILE *out = open_memstream(&shown, &size);
	struct word word;

	for (size_t i = 0; i < len;) {
		for (blanks = 0; i + blanks < len && isspace((unsigned char)text[i + blanks]);)
			blanks++;
		fwrite(text + i, 1, blanks, out);
		i += blanks;
		word = (struct word){ text + i, 0 };
		while (i + word.len < len && !isspace((unsigned char)text[i + word.len]))
			word.len++;
		if (word.len > 0)
			write_word(out, &state, &word);
		i += word.len;
	}
	fclose(out);
	return shown;
}
