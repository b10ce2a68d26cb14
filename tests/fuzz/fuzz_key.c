/* Any bytes as a key file. */
#include "ssh/key/key.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_info info = { 0 };
	json_t *facts;

	key_parse(data, size, &info);
	facts = json_object();
	key_info_facts(&info, facts);
	json_decref(facts);
	key_info_free(&info);
	return 0;
}
