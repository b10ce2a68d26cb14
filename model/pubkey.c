#include "model/pubkey.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CERT_SUFFIX "-cert-v01@openssh.com"

/* Key types: how many strings follow the name in a public blob, and where the bits come from. */
static const struct key_type {
	const char *name;
	unsigned strings;
	int sized_by; /* index of the number whose length counts, -1: bits */
	unsigned bits;
} key_types[] = {
	{ "ssh-rsa", 2, 1, 0 },
	{ "ssh-dss", 4, 0, 0 },
	{ "ecdsa-sha2-nistp256", 2, -1, 256 },
	{ "ecdsa-sha2-nistp384", 2, -1, 384 },
	{ "ecdsa-sha2-nistp521", 2, -1, 521 },
	{ "ssh-ed25519", 1, -1, 256 },
	{ "ssh-ed448", 1, -1, 448 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", 3, -1, 256 },
	{ "sk-ssh-ed25519@openssh.com", 2, -1, 256 },
};

static const struct key_type *
type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++)
		if (strcmp(key_types[i].name, name) == 0)
			return &key_types[i];
	return NULL;
}

/* The value of a base64 character plus one, 0 for any other. */
static const unsigned char base64_values[256] = {
	['A'] = 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,         12,         13,
	14,         15, 16, 17, 18, 19, 20, 21, 22, 23, 24,         25,         26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,         38,         39,
	40,         41, 42, 43, 44, 45, 46, 47, 48, 49, 50,         51,         52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};

/* What was decoded so far may be private. */
static int
base64_refuse(unsigned char *out, size_t len)
{
	OPENSSL_cleanse(out, len);
	free(out);
	return -EBADMSG;
}

int
base64_decode(const char *text, size_t len, unsigned char **ret, size_t *ret_len)
{
	unsigned char *out = malloc(len / 4 * 3 + 4);
	size_t used = 0, count = 0;
	uint32_t bits = 0;
	bool ended = false;

	if (out == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		int value = base64_values[(unsigned char)text[i]] - 1;

		if (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')
			continue;
		ended = ended || text[i] == '=';
		if (ended && text[i] == '=')
			continue;
		if (ended || value < 0)
			return base64_refuse(out, used);
		bits = (bits << 6 | (uint32_t)value) & 0xffffff;
		if (++count % 4 != 1)
			out[used++] = (unsigned char)(bits >> (count % 4 == 2   ? 4
							       : count % 4 == 3 ? 2
										: 0));
	}
	if (count % 4 == 1)
		return base64_refuse(out, used);
	*ret = out;
	*ret_len = used;
	return 0;
}

char *
base64_encode(const unsigned char *bytes, size_t len, bool padded)
{
	char *text = malloc((len + 2) / 3 * 4 + 1);
	int used;

	if (text == NULL || len > INT32_MAX / 2) {
		free(text);
		return NULL;
	}
	used = EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	while (!padded && used > 0 && text[used - 1] == '=')
		used--;
	text[used] = '\0';
	return text;
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
	if (type_find(name) != NULL)
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
fields_skip(struct bytes *rest, const struct key_type *type, unsigned *bits)
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

static int
cert_rest(const struct bytes *whole, struct bytes rest, struct pubkey *key)
{
	struct bytes id, principals;
	uint64_t serial;
	uint32_t kind;

	if (bytes_u64(&rest, &serial) < 0 || bytes_u32(&rest, &kind) < 0 ||
	    bytes_string(&rest, &id) < 0 || bytes_string(&rest, &principals) < 0 ||
	    bytes_u64(&rest, &key->valid_after) < 0 || bytes_u64(&rest, &key->valid_before) < 0)
		return -EBADMSG;
	if ((key->principals = malloc(principals.len + 1)) == NULL ||
	    (key->cert_blob = malloc(whole->len)) == NULL)
		return -ENOMEM;
	memcpy(key->principals, principals.at, principals.len);
	key->principals_len = principals.len;
	memcpy(key->cert_blob, whole->at, whole->len);
	key->cert_blob_len = whole->len;
	return 0;
}

/* The plain blob: the plain type's name, then the fields. */
static int
blob_make(const char *type, const struct bytes *fields, struct pubkey *key)
{
	struct buffer blob = { 0 };

	buffer_string(&blob, bytes_of(type));
	buffer_add(&blob, fields->at, fields->len);
	if (blob.failed) {
		buffer_free(&blob);
		return -ENOMEM;
	}
	key->blob = blob.at;
	key->blob_len = blob.len;
	return 0;
}

static bool
name_is_sane(const struct bytes *name)
{
	if (name->len == 0 || name->len >= PUBKEY_TYPE_MAX)
		return false;
	for (size_t i = 0; i < name->len; i++)
		if (name->at[i] <= ' ' || name->at[i] > '~')
			return false;
	return true;
}

int
pubkey_from_blob(const unsigned char *bytes, size_t len, struct pubkey *ret)
{
	struct bytes rest = { bytes, len }, whole = rest, name, nonce, fields;
	const struct key_type *type;
	int r;

	*ret = (struct pubkey){ 0 };
	if (bytes_string(&rest, &name) < 0 || !name_is_sane(&name))
		return -EBADMSG;
	memcpy(ret->type, name.at, name.len);
	if ((ret->cert = type_of_cert(ret->type)))
		memcpy(ret->cert_type, name.at, name.len);
	if ((type = type_find(ret->type)) == NULL)
		return ret->cert ? -EBADMSG : blob_make(ret->type, &rest, ret);
	if (ret->cert && bytes_string(&rest, &nonce) < 0)
		return -EBADMSG;
	fields = rest;
	if ((r = fields_skip(&rest, type, &ret->bits)) < 0)
		return r;
	fields.len -= rest.len;
	if (!ret->cert && rest.len != 0)
		return -EBADMSG;
	if (ret->cert && (r = cert_rest(&whole, rest, ret)) < 0)
		return r;
	return blob_make(ret->type, &fields, ret);
}

void
pubkey_free(struct pubkey *key)
{
	if (key == NULL)
		return;
	free(key->blob);
	free(key->comment);
	free(key->principals);
	free(key->cert_blob);
	*key = (struct pubkey){ 0 };
}

char *
pubkey_fingerprint(const unsigned char *blob, size_t len)
{
	static const char prefix[] = "SHA256:";
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *text, *whole;
	unsigned size;

	if (blob == NULL || EVP_Digest(blob, len, digest, &size, EVP_sha256(), NULL) != 1)
		return NULL;
	if ((text = base64_encode(digest, size, false)) == NULL)
		return NULL;
	if ((whole = malloc(sizeof(prefix) + strlen(text))) != NULL) {
		memcpy(whole, prefix, sizeof(prefix) - 1);
		memcpy(whole + sizeof(prefix) - 1, text, strlen(text) + 1);
	}
	free(text);
	return whole;
}

char *
pubkey_fingerprint_md5(const unsigned char *blob, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size;
	char *text;

	if (blob == NULL || EVP_Digest(blob, len, digest, &size, EVP_md5(), NULL) != 1)
		return NULL;
	if ((text = malloc(4 + (size_t)size * 3 + 1)) == NULL)
		return NULL;
	memcpy(text, "MD5", 4);
	for (unsigned i = 0; i < size; i++) {
		text[3 + i * 3] = ':';
		text[4 + i * 3] = hex[digest[i] >> 4];
		text[5 + i * 3] = hex[digest[i] & 15];
	}
	text[3 + size * 3] = '\0';
	return text;
}
