/* The tables of sections.def. Each is made within a function, where THIS names its struct. */
#include "facts/sections.h"

/* clang-format off */
#define WORDS(name) \
	const struct fact_words *words_of_##name(void) { static const char *const texts[] = {
#define WORD(constant, text) [constant] = text,
#define ENDWORDS \
	}; \
	static const struct fact_words words = { texts, sizeof(texts) / sizeof(*texts) }; \
	return &words; }
#include "facts/sections.def"

#define STRUCT(name) \
	const struct fact_shape *shape_of_##name(void) { typedef struct fact_##name THIS; \
	static const struct fact_field fields[] = {
#define END \
	}; \
	static const struct fact_shape shape = { sizeof(THIS), fields, sizeof(fields) / sizeof(*fields) }; \
	return &shape; }
#define AT(name) .member = #name, .at = offsetof(THIS, name)
#define COUNTED(name) AT(name), .count_at = offsetof(THIS, name##_count)
#define STATE { FIELD_WORD, AT(state), .words = words_of_fact_state, .fallback = FACT_UNKNOWN },
#define TEXT(name, what) { FIELD_TEXT, AT(name), .kind = KIND_##what },
#define FORM(name, what) { FIELD_TEXT, AT(name), .form = FORM_##what },
#define WORD_OF(name, which) { FIELD_WORD, AT(name), .words = words_of_##which },
#define COUNT(name) { FIELD_COUNT, AT(name) },
#define INT(name, missing) { FIELD_INT, AT(name), .fallback = missing },
#define BOOL(name, missing) { FIELD_BOOL, AT(name), .fallback = missing },
#define MAYBE(name) { FIELD_MAYBE, AT(name) },
#define TEXTS(name, what) { FIELD_TEXTS, COUNTED(name), .kind = KIND_##what },
#define PART(name, type) { FIELD_PART, AT(name), .shape = shape_of_##type },
#define SOME(name, type) { FIELD_SOME, AT(name), .shape = shape_of_##type },
#define LIST(name, type) { FIELD_LIST, COUNTED(name), .shape = shape_of_##type },
#define MAP(name, type) { FIELD_MAP, COUNTED(name), .shape = shape_of_##type },
#define KEY(name, what) { FIELD_KEY, AT(name), .kind = KIND_##what },
#define JSON(name) { FIELD_JSON, AT(name) },
#define BODIES(name) { FIELD_JSON, AT(name), .bodies = true },
#define REST(what) { FIELD_REST, .kind = KIND_##what },
#include "facts/sections.def"
