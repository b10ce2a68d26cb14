#include "report/report.h"
#include "facts/doc.h"

#include <string.h>

enum hop_state { HOP_NOT_SAID, HOP_OK, HOP_UNKNOWN, HOP_NOT_REACHED, HOP_BLOCKED };

/* The way of a connection: each hop is judged by these checks; `wire` hops are where packets really
 * went. A bad key stops nothing before the login. */
static const struct stretch {
	const char *name;
	bool wire;
	const char *checks[8];
	const char *scope;     /* of the nsg check: which of its hops this is */
	const char *labels[3]; /* evidence that makes a good label, the first that is known */
} hops[] = {
	{ "client", false, { "ssh-config" }, NULL, { "option" } },
	{ "azure", false, { "azure-signin", "azure-access" }, NULL, { "credential" } },
	{ "vm", false, { "vm-found", "vm-state", "vm-os", "vm-boot" }, NULL, { "power_state" } },
	{ "public-ip", false, { "public-ip" }, NULL, { "address", "kind" } },
	{ "subnet-nsg", false, { "nsg" }, "subnet", { "rule" } },
	{ "nic-nsg", false, { "nsg" }, "nic", { "rule" } },
	{ "jit", false, { "jit" }, NULL, { "state" } },
	{ "route", false, { "route" }, NULL, { "next_hop", "next_hop_type" } },
	{ "tcp", true, { "dns", "tcp", "guest-firewall" }, NULL, { "result" } },
	{ "ssh", true, { "banner", "kex", "guest-sshd", "guest-disk" }, NULL, { "software" } },
	{ "host-key", true, { "host-key" }, NULL, { "type" } },
	{ "auth",
	  true,
	  { "auth", "key-file", "key-permissions", "key-format", "key-agent", "guest-account",
	    "guest-keys" },
	  NULL,
	  { "defect", "mode", "accepted" } },
};

#define HOPS (sizeof(hops) / sizeof(hops[0]))

struct said {
	enum hop_state state;
	const struct finding *by; /* the finding that decided */
};

static const struct finding *
find(const struct finding *findings, size_t count, const char *check)
{
	for (size_t i = 0; i < count; i++)
		if (findings[i].check != NULL && strcmp(findings[i].check, check) == 0)
			return &findings[i];
	return NULL;
}

static enum hop_state
state_of(const struct finding *finding)
{
	switch (finding->status) {
	case PASS:
	case WARN:
		return HOP_OK;
	case FAIL:
		return finding->explained_by != NULL ? HOP_NOT_REACHED : HOP_BLOCKED;
	case UNKNOWN:
		return finding->explained_by != NULL ? HOP_NOT_REACHED : HOP_UNKNOWN;
	default:
		return finding->id == CODE_NOT_REACHED ? HOP_NOT_REACHED : HOP_NOT_SAID;
	}
}

/* The nsg check speaks for two hops: what it does not name was passed when it comes before, and not
 * reached when it comes after.
 */
static enum hop_state
scoped_state(const struct finding *finding, const char *scope)
{
	const char *named = doc_str(finding->evidence, "scope");
	enum hop_state state = state_of(finding);

	if (scope != NULL && named == NULL && state == HOP_BLOCKED)
		named = "subnet";
	if (scope == NULL || named == NULL || state == HOP_OK || strcmp(named, scope) == 0)
		return state;
	if (strcmp(named, "nic") == 0)
		return state == HOP_BLOCKED || state == HOP_UNKNOWN ? HOP_OK : state;
	return strcmp(named, "admin") == 0 && strcmp(scope, "subnet") == 0 ? state
									   : HOP_NOT_REACHED;
}

static void
hear(struct said *said, const struct finding *finding, const struct stretch *hop)
{
	enum hop_state state = scoped_state(finding, hop->scope);

	if (state > said->state || said->by == NULL ||
	    (state == said->state && said->by->status == SKIP))
		*said = (struct said){ state > said->state ? state : said->state, finding };
	for (size_t i = 0; i < finding->also_count; i++)
		if (finding->also[i].status == FAIL && said->state != HOP_BLOCKED)
			hear(said, &finding->also[i], hop);
}

