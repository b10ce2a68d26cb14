#include "ssh/key/key.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define BLOCKS_MAX 32

struct block {
	struct key_mark begin, end;
	bool ended;
	size_t body_end;
};

enum label_kind { LABEL_PRIVATE, LABEL_PUBLIC, LABEL_PARAMETERS, LABEL_CERT, LABEL_OTHER };

static enum label_kind
label_kind(const char *label)
{
	if (strstr(label, "PRIVATE") != NULL)
		return LABEL_PRIVATE;
	if (strstr(label, "PARAMETERS") != NULL)
		return LABEL_PARAMETERS;
	if (strstr(label, "CERTIFICATE") != NULL)
		return LABEL_CERT;
	return strstr(label, "PUBLIC") != NULL ? LABEL_PUBLIC : LABEL_OTHER;
}

static size_t
blocks_find(const struct buffer *text, struct block blocks[BLOCKS_MAX])
{
	size_t count = 0, from = 0;

	while (count < BLOCKS_MAX && key_mark_find(text, from, "BEGIN", &blocks[count].begin)) {
		struct block *block = &blocks[count++];
		struct key_mark next;

		from = block->begin.end;
		block->body_end = key_mark_find(text, from, "BEGIN", &next) ? next.at : text->len;
		block->ended = key_mark_find(text, from, "END", &block->end) &&
			       block->end.at < block->body_end;
		if (block->ended) {
			block->body_end = block->end.at;
			from = block->end.end;
		}
	}
	return count;
}

/* What is left of an END line that was cut does not belong to the body. */
static bool
trim_partial_end(const struct buffer *text, struct block *block)
{
	bool start = true, dashes = false;

	for (size_t i = block->begin.end; i < block->body_end; i++) {
		if (start && text->at[i] == '-') {
			block->body_end = i;
			return true;
		}
		if (text->at[i] == '-' && dashes) {
			block->body_end = i - 1;
			return true;
		}
		dashes = text->at[i] == '-';
		start =
		    text->at[i] == '\n' || (start && (text->at[i] == ' ' || text->at[i] == '\t'));
	}
	return false;
}

static void
mark_flags(const struct buffer *text, const struct key_mark *mark, bool is_end,
	   struct key_info *info)
{
	unsigned want = strstr(mark->label, "SSH2") != NULL ? 4 : 5;

	if (mark->lower)
		key_flag(info, KEY_BIT(LOWERCASE_LABEL));
	if (mark->odd)
		key_flag(info, KEY_BIT(EM_DASHES));
	else if (mark->before == 4 && mark->after == 4 && want == 5)
		key_flag(info, KEY_BIT(FOUR_DASHES));
	else if (is_end && mark->after < want && mark->end == text->len)
		key_flag(info, KEY_BIT(TRUNCATED));
	else if (mark->before != want || mark->after != want)
		key_flag(info, KEY_BIT(DAMAGED));
}

/* A BEGIN or END line that shares its line with the body. */
static bool
is_glued(const struct buffer *text, const struct block *block)
{
	size_t after = block->begin.end, before = block->ended ? block->end.at : 0;

	while (after < block->body_end && (text->at[after] == ' ' || text->at[after] == '\t'))
		after++;
	while (before > after && (text->at[before - 1] == ' ' || text->at[before - 1] == '\t'))
		before--;
	return (after < block->body_end && text->at[after] != '\n') ||
	       (before > after && text->at[before - 1] != '\n');
}

/* Blanks in front of the END line, where the BEGIN line has none. */
static bool
end_is_indented(const struct buffer *text, const struct block *block)
{
	size_t at = block->end.at;

	return block->ended && at > 0 && (text->at[at - 1] == ' ' || text->at[at - 1] == '\t');
}

static int
block_read(const struct buffer *text, struct block *block, struct key_info *info)
{
	struct key_body body;
	bool partial =
		 !block->ended && block->body_end == text->len && trim_partial_end(text, block),
	     joined;
	size_t from = block->begin.end, to = block->body_end;
	int r = 0;

	if (!block->ended)
		while (to > from && (isspace(text->at[to - 1]) || text->at[to - 1] == '"' ||
				     text->at[to - 1] == '\''))
			to--;
	joined =
	    memchr(text->at + from, '\n', to - from) == NULL && (block->ended || to - from > 80);
	mark_flags(text, &block->begin, false, info);
	if (block->ended)
		mark_flags(text, &block->end, true, info);
	key_body_read(text, from, to, joined, block->ended, &body);
	if (body.bytes.len == 0) {
		key_kind(info, KEY_OTHER, "unknown");
		info->defects = KEY_BIT(BEGIN_ONLY);
	} else {
		key_flag(info, body.defects |
				   (!joined && is_glued(text, block) ? KEY_BIT(NEWLINES_LOST) : 0));
		if (!joined && end_is_indented(text, block))
			key_flag(info, KEY_BIT(INDENTED));
		if (!block->ended && body.complete)
			key_flag(info, partial ? KEY_BIT(TRUNCATED) : KEY_BIT(NO_FOOTER));
		r = key_content(&body, block->begin.label, info);
		if (block->ended && strcmp(block->begin.label, block->end.label) != 0)
			key_flag(info, KEY_BIT(WRONG_LABEL));
	}
	buffer_free(&body.bytes);
	return r;
}

/* The block that matters: the first private key (one that ends, if there is one), else the first
 * public key, else the first. */
static size_t
block_choose(const struct block *blocks, size_t count)
{
	bool has_whole = false;

	for (size_t i = 0; i < count; i++)
		has_whole = has_whole ||
			    (label_kind(blocks[i].begin.label) == LABEL_PRIVATE && blocks[i].ended);
	for (size_t i = 0; i < count; i++)
		if (label_kind(blocks[i].begin.label) == LABEL_PRIVATE &&
		    (blocks[i].ended || !has_whole))
			return i;
	for (size_t i = 0; i < count; i++)
		if (label_kind(blocks[i].begin.label) == LABEL_PUBLIC)
			return i;
	return 0;
}

