#include "checks/boot.h"
#include "checks/checks.h"
#include "checks/talk.h"
#include "facts/words.h"

#include <stdlib.h>
#include <string.h>

/* The log, and what is said of it. */
struct view {
	const struct scene *scene;
	const struct fact_boot *boot;
	struct finding *finding;
};

static const struct fact_boot_sign *
has(const struct view *view, enum boot_kind kind)
{
	return boot_sign(view->scene, kind);
}

/* A hint is enough where a clear sign stands beside it. */
static const struct fact_boot_sign *
hints(const struct view *view, enum boot_kind kind)
{
	for (size_t i = 0; i < view->boot->signs_count; i++)
		if (view->boot->signs[i].kind == kind && !view->boot->signs[i].over)
			return &view->boot->signs[i];
	return NULL;
}

/* ---- saying it ---- */

enum { EVIDENCE_LINES = 4 };

static const char *
first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

/* The lines that show it, as the log has them. */
static void
add_lines(const struct view *view, const enum boot_kind *kinds)
{
	json_t *lines = json_array();

	for (; *kinds != BOOT_OTHER; kinds++)
		for (size_t i = 0; i < view->boot->signs_count; i++)
			if (view->boot->signs[i].kind == *kinds && !view->boot->signs[i].over &&
			    json_array_size(lines) < EVIDENCE_LINES)
				doc_append_str(lines, view->boot->signs[i].text);
	finding_text(view->finding, "log_line", json_string_value(json_array_get(lines, 0)));
	finding_value(view->finding, "log", lines);
	if (view->boot->earlier)
		finding_value(view->finding, "earlier", json_true());
}

/* What the wire has shown since outranks a log: SSH answers, so the guest came up after all. */
static bool
is_past(const struct view *view, bool about_login)
{
	return view->scene->accepted || (!about_login && view->scene->answers);
}

/* true always, so that a judgement can end with it. */
static bool
say(const struct view *view, enum confidence confidence, enum code code, const char *what,
    const enum boot_kind *kinds)
{
	bool about_login = code == CODE_DISK_FULL || code == CODE_CLOUD_INIT_FAILED ||
			   code == CODE_FILESYSTEM_DAMAGED;
	char *seen;

	add_lines(view, kinds);
	finding_text(view->finding, "problem", what);
	seen = doc_fmt("The serial log says: %s.",
		       first_of(doc_str(view->finding->evidence, "log_line"), what));
	finding_text(view->finding, "seen", seen);
	free(seen);
	if (is_past(view, about_login)) {
		finding_set(view->finding, PASS, CODE_BOOT_TROUBLE_PAST,
			    "the serial log shows trouble, yet SSH works: %s", what);
		return true;
	}
	finding_set(view->finding, FAIL, code, "the serial log shows it: %s", what);
	view->finding->confidence = confidence;
	return true;
}

/* A list of kinds for the lines that show it. */
#define KINDS(...) ((const enum boot_kind[]){ __VA_ARGS__, BOOT_OTHER })

static bool
say_of(const struct view *view, enum code code, const char *what, const char *of,
       const enum boot_kind *kinds)
{
	char *text = doc_fmt("%s%s%s", what, of != NULL ? ": " : "", of != NULL ? of : "");

	finding_text(view->finding, "reason", of);
	say(view, CERTAIN, code, text, kinds);
	free(text);
	return true;
}

/* ---- what is judged, each in turn ---- */

static bool
judge_windows(const struct view *view)
{
	if (has(view, BOOT_WINDOWS) == NULL)
		return false;
	add_lines(view, KINDS(BOOT_WINDOWS));
	finding_set(view->finding, PASS, CODE_BOOT_LOG_WINDOWS,
		    "the serial console is that of Windows, not of Linux; it tells nothing of SSH");
	return true;
}

static bool
judge_secure_boot(const struct view *view)
{
	return has(view, BOOT_SECURE_BOOT) != NULL &&
	       say(view, CERTAIN, CODE_SECURE_BOOT_REFUSED,
		   "Secure Boot refuses the boot loader or the kernel", KINDS(BOOT_SECURE_BOOT));
}

static bool
judge_loader(const struct view *view)
{
	const enum boot_kind *kinds = KINDS(BOOT_LOADER, BOOT_NO_DEVICE);

	if (has(view, BOOT_LOADER) != NULL)
		return say(view, CERTAIN, CODE_BOOT_GRUB_DRACUT,
			   "the boot loader stops and does not find the system", kinds);
	return has(view, BOOT_NO_DEVICE) != NULL &&
	       say(view, CERTAIN, CODE_BOOT_GRUB_DRACUT, "the firmware finds nothing to boot",
		   kinds);
}

