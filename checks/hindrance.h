#ifndef CHECKS_HINDRANCE_H
#define CHECKS_HINDRANCE_H

#include "facts/facts.h"
#include "checks/finding.h"

/* Notes beside each failure what would stand against its remedy. */
void findings_hinder(const struct facts *facts, struct finding *findings, size_t count);

/* Adds beside a finding of the nsg check that rules which would open the port are refused or undone
 * (--deep); > 0 when it did. */
int finding_revert(const struct facts *facts, struct finding *finding);

#endif
