#include "azure/arm/secrets.h"
#include "facts/doc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CUT "[cut]"

void
secret_free(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void
secrets_learn(struct secrets *secrets, const char *value)
{
	if (value == NULL || strlen(value) < 6)
		return;
	for (size_t i = 0; i < secrets->count; i++)
		if (strcmp(secrets->known[i], value) == 0)
			return;
	if (secrets->count == sizeof(secrets->known) / sizeof(*secrets->known)) {
		secret_free(secrets->known[0]);
		memmove(secrets->known, secrets->known + 1,
			sizeof(secrets->known) - sizeof(*secrets->known));
		secrets->count--;
	}
	if ((secrets->known[secrets->count] = strdup(value)) != NULL)
		secrets->count++;
}

void
secrets_free(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->count; i++)
		secret_free(secrets->known[i]);
	secrets->count = 0;
}

/* What stands before a secret inside a text, and what ends it. */
static const struct marker {
	const char *word, *ends;
} markers[] = {
	{ "sig=", "&\"' \t\r\n<>" },
	{ "sig%3d", "&\"' \t\r\n<>" },
	{ "AccountKey=", ";\"' \r\n" },
	{ "SharedAccessKey=", ";\"' \r\n" },
	{ "SharedAccessSignature=", ";\"' \r\n" },
	{ "password=", ";&\"' \r\n" },
	{ "pwd=", ";&\"' \r\n" },
	{ "client_secret=", ";&\"' \r\n" },
	{ "client_assertion=", ";&\"' \r\n" },
	{ "access_token=", ";&\"' \r\n" },
	{ "refresh_token=", ";&\"' \r\n" },
	{ "Bearer ", ",;\"' \t\r\n" },
};

static size_t
base64url_run(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '-' || p[n] == '_')
		n++;
	return n;
}

/* What a walk over a text has learned, so that no byte is looked at from every place before it. */
struct walk {
	const struct secrets *secrets;
	const char *no_jwt; /* none begins before this */
};

/* The length of the JWT that begins here, 0 when there is none. Then none begins in the same run
 * either: what follows the run would be the same, and the head shorter. */
static size_t
jwt_length(struct walk *walk, const char *p)
{
	size_t head, body = 0;

	if (p < walk->no_jwt || strncmp(p, "eyJ", 3) != 0)
		return 0;
	head = base64url_run(p);
	if (head >= 8 && p[head] == '.')
		body = base64url_run(p + head + 1);
	if (body >= 4 && p[head + 1 + body] == '.')
		return head + body + 2 + base64url_run(p + head + body + 2);
	walk->no_jwt = p + head;
	return 0;
}

/* The length of the private key whose armour begins here: to the end of the text when it has no
 * end, 0 when it is no private key. */
static size_t
private_key_length(const char *p)
{
	static const char word[] = "PRIVATE KEY-----";
	const size_t len = sizeof(word) - 1;
	const char *line, *end;

	if (strncmp(p, "-----BEGIN ", 11) != 0)
		return 0;
	line = memmem(p, strnlen(p, 40 + len), word, len);
	if (line == NULL)
		return 0;
	end = strstr(line, "-----END ");
	if (end != NULL && (line = strstr(end, word)) != NULL)
		return (size_t)(line - p) + len;
	return strlen(p);
}

/* How many bytes at p are to be kept before a cut (*keep) and then cut; 0 when nothing secret
 * begins here. */
static size_t
secret_at(struct walk *walk, const char *p, bool boundary, size_t *keep)
{
	const struct secrets *secrets = walk->secrets;
	size_t n;

	*keep = 0;
	for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
		if (strncmp(p, secrets->known[i], strlen(secrets->known[i])) == 0)
			return strlen(secrets->known[i]);
	if (*p == 'e' && (n = jwt_length(walk, p)) != 0)
		return n;
	if (*p == '-' && (n = private_key_length(p)) != 0)
		return n;
	for (size_t i = 0; boundary && i < sizeof(markers) / sizeof(*markers); i++) {
		n = strlen(markers[i].word);
		if (strncasecmp(p, markers[i].word, n) != 0)
			continue;
		*keep = n;
		return strcspn(p + n, markers[i].ends);
	}
	return 0;
}

/* true when nothing in the text can be secret: most texts, at the cost of a few scans. */
static bool
harmless(const struct secrets *secrets, const char *text)
{
	if (strpbrk(text, "=%") != NULL || strstr(text, "eyJ") != NULL ||
	    strstr(text, "-----BEGIN") != NULL || strcasestr(text, "bearer ") != NULL)
		return false;
	for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
		if (strstr(text, secrets->known[i]) != NULL)
			return false;
	return true;
}

