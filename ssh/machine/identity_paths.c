#include "ssh/machine/identity.h"

#include <openssl/evp.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A text that grows; `failed` once it could not, or ssh would not take it. */
struct text {
	char *at;
	size_t len;
	bool failed;
};

static void
add(struct text *text, const char *bytes, size_t len)
{
	char *grown = text->failed || text->len + len > 1u << 16
			  ? NULL
			  : realloc(text->at, text->len + len + 1);

	if (grown == NULL) {
		text->failed = true;
		return;
	}
	memcpy(grown + text->len, bytes, len);
	text->at = grown;
	text->len += len;
	grown[text->len] = '\0';
}

static void
add_word(struct text *text, const char *word)
{
	if (word == NULL)
		text->failed = true;
	else
		add(text, word, strlen(word));
}

static void
add_number(struct text *text, unsigned number)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", number);
	add_word(text, digits);
}

/* %C: a digest of the local name, the host, the port and the user. */
static void
add_digest(struct text *text, const struct identity_names *names)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct text plain = { 0 };
	unsigned size;
	char hex[3];

	add_word(&plain, names->local_host);
	add_word(&plain, names->hostname);
	add_number(&plain, (unsigned)names->port);
	add_word(&plain, names->user);
	if (names->jump != NULL)
		add_word(&plain, names->jump);
	if (plain.failed || EVP_Digest(plain.at, plain.len, digest, &size, EVP_sha1(), NULL) != 1) {
		text->failed = true;
		size = 0;
	}
	for (unsigned i = 0; i < size; i++) {
		snprintf(hex, sizeof(hex), "%02x", digest[i]);
		add(text, hex, 2);
	}
	free(plain.at);
}

static void
add_token(struct text *text, char token, const struct identity_names *names)
{
	switch (token) {
	case '%':
		add(text, "%", 1);
		return;
	case 'C':
		add_digest(text, names);
		return;
	case 'd':
		add_word(text, names->home);
		return;
	case 'h':
		add_word(text, names->hostname);
		return;
	case 'i':
		add_number(text, names->uid);
		return;
	case 'j':
		add_word(text, names->jump != NULL ? names->jump : "");
		return;
	case 'k':
		add_word(text, names->alias != NULL ? names->alias : names->name);
		return;
	case 'L':
		add(text, names->local_host != NULL ? names->local_host : "",
		    names->local_host != NULL ? strcspn(names->local_host, ".") : 0);
		return;
	case 'l':
		add_word(text, names->local_host);
		return;
	case 'n':
		add_word(text, names->name);
		return;
	case 'p':
		add_number(text, (unsigned)names->port);
		return;
	case 'r':
		add_word(text, names->user);
		return;
	case 'u':
		add_word(text, names->local_user);
		return;
	default:
		text->failed = true;
	}
}

/* ${NAME} at `at`; returns its length, 0 when it is none. A variable that is not set makes ssh give
 * up. */
static size_t
add_variable(struct text *text, const char *at)
{
	const char *end = strchr(at, '}');
	char name[256];

	if (at[0] != '$' || at[1] != '{' || end == NULL || (size_t)(end - at) - 2 >= sizeof(name))
		return 0;
	memcpy(name, at + 2, (size_t)(end - at) - 2);
	name[end - at - 2] = '\0';
	add_word(text, getenv(name));
	return (size_t)(end - at) + 1;
}

/* "~" and "~user" in front; returns how much of the path they are. */
static size_t
add_home(struct text *text, const char *path, const char *home)
{
	size_t len = strcspn(path, "/");
	const struct passwd *pw;
	char name[256];

	if (*path != '~')
		return 0;
	if (len == 1) {
		add_word(text, home);
		return 1;
	}
	if (len > sizeof(name)) {
		text->failed = true;
		return len;
	}
	memcpy(name, path + 1, len - 1);
	name[len - 1] = '\0';
	pw = getpwnam(name);
	add_word(text, pw != NULL ? pw->pw_dir : NULL);
	return len;
}

char *
identity_path(const char *path, const struct identity_names *names)
{
	struct text text = { 0 };
	char folder[4096];
	size_t i = add_home(&text, path, names->home), skip;

	if (i == 0 && *path != '/' && *path != '%' && *path != '$') {
		add_word(&text, getcwd(folder, sizeof(folder)));
		add(&text, "/", 1);
		while (path[i] == '.' && path[i + 1] == '/')
			i += 2;
	}
	while (path[i] != '\0' && !text.failed) {
		if (path[i] == '%') {
			add_token(&text, path[i + 1], names);
			i += path[i + 1] != '\0' ? 2 : 1;
		} else if ((skip = add_variable(&text, path + i)) > 0) {
			i += skip;
		} else {
			add(&text, path + i++, 1);
		}
	}
	if (text.failed) {
		free(text.at);
		return NULL;
	}
	return text.at;
}
