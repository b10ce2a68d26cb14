#include "checks/checks.h"

#include <string.h>

#define CHECK_EXTERN(name) extern const struct check check_##name;
CHECKS(CHECK_EXTERN)

const struct check *const check_table[] = {
#define CHECK_ROW(name) &check_##name,
	CHECKS(CHECK_ROW) NULL
};

bool
check_exists(const char *id)
{
	for (size_t i = 0; check_table[i] != NULL; i++)
		if (strcmp(check_table[i]->id, id) == 0)
			return true;
	return false;
}
