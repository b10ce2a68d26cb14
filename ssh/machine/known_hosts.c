/* The known_hosts files that ssh would read for a host. Settles KNOWN_HOSTS. */
#include "facts/file.h"
#include "model/known_hosts.h"
#include "ssh/machine/aside.h"
#include "ssh/machine/known_hosts.h"
#include "ssh/ssh.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KNOWN_HOSTS_BYTES = 16 << 20, NAME_BYTES = 1025 };

/* ssh's own list, for when `ssh -G` could not be asked. */
static json_t *
default_files(void)
{
	const struct passwd *pw = getpwuid(getuid());
	json_t *files = json_array();

	for (int i = 1; pw != NULL && i <= 2; i++) {
		char *path = doc_fmt("%s/.ssh/known_hosts%s", pw->pw_dir, i == 1 ? "" : "2");

		doc_append_str(files, path);
		free(path);
	}
	doc_append_str(files, "/etc/ssh/ssh_known_hosts");
	doc_append_str(files, "/etc/ssh/ssh_known_hosts2");
	return files;
}

/* The user's files, then the system's: the order in which ssh reads them. The caller owns it. */
static json_t *
list_files(const struct facts *facts)
{
	const json_t *config = facts_section(facts, FACT_SSH_CONFIG);
	json_t *files;

	if (FACT_JSON(config, ssh_config, user_known_hosts) == NULL)
		return default_files();
	files = json_copy(FACT_JSON(config, ssh_config, user_known_hosts));
	json_array_extend(files, FACT_JSON(config, ssh_config, global_known_hosts));
	return files;
}

