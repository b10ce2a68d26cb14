/* A view of the VM's body (GET virtualMachines/NAME?$expand=instanceView), of what Azure says
 * beside it (health, schedule, subscription). Strings are borrowed from the facts; what is not
 * known is NULL. */
#ifndef MODEL_VM_H
#define MODEL_VM_H

#include "facts/facts.h"

enum vm_agent { VM_AGENT_UNKNOWN, VM_AGENT_NONE, VM_AGENT_NOT_READY, VM_AGENT_READY };

struct vm {
	const json_t *body;
	const char *id, *name, *location;
	const char *power;        /* the word behind "PowerState/": running, deallocated, ... */
	const char *power_time;   /* when it came into that state, when Azure says so */
	const char *provisioning; /* properties.provisioningState, else the instance view's */
	const char *provisioning_error;   /* "OSProvisioningTimedOut" of
					     "ProvisioningState/failed/OSProvisioningTimedOut" */
	const char *provisioning_detail;  /* "OSProvisioningInProgress" of
					     "ProvisioningState/creating/OSProvisioningInProgress" */
	const char *provisioning_message; /* what Azure says of that error */
	bool ephemeral; /* its OS disk lives on the host: no deallocation, and a redeploy resets it
			 */
	bool has_instance_view;
	bool hibernated, generalized;
	enum vm_agent agent;
	const char *agent_message;
	bool agent_wanted; /* provisionVMAgent is not false */
	bool windows, os_known;
	const char *publisher, *offer, *sku; /* of its image */
	const char *os_name; /* "Windows Server 2025 Datacenter", as its agent says */
	const char *admin;   /* osProfile.adminUsername */
	bool has_os_profile;
	bool password_off;    /* disablePasswordAuthentication */
	const json_t *keys;   /* given at creation; see vm_has_key */
	const char *priority; /* Spot, Low, Regular */
	bool spot;
	const char *eviction;  /* Deallocate, Delete */
	const char *scale_set; /* id of the scale set it belongs to */
	bool uniform;          /* an instance of a Uniform scale set */
	const char *identity;  /* identity.type */
	const char *created;   /* timeCreated */
	int boot_diagnostics;  /* 1 on, 0 off, -1 not said */
};

/* Reads the view; 0, or -ENOENT when the VM's body did not arrive: *why (may be NULL) then is its
 * entry in azure.missing, or NULL. */
int vm_from_facts(const struct facts *facts, struct vm *ret, const json_t **why);

/* The VM's id as target.vm says it, NULL when it is not known. */
const char *vm_id(const struct facts *facts);

/* true when the identity includes a system-assigned one. */
bool vm_has_system_identity(const struct vm *vm);

/* Is a key of that fingerprint among those that the VM was given at creation? Azure tells nothing
 * of later changes. FACT_MAYBE when it was given none. */
enum fact_maybe vm_has_key(const struct vm *vm, const char *fingerprint);

/* The types of these keys, as a new array of texts. */
json_t *vm_key_types(const struct vm *vm);

struct vm_extension {
	const char *name, *publisher, *type;
	const char *state;   /* provisioningState, or the failed state of the instance view */
	const char *message; /* of its status, NULL when none */
};

/* The extension of that type (its last word, any case): from the model's resources, the extension
 * list, or the instance view. true when the VM has it. */
bool vm_extension(const struct facts *facts, const struct vm *vm, const char *type,
		  struct vm_extension *ret);

/* The body of a resource under the VM's id
 * ("/providers/Microsoft.ResourceHealth/availabilityStatuses/current"), NULL when not known. */
const json_t *vm_sub_resource(const struct facts *facts, const char *suffix);

/* The auto-shutdown schedule when it is enabled for this VM; false otherwise. */
struct vm_schedule {
	const char *time; /* "1900", NULL when it does not say */
};
bool vm_shutdown_schedule(const struct facts *facts, const struct vm *vm, struct vm_schedule *ret);

/* What Resource Health says of the VM. */
struct vm_health {
	const char *state;   /* Available, Unavailable, Degraded, Unknown; NULL when not known */
	const char *summary; /* why, NULL when it does not say */
	bool by_customer;    /* the customer made it so */
	bool by_person;      /* the customer, or somebody inside */
};
struct vm_health vm_health(const struct facts *facts);

/* The subscription's state ("Enabled", "Disabled", "Warned", "PastDue"), NULL when not known. */
const char *subscription_state(const struct facts *facts, const char *id);

#endif
