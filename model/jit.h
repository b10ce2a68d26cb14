/* Just-in-time access (Defender for Cloud) as a state machine over the policies that name the VM.
 * Strings are borrowed. */
#ifndef MODEL_JIT_H
#define MODEL_JIT_H

#include "facts/facts.h"
#include "model/prefix.h"

enum jit_state {
	JIT_NONE,        /* no policy names the VM */
	JIT_NOT_COVERED, /* a policy names the VM, but not this port */
	JIT_NOT_REQUESTED,
	JIT_PENDING,
	JIT_FAILED,
	JIT_ACTIVE, /* for this source, or for any */
	JIT_EXPIRED,
	JIT_REVOKED,
	JIT_OTHER_SOURCE, /* active, for somebody else's address */
	JIT_UNCLEAR, /* a request stands there, and a field of it makes no sense: see `field` */
};

struct jit {
	enum jit_state state;
	const char *policy_id, *policy_name;
	const json_t *port;    /* the policy's entry for the port, NULL when not covered */
	int number;            /* the port of that entry; 0 when it is for any */
	const json_t *granted; /* the request's port entry that gave the state, NULL when none */
	const char *requestor, *end; /* of that request */
	const char *field; /* of an unclear request: the field that is missing or makes no sense */
	int mapped_port;   /* of an active request through Azure Firewall: the port to connect to
			      there; 0 for none */
	const char *mapped_address; /* and its address, NULL when the policy does not say */
	long asked_seconds;  /* how long the request that gave the state asked for, -1 when it does
				not say */
	bool source_unknown; /* active for certain addresses, and ours is not known */
	long minutes_left;   /* -1 when nothing is active */
	long max_seconds;    /* longest request the policy allows; 10800 when it does not say */
	const char *bad_limit; /* what the policy says of it when that makes no sense, else NULL */
	bool source_forbidden; /* no policy for the port allows requests from this source */
	const json_t *missing; /* entry of a policy that could not be read, NULL when all were */
};

const char *jit_state_word(enum jit_state state); /* NULL for unclear */

/* "203.0.113.7, 10.0.0.0/8": the sources of a policy's or a request's port entry. The caller frees,
 * NULL when it has none. */
char *jit_sources(const json_t *port);

/* Reads the state for the port and source (NULL: not known) at facts->now. */
void jit_from_facts(const struct facts *facts, const char *vm_id, int port, const struct ip *source,
		    struct jit *ret);

/* The body of an initiate request: this VM and port, the source when it is known (else Azure takes
 * the caller's), an end time within the policy's limit and at most an hour from now. The caller
 * frees; NULL when out of memory. */
char *jit_request_body(const struct jit *jit, const char *vm_id, int port, const char *source,
		       time_t now);

#endif
