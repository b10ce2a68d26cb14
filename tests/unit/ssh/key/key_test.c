/* Key files read from their bytes: containers, ciphers, comments, damage. The installed ssh-keygen
 * and openssl make them and are the referee. */
#include "ssh/key/key.h"
#include "tests/unit/tool.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *kind, *bits, *type;
} generated[] = {
	{ "ed25519", "256", "ssh-ed25519" },
	{ "rsa", "1024", "ssh-rsa" },
	{ "rsa", "2056", "ssh-rsa" },
	{ "ecdsa", "256", "ecdsa-sha2-nistp256" },
	{ "ecdsa", "384", "ecdsa-sha2-nistp384" },
	{ "ecdsa", "521", "ecdsa-sha2-nistp521" },
};

enum { GENERATED = sizeof(generated) / sizeof(generated[0]) };

static void
setup(void)
{
	tool_folder();
}

static struct key_info
parse_bytes(const void *bytes, size_t len)
{
	unsigned char *exact =
	    malloc(len > 0 ? len : 1); /* so that a sanitizer sees every byte too many */
	struct key_info info;

	memcpy(exact, bytes, len);
	key_parse(exact, len, &info);
	free(exact);
	return info;
}

static struct key_info
parse_file(const char *name)
{
	char *path = tool_path(name), *bytes;
	struct key_info info;
	size_t len = 0;

	ck_assert_ptr_nonnull(bytes = tool_read(path, &len));
	info = parse_bytes(bytes, len);
	free(bytes);
	free(path);
	return info;
}

/* ssh-keygen -lf's answer: "256 SHA256:... comment (TYPE)". */
static void
agrees_with_ssh_keygen(const char *name, const struct key_info *info)
{
	char *path = tool_path(name), out[4096], fingerprint[128], own[FINGERPRINT_SIZE];
	unsigned bits = 0;

	ck_assert_int_eq(TOOL(out, sizeof(out), "ssh-keygen", "-lf", path), 0);
	ck_assert_int_eq(sscanf(out, "%u %127s", &bits, fingerprint), 2);
	ck_assert_uint_eq(bits, info->pub.bits);
	ck_assert_ptr_nonnull(pubkey_fingerprint(buffer_bytes(&info->pub.blob), own));
	ck_assert_str_eq(own, fingerprint);
	free(path);
}

static void
generate(const char *name, int i, const char *passphrase)
{
	char *path = tool_path(name);

	ck_assert_int_eq(TOOL(NULL, 0, "ssh-keygen", "-q", "-t", generated[i].kind, "-b",
			      generated[i].bits, "-N", passphrase, "-C", "me \xc3\xa4 %", "-f",
			      path),
			 0);
	free(path);
}

START_TEST(openssh_keys_are_read)
{
	struct key_info info;

	generate("k", _i, "");
	info = parse_file("k");
	ck_assert_int_eq(info.kind, KEY_PRIVATE);
	ck_assert_str_eq(info.format, "openssh-key-v1");
	ck_assert_str_eq(info.pub.type, generated[_i].type);
	ck_assert_int_eq(info.encrypted, NO);
	ck_assert_str_eq((char *)info.pub.comment.at, "me \xc3\xa4 %");
	ck_assert_uint_eq(info.defects, 0);
	ck_assert_int_eq(info.loads, 1);
	agrees_with_ssh_keygen("k", &info);
	key_info_free(&info);
	tool_folder_remove();
}
END_TEST

START_TEST(locked_openssh_keys_show_their_public_half)
{
	struct key_info info;

	generate("k", _i, "hush hush");
	info = parse_file("k");
	ck_assert_int_eq(info.encrypted, YES);
	ck_assert_str_eq(info.cipher, "aes256-ctr");
	ck_assert_str_eq(info.kdf, "bcrypt:16");
	ck_assert_uint_eq(info.pub.comment.len, 0);
	agrees_with_ssh_keygen("k", &info);
	key_info_free(&info);
	tool_folder_remove();
}
END_TEST

