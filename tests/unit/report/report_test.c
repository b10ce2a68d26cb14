#include "checks/causes.h"
#include "report/format.h"
#include "report/wrap.h"
#include "facts/doc.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rules of their own, so that the golden files change only when a format does. */
static const char rule_text[] =
    "version: 1\nchecks:\n"
    "  nsg:\n    evidence: [nsg, rule, priority, source_ip, port]\n    codes:\n      "
    "nsg-no-allow-rule:\n"
    "        title: 'Security group {nsg} lets nobody in on port {port}'\n"
    "        why: 'No rule of {nsg} admits TCP to port {port} from {source_ip}, so its last rule "
    "{rule} ({priority}) drops what "
    "you send.'\n"
    "        explain: |\n          Ask Azure for the effective rules.\n\n          It is mistaken "
    "for a server that is down.\n"
    "        docs: https://example.org/nsg\n        explains: [tcp]\n        decide: 'azssh-doctor "
    "--deep {vm}'\n        "
    "remedies:\n"
    "          - dialect: az\n            title: 'Let your address in'\n"
    "            argv: [az, network, nsg, rule, create, -g, '{rg}', --nsg-name, '{nsg}', -n, "
    "allow-ssh-me, --priority, 300, --direction, Inbound, --access, Allow, --protocol, Tcp, "
    "--source-address-prefixes, '{source_ip}/32', --destination-port-ranges, '{port}']\n"
    "            cost: none\n            undo: [az, network, nsg, rule, delete, -g, '{rg}', "
    "--nsg-name, '{nsg}', -n, allow-ssh-me]\n"
    "            verify: [azssh-doctor, '{vm}']\n"
    "          - {dialect: portal, text: 'Open {nsg}, Inbound security rules, Add: your address, "
    "port {port}, TCP, Allow.'}\n"
    "  key-permissions:\n    evidence: [path, mode]\n    codes:\n      key-perms-too-open:\n"
    "        title: 'The private key {path} can be read by others'\n        why: 'ssh ignores a "
    "key with mode {mode}.'\n"
    "        remedies: [{dialect: shell, argv: [chmod, 600, '{path}'], undo: [chmod, '{mode}', "
    "'{path}']}]\n"
    "  azure-signin:\n    codes:\n      az-not-logged-in:\n        title: 'You are not signed in "
    "to Azure'\n"
    "        why: 'Without a token nothing about the VM can be read.'\n        remedies: "
    "[{dialect: az, text: 'az login'}]\n"
    "  tcp:\n    codes:\n      tcp-timeout: {title: 'Nothing answers', why: 'The connection timed "
    "out.'}\n"
    "      blocked-outside-azure-rules: {title: 'Something outside of Azure drops it', why: 'The "
    "rules admit you.'}\n";

struct world {
	struct rules *rules;
	json_t *doc, *globals;
	struct facts facts;
	struct about about;
	struct finding said[16], *findings; /* by the checks; weighed together */
	size_t count;
	struct diagnosis diagnosis;
	struct report report;
};

static void
world_start(struct world *world)
{
	struct err err = { "" };

	*world = (struct world){ 0 };
	ck_assert_msg(rules_text(&world->rules, "test.yaml", rule_text, strlen(rule_text), &err) ==
			  0,
		      "%s", err.text);
	world->doc = facts_new(1767225600);
	json_array_append_new(json_object_get(world->doc, "targets"), json_object());
	ck_assert_int_eq(facts_view(world->doc, 0, &world->facts), 0);
	world->about = (struct about){
		.started = 1767225600,
		.duration_ms = 231,
		.vm = strdup("myVM"),
		.resource_group = strdup("rg"),
		.subscription = strdup("sub-1"),
		.host = strdup("20.51.230.13"),
		.port = 22,
		.user = strdup("azureuser"),
		.user_from = "option",
		.source_ip = strdup("203.0.113.7"),
		.login = strdup("ssh azureuser@20.51.230.13"),
		.again = strdup("azssh-doctor --source-ip 203.0.113.7 myVM"),
	};
}

static void
world_end(struct world *world)
{
	report_free(&world->report);
	diagnosis_free(&world->diagnosis);
	for (size_t i = 0; i < world->count; i++)
		finding_free(&world->said[i]);
	findings_free(world->findings, world->count);
	json_decref(world->doc);
	json_decref(world->globals);
	about_free(&world->about);
	rules_free(world->rules);
}

static void
set(char **text, const char *value)
{
	free(*text);
	*text = value != NULL ? strdup(value) : NULL;
}

