/* One security rule, from its properties: between nsg_parse.c, which reads it, and nsg_load.c,
 * which makes groups of rules. */
#ifndef MODEL_NSG_RULE_H
#define MODEL_NSG_RULE_H

#include "model/nsg/nsg.h"

/* false for a rule of the other direction (nothing to free then). Nonsense is no error: it stands
 * in the rule's `bad` fields. */
bool nsg_rule_read(const char *name, const json_t *properties, bool outbound,
		   struct nsg_rule *rule);

/* The sides of a rule for all ports. */
void nsg_rule_fill(struct nsg_rule *rule, const char *source, const char *destination);

void nsg_rule_free(struct nsg_rule *rule); /* its contents */

#endif