/* The last hop that was seen to work: what the server answered proves all hops before it. */
static size_t
proven_hop(const struct finding *findings, size_t count)
{
	static const struct {
		const char *check;
		size_t hop;
	} proofs[] = {
		{ "auth", 11 }, { "host-key", 10 }, { "kex", 9 }, { "banner", 8 }, { "tcp", 8 }
	};

	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		const struct finding *finding = find(findings, count, proofs[i].check);
		bool tcp =
		    finding != NULL && doc_is(finding->evidence, "result", "connected") && i == 4;

		if (finding != NULL && (tcp || finding->status == PASS || finding->status == WARN))
			return proofs[i].hop + 1;
	}
	return 0;
}

static bool
has_label(const json_t *one)
{
	return *doc_str(one, "label") != '\0';
}

static void
set_label(json_t *one, const struct stretch *hop, const struct said *said, enum hop_state state)
{
	const struct finding *by = said->by;
	const char *rule;

	doc_set_str(one, "label", "");
	if (by == NULL || state == HOP_NOT_REACHED || (state == HOP_OK && said->state != HOP_OK))
		return;
	rule = doc_str(by->evidence, "rule");
	if (hop->scope != NULL && rule != NULL && doc_get(by->evidence, "priority") != NULL &&
	    (state != HOP_OK || doc_is(by->evidence, "scope", hop->scope))) {
		doc_set_fmt(one, "label", "%s (%" JSON_INTEGER_FORMAT ")", rule,
			    doc_int(by->evidence, "priority", 0));
		return;
	}
	for (size_t i = 0;
	     hop->scope == NULL && by->status != SKIP && i < 3 && hop->labels[i] != NULL; i++) {
		const char *text = doc_str(by->evidence, hop->labels[i]);

		if (text != NULL && text[0] != '\0' && strcmp(text, "-") != 0 && !has_label(one))
			doc_set_str(one, "label", text);
	}
	if (!has_label(one) && state != HOP_OK)
		doc_set_str(one, "label", by->code);
}

static bool
is_cause(const struct said *said, const struct diagnosis *diagnosis)
{
	return diagnosis->verdict == FAIL && said->by != NULL && said->state == HOP_BLOCKED &&
	       diagnosis->cause != NULL && strcmp(said->by->check, diagnosis->cause->check) == 0;
}

json_t *
report_path(const struct finding *findings, size_t count, const struct diagnosis *diagnosis)
{
	static const char *const words[] = { [HOP_NOT_SAID] = "unknown",
					     [HOP_OK] = "ok",
					     [HOP_UNKNOWN] = "unknown",
					     [HOP_BLOCKED] = "blocked",
					     [HOP_NOT_REACHED] = "not-reached" };
	size_t proven = proven_hop(findings, count);
	json_t *path = json_array();
	bool blocked = false;

	for (size_t i = 0; i < HOPS; i++) {
		struct said said = { HOP_NOT_SAID, NULL };
		json_t *one = json_object();
		enum hop_state state;

		for (size_t j = 0; j < 8 && hops[i].checks[j] != NULL; j++) {
			const struct finding *finding = find(findings, count, hops[i].checks[j]);

			if (finding != NULL)
				hear(&said, finding, &hops[i]);
		}
		state = said.state;
		if (!is_cause(&said, diagnosis)) {
			bool reached = hops[i].wire && state == HOP_BLOCKED && proven >= i;

			if (i < proven)
				state = HOP_OK;
			else if (blocked && !reached)
				state = HOP_NOT_REACHED;
		}
		blocked = blocked || state == HOP_BLOCKED;
		doc_set_str(one, "hop", hops[i].name);
		doc_set_str(one, "state", words[state]);
		set_label(one, &hops[i], &said, state);
		json_array_append_new(path, one);
	}
	return path;
}
