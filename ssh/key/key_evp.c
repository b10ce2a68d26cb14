#include "ssh/key/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The largest numbers that FIPS 186 knows: a power of larger ones may take any time. */
enum { DSA_BITS_MAX = 3072, DSA_EXPONENT_BITS_MAX = 256 };

static struct buffer
blob_begin(const char *type)
{
	struct buffer blob = { 0 };

	buffer_string(&blob, bytes_of(type));
	return blob;
}

static int
blob_take(const struct buffer *blob, const char *type, unsigned bits, struct key_info *info)
{
	buffer_free(&info->pub.blob);
	info->pub.blob = *blob;
	info->pub.bits = bits;
	snprintf(info->pub.type, sizeof(info->pub.type), "%s", type);
	return 0;
}

int
key_set_rsa(struct key_info *info, const struct bytes *n, const struct bytes *e)
{
	struct buffer blob;

	if (bytes_bits(*n) == 0 || bytes_bits(*e) == 0 || n->len > 65536 || e->len > 65536)
		return -EBADMSG;
	blob = blob_begin("ssh-rsa");
	buffer_mpint(&blob, *e);
	buffer_mpint(&blob, *n);
	return blob_take(&blob, "ssh-rsa", bytes_bits(*n), info);
}

int
key_set_dss(struct key_info *info, const struct bytes numbers[4])
{
	struct buffer blob = blob_begin("ssh-dss");

	for (size_t i = 0; i < 4; i++)
		buffer_mpint(&blob, numbers[i]);
	return blob_take(&blob, "ssh-dss", bytes_bits(numbers[0]), info);
}

int
key_set_dss_private(struct key_info *info, const struct bytes numbers[3], const struct bytes *x)
{
	BIGNUM *p, *g, *exponent, *y;
	unsigned char public[DSA_BITS_MAX / 8];
	BN_CTX *ctx;
	int r = 0;

	if (bytes_bits(numbers[0]) > DSA_BITS_MAX || bytes_bits(numbers[2]) > DSA_BITS_MAX ||
	    bytes_bits(*x) > DSA_EXPONENT_BITS_MAX)
		return 0;
	ctx = BN_CTX_new();
	y = BN_new();
	p = BN_bin2bn(numbers[0].at, (int)numbers[0].len, NULL);
	g = BN_bin2bn(numbers[2].at, (int)numbers[2].len, NULL);
	exponent = BN_bin2bn(x->at, (int)x->len, NULL);
	if (BN_mod_exp(y, g, exponent, p, ctx) == 1) {
		struct bytes all[4] = {
			numbers[0], numbers[1], numbers[2], { public, (size_t)BN_bn2bin(y, public) }
		};

		r = key_set_dss(info, all);
	}
	BN_free(y);
	BN_free(p);
	BN_free(g);
	BN_clear_free(exponent);
	BN_CTX_free(ctx);
	return r;
}

int
key_set_raw(struct key_info *info, const char *type, unsigned bits, const struct bytes *point)
{
	struct buffer blob = blob_begin(type);

	buffer_string(&blob, *point);
	return blob_take(&blob, type, bits, info);
}

static const char *
curve_name(int nid)
{
	switch (nid) {
	case NID_X9_62_prime256v1:
		return "nistp256";
	case NID_secp384r1:
		return "nistp384";
	case NID_secp521r1:
		return "nistp521";
	default:
		return NULL;
	}
}

/* Other curves have no name on the SSH wire: OpenSSL's, and no fingerprint. */
static int
ec_type(struct key_info *info, int nid, const EC_GROUP *group)
{
	const char *curve = curve_name(nid);

	snprintf(info->pub.type, sizeof(info->pub.type), "%s%s", curve != NULL ? "ecdsa-sha2-" : "",
		 curve != NULL ? curve : OBJ_nid2sn(nid));
	info->pub.bits = (unsigned)EC_GROUP_get_degree(group);
	return curve == NULL ? -ENOENT : 0;
}

static int
ec_blob(struct key_info *info, int nid, const EC_GROUP *group, const EC_POINT *point)
{
	const char *curve = curve_name(nid);
	unsigned char octets[256];
	size_t len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, octets,
					sizeof(octets), NULL);
	char type[PUBKEY_TYPE_MAX];
	struct buffer blob;

	if (len == 0 || EC_POINT_is_at_infinity(group, point))
		return -EBADMSG;
	snprintf(type, sizeof(type), "%s", info->pub.type);
	blob = blob_begin(type);
	buffer_string(&blob, bytes_of(curve));
	buffer_string(&blob, (struct bytes){ octets, len });
	return blob_take(&blob, type, info->pub.bits, info);
}

int
key_set_ec(struct key_info *info, int nid, const struct bytes *point)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *decoded = group == NULL ? NULL : EC_POINT_new(group);
	int r = -EBADMSG;

	if (decoded == NULL)
		goto out;
	if ((r = ec_type(info, nid, group)) < 0) {
		r = 0;
		goto out;
	}
	r = -EBADMSG;
	if (EC_POINT_oct2point(group, decoded, point->at, point->len, NULL) == 1)
		r = ec_blob(info, nid, group, decoded);
out:
	EC_POINT_free(decoded);
	EC_GROUP_free(group);
	return r;
}

