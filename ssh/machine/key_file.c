#include "ssh/machine/identity.h"
#include "facts/file.h"
#include "ssh/machine/aside.h"
#include "ssh/key/key.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif

static const char *
what_it_is(mode_t mode)
{
	if (S_ISDIR(mode))
		return "directory";
	if (S_ISFIFO(mode))
		return "fifo";
	return S_ISSOCK(mode) ? "socket" : "device";
}

/* The account's name, or its number; looked up once for files of the same owner. In a static
 * buffer. */
static const char *
owner_name(uid_t uid)
{
	static uid_t last;
	static char name[64];
	const struct passwd *pw;

	if (*name == '\0' || last != uid) {
		pw = getpwuid(uid);
		if (pw != NULL)
			snprintf(name, sizeof(name), "%s", pw->pw_name);
		else
			snprintf(name, sizeof(name), "%u", (unsigned)uid);
		last = uid;
	}
	return name;
}

static void
set_owner(const struct stat *st, json_t *key)
{
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", (unsigned)(st->st_mode & 07777));
	FACT_PUT(key, key, mode, mode);
	FACT_PUT(key, key, uid, st->st_uid);
	FACT_PUT(key, key, owner, owner_name(st->st_uid));
	FACT_PUT(key, key, owned, st->st_uid == getuid());
	FACT_PUT(key, key, size, st->st_size);
}

/* Entries beside owner, group and others; their mask is what stat shows as the group's bits. */
static bool
has_acl(const char *path)
{
#ifdef __linux__
	return getxattr(path, "system.posix_acl_access", NULL, 0) > 4 + 3 * 8;
#else
	(void)path;
	return false;
#endif
}

/* Where a symbolic link leads, one step; NULL for anything else. The caller frees. */
static char *
link_target(const char *path)
{
	char target[PATH_MAX];
	const char *slash = strrchr(path, '/');
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len <= 0)
		return NULL;
	target[len] = '\0';
	return *target == '/' || slash == NULL
		   ? strdup(target)
		   : doc_fmt("%.*s/%s", (int)(slash - path), path, target);
}

/* The first folder on the way that may not be searched. */
static void
set_parent(const char *path, json_t *key)
{
	char *folder = strdup(path), *last = folder == NULL ? NULL : strrchr(folder, '/');
	struct stat st;

	if (last != NULL && last != folder) {
		*last = '\0';
		if (access(folder, X_OK) == 0) { /* so are all above it */
			FACT_PUT(key, key, parent_searchable, true);
			free(folder);
			return;
		}
		*last = '/';
	}
	for (char *slash = folder; slash != NULL && (slash = strchr(slash + 1, '/')) != NULL;
	     *slash = '/') {
		*slash = '\0';
		if (access(folder, X_OK) < 0 && errno == EACCES &&
		    (stat(folder, &st) < 0 || S_ISDIR(st.st_mode))) {
			FACT_PUT(key, key, parent_searchable, false);
			FACT_PUT(key, key, parent, folder);
			FACT_PUT(key, key, parent_owned,
				 stat(folder, &st) == 0 && st.st_uid == getuid());
			free(folder);
			return;
		}
	}
	FACT_PUT(key, key, parent_searchable, true);
	free(folder);
}

/* The same of what a link leads to, as far as it may be followed. */
static void
set_parent_behind(const char *path, json_t *key)
{
	enum { LINKS_MAX = 40 };
	char *at = link_target(path), *next;

	for (unsigned i = 0; at != NULL && i < LINKS_MAX && FACT_GET(key, key, parent_searchable);
	     i++) {
		set_parent(at, key);
		next = link_target(at);
		free(at);
		at = next;
	}
	free(at);
}

static void
set_link(const char *path, json_t *key)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));

	if (len > 0 && (size_t)len < sizeof(target))
		FACT_PUT_BYTES(key, key, links_to, target, (size_t)len);
}

static void
set_cert(const char *path, const struct pubkey *pub, json_t *key)
{
	json_t *cert = FACT_OBJECT(
		   key_cert, .path = path, .type = pub->cert_type,
		   .valid_after = pub->valid_after <= INT64_MAX ? (json_int_t)pub->valid_after : 0,
		   .valid_before =
		       pub->valid_before <= INT64_MAX ? (json_int_t)pub->valid_before : 0),
	       *principals = json_array();
	struct bytes rest = buffer_bytes(&pub->principals), name;

	while (json_array_size(principals) < 64 && bytes_string(&rest, &name) == 0)
		json_array_append_new(principals, doc_text(name.at, name.len));
	FACT_PUT_JSON(cert, key_cert, principals, principals);
	FACT_PUT_JSON(key, key, cert, cert);
}

