#ifndef CHECKS_HINDRANCE_H
#define CHECKS_HINDRANCE_H

#include "facts/facts.h"
#include "checks/finding.h"

/* Notes beside each failure what would stand against its remedy. */
void findings_hinder(const struct facts *facts, struct finding *findings, size_t count);

/* Adds beside a finding of the nsg check that rules which would open the port are refused or undone
 * (--deep); > 0 when it did. */
int finding_revert(const struct facts *facts, struct finding *finding);

/* The id of what the remedy of a finding changes, NULL when that is nothing of Azure's; the caller
 * frees. */
char *hindrance_resource(const struct facts *facts, const struct finding *finding);

#endif
