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
	return "something that is not an SSH server";
}

/* The first line that came, for a sentence. */
static const char *
first_line(const struct fact_banner *banner)
{
	return banner->before_count > 0 ? banner->before[0] : "";
}

static int
judge_text(const struct fact_banner *banner, struct finding *finding)
{
	static const enum code others[] = { CODE_SSHD_MAXSTARTUPS, CODE_SSHD_PERSOURCE_PENALTIES,
					    CODE_TCPWRAPPERS_DENY, CODE_CUSTOM };
	const char *text = banner->text;

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
judge_before_both(const struct scene *scene, struct finding *finding, const char *what)
{
	finding_possible(finding, CODE_DPI_RESETS_SSH);
	return finding_likely(
	    finding, FAIL, CODE_INTERCEPTED_BY_PROXY,
	    "the connection %s, and so it is with the reference server %s: something "
	    "before both of them accepts every connection",
	    what, scene->tcp->reference->address);
}

static int
judge_closed(const struct scene *scene, struct finding *finding)
{
	static const enum code causes[] = { CODE_SSHD_MAXSTARTUPS, CODE_SSHD_PERSOURCE_PENALTIES,
					    CODE_TCPWRAPPERS_DENY, CODE_SSHD_PRIVSEP_DIR,
					    CODE_CUSTOM };
	static const enum code network[] = { CODE_DPI_RESETS_SSH, CODE_INTERCEPTED_BY_PROXY,
					     CODE_CUSTOM };
	enum talk_reference reference = talk_reference(scene, finding);

	if (reference == REFERENCE_BROKEN)
		return judge_before_both(scene, finding, "ended before anything was said");
	talk_possible(finding, causes);
	if (reference == REFERENCE_NONE)
		talk_possible(finding, network);
	return finding_likely(finding, FAIL, CODE_BANNER_CLOSED_EARLY,
			      "the connection was %s before the server said anything",
			      scene->banner->reset ? "reset" : "closed");
}

static int
judge_silence(const struct scene *scene, struct finding *finding)
{
	/* libwrap closes what it denies only after five seconds of silence (measured) */
	static const enum code causes[] = { CODE_LB_NO_BACKEND, CODE_SSHD_MAXSTARTUPS,
					    CODE_TCPWRAPPERS_DENY, CODE_CUSTOM };
	const struct fact_banner *banner = scene->banner;
	enum talk_reference reference = talk_reference(scene, finding);

	if (banner->bytes > 0)
		return finding_set(
		    finding, FAIL, CODE_BANNER_TARPIT,
		    "the server talks without ever naming itself an SSH server: \"%s\"",
		    first_line(banner));
	if (address_is_stand_in(scene->tcp->address))
		return finding_likely(
		    finding, FAIL, CODE_INTERCEPTED_BY_PROXY,
		    "%s belongs to a proxy on this machine, which accepts every connection",
		    scene->tcp->address);
	if (reference == REFERENCE_BROKEN)
		return judge_before_both(scene, finding, "stands, but nothing was said");
	if (reference == REFERENCE_NONE)
		finding_possible(finding, CODE_INTERCEPTED_BY_PROXY);
	talk_possible(finding, causes);
	return finding_likely(finding, FAIL, CODE_VM_OVERLOADED_BANNER_TIMEOUT,
			      "the connection stands, but sshd said nothing for %lld ms",
			      (long long)banner->ms);
}

static int
judge_ssh(const struct fact_banner *banner, struct finding *finding)
{
	const char *protocol = banner->protocol;

	if (protocol != NULL && strcmp(protocol, "2.0") != 0 && strcmp(protocol, "1.99") != 0)
		return finding_set(finding, FAIL, CODE_BANNER_OLD_PROTOCOL,
				   "the server speaks SSH %s only", protocol);
	return finding_set(finding, PASS, CODE_BANNER_OK, "%s", banner->line);
}

int
check_banner(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_banner *banner = scene->banner;

	(void)rule;
	finding_text(finding, "line", banner->line);
	finding_text(finding, "software", banner->software);
	finding_text(finding, "protocol", banner->protocol);
	finding_text(finding, "text", banner->text);
	finding_text(finding, "guess", banner->guess);
	finding_number(finding, "ms", banner->ms);
	finding_texts(finding, "before", banner->before, banner->before_count);
	switch (banner->result) {
	case BANNER_IS_UNRECORDED:
		return finding_set(finding, UNKNOWN, CODE_NOT_KNOWN,
				   "what the server said is not recorded");
	case BANNER_IS_SSH:
		return judge_ssh(banner, finding);
	case BANNER_IS_TEXT:
		return judge_text(banner, finding);
	case BANNER_IS_CLOSED:
		return judge_closed(scene, finding);
	case BANNER_IS_MISSING:
		return judge_silence(scene, finding);
	case BANNER_IS_NOT_SSH:
		break;
	}
	if (banner->guess == NULL && banner->bytes > 8000)
		return finding_set(finding, FAIL, CODE_BANNER_TARPIT,
				   "the server sends endless text where its banner should be");
	finding_text(finding, "protocol_name", protocol_name(banner->guess));
	return finding_set(finding, FAIL, CODE_BANNER_NOT_SSH, "%s answers on this port",
			   protocol_name(banner->guess));
}
