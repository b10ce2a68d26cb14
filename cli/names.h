/* The VMs of a run of many: names or ids, less those of other shards and those that are done. */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "cli/options.h"

#include <jansson.h>

/* Borrowed names in the order of the run. */
struct names {
	const char **at;
	size_t count;
	json_t *ids; /* owns them when they are not the options' */
};

/* What was typed, or the ids (NULL: none are), as --shard and `done` (of names_done; NULL: nothing)
 * leave it. */
void names_choose(const struct options *options, json_t *ids, const json_t *done,
		  struct names *ret);
void names_free(struct names *names);

/* The VMs of which the ndjson file of --resume holds a whole report: an object with their keys. A
 * file that is not there holds none. 0, or -errno with a sentence. */
int names_done(const char *path, json_t **ret, struct err *err);

#endif
