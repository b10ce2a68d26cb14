#include "cli/option.h"
#include "cli/typed.h"
#include "facts/doc.h"
#include "facts/near.h"
#include "model/prefix.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADING(help)                                                                              \
	{                                                                                          \
		NULL, 0, OPT_FLAG, NULL, 0, help, NULL                                             \
	}
#define WORDS(name, letter, kind, arg, member, help, words)                                        \
	{                                                                                          \
		name, letter, kind, arg, offsetof(struct options, member), help, words             \
	}
#define ROW(name, letter, kind, arg, member, help)                                                 \
	WORDS(name, letter, kind, arg, member, help, NULL)

static const struct option_row rows[] = {
	HEADING("Where the VM is"),
	ROW("resource-group", 'g', OPT_TEXT, "NAME", resource_group, "its resource group"),
	ROW("subscription", 's', OPT_LIST, "NAME-OR-ID", subscriptions,
	    "its subscription (with --all repeatable)"),
	ROW("all", 0, OPT_FLAG, NULL, all, "every VM of the group, subscriptions and tags given"),
	ROW("tag", 0, OPT_LIST, "KEY[=VALUE]", tags,
	    "with --all: only VMs with this tag (repeatable)"),
	ROW("tenant", 0, OPT_TEXT, "ID", tenant, "the tenant to sign in to"),
	ROW("cloud", 0, OPT_TEXT, "NAME", cloud, "AzureCloud, AzureUSGovernment, AzureChinaCloud"),
	ROW("arm-endpoint", 0, OPT_TEXT, "URL", arm_endpoint,
	    "a custom ARM endpoint (also AZSSH_ARM_ENDPOINT)"),
	WORDS("credential", 0, OPT_CHOICE, "KIND", credential,
	      "auto, environment, workload, github, managed, cli",
	      "auto|environment|workload|github|managed|cli"),
	HEADING("How you connect (as in ssh)"),
	ROW("host", 0, OPT_HOST, "HOST", host, "what you type after ssh: a name or an address"),
	ROW("login", 'l', OPT_USER, "USER", login, "user name (or USER@VM)"),
	ROW("port", 'p', OPT_PORT, "N", port, "port"),
	ROW("identity", 'i', OPT_TEXT, "FILE", identity, "private key"),
	ROW("ssh-config", 'F', OPT_TEXT, "FILE", ssh_config, "ssh configuration file"),
	ROW("no-ssh-config", 0, OPT_FLAG, NULL, no_ssh_config,
	    "ignore all ssh configuration files"),
	ROW("source-ip", 0, OPT_ADDRESS, "IP", source_ip, "the public address you connect from"),
	ROW("ip-service", 0, OPT_URL, "URL", ip_service, "ask this URL for that address"),
	ROW("reference", 0, OPT_ENDPOINT, "HOST:PORT", reference,
	    "a second SSH server, to find out whether this VM or your network is at fault"),
	HEADING("What to check"),
	ROW("no-azure", 0, OPT_FLAG, NULL, no_azure, "do not read anything from Azure"),
	ROW("no-probe", 0, OPT_FLAG, NULL, no_probe, "do not connect to the VM"),
	ROW("no-rehearsal", 0, OPT_FLAG, NULL, no_rehearsal,
	    "do not start your own ssh to see where it stops"),
	ROW("deep", 0, OPT_FLAG, NULL, deep,
	    "also use slower read-only Azure calls (boot log, effective rules)"),
	ROW("guest", 0, OPT_FLAG, NULL, guest, "look inside the VM with Run Command"),
	ROW("only", 0, OPT_COMMAS, "ID,..", only, "only these checks"),
	ROW("skip", 0, OPT_COMMAS, "ID,..", skip, "all but these checks"),
	ROW("rules", 'r', OPT_LIST, "FILE", rules,
	    "add a rule file to the built-in rules (repeatable)"),
	ROW("no-config", 0, OPT_FLAG, NULL, no_config, "ignore rule files not given with --rules"),
	ROW("allow-commands", 0, OPT_FLAG, NULL, allow_commands,
	    "allow rule files to run programs"),
	ROW("deadline", 0, OPT_DURATION, "DURATION", deadline_ms,
	    "hard limit (30s, --deep 60s, --guest 120s)"),
	ROW("jobs", 0, OPT_NUMBER, "N", jobs, "connections and children at once (64)"),
	ROW("shard", 0, OPT_SHARD, "K/N", shard, "only the K-th of N parts of the VMs"),
	ROW("wait", 0, OPT_DURATION, "DURATION", wait_ms,
	    "repeat until healthy, at most this long"),
	HEADING("Output"),
	ROW("format", 'f', OPT_FORMAT, "FORMAT[=FILE]", outputs, "repeatable, also -o: "),
	ROW("output", 'o', OPT_FORMAT, "FORMAT[=FILE]", outputs, NULL),
	WORDS("json", 0, OPT_FORMAT, NULL, outputs, "same as -f json", "json"),
	WORDS("remedy", 0, OPT_CHOICES, "DIALECT,..", remedy, "az, powershell, portal (default az)",
	      "az|powershell|portal"),
	ROW("bundle", 0, OPT_TEXT, "FILE", bundle,
	    "write the collected facts to a file, for --replay"),
	ROW("bundle-on-fail", 0, OPT_TEXT, "FILE", bundle_on_fail,
	    "the same, but only if the exit code is not 0"),
	ROW("no-redact", 0, OPT_FLAG, NULL, no_redact, "keep names and addresses in the bundle"),
	ROW("redact", 0, OPT_TEXT, "FILE", redact,
	    "redact an existing bundle (into the file of --bundle, else in place)"),
	ROW("keep-map", 0, OPT_TEXT, "FILE", keep_map,
	    "write the original of each pseudonym of a redacted bundle"),
	ROW("baseline", 0, OPT_TEXT, "BUNDLE", baseline,
	    "say what has changed since; fail only on what is new"),
	ROW("known-hosts", 0, OPT_TEXT, "FILE", known_hosts,
	    "append the host key if Azure has proven it (--guest)"),
	ROW("resume", 0, OPT_TEXT, "FILE", resume,
	    "append ndjson to FILE, without the VMs that are in it"),
	ROW("replay", 0, OPT_TEXT, "FILE", replay, "evaluate a bundle again, without I/O"),
	ROW("from-log", 0, OPT_TEXT, "FILE", from_log,
	    "what a log of ssh, VS Code, Ansible, PuTTY ... says (- for stdin)"),
	ROW("print-fix", 0, OPT_FLAG, NULL, print_fix,
	    "only the first command of the cause, ready to be typed"),
	ROW("print-config", 0, OPT_FLAG, NULL, print_config,
	    "only a block for ssh_config that connects to the VM"),
	WORDS("fail-on", 0, OPT_CHOICE, "WHAT", fail_on,
	      "what makes the exit code 1: fail (default), warn, unknown, or never",
	      "fail|warn|unknown|never"),
	WORDS("color", 0, OPT_CHOICE, "auto|always|never", color,
	      "colors (also NO_COLOR, FORCE_COLOR)", "auto|always|never"),
	ROW("quiet", 'q', OPT_FLAG, NULL, quiet, "no report on stdout, only the exit code"),
	ROW("verbose", 'v', OPT_FLAG, NULL, verbose,
	    "everything: all remedies, all evidence; requests on stderr"),
	HEADING("Help (works offline)"),
	ROW("list-checks", 0, OPT_FLAG, NULL, list_checks, "list the checks, in path order"),
	ROW("permissions", 0, OPT_FLAG, NULL, permissions,
	    "the Azure role that is needed, as JSON for az (also with --deep, --guest)"),
	ROW("fix", 0, OPT_FLAG, NULL, fix,
	    "with --permissions: also the actions that the remedies need"),
	ROW("explain", 0, OPT_TEXT, "CODE", explain,
	    "what a code (or a check) means and how to fix it"),
	WORDS("completion", 0, OPT_CHOICE, "SHELL", completion,
	      "a completion script: bash, zsh, fish", "bash|zsh|fish"),
	ROW("lint-rules", 0, OPT_LIST, "FILE", lint, "check a rule file for errors"),
	ROW("help", 'h', OPT_FLAG, NULL, help, "show this help"),
	ROW("version", 'V', OPT_FLAG, NULL, version, "show the version"),
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

const struct option_row *
option_rows(size_t *count)
{
	*count = ROWS;
	return rows;
}

void
options_help(void)
{
	char left[64], names[256];

	format_names(names, sizeof(names), ' ');
	puts(
	    "azssh-doctor: why can I not SSH to this Azure VM, and what do I type to fix it?\n\n"
	    "Examples\n"
	    "  azssh-doctor myVM                            diagnose a VM, given by name\n"
	    "  azssh-doctor me@rg/myVM -i ~/.ssh/key -p 2222  the same, as you would type it for "
	    "ssh\n"
	    "  azssh-doctor --host 20.51.230.13             diagnose what you type after ssh\n"
	    "  azssh-doctor --guest rg/myVM                 also look inside the VM (Run Command)\n"
	    "  azssh-doctor --wait 5m rg/myVM               wait in a pipeline until SSH works\n"
	    "  azssh-doctor --explain nsg-no-allow-rule     what a code means\n\n"
	    "Usage\n"
	    "  azssh-doctor [OPTION]... [USER@]VM...        VM: name, RG/name or full ARM id; an "
	    "IP address means --host\n"
	    "  azssh-doctor [OPTION]... --host HOST\n"
	    "  azssh-doctor [OPTION]... --all               every VM; - reads names from "
	    "standard input\n"
	    "  azssh-doctor [OPTION]... --replay BUNDLE     evaluate a bundle again, without I/O\n"
	    "  azssh-doctor [OPTION]... --from-log FILE     explain a log or an error message\n"
	    "  azssh-doctor --no-azure --no-probe -i FILE   check whether a key suits a new VM");
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].name == NULL) {
			printf("\n%s\n", rows[i].help);
			continue;
		}
		if (rows[i].help == NULL)
			continue;
		snprintf(left, sizeof(left), "%c%c%s --%s%s%s", rows[i].letter != 0 ? '-' : ' ',
			 rows[i].letter != 0 ? rows[i].letter : ' ',
			 rows[i].letter != 0 ? "," : " ", rows[i].name,
			 rows[i].arg != NULL ? " " : "", rows[i].arg != NULL ? rows[i].arg : "");
		printf("  %-34s %s%s\n", left, rows[i].help,
		       rows[i].kind == OPT_FORMAT && rows[i].arg != NULL ? names : "");
	}
	puts("\nExit codes: 0 healthy, 1 fault found, 2 wrong usage, 3 could not be determined, 4 "
	     "internal error.");
}

