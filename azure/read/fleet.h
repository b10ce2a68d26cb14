/* Many VMs at once: what finding and reading them would ask for one by one is read by few large
 * requests and put where those look first (fleet.c asks, fleet_rows.c puts it there). */
#ifndef AZURE_FLEET_H
#define AZURE_FLEET_H

#include "azure/session.h"

/* Takes the rows of Resource Graph (or of ARM's lists) into what is held. */
void fleet_hold(struct azure *azure, const json_t *rows);
/* Takes a VM's body: into the facts, so that nobody asks for it. */
void fleet_hold_vm(struct azure *azure, json_t *body);
/* For the groups of the VMs: their lists, made of the rows of everything. */
void fleet_lists(struct azure *azure, const json_t *vms, const json_t *rows);
/* The same of a list of the whole subscription ("Microsoft.Authorization/locks"). */
void fleet_split(struct azure *azure, const json_t *vms, const char *subscription,
		 const char *type);

/* The ids of the VMs of that name that were read, in that group (NULL: any); a new array. */
json_t *fleet_named(const struct azure *azure, const char *group, const char *name);

#endif
