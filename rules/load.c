#include "rules/tree.h"
#include "facts/visible.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MAX_DEPTH 24
#define MAX_NODES 50000
#define MAX_WEIGHT 100000
#define MAX_ANCHORS 200

struct anchor {
	char *name;
	struct node *node;
	bool done;
};

struct load {
	const char *text; /* the whole file, to quote a line of it */
	size_t len;
	struct reader reader;
	yaml_parser_t parser;
	struct tree tree;
	struct anchor anchors[MAX_ANCHORS];
	size_t anchor_count, weight;
	bool no_memory;
};

bool
node_fail(const struct reader *reader, const struct node *node, const char *fmt, ...)
{
	char text[sizeof(reader->err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(reader->err, "%s:%u:%u: %s", reader->file, node->line, node->column, text);
	return false;
}

const char *
node_quote(const char *text)
{
	static char buffers[4][96];
	static unsigned turn;
	char *out = buffers[turn++ % 4], *clean = visible_text(text, false);
	size_t len = clean == NULL ? 0 : strlen(clean), keep = len > 60 ? 57 : len;

	while (len > keep && keep > 0 && ((unsigned char)clean[keep] & 0xc0) == 0x80)
		keep--;
	snprintf(out, sizeof(buffers[0]), "%.*s%s", (int)keep, clean == NULL ? "" : clean,
		 len > keep ? "..." : "");
	free(clean);
	return out;
}

const struct node *
node_get(const struct node *node, const char *key)
{
	for (size_t i = 0; node != NULL && node->kind == NODE_MAP && i < node->count; i++)
		if (strcmp(node->keys[i]->text, key) == 0)
			return node->items[i];
	return NULL;
}

static void
node_free(struct node *node)
{
	free(node->text);
	free(node->keys);
	free(node->items);
	free(node);
}

void
tree_free(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		node_free(tree->nodes[i]);
	free(tree->nodes);
	*tree = (struct tree){ 0 };
}

static bool
fail_at(struct load *load, size_t line, size_t column, const char *what)
{
	struct node at = { .line = (unsigned)line + 1, .column = (unsigned)column + 1 };
	const char *p = load->text, *end = load->text + load->len;
	char rest[96];

	while (line > 0 && (p = memchr(p, '\n', (size_t)(end - p))) != NULL && ++p < end)
		line--;
	p = p == NULL ? end : p;
	while (column > 0 && p < end && *p != '\n') {
		for (p++; p < end && ((unsigned char)*p & 0xc0) == 0x80;)
			p++;
		column--;
	}
	snprintf(rest, sizeof(rest), "%.*s", (int)(end - p < 95 ? end - p : 95), p);
	rest[strcspn(rest, "\n")] = '\0';
	return node_fail(&load->reader, &at, "\"%s\" %s", node_quote(rest), what);
}

static struct node *
node_new(struct load *load, enum node_kind kind, const yaml_mark_t *mark)
{
	struct tree *tree = &load->tree;
	struct node *node;

	if (tree->count == tree->room) {
		size_t room = tree->room * 2 + 256;
		struct node **grown = reallocarray(tree->nodes, room, sizeof(struct node *));

		if (grown == NULL)
			return NULL;
		tree->nodes = grown;
		tree->room = room;
	}
	if ((node = calloc(1, sizeof(*node))) == NULL)
		return NULL;
	*node = (struct node){ .kind = kind,
			       .line = (unsigned)mark->line + 1,
			       .column = (unsigned)mark->column + 1,
			       .weight = 1,
			       .height = 1 };
	tree->nodes[tree->count++] = node;
	return node;
}

static bool
node_add(struct load *load, struct node *parent, struct node *key, struct node *item)
{
	if (parent->count == parent->room) {
		size_t room = parent->room * 2 + 8;
		struct node **items = reallocarray(parent->items, room, sizeof(struct node *)),
			    **keys;

		if (items == NULL)
			goto no_memory;
		parent->items = items;
		if ((keys = reallocarray(parent->keys, room, sizeof(struct node *))) == NULL)
			goto no_memory;
		parent->keys = keys;
		parent->room = room;
	}
	parent->keys[parent->count] = key;
	parent->items[parent->count++] = item;
	parent->weight += item->weight + (key != NULL);
	parent->height = item->height >= parent->height ? item->height + 1 : parent->height;
	return true;
no_memory:
	load->no_memory = true;
	return false;
}

static bool
next_event(struct load *load, yaml_event_t *event)
{
	yaml_parser_t *parser = &load->parser;
	const yaml_mark_t *mark = &parser->problem_mark;
	char what[256];

	if (yaml_parser_parse(parser, event))
		return true;
	if (parser->error == YAML_MEMORY_ERROR) {
		load->no_memory = true;
		return false;
	}
	if (parser->error == YAML_READER_ERROR)
		mark = &parser->mark;
	else if (mark->index >= load->len && parser->context != NULL &&
		 parser->context_mark.index < load->len)
		mark = &parser->context_mark; /* where it began, not the end of the file */
	snprintf(what, sizeof(what), "is not YAML here: %s; accepted: YAML 1.1",
		 parser->problem != NULL ? parser->problem : "unreadable");
	return fail_at(load, mark->line, mark->column, what);
}

static bool
anchor_add(struct load *load, const yaml_event_t *event, const yaml_char_t *name, struct node *node)
{
	struct anchor *anchor = &load->anchors[load->anchor_count];

	if (name == NULL)
		return true;
	if (load->anchor_count == MAX_ANCHORS)
		return fail_at(load, event->start_mark.line, event->start_mark.column,
			       "is one anchor too many; accepted: at most 200");
	if ((anchor->name = strdup((const char *)name)) == NULL) {
		load->no_memory = true;
		return false;
	}
	anchor->node = node;
	anchor->done = node->kind == NODE_SCALAR;
	load->anchor_count++;
	return true;
}

static struct node *
alias_target(struct load *load, const yaml_event_t *event, unsigned depth)
{
	const char *name = (const char *)event->data.alias.anchor;
	size_t line = event->start_mark.line, column = event->start_mark.column;

	for (size_t i = load->anchor_count; i-- > 0;) {
		struct anchor *anchor = &load->anchors[i];

		if (strcmp(anchor->name, name) != 0)
			continue;
		if (!anchor->done) {
			fail_at(load, line, column,
				"is an alias of a value that holds it; accepted: an anchor that "
				"ends before it");
			return NULL;
		}
		load->weight += anchor->node->weight;
		if (load->weight > MAX_WEIGHT || anchor->node->height + depth > MAX_DEPTH) {
			fail_at(load, line, column,
				"is an alias that makes the file too large; accepted: at most "
				"100000 values, 24 levels");
			return NULL;
		}
		return anchor->node;
	}
	fail_at(load, line, column,
		"is an alias of nothing; accepted: the name of an anchor before it");
	return NULL;
}

static bool
has_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag != NULL;
	default:
		return false;
	}
}

