/* Faults on demand: the world's "requests", first match with times left wins. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct fault {
	regex_t match;
	const json_t *settings; /* in the world */
	long long left;         /* below 0: unlimited */
};

static const char *const known[] = { "match",     "times",    "status",       "code",    "message",
				     "body",      "headers",  "content_type", "delay",   "reset",
				     "stall",     "drip",     "truncate",     "chunked", "garbage",
				     "html",      "huge",     "deep",         "endless", "redirect",
				     "next_link", "location", "header",       "patch",   "bom",
				     "comment" };

static char *
unknown_key(const json_t *settings)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)settings, key, value) {
		bool found = false;

		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			found = found || strcmp(known[i], key) == 0;
		if (!found)
			return text_format("requests: \"%s\" is not a known fault", key);
	}
	return NULL;
}

int
fault_load(struct sim *sim, const json_t *requests, char **why)
{
	size_t count = json_array_size(requests);

	if (requests != NULL && !json_is_array(requests)) {
		*why = text_copy("requests: not an array");
		return -EINVAL;
	}
	if ((sim->faults = calloc(count + 1, sizeof *sim->faults)) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const json_t *settings = json_array_get(requests, i);
		struct fault *fault = &sim->faults[i];
		const char *match = json_text_at(settings, "match");

		if ((*why = unknown_key(settings)) != NULL)
			return -EINVAL;
		if (match == NULL ||
		    regcomp(&fault->match, match, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
			*why = text_format("requests: entry %zu has no usable \"match\"", i);
			return -EINVAL;
		}
		fault->settings = settings;
		fault->left = json_number_at(settings, "times", -1);
		sim->fault_count = i + 1;
	}
	return 0;
}

void
fault_free(struct sim *sim)
{
	for (size_t i = 0; i < sim->fault_count; i++)
		regfree(&sim->faults[i].match);
	free(sim->faults);
}

struct fault *
fault_take(struct request *request)
{
	char *query = url_decode(request->query, strlen(request->query), false);
	char *plain = text_format("%s %s%s%s", request->method, request->path,
				  *query != '\0' ? "?" : "", query);
	char *raw = text_format("%s %s%s%s", request->method, request->path,
				*query != '\0' ? "?" : "", request->query);
	struct fault *found = NULL;

	for (size_t i = 0; i < request->sim->fault_count && found == NULL; i++) {
		struct fault *fault = &request->sim->faults[i];

		if (fault->left != 0 && (regexec(&fault->match, plain, 0, NULL, 0) == 0 ||
					 regexec(&fault->match, raw, 0, NULL, 0) == 0))
			found = fault;
	}
	if (found != NULL && found->left > 0)
		found->left--;
	free(query);
	free(plain);
	free(raw);
	return found;
}

double
fault_delay(const struct fault *fault)
{
	return fault == NULL ? 0 : (double)json_number_at(fault->settings, "delay", 0);
}

static void
reply_bytes(struct reply *reply, unsigned status, const char *type, char *text, size_t length)
{
	json_decref(reply->json);
	reply->json = NULL;
	free(reply->text);
	free(reply->content_type);
	reply->text = text;
	reply->length = length;
	reply->content_type = text_copy(type);
	reply->status = status;
}

static void
reply_filled(struct reply *reply, const char *head, const char *tail, size_t size)
{
	char *text;

	size = size < strlen(head) + strlen(tail) ? strlen(head) + strlen(tail) : size;
	if ((text = malloc(size + 1)) == NULL)
		return;
	memset(text, 'x', size);
	memcpy(text, head, strlen(head));
	memcpy(text + size - strlen(tail), tail, strlen(tail) + 1);
	reply_bytes(reply, 200, "application/json; charset=utf-8", text, size);
}

static void
reply_deep(struct reply *reply, size_t levels)
{
	char *text = malloc(levels * 2 + 16);

	if (text == NULL)
		return;
	memcpy(text, "{\"value\":", 9);
	memset(text + 9, '[', levels);
	memset(text + 9 + levels, ']', levels);
	memcpy(text + 9 + levels * 2, "}", 2);
	reply_bytes(reply, 200, "application/json; charset=utf-8", text, levels * 2 + 10);
}

static void
reply_html(struct reply *reply)
{
	static const char page[] =
	    "<!DOCTYPE html><html><head><title>Sign in to Free "
	    "Wi-Fi</title></head><body><h1>Welcome</h1><p>Please "
	    "accept the terms to use this network.</p><form "
	    "action=\"/login\"><button>Connect</button></form></body></html>\n";

	reply_bytes(reply, 200, "text/html; charset=utf-8", text_copy(page), sizeof page - 1);
}

static void
add_headers(const json_t *headers, struct reply *reply)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)headers, name, value) {
		if (json_is_string(value))
			reply_header(reply, name, json_string_value(value));
		else if (json_is_integer(value)) {
			char *text = text_format("%lld", (long long)json_integer_value(value));

			reply_header(reply, name, text);
			free(text);
		}
	}
}

