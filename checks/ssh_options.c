#include "checks/ssh_options.h"
#include "facts/doc.h"

#include <string.h>

const char *
ssh_option(const char *value)
{
	return value != NULL && *value != '\0' && strcmp(value, "none") != 0 ? value : NULL;
}

bool
ssh_option_on(const char *value)
{
	return doc_same(value, "yes") || doc_same(value, "true");
}

enum ssh_strict
ssh_option_strict(const struct fact_ssh_options *options)
{
	const char *word = options->stricthostkeychecking;

	if (ssh_option_on(word))
		return STRICT_YES;
	if (doc_same(word, "accept-new"))
		return STRICT_ACCEPT_NEW;
	if (doc_same(word, "no") || doc_same(word, "false") || doc_same(word, "off"))
		return STRICT_OFF;
	return STRICT_ASK;
}

bool
ssh_refuses_unknown(const struct fact_ssh_options *options, bool terminal)
{
	enum ssh_strict strict = ssh_option_strict(options);

	return strict == STRICT_YES ||
	       (strict == STRICT_ASK && (ssh_option_on(options->batchmode) || !terminal));
}
