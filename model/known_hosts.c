/* The lines of a known_hosts file: [@marker] names type base64 [comment]. ssh skips what it cannot
 * read and goes on; so do we. */
#include "model/known_hosts.h"
#include "model/pubkey.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGED_MAX = 64, ELSEWHERE_MAX = 32, KEY_TEXT_MAX = 1 << 16 };

struct line {
	enum known_marker marker;
	struct bytes hosts, type, key;
	struct buffer blob; /* owned */
};

/* How a line reads. */
enum reading { LINE_EMPTY, LINE_KEY, LINE_FOREIGN, LINE_DAMAGED };

static size_t
blanks(const char *at, const char *end)
{
	const char *p = at;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return (size_t)(p - at);
}

static struct bytes
part_of(const char *at, const char *end)
{
	return (struct bytes){ (const unsigned char *)at, (size_t)(end - at) };
}

static struct bytes
next_field(const char **at, const char *end)
{
	const char *start = *at + blanks(*at, end);

	for (*at = start; *at < end && **at != ' ' && **at != '\t';)
		(*at)++;
	return part_of(start, *at);
}

/* ssh knows no Ed448, and takes no curve by its nick. */
static const struct pubkey_type *
find_type(struct bytes word)
{
	const bool rsa = bytes_is(word, "rsa-sha2-256") || bytes_is(word, "rsa-sha2-512");
	const struct pubkey_type *type = pubkey_type_find(rsa ? bytes_of("ssh-rsa") : word, 0);

	if (type == NULL || type->nick == NULL ||
	    (strcmp(type->nick, "ECDSA") == 0 && !bytes_is(word, type->name)))
		return NULL;
	return type;
}

/* Does the blob hold one whole key of the type that the line names? */
static bool
blob_fits(const struct line *line, const struct pubkey_type *type)
{
	struct bytes rest = buffer_bytes(&line->blob), name, field;

	if (bytes_string(&rest, &name) < 0 ||
	    (!bytes_is(name, type->name) && !bytes_same(name, line->type)))
		return false;
	for (unsigned i = 0; i < type->strings; i++)
		if (bytes_string(&rest, &field) < 0 || field.len == 0)
			return false;
	return rest.len == 0;
}

/* Decodes the key field; returns NULL, or what is wrong with it. */
static const char *
decode_key(struct line *line, const struct pubkey_type *type)
{
	if (line->key.len == 0 || line->key.len % 4 != 0 || line->key.len > KEY_TEXT_MAX)
		return "its key is no whole base64";
	if (base64_decode(line->key, 0, &line->blob) < 0)
		return "its key is no base64";
	return blob_fits(line, type) ? NULL
				     : "its key is damaged or of another type than the line says";
}

/* ssh ends a marker at the first space of the line, at a tab only when the line has no space. */
static const char *
read_marker(const char **at, const char *end, struct line *line)
{
	const char *stop;
	struct bytes marker;

	if (*at == end || **at != '@')
		return NULL;
	if ((stop = memchr(*at, ' ', (size_t)(end - *at))) == NULL &&
	    (stop = memchr(*at, '\t', (size_t)(end - *at))) == NULL)
		stop = end;
	marker = part_of(*at, stop);
	*at = stop;
	if (bytes_is(marker, "@revoked"))
		line->marker = MARKER_REVOKED;
	else if (bytes_is(marker, "@cert-authority"))
		line->marker = MARKER_AUTHORITY;
	*at += blanks(*at, end);
	if (line->marker == MARKER_NONE)
		return "it begins with an unknown @marker";
	return *at < end && **at == '@' ? "it has more than one @marker" : NULL;
}

/* Reads one line (without its end). Of damaged ones *why becomes the reason. The caller frees
 * line->blob. */
static enum reading
read_line(const char *text, size_t len, struct line *line, const char **why)
{
	const char *at = text, *end = text + strnlen(text, len);
	const struct pubkey_type *type;

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
	if (isdigit(line->type.at[0]))
		return LINE_FOREIGN; /* of protocol 1 */
	if ((type = find_type(line->type)) == NULL)
		return memchr(line->type.at, '-', line->type.len) != NULL
			   ? LINE_FOREIGN
			   : (*why = "its key has no type", LINE_DAMAGED);
	return (*why = decode_key(line, type)) == NULL ? LINE_KEY : LINE_DAMAGED;
}

/* ---- what a line says to a query ---- */

/* How a line names the query; KNOWN_VIA_NONE when it does not, *bad when its hash is
 * damaged. */
