/* What the tables say of checks and codes, for --explain and --list-checks. */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include "report/wrap.h"

/* What a check reads, and the Azure actions that it needs. */
void explain_reads(struct page *page, enum check_id check);

/* How a code is found, how to see it by hand, and what it is mistaken for. */
void explain_code(struct page *page, enum code code, const struct code_words *words);

/* A code without words of its own: what its status means. false for CODE_CUSTOM. */
bool explain_bare(struct page *page, enum code code);

#endif
