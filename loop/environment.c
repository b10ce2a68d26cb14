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

char **
child_environment(const struct child_request *request)
{
	static char locale[] = "LC_ALL=C";
	size_t count = 0, used = 0;
	char **env;

	while (environ[count] != NULL)
		count++;
	for (size_t i = 0; request->env != NULL && request->env[i] != NULL; i++)
		count++;
	if ((env = calloc(count + 2, sizeof(*env))) == NULL)
		return NULL;
	for (size_t i = 0; environ[i] != NULL; i++)
		if (named_in(environ[i], allowed) ||
		    (request->azure_env && (strncmp(environ[i], "AZURE_", 6) == 0 ||
					    named_in(environ[i], allowed_azure))))
			env[used++] = environ[i];
	env[used++] = locale;
	for (size_t i = 0; request->env != NULL && request->env[i] != NULL; i++)
		env[used++] = (char *)(uintptr_t)request->env[i];
	return env;
}
