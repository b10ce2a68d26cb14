/* What the packet filter of the VM does with a new TCP connection to the port, from the rules as
 * the script prints them: flat, in order, one a line. What is not understood makes the answer
 * unsure, never certain. */
#include "model/guest.h"
#include "model/prefix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };
enum action { ACTION_NONE, ACTION_ACCEPT, ACTION_DROP, ACTION_REJECT, ACTION_RETURN };

struct packet {
	const char *source; /* NULL: not known */
	json_int_t port;
};

struct rule {
	enum match match;
	enum action action;
	bool by_source;
};

static void
weaken(enum match *match, enum match by)
{
	*match = by < *match ? by : *match;
}

/* ---- words ---- */

enum { WORDS_MAX = 48 };

struct words {
	char *text, *at[WORDS_MAX];
	size_t count;
};

static void
words_split(struct words *words, const char *text)
{
	char *save = NULL;

	*words = (struct words){ .text = strdup(text) };
	for (char *p = strtok_r(words->text, " ", &save); p != NULL && words->count < WORDS_MAX;
	     p = strtok_r(NULL, " ", &save))
		words->at[words->count++] = p;
}

static const char *
at(const struct words *words, size_t i)
{
	return i < words->count ? words->at[i] : "";
}

static bool
is(const struct words *words, size_t i, const char *text)
{
	return strcmp(at(words, i), text) == 0;
}

/* ---- values ---- */

/* "22", "ssh", "20-30", "20:30". */
static bool
port_in(const char *text, json_int_t port)
{
	char *end;
	long long from = strtoll(text, &end, 10), to = from;

	if (strcmp(text, "ssh") == 0)
		return port == 22;
	if (end == text)
		return false;
	if (*end == '-' || *end == ':')
		to = strtoll(end + 1, NULL, 10);
	return port >= from && port <= to;
}

static bool
address_in(const char *text, const char *source)
{
	struct ip_range range;
	struct ip ip;

	return source != NULL && ip_parse(source, &ip) == 0 && prefix_parse(text, &range) == 0 &&
	       range_has(&range, ip);
}

/* One value, or "{ a, b }" of nftables; *i comes to stand on its last word. A named set, and a
 * source that is not known, are unsure. */
static enum match
in_values(const struct words *words, size_t *i, const struct packet *packet, bool ports)
{
	bool negated = is(words, *i, "!="), set, found = false, last = false;

	*i += negated;
	if (at(words, *i)[0] == '@' || (!ports && packet->source == NULL)) {
		while (is(words, *i, "{") || strchr(at(words, *i), ',') != NULL)
			++*i;
		return MATCH_MAYBE;
	}
	set = is(words, *i, "{");
	for (*i += set; *i < words->count && !last; ++*i) {
		char *one = words->at[*i];

		last = !set;
		if (strcmp(one, "}") == 0)
			break;
		one[strcspn(one, ",")] = '\0';
		found |= ports ? port_in(one, packet->port) : address_in(one, packet->source);
	}
	*i -= last;
	return found != negated ? MATCH_YES : MATCH_NO;
}

/* Connection states: is a new connection among them? */
static enum match
in_states(const char *states)
{
	return strcasestr(states, "new") != NULL || strcasestr(states, "untracked") != NULL
		   ? MATCH_YES
		   : MATCH_NO;
}

/* ---- nftables ---- */

