#include "ssh/key/key.h"

#include <openssl/objects.h>

#include <errno.h>
#include <string.h>

static const struct curve {
	const char *name, *type; /* a type: a raw point without a curve */
	int nid;
	unsigned bits;
} curves[] = {
	{ "P-256", NULL, NID_X9_62_prime256v1, 0 },
	{ "P-384", NULL, NID_secp384r1, 0 },
	{ "P-521", NULL, NID_secp521r1, 0 },
	{ "secp256k1", NULL, NID_secp256k1, 0 },
	{ "P-256K", NULL, NID_secp256k1, 0 },
	{ "Ed25519", "ssh-ed25519", 0, 256 },
	{ "Ed448", "ed448", 0, 456 },
	{ "X25519", "x25519", 0, 253 },
	{ "X448", "x448", 0, 448 },
};

static int
member(const json_t *jwk, const char *name, struct buffer *ret)
{
	const char *text = doc_str(jwk, name);

	return text == NULL ? -EBADMSG
			    : base64_decode(bytes_of(text), BASE64_LOOSE | BASE64_URL, ret);
}

static int
rsa(const json_t *jwk, struct key_info *info)
{
	struct buffer n = { 0 }, e = { 0 };
	int r;

	memcpy(info->pub.type, "ssh-rsa", 8);
	if ((r = member(jwk, "n", &n)) == 0 && (r = member(jwk, "e", &e)) == 0)
		r = key_set_rsa(info, &(struct bytes){ n.at, n.len },
				&(struct bytes){ e.at, e.len });
	buffer_free(&n);
	buffer_free(&e);
	return r;
}

static int
elliptic(const json_t *jwk, const struct curve *curve, struct key_info *info)
{
	struct buffer x = { 0 }, y = { 0 };
	unsigned char point[1 + 2 * 66] = { 4 };
	int r;

	if ((r = member(jwk, "x", &x)) < 0 || (r = member(jwk, "y", &y)) < 0)
		goto out;
	r = -EBADMSG;
	if (x.len == 0 || x.len > 66 || y.len != x.len)
		goto out;
	memcpy(point + 1, x.at, x.len);
	memcpy(point + 1 + x.len, y.at, y.len);
	r = key_set_ec(info, curve->nid, &(struct bytes){ point, 1 + 2 * x.len });
out:
	buffer_free(&x);
	buffer_free(&y);
	return r;
}

static int
raw(const json_t *jwk, const struct curve *curve, struct key_info *info)
{
	struct buffer x = { 0 };
	int r;

	snprintf(info->pub.type, sizeof(info->pub.type), "%s", curve->type);
	info->pub.bits = curve->bits;
	if (strcmp(curve->type, "ssh-ed25519") != 0)
		return 0;
	if ((r = member(jwk, "x", &x)) == 0)
		r = x.len != 32 ? -EBADMSG
				: key_set_raw(info, curve->type, curve->bits,
					      &(struct bytes){ x.at, x.len });
	buffer_free(&x);
	return r;
}

/* A key, a set of keys ({"keys": [...]}), or a key of Azure Key Vault ({"key": {...}}). */
static const json_t *
find(const json_t *doc)
{
	if (doc_str(doc, "kty") != NULL)
		return doc;
	if (doc_str(doc, "key.kty") != NULL)
		return doc_get(doc, "key");
	return doc_str(json_array_get(doc_list(doc, "keys"), 0), "kty") != NULL
		   ? json_array_get(doc_list(doc, "keys"), 0)
		   : NULL;
}

static int
jwk_read(const json_t *jwk, struct key_info *info)
{
	const char *kty = doc_str(jwk, "kty"), *name = doc_str(jwk, "crv");
	int r = -EBADMSG;

	key_kind(info, doc_str(jwk, "d") != NULL ? KEY_PRIVATE : KEY_PUBLIC, "jwk");
	key_plain(info);
	if (strncmp(kty, "RSA", 3) == 0)
		r = rsa(jwk, info);
	for (size_t i = 0;
	     i < sizeof(curves) / sizeof(curves[0]) && name != NULL && strncmp(kty, "RSA", 3) != 0;
	     i++)
		if (doc_same(name, curves[i].name))
			r = curves[i].type == NULL ? elliptic(jwk, &curves[i], info)
						   : raw(jwk, &curves[i], info);
	return r;
}

int
key_jwk(const struct buffer *text, struct key_info *info)
{
	json_t *doc;
	const json_t *jwk;
	size_t at = 0;
	int r = -ENOENT;

	while (at < text->len && strchr(" \t\n", text->at[at]) != NULL && text->at[at] != '\0')
		at++;
	if (at == text->len || text->at[at] != '{' || key_find(text, at, "\"kty\"") == SIZE_MAX)
		return -ENOENT;
	if ((doc = json_loadb((const char *)text->at + at, text->len - at, JSON_DISABLE_EOF_CHECK,
			      NULL)) == NULL) {
		key_kind(info, key_find(text, at, "\"d\"") != SIZE_MAX ? KEY_PRIVATE : KEY_OTHER,
			 "jwk");
		key_flag(info, KEY_BIT(TRUNCATED));
		return 0;
	}
	jwk = find(doc);
	if (jwk != NULL && (r = jwk_read(jwk, info)) == -EBADMSG) {
		key_flag(info, KEY_BIT(DAMAGED));
		r = 0;
	}
	json_decref(doc);
	return r;
}
