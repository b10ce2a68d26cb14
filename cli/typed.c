#include "cli/typed.h"
#include "cli/option.h"
#include "model/prefix.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORTAL "https://portal.azure."
#define SSH_URL "ssh://"
#define SSH_LINE "ssh "

static int
set_login(struct options *options, const char *user, const char *word, struct err *err)
{
	if (!option_is_user(user)) {
		err_set(err, "'%s': '%s' is not a user name", word, user);
		return -EINVAL;
	}
	if (options->login != NULL && strcmp(options->login, user) != 0) {
		err_set(err, "'%s': one user a run is accepted, '%s' was given before", word,
			options->login);
		return -EINVAL;
	}
	options->login = user;
	return 0;
}

int
options_add_vm(struct options *options, const char *word, struct err *err)
{
	const char *at = strrchr(word, '@'), *vm = at != NULL ? at + 1 : word;

	if (at != NULL &&
	    set_login(options, options_keep(options, word, (size_t)(at - word)), word, err) < 0)
		return -EINVAL;
	if (strcmp(vm, "-") == 0) {
		options->names = true;
		return 0;
	}
	if (!ip_is_text(vm))
		return words_append(&options->vms, vm);
	if (options->host != NULL && strcmp(options->host, vm) != 0) {
		err_set(err, "'%s': one host a run is accepted, '%s' was given before", vm,
			options->host);
		return -EINVAL;
	}
	options->host = vm;
	return 0;
}

static bool
begins(const char *word, const char *with)
{
	return strncasecmp(word, with, strlen(with)) == 0;
}

/* "%2F" to "/": the portal writes some of its links so. */
static void
decode(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++, to++) {
		unsigned byte;

		*to = *text;
		if (*text == '%' && isxdigit((unsigned char)text[1]) &&
		    isxdigit((unsigned char)text[2]) && sscanf(text + 1, "%2x", &byte) == 1 &&
		    byte != 0) {
			*to = (char)byte;
			text += 2;
		}
	}
	*to = '\0';
}

char *
typed_portal_id(const char *word)
{
	static const char kind[] = "/virtualMachines/";
	char *copy, *id, *name, *found = NULL;

	if (!begins(word, PORTAL))
		return NULL;
	copy = strdup(word);
	decode(copy);
	id = strcasestr(copy, "/subscriptions/");
	name = id != NULL ? strcasestr(id, kind) : NULL;
	while (name != NULL) {
		found = name + sizeof(kind) - 1;
		name = strcasestr(found, kind);
	}
	if (found != NULL && found[strcspn(found, "/?#&")] != found[0]) {
		found[strcspn(found, "/?#&")] = '\0';
		found = strdup(id);
	} else {
		found = NULL;
	}
	free(copy);
	return found;
}

static int
set_port(struct options *options, const char *digits, const char *word, struct err *err)
{
	long port = strtol(digits, NULL, 10);

	if (port < 1 || port > 65535) {
		err_set(err, "'%s': '%s' is not accepted, it takes a port from 1 to 65535", word,
			digits);
		return -EINVAL;
	}
	if (options->port != 0 && options->port != (int)port) {
		err_set(err, "'%s': one port a run is accepted, '%d' was given before", word,
			options->port);
		return -EINVAL;
	}
	options->port = (int)port;
	return 0;
}

/* Takes ":22" off the end of a place, where it cannot be part of an address. NULL when there is
 * none. */
static char *
cut_port(char *place)
{
	char *colon = strrchr(place, ':'), *host = strrchr(place, '@');

	host = host != NULL ? host + 1 : place;
	if (colon == NULL || colon < host || ip_is_text(host) || colon[1] == '\0' ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* [fd00::1] to fd00::1. */
static void
cut_brackets(char *place)
{
	char *host = strrchr(place, '@');
	size_t len;

	host = host != NULL ? host + 1 : place;
	len = strlen(host);
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
}

/* A place that was typed after ssh: a name there is a host's, not a VM's. */
static int
add_host(struct options *options, const char *place, const char *word, struct err *err)
{
	const char *at = strrchr(place, '@'), *host = at != NULL ? at + 1 : place;

	if (at != NULL &&
	    set_login(options, options_keep(options, place, (size_t)(at - place)), word, err) < 0)
		return -EINVAL;
	if (*host == '\0' || *host == '-' ||
	    (options->host != NULL && strcmp(options->host, host) != 0)) {
		err_set(err, "'%s': '%s' is not accepted as the host", word, host);
		return -EINVAL;
	}
	options->host = host;
	return 0;
}

static int
add_url(struct options *options, const char *word, struct err *err)
{
	char *place = options_keep(options, word + strlen(SSH_URL), strlen(word) - strlen(SSH_URL)),
	     *port;
	int r = 0;

	place[strcspn(place, "/?#")] = '\0';
	if ((port = cut_port(place)) != NULL)
		r = set_port(options, port, word, err);
	cut_brackets(place);
	return r < 0 ? r : add_host(options, place, word, err);
}

/* A value of an option in a pasted line. */
static int
set_value(struct options *options, char letter, const char *value, const char *word,
	  struct err *err)
{
	if (letter == 'p')
		return set_port(options, value, word, err);
	if (letter == 'i')
		options->identity = value;
	if (letter == 'F')
		options->ssh_config = value;
	if (letter == 'l')
		return set_login(options, value, word, err);
	return 0;
}

/* "ssh -i KEY -p N USER@HOST": what follows the host is a command, which does not matter here. */
static int
add_line(struct options *options, const char *word, struct err *err)
{
	char *rest = options_keep(options, word, strlen(word)), *part;
	int r;

	strsep(&rest, " \t");
	while ((part = strsep(&rest, " \t")) != NULL) {
		if (*part == '\0')
			continue;
		if (*part != '-')
			return add_host(options, part, word, err);
		if (strspn(part + 1, "46AaCfGgKkMNnqTtVvXxYy") == strlen(part + 1))
			continue;
		if (part[1] == '\0' || strchr("ilpF", part[1]) == NULL) {
			err_set(err,
				"'%s': '%s' is not understood here; accepted: ssh with -i, -l, -p, "
				"-F and USER@HOST",
				word, part);
			return -EINVAL;
		}
		if (part[2] == '\0' && rest == NULL)
			break;
		if ((r = set_value(options, part[1],
				   part[2] != '\0' ? part + 2 : strsep(&rest, " \t"), word, err)) <
		    0)
			return r;
	}
	err_set(err, "'%s': there is no host in this line", word);
	return -EINVAL;
}

int
typed_add(struct options *options, const char *word, struct err *err)
{
	char *id = typed_portal_id(word), *place, *port;
	int r;

	if (id != NULL) {
		place = options_keep(options, id, strlen(id));
		free(id);
		return options_add_vm(options, place, err);
	}
	if (begins(word, SSH_URL))
		return add_url(options, word, err);
	if (begins(word, SSH_LINE))
		return add_line(options, word, err);
	place = options_keep(options, word, strlen(word));
	if ((port = cut_port(place)) == NULL)
		return options_add_vm(options, word, err);
	if ((r = set_port(options, port, word, err)) < 0)
		return r;
	cut_brackets(place);
	return strchr(strrchr(place, '@') != NULL ? strrchr(place, '@') : place, '.') != NULL
		   ? add_host(options, place, word, err)
		   : options_add_vm(options, place, err);
}
