#include "model/vm.h"
#include "facts/arm.h"
#include "model/pubkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *
vm_id(const struct facts *facts)
{
	return FACTS_GET(facts, vm, id);
}

/* What follows "Prefix/" of a status code, NULL when the code is of another kind. */
static const char *
code_after(const char *code, const char *prefix)
{
	size_t len = strlen(prefix);

	return code != NULL && strncasecmp(code, prefix, len) == 0 && code[len] == '/'
		   ? code + len + 1
		   : NULL;
}

static void
read_provisioning(struct vm *vm, const char *word)
{
	const char *slash = strchr(word, '/');

	if (slash == NULL) {
		if (vm->provisioning == NULL)
			vm->provisioning = word;
	} else if (strncasecmp(word, "failed", 6) == 0) {
		vm->provisioning_error = slash + 1;
	} else {
		vm->provisioning_detail = slash + 1;
	}
}

static void
read_statuses(struct vm *vm, const json_t *statuses)
{
	size_t i;
	const json_t *status;

	json_array_foreach (statuses, i, status) {
		const char *code = doc_str(status, "code"), *word;

		if ((word = code_after(code, "PowerState")) != NULL) {
			vm->power = word;
			vm->power_time = doc_str(status, "time");
		} else if ((word = code_after(code, "ProvisioningState")) != NULL) {
			read_provisioning(vm, word);
			if (vm->provisioning_message == NULL)
				vm->provisioning_message = doc_str(status, "message");
		} else if ((word = code_after(code, "HibernationState")) != NULL) {
			vm->hibernated = doc_same(word, "Hibernated");
		} else if ((word = code_after(code, "OSState")) != NULL) {
			vm->generalized = doc_same(word, "generalized");
		}
	}
}

static void
read_agent(struct vm *vm, const json_t *view)
{
	const json_t *agent = doc_get(view, "vmAgent"),
		     *status = json_array_get(doc_list(agent, "statuses"), 0);
	const char *words = doc_str(status, "displayStatus");

	vm->agent_message = doc_str(status, "message");
	if (!vm->has_instance_view)
		vm->agent = VM_AGENT_UNKNOWN;
	else if (agent == NULL)
		vm->agent = VM_AGENT_NONE;
	else if (words == NULL)
		vm->agent = VM_AGENT_UNKNOWN;
	else
		vm->agent = strcasecmp(words, "Ready") == 0 ? VM_AGENT_READY : VM_AGENT_NOT_READY;
}

static void
read_os(struct vm *vm, const json_t *properties)
{
	const json_t *profile = doc_get(properties, "osProfile");
	const char *type = doc_str(properties, "storageProfile.osDisk.osType");
	const char *name = doc_str(properties, "instanceView.osName");

	vm->publisher = doc_str(properties, "storageProfile.imageReference.publisher");
	vm->offer = doc_str(properties, "storageProfile.imageReference.offer");
	vm->ephemeral =
	    doc_is(properties, "storageProfile.osDisk.diffDiskSettings.option", "Local");
	vm->sku = doc_str(properties, "storageProfile.imageReference.sku");
	vm->os_name = name;
	vm->has_os_profile = profile != NULL;
	vm->admin = doc_str(profile, "adminUsername");
	vm->password_off =
	    doc_bool(profile, "linuxConfiguration.disablePasswordAuthentication", false);
	vm->keys = doc_list(profile, "linuxConfiguration.ssh.publicKeys");
	vm->agent_wanted = doc_bool(profile, "linuxConfiguration.provisionVMAgent", true) &&
			   doc_bool(profile, "windowsConfiguration.provisionVMAgent", true);
	vm->os_known = true;
	if (type != NULL && (strcasecmp(type, "Windows") == 0 || strcasecmp(type, "Linux") == 0))
		vm->windows = strcasecmp(type, "Windows") == 0;
	else if (doc_get(profile, "linuxConfiguration") != NULL)
		vm->windows = false;
	else if (doc_get(profile, "windowsConfiguration") != NULL ||
		 (name != NULL && strncasecmp(name, "Windows", 7) == 0))
		vm->windows = true;
	else
		vm->os_known = name != NULL;
}

