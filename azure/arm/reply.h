/* What a reply of ARM means: known, absent, unknown and why. */
#ifndef AZURE_REPLY_H
#define AZURE_REPLY_H

#include "azure/arm/web.h"
#include "facts/facts.h"

/* Why the answer is not the body asked for: a new entry for azure.missing, NULL when it is. base is
 * ARM's URL. */
json_t *reply_why(const struct web *web, const char *base, const struct web_answer *answer,
		  const char *method, const char *path);
/* An entry of that kind from scratch; the caller owns it. */
json_t *reply_entry(enum fact_state state, const char *cause, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