int
key_set_ec_curve(struct key_info *info, int nid)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);

	if (group == NULL)
		return -EBADMSG;
	ec_type(info, nid, group);
	EC_GROUP_free(group);
	return 0;
}

int
key_set_ec_scalar(struct key_info *info, int nid, const struct bytes *scalar)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
	BIGNUM *number = NULL;
	int r = -EBADMSG;

	if (point == NULL)
		goto out;
	if (ec_type(info, nid, group) < 0 || scalar->len > 128) {
		r = 0;
		goto out;
	}
	number = BN_bin2bn(scalar->at, (int)scalar->len, NULL);
	if (number != NULL && !BN_is_zero(number) &&
	    EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1)
		r = ec_blob(info, nid, group, point);
out:
	BN_clear_free(number);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return r;
}

bool
key_product_is(const struct bytes *p, const struct bytes *q, const struct bytes *n)
{
	BIGNUM *a, *b, *c, *product = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	bool is = false;

	if (p->len > INT_MAX || q->len > INT_MAX || n->len > 16384)
		p = q = n;
	a = BN_bin2bn(p->at, (int)p->len, NULL);
	b = BN_bin2bn(q->at, (int)q->len, NULL);
	c = BN_bin2bn(n->at, (int)n->len, NULL);
	if (a != NULL && b != NULL && c != NULL && product != NULL && ctx != NULL &&
	    p->len + q->len < 32768)
		is = BN_mul(product, a, b, ctx) == 1 && BN_cmp(product, c) == 0;
	BN_clear_free(a);
	BN_clear_free(b);
	BN_free(c);
	BN_free(product);
	BN_CTX_free(ctx);
	return is;
}

bool
key_ed25519_pair(const struct bytes *seed, const struct bytes *point)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed->at, seed->len);
	unsigned char derived[32];
	size_t len = sizeof(derived);
	bool is = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, derived, &len) == 1 &&
		  len == point->len && memcmp(derived, point->at, len) == 0;

	EVP_PKEY_free(pkey);
	return is;
}

/* A number of an OpenSSL key; the caller frees ret->at. */
static int
number_get(EVP_PKEY *pkey, const char *name, struct bytes *ret)
{
	BIGNUM *number = NULL;
	unsigned char *bytes;
	int r = -EBADMSG;

	if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1) {
		bytes = malloc((size_t)BN_num_bytes(number) + 1);
		*ret = (struct bytes){ bytes, (size_t)BN_bn2bin(number, bytes) };
		r = 0;
	}
	BN_free(number);
	return r;
}

static void
number_free(const struct bytes *number)
{
	free((void *)(uintptr_t)number->at);
}

static int
evp_numbers(struct key_info *info, EVP_PKEY *pkey, bool rsa)
{
	static const char *const names[2][4] = { { OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q,
						   OSSL_PKEY_PARAM_FFC_G, OSSL_PKEY_PARAM_PUB_KEY },
						 { OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E } };
	struct bytes numbers[4] = { 0 };
	int r = 0;

	for (size_t i = 0; i < (rsa ? 2 : 4) && r == 0; i++)
		r = number_get(pkey, names[rsa][i], &numbers[i]);
	if (r == 0)
		r = rsa ? key_set_rsa(info, &numbers[0], &numbers[1]) : key_set_dss(info, numbers);
	for (size_t i = 0; i < 4; i++)
		number_free(&numbers[i]);
	return r;
}

static int
evp_ec(struct key_info *info, EVP_PKEY *pkey)
{
	unsigned char point[256];
	char group[80];
	size_t len = 0;
	int nid;

	if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					   &len) != 1 ||
	    (nid = OBJ_txt2nid(group)) == NID_undef) {
		memcpy(info->pub.type, "ecdsa", 6);
		info->pub.bits = (unsigned)EVP_PKEY_get_bits(pkey);
		return 0;
	}
	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &len) != 1)
		return -EBADMSG;
	return key_set_ec(info, nid, &(struct bytes){ point, len });
}

/* Types that SSH does not know keep OpenSSL's name in small letters ("rsassa-pss", "x25519"). */
static void
evp_other(struct key_info *info, EVP_PKEY *pkey)
{
	const char *name = EVP_PKEY_get0_type_name(pkey);
	size_t i = 0;

	if (EVP_PKEY_is_a(pkey, "RSA-PSS"))
		name = "rsassa-pss";
	for (; name != NULL && name[i] != '\0' && i + 1 < sizeof(info->pub.type); i++)
		info->pub.type[i] =
		    name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
	info->pub.type[i] = '\0';
	info->pub.bits = (unsigned)EVP_PKEY_get_bits(pkey);
}

int
key_set_evp(struct key_info *info, EVP_PKEY *pkey)
{
	unsigned char point[32];
	size_t len = sizeof(point);

	if (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "DSA"))
		return evp_numbers(info, pkey, EVP_PKEY_is_a(pkey, "RSA"));
	if (EVP_PKEY_is_a(pkey, "EC"))
		return evp_ec(info, pkey);
	if (!EVP_PKEY_is_a(pkey, "ED25519")) {
		evp_other(info, pkey);
		return 0;
	}
	if (EVP_PKEY_get_raw_public_key(pkey, point, &len) != 1)
		return -EBADMSG;
	return key_set_raw(info, "ssh-ed25519", 256, &(struct bytes){ point, len });
}
