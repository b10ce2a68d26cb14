#include "loop/bundle.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUNDLE_MAX = 16 << 20 };

/* One certificate: where it stands in the file, and its subject. */
struct entry {
	long at, der_len;
	unsigned char *der; /* of the subject alone */
	X509_NAME *name;    /* the same, parsed when it is needed */
};

struct ca_bundle {
	char *path;
	struct entry *at;
	size_t count;
};

void
ca_bundle_free(struct ca_bundle *bundle)
{
	if (bundle == NULL)
		return;
	for (size_t i = 0; i < bundle->count; i++) {
		X509_NAME_free(bundle->at[i].name);
		free(bundle->at[i].der);
	}
	free(bundle->path);
	free(bundle->at);
	free(bundle);
}

/* Enters the element at *at, or steps over it. */
static bool
element(const unsigned char **at, const unsigned char *end, int tag, bool enter)
{
	long len;
	int found, class;

	if (*at >= end || (ASN1_get_object(at, &len, &found, &class, end - *at) & 0x80) != 0 ||
	    (tag >= 0 && found != tag))
		return false;
	*at += enter ? 0 : len;
	return true;
}

/* Copies the subject without parsing anything else: it is the sixth member of what is signed, the
 * first of which may be left out. */
static bool
copy_subject(struct entry *entry, const unsigned char *der, long len)
{
	const unsigned char *at = der, *end = der + len, *begin;

	if (!element(&at, end, V_ASN1_SEQUENCE, true) || !element(&at, end, V_ASN1_SEQUENCE, true))
		return false;
	if (at < end && *at == 0xa0 && !element(&at, end, -1, false))
		return false;
	if (!element(&at, end, V_ASN1_INTEGER, false) ||
	    !element(&at, end, V_ASN1_SEQUENCE, false) ||
	    !element(&at, end, V_ASN1_SEQUENCE, false) ||
	    !element(&at, end, V_ASN1_SEQUENCE, false))
		return false;
	begin = at;
	if (!element(&at, end, V_ASN1_SEQUENCE, false) ||
	    (entry->der = malloc((size_t)(at - begin))) == NULL)
		return false;
	entry->der_len = at - begin;
	memcpy(entry->der, begin, (size_t)entry->der_len);
	return true;
}

static bool
is_certificate(const char *label)
{
	return strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0 ||
	       strcmp(label, PEM_STRING_X509_TRUSTED) == 0;
}

static bool
add(struct ca_bundle *bundle, long at, const unsigned char *der, long len)
{
	struct entry entry = { .at = at }, *grown = bundle->at;

	if (bundle->count % 64 == 0 &&
	    (grown = realloc(bundle->at, (bundle->count + 64) * sizeof(*grown))) == NULL)
		return false;
	bundle->at = grown;
	if (!copy_subject(&entry, der, len))
		return false;
	bundle->at[bundle->count++] = entry;
	return true;
}

static bool
read_all(struct ca_bundle *bundle, BIO *bio)
{
	char *label, *header;
	unsigned char *der;
	bool ok = true;
	long len, at = 0;

	ERR_set_mark();
	while (ok && PEM_read_bio(bio, &label, &header, &der, &len) == 1) {
		ok = is_certificate(label) && add(bundle, at, der, len);
		at = BIO_tell(bio);
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	ok =
	    ok && bundle->count > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_pop_to_mark();
	return ok;
}

struct ca_bundle *
ca_bundle_read(const char *path)
{
	struct ca_bundle *bundle;
	struct stat st;
	BIO *bio;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > BUNDLE_MAX ||
	    access(path, R_OK) < 0 || (bio = BIO_new_file(path, "re")) == NULL)
		return NULL;
	bundle = calloc(1, sizeof(*bundle));
	if (bundle != NULL && ((bundle->path = strdup(path)) == NULL || !read_all(bundle, bio))) {
		ca_bundle_free(bundle);
		bundle = NULL;
	}
	BIO_free(bio);
	return bundle;
}

/* Parses the certificate into the store, which then holds it. */
static X509 *
take(const struct ca_bundle *bundle, const struct entry *entry, X509_STORE *store)
{
	X509 *one = NULL;
	bool held;
	BIO *bio;

	ERR_set_mark();
	bio = BIO_new_file(bundle->path, "re");
	if (bio != NULL && BIO_seek(bio, entry->at) == 0)
		one = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
	held = one != NULL && X509_STORE_add_cert(store, one) == 1;
	X509_free(one);
	BIO_free(bio);
	ERR_pop_to_mark();
	return held ? one : NULL;
}

/* The same name may be written in other letters: X.509 compares without case and spaces. */
static bool
same_name(struct entry *entry, const X509_NAME *name)
{
	const unsigned char *at = entry->der;

	if (entry->name == NULL)
		entry->name = d2i_X509_NAME(NULL, &at, entry->der_len);
	return entry->name != NULL && X509_NAME_cmp(entry->name, name) == 0;
}

X509 *
ca_bundle_find(struct ca_bundle *bundle, const X509_NAME *name, X509_STORE *store)
{
	const unsigned char *der;
	X509 *found = NULL, *one;
	size_t len;

	if (X509_NAME_get0_der(name, &der, &len) != 1)
		return NULL;
	for (size_t i = 0; i < bundle->count; i++)
		if (bundle->at[i].der_len == (long)len &&
		    memcmp(bundle->at[i].der, der, len) == 0 &&
		    (one = take(bundle, &bundle->at[i], store)) != NULL)
			found = one;
	if (found != NULL)
		return found;
	for (size_t i = 0; i < bundle->count; i++)
		if (same_name(&bundle->at[i], name) &&
		    (one = take(bundle, &bundle->at[i], store)) != NULL)
			found = one;
	return found;
}
