#include "checks/home.h"
#include "checks/finding.h"
#include "checks/keys.h"
#include "checks/ssh_options.h"

#include <string.h>

/* Is the path in the .ssh of $HOME? */
static bool
in_other_home(const struct scene *scene, const char *path)
{
	const char *home = scene->machine.user.home_env;
	size_t len = strlen(home);

	return path != NULL && strncmp(path, home, len) == 0 &&
	       strncmp(path + len, "/.ssh/", 6) == 0;
}

/* A key there that ssh would need: the VM's own, or any where ssh has none to offer. */
static const struct fact_key *
key_there(const struct scene *scene, bool *certain)
{
	const struct fact_identities *ids = scene->identities;
	bool offers = key_any_offered(scene);

	for (size_t i = 0; !scene->accepted && i < ids->stray_count; i++) {
		const struct fact_key *key = key_at(scene, ids->stray[i]);

		if (key == NULL || !in_other_home(scene, key->path))
			continue;
		*certain = key_on_vm(scene, key->fingerprint) == FACT_YES;
		if (*certain || !offers)
			return key;
	}
	return NULL;
}

/* The line there with the server's host key. */
static const struct fact_known_elsewhere *
line_there(const struct scene *scene)
{
	for (size_t i = 0; i < scene->host_key->elsewhere_count; i++)
		if (in_other_home(scene, scene->host_key->elsewhere[i].file))
			return &scene->host_key->elsewhere[i];
	return NULL;
}

int
home_differs(const struct scene *scene, struct finding *main)
{
	const struct fact_user *user = &scene->machine.user;
	const struct fact_known_elsewhere *line;
	const struct fact_key *key;
	struct finding *finding;
	bool certain = false, refused;

	if (user->home_env == NULL || user->home == NULL)
		return 0;
	key = key_there(scene, &certain);
	line = line_there(scene);
	refused = line != NULL &&
		  ssh_refuses_unknown(&scene->ssh_config->options, scene->machine.terminal);
	if ((key == NULL && line == NULL) || (finding = finding_next(main)) == NULL)
		return 0;
	finding_text(finding, "home_env", user->home_env);
	finding_text(finding, "found", key != NULL ? key->path : NULL);
	finding_text(finding, "known_file", line != NULL ? line->file : NULL);
	finding_text(finding, "account_home", user->home);
	finding_set(finding, key != NULL || refused ? FAIL : WARN, CODE_HOME_DIFFERS,
		    "HOME is %s, ssh reads %s/.ssh: it does not find %s", user->home_env,
		    user->home, key != NULL ? key->path : line->file);
	if (!certain && !refused)
		finding->confidence = LIKELY;
	return 0;
}
