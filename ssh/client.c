/* The installed ssh: its version and what it can do (`ssh -V`, `ssh -Q`). Settles CLIENT. */
#include "ssh/ssh.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_TIMEOUT_MS 5000
#define CLIENT_BYTES (64 * 1024)
#define CLIENT_PARALLEL 3
#define CLIENT_NAMES 256	/* of one list; OpenSSH has about twenty */

static const struct question {
	const char *ask;		/* of `ssh -Q`; NULL: `ssh -V` */
	const char *key;
} questions[] = {
	{ NULL, "version" },
	{ "kex", "kex" },
	{ "cipher", "ciphers" },
	{ "mac", "macs" },
	{ "HostKeyAlgorithms", "host_key_algorithms" },
	{ "key", "key_types" },
	{ "key-sig", "signatures" },
};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

struct client {
	struct loop *loop;
	struct facts *facts;
	ssh_done *done;
	void *ctx;
	json_t *obj;			/* what was learned so far */
	size_t asked, answered;
	int error;			/* the first question's */
	struct asking {
		struct client *client;
		const struct question *question;
	} asking[QUESTIONS];
};

static void ask_more(struct client *client);

/* "OpenSSH_9.2p1 Debian-2" -> 902; 0 when it is no OpenSSH. */
static int
version_number(const char *text)
{
	const char *at = strstr(text, "OpenSSH_");
	long major, minor;
	char *end;

	if (at == NULL)
		return 0;
	at += strlen("OpenSSH_");
	while (*at != '\0' && !isdigit((unsigned char)*at) && !isspace((unsigned char)*at))
		at++;			/* OpenSSH_for_Windows_8.6p1 */
	major = strtol(at, &end, 10);
	if (end == at || *end != '.' || major < 0 || major > 1000)
		return 0;
	minor = strtol(end + 1, NULL, 10);
	return minor < 0 || minor > 99 ? 0 : (int)(major * 100 + minor);
}

static void
read_version(json_t *obj, const struct child_reply *reply)
{
	const char *text = reply->err_len > 0 ? reply->err : reply->out;
	size_t len = strcspn(text, "\r\n");
	int number = version_number(text);

	if (len > 0)
		doc_set_strn(obj, "version", text, len < 256 ? len : 256);
	if (number > 0)
		doc_set_int(obj, "number", number);
}

static void
read_list(json_t *obj, const char *key, const char *text)
{
	json_t *list = json_array();

	while (*text != '\0' && json_array_size(list) < CLIENT_NAMES) {
		size_t len = strcspn(text, "\r\n");

		if (len > 0 && len < 128)
			json_array_append_new(list, doc_text(text, len));
		text += len;
		text += strspn(text, "\r\n");
	}
	json_object_set_new(obj, key, list);
}

static void
settle(struct client *client)
{
	if (client->error == -ENOENT)
		facts_settle(client->facts, FACT_CLIENT, FACT_ABSENT, "not-installed", "no ssh is installed on this computer (not found on PATH)");
	else if (client->error != 0)
		facts_settle(client->facts, FACT_CLIENT, FACT_UNKNOWN, client->error == -ECANCELED ? "deadline" : "error",
		    "ssh -V could not be run: %s", strerror(-client->error));
	else
		json_object_update(facts_known(client->facts, FACT_CLIENT), client->obj);
	client->done(client->ctx);
	json_decref(client->obj);
	free(client);
}

static void
answered(void *ctx, const struct child_reply *reply)
{
	struct asking *asking = ctx;
	struct client *client = asking->client;
	const struct question *question = asking->question;

	client->answered++;
	if (question->ask == NULL && reply->error != 0)
		client->error = reply->error;
	else if (question->ask == NULL)
		read_version(client->obj, reply);
	else if (reply->error == 0 && reply->status == 0)
		read_list(client->obj, question->key, reply->out);
	ask_more(client);
}

static int
ask(struct client *client, size_t index)
{
	const struct question *question = &questions[index];
	const char *const argv[] = { "ssh", question->ask == NULL ? "-V" : "-Q", question->ask, NULL };
	const struct child_request request = { .argv = argv, .timeout_ms = CLIENT_TIMEOUT_MS, .max_bytes = CLIENT_BYTES };

	client->asking[index] = (struct asking){ client, question };
	return loop_child(client->loop, &request, answered, &client->asking[index]);
}

/* Keeps a few children under way; settles when none is left. A client that cannot even say its version is asked nothing more. */
static void
ask_more(struct client *client)
{
	while (client->asked < QUESTIONS && client->asked - client->answered < CLIENT_PARALLEL && client->error == 0) {
		int r = ask(client, client->asked);

		client->asked++;
		if (r < 0) {
			client->answered++;
			if (client->asked == 1)
				client->error = r;
		}
	}
	if (client->asked == client->answered)
		settle(client);
}

void
ssh_client_collect(struct loop *loop, struct facts *facts, ssh_done *done, void *ctx)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		facts_settle(facts, FACT_CLIENT, FACT_UNKNOWN, "error", "out of memory");
		done(ctx);
		return;
	}
	*client = (struct client){ .loop = loop, .facts = facts, .done = done, .ctx = ctx, .obj = json_object() };
	ask_more(client);
}
