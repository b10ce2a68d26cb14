/* Every file of the generated corpus against its manifest, when the corpus generator lies beside
 * the source tree (SHARED). */
#include "ssh/key/key.h"
#include "tests/unit/tool.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum column {
	FILE_NAME,
	KIND,
	FORMAT,
	TYPE,
	BITS,
	ENCRYPTED,
	CIPHER,
	KDF,
	SHA256,
	MD5,
	COMMENT,
	PASSPHRASE,
	DEFECT,
	AZURE,
	OPENSSH,
	TRUTH,
	COLUMNS
};

static const struct {
	enum column column;
	const char *fact;
} compared[] = {
	{ KIND, "kind" },       { FORMAT, "format" },       { TYPE, "type" },
	{ BITS, "bits" },       { ENCRYPTED, "encrypted" }, { CIPHER, "cipher" },
	{ KDF, "kdf" },         { SHA256, "fingerprint" },  { MD5, "fingerprint_md5" },
	{ COMMENT, "comment" }, { DEFECT, "defect" },       { AZURE, "azure" },
};

static const char *
fact(const json_t *key, const char *name, char *buf, size_t size)
{
	const json_t *value = doc_get(key, name);

	if (value == NULL)
		return "-";
	if (json_is_string(value))
		return json_string_value(value);
	snprintf(buf, size, "%lld", (long long)json_integer_value(value));
	return buf;
}

/* ssh-keygen is the referee where the manifest gives a comment that the file does not hold: a key
 * rewritten from PEM has lost it. */
static bool
comment_is_empty(const char *path)
{
	char out[4096];

	return TOOL(out, sizeof(out), "ssh-keygen", "-lf", path) == 0 &&
	       (strstr(out, "  (") != NULL || strstr(out, " no comment (") != NULL);
}

static unsigned
row_compare(const char *dir, char *row[COLUMNS])
{
	char path[4200], buf[32];
	struct key_info info;
	json_t *key = json_object();
	size_t len = 0;
	unsigned wrong = 0;
	char *bytes;

	snprintf(path, sizeof(path), "%s/%s", dir, row[FILE_NAME]);
	bytes = tool_read(path, &len);
	ck_assert_ptr_nonnull(bytes);
	key_parse((const unsigned char *)bytes, len, &info);
	key_info_facts(&info, key);
	for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]); i++) {
		const char *got = fact(key, compared[i].fact, buf, sizeof(buf)),
			   *want = row[compared[i].column];

		if (strcmp(got, want) == 0 || (compared[i].column == COMMENT &&
					       strcmp(got, "-") == 0 && comment_is_empty(path)))
			continue;
		printf("# %s: %s is %s, should be %s\n", row[FILE_NAME], compared[i].fact, got,
		       want);
		wrong++;
	}
	if (info.loads >= 0 && info.loads != (strcmp(row[OPENSSH], "ok") == 0)) {
		printf("# %s: loads is %d, ssh-keygen says %s\n", row[FILE_NAME], info.loads,
		       row[OPENSSH]);
		wrong++;
	}
	key_info_free(&info);
	json_decref(key);
	free(bytes);
	return wrong;
}

static char *
generator(void)
{
	const char *shared = getenv("SHARED"), *srcdir = getenv("srcdir");
	char *path;

	if (asprintf(&path, "%s%s/keys/make-corpus.sh",
		     shared != NULL   ? shared
		     : srcdir != NULL ? srcdir
				      : ".",
		     shared != NULL ? "" : "/../shared") < 0)
		return NULL;
	return path;
}

START_TEST(every_row_of_the_corpus_is_right)
{
	char *script = generator(), *manifest, *line, *rest;
	const char *dir = tool_folder();
	unsigned rows = 0, wrong = 0;

	if (script == NULL || access(script, R_OK) != 0 || !tool_there("puttygen") ||
	    !tool_there("perl")) {
		printf("# skipped: no corpus generator (SHARED), or no puttygen and perl for it\n");
		free(script);
		return;
	}
	ck_assert_int_eq(TOOL(NULL, 0, "bash", script, dir), 0);
	free(script);
	script = tool_path("manifest.tsv");
	ck_assert_ptr_nonnull(manifest = tool_read(script, NULL));
	rest = manifest;
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		char *row[COLUMNS] = { 0 };
		size_t column = 0;

		for (char *at = line; at != NULL && column < COLUMNS;)
			row[column++] = strsep(&at, "\t");
		ck_assert_uint_eq(column, COLUMNS);
		wrong += row_compare(dir, row) > 0;
		rows++;
	}
	printf("# %u of %u files right\n", rows - wrong, rows);
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_ge(rows, 100);
	free(script);
	free(manifest);
	tool_folder_remove();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("key corpus");
	TCase *tcase = tcase_create("corpus");
	SRunner *runner = srunner_create(suite);

	tcase_set_timeout(tcase, 180);
	tcase_add_test(tcase, every_row_of_the_corpus_is_right);
	suite_add_tcase(suite, tcase);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