static void
read_placement(struct vm *vm, const json_t *properties)
{
	const json_t *boot = doc_get(properties, "diagnosticsProfile.bootDiagnostics.enabled");
	char type[128];

	vm->priority = doc_str(properties, "priority");
	vm->spot = doc_same(vm->priority, "Spot") || doc_same(vm->priority, "Low");
	vm->eviction = doc_str(properties, "evictionPolicy");
	vm->scale_set = doc_str(properties, "virtualMachineScaleSet.id");
	vm->uniform =
	    vm->id != NULL && arm_id_type(vm->id, type, sizeof(type)) == 0 &&
	    strcmp(type, "microsoft.compute/virtualmachinescalesets/virtualmachines") == 0;
	vm->created = doc_str(properties, "timeCreated");
	vm->boot_diagnostics =
	    boot == NULL
		? -1
		: doc_bool(properties, "diagnosticsProfile.bootDiagnostics.enabled", false);
}

/* The instance view: expanded in the VM's body, else as it was asked for by itself. */
static const json_t *
instance_view(const struct facts *facts, const json_t *properties)
{
	const json_t *expanded = doc_get(properties, "instanceView"),
		     *alone = vm_sub_resource(facts, "/instanceView");

	return doc_list(expanded, "statuses") != NULL || alone == NULL ? expanded : alone;
}

int
vm_from_facts(const struct facts *facts, struct vm *ret, const json_t **why)
{
	const char *id = vm_id(facts);
	const json_t *body, *properties, *view;
	struct vm vm = { 0 };

	if (facts_resource(facts, id, &body, why) != FACT_KNOWN)
		return -ENOENT;
	properties = doc_get(body, "properties");
	view = instance_view(facts, properties);
	vm.body = body;
	vm.id = doc_str(body, "id") != NULL ? doc_str(body, "id") : id;
	vm.name = doc_str(body, "name") != NULL ? doc_str(body, "name") : arm_id_name(id);
	vm.location = doc_str(body, "location");
	vm.provisioning = doc_str(properties, "provisioningState");
	vm.identity = doc_str(body, "identity.type");
	vm.has_instance_view = view != NULL;
	read_statuses(&vm, doc_list(view, "statuses"));
	if (vm.power == NULL) /* Resource Graph's form */
		vm.power = code_after(doc_str(properties, "extended.instanceView.powerState.code"),
				      "PowerState");
	read_agent(&vm, view);
	read_os(&vm, properties);
	read_placement(&vm, properties);
	*ret = vm;
	return 0;
}

bool
vm_has_system_identity(const struct vm *vm)
{
	return vm->identity != NULL && strcasestr(vm->identity, "SystemAssigned") != NULL;
}

/* keyData is one line, or RFC 4716, with whatever line ends it was sent with. */
static bool
data_is(const char *data, const char *fingerprint)
{
	struct pubkey pub = { 0 };
	char text[FINGERPRINT_SIZE];
	const char *own = NULL;
	bool is;

	if (data != NULL && pubkey_from_text(data, strlen(data), &pub) == 0)
		own = pubkey_fingerprint(buffer_bytes(&pub.blob), text);
	is = own != NULL && strcmp(own, fingerprint) == 0;
	pubkey_free(&pub);
	return is;
}

enum fact_maybe
vm_has_key(const struct vm *vm, const char *fingerprint)
{
	const json_t *key;
	size_t i;

	json_array_foreach (vm->keys, i, key)
		if (data_is(doc_str(key, "keyData"), fingerprint))
			return FACT_YES;
	return json_array_size(vm->keys) > 0 ? FACT_NO : FACT_MAYBE;
}

json_t *
vm_key_types(const struct vm *vm)
{
	json_t *types = json_array();
	const json_t *key;
	size_t i;

	json_array_foreach (vm->keys, i, key) {
		const char *data = doc_str(key, "keyData");
		size_t len = data != NULL ? strcspn(data, " \t\r\n") : 0;

		if (len > 0 && len < 64)
			json_array_append_new(types, doc_text(data, len));
	}
	return types;
}

/* The last word of "Microsoft.Azure.Security.IaaSAntimalware", how the instance view names types.
 */
static const char *
last_word(const char *type)
{
	const char *dot = type != NULL ? strrchr(type, '.') : NULL;

	return dot != NULL ? dot + 1 : type;
}

