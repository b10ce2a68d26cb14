/* IP addresses, prefixes and sets of ranges, IPv4 and IPv6 in one number space: an IPv4 address
 * stands as ::ffff:a.b.c.d, so that "0.0.0.0/0" is a range inside it and "*" is the whole space. */
#ifndef MODEL_PREFIX_H
#define MODEL_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_TEXT_MAX 64

struct ip {
	uint64_t hi, lo;
};

struct ip_range {
	struct ip from, to; /* both inside */
};

/* Sorted and without overlaps; owned. */
struct ip_set {
	struct ip_range *list;
	size_t count, room;
};

/* "10.0.0.4", "fd00::4". No leading zeros, no zone, no blanks. Returns 0 or -EINVAL. */
int ip_parse(const char *text, struct ip *ret);

/* "10.0.0.4", "10.0.0.5/24" (host bits are masked, as ARM stores them unnormalised), "::/0".
 * Returns 0 or -EINVAL. */
int prefix_parse(const char *text, struct ip_range *ret);

/* As prefix_parse, also taking "172.20.2.16/28" for the address before the slash: how ARM writes
 * the private address of a prefix configuration. */
int ip_parse_loose(const char *text, struct ip *ret);

int ip_cmp(struct ip a, struct ip b);
bool ip_is_v4(struct ip ip);

/* IP_PRIVATE: RFC 1918, shared address space (100.64.0.0/10), unique local IPv6. IP_SPECIAL:
 * link-local, multicast, reserved, Azure's platform (168.63.129.16). Documentation ranges count as
 * public: examples and tests use them as such. */
enum ip_kind { IP_PUBLIC, IP_PRIVATE, IP_LOOPBACK, IP_SPECIAL };

enum ip_kind ip_kind(struct ip ip);
bool ip_is_public(struct ip ip);

/* The prefixes that are not public, one after the other; false behind the last. */
bool ip_special(size_t index, struct ip_range *ret);

/* true for the text of an address: of any kind, of this kind. */
bool ip_is_text(const char *text);
bool ip_text_is(const char *text, enum ip_kind kind);

/* The address as text; ret is always terminated. */
void ip_format(struct ip ip, char *ret, size_t size);

/* "10.0.0.0/8" when the range is one prefix, "a-b" otherwise, "*" for everything. */
void range_format(const struct ip_range *range, char *ret, size_t size);

bool range_has(const struct ip_range *range, struct ip ip);
bool range_meets(const struct ip_range *a, const struct ip_range *b);
bool range_covers(const struct ip_range *outer, const struct ip_range *inner);

extern const struct ip_range range_everything, range_v4, range_v6;

/* ip_set_free takes an empty set. */
void ip_set_add(struct ip_set *set, const struct ip_range *range);
void ip_set_cut(struct ip_set *set, const struct ip_range *range); /* takes the range out */
struct ip_set ip_set_copy(const struct ip_set *set);
void ip_set_free(struct ip_set *set);

/* Every public address of one family. */
void ip_set_public(struct ip_set *set, bool v6);

/* Every private address of one family. */
void ip_set_private(struct ip_set *set, bool v6);

#endif
