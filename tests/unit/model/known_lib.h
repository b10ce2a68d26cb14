/* For tests of known_hosts only: numbers drawn by a seed, a folder of the test's own, programs, and
 * our reading of a file's text. */
#ifndef TESTS_KNOWN_LIB_H
#define TESTS_KNOWN_LIB_H

#include "model/known_hosts.h"

/* KNOWN_HOSTS_SEED in the environment changes what is drawn. */
void known_seed(void);
unsigned known_pick(unsigned below);

void known_folder(void);
void known_folder_remove(void);
char *known_path(const char *name); /* in the folder; the caller frees */
void known_write(const char *path, const char *text);

/* Runs a program to its end, at most 20 s; its output (stdout and stderr) into out. Returns the
 * exit status, 127 when it cannot be run. */
int known_run(const char *const *argv, char *out, size_t size);
bool known_runs(const char *name, const char *option);

/* The entries for name and port, a new array; *damaged (may be NULL) becomes the lines that cannot
 * be read. */
json_t *known_read(const char *text, const char *name, int port, json_t **damaged);

/* The section that holds these entries; known_free releases it, and the object that keeps them. */
struct known_section {
	json_t *object;
	struct fact_known_hosts known;
};
struct known_section known_section(json_t *entries);
void known_section_free(struct known_section *section);

#endif
