#include "ssh/key/key.h"

#include <errno.h>
#include <string.h>

#define SSH1_MAGIC "SSH PRIVATE KEY FILE FORMAT 1.1\n"

/* A number as ssh.com and SSH-1 files write it: its length in bits, then the bytes. */
static int
number(struct bytes *rest, bool wide, struct bytes *ret)
{
	uint32_t bits = 0;
	unsigned char high, low;

	if (wide) {
		if (bytes_u32(rest, &bits) < 0)
			return -EBADMSG;
	} else {
		if (bytes_u8(rest, &high) < 0 || bytes_u8(rest, &low) < 0)
			return -EBADMSG;
		bits = (uint32_t)high << 8 | low;
	}
	return bits > 1u << 20 ? -EBADMSG : bytes_take(rest, (bits + 7) / 8, ret);
}

static int
rsa_read(struct bytes rest, struct key_info *info)
{
	struct bytes e, d, n;

	if (number(&rest, true, &e) < 0 || number(&rest, true, &d) < 0 ||
	    number(&rest, true, &n) < 0)
		return -EBADMSG;
	return key_set_rsa(info, &n, &e);
}

static int
dsa_read(struct bytes rest, struct key_info *info)
{
	struct bytes p, g, q, y;
	uint32_t predefined;

	if (bytes_u32(&rest, &predefined) < 0 || predefined != 0 || number(&rest, true, &p) < 0 ||
	    number(&rest, true, &g) < 0 || number(&rest, true, &q) < 0 ||
	    number(&rest, true, &y) < 0)
		return -EBADMSG;
	return key_set_dss(info, (const struct bytes[]){ p, q, g, y });
}

int
key_sshcom(const unsigned char *bytes, size_t len, struct key_info *info)
{
	struct bytes rest = { bytes, len }, type, cipher, data, payload;
	uint32_t magic, total;
	bool cut = (info->defects & (KEY_BIT(TRUNCATED) | KEY_BIT(ONE_CHAR_LOST))) != 0, rsa;
	int r = -EBADMSG;

	if (bytes_u32(&rest, &magic) < 0 || magic != 0x3f6ff9eb)
		return -ENOENT;
	key_kind(info, KEY_PRIVATE, "sshcom");
	if (bytes_u32(&rest, &total) < 0 || bytes_string(&rest, &type) < 0 ||
	    bytes_string(&rest, &cipher) < 0)
		goto out;
	rsa = type.len > 8 && memcmp(type.at, "if-modn{", 8) == 0;
	if (rsa)
		memcpy(info->pub.type, "ssh-rsa", 8);
	else if (type.len > 8 && memcmp(type.at, "dl-modp{", 8) == 0)
		memcpy(info->pub.type, "ssh-dss", 8);
	if (!bytes_is(cipher, "none")) {
		info->encrypted = YES;
		snprintf(info->cipher, sizeof(info->cipher), "%.*s",
			 (int)(cipher.len < 40 ? cipher.len : 40), (const char *)cipher.at);
		memcpy(info->kdf, "md5", 4);
		r = bytes_string(&rest, &data);
		goto out;
	}
	key_plain(info);
	if (bytes_string(&rest, &data) == 0) {
		if ((r = bytes_string(&data, &payload)) < 0)
			goto out;
	} else if (bytes_u32(&rest, &total) == 0 && bytes_u32(&rest, &total) == 0) {
		payload = rest; /* cut: the public numbers come early */
	} else {
		goto out;
	}
	if (*info->pub.type != '\0' &&
	    (rsa ? rsa_read(payload, info) : dsa_read(payload, info)) < 0)
		r = -EBADMSG;
out:
	if (r < 0 && !cut)
		key_flag(info, KEY_BIT(DAMAGED));
	return 0;
}

int
key_ssh1(const unsigned char *bytes, size_t len, struct key_info *info)
{
	struct bytes rest = { bytes, len }, skipped, n, e, comment;
	unsigned char cipher;
	uint32_t bits;

	if (bytes_take(&rest, sizeof(SSH1_MAGIC), &skipped) < 0 ||
	    memcmp(skipped.at, SSH1_MAGIC, sizeof(SSH1_MAGIC)) != 0)
		return -ENOENT;
	key_kind(info, KEY_PRIVATE, "ssh1");
	memcpy(info->pub.type, "rsa1", 5);
	if (bytes_u8(&rest, &cipher) < 0 || bytes_take(&rest, 4, &skipped) < 0 ||
	    bytes_u32(&rest, &bits) < 0 || number(&rest, false, &n) < 0 ||
	    number(&rest, false, &e) < 0 || bytes_string(&rest, &comment) < 0) {
		key_flag(info, KEY_BIT(TRUNCATED));
		return 0;
	}
	info->pub.bits = bytes_bits(n);
	key_plain(info);
	if (cipher != 0) {
		info->encrypted = YES;
		memcpy(info->cipher, cipher == 3 ? "3des" : "other", cipher == 3 ? 5 : 6);
		memcpy(info->kdf, "md5", 4);
	}
	key_comment(info, comment.at, comment.len);
	return 0;
}
