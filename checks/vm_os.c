#include "checks/checks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXIT_NO_IDENTITY 22
#define EXIT_OLD_EXTENSION 23

static const char *
login_user(const struct scene *scene)
{
	return scene->asked.login != NULL ? scene->asked.login : scene->ssh_config->user;
}

/* An Entra login: the user name is an account name, or the key ssh would show carries az ssh's
 * certificate. */
static bool
is_entra_login(const struct scene *scene)
{
	const char *user = login_user(scene);

	if (user != NULL && strchr(user, '@') != NULL)
		return true;
	for (size_t i = 0; i < scene->identities->order_count; i++) {
		const char *path = scene->identities->order[i].path;

		if (path != NULL && strstr(path, "-aadcert.pub") != NULL)
			return true;
	}
	return false;
}

static bool
failed(const struct vm_extension *extension)
{
	return extension->state != NULL && strncasecmp(extension->state, "failed", 6) == 0;
}

/* What the installer ended with: "failed/22", or "exit status 22" in its message; 0 when it does
 * not say. */
static long
exit_code(const struct vm_extension *extension)
{
	const char *state = strchr(extension->state, '/'), *status;

	if (state != NULL && state[1 + strspn(state + 1, "0123456789")] == '\0')
		return strtol(state + 1, NULL, 10);
	if (extension->message == NULL)
		return 0;
	if ((status = strcasestr(extension->message, "exit status")) == NULL)
		status = strcasestr(extension->message, "exit code");
	return status != NULL ? strtol(status + strcspn(status, "0123456789"), NULL, 10) : 0;
}

static int
extension_failed(const struct vm_extension *extension, struct finding *finding)
{
	finding_text(finding, "extension", extension->type);
	finding_text(finding, "extension_state", extension->state);
	finding_text(finding, "message",
		     extension->message != NULL ? extension->message
						: "Azure gives no message for it.");
	if (exit_code(extension) == EXIT_NO_IDENTITY)
		finding_value(finding, "no_identity", json_true());
	if (exit_code(extension) == EXIT_OLD_EXTENSION)
		finding_value(finding, "old_extension", json_true());
	return finding_set(finding, FAIL, CODE_AAD_EXTENSION_FAILED,
			   "the Entra login extension is there, but its installation failed%s%s",
			   extension->message != NULL ? ": " : "",
			   extension->message != NULL ? extension->message : "");
}

/* "Creating", "Updating", "Transitioning": neither there nor failed. */
static bool
is_on_its_way(const struct vm_extension *extension)
{
	return extension->state != NULL && !doc_same(extension->state, "Succeeded") &&
	       strncasecmp(extension->state, "succeeded/", 10) != 0;
}

static int
extension_late(const struct vm_extension *extension, struct finding *finding)
{
	char *message = doc_fmt("Azure still calls it %s.", extension->state);

	finding_text(finding, "extension", extension->type);
	finding_text(finding, "extension_state", extension->state);
	finding_text(finding, "message", message);
	free(message);
	return finding_likely(finding, FAIL, CODE_AAD_EXTENSION_FAILED,
			      "the Entra login extension is not ready: Azure calls it %s",
			      extension->state);
}

/* The account that is signed in is the one that logs in. */
static bool
is_own_login(const struct scene *scene)
{
	const struct fact_signin_claims *claims = &scene->azure_signin.claims;
	const char *user = login_user(scene);

	return user != NULL && (doc_same(user, claims->upn) || doc_same(user, claims->unique_name));
}

/* Owner and Contributor do not include the login. */
static void
role(const struct scene *scene, struct finding *finding)
{
	const struct fact_roles *roles = scene->roles;
	struct finding *other;
	json_t *names;
	char *text;

	if (roles->state != FACT_KNOWN || roles->login != FACT_NO || scene->accepted ||
	    !is_own_login(scene))
		return;
	other = finding->status == FAIL ? finding_also(finding) : finding;
	names = json_array();
	for (size_t i = 0; i < roles->names_count; i++)
		doc_append_str(names, roles->names[i]);
	text = roles->names_count > 0 ? doc_join(names, 6) : strdup("none");
	finding_text(other, "roles", text);
	finding_set(other, FAIL, CODE_AAD_ROLE_MISSING,
		    "no role of %s at the VM, its group or its subscription includes the Entra "
		    "login (it has: %s)",
		    login_user(scene), text);
	free(text);
	json_decref(names);
}

/* What Entra login needs of the VM, in the order in which it is mended: the identity before the
 * extension. */
static int
entra(const struct scene *scene, struct finding *finding)
{
	const struct vm *vm = scene->instance;
	struct vm_extension extension;
	bool has = vm_extension(scene->facts, vm, "AADSSHLoginForLinux", &extension),
	     identity = vm_has_system_identity(vm);
	struct finding *other = finding;

	finding_text(finding, "identity_type", vm->identity);
	if (!identity) {
		if (!has)
			finding_value(finding, "extension_missing", json_true());
		finding_set(
		    finding, FAIL, CODE_AAD_IDENTITY_MISSING,
		    "the VM has no system-assigned managed identity, which Entra login needs");
		if (has && !failed(&extension))
			return 0;
		if ((other = finding_also(finding)) == NULL)
			return -ENOMEM;
	}
	if (!has) {
		bool old = vm_extension(scene->facts, vm, "AADLoginForLinux", &extension);

		if (old)
			finding_value(other, "old_extension", json_true());
		return finding_set(other, FAIL, CODE_AAD_EXTENSION_MISSING,
				   "the VM lacks the Entra login extension (AADSSHLoginForLinux)%s",
				   old ? "; it has only the retired AADLoginForLinux" : "");
	}
	if (failed(&extension))
		return extension_failed(&extension, other);
	if (is_on_its_way(&extension) && !scene->accepted)
		return extension_late(&extension, other);
	finding_text(finding, "extension", extension.type);
	finding_text(finding, "extension_state", extension.state);
	return finding_set(finding, PASS, CODE_AAD_READY, "Linux, ready for Entra login");
}