static void
bundle_flags(const struct block *blocks, size_t count, size_t chosen, struct key_info *info)
{
	if (label_kind(blocks[chosen].begin.label) != LABEL_PRIVATE)
		return;
	for (size_t i = 0; i < count; i++) {
		enum label_kind kind = label_kind(blocks[i].begin.label);

		if (kind == LABEL_PRIVATE && i != chosen)
			key_flag(info, KEY_BIT(TWO_KEYS) | (i < chosen ? KEY_BIT(DAMAGED) : 0));
		if (kind == LABEL_PARAMETERS && i < chosen)
			key_flag(info, KEY_BIT(EC_PARAMETERS));
		if (kind != LABEL_CERT)
			continue;
		key_flag(info, i < chosen ? KEY_BIT(CERT_FIRST) : KEY_BIT(CERT_AFTER));
		key_kind(info, info->kind, "pem-bundle");
	}
}

static int
blocks_read(const struct buffer *text, struct block *blocks, size_t count, struct key_info *info)
{
	size_t chosen = block_choose(blocks, count);
	struct block *block = &blocks[chosen], *last = &blocks[count - 1];
	int r;

	key_lead(text, blocks[0].begin.at, info);
	if (strcmp(block->begin.label, "SSH2 PUBLIC KEY") == 0)
		r = key_rfc4716(text, block->begin.at, info);
	else
		r = block_read(text, block, info);
	if (r < 0 || (info->defects & KEY_BIT(BEGIN_ONLY)) != 0)
		return r;
	bundle_flags(blocks, count, chosen, info);
	if (last->ended)
		key_trail(text, last->end.end, info);
	return 0;
}

size_t
key_prefix(const struct buffer *text, size_t at, size_t *start)
{
	size_t from = at, len, next;

	while (from > 0 && text->at[from - 1] != '\n')
		from--;
	len = at - from;
	while (len > 0 && isspace(text->at[from + len - 1]))
		len--;
	next = key_find(text, at, "\n");
	while (next != SIZE_MAX && next + 1 < text->len && text->at[next + 1] == '\n')
		next++;
	if (len == 0 || next == SIZE_MAX || text->len - next - 1 < len ||
	    memcmp(text->at + from, text->at + next + 1, len) != 0)
		return 0;
	*start = from;
	return len;
}

uint64_t
key_prefix_defect(const unsigned char *prefix, size_t len)
{
	size_t i = 0;

	while (i < len && (prefix[i] == ' ' || prefix[i] == '\t'))
		i++;
	return (i > 0 ? KEY_BIT(INDENTED) : 0) |
	       (i < len && (prefix[i] == '>' || prefix[i] == '|') ? KEY_BIT(QUOTED_MAIL)
								  : KEY_BIT(DAMAGED));
}

static bool
has_escapes(const struct buffer *text, size_t from)
{
	static const char *const escapes[] = { "\\n", "\\r", "\\u002", "\\u003" };

	for (size_t i = 0;
	     i < sizeof(escapes) / sizeof(escapes[0]) && memchr(text->at, '\\', text->len) != NULL;
	     i++)
		if (key_find(text, from, escapes[i]) != SIZE_MAX)
			return true;
	return false;
}

static int
pem_plain(const struct buffer *text, struct key_info *info)
{
	struct block blocks[BLOCKS_MAX] = { 0 };
	struct buffer stripped = { 0 };
	struct key_mark mark;
	size_t start, len;
	int r;

	if (!key_mark_find(text, 0, "BEGIN", &mark))
		return -ENOENT;
	if ((len = key_prefix(text, mark.at, &start)) == 0)
		return blocks_read(text, blocks, blocks_find(text, blocks), info);
	key_flag(info, key_prefix_defect(text->at + start, len));
	key_unprefix(text, (const char *)text->at + start, len, &stripped);
	len = blocks_find(&stripped, blocks);
	r = len == 0 ? -ENOENT : blocks_read(&stripped, blocks, len, info);
	buffer_free(&stripped);
	return r;
}

/* A public key's comment may hold anything, also a BEGIN line. */
static bool
in_comment(const struct buffer *text, const struct key_mark *mark)
{
	struct pubkey pub;
	size_t from = mark->at;
	int r;

	while (from > 0 && text->at[from - 1] != '\n')
		from--;
	if (mark->at - from < 40)
		return false;
	r = pubkey_from_line((const char *)text->at + from, mark->at - from, &pub, NULL);
	pubkey_free(&pub);
	return r == 0;
}

int
key_pem(const struct buffer *text, struct key_info *info)
{
	struct buffer visible = { 0 }, plain = { 0 };
	struct key_mark mark;
	uint64_t defects = 0;
	int r;

	key_strip_invisible(text, &visible, &defects);
	if (!key_mark_find(&visible, 0, "BEGIN", &mark) || in_comment(&visible, &mark)) {
		buffer_free(&visible);
		return -ENOENT;
	}
	if (strcmp(mark.label, "SSH2 PUBLIC KEY") == 0) { /* its comment may hold anything */
		buffer_free(&visible);
		return pem_plain(text, info);
	}
	key_flag(info, defects);
	if (has_escapes(&visible, 0)) {
		key_flag(info, KEY_BIT(NEWLINE_ESCAPED));
		key_unescape(&visible, &plain);
	}
	r = pem_plain(plain.at != NULL ? &plain : &visible, info);
	buffer_free(&visible);
	buffer_free(&plain);
	return r;
}
