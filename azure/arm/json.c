#include "azure/arm/json.h"
#include "facts/doc.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 512

static bool
too_deep(const char *text, size_t len)
{
	unsigned depth = 0;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		else if (!string && (text[i] == '[' || text[i] == '{') && ++depth > DEPTH_MAX)
			return true;
		else if (!string && (text[i] == ']' || text[i] == '}') && depth > 0)
			depth--;
	}
	return false;
}

json_t *
parse_json(const char *text, size_t len)
{
	json_t *json, *clean;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (len == 0 || too_deep(text, len))
		return NULL;
	if ((json = json_loadb(text, len, JSON_ALLOW_NUL, NULL)) != NULL)
		return json;
	if ((clean = doc_text(text, len)) == NULL)
		return NULL;
	json =
	    json_loadb(json_string_value(clean), json_string_length(clean), JSON_ALLOW_NUL, NULL);
	json_decref(clean);
	return json;
}
