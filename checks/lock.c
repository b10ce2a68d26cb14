#include "checks/lock.h"
#include "facts/arm.h"
#include "facts/doc.h"
#include "model/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int
finding_note_lock(const struct scene *scene, struct finding *finding)
{
	char *scope, *words;
	struct finding *also = NULL;
	struct lock lock;

	if (!lock_over(scene->facts, finding->changes, &lock))
		return 0;
	scope = scope_words(lock.scope);
	words = doc_fmt("the ReadOnly lock %s on %s", lock.name, scope);
	if (words != NULL && (also = finding_also(finding)) != NULL) {
		finding_text(finding, "hindered_by", words);
		finding_text(also, "lock", lock.name);
		finding_text(also, "lock_id", lock.id);
		finding_text(also, "lock_scope", lock.scope);
		finding_text(also, "locked", scope);
		finding_set(also, WARN, CODE_LOCK_BLOCKS_REMEDY,
			    "%s refuses the change that would fix this", words);
	}
	free(words);
	free(scope);
	return words == NULL || also == NULL ? -ENOMEM : 0;
}
