#include "report/report.h"
#include "checks/ssh_word.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum hop_state { HOP_NOT_SAID, HOP_OK, HOP_UNKNOWN, HOP_NOT_REACHED, HOP_BLOCKED };

/* The path as it is drawn, in the order in which packets pass it. */
static const struct stretch {
	const char *name;
	enum hop hop;
	const char *scope;     /* of the nsg check: which of its two this is */
	const char *labels[3]; /* evidence that makes a good label, the first that is known */
} path[REPORT_HOPS] = {
	{ "client", HOP_CLIENT, NULL, { "option" } },
	{ "azure", HOP_AZURE, NULL, { "credential" } },
	{ "vm", HOP_VM, NULL, { "power_state" } },
	{ "public-ip", HOP_PUBLIC_IP, NULL, { "address", "kind" } },
	{ "subnet-nsg", HOP_NSG, "subnet", { "rule" } },
	{ "nic-nsg", HOP_NSG, "nic", { "rule" } },
	{ "jit", HOP_JIT, NULL, { "state" } },
	{ "route", HOP_ROUTE, NULL, { "next_hop", "next_hop_type" } },
	{ "tcp", HOP_TCP, NULL, { "result" } },
	{ "ssh", HOP_SSH, NULL, { "software" } },
	{ "host-key", HOP_HOST_KEY, NULL, { "type" } },
	{ "auth", HOP_AUTH, NULL, { "defect", "mode", "accepted" } },
};

struct said {
	enum hop_state state;
	const struct finding *by; /* the finding that decided */
};

