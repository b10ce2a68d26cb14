/* Any bytes as a key file. */
#include "ssh/key.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key_info info = { 0 };

	if (key_parse(data, size, &info) == 0)
		key_info_free(&info);
	return 0;
}