static void
status_instead(const struct fault *fault, const struct request *request, struct reply *reply)
{
	const json_t *settings = fault->settings, *body = json_object_get(settings, "body");
	const char *type = json_text_at(settings, "content_type");
	unsigned status = (unsigned)json_number_at(settings, "status", 500);

	if (json_is_string(body))
		reply_bytes(reply, status, type != NULL ? type : "application/json; charset=utf-8",
			    text_copy(json_string_value(body)), json_string_length(body));
	else if (body != NULL)
		reply_json(reply, status, json_deep_copy(body));
	else
		reply_status(request, status, json_text_at(settings, "code"),
			     json_text_at(settings, "message"), reply);
	add_headers(json_object_get(settings, "headers"), reply);
}

/* Faults that need no real answer. True when the reply stands. */
bool
fault_instead(const struct fault *fault, const struct request *request, struct reply *reply)
{
	const json_t *settings = fault != NULL ? fault->settings : NULL;
	static const char garbage[] = "\x1f\x8b\x08 {]]not json\xff\xfe\n";
	const char *to;

	if (json_object_get(settings, "status") != NULL)
		status_instead(fault, request, reply);
	else if (json_true_at(settings, "reset"))
		reply->stream = STREAM_RESET;
	else if (json_true_at(settings, "stall"))
		reply->stream = STREAM_STALL;
	else if (json_true_at(settings, "garbage"))
		reply_bytes(reply, 200, "application/json; charset=utf-8", text_copy(garbage),
			    sizeof garbage - 1);
	else if (json_true_at(settings, "html"))
		reply_html(reply);
	else if (json_object_get(settings, "huge") != NULL)
		reply_filled(reply, "{\"value\":[],\"padding\":\"", "\"}",
			     (size_t)json_number_at(settings, "huge", 1 << 20));
	else if (json_object_get(settings, "deep") != NULL)
		reply_deep(reply, (size_t)json_number_at(settings, "deep", 100000));
	else if (json_object_get(settings, "endless") != NULL) {
		reply->status = 200;
		reply->stream = STREAM_ENDLESS;
		reply->pace = (unsigned)json_number_at(settings, "endless", 100000);
	} else if ((to = json_text_at(settings, "redirect")) != NULL) {
		reply_json(reply, 302, json_object());
		reply_header(reply, "Location", to);
	} else if ((to = json_text_at(settings, "location")) != NULL) {
		reply_bytes(reply, 202, "application/json; charset=utf-8", text_copy(""), 0);
		reply_header(reply, "Location", to);
		reply_header(reply, "Retry-After", "0");
	} else
		return false;
	return true;
}

/* Faults that change the real answer. */
void
fault_after(const struct fault *fault, const struct request *request, struct reply *reply)
{
	const json_t *settings = fault != NULL ? fault->settings : NULL,
		     *patch = json_object_get(settings, "patch");

	(void)request;
	if (json_text_at(settings, "next_link") != NULL && json_is_object(reply->json))
		json_put(reply->json, "nextLink",
			 json_deep_copy(json_object_get(settings, "next_link")));
	if (json_is_object(patch) && json_is_object(reply->json))
		json_merge_patch(reply->json, patch);
	add_headers(json_object_get(settings, "header"), reply);
	reply->bom = json_true_at(settings, "bom");
	if (json_object_get(settings, "drip") != NULL) {
		reply->stream = STREAM_DRIP;
		reply->pace = (unsigned)json_number_at(settings, "drip", 10);
	}
	if (json_object_get(settings, "truncate") != NULL) {
		reply->stream =
		    json_true_at(settings, "chunked") ? STREAM_TRUNCATE_CHUNKED : STREAM_TRUNCATE;
		reply->cut = (size_t)json_number_at(settings, "truncate", 1);
	}
}