/* The words of one condition at *i, which comes to stand on its last one. */
static void
nft_condition(const struct words *words, size_t *i, const struct packet *packet, struct rule *rule)
{
	size_t k = *i;

	if ((is(words, k, "tcp") || is(words, k, "th")) && is(words, k + 1, "dport")) {
		*i = k + 2;
		weaken(&rule->match, in_values(words, i, packet, true));
	} else if (is(words, k, "ip") && is(words, k + 1, "saddr")) {
		*i = k + 2;
		weaken(&rule->match, in_values(words, i, packet, false));
		rule->by_source = true;
	} else if (is(words, k, "ct") && is(words, k + 1, "state")) {
		char states[256] = "";

		for (*i = k + 2; *i < words->count; ++*i) {
			bool more = strchr(at(words, *i), ',') != NULL || is(words, *i, "{");

			strncat(states, at(words, *i), sizeof(states) - strlen(states) - 1);
			if (!more && !is(words, *i + 1, "}"))
				break;
		}
		weaken(&rule->match, in_states(states));
	} else if ((is(words, k, "meta") && is(words, k + 1, "l4proto")) ||
		   (is(words, k, "ip") && is(words, k + 1, "protocol"))) {
		weaken(&rule->match,
		       is(words, k + 2, "tcp") || is(words, k + 2, "6") ? MATCH_YES : MATCH_MAYBE);
		*i = k + 2;
	} else if (is(words, k, "meta") && is(words, k + 1, "nfproto")) {
		weaken(&rule->match, is(words, k + 2, "ipv6") ? MATCH_NO : MATCH_YES);
		*i = k + 2;
	} else if (is(words, k, "iif") || is(words, k, "iifname")) {
		weaken(&rule->match,
		       strstr(at(words, k + 1), "lo") != NULL && !is(words, k + 1, "!=")
			   ? MATCH_NO
			   : MATCH_MAYBE);
		*i = k + (is(words, k + 1, "!=") ? 2 : 1);
	} else if (is(words, k, "udp") || is(words, k, "icmp") || is(words, k, "ip6")) {
		weaken(&rule->match, MATCH_NO);
		*i = words->count;
	} else {
		weaken(&rule->match, MATCH_MAYBE);
	}
}

static struct rule
nft_rule(const struct words *words, size_t from, const struct packet *packet)
{
	struct rule rule = { .match = MATCH_YES };

	for (size_t i = from; i < words->count; i++) {
		if (is(words, i, "accept"))
			rule.action = ACTION_ACCEPT;
		else if (is(words, i, "drop"))
			rule.action = ACTION_DROP;
		else if (is(words, i, "reject"))
			rule.action = ACTION_REJECT;
		else if (is(words, i, "return"))
			rule.action = ACTION_RETURN;
		else if (is(words, i, "counter"))
			continue;
		else
			nft_condition(words, &i, packet, &rule);
		if (rule.action != ACTION_NONE)
			break; /* what follows says how it rejects */
	}
	return rule;
}

/* ---- iptables ---- */

static struct rule
iptables_rule(const struct words *words, size_t from, const struct packet *packet)
{
	struct rule rule = { .match = MATCH_YES };

	for (size_t i = from; i < words->count; i++) {
		const char *value = at(words, i + 1);
		bool negated = i > from && is(words, i - 1, "!");

		if (is(words, i, "!"))
			continue;
		if (is(words, i, "-p") || is(words, i, "-m") || is(words, i, "--comment")) {
			if (is(words, i, "-p") && strcmp(value, "tcp") != 0 &&
			    strcmp(value, "all") != 0)
				weaken(&rule.match, MATCH_NO);
		} else if (is(words, i, "--dport")) {
			weaken(&rule.match,
			       port_in(value, packet->port) != negated ? MATCH_YES : MATCH_NO);
		} else if (is(words, i, "--dports")) {
			char *list = strdup(value), *save = NULL;
			bool found = false;

			for (char *p = strtok_r(list, ",", &save); p != NULL;
			     p = strtok_r(NULL, ",", &save))
				found |= port_in(p, packet->port);
			free(list);
			weaken(&rule.match, found != negated ? MATCH_YES : MATCH_NO);
		} else if (is(words, i, "-s")) {
			rule.by_source = true;
			if (packet->source == NULL)
				weaken(&rule.match, MATCH_MAYBE);
			else
				weaken(&rule.match, address_in(value, packet->source) != negated
							? MATCH_YES
							: MATCH_NO);
		} else if (is(words, i, "--state") || is(words, i, "--ctstate")) {
			weaken(&rule.match, in_states(value));
		} else if (is(words, i, "-i")) {
			weaken(&rule.match,
			       strcmp(value, "lo") == 0 && !negated ? MATCH_NO : MATCH_MAYBE);
		} else if (is(words, i, "-j")) {
			if (strcmp(value, "ACCEPT") == 0)
				rule.action = ACTION_ACCEPT;
			else if (strcmp(value, "DROP") == 0)
				rule.action = ACTION_DROP;
			else if (strcmp(value, "REJECT") == 0)
				rule.action = ACTION_REJECT;
			else if (strcmp(value, "RETURN") == 0)
				rule.action = ACTION_RETURN;
			break;
		} else {
			weaken(&rule.match, MATCH_MAYBE);
			continue;
		}
		i++;
	}
	return rule;
}

