#include "cli/stream.h"
#include "cli/collect.h"
#include "facts/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The format on standard output, when it can be written line by line. */
static const struct output *
lines_of(const struct options *options)
{
	for (size_t i = 0; i < options->output_count; i++)
		if (options->outputs[i].file == NULL && !options->outputs[i].format->many)
			return &options->outputs[i];
	return NULL;
}

/* Where the last whole line ends. */
static off_t
end_of_lines(int fd)
{
	off_t at = lseek(fd, 0, SEEK_END);
	char c;

	while (at > 0 && pread(fd, &c, 1, at - 1) == 1 && c != '\n')
		at--;
	return at;
}

int
stream_begin(const struct options *options, struct stream *ret, struct err *err)
{
	*ret = (struct stream){ .fd = -1, .output = lines_of(options) };
	if (ret->output == NULL || !collect_many(options) || options->wait_ms > 0)
		return 0;
	ret->fd = STDOUT_FILENO;
	if (options->resume == NULL)
		return 0;
	ret->fd = open(options->resume, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0644);
	if (ret->fd >= 0 && ftruncate(ret->fd, end_of_lines(ret->fd)) == 0)
		return 0;
	err_set(err, "--resume '%s' cannot be written: %s", options->resume, strerror(errno));
	return -EIO;
}

bool
stream_alone(const struct stream *stream, const struct options *options)
{
	return stream->fd >= 0 && options->output_count == 1;
}

static int
put(struct stream *stream, const char *bytes, size_t len)
{
	struct stat st;
	off_t before = lseek(stream->fd, 0, SEEK_CUR);
	ssize_t n = 0;
	size_t done = 0;
	int r = 0;

	for (; done < len && r == 0; done += n > 0 ? (size_t)n : 0)
		if ((n = write(stream->fd, bytes + done, len - done)) < 0 && errno != EINTR)
			r = -errno;
	if (r < 0 && done > 0 && before >= 0 && fstat(stream->fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && ftruncate(stream->fd, st.st_size - (off_t)done) == 0)
		lseek(stream->fd, before, SEEK_SET);
	return r;
}

int
stream_write(struct stream *stream, const struct judgement *judgement, struct err *err)
{
	const struct report *list[] = { &judgement->report };
	const struct format *format = stream->output->format;
	const struct report_style style = { 0 };
	char *bytes = NULL, *safe;
	size_t len = 0, safe_len;
	FILE *out = open_memstream(&bytes, &len);
	int r = format_write(format, out, list, 1, &style);

	if (fclose(out) != 0 && r == 0)
		r = -EIO;
	if (r == 0 && format->bracket != NULL &&
	    (safe = visible_log(bytes, len, format->bracket, format->colon, &safe_len)) != NULL) {
		free(bytes);
		bytes = safe;
		len = safe_len;
	}
	if (r == 0 && !stream->failed)
		r = put(stream, bytes, len);
	free(bytes);
	if (r == -EPIPE) { /* a reader who has gone is no error */
		stream->failed = true;
		return 0;
	}
	if (r < 0 && !stream->failed)
		err_set(err, "the report cannot be written: %s", strerror(-r));
	stream->failed = stream->failed || r < 0;
	return r;
}

void
stream_end(struct stream *stream)
{
	if (stream->fd > STDERR_FILENO)
		close(stream->fd);
	stream->fd = -1;
}
