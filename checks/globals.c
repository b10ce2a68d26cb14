#include "checks/checks.h"

/* The private key that ssh would use: the one given, else the first in its order that is there. */
static const char *
identity(const struct fact_identities *identities)
{
	if (identities->explicit != NULL)
		return identities->explicit;
	for (size_t i = 0; i < identities->order_count; i++)
		if (identities->order[i].present && identities->order[i].path != NULL)
			return identities->order[i].path;
	return NULL;
}

/* What ssh would connect to, as far as it is known. */
static json_int_t
port(const struct scene *scene)
{
	const json_int_t ports[] = { scene->ssh_config->port, scene->asked.port,
				     scene->address->port };

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++)
		if (ports[i] != 0)
			return ports[i];
	return 22;
}

static const char *
first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

json_t *
globals_make(const struct scene *scene)
{
	const struct fact_vm *vm = scene->vm;
	const struct fact_target *target = &scene->target;
	const struct fact_ssh_config *config = scene->ssh_config;
	json_t *globals = json_object();

	doc_set_str(globals, "vm", first_of(vm->name, target->name));
	doc_set_str(globals, "vm_id", vm->id);
	doc_set_str(globals, "rg", first_of(vm->resource_group, target->resource_group));
	doc_set_str(globals, "subscription", first_of(vm->subscription, target->subscription));
	doc_set_str(globals, "location",
		    scene->instance != NULL ? scene->instance->location : NULL);
	doc_set_str(globals, "user", first_of(config->user, scene->asked.login));
	doc_set_str(globals, "user_from", FACT_WORD(user_origin, config->user_from));
	doc_set_str(globals, "host",
		    first_of(config->hostname, first_of(scene->address->host, scene->asked.host)));
	doc_set_int(globals, "port", port(scene));
	doc_set_str(globals, "identity", identity(scene->identities));
	doc_set_str(globals, "source_ip", inbound_source(scene));
	inbound_ways(scene, globals);
	return globals;
}