START_TEST(public_lines_and_rfc4716_are_read)
{
	char *path = tool_path("k.pub"), out[8192];
	struct key_info info;

	generate("k", _i, "");
	info = parse_file("k.pub");
	ck_assert_int_eq(info.kind, KEY_PUBLIC);
	ck_assert_str_eq(info.format, "ssh-public");
	ck_assert_str_eq((char *)info.pub.comment.at, "me \xc3\xa4 %");
	agrees_with_ssh_keygen("k.pub", &info);
	key_info_free(&info);
	ck_assert_int_eq(TOOL(out, sizeof(out), "ssh-keygen", "-e", "-f", path), 0);
	info = parse_bytes(out, strlen(out));
	ck_assert_str_eq(info.format, "rfc4716");
	ck_assert_str_eq(info.pub.type, generated[_i].type);
	agrees_with_ssh_keygen("k.pub", &info);
	key_info_free(&info);
	free(path);
	tool_folder_remove();
}
END_TEST

static const struct {
	const char *script, *format, *type, *encrypted, *cipher, *kdf;
	unsigned bits;
	int loads;
} made[] = {
	{ "openssl genrsa -traditional 2048 > k", "pkcs1-pem", "ssh-rsa", "no", "none", "none",
	  2048, 1 },
	{ "openssl genrsa -traditional -aes192 -passout pass:x 1024 > k", "pkcs1-pem", "ssh-rsa",
	  "yes", "AES-192-CBC", "md5", 0, 1 },
	{ "openssl genrsa 1024 | openssl pkcs8 -topk8 -v2 aes-192-cbc -passout pass:x > k",
	  "pkcs8-enc-pem", "", "yes", "aes-192-cbc", "pbkdf2", 0, -1 },
	{ "openssl genrsa 1024 | openssl pkcs8 -topk8 -scrypt -passout pass:x > k", "pkcs8-enc-pem",
	  "", "yes", "aes-256-cbc", "scrypt", 0, -1 },
	{ "openssl genrsa 1024 | openssl pkcs8 -topk8 -nocrypt -outform DER > k", "pkcs8-der",
	  "ssh-rsa", "no", "none", "none", 1024, 0 },
	{ "openssl ecparam -name secp521r1 -genkey -noout > k", "sec1-pem", "ecdsa-sha2-nistp521",
	  "no", "none", "none", 521, 1 },
	{ "openssl ecparam -name secp384r1 -genkey > k", "sec1-pem", "ecdsa-sha2-nistp384", "no",
	  "none", "none", 384, 1 },
	{ "openssl ecparam -name brainpoolP256r1 -genkey -noout > k", "sec1-pem", "brainpoolP256r1",
	  "no", "none", "none", 256, 0 },
	{ "openssl genpkey -algorithm ed25519 > k", "pkcs8-pem", "ssh-ed25519", "no", "none",
	  "none", 256, -1 },
	{ "openssl genpkey -algorithm ed448 > k", "pkcs8-pem", "ed448", "no", "none", "none", 456,
	  0 },
	{ "openssl genpkey -algorithm x448 > k", "pkcs8-pem", "x448", "no", "none", "none", 448,
	  0 },
	{ "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:1024 > k", "pkcs8-pem",
	  "rsassa-pss", "no", "none", "none", 1024, 0 },
	{ "openssl genrsa 1024 | openssl rsa -pubout > k", "spki-pem", "ssh-rsa", "no", "none",
	  "none", 1024, 0 },
	{ "openssl genrsa 1024 | openssl rsa -RSAPublicKey_out > k", "rsa-public-pem", "ssh-rsa",
	  "no", "none", "none", 1024, 0 },
};