static enum known_via
line_via(const struct line *line, const struct known_query *query, const char *full, bool *bad)
{
	const char *hosts = (const char *)line->hosts.at;
	int via = known_hosts_names(hosts, line->hosts.len, full);

	*bad = via < 0;
	if (via > 0)
		return query->alias ? KNOWN_VIA_ALIAS : (enum known_via)via;
	if (via == 0 && strcmp(full, query->name) != 0 &&
	    known_hosts_names(hosts, line->hosts.len, query->name) > 0)
		return KNOWN_VIA_PORT_LESS;
	return KNOWN_VIA_NONE;
}

static void
add_entry(json_t *entries, const struct line *line, const char *file, json_int_t number,
	  enum known_via via)
{
	const struct bytes blob = buffer_bytes(&line->blob);
	struct bytes rest = blob, name = { 0 };
	char text[FINGERPRINT_SIZE], *public = base64_encode(blob, 0);
	json_t *entry = FACT_OBJECT(known_entry, .file = file, .line = number,
				    .marker = line->marker, .via = via, .public = public,
				    .fingerprint = pubkey_fingerprint(blob, text));

	bytes_string(&rest, &name);
	FACT_PUT_BYTES(entry, known_entry, type, name.at, name.len);
	json_array_append_new(entries, entry);
	free(public);
}

static void
add_damaged(json_t *damaged, const char *file, json_int_t number, const char *why)
{
	if (json_array_size(damaged) < DAMAGED_MAX)
		json_array_append_new(
		    damaged, FACT_OBJECT(known_damage, .file = file, .line = number, .why = why));
}

void
known_hosts_read(const char *text, size_t len, const char *file, const struct known_query *query,
		 json_t *entries, json_t *damaged)
{
	char *full = known_hosts_name(query);
	json_int_t number = 0;

	while (full != NULL && len > 0 && json_array_size(entries) <= KNOWN_ENTRIES_MAX) {
		const char *end = memchr(text, '\n', len), *why = NULL;
		enum known_via via = KNOWN_VIA_NONE;
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
		if (via != KNOWN_VIA_NONE)
			add_entry(entries, &line, file, number, via);
		buffer_free(&line.blob);
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
		found |= FACT_GET(entry, known_entry, marker) == MARKER_NONE &&
			 FACT_GET(entry, known_entry, via) != KNOWN_VIA_PORT_LESS;
	for (i = json_array_size(entries); found && i-- > 0;)
		if (FACT_GET(json_array_get(entries, i), known_entry, via) == KNOWN_VIA_PORT_LESS)
			json_array_remove(entries, i);
}

/* ---- the same key under other names ---- */

static bool
is_one_of(const struct line *line, const json_t *keys)
{
	char *text = base64_encode(buffer_bytes(&line->blob), 0);
	const json_t *key;
	const char *own;
	bool found = false;
	size_t i;

	json_array_foreach (keys, i, key)
		found |=
		    (own = FACT_GET(key, host_key_entry, public)) != NULL && strcmp(own, text) == 0;
	free(text);
	return found;
}

/* Does a line that ssh cannot read hold one of the keys nevertheless? */
static bool
shows_one_of(const char *text, size_t len, const json_t *keys)
{
	const json_t *key;
	const char *own;
	bool found = false;
	size_t i;

	json_array_foreach (keys, i, key)
		found |= (own = FACT_GET(key, host_key_entry, public)) != NULL && *own != '\0' &&
			 memmem(text, len, own, strlen(own)) != NULL;
	return found;
}

static void
add_elsewhere(json_t *found, const struct line *line, const char *why, const char *file,
	      json_int_t number)
{
	json_t *obj = FACT_OBJECT(known_elsewhere, .file = file, .line = number, .why = why);

	if (why != NULL) {
		json_array_append_new(found, obj);
		return;
	}
	if (line->hosts.at[0] == '|')
		FACT_PUT(obj, known_elsewhere, name, "(hashed)");
	else
		FACT_PUT_BYTES(obj, known_elsewhere, name, line->hosts.at,
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
		enum reading reading;

		number++;
		reading = read_line(text, line_len, &line, &why);
		if (reading == LINE_DAMAGED
			? shows_one_of(text, line_len, keys)
			: reading == LINE_KEY && line.marker == MARKER_NONE &&
			      is_one_of(&line, keys) &&
			      line_via(&line, query, full, &bad_hash) == KNOWN_VIA_NONE)
			add_elsewhere(found, &line, why, file, number);
		buffer_free(&line.blob);
		text += line_len + (end != NULL);
		len -= line_len + (end != NULL);
	}
	free(full);
}
