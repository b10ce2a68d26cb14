/* ssh/: this machine's keys, agent, ssh configuration and known hosts, and the conversation with
 * the server. It fills facts and judges nothing; it knows nothing of Azure.
 *
 * Every *_collect settles the sections it names in `facts` (known, absent or unknown, always with a
 * reason) and then calls done(ctx) exactly once, perhaps before it returns. `facts` and everything
 * the request points at must live until then. */
#ifndef SSH_SSH_H
#define SSH_SSH_H

#include "facts/facts.h"
#include "loop/loop.h"

typedef void ssh_done(void *ctx);

/* At most so many processes of ssh are started for a target, those that ssh starts for jump hosts
 * too. What would be one too many is left out, and said. */
enum { SSH_PROCESSES_MAX = 8, SSH_HOPS_MAX = 4 };

/* client.c: so many are started now; there is room for so many more. */
void ssh_started(struct facts *facts, json_int_t count);
json_int_t ssh_room(const struct facts *facts);

/* client.c: version of the installed ssh (`ssh -V`), settles CLIENT. */
void ssh_client_collect(struct loop *loop, struct facts *facts, ssh_done *done, void *ctx);

/* What the installed ssh could do, configured or not (`ssh -Q`): adds its list of that kind ("kex",
 * "host_key", "cipher", "mac"; NULL: all) to a CLIENT that is known, unless it is there. `ssh -G`
 * tells what is configured without another child. */
void ssh_client_lists(struct loop *loop, struct facts *facts, const char *kind, ssh_done *done,
		      void *ctx);

/* config.c: what `ssh -G` says of a name; settles `section`, which is ALIAS or SSH_CONFIG. */
struct ssh_config_request {
	const char *name;     /* host name, alias or address, as a user would type it after ssh */
	const char *user;     /* -l or USER@; NULL: ssh decides */
	int port;             /* -p; 0: ssh decides */
	const char *identity; /* -i; NULL: ssh decides */
	const char *config_file; /* -F; NULL: ssh's own */
	bool no_config;          /* -F none */
	int timeout_ms;          /* of `ssh -G`; 0: 10 s */
	bool compare; /* of ALIAS: tell whether the configuration treats the name otherwise than
			 others */
	struct ssh_config_shared *shared; /* with others, so that names that no Host or Match block
					     tells apart are asked about once; NULL: it is not */
};
struct ssh_config_shared *ssh_config_shared_new(void);
void ssh_config_shared_free(struct ssh_config_shared *shared);
void ssh_config_collect(struct loop *loop, struct facts *facts, enum fact_section section,
			const struct ssh_config_request *request, ssh_done *done, void *ctx);

/* hop.c: after the conversation and the rehearsal, where a jump host refused ssh: what `ssh -G`
 * says of it, as target.hop, and its key files in machine.keys. `request` says which configuration
 * is read. */
void ssh_hop_collect(struct loop *loop, struct facts *facts,
		     const struct ssh_config_request *request, ssh_done *done, void *ctx);

/* identities.c: the key files and agent keys ssh would offer, in its order; settles AGENT and
 * IDENTITIES and fills machine.keys. Needs SSH_CONFIG settled (absent or unknown: ssh's defaults
 * are assumed). */
void ssh_identities_collect(struct loop *loop, struct facts *facts, const char *identity,
			    ssh_done *done, void *ctx);

/* known_hosts.c: the lines of the known_hosts files that speak of this host; settles KNOWN_HOSTS.
 * Needs SSH_CONFIG settled. */
void ssh_known_hosts_collect(struct facts *facts, const char *host, int port);

/* Where a key stands under other names: adds "elsewhere" to a HOST_KEY section from the files that
 * KNOWN_HOSTS names, unless there is an entry under the name itself. */
void ssh_known_hosts_elsewhere(struct facts *facts, json_t *host_key);

/* probe.c: DNS, TCP, banner, key exchange, host key, authentication methods and key queries;
 * settles DNS, TCP, BANNER, KEX, HOST_KEY and AUTH (what was not reached is unknown with cause
 * "not-reached"). Reads KNOWN_HOSTS and IDENTITIES from the facts. Where ssh's way ends at its
 * first jump host, the conversation with that one is kept as target.jump
 * ({"host","port","user","dns","tcp","banner","kex"}). */
struct ssh_wire_request {
	ssh_done *connected; /* called with connected_ctx when TCP is settled and a connection
				stands; NULL: nobody waits for it */
	void *connected_ctx;
	const char *host; /* name or address to connect to */
	int port;
	const char *user; /* for the authentication methods and key queries */
	const char *self; /* path of this program, to be started again as the name resolver */
	int step_ms; /* longest time for connect, banner, key exchange, authentication each; 0: 5000
		      */
	const char *reference; /* HOST[:PORT] of another SSH server, asked only when the VM gives no
				  answer; NULL: none */
	const char *config_file; /* -F, for the ssh that goes through a jump host; "none" without
				    one; NULL: ssh's own */
};
void ssh_wire_collect(struct loop *loop, struct facts *facts,
		      const struct ssh_wire_request *request, ssh_done *done, void *ctx);

/* rehearsal.c: the user's own ssh, with the user's own configuration, up to authentication, where
 * it is refused because it offers no method; settles REHEARSAL. At most one such process tree runs,
 * and none where the jump hosts are not known to end. Reads SSH_CONFIG. */
struct ssh_rehearsal_request {
	const struct ssh_config_request *config; /* as `ssh -G` was asked for SSH_CONFIG */
	const char *user;                        /* login name to give; NULL: ssh decides */
	bool can_ask;                            /* ssh could ask the user a question */
};
void ssh_rehearsal_collect(struct loop *loop, struct facts *facts,
			   const struct ssh_rehearsal_request *request, ssh_done *done, void *ctx);

/* A user name that ssh accepts (its valid_ruser): no control characters, blanks, quotes or
 * characters of a shell, no leading "-" and no trailing backslash. */
bool ssh_user_valid(const char *text);

/* resolve.c: the hidden mode of this program: `azssh-doctor --resolve-for-probe NAME` prints one
 * address a line (the order of getaddrinfo) and exits 0, or prints "EAI_NONAME" and the like and
 * exits 1; where the resolver failed and a name server gave a code, a line "RCODE 2" follows. */
int ssh_resolve_main(const char *name);

#endif
