/* A public address that is not the one of the VM's first address: the guest has to know it, and has
 * to answer by the interface that it belongs to. Azure sets neither up. */
#include "checks/scene.h"
#include "model/public_ip.h"

/* The primary configuration is free to take the address. */
static void
add_primary(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct net_path *primary = &in->network.paths[0];

	finding_resource(finding, "primary_nic", "primary_nic_group", primary->nic_id);
	finding_text(finding, "primary_ip_config", primary->config_name);
	finding_text(finding, "public_ip_id", in->path->pip.id);
	if (primary->primary && primary->pip.state == FACT_ABSENT && in->path->pip.id != NULL &&
	    primary->v6 == in->path->v6)
		finding_value(finding, "primary_free", json_true());
	if (scene->windows)
		finding_value(finding, "windows_vm", json_true());
	finding_possible(finding, CODE_CORP_FIREWALL_BLOCKS_22);
	finding_possible(finding, CODE_UFW_DROP);
}

/* Of one family, the configurations of a NIC are numbered by "primary": IPv6 has one of its own,
 * which is never that. */
static bool
first_of_its_nic(const struct inbound *in)
{
	for (size_t i = 0; i < in->network.count; i++) {
		const struct net_path *path = &in->network.paths[i];

		if (path->v6 == in->path->v6 && doc_same(path->nic_id, in->path->nic_id))
			return path == in->path;
	}
	return true;
}

int
second_nic_judge(const struct scene *scene, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	const struct address *way = in->way;

	if (in->path->primary || way->internal || way->kind == ADDRESS_PRIVATE)
		return 0;
	if (!doc_same(in->network.paths[0].nic_id, in->path->nic_id)) {
		add_primary(scene, finding);
		return finding_likely(finding, FAIL, CODE_NIC_SECONDARY_ANSWERS,
				      "%s leads to %s, which is not the VM's primary network "
				      "interface, and nothing comes back",
				      way->host, in->path->nic_name);
	}
	if (first_of_its_nic(in))
		return 0;
	add_primary(scene, finding);
	return finding_likely(
	    finding, FAIL, CODE_IP_CONFIG_SECONDARY_UNKNOWN_TO_GUEST,
	    "%s leads to %s (%s), a further address of %s, and nothing comes back", way->host,
	    in->path->private_text, in->path->config_name, in->path->nic_name);
}
