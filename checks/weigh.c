#include "checks/weigh.h"
#include "checks/keys.h"
#include "checks/lock.h"
#include "checks/ssh_word.h"
#include "model/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The findings of one target, as the checks made them, and what overrides them. */
struct view {
	const struct scene *scene;
	const struct rules *rules;
	const char *proof; /* how the wire shows that packets reach the VM; NULL when it does not */
	const char *proxy; /* the host or command that ssh goes through; NULL for none */
	bool outside;      /* all rules allow: what drops packets is none of Azure's rules */
};

/* A new status and why; takes the summary, NULL of which is out of memory. */
static int
override(struct finding *finding, enum status status, const char *key, const char *value,
	 char *summary)
{
	if (summary == NULL)
		return -ENOMEM;
	free(finding->summary);
	finding->summary = summary;
	finding->status = status;
	finding_text(finding, key, value);
	return 0;
}

/* The wire outranks the model. Through another host the models judged packets from this computer,
 * which are not the ones that arrive. */
static int
weigh_model(const struct view *view, struct finding *finding)
{
	if (code_medium(finding->id, finding->check_id) != MEDIUM_MODEL ||
	    (finding->status != FAIL && finding->status != UNKNOWN))
		return 0;
	if (view->proof != NULL && finding->status == FAIL)
		return override(finding, WARN, "contradicted_by", view->proof,
				doc_fmt("%s; but %s, so something that these rules do not show "
					"allows you (a VPN, a proxy, another public address)",
					finding->summary, view->proof));
	if (view->proxy != NULL)
		return override(
		    finding, SKIP, "proxied_by", view->proxy,
		    doc_fmt("not judged, as ssh goes through %s; from this computer: %s",
			    view->proxy, finding->summary));
	return 0;
}

/* The fingerprint that ssh uses for a file: its entry's, which FILE.pub decides; else the file's
 * own. */
static const char *
offered_as(const struct scene *scene, const char *path)
{
	const struct fact_identity *entry = key_entry(scene, path);
	const struct fact_key *key = key_at(scene, path);

	if (entry != NULL && entry->fingerprint != NULL)
		return entry->fingerprint;
	return key != NULL ? key->fingerprint : NULL;
}

/* The server accepted a key that ssh can use: that another key is missing or wrong is a remark, no
 * failure. While ssh has a further key that the server was not asked about, what is wrong with one
 * file need not be what keeps the user out; and where it refused this file's key and another one
 * that is sound, repairing the file would not help. */
static void
weigh_key(const struct view *view, struct finding *finding)
{
	static const bool about_one_key[CHECK_COUNT] = {
		[CHECK_KEY_FILE] = true, [CHECK_KEY_PERMISSIONS] = true, [CHECK_KEY_FORMAT] = true
	};
	const struct scene *scene = view->scene;
	const char *accepted = scene->auth->accepted, *path = doc_str(finding->evidence, "path"),
		   *offered = offered_as(scene, path);
	bool beside;

	if (!about_one_key[finding->check_id] || finding->status != FAIL ||
	    finding->id == CODE_KEY_PATH_NOT_EXPANDED)
		return; /* that one ends ssh, whatever other keys there are */
	beside = accepted == NULL && !doc_same(scene->identities->explicit, path) &&
		 key_denied_beside(scene, path);
	if (accepted != NULL && (offered == NULL || strcmp(offered, accepted) != 0 ||
				 key_elsewhere(scene, accepted, path)))
		finding->status = WARN;
	else if (beside && key_server_says(scene, offered) == AUTH_DENIED)
		finding->status = WARN;
	else if (accepted == NULL && finding->confidence == CERTAIN && path != NULL &&
		 (beside || key_left_unasked(scene, path)))
		finding->confidence = LIKELY;
}

/* ssh itself came past what failed for this program at the same time. */
static int
weigh_by_ssh(const struct view *view, struct finding *finding)
{
	if (finding->status != FAIL || !ssh_came_past_finding(view->scene, finding))
		return 0;
	return override(finding, WARN, "contradicted_by", "ssh itself came past this",
			doc_fmt("%s; but ssh itself got past this, so the fault is not permanent",
				finding->summary));
}

/* A timeout although the VM runs and every rule allows: what is left cannot be told apart from
 * here. */
