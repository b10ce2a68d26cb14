#include "ssh/probe/exchange.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A method: its hash, OpenSSL's kind of key and group; finite-field methods send mpints instead of
 * strings. */
static const struct method {
	const char *name, *digest, *kind, *group;
	bool finite;
} methods[] = {
	{ "curve25519-sha256", "SHA256", "X25519", NULL, false },
	{ "curve25519-sha256@libssh.org", "SHA256", "X25519", NULL, false },
	{ "ecdh-sha2-nistp256", "SHA256", "EC", "prime256v1", false },
	{ "ecdh-sha2-nistp384", "SHA384", "EC", "secp384r1", false },
	{ "ecdh-sha2-nistp521", "SHA512", "EC", "secp521r1", false },
	{ "diffie-hellman-group14-sha256", "SHA256", "DH", "modp_2048", true },
	{ "diffie-hellman-group16-sha512", "SHA512", "DH", "modp_4096", true },
	{ "diffie-hellman-group18-sha512", "SHA512", "DH", "modp_8192", true },
	{ "diffie-hellman-group14-sha1", "SHA1", "DH", "modp_2048", true },
};

enum { PUBLIC_MAX = 1024 + 1, MESSAGE_MAX = 64 };

struct exchange {
	const struct method *method;
	EVP_PKEY *key;
	uint8_t public[PUBLIC_MAX];
	size_t public_len;
};

struct bytes
exchange_methods(void)
{
	return bytes_of(
	    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-"
	    "sha2-nistp384,ecdh-sha2-nistp521,"
	    "diffie-hellman-group14-sha256,diffie-hellman-group16-sha512,diffie-hellman-"
	    "group18-sha512,diffie-hellman-group14-sha1");
}

static const struct method *
method_find(struct bytes name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (bytes_is(name, methods[i].name))
			return &methods[i];
	return NULL;
}

static EVP_PKEY *
key_make(const struct method *method)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, method->kind, NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    (method->group != NULL && EVP_PKEY_CTX_set_group_name(ctx, method->group) != 1) ||
	    EVP_PKEY_generate(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* Our public value: an encoded point, or the number for finite fields. */
static int
public_read(struct exchange *exchange)
{
	BIGNUM *number = NULL;
	unsigned char *point = NULL;
	int r = -EIO;

	if (exchange->method->finite) {
		if (EVP_PKEY_get_bn_param(exchange->key, OSSL_PKEY_PARAM_PUB_KEY, &number) == 1 &&
		    BN_num_bytes(number) <= PUBLIC_MAX) {
			exchange->public_len = (size_t)BN_bn2bin(number, exchange->public);
			r = 0;
		}
	} else if ((exchange->public_len =
			EVP_PKEY_get1_encoded_public_key(exchange->key, &point)) > 0 &&
		   exchange->public_len <= PUBLIC_MAX) {
		memcpy(exchange->public, point, exchange->public_len);
		r = 0;
	}
	BN_free(number);
	OPENSSL_free(point);
	return r;
}

struct exchange *
exchange_new(struct bytes method)
{
	const struct method *known = method_find(method);
	struct exchange *exchange;

	if (known == NULL || (exchange = calloc(1, sizeof(*exchange))) == NULL)
		return NULL;
	exchange->method = known;
	if ((exchange->key = key_make(known)) == NULL || public_read(exchange) < 0) {
		exchange_free(exchange);
		return NULL;
	}
	return exchange;
}

void
exchange_free(struct exchange *exchange)
{
	if (exchange == NULL)
		return;
	EVP_PKEY_free(exchange->key);
	free(exchange);
}

void
exchange_kexinit(struct buffer *ret, struct bytes method, struct bytes host_key,
		 const struct kexinit *server, size_t padding)
{
	uint8_t cookie[16] = { 0 };

	if (RAND_bytes(cookie, sizeof(cookie)) != 1)
		memset(cookie, 0, sizeof(cookie)); /* it keeps nothing secret */
	buffer_u8(ret, SSH_MSG_KEXINIT);
	buffer_add(ret, cookie, sizeof(cookie));
	buffer_string(ret, method);
	buffer_string(ret, host_key);
	for (int i = KEXINIT_CIPHER_CS; i <= KEXINIT_COMP_SC; i++)
		buffer_string(ret, server->list[i]);
	buffer_u32(ret, (uint32_t)padding);
	for (size_t i = 0; i < padding; i++)
		buffer_u8(ret, 'x');
	buffer_u32(ret, 0); /* languages from the server */
	buffer_u8(ret, 0);
	buffer_u32(ret, 0);
}

static void
public_write(struct buffer *to, const struct method *method, struct bytes value)
{
	if (method->finite)
		buffer_mpint(to, value);
	else
		buffer_string(to, value);
}

void
exchange_init(const struct exchange *exchange, struct buffer *ret)
{
	buffer_u8(ret, SSH_MSG_KEX_INIT);
	public_write(ret, exchange->method,
		     (struct bytes){ exchange->public, exchange->public_len });
}

/* The server's public value as an OpenSSL key on our group. */
static EVP_PKEY *
peer_read(const struct exchange *exchange, struct bytes value)
{
	EVP_PKEY *peer;
	EVP_PKEY_CTX *ctx;
	OSSL_PARAM_BLD *builder;
	OSSL_PARAM *params = NULL;
	BIGNUM *number;

	if (!exchange->method->finite) {
		if ((peer = EVP_PKEY_new()) != NULL &&
		    EVP_PKEY_copy_parameters(peer, exchange->key) == 1 &&
		    EVP_PKEY_set1_encoded_public_key(peer, value.at, value.len) == 1)
			return peer;
		EVP_PKEY_free(peer);
		return NULL;
	}
	peer = NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	builder = OSSL_PARAM_BLD_new();
	number = BN_bin2bn(value.at, (int)value.len, NULL);
	if (ctx == NULL || builder == NULL || number == NULL ||
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
					    exchange->method->group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PUB_KEY, number) != 1 ||
	    (params = OSSL_PARAM_BLD_to_param(builder)) == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &peer, EVP_PKEY_PUBLIC_KEY, params) != 1)
		peer = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	BN_free(number);
	return peer;
}

