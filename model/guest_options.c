/* The options in front of a key in authorized_keys, as sshd reads them (auth-options.c). */
#include "model/guest.h"
#include "model/prefix.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Options without a value; sshd takes all but the last two also with "no-" in front. */
static const char *const flags[] = {
	"port-forwarding", "agent-forwarding", "x11-forwarding", "pty",           "user-rc",
	"touch-required",  "verify-required",  "restrict",       "cert-authority"
};

static const char *const valued[] = { "command",    "environment",  "expiry-time", "from",
				      "permitopen", "permitlisten", "principals",  "tunnel" };

static bool
is_flag(const char *name)
{
	size_t skip = strncasecmp(name, "no-", 3) == 0 ? 3 : 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (strcasecmp(name + skip, flags[i]) == 0)
			return true;
	return false;
}

static bool
is_valued(const char *name)
{
	for (size_t i = 0; i < sizeof(valued) / sizeof(*valued); i++)
		if (strcasecmp(name, valued[i]) == 0)
			return true;
	return false;
}

/* "20260131", "202601311200", "20260131120059", with "Z" for UTC, else in the VM's time zone, which
 * is taken for UTC. -1 when it is none. */
static json_int_t
time_of(const char *text)
{
	struct tm tm = { 0 };
	size_t digits = strspn(text, "0123456789");

	if (digits != 8 && digits != 12 && digits != 14)
		return -1;
	if (sscanf(text, "%4d%2d%2d%2d%2d%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec) < 3)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return (json_int_t)timegm(&tm);
}

/* One pattern of a list: an address, a prefix, or a wildcard over the text of the address. Names
 * need DNS, which sshd does not ask by default. */
static bool
pattern_has(const char *pattern, const char *address)
{
	struct ip_range range;
	struct ip ip;

	if (ip_parse(address, &ip) == 0 && prefix_parse(pattern, &range) == 0)
		return range_has(&range, ip);
	return fnmatch(pattern, address, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

static bool
is_name(const char *pattern)
{
	return pattern[strspn(pattern, "0123456789abcdefABCDEF.:/*?")] != '\0';
}

enum fact_maybe
guest_address_listed(const char *patterns, const char *address)
{
	bool found = false, names = false;

	if (address == NULL)
		return FACT_MAYBE;
	for (const char *p = patterns; *p != '\0'; p += *p == ',') {
		size_t len = strcspn(p, ",");
		bool negated = *p == '!';
		char *one = strndup(p + negated, len - negated), *plain = one + strspn(one, " ");
		bool has = pattern_has(plain, address);

		names |= is_name(plain);
		free(one);
		if (has && negated)
			return FACT_NO;
		found |= has;
		p += len;
	}
	if (found)
		return FACT_YES;
	return names ? FACT_MAYBE : FACT_NO;
}

/* One option with its value (NULL: none). */
static enum guest_option
judge_one(const char *name, const char *value, const char *source, json_int_t clock)
{
	if (value == NULL ? !is_flag(name) : !is_valued(name))
		return GUEST_OPTION_UNKNOWN;
	if (strcasecmp(name, "cert-authority") == 0)
		return GUEST_OPTION_CA;
	if (value == NULL)
		return GUEST_OPTION_FINE;
	if (strcasecmp(name, "from") == 0 && guest_address_listed(value, source) == FACT_NO)
		return GUEST_OPTION_FROM;
	if (strcasecmp(name, "expiry-time") == 0 && clock > 0 && time_of(value) >= 0 &&
	    time_of(value) < clock)
		return GUEST_OPTION_EXPIRED;
	return GUEST_OPTION_FINE;
}

static void
copy(char *ret, size_t size, const char *from, size_t len)
{
	len = len < size ? len : size - 1;
	memcpy(ret, from, len);
	ret[len] = '\0';
}

/* The value after the equals sign, in double quotes, within which \" is one; returns what follows,
 * NULL when the quotes do not end. */
static const char *
read_value(const char *p, char *ret, size_t size)
{
	size_t len = 0;

	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if (*p == '\0')
			return NULL;
		if (p[0] == '\\' && p[1] == '"')
			p++;
		if (len + 1 < size)
			ret[len++] = *p;
	}
	ret[len] = '\0';
	return p + 1;
}

/* The last word of the text in front of the key: its type. */
static const char *
last_word(const char *text, size_t *len)
{
	const char *end = text + strlen(text), *begin;

	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	for (begin = end; begin > text && !isspace((unsigned char)begin[-1]);)
		begin--;
	*len = (size_t)(end - begin);
	return begin;
}

void
guest_options_judge(const char *before, const char *type, const char *source, json_int_t clock,
		    struct guest_options *ret)
{
	size_t len;
	const char *p = before != NULL ? before : "", *last = last_word(p, &len);

	*ret = (struct guest_options){ .what = GUEST_OPTION_FINE };
	if (type != NULL && (strlen(type) != len || strncmp(type, last, len) != 0)) {
		ret->what = GUEST_OPTION_TYPE;
		copy(ret->name, sizeof(ret->name), last, len);
		return;
	}
	for (p += strspn(p, " \t"); p < last; p += strspn(p, ", \t")) {
		size_t name = strcspn(p, "=, \t");
		const char *after = p + name;
		bool has_value = *after == '=';
		enum guest_option what;

		copy(ret->name, sizeof(ret->name), p, name);
		ret->value[0] = '\0';
		if (has_value)
			after = read_value(after + 1, ret->value, sizeof(ret->value));
		what = GUEST_OPTION_UNKNOWN;
		if (after != NULL)
			what = judge_one(ret->name, has_value ? ret->value : NULL, source, clock);
		ret->forced |= strcasecmp(ret->name, "command") == 0;
		ret->what = what;
		if (what != GUEST_OPTION_FINE)
			return;
		p = after;
	}
	ret->name[0] = ret->value[0] = '\0';
}

json_int_t
guest_options_expiry(const char *before)
{
	struct guest_options options;

	guest_options_judge(before, NULL, NULL, INT64_MAX, &options);
	return options.what == GUEST_OPTION_EXPIRED ? time_of(options.value) : 0;
}
