#include "loop/trust.h"
#include "loop/bundle.h"

#include <dlfcn.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#ifdef __APPLE__
#define SSL_LIBRARY "libssl.3.dylib"
#else
#define SSL_LIBRARY "libssl.so.3"
#endif

static struct {
	X509_STORE *store;
	struct ca_bundle *bundle;
	char *file, *directory;
	bool missed; /* the bundle was looked for, and is not there */
	/* libssl's, of which curl has its copy and this program has none */
	void (*give)(void *context, X509_STORE *store);
} trust;

/* The first of the variables that says something, else the default. */
static char *
setting(const char *const *names, const char *fallback)
{
	for (; *names != NULL; names++)
		if (getenv(*names) != NULL && *getenv(*names) != '\0')
			return strdup(getenv(*names));
	return fallback != NULL ? strdup(fallback) : NULL;
}

static const char *const file_names[] = { "CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
					  NULL };
static const char *const directory_names[] = { "SSL_CERT_DIR", NULL };

static int
find_in_bundle(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *ret)
{
	X509 *found;

	(void)lookup;
	if (type != X509_LU_X509 || trust.missed)
		return 0;
	if (trust.bundle == NULL && (trust.bundle = ca_bundle_read(trust.file)) == NULL) {
		trust.missed = true;
		return 0;
	}
	if ((found = ca_bundle_find(trust.bundle, name, trust.store)) == NULL ||
	    X509_OBJECT_set1_X509(ret, found) != 1)
		return 0;
	X509_free(found); /* the caller counts its own reference */
	return 1;
}

/* The store of all connections; a bundle that somebody has named must be in order. */
static bool
make_store(bool named)
{
	X509_LOOKUP_METHOD *method;

	if (named && (trust.bundle = ca_bundle_read(trust.file)) == NULL)
		return false;
	if ((trust.store = X509_STORE_new()) == NULL)
		return false;
	if (trust.directory != NULL && X509_STORE_load_path(trust.store, trust.directory) != 1)
		return false;
	if (trust.file != NULL) {
		method = X509_LOOKUP_meth_new("a bundle's names");
		if (method == NULL ||
		    X509_LOOKUP_meth_set_get_by_subject(method, find_in_bundle) != 1 ||
		    X509_STORE_add_lookup(trust.store, method) == NULL)
			return false;
	}
	/* as curl has it: a certificate of the bundle need not be a root */
	X509_STORE_set_flags(trust.store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	return true;
}

/* curl's TLS must be the OpenSSL whose other half this program has. */
static bool
find_library(const curl_version_info_data *info)
{
	void *library, *address;

	if (info->ssl_version == NULL || strncmp(info->ssl_version, "OpenSSL/3.", 10) != 0 ||
	    (library = dlopen(SSL_LIBRARY, RTLD_NOW | RTLD_NOLOAD)) == NULL)
		return false;
	address = dlsym(library, "SSL_CTX_set1_cert_store");
	memcpy(&trust.give, &address, sizeof(trust.give));
	return address != NULL;
}

static bool
prepare(const struct curl_api *curl)
{
	const curl_version_info_data *info = curl->version_info(CURLVERSION_NOW);
	bool known = info->age >= CURLVERSION_SEVENTH;
	char *name = setting(file_names, NULL);
	bool named = name != NULL;

	trust.file = setting(file_names, known ? info->cainfo : NULL);
	trust.directory = setting(directory_names, known ? info->capath : NULL);
	free(name);
	return known && (trust.file != NULL || trust.directory != NULL) && find_library(info) &&
	       make_store(named);
}

static CURLcode
give_store(CURL *easy, void *context, void *ctx)
{
	(void)easy;
	(void)ctx;
	trust.give(context, trust.store);
	return CURLE_OK;
}

void
trust_set(const struct curl_api *curl, CURL *easy)
{
	static enum { NEW, OURS, CURLS } state;
	char *file, *directory;

	if (state == NEW)
		state = prepare(curl) ? OURS : CURLS;
	if (state == OURS) {
		curl->easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
		curl->easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, give_store);
		return;
	}
	if ((file = setting(file_names, NULL)) != NULL)
		curl->easy_setopt(easy, CURLOPT_CAINFO, file);
	if ((directory = setting(directory_names, NULL)) != NULL)
		curl->easy_setopt(easy, CURLOPT_CAPATH, directory);
	free(file);
	free(directory);
}
