#include "model/guest.h"

#include <stdlib.h>
#include <string.h>

/* One line of the output, word by word. The line is our own copy. */
struct line {
	char *at;
};

/* The next word, "" at the end. */
static const char *
word(struct line *line)
{
	char *begin = line->at + strspn(line->at, " "), *end = begin + strcspn(begin, " ");

	line->at = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return begin;
}

/* All that is left, NULL when it is empty. */
static const char *
rest(const struct line *line)
{
	const char *begin = line->at + strspn(line->at, " ");

	return *begin != '\0' ? begin : NULL;
}

/* A whole number, -1 for "-" and for what is none. */
static json_int_t
number(struct line *line)
{
	const char *text = word(line);
	char *end;
	long long value = strtoll(text, &end, 10);

	return *text != '\0' && *end == '\0' && value >= 0 ? value : -1;
}

/* A list of the section, made when it is not there. */
static json_t *
list_of(json_t *section, const char *key)
{
	json_t *list = json_object_get(section, key);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(section, key, list);
	}
	return list;
}

#define APPEND(section, member, object)                                                            \
	((void)sizeof(((struct fact_guest *)0)->member),                                           \
	 json_array_append_new(list_of(section, #member), object))

#define APPEND_TEXT(section, member, text)                                                         \
	do {                                                                                       \
		const char *text_ = (text);                                                        \
		(void)sizeof(((struct fact_guest *)0)->member);                                    \
		if (text_ != NULL)                                                                 \
			doc_append_str(list_of(section, #member), text_);                          \
	} while (0)

/* The usual kinds of lines: one text, one of several texts, a number. */
#define TAKE_TEXT(name, member)                                                                    \
	static void take_##name(json_t *section, struct line *line)                                \
	{                                                                                          \
		FACT_PUT(section, guest, member, rest(line));                                      \
	}
#define TAKE_TEXTS(name, member)                                                                   \
	static void take_##name(json_t *section, struct line *line)                                \
	{                                                                                          \
		APPEND_TEXT(section, member, rest(line));                                          \
	}
#define TAKE_NUMBER(name, member)                                                                  \
	static void take_##name(json_t *section, struct line *line)                                \
	{                                                                                          \
		FACT_PUT(section, guest, member, number(line));                                    \
	}
#define TAKE_PATH(name, member, what)                                                              \
	static void take_##name(json_t *section, struct line *line)                                \
	{                                                                                          \
		APPEND(section, member, mode_of(line, what));                                      \
	}

/* ---- sshd ---- */

static void
take_sshd(json_t *section, struct line *line)
{
	const char *path = word(line);

	FACT_PUT(section, guest, installed, strcmp(path, "none") == 0 ? FACT_NO : FACT_YES);
	if (strcmp(path, "none") == 0)
		return;
	FACT_PUT(section, guest, sshd, path);
	FACT_PUT(section, guest, version, rest(line));
}

TAKE_TEXT(daemon, daemon)

static void
take_test(json_t *section, struct line *line)
{
	const char *said = rest(line);

	FACT_PUT(section, guest, tested, doc_same(said, "passed") ? FACT_YES : FACT_NO);
	if (!doc_same(said, "passed"))
		APPEND_TEXT(section, test, said);
}

static void
take_settings(json_t *section, struct line *line)
{
	(void)line;
	FACT_PUT(section, guest, configured, FACT_NO);
}

static void
take_set(json_t *section, struct line *line)
{
	const char *name = word(line);

	FACT_PUT(section, guest, configured, FACT_YES);
	if (strcmp(name, "refuses") == 0)
		APPEND_TEXT(section, refuses, rest(line));
	else
		APPEND(section, settings,
		       FACT_OBJECT(guest_setting, .name = name, .value = rest(line)));
}

static void
take_unit(json_t *section, struct line *line)
{
	const char *name = word(line), *active = word(line);

	APPEND(section, units,
	       FACT_OBJECT(guest_unit, .name = name, .active = active, .enabled = rest(line)));
}

static void
take_makes_folder(json_t *section, struct line *line)
{
	(void)line;
	FACT_PUT(section, guest, makes_folder, true);
}

static void
take_listen(json_t *section, struct line *line)
{
	const char *place = word(line), *colon = strrchr(place, ':'), *by = word(line);
	char address[64] = "";

	if (colon == NULL || (size_t)(colon - place) >= sizeof(address))
		return;
	memcpy(address, place, (size_t)(colon - place));
	APPEND(section, listen,
	       FACT_OBJECT(guest_listen, .address = address, .port = strtoll(colon + 1, NULL, 10),
			   .by = strcmp(by, "-") != 0 && *by != '\0' ? by : NULL));
}

TAKE_TEXTS(start, start)

static void
take_sftp(json_t *section, struct line *line)
{
	if (strcmp(word(line), "missing") == 0)
		FACT_PUT(section, guest, sftp_missing, rest(line));
}

/* ---- paths and keys ---- */

static json_t *
mode_of(struct line *line, const char *what)
{
	json_int_t owner = number(line);
	const char *mode = word(line);
	json_t *path = FACT_OBJECT(guest_path, .mode = strcmp(mode, "-") != 0 ? mode : NULL,
				   .path = rest(line), .what = what);

	FACT_PUT(path, guest_path, owner, owner);
	return path;
}

TAKE_PATH(path, paths, "path")
TAKE_PATH(chroot, paths, "chroot")
TAKE_PATH(privsep, paths, "privsep")

static void
take_uses(json_t *section, struct line *line)
{
	const char *what = word(line);

	APPEND(section, paths, mode_of(line, what));
}

static void
take_file(json_t *section, struct line *line)
{
	json_int_t nth = number(line), owner = number(line);
	const char *mode = word(line);
	json_t *file = FACT_OBJECT(guest_file, .number = nth, .path = rest(line),
				   .mode = strcmp(mode, "-") != 0 ? mode : NULL);

	FACT_PUT(file, guest_file, owner, owner);
	APPEND(section, files, file);
}

/* The file of that number, for what is said of it later. */
static json_t *
file_at(json_t *section, json_int_t nth)
{
	json_t *file, *list = json_object_get(section, "files");
	size_t i;

	json_array_foreach (list, i, file)
		if (FACT_GET(file, guest_file, number) == nth)
			return file;
	return NULL;
}

static void
take_lines(json_t *section, struct line *line)
{
	json_t *file = file_at(section, number(line));
	json_int_t lines = number(line), sound = number(line);

	if (file == NULL)
		return;
	FACT_PUT(file, guest_file, lines, lines);
	FACT_PUT(file, guest_file, sound, sound);
	FACT_PUT(file, guest_file, bad, rest(line));
}

static void
take_encoding(json_t *section, struct line *line)
{
	json_t *file = file_at(section, number(line));

	if (file != NULL)
		FACT_PUT(file, guest_file, encoding, rest(line));
}

static void
take_key(json_t *section, struct line *line)
{
	json_int_t file = number(line), key = number(line);
	const char *how = word(line);
	json_int_t nth = number(line);

	APPEND(section, found,
	       FACT_OBJECT(guest_key, .file = file, .key = key, .how = how, .line = nth,
			   .before = rest(line), .expires = guest_options_expiry(rest(line))));
}

TAKE_TEXTS(elsewhere, elsewhere)

static void
take_command(json_t *section, struct line *line)
{
	json_int_t status = number(line);

	FACT_PUT(section, guest, command_status, status);
	FACT_PUT(section, guest, command_gives, word(line));
	FACT_PUT(section, guest, command, rest(line));
}

static void
take_selinux(json_t *section, struct line *line)
{
	FACT_PUT(section, guest, selinux, doc_same(rest(line), "enforcing"));
}

TAKE_TEXTS(label, labels)
TAKE_TEXT(avc, avc)

/* ---- account ---- */

static json_t *
account_of(json_t *section)
{
	json_t *account = json_object_get(section, "account");

	if (account == NULL) {
		account = json_object();
		json_object_set_new(section, "account", account);
	}
	return account;
}

static void
take_account(json_t *section, struct line *line)
{
	json_t *account = account_of(section);
	json_int_t uid = number(line);

	FACT_PUT(account, guest_account, exists, uid >= 0 ? FACT_YES : FACT_NO);
	if (uid < 0)
		return;
	FACT_PUT(account, guest_account, uid, uid);
	number(line);
	FACT_PUT(account, guest_account, home, rest(line));
}

static void
take_shell(json_t *section, struct line *line)
{
	FACT_PUT(account_of(section), guest_account, shell_state, word(line));
	FACT_PUT(account_of(section), guest_account, shell, rest(line));
}

static void
take_home(json_t *section, struct line *line)
{
	FACT_PUT(account_of(section), guest_account, home_missing,
		 strcmp(word(line), "missing") == 0);
}

static void
take_shadow(json_t *section, struct line *line)
{
	json_t *account = account_of(section);

	FACT_PUT(account, guest_account, password, word(line));
	FACT_PUT(account, guest_account, changed, number(line));
	FACT_PUT(account, guest_account, max_days, number(line));
	FACT_PUT(account, guest_account, inactive, number(line));
	FACT_PUT(account, guest_account, expires, number(line));
	FACT_PUT(account, guest_account, today, number(line));
}

/* Words of the line, as a list of the object. */
static void
take_words(json_t *object, const char *key, struct line *line)
{
	const char *one;

	while (*(one = word(line)) != '\0')
		doc_append_str(list_of(object, key), one);
}

static void
take_groups(json_t *section, struct line *line)
{
	take_words(account_of(section), "groups", line);
}

static void
take_users(json_t *section, struct line *line)
{
	take_words(account_of(section), "users", line);
}

TAKE_TEXT(nologin, nologin)
TAKE_TEXTS(pam, pam)
TAKE_TEXTS(access, access)
TAKE_TEXTS(startup, startup)

/* ---- the machine ---- */

static void
take_disk(json_t *section, struct line *line)
{
	json_int_t used = number(line), left = number(line), inodes = number(line);
	bool read_only = strcmp(word(line), "ro") == 0;
	json_t *disk = FACT_OBJECT(guest_disk, .mount = rest(line), .read_only = read_only);

	FACT_PUT(disk, guest_disk, used, used);
	FACT_PUT(disk, guest_disk, free_kb, left);
	FACT_PUT(disk, guest_disk, inodes, inodes);
	APPEND(section, disks, disk);
}

static void
take_memory(json_t *section, struct line *line)
{
	FACT_PUT(section, guest, memory_free_kb, number(line));
	FACT_PUT(section, guest, memory_kb, number(line));
}

TAKE_TEXT(load, load)
TAKE_PATH(hostkey_file, host_keys, "host-key")
TAKE_TEXTS(firewall, firewall)
TAKE_TEXTS(banned, banned)
TAKE_TEXTS(win, win)
TAKE_TEXTS(wrapper, wrapper)
TAKE_TEXT(no_way_back, no_way_back)
TAKE_TEXTS(log, log)
TAKE_TEXTS(before, before)
TAKE_NUMBER(seen, seen)
TAKE_TEXT(os, os)
TAKE_TEXT(overridden, overridden)
TAKE_NUMBER(clock, clock)

static void
take_address(json_t *section, struct line *line)
{
	const char *address;

	word(line);
	address = word(line);
	if (*address != '\0')
		APPEND_TEXT(section, addresses, address);
}

static void
take_lost(json_t *section, struct line *line)
{
	take_words(section, "lost", line);
}

/* ---- the lines ---- */

static const struct kind {
	const char *name;
	void (*take)(json_t *section, struct line *line);
	bool whole; /* the name is part of the fact */
} kinds[] = {
	{ "access", take_access, false },
	{ "account", take_account, false },
	{ "address", take_address, false },
	{ "avc", take_avc, false },
	{ "banned", take_banned, false },
	{ "before", take_before, false },
	{ "chroot", take_chroot, false },
	{ "clock", take_clock, false },
	{ "command", take_command, false },
	{ "daemon", take_daemon, false },
	{ "disk", take_disk, false },
	{ "elsewhere", take_elsewhere, false },
	{ "encoding", take_encoding, false },
	{ "file", take_file, false },
	{ "firewalld", take_firewall, true },
	{ "groups", take_groups, false },
	{ "home", take_home, false },
	{ "hostkey-file", take_hostkey_file, false },
	{ "iptables", take_firewall, true },
	{ "key", take_key, false },
	{ "label", take_label, false },
	{ "lines", take_lines, false },
	{ "listen", take_listen, false },
	{ "load", take_load, false },
	{ "log", take_log, false },
	{ "lost", take_lost, false },
	{ "makes-folder", take_makes_folder, false },
	{ "memory", take_memory, false },
	{ "nft", take_firewall, true },
	{ "no-way-back", take_no_way_back, false },
	{ "nologin", take_nologin, false },
	{ "os", take_os, false },
	{ "overridden", take_overridden, false },
	{ "pam", take_pam, false },
	{ "path", take_path, false },
	{ "privsep", take_privsep, false },
	{ "seen", take_seen, false },
	{ "selinux", take_selinux, false },
	{ "set", take_set, false },
	{ "settings", take_settings, false },
	{ "sftp", take_sftp, false },
	{ "shadow", take_shadow, false },
	{ "shell", take_shell, false },
	{ "sshd", take_sshd, false },
	{ "start", take_start, false },
	{ "startup", take_startup, false },
	{ "test", take_test, false },
	{ "ufw", take_firewall, true },
	{ "unit", take_unit, false },
	{ "users", take_users, false },
	{ "uses", take_uses, false },
	{ "windows-account", take_win, true },
	{ "windows-acl", take_win, true },
	{ "windows-file", take_win, true },
	{ "windows-firewall", take_win, true },
	{ "windows-key", take_win, true },
	{ "windows-network", take_win, true },
	{ "wrapper", take_wrapper, false },
};

static void
take_line(json_t *section, const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t name = strlen(kinds[i].name);
		struct line line;
		char *copy;

		if (len < name || strncmp(text, kinds[i].name, name) != 0 ||
		    (len > name && text[name] != ' '))
			continue;
		copy = strndup(text, len);
		line.at = copy + (kinds[i].whole ? 0 : name);
		kinds[i].take(section, &line);
		free(copy);
		return;
	}
}

bool
guest_parse(const char *text, json_t *section)
{
	const char *begin = strstr(text, GUEST_BEGIN "\n"),
		   *end = strstr(begin != NULL ? begin : text, GUEST_END);

	if (end == NULL)
		return false;
	FACT_PUT(section, guest, whole, begin != NULL);
	/* the first line of a cut output may be a part of one */
	if (begin == NULL)
		begin = text + strcspn(text, "\n");
	for (const char *p = begin; p < end; p += *p == '\n') {
		size_t len = strcspn(p, "\n");

		take_line(section, p, len > 0 && p[len - 1] == '\r' ? len - 1 : len);
		p += len;
	}
	return true;
}

/* ---- questions ---- */

const char *
guest_setting(const struct fact_guest *guest, const char *name)
{
	for (size_t i = 0; i < guest->settings_count; i++)
		if (doc_same(guest->settings[i].name, name))
			return guest->settings[i].value;
	return NULL;
}

const struct fact_guest_listen *
guest_listens(const struct fact_guest *guest, const char *by, json_int_t port)
{
	for (size_t i = 0; i < guest->listen_count; i++) {
		const struct fact_guest_listen *one = &guest->listen[i];

		if ((port == 0 || one->port == port) &&
		    (by == NULL || (one->by != NULL && strncmp(one->by, by, strlen(by)) == 0)))
			return one;
	}
	return NULL;
}

bool
guest_mode_unsafe(const char *mode, json_int_t owner, json_int_t uid)
{
	if (mode == NULL || strlen(mode) < 10 || mode[0] == 'l')
		return false;
	return (owner > 0 && uid >= 0 && owner != uid) || mode[5] == 'w' || mode[8] == 'w';
}

void
guest_mode_octal(const char *mode, char ret[static 5])
{
	static const char *const special[] = { "sS", "sS", "tT" };
	unsigned value = 0, extra = 0;

	ret[0] = '\0';
	if (mode == NULL || strlen(mode) < 10)
		return;
	for (size_t i = 1; i < 10; i++) {
		char c = mode[i];

		value = value << 1 | (c != '-' && c != 'S' && c != 'T');
		if (i % 3 == 0 && strchr(special[i / 3 - 1], c) != NULL)
			extra |= 04000u >> (i / 3 - 1);
	}
	value |= extra;
	for (int i = 3; i >= 0; i--, value >>= 3)
		ret[i] = (char)('0' + (value & 7));
	ret[4] = '\0';
}
