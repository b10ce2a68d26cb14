#include "checks/checks.h"
#include "model/address.h"
#include "model/ssh_config.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first thing to say becomes the finding itself, every further one stands beside it. */
struct voice {
	struct finding *finding;
	bool used;
};

static struct finding *
speak(struct voice *voice)
{
	if (voice->used)
		return finding_also(voice->finding);
	voice->used = true;
	return voice->finding;
}

static void
add_place(struct finding *finding, const struct ssh_config *config, const char *keyword)
{
	struct ssh_place place = ssh_config_place(config, keyword);

	finding_text(finding, "file", place.file);
	if (place.line > 0)
		finding_number(finding, "line", place.line);
}

/* " (FILE line N)" or "". The caller frees. */
static char *
place_text(const struct ssh_config *config, const char *keyword)
{
	struct ssh_place place = ssh_config_place(config, keyword);

	return place.line > 0 ? doc_fmt(" (%s, line %d)", place.file, place.line) : strdup("");
}

static void
add_common(struct finding *finding, const struct ssh_config *config)
{
	finding_text(finding, "name", config->name);
	finding_text(finding, "hostname", config->hostname);
	finding_number(finding, "port", config->port);
	finding_text(finding, "user", config->user);
	finding_text(finding, "user_from", config->user_from);
	finding_text(finding, "local_user", config->local_user);
	finding_text(finding, "proxyjump", config->proxyjump);
	finding_text(finding, "proxycommand", config->proxycommand);
	finding_text(finding, "controlpath", config->controlpath);
}

/* ---- ssh itself, and a configuration that it refuses ---- */

static int
client_finding(const struct facts *facts, const struct rule *rule, struct voice *voice)
{
	const json_t *client = facts_section(facts, FACT_CLIENT);
	json_int_t number = doc_int(client, "number", 0),
		   oldest = rule_int(rule, "oldest_client", 702);
	enum fact_state state = facts_state(facts, FACT_CLIENT, NULL);
	struct finding *finding;

	if (state == FACT_ABSENT ||
	    (state != FACT_KNOWN && facts_state(facts, FACT_SSH_CONFIG, NULL) == FACT_ABSENT))
		return finding_set(speak(voice), FAIL, CODE_SSH_MISSING,
				   "no ssh client is installed on this computer");
	if (state != FACT_KNOWN || number <= 0 || number >= oldest ||
	    (finding = speak(voice)) == NULL)
		return 0;
	finding_text(finding, "version", doc_str(client, "version"));
	return finding_set(finding, WARN, CODE_SSH_TOO_OLD,
			   "%s is older than OpenSSH %d.%d: it cannot sign with RSA keys as "
			   "servers of today want it",
			   doc_str(client, "version"), (int)(oldest / 100), (int)(oldest % 100));
}

/* Whose the file is decides what mends it. */
static void
add_ownership(const struct facts *facts, const json_t *section, struct finding *finding)
{
	const char *file = doc_str(section, "file");
	json_int_t uid = doc_int(section, "uid", -1),
		   own = doc_int(facts->doc, "machine.user.uid", -1);

	if (file != NULL && strncmp(file, "/etc/", 5) == 0)
		finding_value(finding, "system_file", json_true());
	if ((file != NULL && strncmp(file, "/etc/", 5) == 0) || (uid > 0 && own >= 0 && uid != own))
		finding_value(finding, "foreign_owner", json_true());
}

/* ssh -G refused the configuration: every ssh to this name ends the same way, before anything is
 * sent. */
