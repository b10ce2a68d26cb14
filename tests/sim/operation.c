/* Long-running operations: 202 with Azure-AsyncOperation and Location, "still running" for a while,
 * then the result. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

long long
operation_retry_after(const struct sim *sim)
{
	return json_number_at(sim->world, "retry_after", 0);
}

/* The Azure SDKs for Python, az among them, take "Retry-After: 0" for absent and then wait 30 s. */
static void
retry_header(const struct request *request, struct reply *reply, long long seconds)
{
	const char *agent = json_text_at(request->headers, "user-agent");
	char *text = text_format("%lld", seconds);

	if (seconds == 0 && agent != NULL && text_find(agent, "azsdk-python") != NULL)
		reply_header(reply, "x-ms-retry-after-ms", "50");
	else if (seconds >= 0)
		reply_header(reply, "Retry-After", text);
	free(text);
}

static char *
operation_url(const struct request *request, const char *kind, const char *id)
{
	const char *version = json_text_at(request->args, "api-version"), *subscription, *provider;
	struct arm arm;
	char *url;

	if (arm_parse(request->path, &arm) < 0)
		return text_copy("");
	subscription = arm_subscription(&arm);
	provider =
	    arm.provider + 1 < arm.count ? arm.segment[arm.provider + 1] : "Microsoft.Resources";
	url =
	    text_format("%s/subscriptions/%s/providers/%s/locations/simregion/%s/%s?api-version=%s",
			request->base, subscription != NULL ? subscription : "none", provider, kind,
			id, version != NULL ? version : "2024-07-01");
	arm_free(&arm);
	return url;
}

char *
operation_start(struct request *request, struct operation_plan *plan, struct reply *reply)
{
	char *id = random_guid(), *status = operation_url(request, "operations", id),
	     *result = operation_url(request, "operationResults", id);
	char *now = time_iso(time(NULL));
	json_t *operation =
	    json_pack("{s:I,s:I,s:b,s:s}", "left", (json_int_t)plan->polls, "retry_after",
		      (json_int_t)plan->retry_after, "waits", plan->waits, "started", now);

	if (plan->body != NULL)
		json_put(operation, "body", plan->body);
	if (plan->status_body != NULL)
		json_put(operation, "status_body", plan->status_body);
	if (plan->error != NULL)
		json_put(operation, "error", plan->error);
	if (plan->then != NULL)
		json_put(operation, "then", plan->then);
	json_put(request->sim->operations, id, operation);
	reply->status = plan->status != 0 ? plan->status : 202;
	if (plan->first != NULL)
		reply_json(reply, reply->status, plan->first);
	reply_header(reply, "Azure-AsyncOperation", status);
	if (reply->status == 202)
		reply_header(reply, "Location", result);
	retry_header(request, reply, plan->retry_after);
	free(now);
	free(status);
	free(result);
	return id;
}

void
operation_finish(struct sim *sim, const char *id, json_t *body, json_t *error)
{
	json_t *operation = json_object_get(sim->operations, id);

	if (body != NULL && operation != NULL)
		json_put(operation, "body", json_incref(body));
	if (error != NULL && operation != NULL)
		json_put(operation, "error", json_incref(error));
	if (operation != NULL)
		json_put(operation, "waits", json_false());
	json_decref(body);
	json_decref(error);
}

static void
running(struct request *request, const json_t *operation, const char *id, bool result,
	struct reply *reply)
{
	if (result) {
		char *url = operation_url(request, "operationResults", id);

		reply->status = 202;
		reply_header(reply, "Location", url);
		free(url);
	} else {
		reply_json(reply, 200,
			   json_pack("{s:s,s:O,s:s}", "name", id, "startTime",
				     json_object_get(operation, "started"), "status",
				     "InProgress"));
	}
	retry_header(request, reply, json_number_at(operation, "retry_after", 0));
}

static void
finished(const json_t *operation, const char *id, bool result, struct reply *reply)
{
	json_t *body = json_object_get(operation, "body"),
	       *error = json_object_get(operation, "error"), *status;
	char *now;

	if (result && error != NULL) {
		reply_json(reply, (unsigned)json_number_at(error, "status", 409),
			   json_pack("{s:O}", "error", error));
	} else if (result && body != NULL) {
		reply_json(reply, 200, json_deep_copy(body));
	} else if (result) {
		reply->status = 204;
	} else if ((status = json_object_get(operation, "status_body")) != NULL) {
		reply_json(reply, 200, json_deep_copy(status));
	} else {
		now = time_iso(time(NULL));
		status = json_pack("{s:s,s:O,s:s,s:s}", "name", id, "startTime",
				   json_object_get(operation, "started"), "endTime", now, "status",
				   error != NULL ? "Failed" : "Succeeded");
		if (error != NULL)
			json_put(status, "error", json_deep_copy(error));
		else if (body != NULL)
			json_put(status, "properties",
				 json_pack("{s:o}", "output", json_deep_copy(body)));
		free(now);
		reply_json(reply, 200, status);
	}
}

int
operation_poll(struct request *request, const struct arm *arm, struct reply *reply)
{
	const char *kind = arm->count > 2 ? arm->segment[arm->count - 2] : "",
		   *id = arm->count > 0 ? arm->segment[arm->count - 1] : "";
	bool result = text_same(kind, "operationResults");
	json_t *operation, *then;
	long long left;

	if (!result && !text_same(kind, "operations"))
		return -ENOENT;
	if ((operation = json_object_get(request->sim->operations, id)) == NULL) {
		reply_error(reply, 404, "OperationNotFound",
			    "The operation '%s' was not found or has expired.", id);
		return 0;
	}
	left = json_number_at(operation, "left", 0);
	if (left > 0 || json_true_at(operation, "waits")) {
		if (left > 0)
			json_put(operation, "left", json_integer(left - 1));
		running(request, operation, id, result, reply);
		return 0;
	}
	then = json_object_get(operation, "then");
	if (then != NULL && json_object_get(operation, "error") == NULL)
		power_set(request->sim, json_text_at(then, "id"), json_text_at(then, "power"));
	json_object_del(operation, "then");
	finished(operation, id, result, reply);
	return 0;
}
