/* A client assertion: a JWT signed with the application's certificate. */
#include "azure/arm/secrets.h"
#include "azure/arm/web.h"
#include "azure/signin/jwt.h"
#include "facts/doc.h"
#include "facts/file.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATE_MAX (1u << 20)

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) * chain;
};

static void
identity_free(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	sk_X509_pop_free(identity->chain, X509_free);
}

static int
give_password(char *buf, int size, int writing, void *ctx)
{
	const char *password = ctx;
	size_t len = password != NULL ? strlen(password) : 0;

	(void)writing;
	if (password == NULL || len > (size_t)size)
		return -1;
	memcpy(buf, password, len);
	return (int)len;
}

/* Key and certificates of a PEM file, in any order; the first certificate is the application's. */
static void
read_pem(const char *text, size_t len, const char *password, struct identity *ret)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	X509 *certificate;

	ret->key = PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *)(uintptr_t)password);
	BIO_free(bio);
	bio = BIO_new_mem_buf(text, (int)len);
	while ((certificate = PEM_read_bio_X509(bio, NULL, give_password, NULL)) != NULL) {
		if (ret->certificate == NULL) {
			ret->certificate = certificate;
			continue;
		}
		if (ret->chain == NULL)
			ret->chain = sk_X509_new_null();
		if (ret->chain == NULL || sk_X509_push(ret->chain, certificate) <= 0)
			X509_free(certificate);
	}
	BIO_free(bio);
}

static void
read_pkcs12(const char *bytes, size_t len, const char *password, struct identity *ret)
{
	const unsigned char *p = (const unsigned char *)bytes;
	PKCS12 *box = d2i_PKCS12(NULL, &p, (long)len);

	if (box != NULL)
		PKCS12_parse(box, password != NULL ? password : "", &ret->key, &ret->certificate,
			     &ret->chain);
	PKCS12_free(box);
}

/* Why no key came out of the file. */
static const char *
no_key_words(const char *text, size_t len, const char *password)
{
	bool packed = len > 0 && text[0] == 0x30,
	     encrypted = memmem(text, len, "ENCRYPTED", 9) != NULL;

	if ((packed || encrypted) && password == NULL)
		return "it is encrypted: AZURE_CLIENT_CERTIFICATE_PASSWORD has to hold its "
		       "password";
	if (packed)
		return "no private key could be read from it: its password is wrong, or it is "
		       "packed in an old way (openssl pkcs12 -legacy reads those)";
	if (encrypted)
		return "no private key could be read from it: its password is wrong";
	if (memmem(text, len, "-----BEGIN CERTIFICATE", 22) != NULL &&
	    memmem(text, len, "PRIVATE KEY-----", 16) == NULL)
		return "it holds a certificate, but no private key: both have to be in one file";
	return "no private key could be read from it";
}

static const char *
identity_words(const struct identity *identity, const char *text, size_t len, const char *password)
{
	if (identity->key == NULL)
		return no_key_words(text, len, password);
	if (identity->certificate == NULL)
		return "it holds no certificate beside the key: both have to be in one file";
	if (EVP_PKEY_base_id(identity->key) != EVP_PKEY_RSA)
		return "its key is not RSA, the only kind that the sign-in service takes";
	return "its key does not belong to its certificate";
}

static int
read_identity(const char *path, const char *password, struct identity *ret, struct err *err)
{
	struct identity identity = { 0 };
	struct buffer file = { 0 };
	const char *text;
	bool good;

	if (file_read(path, CERTIFICATE_MAX, &file, NULL) < 0) {
		err_set(err, "the certificate file %s cannot be read", path);
		return -1;
	}
	text = (const char *)file.at;
	if (file.len > 0 && text[0] == 0x30)
		read_pkcs12(text, file.len, password, &identity);
	else
		read_pem(text, file.len, password, &identity);
	good = identity.key != NULL && identity.certificate != NULL &&
	       EVP_PKEY_base_id(identity.key) == EVP_PKEY_RSA &&
	       X509_check_private_key(identity.certificate, identity.key) == 1;
	if (good)
		*ret = identity;
	else
		err_set(err, "%s: %s", path, identity_words(&identity, text, file.len, password));
	buffer_free(&file);
	if (!good)
		identity_free(&identity);
	return good ? 0 : -1;
}

