#include "cli/option.h"
#include "facts/near.h"
#include "model/prefix.h"
#include "ssh/ssh.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
words_append(struct words *words, const char *word)
{
	const char **grown = reallocarray(words->at, words->count + 2, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	words->at = grown;
	grown[words->count++] = word;
	grown[words->count] = NULL;
	return 0;
}

char *
options_keep(struct options *options, const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (copy != NULL && words_append(&options->store, copy) < 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

/* "90", "90s", "2m", "1500ms", "1h": to milliseconds. */
int
options_duration(const char *value, int *ret)
{
	static const struct {
		const char *unit;
		long ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 }, { "h", 3600000 } };
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (!isdigit((unsigned char)*value) || errno != 0 || number <= 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(end, units[i].unit) == 0 && number <= 24L * 3600000 / units[i].ms) {
			*ret = (int)(number * units[i].ms);
			return 0;
		}
	return -EINVAL;
}

static int
parse_port(const char *value, int *ret)
{
	char *end;
	long number = strtol(value, &end, 10);

	if (!isdigit((unsigned char)*value) || *end != '\0' || number < 1 || number > 65535)
		return -EINVAL;
	*ret = (int)number;
	return 0;
}

bool
option_shard(const char *value, size_t *k, size_t *n)
{
	char *end;

	if (!isdigit((unsigned char)*value))
		return false;
	*k = strtoul(value, &end, 10);
	if (*end != '/' || !isdigit((unsigned char)end[1]))
		return false;
	*n = strtoul(end + 1, &end, 10);
	return *end == '\0' && *k >= 1 && *k <= *n && *n <= 65535;
}

bool
option_is_user(const char *value)
{
	return ssh_user_valid(value);
}

static bool
is_url(const char *value)
{
	return strncmp(value, "https://", 8) == 0 || strncmp(value, "http://127.0.0.1:", 17) == 0 ||
	       strncmp(value, "http://localhost:", 17) == 0;
}

static bool
is_choice(const char *value, const char *words)
{
	size_t len = strlen(value);

	for (; *words != '\0'; words += strcspn(words, "|"), words += *words == '|')
		if (strcspn(words, "|") == len && strncmp(words, value, len) == 0)
			return true;
	return false;
}

/* "'WORD' is not accepted, it takes a, b or c; did you mean b?" */
static int
refuse_word(const struct option_row *row, const char *word, const char *words, const char *more,
	    struct err *err)
{
	struct near near = { .typed = word };
	char accepted[256] = "";
	size_t used = 0;

	near_try_list(&near, words, '|');
	for (const char *p = words; *p != '\0' && used < sizeof(accepted);) {
		size_t len = strcspn(p, "|");
		const char *after = "";

		if (p[len] != '\0')
			after = strchr(p + len + 1, '|') != NULL ? ", " : " or ";
		used += (size_t)snprintf(accepted + used, sizeof(accepted) - used, "%.*s%s",
					 (int)len, p, after);
		p += len + (p[len] == '|');
	}
	if (near.best != NULL)
		err_set(err, "--%s: '%s' is not accepted, it takes %s%s; did you mean %.*s?",
			row->name, word, accepted, more, (int)near.len, near.best);
	else
		err_set(err, "--%s: '%s' is not accepted, it takes %s%s", row->name, word, accepted,
			more);
	return -EINVAL;
}

static int
store_commas(struct options *options, const struct option_row *row, struct words *words,
	     const char *value, struct err *err)
{
	for (size_t len; *value != '\0'; value += len + (value[len] == ',')) {
		char *word = options_keep(options, value, len = strcspn(value, ","));

		if (word == NULL)
			return -ENOMEM;
		if (len > 0 && row->kind == OPT_CHOICES && !is_choice(word, row->words))
			return refuse_word(row, word, row->words, ", with commas between", err);
		if (len > 0 && words_append(words, word) < 0)
			return -ENOMEM;
	}
	return words->count > 0 ? 0 : -EINVAL;
}

static int
add_output(struct options *options, const struct format *format, const char *file)
{
	struct output *grown =
	    reallocarray(options->outputs, options->output_count + 1, sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	options->outputs = grown;
	grown[options->output_count++] = (struct output){ format, file };
	return 0;
}

/* FORMAT[=FILE], resolved here once. */
static int
store_format(struct options *options, const struct option_row *row, const char *value,
	     struct err *err)
{
	size_t len = strcspn(value, "=");
	const struct format *format = format_named(value, len);
	const char *file = value[len] == '=' ? value + len + 1 : NULL;
	char names[256], *name;

	if (format == NULL) {
		format_names(names, sizeof(names), '|');
		if ((name = options_keep(options, value, len)) == NULL)
			return -ENOMEM;
		return refuse_word(row, name, names, ", each also with =FILE", err);
	}
	if (file != NULL && *file == '\0') {
		err_set(err, "--%s: '%s' lacks the name of the file", row->name, value);
		return -EINVAL;
	}
	for (size_t i = 0; file == NULL && i < options->output_count; i++)
		if (options->outputs[i].file == NULL) {
			err_set(err,
				"--%s: '%s' and '%s' would both go to standard output; give one of "
				"them a file: %s=FILE",
				row->name, options->outputs[i].format->name, format->name,
				format->name);
			return -EINVAL;
		}
	return add_output(options, format, file);
}

static bool
is_host(const char *value)
{
	return *value != '-' && strpbrk(value, " \t\r\n") == NULL;
}

static bool
is_endpoint(const char *value)
{
	return strrchr(value, ':') != NULL && is_host(value) && strchr(value, '/') == NULL;
}

/* "2/5": the second of five. */
static bool
is_shard(const char *value)
{
	size_t k, n;

	return option_shard(value, &k, &n);
}

/* What each kind of value accepts; NULL where that is read by a function of its own. */
static const struct {
	bool (*accepts)(const char *value);
	const char *accepted;
} kinds[] = {
	[OPT_HOST] = { is_host, "a host name or an address" },
	[OPT_USER] = { option_is_user,
		       "a user name without blanks, quotes and any of ; & < > | ( ) { }" },
	[OPT_URL] = { is_url, "an https URL (plain http only to this computer)" },
	[OPT_ENDPOINT] = { is_endpoint, "HOST:PORT" },
	[OPT_ADDRESS] = { ip_is_text, "an IPv4 or IPv6 address" },
	[OPT_PORT] = { NULL, "a port from 1 to 65535" },
	[OPT_NUMBER] = { NULL, "a number from 1 to 65535" },
	[OPT_SHARD] = { is_shard, "K/N: the K-th of N parts" },
	[OPT_DURATION] = { NULL, "a duration such as 30s, 1500ms or 2m, at most 24h" },
	[OPT_COMMAS] = { NULL, "a list of words with commas between" },
	[OPT_FORMAT] = { NULL, NULL },
};

static int
store_text(const struct option_row *row, const char **at, const char *value)
{
	if (kinds[row->kind].accepts != NULL && !kinds[row->kind].accepts(value))
		return -EINVAL;
	*at = value;
	return 0;
}

int
option_store(struct options *options, const struct option_row *row, const char *value,
	     struct err *err)
{
	void *at = (char *)options + row->at;
	int r;

	if (value != NULL && *value == '\0') {
		err_set(err, "--%s: an empty value is not accepted, it takes %s", row->name,
			row->arg);
		return -EINVAL;
	}
	switch (row->kind) {
	case OPT_FLAG:
		*(bool *)at = true;
		return 0;
	case OPT_LIST:
		return words_append(at, value);
	case OPT_FORMAT:
		return store_format(options, row, value != NULL ? value : row->words, err);
	case OPT_CHOICE:
		if (!is_choice(value, row->words))
			return refuse_word(row, value, row->words, "", err);
		*(const char **)at = value;
		return 0;
	case OPT_CHOICES:
	case OPT_COMMAS:
		r = store_commas(options, row, at, value, err);
		break;
	case OPT_PORT:
	case OPT_NUMBER:
		r = parse_port(value, at);
		break;
	case OPT_DURATION:
		r = options_duration(value, at);
		break;
	default:
		r = store_text(row, at, value);
		break;
	}
	if (r == -EINVAL && err->text[0] == '\0')
		err_set(err, "--%s: '%s' is not accepted, it takes %s", row->name, value,
			kinds[row->kind].accepted);
	return r;
}
