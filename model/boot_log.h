/* The serial log of a VM: which boot is the last one, and what its lines say. Pure: bytes in, facts
 * out, in one pass. A log is hostile: every length is bounded, and no line is looked at twice. */
#ifndef MODEL_BOOT_LOG_H
#define MODEL_BOOT_LOG_H

#include "facts/bytes.h"
#include "facts/sections.h"

/* Fills a section BOOT with what the log says. */
void boot_log_read(const char *text, size_t len, json_t *section);

/* ---- among these files ---- */

enum { BOOT_LINE_MAX = 512, BOOT_CAPTURES = 5 };

/* One line as a person would see it: no escape sequences, no control bytes. */
struct boot_line {
	char text[BOOT_LINE_MAX], low[BOOT_LINE_MAX]; /* low: in small letters */
	size_t len, begin;                            /* begin: behind "[   12.3] [FAILED] " */
	uint64_t pairs;                               /* which pairs of letters it holds */
};

/* The next line that holds anything; false at the end. A longer line comes in pieces. */
bool boot_line_next(struct bytes *rest, struct boot_line *ret);

/* What a pattern's {name} stands for in a line. */
struct boot_capture {
	char name[12];
	char text[BOOT_LINE_MAX];
};

struct boot_match {
	struct boot_capture captures[BOOT_CAPTURES];
	size_t count;
};

/* Literals in small letters, '*' for anything between them, {name} for what is kept of it; '^'
 * first: nothing stands before. */
bool boot_pattern_fits(const char *pattern, const struct boot_line *line, struct boot_match *ret);
uint64_t boot_pairs(const char *text, size_t len);
uint64_t boot_pattern_pairs(const char *pattern);
/* NULL when the pattern has no such capture, or it is empty. */
const char *boot_captured(const struct boot_match *match, const char *name);

/* What cloud-init prints of addresses, host keys and users' keys. */
struct boot_tables {
	json_t *keys, *users, *addresses;
	bool in_prints, in_keys, in_users, in_devices;
	bool devices_seen; /* a table of devices was there, whatever it said */
	bool prints_seen;  /* fingerprints have just been listed; the keys themselves follow */
};

void boot_tables_begin(struct boot_tables *tables);
void boot_tables_boot(struct boot_tables *tables); /* another boot begins */
void boot_tables_line(struct boot_tables *tables, const struct boot_line *line);

#endif
