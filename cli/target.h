/* One VM or host as the user named it, and the small facts that need no collector: what was asked,
 * this machine, the source address, the user name, the address. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "cli/options.h"
#include "facts/facts.h"

struct target {
	char *name, *group; /* NULL when not given */
	const char *id;     /* the full ARM id as typed, NULL when it was a name */
	const char *host;   /* --host */
};

/* Reads one VM argument (NULL: only --host or a key). Returns 0, -ENOMEM, or -EINVAL with a
 * sentence that quotes it. */
int target_parse(const struct options *options, const char *vm, struct target *ret,
		 struct err *err);
void target_free(struct target *target);

/* The target's object in the facts; the caller owns it. */
json_t *target_object(const struct target *target);

/* Writes doc.asked and doc.machine. */
void target_asked(json_t *doc, const struct options *options, int deadline_ms);
void target_machine(json_t *doc);

/* Settles ADDRESS: --host, else what ssh_config says of the name, else what Azure offers. */
void target_address(struct facts *facts, const char *host);

/* Puts the VM's own adminUsername into SSH_CONFIG when neither options nor ssh_config name a user.
 */
void target_user(struct facts *facts);

/* Whether there is something to connect to; if not, settles the sections of the wire with the
 * reason. */
bool target_may_probe(struct facts *facts, bool no_probe);

/* Whether ssh itself is worth starting; if not, settles REHEARSAL with the reason. TCP must be
 * settled. */
bool target_may_rehearse(struct facts *facts, const struct options *options);

#endif
