#include "model/redact/inner.h"

#include <stdlib.h>

enum { BITS = 128, V4_KEPT = 96 + 8, V6_KEPT = 8 };

static unsigned
bit_of(struct ip ip, int at)
{
	return (unsigned)(at < 64 ? ip.hi >> (63 - at) : ip.lo >> (127 - at)) & 1;
}

static void
set_bit(struct ip *ip, int at)
{
	if (at < 64)
		ip->hi |= 1ULL << (63 - at);
	else
		ip->lo |= 1ULL << (127 - at);
}

static unsigned
new_node(struct address_tree *tree)
{
	if (tree->count == tree->room) {
		tree->room = tree->room * 2 + 256;
		tree->nodes = reallocarray(tree->nodes, tree->room, sizeof(*tree->nodes));
	}
	tree->nodes[tree->count] = (struct tree_node){ { 0, 0 } };
	return (unsigned)tree->count++;
}

static void
add_path(struct address_tree *tree, struct ip ip, int length)
{
	unsigned at = 0;

	for (int i = 0; i < length; i++) {
		unsigned bit = bit_of(ip, i), next = tree->nodes[at].child[bit];

		if (next == 0) {
			next = new_node(tree);
			tree->nodes[at].child[bit] = next;
		}
		at = next;
	}
}

void
address_tree_begin(struct address_tree *tree)
{
	struct ip_range range;

	new_node(tree);
	for (size_t i = 0; ip_special(i, &range); i++) {
		int length = BITS;

		while (length > 0 && bit_of(range.from, length - 1) == 0 &&
		       bit_of(range.to, length - 1) == 1)
			length--;
		add_path(tree, range.from, length);
	}
}

void
address_tree_free(struct address_tree *tree)
{
	free(tree->nodes);
	*tree = (struct address_tree){ 0 };
}

void
address_tree_learn(struct address_tree *tree, struct ip ip, int length)
{
	if (ip_is_public(ip))
		add_path(tree, ip, length);
}

/* A bit stays where the tree forks, so that two that differ there still do, and in the same order:
 * the private and special ranges are in the tree, so nothing moves into one. Everywhere else a bit
 * says nothing that the reader has to know, and is always the same. */
struct ip
address_tree_map(const struct address_tree *tree, struct ip ip, int length)
{
	const uint64_t any = 0x9e3779b97f4a7c15ULL;
	const int kept = ip_is_v4(ip) ? V4_KEPT : V6_KEPT;
	struct ip mapped = { 0, 0 };
	unsigned at = 0;
	bool lost = false;

	if (!ip_is_public(ip))
		return ip;
	for (int i = 0; i < length; i++) {
		const struct tree_node *node = &tree->nodes[at];
		unsigned bit = bit_of(ip, i);
		bool fork = !lost && node->child[0] != 0 && node->child[1] != 0;

		if (i < kept || fork ? bit == 1 : any >> (i & 63) & 1)
			set_bit(&mapped, i);
		lost = lost || node->child[bit] == 0;
		at = lost ? 0 : node->child[bit];
	}
	return mapped;
}
