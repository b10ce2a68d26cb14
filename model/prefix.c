#include "model/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V4_BASE 0xffff00000000ULL

const struct ip_range range_everything = { { 0, 0 }, { UINT64_MAX, UINT64_MAX } };
const struct ip_range range_v4 = { { 0, V4_BASE }, { 0, V4_BASE | 0xffffffffULL } };
const struct ip_range range_v6 = { { 0, V4_BASE + 0x100000000ULL }, { UINT64_MAX, UINT64_MAX } };

int
ip_cmp(struct ip a, struct ip b)
{
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return (a.lo > b.lo) - (a.lo < b.lo);
}

bool
ip_is_v4(struct ip ip)
{
	return ip.hi == 0 && ip.lo >> 32 == 0xffff;
}

static struct ip
ip_next(struct ip ip)
{
	if (++ip.lo == 0)
		ip.hi++;
	return ip;
}

static struct ip
ip_before(struct ip ip)
{
	if (ip.lo-- == 0)
		ip.hi--;
	return ip;
}

static uint64_t
load64(const unsigned char *bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

int
ip_parse(const char *text, struct ip *ret)
{
	unsigned char bytes[16];

	if (text == NULL)
		return -EINVAL;
	if (inet_pton(AF_INET, text, bytes) == 1) {
		*ret =
		    (struct ip){ 0, V4_BASE | (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 |
					(uint64_t)bytes[2] << 8 | bytes[3] };
		return 0;
	}
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return -EINVAL;
	*ret = (struct ip){ load64(bytes), load64(bytes + 8) };
	return 0;
}

/* "24" up to max, without sign, blank or leading zero; -1 when it is none. */
static int
parse_length(const char *text, int max)
{
	int value = 0;

	if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || (value = value * 10 + (*text - '0')) > max)
			return -1;
	}
	return value;
}

/* The range of `length` fixed leading bits of the 128. */
static struct ip_range
masked(struct ip ip, int length)
{
	uint64_t hi = 0, lo = length <= 64 ? 0 : UINT64_MAX << (128 - length);

	if (length > 0) /* a shift by all 64 bits is undefined */
		hi = length >= 64 ? UINT64_MAX : UINT64_MAX << (64 - length);
	return (struct ip_range){ { ip.hi & hi, ip.lo & lo }, { ip.hi | ~hi, ip.lo | ~lo } };
}

