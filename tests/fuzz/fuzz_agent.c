/* Any bytes as an agent's answer. */
#include "ssh/machine/identity.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *keys = json_array();

	agent_reply_keys(data, size, keys);
	json_decref(keys);
	return 0;
}
