#include "loop/transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

struct transfers {
	struct loop_source source;
	const struct curl_api *curl;
	CURLM *multi;
	CURLSH *share; /* TLS sessions, so that a further connection resumes one */
	struct transfer *first;
};

/* A socket of curl's. */
struct line {
	struct transfers *all;
	curl_socket_t fd;
	struct watch *watch;
};

static void
transfer_end(struct transfers *all, CURL *easy, CURLcode result, bool cancelled)
{
	struct transfer *ended;

	for (struct transfer **at = &all->first; (ended = *at) != NULL; at = &ended->next) {
		if (ended->easy != easy)
			continue;
		*at = ended->next;
		all->source.busy--;
		all->curl->multi_remove_handle(all->multi, easy);
		ended->done(ended, result, cancelled);
		return;
	}
}

/* Lets curl work on a socket, or on what its timer is for, and ends what has finished. */
static void
act(struct transfers *all, curl_socket_t fd, int events)
{
	struct CURLMsg *message;
	int running, left;

	all->curl->multi_socket_action(all->multi, fd, events, &running);
	while ((message = all->curl->multi_info_read(all->multi, &left)) != NULL)
		if (message->msg == CURLMSG_DONE)
			transfer_end(all, message->easy_handle, message->data.result, false);
}

/* ---- sockets ---- */

static void
line_free(struct line *line)
{
	line->all->curl->multi_assign(line->all->multi, line->fd, NULL);
	loop_unwatch(line->watch);
	free(line);
}

static void
on_ready(void *ctx, int revents)
{
	struct line *line = ctx;
	int events = 0;

	if (revents < 0) {
		line_free(line);
		return;
	}
	if ((revents & POLLIN) != 0)
		events |= CURL_CSELECT_IN;
	if ((revents & POLLOUT) != 0)
		events |= CURL_CSELECT_OUT;
	if ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		events |= CURL_CSELECT_ERR;
	act(line->all, line->fd, events);
}

static struct line *
line_new(struct transfers *all, curl_socket_t fd)
{
	struct line *line = malloc(sizeof(*line));

	if (line == NULL)
		return NULL;
	*line = (struct line){ .all = all, .fd = fd };
	line->watch = loop_watch_for(&all->source, fd, 0, on_ready, line);
	if (line->watch == NULL || all->curl->multi_assign(all->multi, fd, line) != CURLM_OK) {
		loop_unwatch(line->watch);
		free(line);
		return NULL;
	}
	return line;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
	struct line *line = assigned;
	short events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (line != NULL)
			line_free(line);
		return 0;
	}
	if (line == NULL && (line = line_new(ctx, fd)) == NULL)
		return -1;
	if ((what & CURL_POLL_IN) != 0)
		events |= POLLIN;
	if ((what & CURL_POLL_OUT) != 0)
		events |= POLLOUT;
	loop_rewatch(line->watch, events, 0);
	return 0;
}

/* ---- the source ---- */

static int
on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct transfers *all = ctx;

	(void)multi;
	all->source.until = timeout_ms < 0 ? 0 : loop_now(all->source.loop) + timeout_ms;
	return 0;
}

static void
transfers_due(struct loop_source *source)
{
	act((struct transfers *)source, CURL_SOCKET_TIMEOUT, 0);
}

static void
transfers_cancel(struct loop_source *source)
{
	struct transfers *all = (struct transfers *)source;

	while (all->first != NULL)
		transfer_end(all, all->first->easy, CURLE_OK, true);
}

static void
transfers_end(struct loop_source *source)
{
	struct transfers *all = (struct transfers *)source;

	if (all->multi != NULL)
		all->curl->multi_cleanup(all->multi);
	if (all->share != NULL)
		all->curl->share_cleanup(all->share);
}

static const struct loop_kind transfers = { .size = sizeof(struct transfers),
					    .due = transfers_due,
					    .cancel = transfers_cancel,
					    .end = transfers_end };

static int
transfers_begin(struct transfers *all)
{
	if ((all->curl = curl_load()) == NULL)
		return -ENOSYS;
	if ((all->multi = all->curl->multi_init()) == NULL)
		return -ENOMEM;
	if ((all->share = all->curl->share_init()) != NULL)
		all->curl->share_setopt(all->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	all->curl->multi_setopt(all->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	all->curl->multi_setopt(all->multi, CURLMOPT_SOCKETDATA, all);
	all->curl->multi_setopt(all->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	all->curl->multi_setopt(all->multi, CURLMOPT_TIMERDATA, all);
	return 0;
}

int
transfer_begin(struct loop *loop, struct transfer *transfer)
{
	struct transfers *all = (struct transfers *)loop_source(loop, &transfers);
	int r;

	if (all == NULL)
		return -ENOMEM;
	if (all->multi == NULL && (r = transfers_begin(all)) < 0)
		return r;
	all->curl->easy_setopt(transfer->easy, CURLOPT_SHARE, all->share);
	if (all->curl->multi_add_handle(all->multi, transfer->easy) != CURLM_OK)
		return -ENOMEM;
	transfer->all = all;
	transfer->next = all->first;
	all->first = transfer;
	all->source.busy++;
	return 0;
}
