#include "checks/nsg.h"
#include "facts/arm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "deny by DenyAllInBound (65500) of myVM-nsg"; the caller frees. */
static char *
verdict_words(const struct nsg_judgement *judgement)
{
	const struct nsg_gate *gate = judgement->deciding;
	const struct nsg_rule *rule = gate != NULL ? gate->result.decider : NULL;

	if (!nsg_is_definite(judgement))
		return doc_fmt("leave it open");
	if (rule == NULL)
		return doc_fmt("say %s", nsg_verdict_word(judgement->verdict));
	return doc_fmt("say %s by %s (%d) of %s", nsg_verdict_word(judgement->verdict), rule->name,
		       rule->priority,
		       gate->nsg.name != NULL && *gate->nsg.name != '\0'
			   ? gate->nsg.name
			   : arm_id_name(gate->ref.id));
}

/* Both answers beside each other; ours stands, and is no longer certain. Where ours allows, theirs
 * denies and nothing came back on the wire, theirs is most likely why. */
static int
add_opinion(const struct scene *scene, const struct nsg_judgement *ours, bool denies,
	    const char *theirs, struct finding *finding)
{
	const struct inbound *in = &scene->inbound;
	bool borne_out = denies && ours->verdict == NSG_ALLOW && scene->timed_out;
	char *own = verdict_words(ours), *words = NULL;
	struct finding *also = finding_also(finding);
	int r = -ENOMEM;

	if (also != NULL && own != NULL &&
	    (words = doc_fmt("the rules as written %s, %s", own, theirs)) != NULL) {
		finding_text(also, "second_opinion", words);
		inbound_evidence(in, also);
		finding_number(also, "port", in->flow.port);
		r = finding_set(also, borne_out ? FAIL : WARN, CODE_NSG_SECOND_OPINION, "%s%s",
				words, borne_out ? ", and nothing came back" : "");
		also->confidence = finding->confidence = LIKELY;
	}
	free(words);
	free(own);
	return r;
}

static int
compare_effective(const struct scene *scene, const struct nsg_judgement *effective,
		  struct finding *finding)
{
	const struct nsg_judgement *raw = &scene->nsg;
	char *own, *words;
	int r;

	if (!nsg_is_definite(raw) || !nsg_is_definite(effective) ||
	    raw->verdict == effective->verdict)
		return 0;
	own = verdict_words(effective);
	words = own != NULL ? doc_fmt("the effective rules that Azure computes %s", own) : NULL;
	r = words != NULL ? add_opinion(scene, raw, effective->verdict == NSG_DENY, words, finding)
			  : -ENOMEM;
	free(words);
	free(own);
	return r;
}

/* The question that was put to IP flow verify is about the flow that the check judges. */
static bool
same_flow(const struct nsg_verified *asked, const struct inbound *in)
{
	return in->source_known && doc_same(asked->remote, in->source_text) &&
	       doc_same(asked->local, in->path->private_text) && asked->port == in->flow.port;
}

static int
compare_verified(const struct scene *scene, const struct nsg_verified *verified,
		 const struct nsg_judgement *effective, struct finding *finding)
{
	const struct nsg_judgement *ours = &scene->nsg;
	bool allow = doc_same(verified->access, "Allow"),
	     known = allow || doc_same(verified->access, "Deny");
	const char *rule = verified->rule != NULL ? verified->rule : "no rule";
	char *words;
	int r;

	if (!nsg_is_definite(ours) && effective != NULL && nsg_is_definite(effective))
		ours = effective;
	if (!same_flow(verified, &scene->inbound)) {
		finding_text(finding, "ip_flow", "was asked about another port or address");
		return 0;
	}
	words = doc_fmt("%s by %s", known ? verified->access : "an answer that is not understood",
			rule);
	finding_text(finding, "ip_flow", words);
	free(words);
	if (!known || (nsg_is_definite(ours) && (ours->verdict == NSG_ALLOW) == allow))
		return 0;
	words = doc_fmt("IP flow verify says %s by %s", allow ? "allow" : "deny", rule);
	r = add_opinion(scene, ours, !allow, words, finding);
	free(words);
	return r;
}

int
nsg_opinions(const struct scene *scene, const struct nsg_judgement *effective,
	     struct finding *finding)
{
	struct nsg_verified verified;
	int r = effective != NULL ? compare_effective(scene, effective, finding) : 0;

	if (r < 0 || !nsg_verified(scene->facts, scene->inbound.path, &verified))
		return r;
	if (verified.why == NULL)
		return compare_verified(scene, &verified, effective, finding);
	finding_text(finding, "ip_flow", FACT_GET(verified.why, missing, reason));
	finding_text(finding, "ip_flow_action", FACT_GET(verified.why, missing, action));
	return 0;
}
