#include "checks/scene.h"

#include <errno.h>

/* Where a section of each place is in the scene. */
#define IN_machine(key) &scene->machine.key
#define IN_azure(key) &scene->azure_##key
#define IN_target(key) &scene->target.key
#define IN_wire(key) &scene->target.wire.key

static void
set_sections(struct scene *scene)
{
#define SCENE_SECTION(name, where, key, type, words) scene->key = IN_##where(key);
	FACT_SECTIONS(SCENE_SECTION)
#undef SCENE_SECTION
}

/* A connection to this machine itself proves nothing about the way to Azure. */
static void
set_wire(struct scene *scene)
{
	scene->accepted = scene->auth->accepted != NULL;
	scene->answers =
	    scene->accepted || (scene->tcp->result == TCP_CONNECTED && !scene->tcp->loopback &&
				scene->banner->result == BANNER_IS_SSH);
	scene->timed_out = scene->tcp->result == TCP_TIMEOUT;
}

/* Just-in-time access is for the client's own address, whatever a firewall on the way makes of it.
 */
static const struct ip *
client(const struct scene *scene, struct ip *own)
{
	const struct inbound *in = &scene->inbound;

	if (in->way != NULL && in->way->kind == ADDRESS_FIREWALL_DNAT)
		return ip_parse(scene->source->ip, own) == 0 && ip_is_public(*own) ? own : NULL;
	return in->source_known ? &in->flow.source.list[0].from : NULL;
}

static void
set_azure(struct scene *scene)
{
	struct ip own;

	if (vm_from_facts(scene->facts, &scene->vm_view, NULL) == 0) {
		scene->instance = &scene->vm_view;
		scene->windows = scene->vm_view.windows;
		scene->admin = scene->vm_view.admin;
	}
	scene->nsg.verdict = NSG_UNKNOWN;
	scene->network_known = inbound_make(scene, &scene->inbound) == 0;
	jit_from_facts(scene->facts, scene->vm->id, (int)scene->inbound.flow.port,
		       client(scene, &own), &scene->access);
	if (scene->network_known && scene->inbound.path != NULL)
		inbound_judge(scene, &scene->inbound.flow, &scene->nsg);
}

void
scene_make(const struct facts *facts, struct scene *ret)
{
	*ret = (struct scene){ .facts = facts, .now = facts->now };
	set_sections(ret);
	fact_read(FACT_JSON(facts->doc, document, asked), shape_of_asked(), &ret->asked);
	fact_read(FACT_JSON(facts->doc, document, machine), shape_of_machine(), &ret->machine);
	fact_read(facts_section(facts, FACT_SIGNIN), shape_of_signin(), &ret->azure_signin);
	fact_read(facts->target, shape_of_target(), &ret->target);
	set_wire(ret);
	set_azure(ret);
}

void
scene_free(struct scene *scene)
{
	nsg_judgement_free(&scene->nsg);
	inbound_free(&scene->inbound);
	fact_free(shape_of_asked(), &scene->asked);
	fact_free(shape_of_machine(), &scene->machine);
	fact_free(shape_of_signin(), &scene->azure_signin);
	fact_free(shape_of_target(), &scene->target);
}
