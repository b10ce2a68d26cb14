#include "checks/checks.h"

const struct check check_table[CHECK_COUNT] = {
#define CHECK(ident, run, id, title, hop, medium, needs)                                           \
	[CHECK_##ident] = { id, title, HOP_##hop, MEDIUM_##medium, needs, run },
#define WORDS(ident, id, hop) [CHECK_##ident] = { id, NULL, HOP_##hop, MEDIUM_ANY, 0, NULL },
#include "checks/checks.def"
#undef CHECK
#undef WORDS
};

unsigned
check_stage(enum check_id check)
{
	if (check == CHECK_NONE)
		return STAGES - 1;
	return (unsigned)check_table[check].hop * CHECK_COUNT + (unsigned)check;
}

enum medium
code_medium(enum code code, enum check_id check)
{
	enum medium medium = code_table[code].medium;

	return medium != MEDIUM_ANY ? medium : check_table[check].medium;
}