START_TEST(what_openssl_makes_is_read)
{
	char script[512];
	struct key_info info;

	snprintf(script, sizeof(script), "cd %s && umask 077 && %s", tool_folder(),
		 made[_i].script);
	ck_assert_int_eq(TOOL(NULL, 0, "sh", "-c", script), 0);
	info = parse_file("k");
	ck_assert_str_eq(info.format, made[_i].format);
	ck_assert_str_eq(info.pub.type, made[_i].type);
	ck_assert_str_eq(FACT_WORD(yes_no, info.encrypted), made[_i].encrypted);
	ck_assert_str_eq(info.cipher, made[_i].cipher);
	ck_assert_str_eq(info.kdf, made[_i].kdf);
	ck_assert_uint_eq(info.pub.bits, made[_i].bits);
	ck_assert_int_eq(info.loads, made[_i].loads);
	key_info_free(&info);
	tool_folder_remove();
}
END_TEST

/* Keys to be damaged: one of each kind whose reader differs. */
static const char *const victims[] = {
	"ssh-keygen -q -t ed25519 -N '' -C c -f k",
	"openssl genrsa -traditional 1024 > k",
	"openssl ecparam -name prime256v1 -genkey -noout > k",
	"openssl genrsa 1024 | openssl pkcs8 -topk8 -nocrypt > k",
	"openssl genrsa -traditional -aes128 -passout pass:x 1024 > k",
	"ssh-keygen -q -t rsa -b 1024 -N x -f k",
	"ssh-keygen -q -t ecdsa -N '' -f k && ssh-keygen -e -f k.pub > p && mv p k",
	"openssl genrsa 1024 | openssl rsa -traditional -outform DER > k"
};

enum { VICTIMS = sizeof(victims) / sizeof(victims[0]) };

static char *
victim(int i, size_t *len)
{
	char script[512], *path = tool_path("k"), *bytes;

	snprintf(script, sizeof(script), "cd %s && umask 077 && rm -f k && %s", tool_folder(),
		 victims[i]);
	ck_assert_int_eq(TOOL(NULL, 0, "sh", "-c", script), 0);
	ck_assert_ptr_nonnull(bytes = tool_read(path, len));
	free(path);
	return bytes;
}

static bool
same_key(const struct pubkey *a, const struct pubkey *b)
{
	return bytes_same(buffer_bytes(&a->blob), buffer_bytes(&b->blob));
}

/* A fingerprint may be missing, but it is never another key's. */
START_TEST(a_cut_file_never_shows_another_key)
{
	size_t len = 0;
	char *bytes = victim(_i, &len);
	struct key_info whole = parse_bytes(bytes, len), part;

	for (size_t cut = 0; cut < len; cut++) {
		part = parse_bytes(bytes, cut);
		ck_assert(part.pub.blob.len == 0 || same_key(&part.pub, &whole.pub));
		ck_assert_msg(part.defects != 0 || cut > len - 3, "cut at %zu of %zu", cut, len);
		key_info_free(&part);
	}
	key_info_free(&whole);
	free(bytes);
	tool_folder_remove();
}
END_TEST

START_TEST(a_lost_byte_never_shows_another_key)
{
	size_t len = 0;
	char *bytes = victim(_i, &len), *less = malloc(len);
	struct key_info whole = parse_bytes(bytes, len), part;

	for (size_t lost = 0; lost < len; lost++) {
		memcpy(less, bytes, lost);
		memcpy(less + lost, bytes + lost + 1, len - lost - 1);
		part = parse_bytes(less, len - 1);
		ck_assert_msg(part.pub.blob.len == 0 || same_key(&part.pub, &whole.pub) || _i == 6,
			      "%s: byte %zu", victims[_i], lost);
		key_info_free(&part);
	}
	key_info_free(&whole);
	free(bytes);
	free(less);
	tool_folder_remove();
}
END_TEST

