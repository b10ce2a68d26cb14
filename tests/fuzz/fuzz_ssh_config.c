/* Any bytes as what `ssh -G` prints, and as what it complains of. */
#include "ssh/machine/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
exists(const char *path)
{
	return strlen(path) % 3 == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *options = ssh_config_parse((const char *)data, size),
	       *half = ssh_config_parse((const char *)data, size / 2), *complaint = json_object();

	ssh_config_differs(options, "vm1", half, "neutral");
	json_decref(ssh_config_paths(doc_str(options, "userknownhostsfile"), exists));
	json_decref(ssh_config_first_hop(doc_str(options, "proxyjump")));
	ssh_config_complaint(complaint, (const char *)data, size);
	json_decref(options);
	json_decref(half);
	json_decref(complaint);
	return 0;
}
