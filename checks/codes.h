/* Codes, checks and hops as constants, from codes.def and checks.def: a typo does not compile. */
#ifndef CHECKS_CODES_H
#define CHECKS_CODES_H

/* The hops of a connection's path, in the order in which they can be the cause. Just-in-time access
 * comes before the security groups, since it writes their rules. */
enum hop {
	HOP_CLIENT,
	HOP_AZURE,
	HOP_VM,
	HOP_PUBLIC_IP,
	HOP_JIT,
	HOP_NSG,
	HOP_ROUTE,
	HOP_TCP,
	HOP_SSH,
	HOP_HOST_KEY,
	HOP_AUTH,
	HOP_COUNT
};

/* What a finding rests on; codes.def explains the words. */
enum medium {
	MEDIUM_ANY,
	MEDIUM_LOCAL,
	MEDIUM_REPORTED,
	MEDIUM_MODEL,
	MEDIUM_WIRE,
	MEDIUM_SILENCE,
	MEDIUM_GUEST
};

enum check_id {
	CHECK_NONE, /* a custom rule */
#define CHECK(ident, run, id, title, hop, medium, needs) CHECK_##ident,
#define WORDS(ident, id, hop) CHECK_##ident,
#include "checks/checks.def"
#undef CHECK
#undef WORDS
	CHECK_COUNT
};

enum code {
	CODE_CUSTOM, /* a code of a rule file, known by its word alone; also ends lists of codes */
#define CODE(ident, word, check, severity, medium, stops) CODE_##ident,
#include "checks/codes.def"
#undef CODE
	CODE_COUNT
};

const char *code_word(enum code code);    /* "nsg-no-allow-rule"; NULL for CODE_CUSTOM */
enum code code_find(const char *word);    /* CODE_CUSTOM when no row has it */
enum check_id check_find(const char *id); /* CHECK_NONE when no row has it */

/* The order in which a connection meets its obstacles: by hop, within a hop by row; CHECK_NONE is
 * last. */
enum { STAGES = (HOP_COUNT + 1) * CHECK_COUNT };
unsigned check_stage(enum check_id check);

/* What a code rests on when it is set for that check. */
enum medium code_medium(enum code code, enum check_id check);

#endif
