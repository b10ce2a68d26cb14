/* --deep: the serial log. Azure names an address that whoever holds it may read from, so it is
 * asked without a token, kept nowhere and shown nowhere. */
#include "azure/arm/url.h"
#include "azure/read/rows.h"
#include "model/boot_log.h"
#include "model/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX (4L << 20) /* the end of the log is what counts */

struct boot {
	struct vm_reader *reader;
	char *url; /* a secret */
	long size; /* of the whole log, as far as it is known */
	bool again;
};

static void
boot_end(struct boot *boot)
{
	struct join *all = &boot->reader->all;

	secret_free(boot->url);
	free(boot);
	join_end(all);
}

static void
boot_fail(struct boot *boot, const char *cause, const char *reason)
{
	facts_settle(&boot->reader->facts, FACT_BOOT, FACT_UNKNOWN, cause, "%s", reason);
	boot_end(boot);
}

/* ---- the log itself ---- */

static void
take_log(struct boot *boot, const struct web_answer *answer)
{
	json_t *section = facts_known(&boot->reader->facts, FACT_BOOT);
	const long len = (long)answer->body_len;

	boot_log_read(answer->body, answer->body_len, section);
	FACT_PUT(section, boot, size, boot->size > len ? boot->size : len);
	FACT_PUT(section, boot, cut, boot->size > len);
	secrets_cut(&boot->reader->azure->web.secrets, section);
	boot_end(boot);
}

/* What Azure Storage says of an error, in XML. */
static bool
storage_says(const struct web_answer *answer, const char *code)
{
	return doc_same(web_header(answer, "x-ms-error-code"), code) ||
	       (answer->body != NULL && answer->body_len < 65536 &&
		strstr(answer->body, code) != NULL);
}

static void
log_failed(struct boot *boot, const struct web_answer *answer)
{
	struct facts *facts = &boot->reader->facts;

	if (answer->error != 0)
		facts_settle(facts, FACT_BOOT, FACT_UNKNOWN,
			     answer->error == -ECANCELED ? "deadline" : "unreachable",
			     "the storage of the serial log could not be read: %s",
			     answer->error_text != NULL ? answer->error_text : "no answer");
	else if (answer->status == 404)
		facts_settle(facts, FACT_BOOT, FACT_ABSENT, "no-log",
			     "the VM has written no serial log yet");
	else if (answer->status == 416)
		facts_settle(facts, FACT_BOOT, FACT_ABSENT, "no-log", "the serial log is empty");
	else if (storage_says(answer, "AuthorizationFailure"))
		facts_settle(facts, FACT_BOOT, FACT_UNKNOWN, "storage-firewall",
			     "the firewall of the storage account does not allow this network to "
			     "read the serial log");
	else
		facts_settle(facts, FACT_BOOT, FACT_UNKNOWN, "error",
			     "the storage of the serial log answered HTTP %ld", answer->status);
	boot_end(boot);
}

static void get_log(struct boot *boot, long from);

/* The size of the whole behind "bytes 0-99/1234"; 0 when it does not say. */
static long
whole_size(const struct web_answer *answer)
{
	const char *range = web_header(answer, "Content-Range"),
		   *slash = range != NULL ? strchr(range, '/') : NULL;

	return slash != NULL ? strtol(slash + 1, NULL, 10) : 0;
}

static void
log_got(void *ctx, const struct web_answer *answer)
{
	struct boot *boot = ctx;

	if (answer->error != 0 || (answer->status != 200 && answer->status != 206)) {
		log_failed(boot, answer);
		return;
	}
	boot->size = whole_size(answer);
	if (boot->size > LOG_MAX && !boot->again)
		get_log(boot, boot->size - LOG_MAX);
	else
		take_log(boot, answer);
}

/* Storage knows no ranges that count from the end. */
static void
get_log(struct boot *boot, long from)
{
	char *range = doc_fmt("Range: bytes=%ld-%ld", from, from + LOG_MAX - 1);
	const char *headers[] = { range, NULL };

	boot->again = from > 0;
	web_ask(&boot->reader->azure->web,
		&(struct web_ask){ .url = boot->url,
				   .headers = headers,
				   .flags = WEB_BYTES,
				   .max_bytes = LOG_MAX + 1 },
		log_got, boot);
	free(range);
}

/* ---- its address ---- */

/* Over TLS, or on this computer when Azure itself is played there. */
static bool
may_ask(const struct boot *boot)
{
	return url_safe(boot->url) &&
	       (!url_loopback(boot->url) || url_loopback(boot->reader->fetches->arm->base));
}

static void
address_got(void *ctx, const struct arm_answer *answer)
{
	struct boot *boot = ctx;
	const char *url = doc_str(answer->body, "serialConsoleLogBlobUri");
	struct facts *facts = &boot->reader->facts;
	char *path;

	if (answer->why != NULL) {
		facts_settle(facts, FACT_BOOT, FACT_UNKNOWN, doc_str(answer->why, "cause"), "%s",
			     doc_str(answer->why, "reason"));
		FACTS_PUT(facts, boot, action, FACT_GET(answer->why, missing, action));
		if (doc_is(answer->why, "cause", "forbidden")) {
			path = doc_fmt("%s/retrieveBootDiagnosticsData", boot->reader->id);
			fetch_enter(boot->reader->fetches, path, NULL, answer->why);
			free(path);
		}
		boot_end(boot);
		return;
	}
	if (url == NULL) {
		boot_fail(boot, "error", "Azure names no serial log");
		return;
	}
	boot->url = strdup(url);
	if (may_ask(boot))
		get_log(boot, 0);
	else
		boot_fail(boot, "foreign-host",
			  "Azure names an address for the serial log that is not https");
}

void
read_boot_log(struct vm_reader *reader)
{
	struct facts *facts = &reader->facts;
	char *path = doc_fmt("%s/retrieveBootDiagnosticsData", reader->id);
	struct boot *boot;
	struct vm vm;

	if (vm_from_facts(facts, &vm, NULL) < 0) {
		facts_settle(facts, FACT_BOOT, FACT_UNKNOWN, "no-vm", "the VM itself was not read");
	} else if (vm.boot_diagnostics != 1) {
		facts_settle(facts, FACT_BOOT, FACT_ABSENT, "boot-diagnostics-off",
			     "boot diagnostics are off, so there is no serial log");
	} else if (!doc_same(vm.power, "running")) {
		facts_settle(facts, FACT_BOOT, FACT_NOT_ASKED, "not-running",
			     "the VM does not run, so its serial log tells of the past");
	} else {
		boot = malloc(sizeof(*boot));
		*boot = (struct boot){ .reader = reader };
		join_add(&reader->all);
		arm_ask(reader->fetches->arm,
			&(struct arm_ask){
			    .method = "POST", .path = path, .flags = ARM_LONG | ARM_UNCUT },
			address_got, boot);
	}
	free(path);
}
