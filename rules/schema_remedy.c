/* Remedies in a rule file: validated, and turned into the texts of struct remedy_words. */
#include "rules/shape.h"

#include <stdlib.h>
#include <string.h>

static bool read_command(const struct reader *, const struct shape *, const struct node *,
			 json_t **);

static const char *const dialects[] = { "az", "powershell", "shell", "portal", NULL };
static const char *const changes[] = { "nothing", "this-computer", "azure", "guest", NULL };

static bool
is_action(const struct reader *reader, const char *text)
{
	(void)reader;
	return strchr(text, '/') != NULL && strlen(text) < 128 && strpbrk(text, " \n*") == NULL;
}

SHAPE(text, shape_text, "text", .fields = NULL);
SHAPE(name, shape_text, NAME_ACCEPTS, .name = shape_name);
SHAPE(command, read_command, COMMAND_ACCEPTS, .fields = NULL);
SHAPE(dialect, shape_text, "az, powershell, shell or portal", .words = dialects);
SHAPE(changes, shape_text, "nothing, this-computer, azure or guest", .words = changes);
SHAPE(action, shape_text, "an Azure action, such as Microsoft.Compute/virtualMachines/read",
      .name = is_action);
SHAPE(actions, shape_names, "a list of Azure actions", .each = &action_shape);
static const struct field remedy_fields[] = {
	{ "dialect", &dialect_shape, false }, { "title", &text_shape, false },
	{ "when", &name_shape, false },       { "unless", &name_shape, false },
	{ "argv", &command_shape, false },    { "text", &text_shape, false },
	{ "run", &text_shape, false },        { "steps", &text_shape, false },
	{ "cost", &text_shape, false },       { "undo", &command_shape, false },
	{ "verify", &command_shape, false },  { "changes", &changes_shape, false },
	{ "needs", &actions_shape, false },   { NULL, NULL, false }
};
SHAPE(remedy, NULL, "a map with dialect, and argv or text", .fields = remedy_fields);

/* Words are taken as written: 22 and true need no quotes. */
static bool
write_words(const struct reader *reader, const struct node *list, FILE *out)
{
	SHAPE(word, NULL, "a word, or {script: ...}", .fields = NULL);

	for (size_t i = 0; i < list->count; i++) {
		const struct node *word = list->items[i], *script = node_get(word, "script");

		if (script != NULL && word->count == 1)
			word = script;
		if (word->kind != NODE_SCALAR || (word->plain && word->text[0] == '\0'))
			return shape_refuse(reader, &word_shape, word);
		fprintf(out, "%s%c", word->text, word == script ? SCRIPT_END : ARGUMENT_END);
	}
	return true;
}

/* A list of words, or of such lists. */
static bool
write_steps(const struct reader *reader, const struct shape *shape, const struct node *list,
	    FILE *out)
{
	bool steps = list->count > 0 && list->items[0]->kind == NODE_LIST;

	if (list->count == 0)
		return shape_refuse(reader, shape, list);
	for (size_t i = 0; steps && i < list->count; i++) {
		if (list->items[i]->kind != NODE_LIST || list->items[i]->count == 0)
			return shape_refuse(reader, shape, list->items[i]);
		if (i > 0)
			putc(STEP_START, out);
		if (!write_words(reader, list->items[i], out))
			return false;
	}
	return steps || write_words(reader, list, out);
}

/* A text, or lists of arguments packed into one. */
static bool
read_command(const struct reader *reader, const struct shape *shape, const struct node *node,
	     json_t **ret)
{
	char *text = NULL;
	size_t size;
	FILE *out;
	bool ok;

	if (node->kind == NODE_SCALAR)
		return shape_text(reader, shape, node, ret);
	if (node->kind == NODE_MAP)
		return shape_refuse(reader, shape, node);
	if ((out = open_memstream(&text, &size)) == NULL)
		return false;
	ok = write_steps(reader, shape, node, out);
	ok = fclose(out) == 0 && ok;
	*ret = ok ? json_string(text) : NULL;
	free(text);
	return *ret != NULL;
}

/* Nothing there, or a command that can be written in the dialect. */
static bool
can_write(const struct reader *reader, const struct node *node, const json_t *command,
	  const char *dialect)
{
	const char *wrong =
	    command != NULL ? command_wrong(json_string_value(command), dialect) : NULL;

	return wrong == NULL ||
	       node_fail(reader, node, "\"%s\" %s",
			 node->kind == NODE_SCALAR ? node_quote(node->text) : "argv", wrong);
}