int
prefix_parse(const char *text, struct ip_range *ret)
{
	char address[IP_TEXT_MAX];
	const char *slash = text != NULL ? strchr(text, '/') : NULL;
	struct ip ip;
	int length;
	bool v4;

	if (text == NULL)
		return -EINVAL;
	if (slash == NULL) {
		if (ip_parse(text, &ip) < 0)
			return -EINVAL;
		*ret = (struct ip_range){ ip, ip };
		return 0;
	}
	if ((size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (ip_parse(address, &ip) < 0)
		return -EINVAL;
	v4 = strchr(address, ':') == NULL;
	if ((length = parse_length(slash + 1, v4 ? 32 : 128)) < 0)
		return -EINVAL;
	*ret = masked(ip, v4 ? length + 96 : length);
	if (!v4 && range_covers(ret, &range_v4))
		ret->from = range_v6.from; /* "::/0" does not speak of IPv4 */
	return 0;
}

int
ip_parse_loose(const char *text, struct ip *ret)
{
	char address[IP_TEXT_MAX];
	size_t len = text != NULL ? strcspn(text, "/") : 0;

	if (len == 0 || len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	return ip_parse(address, ret);
}

/* IANA's special-purpose registries (RFC 6890), less the documentation ranges. What is in none of
 * them is public when it is IPv4 or of 2000::/3. */
static const struct {
	const char *prefix;
	enum ip_kind kind;
} special[] = {
	{ "0.0.0.0/8", IP_SPECIAL },     { "10.0.0.0/8", IP_PRIVATE },
	{ "100.64.0.0/10", IP_PRIVATE }, { "127.0.0.0/8", IP_LOOPBACK },
	{ "168.63.129.16", IP_SPECIAL }, { "169.254.0.0/16", IP_SPECIAL },
	{ "172.16.0.0/12", IP_PRIVATE }, { "192.168.0.0/16", IP_PRIVATE },
	{ "198.18.0.0/15", IP_SPECIAL }, { "224.0.0.0/3", IP_SPECIAL },
	{ "::1", IP_LOOPBACK },          { "fc00::/7", IP_PRIVATE },
};

enum { SPECIALS = sizeof(special) / sizeof(*special) };

bool
ip_special(size_t index, struct ip_range *ret)
{
	return index < SPECIALS && prefix_parse(special[index].prefix, ret) == 0;
}

enum ip_kind
ip_kind(struct ip ip)
{
	struct ip_range range;

	for (size_t i = 0; i < SPECIALS; i++)
		if (prefix_parse(special[i].prefix, &range) == 0 && range_has(&range, ip))
			return special[i].kind;
	return ip_is_v4(ip) || ip.hi >> 61 == 1 ? IP_PUBLIC : IP_SPECIAL;
}

bool
ip_is_public(struct ip ip)
{
	return ip_kind(ip) == IP_PUBLIC;
}

bool
ip_is_text(const char *text)
{
	struct ip ip;

	return ip_parse(text, &ip) == 0;
}

bool
ip_text_is(const char *text, enum ip_kind kind)
{
	struct ip ip;

	return ip_parse(text, &ip) == 0 && ip_kind(ip) == kind;
}

void
ip_format(struct ip ip, char *ret, size_t size)
{
	unsigned char bytes[16];

	if (size == 0)
		return;
	ret[0] = '\0';
	for (size_t i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)(ip.hi >> (56 - 8 * i));
		bytes[8 + i] = (unsigned char)(ip.lo >> (56 - 8 * i));
	}
	if (ip_is_v4(ip))
		inet_ntop(AF_INET, bytes + 12, ret, (socklen_t)size);
	else
		inet_ntop(AF_INET6, bytes, ret, (socklen_t)size);
}

void
range_format(const struct ip_range *range, char *ret, size_t size)
{
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	int first = ip_is_v4(range->from) && ip_is_v4(range->to) ? 96 : 0;

	if (range_covers(range, &range_everything)) {
		snprintf(ret, size, "*");
		return;
	}
	if (ip_cmp(range->from, range_v6.from) == 0 && ip_cmp(range->to, range_v6.to) == 0) {
		snprintf(ret, size, "::/0");
		return;
	}
	ip_format(range->from, from, sizeof(from));
	ip_format(range->to, to, sizeof(to));
	for (int length = first; length <= 128; length++) {
		struct ip_range prefix = masked(range->from, length);

		if (ip_cmp(prefix.from, range->from) == 0 && ip_cmp(prefix.to, range->to) == 0) {
			if (length == 128)
				snprintf(ret, size, "%s", from);
			else
				snprintf(ret, size, "%s/%d", from, length - first);
			return;
		}
	}
	snprintf(ret, size, "%s-%s", from, to);
}

bool
range_has(const struct ip_range *range, struct ip ip)
{
	return ip_cmp(range->from, ip) <= 0 && ip_cmp(ip, range->to) <= 0;
}

bool
range_meets(const struct ip_range *a, const struct ip_range *b)
{
	return ip_cmp(a->from, b->to) <= 0 && ip_cmp(b->from, a->to) <= 0;
}

bool
range_covers(const struct ip_range *outer, const struct ip_range *inner)
{
	return ip_cmp(outer->from, inner->from) <= 0 && ip_cmp(inner->to, outer->to) <= 0;
}

/* Puts a range at index i. */
static void
set_insert(struct ip_set *set, size_t i, const struct ip_range *range)
{
	if (set->count == set->room) {
		set->room = set->room == 0 ? 16 : set->room * 2;
		set->list = realloc(set->list, set->room * sizeof(*set->list));
	}
	memmove(&set->list[i + 1], &set->list[i], (set->count - i) * sizeof(*set->list));
	set->list[i] = *range;
	set->count++;
}

static void
set_remove(struct ip_set *set, size_t i)
{
	set->count--;
	memmove(&set->list[i], &set->list[i + 1], (set->count - i) * sizeof(*set->list));
}

void
ip_set_cut(struct ip_set *set, const struct ip_range *range)
{
	for (size_t i = 0; i < set->count;) {
		struct ip_range old = set->list[i];
		bool head = ip_cmp(old.from, range->from)<0, tail = ip_cmp(old.to, range->to)> 0;

		if (!range_meets(&old, range)) {
			i++;
			continue;
		}
		set_remove(set, i);
		if (tail)
			set_insert(set, i, &(struct ip_range){ ip_next(range->to), old.to });
		if (head)
			set_insert(set, i, &(struct ip_range){ old.from, ip_before(range->from) });
		i += (size_t)head + (size_t)tail;
	}
}

void
ip_set_add(struct ip_set *set, const struct ip_range *range)
{
	size_t i = 0;

	ip_set_cut(set, range);
	while (i < set->count && ip_cmp(set->list[i].from, range->from) < 0)
		i++;
	set_insert(set, i, range);
}

struct ip_set
ip_set_copy(const struct ip_set *set)
{
	struct ip_set copy = { .count = set->count, .room = set->count };

	if (set->count > 0) {
		copy.list = malloc(set->count * sizeof(*copy.list));
		memcpy(copy.list, set->list, set->count * sizeof(*copy.list));
	}
	return copy;
}

void
ip_set_free(struct ip_set *set)
{
	free(set->list);
	*set = (struct ip_set){ 0 };
}

/* Applies `change` to the IPv4 ranges of the table: of one kind, or all of them. */
static void
set_specials(struct ip_set *set, bool all, enum ip_kind kind,
	     void (*change)(struct ip_set *, const struct ip_range *))
{
	struct ip_range range;

	for (size_t i = 0; i < SPECIALS; i++)
		if ((all || special[i].kind == kind) &&
		    prefix_parse(special[i].prefix, &range) == 0 && ip_is_v4(range.from))
			change(set, &range);
}

static void
set_add_prefix(struct ip_set *set, const char *prefix)
{
	struct ip_range range;

	if (prefix_parse(prefix, &range) == 0)
		ip_set_add(set, &range);
}

void
ip_set_public(struct ip_set *set, bool v6)
{
	if (v6) {
		set_add_prefix(set, "2000::/3");
		return;
	}
	ip_set_add(set, &range_v4);
	set_specials(set, true, IP_PUBLIC, ip_set_cut);
}

void
ip_set_private(struct ip_set *set, bool v6)
{
	if (v6)
		set_add_prefix(set, "fc00::/7");
	else
		set_specials(set, false, IP_PRIVATE, ip_set_add);
}
