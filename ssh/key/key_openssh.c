#include "ssh/key/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "openssh-key-v1"

/* What follows the type in the private part: one letter a field. n number, p public point, c curve
 * name, s secret, S secret with the public half behind it, x anything, f one byte. */
static const struct private_fields {
	const char *type, *fields;
} private_types[] = {
	{ "ssh-rsa", "nxxxpq" }, /* n e d iqmp p q */
	{ "ssh-dss", "xxxxx" },
	{ "ecdsa-sha2-nistp256", "xos" },
	{ "ecdsa-sha2-nistp384", "xos" },
	{ "ecdsa-sha2-nistp521", "xos" },
	{ "ssh-ed25519", "oS" },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "xoxfxx" },
	{ "sk-ssh-ed25519@openssh.com", "oxfxx" },
};

struct private_part {
	struct bytes n, p, q, point, pair;
};

static int
fields_read(struct bytes *rest, const char *fields, struct private_part *part)
{
	struct bytes field;
	unsigned char flags;

	for (; *fields != '\0'; fields++) {
		if (*fields == 'f' ? bytes_u8(rest, &flags) < 0 : bytes_string(rest, &field) < 0)
			return -EBADMSG;
		switch (*fields) {
		case 'n':
			part->n = field;
			break;
		case 'p':
			part->p = field;
			break;
		case 'q':
			part->q = field;
			break;
		case 'o':
			part->point = field;
			break;
		case 'S':
			part->pair = field;
			break;
		default:
			break;
		}
	}
	return 0;
}

/* Does the private part belong to the public blob, and to itself? */
static bool
halves_agree(const struct private_part *part, const struct pubkey *pub)
{
	struct bytes outer = buffer_bytes(&pub->blob), name, field = { 0 };
	struct bytes seed = part->pair;

	if (pub->blob.len == 0)
		return true;
	bytes_string(&outer, &name);
	if (part->n.at != NULL) {
		bytes_string(&outer, &field);
		bytes_string(&outer, &field);
		return bytes_same(field, part->n) && key_product_is(&part->p, &part->q, &part->n);
	}
	if (part->point.at != NULL &&
	    memmem(outer.at, outer.len, part->point.at, part->point.len) == NULL)
		return false;
	if (part->pair.at == NULL)
		return true;
	if (seed.len != 64 || part->point.len != 32 ||
	    memcmp(seed.at + 32, part->point.at, 32) != 0)
		return false;
	seed.len = 32;
	return key_ed25519_pair(&seed, &part->point);
}

static bool
padding_right(const struct bytes *rest)
{
	for (size_t i = 0; i < rest->len; i++)
		if (rest->at[i] != (unsigned char)(i + 1))
			return false;
	return rest->len < 256;
}

/* Reads the private part as far as the comment; -EBADMSG when it makes no sense. */
static int
private_read(struct bytes rest, struct key_info *info)
{
	struct private_part part = { 0 };
	struct bytes type, comment;
	uint32_t a, b;
	size_t i, count = sizeof(private_types) / sizeof(private_types[0]);

	if (bytes_u32(&rest, &a) < 0 || bytes_u32(&rest, &b) < 0 || a != b ||
	    bytes_string(&rest, &type) < 0)
		return -EBADMSG;
	for (i = 0; i < count && !bytes_is(type, private_types[i].type); i++)
		;
	if (i == count)
		return info->pub.type[0] != '\0' && bytes_is(type, info->pub.type) ? 0 : -EBADMSG;
	if (fields_read(&rest, private_types[i].fields, &part) < 0 ||
	    bytes_string(&rest, &comment) < 0)
		return -EBADMSG;
	key_comment(info, comment.at, comment.len);
	if (!bytes_is(type, info->pub.type) || !padding_right(&rest) ||
	    !halves_agree(&part, &info->pub))
		return -EBADMSG;
	return 0;
}

