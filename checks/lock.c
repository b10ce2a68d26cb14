#include "checks/lock.h"
#include "facts/arm.h"
#include "facts/doc.h"
#include "model/grant.h"
#include "model/lock.h"

#include <stdio.h>
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

static void
note(struct finding *finding, const char *key, const char *name, const char *id, const char *scope,
     const char *words, const char *locked, enum code code)
{
	struct finding *also = finding_also(finding);

	finding_text(finding, "hindered_by", words);
	finding_text(also, key, name);
	finding_text(also, "lock_id", id);
	finding_text(also, "lock_scope", scope);
	finding_text(also, "locked", locked);
	finding_set(also, WARN, code, "%s refuses the change that would mend this", words);
}

/* What its remedies do with a resource: write it or a part of it, start it. */
static bool
denied(const struct scene *scene, const char *resource, struct deny *ret)
{
	static const char *const ends[] = { "write", "securityRules/write", "start/action" };
	char type[160], action[200];

	if (resource == NULL || arm_id_type(resource, type, sizeof(type)) < 0)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(action, sizeof(action), "%s/%s", type, ends[i]);
		if (deny_over(scene->facts, resource, action, scene->signin->claims.oid, ret))
			return true;
	}
	return false;
}

int
finding_note_lock(const struct scene *scene, struct finding *finding)
{
	char *scope, *words;
	struct lock lock;
	struct deny deny;

	if (lock_over(scene->facts, finding->changes, &lock)) {
		scope = scope_words(lock.scope);
		words = doc_fmt("the ReadOnly lock %s on %s", lock.name, scope);
		note(finding, "lock", lock.name, lock.id, lock.scope, words, scope,
		     CODE_LOCK_BLOCKS_REMEDY);
	} else if (denied(scene, finding->changes, &deny)) {
		scope = scope_words(deny.scope);
		words = doc_fmt("the deny assignment %s on %s", deny.name, scope);
		note(finding, "deny", deny.name, deny.id, deny.scope, words, scope,
		     CODE_DENY_BLOCKS_REMEDY);
	} else {
		return 0;
	}
	free(words);
	free(scope);
	return 0;
}
