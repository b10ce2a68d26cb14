/* What would stand against a remedy although it is the right one: a ReadOnly lock on what it
 * changes, or somebody who undoes it. */
#include "checks/hindrance.h"
#include "checks/inbound.h"
#include "facts/arm.h"
#include "model/lock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "the resource group rg", "the subscription", "myVM-nsg" */
static char *
scope_words(const char *scope)
{
	struct arm_id parsed;

	if (strcasestr(scope, "/resourceGroups/") == NULL)
		return strdup("the subscription");
	if (strcasestr(scope, "/providers/") != NULL && arm_id_parse(scope, &parsed) == 0)
		return doc_fmt("%s", arm_id_name(scope));
	return doc_fmt("the resource group %s", strrchr(scope, '/') + 1);
}

static int
note_lock(const struct lock *lock, struct finding *finding)
{
	char *scope = scope_words(lock->scope),
	     *words = doc_fmt("the ReadOnly lock %s on %s", lock->name, scope);
	struct finding *also;

	finding_text(finding, "hindered_by", words);
	if ((also = finding_also(finding)) != NULL) {
		finding_text(also, "lock", lock->name);
		finding_text(also, "lock_id", lock->id);
		finding_text(also, "lock_scope", lock->scope);
		finding_text(also, "locked", scope);
		finding_set(also, WARN, CODE_LOCK_BLOCKS_REMEDY,
			    "%s refuses the change that would mend this", words);
	}
	free(words);
	free(scope);
	return also == NULL ? -1 : 0;
}

void
findings_hinder(const struct facts *facts, struct finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct lock lock;

		if (findings[i].status == FAIL && lock_over(facts, findings[i].changes, &lock))
			note_lock(&lock, &findings[i]);
		if (findings[i].status == FAIL && strcmp(findings[i].check, "nsg") == 0 &&
		    findings[i].id != CODE_NSG_JIT_DENY &&
		    findings[i].id != CODE_SECURITY_ADMIN_RULE_DENY)
			finding_revert(facts, &findings[i]);
	}
}
