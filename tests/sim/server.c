/* HTTP: turns libmicrohttpd's callbacks into one call with a whole request, and a reply into an
 * answer. */
#include "tests/sim/sim.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define BODY_LIMIT ((size_t)4 << 20)

static void *
request_new(void *context, const char *target, struct MHD_Connection *connection)
{
	struct sim *sim = context;
	struct request *request = calloc(1, sizeof *request);

	if (request == NULL)
		return NULL;
	pthread_mutex_lock(&sim->lock);
	request->number = ++sim->serial;
	pthread_mutex_unlock(&sim->lock);
	request->sim = sim;
	request->at = clock_ms();
	request->connection = connection;
	request->target = text_copy(target);
	request->auth = "none";
	return request;
}

static void
request_free(struct request *request)
{
	json_decref(request->args);
	json_decref(request->headers);
	json_decref(request->caller);
	free(request->method);
	free(request->target);
	free(request->path);
	free(request->query);
	free(request->base);
	free(request->body);
	free(request);
}

static enum MHD_Result
keep_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	json_t *headers = context;
	char *lower = text_lower(name);

	(void)kind;
	json_put_text(headers, lower, value != NULL ? value : "");
	free(lower);
	return MHD_YES;
}

static void
request_begin(struct request *request, const char *method)
{
	size_t length = strcspn(request->target, "?");
	const char *host;

	request->started = true;
	request->method = text_copy(method);
	request->path = url_decode(request->target, length, false);
	for (length = strlen(request->path); length > 1 && request->path[length - 1] == '/';
	     length--)
		request->path[length - 1] = '\0';
	while (request->path[0] == '/' &&
	       request->path[1] == '/') /* some write https://host//subscriptions */
		memmove(request->path, request->path + 1, strlen(request->path));
	length = strcspn(request->target, "?");
	request->query =
	    text_copy(request->target[length] == '?' ? request->target + length + 1 : "");
	request->args = url_arguments(request->query);
	request->headers = json_object();
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, keep_header,
				  request->headers);
	host = json_text_at(request->headers, "host");
	request->base = host != NULL
			    ? text_format("%s://%s", request->sim->tls ? "https" : "http", host)
			    : text_copy(request->sim->url);
}

static enum MHD_Result
request_body(struct request *request, const char *data, size_t *size)
{
	char *longer;

	if (request->body_length + *size > BODY_LIMIT)
		return MHD_NO;
	longer = realloc(request->body, request->body_length + *size + 1);
	if (longer == NULL)
		return MHD_NO;
	memcpy(longer + request->body_length, data, *size);
	request->body = longer;
	request->body_length += *size;
	request->body[request->body_length] = '\0';
	*size = 0;
	return MHD_YES;
}

static void
usual_headers(struct request *request, struct reply *reply)
{
	const char *own = json_text_at(request->headers, "x-ms-client-request-id");
	char *id = random_guid(), *routing = text_format("SIMREGION:20260101T000000Z:%s", id),
	     *date;
	long long skew = json_number_at(request->sim->world, "clock_skew", 0);
	time_t now = time(NULL) + (time_t)skew;
	struct tm parts;
	char text[64];

	json_put_default(reply->headers, "x-ms-request-id", json_string(id));
	json_put_default(reply->headers, "x-ms-correlation-request-id", json_string(id));
	json_put_default(reply->headers, "x-ms-routing-request-id", json_string(routing));
	json_put_default(reply->headers, "x-ms-ratelimit-remaining-subscription-reads",
			 json_string("11999"));
	json_put_default(reply->headers, "Cache-Control", json_string("no-cache"));
	if (own != NULL &&
	    text_same(json_text_at(request->headers, "x-ms-return-client-request-id"), "true"))
		json_put_default(reply->headers, "x-ms-client-request-id", json_bytes(own));
	if (skew != 0 && gmtime_r(&now, &parts) != NULL &&
	    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0) {
		date = text_copy(text);
		json_put_default(reply->headers, "Date", json_string(date));
		free(date);
	}
	free(routing);
	free(id);
}