static struct finding *
say(struct world *world, const char *check, enum status status, const char *code,
    const char *summary)
{
	struct finding *finding = &world->said[world->count++];

	finding_init(finding, check);
	if (code_find(code) != CODE_CUSTOM)
		finding_set(finding, status, code_find(code), "%s", summary);
	else
		finding_custom(finding, status, code, "%s", summary);
	return finding;
}

/* The report; version and digest are those of no release. */
static void
world_report(struct world *world, int exit_code)
{
	static const char *const dialects[] = { "az", "portal", NULL };
	struct scene scene;

	scene_make(&world->facts, &scene);
	world->globals = globals_make(&scene, &world->about);
	ck_assert_int_eq(
	    causes_make(&scene, world->rules, world->said, world->count, &world->findings), 0);
	scene_free(&scene);
	for (size_t i = 0; i < world->count; i++)
		ck_assert_int_eq(
		    finding_fill_in(&world->findings[i], world->rules, world->globals, dialects),
		    0);
	ck_assert_int_eq(diagnosis_make(world->findings, world->count, &world->diagnosis), 0);
	ck_assert_int_eq(report_build(&world->about, world->rules, world->findings, world->count,
				      &world->diagnosis, world->globals, exit_code, &world->report),
			 0);
	world->report.version = "0.0";
	world->report.rules =
	    "sha256:0000000000000000000000000000000000000000000000000000000000000000";
}

static void
say_nsg(struct world *world)
{
	struct finding *finding =
	    say(world, "nsg", FAIL, "nsg-no-allow-rule",
		"web-nsg: DenyAllInBound (65500) denies TCP 22 from 203.0.113.7");

	finding_text(finding, "verdict", "deny");
	finding_text(finding, "scope", "nic");
	finding_text(finding, "nsg", "web-nsg");
	finding_text(finding, "rule", "DenyAllInBound");
	finding_number(finding, "priority", 65500);
	finding_text(finding, "source_ip", "203.0.113.7");
	finding_number(finding, "port", 22);
}

/* A denying NSG, a key that others can read, an answer that is missing, a note. */
static void
blocked(struct world *world)
{
	struct finding *finding;

	world_start(world);
	say(world, "ssh-config", PASS, "ssh-config-ok", "azureuser@20.51.230.13, port 22");
	finding = say(world, "key-permissions", FAIL, "key-perms-too-open",
		      "/home/me/.ssh/a key has mode 0644");
	finding_text(finding, "path", "/home/me/.ssh/a key");
	finding_text(finding, "mode", "0644");
	say(world, "azure-signin", PASS, "signed-in", "signed in by azure-cli");
	finding = say(world, "vm-state", PASS, "vm-running", "myVM is running");
	finding_text(finding, "power_state", "running");
	finding_set(finding_also(finding), WARN, CODE_VM_AGENT_NOT_READY,
		    "The VM agent does not report; that hinders no ssh.");
	say_nsg(world);
	say(world, "jit", UNKNOWN, "not-known",
	    "the just-in-time policies is not known: 403, needs "
	    "Microsoft.Security/locations/jitNetworkAccessPolicies/read");
	finding = say(world, "tcp", FAIL, "tcp-timeout",
		      "20.51.230.13 port 22: no answer within 5000 ms");
	finding_text(finding, "address", "20.51.230.13");
	finding_text(finding, "result", "timeout");
	finding_possible(finding, CODE_NSG_NO_ALLOW_RULE);
	say(world, "banner", SKIP, "not-reached", "there is no connection");
	world_report(world, 1);
}

static void
healthy(struct world *world)
{
	struct finding *finding;

	world_start(world);
	say(world, "ssh-config", PASS, "ssh-config-ok", "azureuser@20.51.230.13, port 22");
	finding =
	    say(world, "tcp", PASS, "tcp-connected", "connected to 20.51.230.13 port 22 in 12 ms");
	finding_text(finding, "result", "connected");
	finding_number(finding, "ms", 12);
	finding = say(world, "auth", PASS, "auth-accepted",
		      "the server accepts /home/me/.ssh/id_ed25519 for azureuser");
	finding_text(finding, "accepted", "SHA256:abc");
	finding_value(finding, "methods", json_pack("[s]", "publickey"));
	world_report(world, 0);
}

static void
signed_out(struct world *world)
{
	world_start(world);
	set(&world->about.host, NULL);
	set(&world->about.source_ip, NULL);
	say(world, "azure-signin", UNKNOWN, "az-not-logged-in", "no credential gave a token");
	say(world, "vm-state", UNKNOWN, "not-known",
	    "the VM's place in Azure is not known: not signed in");
	world_report(world, 3);
}

