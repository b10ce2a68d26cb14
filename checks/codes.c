#include "checks/checks.h"

#include <string.h>

const struct code_row code_table[CODE_COUNT] = {
#define CODE(ident, word, check, severity, medium, stops)                                          \
	[CODE_##ident] = { word, CHECK_##check, severity, MEDIUM_##medium, CHECK_##stops },
#include "checks/codes.def"
#undef CODE
};

static const char *const check_ids[CHECK_COUNT] = {
#define CHECK(ident, run, id, title, hop, medium, needs) [CHECK_##ident] = id,
#define WORDS(ident, id, hop) [CHECK_##ident] = id,
#include "checks/checks.def"
#undef CHECK
#undef WORDS
};

const char *
code_word(enum code code)
{
	return code_table[code].word;
}

enum code
code_find(const char *word)
{
	for (enum code code = CODE_CUSTOM + 1; code < CODE_COUNT; code++)
		if (strcmp(code_table[code].word, word) == 0)
			return code;
	return CODE_CUSTOM;
}

enum check_id
check_find(const char *id)
{
	for (enum check_id check = CHECK_NONE + 1; check < CHECK_COUNT; check++)
		if (strcmp(check_ids[check], id) == 0)
			return check;
	return CHECK_NONE;
}
