/* --guest: the host keys as the guest itself has them, by Run Command. */
#include "azure/read/rows.h"
#include "model/vm.h"
#include "model/pubkey.h"

#include <stdlib.h>
#include <string.h>

#define BEGIN_MARK "azssh-doctor begin"
#define END_MARK "azssh-doctor end"

static const char *const shell_script[] = {
	"PATH=$PATH:/usr/sbin:/sbin",
	"echo " BEGIN_MARK,
	"keys=$(sshd -T 2>/dev/null | awk '$1 == \"hostkey\" { print $2 \".pub\" }')",
	"for f in ${keys:-/etc/ssh/ssh_host_*_key.pub}; do ssh-keygen -lf \"$f\"; done",
	"echo " END_MARK,
	NULL
};

static const char *const powershell_script[] = {
	"Write-Output '" BEGIN_MARK "'",
	"Get-ChildItem \"$env:ProgramData\\ssh\\ssh_host_*_key.pub\" | ForEach-Object { ssh-keygen "
	"-lf $_.FullName }",
	"Write-Output '" END_MARK "'", NULL
};

/* "256 SHA256:... comment (ED25519)": the type as known_hosts writes it. */
static const char *
type_of(const char *line, size_t len)
{
	const char *open = memrchr(line, '(', len);
	const struct pubkey_type *type;
	struct bytes nick;

	if (open == NULL || line[len - 1] != ')')
		return NULL;
	nick = (struct bytes){ (const unsigned char *)open + 1, (size_t)(line + len - open) - 2 };
	type = pubkey_type_find(nick, (unsigned)strtoul(line, NULL, 10));
	return type != NULL ? type->name : NULL;
}

static void
take_line(json_t *keys, const char *line, size_t len)
{
	const char *print = memmem(line, len, " SHA256:", 8), *type;
	json_t *key;
	size_t run;

	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	if (print == NULL || (type = type_of(line, len)) == NULL)
		return;
	run = strcspn(++print, " \r\n");
	if (run != 7 + 43)
		return;
	key = json_object();
	doc_set_str(key, "type", type);
	doc_set_strn(key, "fingerprint", print, run);
	json_array_append_new(keys, key);
}

/* What stands between our two marks, in whichever of the results: a guest's output is cut at its
 * head, so a lost first mark is forgiven. */
static json_t *
keys_in(const char *text)
{
	const char *begin = strstr(text, BEGIN_MARK),
		   *end = strstr(begin != NULL ? begin : text, END_MARK);
	json_t *keys = json_array();

	if (end == NULL)
		return keys;
	for (const char *p = begin != NULL ? begin : text; p < end;) {
		size_t len = strcspn(p, "\n");

		take_line(keys, p, len);
		p += len + (p[len] == '\n');
	}
	return keys;
}

static void
guest_answered(void *ctx, const struct arm_answer *answer)
{
	struct vm_reader *reader = ctx;
	const json_t *result, *list = doc_list(answer->body, "value");
	json_t *keys = json_array(), *section;
	size_t i;

	if (list == NULL)
		list = doc_list(answer->body, "properties.output.value");
	json_array_foreach (list, i, result) {
		const char *text = doc_str(result, "message");

		if (text != NULL && json_array_size(keys) == 0) {
			json_decref(keys);
			keys = keys_in(text);
		}
	}
	if (json_array_size(keys) > 0) {
		section = facts_known(&reader->facts, FACT_PROOF);
		doc_set_str(section, "by", "run-command");
		json_object_set(section, "keys", keys);
	} else if (answer->why != NULL) {
		facts_settle(&reader->facts, FACT_PROOF, FACT_UNKNOWN,
			     doc_str(answer->why, "cause"), "the guest was not asked: %s",
			     doc_str(answer->why, "reason"));
		doc_set_str(facts_section(&reader->facts, FACT_PROOF), "action",
			    doc_str(answer->why, "action"));
	} else {
		facts_settle(&reader->facts, FACT_PROOF, FACT_UNKNOWN, "error",
			     "the guest's answer names no host key");
	}
	json_decref(keys);
	join_end(&reader->all);
}

static json_t *
lines_of(const char *const *script)
{
	json_t *lines = json_array();

	for (; *script != NULL; script++)
		doc_append_str(lines, *script);
	return lines;
}

void
read_guest(struct vm_reader *reader)
{
	char *path = doc_fmt("%s/runCommand", reader->id);
	struct vm vm;
	json_t *ask;

	if (vm_from_facts(&reader->facts, &vm, NULL) < 0) {
		facts_settle(&reader->facts, FACT_PROOF, FACT_UNKNOWN, "no-vm",
			     "the VM itself was not read");
	} else if (!doc_same(vm.power, "running")) {
		facts_settle(&reader->facts, FACT_PROOF, FACT_UNKNOWN, "not-running",
			     "the guest cannot be asked: the VM does not run");
	} else if (vm.agent == VM_AGENT_NOT_READY) {
		facts_settle(&reader->facts, FACT_PROOF, FACT_UNKNOWN, "agent-not-ready",
			     "the guest cannot be asked: its agent is not ready");
	} else {
		ask = json_pack("{s:s, s:o}", "commandId",
				vm.windows ? "RunPowerShellScript" : "RunShellScript", "script",
				lines_of(vm.windows ? powershell_script : shell_script));
		join_add(&reader->all);
		arm_ask(reader->fetches->arm,
			&(struct arm_ask){ .method = "POST",
					   .path = path,
					   .body = ask,
					   .flags = ARM_LONG | ARM_WRITE },
			guest_answered, reader);
		json_decref(ask);
	}
	free(path);
}
