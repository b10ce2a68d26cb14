#include "checks/ssh_word.h"
#include "checks/keys.h"

#include <string.h>

/* One row for each place where ssh can stop. */
static const struct place {
	enum code code;
	enum check_id subject;
	enum hop hop;
} places[] = {
	[REHEARSAL_CONFIG] = { CODE_SSH_STOPS_CONFIG, CHECK_SSH_CONFIG, HOP_CLIENT },
	[REHEARSAL_PROXY] = { CODE_SSH_STOPS_PROXY, CHECK_TCP, HOP_TCP },
	[REHEARSAL_TCP] = { CODE_SSH_STOPS_TCP, CHECK_TCP, HOP_TCP },
	[REHEARSAL_BANNER] = { CODE_SSH_STOPS_BANNER, CHECK_BANNER, HOP_SSH },
	[REHEARSAL_KEX] = { CODE_SSH_STOPS_KEX, CHECK_KEX, HOP_SSH },
	[REHEARSAL_HOST_KEY] = { CODE_SSH_STOPS_HOST_KEY, CHECK_HOST_KEY, HOP_HOST_KEY },
	[REHEARSAL_AUTH] = { CODE_SSH_STOPS_AUTH, CHECK_AUTH, HOP_AUTH },
};

enum { PLACES = sizeof(places) / sizeof(*places) };

const struct fact_rehearsal *
ssh_stopped_at(const struct scene *scene, enum rehearsal_stage stage)
{
	const struct fact_rehearsal *rehearsal = scene->rehearsal;

	return rehearsal->state == FACT_KNOWN && !rehearsal->through && rehearsal->reached == stage
		   ? rehearsal
		   : NULL;
}

bool
ssh_came_past(const struct scene *scene, enum rehearsal_stage stage)
{
	const struct fact_rehearsal *rehearsal = scene->rehearsal;

	return rehearsal->state == FACT_KNOWN && !rehearsal->master &&
	       (rehearsal->through || rehearsal->reached > stage);
}

/* Keys alone are taken there, and none of those that ssh offers wants a passphrase. */
static bool
keys_alone(const struct scene *scene, const char *message)
{
	const struct fact_hop *hop = &scene->target.hop;
	const struct fact_key *key;

	if (hop->state != FACT_KNOWN || strstr(message, "(publickey)") == NULL)
		return false;
	for (size_t i = 0; i < hop->identityfile_count; i++)
		if ((key = key_at(scene, hop->identityfile[i])) != NULL && key->present &&
		    key->encrypted != NO)
			return false;
	return true;
}

/* As a rule the proxy is an ssh as well. */
bool
ssh_proxy_may_ask(const struct scene *scene)
{
	static const char *const answers[] = { "Permission denied",
					       "Host key verification failed" };
	const struct fact_rehearsal *stopped = ssh_stopped_at(scene, REHEARSAL_PROXY);
	const struct fact_tcp_proxy *jump = scene->tcp->proxy;
	const char *message = jump != NULL && jump->stage == PROXY_JUMP ? jump->words : NULL;

	if (message == NULL && stopped != NULL)
		message = stopped->message;
	if (message == NULL || !scene->machine.terminal || keys_alone(scene, message))
		return false;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		if (strstr(message, answers[i]) != NULL)
			return true;
	return false;
}

enum code
ssh_rehearsal_code(enum rehearsal_stage stage)
{
	return places[stage].code;
}

enum check_id
ssh_rehearsal_subject(enum code code)
{
	for (size_t i = REHEARSAL_CONFIG; i < PLACES; i++)
		if (code == places[i].code)
			return places[i].subject;
	return CHECK_NONE;
}

enum hop
ssh_rehearsal_hop(enum code code)
{
	for (size_t i = REHEARSAL_CONFIG; i < PLACES; i++)
		if (code == places[i].code)
			return places[i].hop;
	return HOP_COUNT;
}

/* Checks whose failure stops ssh at that check's own place or, for what Azure does with packets,
 * while it connects. */
bool
ssh_rehearsal_fits(const struct finding *cause, const struct finding *rehearsal)
{
	enum check_id subject = ssh_rehearsal_subject(rehearsal->id), check = cause->check_id;

	if (subject == CHECK_NONE || check == CHECK_NONE || check == CHECK_SSH_REHEARSAL)
		return false;
	if (check == subject || (check == CHECK_SSH_CONFIG && subject < CHECK_BANNER))
		return true;
	if (doc_is(rehearsal->evidence, "fault", "key-file") && check >= CHECK_KEY_FILE &&
	    check <= CHECK_KEY_AGENT)
		return true;
	switch (subject) {
	case CHECK_TCP:
		return check >= CHECK_VM_FOUND && check <= CHECK_TCP;
	case CHECK_BANNER: /* ssh calls it so until the server's lists have come */
		return check >= CHECK_VM_FOUND && check <= CHECK_KEX;
	case CHECK_KEX:
		return check == CHECK_BANNER;
	case CHECK_HOST_KEY: /* ssh looks at the key before the signature that ends the exchange */
		return check == CHECK_KEX;
	case CHECK_AUTH:
		return check == CHECK_KEY_AGENT;
	default:
		return false;
	}
}

/* Where the conversation of ours failed at the same time; the proof that a key is not the VM's does
 * not rest on what ssh takes. */
bool
ssh_came_past_finding(const struct scene *scene, const struct finding *finding)
{
	static const struct {
		enum check_id check;
		enum rehearsal_stage stage;
	} stages[] = { { CHECK_DNS, REHEARSAL_TCP },
		       { CHECK_TCP, REHEARSAL_TCP },
		       { CHECK_BANNER, REHEARSAL_BANNER },
		       { CHECK_KEX, REHEARSAL_HOST_KEY },
		       { CHECK_HOST_KEY, REHEARSAL_HOST_KEY } };

	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++)
		if (finding->check_id == stages[i].check)
			return finding->id != CODE_HOSTKEY_MITM_SUSPECTED &&
			       ssh_came_past(scene, stages[i].stage);
	return false;
}
