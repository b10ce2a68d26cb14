#include "model/log_values.h"
#include "facts/doc.h"
#include "model/prefix.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 256 };

/* ---- grammars ---- */

static bool
is_made_of(const char *text, const char *more)
{
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && strchr(more, *text) == NULL)
			return false;
	return true;
}

/* A name or an address that ssh takes. */
static bool
is_host(const char *text)
{
	return isalnum((unsigned char)text[0]) && is_made_of(text, ".-_:%") &&
	       strcmp(text, "UNKNOWN") != 0 && strcmp(text, "REDACTED") != 0;
}

static bool
is_user(const char *text)
{
	return text[0] != '-' && text[0] != '.' && is_made_of(text, ".-_@+\\$") &&
	       strcmp(text, "None") != 0;
}

static bool
is_azure_name(const char *text)
{
	return isalnum((unsigned char)text[0]) && is_made_of(text, ".-_()");
}

static bool
is_mode(const char *text)
{
	return strlen(text) == 4 && strspn(text, "01234567") == 4;
}

static bool
is_anything(const char *text)
{
	return *text != '-';
}

static const struct grammar {
	const char *name;
	bool (*accepts)(const char *text);
} grammars[] = { { "host", is_host }, { "address", is_host },  { "alias", is_host },
		 { "jump", is_host }, { "user", is_user },     { "expected", is_user },
		 { "mode", is_mode }, { "vm", is_azure_name }, { "group", is_azure_name } };

static bool
is_accepted(const char *name, const char *text)
{
	for (size_t i = 0; i < sizeof(grammars) / sizeof(*grammars); i++)
		if (strcmp(name, grammars[i].name) == 0)
			return grammars[i].accepts(text);
	return is_anything(text);
}

static bool
is_number(const char *name)
{
	return strcmp(name, "port") == 0 || strcmp(name, "line") == 0 ||
	       strcmp(name, "forward") == 0;
}

/* ---- keeping ---- */

/* What stands around a value belongs to the sentence. Doubled backslashes are how programs write
 * one. */
static void
tidy_value(const char *at, size_t len, char ret[VALUE_MAX])
{
	size_t used = 0;

	while (len > 0 && strchr(" \t\"'`[<(", *at) != NULL) {
		at++;
		len--;
	}
	while (len > 0 && strchr(" \t\"'`]>),;", at[len - 1]) != NULL)
		len--;
	for (size_t i = 0; i < len && used < VALUE_MAX - 1; i++) {
		if (at[i] == '\\' && i + 1 < len && at[i + 1] == '\\')
			i++;
		ret[used++] = at[i];
	}
	ret[used] = '\0';
}

static void
keep_text(json_t *values, const char *name, const char *text)
{
	char *end;
	long number;

	if (*text == '\0' || !fact_knows(shape_of_log(), name))
		return;
	if (!is_number(name)) {
		if (is_accepted(name, text))
			doc_set_str(values, name, text);
		return;
	}
	number = strtol(text, &end, 10);
	if (end != text && (*end == '\0' || strchr(".:)", *end) != NULL) && number > 0 &&
	    number <= 65535)
		doc_set_int(values, name, number);
}

/* USER@HOST: users of Entra ID have an @ of their own. */
static void
keep_login(json_t *values, char *word)
{
	char *at = strrchr(word, '@');

	if (at == NULL)
		return;
	*at = '\0';
	keep_text(values, "user", word);
	keep_text(values, "host", at + 1);
}

/* ---- command lines ---- */

/* The next word of a command line, without its quotes; NULL at the end. */
static char *
next_word(char **line)
{
	char *at = *line + strspn(*line, " \t"), *word = at, *to = at, quote = '\0';

	if (*at == '\0')
		return NULL;
	for (; *at != '\0' && (quote != '\0' || (*at != ' ' && *at != '\t')); at++) {
		if (quote != '\0' ? *at == quote : *at == '"' || *at == '\'')
			quote = quote != '\0' ? '\0' : *at;
		else
			*to++ = *at;
	}
	*line = *at != '\0' ? at + 1 : at;
	*to = '\0';
	return word;
}

