#include "cli/source.h"
#include "model/prefix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct question {
	struct facts *facts;
	void (*done)(void *ctx);
	void *ctx;
};

enum { SERVICE_MS = 5000, SERVICE_MAX = 4096 };

static const char *
claimed(const struct facts *facts)
{
	return FACT_GET(FACT_JSON(facts_section(facts, FACT_SIGNIN), signin, claims), signin_claims,
			ipaddr);
}

/* What the sign-in saw stands beside another answer: web traffic and SSH may leave by different
 * ways. */
static void
known_source(struct facts *facts, const char *ip, const char *from, bool likely)
{
	const char *claim = claimed(facts);
	const struct fact_source_other other = { .ip = claim, .from = "token" };

	fact_write(facts_known(facts, FACT_SOURCE), shape_of_source(),
		   &(const struct fact_source){
		       .ip = ip,
		       .from = from,
		       .likely = likely,
		       .others = claim != NULL && strcasecmp(claim, ip) != 0 ? &other : NULL,
		       .others_count = 1 });
}

/* Without an answer of the address service. */
static void
without_service(struct facts *facts, const char *service, const char *why)
{
	if (claimed(facts) != NULL)
		known_source(facts, claimed(facts), "token", true);
	else if (service == NULL)
		facts_settle(
		    facts, FACT_SOURCE, FACT_ABSENT, "not-given",
		    "the public address you connect from is not known; --source-ip IP says it");
	else
		facts_settle(facts, FACT_SOURCE, FACT_UNKNOWN, "ip-service",
			     "the address service gave no address: %s", why);
}

/* The reply is an address and white space, nothing else. */
static void
on_reply(void *ctx, const struct http_reply *reply)
{
	struct question *question = ctx;
	char text[64] = "";
	size_t skip = strspn(reply->body, " \t\r\n"), len = strcspn(reply->body + skip, " \t\r\n");

	if (len < sizeof(text))
		memcpy(text, reply->body + skip, len);
	if (reply->error != 0)
		without_service(question->facts, "", reply->error_text);
	else if (reply->status != 200)
		without_service(question->facts, "", "its answer was not 200");
	else if (!ip_is_text(text))
		without_service(question->facts, "", "its answer is not an IP address");
	else
		known_source(question->facts, text, "ip-service", true);
	question->done(question->ctx);
	free(question);
}

static bool
ask(struct loop *loop, struct facts *facts, const char *service, void (*done)(void *ctx), void *ctx)
{
	struct question *question = malloc(sizeof(*question));

	if (question == NULL)
		return false;
	*question = (struct question){ .facts = facts, .done = done, .ctx = ctx };
	if (loop_http(loop,
		      &(struct http_request){ .method = "GET",
					      .url = service,
					      .timeout_ms = SERVICE_MS,
					      .max_bytes = SERVICE_MAX },
		      on_reply, question) == 0)
		return true;
	free(question);
	return false;
}

void
source_settle(struct loop *loop, struct facts *facts, const char *source_ip, const char *service,
	      void (*done)(void *ctx), void *ctx)
{
	if (source_ip != NULL)
		known_source(facts, source_ip, "option", false);
	else if (service != NULL && ask(loop, facts, service, done, ctx))
		return;
	else
		without_service(facts, service, "it could not be asked");
	done(ctx);
}
