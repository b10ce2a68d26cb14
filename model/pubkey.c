#include "model/pubkey.h"
#include "facts/sections.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CERT_SUFFIX "-cert-v01@openssh.com"

enum { PRINCIPALS_MAX = 256 };

static const struct pubkey_type types[] = {
	{ "ssh-rsa", "RSA", 2, 1, 0 },
	{ "ssh-dss", "DSA", 4, 0, 0 },
	{ "ecdsa-sha2-nistp256", "ECDSA", 2, -1, 256 },
	{ "ecdsa-sha2-nistp384", "ECDSA", 2, -1, 384 },
	{ "ecdsa-sha2-nistp521", "ECDSA", 2, -1, 521 },
	{ "ssh-ed25519", "ED25519", 1, -1, 256 },
	{ "ssh-ed448", NULL, 1, -1, 448 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", 3, -1, 256 },
	{ "sk-ssh-ed25519@openssh.com", "ED25519-SK", 2, -1, 256 },
};

static const struct pubkey_type *
type_named(struct bytes name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (bytes_is(name, types[i].name))
			return &types[i];
	return NULL;
}

const struct pubkey_type *
pubkey_type_find(struct bytes word, unsigned bits)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].nick != NULL && word.len == strlen(types[i].nick) &&
		    strncasecmp((const char *)word.at, types[i].nick, word.len) == 0 &&
		    (bits == 0 || types[i].bits == 0 || types[i].bits == bits))
			return &types[i];
	return type_named(word);
}

const char *
pubkey_nick(const char *type)
{
	const struct pubkey_type *known = type_named(bytes_of(type));

	return known != NULL && known->nick != NULL ? known->nick : type;
}

/* Turns "ssh-rsa-cert-v01@openssh.com" into "ssh-rsa", a security key's into "sk-...@openssh.com";
 * false when it is no certificate. */
static bool
type_of_cert(char *type)
{
	size_t len = strlen(type), suffix = strlen(CERT_SUFFIX);

	if (len <= suffix || strcmp(type + len - suffix, CERT_SUFFIX) != 0)
		return false;
	memmove(type + len - suffix, strncmp(type, "sk-", 3) == 0 ? "@openssh.com" : "",
		strncmp(type, "sk-", 3) == 0 ? 13 : 1);
	return true;
}

bool
pubkey_type_word(const char *word, size_t len)
{
	static const char *const starts[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-" };
	char name[PUBKEY_TYPE_MAX];

	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, word, len);
	name[len] = '\0';
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.@_") !=
	    len)
		return false;
	type_of_cert(name);
	if (type_named(bytes_of(name)) != NULL)
		return true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0 && len > strlen(starts[i]) + 2)
			return true;
	return false;
}

/* Bits of a number that may be cut: its stated length and its first bytes tell. */
static unsigned
bits_of_cut_number(struct bytes rest)
{
	uint32_t len;

	if (bytes_u32(&rest, &len) < 0 || len > 16384 / 8 + 1 || rest.len < 2)
		return 0;
	if (rest.len > len)
		rest.len = len;
	return bytes_bits(rest) == 0 ? 0 : bytes_bits(rest) + (unsigned)(len - rest.len) * 8;
}

static int
fields_skip(struct bytes *rest, const struct pubkey_type *type, unsigned *bits)
{
	struct bytes field;

	*bits = type->bits;
	for (unsigned i = 0; i < type->strings; i++) {
		if ((int)i == type->sized_by)
			*bits = bits_of_cut_number(*rest);
		if (bytes_string(rest, &field) < 0)
			return -EBADMSG;
		if ((int)i == type->sized_by)
			*bits = bytes_bits(field);
	}
	return 0;
}

/* What follows the key's own fields, as far as the time it is valid. */
static int
cert_begin(struct bytes *rest, struct certificate *ret)
{
	if (bytes_u64(rest, &ret->serial) < 0 || bytes_u32(rest, &ret->kind) < 0 ||
	    bytes_string(rest, &ret->id) < 0 || bytes_string(rest, &ret->principals) < 0 ||
	    bytes_u64(rest, &ret->valid_after) < 0 || bytes_u64(rest, &ret->valid_before) < 0)
		return -EBADMSG;
	return 0;
}

static void
cert_keep(struct bytes blob, const struct certificate *cert, struct pubkey *key)
{
	key->valid_after = cert->valid_after;
	key->valid_before = cert->valid_before;
	buffer_add(&key->principals, cert->principals.at, cert->principals.len);
	buffer_add(&key->cert_blob, blob.at, blob.len);
}

