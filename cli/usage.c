#include "cli/usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const formats[] = { "text", "json", "ndjson", NULL };
static const char *const dialects[] = { "az", "powershell", "portal", NULL };
static const char *const credentials[] = { "auto",    "environment", "workload", "github",
					   "managed", "cli",         NULL };

static bool
listed(const char *const *list, const char *word, size_t len)
{
	for (; *list != NULL; list++)
		if (strlen(*list) == len && strncmp(*list, word, len) == 0)
			return true;
	return false;
}

static int
refuse(struct err *err, const char *option, const char *value, const char *accepted)
{
	err_set(err, "%s: '%s' is not accepted, it takes %s", option, value, accepted);
	return -EINVAL;
}

static int
check_formats(const struct options *options, struct err *err)
{
	size_t on_stdout = 0;

	for (size_t i = 0; i < options->formats.count; i++) {
		const char *word = options->formats.at[i];
		size_t len = strcspn(word, "=");

		if (!listed(formats, word, len) || (word[len] == '=' && word[len + 1] == '\0'))
			return refuse(err, "--format", word,
				      "text, json or ndjson, with =FILE or without");
		on_stdout += word[len] == '\0';
	}
	if (on_stdout > 1) {
		err_set(err,
			"--format: at most one format without =FILE is accepted, %zu were given",
			on_stdout);
		return -EINVAL;
	}
	return 0;
}

/* Two options that cannot both be meant. */
static int
check_together(const struct options *options, struct err *err)
{
	if (options->replay != NULL &&
	    (options->vms.count > 0 || options->host != NULL || options->bundle != NULL)) {
		err_set(err,
			"--replay '%s' judges what was seen before: no VM, --host or --bundle is "
			"accepted beside it",
			options->replay);
		return -EINVAL;
	}
	if (options->bundle != NULL && !options->no_redact) {
		err_set(err,
			"--bundle '%s': redaction does not exist yet, so only --bundle FILE "
			"--no-redact is accepted",
			options->bundle);
		return -EINVAL;
	}
	if (options->bundle != NULL && options->vms.count > 1) {
		err_set(err, "--bundle '%s' holds one VM, %zu were given", options->bundle,
			options->vms.count);
		return -EINVAL;
	}
	if (options->host != NULL && options->vms.count > 1) {
		err_set(err, "--host '%s' goes with one VM, %zu were given", options->host,
			options->vms.count);
		return -EINVAL;
	}
	if (options->no_ssh_config && options->ssh_config != NULL) {
		err_set(err, "--ssh-config '%s' and --no-ssh-config contradict each other",
			options->ssh_config);
		return -EINVAL;
	}
	return 0;
}

static int
check_target(const struct options *options, struct err *err)
{
	if (options->vms.count > TARGETS_MAX) {
		err_set(err, "%zu VMs were given, at most %d are accepted in one run",
			options->vms.count, TARGETS_MAX);
		return -EINVAL;
	}
	if (!options_want_vm(options))
		return 0;
	err_set(err, "no VM was named: a VM, --host HOST, --replay BUNDLE, or --no-azure "
		     "--no-probe -i FILE is accepted (see --help)");
	return -EINVAL;
}

int
usage_check(const struct options *options, struct err *err)
{
	int r;

	for (size_t i = 0; i < options->remedy.count; i++)
		if (!listed(dialects, options->remedy.at[i], strlen(options->remedy.at[i])))
			return refuse(err, "--remedy", options->remedy.at[i],
				      "az, powershell and portal, with commas between");
	if (options->credential != NULL &&
	    !listed(credentials, options->credential, strlen(options->credential)))
		return refuse(err, "--credential", options->credential,
			      "auto, environment, workload, github, managed or cli");
	if (options->host != NULL &&
	    (*options->host == '-' || strpbrk(options->host, " \t\r\n") != NULL))
		return refuse(err, "--host", options->host, "a host name or an address");
	if (options->ip_service != NULL && strncmp(options->ip_service, "https://", 8) != 0 &&
	    strncmp(options->ip_service, "http://127.0.0.1:", 17) != 0 &&
	    strncmp(options->ip_service, "http://localhost:", 17) != 0)
		return refuse(err, "--ip-service", options->ip_service,
			      "an https URL (plain http only to this machine)");
	if (options->reference != NULL &&
	    (strrchr(options->reference, ':') == NULL || *options->reference == '-' ||
	     strpbrk(options->reference, " /\t\r\n") != NULL))
		return refuse(err, "--reference", options->reference, "HOST:PORT");
	if (options->known_hosts != NULL && (options->vms.count > 1 || options->replay != NULL))
		return refuse(err, "--known-hosts", options->known_hosts,
			      "one VM that is looked at now");
	if (options->login != NULL && *options->login == '-')
		return refuse(err, "--login", options->login, "a user name");
	if ((r = check_formats(options, err)) < 0 || (r = check_together(options, err)) < 0)
		return r;
	return check_target(options, err);
}

int
usage_check_ids(const struct words *ids, const char *option, const struct rules *rules,
		struct err *err)
{
	for (size_t i = 0; i < ids->count; i++) {
		const json_t *custom = rules_custom(rules), *rule;
		bool known = check_table[check_find(ids->at[i])].run != NULL;
		size_t j;

		json_array_foreach (custom, j, rule)
			known |= doc_same(doc_str(rule, "id"), ids->at[i]);
		if (!known)
			return refuse(err, option, ids->at[i], "ids of checks (see --list-checks)");
	}
	return 0;
}
