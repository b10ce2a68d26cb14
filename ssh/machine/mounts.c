#include "facts/file.h"
#include "ssh/machine/identity.h"

#include <stdlib.h>
#include <string.h>

#define PROC_BYTES (1u << 20)

static char *
read_text(const char *folder, const char *name)
{
	char *path = doc_fmt("%s/%s", folder, name);
	struct buffer text = { 0 };

	if (path != NULL)
		file_read(path, PROC_BYTES, &text, NULL);
	free(path);
	return (char *)text.at;
}

void
mounts_read(struct mounts *ret)
{
	const char *folder = getenv("AZSSH_DOCTOR_PROC");

	ret->table = read_text(folder != NULL ? folder : "/proc/self", "mounts");
	ret->version = read_text(folder != NULL ? folder : "/proc", "version");
}

void
mounts_free(struct mounts *mounts)
{
	free(mounts->table);
	free(mounts->version);
	*mounts = (struct mounts){ 0 };
}

bool
mounts_wsl(const struct mounts *mounts)
{
	return mounts->version != NULL && strcasestr(mounts->version, "microsoft") != NULL;
}

/* One line: "source folder type options 0 0", blanks inside a word written as \040. */
struct entry {
	char folder[4096];
	const char *source, *type, *options;
	size_t source_len, type_len, options_len;
};

static size_t
unescape(const char *at, size_t len, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < len && used + 1 < size; i++) {
		if (at[i] == '\\' && len - i > 3 && at[i + 1] >= '0' && at[i + 1] <= '3' &&
		    at[i + 2] >= '0' && at[i + 2] <= '7' && at[i + 3] >= '0' && at[i + 3] <= '7') {
			ret[used++] = (char)((at[i + 1] - '0') * 64 + (at[i + 2] - '0') * 8 +
					     (at[i + 3] - '0'));
			i += 3;
		} else {
			ret[used++] = at[i];
		}
	}
	ret[used] = '\0';
	return used;
}

static const char *
word(const char *at, const char *end, const char **start, size_t *len)
{
	while (at < end && *at == ' ')
		at++;
	*start = at;
	while (at < end && *at != ' ')
		at++;
	*len = (size_t)(at - *start);
	return at;
}

/* Reads the next line that has four words; false at the end. */
static bool
entry_next(const char **text, struct entry *ret)
{
	while (*text != NULL && **text != '\0') {
		const char *end = strchrnul(*text, '\n'), *at, *folder;
		size_t len;

		at = word(*text, end, &ret->source, &ret->source_len);
		at = word(at, end, &folder, &len);
		at = word(at, end, &ret->type, &ret->type_len);
		word(at, end, &ret->options, &ret->options_len);
		*text = *end == '\0' ? end : end + 1;
		if (ret->options_len > 0 && len < sizeof(ret->folder) &&
		    unescape(folder, len, ret->folder, sizeof(ret->folder)) > 0)
			return true;
	}
	return false;
}

static bool
is_word(const char *at, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(at, text, len) == 0;
}

/* Options are separated by commas; WSL packs its own into one, separated by semicolons. */
static bool
has_option(const struct entry *entry, const char *option)
{
	const char *at = entry->options, *end = at + entry->options_len;
	size_t want = strlen(option);

	while (at < end) {
		size_t len = 0;

		while (at + len < end && at[len] != ',' && at[len] != ';')
			len++;
		if (len == want && memcmp(at, option, len) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

static bool
is_drive(const struct mounts *mounts, const struct entry *entry)
{
	if (!mounts_wsl(mounts))
		return false;
	if (is_word(entry->type, entry->type_len, "drvfs"))
		return true;
	if (is_word(entry->type, entry->type_len, "virtiofs"))
		return entry->source_len >= 5 && memcmp(entry->source, "drvfs", 5) == 0;
	return is_word(entry->type, entry->type_len, "9p") && has_option(entry, "aname=drvfs");
}

static bool
below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return *path == '/';
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

json_t *
mounts_find(const struct mounts *mounts, const char *path)
{
	const char *text = mounts->table;
	struct entry entry;
	size_t longest = 0;
	json_t *found = NULL;

	while (entry_next(&text, &entry)) {
		if (!below(path, entry.folder) || strlen(entry.folder) < longest)
			continue;
		longest = strlen(entry.folder);
		json_decref(found);
		found = FACT_OBJECT(mount, .mount = entry.folder, .drvfs = is_drive(mounts, &entry),
				    .metadata =
					is_drive(mounts, &entry) && has_option(&entry, "metadata"));
		FACT_PUT_BYTES(found, mount, type, entry.type, entry.type_len);
	}
	return found;
}

json_t *
mounts_drives(const struct mounts *mounts)
{
	const char *text = mounts->table;
	json_t *drives = json_array();
	struct entry entry;

	while (entry_next(&text, &entry)) {
		if (is_drive(mounts, &entry))
			json_array_append_new(
			    drives, FACT_OBJECT(mount, .mount = entry.folder, .drvfs = true,
						.metadata = has_option(&entry, "metadata")));
	}
	return drives;
}
