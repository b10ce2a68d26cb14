#include "model/boot_log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNS_PER_KIND = 4, LAST_LINES = 4, TEXT_MAX = 240 };

/* ---- the shapes ---- */

static const struct shape {
	enum boot_kind kind;
	bool hint;
	const char *pattern;
} shapes[] = {
#define CLEAR(kind, pattern) { BOOT_##kind, false, pattern },
#define HINT(kind, pattern) { BOOT_##kind, true, pattern },
#include "model/boot_log.def"
#undef CLEAR
#undef HINT
};

enum { SHAPES = sizeof(shapes) / sizeof(*shapes) };

/* ---- where a boot begins ---- */

enum stage { STAGE_FIRMWARE, STAGE_LOADER, STAGE_KERNEL, STAGE_SYSTEM };

static const struct mark {
	enum stage stage;
	const char *pattern;
} marks[] = {
	{ STAGE_FIRMWARE, "bdsdxe: " },
	{ STAGE_FIRMWARE, "uefi firmware (version" },
	{ STAGE_FIRMWARE, "seabios (version" },
	{ STAGE_LOADER, "gnu grub  version" },
	{ STAGE_LOADER, "welcome to grub" },
	{ STAGE_LOADER, "grub loading" },
	{ STAGE_LOADER, "^booting `" },
	{ STAGE_LOADER, "^loading linux " },
	{ STAGE_LOADER, "^loading initial ramdisk" },
	{ STAGE_LOADER, "efi stub: " },
	{ STAGE_LOADER, "grub rescue>" },
	{ STAGE_KERNEL, "^linux version " },
	{ STAGE_KERNEL, "^booting linux on physical cpu" },
	{ STAGE_KERNEL, "^copyright (c) *the freebsd project" },
};

enum { MARKS = sizeof(marks) / sizeof(*marks) };

/* ---- the reading ---- */

struct reading {
	json_t *signs;  /* of the current boot */
	json_t *before; /* of the last one before it that said anything */
	json_t *last;
	unsigned counts[BOOT_HUNG + 1]; /* of the signs of a kind */
	enum stage stage;
	bool begun;   /* the current boot has come as far as its stage says */
	bool capture; /* a second kernel saves the memory of the one that panicked */
	uint64_t shape_pairs[SHAPES], mark_pairs[MARKS];
	struct boot_tables tables;
	struct boot_match match; /* room for one */
};

/* What a line of a kind makes undone of what came before it. */
static bool
undoes(enum boot_kind later, enum boot_kind earlier)
{
	switch (later) {
	case BOOT_UP:
		return (earlier >= BOOT_SECURE_BOOT && earlier <= BOOT_NO_DEVICE) ||
		       (earlier >= BOOT_INIT_FAILED && earlier <= BOOT_FSCK_FAILED) ||
		       earlier == BOOT_PASSPHRASE || earlier == BOOT_RELABEL ||
		       earlier == BOOT_WAITING;
	case BOOT_SSHD_STARTED:
		return earlier >= BOOT_SSHD_CONFIG && earlier <= BOOT_SSHD_FAILED;
	case BOOT_ADDRESS:
		return earlier == BOOT_NO_ADDRESS;
	case BOOT_SSHD_FAILED:
		return earlier == BOOT_SSHD_STARTED;
	default:
		return false;
	}
}

static bool
loads(enum boot_kind earlier)
{
	return earlier == BOOT_SECURE_BOOT || earlier == BOOT_LOADER || earlier == BOOT_NO_DEVICE;
}

static void
undo(struct reading *reading, enum boot_kind later, bool kernel)
{
	json_t *sign;
	size_t i;

	json_array_foreach (reading->signs, i, sign) {
		enum boot_kind kind = FACT_GET(sign, boot_sign, kind);

		if (kernel ? loads(kind) : undoes(later, kind))
			FACT_PUT(sign, boot_sign, over, true);
	}
}

/* ---- one sign ---- */

