#include "ssh/key/key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits.h>
#include <string.h>

#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END "\n-----END OPENSSH PRIVATE KEY-----\n"

/* A passphrase was asked for: the file is as OpenSSL wants it. It gets none. */
static int
asked(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)ctx = true;
	return -1;
}

/* OpenSSH reads its own container only as it wrote it. */
static int
openssh_loads(const unsigned char *bytes, size_t len, const struct key_info *info)
{
	const uint64_t harmless = KEY_BIT(TWO_KEYS) | KEY_BIT(BLANK_LINES) | KEY_BIT(ONE_LINE) |
				  KEY_BIT(TRAILING_GARBAGE) | KEY_BIT(CERT_AFTER);

	if ((info->defects & ~harmless) != 0 &&
	    (info->defects & ~(harmless | KEY_BIT(INDENTED) | KEY_BIT(TRAILING_SPACES) |
			       KEY_BIT(NO_FINAL_NEWLINE))) != 0)
		return 0;
	if (len < strlen(BEGIN) || memcmp(bytes, BEGIN, strlen(BEGIN)) != 0 ||
	    memmem(bytes, len, END, strlen(END)) == NULL)
		return 0;
	if (strcmp(info->pub.type, "ssh-rsa") == 0 && info->pub.bits < 1024)
		return 0;
	return info->pub.blob.len > 0;
}

/* Types that OpenSSH takes from PEM: RSA, DSA, the NIST curves; Ed25519 since 9.6. */
static int
pem_type_loads(const struct key_info *info)
{
	if (info->encrypted == YES)
		return *info->pub.type == '\0' ? -1 : 1;
	if (strcmp(info->pub.type, "ssh-ed25519") == 0)
		return -1;
	if (strcmp(info->pub.type, "ssh-rsa") == 0)
		return info->pub.bits >= 1024;
	return strcmp(info->pub.type, "ssh-dss") == 0 ||
	       strncmp(info->pub.type, "ecdsa-sha2-", 11) == 0;
}

/* PKCS#8 under the label of its own type loads all the same, and under others does not: only
 * reading it tells. `block` is the first private key in it, the one that OpenSSL will read. */
static bool
label_is_borne(const unsigned char *bytes, size_t len, struct bytes block, const char *name,
	       const struct key_info *info)
{
	BIO *bio;
	bool locked = false, borne;
	EVP_PKEY *pkey;

	if (!key_der_bounded(block.at, block.len, true))
		return strcmp(info->pub.type, "ssh-dss") == 0 &&
		       strcmp(name, "DSA PRIVATE KEY") == 0;
	bio = BIO_new_mem_buf(bytes, (int)len);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, asked, &locked);
	borne = pkey != NULL;
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	ERR_clear_error();
	return borne;
}

/* PEM is OpenSSL's affair, with all that it forgives and all that it does not: ask it for the block
 * of a private key. What is inside has been read already. */
static int
pem_loads(const unsigned char *bytes, size_t len, const struct key_info *info)
{
	BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(bytes, (int)len);
	unsigned char *block = NULL;
	long size = 0;
	char *name = NULL;
	bool locked = false, found;
	int loads = 0;

	found = bio != NULL && PEM_bytes_read_bio(&block, &size, &name, PEM_STRING_EVP_PKEY, bio,
						  asked, &locked) == 1;
	BIO_free(bio);
	ERR_clear_error();
	if ((info->defects & (KEY_BIT(TRUNCATED) | KEY_BIT(ONE_CHAR_LOST) | KEY_BIT(DAMAGED))) ==
		0 &&
	    (found || locked) &&
	    ((info->defects & KEY_BIT(WRONG_LABEL)) == 0 ||
	     (found &&
	      label_is_borne(bytes, len, (struct bytes){ block, (size_t)size }, name, info))))
		loads = pem_type_loads(info);
	OPENSSL_clear_free(block, found ? (size_t)size : 0);
	OPENSSL_free(name);
	return loads;
}

int
key_loads(const unsigned char *bytes, size_t len, const struct key_info *info)
{
	size_t format = strlen(info->format);

	if (info->kind != KEY_PRIVATE)
		return 0;
	if (strcmp(info->format, "openssh-key-v1") == 0)
		return openssh_loads(bytes, len, info);
	if (strcmp(info->format, "pem-bundle") == 0 ||
	    (format > 4 && strcmp(info->format + format - 4, "-pem") == 0))
		return pem_loads(bytes, len, info);
	return 0;
}