static bool
is_program(const char *word, const char *name)
{
	const char *base = strrchr(word, '/'), *back = strrchr(word, '\\');
	size_t len = strlen(name);

	if (back != NULL && (base == NULL || back > base))
		base = back;
	base = base != NULL ? base + 1 : word;
	return strncmp(base, name, len) == 0 &&
	       (base[len] == '\0' || strcmp(base + len, ".exe") == 0);
}

/* -o Port=2222 and the like. */
static void
keep_option(json_t *values, const char *option)
{
	static const struct {
		const char *keyword, *name;
	} known[] = { { "Port=", "port" },
		      { "User=", "user" },
		      { "HostName=", "host" },
		      { "IdentityFile=", "identity" },
		      { "ProxyJump=", "jump" } };
	char text[VALUE_MAX];

	for (size_t i = 0; option != NULL && i < sizeof(known) / sizeof(*known); i++) {
		size_t len = strlen(known[i].keyword);

		if (strncasecmp(option, known[i].keyword, len) != 0)
			continue;
		tidy_value(option + len, strlen(option + len), text);
		keep_text(values, known[i].name, text);
	}
}

/* ssh [-i FILE] [-p PORT] [-l USER] [-J JUMP] [-o OPTION] [USER@]HOST */
static void
keep_ssh(json_t *values, char *line)
{
	static const char with_value[] = "BbcDEeFIiJLlmOoPpQRSWw";
	char *word, *value, *at;

	while ((word = next_word(&line)) != NULL) {
		if (word[0] != '-' || word[1] == '\0')
			break;
		if (strchr(with_value, word[strlen(word) - 1]) != NULL && word[2] == '\0')
			value = next_word(&line);
		else
			value = strchr(with_value, word[1]) != NULL && word[2] != '\0' ? word + 2
										       : NULL;
		if (value == NULL)
			continue;
		if (word[1] == 'i')
			keep_text(values, "identity", value);
		else if (word[1] == 'p' || word[1] == 'P')
			keep_text(values, "port", value);
		else if (word[1] == 'l')
			keep_text(values, "user", value);
		else if (word[1] == 'J')
			keep_text(values, "jump",
				  (at = strrchr(value, '@')) != NULL ? at + 1 : value);
		else if (word[1] == 'o')
			keep_option(values, value);
	}
	if (word == NULL)
		return;
	if (strchr(word, '@') != NULL)
		keep_login(values, word);
	else
		keep_text(values, "host", word);
	/* az ssh puts its options behind the host */
	while ((word = next_word(&line)) != NULL)
		if (strcmp(word, "-i") == 0 && (value = next_word(&line)) != NULL)
			keep_text(values, "identity", value);
}

/* -g GROUP -n NAME and the like, of az. */
static void
keep_azure(json_t *values, char *line)
{
	static const struct {
		const char *option, *name;
	} known[] = { { "-g", "group" },
		      { "--resource-group", "group" },
		      { "-n", "vm" },
		      { "--name", "vm" },
		      { "--vm-name", "vm" },
		      { "--ip", "host" },
		      { "--subscription", "subscription" },
		      { "--local-user", "user" },
		      { "--username", "user" },
		      { "--ssh-key", "identity" },
		      { "--port", "port" } };
	char *word, *value, text[VALUE_MAX];

	while ((word = next_word(&line)) != NULL)
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (strcmp(word, known[i].option) == 0 &&
			    (value = next_word(&line)) != NULL) {
				tidy_value(value, strlen(value), text);
				keep_text(values, known[i].name, text);
				break;
			}
}

static void
keep_command(json_t *values, char *line)
{
	static const char *const programs[] = { "ssh", "sftp", "scp", "plink", "mosh" };
	char *word = next_word(&line);

	for (size_t i = 0; word != NULL && i < sizeof(programs) / sizeof(*programs); i++)
		if (is_program(word, programs[i]))
			keep_ssh(values, line);
}

/* The beginning of a text that a host name can be. */
static void
keep_host_word(json_t *values, const char *text)
{
	char host[VALUE_MAX];
	size_t len = 0;

	while (len < VALUE_MAX - 1 && (isalnum((unsigned char)text[len]) ||
				       (text[len] != '\0' && strchr(".-_", text[len]) != NULL)))
		len++;
	memcpy(host, text, len);
	host[len] = '\0';
	keep_text(values, "host", host);
}

