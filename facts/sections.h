/* The structs of sections.def and the shapes by which codec.h reads and writes them. A struct is a
 * view: its texts are borrowed from the document that it was read from. */
#ifndef FACTS_SECTIONS_H
#define FACTS_SECTIONS_H

#include "facts/codec.h"

#include <stdint.h>

/* clang-format off */
#define WORDS(name) const struct fact_words *words_of_##name(void); enum name {
#define WORD(constant, text) constant,
#define ENDWORDS };
#include "facts/sections.def"

#define STRUCT(name) const struct fact_shape *shape_of_##name(void); struct fact_##name {
#define END };
#define STATE enum fact_state state;
#define TEXT(member, kind) const char *member;
#define FORM(member, form) const char *member;
#define WORD_OF(member, words) enum words member;
#define INT(member, fallback) json_int_t member;
#define COUNT(member) json_int_t member;
#define BOOL(member, fallback) bool member;
#define MAYBE(member) enum fact_maybe member;
#define TEXTS(member, kind) const char *const *member; size_t member##_count;
#define PART(member, type) struct fact_##type member;
#define SOME(member, type) const struct fact_##type *member;
#define LIST(member, type) const struct fact_##type *member; size_t member##_count;
#define MAP(member, type) const struct fact_##type *member; size_t member##_count;
#define KEY(member, kind) const char *member;
#define JSON(member) const json_t *member;
#define BODIES(member) const json_t *member;
#define REST(kind)
#include "facts/sections.def"
/* clang-format on */

#endif
