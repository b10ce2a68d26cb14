/* Answers that misbehave on the wire: drips, cut bodies, bodies without end, resets, silence. */
#include "tests/sim/sim.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct stream {
	const struct sim *sim;
	enum stream_kind kind;
	char *text;
	size_t length, cut;
	unsigned pace;
};

static ssize_t
stream_read(void *context, uint64_t at, char *buffer, size_t room)
{
	struct stream *stream = context;
	size_t end = stream->cut < stream->length ? stream->cut : stream->length, left;

	if (stream->kind == STREAM_ENDLESS) {
		size_t piece = stream->pace / 100 + 1 < room ? stream->pace / 100 + 1 : room;

		if (!sim_sleep(stream->sim, 10))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		memset(buffer, ' ', piece);
		if (at == 0)
			*buffer = '[';
		return (ssize_t)piece;
	}
	if (at >= end)
		return stream->kind == STREAM_DRIP ? MHD_CONTENT_READER_END_OF_STREAM
						   : MHD_CONTENT_READER_END_WITH_ERROR;
	left = end - (size_t)at;
	if (stream->kind == STREAM_DRIP) {
		if (!sim_sleep(stream->sim, stream->pace))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		left = 1;
	}
	left = left < room ? left : room;
	memcpy(buffer, stream->text + at, left);
	return (ssize_t)left;
}

static void
stream_free(void *context)
{
	struct stream *stream = context;

	free(stream->text);
	free(stream);
}

/* Takes the reply's text. */
struct MHD_Response *
stream_response(struct request *request, struct reply *reply)
{
	struct stream *stream = calloc(1, sizeof *stream);
	struct MHD_Response *response;
	bool open = reply->stream == STREAM_ENDLESS || reply->stream == STREAM_TRUNCATE_CHUNKED;

	if (stream == NULL)
		return NULL;
	*stream = (struct stream){ .sim = request->sim,
				   .kind = reply->stream,
				   .text = reply->text,
				   .length = reply->length,
				   .cut = reply->stream == STREAM_DRIP ? reply->length : reply->cut,
				   .pace = reply->pace };
	reply->text = NULL;
	response = MHD_create_response_from_callback(open ? MHD_SIZE_UNKNOWN : stream->length,
						     reply->stream == STREAM_DRIP ? 1 : 16384,
						     stream_read, stream, stream_free);
	if (response == NULL)
		stream_free(stream);
	return response;
}

static int
connection_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

/* Connecting a connected socket to nowhere makes the kernel send a reset at once. */
void
stream_reset(struct MHD_Connection *connection)
{
	struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	(void)!connect(connection_fd(connection), &nowhere, sizeof nowhere);
}

/* Says nothing until the client goes away or the simulator ends. */
void
stream_stall(struct request *request)
{
	struct pollfd wait[2] = { { .fd = request->sim->stop_fd, .events = POLLIN },
				  { .fd = connection_fd(request->connection),
				    .events = POLLRDHUP } };

	while (poll(wait, 2, 1000) >= 0) {
		if (wait[0].revents != 0 || wait[1].revents != 0)
			return;
	}
}
