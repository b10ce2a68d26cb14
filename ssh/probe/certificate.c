#include "ssh/probe/exchange.h"

#include <errno.h>
#include <string.h>

/* How many strings make up a key of that type, between the nonce and the serial number. */
static const struct fields {
	const char *type;
	int count;
} fields[] = { { "ssh-ed25519", 1 },
	       { "ecdsa-sha2-nistp256", 2 },
	       { "ecdsa-sha2-nistp384", 2 },
	       { "ecdsa-sha2-nistp521", 2 },
	       { "ssh-rsa", 2 } };

static const char suffix[] = "-cert-v01@openssh.com";

enum { PRINCIPALS_MAX = 256 };

struct bytes
host_key_plain(struct bytes algorithm)
{
	size_t len = sizeof(suffix) - 1;

	if (algorithm.len > len && memcmp(algorithm.at + algorithm.len - len, suffix, len) == 0)
		return (struct bytes){ algorithm.at, algorithm.len - len };
	return algorithm;
}

/* The key within: its plain type, then its own fields. */
static int
plain_read(struct bytes type, struct bytes *rest, struct buffer *plain)
{
	struct bytes nonce, field, begin;
	int count = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (bytes_is(type, fields[i].type))
			count = fields[i].count;
	if (count == 0)
		return -ENOTSUP;
	if (bytes_string(rest, &nonce) < 0)
		return -EBADMSG;
	begin = *rest;
	while (count-- > 0)
		if (bytes_string(rest, &field) < 0)
			return -EBADMSG;
	buffer_string(plain, type);
	buffer_add(plain, begin.at, begin.len - rest->len);
	return plain->failed ? -ENOMEM : 0;
}

/* Principals are a list of strings within a string. */
static int
principals_check(struct bytes list)
{
	struct bytes name;
	int count = 0;

	while (list.len > 0)
		if (bytes_string(&list, &name) < 0 || ++count > PRINCIPALS_MAX)
			return -EBADMSG;
	return 0;
}

int
certificate_read(struct bytes blob, struct certificate *ret)
{
	struct certificate cert = { .plain = { 0 } };
	struct bytes rest = blob, type, extensions, reserved;
	int r;

	if (bytes_string(&rest, &type) < 0 || host_key_plain(type).len == type.len)
		return -EBADMSG;
	if ((r = plain_read(host_key_plain(type), &rest, &cert.plain)) < 0) {
		buffer_free(&cert.plain);
		return r;
	}
	if (bytes_u64(&rest, &cert.serial) < 0 || bytes_u32(&rest, &cert.kind) < 0 ||
	    bytes_string(&rest, &cert.id) < 0 || bytes_string(&rest, &cert.principals) < 0 ||
	    bytes_u64(&rest, &cert.valid_after) < 0 || bytes_u64(&rest, &cert.valid_before) < 0 ||
	    bytes_string(&rest, &cert.critical) < 0 || bytes_string(&rest, &extensions) < 0 ||
	    bytes_string(&rest, &reserved) < 0 || bytes_string(&rest, &cert.authority) < 0 ||
	    principals_check(cert.principals) < 0)
		r = -EBADMSG;
	cert.covered = (struct bytes){ blob.at, blob.len - rest.len };
	if (r == 0 && (bytes_string(&rest, &cert.signature) < 0 || rest.len != 0))
		r = -EBADMSG;
	if (r < 0) {
		buffer_free(&cert.plain);
		return r;
	}
	*ret = cert;
	return 0;
}

int
certificate_verify(const struct certificate *cert)
{
	struct bytes rest = cert->signature, algorithm;

	if (bytes_string(&rest, &algorithm) < 0 || host_key_plain(algorithm).len != algorithm.len)
		return -EBADMSG;
	return plain_key_verify(cert->authority, algorithm, cert->signature, cert->covered);
}

int
host_key_verify(struct bytes key, struct bytes algorithm, struct bytes signature, struct bytes data)
{
	struct certificate cert;
	int r;

	if (host_key_plain(algorithm).len == algorithm.len)
		return plain_key_verify(key, algorithm, signature, data);
	if ((r = certificate_read(key, &cert)) < 0)
		return r;
	r = plain_key_verify(buffer_bytes(&cert.plain), host_key_plain(algorithm), signature, data);
	buffer_free(&cert.plain);
	return r;
}
