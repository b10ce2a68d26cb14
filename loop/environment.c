#include "loop/environment.h"

#include <stdlib.h>
#include <string.h>

extern char **environ;

/* AZURE_* goes to az alone. */
static const char *const allowed[] = { "PATH",
				       "HOME",
				       "USER",
				       "LOGNAME",
				       "SHELL",
				       "TERM",
				       "TMPDIR",
				       "LANG",
				       "SSH_AUTH_SOCK",
				       "SSH_AGENT_PID",
				       "SSH_ASKPASS",
				       "DISPLAY",
				       "WAYLAND_DISPLAY",
				       "XDG_RUNTIME_DIR",
				       "XDG_CONFIG_HOME",
				       "WSL_DISTRO_NAME",
				       "WSLENV",
				       "SYSTEMROOT",
				       NULL };
static const char *const allowed_azure[] = { "HTTP_PROXY",
					     "HTTPS_PROXY",
					     "NO_PROXY",
					     "http_proxy",
					     "https_proxy",
					     "no_proxy",
					     "ALL_PROXY",
					     "REQUESTS_CA_BUNDLE",
					     "CURL_CA_BUNDLE",
					     "SSL_CERT_FILE",
					     "SSL_CERT_DIR",
					     "PYTHONPATH",
					     "ADAL_PYTHON_SSL_NO_VERIFY",
					     NULL };

static bool
named_in(const char *entry, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0 &&
		    entry[strlen(names[i])] == '=')
			return true;
	return false;
}

/* Programs that ask questions are asked for by these; the child's locale is ours to say. */
static const char *const replaced[] = { "LC_ALL", "LANGUAGE", NULL };
static const char *const questions[] = { "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE", NULL };

/* Credentials that no ssh and no proxy of it needs; AWS's Session Manager is such a proxy. */
static bool
is_credential(const char *entry)
{
	static const char *const parts[] = { "AZURE_", "ARM_",     "MSI_",   "IDENTITY_",
					     "TOKEN",  "PASSWORD", "PASSWD", "SECRET" };
	size_t name = strcspn(entry, "=");

	if (strncmp(entry, "AWS_", 4) == 0)
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const char *found = strstr(entry, parts[i]);

		if (found != NULL && (i < 4 ? found == entry : found < entry + name))
			return true;
	}
	return false;
}

static bool
passes(const struct child_request *request, const char *entry)
{
	if (named_in(entry, replaced) || (request->unattended && named_in(entry, questions)))
		return false;
	if (request->azure_env &&
	    (strncmp(entry, "AZURE_", 6) == 0 || named_in(entry, allowed_azure)))
		return true;
	return request->user_env ? !is_credential(entry) : named_in(entry, allowed);
}

char **
child_environment(const struct child_request *request)
{
	static char locale[] = "LC_ALL=C", asks[] = "SSH_ASKPASS=/bin/false",
		    never[] = "SSH_ASKPASS_REQUIRE=never";
	size_t count = 0, used = 0;
	char **env;

	while (environ[count] != NULL)
		count++;
	for (size_t i = 0; request->env != NULL && request->env[i] != NULL; i++)
		count++;
	if ((env = calloc(count + 4, sizeof(*env))) == NULL)
		return NULL;
	for (size_t i = 0; environ[i] != NULL; i++)
		if (passes(request, environ[i]))
			env[used++] = environ[i];
	env[used++] = locale;
	if (request->unattended) {
		env[used++] = asks; /* for versions that do not know the second one */
		env[used++] = never;
	}
	for (size_t i = 0; request->env != NULL && request->env[i] != NULL; i++)
		env[used++] = (char *)(uintptr_t)request->env[i];
	return env;
}