/* "data.mount - /data." of systemd: the path of it, without the dot; NULL for what is no path. */
static char *
path_of(const char *text)
{
	const char *dash = text != NULL ? strstr(text, " - /") : NULL;
	size_t len;

	if (dash != NULL)
		text = dash + 3;
	if (text == NULL || *text != '/')
		return NULL;
	len = strcspn(text, " '\",;");
	while (len > 1 && strchr(".:", text[len - 1]) != NULL)
		len--;
	return strndup(text, len);
}

/* "dev-disk-by\x2duuid-1234.device" of systemd: the path that it stands for. */
static char *
path_of_unit(const char *unit)
{
	const char *end = strstr(unit, ".device");
	char *path;
	size_t used = 1;

	if (strncmp(unit, "dev-", 4) != 0 || end == NULL)
		return NULL;
	path = calloc(1, (size_t)(end - unit) + 2);
	*path = '/';
	while (unit < end) {
		bool dash = strncmp(unit, "\\x2d", 4) == 0;

		path[used] = *unit == '-' ? '/' : *unit;
		if (dash)
			path[used] = '-';
		used++;
		unit += dash ? 4 : 1;
	}
	return path;
}

/* "File System Check on /dev/sdc1", "dev-sdc1.device", a UUID: what it says of the device. */
static char *
device_of(const char *text)
{
	const char *slash = text != NULL ? strstr(text, "/dev/") : NULL;
	char *path = text != NULL && slash == NULL ? path_of_unit(text) : NULL;
	size_t len;

	if (slash != NULL)
		return path_of(slash);
	if (text == NULL || path != NULL)
		return path;
	len = strcspn(text, " '\",;)");
	while (len > 0 && strchr(".:", text[len - 1]) != NULL)
		len--;
	return len > 0 ? strndup(text, len) : NULL;
}

static json_t *
sign_of(const struct boot_match *match, enum boot_kind kind, const struct boot_line *line)
{
	char *mount = path_of(boot_captured(match, "mount")),
	     *device = device_of(boot_captured(match, "device"));
	json_t *sign = json_object();

	if (mount != NULL && strncmp(mount, "/dev/", 5) == 0 && device == NULL) {
		device = mount; /* a check of the device, which a mount waits for */
		mount = NULL;
	}
	FACT_PUT(sign, boot_sign, kind, kind);
	FACT_PUT(sign, boot_sign, mount, mount);
	FACT_PUT(sign, boot_sign, device, device);
	FACT_PUT(sign, boot_sign, file, boot_captured(match, "file"));
	FACT_PUT(sign, boot_sign, what, boot_captured(match, "what"));
	FACT_PUT_BYTES(sign, boot_sign, text, line->text + line->begin,
		       line->len - line->begin < TEXT_MAX ? line->len - line->begin : TEXT_MAX);
	free(mount);
	free(device);
	return sign;
}

/* Of a kind the first few are kept, and the last. Takes the sign. */
static void
add_sign(struct reading *reading, json_t *sign)
{
	enum boot_kind kind = FACT_GET(sign, boot_sign, kind);

	undo(reading, kind, false);
	if (reading->counts[kind] == SIGNS_PER_KIND) {
		for (size_t i = json_array_size(reading->signs); i-- > 0;)
			if (FACT_GET(json_array_get(reading->signs, i), boot_sign, kind) == kind) {
				json_array_remove(reading->signs, i);
				break;
			}
		reading->counts[kind]--;
	}
	reading->counts[kind]++;
	json_array_append_new(reading->signs, sign);
}

/* ---- lines that no pattern fits ---- */

/* What sshd does not know and lets pass: an option, not a value, which stands in quotes. */
static bool
only_warns(const char *text)
{
	const char *option = strstr(text, "unsupported option ");

	return option != NULL && strchr(option, '"') == NULL;
}

/* A line of sshd's own about its configuration: "/etc/ssh/sshd_config: line 12: Bad configuration
 * option: X", also of the files that it includes. */
