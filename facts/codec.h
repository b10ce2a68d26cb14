/* From the JSON of the facts to C structs and back, by tables: a shape lists the members of a
 * struct. The shapes of the facts are made from sections.def. */
#ifndef FACTS_CODEC_H
#define FACTS_CODEC_H

#include "facts/doc.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A truth value that the facts need not tell. */
enum fact_maybe { FACT_MAYBE, FACT_NO, FACT_YES };

/* What a text holds, for redaction; see sections.def. */
enum fact_kind { KIND_PLAIN, KIND_NAME, KIND_ADDRESS, KIND_ID, KIND_PROSE, KIND_SECRET };

/* What a text looks like: anything, "SHA256:...", four octal digits, a time in UTC. */
enum fact_form { FORM_ANY, FORM_FINGERPRINT, FORM_MODE, FORM_TIME };

enum fact_type {
	FIELD_TEXT,
	FIELD_WORD,
	FIELD_INT,
	FIELD_COUNT,
	FIELD_BOOL,
	FIELD_MAYBE,
	FIELD_TEXTS,
	FIELD_PART,
	FIELD_SOME,
	FIELD_LIST,
	FIELD_MAP,
	FIELD_KEY,
	FIELD_JSON,
	FIELD_REST,
};

/* The texts of an enum by its values; the first is NULL. */
struct fact_words {
	const char *const *texts;
	size_t count;
};

struct fact_field {
	enum fact_type type;
	const char *member;  /* its name; the JSON key has no trailing underscore */
	size_t at, count_at; /* offsets in the struct; count_at of TEXTS, LIST and MAP */
	enum fact_kind kind; /* of TEXT, TEXTS, KEY and REST */
	enum fact_form form; /* of TEXT */
	bool bodies;         /* of JSON: bodies of ARM by their ids, not anything */
	json_int_t fallback; /* of INT and BOOL; of WORD: for a text that is no such word */
	const struct fact_words *(*words)(void);
	const struct fact_shape *(*shape)(void); /* of PART, SOME, LIST and MAP */
};

struct fact_shape {
	size_t size;
	const struct fact_field *fields;
	size_t count;
};

/* Fills the shape's struct from an object (NULL: an empty one). Texts are borrowed from it, lists
 * are allocated: fact_free. What is missing or of another type gets its fallback. */
void fact_read(const json_t *object, const struct fact_shape *shape, void *ret);
void fact_free(const struct fact_shape *shape, void *from);

/* Adds to the object every member of the struct that says something: no NULL, no "none", no zero
 * but a COUNT, no empty part. A zero that says something (a uid) is for fact_put. */
void fact_write(json_t *object, const struct fact_shape *shape, const void *from);

/* One member of the struct, by its offset, that is no list, PART or SOME: fact_put sets it in the
 * object (NULL and "none" set nothing), fact_get fills it in `ret` and returns `ret`. fact_json is
 * its raw value, whatever its type, NULL when absent. Use the macros below. */
void fact_put(json_t *object, const struct fact_shape *shape, size_t at, const void *from);
void *fact_get(const json_t *object, const struct fact_shape *shape, size_t at, void *ret);
json_t *fact_json(const json_t *object, const struct fact_shape *shape, size_t at);
void fact_put_json(json_t *object, const struct fact_shape *shape, size_t at, json_t *value);

/* FACT_PUT(object, tcp, address, "10.0.0.4"); FACT_GET(object, tcp, address) */
#define FACT_PUT(object, name, member_, value)                                                     \
	fact_put(object, shape_of_##name(), offsetof(struct fact_##name, member_),                 \
		 &(const struct fact_##name){ .member_ = (value) })
#define FACT_GET(object, name, member_)                                                            \
	(((struct fact_##name *)fact_get(object, shape_of_##name(),                                \
					 offsetof(struct fact_##name, member_),                    \
					 &(struct fact_##name){ .member_ = 0 }))                   \
	     ->member_)
#define FACT_JSON(object, name, member_)                                                           \
	fact_json(object, shape_of_##name(), offsetof(struct fact_##name, member_))

/* A text from any bytes: FACT_PUT_BYTES(object, banner, line, bytes, len) */
#define FACT_PUT_BYTES(object, name, member_, bytes, len)                                          \
	FACT_PUT_JSON(object, name, member_, doc_text((const char *)(bytes), len))

/* The same in base64; no bytes set nothing. */
#define FACT_PUT_BASE64(object, name, member_, bytes)                                              \
	FACT_PUT_JSON(object, name, member_, doc_base64(bytes))

/* Takes over the reference; NULL sets nothing. */
#define FACT_PUT_JSON(object, name, member_, value)                                                \
	fact_put_json(object, shape_of_##name(), offsetof(struct fact_##name, member_), value)

/* A new object with the members of a struct: FACT_OBJECT(tcp_peer, .port = 22). The caller owns it.
 */
#define FACT_OBJECT(name, ...)                                                                     \
	fact_object(shape_of_##name(), &(const struct fact_##name){ __VA_ARGS__ })
json_t *fact_object(const struct fact_shape *shape, const void *from);

/* The key of a field in the JSON; `buf` may come to hold it. */
enum { FACT_KEY_MAX = 64 };
const char *fact_key(const struct fact_field *field, char buf[FACT_KEY_MAX]);

/* Is there a field of that key? */
bool fact_knows(const struct fact_shape *shape, const char *key);

/* The text of an enum's value, NULL for "none" and beyond: FACT_WORD(tcp_result, TCP_REFUSED). */
#define FACT_WORD(name, value) fact_word(words_of_##name(), (size_t)(enum name)(value))
const char *fact_word(const struct fact_words *words, size_t value);

/* The value of a text, 0 for any other. */
size_t fact_word_find(const struct fact_words *words, const char *text);

#endif