/* ---- a chain ---- */

struct chain {
	bool ended, doubt; /* a rule before may have accepted */
};

static void
decide(const struct rule *rule, const char *text, const char *tool, struct chain *chain,
       struct guest_filter *ret)
{
	bool shuts = rule->action == ACTION_DROP || rule->action == ACTION_REJECT;

	if (chain->ended || rule->match == MATCH_NO || rule->action == ACTION_NONE)
		return;
	if (rule->match == MATCH_MAYBE || rule->action == ACTION_RETURN) {
		chain->doubt = true;
		return;
	}
	chain->ended = true;
	if (!shuts || (ret->verdict == GUEST_SHUT))
		return;
	ret->verdict = chain->doubt ? GUEST_UNSURE : GUEST_SHUT;
	ret->rejects = rule->action == ACTION_REJECT;
	ret->by_source = rule->by_source;
	ret->tool = tool;
	snprintf(ret->rule, sizeof(ret->rule), "%s", text);
}

static void
judge_nft(const char *line, const struct packet *packet, struct chain *chain,
	  struct guest_filter *ret)
{
	struct words words;
	struct rule rule;

	words_split(&words, line);
	if (is(&words, 1, "chain")) {
		*chain = (struct chain){ false, false };
	} else if (is(&words, 1, "policy")) {
		rule =
		    (struct rule){ .match = MATCH_YES,
				   .action = is(&words, 2, "drop") ? ACTION_DROP : ACTION_ACCEPT };
		decide(&rule, "policy drop", "nftables", chain, ret);
	} else {
		rule = nft_rule(&words, 1, packet);
		decide(&rule, line + 4, "nftables", chain, ret);
	}
	free(words.text);
}

/* "iptables -P INPUT DROP" comes first and holds at the end. */
static void
judge_iptables(const char *line, const struct packet *packet, struct chain *chain, bool *policy,
	       struct guest_filter *ret)
{
	struct words words;
	struct rule rule;

	words_split(&words, line);
	if (is(&words, 1, "-P") && is(&words, 2, "INPUT"))
		*policy = is(&words, 3, "DROP");
	if (is(&words, 1, "-A") && is(&words, 2, "INPUT")) {
		rule = iptables_rule(&words, 3, packet);
		decide(&rule, line + 9, "iptables", chain, ret);
	}
	free(words.text);
}

/* ---- ufw ---- */

/* "22/tcp ALLOW IN Anywhere", "OpenSSH LIMIT 10.0.0.0/8": the action, NONE when it is for another
 * port or source. */
static enum action
ufw_rule(const struct words *words, const struct packet *packet)
{
	static const struct {
		const char *word;
		enum action action;
	} actions[] = { { "ALLOW", ACTION_ACCEPT },
			{ "LIMIT", ACTION_ACCEPT },
			{ "DENY", ACTION_DROP },
			{ "REJECT", ACTION_REJECT } };
	char place[64];
	const char *source;
	bool port;

	for (size_t i = 2; i < words->count; i++)
		for (size_t a = 0; a < sizeof(actions) / sizeof(*actions); a++) {
			if (!is(words, i, actions[a].word))
				continue;
			snprintf(place, sizeof(place), "%s", at(words, 1));
			port = strcmp(place, "Anywhere") == 0 ||
			       (packet->port == 22 &&
				(strcmp(place, "OpenSSH") == 0 || strcmp(place, "SSH") == 0));
			if (strstr(place, "/udp") == NULL)
				port |= port_in(place, packet->port);
			source = at(words, i + 1 + is(words, i + 1, "IN"));
			if (strcmp(source, "Anywhere") != 0 && packet->source != NULL &&
			    !address_in(source, packet->source))
				return ACTION_NONE;
			return port ? actions[a].action : ACTION_NONE;
		}
	return ACTION_NONE;
}

