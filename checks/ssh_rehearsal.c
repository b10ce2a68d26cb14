#include "checks/ssh_word.h"
#include "checks/talk.h"

#include <string.h>

static void
add_evidence(const struct fact_rehearsal *rehearsal, struct finding *finding)
{
	json_t *lines = json_array();

	finding_text(finding, "reached", FACT_WORD(rehearsal_stage, rehearsal->reached));
	finding_text(finding, "message", rehearsal->message);
	if (rehearsal->exit_status >= 0)
		finding_number(finding, "exit_status", rehearsal->exit_status);
	finding_text(finding, "fault", FACT_WORD(rehearsal_fault, rehearsal->fault));
	finding_text(finding, "algorithm", rehearsal->kex);
	for (size_t i = 0; i < rehearsal->lines_count && !rehearsal->through; i++)
		doc_append_str(lines, rehearsal->lines[i]);
	if (json_array_size(lines) > 0)
		finding_value(finding, "lines", json_incref(lines));
	json_decref(lines);
}

static int
judge_through(const struct fact_rehearsal *rehearsal, struct finding *finding)
{
	if (rehearsal->admitted)
		return finding_set(finding, WARN, CODE_SSH_NEEDS_NO_PROOF,
				   "the server lets ssh in without any key or password");
	if (rehearsal->master)
		return finding_set(finding, PASS, CODE_SSH_USES_MASTER,
				   "ssh would use the connection that is open already: %s",
				   rehearsal->message != NULL ? rehearsal->message : "it answers");
	return finding_set(finding, PASS, CODE_SSH_REACHES_AUTH,
			   "ssh itself reaches authentication (%lld ms)%s",
			   (long long)rehearsal->ms,
			   rehearsal->took_unknown_key
			       ? ", once you have said yes to a host key that it does not know"
			       : "");
}

/* A question that ssh would ask is no failure where somebody can answer it. BatchMode, which the
 * rehearsal adds, answers no. */
static bool
would_ask(const struct scene *scene, const struct fact_rehearsal *rehearsal)
{
	const char *batch = scene->ssh_config->options.batchmode,
		   *strict = scene->ssh_config->options.stricthostkeychecking;

	/* known_hosts gets the proven key in this very run */
	if (rehearsal->fault == FAULT_WOULD_ASK && scene->asked.known_hosts != NULL &&
	    scene->proof->state == FACT_KNOWN)
		return true;
	if (!scene->machine.terminal || doc_same(batch, "yes") ||
	    (strict != NULL && !doc_same(strict, "ask")))
		return false;
	return rehearsal->fault == FAULT_WOULD_ASK || rehearsal->fault == FAULT_KEY_OF_ADDRESS;
}

/* Our own second connection fared the same: the server, or a device on the way, admits only so many
 * at a time, and ssh alone might be let in. */
static bool
turned_away(const struct scene *scene, const struct fact_rehearsal *rehearsal)
{
	return (rehearsal->reached == REHEARSAL_TCP || rehearsal->reached == REHEARSAL_BANNER) &&
	       scene->host_key->state == FACT_KNOWN && scene->auth->state == FACT_UNKNOWN &&
	       doc_same(scene->auth->cause, "closed");
}

static int
judge_stopped(const struct scene *scene, const struct fact_rehearsal *rehearsal,
	      struct finding *finding)
{
	static const char *const where[] = {
		[REHEARSAL_CONFIG] = "before it connects",
		[REHEARSAL_PROXY] = "at its proxy",
		[REHEARSAL_TCP] = "while it connects",
		[REHEARSAL_BANNER] = "at the server's banner",
		[REHEARSAL_KEX] = "in the key exchange",
		[REHEARSAL_HOST_KEY] = "at the host key",
		[REHEARSAL_AUTH] = "where authentication begins",
	};
	const char *message = rehearsal->message != NULL && *rehearsal->message != '\0'
				  ? rehearsal->message
				  : "it says nothing";

	if (would_ask(scene, rehearsal))
		return finding_set(finding, WARN, CODE_SSH_ASKS_FIRST,
				   "ssh asks a question about the host key before it continues");
	if (ssh_proxy_may_ask(scene))
		return finding_set(finding, UNKNOWN, CODE_SSH_PROXY_ASKS,
				   "the proxy that ssh starts may ask a question, and was given no "
				   "answer here: %s",
				   message);
	if (turned_away(scene, rehearsal))
		return finding_set(
		    finding, UNKNOWN, CODE_SSH_TURNED_AWAY,
		    "the server refused ssh and another connection of this program: %s", message);
	finding_set(finding, FAIL, ssh_rehearsal_code(rehearsal->reached),
		    rehearsal->hung ? "ssh hangs %s, after: %s" : "ssh stops %s: %s",
		    where[rehearsal->reached], message);
	/* a slow server and a passing fault look the same */
	if (rehearsal->hung || rehearsal->reached == REHEARSAL_TCP ||
	    rehearsal->reached == REHEARSAL_BANNER || rehearsal->reached == REHEARSAL_PROXY ||
	    rehearsal->reached == REHEARSAL_AUTH)
		finding->confidence = LIKELY;
	return 0;
}

int
check_ssh_rehearsal(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_rehearsal *rehearsal = scene->rehearsal;

	(void)rule;
	if (rehearsal->state == FACT_PENDING) /* facts of a version that asked nothing of ssh */
		return 0;
	if (talk_missing(scene->facts, FACT_REHEARSAL, finding))
		return 0;
	add_evidence(rehearsal, finding);
	if (rehearsal->through)
		return judge_through(rehearsal, finding);
	if (rehearsal->reached == REHEARSAL_UNRECORDED)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "how far ssh got is not recorded");
	return judge_stopped(scene, rehearsal, finding);
}