static char *
thumbprint(const X509 *certificate, const EVP_MD *digest)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	return X509_digest(certificate, digest, hash, &len) == 1
		   ? base64_encode((struct bytes){ hash, len }, BASE64_LOOSE | BASE64_URL)
		   : NULL;
}

static void
append_der(json_t *array, X509 *certificate)
{
	unsigned char *der = NULL;
	int len = i2d_X509(certificate, &der);
	char *text = len > 0 ? base64_encode((struct bytes){ der, (size_t)len }, 0) : NULL;

	doc_append_str(array, text);
	free(text);
	OPENSSL_free(der);
}

static json_t *
header_of(const struct identity *identity, bool chain, bool adfs)
{
	json_t *header = json_pack("{s:s, s:s}", "alg", adfs ? "RS256" : "PS256", "typ", "JWT"),
	       *list;
	char *print = thumbprint(identity->certificate, adfs ? EVP_sha1() : EVP_sha256());

	doc_set_str(header, adfs ? "x5t" : "x5t#S256", print);
	free(print);
	if (chain && (list = json_array()) != NULL) {
		append_der(list, identity->certificate);
		for (int i = 0; i < sk_X509_num(identity->chain); i++)
			append_der(list, sk_X509_value(identity->chain, i));
		json_object_set_new(header, "x5c", list);
	}
	return header;
}

static json_t *
claims_of(const char *client, const char *audience, time_t now)
{
	json_t *claims = json_object();
	char id[37];

	uuid_random(id);
	doc_set_str(claims, "aud", audience);
	doc_set_str(claims, "iss", client);
	doc_set_str(claims, "sub", client);
	doc_set_str(claims, "jti", id);
	doc_set_int(claims, "iat", now);
	doc_set_int(claims, "nbf", now);
	doc_set_int(claims, "exp", now + 600);
	return claims;
}

static char *
encode_json(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT),
	     *out = text != NULL ? base64_encode(bytes_of(text), BASE64_LOOSE | BASE64_URL) : NULL;

	free(text);
	json_decref(json);
	return out;
}

/* PS256: RSASSA-PSS with SHA-256, MGF1 of the same and a salt as long as the hash; RS256 for AD FS.
 */
static char *
sign(EVP_PKEY *key, const char *text, bool pss)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	bool ok;

	ok = md != NULL && EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, key) == 1 &&
	     (!pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) == 1 &&
		       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1)) &&
	     EVP_PKEY_size(key) <= (int)sizeof(signature) &&
	     EVP_DigestSign(md, signature, &len, (const unsigned char *)text, strlen(text)) == 1;
	EVP_MD_CTX_free(md);
	return ok ? base64_encode((struct bytes){ signature, len }, BASE64_LOOSE | BASE64_URL)
		  : NULL;
}

char *
jwt_assertion(const char *path, const char *password, const char *client, const char *audience,
	      bool chain, bool adfs, time_t now, struct err *err)
{
	struct identity identity;
	char *header, *claims, *text, *signature, *jwt = NULL;

	if (read_identity(path, password, &identity, err) < 0)
		return NULL;
	header = encode_json(header_of(&identity, chain, adfs));
	claims = encode_json(claims_of(client, audience, now));
	text = header != NULL && claims != NULL ? doc_fmt("%s.%s", header, claims) : NULL;
	signature = text != NULL ? sign(identity.key, text, !adfs) : NULL;
	if (signature != NULL)
		jwt = doc_fmt("%s.%s", text, signature);
	if (jwt == NULL)
		err_set(err, "%s: the assertion could not be signed", path);
	free(header);
	free(claims);
	free(text);
	secret_free(signature);
	identity_free(&identity);
	return jwt;
}