static bool
judge_panic(const struct view *view)
{
	const struct fact_boot_sign *sign = has(view, BOOT_PANIC);

	return sign != NULL &&
	       say_of(view, CODE_KERNEL_PANIC, "the kernel panics", sign->what, KINDS(BOOT_PANIC));
}

static bool
judge_init(const struct view *view)
{
	return has(view, BOOT_INIT_FAILED) != NULL &&
	       say(view, CERTAIN, CODE_INIT_FAILED, "the first process gave up",
		   KINDS(BOOT_INIT_FAILED));
}

/* The guest was shut down or halted, and this is the last that it says. */
static bool
judge_stopped(const struct view *view)
{
	const struct fact_boot *boot = view->boot;

	if (boot->signs_count == 0 || boot->signs[boot->signs_count - 1].kind != BOOT_STOPPED)
		return false;
	return say(view, LIKELY, CODE_GUEST_HALTED, "the system was halted from inside",
		   KINDS(BOOT_STOPPED));
}

static bool
stands_still(const struct view *view)
{
	return has(view, BOOT_INITRAMFS) != NULL || has(view, BOOT_EMERGENCY) != NULL;
}

static bool
judge_damaged(const struct view *view)
{
	const struct fact_boot_sign *check = has(view, BOOT_FSCK_FAILED),
				    *damage = has(view, BOOT_DAMAGED), *sign;
	bool up = has(view, BOOT_UP) != NULL;

	if ((check == NULL || up) && (damage == NULL || !stands_still(view)))
		return false;
	sign = check != NULL ? check : damage;
	finding_text(view->finding, "device", sign->device);
	return say_of(view, CODE_FILESYSTEM_DAMAGED, "a file system is damaged", sign->device,
		      KINDS(BOOT_FSCK_FAILED, BOOT_DAMAGED, BOOT_EMERGENCY, BOOT_INITRAMFS));
}

static bool
judge_initramfs(const struct view *view)
{
	const struct fact_boot_sign *sign = NULL, *missing = has(view, BOOT_DEVICE_MISSING);
	const char *device;

	for (size_t i = 0; i < view->boot->signs_count; i++)
		if (view->boot->signs[i].kind == BOOT_INITRAMFS && !view->boot->signs[i].over &&
		    (sign == NULL || sign->device == NULL))
			sign = &view->boot->signs[i];
	if (sign == NULL || has(view, BOOT_INITRAMFS) == NULL)
		return false;
	device = first_of(sign->device, missing != NULL ? missing->device : NULL);
	finding_text(view->finding, "device", device);
	return say_of(view, CODE_BOOT_GRUB_DRACUT,
		      "the initramfs does not find the root file system", device,
		      KINDS(BOOT_INITRAMFS, BOOT_DEVICE_MISSING));
}

/* The mount that failed: its folder and its device may stand in lines of their own. */
static bool
judge_mount(const struct view *view)
{
	const struct fact_boot_sign *mount = has(view, BOOT_MOUNT_FAILED),
				    *missing = has(view, BOOT_DEVICE_MISSING),
				    *emergency = has(view, BOOT_EMERGENCY);
	const char *folder = mount != NULL ? mount->mount : NULL, *device;
	char *text;

	if ((mount == NULL && missing == NULL) || has(view, BOOT_UP) != NULL)
		return false;
	device = first_of(missing != NULL ? missing->device : NULL,
			  mount != NULL ? mount->device : NULL);
	finding_text(view->finding, "mount", folder);
	finding_text(view->finding, "device", device);
	text = doc_fmt("%s could not be mounted%s%s%s", folder != NULL ? folder : "a file system",
		       device != NULL ? " (" : "", device != NULL ? device : "",
		       device != NULL ? ")" : "");
	say(view, emergency != NULL ? CERTAIN : LIKELY, CODE_FSTAB_EMERGENCY_MODE, text,
	    KINDS(BOOT_DEVICE_MISSING, BOOT_MOUNT_FAILED, BOOT_EMERGENCY));
	free(text);
	return true;
}

static bool
judge_disk_full(const struct view *view)
{
	if (has(view, BOOT_DISK_FULL) == NULL)
		return false;
	finding_text(view->finding, "mount", "/");
	return say(view, view->scene->answers ? LIKELY : CERTAIN, CODE_DISK_FULL,
		   "a disk has no space left", KINDS(BOOT_DISK_FULL));
}

static bool
judge_emergency(const struct view *view)
{
	return has(view, BOOT_EMERGENCY) != NULL &&
	       say(view, CERTAIN, CODE_BOOT_EMERGENCY_MODE,
		   "the system stopped in emergency mode and waits at the console",
		   KINDS(BOOT_EMERGENCY));
}

