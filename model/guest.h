/* What the script of --guest (azure/read/guest.sh) prints, one fact a line, and what follows from
 * it. Pure. */
#ifndef MODEL_GUEST_H
#define MODEL_GUEST_H

#include "facts/sections.h"

#include <stdbool.h>

#define GUEST_BEGIN "azssh-doctor begin"
#define GUEST_END "azssh-doctor end"

/* Fills the section from the output, which may be cut at its head. Returns false when it holds
 * nothing of the script's. */
bool guest_parse(const char *text, json_t *section);

/* The value of a setting as sshd -T prints it, NULL when it was not printed (then it has its usual
 * value, or the configuration could not be read). The first of several. */
const char *guest_setting(const struct fact_guest *guest, const char *name);

/* The program listens on the port, whatever its address; "sshd" as a prefix also finds
 * "sshd-session". */
const struct fact_guest_listen *guest_listens(const struct fact_guest *guest, const char *by,
					      json_int_t port);

/* StrictModes (OpenSSH's safe_path) takes offence: the owner is neither root nor the user, or
 * others may write. */
bool guest_mode_unsafe(const char *mode, json_int_t owner, json_int_t uid);
/* The mode as chmod takes it ("0755"); "" when it cannot be read. */
void guest_mode_octal(const char *mode, char ret[static 5]);

/* What the options in front of a key in authorized_keys do to this caller. */
enum guest_option {
	GUEST_OPTION_FINE,
	GUEST_OPTION_FROM,    /* from= leaves the source out */
	GUEST_OPTION_EXPIRED, /* expiry-time= is past */
	GUEST_OPTION_CA,      /* cert-authority: the line is no plain key */
	GUEST_OPTION_UNKNOWN, /* sshd does not know it, so the line counts for nothing */
	GUEST_OPTION_TYPE     /* the type before the key is not the key's own */
};
struct guest_options {
	enum guest_option what;
	char name[64], value[256];
	bool forced; /* command= */
};
/* `before` is the text before the key's base64, `type` the key's type (NULL: any). The source may
 * be NULL. */
void guest_options_judge(const char *before, const char *type, const char *source, json_int_t clock,
			 struct guest_options *ret);

/* Seconds since 1970 of expiry-time=, 0 when there is none. */
json_int_t guest_options_expiry(const char *before);

/* Does a list of patterns as sshd has them (from=, Match Address) hold the address? */
enum fact_maybe guest_address_listed(const char *patterns, const char *address);

/* What the packet filter does with a new connection to the port. */
enum guest_verdict { GUEST_OPEN, GUEST_SHUT, GUEST_UNSURE };
struct guest_filter {
	enum guest_verdict verdict;
	bool rejects;     /* it answers, instead of dropping */
	const char *tool; /* "nftables", "iptables", "ufw", "firewalld" */
	char rule[256];   /* the rule that decides */
	bool by_source;   /* the rule names the caller's address */
};
void guest_filter_judge(const struct fact_guest *guest, struct guest_filter *ret);

#endif
