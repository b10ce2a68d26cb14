#include "checks/log_run.h"

#include <stdio.h>
#include <string.h>

const char *
log_host(const struct fact_log *log)
{
	if (log->host != NULL)
		return log->host;
	return log->address != NULL ? log->address : log->alias;
}

static void
add(json_t *run, const char *option, const char *value)
{
	if (value == NULL)
		return;
	if (option != NULL)
		doc_append_str(run, option);
	doc_append_str(run, value);
}

/* A name that Azure or the command line gave, else the host that ssh went to. */
static bool
add_target(const struct scene *scene, const struct fact_log *log, json_t *run)
{
	const char *vm = scene->target.name != NULL ? scene->target.name : log->vm,
		   *group = scene->target.name != NULL ? scene->target.resource_group : log->group,
		   *host = log_host(log);

	if (vm != NULL) {
		add(run, "--resource-group", group);
		add(run, "--subscription", log->subscription);
	}
	if (vm == NULL || scene->target.name != NULL)
		add(run, "--host", host);
	add(run, NULL, vm);
	return vm != NULL || host != NULL;
}

void
log_run(const struct scene *scene, struct finding *finding)
{
	const struct fact_log *log = scene->target.log;
	bool entra = log->client != NULL && strcmp(log->client, "az-ssh") == 0;
	json_t *run = json_array();
	char port[16];

	if (add_target(scene, log, run)) {
		add(run, "--login", log->user);
		if (log->port > 0 && log->port != 22) {
			snprintf(port, sizeof(port), "%d", (int)log->port);
			add(run, "--port", port);
		}
		/* the keys of az ssh live as long as its session */
		add(run, "--identity", entra ? NULL : log->identity);
		finding_value(finding, "run", json_incref(run));
	}
	json_decref(run);
}