static void
read_extension_status(const json_t *view, struct vm_extension *ret)
{
	const json_t *status;
	size_t i;

	json_array_foreach (doc_list(view, "statuses"), i, status) {
		const char *word = code_after(doc_str(status, "code"), "ProvisioningState");

		if (word == NULL)
			continue;
		if (ret->state == NULL || strncasecmp(word, "failed", 6) == 0)
			ret->state = word;
		ret->message = doc_str(status, "message");
	}
}

static bool
find_extension(const json_t *list, const char *type, struct vm_extension *ret)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *own = doc_str(entry, "properties.type") != NULL
				      ? doc_str(entry, "properties.type")
				      : doc_str(entry, "type");

		if (!doc_same(last_word(own), type))
			continue;
		*ret = (struct vm_extension){ .name = doc_str(entry, "name"),
					      .publisher = doc_str(entry, "properties.publisher"),
					      .type = own,
					      .state =
						  doc_str(entry, "properties.provisioningState") };
		read_extension_status(doc_get(entry, "properties.instanceView"), ret);
		read_extension_status(entry, ret);
		return true;
	}
	return false;
}

bool
vm_extension(const struct facts *facts, const struct vm *vm, const char *type,
	     struct vm_extension *ret)
{
	struct vm_extension viewed;
	const json_t *view = doc_list(vm->body, "properties.instanceView.extensions");
	bool found =
	    find_extension(doc_list(vm->body, "resources"), type, ret) ||
	    find_extension(doc_list(vm_sub_resource(facts, "/extensions"), "value"), type, ret);

	if (!find_extension(view, type, &viewed))
		return found;
	if (!found)
		*ret = viewed;
	else if (viewed.state != NULL && strncasecmp(viewed.state, "failed", 6) == 0)
		ret->state = viewed.state;
	if (ret->message == NULL)
		ret->message = viewed.message;
	return true;
}

const json_t *
vm_sub_resource(const struct facts *facts, const char *suffix)
{
	const char *id = vm_id(facts);
	char *full = id != NULL ? doc_fmt("%s%s", id, suffix) : NULL;
	const json_t *body = NULL;

	if (full != NULL)
		facts_resource(facts, full, &body, NULL);
	free(full);
	return body;
}

bool
vm_shutdown_schedule(const struct facts *facts, const struct vm *vm, struct vm_schedule *ret)
{
	char group[128], subscription[128];
	const char *target;
	const json_t *body = NULL;
	char *id;

	arm_id_group(vm->id, group, sizeof(group));
	arm_id_subscription(vm->id, subscription, sizeof(subscription));
	id = doc_fmt("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.DevTestLab/schedules/"
		     "shutdown-computevm-%s",
		     subscription, group, vm->name);
	facts_resource(facts, id, &body, NULL);
	free(id);
	target = doc_str(body, "properties.targetResourceId");
	ret->time = doc_str(body, "properties.dailyRecurrence.time");
	return doc_is(body, "properties.status", "Enabled") &&
	       (target == NULL || arm_id_same(target, vm->id));
}

/* "Customer Initiated", "UserInitiated" and the like. */
static bool
by_person(const char *text)
{
	return text != NULL &&
	       (strcasestr(text, "customer") != NULL || strcasestr(text, "user") != NULL);
}

struct vm_health
vm_health(const struct facts *facts)
{
	const json_t *body = vm_sub_resource(
	    facts, "/providers/Microsoft.ResourceHealth/availabilityStatuses/current");
	const char *context = doc_str(body, "properties.context"),
		   *summary = doc_str(body, "properties.summary");

	return (struct vm_health){
		.state = doc_str(body, "properties.availabilityState"),
		.summary = summary != NULL ? summary : doc_str(body, "properties.title"),
		.by_customer = doc_same(context, "Customer Initiated"),
		.by_person =
		    by_person(context) || by_person(doc_str(body, "properties.reasonType")),
	};
}

const char *
subscription_state(const struct facts *facts, const char *id)
{
	char subscription[128];
	const json_t *body = NULL;
	char *full;

	arm_id_subscription(id, subscription, sizeof(subscription));
	if ((full = doc_fmt("/subscriptions/%s", subscription)) != NULL)
		facts_resource(facts, full, &body, NULL);
	free(full);
	return doc_str(body, "state");
}
