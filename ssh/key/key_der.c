#include "ssh/key/key.h"

#include <openssl/objects.h>
#include <openssl/x509.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_ZERO = 0xa0,
	DER_ONE = 0xa1
};

/* One element; what is cut off by the end of the bytes is given as far as it is there. */
struct der {
	unsigned char tag;
	struct bytes in;
	bool cut;
};

static int
der_next(struct bytes *rest, struct der *ret)
{
	unsigned char size, byte;
	size_t len = 0;

	if (bytes_u8(rest, &ret->tag) < 0 || bytes_u8(rest, &size) < 0)
		return -EBADMSG;
	if (size < 0x80)
		len = size;
	else if (size == 0x80 || size > 0x84)
		return -EBADMSG;
	for (unsigned i = 0; size >= 0x80 && i < (size & 0x7fu); i++) {
		if (bytes_u8(rest, &byte) < 0)
			return -EBADMSG;
		len = len << 8 | byte;
	}
	ret->cut = len > rest->len;
	return bytes_take(rest, ret->cut ? rest->len : len, &ret->in);
}

static int
der_tagged(struct bytes *rest, unsigned char tag, struct der *ret)
{
	struct bytes probe = *rest;

	if (der_next(&probe, ret) < 0 || ret->tag != tag)
		return -EBADMSG;
	*rest = probe;
	return 0;
}

static int
oid_nid(const struct der *oid)
{
	const unsigned char *at =
	    oid->in.at - 2; /* a short element: tag and length stand right before */
	ASN1_OBJECT *object;
	int nid;

	if (oid->cut || oid->in.len > 127 ||
	    (object = d2i_ASN1_OBJECT(NULL, &at, (long)oid->in.len + 2)) == NULL)
		return NID_undef;
	nid = OBJ_obj2nid(object);
	ASN1_OBJECT_free(object);
	return nid;
}

static void
oid_text(const struct der *oid, char *ret, size_t size)
{
	const unsigned char *at = oid->in.at - 2;
	ASN1_OBJECT *object = oid->cut || oid->in.len > 127
				  ? NULL
				  : d2i_ASN1_OBJECT(NULL, &at, (long)oid->in.len + 2);

	ret[0] = '\0';
	if (object == NULL)
		return;
	if (OBJ_obj2nid(object) != NID_undef)
		snprintf(ret, size, "%s", OBJ_nid2ln(OBJ_obj2nid(object)));
	else
		OBJ_obj2txt(ret, (int)size, object, 1);
	ASN1_OBJECT_free(object);
}

static void
format_set(struct key_info *info, enum key_kind kind, const char *base, bool pem)
{
	char format[24];

	snprintf(format, sizeof(format), "%s-%s", base, pem ? "pem" : "der");
	key_kind(info, kind, format);
	if (kind != KEY_OTHER)
		key_plain(info);
}

/* The algorithm that a PKCS#8 (private) or SPKI file names. The older formats name none: what
 * begins with a number is taken for RSA, which has the longest. */
static int
algorithm_nid(const unsigned char *bytes, size_t len, bool private)
{
	struct bytes rest = { bytes, len };
	struct der whole, part, oid;

	if (der_tagged(&rest, DER_SEQUENCE, &whole) < 0 ||
	    (private && der_tagged(&whole.in, DER_INTEGER, &part) < 0))
		return NID_undef;
	if (der_tagged(&whole.in, DER_OCTETS, &part) == 0)
		return NID_X9_62_id_ecPublicKey;
	if (der_tagged(&whole.in, DER_INTEGER, &part) == 0)
		return NID_rsaEncryption;
	if (der_tagged(&whole.in, DER_SEQUENCE, &part) < 0 ||
	    der_tagged(&part.in, DER_OID, &oid) < 0)
		return NID_undef;
	return oid_nid(&oid);
}

bool
key_der_bounded(const unsigned char *bytes, size_t len, bool private)
{
	enum { RSA_BYTES = 12 * 1024, OTHER_BYTES = 2048 };

	switch (algorithm_nid(bytes, len, private)) {
	case NID_rsaEncryption:
	case NID_rsassaPss:
		return len <= RSA_BYTES;
	case NID_X9_62_id_ecPublicKey:
	case NID_ED25519:
	case NID_ED448:
	case NID_X25519:
	case NID_X448:
		return len <= OTHER_BYTES;
	default:
		return false;
	}
}

