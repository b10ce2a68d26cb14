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

struct span
host_key_plain(struct span algorithm)
{
	size_t len = sizeof(suffix) - 1;

	if (algorithm.len > len && memcmp(algorithm.at + algorithm.len - len, suffix, len) == 0)
		return (struct span){ algorithm.at, algorithm.len - len };
	return algorithm;
}

static int
span_u64(struct span *from, uint64_t *ret)
{
	uint32_t high, low;

	if (from->len < 8 || span_u32(from, &high) < 0 || span_u32(from, &low) < 0)
		return -EBADMSG;
	*ret = (uint64_t)high << 32 | low;
	return 0;
}

/* The key within: its plain type, then its own fields. */
static int
plain_read(struct span type, struct span *rest, struct blob *plain)
{
	struct span nonce, field, begin;
	int count = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (span_is(type, fields[i].type))
			count = fields[i].count;
	if (count == 0)
		return -ENOTSUP;
	if (span_string(rest, &nonce) < 0)
		return -EBADMSG;
	begin = *rest;
	while (count-- > 0)
		if (span_string(rest, &field) < 0)
			return -EBADMSG;
	blob_string(plain, type);
	blob_bytes(plain, begin.at, begin.len - rest->len);
	return plain->failed ? -ENOMEM : 0;
}

/* Principals are a list of strings within a string. */
static int
principals_check(struct span list)
{
	struct span name;
	int count = 0;

	while (list.len > 0)
		if (span_string(&list, &name) < 0 || ++count > PRINCIPALS_MAX)
			return -EBADMSG;
	return 0;
}

int
certificate_read(struct span blob, struct certificate *ret)
{
	struct certificate cert = { .plain = { 0 } };
	struct span rest = blob, type, extensions, reserved;
	int r;

	if (span_string(&rest, &type) < 0 || host_key_plain(type).len == type.len)
		return -EBADMSG;
	if ((r = plain_read(host_key_plain(type), &rest, &cert.plain)) < 0) {
		blob_free(&cert.plain);
		return r;
	}
	if (span_u64(&rest, &cert.serial) < 0 || span_u32(&rest, &cert.kind) < 0 ||
	    span_string(&rest, &cert.id) < 0 || span_string(&rest, &cert.principals) < 0 ||
	    span_u64(&rest, &cert.valid_after) < 0 || span_u64(&rest, &cert.valid_before) < 0 ||
	    span_string(&rest, &cert.critical) < 0 || span_string(&rest, &extensions) < 0 ||
	    span_string(&rest, &reserved) < 0 || span_string(&rest, &cert.authority) < 0 ||
	    principals_check(cert.principals) < 0)
		r = -EBADMSG;
	cert.covered = (struct span){ blob.at, blob.len - rest.len };
	if (r == 0 && (span_string(&rest, &cert.signature) < 0 || rest.len != 0))
		r = -EBADMSG;
	if (r < 0) {
		blob_free(&cert.plain);
		return r;
	}
	*ret = cert;
	return 0;
}

int
certificate_verify(const struct certificate *cert)
{
	struct span rest = cert->signature, algorithm;

	if (span_string(&rest, &algorithm) < 0 || host_key_plain(algorithm).len != algorithm.len)
		return -EBADMSG;
	return host_key_verify(cert->authority, algorithm, cert->signature, cert->covered);
}