static bool
scalar_take(struct load *load, const yaml_event_t *event, struct node *node)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	uint32_t cp;

	for (size_t i = 0, n; i < len; i += n) {
		if ((n = visible_decode(text + i, len - i, &cp)) == 0)
			return node_fail(&load->reader, node, "\"%s\" is not UTF-8",
					 node_quote(text));
		if (visible_hidden(cp) && cp != '\n')
			return node_fail(&load->reader, node,
					 "\"%s\" holds the character U+%04X; accepted: visible "
					 "characters and line breaks",
					 node_quote(text), (unsigned)cp);
	}
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = strndup(text, len);
	load->no_memory = node->text == NULL;
	return node->text != NULL;
}

static struct node *compose(struct load *load, yaml_event_t *event, unsigned depth);

/* The children up to the end event of a list or map whose start has been read. */
static bool
compose_children(struct load *load, struct node *node, unsigned depth)
{
	json_t *seen = json_object();
	yaml_event_t event;
	bool ok = seen != NULL, end = false;

	while (ok && !end) {
		struct node *key = NULL, *item = NULL;

		if (!(ok = next_event(load, &event)))
			break;
		end = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
		if (!end && node->kind == NODE_MAP) {
			ok = (key = compose(load, &event, depth + 1)) != NULL;
			if (ok && key->kind != NODE_SCALAR)
				ok = node_fail(&load->reader, key,
					       "a %s is not a key; accepted: a word",
					       key->kind == NODE_LIST ? "list" : "map");
			else if (ok && json_object_get(seen, key->text) != NULL)
				ok = node_fail(&load->reader, key,
					       "\"%s\" appears twice; accepted: each key once",
					       node_quote(key->text));
			if (ok)
				json_object_set_new(seen, key->text, json_true());
			yaml_event_delete(&event);
			if (!ok || !(ok = next_event(load, &event)))
				break;
		}
		ok = end || ((item = compose(load, &event, depth + 1)) != NULL &&
			     node_add(load, node, key, item));
		yaml_event_delete(&event);
	}
	json_decref(seen);
	return ok;
}

