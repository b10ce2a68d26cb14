#include "facts/weigh.h"
#include "facts/memory.h"

/* What jansson takes for each, with what malloc adds, rounded up. */
enum { OBJECT_BYTES = 250, ARRAY_BYTES = 150, MEMBER_BYTES = 100, VALUE_BYTES = 50 };

bool
json_fits(const char *text, size_t len)
{
	size_t weight = len * 2;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		else if (string)
			continue;
		else if (text[i] == '{')
			weight += OBJECT_BYTES;
		else if (text[i] == '[')
			weight += ARRAY_BYTES;
		else if (text[i] == ':')
			weight += MEMBER_BYTES;
		else if (text[i] == ',')
			weight += VALUE_BYTES;
	}
	return memory_room(weight);
}
