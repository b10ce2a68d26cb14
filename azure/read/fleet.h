/* Many VMs at once: what finding and reading them would ask for one by one is read by few large
 * requests and put where those look first (fleet.c asks, fleet_rows.c puts it there). */
#ifndef AZURE_FLEET_H
#define AZURE_FLEET_H

#include "azure/session.h"

/* What is kept of a row of Resource Graph, or of an item of a list: {id, type, tags, state: a VM's
 * provisioning state, text: all of it}. */
json_t *fleet_row(json_t *body);
/* Holds the texts of such rows. */
void fleet_hold(struct azure *azure, const json_t *rows);
/* Those of VMs, which can be found by their names, too. */
void fleet_hold_vms(struct azure *azure, const json_t *rows);
/* Gives a VM that is held the instance view that its subscription's list has. */
void fleet_view(struct azure *azure, const char *id, json_t *view);
/* For the groups of the VMs: their lists, made of the rows of everything. */
void fleet_lists(struct azure *azure, const json_t *vms, const json_t *rows);
/* The same of a list of the whole subscription ("Microsoft.Authorization/locks"). */
void fleet_split(struct azure *azure, const json_t *vms, const char *subscription,
		 const char *type);

/* The ids of the VMs of that name that were read, in that group (NULL: any); a new array. */
json_t *fleet_named(const struct azure *azure, const char *group, const char *name);

#endif
