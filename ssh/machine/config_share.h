/* Inside config.c: what the collectors of many names share. */
#ifndef SSH_CONFIG_SHARE_H
#define SSH_CONFIG_SHARE_H

#include "ssh/machine/config.h"

struct config;

/* The answer to one way of asking (user, port, files). */
struct config_share {
	struct config_share *next;
	char *key;
	enum { SHARE_NEW, SHARE_ASKED, SHARE_KNOWN } state;
	json_t *scan, *neutral; /* as ssh_config_outcome; neutral NULL: it failed */
	struct config *waiting;
};

/* NULL when nothing is shared. */
struct config_share *config_share_of(const struct ssh_config_request *request,
				     const char *neutral_name);
/* What ssh would print for the name; NULL when it has to be asked. The caller owns it. */
json_t *config_share_options(const struct config_share *share, const char *neutral_name,
			     const char *name);

#endif
