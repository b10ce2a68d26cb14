/* What a run is about: the target, how it is connected to, and the lines to type for that. Reports
 * show it, and rules may name it. */
#ifndef CHECKS_ABOUT_H
#define CHECKS_ABOUT_H

#include "checks/scene.h"

/* Texts are owned, and NULL where they are not known. */
struct about {
	time_t started;
	int64_t duration_ms;
	bool key_only; /* it is about one key file alone */
	char *vm, *vm_id, *resource_group, *subscription, *location;
	char *host, *user, *identity, *source_ip;
	const char *user_from; /* a word of the facts */
	int port;
	char *login; /* the ssh command that connects */
	char *again; /* the user's own command line; NULL in facts of several VMs */
};

struct about about_make(const struct scene *scene);
void about_free(struct about *about); /* its contents; NULL is fine */

/* The values that every rule may name ({vm} {rg} {subscription} {user} {host} {port} {source_ip}
 * ...): a new object. */
json_t *globals_make(const struct scene *scene, const struct about *about);

#endif
