/* What the settings of ssh_config meet on this machine: whether the address to connect from is
 * here, whether the local ports to forward are free, whether the control socket can be made. ssh
 * finds out after the login, too late for a probe; bind() tells at once and changes nothing. */
#include "facts/file.h"
#include "ssh/machine/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or -errno of binding a TCP socket to that address. */
static int
try_bind(const char *address, unsigned port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	int fd, on = 1, r;

	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return -EINVAL;
	fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* as ssh does */
	if (!is_v4) /* one family a socket, as ssh does */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	r = bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		 is_v4 ? sizeof(v4) : sizeof(v6));
	r = r < 0 ? -errno : 0;
	if (r == 0 && port != 0 && listen(fd, 1) < 0) /* two may bind with REUSEADDR, one listens */
		r = -errno;
	close(fd);
	return r;
}

/* The address of BindAddress, or the interface of BindInterface, that this machine does not have.
 */
static void
set_bind(const json_t *options, json_t *section)
{
	const char *address = ssh_config_value(FACT_GET(options, ssh_options, bindaddress)),
		   *interface = ssh_config_value(FACT_GET(options, ssh_options, bindinterface));

	if (address != NULL && try_bind(address, 0) == -EADDRNOTAVAIL)
		FACT_PUT(section, ssh_config, bind_missing, address);
	else if (interface != NULL && if_nametoindex(interface) == 0)
		FACT_PUT(section, ssh_config, bind_missing, interface);
}

/* Reads the listening part of "8080 host:80", "[127.0.0.1]:8080 ..." or "1080" (ssh_config's
 * LocalForward and DynamicForward as `ssh -G` prints them). address is "" without one. false for a
 * Unix socket. */
static bool
read_listener(const char *value, char address[static 64], unsigned *port)
{
	size_t len = strcspn(value, " \t");
	const char *end = value + len, *at = end;
	char *stop;
	long number;

	while (at > value && at[-1] != ':')
		at--;
	number = strtol(at, &stop, 10);
	if (stop != end || number < 1 || number > 65535)
		return false;
	*port = (unsigned)number;
	len = at > value ? (size_t)(at - 1 - value) : 0;
	if (len >= 2 && value[0] == '[' && value[len - 1] == ']') {
		value++;
		len -= 2;
	}
	if (len >= 64)
		return false;
	memcpy(address, value, len);
	address[len] = '\0';
	return true;
}

/* ssh listens on every address of the name, and is content when one of them works. */
static bool
is_taken(const char *address, unsigned port)
{
	int r;

	if (*address != '\0' && strcmp(address, "localhost") != 0)
		return try_bind(strcmp(address, "*") == 0 ? "0.0.0.0" : address, port) ==
		       -EADDRINUSE;
	if ((r = try_bind("127.0.0.1", port)) == 0)
		return false;
	return try_bind("::1", port) != 0 && r == -EADDRINUSE;
}

static void
add_forward(const char *value, json_t *taken)
{
	char address[64];
	unsigned port;

	if (value != NULL && read_listener(value, address, &port) && is_taken(address, port) &&
	    json_array_size(taken) < 8)
		json_array_append_new(taken, json_integer((json_int_t)port));
}

/* The ports of forwards that ssh could not listen on, where that ends the session. */
static void
set_forwards(const json_t *options, json_t *section)
{
	static const char *const keywords[] = { "localforward", "dynamicforward" };
	json_t *taken;

	if (!doc_same(FACT_GET(options, ssh_options, exitonforwardfailure), "yes") ||
	    doc_same(FACT_GET(options, ssh_options, clearallforwardings), "yes"))
		return;
	taken = json_array();
	for (size_t i = 0; i < 2; i++) {
		const json_t *value = json_object_get(options, keywords[i]);

		add_forward(json_string_value(value), taken);
		for (size_t j = 0; j < json_array_size(value); j++)
			add_forward(json_string_value(json_array_get(value, j)), taken);
	}
	if (json_array_size(taken) > 0)
		FACT_PUT(section, ssh_config, forward_taken,
			 json_integer_value(json_array_get(taken, 0)));
	json_decref(taken);
}

/* The folder of the control socket, when the socket cannot be made there. */
static void
set_control(const json_t *options, json_t *section)
{
	const char *path = ssh_config_value(FACT_GET(options, ssh_options, controlpath)),
		   *slash = path != NULL ? strrchr(path, '/') : NULL;
	char *folder;
	struct stat st;

	if (slash == NULL || slash == path ||
	    doc_same(FACT_GET(options, ssh_options, controlmaster), "no") ||
	    doc_same(FACT_GET(options, ssh_options, controlmaster), "false"))
		return;
	folder = strndup(path, (size_t)(slash - path));
	if (file_stat(folder, &st) == -ENOENT)
		FACT_PUT(section, ssh_config, control_folder_missing, folder);
	free(folder);
}

/* A library of keys that is named by its path and is not there. */
static void
set_provider(const json_t *options, json_t *section)
{
	const char *const paths[] = {
		ssh_config_value(FACT_GET(options, ssh_options, pkcs11provider)),
		ssh_config_value(FACT_GET(options, ssh_options, securitykeyprovider))
	};
	struct stat st;

	for (size_t i = 0; i < 2; i++)
		if (paths[i] != NULL && paths[i][0] == '/' && file_stat(paths[i], &st) == -ENOENT)
			FACT_PUT(section, ssh_config, provider_missing, paths[i]);
}

void
ssh_config_surroundings(const json_t *options, json_t *section)
{
	set_bind(options, section);
	set_forwards(options, section);
	set_control(options, section);
	set_provider(options, section);
}
