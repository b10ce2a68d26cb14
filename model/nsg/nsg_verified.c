#include "model/nsg/nsg.h"

#include <stdlib.h>

bool
nsg_verified(const struct facts *facts, const struct net_path *path, struct nsg_verified *ret)
{
	char *id = doc_fmt("%s/ipFlowVerify", path->nic_id);
	const json_t *body;

	*ret = (struct nsg_verified){ 0 };
	facts_resource(facts, id, &body, &ret->why);
	free(id);
	ret->access = doc_str(body, "access");
	ret->rule = doc_str(body, "ruleName");
	ret->remote = doc_str(body, "asked.remoteIPAddress");
	ret->local = doc_str(body, "asked.localIPAddress");
	ret->port = (unsigned)doc_int(body, "asked.localPort", 0);
	return body != NULL || ret->why != NULL;
}
