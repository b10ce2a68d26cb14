#include "rules/tree.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
digest_json(const json_t *json, char *ret, size_t size)
{
	char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int r = -ENOMEM;

	if (text == NULL)
		return -ENOMEM;
	if (EVP_Digest(text, strlen(text), hash, &len, EVP_sha256(), NULL) != 1 ||
	    size < 8 + 2 * (size_t)len)
		goto out;
	snprintf(ret, size, "sha256:");
	for (unsigned i = 0; i < len; i++)
		snprintf(ret + 7 + 2 * i, size - 7 - 2 * i, "%02x", hash[i]);
	r = 0;
out:
	free(text);
	return r;
}
