#include "checks/checks.h"
#include "checks/home.h"
#include "checks/ssh_blocks.h"
#include "checks/ssh_options.h"
#include "checks/ssh_ends.h"
#include "checks/ssh_jump.h"
#include "checks/ssh_settings.h"
#include "model/public_ip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
add_place(struct finding *finding, const struct fact_ssh_place *place)
{
	finding_text(finding, "file", place->file);
	if (place->line > 0)
		finding_number(finding, "line", place->line);
}

/* " (FILE line N)" or "". The caller frees. */
static char *
place_text(const struct fact_ssh_place *place)
{
	return place->line > 0 ? doc_fmt(" (%s, line %d)", place->file, (int)place->line)
			       : strdup("");
}

static json_int_t
port_of(const struct fact_ssh_config *config)
{
	return config->port != 0 ? config->port : 22;
}

static void
add_common(struct finding *finding, const struct fact_ssh_config *config)
{
	finding_text(finding, "name", config->name);
	finding_text(finding, "hostname", config->hostname);
	finding_number(finding, "port", port_of(config));
	finding_text(finding, "user", config->user);
	finding_text(finding, "user_from", FACT_WORD(user_origin, config->user_from));
	finding_text(finding, "local_user", config->local_user);
	finding_text(finding, "proxyjump", config->proxyjump);
	finding_text(finding, "proxycommand", config->proxycommand);
	finding_text(finding, "controlpath", config->controlpath);
}

/* ---- ssh itself, and a configuration that it refuses ---- */

static int
client_finding(const struct scene *scene, const struct rule *rule, struct finding *main)
{
	const struct fact_client *client = scene->client;
	json_int_t oldest = rule_int(rule, "oldest_client", 702);
	struct finding *finding;

	if (client->state == FACT_ABSENT ||
	    (client->state != FACT_KNOWN && scene->ssh_config->state == FACT_ABSENT))
		return finding_set(finding_next(main), FAIL, CODE_SSH_MISSING,
				   "no ssh client is installed on this computer");
	if (client->state != FACT_KNOWN || client->number <= 0 || client->number >= oldest ||
	    (finding = finding_next(main)) == NULL)
		return 0;
	finding_text(finding, "version", client->version);
	return finding_set(finding, WARN, CODE_SSH_TOO_OLD,
			   "%s is older than OpenSSH %d.%d: it cannot sign with RSA keys as "
			   "servers of today want it",
			   client->version, (int)(oldest / 100), (int)(oldest % 100));
}

/* Whose the file is decides what mends it. */
static void
add_ownership(const struct scene *scene, struct finding *finding)
{
	const char *file = scene->ssh_config->file;
	json_int_t uid = scene->ssh_config->uid, own = scene->machine.user.uid;
	bool system = file != NULL && strncmp(file, "/etc/", 5) == 0;

	if (system)
		finding_value(finding, "system_file", json_true());
	if (system || (uid > 0 && own >= 0 && uid != own))
		finding_value(finding, "foreign_owner", json_true());
}

/* How ssh prints the first bytes of a file that is not plain text (octal escapes, as vis(3)). NULL:
 * it is. */
static const char *
encoding_of(const struct fact_ssh_config *config)
{
	static const struct {
		const char *start, *name;
	} marks[] = { { "\\377\\376", "UTF-16" },
		      { "\\376\\377", "UTF-16" },
		      { "\\357\\273\\277", "UTF-8 with a byte order mark" } };

	for (size_t i = 0; config->option != NULL && i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strncmp(config->option, marks[i].start, strlen(marks[i].start)) == 0)
			return marks[i].name;
	return NULL;
}

/* ssh -G refused the configuration: every ssh to this name ends the same way, before anything is
 * sent. */