static void
outside(struct world *world)
{
	struct finding *finding;

	world_start(world);
	say(world, "nsg", PASS, "nsg-allows", "allow-ssh (300) admits you");
	finding = say(world, "tcp", FAIL, "blocked-outside-azure-rules",
		      "20.51.230.13 port 22: no answer within 5000 ms");
	finding->confidence = POSSIBLE;
	finding_text(finding, "result", "timeout");
	finding_possible(finding, CODE_NSG_NO_ALLOW_RULE);
	finding_possible(finding, CODE_TCP_CONNECTED);
	world_report(world, 1);
}

/* Text from outside that wants to be more than text. */
static void
hostile(struct world *world)
{
	struct finding *finding;

	world_start(world);
	set(&world->about.vm, "my\x1b]0;owned\x07VM");
	set(&world->about.host, "h\xe2\x80\xaetsoh");
	set(&world->about.user, "r\xc3\xb6\xc3\xb6t\n");
	finding = say(world, "nsg", FAIL, "nsg-no-allow-rule",
		      "rule \x1b[2J\xc2\x9b"
		      "31m denies\r\nOK: all fine");
	finding_text(finding, "nsg", "n;reboot\x1b[0m");
	finding_text(finding, "rule", "$(reboot)");
	finding_text(finding, "a\x1b[31m", "b\x7f\xe2\x80\x8b");
	say(world, "banner", WARN, "banner-odd", "SSH-2.0-\xff\xfe\x1bPq");
	world_report(world, 1);
}

static const struct {
	const char *file;
	void (*make)(struct world *);
	struct report_style style;
	const char *format;
} goldens[] = {
	{ "blocked-terminal.txt",
	  blocked,
	  { .terminal = true, .utf8 = true, .width = 80 },
	  "text" },
	{ "blocked-color.txt",
	  blocked,
	  { .terminal = true, .color = true, .utf8 = true, .width = 120 },
	  "text" },
	{ "blocked-verbose.txt",
	  blocked,
	  { .terminal = true, .utf8 = true, .verbose = true, .width = 100 },
	  "text" },
	{ "blocked-narrow.txt", blocked, { .terminal = true, .width = 46 }, "text" },
	{ "healthy.txt", healthy, { 0 }, "text" },
	{ "healthy-terminal.txt", healthy, { .terminal = true, .width = 80 }, "text" },
	{ "healthy.json", healthy, { 0 }, "json" },
	{ "signed-out.txt", signed_out, { 0 }, "text" },
	{ "signed-out.json", signed_out, { 0 }, "json" },
	{ "outside.txt", outside, { 0 }, "text" },
	{ "outside-terminal.txt",
	  outside,
	  { .terminal = true, .utf8 = true, .width = 80 },
	  "text" },
	{ "outside.json", outside, { 0 }, "json" },
	{ "hostile-verbose.txt", hostile, { .verbose = true }, "text" },
	{ "hostile-terminal.txt",
	  hostile,
	  { .terminal = true, .utf8 = true, .width = 80 },
	  "text" },
};

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	if (file != NULL) {
		ck_assert_int_lt((int)fread(text, 1, 65535, file), 65535);
		fclose(file);
	}
	return text;
}

static char *
golden_path(const char *name)
{
	const char *srcdir = getenv("srcdir");

	return doc_fmt("%s/tests/golden/%s", srcdir != NULL ? srcdir : ".", name);
}

/* UPDATE_GOLDEN=1 writes the files anew, for a person to read before they are committed. */
static void
compare_golden(const char *name, const char *text)
{
	char *path = golden_path(name), *expected;
	FILE *file;

	if (getenv("UPDATE_GOLDEN") != NULL && (file = fopen(path, "we")) != NULL) {
		fputs(text, file);
		fclose(file);
	}
	expected = read_file(path);
	ck_assert_msg(strcmp(text, expected) == 0, "%s differs:\n%s", name, text);
	free(expected);
	free(path);
}

/* The report `count` times in one format; the caller frees. */
static char *
written(const char *format, const struct report *report, size_t count,
	const struct report_style *style)
{
	const struct report *list[4] = { report, report, report, report };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(
	    format_write(format_named(format, strlen(format)), out, list, count, style), 0);
	fclose(out);
	return text;
}

