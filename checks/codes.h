/* The codes as constants, from codes.def: a typo does not compile. */
#ifndef CHECKS_CODES_H
#define CHECKS_CODES_H

enum code {
	CODE_CUSTOM, /* a code of a rule file, known by its word alone; also ends lists of codes */
#define CODE(ident, word, check, severity, medium, stops) CODE_##ident,
#include "checks/codes.def"
#undef CODE
	CODE_COUNT
};

const char *code_word(enum code code); /* "nsg-no-allow-rule"; NULL for CODE_CUSTOM */
enum code code_find(const char *word); /* CODE_CUSTOM when no row has it */

#endif
