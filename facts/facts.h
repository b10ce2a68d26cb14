/* The facts: one JSON document a run. Collectors fill it and judge nothing; checks read it through
 * views and change nothing.
 *
 *  {"schema": "azssh-doctor/facts/1", "started": "2026-01-01T00:00:00Z", "duration_ms": 231,
 *   "asked":   {"azure": true, "probe": true, "deep": false, "guest": false, "source_ip": ...},
 * what the run was told to look at "machine": {"user": {...}, "client": SECTION, "agent": SECTION,
 * "keys": {PATH: key facts}, ...}, "azure":   {"cloud": {...}, "signin": SECTION, "resources":
 * {lower-cased ARM id: body as ARM sent it, less the secrets}, "missing":   {lower-cased ARM id:
 * {"state": "absent"|"unknown", "cause": ..., "reason": ..., "action": ..., "status": 403}},
 *               "requests":  [{"method","url","status","error","ms","request_id"}]},
 *   "targets": [{"name": ..., "resource_group": ..., ... , SECTIONs by name, "wire": {SECTIONs by
 * name}}]}
 *
 * A SECTION is an object whose "state" is "known" (then its fields follow), "absent", "unknown" or
 * "not-asked"; the last three carry "reason" (a sentence) and "cause" (a word: "deadline",
 * "forbidden", "signed-out", "no-address", "error", ...). While its collector has not finished, a
 * section does not stand in the document at all: it is pending. struct facts views one target of
 * the document. */
#ifndef FACTS_FACTS_H
#define FACTS_FACTS_H

#include "facts/doc.h"
#include "facts/sections.h"

#include <stdbool.h>
#include <time.h>

/* Every section: its bit, where it stands, its key there, its struct of sections.def, and what a
 * person calls it. */
#define FACT_SECTIONS(X)                                                                           \
	X(CLIENT, machine, client, client, "the installed ssh client")                             \
	X(AGENT, target, agent, agent, "the ssh agent")                                            \
	X(SIGNIN, azure, signin, signin, "the Azure sign-in")                                      \
	X(ALIAS, target, alias, ssh_config, "what ssh_config says of the name")                    \
	X(VM, target, vm, vm, "the VM's place in Azure")                                           \
	X(NETWORK, target, network, network, "the VM's network")                                   \
	X(JIT, target, jit, jit, "just-in-time access")                                            \
	X(ADDRESS, target, address, address, "an address to connect to")                           \
	X(SSH_CONFIG, target, ssh_config, ssh_config, "the effective ssh configuration")           \
	X(IDENTITIES, target, identities, identities, "which keys ssh would offer")                \
	X(KNOWN_HOSTS, target, known_hosts, known_hosts, "which host keys are known")              \
	X(SOURCE, target, source, source, "the address you connect from")                          \
	X(DNS, wire, dns, dns, "name resolution")                                                  \
	X(TCP, wire, tcp, tcp, "the TCP connection")                                               \
	X(BANNER, wire, banner, banner, "the server's banner")                                     \
	X(KEX, wire, kex, kex, "the key exchange")                                                 \
	X(HOST_KEY, wire, host_key, host_key, "the server's host key")                             \
	X(AUTH, wire, auth, auth, "which authentication the server offers")                        \
	X(REHEARSAL, target, rehearsal, rehearsal, "how far ssh itself gets")                      \
	X(PROOF, target, proof, proof, "what Azure proves of the host keys")                       \
	X(GUEST, target, guest, guest, "what the VM says of itself")                               \
	X(DEEP, target, deep, deep, "what the slower Azure reads say")                             \
	X(BOOT, target, boot, boot, "the serial log")                                              \
	X(ROLES, target, roles, roles, "your roles at the VM")

enum fact_section {
#define FACT_ENUM(name, where, key, type, words) FACT_##name,
	FACT_SECTIONS(FACT_ENUM)
#undef FACT_ENUM
	    FACT_SECTION_COUNT
};

/* The same by key, for the macros below. */
enum {
#define FACT_ENUM(name, where, key, type, words) SECTION_##key = FACT_##name,
	FACT_SECTIONS(FACT_ENUM)
#undef FACT_ENUM
};

#define FACTS_BIT(name) (1u << FACT_##name)

struct facts {
	json_t *doc;    /* the whole document; owned by whoever made it, checks only read */
	json_t *target; /* borrowed: this target's object in doc.targets */
	time_t now;     /* when the facts were collected, for everything that asks "is it over?" */
};

/* A new, empty document; the caller owns it (json_decref). */
json_t *facts_new(time_t started);

/* tidy.c: takes out of a document from elsewhere what reports would hand on although their contract
 * promises other words or kinds of values; checks take it for missing, then. */
void facts_tidy(json_t *doc);

/* Views the index-th target; returns 0, or -ENOENT when the document has none such, -EPROTO when it
 * is no facts document. */
int facts_view(json_t *doc, size_t index, struct facts *ret);

/* The section's state; *reason (may be NULL) becomes its sentence, borrowed, or NULL when there is
 * none. */
enum fact_state facts_state(const struct facts *facts, enum fact_section section,
			    const char **reason);

/* The section's object (also when not known: then it holds cause and reason), NULL while pending.
 * Borrowed. */
json_t *facts_section(const struct facts *facts, enum fact_section section);

/* A section's key in the document and its name for people. */
const char *facts_section_key(enum fact_section section);
const char *facts_section_words(enum fact_section section);

/* FACTS_GET(facts, tcp, address): one member of a section by its key, as FACT_GET. */
#define FACTS_GET(facts, section, member)                                                          \
	FACT_GET(facts_section(facts, (enum fact_section)SECTION_##section), section, member)

/* FACTS_PUT(facts, agent, socket, path): sets one member of a section that is there. */
#define FACTS_PUT(facts, section, member, value)                                                   \
	FACT_PUT(facts_section(facts, (enum fact_section)SECTION_##section), section, member, value)

/* FACTS_READ(facts, tcp, &tcp): the whole section, as fact_read; it is pending when not there. */
#define FACTS_READ(facts, section, ret)                                                            \
	fact_read(facts_section(facts, (enum fact_section)SECTION_##section),                      \
		  shape_of_##section(), (struct fact_##section *){ ret })

/* Collectors settle sections with these. facts_known starts the section anew and returns its object
 * (borrowed) to be filled; facts_settle sets a section that is not known, with its cause and
 * sentence. */
json_t *facts_known(struct facts *facts, enum fact_section section);
void facts_settle(struct facts *facts, enum fact_section section, enum fact_state state,
		  const char *cause, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The bodies of ARM's resources by lower-cased id; borrowed. */
json_t *facts_resources(const struct facts *facts);

/* What the run was told to look at, a fact_asked; borrowed, NULL when it does not say. */
const json_t *facts_asked(const struct facts *facts);

/* This computer, a fact_machine; borrowed. */
json_t *facts_machine(const struct facts *facts);

/* What did not arrive, by ARM id, and the lists that were read: objects of fact_missing; borrowed,
 * NULL when there are none. */
const json_t *facts_missing(const struct facts *facts);
const json_t *facts_lists(const struct facts *facts);

/* The requests of the run, an array of fact_request; borrowed, NULL when there are none. */
const json_t *facts_requests(const struct facts *facts);

/* An ARM resource by id (any case): FACT_KNOWN and *body (borrowed), or why not: *why is its entry
 * in azure.missing, a fact_missing (may be NULL). An id that nobody has asked for is
 * FACT_NOT_ASKED. */
enum fact_state facts_resource(const struct facts *facts, const char *id, const json_t **body,
			       const json_t **why);

#endif