static int
refused_finding(const struct facts *facts, const json_t *section, struct finding *finding)
{
	static const char *const copied[] = { "file",    "option", "mode", "owner",
					      "message", "stderr", "name" };
	const char *file = doc_str(section, "file"), *message = doc_str(section, "message"),
		   *mode = doc_str(section, "mode");
	const char *owner = doc_str(section, "owner"), *option = doc_str(section, "option");
	int line = (int)doc_int(section, "line", 0);

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++)
		finding_text(finding, copied[i], doc_str(section, copied[i]));
	if (line > 0)
		finding_number(finding, "line", line);
	add_ownership(facts, section, finding);
	file = file != NULL ? file : "its configuration";
	message = message != NULL ? message : "it did not say why";
	if (doc_is(section, "problem", "permissions"))
		return finding_set(finding, FAIL, CODE_CFG_BAD_PERMS,
				   "ssh refuses %s: its mode is %s and its owner %s", file,
				   mode != NULL ? mode : "?", owner != NULL ? owner : "?");
	if (doc_is(section, "problem", "option"))
		return finding_set(finding, FAIL, CODE_CFG_BAD_OPTION,
				   "%s, line %d: this ssh does not know the option %s", file, line,
				   option != NULL ? option : "there");
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
control_finding(const struct ssh_config *config, struct voice *voice)
{
	const json_t *control = doc_get(config->section, "controlmaster");
	json_int_t again = doc_int(control, "retransmits", 0);
	struct finding *finding;
	int r;

	if ((!doc_bool(control, "silent", false) && again < DEAD_RETRANSMITS) ||
	    (finding = speak(voice)) == NULL)
		return 0;
	add_common(finding, config);
	add_place(finding, config, "controlpath");
	if (again >= DEAD_RETRANSMITS) {
		finding_number(finding, "retransmits", again);
		r = finding_set(finding, FAIL, CODE_CONTROLMASTER_STALE,
				"ssh would reuse the connection behind %s, and nobody acknowledges "
				"any more what that one sends",
				config->controlpath);
		finding->confidence = LIKELY;
		return r;
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
		    (pip->state == FACT_KNOWN &&
		     doc_str(pip->body, "properties.ipAddress") == NULL))
			return false;
	}
	return true;
}

/* Does the host name that the configuration gives lead to none of these? A name counts by what it
 * resolves to. */
static bool
leads_elsewhere(const struct facts *facts, const struct ssh_config *config,
		const struct address *ways, size_t count)
{
	const json_t *addresses = doc_list(facts_section(facts, FACT_DNS), "addresses");
	struct ip ip;

	if (owns(ways, count, config->hostname))
		return false;
	if (ip_parse(config->hostname, &ip) == 0)
		return true;
	for (size_t i = 0; i < json_array_size(addresses); i++)
		if (owns(ways, count, json_string_value(json_array_get(addresses, i))))
			return false;
	return json_array_size(addresses) > 0;
}

