/* Reports written one a line as VMs are done, each with one write, so that a run that is killed has
 * written whole lines. */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "cli/judge.h"

struct stream {
	int fd; /* -1: nothing is streamed */
	const struct output *output;
	bool failed;
};

/* Standard output where ndjson was asked for there, or the file of --resume, whose last line may
 * have been cut off. 0, or -errno with a sentence. */
int stream_begin(const struct options *options, struct stream *ret, struct err *err);
/* true when nothing but the stream wants the reports. */
bool stream_alone(const struct stream *stream, const struct options *options);
/* 0, or -errno with a sentence: then what was written of this line is taken back where it can be.
 */
int stream_write(struct stream *stream, const struct judgement *judgement, struct err *err);
void stream_end(struct stream *stream);

#endif