/* The query as ssh would make it; `name` must hold NAME_BYTES. */
static struct known_query
make_query(const struct facts *facts, const char *host, int port, char *name)
{
	const char *alias = FACTS_GET(facts, ssh_config, host_key_alias);
	struct known_query query = { .name = name, .port = port, .alias = alias != NULL };

	snprintf(name, NAME_BYTES, "%s", alias != NULL ? alias : host);
	for (char *p = name; alias == NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return query;
}

/* ---- one file ---- */

/* Why a file that ssh would read was not read here; NULL for any other reason. */
static const char *
own_limit(int r, size_t entries)
{
	if (entries > KNOWN_ENTRIES_MAX)
		return "more of its lines name this host than this program takes";
	if (r == -EFBIG)
		return "it is larger than the 16 MiB that this program reads";
	if (r == -EMFILE || r == -ENFILE)
		return "no more files may be open at the same time";
	return NULL;
}

/* {"note": {"path","state","modified"?,"errno"?}, "entries": [], "damaged": [], "unread"?} of a
 * file; the caller owns it. */
static json_t *
look(const char *path, const struct known_query *query)
{
	json_t *found = json_pack("{s:{}, s:[], s:[]}", "note", "entries", "damaged"),
	       *note = doc_get(found, "note");
	struct buffer file = { 0 };
	struct stat st;
	int r = file_read(path, KNOWN_HOSTS_BYTES, &file, &st);
	enum fact_state state = FACT_UNKNOWN;

	FACT_PUT(note, known_file, path, path);
	if (r == 0)
		state = FACT_KNOWN;
	else if (file_is_absent(r))
		state = FACT_ABSENT;
	FACT_PUT(note, known_file, state, state);
	if (r == 0) {
		FACT_PUT(note, known_file, modified, st.st_mtime);
		known_hosts_read((const char *)file.at, file.len, path, query,
				 doc_list(found, "entries"), doc_list(found, "damaged"));
	} else if (!file_is_absent(r)) {
		FACT_PUT(note, known_file, errno_, errno_word(-r));
	}
	doc_set_str(found, "unread", own_limit(r, json_array_size(doc_list(found, "entries"))));
	buffer_free(&file);
	return found;
}

static json_t *
look_elsewhere(const char *path, const struct known_query *query, const json_t *keys)
{
	json_t *found = json_array();
	struct buffer text = { 0 };

	if (file_read(path, KNOWN_HOSTS_BYTES, &text, NULL) == 0)
		known_hosts_elsewhere((const char *)text.at, text.len, path, query, keys, found);
	buffer_free(&text);
	return found;
}

/* ---- by the second process ---- */

static json_t *
request_of(const char *path, const struct known_query *query)
{
	json_t *request = machine_aside_path(path);

	doc_set_str(request, "name", query->name);
	doc_set_int(request, "port", query->port);
	doc_set_bool(request, "alias", query->alias);
	return request;
}

static struct known_query
query_of(const json_t *request)
{
	return (struct known_query){ .name = doc_str(request, "name"),
				     .port = (int)doc_int(request, "port", 22),
				     .alias = doc_bool(request, "alias", false) };
}

json_t *
known_hosts_look(const json_t *request)
{
	const struct known_query query = query_of(request);
	char *path = machine_aside_path_of(request);
	json_t *found = path != NULL ? look(path, &query) : NULL;

	free(path);
	return found;
}

json_t *
known_hosts_look_elsewhere(const json_t *request)
{
	const struct known_query query = query_of(request);
	char *path = machine_aside_path_of(request);
	json_t *found =
	    path != NULL ? look_elsewhere(path, &query, doc_list(request, "keys")) : NULL;

	free(path);
	return found;
}

/* ---- all files ---- */

static void
settle_unread(struct facts *facts, const char *path, const char *why)
{
	facts_settle(facts, FACT_KNOWN_HOSTS, FACT_UNKNOWN, "not-read", "%s could not be read: %s",
		     path, why);
}

void
ssh_known_hosts_collect(struct facts *facts, const char *host, int port)
{
	char name[NAME_BYTES], *full;
	struct known_query query = make_query(facts, host, port, name);
	json_t *paths = list_files(facts), *files = json_array(), *entries = json_array(),
	       *damaged = json_array(), *section, *found;
	const char *path = NULL, *why = NULL;
	char *limit = NULL;

	for (size_t i = 0; i < json_array_size(paths) && why == NULL; i++) {
		if ((path = json_string_value(json_array_get(paths, i))) == NULL)
			continue;
		if (!machine_aside("known-hosts", request_of(path, &query), &found, &why))
			found = look(path, &query);
		json_array_append(files, doc_get(found, "note"));
		json_array_extend(entries, doc_list(found, "entries"));
		json_array_extend(damaged, doc_list(found, "damaged"));
		if (doc_str(found, "unread") != NULL)
			why = limit = strdup(doc_str(found, "unread"));
		json_decref(found);
	}
	known_hosts_second_look(entries);
	full = known_hosts_name(&query);
	section = facts_known(facts, FACT_KNOWN_HOSTS);
	fact_write(section, shape_of_known_hosts(),
		   &(const struct fact_known_hosts){
		       .name = full, .host = name, .port = port, .alias = query.alias });
	FACT_PUT_JSON(section, known_hosts, files, files);
	FACT_PUT_JSON(section, known_hosts, entries, entries);
	FACT_PUT_JSON(section, known_hosts, damaged, damaged);
	if (why != NULL)
		settle_unread(facts, path, why);
	json_decref(paths);
	free(limit);
	free(full);
}

static void
add_elsewhere(json_t *found, const char *path, const struct known_query *query,
	      const json_t *host_key)
{
	json_t *request = request_of(path, query), *more;
	const char *why;

	json_object_set(request, "keys", FACT_JSON(host_key, host_key, keys));
	if (!machine_aside("elsewhere", request, &more, &why))
		more = look_elsewhere(path, query, FACT_JSON(host_key, host_key, keys));
	json_array_extend(found, more);
	json_decref(more);
}

/* ssh never reads this file: any line with one of the keys counts, for any name. */
static void
add_of_other_home(struct facts *facts, json_t *found, const json_t *host_key)
{
	static const struct known_query nobody = { .name = "-", .port = 22 };
	const char *home = doc_str(facts->doc, "machine.user.home_env");
	char *path = home != NULL ? doc_fmt("%s/.ssh/known_hosts", home) : NULL;

	if (path != NULL)
		add_elsewhere(found, path, &nobody, host_key);
	free(path);
}

void
ssh_known_hosts_elsewhere(struct facts *facts, json_t *host_key)
{
	const json_t *section = facts_section(facts, FACT_KNOWN_HOSTS), *file;
	const struct known_query query = { .name = FACT_GET(section, known_hosts, host),
					   .port = (int)FACT_GET(section, known_hosts, port),
					   .alias = FACT_GET(section, known_hosts, alias) };
	json_t *found = json_array();
	const json_t *entry;
	size_t i;

	json_array_foreach (FACT_JSON(section, known_hosts, entries), i, entry)
		if (FACT_GET(entry, known_entry, marker) == MARKER_NONE) {
			json_decref(found);
			return;
		}
	json_array_foreach (FACT_JSON(section, known_hosts, files), i, file) {
		const char *path = FACT_GET(file, known_file, path);

		if (query.name != NULL && path != NULL &&
		    FACT_GET(file, known_file, state) == FACT_KNOWN)
			add_elsewhere(found, path, &query, host_key);
	}
	add_of_other_home(facts, found, host_key);
	FACT_PUT_JSON(host_key, host_key, elsewhere, found);
}
