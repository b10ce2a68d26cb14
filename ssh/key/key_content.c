#include "ssh/key/key.h"

#include <errno.h>
#include <string.h>

/* Labels of BEGIN lines, the format they promise, and what is known of the key by the label alone.
 */
static const struct label {
	const char *label;
	enum key_kind kind;
	const char *format, *type;
} labels[] = {
	{ "OPENSSH PRIVATE KEY", KEY_PRIVATE, "openssh-key-v1", "" },
	{ "RSA PRIVATE KEY", KEY_PRIVATE, "pkcs1-pem", "ssh-rsa" },
	{ "EC PRIVATE KEY", KEY_PRIVATE, "sec1-pem", "ecdsa" },
	{ "DSA PRIVATE KEY", KEY_PRIVATE, "dsa-pem", "ssh-dss" },
	{ "PRIVATE KEY", KEY_PRIVATE, "pkcs8-pem", "" },
	{ "ENCRYPTED PRIVATE KEY", KEY_PRIVATE, "pkcs8-enc-pem", "" },
	{ "SSH2 ENCRYPTED PRIVATE KEY", KEY_PRIVATE, "sshcom", "" },
	{ "SSH2 PRIVATE KEY", KEY_PRIVATE, "sshcom", "" },
	{ "PUBLIC KEY", KEY_PUBLIC, "spki-pem", "" },
	{ "RSA PUBLIC KEY", KEY_PUBLIC, "rsa-public-pem", "ssh-rsa" },
	{ "CERTIFICATE", KEY_OTHER, "x509-pem", "" },
	{ "X509 CERTIFICATE", KEY_OTHER, "x509-pem", "" },
	{ "TRUSTED CERTIFICATE", KEY_OTHER, "x509-pem", "" },
	{ "CERTIFICATE REQUEST", KEY_OTHER, "pkcs10-pem", "" },
	{ "NEW CERTIFICATE REQUEST", KEY_OTHER, "pkcs10-pem", "" },
	{ "PKCS7", KEY_OTHER, "pkcs7-pem", "" },
	{ "CMS", KEY_OTHER, "pkcs7-pem", "" },
	{ "X509 CRL", KEY_OTHER, "crl-pem", "" },
	{ "EC PARAMETERS", KEY_OTHER, "ec-parameters-pem", "" },
	{ "DSA PARAMETERS", KEY_OTHER, "dsa-parameters-pem", "" },
	{ "DH PARAMETERS", KEY_OTHER, "dh-parameters-pem", "" },
	{ "X9.42 DH PARAMETERS", KEY_OTHER, "dh-parameters-pem", "" },
};

/* "RSAPRIVATEKEY" is "RSA PRIVATE KEY" with its blanks lost. */
static bool
label_same(const char *a, const char *b)
{
	for (; *a != '\0' || *b != '\0'; a++, b++) {
		while (*a == ' ')
			a++;
		while (*b == ' ')
			b++;
		if (*a != *b)
			return false;
		if (*a == '\0')
			return true;
	}
	return true;
}

static const struct label *
label_find(const char *text)
{
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (label_same(labels[i].label, text))
			return &labels[i];
	return NULL;
}

/* The modulus length that the length of an encrypted PKCS#1 file tells, within the padding. */
static unsigned
rsa_bits_by_length(size_t len)
{
	static const struct {
		size_t len;
		unsigned bits;
	} lengths[] = { { 616, 1024 }, { 1200, 2048 }, { 1776, 3072 }, { 2352, 4096 } };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		if (len + 24 >= lengths[i].len && len <= lengths[i].len + 24)
			return lengths[i].bits;
	return 0;
}

static void
by_label(const struct label *label, struct key_info *info)
{
	if (label == NULL) {
		key_kind(info, KEY_OTHER, "unknown");
		return;
	}
	key_kind(info, label->kind, label->format);
	memcpy(info->pub.type, label->type, strlen(label->type) + 1);
}

static void
encrypted_by_headers(const struct key_body *body, const struct label *label, struct key_info *info)
{
	const bool foreign = label != NULL && strstr(label->format, "-pem") == NULL;

	by_label(label, info);
	if (label == NULL || foreign)
		key_kind(info, KEY_PRIVATE, "unknown");
	if (foreign)
		key_flag(info, KEY_BIT(WRONG_LABEL)); /* these formats have no such headers */
	info->encrypted = YES;
	snprintf(info->cipher, sizeof(info->cipher), "%s", body->cipher);
	memcpy(info->kdf, "md5", 4);
	if (strcmp(info->pub.type, "ssh-rsa") == 0 && body->complete)
		info->about_bits = rsa_bits_by_length(body->bytes.len);
}

/* The label tells RSA and DSA apart where the numbers are damaged. */
static int
key_der_hinted(const unsigned char *bytes, size_t len, const struct label *label,
	       struct key_info *info)
{
	if (label != NULL)
		snprintf(info->format, sizeof(info->format), "%s", label->format);
	return key_der(bytes, len, true, info);
}

int
key_content(const struct key_body *body, const char *text, struct key_info *info)
{
	const struct label *label = label_find(text);
	const unsigned char *bytes = body->bytes.at;
	size_t len = body->bytes.len;
	int r;

	if (body->encrypted) {
		encrypted_by_headers(body, label, info);
		return 0;
	}
	if (label != NULL &&
	    strstr(label->label, "PARAMETERS") != NULL) { /* numbers, as an RSA key has them */
		by_label(label, info);
		info->defects = 0;
		return 0;
	}
	if ((r = key_openssh(bytes, len, info)) == -ENOENT &&
	    (r = key_sshcom(bytes, len, info)) == -ENOENT)
		r = key_der_hinted(bytes, len, label, info);
	if (r == -ENOENT) {
		by_label(label, info);
		if (label != NULL && label->kind == KEY_OTHER)
			info->defects = 0;
		else if ((info->defects & (KEY_BIT(TRUNCATED) | KEY_BIT(ONE_CHAR_LOST))) == 0)
			key_flag(info, KEY_BIT(DAMAGED));
		return 0;
	}
	if (r == 0 && label != NULL && strcmp(label->format, info->format) != 0)
		key_flag(info, KEY_BIT(WRONG_LABEL));
	if (r == 0 && (label == NULL || strcmp(label->label, text) != 0))
		key_flag(info, label == NULL ? KEY_BIT(WRONG_LABEL) : KEY_BIT(NEWLINES_LOST));
	return r;
}

/* The format that the file's first line promises, of private keys. */
static const char *
promised_format(const char *line)
{
	static const char begin[] = "-----BEGIN ";
	char text[64];
	const struct label *label;

	if (strncmp(line, "PuTTY-User-Key-File-2", 21) == 0)
		return "ppk2";
	if (strncmp(line, "PuTTY-User-Key-File-3", 21) == 0)
		return "ppk3";
	if (strncmp(line, begin, strlen(begin)) != 0)
		return NULL;
	line += strlen(begin);
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "-\r\n"), line);
	label = label_find(text);
	return label != NULL && label->kind == KEY_PRIVATE ? label->format : NULL;
}

bool
key_armour(const unsigned char *bytes, size_t len, struct key_info *ret)
{
	char line[96];
	const char *format;

	snprintf(line, sizeof(line), "%.*s", (int)(len < 95 ? len : 95), (const char *)bytes);
	if ((format = promised_format(line)) == NULL)
		return false;
	*ret = (struct key_info){ .loads = -1 };
	key_kind(ret, KEY_PRIVATE, format);
	return true;
}
