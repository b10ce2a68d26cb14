/* What the checks of the VM's inside (--guest) share. sshd's own log lines about our connections
 * are the strongest evidence: they are quoted word for word. */
#ifndef CHECKS_GUEST_H
#define CHECKS_GUEST_H

#include "checks/finding.h"
#include "checks/scene.h"
#include "model/guest.h"

/* true when the VM was looked into and is a Linux one. Otherwise the finding is set; `tells` says
 * whether this check is the one that tells why. */
bool guest_known(const struct scene *scene, struct finding *finding, bool tells);

/* The first log line about this run that holds these words; NULL for none. Where this run asked
 * sshd nothing, the lines about earlier tries from the same source count. */
const char *guest_log(const struct scene *scene, const char *words);
/* The same of earlier tries: what they met may be repaired by now. */
const char *guest_log_before(const struct scene *scene, const char *words);

/* The line in which sshd (StrictModes) refuses a path, and that path; NULL for none. */
const char *guest_log_path(const struct scene *scene, char *ret, size_t size);

/* Sets the evidence "seen", which the words of the rules quote: the log line where there is one,
 * else the sentence. */
void guest_seen(struct finding *finding, const char *log, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A log line that gives a reason against us which no check knows, NULL for none. */
const char *guest_log_unknown(const struct scene *scene);

/* Something of sshd listens: itself, or systemd for it. */
bool guest_sshd_runs(const struct fact_guest *guest);
/* The VM was looked into, and nothing of sshd listens. */
bool guest_sshd_stopped(const struct scene *scene);

/* guest_access.c: sets the finding when sshd's configuration shuts this user, or the types of the
 * keys here, out. */
bool guest_shut_out(const struct scene *scene, struct finding *finding);

/* Where the keys that ssh would offer were found. */
enum guest_key_place {
	GUEST_KEY_NOT_TOLD, /* the VM was not looked into, or no key was asked about */
	GUEST_KEY_LISTED,   /* in a line that serves this caller */
	GUEST_KEY_SPOILED,  /* in a line that does not serve, or only in pieces */
	GUEST_KEY_ABSENT
};
struct guest_key {
	enum guest_key_place place;
	const struct fact_guest_file *file;
	const struct fact_guest_key *found;
	const char *fingerprint; /* of the key */
	struct guest_options options;
};
void guest_key_find(const struct scene *scene, struct guest_key *ret);

/* The path is in the home folder, below it. */
bool guest_in_home(const struct scene *scene, const char *path);

/* StrictModes refuses this path, which the keys depend on; NULL when none. Folders of the home
 * folder and above it when `above`, else .ssh and the files themselves. */
const struct fact_guest_path *guest_unsafe(const struct scene *scene, bool above);
const struct fact_guest_file *guest_unsafe_file(const struct scene *scene);

/* The first file of AuthorizedKeysFile that exists, else the first; NULL for none. */
const struct fact_guest_file *guest_main_file(const struct scene *scene);

#endif
