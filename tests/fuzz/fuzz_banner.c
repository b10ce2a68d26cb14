/* Any bytes as what a server says first: lines before its own, its own, or another protocol. */
#include "ssh/probe/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
within(struct bytes part, const uint8_t *data, size_t size)
{
	if (part.len > 0 && (part.at < data || part.at + part.len > data + size))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct banner banner, again;
	enum banner_state state = banner_read(data, size, &banner);

	if (state == BANNER_SSH) {
		within(banner.line, data, size);
		within(banner.protocol, data, size);
		within(banner.software, data, size);
		if (banner.used > size || banner_product(banner.software) == NULL)
			abort();
		/* what stands behind the line changes nothing */
		if (banner_read(data, banner.used, &again) != BANNER_SSH ||
		    again.line.at != banner.line.at || again.line.len != banner.line.len)
			abort();
	}
	banner_guess(data, size);
	return 0;
}