static bool
judge_passphrase(const struct view *view)
{
	const struct fact_boot_sign *sign = has(view, BOOT_PASSPHRASE);

	return sign != NULL && say_of(view, CODE_BOOT_WAITS_FOR_PASSPHRASE,
				      "the system waits for the passphrase of a disk", sign->device,
				      KINDS(BOOT_PASSPHRASE));
}

static bool
judge_relabel(const struct view *view)
{
	return has(view, BOOT_RELABEL) != NULL && has(view, BOOT_UP) == NULL &&
	       say(view, LIKELY, CODE_SELINUX_RELABEL,
		   "SELinux is relabelling all files, which takes its time", KINDS(BOOT_RELABEL));
}

static bool
judge_read_only(const struct view *view)
{
	const struct fact_boot_sign *sign = has(view, BOOT_READ_ONLY);
	const enum boot_kind *kinds = KINDS(BOOT_DAMAGED, BOOT_READ_ONLY);

	if (sign != NULL)
		return say(view, LIKELY, CODE_FILESYSTEM_DAMAGED,
			   "a file system was damaged and made read-only", kinds);
	return hints(view, BOOT_READ_ONLY) != NULL &&
	       (has(view, BOOT_UP) == NULL || has(view, BOOT_CLOUD_INIT) != NULL ||
		has(view, BOOT_SSHD_FAILED) != NULL) &&
	       say(view, LIKELY, CODE_FILESYSTEM_DAMAGED, "a file system is read-only", kinds);
}

/* ---- sshd ---- */

static const struct reason {
	enum boot_kind kind;
	enum code code;
	const char *what;
} reasons[] = {
	{ BOOT_SSHD_FOLDER, CODE_SSHD_PRIVSEP_DIR, "sshd's privilege separation is not set up" },
	{ BOOT_SSHD_CONFIG, CODE_SSHD_CONFIG_SYNTAX, "sshd refuses its configuration" },
	{ BOOT_SSHD_KEY_MODES, CODE_SSHD_HOSTKEY_PERMS, "sshd refuses its host keys" },
	{ BOOT_SSHD_KEYS, CODE_SSHD_HOSTKEYS_MISSING, "sshd has no host keys" },
	{ BOOT_SSHD_FAILED, CODE_SSHD_FAILED, "sshd did not start" },
};

static bool
judge_sshd(const struct view *view)
{
	bool failed = has(view, BOOT_SSHD_FAILED) != NULL;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		const struct fact_boot_sign *sign =
		    failed ? hints(view, reasons[i].kind) : has(view, reasons[i].kind);

		if (sign == NULL || (reasons[i].kind == BOOT_SSHD_KEY_MODES && sign->file != NULL &&
				     strstr(sign->file, "ssh_host_") == NULL))
			continue;
		finding_text(view->finding, "file", sign->file);
		if (sign->line > 0)
			finding_number(view->finding, "line", sign->line);
		return say_of(view, reasons[i].code, reasons[i].what,
			      reasons[i].kind == BOOT_SSHD_FAILED
				  ? sign->what
				  : first_of(sign->what, sign->file),
			      KINDS(reasons[i].kind, BOOT_SSHD_FAILED));
	}
	return false;
}

/* ---- the network of the guest ---- */

static bool
is_own_address(const struct view *view, const char *address)
{
	const struct network *network = &view->scene->inbound.network;

	for (size_t i = 0; i < network->count; i++)
		if (doc_same(network->paths[i].private_text, address))
			return true;
	return false;
}

static bool
has_own_address(const struct view *view)
{
	for (size_t i = 0; i < view->boot->addresses_count; i++)
		if (is_own_address(view, view->boot->addresses[i]))
			return true;
	return false;
}

static bool
judge_driver(const struct view *view)
{
	return has(view, BOOT_NIC_DRIVER) != NULL && has(view, BOOT_ADDRESS) == NULL &&
	       !has_own_address(view) &&
	       say(view, LIKELY, CODE_ACCELNET_DRIVER_MISSING,
		   "the kernel cannot drive the accelerated network device",
		   KINDS(BOOT_NIC_DRIVER, BOOT_NO_ADDRESS));
}