START_TEST(reports_are_as_the_golden_files_say)
{
	struct world world;
	char *text;

	goldens[_i].make(&world);
	text = written(goldens[_i].format, &world.report, 1, &goldens[_i].style);
	compare_golden(goldens[_i].file, text);
	for (const char *p = text; *p != '\0'; p++)
		ck_assert_msg(goldens[_i].style.color || ((unsigned char)*p >= ' ' && *p != 0x7f) ||
				  *p == '\n',
			      "a control byte is shown");
	free(text);
	world_end(&world);
}
END_TEST

START_TEST(commands_are_whole_in_a_log)
{
	struct report_style style = { 0 };
	struct world world;
	char *text, *line;

	blocked(&world);
	text = written("text", &world.report, 1, &style);
	line = doc_fmt("\n    %s\n", world.report.cause->remedies.at[0].command);
	ck_assert_ptr_nonnull(strstr(text, line));
	free(line);
	free(text);
	world_end(&world);
}
END_TEST

/* Each format has golden files of its own: a new one adds them. */
START_TEST(each_format_is_as_its_golden_files_say)
{
	static const struct report_style log = { 0 };
	static const struct {
		const char *name;
		void (*make)(struct world *);
	} worlds[] = { { "blocked", blocked }, { "hostile", hostile } };

	for (const struct format *format = formats; format->name != NULL; format++) {
		struct world world;
		char *text, *file = doc_fmt("%s.%s", worlds[_i].name, format->name);

		worlds[_i].make(&world);
		text = written(format->name, &world.report, 1, &log);
		compare_golden(file, text);
		free(text);
		free(file);
		world_end(&world);
	}
}
END_TEST

static const char *const commands[] = {
	"az login",
	"az network nsg rule create -g rg --nsg-name web-nsg -n allow-ssh-me --priority 300 "
	"--direction Inbound --source-port-ranges '*' --destination-port-ranges 22",
	"az rest --method post --url "
	"'/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg/providers/"
	"Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies/default/initiate' --body "
	"'{\"virtualMachines\": [{\"id\": \"/subscriptions/x\", \"ports\": [{\"number\": 22}]}]}'",
	"az vm user update -g rg -n vm -u me --ssh-key-value \"$(ssh-keygen -y -f "
	"'/home/me/a key with a very long name that no line has room for, however wide it may "
	"be')\"",
	"grep -E \"^(kexalgorithms|hostkeyalgorithms|ciphers|macs) a b c d e f g h i j k l m n o p "
	"q\"",
	"printf %s it'\\''s\\ a\\ word\\ of\\ many\\ parts\\ that\\ is\\ longer\\ than\\ any\\ "
	"line\\ of\\ it",
	"(umask 077 && base64 -d /home/me/key > /home/me/key_openssh) || echo `date +%s` failed; "
	"true",
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	"xxx",
};

/* Undoes what continues a line: what the shell joins again, and blanks between words. */
static void
unbreak(const char *text, char *ret)
{
	for (const char *p = text; *p != '\0';) {
		if (strncmp(p, "'\\\n'", 4) == 0) {
			p += 4;
		} else if (strncmp(p, "\\\n", 2) == 0) {
			p += 2;
			while (*p == ' ' && ret[-1] == ' ')
				p++;
		} else {
			*ret++ = *p++;
		}
	}
	*ret = '\0';
}

START_TEST(broken_commands_paste_as_one)
{
	for (int width = 40; width <= 120; width++) {
		struct report_style style = { .terminal = true, .width = width };
		char *text = NULL, joined[4096], line[4096];
		struct page page;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		page_start(&page, out, &style);
		page_command(&page, "", 4, INK_NONE, "az", commands[_i]);
		fclose(out);
		unbreak(text, joined);
		snprintf(line, sizeof(line), "    %s\n", commands[_i]);
		ck_assert_str_eq(joined, line);
		for (char *rest = NULL, *one = strtok_r(text, "\n", &rest); one != NULL;
		     one = strtok_r(NULL, "\n", &rest))
			ck_assert_msg((int)strlen(one) <= width || strchr(one, '`') != NULL ||
					  strstr(one, "$(") != NULL || strstr(one, "a key") != NULL,
				      "%d columns: %s", width, one);
		free(text);
	}
}
END_TEST