/* Under the lock: the body may share values with the world. */
static void
render(const struct request *request, struct reply *reply)
{
	const char *accepted = json_text_at(request->headers, "accept-encoding");
	char *body;

	if (reply->json == NULL)
		return;
	free(reply->text);
	reply->text = body = json_dumps(reply->json, JSON_COMPACT | JSON_ENCODE_ANY);
	if (reply->bom && body != NULL) {
		reply->text = text_format("\xef\xbb\xbf%s", body);
		free(body);
	}
	reply->length = reply->text != NULL ? strlen(reply->text) : 0;
	json_decref(reply->json);
	reply->json = NULL;
	if (json_true_at(request->sim->world, "gzip") && accepted != NULL &&
	    text_find(accepted, "gzip") != NULL)
		reply_gzip(reply);
}

static struct MHD_Response *
make_response(struct request *request, struct reply *reply)
{
	struct MHD_Response *response;
	const char *name;
	json_t *value;

	if (reply->stream != STREAM_NONE) {
		response = stream_response(request, reply);
	} else {
		response = MHD_create_response_from_buffer(reply->length, reply->text,
							   MHD_RESPMEM_MUST_FREE);
		reply->text = response != NULL ? NULL : reply->text;
	}
	if (response == NULL)
		return NULL;
	usual_headers(request, reply);
	if (reply->length > 0 || reply->stream == STREAM_ENDLESS)
		json_put_default(reply->headers, "Content-Type",
				 json_string(reply->content_type != NULL
						 ? reply->content_type
						 : "application/json; charset=utf-8"));
	json_object_foreach (reply->headers, name, value)
		MHD_add_response_header(response, name, json_string_value(value));
	return response;
}

/* A plain answer is logged before it leaves, so that whoever has it finds it in the log. */
static enum MHD_Result
send_reply(struct request *request, struct reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result r;

	if (reply->stream == STREAM_RESET || reply->stream == STREAM_STALL) {
		if (reply->stream == STREAM_STALL)
			stream_stall(request);
		log_request(request, 0);
		stream_reset(request->connection);
		return MHD_NO;
	}
	if ((response = make_response(request, reply)) == NULL)
		return MHD_NO;
	if (reply->stream == STREAM_NONE)
		log_request(request, reply->status);
	r = MHD_queue_response(request->connection, reply->status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result
answer(struct request *request)
{
	struct sim *sim = request->sim;
	struct reply reply;
	struct fault *fault;
	enum MHD_Result r;

	reply_init(&reply);
	pthread_mutex_lock(&sim->lock);
	fault = fault_take(request);
	pthread_mutex_unlock(&sim->lock);
	sim_sleep(sim, (double)json_number_at(sim->world, "latency_ms", 0) + fault_delay(fault));
	pthread_mutex_lock(&sim->lock);
	if (!fault_instead(fault, request, &reply)) {
		route_request(request, &reply);
		fault_after(fault, request, &reply);
	}
	render(request, &reply);
	pthread_mutex_unlock(&sim->lock);
	r = send_reply(request, &reply);
	reply_free(&reply);
	return r;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	   const char *version, const char *data, size_t *size, void **state)
{
	struct request *request = *state;

	(void)context;
	(void)connection;
	(void)url;
	(void)version;
	if (request == NULL)
		return MHD_NO;
	if (!request->started) {
		request_begin(request, method);
		return MHD_YES;
	}
	if (*size > 0)
		return request_body(request, data, size);
	return answer(request);
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **state,
	     enum MHD_RequestTerminationCode how)
{
	struct request *request = *state;

	(void)context;
	(void)connection;
	if (request == NULL)
		return;
	if (request->started)
		log_request(request, how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? 200 : 0);
	request_free(request);
	*state = NULL;
}

struct MHD_Daemon *
server_start(struct sim *sim, int listener, const char *key, const char *certificate)
{
	unsigned flags =
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)request_new, sim },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, sim },
		{ MHD_OPTION_LISTEN_SOCKET, listener, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, 256, NULL },
		{ MHD_OPTION_END, 0, NULL },
		{ MHD_OPTION_END, 0, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (key != NULL) {
		flags |= MHD_USE_TLS;
		options[4] =
		    (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key };
		options[5] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
						      (void *)(uintptr_t)certificate };
	}
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, sim, MHD_OPTION_ARRAY, options,
				MHD_OPTION_END);
}
