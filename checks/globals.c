#include "checks/checks.h"
#include "checks/inbound.h"

/* The VM's location, from its body. */
static const char *
vm_location(const struct facts *facts)
{
	const json_t *body;
	const char *id = doc_str(facts_section(facts, FACT_VM), "id");

	return id != NULL && facts_resource(facts, id, &body, NULL) == FACT_KNOWN
		   ? doc_str(body, "location")
		   : NULL;
}

/* The private key that ssh would use: the one given, else the first in its order that is there. */
static const char *
identity(const struct facts *facts)
{
	const json_t *section = facts_section(facts, FACT_IDENTITIES), *one;
	const char *path = doc_str(section, "explicit");
	size_t i;

	json_array_foreach (doc_list(section, "order"), i, one)
		if (path == NULL && doc_bool(one, "present", false) && doc_str(one, "path") != NULL)
			path = doc_str(one, "path");
	return path;
}

static const char *
first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

json_t *
globals_from_facts(const struct facts *facts)
{
	const json_t *vm = facts_section(facts, FACT_VM),
		     *config = facts_section(facts, FACT_SSH_CONFIG);
	const json_t *address = facts_section(facts, FACT_ADDRESS);
	json_t *globals = json_object();
	json_int_t port = doc_int(config, "port",
				  doc_int(facts->doc, "asked.port", doc_int(address, "port", 22)));

	doc_set_str(globals, "vm", first_of(doc_str(vm, "name"), doc_str(facts->target, "name")));
	doc_set_str(globals, "vm_id", doc_str(vm, "id"));
	doc_set_str(
	    globals, "rg",
	    first_of(doc_str(vm, "resource_group"), doc_str(facts->target, "resource_group")));
	doc_set_str(globals, "subscription",
		    first_of(doc_str(vm, "subscription"), doc_str(facts->target, "subscription")));
	doc_set_str(globals, "location", vm_location(facts));
	doc_set_str(globals, "user",
		    first_of(doc_str(config, "user"), doc_str(facts->doc, "asked.login")));
	doc_set_str(globals, "user_from", doc_str(config, "user_from"));
	doc_set_str(
	    globals, "host",
	    first_of(doc_str(config, "hostname"),
		     first_of(doc_str(address, "host"), doc_str(facts->doc, "asked.host"))));
	doc_set_int(globals, "port", port);
	doc_set_str(globals, "identity", identity(facts));
	doc_set_str(globals, "source_ip", inbound_source(facts));
	inbound_ways(facts, globals);
	return globals;
}