bool
read_decide(const struct reader *reader, const struct shape *shape, const struct node *node,
	    json_t **ret)
{
	if (!read_command(reader, shape, node, ret))
		return false;
	if (can_write(reader, node, *ret, "shell"))
		return true;
	json_decref(*ret);
	return false;
}

/* The member that holds the command: argv or text; in the old form run, or the portal's steps. NULL
 * with the error set. */
static const char *
command_key(const struct reader *reader, const struct node *node, const char *dialect, bool old)
{
	bool portal = strcmp(dialect, "portal") == 0;
	const char *keys[] = { portal ? "text" : "argv", "text" }, *found = NULL;

	if (old)
		keys[0] = keys[1] = portal ? "steps" : "run";
	for (size_t i = 0; i < 2; i++)
		found = node_get(node, keys[i]) != NULL ? keys[i] : found;
	if (node_get(node, "argv") != NULL && node_get(node, "text") != NULL) {
		node_fail(reader, node, "\"text\" conflicts with \"argv\"; accepted: one of them");
		return NULL;
	}
	if (found == NULL)
		node_fail(reader, node, "\"%s\" is missing; accepted: %s: %s", keys[0], keys[0],
			  old || portal ? "text" : COMMAND_ACCEPTS);
	return found;
}

/* Puts the command, its dialect and its effects into a remedy that does not state them. */
static bool
complete(json_t *remedy, const char *key, const char *dialect)
{
	json_t *command = json_incref(json_object_get(remedy, key));
	char needs[NEEDS_MAX] = "";
	const char *change = command_effects(json_string_value(command), dialect, needs);

	json_object_del(remedy, key);
	if (json_object_get(remedy, "changes") == NULL)
		json_object_set_new(remedy, "changes", json_string(change));
	if (json_object_get(remedy, "needs") == NULL && needs[0] != '\0')
		json_object_set_new(remedy, "needs", json_string(needs));
	return json_object_set_new(remedy, "dialect", json_string(dialect)) == 0 &&
	       json_object_set_new(remedy, "command", command) == 0;
}

/* Appends one remedy to the list. In the old form its dialect is given. */
static bool
add_remedy(const struct reader *reader, const struct node *node, const char *dialect, json_t *list)
{
	bool old = dialect != NULL, ok;
	const char *key = NULL;
	json_t *remedy;

	if (!shape_fields(reader, &remedy_shape, node, &remedy))
		return false;
	if (!old && node_get(node, "dialect") == NULL)
		node_fail(reader, node, "\"dialect\" is missing; accepted: dialect: %s",
			  dialect_shape.accepts);
	else
		dialect = old ? dialect : node_get(node, "dialect")->text;
	ok = dialect != NULL && (key = command_key(reader, node, dialect, old)) != NULL;
	for (const char *const *at = (const char *const[]){ key, "undo", "verify", NULL };
	     ok && *at != NULL; at++)
		ok = can_write(reader, node_get(node, *at), json_object_get(remedy, *at), dialect);
	ok = ok && complete(remedy, key, dialect) && json_array_append(list, remedy) == 0;
	json_decref(remedy);
	return ok;
}

/* The items of a list in the list count as its own, so that a file can share some. */
static bool
add_remedies(const struct reader *reader, const struct shape *shape, const struct node *node,
	     const char *dialect, json_t *list)
{
	if (node->kind != NODE_LIST)
		return shape_refuse(reader, shape, node);
	for (size_t i = 0; i < node->count; i++) {
		const struct node *item = node->items[i];

		if (item->kind == NODE_LIST ? !add_remedies(reader, shape, item, dialect, list)
					    : !add_remedy(reader, item, dialect, list))
			return false;
	}
	return true;
}

/* A list; or the old form, a map of lists by dialect. */
bool
read_remedies(const struct reader *reader, const struct shape *shape, const struct node *node,
	      json_t **ret)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	if (node->kind == NODE_MAP)
		for (size_t i = 0; ok && i < node->count; i++)
			ok = (dialect_shape.read(reader, &dialect_shape, node->keys[i], ret) &&
			      (json_decref(*ret), true)) &&
			     add_remedies(reader, shape, node->items[i], node->keys[i]->text, list);
	else
		ok = ok && add_remedies(reader, shape, node, NULL, list);
	if (ok)
		*ret = list;
	else
		json_decref(list);
	return ok;
}
