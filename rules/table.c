#include "rules/table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define IN_CODE(member) #member, offsetof(struct code_words, member)
#define IN_REMEDY(member) #member, offsetof(struct remedy_words, member)

const struct text_field code_texts[] = {
	{ IN_CODE(severity) }, { IN_CODE(title) },    { IN_CODE(why) },    { IN_CODE(explain) },
	{ IN_CODE(docs) },     { IN_CODE(explains) }, { IN_CODE(decide) }, { NULL, 0 },
};

const struct text_field remedy_texts[] = {
	{ IN_REMEDY(dialect) }, { IN_REMEDY(title) }, { IN_REMEDY(when) }, { IN_REMEDY(unless) },
	{ IN_REMEDY(command) }, { IN_REMEDY(cost) },  { IN_REMEDY(undo) }, { IN_REMEDY(verify) },
	{ IN_REMEDY(changes) }, { IN_REMEDY(needs) }, { NULL, 0 },
};

const char *
text_of(const void *row, const struct text_field *field)
{
	const char *text;

	memcpy(&text, (const char *)row + field->offset, sizeof(text));
	return text;
}

const struct rule *
table_rule(const struct tables *tables, const char *id)
{
	for (size_t i = 0; i < tables->count; i++)
		if (strcmp(tables->rules[i].id, id) == 0)
			return &tables->rules[i];
	return NULL;
}

static int
compare_code(const void *code, const void *row)
{
	return strcmp(code, (*(const struct code_words *const *)row)->code);
}

const struct code_words *
table_code(const struct tables *tables, const char *code)
{
	const struct code_words *const *found =
	    code == NULL ? NULL
			 : bsearch(code, tables->codes, tables->code_count, sizeof(*tables->codes),
				   compare_code);

	return found != NULL ? *found : NULL;
}

const struct code_words *
rule_code(const struct rule *rule, const char *code)
{
	for (size_t i = 0; i < rule->code_count; i++)
		if (strcmp(rule->codes[i].code, code) == 0)
			return &rule->codes[i];
	return NULL;
}

bool
name_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; p != NULL && len > 0 && (p = strstr(p, name)) != NULL; p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}
