/* Private to ssh/: the keys of this machine, on disk and in the agent.
 *   key_file.c         one path: mode, owner, what the bytes say        mounts.c /proc/self/mounts,
 * WSL drives agent.c            the agent protocol, in the loop                  agent_reply.c its
 * answer, pure identity_paths.c   ~, %-tokens, ${VARIABLES} as ssh expands them    identity_stray.c
 * keys that no rule would offer identities.c       what ssh offers, in its order */
#ifndef SSH_IDENTITY_H
#define SSH_IDENTITY_H

#include "facts/facts.h"
#include "loop/loop.h"
#include "model/pubkey.h"

#include <sys/stat.h>

#define KEY_FILE_MAX (1u << 20) /* larger ones are no keys */

/* The texts of the mount table and of the kernel's version; owned, "" when they cannot be read.
 * AZSSH_DOCTOR_PROC names another folder that holds "mounts" and "version". */
struct mounts {
	char *table, *version;
};

void mounts_read(struct mounts *ret);
void mounts_free(struct mounts *mounts);

/* true under WSL, by the kernel's version text. */
bool mounts_wsl(const struct mounts *mounts);

/* The file system that holds an absolute path: {"mount","type","drvfs","metadata"}, NULL when the
 * table does not tell. The caller owns it. */
json_t *mounts_find(const struct mounts *mounts, const char *path);

/* The Windows drives: [{"mount": "/mnt/c", "metadata": false}]. The caller owns it. */
json_t *mounts_drives(const struct mounts *mounts);

/* Reads one path as ssh would open it; never hangs, never asks. The facts of KEY; the caller owns
 * the object. */
json_t *key_file_facts(const char *path, const struct mounts *mounts);

/* The same of a file that only its first line is looked at of; NULL when that is no private key's.
 */
json_t *key_file_armour(const char *path, const struct stat *st);

/* Reads PATH's public key or certificate as a line; 0, -errno of the file, or as pubkey_from_text.
 */
int key_file_public(const char *path, struct pubkey *ret);

/* The reply to "which keys do you hold?" (without its length): fills an array of {fingerprint,
 * fingerprint_md5, type, bits, comment, public}. Returns 0, -EACCES when the agent refuses,
 * -EBADMSG for nonsense. */
int agent_reply_keys(const unsigned char *bytes, size_t len, json_t *keys);

/* Asks the agent at `socket` for its keys and settles AGENT; done(ctx) runs exactly once, perhaps
 * before this returns. */
void agent_collect(struct loop *loop, struct facts *facts, const char *socket,
		   void (*done)(void *ctx), void *ctx);

/* What ssh's tokens stand for; every text borrowed, may be NULL. */
struct identity_names {
	const char *home;                    /* of the password database */
	const char *name, *hostname, *alias; /* as typed, as connected to, HostKeyAlias */
	const char *user, *local_user, *jump;
	const char *local_host; /* long form */
	int port;
	unsigned uid;
};

/* Expands a path of ssh's configuration and makes it absolute. The caller frees. NULL when ssh
 * would give up on it (a variable that is not set, an unknown token or user), or out of memory. */
char *identity_path(const char *path, const struct identity_names *names);

/* Keys that lie about: adds their paths to `found` and their facts (with "stray": true) to `keys`;
 * those in `keys` already are left out. */
void identity_stray(const char *home, const struct mounts *mounts, json_t *keys, json_t *found);

#endif
