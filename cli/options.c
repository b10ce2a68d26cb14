#include "cli/options.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, TEXT, PORT, DURATION, LIST, COMMAS, ADDRESS, CHOICE };

struct option_row {
	const char *name;
	char letter;
	enum kind kind;
	const char *arg;  /* as --help shows it; for CHOICE the accepted words, with | between */
	size_t at;        /* offset in struct options */
	const char *help; /* NULL continues nothing; a heading has no name */
};

#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{ .help = "Where the VM is" },
	{ "resource-group", 'g', TEXT, "NAME", AT(resource_group), "its resource group" },
	{ "subscription", 's', TEXT, "NAME-OR-ID", AT(subscription), "its subscription" },
	{ "tenant", 0, TEXT, "ID", AT(tenant), "the tenant to sign in to" },
	{ "cloud", 0, TEXT, "NAME", AT(cloud), "AzureCloud, AzureUSGovernment, AzureChinaCloud" },
	{ "arm-endpoint", 0, TEXT, "URL", AT(arm_endpoint),
	  "a custom ARM endpoint (also AZSSH_ARM_ENDPOINT)" },
	{ "credential", 0, TEXT, "KIND", AT(credential),
	  "auto, environment, workload, github, managed, cli" },
	{ .help = "How you connect (as in ssh)" },
	{ "host", 0, TEXT, "HOST", AT(host), "what you type after ssh: a name or an address" },
	{ "login", 'l', TEXT, "USER", AT(login), "user name (or USER@VM)" },
	{ "port", 'p', PORT, "N", AT(port), "port" },
	{ "identity", 'i', TEXT, "FILE", AT(identity), "private key" },
	{ "ssh-config", 'F', TEXT, "FILE", AT(ssh_config), "ssh configuration file" },
	{ "no-ssh-config", 0, FLAG, NULL, AT(no_ssh_config), "ignore all ssh configuration files" },
	{ "source-ip", 0, ADDRESS, "IP", AT(source_ip), "the public address you connect from" },
	{ "ip-service", 0, TEXT, "URL", AT(ip_service), "ask this URL for that address" },
	{ "reference", 0, TEXT, "HOST:PORT", AT(reference),
	  "a second SSH server, to tell this VM from this network" },
	{ .help = "What to look at" },
	{ "no-azure", 0, FLAG, NULL, AT(no_azure), "leave Azure out" },
	{ "no-probe", 0, FLAG, NULL, AT(no_probe), "do not connect to the VM" },
	{ "deep", 0, FLAG, NULL, AT(deep), "slower read-only Azure reads as well" },
	{ "guest", 0, FLAG, NULL, AT(guest), "reach into the VM with Run Command" },
	{ "only", 0, COMMAS, "ID,..", AT(only), "only these checks" },
	{ "skip", 0, COMMAS, "ID,..", AT(skip), "all but these checks" },
	{ "rules", 'r', LIST, "FILE", AT(rules),
	  "layer a rule file on the built-in rules (repeatable)" },
	{ "allow-commands", 0, FLAG, NULL, AT(allow_commands), "let rule files run programs" },
	{ "deadline", 0, DURATION, "DURATION", AT(deadline_ms),
	  "hard limit (30s, --deep 60s, --guest 120s)" },
	{ "wait", 0, DURATION, "DURATION", AT(wait_ms),
	  "look again every ten seconds until healthy, at most this long" },
	{ .help = "What comes out" },
	{ "format", 'f', LIST, "FORMAT[=FILE]", AT(formats), "text, json, ndjson (repeatable)" },
	{ "remedy", 0, COMMAS, "DIALECT,..", AT(remedy), "az, powershell, portal (default az)" },
	{ "bundle", 0, TEXT, "FILE", AT(bundle), "write what was seen, to be replayed" },
	{ "no-redact", 0, FLAG, NULL, AT(no_redact), "keep names and addresses in the bundle" },
	{ "known-hosts", 0, TEXT, "FILE", AT(known_hosts),
	  "append the host key if Azure has proven it (--guest)" },
	{ "replay", 0, TEXT, "FILE", AT(replay), "judge a bundle again, without any I/O" },
	{ "fail-on", 0, CHOICE, "fail|warn", AT(fail_on),
	  "what makes the exit code 1 (default fail)" },
	{ "color", 0, CHOICE, "auto|always|never", AT(color), "colours (also NO_COLOR)" },
	{ "quiet", 'q', FLAG, NULL, AT(quiet), "no report on stdout, only the exit code" },
	{ "verbose", 'v', FLAG, NULL, AT(verbose), "show requests and programs on stderr" },
	{ .help = "Help that works offline" },
	{ "list-checks", 0, FLAG, NULL, AT(list_checks), "the checks, in path order" },
	{ "permissions", 0, FLAG, NULL, AT(permissions),
	  "the Azure role this needs, as JSON for az (also with --deep, --guest)" },
	{ "explain", 0, TEXT, "CODE", AT(explain), "what a code means and how to mend it" },
	{ "lint-rules", 0, LIST, "FILE", AT(lint), "check a rule file" },
	{ "help", 'h', FLAG, NULL, AT(help), "this text" },
	{ "version", 'V', FLAG, NULL, AT(version), "the version" },
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

