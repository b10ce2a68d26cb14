/* What the keys of this machine and of its agent mean to the target: which of them ssh offers, what
 * the server and Azure said of them. What is returned is borrowed from the scene. */
#ifndef CHECKS_KEYS_H
#define CHECKS_KEYS_H

#include "checks/scene.h"

/* A file that was looked at, NULL when that path was not. */
const struct fact_key *key_at(const struct scene *scene, const char *path);

/* The key that matters: -i; else the one that the server accepted; else the first that Azure was
 * given for the VM; else the first of ssh_config's that was not refused; else the first file there
 * is. NULL when there is none. */
const struct fact_key *key_that_matters(const struct scene *scene);

/* A key file that ssh does not try: one that Azure was given for the VM, else one of the missing
 * file's name (may be NULL), else the newest that ssh could use. NULL when there is none, and with
 * only_vm when none is the VM's. */
const struct fact_key *key_stray(const struct scene *scene, const char *missing, bool only_vm);

/* The last part of a path. */
const char *key_base_name(const char *path);

/* Its permission bits. */
unsigned key_mode(const struct fact_key *key);

/* true when OpenSSH would refuse it for its mode: its own file, and open to others. */
bool key_is_open(const struct fact_key *key);

/* true when no file has that name, as far as its errno tells; false also when something bars the
 * way to it. */
bool key_is_gone(const struct fact_key *key);

/* On a Windows drive of WSL without metadata: chmod changes nothing. */
bool key_on_drive(const struct fact_key *key);

/* true when ssh also offers it from an agent, so that the file itself need not be read. */
bool key_in_agent(const struct scene *scene, const struct fact_key *key);

/* The entry of the order that stands for this path (the key itself, not its certificate), NULL when
 * there is none. */
const struct fact_identity *key_entry(const struct scene *scene, const char *path);

/* Does Azure's list of the VM's keys (given at creation; it knows nothing of later changes) hold
 * this fingerprint? FACT_MAYBE without a list. */
enum fact_maybe key_on_vm(const struct scene *scene, const char *fingerprint);

/* What the server said when it was asked about this key; AUTH_UNASKED also when it did not answer.
 */
enum auth_answer key_server_says(const struct scene *scene, const char *fingerprint);

/* Do ssh's PubkeyAcceptedAlgorithms have keys of this type, and is an RSA key of so many bits (0:
 * not known) long enough for its RequiredRSASize? true where the settings are not known. The second
 * asks for both, the third for both of an entry of the order. */
bool key_type_accepted(const struct scene *scene, const char *type);
bool key_allowed(const struct scene *scene, const char *type, json_int_t bits);
bool key_entry_allowed(const struct scene *scene, const struct fact_identity *entry);

/* true when ssh can sign for this fingerprint at once without the file at `path`: by the agent, or
 * with another file. */
bool key_elsewhere(const struct scene *scene, const char *fingerprint, const char *path);

/* true when ssh has any key to offer, in a file or in the agent. */
bool key_any_offered(const struct scene *scene);

/* true when the server refused a key, other than the file's at `path`, that ssh has ready. */
bool key_denied_beside(const struct scene *scene, const char *path);

/* true when ssh has a key ready, other than the file at `path`, of which the server has not said
 * anything. */
bool key_left_unasked(const struct scene *scene, const char *path);

#endif
