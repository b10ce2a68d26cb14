#include "cli/target.h"
#include "model/address.h"
#include "facts/arm.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_ASKPASS "/usr/bin/ssh-askpass"

enum { NAME_MAX_VM = 64, NAME_MAX_GROUP = 90 };

/* Azure's naming rules for VMs and resource groups, ASCII part. */
static bool
is_name(const char *text, size_t len, size_t max)
{
	if (len == 0 || len > max)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && strchr("_.()-", text[i]) == NULL)
			return false;
	return true;
}

static int
parse_name(const char *vm, struct target *target, struct err *err)
{
	const char *slash = strchr(vm, '/'), *name = slash != NULL ? slash + 1 : vm;

	if (!is_name(name, strlen(name), NAME_MAX_VM) ||
	    (slash != NULL && !is_name(vm, (size_t)(slash - vm), NAME_MAX_GROUP))) {
		err_set(err,
			"'%s' is no VM: a name, RESOURCE-GROUP/NAME or a full ARM id is accepted "
			"(letters, digits, '_', '.', '(', ')', '-')",
			vm);
		return -EINVAL;
	}
	if ((target->name = strdup(name)) == NULL ||
	    (slash != NULL && (target->group = strndup(vm, (size_t)(slash - vm))) == NULL))
		return -ENOMEM;
	return 0;
}

static int
parse_id(const char *vm, struct target *target, struct err *err)
{
	char type[256];
	bool safe = true;

	for (const char *p = vm; *p != '\0'; p++)
		safe &= isalnum((unsigned char)*p) || strchr("/_.()-", *p) != NULL;
	if (!safe || arm_id_type(vm, type, sizeof(type)) < 0 ||
	    (strcmp(type, "microsoft.compute/virtualmachines") != 0 &&
	     strcmp(type, "microsoft.compute/virtualmachinescalesets/virtualmachines") != 0)) {
		err_set(err,
			"'%s' is no id of a VM: "
			"/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/"
			"virtualMachines/NAME is accepted",
			vm);
		return -EINVAL;
	}
	target->id = vm;
	target->name = strdup(arm_id_name(vm));
	target->group = calloc(1, NAME_MAX_GROUP + 1);
	if (target->name == NULL || target->group == NULL)
		return -ENOMEM;
	arm_id_group(vm, target->group, NAME_MAX_GROUP + 1);
	return 0;
}

int
target_parse(const struct options *options, const char *vm, struct target *ret, struct err *err)
{
	struct target target = { .host = options->host };
	int r = 0;

	if (vm != NULL)
		r = *vm == '/' ? parse_id(vm, &target, err) : parse_name(vm, &target, err);
	if (r == 0 && vm != NULL && target.group == NULL && options->resource_group != NULL) {
		if (!is_name(options->resource_group, strlen(options->resource_group),
			     NAME_MAX_GROUP)) {
			err_set(err, "--resource-group: '%s' is no resource group's name",
				options->resource_group);
			r = -EINVAL;
		} else if ((target.group = strdup(options->resource_group)) == NULL) {
			r = -ENOMEM;
		}
	}
	if (r < 0) {
		target_free(&target);
		return r;
	}
	*ret = target;
	return 0;
}

void
target_free(struct target *target)
{
	free(target->name);
	free(target->group);
	*target = (struct target){ 0 };
}

json_t *
target_object(const struct target *target)
{
	json_t *obj = json_object();

	doc_set_str(obj, "name", target->name);
	doc_set_str(obj, "resource_group", target->group);
	doc_set_str(obj, "id", target->id);
	doc_set_str(obj, "host", target->host);
	return obj;
}

