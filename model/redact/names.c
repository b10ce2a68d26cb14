#include "model/redact/inner.h"

#include "facts/doc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Names that Azure and its images give, and that say nothing about anybody. */
static const char *const kept[] = {
	"root",         "azureuser", "ubuntu",     "debian",        "admin",
	"ec2-user",     "centos",    "fedora",     "almalinux",     "rocky",
	"core",         "opc",       "cloud-user", "suse",          "nobody",
	"localhost",    "none",      "any",        "GatewaySubnet", "RouteServerSubnet",
	"administrator"
};

/* What begins so is Azure's up to there. */
static const char *const prefixes[] = { "MicrosoftDefenderForCloud-JITRule",
					"SecurityCenter-JITRule", "shutdown-computevm" };

static bool
is_azure_subnet(const char *text, size_t len)
{
	return len > 11 && strncasecmp(text, "Azure", 5) == 0 &&
	       strncasecmp(text + len - 6, "Subnet", 6) == 0;
}

bool
name_is_kept(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (strlen(kept[i]) == len && strncasecmp(text, kept[i], len) == 0)
			return true;
	return strspn(text, "*?!-_.") >= len || (len <= 6 && strspn(text, "0123456789") >= len) ||
	       is_azure_subnet(text, len);
}

static char *
lower(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

const char *
name_known(const struct redact *redact, const char *text, size_t len)
{
	char *key = lower(text, len);
	const char *found = json_string_value(json_object_get(redact->names, key));

	free(key);
	return found;
}

bool
name_is_user(const struct redact *redact, const char *text, size_t len)
{
	char *key = lower(text, len);
	bool user = json_object_get(redact->users, key) != NULL;

	free(key);
	return user;
}

void
name_learn(struct redact *redact, const char *text, size_t len, const char *pseudonym)
{
	char *key = lower(text, len);

	doc_set_str(redact->names, key, pseudonym);
	free(key);
}

void
name_keep(struct redact *redact, struct buffer *out, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (len > 0 && name_known(redact, text, len) == NULL)
		name_learn(redact, text, len, copy);
	buffer_add(out, text, len);
	free(copy);
}

/* A new one; what it stands for goes into the map. */
static const char *
make(struct redact *redact, const char *text, size_t len, const char *sort, const char *format)
{
	char *original = strndup(text, len), *pseudonym, *key;
	json_int_t number = doc_value_int(json_object_get(redact->numbers, sort), 0) + 1;

	doc_set_int(redact->numbers, sort, number);
	if (format != NULL)
		pseudonym = doc_fmt("00000000-0000-4000-8000-%012lld", (long long)number);
	else
		pseudonym = doc_fmt("%s-%lld", sort, (long long)number);
	name_learn(redact, text, len, pseudonym);
	if (strcmp(sort, "user") == 0) {
		key = lower(text, len);
		doc_set_bool(redact->users, key, true);
		free(key);
	}
	doc_set_str(redact->map, pseudonym, original);
	free(pseudonym);
	free(original);
	return name_known(redact, text, len);
}

void
name_put(struct redact *redact, struct buffer *out, const char *text, size_t len, const char *sort)
{
	const char *known;
	size_t at = out->len;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (len > n && strncasecmp(text, prefixes[i], n) == 0 &&
		    strchr("-_", text[n]) != NULL) {
			n += strspn(text + n, "-_");
			n = n < len ? n : len;
			buffer_add(out, text, n);
			text += n;
			len -= n;
		}
	}
	if (len == 0 || name_is_kept(text, len)) {
		buffer_add(out, text, len);
		return;
	}
	if ((known = name_known(redact, text, len)) == NULL)
		known = make(redact, text, len, sort, NULL);
	at = out->len;
	buffer_add(out, known, strlen(known));
	/* accounts differ in the case of their letters */
	for (size_t i = 0; name_is_user(redact, text, len) && i < len; i++)
		if (isupper((unsigned char)text[i]))
			out->at[at] = (unsigned char)toupper(out->at[at]);
}

bool
guid_at(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; form[i] != '\0'; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != '-')
			return false;
	return !isalnum((unsigned char)text[GUID_LEN]);
}

void
guid_put(struct redact *redact, struct buffer *out, const char *text)
{
	const char *known = name_known(redact, text, GUID_LEN);

	if (strncmp(text, "00000000-0000-0000-0000", 23) == 0)
		known = "00000000-0000-0000-0000-000000000000";
	if (known == NULL)
		known = make(redact, text, GUID_LEN, "id", "guid");
	buffer_add(out, known, strlen(known));
}
