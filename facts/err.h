/* model/: the facts document, typed views of it, pure logic over them, findings and errors.
 * It knows no sockets, files, curl, YAML or output. */
#ifndef MODEL_ERR_H
#define MODEL_ERR_H

/* One sentence for a person. An empty text means "no error". */
struct err {
	char text[1024];
};

/* Sets the sentence; bytes that a terminal would act on are escaped by whoever prints it. NULL err
 * is fine. */
void err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prepends context: "context: former text". */
void err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
