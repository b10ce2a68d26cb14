/* A jump host that refused ssh is a target of its own: its user, its keys. `ssh -G` is asked about
 * it with what ssh itself would start: the hop of ProxyJump, or a ProxyCommand that is an ssh. */
#include "facts/words.h"
#include "model/jump_host.h"
#include "ssh/machine/config.h"
#include "ssh/machine/identity.h"
#include "ssh/ssh.h"

#include <ctype.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOP_BYTES = 1 << 18, HOP_WORDS = 24, HOP_TEXT = 1024, HOP_FILES = 16 };

struct hop {
	struct loop *loop;
	struct facts *facts;
	const struct ssh_config_request *request;
	ssh_done *done;
	void *ctx;
	char *text;           /* as it is written */
	char words[HOP_TEXT]; /* of the command, cut into its words */
	char port[16];
	const char *argv[HOP_WORDS + SSH_CONFIG_ARGS];
	size_t args;
	bool names_user;
	char *user, *name; /* of ProxyJump, owned */
};

static void
hop_end(struct hop *hop)
{
	ssh_done *done = hop->done;
	void *ctx = hop->ctx;

	free(hop->text);
	free(hop->user);
	free(hop->name);
	free(hop);
	done(ctx);
}

/* ---- which hop, and what ssh would be started with ---- */

static bool
is_refusal(const char *words)
{
	static const char *const parts[] = { "Permission denied",
					     "Too many authentication failures",
					     "Host key verification failed" };

	for (size_t i = 0; words != NULL && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(words, parts[i]) != NULL)
			return true;
	return false;
}

static void
add(struct hop *hop, const char *word)
{
	hop->argv[hop->args++] = word;
}

/* The hop of ProxyJump. false when it is none that ssh may be asked about. */
static bool
argv_of_jump(struct hop *hop)
{
	struct ssh_config_request request = { .no_config = hop->request->no_config,
					      .config_file = hop->request->config_file };
	struct jump_host host;

	if (!jump_host_at(hop->text, 0, &host))
		return false;
	if (host.user.len > 0)
		hop->user = strndup((const char *)host.user.at, host.user.len);
	hop->name = strndup((const char *)host.host.at, host.host.len);
	if (hop->name == NULL || !ssh_config_safe(hop->name) ||
	    (hop->user != NULL && !ssh_user_valid(hop->user)))
		return false;
	request.user = hop->user;
	request.port = host.port;
	hop->names_user = hop->user != NULL;
	hop->args += ssh_config_argv(&request, hop->argv + hop->args, hop->port);
	add(hop, hop->name);
	return true;
}

/* An option of ssh: does it have an argument, and does it bear on how a host is reached? */
static bool
takes_value(char option)
{
	return strchr("BbcDEeFIiJLlmOopQRSWw", option) != NULL;
}

static bool
is_kept(char option)
{
	return strchr("FilopJ", option) != NULL;
}

/* The command's words in place, NULL behind the last; false where a shell would do more with it
 * than part it at blanks. */
