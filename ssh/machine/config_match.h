/* Private to the reading of ssh's configuration files: does a block count for the host? */
#ifndef SSH_CONFIG_MATCH_H
#define SSH_CONFIG_MATCH_H

#include "ssh/machine/config.h"

struct config_view {
	const struct ssh_config_names *names;
	const struct fact_config_scan *scan;
	bool twice;              /* ssh reads its files again, with other names */
	enum fact_maybe *counts; /* by the block's number; 0 is the file itself */
	json_t *ret;
};

/* The block of a number from 1. */
const struct fact_config_block *config_block_at(const struct config_view *view, json_int_t number);

bool config_is_include(const struct fact_config_block *block);

/* The next word of `*at`: to a separator, without quotes; NULL at the end. The caller frees. */
char *config_word(const char **at, const char *separators);

/* Patterns with a separator between them; one negated match makes the whole list match nothing.
 * `specific` becomes true when more than a "*" matches. */
bool config_patterns(const char *patterns, const char *separators, const char *name, bool any_case,
		     bool *specific);

/* A Match line: does it count, does a criterion name the host, how many are not met, and the last
 * of these (owned by the caller). FACT_MAYBE: a criterion that only ssh can judge. */
struct config_match {
	enum fact_maybe counts;
	bool specific;
	size_t unmet;
	char *criterion;
};
struct config_match config_match(const struct config_view *view,
				 const struct fact_config_block *block);

/* Does what stands in the block of that number count? Once config_judge has come so far. */
enum fact_maybe config_counts(const struct config_view *view, json_int_t block);

/* Does the block count by its own patterns, wherever it stands? */
enum fact_maybe config_counts_itself(const struct config_view *view,
				     const struct fact_config_block *block);

/* Fills view->counts, which has room for one more than there are blocks. */
void config_judge(struct config_view *view);

#endif
