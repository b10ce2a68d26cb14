/* Any bytes as the output of the guest's script: what is made of them is a section that can be read
 * back and judged. */
#include "model/guest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
judge_keys(const struct fact_guest *guest)
{
	struct guest_options options;

	for (size_t i = 0; i < guest->found_count; i++) {
		if (guest->found[i].before == NULL)
			continue;
		guest_options_judge(guest->found[i].before, NULL, guest->source, guest->clock,
				    &options);
		guest_options_expiry(guest->found[i].before);
		guest_address_listed(guest->found[i].before, guest->source);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *section = json_object();
	char *text = strndup((const char *)data, size);
	struct guest_filter filter;
	struct fact_guest guest;

	if (guest_parse(text, section)) {
		json_object_set_new(section, "state", json_string("known"));
		fact_read(section, shape_of_guest(), &guest);
		judge_keys(&guest);
		guest_filter_judge(&guest, &filter);
		if (memchr(filter.rule, '\0', sizeof(filter.rule)) == NULL)
			abort();
		fact_free(shape_of_guest(), &guest);
	}
	free(text);
	json_decref(section);
	return 0;
}
