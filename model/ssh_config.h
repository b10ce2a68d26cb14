/* A view of what `ssh -G` says of the target. Strings are borrowed from the facts; what is not set
 * is NULL. */
#ifndef MODEL_SSH_CONFIG_H
#define MODEL_SSH_CONFIG_H

#include "facts/facts.h"

/* StrictHostKeyChecking */
enum ssh_strict { STRICT_ASK, STRICT_YES, STRICT_ACCEPT_NEW, STRICT_OFF };

struct ssh_config {
	const char *name;     /* what was given to ssh */
	const char *hostname; /* where it would connect to */
	const char *user;
	const char *user_from; /* "option", "ssh-config", "vm", "local" */
	const char *local_user;
	int port;
	const char *proxyjump, *proxycommand;
	const char *controlpath;
	const char *match_exec; /* a command that ssh runs while it reads its configuration */
	enum ssh_strict strict;
	bool batch;            /* BatchMode: ssh never asks */
	bool algorithms_fixed; /* the user set HostKeyAlgorithms */
	const char *host_key_algorithms;
	const json_t *section;
};

/* Where a keyword's value stands in the configuration files: line 0 when that is not known. */
struct ssh_place {
	const char *file;
	int line;
};

/* Reads the view; 0, or -ENOENT when SSH_CONFIG is not known (then strict is STRICT_ASK and all
 * else unset). */
int ssh_config_from_facts(const struct facts *facts, struct ssh_config *ret);

/* A single value of `ssh -G` by its lower-case keyword; NULL when it is unset, "none" or a list. */
const char *ssh_config_option(const struct ssh_config *config, const char *keyword);

struct ssh_place ssh_config_place(const struct ssh_config *config, const char *keyword);

/* true when the name given leads to another host name because the configuration says so. */
bool ssh_config_redirects(const struct ssh_config *config);

#endif
