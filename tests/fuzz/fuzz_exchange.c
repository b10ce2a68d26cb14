/* Any bytes as the answer to our own key exchange, as a host key, a certificate, a signature:
 * nothing that was not signed is ever believed. The first two bytes choose the method and the
 * algorithm. */
#include "ssh/probe/exchange.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { METHODS = 16 };

static struct bytes
nth(struct bytes list, unsigned n)
{
	struct bytes name = { NULL, 0 }, rest = list;
	unsigned count = 0;

	while (names_next(&rest, &name))
		count++;
	for (n %= count; names_next(&list, &name) && n > 0; n--)
		;
	return name;
}

static struct exchange *
exchange_for(unsigned n)
{
	static struct exchange *made[METHODS];

	if (made[n % METHODS] == NULL)
		made[n % METHODS] = exchange_new(nth(exchange_methods(), n % METHODS));
	return made[n % METHODS];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data + 2, size - 2 }, algorithm, key, signature;
	struct transcript said = { bytes_of("SSH-2.0-a"), bytes_of("SSH-2.0-b"), bytes_of("c"),
				   bytes_of("d") };
	struct certificate cert;
	char name[96];

	if (size < 2)
		return 0;
	algorithm = nth(exchange_host_keys(), data[1]);
	if (exchange_for(data[0]) == NULL ||
	    exchange_finish(exchange_for(data[0]), &said, algorithm, bytes, &key) == 0)
		abort();
	if (certificate_read(bytes, &cert) == 0) {
		if (cert.covered.len > bytes.len)
			abort();
		certificate_verify(&cert);
		pubkey_free(&cert.key);
	}
	/* a host key algorithm may be a certificate's */
	if (data[0] > 127) {
		snprintf(name, sizeof(name), "%.*s-cert-v01@openssh.com", (int)algorithm.len,
			 (const char *)algorithm.at);
		algorithm = bytes_of(name);
	}
	if (bytes_string(&bytes, &key) == 0 && bytes_string(&bytes, &signature) == 0)
		host_key_verify(key, algorithm, signature, bytes);
	return 0;
}