START_TEST(scripts_of_several_commands_are_joined)
{
	static const char *const same[] = { "az x --scripts 'a; b'", "az x --scripts 'c'" };
	static const char *const other[] = { "az x --scripts 'a'", "az y --scripts 'c'" };
	static const char *const quoted[] = { "az x 'a'\\''b'", "az x 'c'" };
	char *joined = command_joined(same, 2);

	ck_assert_str_eq(joined, "az x --scripts 'a; b; c'");
	ck_assert_ptr_null(command_joined(same, 1));
	ck_assert_ptr_null(command_joined(other, 2));
	ck_assert_ptr_null(command_joined(quoted, 2));
	free(joined);
}
END_TEST

START_TEST(several_reports_begin_with_a_row_each)
{
	static const struct report_style log = { 0 }, screen = { .terminal = true, .width = 80 };
	struct world bad, good, out;
	const struct report *list[5];
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	blocked(&bad);
	healthy(&good);
	signed_out(&out);
	list[0] = list[3] = &bad.report;
	list[1] = &good.report;
	list[2] = &out.report;
	list[4] = &bad.report;
	ck_assert_int_eq(format_write(format_named("text", 4), file, list, 5, &screen), 0);
	fclose(file);
	compare_golden("several-terminal.txt", text);
	free(text);
	file = open_memstream(&text, &size);
	ck_assert_int_eq(format_write(format_named("text", 4), file, list, 2, &log), 0);
	fclose(file);
	compare_golden("several.txt", text);
	free(text);
	world_end(&bad);
	world_end(&good);
	world_end(&out);
}
END_TEST

START_TEST(several_reports_are_an_array_and_lines)
{
	struct world world;
	json_t *list;
	char *text;

	healthy(&world);
	list = json_loads(text = written("json", &world.report, 2, NULL), 0, NULL);
	ck_assert_int_eq((int)json_array_size(list), 2);
	json_decref(list);
	free(text);
	text = written("ndjson", &world.report, 2, NULL);
	ck_assert_ptr_eq(strchr(strchr(text, '\n') + 1, '\n'), text + strlen(text) - 1);
	free(text);
	world_end(&world);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
	struct report_style style = { 0 };
	struct world world;
	const struct report *report = &world.report;

	healthy(&world);
	for (const struct format *format = formats; format->name != NULL; format++) {
		FILE *full = fopen("/dev/full", "we");

		if (full == NULL)
			continue;
		ck_assert_msg(format_write(format, full, &report, 1, &style) < 0, "%s",
			      format->name);
		fclose(full);
	}
	world_end(&world);
}
END_TEST

START_TEST(the_schema_names_the_hops_of_the_path)
{
	const char *source = getenv("srcdir");
	char *file = doc_fmt("%s/report/report.schema.json", source != NULL ? source : ".");
	json_t *schema = json_load_file(file, 0, NULL);
	const json_t *names =
	    json_object_get(doc_get(schema, "definitions.hop.properties.hop"), "enum");
	struct diagnosis diagnosis = { .verdict = PASS };
	struct report_hop path[REPORT_HOPS];

	ck_assert_uint_eq(json_array_size(names), REPORT_HOPS);
	ck_assert_int_eq(report_path(NULL, 0, &diagnosis, path), 0);
	for (size_t i = 0; i < REPORT_HOPS; i++) {
		ck_assert_str_eq(path[i].name, json_string_value(json_array_get(names, i)));
		free(path[i].label);
	}
	json_decref(schema);
	free(file);
}
END_TEST

START_TEST(codes_are_explained_and_checks_listed)
{
	struct report_style style = { 0 };
	struct world world;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	world_start(&world);
	ck_assert_int_eq(report_explain(out, world.rules, "no-such-code", &style), -ENOENT);
	ck_assert_int_eq(report_explain(out, world.rules, "nsg-no-allow-rule", &style), 0);
	ck_assert_int_eq(report_explain(out, world.rules, "nsg", &style), 0);
	fclose(out);
	compare_golden("explain.txt", text);
	free(text);
	out = open_memstream(&text, &size);
	ck_assert_int_eq(report_checks(out, world.rules, &style), 0);
	ck_assert_int_eq(report_lint(out, world.rules, "my\x1brules.yaml"), 0);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "my\\x1brules.yaml: fine"));
	free(text);
	world_end(&world);
}
END_TEST

