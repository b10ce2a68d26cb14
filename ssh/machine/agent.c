#include "ssh/machine/identity.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { AGENT_TIMEOUT_MS = 2000, AGENT_REPLY_MAX = 256 * 1024 };

/* length 1, SSH2_AGENTC_REQUEST_IDENTITIES: the only thing that an agent is ever asked here */
static const unsigned char question[] = { 0, 0, 0, 1, 11 };

struct agent {
	struct loop *loop;
	struct facts *facts;
	void (*done)(void *ctx);
	void *ctx;
	char *socket;
	int fd;
	struct watch *watch;
	int64_t until;
	unsigned char *reply; /* 4 bytes of length, then the message */
	size_t have, sent;
};

static void
agent_finish(struct agent *agent)
{
	void (*done)(void *ctx) = agent->done;
	void *ctx = agent->ctx;

	loop_unwatch(agent->watch);
	if (agent->fd >= 0)
		close(agent->fd);
	free(agent->socket);
	free(agent->reply);
	free(agent);
	done(ctx);
}

static void
settle(struct agent *agent, enum fact_state state, const char *cause, const char *why)
{
	facts_settle(agent->facts, FACT_AGENT, state, cause, "the agent at %s %s", agent->socket,
		     why);
	FACTS_PUT(agent->facts, agent, socket, agent->socket);
}

static void
settle_errno(struct agent *agent, int error)
{
	if (error == ENOENT || error == ECONNREFUSED || error == ENOTSOCK || error == ENOTDIR)
		settle(agent, FACT_ABSENT, "dead",
		       "is not running: nothing listens on this socket");
	else if (error == EACCES || error == EPERM)
		settle(agent, FACT_UNKNOWN, "forbidden", "may not be spoken to: permission denied");
	else if (error == ECANCELED)
		settle(agent, FACT_UNKNOWN, "deadline",
		       "was not waited for: the deadline has passed");
	else if (error == ETIMEDOUT || error == EAGAIN)
		settle(agent, FACT_UNKNOWN, "timeout", "does not answer");
	else
		settle(agent, FACT_UNKNOWN, "error", strerror(error));
}

static size_t
message_length(const struct agent *agent)
{
	struct bytes head = { agent->reply, 4 };
	uint32_t len = 0;

	bytes_u32(&head, &len);
	return len;
}

static void
settle_reply(struct agent *agent)
{
	json_t *keys = json_array(), *section;
	int r = agent_reply_keys(agent->reply + 4, message_length(agent), keys);

	if (r == 0) {
		section = facts_known(agent->facts, FACT_AGENT);
		FACT_PUT(section, agent, socket, agent->socket);
		FACT_PUT_JSON(section, agent, keys, json_incref(keys));
	} else if (r == -EACCES) {
		settle(agent, FACT_UNKNOWN, "refused", "refuses to say which keys it holds");
	} else {
		settle(agent, FACT_UNKNOWN, "error", "gives an invalid answer");
	}
	json_decref(keys);
}

/* Reads what there is; 0: more to come, 1: settled. */
static int
receive(struct agent *agent)
{
	for (;;) {
		size_t want = agent->have < 4 ? 4 : 4 + message_length(agent);
		ssize_t n;

		if (agent->have >= 4 && want > AGENT_REPLY_MAX) {
			settle(agent, FACT_UNKNOWN, "error", "gives an answer that is too long");
			return 1;
		}
		if (agent->have >= 4 && agent->have == want) {
			settle_reply(agent);
			return 1;
		}
		n = recv(agent->fd, agent->reply + agent->have, want - agent->have, 0);
		if (n > 0) {
			agent->have += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n == 0)
			settle(agent, FACT_UNKNOWN, "error",
			       "closes the connection without an answer");
		else
			settle_errno(agent, errno);
		return 1;
	}
}

static void
ready(void *ctx, int revents)
{
	struct agent *agent = ctx;
	int64_t left = agent->until - loop_now(agent->loop);
	ssize_t n;

	if (revents <= 0 || left <= 0) {
		settle_errno(agent, revents < 0 ? ECANCELED : ETIMEDOUT);
		agent_finish(agent);
		return;
	}
	if (agent->sent < sizeof(question)) {
		n = send(agent->fd, question + agent->sent, sizeof(question) - agent->sent,
			 MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			settle_errno(agent, errno);
			agent_finish(agent);
			return;
		}
		agent->sent += n > 0 ? (size_t)n : 0;
	} else if (receive(agent) != 0) {
		agent_finish(agent);
		return;
	}
	loop_rewatch(agent->watch, agent->sent < sizeof(question) ? POLLOUT : POLLIN, (int)left);
}

static int
agent_connect(struct agent *agent)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(agent->socket) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, agent->socket, strlen(agent->socket) + 1);
	if ((agent->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
		return -errno;
	return connect(agent->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno
											  : 0;
}

void
agent_collect(struct loop *loop, struct facts *facts, const char *socket, void (*done)(void *ctx),
	      void *ctx)
{
	struct agent *agent;
	int r;

	if (socket == NULL || *socket == '\0') {
		facts_settle(facts, FACT_AGENT, FACT_ABSENT, "none",
			     "no ssh agent is set (SSH_AUTH_SOCK)");
		done(ctx);
		return;
	}
	if ((agent = calloc(1, sizeof(*agent))) == NULL) {
		facts_settle(facts, FACT_AGENT, FACT_UNKNOWN, "error", "out of memory");
		done(ctx);
		return;
	}
	*agent = (struct agent){ .loop = loop, .facts = facts, .done = done, .ctx = ctx, .fd = -1 };
	agent->until = loop_now(loop) + AGENT_TIMEOUT_MS;
	if ((agent->socket = strdup(socket)) == NULL ||
	    (agent->reply = malloc(AGENT_REPLY_MAX)) == NULL)
		r = -ENOMEM;
	else
		r = agent_connect(agent);
	if (r == 0 && (agent->watch = loop_watch(loop, agent->fd, POLLOUT, AGENT_TIMEOUT_MS, ready,
						 agent)) == NULL)
		r = loop_left(loop) > 0 ? -ENOMEM : -ECANCELED;
	if (r == 0)
		return;
	if (agent->socket != NULL)
		settle_errno(agent, -r);
	else
		facts_settle(facts, FACT_AGENT, FACT_UNKNOWN, "error", "out of memory");
	agent_finish(agent);
}
