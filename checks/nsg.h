/* The parts of the check nsg: nsg.c judges and says what is allowed, depends or is not known;
 * nsg_deny.c says what denies and computes the rule that would mend it; nsg_opinion.c sets Azure's
 * own answers (--deep) beside ours. */
#ifndef CHECKS_NSG_H
#define CHECKS_NSG_H

#include "checks/scene.h"

/* Scope, group, deciding rule and its source as evidence. */
void nsg_gate_evidence(const struct nsg_gate *gate, const struct inbound *in,
		       struct finding *finding);

/* What the remedy needs: the smallest rule that would admit this source in a gate that denies (or
 * may). */
void nsg_remedy_evidence(const struct nsg_gate *gate, const struct inbound *in,
			 struct finding *finding);

/* The finding for a judgement that denies; 0 or -ENOMEM. */
int nsg_deny(const struct scene *scene, const struct nsg_judgement *judgement,
	     struct finding *finding);

/* Azure's answers beside ours (scene->nsg): `effective` (NULL: not read) and IP flow verify. Where
 * one is definite and differs, both are told in a finding of its own; ours stands. 0 or -ENOMEM. */
int nsg_opinions(const struct scene *scene, const struct nsg_judgement *effective,
		 struct finding *finding);

/* Adds beside a denial that a rule which opens the port is refused or undone (--deep), by a policy
 * or by a program that watches the rules; > 0 when it did. */
int nsg_note_policy(const struct scene *scene, struct finding *finding);

#endif