/* "check status [scope|result]" lines, and what the path then says of hops. */
static const struct {
	const char *findings[6][3];
	enum status statuses[6];
	const char *cause, *expected;
} paths[] = {
	{ { { "vm-state", NULL, NULL }, { "public-ip", NULL, NULL } },
	  { FAIL, PASS },
	  "vm-state",
	  "vm=blocked public-ip=not-reached tcp=not-reached" },
	{ { { "nsg", "scope", "nic" } },
	  { FAIL },
	  "nsg",
	  "subnet-nsg=ok nic-nsg=blocked jit=not-reached" },
	{ { { "nsg", "scope", "subnet" } },
	  { FAIL },
	  "nsg",
	  "subnet-nsg=blocked nic-nsg=not-reached" },
	{ { { "nsg", "scope", "admin" } },
	  { FAIL },
	  "nsg",
	  "subnet-nsg=blocked nic-nsg=not-reached" },
	{ { { "nsg", "scope", "nic" } },
	  { UNKNOWN },
	  NULL,
	  "subnet-nsg=ok nic-nsg=unknown jit=unknown" },
	{ { { "nsg", "scope", "nic" }, { "tcp", "result", "connected" } },
	  { UNKNOWN, PASS },
	  NULL,
	  "nic-nsg=ok route=ok tcp=ok ssh=unknown" },
	{ { { "tcp", "result", "connected" }, { "banner", NULL, NULL } },
	  { PASS, FAIL },
	  "banner",
	  "vm=ok tcp=ok ssh=blocked auth=not-reached" },
	{ { { "ssh-config", NULL, NULL } },
	  { FAIL },
	  "ssh-config",
	  "client=blocked azure=not-reached auth=not-reached" },
	{ { { "key-permissions", NULL, NULL }, { "host-key", NULL, NULL } },
	  { FAIL, PASS },
	  "key-permissions",
	  "client=ok host-key=ok auth=blocked" },
	{ { { "auth", NULL, NULL } }, { PASS }, NULL, "client=ok nic-nsg=ok auth=ok" },
	{ { { "nsg", "scope", "nic" }, { "key-file", NULL, NULL } },
	  { FAIL, FAIL },
	  "nsg",
	  "nic-nsg=blocked auth=not-reached" },
	{ { { "azure-signin", NULL, NULL } }, { UNKNOWN }, NULL, "azure=unknown vm=unknown" },
};

START_TEST(the_path_shows_where_it_stops)
{
	struct finding findings[6];
	struct diagnosis diagnosis = { .verdict = paths[_i].cause != NULL ? FAIL : PASS };
	char words[256], *rest = NULL;
	size_t count = 0;
	struct report_hop path[REPORT_HOPS];

	for (; count < 6 && paths[_i].findings[count][0] != NULL; count++) {
		finding_init(&findings[count], paths[_i].findings[count][0]);
		finding_custom(&findings[count], paths[_i].statuses[count], "some-code", "s");
		if (paths[_i].findings[count][1] != NULL)
			finding_text(&findings[count], paths[_i].findings[count][1],
				     paths[_i].findings[count][2]);
		if (doc_same(paths[_i].cause, findings[count].check))
			diagnosis.cause = &findings[count];
	}
	ck_assert_int_eq(report_path(findings, count, &diagnosis, path), 0);
	snprintf(words, sizeof(words), "%s", paths[_i].expected);
	for (char *word = strtok_r(words, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		char *state = strchr(word, '=');

		*state++ = '\0';
		for (size_t i = 0; i < REPORT_HOPS; i++)
			if (strcmp(path[i].name, word) == 0)
				ck_assert_msg(strcmp(path[i].state, state) == 0,
					      "%s is %s and not %s", word, path[i].state, state);
	}
	for (size_t i = 0; i < REPORT_HOPS; i++)
		free(path[i].label);
	for (size_t i = 0; i < count; i++)
		finding_free(&findings[i]);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("report");
	TCase *tcase = tcase_create("report");
	SRunner *runner;

	tcase_add_loop_test(tcase, reports_are_as_the_golden_files_say, 0, COUNT(goldens));
	tcase_add_loop_test(tcase, the_path_shows_where_it_stops, 0, COUNT(paths));
	tcase_add_loop_test(tcase, each_format_is_as_its_golden_files_say, 0, 2);
	tcase_add_loop_test(tcase, broken_commands_paste_as_one, 0, COUNT(commands));
	tcase_add_test(tcase, scripts_of_several_commands_are_joined);
	tcase_add_test(tcase, several_reports_begin_with_a_row_each);
	tcase_add_test(tcase, commands_are_whole_in_a_log);
	tcase_add_test(tcase, several_reports_are_an_array_and_lines);
	tcase_add_test(tcase, a_full_disk_is_an_error);
	tcase_add_test(tcase, codes_are_explained_and_checks_listed);
	tcase_add_test(tcase, the_schema_names_the_hops_of_the_path);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
