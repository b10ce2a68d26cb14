#include "rules/table.h"

#include <errno.h>

int
rules_default(struct rules **ret, struct err *err)
{
	if ((*ret = rules_on(&rules_default_tables)) != NULL)
		return 0;
	err_set(err, "out of memory");
	return -ENOMEM;
}
