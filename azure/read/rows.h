/* The rows of the reading of one VM (read.c): each asks for one thing, enters what came, and lets
 * the stage (network) or the end (all) wait for it. */
#ifndef AZURE_ROWS_H
#define AZURE_ROWS_H

#include "azure/read/reader.h"

/* network.c; settles NETWORK */
void read_instance_nics(struct vm_reader *reader);
bool reader_lacks_nics(const struct vm_reader *reader);
void read_nics_by_owner(struct vm_reader *reader);
void settle_network(struct vm_reader *reader);

/* jit.c; settles JIT */
void read_jit(struct vm_reader *reader);

/* asked.c: what has the address that was asked for */
void read_asked_address(struct vm_reader *reader);

/* nearby.c: where a VM is reached by another address than its own */
/* true where the VM's own addresses are not the way, so that what may stand in front is read */
bool reader_needs_front(const struct vm_reader *reader);
void read_peered(struct vm_reader *reader);
void read_former_addresses(struct vm_reader *reader);
void read_balancers(struct vm_reader *reader);
void read_firewalls(struct vm_reader *reader);
void read_bastions(struct vm_reader *reader);

/* grants.c: what may stand against a remedy, in the VM's own group and in those of its network */
void read_own_grants(struct vm_reader *reader);
void read_grants(struct vm_reader *reader);

/* --deep: deep.c, verify.c, activity.c, tags.c */
void read_effective(struct vm_reader *reader);
void read_admin_rules(struct vm_reader *reader);
void read_flow_verdict(struct vm_reader *reader);
void read_activity(struct vm_reader *reader);
void read_policies(struct vm_reader *reader);
void read_service_tags(struct vm_reader *reader);
/* Settles DEEP from what the rows above have entered. */
void settle_deep(struct vm_reader *reader);

/* roles.c; settles ROLES where an Entra login is prepared or tried */
void read_roles(struct vm_reader *reader);

/* boot.c; settles BOOT */
void read_boot_log(struct vm_reader *reader);

#endif
