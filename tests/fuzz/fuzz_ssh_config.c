/* Any bytes as what `ssh -G` prints, and as what it complains of. */
#include "model/jump_host.h"
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
	struct jump_host hop;

	ssh_config_differs(options, "vm1", half, "neutral");
	json_decref(ssh_config_paths(doc_str(options, "userknownhostsfile"), exists));
	for (size_t i = 0; jump_host_at(doc_str(options, "proxyjump"), i, &hop); i++)
		if (hop.host.len > hop.text.len)
			abort();
	ssh_config_complaint(complaint, (const char *)data, size);
	json_decref(options);
	json_decref(half);
	json_decref(complaint);
	return 0;
}
