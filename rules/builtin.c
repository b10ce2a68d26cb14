#include "rules/rules.h"
#include "rules/tree.h"

extern const char rules_default_json[],
    rules_default_digest[]; /* default.c, made from default.yaml by pack.c */

int
rules_default(struct rules **ret, struct err *err)
{
	return rules_packed(ret, rules_default_json, rules_default_digest, err);
}