static const struct finding *
find(const struct finding *findings, size_t count, enum check_id check)
{
	for (size_t i = 0; i < count; i++)
		if (findings[i].check_id == check)
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
merge_state(struct said *said, const struct finding *finding, const struct stretch *hop)
{
	enum hop_state state = scoped_state(finding, hop->scope);

	if (state > said->state || said->by == NULL ||
	    (state == said->state && said->by->status == SKIP))
		*said = (struct said){ state > said->state ? state : said->state, finding };
	for (size_t i = 0; i < finding->also_count; i++)
		if (finding->also[i].status == FAIL && said->state != HOP_BLOCKED)
			merge_state(said, &finding->also[i], hop);
}

/* What all checks of a hop say; what was seen on the wire before what this computer holds. */
static struct said
judge_hop(const struct finding *findings, size_t count, const struct stretch *hop)
{
	struct said said = { HOP_NOT_SAID, NULL };

	for (int wire = 1; wire >= 0; wire--)
		for (enum check_id check = CHECK_NONE + 1; check < CHECK_COUNT; check++) {
			const struct finding *finding = find(findings, count, check);

			if (finding != NULL && check != CHECK_SSH_REHEARSAL && check != CHECK_LOG &&
			    check_table[check].hop == hop->hop &&
			    (check_table[check].medium == MEDIUM_WIRE) == (wire == 1))
				merge_state(&said, finding, hop);
		}
	return said;
}

/* A log speaks for the hop of the code that it comes to, and for nothing before it that packets of
 * its ssh did not pass. */
static enum hop
logged_hop(const struct finding *log)
{
	return log != NULL && log->status != PASS ? check_table[code_table[log->id].check].hop
						  : HOP_AUTH;
}

/* Where ssh itself stopped, HOP_COUNT when it did not: nothing behind is proven then, whatever the
 * conversation of this program has shown. */
static enum hop
stopped_hop(const struct finding *rehearsal)
{
	return rehearsal != NULL && rehearsal->status == FAIL ? ssh_rehearsal_hop(rehearsal->id)
							      : HOP_COUNT;
}

static bool
is_passed(const struct finding *finding)
{
	return finding != NULL && (finding->status == PASS || finding->status == WARN ||
				   (finding->check_id == CHECK_TCP &&
				    doc_is(finding->evidence, "result", "connected")));
}

/* The last hop that was seen to work, HOP_CLIENT for none: what the server answered proves all hops
 * before it. A check that is not the last of its hop proves the one before. */
static enum hop
proven_hop(const struct finding *findings, size_t count)
{
	enum hop after = HOP_COUNT;

	for (enum check_id check = CHECK_AUTH; check >= CHECK_TCP; check--) {
		enum hop hop = check_table[check].hop;

		if (is_passed(find(findings, count, check)))
			return hop == after ? hop - 1 : hop;
		after = hop;
	}
	return HOP_CLIENT;
}

/* The rule and its priority where one decided, else the first evidence that makes a label, else the
 * code. The caller frees. */
static char *
label_of(const struct stretch *hop, const struct said *said, enum hop_state state)
{
	const struct finding *by = said->by;
	const char *rule, *text;

	if (by == NULL || state == HOP_NOT_REACHED || (state == HOP_OK && said->state != HOP_OK))
		return strdup("");
	rule = doc_str(by->evidence, "rule");
	if (hop->scope != NULL && rule != NULL && doc_get(by->evidence, "priority") != NULL &&
	    (state != HOP_OK || doc_is(by->evidence, "scope", hop->scope)))
		return doc_fmt("%s (%" JSON_INTEGER_FORMAT ")", rule,
			       doc_int(by->evidence, "priority", 0));
	for (size_t i = 0;
	     hop->scope == NULL && by->status != SKIP && i < 3 && hop->labels[i] != NULL; i++) {
		text = doc_str(by->evidence, hop->labels[i]);
		if (text != NULL && text[0] != '\0' && strcmp(text, "-") != 0)
			return strdup(text);
	}
	return strdup(state != HOP_OK ? by->code : "");
}

static bool
is_cause(const struct said *said, const struct diagnosis *diagnosis)
{
	return diagnosis->verdict == FAIL && said->by != NULL && said->state == HOP_BLOCKED &&
	       diagnosis->cause != NULL && strcmp(said->by->check, diagnosis->cause->check) == 0;
}

int
report_path(const struct finding *findings, size_t count, const struct diagnosis *diagnosis,
	    struct report_hop ret[REPORT_HOPS])
{
	static const char *const words[] = { [HOP_NOT_SAID] = "unknown",
					     [HOP_OK] = "ok",
					     [HOP_UNKNOWN] = "unknown",
					     [HOP_BLOCKED] = "blocked",
					     [HOP_NOT_REACHED] = "not-reached" };
	const struct finding *rehearsal = find(findings, count, CHECK_SSH_REHEARSAL),
			     *log = find(findings, count, CHECK_LOG);
	enum hop proven = proven_hop(findings, count), stopped = stopped_hop(rehearsal);
	bool blocked = false;

	if (log != NULL && log->status == PASS)
		proven = HOP_AUTH;
	else if (log != NULL && log->status == FAIL && logged_hop(log) > HOP_TCP)
		proven = logged_hop(log) - 1;
	if (stopped <= proven)
		proven = stopped > HOP_CLIENT ? stopped - 1 : HOP_CLIENT;

	for (size_t i = 0; i < REPORT_HOPS; i++) {
		struct said said = judge_hop(findings, count, &path[i]);
		enum hop_state state;

		if (path[i].hop == stopped)
			merge_state(&said, rehearsal, &path[i]);
		if (log != NULL && path[i].hop == logged_hop(log))
			merge_state(&said, log, &path[i]);
		state = said.state;
		if (!is_cause(&said, diagnosis)) {
			bool reached = path[i].hop >= HOP_TCP && state == HOP_BLOCKED &&
				       path[i].hop <= proven + 1;

			if (path[i].hop <= proven && proven >= HOP_TCP)
				state = HOP_OK;
			else if (blocked && !reached)
				state = HOP_NOT_REACHED;
		}
		blocked = blocked || state == HOP_BLOCKED;
		ret[i] = (struct report_hop){ .name = path[i].name,
					      .state = words[state],
					      .label = label_of(&path[i], &said, state) };
		if (ret[i].label == NULL)
			return -ENOMEM;
	}
	return 0;
}
