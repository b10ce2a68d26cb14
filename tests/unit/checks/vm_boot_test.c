/* The check of the serial log on logs of many systems: tests/data/boot_logs.txt. A block begins
 * with
 * "==== CODE | key=value ...": what the check must say, and evidence that it must give. */
#include "model/boot_log.h"
#include "tests/unit/checks/on_facts.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_MAX = 400 };

static struct block {
	char *head, *text;
	size_t len;
} blocks[BLOCKS_MAX];
static size_t block_count;

static char *
read_all(const char *name)
{
	const char *source = getenv("srcdir");
	char *path = doc_fmt("%s/tests/data/%s", source != NULL ? source : ".", name),
	     *text = calloc(1, 1 << 20);
	FILE *file = fopen(path, "r");

	if (file == NULL || fread(text, 1, (1 << 20) - 1, file) == 0) {
		fprintf(stderr, "no %s\n", path);
		exit(1);
	}
	fclose(file);
	free(path);
	return text;
}

/* "\e" and "\r" are written out in the file. */
static size_t
unescape(char *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		bool escape = text[i] == '\\' && i + 1 < len && strchr("er", text[i + 1]) != NULL;

		if (escape)
			text[used++] = text[++i] == 'e' ? '\x1b' : '\r';
		else
			text[used++] = text[i];
	}
	return used;
}

static void
split(char *text)
{
	for (char *at = text; (at = strstr(at, "==== ")) != NULL && block_count < BLOCKS_MAX;) {
		struct block *block = &blocks[block_count++];
		char *end = strchr(at, '\n'), *next;

		*end = '\0';
		block->head = at + 5;
		block->text = end + 1;
		next = strstr(block->text, "==== ");
		block->len = next != NULL ? (size_t)(next - block->text) : strlen(block->text);
		at = block->text + block->len;
		block->len = unescape(block->text, block->len);
	}
}

static void
judge(const struct block *block, struct finding *finding)
{
	struct rule rule = { .enabled = true };
	struct net net;

	net_start(&net);
	net_asked(&net, "{'deep': true}");
	boot_log_read(block->text, block->len, facts_known(&net.facts, FACT_BOOT));
	finding_init(finding, "vm-boot");
	check_on(&net.facts, &check_table[CHECK_VM_BOOT], &rule, finding);
	net_end(&net);
}

/* "CODE | key=value | key=value": what the evidence must say. */
static void
evidence_holds(const struct block *block, const struct finding *finding)
{
	for (const char *at = block->head; (at = strstr(at, " | ")) != NULL;) {
		const char *next = strstr(at += 3, " | "), *equal = strchr(at, '=');
		size_t len = next != NULL ? (size_t)(next - at) : strlen(at);
		char *name = strndup(at, (size_t)(equal - at)),
		     *value = strndup(equal + 1, len - (size_t)(equal + 1 - at)), *got;
		const json_t *item = json_object_get(finding->evidence, name);

		got = json_is_string(item) ? strdup(json_string_value(item))
					   : json_dumps(item, JSON_ENCODE_ANY);
		ck_assert_msg(got != NULL && strcmp(got, value) == 0, "%s: %s is %s", block->head,
			      name, got != NULL ? got : "not there");
		free(name);
		free(value);
		free(got);
	}
}

START_TEST(a_log_is_read)
{
	const struct block *block = &blocks[_i];
	size_t word = strcspn(block->head, " ");
	struct finding finding;

	judge(block, &finding);
	ck_assert_msg(strlen(finding.code) == word && strncmp(finding.code, block->head, word) == 0,
		      "block %d, %s: %s (%s)\n%.300s", _i, block->head, finding.code,
		      finding.summary, block->text);
	if (finding.status == FAIL) {
		const json_t *log = json_object_get(finding.evidence, "log");

		ck_assert(json_array_size(log) > 0);
	}
	evidence_holds(block, &finding);
	finding_free(&finding);
}
END_TEST

/* Nothing is read beyond the end, and nothing but the last boot counts, wherever the log is cut. */
START_TEST(a_cut_log_is_read)
{
	const struct block *block = &blocks[_i];

	for (size_t len = 0; len < block->len; len += 37) {
		char *copy = malloc(len + 1);
		struct block cut = { block->head, copy, len };
		struct finding finding;

		memcpy(copy, block->text, len);
		judge(&cut, &finding);
		finding_free(&finding);
		free(copy);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("vm-boot");
	TCase *tcase = tcase_create("logs");
	SRunner *runner = srunner_create(suite);
	char *text = read_all("boot_logs.txt");
	int failed;

	split(text);
	tcase_add_loop_test(tcase, a_log_is_read, 0, (int)block_count);
	tcase_add_loop_test(tcase, a_cut_log_is_read, 0, (int)block_count);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	free(text);
	return failed != 0;
}