static void
keep_value(json_t *values, const char *name, const struct log_value *value, bool by_proxy)
{
	char text[VALUE_MAX], line[4096];
	const char *known = doc_str(values, "host"), *jump = doc_str(values, "jump");

	tidy_value(value->at, value->len, text);
	if (strcmp(name, "login") == 0) {
		keep_login(values, text);
	} else if (strcmp(name, "command") == 0 || strcmp(name, "azure") == 0) {
		size_t len = value->len < sizeof(line) - 1 ? value->len : sizeof(line) - 1;

		memcpy(line, value->at, len);
		line[len] = '\0';
		if (*name == 'c')
			keep_command(values, line);
		else
			keep_azure(values, line);
	} else if (strcmp(name, "remote") == 0) {
		keep_host_word(values, text);
	} else if (strcmp(name, "host") == 0 && known != NULL && !ip_is_text(known) &&
		   ip_is_text(text) && !by_proxy) {
		keep_text(values, "address", text); /* the name that was typed holds more */
	} else if (strcmp(name, "host") == 0 && known != NULL &&
		   (by_proxy ? strcmp(known, text) != 0 : doc_same(jump, text))) {
		keep_text(values, "jump", text);
	} else {
		keep_text(values, name, text);
	}
}

bool
log_value_is(const struct log_match *match, const char *name)
{
	return match->count > 0 && strlen(name) == match->values[0].name_len &&
	       strncmp(match->values[0].name, name, match->values[0].name_len) == 0;
}

void
log_values_keep(json_t *values, const struct log_match *match, bool by_proxy)
{
	char name[32];

	for (size_t i = 0; i < match->count; i++) {
		const struct log_value *value = &match->values[i];

		if (value->name_len >= sizeof(name))
			continue;
		memcpy(name, value->name, value->name_len);
		name[value->name_len] = '\0';
		keep_value(values, name, value, by_proxy);
	}
}

/* ---- who wrote it ---- */

const char *
log_client(const char *text)
{
	static const struct {
		const char *mark, *client;
	} clients[] = {
		{ "azext_ssh", "az-ssh" },
		{ "aadsshcert", "az-ssh" },
		{ "-aadcert.pub", "az-ssh" },
		{ "az ssh ", "az-ssh" },
		{ "az network bastion", "bastion" },
		{ "azure-arm", "packer" },
		{ "Packer", "packer" },
		{ "packer", "packer" },
		{ "Timeout waiting for SSH.", "packer" },
		{ "UNREACHABLE!", "ansible" },
		{ "ESTABLISH SSH CONNECTION", "ansible" },
		{ "PLAY RECAP", "ansible" },
		{ "remote-exec", "terraform" },
		{ "azurerm_", "terraform" },
		{ "Terraform", "terraform" },
		{ "terraform", "terraform" },
		{ "timeout - last error", "terraform" },
		{ "remote-ssh", "vscode" },
		{ "SSH Resolver", "vscode" },
		{ "PuTTY", "putty" },
		{ "plink", "putty" },
		{ "Looking up host \"", "putty" },
		{ "Server refused our key", "putty" },
		{ "server sent: ", "putty" },
		{ "paramiko", "paramiko" },
		{ "JSchException", "jsch" },
		{ "Renci.SshNet", "ssh.net" },
		{ "dial tcp ", "go" },
		{ "ssh: handshake failed", "go" },
		{ "OpenSSH_", "openssh" },
		{ "debug1: ", "openssh" },
		{ "ssh: connect to host", "openssh" },
		{ "Permission denied (", "openssh" },
	};

	for (size_t i = 0; i < sizeof(clients) / sizeof(*clients); i++)
		if (strstr(text, clients[i].mark) != NULL)
			return clients[i].client;
	return NULL;
}

/* A path with a drive letter, or a program of Windows. */
bool
log_is_windows(const char *text)
{
	static const char *const marks[] = { "OpenSSH_for_Windows", ".exe",      "BUILTIN\\",
					     "NT AUTHORITY\\",      "win32 x64", "win32 arm64" };

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (strstr(text, marks[i]) != NULL)
			return true;
	for (const char *at = text; (at = strchr(at, ':')) != NULL; at++)
		if (at > text && isalpha((unsigned char)at[-1]) &&
		    (at - 1 == text || !isalnum((unsigned char)at[-2])) &&
		    (at[1] == '\\' || (at[1] == '/' && at[2] != '/')))
			return true;
	return false;
}