bool
options_key_only(const struct options *options)
{
	return options->no_azure && options->no_probe && options->identity != NULL &&
	       options->vms.count == 0 && options->host == NULL;
}

bool
options_want_vm(const struct options *options)
{
	bool other = options->help || options->version || options->list_checks ||
		     options->permissions || options->completion != NULL ||
		     options->explain != NULL || options->lint.count > 0;

	return options->vms.count == 0 && options->host == NULL && options->replay == NULL &&
	       options->redact == NULL && !options->all && !options->names &&
	       options->from_log == NULL && !other && !options_key_only(options);
}

int
options_default_vm(struct options *options, const char *vm)
{
	const char *kept = options_keep(options, vm, strlen(vm));

	options->vm_default = true;
	return kept != NULL ? words_append(&options->vms, kept) : -ENOMEM;
}

static const struct option_row *
find_row(int letter, int index)
{
	if (index >= 0)
		return &rows[index];
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].name != NULL && rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* The tables that getopt_long wants, made from the rows. */
static void
getopt_tables(struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].name == NULL)
			continue;
		*longs++ = (struct option){ .name = rows[i].name,
					    .has_arg = rows[i].arg == NULL ? no_argument
									   : required_argument,
					    .val = UCHAR_MAX + 1 + (int)i };
		if (rows[i].letter == 0)
			continue;
		*shorts++ = rows[i].letter;
		if (rows[i].arg != NULL)
			*shorts++ = ':';
	}
	*longs = (struct option){ 0 };
	*shorts = '\0';
}

