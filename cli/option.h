/* Inside the reading of options: a row of the table, and how its value is read. */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "cli/options.h"

/* What an option's value is, and so the type of the member that it sets. */
enum option_kind {
	OPT_FLAG,     /* bool */
	OPT_TEXT,     /* const char * */
	OPT_HOST,     /* const char *: what may be handed to ssh as a host */
	OPT_USER,     /* const char * */
	OPT_URL,      /* const char *: https, or http to this computer */
	OPT_ENDPOINT, /* const char *: HOST:PORT */
	OPT_ADDRESS,  /* const char * */
	OPT_CHOICE,   /* const char *: one of the row's words */
	OPT_PORT,     /* int */
	OPT_NUMBER,   /* int, from 1 */
	OPT_SHARD,    /* const char *: K/N */
	OPT_DURATION, /* int: milliseconds */
	OPT_LIST,     /* struct words: one value an option */
	OPT_COMMAS,   /* struct words: values with commas between */
	OPT_CHOICES,  /* struct words: the same, of the row's words */
	OPT_FORMAT,   /* the outputs */
};

struct option_row {
	const char *name; /* NULL for a heading of --help */
	char letter;
	enum option_kind kind;
	const char *arg;   /* what --help calls the value; NULL: the option takes none */
	size_t at;         /* offset in struct options */
	const char *help;  /* NULL for an alias, which --help shows at what it stands for */
	const char *words; /* OPT_CHOICE, OPT_CHOICES: what is accepted, with '|' between; an option
			      without a value: the value that it means */
};

/* The table. */
const struct option_row *option_rows(size_t *count);

/* Reads the value into the row's member. 0, -ENOMEM, or -EINVAL with one sentence that quotes the
 * value and says what is accepted. */
int option_store(struct options *options, const struct option_row *row, const char *value,
		 struct err *err);

/* Appends to a list of words. 0 or -ENOMEM. */
int words_append(struct words *words, const char *word);

/* A copy that lives as long as the options; NULL when out of memory. */
char *options_keep(struct options *options, const char *text, size_t len);

/* true for what may be handed to ssh as a user's name. */
bool option_is_user(const char *value);

#endif
