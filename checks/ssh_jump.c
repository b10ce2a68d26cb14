#include "checks/ssh_jump.h"
#include "checks/keys.h"
#include "checks/ssh_options.h"
#include "checks/ssh_word.h"
#include "facts/words.h"

#include <stdlib.h>
#include <string.h>

/* What keeps the first hop from being used, NULL when nothing that was seen does. */
static const char *
hop_trouble(const struct fact_jump *jump)
{
	static const char *const tcp[] = {
		[TCP_REFUSED] = "refuses connections",
		[TCP_TIMEOUT] = "does not answer",
		[TCP_UNREACHABLE] = "cannot be reached",
		[TCP_PROHIBITED] = "is shut off by a firewall",
		[TCP_RESET] = "resets connections",
		[TCP_LOCAL] = "cannot be connected to from this computer"
	};
	enum kex_result kex = jump->kex.result;

	if (jump->dns.state == FACT_ABSENT)
		return "has no address in DNS";
	if (tcp[jump->tcp.result] != NULL)
		return tcp[jump->tcp.result];
	if (jump->banner.state == FACT_KNOWN && jump->banner.result != BANNER_IS_SSH)
		return "does not answer as an SSH server";
	return kex != KEX_UNRECORDED && kex != KEX_DONE && kex != KEX_STALLED
		   ? "breaks off the key exchange"
		   : NULL;
}

/* What the installed ssh said when a hop answered and yet did not carry it on, NULL when that is
 * not what happened. */
static const char *
login_trouble(const char *words, bool at_hop)
{
	static const struct {
		const char *part, *words;
	} known[] = { { "Permission denied", "does not let you in" },
		      { "Too many authentication", "does not let you in" },
		      { "Host key verification failed",
			"shows a host key that this computer does not know" },
		      { "IDENTIFICATION HAS CHANGED",
			"shows another host key than the one in known_hosts" },
		      { "administratively prohibited", "forbids forwarding" } };
	for (size_t i = 0; words != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(words, known[i].part) != NULL)
			return known[i].words;
	return at_hop ? "does not let ssh through" : NULL;
}

/* The hop that failed behind its login, in ssh's words; NULL members when none did. */
struct refusal {
	const char *host, *words, *trouble;
};

static struct refusal
refusal_of(const struct scene *scene)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	const struct fact_tcp_proxy *proxy = scene->tcp->proxy;
	const struct fact_hop *hop = &scene->target.hop;
	const struct fact_rehearsal *stopped = ssh_stopped_at(scene, REHEARSAL_PROXY);
	struct refusal ret = { 0 };

	if (ssh_proxy_may_ask(scene))
		return ret;
	if (config->proxyjump != NULL && proxy != NULL) {
		ret.words = proxy->words;
		ret.host = proxy->hop != NULL ? proxy->hop : config->proxyjump;
		ret.trouble = login_trouble(ret.words, proxy->stage == PROXY_JUMP);
	} else if (hop->state == FACT_KNOWN && stopped != NULL && config->proxycommand != NULL) {
		ret.words = stopped->message;
		ret.host = hop->hostname;
		ret.trouble = login_trouble(ret.words, false);
	}
	if (ret.trouble == NULL || ret.host == NULL)
		ret = (struct refusal){ 0 };
	return ret;
}

/* ---- what the hop was asked with ---- */

/* A key that is named for the VM, by an option or in its own block, and not for the hop. */
static const struct fact_identity *
key_not_for_hop(const struct scene *scene)
{
	const struct fact_identities *ids = scene->identities;
	const struct fact_hop *hop = &scene->target.hop;

	for (size_t i = 0; i < ids->order_count; i++) {
		const struct fact_identity *one = &ids->order[i];
		bool by_agent = one->agent && !ssh_option_on(hop->identitiesonly) &&
				ssh_option(hop->identityagent) != NULL;

		if ((one->from == IDENTITY_OPTION || one->from == IDENTITY_CONFIG) &&
		    one->path != NULL && one->present && !by_agent &&
		    !word_among(one->path, hop->identityfile, hop->identityfile_count))
			return one;
	}
	return NULL;
}

