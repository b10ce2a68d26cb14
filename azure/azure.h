/* azure/: sign-in, ARM requests, finding the VM and reading what it refers to. It fills facts and
 * judges nothing.
 *
 * Every call settles the sections it names (known, absent or unknown, always with a reason) and
 * then calls done(ctx) exactly once, perhaps before it returns. The session, `facts` and what the
 * requests point at must live until then. */
#ifndef AZURE_AZURE_H
#define AZURE_AZURE_H

#include "facts/err.h"
#include "facts/facts.h"
#include "loop/loop.h"

#include <stdio.h>

struct azure; /* one sign-in, shared by all targets of a run */

struct azure_options {
	const char *cloud;        /* --cloud, NULL: environment and az configuration decide */
	const char *arm_endpoint; /* --arm-endpoint or AZSSH_ARM_ENDPOINT; NULL: the cloud's */
	const char *credential;   /* --credential, NULL: "auto" */
	const char *tenant;       /* --tenant */
	const char *subscription; /* --subscription, a name or an id */
	const char *resolver;     /* a program that prints a name's addresses when called with
				     --resolve-for-probe NAME; NULL: none */
};

/* Checks the options (unknown cloud or credential word, an endpoint that is no https URL and not
 * loopback): 0, or -EINVAL with one sentence that quotes the value and says what is accepted. `doc`
 * is the facts document, borrowed; what it says is asked for (deep, guest) is read. azure_free
 * takes NULL. */
int azure_new(struct loop *loop, json_t *doc, const struct azure_options *options,
	      struct azure **ret, struct err *err);
void azure_free(struct azure *azure);

/* The VM of `az configure --defaults vm=NAME` (AZURE_DEFAULTS_VM); the caller frees, NULL for none.
 */
char *azure_default_vm(void);

/* Signs in by the first credential that serves; settles SIGNIN (in doc.azure). */
void azure_signin(struct azure *azure, void (*done)(void *ctx), void *ctx);

/* Finds the VM: by full id, RG/name, bare name, or by the address it owns (host only). Settles VM:
 * known {id, ...}, absent (not found; `near` lists names like it), unknown (not signed in,
 * forbidden, deadline). Found more than once: VM is absent with cause "ambiguous" and `candidates`
 * (ids), which ends the run as a usage error. Needs SIGNIN settled. */
struct azure_target {
	const char *id;           /* full ARM id, or NULL */
	const char *group, *name; /* group may be NULL */
	const char *host; /* an address or name to find the owner of, when there is no VM name */
};
void azure_find(struct azure *azure, struct facts *facts, const struct azure_target *target,
		void (*done)(void *ctx), void *ctx);

/* Reads the VM and what it refers to (NICs, addresses, subnets, NSGs, load balancers, route tables,
 * ...) into azure.resources / azure.missing and the just-in-time policies; settles NETWORK and JIT,
 * and with --deep DEEP. Needs VM settled. It may begin together with azure_find
 * when the id is known before. settled(ctx) is called when NETWORK is settled and more is still to
 * come; NULL for none. */
void azure_read(struct azure *azure, struct facts *facts, void (*settled)(void *ctx),
		void (*done)(void *ctx), void *ctx);

/* Runs the script of --guest in the VM; settles GUEST and PROOF. Needs the VM's body, and what is
 * known of the user, the keys and the source by then: it comes after the conversation, so that
 * sshd has written about it. */
void azure_guest(struct azure *azure, struct facts *facts, void (*done)(void *ctx), void *ctx);

/* The script, NULL-terminated lines. */
const char *const *azure_guest_script(bool windows);

/* Which VMs a run of many is about. */
struct azure_selection {
	const char *const
	    *subscriptions; /* names or ids; none: the active one, else all in sight */
	size_t subscription_count;
	const char *group;       /* NULL: any */
	const char *const *tags; /* KEY or KEY=VALUE: all of them */
	size_t tag_count;
};

/* Reads the VMs of the selection and what they refer to by few large requests, so that azure_find
 * and azure_read of each need none of their own. done gets the VMs' ids in their order (borrowed),
 * and why some may lack (an entry; NULL when none does). Needs SIGNIN known; the selection must
 * live until then. */
void azure_fleet(struct azure *azure, const struct azure_selection *selection,
		 void (*done)(void *ctx, json_t *ids, const json_t *why), void *ctx);

/* What was read for one VM of many alone and is held for all is let go. azure may be NULL. */
void azure_forget(struct azure *azure, const json_t *doc);

/* Cuts what is secret, by its form or because this sign-in knows it, out of facts that did not come
 * from Azure: banners, what programs print. azure may be NULL. */
void azure_cut(const struct azure *azure, json_t *value);

/* --permissions: a custom role, as JSON for `az role definition create`, with every action that is
 * read at that depth and no other, and with those of `more` (an array of their names, NULL for
 * none). 0 or -errno. */
int azure_permissions(FILE *out, bool deep, bool guest, const json_t *more);

#endif