static bool
judge_address(const struct view *view)
{
	const struct network *network = &view->scene->inbound.network;
	const struct fact_boot *boot = view->boot;
	const struct fact_boot_sign *sign = has(view, BOOT_NO_ADDRESS);
	const char *own = network->count > 0 ? network->paths[0].private_text : NULL;
	char *text;

	if (has_own_address(view))
		return false;
	if (boot->addresses_count > 0 && own != NULL) {
		finding_text(view->finding, "guest_address", boot->addresses[0]);
		finding_text(view->finding, "expected_address", own);
		text = doc_fmt("the guest uses %s, and Azure gave it %s", boot->addresses[0], own);
		say(view, LIKELY, CODE_GUEST_NIC_DOWN, text, KINDS(BOOT_ADDRESS));
		free(text);
		return true;
	}
	if (sign == NULL)
		return false;
	finding_text(view->finding, "device", sign->device);
	finding_text(view->finding, "file", sign->file);
	return say(view, CERTAIN, CODE_GUEST_NIC_DOWN, "the guest has no network address",
		   KINDS(BOOT_NO_ADDRESS));
}

/* ---- what sets up the user, and what wears the guest down ---- */

/* Modules without which a login fails; a user's own script is none of them. */
static bool
concerns_login(const char *module)
{
	static const char *const names[] = { "ssh",        "users-groups",  "users_groups",
					     "users",      "set-passwords", "set_passwords",
					     "disk_setup", "growpart",      "mounts" };

	if (module == NULL)
		return true;
	return word_among(module, names, sizeof(names) / sizeof(*names));
}

static bool
judge_cloud_init(const struct view *view)
{
	const struct fact_boot_sign *sign = NULL;

	for (size_t i = 0; i < view->boot->signs_count; i++)
		if (view->boot->signs[i].kind == BOOT_CLOUD_INIT && !view->boot->signs[i].hint &&
		    (sign == NULL || !concerns_login(sign->what)))
			sign = &view->boot->signs[i];
	if (sign == NULL)
		return false;
	say(view, LIKELY, CODE_CLOUD_INIT_FAILED,
	    concerns_login(sign->what) ? "cloud-init did not finish setting up the VM"
				       : "a part of cloud-init failed",
	    KINDS(BOOT_CLOUD_INIT));
	if (!concerns_login(sign->what) && view->finding->status == FAIL)
		view->finding->status = WARN;
	return true;
}

static bool
judge_load(const struct view *view)
{
	bool memory = has(view, BOOT_MEMORY) != NULL;

	if (!memory && has(view, BOOT_HUNG) == NULL)
		return false;
	say(view, LIKELY, CODE_GUEST_OVERLOADED,
	    memory ? "the guest ran out of memory and killed processes"
		   : "processes of the guest hung for minutes",
	    KINDS(BOOT_MEMORY, BOOT_HUNG));
	/* that it accepts connections and then is silent is for the banner to say */
	if (view->finding->status == FAIL && view->scene->tcp->result == TCP_CONNECTED)
		view->finding->status = WARN;
	return true;
}

static bool
judge_waiting(const struct view *view)
{
	const struct fact_boot_sign *sign = has(view, BOOT_WAITING);

	return sign != NULL && has(view, BOOT_UP) == NULL &&
	       (finding_text(view->finding, "reason", sign->what),
		say(view, LIKELY, CODE_BOOT_NOT_FINISHED, "the guest is still booting",
		    KINDS(BOOT_WAITING)));
}

/* ---- no fault ---- */

static bool
judge_fine(const struct view *view)
{
	const struct fact_boot *boot = view->boot;

	finding_texts(view->finding, "log_end", boot->last, boot->last_count);
	if (has(view, BOOT_UP) != NULL)
		finding_set(view->finding, PASS, CODE_BOOT_LOGIN_PROMPT,
			    "the guest booted to its login prompt%s",
			    has(view, BOOT_SSHD_STARTED) != NULL ? ", and sshd started" : "");
	else
		finding_set(view->finding, PASS, CODE_BOOT_LOG_SILENT,
			    "the serial log shows no fault and no login prompt");
	return true;
}

/* What stops everything comes first, and a particular cause before what follows from it. */
static bool (*const judges[])(const struct view *view) = {
	judge_windows,   judge_secure_boot, judge_loader,     judge_panic,     judge_init,
	judge_stopped,   judge_damaged,     judge_initramfs,  judge_mount,     judge_disk_full,
	judge_emergency, judge_passphrase,  judge_relabel,    judge_read_only, judge_sshd,
	judge_driver,    judge_address,     judge_cloud_init, judge_load,      judge_waiting,
	judge_fine,
};

int
check_vm_boot(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct view view = { .scene = scene, .boot = scene->boot, .finding = finding };

	(void)rule;
	if (!scene->asked.deep)
		return 0;
	finding_text(finding, "action", scene->boot->action);
	if (talk_missing(scene->facts, FACT_BOOT, finding))
		return 0;
	finding_changes(finding, scene->vm->id);
	for (size_t i = 0; i < sizeof(judges) / sizeof(*judges); i++)
		if (judges[i](&view))
			break;
	return 0;
}
