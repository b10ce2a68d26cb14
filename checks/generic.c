#include "checks/checks.h"
#include "facts/visible.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a pointer refers to. */
struct found {
	const json_t *value;   /* NULL when there is nothing */
	const json_t *section; /* the section that it leads through and that is not known, if any:
				  its state and reason say why */
};

/* The member or element that one reference token of a JSON Pointer names. */
static const json_t *
step(const json_t *at, const char *token)
{
	char *end;
	unsigned long index;

	if (json_is_object(at))
		return json_object_get(at, token);
	if (!json_is_array(at) || token[0] < '0' || token[0] > '9' ||
	    (token[0] == '0' && token[1] != '\0'))
		return NULL;
	errno = 0;
	index = strtoul(token, &end, 10);
	return *end != '\0' || errno != 0 ? NULL : json_array_get(at, index);
}

/* The next token of the pointer, "~1" and "~0" undone; NULL at the end. */
static char *
next_token(const char **pointer)
{
	const char *p = *pointer;
	size_t used = 0, len;
	char *token;

	if (*p != '/')
		return NULL;
	len = strcspn(++p, "/");
	if ((token = malloc(len + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		bool escape = p[i] == '~' && i + 1 < len && (p[i + 1] == '0' || p[i + 1] == '1');

		token[used++] = p[i];
		if (escape)
			token[used - 1] = p[++i] == '0' ? '~' : '/';
	}
	token[used] = '\0';
	*pointer = p + len;
	return token;
}

/* "/target/..." starts at this VM's entry of targets, "/vm/..." at the VM's body as ARM sent it,
 * anything else at the whole document. */
static const json_t *
start(const struct facts *facts, const char **pointer, struct found *found)
{
	const char *rest = *pointer, *id = FACTS_GET(facts, vm, id);
	const json_t *body = NULL, *why = NULL;

	if (strncmp(rest, "/target", 7) == 0 && (rest[7] == '/' || rest[7] == '\0')) {
		*pointer = rest + 7;
		return facts->target;
	}
	if (strncmp(rest, "/vm", 3) != 0 || (rest[3] != '/' && rest[3] != '\0'))
		return facts->doc;
	*pointer = rest + 3;
	if (id == NULL || facts_resource(facts, id, &body, &why) != FACT_KNOWN) {
		found->section = id == NULL ? facts_section(facts, FACT_VM) : why;
		return NULL;
	}
	return body;
}

static struct found
lookup(const struct facts *facts, const char *pointer)
{
	struct found found = { NULL, NULL };
	const json_t *at = start(facts, &pointer, &found);
	char *token;

	while (at != NULL && (token = next_token(&pointer)) != NULL) {
		enum fact_state state = FACT_GET(at, missing, state);

		if (state != FACT_PENDING && state != FACT_KNOWN &&
		    FACT_GET(at, missing, reason) != NULL)
			found.section = at;
		at = step(at, token);
		free(token);
	}
	found.value = at;
	return found;
}

/* -1, 0, 1 as a is less, equal or greater; 2 when one of them is no number. A string may hold a
 * number. */
static int
compare(const json_t *a, const json_t *b)
{
	double values[2];
	const json_t *both[2] = { a, b };
	char *end;

	for (int i = 0; i < 2; i++) {
		const char *text = json_string_value(both[i]);

		if (json_is_number(both[i])) {
			values[i] = json_number_value(both[i]);
			continue;
		}
		if (text == NULL || *text == '\0' ||
		    strspn(text, "0123456789+-.eE") != strlen(text))
			return 2;
		values[i] = strtod(text, &end);
		if (*end != '\0')
			return 2;
	}
	if (isless(values[0], values[1]))
		return -1;
	return isgreater(values[0], values[1]) ? 1 : 0;
}

static bool
same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return compare(a, b) == 0;
	return json_equal(a, b) == 1;
}

static bool
is_in(const json_t *value, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (same(value, json_array_get(list, i)))
			return true;
	return false;
}

/* 1 it matches, 0 it does not, 2 it is no text or too long for a verdict. */
static int
matches(const json_t *value, const char *pattern)
{
	const char *text = json_string_value(value);
	regex_t regex;
	int r;

	if (text == NULL || json_string_length(value) > 4096 ||
	    regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return 2;
	r = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return r == 0;
}

/* 1 the condition holds, 0 it does not, 2 the value cannot be compared. */
static int
holds(const json_t *value, const char *way, const json_t *expected)
{
	int order;

	if (strcmp(way, "exists") == 0 || strcmp(way, "absent") == 0)
		return (value != NULL && !json_is_null(value)) == (way[0] == 'e');
	if (strcmp(way, "equals") == 0 || strcmp(way, "not-equals") == 0)
		return (value != NULL && same(value, expected)) == (way[0] == 'e');
	if (value == NULL)
		return 0;
	if (strcmp(way, "in") == 0)
		return is_in(value, expected);
	if (strcmp(way, "matches") == 0)
		return matches(value, json_string_value(expected));
	order = compare(value, expected);
	if (order == 2)
		return 2;
	return order == (way[0] == 'l' ? -1 : 1);
}

static char *
value_text(const json_t *value)
{
	char *text = value == NULL
			 ? strdup("nothing")
			 : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

	if (text != NULL)
		visible_cut(text, 200);
	return text;
}

/* A section that is not known: not asked is skip, all else is unknown; an absent one counts as
 * nothing there. */
static bool
not_known(const struct found *found, const char *pointer, struct finding *finding)
{
	const char *reason = FACT_GET(found->section, missing, reason);
	enum fact_state state = FACT_GET(found->section, missing, state);

	if (found->section == NULL || state == FACT_ABSENT)
		return false;
	if (state == FACT_NOT_ASKED)
		finding_set(finding, SKIP, CODE_NOT_ASKED, "%s: %s", pointer,
			    reason != NULL ? reason : "not asked for");
	else
		finding_set(finding, UNKNOWN, CODE_NOT_KNOWN, "%s is not known: %s", pointer,
			    reason != NULL ? reason : "it did not arrive");
	return true;
}

static int
fact_run(const struct facts *facts, const json_t *custom, struct finding *finding)
{
	static const char *const ways[] = { "exists", "absent",  "equals", "not-equals",
					    "in",     "matches", "less",   "greater" };
	const char *pointer = doc_str(custom, "pointer"), *code = doc_str(custom, "code"),
		   *id = doc_str(custom, "id"), *way = "exists";
	struct found found = lookup(facts, pointer);
	const json_t *expected = NULL;
	char *text, *wanted;
	int verdict;

	if (not_known(&found, pointer, finding))
		return 0;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && expected == NULL; i++)
		if ((expected = json_object_get(custom, ways[i])) != NULL)
			way = ways[i];
	verdict = holds(found.value, way, expected);
	text = value_text(found.value);
	wanted = value_text(expected);
	if (text == NULL || wanted == NULL)
		finding = NULL;
	else if (verdict == 2)
		finding_set(finding, UNKNOWN, CODE_NOT_COMPARABLE,
			    "%s is %s, which cannot be compared (%s %s)", pointer, text, way,
			    wanted);
	else if (verdict == 1)
		finding_set(finding, PASS, CODE_AS_EXPECTED, "%s is %s", pointer, text);
	else
		finding_custom(finding, doc_is(custom, "severity", "warn") ? WARN : FAIL,
			       code != NULL ? code : id, "%s is %s, expected: %s%s%s", pointer,
			       text, way, json_is_true(expected) ? "" : " ",
			       json_is_true(expected) ? "" : wanted);
	if (finding != NULL) {
		finding_text(finding, "pointer", pointer);
		finding_value(finding, "value",
			      found.value == NULL ? NULL : json_deep_copy(found.value));
		finding_value(finding, "expected", json_deep_copy(expected));
	}
	free(text);
	free(wanted);
	return finding == NULL ? -ENOMEM : 0;
}

static bool
status_of(const char *word, enum status *ret)
{
	for (enum status status = PASS; status <= UNKNOWN; status++) {
		if (word != NULL && strcmp(word, status_word(status)) == 0) {
			*ret = status;
			return true;
		}
	}
	return false;
}

static bool
is_code(const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	return len > 0 && len <= 64 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && text[0] >= 'a' &&
	       text[len - 1] != '-';
}

/* What is wrong with the object a program printed; NULL when nothing is, and *ret holds it. */
static const char *
read_printed(const json_t *object, struct fact_printed *ret, enum status *status)
{
	const char *key;
	json_t *value;

	fact_read(object, shape_of_printed(), ret);
	if (!json_is_object(object))
		return "it printed no JSON object";
	json_object_foreach ((json_t *)(uintptr_t)object, key, value)
		if (!fact_knows(shape_of_printed(), key))
			return "its object has a key other than status, code, message, evidence";
	if (!status_of(ret->status, status))
		return "its status is none of pass, warn, fail, skip, unknown";
	if (!is_code(ret->code))
		return "its code is not lower-case words joined by '-'";
	if (ret->message == NULL || strlen(ret->message) > 4096)
		return "its message is not a text of at most 4096 bytes";
	if (ret->evidence != NULL &&
	    (!json_is_object(ret->evidence) || json_object_size(ret->evidence) > 100))
		return "its evidence is not an object of at most 100 members";
	return NULL;
}

/* target.commands[id] is a section whose "object" is what the program printed. */
static int
command_run(const struct facts *facts, const json_t *custom, struct finding *finding)
{
	const json_t *said =
	    json_object_get(FACT_JSON(facts->target, target, commands), doc_str(custom, "id"));
	const char *wrong,
	    *reason = FACT_GET(said, command, reason), *key,
	    *program = json_string_value(json_array_get(doc_list(custom, "argv"), 0));
	enum fact_state state = FACT_GET(said, command, state);
	enum status status = UNKNOWN;
	struct fact_printed printed;
	json_t *value;

	if (said == NULL || state == FACT_NOT_ASKED)
		return finding_set(
		    finding, SKIP, CODE_NOT_ASKED, "%s was not run: %s", program,
		    reason != NULL ? reason : "rule files run programs only with --allow-commands");
	if (state != FACT_KNOWN)
		return finding_set(finding, UNKNOWN, CODE_COMMAND_FAILED, "%s gave no answer: %s",
				   program, reason != NULL ? reason : "it failed");
	wrong = read_printed(FACT_GET(said, command, object), &printed, &status);
	if (wrong != NULL)
		return finding_set(finding, UNKNOWN, CODE_COMMAND_FAILED,
				   "%s gave no answer that can be used: %s", program, wrong);
	json_object_foreach ((json_t *)(uintptr_t)printed.evidence, key, value)
		finding_value(finding, key, json_deep_copy(value));
	return finding_custom(finding, status, printed.code, "%s", printed.message);
}

int
generic_run(const struct facts *facts, const json_t *custom, struct finding *finding)
{
	return doc_is(custom, "type", "command") ? command_run(facts, custom, finding)
						 : fact_run(facts, custom, finding);
}
