/* What may stand in front of the VM and was not read: as long as there is such a thing, nobody can
 * say that nothing leads to the VM, or that an address is not in front of it. */
#ifndef CHECKS_UNREAD_H
#define CHECKS_UNREAD_H

#include "checks/scene.h"
#include "facts/arm.h"

struct unread {
	const char *what;    /* "the peered network", for a sentence */
	char id[ARM_ID_MAX]; /* what was not read, or the address of an appliance */
};

bool unread_in_front(const struct scene *scene, struct unread *ret);
/* "the peered network hub" as evidence and for a summary; the caller frees. */
char *unread_words(const struct unread *unread);
/* Names it as evidence: `unread`, and `unread_id` when that is one. */
void finding_unread(struct finding *finding, const struct unread *unread);

#endif