/* Names the option that was probably meant. */
static int
unknown_option(const char *typed, struct err *err)
{
	size_t len = strcspn(typed, "=");
	char name[128];
	struct near near = { .typed = name };

	snprintf(name, sizeof(name), "%.*s", (int)len - 2, typed + 2);
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].name != NULL)
			near_try(&near, rows[i].name, strlen(rows[i].name));
	if (near.best != NULL)
		err_set(err, "unknown option --%s; did you mean --%s?", name, near.best);
	else
		err_set(err, "unknown option --%s (see --help)", name);
	return -EINVAL;
}

/* What getopt_long could not take. */
static int
refuse_option(int letter, const char *typed, struct err *err)
{
	if (letter == ':')
		err_set(err, "'%s' needs a value (see --help)", typed);
	else if (optopt > UCHAR_MAX)
		err_set(err, "'%s': --%s takes no value", typed, rows[optopt - UCHAR_MAX - 1].name);
	else if (optopt > 0)
		err_set(err, "unknown option '-%c' (see --help)", optopt);
	else
		return unknown_option(typed, err);
	return -EINVAL;
}

/* One option that getopt_long took. It also takes abbreviations of long names: those would change
 * their meaning with the next option that is added, so they are refused. */
static int
take_option(struct options *options, int letter, char **argv, struct err *err)
{
	bool apart = optarg != NULL && optarg == argv[optind - 1];
	const char *typed = argv[optind - (apart ? 2 : 1)];
	const struct option_row *row =
	    find_row(letter, letter > UCHAR_MAX ? letter - UCHAR_MAX - 1 : -1);

	if (letter > UCHAR_MAX && strcspn(typed + 2, "=") != strlen(row->name)) {
		err_set(err, "unknown option %.*s; did you mean --%s?", (int)strcspn(typed, "="),
			typed, row->name);
		return -EINVAL;
	}
	return option_store(options, row, optarg, err);
}