static int
refused_finding(const struct scene *scene, struct finding *finding)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	const char *file = config->file != NULL ? config->file : "its configuration",
		   *message = config->message != NULL ? config->message : "it did not say why";
	const char *encoding = encoding_of(config);
	int line = (int)config->line;

	finding_text(finding, "file", config->file);
	finding_text(finding, "option", config->option);
	finding_text(finding, "mode", config->mode);
	finding_text(finding, "owner", config->owner);
	finding_text(finding, "message", config->message);
	finding_text(finding, "stderr", config->stderr_);
	finding_text(finding, "name", config->name);
	if (line > 0)
		finding_number(finding, "line", line);
	add_ownership(scene, finding);
	if (config->file == NULL && scene->client->state == FACT_UNKNOWN &&
	    doc_same(scene->client->cause, "broken"))
		return finding_set(finding, FAIL, CODE_SSH_BROKEN, "ssh -V fails as well: %s",
				   message);
	if (encoding != NULL) {
		finding_text(finding, "encoding", encoding);
		if (strncmp(encoding, "UTF-8", 5) == 0)
			finding_text(finding, "mark", "yes");
		return finding_set(finding, FAIL, CODE_CFG_ENCODING, "%s is %s", file, encoding);
	}
	if (config->problem == CONFIG_PERMISSIONS)
		return finding_set(finding, FAIL, CODE_CFG_BAD_PERMS,
				   "ssh refuses %s: its mode is %s and its owner %s", file,
				   config->mode != NULL ? config->mode : "?",
				   config->owner != NULL ? config->owner : "?");
	if (config->problem == CONFIG_OPTION)
		return finding_set(finding, FAIL, CODE_CFG_BAD_OPTION,
				   "%s, line %d: this ssh does not know the option %s", file, line,
				   config->option != NULL ? config->option : "there");
	if (line > 0)
		return finding_set(finding, FAIL, CODE_SSH_CONFIG_ERROR, "%s, line %d: %s", file,
				   line, message);
	return finding_set(finding, FAIL, CODE_SSH_CONFIG_ERROR, "ssh refuses to start: %s",
			   message);
}

/* ---- what the configuration leads to ---- */

enum {
	DEAD_RETRANSMITS = 3
}; /* about three seconds without an acknowledgement; one or two happen on any bad link */

static int
control_finding(const struct fact_ssh_config *config, struct finding *main)
{
	const struct fact_control_master *control = config->controlmaster;
	json_int_t again = control != NULL ? control->retransmits : 0;
	struct finding *finding;

	if (control == NULL || (!control->silent && again < DEAD_RETRANSMITS) ||
	    (finding = finding_next(main)) == NULL)
		return 0;
	add_common(finding, config);
	add_place(finding, &config->places.controlpath);
	if (again >= DEAD_RETRANSMITS) {
		finding_number(finding, "retransmits", again);
		return finding_likely(finding, FAIL, CODE_CONTROLMASTER_STALE,
				      "ssh would reuse the connection behind %s, whose packets are "
				      "no longer acknowledged",
				      config->controlpath);
	}
	return finding_set(finding, FAIL, CODE_CONTROLMASTER_STALE,
			   "the control socket %s takes connections and never answers: ssh would "
			   "wait there for ever",
			   config->controlpath);
}

static bool
same_address(const char *a, const char *b)
{
	struct ip one, other;

	return ip_parse(a, &one) == 0 && ip_parse(b, &other) == 0 && ip_cmp(one, other) == 0;
}

static bool
owns(const struct address *ways, size_t count, const char *host)
{
	for (size_t i = 0; i < count; i++)
		if (same_address(ways[i].host, host) || doc_same(ways[i].fqdn, host))
			return true;
	return false;
}

/* true when every address that the VM has is known: all NICs arrived, and every public IP of theirs
 * with its address. */
static bool
addresses_complete(const struct network *network)
{
	if (network->count == 0 || network->missing_nic.id != NULL)
		return false;
	for (size_t i = 0; i < network->count; i++) {
		const struct net_ref *pip = &network->paths[i].pip;

		if (pip->state == FACT_UNKNOWN || pip->state == FACT_NOT_ASKED ||
		    (pip->state == FACT_KNOWN && public_ip_view(pip).address == NULL))
			return false;
	}
	return true;
}

