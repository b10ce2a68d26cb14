#include "ssh/machine/identity.h"

#include <errno.h>
#include <stdlib.h>

#define AGENT_FAILURE 5
#define AGENT_FAILURE_OLD 102 /* of ssh.com's agents */
#define AGENT_IDENTITIES 12
#define AGENT_KEYS_MAX 2048

static int
key_add(const struct bytes *blob, const struct bytes *comment, json_t *keys)
{
	struct pubkey pub;
	json_t *key;
	char *sha256, *md5, *base64;
	int r = pubkey_from_blob(blob->at, blob->len, &pub);

	if (r == -ENOMEM)
		return r;
	sha256 = pubkey_fingerprint(pub.blob, pub.blob_len);
	md5 = pubkey_fingerprint_md5(pub.blob, pub.blob_len);
	base64 = base64_encode(blob->at, blob->len, true);
	key = json_object();
	doc_set_str(key, "type", pub.cert ? pub.cert_type : *pub.type != '\0' ? pub.type : NULL);
	if (pub.bits > 0)
		doc_set_int(key, "bits", pub.bits);
	doc_set_str(key, "fingerprint", sha256);
	doc_set_str(key, "fingerprint_md5", md5);
	doc_set_str(key, "public", base64);
	if (comment->len > 0)
		doc_set_strn(key, "comment", (const char *)comment->at, comment->len);
	json_array_append_new(keys, key);
	free(sha256);
	free(md5);
	free(base64);
	pubkey_free(&pub);
	return 0;
}

int
agent_reply_keys(const unsigned char *bytes, size_t len, json_t *keys)
{
	struct bytes rest = { bytes, len }, blob, comment;
	unsigned char type;
	uint32_t count;
	int r = 0;

	if (bytes_u8(&rest, &type) < 0)
		return -EBADMSG;
	if (type == AGENT_FAILURE || type == AGENT_FAILURE_OLD)
		return -EACCES;
	if (type != AGENT_IDENTITIES || bytes_u32(&rest, &count) < 0 || count > AGENT_KEYS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < count && r == 0; i++) {
		if (bytes_string(&rest, &blob) < 0 || bytes_string(&rest, &comment) < 0)
			return -EBADMSG;
		r = key_add(&blob, &comment, keys);
	}
	return r;
}
