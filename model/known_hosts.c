/* The lines of a known_hosts file: [@marker] names type base64 [comment]. ssh skips what it cannot
 * read and goes on; so do we. */
#include "model/known_hosts.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGED_MAX = 64, ELSEWHERE_MAX = 32, KEY_TEXT_MAX = 1 << 16 };

struct part {
	const char *at;
	size_t len;
};

struct line {
	const char *marker; /* "revoked", "cert-authority" or NULL */
	struct part hosts, type, key;
	unsigned char *blob; /* owned */
	size_t blob_len;
};

/* How a line reads. */
enum reading { LINE_EMPTY, LINE_KEY, LINE_FOREIGN, LINE_DAMAGED };

/* The key types that ssh puts on file, and how many length-prefixed fields their blobs hold. */
static const struct key_type {
	const char *name, *nick;
	unsigned fields;
} key_types[] = {
	{ "ssh-ed25519", "ED25519", 2 },
	{ "ssh-rsa", "RSA", 3 },
	{ "rsa-sha2-256", NULL, 3 },
	{ "rsa-sha2-512", NULL, 3 },
	{ "ecdsa-sha2-nistp256", NULL, 3 },
	{ "ecdsa-sha2-nistp384", NULL, 3 },
	{ "ecdsa-sha2-nistp521", NULL, 3 },
	{ "sk-ssh-ed25519@openssh.com", "ED25519-SK", 3 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", 4 },
	{ "ssh-dss", "DSA", 5 },
};

static size_t
blanks(const char *at, const char *end)
{
	const char *p = at;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return (size_t)(p - at);
}

static struct part
next_field(const char **at, const char *end)
{
	struct part field;

	*at += blanks(*at, end);
	field.at = *at;
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	field.len = (size_t)(*at - field.at);
	return field;
}

static bool
part_is(const struct part *part, const char *word)
{
	return part->len == strlen(word) && memcmp(part->at, word, part->len) == 0;
}

static const struct key_type *
find_type(const struct part *word)
{
	for (size_t i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++)
		if (part_is(word, key_types[i].name) ||
		    (key_types[i].nick != NULL && word->len == strlen(key_types[i].nick) &&
		     strncasecmp(word->at, key_types[i].nick, word->len) == 0))
			return &key_types[i];
	return NULL;
}

/* The field at *at of a blob; false when it does not fit. */
static bool
blob_field(const unsigned char *blob, size_t len, size_t *at, struct part *ret)
{
	size_t n;

	if (len - *at < 4)
		return false;
	n = (size_t)blob[*at] << 24 | (size_t)blob[*at + 1] << 16 | (size_t)blob[*at + 2] << 8 |
	    blob[*at + 3];
	*at += 4;
	if (n > len - *at)
		return false;
	*ret = (struct part){ (const char *)blob + *at, n };
	*at += n;
	return true;
}

/* Does the blob hold one whole key of the type that the line names? */
static bool
blob_fits(const struct line *line, const struct key_type *type)
{
	struct part name, field;
	size_t at = 0;

	if (!blob_field(line->blob, line->blob_len, &at, &name))
		return false;
	if (!part_is(&name, type->name) &&
	    !(type->fields == 3 && strncmp(type->name, "rsa-", 4) == 0 &&
	      part_is(&name, "ssh-rsa")))
		return false;
	for (unsigned i = 1; i < type->fields; i++)
		if (!blob_field(line->blob, line->blob_len, &at, &field) || field.len == 0)
			return false;
	return at == line->blob_len;
}

/* Decodes the key field; returns NULL, or what is wrong with it. */
static const char *
decode_key(struct line *line, const struct key_type *type)
{
	int n;

	if (line->key.len == 0 || line->key.len % 4 != 0 || line->key.len > KEY_TEXT_MAX)
		return "its key is no whole base64";
	if ((line->blob = malloc(line->key.len / 4 * 3 + 1)) == NULL)
		return "out of memory";
	if ((n = EVP_DecodeBlock(line->blob, (const unsigned char *)line->key.at,
				 (int)line->key.len)) < 0)
		return "its key is no base64";
	line->blob_len = (size_t)n;
	for (size_t i = 1; i <= 2 && i <= line->key.len && line->key.at[line->key.len - i] == '=' &&
			   line->blob_len > 0;
	     i++)
		line->blob_len--;
	return blob_fits(line, type) ? NULL
				     : "its key is damaged or of another type than the line says";
}

/* ssh ends a marker at the first space of the line, at a tab only when the line has no space. */
static const char *
read_marker(const char **at, const char *end, struct line *line)
{
	const char *stop;
	struct part marker;

	if (*at == end || **at != '@')
		return NULL;
	if ((stop = memchr(*at, ' ', (size_t)(end - *at))) == NULL &&
	    (stop = memchr(*at, '\t', (size_t)(end - *at))) == NULL)
		stop = end;
	marker = (struct part){ *at, (size_t)(stop - *at) };
	*at = stop;
	line->marker = part_is(&marker, "@revoked")          ? "revoked"
		       : part_is(&marker, "@cert-authority") ? "cert-authority"
							     : NULL;
	*at += blanks(*at, end);
	if (line->marker == NULL)
		return "it begins with an unknown @marker";
	return *at < end && **at == '@' ? "it has more than one @marker" : NULL;
}

/* Reads one line (without its end). Of damaged ones *why becomes the reason. The caller frees
 * line->blob. */
static enum reading
read_line(const char *text, size_t len, struct line *line, const char **why)
{
	const char *at = text, *end = text + strnlen(text, len);
	const struct key_type *type;

	*line = (struct line){ 0 };
	while (end > at && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	at += blanks(at, end);
	if (at == end || *at == '#')
		return LINE_EMPTY;
	if (end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
		*why = "it begins with a byte order mark, so ssh does not see it";
		return LINE_DAMAGED;
	}
	if ((*why = read_marker(&at, end, line)) != NULL)
		return LINE_DAMAGED;
	line->hosts = next_field(&at, end);
	line->type = next_field(&at, end);
	line->key = next_field(&at, end);
	if (line->type.len == 0 || line->key.len == 0) {
		*why = "it ends before its key";
		return LINE_DAMAGED;
	}
	if (isdigit((unsigned char)line->type.at[0]))
		return LINE_FOREIGN; /* of protocol 1 */
	if ((type = find_type(&line->type)) == NULL)
		return memchr(line->type.at, '-', line->type.len) != NULL
			   ? LINE_FOREIGN
			   : (*why = "its key has no type", LINE_DAMAGED);
	return (*why = decode_key(line, type)) == NULL ? LINE_KEY : LINE_DAMAGED;
}

/* ---- what a line says to a query ---- */

/* The word of "via" for a line; NULL when it does not speak of the query, *bad when its hash is
 * damaged. */
static const char *
line_via(const struct line *line, const struct known_query *query, const char *full, bool *bad)
{
	static const char *const words[] = { NULL, "host", "pattern", "hashed" };
	int via = known_hosts_names(line->hosts.at, line->hosts.len, full);

	*bad = via < 0;
	if (via > 0)
		return query->alias ? "alias" : words[via];
	if (via == 0 && strcmp(full, query->name) != 0 &&
	    known_hosts_names(line->hosts.at, line->hosts.len, query->name) > 0)
		return "port-less";
	return NULL;
}

static void
set_fingerprint(json_t *obj, const struct line *line)
{
	unsigned char digest[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	int n;

	if (EVP_Digest(line->blob, line->blob_len, digest, &len, EVP_sha256(), NULL) != 1)
		return;
	n = EVP_EncodeBlock(text, digest, (int)len);
	while (n > 0 && text[n - 1] == '=')
		n--;
	doc_set_fmt(obj, "fingerprint", "SHA256:%.*s", n, (const char *)text);
}

/* The key in base64 as we would write it, whatever the line's own spelling. */
static char *
canonical_key(const struct line *line)
{
	char *text = malloc(line->blob_len / 3 * 4 + 5);

	if (text != NULL)
		EVP_EncodeBlock((unsigned char *)text, line->blob, (int)line->blob_len);
	return text;
}

static void
add_entry(json_t *entries, const struct line *line, const char *file, json_int_t number,
	  const char *via)
{
	json_t *entry = json_object();
	struct part name = { "", 0 };
	char *key = canonical_key(line);
	size_t at = 0;

	blob_field(line->blob, line->blob_len, &at, &name);
	doc_set_str(entry, "file", file);
	doc_set_int(entry, "line", number);
	doc_set_str(entry, "marker", line->marker);
	doc_set_strn(entry, "type", name.at, name.len);
	set_fingerprint(entry, line);
	doc_set_str(entry, "public", key);
	doc_set_str(entry, "via", via);
	json_array_append_new(entries, entry);
	free(key);
}

static void
add_damaged(json_t *damaged, const char *file, json_int_t number, const char *why)
{
	json_t *obj;

	if (json_array_size(damaged) >= DAMAGED_MAX)
		return;
	obj = json_object();
	doc_set_str(obj, "file", file);
	doc_set_int(obj, "line", number);
	doc_set_str(obj, "why", why);
	json_array_append_new(damaged, obj);
}

void
known_hosts_read(const char *text, size_t len, const char *file, const struct known_query *query,
		 json_t *entries, json_t *damaged)
{
	char *full = known_hosts_name(query);
	json_int_t number = 0;

	while (full != NULL && len > 0) {
		const char *end = memchr(text, '\n', len), *why = NULL, *via = NULL;
		size_t line_len = end != NULL ? (size_t)(end - text) : len;
		bool bad_hash = false;
		struct line line;
		enum reading reading = read_line(text, line_len, &line, &why);

		number++;
		if (reading == LINE_KEY)
			via = line_via(&line, query, full, &bad_hash);
		if (reading == LINE_DAMAGED || bad_hash)
			add_damaged(damaged, file, number,
				    bad_hash ? "its hashed name is damaged" : why);
		if (via != NULL)
			add_entry(entries, &line, file, number, via);
		free(line.blob);
		text += line_len + (end != NULL);
		len -= line_len + (end != NULL);
	}
	free(full);
}

void
known_hosts_second_look(json_t *entries)
{
	bool found = false;
	json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry)
		found |= doc_str(entry, "marker") == NULL && !doc_is(entry, "via", "port-less");
	for (i = json_array_size(entries); found && i-- > 0;)
		if (doc_is(json_array_get(entries, i), "via", "port-less"))
			json_array_remove(entries, i);
}

/* ---- the same key under other names ---- */

static bool
is_one_of(const struct line *line, const json_t *keys)
{
	char *text = canonical_key(line);
	const json_t *key;
	bool found = false;
	size_t i;

	json_array_foreach (keys, i, key)
		found |= text != NULL && doc_str(key, "public") != NULL &&
			 strcmp(doc_str(key, "public"), text) == 0;
	free(text);
	return found;
}

static void
add_elsewhere(json_t *found, const struct line *line, const char *file, json_int_t number)
{
	json_t *obj = json_object();

	doc_set_str(obj, "file", file);
	doc_set_int(obj, "line", number);
	if (line->hosts.at[0] == '|')
		doc_set_str(obj, "name", "(hashed)");
	else
		doc_set_strn(obj, "name", line->hosts.at,
			     line->hosts.len < 256 ? line->hosts.len : 256);
	json_array_append_new(found, obj);
}

void
known_hosts_elsewhere(const char *text, size_t len, const char *file,
		      const struct known_query *query, const json_t *keys, json_t *found)
{
	char *full = known_hosts_name(query);
	json_int_t number = 0;

	while (full != NULL && len > 0 && json_array_size(found) < ELSEWHERE_MAX) {
		const char *end = memchr(text, '\n', len), *why = NULL;
		size_t line_len = end != NULL ? (size_t)(end - text) : len;
		bool bad_hash;
		struct line line;

		number++;
		if (read_line(text, line_len, &line, &why) == LINE_KEY && line.marker == NULL &&
		    is_one_of(&line, keys) && line_via(&line, query, full, &bad_hash) == NULL)
			add_elsewhere(found, &line, file, number);
		free(line.blob);
		text += line_len + (end != NULL);
		len -= line_len + (end != NULL);
	}
	free(full);
}
