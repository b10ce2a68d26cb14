/* Bytes, base64, whole files, what is not visible, words in lists. */
#include "facts/command.h"
#include "facts/doc.h"
#include "facts/file.h"
#include "facts/time.h"
#include "facts/visible.h"
#include "facts/words.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES(text) ((struct bytes){ (const unsigned char *)(text), sizeof(text) - 1 })

START_TEST(a_cut_text_stays_utf_8)
{
	static const struct {
		const char *text, *cut;
		size_t most;
	} rows[] = {
		{ "abcdef", "abcdef", 6 },
		{ "abcdefg", "abc...", 6 },
		{ "ab\xc3\xa4"
		  "defg",
		  "ab...", 6 },
		{ "\xf0\x9f\x98\x80"
		  "abc",
		  "...", 6 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[16];

		snprintf(text, sizeof(text), "%s", rows[i].text);
		visible_cut(text, rows[i].most);
		ck_assert_str_eq(text, rows[i].cut);
	}
}
END_TEST

START_TEST(a_short_buffer_is_an_error_and_nothing_is_taken)
{
	struct bytes bytes = BYTES("\0\0\0\5four"), string;
	unsigned char u8;
	uint32_t u32;
	uint64_t u64;

	ck_assert_int_eq(bytes_string(&bytes, &string), -EBADMSG);
	ck_assert_uint_eq(bytes.len, 8);
	ck_assert_int_eq(bytes_u64(&bytes, &u64), 0);
	ck_assert_uint_eq(u64, 0x00000005666f7572);
	ck_assert_int_eq(bytes_u8(&bytes, &u8), -EBADMSG);
	ck_assert_int_eq(bytes_u32(&bytes, &u32), -EBADMSG);
	ck_assert_int_eq(bytes_take(&bytes, 0, &string), 0);
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	struct buffer buffer = { 0 };
	struct bytes rest, string;

	buffer_mpint(&buffer, BYTES("\0\0\x80\1"));
	buffer_mpint(&buffer, BYTES("\0"));
	buffer_string(&buffer, bytes_of("word"));
	rest = buffer_bytes(&buffer);
	ck_assert_int_eq(bytes_string(&rest, &string), 0);
	ck_assert(bytes_same(string, BYTES("\0\x80\1")));
	ck_assert_uint_eq(bytes_bits(string), 16);
	ck_assert_int_eq(bytes_string(&rest, &string), 0);
	ck_assert_uint_eq(string.len, 0);
	ck_assert_int_eq(bytes_string(&rest, &string), 0);
	ck_assert(bytes_is(string, "word"));
	for (unsigned i = 0; i < 10000; i++)
		buffer_u8(&buffer, 'x');
	ck_assert_uint_eq(buffer.at[buffer.len], '\0');
	buffer_free(&buffer);
}
END_TEST

static const struct {
	const char *text;
	unsigned flags;
	const char *decoded; /* NULL: refused */
} base64[] = {
	{ "", 0, "" },
	{ "YQ==", 0, "a" },
	{ "YWI=", 0, "ab" },
	{ "YWJj", 0, "abc" },
	{ "YWJj+/+/", 0, "abc\xfb\xff\xbf" },
	{ "YQ", 0, NULL },
	{ "YQ=", 0, NULL },
	{ "YR==", 0, NULL }, /* spare bits, as OpenSSH refuses them */
	{ "YWI=YWI=", 0, NULL },
	{ "YQ===", 0, NULL },
	{ "Y", 0, NULL },
	{ "YW Jj", 0, NULL },
	{ "-_-_", 0, NULL },
	{ "YQ", BASE64_LOOSE, "a" },
	{ "Y\r\nQ =", BASE64_LOOSE, "a" },
	{ "YR", BASE64_LOOSE, "a" },
	{ "YWJjZ", BASE64_LOOSE, NULL },
	{ "YQ==YQ", BASE64_LOOSE, NULL },
	{ "-_-_", BASE64_LOOSE, NULL },
	{ "-_-_", BASE64_URL, "\xfb\xff\xbf" },
};

START_TEST(base64_is_as_strict_as_asked)
{
	struct buffer decoded = { 0 };
	int r = base64_decode(bytes_of(base64[_i].text), base64[_i].flags, &decoded);

	if (base64[_i].decoded == NULL) {
		ck_assert_int_eq(r, -EBADMSG);
		ck_assert_ptr_null(decoded.at);
	} else {
		ck_assert_int_eq(r, 0);
		ck_assert(bytes_is(buffer_bytes(&decoded), base64[_i].decoded));
	}
	buffer_free(&decoded);
}
END_TEST

START_TEST(base64_is_written)
{
	char *padded = base64_encode(BYTES("\xfb\xff\xbf\xff"), 0),
	     *url = base64_encode(BYTES("\xfb\xff\xbf\xff"), BASE64_LOOSE | BASE64_URL);

	ck_assert_str_eq(padded, "+/+//w==");
	ck_assert_str_eq(url, "-_-__w");
	free(padded);
	free(url);
}
END_TEST

START_TEST(files_are_read_whole_or_not_at_all)
{
	char dir[] = "/tmp/tools_test.XXXXXX", *path, *fifo;
	struct buffer bytes = { 0 };
	struct stat st;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	path = doc_fmt("%s/file", dir);
	fifo = doc_fmt("%s/fifo", dir);
	ck_assert_int_eq(file_read(path, 100, &bytes, NULL), -ENOENT);
	ck_assert(file_is_absent(-ENOENT) && !file_is_absent(-EACCES));
	ck_assert_ptr_nonnull(file = fopen(path, "w"));
	fputs("0123456789", file);
	fclose(file);
	ck_assert_int_eq(file_read(path, 10, &bytes, &st), 0);
	ck_assert(bytes_is(buffer_bytes(&bytes), "0123456789"));
	ck_assert_int_eq(st.st_size, 10);
	buffer_free(&bytes);
	ck_assert_int_eq(file_read(path, 9, &bytes, NULL), -EFBIG);
	ck_assert_int_eq(file_read(dir, 9, &bytes, NULL), -EISDIR);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert_int_eq(file_read(fifo, 9, &bytes, NULL), -EINVAL);
	ck_assert_int_eq(file_read("/dev/null", 9, &bytes, NULL), -EINVAL);
	ck_assert_ptr_null(bytes.at);
	ck_assert_int_eq(file_read("/proc/self/status", 1 << 16, &bytes, NULL), 0); /* no size */
	ck_assert_uint_gt(bytes.len, 100);
	buffer_free(&bytes);
	unlink(fifo);
	unlink(path);
	rmdir(dir);
	free(path);
	free(fifo);
}
END_TEST

static const uint32_t unseen[] = {
	'\t',   0x7f,   0x9b,   0xa0,   0xad,    0x034f,  0x061c,  0x115f,  0x1160,  0x17b4,
	0x180e, 0x2000, 0x200a, 0x200b, 0x2028,  0x202e,  0x2060,  0x2800,  0x3000,  0x3164,
	0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0x1bca0, 0x13430, 0x1d173, 0xe0001, 0xe01ef,
};

START_TEST(what_nobody_sees_is_written_out)
{
	ck_assert(visible_hidden(unseen[_i]));
}
END_TEST

static const struct {
	const char *text, *safe; /* NULL: nothing is changed */
} logs[] = {
	{ "a ##vso[task.x]y", "a ##vso\\x5btask.x]y" },
	{ "##[error]##VSO[a]", "##\\x5berror]##VSO\\x5ba]" },
	{ "###vso[x", "###vso\\x5bx" },
	{ "## vso[ # #[ #[", NULL },
	{ "::warning::x", "\\x3a:warning::x" },
	{ "a\n \t::set-env name=a::b\n::x::", "a\n \t\\x3a:set-env name=a::b\n\\x3a:x::" },
	{ "::1", NULL },
	{ "::1\nb::c", NULL },
	{ "a ::b::", NULL },
	{ "##", NULL },
	{ "##vso", NULL },
	{ "", NULL },
};

START_TEST(commands_of_agents_are_written_so_that_they_are_none)
{
	size_t len = 0;
	char *safe = visible_log(logs[_i].text, strlen(logs[_i].text), "\\x5b", "\\x3a", &len);

	if (logs[_i].safe == NULL)
		ck_assert_ptr_null(safe);
	else
		ck_assert_str_eq(safe, logs[_i].safe);
	ck_assert_uint_eq(len, safe != NULL ? strlen(safe) : 0);
	free(safe);
}
END_TEST

static const struct {
	const char *command, *shown; /* NULL: as it is */
} commands[] = {
	{ "sshpass -p S3cr3t ssh -W %h:%p j", "sshpass -p [cut] ssh -W %h:%p j" },
	{ "/usr/bin/sshpass -pS3cr3t ssh -p 22 j", "/usr/bin/sshpass -p[cut] ssh -p 22 j" },
	{ "PASS=S3cr3t  connect -H u:S3cr3t@proxy:80 %h",
	  "PASS=[cut]  connect -H u:[cut]@proxy:80 %h" },
	{ "curl -u me:S3cr3t https://a:S3cr3t@b/c", "curl -u me:[cut] https://a:[cut]@b/c" },
	{ "x --password S3cr3t --token=S3cr3t -pw S3cr3t",
	  "x --password [cut] --token=[cut] -pw [cut]" },
	{ "x -H 'Authorization: Basic S3cr3tS3cr3t'", "x -H 'Authorization: [cut] [cut]" },
	{ "x eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln", "x [cut]" },
	{ "x aB3dE6gH9jK2mN5pQ8sT1vW4", "x [cut]" },
	{ "ssh -W %h:%p -i ~/.ssh/id -o PasswordAuthentication=no me@jump.example.com", NULL },
	{ "nc -X connect -x proxy.example.com:3128 %h %p", NULL },
	{ "aws ssm start-session --target i-0123456789abcdef0 --document-name AWS-StartSSHSession",
	  NULL },
	{ "", NULL },
	{ " ", NULL },
};

START_TEST(passwords_of_commands_are_cut)
{
	char *shown = command_shown(commands[_i].command, strlen(commands[_i].command));

	ck_assert_str_eq(shown,
			 commands[_i].shown != NULL ? commands[_i].shown : commands[_i].command);
	free(shown);
}
END_TEST

START_TEST(marks_on_a_letter_are_bounded)
{
	char text[1 + 20 * 2 + 1] = "a", *shown;

	for (unsigned i = 0; i < 20; i++)
		memcpy(text + 1 + i * 2, "\xcc\x81", 3);
	shown = visible_text(text, false);
	ck_assert_ptr_nonnull(strstr(shown, "\xcc\x81\\u0301"));
	ck_assert_uint_eq(visible_width(shown), 1 + 12 * 6);
	free(shown);
}
END_TEST

START_TEST(letters_are_visible)
{
	static const uint32_t letters[] = { ' ',    'a',     0xe4,    0x301, 0x5d0,
					    0x4e00, 0x1f600, 0x20000, 0xfffd };

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		ck_assert_msg(!visible_hidden(letters[i]), "U+%04x", (unsigned)letters[i]);
	ck_assert_uint_eq(visible_width("a\xcc\x81\xe4\xb8\x80\xf0\x9f\x98\x80"), 5);
	ck_assert(!visible_clean("a\xe2\xa0\x80"));
	ck_assert(!visible_clean("\xed\xa0\x80"));
}
END_TEST

START_TEST(words_are_found_whole)
{
	static const char *const list[] = { "ab", "c", NULL };

	ck_assert(word_among("c", list, 2) && !word_among("c", list, 1));
	ck_assert(word_listed("ab", list) && !word_listed("a", list));
	ck_assert(!word_listed("a", NULL));
	ck_assert(word_in_text("c", "abc,cc,c", ',') && word_in_text("abc", "abc,c", ','));
	ck_assert(!word_in_text("b", "abc,bc,ab", ',') && !word_in_text("", ",", ','));
	ck_assert(word_in_text("aa", "aaa aa", ' ') && !word_in_text("a", NULL, ','));
}
END_TEST

START_TEST(times_are_read_and_written)
{
	char text[TIME_TEXT_SIZE];

	ck_assert_int_eq(time_from_iso("2026-01-01T01:00:00.1234567+01:00"), 1767225600);
	ck_assert_int_eq(time_from_iso("2026-01-01T00:00:00"), 1767225600);
	ck_assert_int_eq(time_from_iso("2026-01-01 00:00:00Z"), -1);
	ck_assert_int_eq(time_from_iso("2026-01-01T00:00:00 later"), -1);
	ck_assert_int_eq(time_from_iso(NULL), -1);
	ck_assert_int_eq(time_from_http("Thu, 01 Jan 2026 00:00:00 GMT"), 1767225600);
	ck_assert_int_eq(time_from_http("2026-01-01T00:00:00Z"), -1);
	ck_assert_str_eq(time_to_iso(1767225600, text), "2026-01-01T00:00:00Z");
	ck_assert_str_eq(time_to_iso(INT64_C(1) << 60, text), "");
	ck_assert_str_eq(time_to_iso(INT64_C(253402300800), text), ""); /* the year 10000 */
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tools");
	TCase *tcase = tcase_create("tools");
	SRunner *runner;

	tcase_add_test(tcase, a_cut_text_stays_utf_8);
	tcase_add_test(tcase, a_short_buffer_is_an_error_and_nothing_is_taken);
	tcase_add_test(tcase, what_is_written_reads_back);
	tcase_add_loop_test(tcase, base64_is_as_strict_as_asked, 0,
			    sizeof(base64) / sizeof(base64[0]));
	tcase_add_test(tcase, base64_is_written);
	tcase_add_test(tcase, files_are_read_whole_or_not_at_all);
	tcase_add_loop_test(tcase, what_nobody_sees_is_written_out, 0,
			    sizeof(unseen) / sizeof(unseen[0]));
	tcase_add_loop_test(tcase, commands_of_agents_are_written_so_that_they_are_none, 0,
			    (int)(sizeof(logs) / sizeof(*logs)));
	tcase_add_loop_test(tcase, passwords_of_commands_are_cut, 0,
			    (int)(sizeof(commands) / sizeof(*commands)));
	tcase_add_test(tcase, marks_on_a_letter_are_bounded);
	tcase_add_test(tcase, letters_are_visible);
	tcase_add_test(tcase, words_are_found_whole);
	tcase_add_test(tcase, times_are_read_and_written);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