void
options_help(void)
{
	char left[64];

	puts("azssh-doctor: why can I not SSH to this Azure VM, and what do I type to fix it?\n\n"
	     "  azssh-doctor [OPTION]... [USER@]VM...        VM = name, RG/name or full ARM id; an "
	     "IP address means --host\n"
	     "  azssh-doctor [OPTION]... --host HOST         what you type after ssh\n"
	     "  azssh-doctor [OPTION]... --replay BUNDLE     judge a bundle again\n"
	     "  azssh-doctor --no-azure --no-probe -i FILE   is this key fit for a new VM?");
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].name == NULL) {
			printf("\n%s\n", rows[i].help);
			continue;
		}
		snprintf(left, sizeof(left), "%c%c%s --%s%s%s", rows[i].letter != 0 ? '-' : ' ',
			 rows[i].letter != 0 ? rows[i].letter : ' ',
			 rows[i].letter != 0 ? "," : " ", rows[i].name,
			 rows[i].arg != NULL ? " " : "", rows[i].arg != NULL ? rows[i].arg : "");
		printf("  %-34s %s\n", left, rows[i].help);
	}
	puts("\nExit codes: 0 healthy, 1 a fault was found, 2 usage, 3 could not be determined, 4 "
	     "internal error.");
}

static int
append(struct words *words, const char *word)
{
	const char **grown = reallocarray(words->at, words->count + 2, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	words->at = grown;
	grown[words->count++] = word;
	grown[words->count] = NULL;
	return 0;
}

/* A copy that lives as long as the options; NULL when out of memory. */
static char *
keep(struct options *options, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (copy != NULL && append(&options->store, copy) < 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

static int
parse_commas(struct options *options, struct words *words, const char *value)
{
	for (size_t len; *value != '\0'; value += len + (value[len] == ',')) {
		char *word = keep(options, value, len = strcspn(value, ","));

		if (word == NULL || (len > 0 && append(words, word) < 0))
			return -ENOMEM;
	}
	return words->count > 0 ? 0 : -EINVAL;
}

/* "90", "90s", "2m", "1500ms", "1h": to milliseconds. */
int
options_duration(const char *value, int *ret)
{
	static const struct {
		const char *unit;
		long ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "h", 3600000 } };
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (!isdigit((unsigned char)*value) || errno != 0 || number <= 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(end, units[i].unit) == 0 && number <= 24L * 3600000 / units[i].ms) {
			*ret = (int)(number * units[i].ms);
			return 0;
		}
	return -EINVAL;
}

static int
parse_port(const char *value, int *ret)
{
	char *end;
	long number = strtol(value, &end, 10);

	if (!isdigit((unsigned char)*value) || *end != '\0' || number < 1 || number > 65535)
		return -EINVAL;
	*ret = (int)number;
	return 0;
}

static bool
is_address(const char *value)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, value, bytes) == 1 || inet_pton(AF_INET6, value, bytes) == 1;
}

static bool
is_choice(const char *value, const char *choices)
{
	size_t len = strlen(value);

	for (; choices != NULL;
	     choices = strchr(choices, '|') != NULL ? strchr(choices, '|') + 1 : NULL)
		if (strcspn(choices, "|") == len && strncmp(choices, value, len) == 0)
			return true;
	return false;
}

static int
store_value(struct options *options, const struct option_row *row, const char *value,
	    struct err *err)
{
	void *at = (char *)options + row->at;
	const char *accepted = NULL;
	int r = 0;