static bool
cut_words(struct hop *hop, char *words[HOP_WORDS])
{
	size_t count = 0;
	char *rest = hop->words, *word;

	if (snprintf(hop->words, sizeof(hop->words), "%s", hop->text) >= (int)sizeof(hop->words) ||
	    strpbrk(hop->words, "'\"`$\\;&|<>(){}*?~#\n") != NULL)
		return false;
	while ((word = strsep(&rest, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		if (count == HOP_WORDS - 1)
			return false;
		words[count++] = word;
	}
	words[count] = NULL;
	return count > 0;
}

/* A ProxyCommand that is an ssh: its own options, without what it is to do there. */
static bool
argv_of_command(struct hop *hop)
{
	char *words[HOP_WORDS];
	const char *host = NULL, *slash;
	bool forwards = false;

	if (!cut_words(hop, words))
		return false;
	slash = strrchr(words[0], '/');
	if (strcmp(slash != NULL ? slash + 1 : words[0], "ssh") != 0)
		return false;
	for (size_t i = 1; words[i] != NULL; i++) {
		const char *word = words[i], *option = word + 1, *value;

		if (word[0] != '-') {
			host = host == NULL ? word : host;
			continue;
		}
		while (*option != '\0' && !takes_value(*option))
			option++;
		if (*option == '\0')
			continue;
		forwards |= *option == 'W';
		value = option[1] != '\0' ? option + 1 : words[++i];
		if (value == NULL || (is_kept(*option) && strchr(value, '%') != NULL))
			return false;
		if (!is_kept(*option))
			continue;
		hop->names_user |= *option == 'l';
		add(hop, word);
		if (value != option + 1)
			add(hop, value);
	}
	if (!forwards || host == NULL || strchr(host, '%') != NULL)
		return false;
	hop->names_user |= strchr(host, '@') != NULL;
	add(hop, "--");
	add(hop, host);
	return true;
}

/* The hop that refused, in `text`; false when none did, or ssh cannot be asked about it. */
static bool
hop_refused(struct hop *hop)
{
	const json_t *proxy = FACT_JSON(facts_section(hop->facts, FACT_TCP), tcp, proxy);
	const char *command = FACTS_GET(hop->facts, ssh_config, proxycommand),
		   *jump = FACT_GET(proxy, tcp_proxy, hop);

	add(hop, "ssh");
	add(hop, "-G");
	if (jump != NULL && FACT_GET(proxy, tcp_proxy, stage) == PROXY_JUMP &&
	    is_refusal(FACT_GET(proxy, tcp_proxy, words))) {
		hop->text = strdup(jump);
		return hop->text != NULL && argv_of_jump(hop);
	}
	if (jump != NULL || command == NULL || FACTS_GET(hop->facts, rehearsal, through) ||
	    FACTS_GET(hop->facts, rehearsal, reached) != REHEARSAL_PROXY ||
	    !is_refusal(FACTS_GET(hop->facts, rehearsal, message)))
		return false;
	hop->text = strdup(command);
	return hop->text != NULL && argv_of_command(hop);
}

/* ---- what ssh says of it ---- */

static json_t *
read_files(struct hop *hop, const json_t *options, const struct identity_names *names)
{
	const json_t *list = FACT_JSON(options, ssh_options, identityfile), *each;
	json_t *files = json_array(), *keys = FACT_JSON(facts_machine(hop->facts), machine, keys);
	struct mounts mounts;
	size_t i;

	mounts_read(&mounts);
	json_array_foreach (list, i, each) {
		const char *raw = json_string_value(each);
		char *path = raw != NULL && strcmp(raw, "none") != 0 && i < HOP_FILES
				 ? identity_path(raw, names)
				 : NULL;

		if (path != NULL)
			doc_append_str(files, path);
		if (path != NULL && keys != NULL && json_object_get(keys, path) == NULL) {
			json_t *key = key_file_facts(path, &mounts);

			FACT_PUT(key, key, stray, true);
			json_object_set_new(keys, path, key);
		}
		free(path);
	}
	mounts_free(&mounts);
	return files;
}

static void
settle(struct hop *hop, const json_t *options)
{
	json_t *section = json_object();
	const struct passwd *pw = getpwuid(getuid());
	struct fact_ssh_options set;

	fact_read(options, shape_of_ssh_options(), &set);
	const struct identity_names names = { .home = pw != NULL ? pw->pw_dir : getenv("HOME"),
					      .local_user = pw != NULL ? pw->pw_name : NULL,
					      .name = hop->argv[hop->args - 1],
					      .hostname = set.hostname,
					      .user = set.user,
					      .port = (int)set.port,
					      .uid = getuid() };

	fact_write(section, shape_of_hop(),
		   &(const struct fact_hop){ .state = FACT_KNOWN,
					     .text = hop->text,
					     .name = names.name,
					     .hostname = set.hostname,
					     .port = set.port,
					     .user = set.user,
					     .user_default = !hop->names_user &&
							     doc_same(set.user, names.local_user),
					     .identitiesonly = set.identitiesonly,
					     .identityagent = set.identityagent });
	FACT_PUT_JSON(section, hop, identityfile, read_files(hop, options, &names));
	json_object_set_new(hop->facts->target, "hop", section);
	fact_free(shape_of_ssh_options(), &set);
}

static void
on_options(void *ctx, const struct child_reply *reply)
{
	struct hop *hop = ctx;
	json_t *options;

	if (reply->error == 0 && reply->status == 0) {
		options = ssh_config_parse(reply->out, reply->out_len);
		settle(hop, options);
		json_decref(options);
	}
	hop_end(hop);
}

void
ssh_hop_collect(struct loop *loop, struct facts *facts, const struct ssh_config_request *request,
		ssh_done *done, void *ctx)
{
	struct hop *hop = calloc(1, sizeof(*hop));
	const struct child_request child = { .argv = hop->argv,
					     .timeout_ms = SSH_CONFIG_TIMEOUT_MS,
					     .max_bytes = HOP_BYTES };

	*hop = (struct hop){
		.loop = loop, .facts = facts, .request = request, .done = done, .ctx = ctx
	};
	if (hop_refused(hop) && ssh_room(facts) > 0 &&
	    loop_child(loop, &child, on_options, hop) == 0)
		ssh_started(facts, 1);
	else
		hop_end(hop);
}
