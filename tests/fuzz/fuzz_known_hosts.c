/* Any bytes as a known_hosts file: read, judged, looked up, reordered. */
#include "model/known_hosts.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct known_query queries[] = { { .name = "vm1", .port = 22 },
						      { .name = "vm1", .port = 2200 },
						      { .name = "al", .alias = true } };
	json_t *keys =
	    json_pack("[{s:s, s:s}]", "type", "ssh-ed25519", "public",
		      "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		json_t *entries = json_array(), *damaged = json_array(), *found = json_array();

		known_hosts_read((const char *)data, size, "f", &queries[i], entries, damaged);
		known_hosts_elsewhere((const char *)data, size, "f", &queries[i], keys, found);
		known_hosts_second_look(entries);
		known_hosts_judge(entries, keys,
				  "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512,ssh-ed25519",
				  false);
		free(known_hosts_order(entries, "a,,b,ssh-ed25519"));
		json_decref(entries);
		json_decref(damaged);
		json_decref(found);
	}
	json_decref(keys);
	return 0;
}
