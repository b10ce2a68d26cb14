/* cli/: options, the order of things, the loop, children, the exit code; it knows no details of
 * what it drives. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "facts/err.h"
#include "report/format.h"

#include <stdbool.h>
#include <stddef.h>

enum exit_code {
	EXIT_HEALTHY = 0,
	EXIT_FAULT = 1,
	EXIT_USAGE = 2,
	EXIT_UNDETERMINED = 3,
	EXIT_INTERNAL = 4
};

/* A growing, NULL-terminated list of borrowed or owned strings. */
struct words {
	const char **at; /* NULL while empty */
	size_t count;
};

/* One -f FORMAT[=FILE]. */
struct output {
	const struct format *format;
	const char *file; /* NULL: standard output */
};

/* What the command line says. Strings are borrowed from argv or owned by the lists' store. */
struct options {
	struct words vms; /* as typed, without USER@ */
	bool names;       /* more of them come on standard input ("-") */
	bool all;         /* every VM of the group, the subscriptions, the tags */
	struct words subscriptions, tags;
	const char *shard;  /* "K/N" */
	const char *resume; /* an ndjson file that is gone on with */
	int jobs;           /* 0: not given */
	bool vm_default;    /* nobody typed it: it is the one that az keeps as its default */
	const char *resource_group, *subscription, *tenant;
	const char *host, *login, *identity, *ssh_config;
	int port; /* 0: not given */
	bool no_ssh_config;
	const char *source_ip, *ip_service, *reference;
	const char *cloud, *arm_endpoint, *credential;
	bool no_azure, no_probe, no_rehearsal, deep, guest;
	struct words rules, only, skip, remedy;
	struct output *outputs; /* at least one: text on standard output is the default */
	size_t output_count;
	bool allow_commands, no_config;
	const char *bundle, *bundle_on_fail, *replay, *redact, *keep_map, *baseline, *from_log;
	bool no_redact, print_config, print_fix;
	const char *known_hosts;
	const char *fail_on, *color;
	int wait_ms, deadline_ms; /* 0: not given */
	bool list_checks, permissions, fix, quiet, verbose, help, version;
	const char *explain, *completion;
	struct words lint;
	struct words command; /* the words after the program's name, for repeating them */
	struct words store;   /* what the lists own */
};

/* Reads the command line. Returns 0, or -EINVAL with one sentence that quotes the bad value and
 * says what is accepted. */
int options_parse(int argc, char **argv, struct options *ret, struct err *err);
void options_free(struct options *options);

/* --help, made from the same table. */
void options_help(void);

/* What of a well-formed command line makes no sense together. 0, or -EINVAL with one sentence. */
int options_check(const struct options *options, struct err *err);

/* The same for the ids of --only and --skip, to which the rules may add some. */
int options_check_ids(const struct options *options, const struct rules *rules, struct err *err);

/* true for the mode that asks of one key file "is it fit for a new VM?" */
bool options_key_only(const struct options *options);

/* true when a VM has to be named and none is. */
bool options_want_vm(const struct options *options);
/* Takes that name for the VM that nobody typed. 0 or -ENOMEM. */
int options_default_vm(struct options *options, const char *vm);

/* Reads further names of VMs, one a line, blank lines and those that begin with # aside. 0, or
 * -errno with one sentence. */
int options_read_names(struct options *options, struct err *err);

/* "2/5" of --shard: false when it is none. */
bool option_shard(const char *value, size_t *k, size_t *n);

/* "90", "90s", "2m", "1500ms", "1h" to milliseconds, at most 24 h. 0, or -EINVAL with *ret
 * untouched. */
int options_duration(const char *value, int *ret);

#endif