/* Does the host name that the configuration gives lead to none of these? A name counts by what it
 * resolves to. */
static bool
leads_elsewhere(const struct scene *scene)
{
	const struct inbound *in = &scene->inbound;
	const char *hostname = scene->ssh_config->hostname;
	struct ip ip;

	if (owns(in->ways, in->way_count, hostname))
		return false;
	if (ip_parse(hostname, &ip) == 0)
		return true;
	for (size_t i = 0; i < scene->dns->addresses_count; i++)
		if (owns(in->ways, in->way_count, scene->dns->addresses[i]))
			return false;
	return scene->dns->addresses_count > 0;
}

static int
alias_override(const struct fact_ssh_config *config, const struct address *way,
	       struct finding *main)
{
	struct finding *finding = finding_next(main);
	char *place = place_text(&config->places.hostname);

	if (finding != NULL && place != NULL) {
		add_common(finding, config);
		add_place(finding, &config->places.hostname);
		finding_text(finding, "address", way->host);
		finding_set(
		    finding, FAIL, CODE_CFG_HOST_ALIAS_OVERRIDE,
		    "ssh_config sends %s to %s%s, which is none of this VM's addresses; it has %s",
		    config->name, config->hostname, place, way->host);
	}
	free(place);
	return finding != NULL && place != NULL ? 0 : -ENOMEM;
}

static bool
is_loopback(const char *host)
{
	return doc_same(host, "localhost") || ip_text_is(host, IP_LOOPBACK);
}

/* Somebody else's address behind the name. A loopback address is a tunnel, a proxied one is reached
 * from elsewhere; and where the server took the key, the way is right whatever ARM says. */
static int
alias_finding(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	const struct inbound *in = &scene->inbound;

	if (config->name == NULL || config->hostname == NULL ||
	    strcasecmp(config->name, config->hostname) == 0 || config->proxyjump != NULL ||
	    config->proxycommand != NULL || is_loopback(config->hostname) || scene->tcp->loopback ||
	    scene->accepted)
		return 0;
	if (!addresses_complete(&in->network) || in->way_count == 0 || !leads_elsewhere(scene))
		return 0;
	return alias_override(config, &in->ways[0], main);
}

/* The user name comes from ssh_config and is not the one the VM was made with. The server's answer
 * decides how much that matters. */
static int
user_finding(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	bool asked = scene->auth->state == FACT_KNOWN && scene->auth->queries_count > 0;
	struct finding *finding;
	char *place;

	if (config->user_from != USER_SSH_CONFIG || config->user == NULL || scene->admin == NULL ||
	    strcmp(scene->admin, config->user) == 0 || scene->accepted ||
	    (finding = finding_next(main)) == NULL)
		return 0;
	place = place_text(&config->places.user);
	add_common(finding, config);
	add_place(finding, &config->places.user);
	finding_text(finding, "adminuser", scene->admin);
	finding_set(finding, asked ? FAIL : WARN, CODE_CFG_USER_OVERRIDE,
		    "ssh_config makes you %s%s; the VM was made with the user %s, and %s",
		    config->user, place, scene->admin,
		    asked ? "the server takes no key for it" : "the server was not asked");
	free(place);
	return 0;
}

/* ---- remarks ---- */

static int
proxy_note(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	bool answers = scene->target.jump.banner.result == BANNER_IS_SSH;
	const char *proxy = config->proxyjump != NULL ? config->proxyjump : config->proxycommand;
	struct finding *finding;

	if (proxy == NULL || (finding = finding_next(main)) == NULL)
		return 0;
	add_common(finding, config);
	add_place(finding, config->proxyjump != NULL ? &config->places.proxyjump
						     : &config->places.proxycommand);
	finding_text(finding, "proxy", proxy);
	return finding_set(finding, PASS, CODE_PROXY_IN_USE, "ssh goes to %s through %s%s",
			   config->hostname, proxy, answers ? ", which answers" : "");
}

