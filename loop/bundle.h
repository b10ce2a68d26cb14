/* A file of many certificates, of which only those are parsed that somebody asks for. */
#ifndef LOOP_BUNDLE_H
#define LOOP_BUNDLE_H

#include <openssl/x509.h>
#include <stdbool.h>

struct ca_bundle;

/* Reads the names in the file. NULL when it cannot be read, holds no certificate, or holds anything
 * that is not one. */
struct ca_bundle *ca_bundle_read(const char *path);
void ca_bundle_free(struct ca_bundle *bundle);

/* Adds the certificates of that name to the store; returns one of them, which belongs to the store,
 * or NULL. */
X509 *ca_bundle_find(struct ca_bundle *bundle, const X509_NAME *name, X509_STORE *store);

#endif
