/* What a command changes, and what it needs: from its words, by the rows of effects.def. */
#include "rules/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VM "Microsoft.Compute/virtualMachines/"
#define SET "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/"
#define NET "Microsoft.Network/"
#define AUTH "Microsoft.Authorization/"
#define JIT "Microsoft.Security/locations/jitNetworkAccessPolicies/"

/* In growing order: a command with several parts changes what the greatest of them changes. */
enum change { NOTHING, COMPUTER, AZURE, GUEST };

static const char *const change_words[] = { "nothing", "this-computer", "azure", "guest" };

static const struct {
	const char *words;
	enum change change;
	const char *needs;
} effects[] = {
#define EFFECT(words, change, needs) { words, change, needs },
#include "rules/effects.def"
#undef EFFECT
};

/* true when the words of a row begin at `at` and end with a word there. */
static bool
begins(const char *at, const char *words)
{
	size_t len = strlen(words);

	return strncmp(at, words, len) == 0 && strchr(" ;|&)", at[len]) != NULL;
}

/* true when the words of a row are somewhere in the text: a program where a command may begin, an
 * option anywhere. */
static bool
has_words(const char *text, const char *words)
{
	for (const char *p = text; (p = strstr(p, words)) != NULL; p++) {
		const char *before = p;

		while (before > text && before[-1] == ' ')
			before--;
		if (begins(p, words) && (before == text || strchr(";|&({=", before[-1]) != NULL ||
					 (*p == '-' && before < p)))
			return true;
	}
	return false;
}

/* A list of arguments as plain text; what a script holds is not the command's own. */
static void
make_plain(char *text)
{
	char *out = text;
	struct argument argument;

	for (const char *at = text; command_next(text, &at, &argument);) {
		if (argument.text != text)
			*out++ = argument.first ? ';' : ' ';
		memmove(out, argument.text, argument.script ? 0 : argument.len);
		out += argument.script ? 0 : argument.len;
	}
	*out = '\0';
}

/* Appends the actions that are not in the list yet, while there is room. */
static void
add_needs(char *list, const char *needs)
{
	for (size_t len, used; needs != NULL && *needs != '\0';
	     needs += len + (needs[len] == ' ')) {
		char one[128] = "";

		len = strcspn(needs, " ");
		strncat(one, needs, len < sizeof(one) ? len : sizeof(one) - 1);
		if (name_listed(list, one) || strlen(list) + len + 2 > NEEDS_MAX)
			continue;
		used = strlen(list);
		snprintf(list + used, NEEDS_MAX - used, "%s%s", used > 0 ? " " : "", one);
	}
}

/* true when every command in a shell text begins with a row that changes nothing. */
static bool
only_looks(const char *text)
{
	bool known = true;

	for (const char *p = text; known && *p != '\0'; p += strcspn(p, ";|&")) {
		p += strspn(p, " ;|&");
		known = false;
		for (size_t i = 0; !known && i < sizeof(effects) / sizeof(effects[0]); i++)
			known = effects[i].change == NOTHING && begins(p, effects[i].words);
	}
	return known;
}

/* What a command changes of which no row says that it changes anything. Azure's name what they do
 * in a verb. */
static enum change
other_change(const char *text, const char *dialect, bool known)
{
	if (strcmp(dialect, "shell") == 0)
		return only_looks(text) ? NOTHING : COMPUTER;
	text += strspn(text, "(");
	if (known || strncmp(text, "Get-", 4) == 0 || strstr(text, " list") != NULL ||
	    strstr(text, " show") != NULL)
		return NOTHING;
	return AZURE;
}

const char *
command_effects(const char *command, const char *dialect, char *needs)
{
	enum change change = NOTHING;
	char *text = strdup(command);
	bool known = false, list = command_is_list(command);

	if (strcmp(dialect, "portal") == 0 || text == NULL) {
		free(text);
		return change_words[AZURE];
	}
	if (list)
		make_plain(text);
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
		if (!has_words(text, effects[i].words))
			continue;
		known = true;
		change = effects[i].change > change ? effects[i].change : change;
		add_needs(needs, effects[i].needs);
	}
	if (change == NOTHING)
		change = other_change(text, dialect, known);
	if (change == NOTHING && !list && strchr(text, '>') != NULL)
		change = COMPUTER;
	free(text);
	return change_words[change];
}