static void
word_set(char *ret, size_t size, const struct bytes *word)
{
	size_t used = 0;

	for (size_t i = 0; i < word->len && used + 1 < size; i++)
		ret[used++] = word->at[i] > ' ' && word->at[i] < 127 ? (char)word->at[i] : '?';
	ret[used] = '\0';
}

static void
kdf_set(const struct bytes *kdf, struct bytes options, struct key_info *info)
{
	struct bytes salt;
	uint32_t rounds;
	size_t used;

	word_set(info->kdf, sizeof(info->kdf), kdf);
	used = strlen(info->kdf);
	if (bytes_is(*kdf, "bcrypt") && bytes_string(&options, &salt) == 0 &&
	    bytes_u32(&options, &rounds) == 0)
		snprintf(info->kdf + used, sizeof(info->kdf) - used, ":%u", (unsigned)rounds);
}

static int
public_read(struct bytes *rest, struct key_info *info)
{
	struct bytes public;
	uint32_t count, len;
	int r;

	if (bytes_u32(rest, &count) < 0)
		return -EBADMSG;
	if (bytes_string(rest, &public) == 0) {
		r = pubkey_from_blob(public, &info->pub);
		return r == 0 && count != 1 ? -EBADMSG : r;
	}
	bytes_u32(rest, &len);
	pubkey_from_blob(*rest, &info->pub); /* cut inside: type and bits at least */
	return -EBADMSG;
}

/* Where something was lost or added in the public blob, all that follows is shifted: then the
 * length of the private part makes no sense, or the type has no meaning. */
static void
public_distrust(struct bytes rest, struct key_info *info)
{
	enum { PRIVATE_MAX = 1 << 16 };
	const bool cut = (info->defects & KEY_BIT(TRUNCATED)) != 0;
	uint32_t len;

	if (info->pub.bits != 0 && bytes_u32(&rest, &len) == 0 && len % 8 == 0 &&
	    len <= PRIVATE_MAX && len + 24 >= rest.len && (cut || len <= rest.len + 4))
		return;
	buffer_free(&info->pub.blob);
	if (info->pub.bits == 0)
		info->pub.type[0] = '\0';
	if (!cut &&
	    (strcmp(info->pub.type, "ssh-rsa") == 0 || strcmp(info->pub.type, "ssh-dss") == 0))
		info->pub.bits = 0; /* read from where the number was thought to stand */
}

int
key_openssh(const unsigned char *bytes, size_t len, struct key_info *info)
{
	struct bytes rest = { bytes, len }, magic, cipher, kdf, options, private;
	bool cut = (info->defects & (KEY_BIT(TRUNCATED) | KEY_BIT(ONE_CHAR_LOST))) != 0;
	int r;

	if (bytes_take(&rest, sizeof(MAGIC), &magic) < 0 ||
	    memcmp(magic.at, MAGIC, sizeof(MAGIC)) != 0)
		return -ENOENT;
	key_kind(info, KEY_PRIVATE, MAGIC);
	if (bytes_string(&rest, &cipher) < 0 || bytes_string(&rest, &kdf) < 0 ||
	    bytes_string(&rest, &options) < 0) {
		key_flag(info, cut ? 0 : KEY_BIT(DAMAGED));
		return 0;
	}
	word_set(info->cipher, sizeof(info->cipher), &cipher);
	kdf_set(&kdf, options, info);
	info->encrypted = bytes_is(cipher, "none") ? NO : YES;
	r = public_read(&rest, info);
	if (info->defects & (KEY_BIT(ONE_CHAR_LOST) | KEY_BIT(TRUNCATED) | KEY_BIT(DAMAGED)))
		public_distrust(rest, info);
	if (r == 0 && (r = bytes_string(&rest, &private)) == 0 && bytes_is(cipher, "none"))
		r = private_read(private, info);
	if (r < 0 && !cut)
		key_flag(info, KEY_BIT(DAMAGED));
	return 0;
}
