#include "checks/refine.h"
#include "checks/hindrance.h"
#include "checks/keys.h"

#include <stdlib.h>
#include <string.h>

/* What models Azure's network; the wire outranks them. A VM that is off, or an address that is not
 * the VM's, is another matter: then whatever answered was not this VM. */
static const char *const models[] = { "nsg", "jit", "route", NULL };
static const enum code no_way_in[] = { CODE_NO_PUBLIC_IP, CODE_NO_PIP_NO_BASTION,
				       CODE_VMSS_FLEXIBLE_NO_PIP, CODE_CUSTOM };

struct finding *
finding_of(struct finding *findings, size_t count, const char *check)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].check, check) == 0)
			return &findings[i];
	return NULL;
}

static bool
listed(const char *const *list, const char *word)
{
	while (*list != NULL && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

static bool
among(const enum code *list, enum code code)
{
	while (*list != CODE_CUSTOM && *list != code)
		list++;
	return *list != CODE_CUSTOM;
}

/* How the wire proves that packets from here reach the VM, NULL when it does not. An address of
 * this machine proves nothing about Azure's network unless the server behind it knows the key. */
static const char *
wire_proof(const struct scene *scene)
{
	if (scene->accepted)
		return "the server accepted your key from here";
	return scene->answers ? "an SSH server answered from here" : NULL;
}

static void
contradict(struct finding *finding, const char *proof)
{
	char *summary;

	if (finding->status != FAIL && finding->status != UNKNOWN)
		return;
	summary = doc_fmt("%s; yet %s, so something that these rules do not show lets you in (a "
			  "VPN, a proxy, another public address)",
			  finding->summary, proof);
	if (summary == NULL)
		return;
	free(finding->summary);
	finding->summary = summary;
	finding_text(finding, "contradicted_by", proof);
	if (finding->status == FAIL)
		finding->status = WARN;
}

/* ssh goes through another host, and the VM was not met there: the models judged packets from this
 * machine, which are not the ones that come. */
static void
doubt_models(const struct scene *scene, struct finding *findings, size_t count)
{
	const char *jump = scene->ssh_config->proxyjump, *command = scene->ssh_config->proxycommand;
	const char *way = jump != NULL && strcmp(jump, "none") != 0         ? jump
			  : command != NULL && strcmp(command, "none") != 0 ? command
									    : NULL;

	for (size_t i = 0; way != NULL && i < count; i++) {
		struct finding *finding = &findings[i];
		bool no_way =
		    strcmp(finding->check, "public-ip") == 0 && among(no_way_in, finding->id);
		char *summary;

		if ((finding->status != FAIL && finding->status != UNKNOWN) ||
		    !(no_way || listed(models, finding->check)) ||
		    (summary = doc_fmt("not judged, as ssh goes through %s; from this computer: %s",
				       way, finding->summary)) == NULL)
			continue;
		free(finding->summary);
		finding->summary = summary;
		finding_text(finding, "proxied_by", way);
		finding->status = SKIP;
	}
}

static void
outrank_models(const struct scene *scene, struct finding *findings, size_t count)
{
	const char *proof = wire_proof(scene);
	struct finding *found = finding_of(findings, count, "public-ip");

	if (proof == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!listed(models, findings[i].check) || findings[i].status == UNKNOWN)
			continue;
		contradict(&findings[i], proof);
		for (size_t j = 0; j < findings[i].also_count; j++)
			contradict(&findings[i].also[j], proof);
	}
	if (found != NULL && found->status == FAIL && among(no_way_in, found->id))
		contradict(found, proof);
}

/* The fingerprint that ssh goes by for a file: its entry's, which FILE.pub decides; else the file's
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
 * that is sound, mending the file would not help. */
static void
weigh_other_keys(const struct scene *scene, struct finding *findings, size_t count)
{
	const char *accepted = scene->auth->accepted, *explicit = scene->identities->explicit;
	static const char *const checks[] = { "key-file", "key-permissions", "key-format", NULL };

	for (size_t i = 0; i < count; i++) {
		const char *path = doc_str(findings[i].evidence, "path"),
			   *offered = offered_as(scene, path);
		bool beside =
		    accepted == NULL && !doc_same(explicit, path) && key_denied_beside(scene, path);

		if (!listed(checks, findings[i].check) || findings[i].status != FAIL ||
		    findings[i].id == CODE_KEY_PATH_NOT_EXPANDED)
			continue; /* that one ends ssh, whatever other keys there are */
		if (accepted != NULL && (offered == NULL || strcmp(offered, accepted) != 0 ||
					 key_elsewhere(scene, accepted, path)))
			findings[i].status = WARN;
		else if (beside && key_server_says(scene, offered) == AUTH_DENIED)
			findings[i].status = WARN;
		else if (accepted == NULL && findings[i].confidence == CERTAIN && path != NULL &&
			 (beside || key_left_unasked(scene, path)))
			findings[i].confidence = LIKELY;
	}
}

/* A timeout although the VM runs and every rule allows: what is left cannot be told apart from
 * here. At an address that is none of the VM's, its rules mean nothing. */
static void
name_what_is_left(struct finding *findings, size_t count)
{
	struct finding *tcp = finding_of(findings, count, "tcp"),
		       *nsg = finding_of(findings, count, "nsg");
	struct finding *vm = finding_of(findings, count, "vm-state"),
		       *config = finding_of(findings, count, "ssh-config");

	if (config != NULL && config->id == CODE_CFG_HOST_ALIAS_OVERRIDE)
		return;
	if (tcp == NULL || nsg == NULL || vm == NULL || tcp->status != FAIL ||
	    tcp->id != CODE_TCP_TIMEOUT)
		return;
	if (nsg->status != PASS || (vm->status != PASS && vm->status != WARN))
		return;
	tcp->id = CODE_BLOCKED_OUTSIDE_AZURE_RULES;
	tcp->code = code_word(tcp->id);
	tcp->confidence = LIKELY;
}

/* ssh_config sends the name elsewhere: whose address that is, is the same story told twice. */
static void
yield_to_alias(struct finding *findings, size_t count)
{
	static const enum code foreign[] = { CODE_WRONG_TARGET_ADDRESS,
					     CODE_PIP_CHANGED_AFTER_RESTART, CODE_PIP_DETACHED,
					     CODE_AZURE_FIREWALL_DNAT_MISSING, CODE_CUSTOM };
	struct finding *config = finding_of(findings, count, "ssh-config"),
		       *address = finding_of(findings, count, "public-ip");

	if (config != NULL && address != NULL && config->id == CODE_CFG_HOST_ALIAS_OVERRIDE &&
	    config->status == FAIL && address->status == FAIL && among(foreign, address->id))
		address->status = WARN;
}

void
findings_refine(const struct scene *scene, struct finding *findings, size_t count)
{
	outrank_models(scene, findings, count);
	doubt_models(scene, findings, count);
	weigh_other_keys(scene, findings, count);
	name_what_is_left(findings, count);
	yield_to_alias(findings, count);
	findings_hinder(scene->facts, findings, count);
}
