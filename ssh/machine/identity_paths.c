#include "ssh/machine/identity.h"

#include <openssl/evp.h>

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A path under way. */
struct path {
	struct buffer text;
	bool refused; /* ssh would not take it */
};

/* NULL is a name that is not known. */
static void
add_word(struct path *path, const char *word)
{
	if (word == NULL || path->text.len + strlen(word) > 1u << 16)
		path->refused = true;
	else
		buffer_add(&path->text, word, strlen(word));
}

static void
add_number(struct path *path, unsigned number)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", number);
	add_word(path, digits);
}

/* %C: a digest of the local name, the host, the port and the user. */
static void
add_digest(struct path *path, const struct identity_names *names)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct path plain = { 0 };
	unsigned size = 0;
	char hex[3];

	add_word(&plain, names->local_host);
	add_word(&plain, names->hostname);
	add_number(&plain, (unsigned)names->port);
	add_word(&plain, names->user);
	if (names->jump != NULL)
		add_word(&plain, names->jump);
	if (plain.refused ||
	    EVP_Digest(plain.text.at, plain.text.len, digest, &size, EVP_sha1(), NULL) != 1)
		path->refused = true;
	for (unsigned i = 0; i < size; i++) {
		snprintf(hex, sizeof(hex), "%02x", digest[i]);
		add_word(path, hex);
	}
	buffer_free(&plain.text);
}

static void
add_token(struct path *path, char token, const struct identity_names *names)
{
	switch (token) {
	case '%':
		add_word(path, "%");
		return;
	case 'C':
		add_digest(path, names);
		return;
	case 'd':
		add_word(path, names->home);
		return;
	case 'h':
		add_word(path, names->hostname);
		return;
	case 'i':
		add_number(path, names->uid);
		return;
	case 'j':
		add_word(path, names->jump != NULL ? names->jump : "");
		return;
	case 'k':
		add_word(path, names->alias != NULL ? names->alias : names->name);
		return;
	case 'L':
		if (names->local_host != NULL)
			buffer_add(&path->text, names->local_host, strcspn(names->local_host, "."));
		return;
	case 'l':
		add_word(path, names->local_host);
		return;
	case 'n':
		add_word(path, names->name);
		return;
	case 'p':
		add_number(path, (unsigned)names->port);
		return;
	case 'r':
		add_word(path, names->user);
		return;
	case 'u':
		add_word(path, names->local_user);
		return;
	default:
		path->refused = true;
	}
}

/* ${NAME} at `at`; returns its length, 0 when it is none. A variable that is not set makes ssh give
 * up. */
static size_t
add_variable(struct path *path, const char *at)
{
	const char *end = strchr(at, '}');
	char name[256];

	if (at[0] != '$' || at[1] != '{' || end == NULL || (size_t)(end - at) - 2 >= sizeof(name))
		return 0;
	memcpy(name, at + 2, (size_t)(end - at) - 2);
	name[end - at - 2] = '\0';
	add_word(path, getenv(name));
	return (size_t)(end - at) + 1;
}

/* "~" and "~user" in front; returns how much of the path they are. */
static size_t
add_home(struct path *path, const char *from, const char *home)
{
	size_t len = strcspn(from, "/");
	const struct passwd *pw;
	char name[256];

	if (*from != '~')
		return 0;
	if (len == 1) {
		add_word(path, home);
		return 1;
	}
	if (len > sizeof(name)) {
		path->refused = true;
		return len;
	}
	memcpy(name, from + 1, len - 1);
	name[len - 1] = '\0';
	pw = getpwnam(name);
	add_word(path, pw != NULL ? pw->pw_dir : NULL);
	return len;
}

char *
identity_path(const char *from, const struct identity_names *names)
{
	struct path path = { 0 };
	char folder[4096];
	size_t i = add_home(&path, from, names->home), skip;

	if (i == 0 && *from != '/' && *from != '%' && *from != '$') {
		add_word(&path, getcwd(folder, sizeof(folder)));
		add_word(&path, "/");
		while (from[i] == '.' && from[i + 1] == '/')
			i += 2;
	}
	while (from[i] != '\0' && !path.refused) {
		if (from[i] == '%') {
			add_token(&path, from[i + 1], names);
			i += from[i + 1] != '\0' ? 2 : 1;
		} else if ((skip = add_variable(&path, from + i)) > 0) {
			i += skip;
		} else {
			add_word(&path, (const char[]){ from[i++], '\0' });
		}
	}
	if (path.refused)
		buffer_free(&path.text);
	return (char *)path.text.at;
}