static bool
take_sshd_line(struct reading *reading, const struct boot_line *line)
{
	const char *name = strstr(line->low + line->begin, "sshd_config"), *from, *number;
	size_t len;
	json_t *sign;

	if (name == NULL || (number = strstr(name, "line ")) == NULL ||
	    !isdigit((unsigned char)number[5]) || only_warns(name))
		return false;
	for (from = name; from > line->low && from[-1] != ' ' && from[-1] != '\''; from--)
		;
	len = strcspn(from, ": '");
	reading->match.count = 0;
	sign = sign_of(&reading->match, BOOT_SSHD_CONFIG, line);
	FACT_PUT_BYTES(sign, boot_sign, file, line->text + (from - line->low), len);
	FACT_PUT(sign, boot_sign, line, strtol(number + 5, NULL, 10));
	number += 5 + strspn(number + 5, "0123456789");
	number += strspn(number, ": ");
	FACT_PUT_BYTES(sign, boot_sign, what, line->text + (number - line->low), strlen(number));
	add_sign(reading, sign);
	return true;
}

/* "myvm login:", of a terminal that waits for a user. */
static bool
is_prompt(const struct boot_line *line)
{
	static const char *const others[] = { "last", "failed", "invalid", "successful", "remote" };
	const char *text = line->low + line->begin;
	size_t host = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_");

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strncmp(text, others[i], host) == 0 && strlen(others[i]) == host)
			return false;
	return strcmp(text, "login:") == 0 ||
	       (host > 0 && strncmp(text + host, " login:", 7) == 0 &&
		(text[host + 7] == ' ' || text[host + 7] == '\0'));
}

/* ---- boots ---- */

static bool
has_kind(const json_t *signs, enum boot_kind kind)
{
	const json_t *sign;
	size_t i;

	json_array_foreach (signs, i, sign)
		if (FACT_GET(sign, boot_sign, kind) == kind)
			return true;
	return false;
}

static void
new_boot(struct reading *reading)
{
	if (json_array_size(reading->signs) > 0) {
		json_decref(reading->before);
		reading->before = json_copy(reading->signs);
	}
	json_array_clear(reading->signs);
	json_array_clear(reading->last);
	memset(reading->counts, 0, sizeof(reading->counts));
	boot_tables_boot(&reading->tables);
	reading->capture = false;
}

static void
take_mark(struct reading *reading, const struct boot_line *line)
{
	enum stage stage = STAGE_SYSTEM;

	for (size_t i = 0; i < MARKS && stage == STAGE_SYSTEM; i++)
		if ((line->pairs & reading->mark_pairs[i]) == reading->mark_pairs[i] &&
		    boot_pattern_fits(marks[i].pattern, line, &reading->match))
			stage = marks[i].stage;
	if (stage == STAGE_SYSTEM)
		return;
	if (reading->begun &&
	    (stage < reading->stage || (stage == reading->stage && stage == STAGE_KERNEL)))
		new_boot(reading);
	else if (stage == STAGE_KERNEL)
		undo(reading, BOOT_OTHER, true);
	reading->begun = true;
	reading->stage = stage;
}

/* The kernel that a crash starts to save the memory: what counts is the crash. */
static void
take_capture(struct reading *reading, const struct boot_line *line)
{
	if (reading->stage != STAGE_KERNEL || reading->before == NULL ||
	    strstr(line->low, "command line: ") == NULL ||
	    strstr(line->low, "elfcorehdr=") == NULL || !has_kind(reading->before, BOOT_PANIC))
		return;
	json_array_clear(reading->signs);
	json_array_extend(reading->signs, reading->before);
	reading->capture = true;
}

/* ---- every line ---- */

/* Whatever comes after a wait has ended it. */
static void
end_waits(struct reading *reading)
{
	json_t *sign;
	size_t i;

	if (reading->counts[BOOT_WAITING] == 0)
		return;
	json_array_foreach (reading->signs, i, sign)
		if (FACT_GET(sign, boot_sign, kind) == BOOT_WAITING)
			FACT_PUT(sign, boot_sign, over, true);
}

