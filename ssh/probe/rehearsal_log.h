/* How far a rehearsal by ssh got, from what it wrote: its log, which is its own alone (ssh -E), and
 * its standard error, where a proxy, the loader and the server's greeting write as well. Pure. */
#ifndef SSH_REHEARSAL_LOG_H
#define SSH_REHEARSAL_LOG_H

#include "facts/sections.h"
#include "ssh/probe/ssh_log.h"

struct rehearsal_output {
	const char *log;    /* of ssh -v */
	const char *errors; /* standard error */
	bool hung; /* ssh was ended from outside: its last step is where it stopped, whatever it
		      had said before */
};

struct rehearsal_log {
	enum rehearsal_stage reached;
	bool through;  /* the server named its methods, let us in, or a master runs */
	bool admitted; /* the server let us in without any proof */
	bool master;   /* a master connection answers */
	enum rehearsal_fault fault;
	char message[SSH_LOG_LINE];  /* ssh's last words, "" when it wrote nothing */
	char methods[SSH_LOG_LINE];  /* "publickey,password", "" before they were named */
	char kex[SSH_LOG_LINE];      /* the key exchange method that ssh chose, "" before that */
	char host_key[SSH_LOG_LINE]; /* "ssh-ed25519 SHA256:...", "" before it came */
};

void rehearsal_log_read(const struct rehearsal_output *output, struct rehearsal_log *ret);

/* true when the server has let ssh in without any proof: it must be ended at once. */
bool rehearsal_log_admitted(const char *log);

#endif