/* The node that the event starts; NULL with the error set. */
static struct node *
compose(struct load *load, yaml_event_t *event, unsigned depth)
{
	size_t line = event->start_mark.line, column = event->start_mark.column;
	const yaml_char_t *anchor = NULL;
	enum node_kind kind;
	struct node *node;
	size_t index;

	if (event->type == YAML_ALIAS_EVENT)
		return alias_target(load, event, depth);
	if (depth > MAX_DEPTH || load->tree.count > MAX_NODES || ++load->weight > MAX_WEIGHT) {
		fail_at(load, line, column,
			"is too much; accepted: at most 50000 values, 24 levels");
		return NULL;
	}
	if (has_tag(event)) {
		fail_at(load, line, column,
			"has a tag; accepted: plain and quoted text, lists and maps");
		return NULL;
	}
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		kind = NODE_SCALAR;
		anchor = event->data.scalar.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		kind = NODE_LIST;
		anchor = event->data.sequence_start.anchor;
		break;
	default:
		kind = NODE_MAP;
		anchor = event->data.mapping_start.anchor;
		break;
	}
	if ((node = node_new(load, kind, &event->start_mark)) == NULL) {
		load->no_memory = true;
		return NULL;
	}
	index = load->anchor_count;
	if (kind == NODE_SCALAR)
		return scalar_take(load, event, node) && anchor_add(load, event, anchor, node)
			   ? node
			   : NULL;
	if (!anchor_add(load, event, anchor, node) || !compose_children(load, node, depth))
		return NULL;
	if (anchor != NULL)
		load->anchors[index].done = true;
	return node;
}

/* What libyaml would pass on or report without a useful place. */
static bool
text_is_sound(struct load *load)
{
	size_t line = 0, column = 0;
	bool indent = true;
	uint32_t cp;

	for (size_t i = 0, n; i < load->len; i += n, column++) {
		if ((n = visible_decode(load->text + i, load->len - i, &cp)) == 0)
			return fail_at(load, line, column, "is not UTF-8; accepted: UTF-8 text");
		if (cp == '\t' && indent)
			return fail_at(load, line, column,
				       "is indented by a tab; accepted: blanks");
		if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') ||
		    (cp >= 0x7f && cp < 0xa0))
			return fail_at(load, line, column,
				       "starts with a control character; accepted: text");
		indent = cp == '\n' || (indent && cp == ' ');
		if (cp == '\n') {
			line++;
			column = (size_t)-1;
		}
	}
	return true;
}

static bool
parse_document(struct load *load)
{
	struct node start = { .line = 1, .column = 1 };
	yaml_event_t event;
	bool ok;

	if (!next_event(load, &event)) /* the start of the stream */
		return false;
	yaml_event_delete(&event);
	if (!next_event(load, &event))
		return false;
	ok = event.type == YAML_DOCUMENT_START_EVENT;
	yaml_event_delete(&event);
	if (!ok)
		return node_fail(&load->reader, &start,
				 "\"\" is empty; accepted: version, checks, custom, waivers");
	if (!next_event(load, &event))
		return false;
	load->tree.root = compose(load, &event, 1);
	yaml_event_delete(&event);
	if (load->tree.root == NULL || !next_event(load, &event))
		return false;
	yaml_event_delete(&event);
	if (!next_event(load, &event))
		return false;
	ok = event.type == YAML_STREAM_END_EVENT ||
	     fail_at(load, event.start_mark.line, event.start_mark.column,
		     "starts a second document; accepted: one");
	yaml_event_delete(&event);
	return ok;
}

int
tree_parse(const char *file, const char *text, size_t len, struct tree *ret, struct err *err)
{
	struct err none;
	struct load load = { .text = text,
			     .len = len,
			     .reader = { .file = file, .err = err != NULL ? err : &none } };
	int r = -EINVAL;

	if (!text_is_sound(&load))
		return -EINVAL;
	if (!yaml_parser_initialize(&load.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&load.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&load.parser, (const unsigned char *)text, len);
	if (parse_document(&load)) {
		*ret = load.tree;
		load.tree = (struct tree){ 0 }; /* handed over */
		r = 0;
	} else if (load.no_memory) {
		r = -ENOMEM;
	}
	for (size_t i = 0; i < load.anchor_count; i++)
		free(load.anchors[i].name);
	yaml_parser_delete(&load.parser);
	tree_free(&load.tree);
	return r;
}
