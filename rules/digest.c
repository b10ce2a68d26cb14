#include "rules/table.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every text ends with its NUL byte; one that is not there is told from an empty one. */
static bool
feed(EVP_MD_CTX *hash, const char *text)
{
	text = text != NULL ? text : "\1";
	return EVP_DigestUpdate(hash, text, strlen(text) + 1) == 1;
}

static bool
feed_texts(EVP_MD_CTX *hash, const void *row, const struct text_field *field)
{
	for (; field->key != NULL; field++)
		if (!feed(hash, text_of(row, field)))
			return false;
	return true;
}

static bool
feed_rule(EVP_MD_CTX *hash, const struct rule *rule)
{
	char number[32];
	bool ok = feed(hash, rule->id) && feed(hash, rule->enabled ? "on" : "off") &&
		  feed(hash, rule->evidence) && feed(hash, rule->ways);

	for (size_t i = 0; ok && i < rule->param_count; i++) {
		snprintf(number, sizeof(number), "%lld", rule->params[i].value);
		ok = feed(hash, rule->params[i].name) && feed(hash, number);
	}
	return ok;
}

static bool
feed_code(EVP_MD_CTX *hash, const struct code_words *code)
{
	bool ok =
	    feed(hash, code->code) && feed(hash, code->owner) && feed_texts(hash, code, code_texts);

	for (size_t i = 0; ok && i < code->remedy_count; i++)
		ok = feed_texts(hash, &code->remedies[i], remedy_texts);
	return ok;
}

static bool
feed_list(EVP_MD_CTX *hash, const json_t *list)
{
	char *text = list != NULL ? json_dumps(list, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	bool ok = list == NULL || text != NULL;

	ok = ok && feed(hash, text);
	free(text);
	return ok;
}

int
table_digest(const struct tables *tables, const json_t *custom, const json_t *waivers, char *ret,
	     size_t size)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok = hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; ok && i < tables->count; i++)
		ok = feed_rule(hash, &tables->rules[i]);
	for (size_t i = 0; ok && i < tables->code_count; i++)
		ok = feed_code(hash, tables->codes[i]);
	ok = ok && feed_list(hash, custom) && feed_list(hash, waivers) &&
	     EVP_DigestFinal_ex(hash, bytes, &len) == 1 && size >= 8 + 2 * (size_t)len;
	EVP_MD_CTX_free(hash);
	if (!ok)
		return -ENOMEM;
	snprintf(ret, size, "sha256:");
	for (unsigned i = 0; i < len; i++)
		snprintf(ret + 7 + 2 * i, size - 7 - 2 * i, "%02x", bytes[i]);
	return 0;
}