/* Another user than the account's name is meant for the VM. */
static bool
guessed_user(const struct scene *scene)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	const struct fact_hop *hop = &scene->target.hop;

	return hop->user_default && hop->user != NULL && config->user != NULL &&
	       strcmp(config->user, hop->user) != 0;
}

/* What of it would explain that the hop lets nobody in; the sentence's end, which the caller frees.
 */
static char *
add_hop(const struct scene *scene, struct finding *finding)
{
	const struct fact_hop *hop = &scene->target.hop;
	const char *home = scene->machine.user.home != NULL ? scene->machine.user.home : "~", *at;
	const struct fact_identity *key;
	char *file;

	if (hop->state != FACT_KNOWN)
		return strdup("");
	file = scene->asked.ssh_config != NULL ? strdup(scene->asked.ssh_config)
					       : doc_fmt("%s/.ssh/config", home);
	at = hop->name != NULL ? strchr(hop->name, '@') : NULL;
	finding_text(finding, "hop_name", at != NULL ? at + 1 : hop->name);
	finding_text(finding, "hop_host", hop->hostname);
	finding_number(finding, "hop_port", hop->port);
	finding_text(finding, "hop_user", hop->user);
	finding_text(finding, "config_file", file);
	free(file);
	key = key_not_for_hop(scene);
	if (key != NULL)
		finding_text(finding, "hop_identity", key->path);
	if (scene->ssh_config->proxyjump == NULL ||
	    strchr(scene->ssh_config->proxyjump, ',') == NULL) { /* the only hop */
		finding_text(finding, "hop_try_key", key != NULL ? "yes" : NULL);
		finding_text(finding, "vm_user",
			     guessed_user(scene) ? scene->ssh_config->user : NULL);
	}
	if (key != NULL && guessed_user(scene))
		return doc_fmt(
		    "; it is asked as %s and without %s, which are named for the VM alone",
		    hop->user, key->path);
	if (key != NULL)
		return doc_fmt("; it is asked without %s, which is named for the VM alone",
			       key->path);
	return guessed_user(scene)
		   ? doc_fmt("; it is asked as %s, the account here; %s is named for the VM alone",
			     hop->user, scene->ssh_config->user)
		   : strdup("");
}

static void
refused(const struct scene *scene, const struct refusal *refusal, struct finding *finding)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	bool login = strstr(refusal->trouble, "let you in") != NULL;
	char *asked;

	finding_text(finding, "hop", refusal->host);
	finding_text(finding, "words", refusal->words);
	asked = login ? add_hop(scene, finding) : strdup("");
	finding_set(finding, FAIL, CODE_PROXYJUMP_BROKEN,
		    "the jump host %s %s: %s, so %s was never reached%s", refusal->host,
		    refusal->trouble, refusal->words, config->hostname, asked);
	free(asked);
}

void
ssh_jump(const struct scene *scene, struct finding *main)
{
	const struct fact_ssh_config *config = scene->ssh_config;
	const struct fact_jump *jump = &scene->target.jump;
	const char *trouble = hop_trouble(jump);
	struct refusal refusal = { 0 };
	struct finding *finding;

	if (trouble == NULL) {
		refusal = refusal_of(scene);
		trouble = refusal.trouble;
	}
	if (trouble == NULL ||
	    (refusal.host == NULL && (config->proxyjump == NULL || jump->host == NULL)))
		return;
	finding = finding_next(main);
	finding_text(finding, "hostname", config->hostname);
	finding_text(finding, "user", config->user);
	finding_number(finding, "port", config->port != 0 ? config->port : 22);
	finding_text(finding, "proxyjump",
		     config->proxyjump != NULL ? config->proxyjump : config->proxycommand);
	finding_text(finding, "trouble", trouble);
	if (config->places.proxyjump.line > 0) {
		finding_text(finding, "file", config->places.proxyjump.file);
		finding_number(finding, "line", config->places.proxyjump.line);
	}
	if (refusal.host != NULL) {
		refused(scene, &refusal, finding);
		return;
	}
	finding_text(finding, "jump_host", jump->host);
	finding_number(finding, "jump_port", jump->port);
	finding_set(finding, FAIL, CODE_PROXYJUMP_BROKEN,
		    "the jump host %s port %d %s, so %s was never reached", jump->host,
		    (int)jump->port, trouble, config->hostname);
}
