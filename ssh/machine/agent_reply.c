#include "ssh/machine/identity.h"

#include <errno.h>

#define AGENT_FAILURE 5
#define AGENT_FAILURE_OLD 102 /* of ssh.com's agents */
#define AGENT_IDENTITIES 12
#define AGENT_KEYS_MAX 2048

static void
key_add(const struct bytes *blob, const struct bytes *comment, json_t *keys)
{
	struct pubkey pub;
	const char *type;
	json_t *key;

	pubkey_from_blob(*blob, &pub); /* of one that is damaged, what could be read */
	type = pub.cert ? pub.cert_type : pub.type;
	key = FACT_OBJECT(agent_key, .type = *type != '\0' ? type : NULL, .bits = pub.bits);
	pubkey_facts(key, buffer_bytes(&pub.blob), *blob);
	if (comment->len > 0)
		FACT_PUT_BYTES(key, agent_key, comment, comment->at, comment->len);
	json_array_append_new(keys, key);
	pubkey_free(&pub);
}

int
agent_reply_keys(const unsigned char *bytes, size_t len, json_t *keys)
{
	struct bytes rest = { bytes, len }, blob, comment;
	unsigned char type;
	uint32_t count;

	if (bytes_u8(&rest, &type) < 0)
		return -EBADMSG;
	if (type == AGENT_FAILURE || type == AGENT_FAILURE_OLD)
		return -EACCES;
	if (type != AGENT_IDENTITIES || bytes_u32(&rest, &count) < 0 || count > AGENT_KEYS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < count; i++) {
		if (bytes_string(&rest, &blob) < 0 || bytes_string(&rest, &comment) < 0)
			return -EBADMSG;
		key_add(&blob, &comment, keys);
	}
	return 0;
}
