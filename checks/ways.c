/* The ways into the VM beside the direct one: Bastion, Run Command, the serial console. Only those
 * that exist and work on this VM now. */
#include "checks/scene.h"
#include "facts/arm.h"

#include <string.h>

/* false when the security groups keep the Bastion's own subnet out. */
static bool
let_in(const struct scene *scene, const struct bastion *bastion)
{
	struct nsg_judgement judgement;
	struct nsg_flow flow = scene->inbound.flow;
	bool allowed;

	if (!bastion->subnet_known)
		return true;
	flow.source = (struct ip_set){ 0 };
	flow.private_path = true;
	ip_set_add(&flow.source, &bastion->subnet);
	inbound_judge(scene, &flow, &judgement);
	allowed = judgement.verdict != NSG_DENY;
	nsg_judgement_free(&judgement);
	ip_set_free(&flow.source);
	return allowed;
}

/* One that is the only way in, and does not take native clients, still works in the browser; what
 * else is wrong with it stops the browser as well. */
static void
add_bastion(const struct scene *scene, json_t *globals)
{
	const struct inbound *in = &scene->inbound;
	struct bastion bastion;
	char group[128];

	if (in->path == NULL || !bastion_for(scene->facts, in->path, &bastion) || !bastion.ready ||
	    bastion.cut_off || bastion.private_only || (in->by_bastion && bastion.tunneling) ||
	    !let_in(scene, &bastion))
		return;
	arm_id_group(bastion.id, group, sizeof(group));
	doc_set_str(globals, "way_browser", bastion.name);
	doc_set_str(globals, "way_bastion", bastion.tunneling ? bastion.name : NULL);
	doc_set_str(globals, "way_bastion_group", bastion.tunneling ? group : NULL);
	if (bastion.tunneling)
		json_object_set_new(globals, "way_bastion_place", inbound_place(in, bastion.id));
}

void
inbound_ways(const struct scene *scene, json_t *globals)
{
	const struct vm *vm = scene->instance;

	if (vm == NULL || !doc_same(vm->power, "running"))
		return;
	add_bastion(scene, globals);
	if (vm->uniform) /* its instances have commands of their own */
		return;
	if (vm->agent == VM_AGENT_READY && vm->os_known)
		doc_set_bool(globals, vm->windows ? "way_powershell" : "way_shell", true);
	if (vm->boot_diagnostics == 1)
		doc_set_bool(globals, "way_console", true);
}
