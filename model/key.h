/* Views of the keys on this machine and in the agent, of what ssh would offer, and of the keys that
 * Azure was given for the VM. Strings are borrowed from the facts; NULL is "not known". */
#ifndef MODEL_KEY_H
#define MODEL_KEY_H

#include "facts/facts.h"

enum key_answer { KEY_NO, KEY_YES, KEY_CANNOT_TELL };

/* One path of machine.keys. */
struct key {
	const json_t *facts; /* its object */
	const char *path;
	bool present, readable, owned, acl;
	bool searchable; /* every folder above it may be searched */
	bool drive;      /* on a Windows drive of WSL without metadata: chmod changes nothing */
	unsigned mode;   /* permission bits */
	const char *owner, *error, *what;
	const char *kind, *format, *type, *defect, *azure, *fingerprint, *public;
	unsigned bits;
	bool encrypted;
	enum key_answer loads;       /* would OpenSSH load it as it stands (CANNOT_TELL: its version
					decides, or a passphrase hides it) */
	enum key_answer pub_matches; /* FILE.pub beside it is its own public half; CANNOT_TELL
					without FILE.pub, or when locked */
	const char *pub_path;        /* FILE.pub, when it is there */
};

/* 0, or -ENOENT when that path has not been read. */
int key_from_facts(const struct facts *facts, const char *path, struct key *ret);

/* true when OpenSSH would refuse it for its mode: its own file, and open to others. */
bool key_is_open(const struct key *key);

/* true when no file has that name, as far as its errno tells; false also when something bars the
 * way to it. */
bool key_is_gone(const struct key *key);

/* The entry of the order that stands for this path (the key itself, not its certificate), NULL when
 * there is none. */
const json_t *key_entry(const struct facts *facts, const char *path);

/* true when ssh also offers it from an agent, so that the file itself need not be read. */
bool key_in_agent(const struct facts *facts, const struct key *key);

/* The key that matters: -i; else the one that the server accepted; else the first that Azure was
 * given for the VM; else the first of ssh_config's that was not refused; else the first file there
 * is. 0 or -ENOENT. */
int key_that_matters(const struct facts *facts, struct key *ret);

/* Does Azure's list of the VM's keys (given at creation; it knows nothing of later changes) hold
 * this fingerprint? CANNOT_TELL without a list. */
enum key_answer key_on_vm(const struct facts *facts, const char *fingerprint);

/* What the server said when it was asked about this key: "accepted", "denied", or NULL. */
const char *key_server_says(const struct facts *facts, const char *fingerprint);

/* true when the server accepted some key. */
bool key_any_accepted(const struct facts *facts);

/* Do ssh's PubkeyAcceptedAlgorithms have keys of this type, and is an RSA key of so many bits (0:
 * not known) long enough for its RequiredRSASize? true where the settings are not known. The second
 * asks for both, the third for both of an entry of the order. */
bool key_type_accepted(const struct facts *facts, const char *type);
bool key_allowed(const struct facts *facts, const char *type, unsigned bits);
bool key_entry_allowed(const struct facts *facts, const json_t *entry);

/* true when ssh can sign for this fingerprint at once without the file at `path`: by the agent, or
 * with another file. */
bool key_elsewhere(const struct facts *facts, const char *fingerprint, const char *path);

/* true when the server refused a key, other than the file's at `path`, that ssh has ready. */
bool key_denied_beside(const struct facts *facts, const char *path);

/* true when ssh has a key ready, other than the file at `path`, of which the server has not said
 * anything. */
bool key_left_unasked(const struct facts *facts, const char *path);

#endif
