/* Redaction: the facts with other names, so that a report made of them comes to the same result.
 * What a text holds is said by the kinds of sections.def; bodies of ARM go by a general rule.
 *
 * Ids, names and addresses become pseudonyms, the same for the same value wherever it stands, also
 * within sentences. Pseudonyms of addresses keep who lies in whose prefix, and the order. Of a
 * sentence only the words stay that are nobody's: those of ssh and of this program. */
#ifndef MODEL_REDACT_H
#define MODEL_REDACT_H

#include <jansson.h>

/* Owned: json_decref each. */
struct redacted {
	json_t *facts;
	json_t *replaced; /* [{"place", "kind", "count"}]: how many texts, never with what */
	json_t *map;      /* {pseudonym: what it stands for} */
};

void redact_facts(const json_t *facts, struct redacted *ret);

#endif
