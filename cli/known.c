#include "cli/known.h"
#include "cli/bundle.h"
#include "model/doc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The finding of the host-key check in a report. */
static const json_t *
host_key_evidence(const json_t *report)
{
	const json_t *findings = doc_list(report, "findings"), *finding;
	size_t i;

	json_array_foreach(findings, i, finding)
		if (doc_is(finding, "check", "host-key"))
			return doc_get(finding, "evidence");
	return NULL;
}

/* The key on the wire whose fingerprint the evidence names. */
static const json_t *
live_key(const struct facts *facts, const char *fingerprint)
{
	const json_t *keys = doc_list(facts_section(facts, FACT_HOST_KEY), "keys"), *key;
	size_t i;

	json_array_foreach(keys, i, key)
		if (fingerprint != NULL && doc_str(key, "fingerprint") != NULL && strcmp(doc_str(key, "fingerprint"), fingerprint) == 0)
			return key;
	return NULL;
}

static char *
with_line(const char *path, const char *line, size_t *len)
{
	FILE *out, *in = fopen(path, "re");
	char *text = NULL, buffer[8192], last = '\n';
	size_t n;

	if ((out = open_memstream(&text, len)) == NULL) {
		if (in != NULL)
			fclose(in);
		return NULL;
	}
	while (in != NULL && (n = fread(buffer, 1, sizeof(buffer), in)) > 0) {
		fwrite(buffer, 1, n, out);
		last = buffer[n - 1];
	}
	if (in != NULL)
		fclose(in);
	fprintf(out, "%s%s\n", last != '\n' ? "\n" : "", line);
	return fclose(out) == 0 ? text : NULL;
}

int
known_append(const char *path, const struct facts *facts, const json_t *report, struct err *err)
{
	const json_t *evidence = host_key_evidence(report), *key = live_key(facts, doc_str(evidence, "fingerprint"));
	const char *name = doc_str(facts_section(facts, FACT_KNOWN_HOSTS), "name");
	char *line, *text = NULL;
	size_t len = 0;
	int r = -ENOMEM;

	if (key == NULL || name == NULL || !doc_is(evidence, "proof_result", "match")) {
		err_set(err, "--known-hosts: '%s' is left as it is, since Azure has not proven the host key (--guest asks for the proof)", path);
		return 0;
	}
	if (doc_is(evidence, "known", "match"))
		return 0;
	if ((line = doc_fmt("%s %s %s", name, doc_str(key, "type"), doc_str(key, "public"))) != NULL &&
	    (text = with_line(path, line, &len)) != NULL)
		r = file_replace(path, text, len, 0600, err);
	free(text);
	free(line);
	return r;
}
