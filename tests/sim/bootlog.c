/* Boot diagnostics: a SAS address on the simulator itself, which behaves like blob storage and
 * wants no token. */
#include "tests/sim/sim.h"

#include <stdlib.h>
#include <string.h>

void
bootlog_post(struct request *request, const json_t *vm, struct reply *reply)
{
	const char *name = json_text_at(vm, "name"), *own = json_text_at(vm, "properties.vmId");
	char *log, *shot;

	if (!json_true_at(vm, "properties.diagnosticsProfile.bootDiagnostics.enabled")) {
		reply_error(reply, 409, "OperationNotAllowed",
			    "Boot diagnostics is not enabled for VM '%s'.", name);
		return;
	}
	own = own != NULL ? own : "00000000-0000-0000-0000-000000000000";
	log = text_format(
	    "%s/sas/bootdiagnostics-%s/"
	    "%s.%s.serialconsole.log?sv=2018-03-28&sr=b&sig=CANARY%%2Bsas%%2Bsignature%%3D"
	    "&se=2099-01-01T00%%3A00%%3A00Z&sp=r",
	    request->base, own, name, own);
	shot =
	    text_format("%s/sas/bootdiagnostics-%s/"
			"%s.%s.screenshot.bmp?sv=2018-03-28&sr=b&sig=CANARY%%2Bsas%%2Bsignature%%3D"
			"&se=2099-01-01T00%%3A00%%3A00Z&sp=r",
			request->base, own, name, own);
	reply_json(reply, 200,
		   json_pack("{s:s,s:s}", "consoleScreenshotBlobUri", shot,
			     "serialConsoleLogBlobUri", log));
	free(log);
	free(shot);
}

static void
storage_error(struct reply *reply, unsigned status, const char *code, const char *message)
{
	free(reply->text);
	free(reply->content_type);
	reply->text =
	    text_format("\xef\xbb\xbf<?xml version=\"1.0\" "
			"encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s\n"
			"RequestId:00000000-0000-0000-0000-000000000000</Message></Error>",
			code, message);
	reply->length = strlen(reply->text);
	reply->content_type = text_copy("application/xml");
	reply->status = status;
	reply_header(reply, "x-ms-error-code", code);
}

/* "bytes=A-" and "bytes=A-B"; blob storage knows no suffix ranges and then sends everything. */
static bool
range_asked(const char *header, size_t length, size_t *ret_from, size_t *ret_to)
{
	unsigned long from, to;
	char *end;

	if (header == NULL || strncmp(header, "bytes=", 6) != 0 || header[6] < '0' ||
	    header[6] > '9')
		return false;
	from = strtoul(header + 6, &end, 10);
	if (*end != '-')
		return false;
	to = end[1] != '\0' ? strtoul(end + 1, NULL, 10) : length - 1;
	*ret_from = from;
	*ret_to = to >= length ? length - 1 : to;
	return true;
}

static void
serve_text(const struct request *request, const char *text, size_t length, struct reply *reply)
{
	size_t from = 0, to = length - 1;
	bool part = range_asked(json_text_at(request->headers, "range"), length, &from, &to);
	char *range;

	if (part && (from >= length || from > to)) {
		storage_error(
		    reply, 416, "InvalidRange",
		    "The range specified is invalid for the current size of the resource.");
		return;
	}
	reply->status = part ? 206 : 200;
	reply->length = length > 0 ? to - from + 1 : 0;
	if ((reply->text = malloc(reply->length + 1)) == NULL)
		return;
	memcpy(reply->text, text + from, reply->length);
	reply->content_type = text_copy("application/octet-stream");
	reply_header(reply, "Accept-Ranges", "bytes");
	reply_header(reply, "x-ms-blob-type", "AppendBlob");
	if (part) {
		range = text_format("bytes %zu-%zu/%zu", from, to, length);
		reply_header(reply, "Content-Range", range);
		free(range);
	}
}

void
bootlog_get(struct request *request, struct reply *reply)
{
	const json_t *log = json_object_get(request->sim->world, "boot_log");
	const char *last = strrchr(request->path, '/') + 1;
	char *name = url_decode(last, strcspn(last, "."), false);

	if (json_is_object(log)) /* one log for each VM, by name */
		log = json_get_nocase(log, name);
	free(name);
	if (json_text_at(request->headers, "authorization") != NULL)
		storage_error(
		    reply, 400, "InvalidAuthenticationInfo",
		    "Authentication information is not given in the correct format. Check the "
		    "value of Authorization header.");
	else if (json_text_at(request->args, "sig") == NULL ||
		 strncmp(json_text_at(request->args, "sig"), "CANARY", 6) != 0)
		storage_error(reply, 403, "AuthenticationFailed",
			      "Server failed to authenticate the request. Make sure the value of "
			      "Authorization "
			      "header is formed correctly including the signature.");
	else if (!json_is_string(log) || text_find(last, ".serialconsole.log") == NULL)
		storage_error(reply, 404, "BlobNotFound", "The specified blob does not exist.");
	else
		serve_text(request, json_string_value(log), json_string_length(log), reply);
}
