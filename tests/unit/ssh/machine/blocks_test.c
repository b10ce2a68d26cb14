/* Which blocks of ssh_config count: what we work out, beside what the installed ssh does. */
#include "ssh/machine/config_match.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HAVE_SSH (access("/usr/bin/ssh", X_OK) == 0)

enum { DRAWS = 150, FILES = 3, BLOCKS = 5, LINES = 256 };

static char dir[64];

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "%s", "/tmp/blocks-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
teardown(void)
{
	char path[128];

	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d", dir, i);
		unlink(path);
	}
	rmdir(dir);
}

/* ---- made-up configurations: every block sets an environment variable of its own, and SendEnv
 * adds up ---- */

struct made {
	unsigned seed, labels;
	int file[LINES], line[LINES]; /* where the block of a label begins */
};

static const char *
pick(struct made *made, const char *const *words, size_t count)
{
	return words[(unsigned)rand_r(&made->seed) % count];
}

static void
make_head(struct made *made, FILE *out)
{
	static const char *const hosts[] = { "vm", "vm.x",  "VM",  "*",       "v*",
					     "?m", "!vm *", "*.x", "vm,vm.x", "a b vm" };
	static const char *const matches[] = { "all",
					       "host vm",
					       "host VM.x,vm",
					       "originalhost v* user root",
					       "!host vm",
					       "host 10.0.0.*",
					       "user azureuser",
					       "canonical host vm",
					       "originalhost *,!vm",
					       "localuser nobody-here" };

	if (rand_r(&made->seed) % 3 != 0)
		fprintf(out, "Host %s\n", pick(made, hosts, 10));
	else
		fprintf(out, "Match %s\n", pick(made, matches, 10));
}

static void
make_file(struct made *made, int number)
{
	char path[128];
	int line = 1, blocks = 1 + rand_r(&made->seed) % BLOCKS;
	FILE *out;

	snprintf(path, sizeof(path), "%s/%d", dir, number);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	for (int i = 0; i < blocks && made->labels < LINES; i++) {
		made->file[made->labels] = number;
		made->line[made->labels] = line;
		make_head(made, out);
		fprintf(out, "  SendEnv L%u\n", made->labels++);
		line += 2;
		if (rand_r(&made->seed) % 4 == 0) {
			fprintf(out, "  HostName %s\n  User azureuser\n",
				rand_r(&made->seed) % 2 ? "10.0.0.4" : "vm");
			line += 2;
		}
		if (number + 1 < FILES && rand_r(&made->seed) % 2 == 0) {
			fprintf(out, "Include %s/%d\n", dir, number + 1);
			line++;
		}
	}
	fclose(out);
}

/* What ssh sends: the labels of the blocks that count, as ",L1,L2,". */
static void
ask_ssh(const char *name, char *labels, size_t size)
{
	char command[256], line[256], word[64];
	FILE *in;

	snprintf(command, sizeof(command), "ssh -G -F %s/0 -- %s 2>/dev/null", dir, name);
	in = popen(command, "r");
	ck_assert_ptr_nonnull(in);
	snprintf(labels, size, ",");
	while (fgets(line, sizeof(line), in) != NULL)
		if (sscanf(line, "sendenv %63s", word) == 1)
			snprintf(labels + strlen(labels), size - strlen(labels), "%s,", word);
	ck_assert_int_eq(pclose(in), 0);
}

static unsigned
label_of(const struct made *made, const struct fact_config_block *block)
{
	const char *slash = strrchr(block->file, '/');

	for (unsigned i = 0; i < made->labels; i++)
		if (atoi(slash + 1) == made->file[i] && block->line == made->line[i])
			return i;
	ck_abort_msg("no block begins at %s:%d", block->file, (int)block->line);
}

/* A file may be brought in more than once: a label counts when one of its blocks does. */
static void
compare(const struct made *made, const char *name, const char *sent)
{
	const struct ssh_config_names names = { .name = name, .local_user = "root" };
	enum fact_maybe counts[LINES] = { 0 }, said[LINES] = { 0 };
	char path[128], mark[32];
	struct fact_config_scan scan;
	struct config_view view = { .names = &names, .scan = &scan, .counts = counts };
	json_t *found;

	snprintf(path, sizeof(path), "%s/0", dir);
	found = ssh_config_scan(path, NULL);
	fact_read(found, shape_of_config_scan(), &scan);
	ck_assert_uint_lt(scan.blocks_count, LINES);
	config_judge(&view);
	for (size_t i = 0; i < scan.blocks_count; i++) {
		unsigned label;

		if (config_is_include(&scan.blocks[i]))
			continue;
		ck_assert_int_ne(counts[i + 1], FACT_MAYBE);
		label = label_of(made, &scan.blocks[i]);
		if (said[label] != FACT_YES)
			said[label] = counts[i + 1];
	}
	for (unsigned i = 0; i < made->labels; i++) {
		snprintf(mark, sizeof(mark), ",L%u,", i);
		if (said[i] != FACT_MAYBE) /* files that nothing includes are not read */
			ck_assert_msg((said[i] == FACT_YES) == (strstr(sent, mark) != NULL),
				      "%s: the block at %d:%d counts %d, ssh sends %s", name,
				      made->file[i], made->line[i], said[i], sent);
	}
	fact_free(shape_of_config_scan(), &scan);
	json_decref(found);
}

START_TEST(blocks_count_as_for_ssh)
{
	static const char *const names[] = { "vm", "vm.x", "VM" };
	char sent[4096];

	for (int i = 0; i < DRAWS; i++) {
		struct made made = { .seed = 4711 + (unsigned)i };

		for (int file = FILES - 1; file >= 0; file--)
			make_file(&made, file);
		ask_ssh(names[i % 3], sent, sizeof(sent));
		compare(&made, names[i % 3], sent);
	}
}
END_TEST

static Suite *
blocks_suite(void)
{
	Suite *suite = suite_create("blocks of ssh_config");
	TCase *real = tcase_create("beside the installed ssh");

	tcase_add_checked_fixture(real, setup, teardown);
	tcase_set_timeout(real, 60);
	if (HAVE_SSH && getuid() == 0)
		tcase_add_test(real, blocks_count_as_for_ssh);
	suite_add_tcase(suite, real);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(blocks_suite());

	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
