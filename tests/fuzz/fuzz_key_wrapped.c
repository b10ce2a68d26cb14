/* Any bytes inside the text that carries them: a BEGIN and END pair, PuTTY's headers, a public
 * line. Mutated bytes seldom survive as base64, so the readers of what is inside are hardly reached
 * by fuzz_key. The first byte picks the wrapping, the second the line ends. */
#include "ssh/key/key.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Text in front of the base64 and behind it. */
static const struct {
	const char *head, *tail;
} wraps[] = {
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\n", "-----END OPENSSH PRIVATE KEY-----\n" },
	{ "-----BEGIN RSA PRIVATE KEY-----\n", "-----END RSA PRIVATE KEY-----\n" },
	{ "-----BEGIN EC PRIVATE KEY-----\n", "-----END EC PRIVATE KEY-----\n" },
	{ "-----BEGIN DSA PRIVATE KEY-----\n", "-----END DSA PRIVATE KEY-----\n" },
	{ "-----BEGIN PRIVATE KEY-----\n", "-----END PRIVATE KEY-----\n" },
	{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "-----END ENCRYPTED PRIVATE KEY-----\n" },
	{ "-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----\n" },
	{ "-----BEGIN RSA PUBLIC KEY-----\n", "-----END RSA PUBLIC KEY-----\n" },
	{ "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n" },
	{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
	  "AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n",
	  "-----END RSA PRIVATE KEY-----\n" },
	{ "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"c\"\n",
	  "---- END SSH2 ENCRYPTED PRIVATE KEY ----\n" },
	{ "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"c\"\n", "---- END SSH2 PUBLIC KEY ----\n" },
	{ "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: c\nPublic-Lines: 2\n",
	  "Private-Lines: 1\nAAAAIQ==\nPrivate-MAC: "
	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n" },
	{ "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: c\nPublic-Lines: "
	  "1\nAAAAB3NzaC1yc2EAAAADAQABAAAAAQU=\nPrivate-Lines: 1\n",
	  "Private-MAC: 00112233445566778899aabbccddeeff00112233\n" },
	{ "ssh-ed25519 ", " a comment\n" },
	{ "ssh-rsa-cert-v01@openssh.com ", " a comment\n" },
	{ "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"d\":\"AQ\",\"n\":\"", "\"}\n" },
	{ "", "" },
};

static void
put(char *text, size_t *len, const char *bytes, size_t count)
{
	memcpy(text + *len, bytes, count);
	*len += count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		size_t width;
		const char *end;
	} ends[] = { { 64, "\n" }, { 70, "\n" }, { 64, "\r\n" }, { SIZE_MAX, "" }, { 64, " " } };
	struct key_info info = { 0 };
	size_t wrap, end, len = 0, used;
	char *base64, *text;

	if (size < 2 || (base64 = base64_encode((struct bytes){ data + 2, size - 2 }, 0)) == NULL)
		return 0;
	wrap = data[0] % (sizeof(wraps) / sizeof(wraps[0]));
	end = data[1] % (sizeof(ends) / sizeof(ends[0]));
	used = strlen(base64);
	if ((text = malloc(used * 2 + 600)) == NULL)
		abort();
	put(text, &len, wraps[wrap].head, strlen(wraps[wrap].head));
	for (size_t i = 0; i < used;) {
		size_t part = used - i < ends[end].width ? used - i : ends[end].width;

		put(text, &len, base64 + i, part);
		i += part;
		if (ends[end].width != SIZE_MAX && strlen(wraps[wrap].tail) != 11)
			put(text, &len, ends[end].end, strlen(ends[end].end));
	}
	put(text, &len, wraps[wrap].tail, strlen(wraps[wrap].tail));
	free(base64);
	key_parse((const unsigned char *)text, len, &info);
	key_info_free(&info);
	free(text);
	return 0;
}
