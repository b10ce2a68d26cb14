/* The parts behind ssh_config_collect, apart so that tests and fuzz targets reach them.
 * config_parse.c and config_blocks.c are pure; config_scan.c reads the user's configuration files;
 * control.c speaks to a multiplexing master. */
#ifndef SSH_CONFIG_H
#define SSH_CONFIG_H

#include "facts/facts.h"
#include "loop/loop.h"
#include "ssh/ssh.h"

#define SSH_CONFIG_TIMEOUT_MS 10000 /* of `ssh -G` */

enum { SSH_CONFIG_ENV = 33, SSH_CONFIG_ARGS = 16 };

/* The variables that the configuration names as ${NAME}, of what ssh_config_scan found: without
 * them ssh would refuse what it takes at the user's prompt. The "NAME=value" strings are new;
 * returns their count. */
size_t ssh_config_environment(const json_t *scan, const char *env[static SSH_CONFIG_ENV]);

/* What the user would type, from -F to the "--" before the name, into argv (borrowed, at most 10
 * entries); `port` must hold 16 bytes. Returns the count. */
size_t ssh_config_argv(const struct ssh_config_request *request, const char **argv, char *port);

/* What ssh itself would refuse as a host or user name, and what must never reach the command line
 * of somebody's Match exec. */
bool ssh_config_safe(const char *text);

/* The output of `ssh -G`: a new object {lower-case keyword: "value"}, an array of values where a
 * keyword stands more than once, and always for identityfile and certificatefile. Of SetEnv only
 * the names are kept. The caller owns it. */
json_t *ssh_config_parse(const char *text, size_t len);

/* How long `ssh -G` may take. */
int ssh_config_timeout(const struct ssh_config_request *request);

/* true for a keyword (in small letters) whose value is a command line. Its passwords are cut. */
bool ssh_config_is_command(const char *keyword);

/* What ssh wrote when it refused the configuration: sets stderr, problem, message and, where ssh
 * says them, file, line and option of obj, a fact_ssh_config. */
void ssh_config_complaint(json_t *obj, const char *text, size_t len);

/* true when the configuration treats `name` otherwise than a name that no pattern speaks of;
 * differences that come from the name itself
 * (%h, %n, %C) are none. */
bool ssh_config_differs(json_t *options, const char *name, json_t *neutral,
			const char *neutral_name);

/* Splits a list of paths that `ssh -G` prints unquoted, so that a path may hold blanks: `exists`
 * decides what belongs together. "none" and NULL give an empty array. The caller owns it. */
json_t *ssh_config_paths(const char *value, bool (*exists)(const char *path));

/* An option that is set: neither "none" nor empty; NULL else. Borrowed. */
const char *ssh_config_value(const char *option);

/* config_settle.c: the section out of all that was asked. */
struct ssh_config_outcome {
	const struct ssh_config_request *request;
	const char *neutral_name;
	json_t *scan, *control, *jump; /* as below; NULL when they were not asked for */
	json_t *options, *neutral; /* what ssh printed for the name and for a neutral one; NULL when
				      it failed or was not asked */
	json_t *complaint;         /* when ssh refused the configuration */
	int error, status;         /* of ssh as a child: 0 when it ran; as struct child_reply */
};
void ssh_config_settle_known(struct facts *facts, enum fact_section where,
			     const struct ssh_config_outcome *config);
void ssh_config_settle_unknown(struct facts *facts, enum fact_section where,
			       const struct ssh_config_outcome *config);

/* config_scan.c: reads the configuration files that ssh would read (`file`, or the user's and the
 * system's when NULL; Include followed; at most 64 files of at most 1 MiB) and returns what `ssh
 * -G` does not tell, a fact_config_scan; the caller owns it. `home` may be NULL. */
json_t *ssh_config_scan(const char *file, const char *home);

/* config_blocks.c: what of such a scan speaks of the host and does not count for it: a list of
 * fact_config_unused; the caller owns it. */
struct ssh_config_names {
	const char *name, *hostname; /* as typed, as connected to */
	const char *user;            /* typed; NULL: none was */
	const char *local_user;
	bool canonical; /* ssh makes names canonical and reads its files again */
};
json_t *ssh_config_unused(const json_t *scan, const struct ssh_config_names *names);

/* control.c: is there a multiplexing master behind the control socket? done(ctx, result) runs
 * exactly once, perhaps before this returns; result (borrowed) is a fact_control_master: silent
 * means that it takes connections and never speaks, which makes ssh wait for ever. Nothing is sent.
 */
void ssh_control_probe(struct loop *loop, const char *path, void (*done)(void *ctx, json_t *result),
		       void *ctx);

/* surroundings.c: what of the settings this machine cannot meet; adds bind_missing, forward_taken
 * and control_folder_missing to the section. */
void ssh_config_surroundings(const json_t *options, json_t *section);

#endif