static int
exec_note(const struct fact_ssh_config *config, struct finding *main)
{
	struct finding *finding;

	if (!config->match_exec || config->match_exec_command == NULL ||
	    (finding = finding_next(main)) == NULL)
		return 0;
	finding_text(finding, "command", config->match_exec_command);
	finding_text(finding, "file", config->match_exec_file);
	finding_number(finding, "line", config->match_exec_line);
	return finding_set(
	    finding, PASS, CODE_MATCH_EXEC,
	    "ssh runs a command whenever it reads its configuration (Match exec): %s",
	    config->match_exec_command);
}

static int
master_note(const struct fact_ssh_config *config, struct finding *main)
{
	struct finding *finding;

	if (config->controlmaster == NULL || !config->controlmaster->answers ||
	    (finding = finding_next(main)) == NULL)
		return 0;
	add_common(finding, config);
	return finding_set(finding, PASS, CODE_CONTROLMASTER_ACTIVE,
			   "ssh would reuse a connection that is open already (%s); what was "
			   "tested here is a new one, whether the old one still works was not",
			   config->controlpath);
}

static int
user_note(const struct fact_ssh_config *config, struct finding *main)
{
	struct finding *finding;

	if (config->user_from != USER_VM || config->user == NULL || config->local_user == NULL ||
	    strcmp(config->user, config->local_user) == 0 || (finding = finding_next(main)) == NULL)
		return 0;
	add_common(finding, config);
	return finding_set(
	    finding, PASS, CODE_USER_FROM_VM,
	    "no user was given: the VM's %s is assumed, where plain ssh would log in as %s",
	    config->user, config->local_user);
}

static int
healthy(const struct fact_ssh_config *config, struct finding *main)
{
	struct finding *finding = finding_next(main);

	if (finding == NULL)
		return -ENOMEM;
	add_common(finding, config);
	return finding_set(finding, PASS, CODE_SSH_CONFIG_OK, "ssh goes to %s port %d as %s",
			   config->hostname, (int)port_of(config),
			   config->user != NULL ? config->user : "the local user");
}

/* What keeps ssh from being judged; true when there is something. */
static bool
not_judged(const struct fact_ssh_config *config, struct finding *finding)
{
	if (config->state == FACT_KNOWN)
		return false;
	if (finding->id != CODE_NOT_RUN)
		return true;
	if (config->state == FACT_NOT_ASKED || config->state == FACT_PENDING)
		finding_set(finding, SKIP, CODE_NOT_ASKED, "%s",
			    config->reason != NULL ? config->reason
						   : "ssh's configuration was not read");
	else
		finding_set(finding, UNKNOWN, CODE_NOT_KNOWN, "%s is not known: %s",
			    facts_section_words(FACT_SSH_CONFIG), config->reason);
	return true;
}

int
check_ssh_config(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	int r;

	if (config->state == FACT_UNKNOWN && doc_same(config->cause, "ssh-config"))
		return refused_finding(scene, finding);
	if ((r = client_finding(scene, rule, finding)) < 0 || finding->status == FAIL)
		return r;
	ssh_ends(scene, finding);
	if (not_judged(config, finding))
		return 0;
	ssh_settings(scene, finding);
	ssh_blocks(scene, finding);
	ssh_jump(scene, finding);
	if ((r = control_finding(config, finding)) < 0 || (r = alias_finding(scene, finding)) < 0 ||
	    (r = user_finding(scene, finding)) < 0 || (r = home_differs(scene, finding)) < 0)
		return r;
	if (finding->id == CODE_NOT_RUN && (r = healthy(config, finding)) < 0)
		return r;
	if ((r = proxy_note(scene, finding)) < 0 || (r = exec_note(config, finding)) < 0 ||
	    (r = master_note(config, finding)) < 0)
		return r;
	ssh_settings_remarks(scene, finding);
	return user_note(config, finding);
}
