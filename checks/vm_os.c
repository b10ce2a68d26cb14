#include "checks/checks.h"
#include "checks/inbound.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXIT_NO_IDENTITY 22
#define EXIT_OLD_EXTENSION 23

static const char *
login_user(const struct facts *facts)
{
	const char *user = doc_str(facts_section(facts, FACT_SSH_CONFIG), "user"),
		   *asked = doc_str(facts->doc, "asked.login");

	return asked != NULL ? asked : user;
}

/* An Entra login: the user name is an account name, or the key ssh would show carries az ssh's
 * certificate. */
static bool
is_entra_login(const struct facts *facts, const char *user)
{
	const json_t *identity;
	size_t i;

	if (user != NULL && strchr(user, '@') != NULL)
		return true;
	json_array_foreach (doc_list(facts_section(facts, FACT_IDENTITIES), "order"), i, identity) {
		const char *path = doc_str(identity, "path");

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

/* What Entra login needs of the VM, in the order in which it is mended: the identity before the
 * extension. */
static int
entra(const struct facts *facts, const struct vm *vm, struct finding *finding)
{
	struct vm_extension extension;
	bool has = vm_extension(facts, vm, "AADSSHLoginForLinux", &extension),
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
	if (!has)
		return finding_set(other, FAIL, CODE_AAD_EXTENSION_MISSING,
				   "the VM lacks the Entra login extension (AADSSHLoginForLinux)");
	if (failed(&extension))
		return extension_failed(&extension, other);
	finding_text(finding, "extension", extension.type);
	finding_text(finding, "extension_state", extension.state);
	return finding_set(finding, PASS, CODE_AAD_READY, "Linux, ready for Entra login");
}

static int
windows(const struct facts *facts, const struct vm *vm, struct finding *finding)
{
	struct vm_extension extension;
	bool speaks = doc_is(facts_section(facts, FACT_BANNER), "result", "ssh");
	int r;

	if (vm_extension(facts, vm, "WindowsOpenSSH", &extension)) {
		finding_text(finding, "extension", extension.type);
		finding_text(finding, "extension_state", extension.state);
		if (failed(&extension) && !speaks) {
			finding_text(finding, "message", extension.message);
			return finding_set(finding, FAIL, CODE_WINDOWS_OPENSSH_FAILED,
					   "Windows: the OpenSSH extension failed to install%s%s",
					   extension.message != NULL ? ": " : "",
					   extension.message != NULL ? extension.message : "");
		}
		return finding_set(finding, PASS, CODE_WINDOWS_OPENSSH,
				   "Windows with the OpenSSH extension");
	}
	if (speaks)
		return finding_set(finding, PASS, CODE_WINDOWS_OPENSSH,
				   "Windows with an SSH server");
	r = finding_set(finding, FAIL, CODE_WINDOWS_OPENSSH_MISSING,
			"Windows without the OpenSSH extension, and no SSH server answers");
	finding->confidence =
	    LIKELY; /* the built-in feature is no extension and cannot be seen from here */
	return r;
}

static int
linux_vm(const struct facts *facts, const struct vm *vm, struct finding *finding)
{
	const char *user = login_user(facts);
	struct vm_extension extension;
	struct finding *also;
	int r;

	if (is_entra_login(facts, user))
		return entra(facts, vm, finding);
	if (!vm->has_os_profile)
		r = finding_set(finding, PASS, CODE_OS_WITHOUT_PROFILE,
				"Linux from a specialised disk: Azure knows neither user nor key");
	else
		r = finding_set(finding, PASS, CODE_OS_LINUX, "Linux, set up with the user %s",
				vm->admin != NULL ? vm->admin : "(not told)");
	if (r == 0 && vm_extension(facts, vm, "AADSSHLoginForLinux", &extension) &&
	    failed(&extension) && (also = finding_also(finding)) != NULL) {
		r = extension_failed(&extension, also);
		also->status = WARN;
	}
	return r;
}

/* The keys given at creation: evidence only, since later changes never show up there. */
static void
add_keys(const struct vm *vm, struct finding *finding)
{
	json_t *types = json_array();
	const json_t *key;
	size_t i;

	json_array_foreach (vm->keys, i, key) {
		const char *data = doc_str(key, "keyData");
		size_t len = data != NULL ? strcspn(data, " \t\r\n") : 0;

		if (len > 0 && len < 64)
			json_array_append_new(types, doc_text(data, len));
	}
	if (json_array_size(types) > 0)
		finding_value(finding, "creation_keys", types);
	else
		json_decref(types);
}

int
check_vm_os(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct facts *facts = scene->facts;
	struct net_ref ref = net_ref_by_id(facts, vm_id(facts));
	struct vm vm;

	(void)rule;
	if (vm_from_facts(facts, &vm, NULL) < 0)
		return finding_missing(finding, CODE_VM_OS_UNKNOWN, "the VM", &ref);
	finding_changes(finding, ref.id);
	finding_text(finding, "os", !vm.os_known ? NULL : vm.windows ? "Windows" : "Linux");
	finding_text(finding, "publisher",
		     doc_str(vm.body, "properties.storageProfile.imageReference.publisher"));
	finding_text(finding, "offer",
		     doc_str(vm.body, "properties.storageProfile.imageReference.offer"));
	finding_text(finding, "adminuser", vm.admin);
	if (vm.has_os_profile && !vm.windows)
		finding_text(finding, "password_login", vm.password_off ? "off" : "on");
	add_keys(&vm, finding);
	if (!vm.os_known)
		return finding_set(finding, PASS, CODE_OS_NOT_TOLD,
				   "Azure does not say which system it is");
	return vm.windows ? windows(facts, &vm, finding) : linux_vm(facts, &vm, finding);
}