static int
alias_override(const struct ssh_config *config, const struct address *way, struct voice *voice)
{
	struct finding *finding = speak(voice);
	char *place = place_text(config, "hostname");

	if (finding != NULL && place != NULL) {
		add_common(finding, config);
		add_place(finding, config, "hostname");
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
alias_finding(const struct facts *facts, const struct ssh_config *config, struct voice *voice)
{
	struct network network = { 0 };
	struct address *ways = NULL;
	size_t count = 0;
	int r;

	if (!ssh_config_redirects(config) || config->proxyjump != NULL ||
	    config->proxycommand != NULL || is_loopback(config->hostname) ||
	    doc_bool(facts_section(facts, FACT_TCP), "loopback", false) ||
	    doc_str(facts_section(facts, FACT_AUTH), "accepted") != NULL)
		return 0;
	if ((r = network_from_facts(facts, &network)) < 0)
		return r == -ENOENT ? 0 : r;
	if (addresses_complete(&network) &&
	    (r = address_list(facts, &network, &ways, &count)) == 0 && count > 0 &&
	    leads_elsewhere(facts, config, ways, count))
		r = alias_override(config, &ways[0], voice);
	free(ways);
	network_free(&network);
	return r;
}

/* The user name comes from ssh_config and is not the one the VM was made with. The server's answer
 * decides how much that matters. */
static int
user_finding(const struct facts *facts, const struct ssh_config *config, struct voice *voice)
{
	const json_t *auth = facts_section(facts, FACT_AUTH);
	const char *why = "the server was not asked";
	enum status status = WARN;
	struct finding *finding;
	char *place;
	struct vm vm;

	if (!doc_same(config->user_from, "ssh-config") || config->user == NULL ||
	    vm_from_facts(facts, &vm, NULL) < 0 || vm.admin == NULL ||
	    strcmp(vm.admin, config->user) == 0 || doc_str(auth, "accepted") != NULL ||
	    (finding = speak(voice)) == NULL)
		return 0;
	if (facts_state(facts, FACT_AUTH, NULL) == FACT_KNOWN &&
	    json_array_size(doc_list(auth, "queries")) > 0) {
		status = FAIL;
		why = "the server takes no key for it";
	}
	if ((place = place_text(config, "user")) == NULL)
		return -ENOMEM;
	add_common(finding, config);
	add_place(finding, config, "user");
	finding_text(finding, "adminuser", vm.admin);
	finding_set(finding, status, CODE_CFG_USER_OVERRIDE,
		    "ssh_config makes you %s%s; the VM was made with the user %s, and %s",
		    config->user, place, vm.admin, why);
	free(place);
	return 0;
}

/* ---- the jump host ---- */

/* What keeps the first hop from being used, NULL when nothing that was seen does. */
static const char *
hop_trouble(const json_t *jump)
{
	static const struct {
		const char *result, *words;
	} tcp[] = { { "refused", "refuses connections" },
		    { "timeout", "does not answer" },
		    { "unreachable", "cannot be reached" },
		    { "prohibited", "is shut off by a firewall" },
		    { "reset", "resets connections" },
		    { "local", "cannot be connected to from this computer" } };
	const char *result = doc_str(jump, "tcp.result");

	if (doc_is(jump, "dns.state", "absent"))
		return "has no address in DNS";
	for (size_t i = 0; i < sizeof(tcp) / sizeof(tcp[0]); i++)
		if (doc_same(result, tcp[i].result))
			return tcp[i].words;
	if (doc_is(jump, "banner.state", "known") && !doc_is(jump, "banner.result", "ssh"))
		return "does not answer as an SSH server";
	result = doc_str(jump, "kex.result");
	return result != NULL && strcmp(result, "done") != 0 && strcmp(result, "stalled") != 0
		   ? "breaks off the key exchange"
		   : NULL;
}

/* What the installed ssh said when a hop answered and yet did not carry it on, NULL when that is
 * not what happened. */
static const char *
login_trouble(const json_t *proxy)
{
	static const struct {
		const char *part, *words;
	} known[] = { { "Permission denied", "does not let you in" },
		      { "Too many authentication", "does not let you in" },
		      { "Host key verification failed",
			"shows a host key that this computer does not know" },
		      { "IDENTIFICATION HAS CHANGED",
			"shows another host key than the one on file" },
		      { "administratively prohibited", "forbids forwarding" } };
	const char *words = doc_str(proxy, "words");

	for (size_t i = 0; words != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(words, known[i].part) != NULL)
			return known[i].words;
	return doc_is(proxy, "stage", "jump") ? "does not let ssh through" : NULL;
}

static int
jump_finding(const struct facts *facts, const struct ssh_config *config, struct voice *voice)
{
	const json_t *jump = doc_get(facts->target, "jump"),
		     *proxy = doc_get(facts_section(facts, FACT_TCP), "proxy");
	const char *trouble = hop_trouble(jump), *said = NULL, *host = doc_str(jump, "host");
	struct finding *finding;

	if (trouble == NULL && (trouble = login_trouble(proxy)) != NULL) {
		said = doc_str(proxy, "words");
		host = doc_str(proxy, "hop") != NULL ? doc_str(proxy, "hop") : config->proxyjump;
	}
	if (config->proxyjump == NULL || trouble == NULL || host == NULL ||
	    (finding = speak(voice)) == NULL)
		return 0;
	add_common(finding, config);
	add_place(finding, config, "proxyjump");
	finding_text(finding, said == NULL ? "jump_host" : "hop", host);
	finding_number(finding, "jump_port", doc_int(jump, "port", 22));
	finding_text(finding, "trouble", trouble);
	finding_text(finding, "words", said);
	if (said != NULL)
		return finding_set(finding, FAIL, CODE_PROXYJUMP_BROKEN,
				   "the jump host %s %s: %s, so %s was never reached", host,
				   trouble, said, config->hostname);
	return finding_set(finding, FAIL, CODE_PROXYJUMP_BROKEN,
			   "the jump host %s port %d %s, so %s was never reached", host,
			   (int)doc_int(jump, "port", 22), trouble, config->hostname);
}

/* ---- remarks ---- */

static int
proxy_note(const struct facts *facts, const struct ssh_config *config, struct voice *voice)
{
	bool answers = doc_is(doc_get(facts->target, "jump"), "banner.result", "ssh");
	const char *proxy = config->proxyjump != NULL ? config->proxyjump : config->proxycommand;
	struct finding *finding;

	if (proxy == NULL || (finding = speak(voice)) == NULL)
		return 0;
	add_common(finding, config);
	add_place(finding, config, config->proxyjump != NULL ? "proxyjump" : "proxycommand");
	finding_text(finding, "proxy", proxy);
	return finding_set(finding, PASS, CODE_PROXY_IN_USE, "ssh goes to %s through %s%s",
			   config->hostname, proxy, answers ? ", which answers" : "");
}

static int
exec_note(const struct ssh_config *config, struct voice *voice)
{
	struct finding *finding;

	if (config->match_exec == NULL || (finding = speak(voice)) == NULL)
		return 0;
	finding_text(finding, "command", config->match_exec);
	finding_text(finding, "file", doc_str(config->section, "match_exec_file"));
	finding_number(finding, "line", doc_int(config->section, "match_exec_line", 0));
	return finding_set(
	    finding, PASS, CODE_MATCH_EXEC,
	    "ssh runs a command whenever it reads its configuration (Match exec): %s",
	    config->match_exec);
}

static int
master_note(const struct ssh_config *config, struct voice *voice)
{
	struct finding *finding;

	if (!doc_bool(config->section, "controlmaster.answers", false) ||
	    (finding = speak(voice)) == NULL)
		return 0;
	add_common(finding, config);
	return finding_set(finding, PASS, CODE_CONTROLMASTER_ACTIVE,
			   "ssh would reuse a connection that is open already (%s); what was "
			   "tested here is a new one, whether the old one still works was not",
			   config->controlpath);
}

static int
user_note(const struct ssh_config *config, struct voice *voice)
{
	struct finding *finding;

	if (!doc_same(config->user_from, "vm") || config->user == NULL ||
	    config->local_user == NULL || strcmp(config->user, config->local_user) == 0 ||
	    (finding = speak(voice)) == NULL)
		return 0;
	add_common(finding, config);
	return finding_set(
	    finding, PASS, CODE_USER_FROM_VM,
	    "no user was given: the VM's %s is assumed, where plain ssh would log in as %s",
	    config->user, config->local_user);
}

static int
healthy(const struct ssh_config *config, struct voice *voice)
{
	struct finding *finding = speak(voice);

	if (finding == NULL)
		return -ENOMEM;
	add_common(finding, config);
	return finding_set(finding, PASS, CODE_SSH_CONFIG_OK, "ssh goes to %s port %d as %s",
			   config->hostname, config->port,
			   config->user != NULL ? config->user : "the local user");
}

int
check_ssh_config(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const char *reason, *cause = doc_str(facts_section(facts, FACT_SSH_CONFIG), "cause");
	enum fact_state state = facts_state(facts, FACT_SSH_CONFIG, &reason);
	struct voice voice = { .finding = finding };
	struct ssh_config config;
	int r;

	if (state == FACT_UNKNOWN && doc_same(cause, "ssh-config"))
		return refused_finding(facts, facts_section(facts, FACT_SSH_CONFIG), finding);
	if ((r = client_finding(facts, rule, &voice)) < 0 ||
	    (voice.used && finding->status == FAIL))
		return r;
	if (ssh_config_from_facts(facts, &config) < 0) {
		if (voice.used)
			return 0;
		if (state == FACT_NOT_ASKED || state == FACT_PENDING)
			return finding_set(finding, SKIP, CODE_NOT_ASKED, "%s",
					   reason != NULL ? reason
							  : "ssh's configuration was not read");
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN, "%s is not known: %s",
				   facts_section_words(FACT_SSH_CONFIG), reason);
	}
	if ((r = control_finding(&config, &voice)) < 0 ||
	    (r = alias_finding(facts, &config, &voice)) < 0 ||
	    (r = jump_finding(facts, &config, &voice)) < 0 ||
	    (r = user_finding(facts, &config, &voice)) < 0)
		return r;
	if (!voice.used && (r = healthy(&config, &voice)) < 0)
		return r;
	if ((r = proxy_note(facts, &config, &voice)) < 0 || (r = exec_note(&config, &voice)) < 0 ||
	    (r = master_note(&config, &voice)) < 0)
		return r;
	return user_note(&config, &voice);
}
