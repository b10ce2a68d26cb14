/* The parts of redaction; for model/redact alone. */
#ifndef MODEL_REDACT_INNER_H
#define MODEL_REDACT_INNER_H

#include "facts/bytes.h"
#include "model/prefix.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct tree_node {
	unsigned child[2]; /* 0: none */
};

/* The public addresses and prefixes of a document, bit by bit. */
struct address_tree {
	struct tree_node *nodes; /* the first is the root; owned */
	size_t count, room;
};

struct redact {
	bool learning; /* the first walk: what there is, before anything is replaced */
	struct address_tree tree;
	json_t *names;   /* {text in lower case: pseudonym} */
	json_t *users;   /* those of them that name a person or an account */
	json_t *numbers; /* {sort of name: how many} */
	json_t *map;     /* see redact.h */
	json_t *places;  /* {place: {kind: count}} */
};

/* words.c, made while the program is built: words that are nobody's, sorted, in lower case. */
enum { REDACT_WORD_MAX = 25 };
extern const char redact_words[][REDACT_WORD_MAX];
extern const size_t redact_word_count;

/* address.c */
void address_tree_begin(struct address_tree *tree);
void address_tree_free(struct address_tree *tree);
void address_tree_learn(struct address_tree *tree, struct ip ip, int length);
struct ip address_tree_map(const struct address_tree *tree, struct ip ip, int length);

/* names.c: each appends to `out`. `sort` is what a pseudonym is called. */
bool name_is_kept(const char *text, size_t len);
void name_put(struct redact *redact, struct buffer *out, const char *text, size_t len,
	      const char *sort);
/* The pseudonym of a name that is known, NULL when it is none. */
const char *name_known(const struct redact *redact, const char *text, size_t len);
/* From now on the name has that pseudonym. */
void name_learn(struct redact *redact, const char *text, size_t len, const char *pseudonym);
/* It is Azure's, and stays wherever it stands. */
void name_keep(struct redact *redact, struct buffer *out, const char *text, size_t len);
bool name_is_user(const struct redact *redact, const char *text, size_t len);
/* A GUID begins here. */
bool guid_at(const char *text);
enum { GUID_LEN = 36 };
void guid_put(struct redact *redact, struct buffer *out, const char *text);

/* word.c: may the word stay in a sentence? */
bool word_is_public(const char *text, size_t len);

/* id.c: appends the ARM id that begins here; returns its length, 0 when there is none. */
size_t id_put(struct redact *redact, struct buffer *out, const char *text);

/* text.c */
void text_put_prose(struct redact *redact, struct buffer *out, const char *text);
/* A name, a host name, an address, or several of them. */
void text_put_name(struct redact *redact, struct buffer *out, const char *text, const char *sort);
void text_put_id(struct redact *redact, struct buffer *out, const char *text, const char *sort);

/* arm.c: a copy of a body as ARM sent it. */
json_t *arm_redacted(struct redact *redact, const json_t *body);

#endif
