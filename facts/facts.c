#include "facts/facts.h"
#include "facts/time.h"
#include "facts/arm.h"

#include <errno.h>
#include <string.h>

static const struct section {
	const char *where, *key, *words;
} sections[FACT_SECTION_COUNT] = {
#define FACT_ROW(name, where, key, type, words) [FACT_##name] = { #where, #key, words },
	FACT_SECTIONS(FACT_ROW)
#undef FACT_ROW
};

const char *
facts_section_key(enum fact_section section)
{
	return sections[section].key;
}

const char *
facts_section_words(enum fact_section section)
{
	return sections[section].words;
}

json_t *
facts_new(time_t started)
{
	char stamp[TIME_TEXT_SIZE];

	return json_pack("{s:s, s:s, s:i, s:{}, s:{s:{}}, s:{s:{}, s:{}, s:[]}, s:[]}", "schema",
			 "azssh-doctor/facts/1", "started", time_to_iso(started, stamp),
			 "duration_ms", 0, "asked", "machine", "keys", "azure", "resources",
			 "missing", "requests", "targets");
}

int
facts_view(json_t *doc, size_t index, struct facts *ret)
{
	struct facts facts = { .doc = doc };

	if (!doc_is(doc, "schema", "azssh-doctor/facts/1"))
		return -EPROTO;
	if ((facts.target = json_array_get(doc_list(doc, "targets"), index)) == NULL)
		return -ENOENT;
	facts.now = time_from_iso(doc_str(doc, "started"));
	facts.now = facts.now >= 0 ? facts.now : 0;
	*ret = facts;
	return 0;
}

/* The object that holds the section: the document's machine or azure, the target, or the target's
 * wire. */
static json_t *
section_owner(const struct facts *facts, const struct section *section)
{
	if (strcmp(section->where, "target") == 0)
		return facts->target;
	return doc_get(strcmp(section->where, "wire") == 0 ? facts->target : facts->doc,
		       section->where);
}

json_t *
facts_section(const struct facts *facts, enum fact_section section)
{
	return doc_get(section_owner(facts, &sections[section]), sections[section].key);
}

enum fact_state
facts_state(const struct facts *facts, enum fact_section section, const char **reason)
{
	const json_t *obj = facts_section(facts, section);

	if (reason != NULL)
		*reason = FACT_GET(obj, missing, reason);
	return FACT_GET(obj, missing, state);
}

json_t *
facts_known(struct facts *facts, enum fact_section section)
{
	json_t *owner, *obj = json_pack("{s:s}", "state", FACT_WORD(fact_state, FACT_KNOWN));

	if (strcmp(sections[section].where, "wire") == 0 && doc_get(facts->target, "wire") == NULL)
		json_object_set_new(facts->target, "wire", json_object());
	owner = section_owner(facts, &sections[section]);
	json_object_set_new(owner, sections[section].key, obj);
	return doc_get(owner, sections[section].key);
}

void
facts_settle(struct facts *facts, enum fact_section section, enum fact_state state,
	     const char *cause, const char *fmt, ...)
{
	json_t *obj = facts_known(facts, section);
	va_list ap;
	char *reason;

	va_start(ap, fmt);
	reason = doc_vfmt(fmt, ap);
	va_end(ap);
	doc_set_str(obj, "state", FACT_WORD(fact_state, state));
	doc_set_str(obj, "cause", cause);
	doc_set_str(obj, "reason", reason);
	free(reason);
}

json_t *
facts_resources(const struct facts *facts)
{
	return FACT_JSON(FACT_JSON(facts->doc, document, azure), azure, resources);
}

const json_t *
facts_asked(const struct facts *facts)
{
	return FACT_JSON(facts->doc, document, asked);
}

json_t *
facts_machine(const struct facts *facts)
{
	return FACT_JSON(facts->doc, document, machine);
}

const json_t *
facts_missing(const struct facts *facts)
{
	return FACT_JSON(FACT_JSON(facts->doc, document, azure), azure, missing);
}

const json_t *
facts_lists(const struct facts *facts)
{
	return FACT_JSON(FACT_JSON(facts->doc, document, azure), azure, lists);
}

const json_t *
facts_requests(const struct facts *facts)
{
	return FACT_JSON(FACT_JSON(facts->doc, document, azure), azure, requests);
}

enum fact_state
facts_resource(const struct facts *facts, const char *id, const json_t **body, const json_t **why)
{
	char key[ARM_ID_MAX];
	const json_t *found, *missing;
	enum fact_state state;

	*body = NULL;
	if (why != NULL)
		*why = NULL;
	if (arm_id_key(id, key, sizeof(key)) < 0)
		return FACT_UNKNOWN;
	if ((found = json_object_get(facts_resources(facts), key)) != NULL) {
		*body = found;
		return FACT_KNOWN;
	}
	if ((missing = json_object_get(facts_missing(facts), key)) == NULL)
		return FACT_NOT_ASKED;
	if (why != NULL)
		*why = missing;
	state = FACT_GET(missing, missing, state);
	return state == FACT_ABSENT || state == FACT_NOT_ASKED ? state : FACT_UNKNOWN;
}