/* sed and tr programs that mangle as people, shells and mail programs do. */
static const struct {
	const char *filter, *defect;
} mangled[] = {
	{ "sed 's/$/\\r/'", "crlf" },
	{ "tr '\\n' '\\r'", "cr-only" },
	{ "tr '\\n' ' '", "newline-to-space" },
	{ "tr -d '\\n'", "newlines-lost" },
	{ "tr -d ' \\n'", "newlines-lost" },
	{ "sed 's/$/\\\\n/' | tr -d '\\n'", "newline-escaped" },
	{ "sed 's/$/\\\\n/' | tr -d '\\n' | sed 's/.*/\"&\"/'", "json-quoted" },
	{ "sed 's/$/\\\\\\\\n/' | tr -d '\\n' | sed 's/.*/{\"k\":\"&\"}/'", "json-quoted" },
	{ "sed 's/$/\\\\n/' | tr -d '\\n' | sed 's/.*/export KEY=\"&\"/'", "dotenv" },
	{ "sed 's/^/> /'", "quoted-mail" },
	{ "sed 's/^/\\t/'", "indented" },
	{ "sed 's/$/ /'", "trailing-spaces" },
	{ "base64 -w 0", "base64-of-file" },
	{ "base64", "base64-of-file" },
	{ "base64 -w 0 | sed 's/^/key: /'", "base64-of-file" },
	{ "sed '1d;$d'", "body-only" },
	{ "sed 1d", "no-header" },
	{ "sed '$d'", "no-footer" },
	{ "sed 's/-----/----/g'", "four-dashes" },
	{ "sed 's/-----/\xe2\x80\x94-/g'", "em-dashes" },
	{ "(echo hello; cat)", "leading-text" },
	{ "(echo; cat)", "leading-blank-lines" },
	{ "(echo '```'; cat; echo '```')", "markdown-fence" },
	{ "(cat; echo bye)", "trailing-garbage" },
	{ "sed '2,$!s/[A-Z]/\\L&/g;$s/[A-Z]/\\L&/g'", "lowercase-label" },
	{ "(printf '\\357\\273\\277'; cat)", "bom" },
	{ "(printf '\\342\\200\\213'; cat)", "zero-width-space" },
	{ "(printf '\\377\\376'; iconv -t UTF-16LE)", "utf16le" },
	{ "iconv -t UTF-16BE", "utf16be-nobom" },
	{ "sed '/-----/!y,+/,-_,'", "base64url" },
	{ "sed 's/KEY-----$/KEY/;$s/$/ /'", "damaged" },
	{ "head -c -1", "no-final-newline" },
};

START_TEST(mangling_is_undone_and_named)
{
	char script[1024];
	size_t len = 0;
	char *bytes = NULL;
	struct key_info whole, part;
	json_t *facts = json_object();

	do { /* a key whose base64 has a plus and a slash, so that every filter changes it */
		free(bytes);
		bytes = victim(0, &len);
	} while (strchr(bytes, '+') == NULL || strchr(bytes, '/') == NULL);
	whole = parse_bytes(bytes, len);
	snprintf(script, sizeof(script), "cd %s && umask 077 && cat k | %s > m", tool_folder(),
		 mangled[_i].filter);
	ck_assert_int_eq(TOOL(NULL, 0, "sh", "-c", script), 0);
	part = parse_file("m");
	key_info_facts(&part, facts);
	ck_assert_str_eq(doc_str(facts, "format"), "openssh-key-v1");
	ck_assert(same_key(&part.pub, &whole.pub));
	ck_assert_str_eq((char *)part.pub.comment.at, "c");
	ck_assert_str_eq(doc_str(facts, "defect"), mangled[_i].defect);
	json_decref(facts);
	key_info_free(&part);
	key_info_free(&whole);
	free(bytes);
	tool_folder_remove();
}
END_TEST

