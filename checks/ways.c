/* The ways into the VM beside the direct one: Bastion, Run Command, the serial console. Only those
 * that exist and work on this VM now. */
#include "checks/inbound.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <string.h>

/* false when the security groups keep the Bastion's own subnet out. */
static bool
let_in(const struct facts *facts, const struct inbound *in, const struct bastion *bastion)
{
	struct nsg_judgement judgement;
	struct nsg_flow flow = in->flow;
	bool allowed = true;

	if (!bastion->subnet_known)
		return true;
	flow.source = (struct ip_set){ 0 };
	flow.private_path = true;
	if (ip_set_add(&flow.source, &bastion->subnet) == 0 &&
	    nsg_judge(facts, in->path, &flow, false, NULL, &judgement) == 0) {
		allowed = judgement.verdict != NSG_DENY;
		nsg_judgement_free(&judgement);
	}
	ip_set_free(&flow.source);
	return allowed;
}

static void
add_bastion(const struct facts *facts, json_t *globals)
{
	struct inbound in;
	struct bastion bastion;
	char group[128];

	if (inbound_make(facts, &in) < 0)
		return;
	if (in.path != NULL && bastion_for(facts, in.path, &bastion) &&
	    let_in(facts, &in, &bastion)) {
		arm_id_group(bastion.id, group, sizeof(group));
		doc_set_str(globals, "way_browser", bastion.name);
		doc_set_str(globals, "way_bastion", bastion.tunneling ? bastion.name : NULL);
		doc_set_str(globals, "way_bastion_group", bastion.tunneling ? group : NULL);
	}
	inbound_free(&in);
}

void
inbound_ways(const struct facts *facts, json_t *globals)
{
	struct vm vm;

	if (vm_from_facts(facts, &vm, NULL) < 0 || !doc_same(vm.power, "running"))
		return;
	add_bastion(facts, globals);
	if (vm.uniform) /* its instances have commands of their own */
		return;
	if (vm.agent == VM_AGENT_READY && vm.os_known)
		doc_set_bool(globals, vm.windows ? "way_powershell" : "way_shell", true);
	if (vm.boot_diagnostics == 1)
		doc_set_bool(globals, "way_console", true);
}
