/* checks/: one file a check, the table in path order, the run over them, the diagnosis. Checks are
 * pure: facts and a rule in, a finding out; no clock (facts->now), no environment, no I/O.
 *
 * To add a check: one file beside these, its word in CHECKS below, its entry in rules/default.yaml,
 * its file name in Makefile.am, one scenario. */
#ifndef CHECKS_CHECKS_H
#define CHECKS_CHECKS_H

#include "facts/facts.h"
#include "checks/finding.h"
#include "rules/rules.h"

struct check {
	const char *id; /* "key-format": also the key of its rules entry */
	const char *title;
	unsigned needs; /* FACTS_BIT(...) that must be known; the run guards them, so the check
			   never has to */
	int (*run)(const struct facts *facts, const struct rule *rule,
		   struct finding *finding); /* 0 or -errno: about the program */
};

/* In path order: this machine, sign-in, VM, address, filters, wire, conversation, guest. */
#define CHECKS(X)                                                                                  \
	X(ssh_config)                                                                              \
	X(key_file)                                                                                \
	X(key_permissions)                                                                         \
	X(key_format)                                                                              \
	X(key_agent)                                                                               \
	X(azure_signin)                                                                            \
	X(azure_access)                                                                            \
	X(vm_found)                                                                                \
	X(vm_state)                                                                                \
	X(vm_os)                                                                                   \
	X(public_ip)                                                                               \
	X(nsg)                                                                                     \
	X(jit)                                                                                     \
	X(route)                                                                                   \
	X(dns)                                                                                     \
	X(tcp)                                                                                     \
	X(banner)                                                                                  \
	X(kex)                                                                                     \
	X(host_key)                                                                                \
	X(auth)

extern const struct check *const check_table[]; /* ends with NULL */

/* Which checks to run: NULL lists mean no restriction. */
struct selection {
	const char *const *only, *const *skip; /* NULL-terminated lists of ids */
};

/* true when a check of that id exists (custom ones are known to the rules only). */
bool check_exists(const char *id);

/* Runs every check over one target. *ret becomes an array in path order, one finding a check; the
 * caller frees with findings_free. Returns 0 or -errno. */
int checks_run(const struct facts *facts, const struct rules *rules,
	       const struct selection *selection, struct finding **ret, size_t *count);
void findings_free(struct finding *findings, size_t count);

/* generic.c: runs one rule of the `custom` list (types "fact" and "command") over the facts.
 * Returns 0 or -errno. */
int generic_run(const struct facts *facts, const json_t *custom, struct finding *finding);

/* The one root cause. All pointers are borrowed from the findings it was made of. */
struct diagnosis {
	enum status verdict;              /* PASS, WARN, FAIL or UNKNOWN */
	const struct finding *cause;      /* NULL for PASS and WARN */
	const struct finding **explained; /* failed or warned findings that follow from the cause */
	size_t explained_count;
	const struct finding *
	    *next; /* further failures that nothing explains, in the order they will be met */
	size_t next_count;
};

/* Marks what is explained by what (finding->explained_by) and names the cause. Returns 0 or
 * -ENOMEM; diagnosis_free takes NULL. */
int diagnosis_make(const struct facts *facts, const struct rules *rules, struct finding *findings,
		   size_t count, struct diagnosis *ret);
void diagnosis_free(struct diagnosis *diagnosis);

/* The values that every rule may name ({vm} {rg} {subscription} {user} {host} {port} {source_ip}):
 * a new object, the caller owns it. */
json_t *globals_from_facts(const struct facts *facts);

#endif