/* Since 2025 the image brings the SSH server, which is not started. */
static bool
brings_ssh(const struct vm *vm)
{
	return (doc_same(vm->publisher, "MicrosoftWindowsServer") && vm->sku != NULL &&
		strncmp(vm->sku, "2025", 4) == 0) ||
	       (vm->os_name != NULL && strstr(vm->os_name, "Windows Server 2025") != NULL);
}

/* Nothing from here reaches the VM, by what Azure's side says: what runs behind it cannot be known.
 */
static bool
is_shut_off(const struct scene *scene)
{
	return (scene->nsg.verdict != NSG_ALLOW || route_loses_answers(scene)) &&
	       scene->tcp->result != TCP_REFUSED && scene->tcp->result != TCP_CONNECTED;
}

static int
windows(const struct scene *scene, struct finding *finding)
{
	const struct vm *vm = scene->instance;
	struct vm_extension extension;
	bool speaks = scene->banner->result == BANNER_IS_SSH;
	int r;

	if (vm_extension(scene->facts, vm, "WindowsOpenSSH", &extension)) {
		finding_text(finding, "extension", extension.type);
		finding_text(finding, "extension_state", extension.state);
		if (failed(&extension) && !speaks) {
			finding_text(finding, "message", extension.message);
			return finding_set(finding, FAIL, CODE_WINDOWS_OPENSSH_FAILED,
					   "Windows: the OpenSSH extension failed to install%s%s",
					   extension.message != NULL ? ": " : "",
					   extension.message != NULL ? extension.message : "");
		}
		if (!speaks && scene->tcp->result == TCP_REFUSED &&
		    scene->guest->state != FACT_KNOWN)
			return finding_likely(finding, FAIL, CODE_WIN_SSHD_STOPPED,
					      "Windows with the OpenSSH extension, yet nothing "
					      "listens: the service sshd does not run");
		return finding_set(finding, PASS, CODE_WINDOWS_OPENSSH,
				   "Windows with the OpenSSH extension");
	}
	if (speaks || scene->guest->installed == FACT_YES)
		return finding_set(finding, PASS, CODE_WINDOWS_OPENSSH,
				   "Windows with an SSH server");
	if (brings_ssh(vm))
		r = finding_set(finding, FAIL, CODE_WINDOWS_SSHD_OFF,
				"Windows Server 2025, whose SSH server is installed and not "
				"started, and none answers");
	else
		r = finding_set(finding, FAIL, CODE_WINDOWS_OPENSSH_MISSING,
				"Windows without the OpenSSH extension, and no SSH server answers");
	/* the built-in feature is no extension and cannot be seen from here */
	finding->confidence = is_shut_off(scene) ? POSSIBLE : LIKELY;
	if (scene->guest->installed == FACT_NO)
		finding->confidence = CERTAIN; /* seen from inside */
	return r;
}

static int
linux_vm(const struct scene *scene, struct finding *finding)
{
	const struct vm *vm = scene->instance;
	struct vm_extension extension;
	struct finding *also;
	int r;

	if (is_entra_login(scene)) {
		r = entra(scene, finding);
		role(scene, finding);
		return r;
	}
	if (!vm->has_os_profile)
		r = finding_set(finding, PASS, CODE_OS_WITHOUT_PROFILE,
				"Linux from a specialised disk: Azure knows neither user nor key");
	else
		r = finding_set(finding, PASS, CODE_OS_LINUX, "Linux, set up with the user %s",
				vm->admin != NULL ? vm->admin : "(not told)");
	if (r == 0 && vm_extension(scene->facts, vm, "AADSSHLoginForLinux", &extension) &&
	    failed(&extension) && (also = finding_also(finding)) != NULL) {
		r = extension_failed(&extension, also);
		also->status = WARN;
	}
	return r;
}

/* The keys given at creation are evidence only: later changes never show up there. */
static void
add_evidence(const struct vm *vm, struct finding *finding)
{
	json_t *types = vm_key_types(vm);

	if (vm->os_known)
		finding_text(finding, "os", vm->windows ? "Windows" : "Linux");
	finding_text(finding, "publisher", vm->publisher);
	finding_text(finding, "offer", vm->offer);
	finding_text(finding, "adminuser", vm->admin);
	if (vm->has_os_profile && !vm->windows)
		finding_text(finding, "password_login", vm->password_off ? "off" : "on");
	if (json_array_size(types) > 0)
		finding_value(finding, "creation_keys", json_incref(types));
	json_decref(types);
}

int
check_vm_os(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct vm *vm = scene->instance;
	struct net_ref ref = net_ref_by_id(scene->facts, scene->vm->id);

	(void)rule;
	if (vm == NULL)
		return finding_missing(finding, CODE_VM_OS_UNKNOWN, "the VM", &ref);
	finding_changes(finding, ref.id);
	add_evidence(vm, finding);
	if (!vm->os_known)
		return finding_set(finding, PASS, CODE_OS_NOT_TOLD,
				   "Azure does not say which system it is");
	return vm->windows ? windows(scene, finding) : linux_vm(scene, finding);
}
