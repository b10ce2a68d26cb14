/* Any bytes as a serial log: what is said of them is a section that can be read back. */
#include "model/boot_log.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *section = json_object();
	struct fact_boot boot;

	boot_log_read((const char *)data, size, section);
	json_object_set_new(section, "state", json_string("known"));
	fact_read(section, shape_of_boot(), &boot);
	if (boot.signs_count > 200 || boot.last_count > 4)
		abort();
	for (size_t i = 0; i < boot.signs_count; i++)
		if (boot.signs[i].text == NULL || strlen(boot.signs[i].text) > 1000)
			abort();
	fact_free(shape_of_boot(), &boot);
	json_decref(section);
	return 0;
}
