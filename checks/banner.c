#include "checks/checks.h"
#include "checks/talk.h"

#include <string.h>
#include <strings.h>

/* What people call the protocols that the reader of banners recognises. */
static const char *
protocol_name(const char *guess)
{
	static const char *const names[][2] = {
		{ "tls", "a TLS server" },           { "http", "an HTTP (web) server" },
		{ "ftp", "an FTP server" },          { "smtp", "an SMTP (mail) server" },
		{ "proxy", "an HTTP proxy" },        { "pop3", "a POP3 (mail) server" },
		{ "imap", "an IMAP (mail) server" }, { "vnc", "a VNC server" },
		{ "mysql", "a MySQL server" },       { "redis", "a Redis server" },
		{ "telnet", "a Telnet server" },     { "amqp", "an AMQP server" }
	};

	for (size_t i = 0; guess != NULL && i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i][0], guess) == 0)
			return names[i][1];
	return "something that is no SSH server";
}

/* The first line that came, for a sentence. */
static const char *
first_line(const json_t *banner)
{
	const char *line = json_string_value(json_array_get(doc_list(banner, "before"), 0));

	return line != NULL ? line : "";
}

static int
judge_text(const json_t *banner, struct finding *finding)
{
	static const enum code others[] = { CODE_SSHD_MAXSTARTUPS, CODE_SSHD_PERSOURCE_PENALTIES,
					    CODE_TCPWRAPPERS_DENY, CODE_CUSTOM };
	const char *text = doc_str(banner, "text");

	if (text != NULL && strcasestr(text, "MaxStartups") != NULL)
		return finding_set(finding, FAIL, CODE_SSHD_MAXSTARTUPS,
				   "sshd has too many connections that are not signed in: \"%s\"",
				   first_line(banner));
	if (text != NULL && strcasestr(text, "Not allowed at this time") != NULL)
		return finding_set(finding, FAIL, CODE_SSHD_PERSOURCE_PENALTIES,
				   "sshd keeps this address out for a while: \"%s\"",
				   first_line(banner));
	talk_possible(finding, others);
	return finding_set(finding, FAIL, CODE_BANNER_CLOSED_EARLY,
			   "the server closed the connection with the words \"%s\"",
			   first_line(banner));
}

/* The reference server is no better off: whatever it is, it stands before both. */
static int
judge_before_both(struct finding *finding, const char *what)
{
	finding_possible(finding, CODE_DPI_RESETS_SSH);
	return talk_confidence(
	    finding, LIKELY,
	    finding_set(finding, FAIL, CODE_INTERCEPTED_BY_PROXY,
			"the connection %s, and so it is with the reference server %s: something "
			"before both of them accepts every connection",
			what, doc_str(finding->evidence, "reference")));
}

static int
judge_closed(const struct facts *facts, const json_t *banner, struct finding *finding)
{
	static const enum code causes[] = { CODE_SSHD_MAXSTARTUPS, CODE_SSHD_PERSOURCE_PENALTIES,
					    CODE_TCPWRAPPERS_DENY, CODE_SSHD_PRIVSEP_DIR,
					    CODE_CUSTOM };
	static const enum code network[] = { CODE_DPI_RESETS_SSH, CODE_INTERCEPTED_BY_PROXY,
					     CODE_CUSTOM };
	enum talk_reference reference = talk_reference(facts, finding);

	if (reference == REFERENCE_BROKEN)
		return judge_before_both(finding, "ended before anything was said");
	talk_possible(finding, causes);
	if (reference == REFERENCE_NONE)
		talk_possible(finding, network);
	return talk_confidence(finding, LIKELY,
			       finding_set(finding, FAIL, CODE_BANNER_CLOSED_EARLY,
					   "the connection was %s before the server said anything",
					   doc_bool(banner, "reset", false) ? "reset" : "closed"));
}

static int
judge_silence(const struct facts *facts, const json_t *banner, struct finding *finding)
{
	/* libwrap closes what it denies only after five seconds of silence (measured) */
	static const enum code causes[] = { CODE_LB_NO_BACKEND, CODE_SSHD_MAXSTARTUPS,
					    CODE_TCPWRAPPERS_DENY, CODE_CUSTOM };
	const json_t *tcp = facts_section(facts, FACT_TCP);
	enum talk_reference reference = talk_reference(facts, finding);

	if (doc_int(banner, "bytes", 0) > 0)
		return finding_set(
		    finding, FAIL, CODE_BANNER_TARPIT,
		    "the server talks without ever naming itself an SSH server: \"%s\"",
		    first_line(banner));
	if (address_is_stand_in(doc_str(tcp, "address")))
		return talk_confidence(
		    finding, LIKELY,
		    finding_set(
			finding, FAIL, CODE_INTERCEPTED_BY_PROXY,
			"%s belongs to a proxy on this machine, which accepts every connection",
			doc_str(tcp, "address")));
	if (reference == REFERENCE_BROKEN)
		return judge_before_both(finding, "stands, but nothing was said");
	if (reference == REFERENCE_NONE)
		finding_possible(finding, CODE_INTERCEPTED_BY_PROXY);
	talk_possible(finding, causes);
	return talk_confidence(
	    finding, LIKELY,
	    finding_set(finding, FAIL, CODE_VM_OVERLOADED_BANNER_TIMEOUT,
			"the connection stands, but sshd said nothing for %lld ms",
			(long long)doc_int(banner, "ms", 0)));
}

static int
judge_ssh(const json_t *banner, struct finding *finding)
{
	const char *protocol = doc_str(banner, "protocol");

	if (protocol != NULL && strcmp(protocol, "2.0") != 0 && strcmp(protocol, "1.99") != 0)
		return finding_set(finding, FAIL, CODE_BANNER_OLD_PROTOCOL,
				   "the server speaks SSH %s only", protocol);
	return finding_set(finding, PASS, CODE_BANNER_OK, "%s", doc_str(banner, "line"));
}

int
check_banner(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	const json_t *banner = facts_section(facts, FACT_BANNER);
	const char *result = doc_str(banner, "result"), *guess = doc_str(banner, "guess");

	(void)rule;
	finding_text(finding, "line", doc_str(banner, "line"));
	finding_text(finding, "software", doc_str(banner, "software"));
	finding_text(finding, "protocol", doc_str(banner, "protocol"));
	finding_text(finding, "text", doc_str(banner, "text"));
	finding_text(finding, "guess", guess);
	finding_number(finding, "ms", doc_int(banner, "ms", 0));
	if (doc_list(banner, "before") != NULL)
		finding_value(finding, "before", json_deep_copy(doc_list(banner, "before")));
	if (result == NULL)
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "what the server said is not recorded");
	if (strcmp(result, "ssh") == 0)
		return judge_ssh(banner, finding);
	if (strcmp(result, "text") == 0)
		return judge_text(banner, finding);
	if (strcmp(result, "closed") == 0)
		return judge_closed(facts, banner, finding);
	if (strcmp(result, "none") == 0)
		return judge_silence(facts, banner, finding);
	if (guess == NULL && doc_int(banner, "bytes", 0) > 8000)
		return finding_set(finding, FAIL, CODE_BANNER_TARPIT,
				   "the server sends endless text where its banner should be");
	finding_text(finding, "protocol_name", protocol_name(guess));
	return finding_set(finding, FAIL, CODE_BANNER_NOT_SSH, "%s answers on this port",
			   protocol_name(guess));
}
