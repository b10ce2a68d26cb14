#include "checks/boot.h"
#include "facts/words.h"

#include <string.h>

const struct fact_boot_sign *
boot_sign(const struct scene *scene, enum boot_kind kind)
{
	for (size_t i = 0; i < scene->boot->signs_count; i++) {
		const struct fact_boot_sign *sign = &scene->boot->signs[i];

		if (sign->kind == kind && !sign->hint && !sign->over)
			return sign;
	}
	return NULL;
}

static bool
is_up(const struct scene *scene)
{
	return scene->boot->state == FACT_KNOWN && boot_sign(scene, BOOT_UP) != NULL;
}

static bool
excludes(const struct scene *scene, enum code code)
{
	switch (code) {
	case CODE_SSHD_CONFIG_SYNTAX:
	case CODE_SSHD_DISABLED_AT_BOOT:
	case CODE_SSHD_HOSTKEYS_MISSING:
	case CODE_SSHD_PRIVSEP_DIR:
		return is_up(scene) && boot_sign(scene, BOOT_SSHD_STARTED) != NULL;
	default:
		return false;
	}
}

void
boot_possible(const struct scene *scene, struct finding *finding, const enum code *codes)
{
	for (; *codes != CODE_CUSTOM; codes++)
		if (!excludes(scene, *codes))
			finding_possible(finding, *codes);
}

bool
boot_is_doubtful(const struct scene *scene)
{
	const struct vm *vm = scene->instance;

	return vm != NULL && !vm->windows && scene->boot->state != FACT_KNOWN &&
	       doc_same(vm->power, "running") && vm->agent == VM_AGENT_NOT_READY &&
	       vm->agent_wanted;
}

enum fact_maybe
boot_has_key(const struct scene *scene, const char *user, const char *fingerprint)
{
	for (size_t i = 0; i < scene->boot->users_count && fingerprint != NULL; i++) {
		const struct fact_boot_user *one = &scene->boot->users[i];

		if (word_same(one->user, user) &&
		    word_among(fingerprint, one->keys, one->keys_count))
			return FACT_YES;
	}
	return FACT_MAYBE;
}
