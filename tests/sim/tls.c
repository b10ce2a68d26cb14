/* A certificate authority and a server certificate, made once in a folder. Keys are P-256: quick to
 * make and to use. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static X509 *
certificate_begin(EVP_PKEY *key, const char *name, long serial)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_NAME_new();

	if (certificate != NULL && subject != NULL) {
		X509_set_version(certificate, 2);
		ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
		X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
		X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L * 3650);
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
					   -1, -1, 0);
		X509_set_subject_name(certificate, subject);
		X509_set_pubkey(certificate, key);
	}
	X509_NAME_free(subject);
	return certificate;
}

static void
extend(X509 *certificate, X509 *issuer, int what, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	if ((extension = X509V3_EXT_conf_nid(NULL, &context, what, value)) != NULL)
		X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *
make_authority(EVP_PKEY *key)
{
	X509 *authority = certificate_begin(key, "azssh-sim test CA", 1);

	if (authority == NULL)
		return NULL;
	X509_set_issuer_name(authority, X509_get_subject_name(authority));
	extend(authority, authority, NID_basic_constraints, "critical,CA:TRUE");
	extend(authority, authority, NID_key_usage, "critical,keyCertSign,cRLSign");
	extend(authority, authority, NID_subject_key_identifier, "hash");
	X509_sign(authority, key, EVP_sha256());
	return authority;
}

static X509 *
make_server(EVP_PKEY *key, X509 *authority, EVP_PKEY *authority_key, const char *address)
{
	X509 *server = certificate_begin(key, "localhost", 2);
	char *names = text_format(
	    "DNS:localhost,DNS:management.azure.sim,DNS:*.azure.sim,IP:127.0.0.1,IP:::1%s%s",
	    strcmp(address, "127.0.0.1") != 0 && strcmp(address, "::1") != 0 ? ",IP:" : "",
	    strcmp(address, "127.0.0.1") != 0 && strcmp(address, "::1") != 0 ? address : "");

	if (server != NULL) {
		X509_set_issuer_name(server, X509_get_subject_name(authority));
		extend(server, authority, NID_basic_constraints, "critical,CA:FALSE");
		extend(server, authority, NID_key_usage, "critical,digitalSignature");
		extend(server, authority, NID_ext_key_usage, "serverAuth");
		extend(server, authority, NID_subject_alt_name, names);
		extend(server, authority, NID_authority_key_identifier, "keyid");
		X509_sign(server, authority_key, EVP_sha256());
	}
	free(names);
	return server;
}

static FILE *
create(const char *folder, const char *name)
{
	char *path = text_format("%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (file == NULL && fd >= 0)
		close(fd);
	free(path);
	return file;
}

static int
write_all(const char *folder, X509 *authority, X509 *server, EVP_PKEY *key)
{
	FILE *ca = create(folder, "ca.pem"), *own = create(folder, "server.pem"),
	     *secret = create(folder, "server.key");
	int r = -EIO;

	if (ca != NULL && own != NULL && secret != NULL && PEM_write_X509(ca, authority) == 1 &&
	    PEM_write_X509(own, server) == 1 && PEM_write_X509(own, authority) == 1 &&
	    PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1)
		r = 0;
	if (ca != NULL && fclose(ca) != 0)
		r = -EIO;
	if (own != NULL && fclose(own) != 0)
		r = -EIO;
	if (secret != NULL && fclose(secret) != 0)
		r = -EIO;
	return r;
}

static int
make_all(const char *folder, const char *address)
{
	EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *authority = authority_key != NULL ? make_authority(authority_key) : NULL;
	X509 *server = authority != NULL && key != NULL
			   ? make_server(key, authority, authority_key, address)
			   : NULL;
	int r = server != NULL ? write_all(folder, authority, server, key) : -EIO;

	X509_free(server);
	X509_free(authority);
	EVP_PKEY_free(key);
	EVP_PKEY_free(authority_key);
	return r;
}

static char *
slurp(const char *folder, const char *name)
{
	char *path = text_format("%s/%s", folder, name), *text = NULL;
	FILE *file = fopen(path, "re");
	size_t length = 0;

	if (file != NULL && getdelim(&text, &length, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	if (file != NULL)
		fclose(file);
	free(path);
	return text;
}

static bool
serves_address(const char *pem, const char *address)
{
	BIO *memory = BIO_new_mem_buf(pem, -1);
	X509 *certificate = memory != NULL ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
	bool good = certificate != NULL && X509_check_ip_asc(certificate, address, 0) == 1;

	X509_free(certificate);
	BIO_free(memory);
	return good;
}

int
tls_prepare(const char *folder, const char *address, char **ret_key, char **ret_certificate,
	    char **why)
{
	char *key, *certificate;

	if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
		*why = text_format("%s: %s", folder, strerror(errno));
		return -errno;
	}
	key = slurp(folder, "server.key");
	certificate = slurp(folder, "server.pem");
	if (key == NULL || certificate == NULL || !serves_address(certificate, address)) {
		free(key);
		free(certificate);
		if (make_all(folder, address) < 0) {
			*why = text_format("%s: cannot make certificates", folder);
			return -EIO;
		}
		key = slurp(folder, "server.key");
		certificate = slurp(folder, "server.pem");
	}
	*ret_key = key;
	*ret_certificate = certificate;
	return key != NULL && certificate != NULL ? 0 : -EIO;
}