char *
secrets_text(const struct secrets *secrets, const char *text)
{
	char *out;
	size_t used = 0, keep, n;
	struct walk walk = { .secrets = secrets, .no_jwt = text };
	const char *p = text;

	if (text == NULL || harmless(secrets, text))
		return text != NULL ? strdup(text) : NULL;
	/* the shortest that grows is "sig=x", by four bytes */
	if ((out = malloc(strlen(text) * 2 + 1)) == NULL)
		return NULL;
	while (*p != '\0') {
		if ((n = secret_at(&walk, p, p == text || !isalnum((unsigned char)p[-1]), &keep)) ==
		    0) {
			out[used++] = *p++;
			continue;
		}
		memcpy(out + used, p, keep);
		memcpy(out + used + keep, CUT, sizeof(CUT) - 1);
		used += keep + sizeof(CUT) - 1;
		p += keep + n;
	}
	out[used] = '\0';
	return out;
}

/* The last 63 letters and digits of the key, in lower case. */
static void
plain_key(const char *key, char ret[static 64])
{
	size_t count = 0, used = 0, skip;

	for (const char *p = key; *p != '\0'; p++)
		count += isalnum((unsigned char)*p) != 0;
	skip = count > 63 ? count - 63 : 0;
	for (; *key != '\0'; key++)
		if (isalnum((unsigned char)*key) && skip > 0)
			skip--;
		else if (isalnum((unsigned char)*key))
			ret[used++] = (char)tolower((unsigned char)*key);
	ret[used] = '\0';
}

static bool
ends_with(const char *text, const char *end)
{
	size_t lt = strlen(text), le = strlen(end);

	return lt >= le && strcmp(text + lt - le, end) == 0;
}

/* Members that are secret whatever they hold. */
static bool
secret_member(const char *plain)
{
	static const char *const words[] = {
		"protectedsettings", "protectedparameters",       "customdata",
		"userdata",          "additionalunattendcontent", "commandtoexecute"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(plain, words[i]) == 0)
			return true;
	return false;
}

/* Members that are secret when they hold a text. Inside extension settings any kind of key is. */
static bool
secret_text_member(const char *plain, bool settings)
{
	static const char *const words[] = { "password",
					     "passwd",
					     "pwd",
					     "passphrase",
					     "secret",
					     "secretvalue",
					     "accesskey",
					     "accountkey",
					     "primarykey",
					     "secondarykey",
					     "sharedkey",
					     "apikey",
					     "privatekey",
					     "connectionstring",
					     "sastoken",
					     "sasuri",
					     "sasurl",
					     "accesstoken",
					     "refreshtoken",
					     "idtoken",
					     "bearertoken",
					     "token",
					     "authorization",
					     "clientassertion",
					     "sharedaccesssignature",
					     "credentials" };
	static const char *const settings_words[] = { "key", "sas", "credential", "certificate",
						      "script" };

	if (strcmp(plain, "skiptoken") == 0)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (ends_with(plain, words[i]))
			return true;
	for (size_t i = 0; settings && i < sizeof(settings_words) / sizeof(*settings_words); i++)
		if (ends_with(plain, settings_words[i]))
			return true;
	return false;
}

static void cut_object(const struct secrets *secrets, json_t *object, bool settings);
static void cut_array(const struct secrets *secrets, json_t *array, bool settings);

/* The string to stand in the place of this one, NULL when it may stay. */
static json_t *
cut_string(const struct secrets *secrets, const json_t *value)
{
	const char *text = json_string_value(value);
	json_t *replaced = NULL;
	char *cut;

	if (strlen(text) != json_string_length(value)) {
		replaced = doc_text(text, json_string_length(value));
		text = json_string_value(replaced);
	}
	if (text == NULL || harmless(secrets, text))
		return replaced;
	cut = secrets_text(secrets, text);
	json_decref(replaced);
	replaced = json_string(cut != NULL ? cut : CUT);
	free(cut);
	return replaced;
}

static void
cut_object(const struct secrets *secrets, json_t *object, bool settings)
{
	const char *key;
	json_t *value, *replaced;
	char plain[64];
	void *next;

	json_object_foreach_safe (object, next, key, value) {
		plain_key(key, plain);
		replaced = NULL;
		if (secret_member(plain) && !json_is_null(value))
			replaced = json_string(CUT);
		else if (json_is_string(value))
			replaced = secret_text_member(plain, settings) ? json_string(CUT)
								       : cut_string(secrets, value);
		else if (json_is_object(value))
			cut_object(secrets, value, settings || strcmp(plain, "settings") == 0);
		else if (json_is_array(value))
			cut_array(secrets, value, settings);
		if (replaced != NULL)
			json_object_set_new(object, key, replaced);
	}
}

static void
cut_array(const struct secrets *secrets, json_t *array, bool settings)
{
	json_t *value, *replaced;
	size_t i;

	json_array_foreach (array, i, value) {
		if (json_is_string(value) && (replaced = cut_string(secrets, value)) != NULL)
			json_array_set_new(array, i, replaced);
		else if (json_is_object(value))
			cut_object(secrets, value, settings);
		else if (json_is_array(value))
			cut_array(secrets, value, settings);
	}
}

void
secrets_cut(const struct secrets *secrets, json_t *value)
{
	if (json_is_object(value))
		cut_object(secrets, value, false);
	else if (json_is_array(value))
		cut_array(secrets, value, false);
}
