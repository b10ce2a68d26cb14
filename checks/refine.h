#ifndef CHECKS_REFINE_H
#define CHECKS_REFINE_H

#include "checks/finding.h"
#include "checks/scene.h"

/* What only all findings together show: the wire outranks the model (DESIGN, principle 3), a key
 * that the server accepted makes missing others moot, and a timeout that every rule allows lies
 * outside Azure's rules. Changes the findings in place. */
void findings_refine(const struct scene *scene, struct finding *findings, size_t count);

/* The finding of a check, NULL when there is none. */
struct finding *finding_of(struct finding *findings, size_t count, const char *check);

#endif
