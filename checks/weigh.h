/* The effective status of findings: what the check said, what the others and the wire say against
 * it, and what rule files decide. */
#ifndef CHECKS_WEIGH_H
#define CHECKS_WEIGH_H

#include "checks/checks.h"

/* Fills the array `ret`, which holds nothing, with a weighed copy of each finding. Returns 0 or
 * -ENOMEM; the copies are to be freed either way. */
int findings_weigh(const struct scene *scene, const struct rules *rules, const struct finding *said,
		   size_t count, struct finding *ret);

#endif
