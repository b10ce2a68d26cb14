/* What went wrong, in words for a person. */
#ifndef FACTS_ERR_H
#define FACTS_ERR_H

/* One sentence for a person. An empty text means "no error". */
struct err {
	char text[1024];
};

/* Sets the sentence; it is escaped for a terminal where it is printed. NULL err
 * is fine. */
void err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
