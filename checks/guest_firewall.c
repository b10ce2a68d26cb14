/* Does the VM's own firewall, or a ban, keep the caller out? */
#include "checks/checks.h"
#include "checks/guest.h"

#include <string.h>

static int
judge_banned(const struct scene *scene, struct finding *finding)
{
	const struct fact_guest *guest = scene->guest;
	const char *jail = strrchr(guest->banned[0], ' ');

	jail = jail != NULL ? jail + 1 : guest->banned[0];
	finding_text(finding, "jail", jail);
	finding_text(finding, "banned_ip", guest->source);
	guest_seen(finding, NULL, "fail2ban-client status %s lists %s.", jail, guest->source);
	return finding_set(finding, FAIL, CODE_FAIL2BAN_BAN, "fail2ban has banned %s (jail %s)",
			   guest->source, jail);
}

static int
judge_shut(const struct scene *scene, const struct guest_filter *filter, struct finding *finding)
{
	enum code code = filter->rejects ? CODE_FIREWALLD_REJECT : CODE_UFW_DROP;

	finding_text(finding, "tool", filter->tool);
	finding_text(finding, filter->tool, "yes");
	finding_text(finding, "rule", filter->rule);
	finding_text(finding, "banned_ip", filter->by_source ? scene->guest->source : NULL);
	finding_text(finding, "address", scene->tcp->address);
	guest_seen(finding, NULL, "%s has: %s.", filter->tool, filter->rule);
	return finding_set(finding, FAIL, code, "%s in the VM %s port %lld: %s", filter->tool,
			   filter->rejects ? "rejects" : "drops", (long long)scene->guest->port,
			   filter->rule);
}

int
check_guest_firewall(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_guest *guest = scene->guest;
	struct guest_filter filter;
	const char *log;

	(void)rule;
	if (!guest_known(scene, finding, false))
		return 0;
	finding_number(finding, "port", guest->port);
	guest_filter_judge(guest, &filter);
	if (scene->answers)
		return finding_set(finding, PASS, CODE_GUEST_FIREWALL_FINE,
				   "packets from here reach sshd");
	if (guest->banned_count > 0)
		return judge_banned(scene, finding);
	if (filter.verdict == GUEST_SHUT)
		return judge_shut(scene, &filter, finding);
	if ((log = guest_log(scene, "refused connect from")) != NULL || guest->wrapper_count > 0) {
		finding_text(finding, "rule", guest->wrapper_count > 0 ? guest->wrapper[0] : NULL);
		guest_seen(finding, log, "/etc/hosts.deny has: %s.",
			   guest->wrapper_count > 0 ? guest->wrapper[0] : "");
		return finding_set(finding, FAIL, CODE_TCPWRAPPERS_DENY,
				   "/etc/hosts.deny turns you away");
	}
	if (guest->no_way_back != NULL) {
		guest_seen(finding, NULL, "ip route get says: %s.", guest->no_way_back);
		return finding_set(finding, FAIL, CODE_GUEST_NO_WAY_BACK,
				   "the VM has no route back to you: %s", guest->no_way_back);
	}
	if (filter.verdict == GUEST_UNSURE)
		return finding_set(finding, PASS, CODE_GUEST_FIREWALL_UNSURE,
				   "%s in the VM may shut the port: %s", filter.tool,
				   filter.rule[0] != '\0' ? filter.rule
							  : "rules that are not judged");
	return finding_set(finding, PASS, CODE_GUEST_FIREWALL_FINE,
			   "no rule of the VM's own firewall shuts port %lld",
			   (long long)guest->port);
}
