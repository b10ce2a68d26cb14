/* The installed ssh: its version (`ssh -V`), and what it could do (`ssh -Q`), which is asked only
 * where `ssh -G` does not settle it. */
#include "ssh/ssh.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_TIMEOUT_MS 5000
#define CLIENT_BYTES (64 * 1024)
#define CLIENT_NAMES 256 /* of one list; OpenSSH has about twenty */

static const struct question {
	const char *kind; /* as the key exchange names it */
	const char *ask;  /* of `ssh -Q` */
	size_t at;        /* in CLIENT */
} questions[] = {
	{ "kex", "kex", offsetof(struct fact_client, kex) },
	{ "host_key", "HostKeyAlgorithms", offsetof(struct fact_client, host_key_algorithms) },
	{ "cipher", "cipher", offsetof(struct fact_client, ciphers) },
	{ "mac", "mac", offsetof(struct fact_client, macs) },
};

#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

struct client {
	struct loop *loop;
	struct facts *facts;
	ssh_done *done;
	void *ctx;
	size_t under_way;
	struct asking {
		struct client *client;
		size_t at;
	} asking[QUESTIONS];
};

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
		at++; /* OpenSSH_for_Windows_8.6p1 */
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
		FACT_PUT_BYTES(obj, client, version, text, len < 256 ? len : 256);
	if (number > 0)
		FACT_PUT(obj, client, number, number);
}

static void
read_list(json_t *obj, size_t at, const char *text)
{
	json_t *list = json_array();

	while (*text != '\0' && json_array_size(list) < CLIENT_NAMES) {
		size_t len = strcspn(text, "\r\n");

		if (len > 0 && len < 128)
			json_array_append_new(list, doc_text(text, len));
		text += len;
		text += strspn(text, "\r\n");
	}
	fact_put_json(obj, shape_of_client(), at, list);
}

static struct client *
client_new(struct loop *loop, struct facts *facts, ssh_done *done, void *ctx)
{
	struct client *client = calloc(1, sizeof(*client));

	if (client != NULL)
		*client = (struct client){ .loop = loop, .facts = facts, .done = done, .ctx = ctx };
	return client;
}

static void
finish(struct client *client)
{
	client->done(client->ctx);
	free(client);
}

static void
settle_failed(struct facts *facts, int error)
{
	if (error == -ENOENT)
		facts_settle(facts, FACT_CLIENT, FACT_ABSENT, "not-installed",
			     "no ssh is installed on this computer (not found on PATH)");
	else
		facts_settle(facts, FACT_CLIENT, FACT_UNKNOWN,
			     error == -ECANCELED ? "deadline" : "error",
			     "ssh -V could not be run: %s", strerror(-error));
}

static void
on_version(void *ctx, const struct child_reply *reply)
{
	struct client *client = ctx;

	if (reply->error != 0)
		settle_failed(client->facts, reply->error);
	else if (reply->err_len == 0 && reply->out_len == 0)
		facts_settle(client->facts, FACT_CLIENT, FACT_UNKNOWN, "error",
			     "ssh -V ended with status %d and no message", reply->status);
	else if (reply->status != 0 && version_number(reply->err) <= 0)
		facts_settle(client->facts, FACT_CLIENT, FACT_UNKNOWN, "broken",
			     "ssh -V fails: %.*s", (int)strcspn(reply->err, "\r\n"), reply->err);
	else
		read_version(facts_known(client->facts, FACT_CLIENT), reply);
	finish(client);
}

void
ssh_started(struct facts *facts, json_int_t count)
{
	FACT_PUT(facts->target, target, ssh_started,
		 FACT_GET(facts->target, target, ssh_started) + count);
}

json_int_t
ssh_room(const struct facts *facts)
{
	return SSH_PROCESSES_MAX - 1 /* ssh -V */ - FACT_GET(facts->target, target, ssh_started);
}

void
ssh_client_collect(struct loop *loop, struct facts *facts, ssh_done *done, void *ctx)
{
	static const char *const argv[] = { "ssh", "-V", NULL };
	const struct child_request request = { .argv = argv,
					       .timeout_ms = CLIENT_TIMEOUT_MS,
					       .max_bytes = CLIENT_BYTES };
	struct client *client = client_new(loop, facts, done, ctx);
	int r = client == NULL ? -ENOMEM : loop_child(loop, &request, on_version, client);

	if (r == 0)
		return;
	settle_failed(facts, r);
	free(client);
	done(ctx);
}

/* ---- what it could do ---- */

static void
on_list(void *ctx, const struct child_reply *reply)
{
	struct asking *asking = ctx;
	struct client *client = asking->client;

	if (reply->error == 0 && reply->status == 0)
		read_list(facts_section(client->facts, FACT_CLIENT), asking->at, reply->out);
	if (--client->under_way == 0)
		finish(client);
}

static void
ask(struct client *client, const struct question *question, struct asking *asking)
{
	const char *const argv[] = { "ssh", "-Q", question->ask, NULL };
	const struct child_request request = { .argv = argv,
					       .timeout_ms = CLIENT_TIMEOUT_MS,
					       .max_bytes = CLIENT_BYTES };

	*asking = (struct asking){ client, question->at };
	client->under_way++;
	ssh_started(client->facts, 1);
	if (loop_child(client->loop, &request, on_list, asking) < 0)
		client->under_way--;
}

void
ssh_client_lists(struct loop *loop, struct facts *facts, const char *kind, ssh_done *done,
		 void *ctx)
{
	const json_t *known = facts_section(facts, FACT_CLIENT);
	struct client *client = facts_state(facts, FACT_CLIENT, NULL) == FACT_KNOWN
				    ? client_new(loop, facts, done, ctx)
				    : NULL;

	if (client == NULL) {
		done(ctx);
		return;
	}
	client->under_way = 1; /* so that none ends it before all have begun */
	for (size_t i = 0; i < QUESTIONS; i++)
		if ((kind == NULL || strcmp(kind, questions[i].kind) == 0) &&
		    fact_json(known, shape_of_client(), questions[i].at) == NULL)
			ask(client, &questions[i], &client->asking[i]);
	if (--client->under_way == 0)
		finish(client);
}
