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
enum ssh_strict ssh_option_strict(const struct fact_ssh_options *options);

#endif
