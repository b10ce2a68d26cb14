/* Values of `ssh -G` as ssh takes them; what is not known is NULL. */
#ifndef CHECKS_SSH_OPTIONS_H
#define CHECKS_SSH_OPTIONS_H

#include "facts/sections.h"

/* StrictHostKeyChecking */
enum ssh_strict { STRICT_ASK, STRICT_YES, STRICT_ACCEPT_NEW, STRICT_OFF };

/* The value, NULL when it is empty or "none". */
const char *ssh_option(const char *value);

/* true for "yes" and "true". */
bool ssh_option_on(const char *value);

/* STRICT_ASK when it is not known. */
/* ssh refuses a host key that it does not know: it is told to, or has nobody to ask. */
bool ssh_refuses_unknown(const struct fact_ssh_options *options, bool terminal);

enum ssh_strict ssh_option_strict(const struct fact_ssh_options *options);

#endif