static bool
take_shape(struct reading *reading, const struct boot_line *line)
{
	for (size_t i = 0; i < SHAPES; i++) {
		const struct shape *shape = &shapes[i];
		json_t *sign;

		if ((line->pairs & reading->shape_pairs[i]) != reading->shape_pairs[i] ||
		    !boot_pattern_fits(shape->pattern, line, &reading->match))
			continue;
		if (shape->kind == BOOT_OTHER)
			return false;
		sign = sign_of(&reading->match, shape->kind, line);
		FACT_PUT(sign, boot_sign, hint, shape->hint);
		/* "Dependency failed for Local File Systems": no mount of a name */
		if (shape->kind == BOOT_MOUNT_FAILED && strstr(shape->pattern, "{mount}") != NULL &&
		    FACT_GET(sign, boot_sign, mount) == NULL &&
		    FACT_GET(sign, boot_sign, device) == NULL)
			FACT_PUT(sign, boot_sign, hint, true);
		add_sign(reading, sign);
		return shape->kind == BOOT_WAITING;
	}
	return false;
}

static void
take_line(struct reading *reading, const struct boot_line *line)
{
	const size_t addresses = json_array_size(reading->tables.addresses);
	bool waits;

	boot_tables_line(&reading->tables, line);
	take_mark(reading, line);
	take_capture(reading, line);
	if (reading->capture)
		return;
	reading->match.count = 0;
	if (json_array_size(reading->tables.addresses) > addresses)
		add_sign(reading, sign_of(&reading->match, BOOT_ADDRESS, line));
	if (is_prompt(line)) {
		add_sign(reading, sign_of(&reading->match, BOOT_UP, line));
		reading->stage = STAGE_SYSTEM;
	}
	/* the kernel may write behind a prompt */
	waits = !take_sshd_line(reading, line) && take_shape(reading, line);
	if (!waits)
		end_waits(reading);
	json_array_append_new(
	    reading->last,
	    doc_text(line->text, line->len < TEXT_MAX ? line->len : (size_t)TEXT_MAX));
	if (json_array_size(reading->last) > LAST_LINES)
		json_array_remove(reading->last, 0);
}

/* ---- the end ---- */

/* true when the boot says of itself how it went. */
static bool
is_settled(const json_t *signs)
{
	const json_t *sign;
	size_t i;

	json_array_foreach (signs, i, sign)
		if (!FACT_GET(sign, boot_sign, hint) && !FACT_GET(sign, boot_sign, over) &&
		    FACT_GET(sign, boot_sign, kind) != BOOT_WAITING)
			return true;
	return false;
}

/* Devices without an address, as cloud-init lists them, are a sign of their own. */
static void
add_no_address(struct reading *reading)
{
	if (!reading->tables.devices_seen || json_array_size(reading->tables.addresses) > 0 ||
	    has_kind(reading->signs, BOOT_ADDRESS))
		return;
	json_array_append_new(reading->signs,
			      FACT_OBJECT(boot_sign, .kind = BOOT_NO_ADDRESS,
					  .text = "ci-info lists no device with an address"));
}

void
boot_log_read(const char *text, size_t len, json_t *section)
{
	struct bytes rest = { (const unsigned char *)text, len };
	struct reading reading = { .signs = json_array(), .last = json_array() };
	struct boot_line line;

	for (size_t i = 0; i < SHAPES; i++)
		reading.shape_pairs[i] = boot_pattern_pairs(shapes[i].pattern);
	for (size_t i = 0; i < MARKS; i++)
		reading.mark_pairs[i] = boot_pattern_pairs(marks[i].pattern);
	boot_tables_begin(&reading.tables);
	while (boot_line_next(&rest, &line))
		take_line(&reading, &line);
	add_no_address(&reading);
	if (!is_settled(reading.signs) && has_kind(reading.before, BOOT_PANIC)) {
		json_decref(reading.signs);
		reading.signs = json_incref(reading.before);
		FACT_PUT(section, boot, earlier, true);
	}
	FACT_PUT_JSON(section, boot, signs, reading.signs);
	FACT_PUT_JSON(section, boot, last, reading.last);
	FACT_PUT_JSON(section, boot, keys, reading.tables.keys);
	FACT_PUT_JSON(section, boot, users, reading.tables.users);
	FACT_PUT_JSON(section, boot, addresses, reading.tables.addresses);
	json_decref(reading.before);
}