void
target_asked(json_t *doc, const struct options *options, int deadline_ms)
{
	json_t *asked = json_object_get(doc, "asked"), *command = json_array();

	doc_set_bool(asked, "azure", !options->no_azure);
	doc_set_bool(asked, "probe", !options->no_probe);
	doc_set_bool(asked, "deep", options->deep);
	doc_set_bool(asked, "guest", options->guest);
	doc_set_bool(asked, "key_only", options_key_only(options));
	doc_set_int(asked, "deadline_ms", deadline_ms);
	doc_set_str(asked, "known_hosts", options->known_hosts);
	if (options->vm_default)
		doc_set_bool(asked, "vm_default", true);
	doc_set_str(asked, "host", options->host);
	doc_set_str(asked, "login", options->login);
	doc_set_str(asked, "identity", options->identity);
	doc_set_str(asked, "ssh_config", options->ssh_config);
	if (options->no_ssh_config)
		doc_set_bool(asked, "no_ssh_config", true);
	doc_set_str(asked, "source_ip", options->source_ip);
	if (options->port != 0)
		doc_set_int(asked, "port", options->port);
	for (size_t i = 0; i < options->command.count; i++)
		doc_append_str(command, options->command.at[i]);
	json_object_set_new(asked, "command", command);
}

/* ssh asks about host keys and passphrases at its controlling terminal, never on standard input. */
static bool
has_tty(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Without a terminal ssh runs SSH_ASKPASS where there is a display, or where it is forced to
 * (ssh(1), ENVIRONMENT). */
static bool
has_askpass(void)
{
	const char *program = getenv("SSH_ASKPASS"), *require = getenv("SSH_ASKPASS_REQUIRE");
	bool display = getenv("DISPLAY") != NULL || getenv("WAYLAND_DISPLAY") != NULL;

	if (doc_same(require, "never") || !(display || doc_same(require, "force")))
		return false;
	return access(program != NULL ? program : DEFAULT_ASKPASS, X_OK) == 0;
}

/* ssh takes the home of the password database, a shell takes $HOME. NULL where both are one folder.
 */
static const char *
other_home(const struct passwd *pw)
{
	const char *home = getenv("HOME");
	struct stat one, other;

	if (home == NULL || home[0] != '/' || home[1] == '\0' || pw == NULL ||
	    doc_same(home, pw->pw_dir) || stat(home, &one) < 0)
		return NULL;
	return stat(pw->pw_dir, &other) == 0 && one.st_dev == other.st_dev &&
		       one.st_ino == other.st_ino
		   ? NULL
		   : home;
}

void
target_machine(json_t *doc)
{
	json_t *machine = json_object_get(doc, "machine"), *user = json_object();
	const struct passwd *pw = getpwuid(getuid());

	doc_set_int(user, "uid", (json_int_t)getuid());
	if (pw != NULL) {
		doc_set_str(user, "name", pw->pw_name);
		doc_set_str(user, "home", pw->pw_dir);
	}
	doc_set_str(user, "home_env", other_home(pw));
	json_object_set_new(machine, "user", user);
	doc_set_bool(machine, "cloud_shell",
		     getenv("ACC_CLOUD") != NULL || getenv("AZUREPS_HOST_ENVIRONMENT") != NULL);
	doc_set_bool(machine, "terminal", has_tty() || has_askpass());
}

static void
known_address(struct facts *facts, const char *host, int port, const char *kind)
{
	json_t *address = facts_known(facts, FACT_ADDRESS);

	doc_set_str(address, "host", host);
	doc_set_str(address, "kind", kind);
	if (port != 0)
		doc_set_int(address, "port", port);
}

/* Why Azure gave no address: the reason of whatever is missing. */
static void
no_address(struct facts *facts)
{
	static const enum fact_section why[] = { FACT_SIGNIN, FACT_VM, FACT_NETWORK };

	for (size_t i = 0; i < sizeof(why) / sizeof(*why); i++) {
		const char *reason;
		enum fact_state state = facts_state(facts, why[i], &reason);

		if (state == FACT_KNOWN)
			continue;
		if (state == FACT_NOT_ASKED)
			reason = "give --host, or let Azure be asked";
		facts_settle(facts, FACT_ADDRESS, state == FACT_ABSENT ? FACT_ABSENT : FACT_UNKNOWN,
			     "no-address", "no address is known: %s",
			     reason != NULL ? reason : "no reason");
		return;
	}
	facts_settle(facts, FACT_ADDRESS, FACT_ABSENT, "no-address",
		     "the VM has no address that can be reached from here");
}

void
target_address(struct facts *facts, const char *host)
{
	const json_t *alias = facts_section(facts, FACT_ALIAS);
	struct address address;

	if (doc_bool(doc_get(facts->doc, "asked"), "key_only", false))
		facts_settle(facts, FACT_ADDRESS, FACT_NOT_ASKED, "key-only",
			     "only the key was asked about");
	else if (host != NULL)
		known_address(
		    facts, doc_str(alias, "hostname") != NULL ? doc_str(alias, "hostname") : host,
		    0, "option");
	else if (doc_bool(alias, "changes", false))
		known_address(facts, doc_str(alias, "hostname"), 0, "alias");
	else if (address_choose(facts, &address) == 0 && address.host[0] != '\0')
		known_address(facts, address.host, address.port != 22 ? address.port : 0,
			      address_kind_word(address.kind));
	else
		no_address(facts);
}

void
target_user(struct facts *facts)
{
	json_t *config = facts_section(facts, FACT_SSH_CONFIG);
	const char *from = doc_str(config, "user_from"),
		   *id = doc_str(facts_section(facts, FACT_VM), "id"), *admin = NULL;
	const json_t *body;

	if (id != NULL && facts_resource(facts, id, &body, NULL) == FACT_KNOWN)
		admin = doc_str(body, "properties.osProfile.adminUsername");
	if (config == NULL || admin == NULL || doc_same(from, "option") ||
	    doc_same(from, "ssh-config"))
		return;
	doc_set_str(config, "user", admin);
	doc_set_str(config, "user_from", "vm");
}

bool
target_may_rehearse(struct facts *facts, const struct options *options)
{
	const char *reason;
	enum fact_state state = facts_state(facts, FACT_ADDRESS, &reason);
	const json_t *config = facts_section(facts, FACT_SSH_CONFIG);
	bool by_command =
	    doc_str(config, "proxycommand") != NULL && doc_str(config, "proxyjump") == NULL;

	if (options->no_rehearsal || options->no_probe) {
		facts_settle(facts, FACT_REHEARSAL, FACT_NOT_ASKED, "no-rehearsal",
			     "ssh itself was not asked (%s)",
			     options->no_rehearsal ? "--no-rehearsal" : "--no-probe");
		return false;
	}
	if (state != FACT_KNOWN) {
		facts_settle(facts, FACT_REHEARSAL, state, "no-address", "%s",
			     reason != NULL ? reason : "no address is known");
		return false;
	}
	if (!by_command && FACT_GET(facts_section(facts, FACT_TCP), tcp, result) != TCP_CONNECTED) {
		facts_settle(facts, FACT_REHEARSAL, FACT_UNKNOWN, "not-reached",
			     "no connection was possible, so ssh was not started");
		return false;
	}
	return true;
}

bool
target_may_probe(struct facts *facts, bool no_probe)
{
	static const enum fact_section wire[] = { FACT_DNS, FACT_TCP,      FACT_BANNER,
						  FACT_KEX, FACT_HOST_KEY, FACT_AUTH };
	const char *reason;
	enum fact_state state = facts_state(facts, FACT_ADDRESS, &reason);

	if (!no_probe && state == FACT_KNOWN)
		return true;
	for (size_t i = 0; i < sizeof(wire) / sizeof(*wire); i++) {
		if (no_probe)
			facts_settle(facts, wire[i], FACT_NOT_ASKED, "no-probe",
				     "connecting was left out (--no-probe)");
		else
			facts_settle(facts, wire[i], state, "no-address", "%s",
				     reason != NULL ? reason : "no address is known");
	}
	return false;
}
