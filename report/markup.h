/* Inside report/: text for XML and HTML. */
#ifndef REPORT_MARKUP_H
#define REPORT_MARKUP_H

#include "report/report.h"

#include <stdio.h>

/* Text from anywhere, fit for an element or a quoted attribute: what a reader would not see is
 * written out ("\x1b"), and the characters of the markup as entities. Line breaks stay. */
void markup_text(FILE *out, const char *text);

/* name="text", with a blank before it; nothing for NULL. */
void markup_attribute(FILE *out, const char *name, const char *text);

/* <name>text</name>; nothing for NULL. */
void markup_element(FILE *out, const char *name, const char *text);

/* svg.c: the path from this computer to the login, as a picture that stands for itself. */
void svg_path(FILE *out, const struct report *report);

#endif
