/* One security rule, from its properties: between nsg_parse.c, which reads it, and nsg_load.c,
 * which makes groups of rules. */
#ifndef MODEL_NSG_RULE_H
#define MODEL_NSG_RULE_H

#include "model/nsg/nsg.h"

/* 1 when read, 0 for an outbound rule (nothing to free then), -ENOMEM: *rule holds what was read by
 * then. Nonsense is no error: it stands in the rule's `bad` fields. */
int nsg_rule_read(const char *name, const json_t *properties, struct nsg_rule *rule);

/* The sides of a rule for all ports; 0 or -ENOMEM. */
int nsg_rule_fill(struct nsg_rule *rule, const char *source, const char *destination);

void nsg_rule_free(struct nsg_rule *rule); /* its contents */

#endif
