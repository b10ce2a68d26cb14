#include "ssh/machine/aside.h"
#include "ssh/machine/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STRAY_BYTES = 16 * 1024, STRAY_FILES = 200, STRAY_ENTRIES = 20000, STRAY_MS = 400 };

struct candidate {
	char *path;
	struct stat st;
	bool foreign;
};

struct search {
	struct candidate files[STRAY_FILES];
	bool foreign; /* of the folder that is being looked into */
	size_t count;
	unsigned entries;        /* looked at so far */
	struct stat folders[64]; /* looked into, so that none is looked into twice */
	size_t folder_count;
	int64_t until;
};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
ends(const char *name, const char *tail)
{
	size_t len = strlen(name), want = strlen(tail);

	return len > want && strcasecmp(name + len - want, tail) == 0;
}

static bool
looks_like_key(const char *name)
{
	return (ends(name, ".pem") || ends(name, ".key") || strncmp(name, "id_", 3) == 0) &&
	       !ends(name, ".pub");
}

static bool
older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Keeps the newest ones. */
static void
keep(struct search *search, const char *folder, const char *name, const struct stat *st)
{
	struct candidate *slot = &search->files[search->count];
	char *path;

	if (search->count == STRAY_FILES) {
		slot = &search->files[0];
		for (size_t i = 1; i < STRAY_FILES; i++)
			if (older(&search->files[i].st.st_mtim, &slot->st.st_mtim))
				slot = &search->files[i];
		if (!older(&slot->st.st_mtim, &st->st_mtim))
			return;
	}
	if ((path = doc_fmt("%s/%s", folder, name)) == NULL)
		return;
	if (search->count < STRAY_FILES)
		search->count++;
	else
		free(slot->path);
	*slot = (struct candidate){ path, *st, search->foreign };
}

/* true when this folder has been looked into, or too many have. */
static bool
seen(struct search *search, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 ||
	    search->folder_count == sizeof(search->folders) / sizeof(search->folders[0]))
		return true;
	for (size_t i = 0; i < search->folder_count; i++)
		if (search->folders[i].st_ino == st.st_ino &&
		    search->folders[i].st_dev == st.st_dev)
			return true;
	search->folders[search->folder_count++] = st;
	return false;
}

static void
search_folder(struct search *search, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	struct stat st;

	if (dir != NULL && seen(search, dirfd(dir))) {
		closedir(dir);
		return;
	}
	while (dir != NULL && search->entries++ < STRAY_ENTRIES && now_ms() < search->until &&
	       (entry = readdir(dir)) != NULL)
		if (looks_like_key(entry->d_name) &&
		    fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    st.st_size > 0 && st.st_size <= STRAY_BYTES)
			keep(search, folder, entry->d_name, &st);
	if (dir != NULL)
		closedir(dir);
}

static void
search_below(struct search *search, const char *folder, const char *tail)
{
	char *path = doc_fmt("%s/%s", folder, tail);

	if (path != NULL)
		search_folder(search, path);
	free(path);
}

/* Every user's Downloads on every Windows drive that has a Users folder. */
static void
search_drives(struct search *search, const struct mounts *mounts)
{
	json_t *drives = mounts_drives(mounts), *drive;
	const struct dirent *entry;
	size_t i;

	json_array_foreach (drives, i, drive) {
		char *users = doc_fmt("%s/Users", FACT_GET(drive, mount, mount));
		DIR *dir = users == NULL ? NULL : opendir(users);

		while (dir != NULL && search->entries++ < STRAY_ENTRIES &&
		       now_ms() < search->until && (entry = readdir(dir)) != NULL)
			if (entry->d_name[0] != '.') {
				char *home = doc_fmt("%s/%s", users, entry->d_name);

				if (home != NULL)
					search_below(search, home, "Downloads");
				free(home);
			}
		if (dir != NULL)
			closedir(dir);
		free(users);
	}
	json_decref(drives);
}

static int
newest_first(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (older(&left->st.st_mtim, &right->st.st_mtim))
		return 1;
	return older(&right->st.st_mtim, &left->st.st_mtim) ? -1 : strcmp(left->path, right->path);
}

/* The facts of a candidate that is a private key, NULL when it is none. Of what lies in the current
 * folder, which may be somebody else's repository, nothing but the first line is looked at. */
static json_t *
candidate_key(const struct candidate *candidate, const struct mounts *mounts)
{
	json_t *key = candidate->foreign ? key_file_armour(candidate->path, &candidate->st)
					 : key_file_facts(candidate->path, mounts);

	if (FACT_GET(key, key, kind) == KEY_PRIVATE)
		return key;
	json_decref(key);
	return NULL;
}

static void
search_all(struct search *search, const char *of_account, const struct mounts *mounts)
{
	const char *home = getenv("HOME");
	char folder[4096];

	home = home != NULL && *home == '/' ? home : of_account;
	if (home != NULL) {
		search_below(search, home, "Downloads");
		search_below(search, home, ".ssh");
	}
	if (of_account != NULL && (home == NULL || strcmp(home, of_account) != 0))
		search_below(search, of_account, ".ssh");
	search_drives(search, mounts);
	search->foreign = true;
	if (getcwd(folder, sizeof(folder)) != NULL)
		search_folder(search, folder);
}

/* The same by the second process, which is told the paths that are known; false when there is none.
 */
static bool
stray_aside(const char *home, json_t *keys, json_t *found)
{
	json_t *request = machine_aside_path(home), *known = json_object(), *result, *path;
	const char *name, *why;
	void *next;
	size_t i;

	for (next = json_object_iter(keys); next != NULL; next = json_object_iter_next(keys, next))
		json_object_set_new(known, json_object_iter_key(next), json_true());
	json_object_set_new(request, "keys", known);
	if (!machine_aside("stray", request, &result, &why))
		return false;
	json_array_foreach (doc_list(result, "found"), i, path) {
		name = json_string_value(path);
		json_object_set(keys, name, json_object_get(doc_get(result, "keys"), name));
		json_array_append(found, path);
	}
	json_decref(result);
	return true;
}

void
identity_stray(const char *home, const struct mounts *mounts, json_t *keys, json_t *found)
{
	struct search search = { .until = now_ms() + STRAY_MS };

	if (stray_aside(home, keys, found))
		return;
	search_all(&search, home, mounts);
	qsort(search.files, search.count, sizeof(search.files[0]), newest_first);
	for (size_t i = 0; i < search.count; i++) {
		const char *path = search.files[i].path;
		json_t *key = json_object_get(keys, path) != NULL || now_ms() >= search.until
				  ? NULL
				  : candidate_key(&search.files[i], mounts);

		if (key != NULL) {
			FACT_PUT(key, key, stray, true);
			json_object_set(keys, path, key);
			doc_append_str(found, path);
		}
		json_decref(key);
		free(search.files[i].path);
	}
}