/* Keeps the words as they were typed. A URL may hold a password or a token: those are left out. */
static int
keep_command(struct options *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *url = strstr(argv[i], "://");
		bool secret = url != NULL && strpbrk(url, "@?") != NULL;
		char *id = typed_portal_id(argv[i]), *word;

		if (id == NULL)
			id = strdup(secret ? "<URL>" : argv[i]);
		word = options_keep(options, id, strlen(id));
		free(id);

		if (word == NULL || words_append(&options->command, word) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	static const struct option_row text = ROW("format", 0, OPT_FORMAT, NULL, outputs, NULL);
	struct option longs[ROWS + 1];
	char shorts[3 * ROWS];
	struct options options = { 0 };
	int letter, r = keep_command(&options, argc, argv); /* getopt_long reorders argv */

	getopt_tables(longs, shorts);
	opterr = 0;
	while (r == 0 && (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		r = letter == '?' || letter == ':' ? refuse_option(letter, argv[optind - 1], err)
						   : take_option(&options, letter, argv, err);
	/* a pasted line: ssh -i KEY USER@HOST */
	if (optind + 1 < argc && strcmp(argv[optind], "ssh") == 0)
		optind++;
	for (; r == 0 && optind < argc; optind++)
		r = typed_add(&options, argv[optind], err);
	if (options.subscriptions.count > 0)
		options.subscription = options.subscriptions.at[0];
	if (r == 0 && options.output_count == 0)
		r = option_store(&options, &text, "text", err);
	if (r < 0) {
		options_free(&options);
		return r;
	}
	*ret = options;
	return 0;
}

/* true when a format for programs goes to standard output. */
static bool
writes_stdout(const struct options *options)
{
	for (size_t i = 0; i < options->output_count; i++)
		if (options->outputs[i].file == NULL && !options->outputs[i].format->person)
			return true;
	return false;
}

/* Options that print one thing alone. */
static int
check_alone(const struct options *options, struct err *err)
{
	const char *option = options->print_fix ? "--print-fix" : "--print-config";

	if (!options->print_fix && !options->print_config)
		return 0;
	if (options->print_fix && options->print_config)
		err_set(err, "--print-fix and --print-config: one of them is accepted");
	else if (options->vms.count > 1 || options->all || options->names)
		err_set(err, "%s goes with one VM, several were given", option);
	else if (writes_stdout(options))
		err_set(err,
			"%s has standard output to itself: -f FORMAT=FILE is accepted beside it",
			option);
	else if (options->print_config && options->from_log != NULL)
		err_set(err, "--print-config: a log shows no connection that works");
	else
		return 0;
	return -EINVAL;
}

/* The same of many VMs. */
static int
check_many(const struct options *options, struct err *err)
{
	bool all = options->all;
	bool many = all || options->names || options->vms.count > 1;

	if (all && (options->vms.count > 0 || options->names))
		err_set(err, "--all takes every VM: no name is accepted beside it");
	else if (!all && options->tags.count > 0)
		err_set(err, "--tag '%s' goes with --all", options->tags.at[0]);
	else if (!all && options->subscriptions.count > 1)
		err_set(err, "--subscription '%s': several are accepted with --all only",
			options->subscriptions.at[1]);
	else if (all && options->no_azure)
		err_set(err, "--all and --no-azure contradict each other");
	else if (!many && (options->shard != NULL || options->resume != NULL))
		err_set(err, "%s goes with several VMs",
			options->shard != NULL ? "--shard" : "--resume");
	else if (options->resume != NULL && options->wait_ms > 0)
		err_set(err, "--resume and --wait contradict each other");
	else if (all && options->guest)
		err_set(err, "--guest runs a script in each VM: name them, --all is not accepted");
	else
		return 0;
	return -EINVAL;
}

/* Two options that cannot both be meant. */
static int
check_together(const struct options *options, struct err *err)
{
	const char *replay = options->replay, *bundle = options->bundle, *redact = options->redact;
	const char *keep_map = options->keep_map, *log = options->from_log;
	size_t count = options->vms.count + (options->all || options->names ? 2 : 0);

	if (replay != NULL && (count > 0 || options->host != NULL || bundle != NULL))
		err_set(err,
			"--replay '%s' judges what was seen before: no VM, --host or --bundle is "
			"accepted beside it",
			replay);
	else if (log != NULL && (replay != NULL || options->host != NULL || count > 1 ||
				 redact != NULL || options->wait_ms > 0))
		err_set(err,
			"--from-log '%s' reads a log and connects to nothing: at most one VM, and "
			"no --host, --replay, --redact or --wait, is accepted beside it",
			log);
	else if (redact != NULL &&
		 (count > 0 || options->host != NULL || replay != NULL || options->no_redact))
		err_set(err,
			"--redact '%s' writes a bundle again: no VM, --host, --replay or "
			"--no-redact is accepted beside it",
			redact);
	else if (replay != NULL && options->bundle_on_fail != NULL)
		err_set(err, "--bundle-on-fail '%s' goes with a VM that is looked at now",
			options->bundle_on_fail);
	else if (keep_map != NULL &&
		 (options->no_redact ||
		  (bundle == NULL && options->bundle_on_fail == NULL && redact == NULL)))
		err_set(err, "--keep-map '%s' goes with a bundle that is redacted", keep_map);
	else if (options->baseline != NULL && (count > 1 || redact != NULL))
		err_set(err, "--baseline '%s' goes with one VM", options->baseline);
	else if ((bundle != NULL || options->bundle_on_fail != NULL) && count > 1)
		err_set(err, "--bundle '%s' holds one VM, several were given",
			bundle != NULL ? bundle : options->bundle_on_fail);
	else if (options->host != NULL && count > 1)
		err_set(err, "--host '%s' goes with one VM, several were given", options->host);
	else if (options->no_ssh_config && options->ssh_config != NULL)
		err_set(err, "--ssh-config '%s' and --no-ssh-config contradict each other",
			options->ssh_config);
	else if (options->known_hosts != NULL && (count > 1 || replay != NULL))
		err_set(err, "--known-hosts '%s' goes with one VM that is looked at now",
			options->known_hosts);
	else
		return 0;
	return -EINVAL;
}

int
options_check(const struct options *options, struct err *err)
{
	if (check_together(options, err) < 0 || check_many(options, err) < 0 ||
	    check_alone(options, err) < 0)
		return -EINVAL;
	if (options->fix) {
		err_set(err, "--fix goes with --permissions; this program changes nothing");
		return -EINVAL;
	}
	if (!options_want_vm(options))
		return 0;
	err_set(err, "no VM was named: a VM, --host HOST, --replay BUNDLE, or --no-azure "
		     "--no-probe -i FILE is accepted (see --help)");
	return -EINVAL;
}

static int
check_ids(const struct words *ids, const char *option, const struct rules *rules, struct err *err)
{
	const json_t *custom = rules_custom(rules), *rule;

	for (size_t i = 0; i < ids->count; i++) {
		struct near near = { .typed = ids->at[i] };
		bool known = check_table[check_find(ids->at[i])].run != NULL;
		size_t j;

		json_array_foreach (custom, j, rule) {
			near_try(&near, doc_str(rule, "id"), strlen(doc_str(rule, "id")));
			known |= doc_same(doc_str(rule, "id"), ids->at[i]);
		}
		for (j = CHECK_NONE + 1; j < CHECK_COUNT; j++)
			near_try(&near, check_table[j].id, strlen(check_table[j].id));
		if (known)
			continue;
		err_set(err, "%s: '%s' is not the id of a check%s%s%s", option, ids->at[i],
			near.best != NULL ? "; did you mean " : " (see --list-checks)",
			near.best != NULL ? near.best : "", near.best != NULL ? "?" : "");
		return -EINVAL;
	}
	return 0;
}

int
options_check_ids(const struct options *options, const struct rules *rules, struct err *err)
{
	int r = check_ids(&options->only, "--only", rules, err);

	return r < 0 ? r : check_ids(&options->skip, "--skip", rules, err);
}

void
options_free(struct options *options)
{
	for (size_t i = 0; i < options->store.count; i++)
		free((char *)(uintptr_t)options->store.at[i]);
	free(options->store.at);
	free(options->command.at);
	free(options->vms.at);
	free(options->rules.at);
	free(options->only.at);
	free(options->skip.at);
	free(options->outputs);
	free(options->remedy.at);
	free(options->lint.at);
	*options = (struct options){ 0 };
}