/* Asks OpenSSL for the whole key; 0 when it could read it. */
static int
by_openssl(const unsigned char *bytes, size_t len, bool private, struct key_info *info)
{
	const unsigned char *at = bytes;
	EVP_PKEY *pkey;
	int r = -EBADMSG;

	if (!key_der_bounded(bytes, len, private))
		return r;
	pkey =
	    private ? d2i_AutoPrivateKey(NULL, &at, (long)len) : d2i_PUBKEY(NULL, &at, (long)len);
	if (pkey != NULL)
		r = key_set_evp(info, pkey);
	EVP_PKEY_free(pkey);
	return r;
}

static bool
is_odd(const struct bytes *number)
{
	return number->len > 0 && (number->at[number->len - 1] & 1) != 0;
}

/* RSAPrivateKey behind its version: n e d p q dp dq qi. n and e come first, so a cut file still
 * tells. -EILSEQ when p q is not n. */
static int
rsa_private(struct bytes rest, struct key_info *info)
{
	struct der part[8];
	size_t count = 0;
	int r;

	while (count < 8 && der_tagged(&rest, DER_INTEGER, &part[count]) == 0)
		count++;
	if (count < 2 || part[0].cut || part[1].cut || !is_odd(&part[0].in) ||
	    !is_odd(&part[1].in) || (count == 2 && rest.len > 1)) {
		memcpy(info->pub.type, "ssh-rsa", 8);
		info->pub.bits = count > 0 && !part[0].cut ? bytes_bits(part[0].in) : 0;
		return -EBADMSG;
	}
	if ((r = key_set_rsa(info, &part[0].in, &part[1].in)) < 0)
		return r;
	if (count < 8 || part[7].cut)
		return -EBADMSG;
	return rest.len > 0 || key_product_is(&part[3].in, &part[4].in, &part[0].in)
		   ? 0
		   : -EILSEQ; /* more: other primes */
}

static int
dsa_private(struct bytes rest, struct key_info *info)
{
	struct der part[5];
	struct bytes numbers[4];
	size_t count = 0;

	while (count < 5 && der_tagged(&rest, DER_INTEGER, &part[count]) == 0)
		count++;
	memcpy(info->pub.type, "ssh-dss", 8);
	if (count > 0 && !part[0].cut)
		info->pub.bits = bytes_bits(part[0].in);
	if (count < 4 || part[3].cut)
		return -EBADMSG;
	for (size_t i = 0; i < 4; i++)
		numbers[i] = part[i].in;
	key_set_dss(info, numbers);
	return count == 5 && !part[4].cut ? 0 : -EBADMSG;
}

/* ECPrivateKey: the private number and the curve are enough to know the public point. */
static int
ec_private(struct bytes rest, int nid, struct key_info *info)
{
	struct der scalar, wrap, oid;

	memcpy(info->pub.type, "ecdsa", 6);
	if (der_tagged(&rest, DER_OCTETS, &scalar) < 0)
		return -EBADMSG;
	if (der_tagged(&rest, DER_ZERO, &wrap) == 0 && der_tagged(&wrap.in, DER_OID, &oid) == 0 &&
	    !oid.cut)
		nid = oid_nid(&oid); /* else explicit parameters: OpenSSL's affair */
	if (nid == NID_undef)
		return -EBADMSG;
	if (scalar.cut) {
		key_set_ec_curve(info, nid);
		return -EBADMSG;
	}
	return key_set_ec_scalar(info, nid, &scalar.in);
}

/* Keys that are one string of bytes: OpenSSL reads them. */
static const struct {
	int nid;
	const char *type;
	unsigned bits;
} raw_types[] = { { NID_ED25519, "ssh-ed25519", 256 },
		  { NID_ED448, "ed448", 456 },
		  { NID_X25519, "x25519", 253 },
		  { NID_X448, "x448", 448 } };

/* The type of a key over a finite field, NULL for any other. */
static const char *
finite_type(int nid)
{
	switch (nid) {
	case NID_dsa:
		return "ssh-dss";
	case NID_dhKeyAgreement:
		return "dh";
	case NID_dhpublicnumber:
		return "dhx";
	default:
		return NULL;
	}
}

/* Keys over a finite field: OpenSSL would compute what the file does not hold, however large the
 * field is. `number` is y of a public key, x of a private one. */
static int
finite_field(int nid, struct bytes parameters, struct bytes number, bool private,
	     struct key_info *info)
{
	struct bytes numbers[4] = { [3] = number };
	struct der whole, part;
	size_t count = 0;

	snprintf(info->pub.type, sizeof(info->pub.type), "%s", finite_type(nid));
	if (der_tagged(&parameters, DER_SEQUENCE, &whole) < 0)
		return -EBADMSG;
	for (; count < 3 && der_tagged(&whole.in, DER_INTEGER, &part) == 0 && !part.cut; count++)
		numbers[count] = part.in;
	info->pub.bits = bytes_bits(numbers[0]);
	if (count < (nid == NID_dsa ? 3 : 2))
		return -EBADMSG;
	if (nid != NID_dsa)
		return 0;
	return private ? key_set_dss_private(info, numbers, &number) : key_set_dss(info, numbers);
}