static const struct {
	const char *text, *defect;
} no_keys[] = { { "", "empty" },
		{ " \n\t\r\n", "whitespace" },
		{ "<HTML>", "html" },
		{ "<?xml version='1.0'?><Error/>", "xml" },
		{ "~/.ssh/id_rsa\n", "path-instead-of-key" },
		{ "C:\\Users\\me\\key.pem", "path-instead-of-key" },
		{ "https://v.vault.azure.net/secrets/s/1", "keyvault-reference" },
		{ "hello world\n", "not-a-key" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n",
		  "begin-only" },
		{ "ssh-rsa", "not-a-key" },
		{ "{\"kty\":\"oct\"}", "damaged" },
		{ "PuTTY-User-Key-File-", "not-a-key" },
		{ "---- BEGIN SSH2 PUBLIC KEY ----", "truncated" },
		{ "0", "not-a-key" } };

START_TEST(what_is_no_key_is_named)
{
	struct key_info info = parse_bytes(no_keys[_i].text, strlen(no_keys[_i].text));
	json_t *facts = json_object();

	key_info_facts(&info, facts);
	ck_assert_str_eq(doc_str(facts, "defect"), no_keys[_i].defect);
	ck_assert_ptr_null(doc_str(facts, "fingerprint"));
	json_decref(facts);
	key_info_free(&info);
}
END_TEST

START_TEST(azure_takes_long_rsa_and_ed25519)
{
	ck_assert_int_eq(key_azure("ssh-rsa", 2048), AZURE_ACCEPTS);
	ck_assert_int_eq(key_azure("ssh-rsa", 2047), AZURE_REJECTS);
	ck_assert_int_eq(key_azure("ssh-rsa", 0), AZURE_CANNOT_TELL);
	ck_assert_int_eq(key_azure("ssh-ed25519", 256), AZURE_ACCEPTS);
	ck_assert_int_eq(key_azure("ecdsa-sha2-nistp256", 256), AZURE_REJECTS);
	ck_assert_int_eq(key_azure("", 0), AZURE_CANNOT_TELL);
}
END_TEST

/* Nothing of the private half may be in the facts: neither the seed nor the file's own base64 of
 * it. */
START_TEST(no_private_byte_reaches_the_facts)
{
	size_t len = 0;
	char *bytes = victim(0, &len), *text, *line, *rest;
	struct key_info info = parse_bytes(bytes, len);
	json_t *facts = json_object();
	int number = 0;

	key_info_facts(&info, facts);
	text = json_dumps(facts, 0);
	rest = bytes;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (number++ >= 3 && strlen(line) > 40 && strstr(line, "-----") == NULL)
			ck_assert_ptr_null(strstr(text, line));
	free(text);
	json_decref(facts);
	key_info_free(&info);
	free(bytes);
	tool_folder_remove();
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, setup, tool_folder_remove);
	tcase_add_loop_test(tcase, openssh_keys_are_read, 0, GENERATED);
	tcase_add_loop_test(tcase, locked_openssh_keys_show_their_public_half, 0, GENERATED);
	tcase_add_loop_test(tcase, public_lines_and_rfc4716_are_read, 0, GENERATED);
	tcase_add_loop_test(tcase, what_openssl_makes_is_read, 0, sizeof(made) / sizeof(made[0]));
	tcase_add_loop_test(tcase, a_cut_file_never_shows_another_key, 0, VICTIMS);
	tcase_add_loop_test(tcase, a_lost_byte_never_shows_another_key, 0, VICTIMS);
	tcase_add_loop_test(tcase, mangling_is_undone_and_named, 0,
			    sizeof(mangled) / sizeof(mangled[0]));
	tcase_add_loop_test(tcase, what_is_no_key_is_named, 0,
			    sizeof(no_keys) / sizeof(no_keys[0]));
	tcase_add_test(tcase, azure_takes_long_rsa_and_ed25519);
	tcase_add_test(tcase, no_private_byte_reaches_the_facts);
}

int
main(void)
{
	Suite *suite = suite_create("key");
	TCase *tcase = tcase_create("files");
	SRunner *runner = srunner_create(suite);

	if (!tool_there("ssh-keygen") || !tool_there("openssl")) {
		printf("1..0 # SKIP ssh-keygen and openssl are needed to make keys\n");
		return 0;
	}
	tcase_set_timeout(tcase, 120);
	add_tests(tcase);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
