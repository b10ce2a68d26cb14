/* Host certificates: what is read of them, what of a damaged one, and what ssh says of them
 * (model/known_cert.c). The sample was made by `ssh-keygen -h`: id myhost, a.example and b.example,
 * serial 7, the year 2026. */
#include "model/known_hosts.h"
#include "tests/unit/model/known_lib.h"
#include "ssh/probe/exchange.h"

#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char sample[] =
    "AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAICy8Nn+"
    "pu7Xm2CcuOhKk8BD2OEnMigWJic7knTtHAQ81AAAAIPVGSm2LdYSc96hZqSSjbAxyKngv4E/R"
    "jCg6hx5vU4xhAAAAAAAAAAcAAAACAAAABm15aG9zdAAAABoAAAAJYS5leGFtcGxlAAAACWIuZXhhbXBsZQAAAABpVbkAAA"
    "AAAGs27IAAAAAAAAAAAAAAAAAAAAAzAAAAC3Nz"
    "aC1lZDI1NTE5AAAAIOe6AkvGsH6hdsiGpiw26+"
    "YSA7jzv3w4eNL1ZcAZNoI8AAAAUwAAAAtzc2gtZWQyNTUxOQAAAECEK1R2ofxPImBINvAfhPkRR/xw4C0zmzJ/YpUkKXLl"
    "cvvFJYfjKWztLEG4qiXg40AFmTjv87OXsY6jq7rZh+cM";

static uint8_t bytes[512];
static size_t len;

static void
decode(void)
{
	int n = EVP_DecodeBlock(bytes, (const unsigned char *)sample, (int)strlen(sample));

	ck_assert_int_gt(n, 300);
	len = (size_t)n;
}

START_TEST(a_certificate_is_read_and_verified)
{
	struct certificate cert;
	struct bytes key, type;

	ck_assert_int_eq(certificate_read((struct bytes){ bytes, len }, &cert), 0);
	ck_assert(bytes_is(cert.id, "myhost"));
	ck_assert_uint_eq(cert.serial, 7);
	ck_assert_uint_eq(cert.kind, CERTIFICATE_HOST);
	ck_assert_uint_eq(cert.valid_after, 1767225600);
	ck_assert_uint_eq(cert.valid_before, 1798761600);
	key = buffer_bytes(&cert.key.blob);
	ck_assert_int_eq(bytes_string(&key, &type), 0);
	ck_assert(bytes_is(type, "ssh-ed25519"));
	ck_assert_int_eq(certificate_verify(&cert), 0);
	pubkey_free(&cert.key);
}
END_TEST

START_TEST(a_damaged_certificate_is_no_certificate_or_a_false_one)
{
	struct certificate cert;

	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 1;
		if (certificate_read((struct bytes){ bytes, len }, &cert) == 0) {
			ck_assert_int_lt(certificate_verify(&cert), 0);
			pubkey_free(&cert.key);
		}
		bytes[i] ^= 1;
		ck_assert_int_lt(certificate_read((struct bytes){ bytes, i }, &cert), 0);
	}
	bytes[len] = 0;
	ck_assert_int_eq(certificate_read((struct bytes){ bytes, len + 1 }, &cert), -EBADMSG);
}
END_TEST

START_TEST(plain_algorithms_of_certificates)
{
	struct bytes plain = host_key_plain(bytes_of("rsa-sha2-512-cert-v01@openssh.com"));

	ck_assert(bytes_is(plain, "rsa-sha2-512"));
	ck_assert(bytes_is(host_key_plain(bytes_of("ssh-ed25519")), "ssh-ed25519"));
	ck_assert(
	    bytes_is(host_key_plain(bytes_of("-cert-v01@openssh.com")), "-cert-v01@openssh.com"));
}
END_TEST