static int
weigh_timeout(const struct view *view, struct finding *finding)
{
	char *summary;
	int r;

	if (finding->id != CODE_TCP_TIMEOUT || finding->status != FAIL || !view->outside)
		return 0;
	if ((summary = strdup(finding->summary)) == NULL)
		return -ENOMEM;
	r = finding_likely(finding, FAIL, CODE_BLOCKED_OUTSIDE_AZURE_RULES, "%s", summary);
	free(summary);
	return r;
}

/* A waiver that is over says so where it was missed. */
static void
note_expired(struct finding *finding, const json_t *waiver)
{
	const char *owner = doc_str(waiver, "owner");
	char *summary =
	    doc_fmt("%s; its waiver%s%s ended on %s", finding->summary, owner != NULL ? " by " : "",
		    owner != NULL ? owner : "", doc_str(waiver, "expires"));

	free(finding->summary);
	finding->summary = summary;
	finding_value(finding, "waiver_expired", json_deep_copy(waiver));
}

/* A waived failure or warning is shown, with the waiver, and decides nothing. */
static void
apply_rules(const struct view *view, struct finding *finding)
{
	const char *severity = rules_severity(view->rules, finding->code);
	const json_t *waiver, *expired;

	if (finding->status != FAIL && finding->status != WARN)
		return;
	waiver = rules_waiver(view->rules, finding->code, view->scene->vm->id, view->scene->now,
			      &expired);
	if (waiver == NULL && expired != NULL)
		note_expired(finding, expired);
	if (waiver != NULL) {
		finding->status = SKIP;
		finding_value(finding, "waived", json_deep_copy(waiver));
	} else if (severity != NULL) {
		finding->status = strcmp(severity, "warn") == 0 ? WARN : FAIL;
	}
}

static const struct finding *
finding_of(const struct finding *findings, size_t count, enum check_id check)
{
	for (size_t i = 0; i < count; i++)
		if (findings[i].check_id == check)
			return &findings[i];
	return NULL;
}

/* At an address that is none of the VM's, its rules mean nothing. */
static bool
rules_allow(const struct finding *said, size_t count)
{
	const struct finding *nsg = finding_of(said, count, CHECK_NSG),
			     *vm = finding_of(said, count, CHECK_VM_STATE),
			     *config = finding_of(said, count, CHECK_SSH_CONFIG),
			     *address = finding_of(said, count, CHECK_PUBLIC_IP);

	if (address != NULL && address->id == CODE_AZURE_FIREWALL_DNAT_DEPENDS)
		return false; /* a filter in front is undecided */
	return nsg != NULL && nsg->status == PASS && vm != NULL &&
	       (vm->status == PASS || vm->status == WARN) &&
	       (config == NULL || config->id != CODE_CFG_HOST_ALIAS_OVERRIDE);
}

static struct view
view_of(const struct scene *scene, const struct rules *rules, const struct finding *said,
	size_t count)
{
	const char *proof = NULL;

	if (scene->accepted)
		proof = "the server accepted your key from here";
	else if (scene->answers)
		proof = "an SSH server answered from here";
	return (struct view){ .scene = scene,
			      .rules = rules,
			      .proof = proof,
			      .proxy = address_proxy(scene->facts),
			      .outside = rules_allow(said, count) };
}

static int
weigh_one(const struct view *view, struct finding *finding)
{
	int r;

	if ((r = weigh_by_ssh(view, finding)) < 0 || (r = weigh_model(view, finding)) < 0 ||
	    (r = weigh_timeout(view, finding)) < 0)
		return r;
	weigh_key(view, finding);
	return 0;
}

static int
weigh(const struct view *view, struct finding *finding)
{
	int r = weigh_one(view, finding);

	for (size_t i = 0; i < finding->also_count && r == 0; i++)
		r = weigh_one(view, &finding->also[i]);
	if (r == 0 && finding->status == FAIL)
		r = finding_note_lock(view->scene, finding);
	apply_rules(view, finding);
	for (size_t i = 0; i < finding->also_count; i++)
		apply_rules(view, &finding->also[i]);
	return r;
}

int
findings_weigh(const struct scene *scene, const struct rules *rules, const struct finding *said,
	       size_t count, struct finding *ret)
{
	struct view view = view_of(scene, rules, said, count);
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		if ((r = finding_copy(&said[i], &ret[i])) == 0)
			r = weigh(&view, &ret[i]);
	return r;
}
