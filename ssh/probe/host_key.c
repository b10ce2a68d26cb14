#include "ssh/probe/exchange.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <errno.h>
#include <string.h>

#define CERT_SUFFIX "-cert-v01@openssh.com"

enum { ED25519_KEY = 32, RSA_BYTES_MAX = 2048 + 8 };

/* An algorithm: its key type, its digest (NULL: the signature has its own), for ECDSA the curve by
 * SSH's and by OpenSSL's name. */
static const struct algorithm {
	const char *name, *type, *digest, *curve, *group;
} algorithms[] = {
	{ "ssh-ed25519", "ssh-ed25519", NULL, NULL, NULL },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "SHA256", "nistp256", "prime256v1" },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "SHA384", "nistp384", "secp384r1" },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "SHA512", "nistp521", "secp521r1" },
	{ "rsa-sha2-512", "ssh-rsa", "SHA512", NULL, NULL },
	{ "rsa-sha2-256", "ssh-rsa", "SHA256", NULL, NULL },
	{ "ssh-rsa", "ssh-rsa", "SHA1", NULL, NULL },
};

static const struct algorithm *
algorithm_find(struct bytes name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (bytes_is(name, algorithms[i].name))
			return &algorithms[i];
	return NULL;
}

struct bytes
exchange_host_keys(void)
{
	return bytes_of("ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
			"rsa-sha2-512,rsa-sha2-256,ssh-rsa");
}

struct bytes
host_key_plain(struct bytes algorithm)
{
	const size_t len = strlen(CERT_SUFFIX);

	if (algorithm.len > len &&
	    memcmp(algorithm.at + algorithm.len - len, CERT_SUFFIX, len) == 0)
		return (struct bytes){ algorithm.at, algorithm.len - len };
	return algorithm;
}

struct bytes
host_key_type(struct bytes algorithm)
{
	const struct algorithm *known = algorithm_find(algorithm);

	return known != NULL ? bytes_of(known->type) : algorithm;
}

/* A public key of that OpenSSL kind from the parameters; NULL when they make none. Takes the
 * builder. */
static EVP_PKEY *
key_build(const char *kind, OSSL_PARAM_BLD *builder)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

static EVP_PKEY *
key_rsa(struct bytes e, struct bytes n)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	BIGNUM *exponent = BN_bin2bn(e.at, (int)e.len, NULL),
	       *modulus = BN_bin2bn(n.at, (int)n.len, NULL);
	EVP_PKEY *key = NULL;

	if (builder != NULL && exponent != NULL && modulus != NULL &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		key = key_build("RSA", builder);
	else
		OSSL_PARAM_BLD_free(builder);
	BN_free(exponent);
	BN_free(modulus);
	return key;
}

static EVP_PKEY *
key_ec(const char *group, struct bytes point)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

	if (builder != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.at,
					     point.len) == 1)
		return key_build("EC", builder);
	OSSL_PARAM_BLD_free(builder);
	return NULL;
}

/* The OpenSSL key of a public blob of the algorithm's type; NULL when the blob is none. */
static EVP_PKEY *
key_read(struct bytes blob, const struct algorithm *algorithm)
{
	struct bytes type, first, second;

	if (bytes_string(&blob, &type) < 0 || !bytes_is(type, algorithm->type) ||
	    bytes_string(&blob, &first) < 0)
		return NULL;
	if (strcmp(algorithm->type, "ssh-ed25519") == 0)
		return first.len == ED25519_KEY && blob.len == 0
			   ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, first.at,
							 first.len)
			   : NULL;
	if (bytes_string(&blob, &second) < 0 || blob.len != 0)
		return NULL;
	if (algorithm->curve != NULL)
		return bytes_is(first, algorithm->curve) ? key_ec(algorithm->group, second) : NULL;
	return first.len <= 64 && second.len <= RSA_BYTES_MAX ? key_rsa(first, second) : NULL;
}

/* SSH's two mpints as the DER that OpenSSL wants; the caller frees with OPENSSL_free. Returns its
 * length or -EBADMSG. */
static int
ecdsa_der(struct bytes pair, unsigned char **ret)
{
	struct bytes r, s;
	ECDSA_SIG *sig;
	BIGNUM *first, *second;
	int len;

	if (bytes_string(&pair, &r) < 0 || bytes_string(&pair, &s) < 0 || pair.len != 0 ||
	    r.len > 70 || s.len > 70)
		return -EBADMSG;
	sig = ECDSA_SIG_new();
	first = BN_bin2bn(r.at, (int)r.len, NULL);
	second = BN_bin2bn(s.at, (int)s.len, NULL);
	if (sig == NULL || first == NULL || second == NULL ||
	    ECDSA_SIG_set0(sig, first, second) != 1) {
		BN_free(first);
		BN_free(second);
		ECDSA_SIG_free(sig);
		return -ENOMEM;
	}
	*ret = NULL;
	len = i2d_ECDSA_SIG(sig, ret);
	ECDSA_SIG_free(sig);
	return len > 0 ? len : -EBADMSG;
}

static int
verify_raw(EVP_PKEY *key, const char *digest, const unsigned char *signature, size_t len,
	   struct bytes data)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = -EKEYREJECTED;

	if (ctx == NULL)
		return -ENOMEM;
	if (EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1 &&
	    EVP_DigestVerify(ctx, signature, len, data.at, data.len) == 1)
		r = 0;
	EVP_MD_CTX_free(ctx);
	return r;
}

static int
plain_key_verify(struct bytes key, struct bytes algorithm, struct bytes signature,
		 struct bytes data)
{
	const struct algorithm *known = algorithm_find(algorithm);
	struct bytes name, raw;
	unsigned char *der = NULL;
	EVP_PKEY *pkey;
	int r;

	if (known == NULL)
		return -ENOTSUP;
	if (bytes_string(&signature, &name) < 0 || bytes_string(&signature, &raw) < 0 ||
	    signature.len != 0)
		return -EBADMSG;
	if (!bytes_is(name, known->name))
		return -EKEYREJECTED;
	if ((pkey = key_read(key, known)) == NULL)
		return -EBADMSG;
	if (known->curve == NULL)
		r = verify_raw(pkey, known->digest, raw.at, raw.len, data);
	else if ((r = ecdsa_der(raw, &der)) > 0)
		r = verify_raw(pkey, known->digest, der, (size_t)r, data);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
	return r;
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
	r = plain_key_verify(buffer_bytes(&cert.key.blob), host_key_plain(algorithm), signature,
			     data);
	pubkey_free(&cert.key);
	return r;
}