static int
pkcs8_inner(int nid, struct bytes parameters, struct der *octets, struct key_info *info)
{
	struct der inner, version, oid;
	int curve = NID_undef;

	for (size_t i = 0; i < sizeof(raw_types) / sizeof(raw_types[0]); i++)
		if (nid == raw_types[i].nid) {
			snprintf(info->pub.type, sizeof(info->pub.type), "%s", raw_types[i].type);
			info->pub.bits = raw_types[i].bits;
			return -EBADMSG;
		}
	if (finite_type(nid) != NULL && octets != NULL && !octets->cut &&
	    der_tagged(&octets->in, DER_INTEGER, &inner) == 0)
		return finite_field(nid, parameters, inner.in, true, info);
	if (nid == NID_X9_62_id_ecPublicKey && der_tagged(&parameters, DER_OID, &oid) == 0)
		curve = oid_nid(&oid);
	if (curve != NID_undef)
		key_set_ec_curve(info, curve);
	if (nid == NID_rsaEncryption)
		memcpy(info->pub.type, "ssh-rsa", 8);
	if (octets == NULL || der_tagged(&octets->in, DER_SEQUENCE, &inner) < 0 ||
	    der_tagged(&inner.in, DER_INTEGER, &version) < 0)
		return -EBADMSG;
	if (nid == NID_rsaEncryption)
		return rsa_private(inner.in, info);
	return nid == NID_X9_62_id_ecPublicKey ? ec_private(inner.in, curve, info) : -EBADMSG;
}

static int
pkcs8(struct bytes rest, struct der algorithm, struct key_info *info)
{
	struct der oid, octets;
	bool there = der_tagged(&rest, DER_OCTETS, &octets) == 0;

	if (der_tagged(&algorithm.in, DER_OID, &oid) < 0)
		return -EBADMSG;
	return pkcs8_inner(oid_nid(&oid), algorithm.in, there ? &octets : NULL, info);
}

/* The key of an SPKI file: bits that hold a number where it is one over a finite field. */
static int
public_info(int nid, struct bytes parameters, struct der bits, struct key_info *info)
{
	struct der number;
	unsigned char unused;

	if (finite_type(nid) == NULL || bits.cut || bytes_u8(&bits.in, &unused) < 0 ||
	    der_tagged(&bits.in, DER_INTEGER, &number) < 0)
		return -EBADMSG;
	return finite_field(nid, parameters, number.in, false, info);
}

/* The algorithm of an EncryptedPrivateKeyInfo: PBES2 names a KDF and a cipher, older schemes are
 * one name for both. */
static void
encryption(struct der algorithm, struct key_info *info)
{
	struct der oid, parameters, kdf, cipher, word;
	int nid;

	info->encrypted = YES;
	if (der_tagged(&algorithm.in, DER_OID, &oid) < 0 || oid.cut)
		return;
	nid = oid_nid(&oid);
	if (nid != NID_pbes2) {
		oid_text(&oid, info->cipher, sizeof(info->cipher));
		snprintf(info->kdf, sizeof(info->kdf), "%s",
			 nid >= NID_pbe_WithSHA1And128BitRC4 &&
				 nid <= NID_pbe_WithSHA1And40BitRC2_CBC
			     ? "pkcs12"
			     : "pbkdf1");
		return;
	}
	if (der_tagged(&algorithm.in, DER_SEQUENCE, &parameters) < 0 ||
	    der_tagged(&parameters.in, DER_SEQUENCE, &kdf) < 0)
		return;
	if (der_tagged(&kdf.in, DER_OID, &word) == 0) {
		nid = oid_nid(&word);
		oid_text(&word, info->kdf, sizeof(info->kdf));
		if (nid == NID_id_pbkdf2 || nid == NID_id_scrypt)
			snprintf(info->kdf, sizeof(info->kdf), "%s",
				 nid == NID_id_pbkdf2 ? "pbkdf2" : "scrypt");
	}
	if (der_tagged(&parameters.in, DER_SEQUENCE, &cipher) == 0 &&
	    der_tagged(&cipher.in, DER_OID, &word) == 0)
		oid_text(&word, info->cipher, sizeof(info->cipher));
}