static bool
name_is_sane(struct bytes name)
{
	if (name.len == 0 || name.len >= PUBKEY_TYPE_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] <= ' ' || name.at[i] > '~')
			return false;
	return true;
}

/* Reads the key and what follows it; *rest is what is left. */
static int
blob_read(struct bytes blob, struct pubkey *key, struct certificate *cert, struct bytes *rest)
{
	struct bytes name, nonce, fields;
	const struct pubkey_type *type;

	*key = (struct pubkey){ 0 };
	*rest = blob;
	if (bytes_string(rest, &name) < 0 || !name_is_sane(name))
		return -EBADMSG;
	memcpy(key->type, name.at, name.len);
	if ((key->cert = type_of_cert(key->type)))
		memcpy(key->cert_type, name.at, name.len);
	type = type_named(bytes_of(key->type));
	if (key->cert && (type == NULL || bytes_string(rest, &nonce) < 0))
		return -EBADMSG;
	fields = *rest;
	if (type == NULL)
		rest->len = 0;
	else if (fields_skip(rest, type, &key->bits) < 0)
		return -EBADMSG;
	fields.len -= rest->len;
	if (key->cert ? cert_begin(rest, cert) < 0 : rest->len != 0)
		return -EBADMSG;
	if (key->cert)
		cert_keep(blob, cert, key);
	buffer_string(&key->blob, bytes_of(key->type));
	buffer_add(&key->blob, fields.at, fields.len);
	return 0;
}

int
pubkey_from_blob(struct bytes blob, struct pubkey *ret)
{
	struct certificate cert;
	struct bytes rest;

	return blob_read(blob, ret, &cert, &rest);
}

static bool
principals_sane(struct bytes list)
{
	struct bytes name;

	for (int count = 0; list.len > 0; count++)
		if (bytes_string(&list, &name) < 0 || count == PRINCIPALS_MAX)
			return false;
	return true;
}

int
certificate_read(struct bytes blob, struct certificate *ret)
{
	struct certificate cert = { .serial = 0 };
	struct bytes rest, extensions, reserved;
	int r = blob_read(blob, &cert.key, &cert, &rest);

	if (r == 0 &&
	    (!cert.key.cert || !principals_sane(cert.principals) ||
	     bytes_string(&rest, &cert.critical) < 0 || bytes_string(&rest, &extensions) < 0 ||
	     bytes_string(&rest, &reserved) < 0 || bytes_string(&rest, &cert.authority) < 0))
		r = -EBADMSG;
	cert.covered = (struct bytes){ blob.at, blob.len - rest.len };
	if (r == 0 && (bytes_string(&rest, &cert.signature) < 0 || rest.len != 0))
		r = -EBADMSG;
	if (r < 0)
		pubkey_free(&cert.key);
	else
		*ret = cert;
	return r;
}

void
pubkey_free(struct pubkey *key)
{
	if (key == NULL)
		return;
	buffer_free(&key->blob);
	buffer_free(&key->comment);
	buffer_free(&key->cert_blob);
	buffer_free(&key->principals);
	*key = (struct pubkey){ 0 };
}

const char *
pubkey_fingerprint(struct bytes blob, char ret[FINGERPRINT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	char *text = NULL;

	if (blob.len > 0 && EVP_Digest(blob.at, blob.len, digest, &len, EVP_sha256(), NULL) == 1)
		text = base64_encode((struct bytes){ digest, len }, BASE64_LOOSE);
	snprintf(ret, FINGERPRINT_SIZE, "SHA256:%s", text != NULL ? text : "");
	free(text);
	return text != NULL ? ret : NULL;
}

static const char *
fingerprint_md5(struct bytes blob, char ret[FINGERPRINT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	int used = snprintf(ret, FINGERPRINT_SIZE, "MD5");

	if (blob.len == 0 || EVP_Digest(blob.at, blob.len, digest, &len, EVP_md5(), NULL) != 1)
		return NULL;
	for (unsigned i = 0; i < len; i++)
		used += snprintf(ret + used, FINGERPRINT_SIZE - (size_t)used, ":%02x", digest[i]);
	return ret;
}

void
pubkey_facts(json_t *obj, struct bytes blob, struct bytes whole)
{
	char text[FINGERPRINT_SIZE];

	FACT_PUT(obj, public_key, fingerprint, pubkey_fingerprint(blob, text));
	FACT_PUT(obj, public_key, fingerprint_md5, fingerprint_md5(blob, text));
	FACT_PUT_BASE64(obj, public_key, public, whole);
}
