/* ARM resource ids:
 * "/subscriptions/S/resourceGroups/RG/providers/NAMESPACE/type/name[/childtype/child]...". Ids
 * compare in any case (ARM returns them with varying case). */
#ifndef MODEL_ARM_H
#define MODEL_ARM_H

#include <stdbool.h>
#include <stddef.h>

#define ARM_ID_MAX 2048

/* One part of an id: borrowed from the id, not terminated. */
struct arm_part {
	const char *at;
	size_t len;
};

struct arm_id {
	struct arm_part subscription, group;
	struct arm_part type;   /* "Microsoft.Network/virtualNetworks/subnets" is built by
				   arm_id_type; this is the last type word */
	struct arm_part name;   /* the last name */
	struct arm_part parent; /* the name before the last one, len 0 when there is none */
};

/* Reads an id. Returns 0 or -EINVAL when it is not of that form (empty parts, odd number of
 * segments, no provider). */
int arm_id_parse(const char *id, struct arm_id *ret);

/* The key under which the id stands in the facts: lower case, no trailing slash. -EINVAL for NULL,
 * empty or too long ids. */
int arm_id_key(const char *id, char *ret, size_t size);

/* true when both are the same id, in any case and with or without a trailing slash. NULL is no id.
 */
bool arm_id_same(const char *a, const char *b);

/* The full type in lower case, "microsoft.network/virtualnetworks/subnets". -EINVAL when it is no
 * resource id or does not fit. */
int arm_id_type(const char *id, char *ret, size_t size);

/* Copies "/subscriptions/../providers/NS/type/name" of the parent resource (a subnet's VNet, a NAT
 * rule's load balancer, an ipConfiguration's NIC). -EINVAL when the id has no parent or ret is too
 * small. */
int arm_id_parent(const char *id, char *ret, size_t size);

/* The last name of the id, borrowed (it runs to the end of the string); NULL id gives "". */
const char *arm_id_name(const char *id);

/* The resource group's name into ret ("" when there is none). */
void arm_id_group(const char *id, char *ret, size_t size);
void arm_id_subscription(const char *id, char *ret, size_t size);

#endif
