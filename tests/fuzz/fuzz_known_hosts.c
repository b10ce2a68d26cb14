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
		json_t *section = json_pack("{s:o, s:O}", "entries", entries, "keys", keys);
		struct fact_known_hosts known;
		struct fact_host_key shown;

		known_hosts_read((const char *)data, size, "f", &queries[i], entries, damaged);
		known_hosts_elsewhere((const char *)data, size, "f", &queries[i], keys, found);
		known_hosts_second_look(entries);
		fact_read(section, shape_of_known_hosts(), &known);
		fact_read(section, shape_of_host_key(), &shown);
		known_hosts_judge(&known, &shown,
				  "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512,ssh-ed25519",
				  false);
		free(known_hosts_order(&known, "a,,b,ssh-ed25519"));
		fact_free(shape_of_known_hosts(), &known);
		fact_free(shape_of_host_key(), &shown);
		json_decref(section);
		json_decref(damaged);
		json_decref(found);
	}
	json_decref(keys);
	return 0;
}