int
key_file_public(const char *path, struct pubkey *ret)
{
	struct buffer bytes = { 0 };
	int r = file_read(path, KEY_FILE_MAX, &bytes, NULL);

	*ret = (struct pubkey){ 0 };
	if (r == 0)
		r = pubkey_from_text((const char *)bytes.at, bytes.len, ret);
	buffer_free(&bytes);
	if (r < 0)
		pubkey_free(ret);
	return r;
}

/* FILE.pub and FILE-cert.pub, which ssh reads beside FILE. */
static void
set_neighbours(const char *path, json_t *key)
{
	char *pub_path = doc_fmt("%s.pub", path), *cert_path = doc_fmt("%s-cert.pub", path),
	     text[FINGERPRINT_SIZE];
	struct pubkey pub;
	const char *own;
	json_t *obj;

	if (pub_path != NULL && key_file_public(pub_path, &pub) == 0) {
		obj = FACT_OBJECT(key_pub, .path = pub_path, .type = pub.type, .bits = pub.bits,
				  .fingerprint = pubkey_fingerprint(buffer_bytes(&pub.blob), text));
		FACT_PUT_BASE64(obj, key_pub, public, buffer_bytes(&pub.blob));
		own = FACT_GET(key, key, public);
		if (own != NULL)
			FACT_PUT(obj, key_pub, matches,
				 doc_same(own, FACT_GET(obj, key_pub, public)) ? FACT_YES
									       : FACT_NO);
		FACT_PUT_JSON(key, key, pub, obj);
		pubkey_free(&pub);
	}
	if (cert_path != NULL && key_file_public(cert_path, &pub) == 0) {
		if (pub.cert)
			set_cert(cert_path, &pub, key);
		pubkey_free(&pub);
	}
	free(pub_path);
	free(cert_path);
}

static void
set_content(const char *path, json_t *key)
{
	struct buffer bytes = { 0 };
	struct key_info info;
	int r = file_read(path, KEY_FILE_MAX, &bytes, NULL);

	FACT_PUT(key, key, readable, r == 0);
	if (r < 0) {
		FACT_PUT(key, key, errno_, errno_word(-r));
		return;
	}
	key_parse(bytes.at, bytes.len, &info);
	key_info_facts(&info, key);
	if (info.pub.cert)
		set_cert(path, &info.pub, key);
	key_info_free(&info);
	buffer_free(&bytes);
}

json_t *
key_file_armour(const char *path, const struct stat *st)
{
	enum { LOOK_MAX = 16 * 1024 };
	struct buffer bytes = { 0 };
	struct key_info info = { 0 };
	json_t *key = NULL;

	if (file_read(path, LOOK_MAX, &bytes, NULL) == 0 &&
	    key_armour(bytes.at, bytes.len, &info)) {
		key = FACT_OBJECT(key, .path = path, .present = true, .regular = true);
		set_owner(st, key);
		FACT_PUT(key, key, readable, true);
		key_info_facts(&info, key);
	}
	buffer_free(&bytes);
	return key;
}

json_t *
key_file_facts(const char *path, const struct mounts *mounts)
{
	json_t *key, *mount;
	const char *why;
	char *real;
	struct stat st;

	if (machine_aside("key", machine_aside_path(path), &key, &why)) {
		if (key != NULL)
			return key;
		return FACT_OBJECT(key, .path = path, .unread = why);
	}
	key = FACT_OBJECT(key, .path = path);
	set_link(path, key);
	set_parent(path, key);
	if (stat(path, &st) < 0) {
		int error = errno;

		FACT_PUT(key, key, present, false);
		FACT_PUT(key, key, errno_, errno_word(error));
		if (error == ELOOP)
			FACT_PUT(key, key, what, "loop");
		if (error == EACCES)
			set_parent_behind(path, key);
		set_neighbours(path, key);
		return key;
	}
	FACT_PUT(key, key, present, true);
	FACT_PUT(key, key, regular, S_ISREG(st.st_mode));
	set_owner(&st, key);
	FACT_PUT(key, key, acl, has_acl(path));
	real = realpath(path, NULL);
	if ((mount = mounts_find(mounts, real != NULL ? real : path)) != NULL)
		FACT_PUT_JSON(key, key, mount, mount);
	free(real);
	if (!S_ISREG(st.st_mode))
		FACT_PUT(key, key, what, what_it_is(st.st_mode));
	else if (st.st_size > (off_t)KEY_FILE_MAX)
		FACT_PUT(key, key, what, "too-big");
	else
		set_content(path, key);
	set_neighbours(path, key);
	return key;
}
