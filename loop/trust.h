/* The certificates that a TLS server's own must lead to. All connections share one store, which
 * looks a certificate up when it is asked for: by its hash in a directory, or in a bundle of which
 * only the names are read. curl by itself parses the whole bundle for each connection. */
#ifndef LOOP_TRUST_H
#define LOOP_TRUST_H

#include "loop/curl.h"

/* Says where the certificates of this transfer are: in SSL_CERT_DIR and CURL_CA_BUNDLE,
 * SSL_CERT_FILE or REQUESTS_CA_BUNDLE, else where curl looks. Whatever is odd about them is left to
 * curl, which says so. */
void trust_set(const struct curl_api *curl, CURL *easy);

#endif