/* The shared secret; returns its length or -EBADMSG when the server's value is no good. */
static int
secret_derive(const struct exchange *exchange, struct bytes value, uint8_t secret[PUBLIC_MAX])
{
	EVP_PKEY *peer =
	    value.len > 0 && value.len <= PUBLIC_MAX ? peer_read(exchange, value) : NULL;
	EVP_PKEY_CTX *ctx = peer != NULL ? EVP_PKEY_CTX_new(exchange->key, NULL) : NULL;
	size_t len = PUBLIC_MAX;
	int r = -EBADMSG;

	if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 && EVP_PKEY_derive(ctx, secret, &len) == 1)
		r = (int)len;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return r;
}

/* The exchange hash of RFC 4253 section 8 and RFC 5656 section 4. */
static int
transcript_hash(const struct exchange *exchange, const struct transcript *said,
		struct bytes host_key, struct bytes theirs, struct bytes secret,
		uint8_t digest[MESSAGE_MAX])
{
	struct buffer hashed = { 0 };
	size_t len = 0;
	int r = -EBADMSG;

	buffer_string(&hashed, said->client_line);
	buffer_string(&hashed, said->server_line);
	buffer_string(&hashed, said->client_kexinit);
	buffer_string(&hashed, said->server_kexinit);
	buffer_string(&hashed, host_key);
	public_write(&hashed, exchange->method,
		     (struct bytes){ exchange->public, exchange->public_len });
	public_write(&hashed, exchange->method, theirs);
	buffer_mpint(&hashed, secret);
	if (EVP_Q_digest(NULL, exchange->method->digest, NULL, hashed.at, hashed.len, digest,
			 &len) == 1)
		r = (int)len;
	buffer_free(&hashed);
	return r;
}

int
exchange_finish(const struct exchange *exchange, const struct transcript *said,
		struct bytes algorithm, struct bytes reply, struct bytes *host_key)
{
	struct bytes key, theirs, signature;
	uint8_t type, secret[PUBLIC_MAX], digest[MESSAGE_MAX];
	int r;

	if (bytes_u8(&reply, &type) < 0 || type != SSH_MSG_KEX_REPLY ||
	    bytes_string(&reply, &key) < 0 || bytes_string(&reply, &theirs) < 0 ||
	    bytes_string(&reply, &signature) < 0 || reply.len != 0)
		return -EBADMSG;
	if ((r = secret_derive(exchange, theirs, secret)) < 0)
		return r;
	r = transcript_hash(exchange, said, key, theirs, (struct bytes){ secret, (size_t)r },
			    digest);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (r < 0)
		return r;
	if ((r = host_key_verify(key, algorithm, signature, (struct bytes){ digest, (size_t)r })) <
	    0)
		return r;
	*host_key = key;
	return 0;
}
