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
			"'%s' is not a VM: a name, RESOURCE-GROUP/NAME or a full ARM id is "
			"accepted (letters, digits, '_', '.', '(', ')', '-')",
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
			"'%s' is not the id of a VM: "
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
			err_set(err, "--resource-group: '%s' is not the name of a resource group",
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
	return FACT_OBJECT(target, .name = target->name, .resource_group = target->group,
			   .id = target->id, .host = target->host);
}

void
target_asked(json_t *doc, const struct options *options, int deadline_ms)
{
	fact_write(FACT_JSON(doc, document, asked), shape_of_asked(),
		   &(const struct fact_asked){ .azure = !options->no_azure,
					       .probe = !options->no_probe,
					       .deep = options->deep,
					       .guest = options->guest,
					       .key_only = options_key_only(options),
					       .deadline_ms = deadline_ms,
					       .known_hosts = options->known_hosts,
					       .vm_default = options->vm_default,
					       .host = options->host,
					       .login = options->login,
					       .identity = options->identity,
					       .ssh_config = options->ssh_config,
					       .no_ssh_config = options->no_ssh_config,
					       .source_ip = options->source_ip,
					       .port = options->port,
					       .command = options->command.at,
					       .command_count = options->command.count });
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
	json_t *machine = FACT_JSON(doc, document, machine), *user;
	const struct passwd *pw = getpwuid(getuid());

	user =
	    pw != NULL ? FACT_OBJECT(user, .name = pw->pw_name, .home = pw->pw_dir) : json_object();
	FACT_PUT(user, user, uid, getuid());
	FACT_PUT(user, user, home_env, other_home(pw));
	FACT_PUT_JSON(machine, machine, user, user);
	FACT_PUT(machine, machine, cloud_shell,
		 getenv("ACC_CLOUD") != NULL || getenv("AZUREPS_HOST_ENVIRONMENT") != NULL);
	FACT_PUT(machine, machine, terminal, has_tty() || has_askpass());
}

static void
known_address(struct facts *facts, const char *host, int port, const char *kind)
{
	fact_write(facts_known(facts, FACT_ADDRESS), shape_of_address(),
		   &(const struct fact_address){ .host = host, .kind = kind, .port = port });
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
	const char *hostname = FACT_GET(alias, ssh_config, hostname);
	struct address address;

	if (FACT_GET(facts_asked(facts), asked, key_only))
		facts_settle(facts, FACT_ADDRESS, FACT_NOT_ASKED, "key-only",
			     "only the key was asked about");
	else if (host != NULL)
		known_address(facts, hostname != NULL ? hostname : host, 0, "option");
	else if (FACT_GET(alias, ssh_config, changes))
		known_address(facts, hostname, 0, "alias");
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
	const enum user_origin from = FACT_GET(config, ssh_config, user_from);
	const char *id = FACTS_GET(facts, vm, id), *admin = NULL;
	const json_t *body;

	if (id != NULL && facts_resource(facts, id, &body, NULL) == FACT_KNOWN)
		admin = doc_str(body, "properties.osProfile.adminUsername");
	if (config == NULL || admin == NULL || from == USER_OPTION || from == USER_SSH_CONFIG)
		return;
	FACT_PUT(config, ssh_config, user, admin);
	FACT_PUT(config, ssh_config, user_from, USER_VM);
}

bool
target_may_rehearse(struct facts *facts, const struct options *options)
{
	const char *reason;
	enum fact_state state = facts_state(facts, FACT_ADDRESS, &reason);
	const json_t *config = facts_section(facts, FACT_SSH_CONFIG);
	bool by_command = FACT_GET(config, ssh_config, proxycommand) != NULL &&
			  FACT_GET(config, ssh_config, proxyjump) == NULL;

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
	if (!by_command && FACTS_GET(facts, tcp, result) != TCP_CONNECTED) {
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