static void
judge_ufw(const char *line, const struct packet *packet, struct chain *chain, bool *denies,
	  struct guest_filter *ret)
{
	struct words words;
	struct rule rule = { .match = MATCH_YES };

	words_split(&words, line);
	if (is(&words, 1, "Default:")) {
		*denies = !is(&words, 2, "allow");
	} else {
		rule.action = ufw_rule(&words, packet);
		decide(&rule, line + 4, "ufw", chain, ret);
	}
	free(words.text);
}

/* ---- firewalld ---- */

/* Does a ";NAME=a b c;" list of the zone hold the word? */
static bool
zone_lists(const char *line, const char *name, const char *wanted, json_int_t port)
{
	const char *at_list = strstr(line, name);
	char *copy, *save = NULL;
	bool found = false;

	if (at_list == NULL)
		return false;
	at_list += strlen(name);
	copy = strndup(at_list, strcspn(at_list, ";"));
	for (char *p = strtok_r(copy, " ", &save); p != NULL; p = strtok_r(NULL, " ", &save))
		found |= strcmp(p, wanted) == 0 ||
			 (port > 0 && strstr(p, "/udp") == NULL && port_in(p, port));
	free(copy);
	return found;
}

static void
judge_firewalld(const char *line, const struct packet *packet, struct guest_filter *ret)
{
	bool open = strstr(line, "target=ACCEPT") != NULL ||
		    (packet->port == 22 && zone_lists(line, "services=", "ssh", 0)) ||
		    zone_lists(line, "ports=", "", packet->port);

	if (open || strstr(line, "rule ") != NULL) {
		/* rich rules are not judged */
		if (ret->tool == NULL || open)
			*ret = (struct guest_filter){ .verdict = open ? GUEST_OPEN : GUEST_UNSURE,
						      .tool = "firewalld" };
		return;
	}
	if (ret->tool != NULL)
		return; /* another zone decides */
	ret->tool = "firewalld";
	ret->verdict = GUEST_SHUT;
	ret->rejects = strstr(line, "target=DROP") == NULL;
	snprintf(ret->rule, sizeof(ret->rule), "%s", line + strlen("firewalld "));
}

void
guest_filter_judge(const struct fact_guest *guest, struct guest_filter *ret)
{
	const struct packet packet = { guest->source, guest->port };
	struct chain nft = { false, false }, iptables = nft, ufw = nft;
	bool policy = false, denies = false, has_ufw = false;
	const struct rule drop = { .match = MATCH_YES, .action = ACTION_DROP };

	*ret = (struct guest_filter){ .verdict = GUEST_OPEN };
	for (size_t i = 0; i < guest->firewall_count; i++) {
		const char *line = guest->firewall[i];

		if (strncmp(line, "nft ", 4) == 0)
			judge_nft(line, &packet, &nft, ret);
		else if (strncmp(line, "iptables ", 9) == 0)
			judge_iptables(line, &packet, &iptables, &policy, ret);
		else if (strncmp(line, "ufw ", 4) == 0)
			judge_ufw(line, &packet, &ufw, &denies, ret);
		else if (strncmp(line, "firewalld ", 10) == 0)
			judge_firewalld(line, &packet, ret);
		has_ufw |= strncmp(line, "ufw ", 4) == 0;
	}
	if (policy)
		decide(&drop, "-P INPUT DROP", "iptables", &iptables, ret);
	if (has_ufw && denies)
		decide(&drop, "Default: deny (incoming), and no rule allows the port", "ufw", &ufw,
		       ret);
}