/* What ssh says of a certificate with one thing changed. */
static enum known_cert_verdict
judged(const char *change, const char *entries, const char *name, json_int_t now,
       const char *algorithms)
{
	json_t *key = json_loads("{\"certificate\": {\"signed\": true, \"host\": true, "
				 "\"critical\": false, \"principals\": [\"a\", \"b*\"],"
				 " \"valid_after\": 100, \"valid_before\": 200, \"algorithm\": "
				 "\"ssh-ed25519\", \"authority\": {\"public\": \"CA\"}}}",
				 0, NULL);
	json_t *more = json_loads(change, 0, NULL), *lines = json_loads(entries, 0, NULL);
	enum known_cert_verdict verdict;
	struct fact_host_key_entry shown;
	struct known_section section;

	ck_assert_ptr_nonnull(key);
	ck_assert_ptr_nonnull(more);
	ck_assert_ptr_nonnull(lines);
	json_object_update(doc_get(key, "certificate"), more);
	fact_read(key, shape_of_host_key_entry(), &shown);
	section = known_section(lines);
	verdict = known_cert_judge(&section.known, shown.certificate, name, (time_t)now, algorithms)
		      .verdict;
	known_section_free(&section);
	fact_free(shape_of_host_key_entry(), &shown);
	json_decref(key);
	json_decref(more);
	json_decref(lines);
	return verdict;
}

#define TRUSTED "[{\"marker\": \"cert-authority\", \"public\": \"CA\"}]"

START_TEST(what_ssh_says_of_certificates)
{
	ck_assert_int_eq(judged("{}", TRUSTED, "a", 150, "ssh-ed25519"), KNOWN_CERT_GOOD);
	ck_assert_int_eq(judged("{}", TRUSTED, "a", 100, NULL), KNOWN_CERT_GOOD);
	ck_assert_int_eq(judged("{\"principals\": []}", TRUSTED, "any", 150, NULL),
			 KNOWN_CERT_GOOD);
	ck_assert_int_eq(judged("{}", TRUSTED, "a", 99, NULL), KNOWN_CERT_EARLY);
	ck_assert_int_eq(judged("{}", TRUSTED, "a", 200, NULL), KNOWN_CERT_EXPIRED);
	ck_assert_int_eq(judged("{}", TRUSTED, "bc", 150, NULL), KNOWN_CERT_NAME);
	ck_assert_int_eq(judged("{}", TRUSTED, "A", 150, NULL), KNOWN_CERT_NAME);
	ck_assert_int_eq(judged("{}", TRUSTED, NULL, 150, NULL), KNOWN_CERT_NAME);
	ck_assert_int_eq(judged("{\"host\": false}", TRUSTED, "a", 150, NULL), KNOWN_CERT_REFUSED);
	ck_assert_int_eq(judged("{\"critical\": true}", TRUSTED, "a", 150, NULL),
			 KNOWN_CERT_REFUSED);
	ck_assert_int_eq(
	    judged("{\"algorithm\": \"ssh-rsa\"}", TRUSTED, "a", 150, "ssh-ed25519,rsa-sha2-512"),
	    KNOWN_CERT_REFUSED);
	ck_assert_int_eq(judged("{\"signed\": false}", TRUSTED, "a", 150, NULL), KNOWN_CERT_FORGED);
	ck_assert_int_eq(
	    judged("{\"authority\": {\"public\": \"other\"}}", TRUSTED, "a", 150, NULL),
	    KNOWN_CERT_UNKNOWN);
	ck_assert_int_eq(judged("{}", "[]", "a", 150, NULL), KNOWN_CERT_UNKNOWN);
	ck_assert_int_eq(judged("{}",
				"[{\"marker\": \"revoked\", \"public\": \"CA\"}, {\"marker\": "
				"\"cert-authority\", \"public\": \"CA\"}]",
				"a", 150, NULL),
			 KNOWN_CERT_REVOKED);
	ck_assert_int_eq(known_cert_judge(NULL, NULL, "a", 150, NULL).verdict, KNOWN_CERT_NONE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("certificate");
	TCase *tcase = tcase_create("certificate");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tcase, decode, NULL);
	tcase_add_test(tcase, a_certificate_is_read_and_verified);
	tcase_add_test(tcase, a_damaged_certificate_is_no_certificate_or_a_false_one);
	tcase_add_test(tcase, plain_algorithms_of_certificates);
	tcase_add_test(tcase, what_ssh_says_of_certificates);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