	if (row->kind != FLAG && *value == '\0') {
		err_set(err, "--%s: an empty value is not accepted, it takes %s", row->name,
			row->arg);
		return -EINVAL;
	}
	switch (row->kind) {
	case FLAG:
		*(bool *)at = true;
		return 0;
	case TEXT:
		*(const char **)at = value;
		return 0;
	case LIST:
		return append(at, value);
	case COMMAS:
		r = parse_commas(options, at, value);
		accepted = "a list of words with commas between";
		break;
	case PORT:
		r = parse_port(value, at);
		accepted = "a port from 1 to 65535";
		break;
	case DURATION:
		r = options_duration(value, at);
		accepted = "a duration such as 30s, 1500ms or 2m, at most 24h";
		break;
	case ADDRESS:
		r = is_address(value) ? 0 : -EINVAL;
		*(const char **)at = value;
		accepted = "an IPv4 or IPv6 address";
		break;
	case CHOICE:
		r = is_choice(value, row->arg) ? 0 : -EINVAL;
		*(const char **)at = value;
		accepted = row->arg;
		break;
	}
	if (r == -EINVAL)
		err_set(err, "--%s: '%s' is not accepted, it takes %s", row->name, value, accepted);
	return r;
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
		     options->permissions || options->explain != NULL || options->lint.count > 0;

	return options->vms.count == 0 && options->host == NULL && options->replay == NULL &&
	       !other && !options_key_only(options);
}

int
options_default_vm(struct options *options, const char *vm)
{
	const char *kept = keep(options, vm, strlen(vm));

	options->vm_default = true;
	return kept != NULL ? append(&options->vms, kept) : -ENOMEM;
}

/* Splits USER@ off, and takes a literal address as --host. */
static int
add_vm(struct options *options, const char *word, struct err *err)
{
	const char *at = strrchr(word, '@'), *vm = at != NULL ? at + 1 : word;

	if (at != NULL) {
		char *user = keep(options, word, (size_t)(at - word));

		if (user == NULL)
			return -ENOMEM;
		if (*user == '\0' ||
		    (options->login != NULL && strcmp(options->login, user) != 0)) {
			err_set(err, "'%s': one user a run is accepted, %s", word,
				*user == '\0' ? "and its name may not be empty"
					      : "another was given before");
			return -EINVAL;
		}
		options->login = user;
	}
	if (!is_address(vm))
		return append(&options->vms, vm);
	if (options->host != NULL && strcmp(options->host, vm) != 0) {
		err_set(err, "'%s': one host a run is accepted, '%s' was given before", vm,
			options->host);
		return -EINVAL;
	}
	options->host = vm;
	return 0;
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
					    .has_arg = rows[i].kind == FLAG ? no_argument
									    : required_argument,
					    .val = UCHAR_MAX + 1 + (int)i };
		if (rows[i].letter == 0)
			continue;
		*shorts++ = rows[i].letter;
		if (rows[i].kind != FLAG)
			*shorts++ = ':';
	}
	*longs = (struct option){ 0 };
	*shorts = '\0';
}

int
options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct option longs[ROWS + 1];
	char shorts[3 * ROWS];
	struct options options = { 0 };
	int letter, r = 0;

	getopt_tables(longs, shorts);
	opterr = 0;
	while (r == 0 && (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row =
		    letter == '?' || letter == ':'
			? NULL
			: find_row(letter, letter > UCHAR_MAX ? letter - UCHAR_MAX - 1 : -1);

		if (row != NULL) {
			r = store_value(&options, row, optarg, err);
		} else if (letter == ':') {
			err_set(err, "'%s' needs a value (see --help)", argv[optind - 1]);
			r = -EINVAL;
		} else {
			if (optopt > 0 && optopt <= UCHAR_MAX)
				err_set(err, "unknown option '-%c' (see --help)", optopt);
			else
				err_set(err,
					"'%s' is no option, or not one on its own (see --help)",
					argv[optind - 1]);
			r = -EINVAL;
		}
	}
	for (; r == 0 && optind < argc; optind++)
		r = add_vm(&options, argv[optind], err);
	if (r < 0) {
		options_free(&options);
		return r;
	}
	*ret = options;
	return 0;
}

void
options_free(struct options *options)
{
	for (size_t i = 0; i < options->store.count; i++)
		free((char *)(uintptr_t)options->store.at[i]);
	free(options->store.at);
	free(options->vms.at);
	free(options->rules.at);
	free(options->only.at);
	free(options->skip.at);
	free(options->formats.at);
	free(options->remedy.at);
	free(options->lint.at);
	*options = (struct options){ 0 };
}
