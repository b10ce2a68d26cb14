/* A load balancer or a firewall stands in front: does the connection go to the address and port
 * that lead to the VM, and does what is forwarded there reach its SSH server? */
#include "checks/scene.h"
#include "facts/arm.h"

#define SSH_PORT 22

/* The port that is connected to; that of the way when nobody chose another one. */
static int
port_asked(const struct scene *scene)
{
	bool given;

	if (scene->tcp->state == FACT_KNOWN && scene->tcp->port > 0)
		return (int)scene->tcp->port;
	if (address_asked_host(scene->facts) == NULL)
		return scene->inbound.way->port;
	return address_ssh_port(scene->facts, &given);
}

int
front_end_mismatch(const struct scene *scene, const char *host, struct finding *finding)
{
	const struct address *way = scene->inbound.way;
	int port = port_asked(scene);

	finding_text(finding, "asked_host", host);
	finding_number(finding, "asked_port", port);
	if (scene->answers) {
		finding_value(finding, "other_answers", json_true());
		return finding_likely(finding, FAIL, CODE_FRONT_END_MISMATCH,
				      "%s %s leads from %s port %d to this VM; what answers at %s "
				      "port %d is most likely another machine",
				      address_kind_word(way->kind), way->name, way->host, way->port,
				      host, port);
	}
	return finding_set(finding, FAIL, CODE_FRONT_END_MISMATCH,
			   "%s %s leads from %s port %d to this VM, and nothing from %s port %d",
			   address_kind_word(way->kind), way->name, way->host, way->port, host,
			   port);
}

static bool
leads_elsewhere(const struct scene *scene)
{
	const struct address *way = scene->inbound.way;

	return !scene->accepted && !address_by_proxy(scene->facts) && !way->internal &&
	       way->port > 0 && port_asked(scene) != way->port;
}

/* With a floating IP the packets keep the front end's address, which the guest must own. */
static int
judge_floating(const struct address *way, struct finding *finding)
{
	return finding_likely(finding, FAIL, CODE_LB_FLOATING_IP,
			      "rule %s has a floating IP: packets reach the VM addressed to %s, "
			      "and nothing comes back",
			      way->name, way->host);
}

static int
judge_backend_port(const struct address *way, struct finding *finding)
{
	finding_number(finding, "backend_port", way->backend_port);
	finding_possible(finding, CODE_CORP_FIREWALL_BLOCKS_22);
	finding_possible(finding, CODE_UFW_DROP);
	if (way->kind == ADDRESS_NAT_RULE)
		finding_value(finding, "lb_nat_rule", json_true());
	return finding_likely(
	    finding, FAIL, CODE_LB_BACKEND_PORT,
	    "%s %s leads to port %d of the VM, where nothing answers; SSH servers "
	    "listen on %d",
	    address_kind_word(way->kind), way->name, way->backend_port, SSH_PORT);
}

/* A probe of the SSH port itself fails for the reasons for which SSH does; any other one by itself
 * stops everything. */
static int
judge_probe(const struct address *way, struct finding *finding)
{
	char lb[ARM_ID_MAX];

	if (arm_id_parent(way->id, lb, sizeof(lb)) == 0)
		finding_text(finding, "lb_id", lb);
	finding_possible(finding, CODE_CORP_FIREWALL_BLOCKS_22);
	finding_possible(finding, CODE_UFW_DROP);
	return finding_likely(
	    finding, FAIL, CODE_LB_PROBE_UNANSWERED,
	    "the load balancer forwards to the VM only while probe %s is answered "
	    "on %s port %d, and nothing comes back",
	    way->probe, way->probe_word, way->probe_port);
}

static bool
probe_allowed(const struct scene *scene)
{
	struct nsg_judgement judgement = { 0 };
	bool allowed;

	inbound_judge_probe(scene, &judgement);
	allowed = judgement.verdict != NSG_DENY;
	nsg_judgement_free(&judgement);
	return allowed;
}

int
front_end_judge(const struct scene *scene, bool silent, struct finding *finding)
{
	const struct address *way = scene->inbound.way;
	bool given;
	int port = address_ssh_port(scene->facts, &given);

	if (way->kind != ADDRESS_NAT_RULE && way->kind != ADDRESS_LB_RULE &&
	    way->kind != ADDRESS_FIREWALL_DNAT)
		return 0;
	if (leads_elsewhere(scene))
		return front_end_mismatch(scene, way->host, finding);
	if (!silent)
		return 0;
	if (way->floating)
		return judge_floating(way, finding);
	if (way->probe_port > 0 && !probe_allowed(scene))
		return 0; /* the security groups say so */
	if (way->backend_port != SSH_PORT && !(given && way->backend_port == port))
		return judge_backend_port(way, finding);
	if (way->probe_port > 0 &&
	    (way->probe_port != way->backend_port || !doc_same(way->probe_word, "TCP")))
		return judge_probe(way, finding);
	return 0;
}
