/* One target as the checks see it: every section of the facts as its struct, and what several
 * checks need of them, worked out once. Everything is borrowed from the facts or owned by the
 * scene; checks change nothing of it. */
#ifndef CHECKS_SCENE_H
#define CHECKS_SCENE_H

#include "checks/inbound.h"
#include "model/jit.h"
#include "model/vm.h"

struct scene {
	const struct facts *facts; /* for ARM's bodies, by the views of model/ */
	time_t now;
	struct fact_asked asked;
	struct fact_machine machine;
	struct fact_target target;
	struct fact_signin azure_signin;

	/* every section, wherever it stands */
#define SCENE_SECTION(name, where, key, type, words) const struct fact_##type *key;
	FACT_SECTIONS(SCENE_SECTION)
#undef SCENE_SECTION

	/* what the wire has shown */
	bool accepted;  /* the server accepted a key: everything on the way works */
	bool answers;   /* packets from here reach an SSH server at the address in use */
	bool timed_out; /* a connect was tried and nothing came back */

	/* what Azure says */
	const struct vm *instance; /* NULL when the VM's body did not arrive */
	bool windows;              /* the VM is known to run it */
	const char *admin;         /* the user that the VM was made with; NULL when not known */
	bool network_known;        /* the VM, or its NICs, did arrive: inbound is whole */
	struct inbound inbound;
	struct nsg_judgement nsg; /* of inbound.flow; NSG_UNKNOWN without a path */
	struct jit access;        /* just-in-time access to inbound.flow.port */

	struct vm vm_view; /* behind instance */
};

/* The facts must outlive the scene, and must not move. */
void scene_make(const struct facts *facts, struct scene *ret);
void scene_free(struct scene *scene);

#endif