/* SEQUENCE { INTEGER ... }: private keys, RSA public keys, PKCS#12. */
static int
begins_with_integer(struct bytes rest, struct der first, bool pem, struct key_info *info,
		    bool *private)
{
	char hint[sizeof(info->format)];
	struct der second, third = { 0 };
	struct bytes after = rest;
	bool have = der_next(&after, &second) == 0;

	memcpy(hint, info->format, sizeof(hint)); /* what the label promised, if there was one */
	*private = true;
	if (first.in.len > 8 && (!have || second.tag == DER_INTEGER)) {
		*private = false;
		format_set(info, KEY_PUBLIC, "rsa-public", pem);
		return !have || second.cut || first.cut ? -EBADMSG
							: key_set_rsa(info, &first.in, &second.in);
	}
	if (!have || first.in.len != 1)
		return -ENOENT;
	if (first.in.at[0] == 3 && second.tag == DER_SEQUENCE) {
		*private = false;
		key_kind(info, KEY_OTHER, "pkcs12");
		info->encrypted = YES;
		return 0;
	}
	if (first.in.at[0] > 1)
		return -ENOENT;
	if (second.tag == DER_OCTETS) {
		format_set(info, KEY_PRIVATE, "sec1", pem);
		return ec_private(rest, NID_undef, info);
	}
	if (second.tag == DER_SEQUENCE) {
		format_set(info, KEY_PRIVATE, "pkcs8", pem);
		return pkcs8(after, second, info);
	}
	if (second.tag != DER_INTEGER)
		return -ENOENT;
	if (der_next(&after, &third) == 0 && third.tag == DER_INTEGER
		? third.in.len > 9
		: strncmp(hint, "dsa", 3) == 0) {
		format_set(info, KEY_PRIVATE, "dsa", pem);
		return dsa_private(rest, info);
	}
	format_set(info, KEY_PRIVATE, "pkcs1", pem);
	return rsa_private(rest, info);
}

/* SEQUENCE { SEQUENCE ... }: encrypted PKCS#8, public keys, certificates. */
static int
begins_with_sequence(struct bytes rest, struct der first, bool pem, struct key_info *info,
		     bool *private)
{
	struct bytes inner = first.in;
	struct der head, second = { 0 }, third;
	bool have = der_next(&rest, &second) == 0;

	*private = false;
	if (der_next(&inner, &head) < 0)
		return -ENOENT;
	if (head.tag == DER_OID && have && second.tag == DER_BITS) {
		format_set(info, KEY_PUBLIC, "spki", pem);
		return public_info(oid_nid(&head), inner, second, info);
	}
	if (head.tag == DER_OID && (!have || second.tag == DER_OCTETS)) {
		key_kind(info, KEY_PRIVATE, pem ? "pkcs8-enc-pem" : "pkcs8-enc-der");
		encryption(first, info);
		return have && !second.cut ? 0 : -EBADMSG;
	}
	if (head.tag == DER_ZERO || head.tag == DER_INTEGER) {
		bool request = head.tag == DER_INTEGER && head.in.len == 1 && head.in.at[0] == 0 &&
			       der_next(&inner, &third) == 0 && der_next(&third.in, &head) == 0 &&
			       head.tag != DER_OID;

		format_set(info, KEY_OTHER, request ? "pkcs10" : "x509", pem);
		return have || !pem ? 0 : -EBADMSG;
	}
	return -ENOENT;
}

int
key_der(const unsigned char *bytes, size_t len, bool pem, struct key_info *info)
{
	struct bytes rest = { bytes, len };
	struct der whole, first;
	bool private, unread; /* unread: OpenSSL cannot be asked about it */
	uint64_t defect = 0, before = info->defects & (KEY_BIT(TRUNCATED) | KEY_BIT(ONE_CHAR_LOST));
	int r;

	if (len > INT_MAX || der_tagged(&rest, DER_SEQUENCE, &whole) < 0 ||
	    der_next(&whole.in, &first) < 0)
		return -ENOENT;
	if (first.tag == DER_INTEGER)
		r = begins_with_integer(whole.in, first, pem, info, &private);
	else if (first.tag == DER_SEQUENCE)
		r = begins_with_sequence(whole.in, first, pem, info, &private);
	else
		return -ENOENT;
	if (r == -ENOENT)
		return r;
	unread = info->encrypted != NO || strncmp(info->format, "rsa-public", 10) == 0;
	if (whole.cut)
		defect = KEY_BIT(TRUNCATED);
	else if (r == -EILSEQ || (r < 0 && (unread || by_openssl(bytes, len, private, info) < 0)))
		defect = KEY_BIT(DAMAGED);
	if (before == 0)
		key_flag(info, defect);
	if (!pem && rest.len > 0 && !whole.cut)
		key_flag(info, KEY_BIT(TRAILING_GARBAGE));
	return 0;
}
