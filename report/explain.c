/* --explain, and what --list-checks says of a check: from the words of the rules and from tables.
 */
#include "report/explain.h"
#include "checks/causes.h"
#include "facts/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct reads {
	const char *reads, *actions, *by_hand, *mistaken;
} reads[CHECK_COUNT] = {
#define READS(check, reads, actions, by_hand, mistaken)                                            \
	[CHECK_##check] = { reads, actions, by_hand, mistaken },
#define MISTAKEN(code, text)
#include "report/reads.def"
#undef READS
#undef MISTAKEN
};

static const char *const mistaken_codes[CODE_COUNT] = {
#define READS(check, reads, actions, by_hand, mistaken)
#define MISTAKEN(code, text) [CODE_##code] = text,
#include "report/reads.def"
#undef READS
#undef MISTAKEN
};

/* What a code means that any check may have. */
static const char *const general[CODE_COUNT] = {
	[CODE_NOT_RUN] = "The check has nothing to say about this target.",
	[CODE_NOT_SELECTED] = "--only or --skip leaves the check out.",
	[CODE_DISABLED] = "The rules switch the check off.",
	[CODE_NOT_ASKED] = "The options of this run leave out what the check needs "
			   "(--no-azure, --no-probe, or no --deep or --guest).",
	[CODE_NOT_KNOWN] = "The check could not read what it needs; its sentence says why. That is "
			   "neither a pass nor a failure.",
	[CODE_NOT_REACHED] = "An earlier hop failed, so the connection never came this far.",
	[CODE_NOTHING_TO_CHECK] = "The target has nothing that the check judges.",
	[CODE_AS_EXPECTED] = "A rule of your own found what it expects.",
	[CODE_NOT_COMPARABLE] = "A rule of your own compares a value of another type.",
	[CODE_COMMAND_FAILED] =
	    "The program of a rule of your own failed, or printed something else "
	    "than its answer.",
	[CODE_NO_KEY] = "There is no key file to judge.",
};

/* What a finding of this kind rests on. */
static const char *
medium_words(enum medium medium)
{
	static const char *const words[] = {
		[MEDIUM_ANY] = "",
		[MEDIUM_LOCAL] = "seen on this computer",
		[MEDIUM_REPORTED] = "reported by Azure",
		[MEDIUM_MODEL] = "predicted from what Azure stores; an answer overrides it",
		[MEDIUM_WIRE] = "an answer on the network",
		[MEDIUM_SILENCE] = "no answer on the network",
		[MEDIUM_GUEST] = "seen inside the VM",
	};

	return words[medium];
}

/* Names with blanks between, one a line; "--" stands before those that only some runs need. */
static void
write_actions(struct page *page, const char *actions)
{
	const char *label = "  Azure action: ";

	while (*actions != '\0') {
		size_t len = strcspn(actions, " ");
		char *name;

		if (len == 2 && strncmp(actions, "--", 2) == 0) {
			label = "  with --deep or --guest: ";
		} else if (len > 0) {
			name = doc_fmt("%.*s", (int)len, actions);
			page_wrap(page, label, 4, INK_NONE, name);
			free(name);
		}
		actions += len + (actions[len] == ' ');
	}
}

void
explain_reads(struct page *page, enum check_id check)
{
	const struct reads *row = &reads[check];

	if (row->reads == NULL)
		return;
	page_wrap(page, "  Reads: ", 4, INK_NONE, row->reads);
	write_actions(page, row->actions);
}

/* true when the words of the rules say it themselves. */
static bool
tells(const char *explain, const char *word)
{
	return explain != NULL && strstr(explain, word) != NULL;
}

/* How it is found, how to see it without this program, and what it is taken for. */
static void
write_row(struct page *page, enum code code, const char *explain)
{
	const struct code_row *row = &code_table[code];
	const struct check *check = &check_table[row->check];
	const char *rests = medium_words(code_medium(code, row->check)),
		   *mistaken = mistaken_codes[code] != NULL ? mistaken_codes[code]
							    : reads[row->check].mistaken;
	bool fault = row->severity == FAIL || row->severity == WARN;
	char *found;

	if (row->check == CHECK_NONE || code == CODE_CREDENTIALS_FORGOTTEN || code == CODE_LOG_NEXT)
		return; /* what no check finds */
	found = doc_fmt("by the check %s (%s): %s", check->id,
			check->title != NULL ? check->title : "", rests);
	page_wrap(page, "\nFound:     ", 2, INK_NONE, found);
	if (!tells(explain, "onfirm") && reads[row->check].by_hand != NULL)
		page_wrap(page, "By hand:   ", 2, INK_NONE, reads[row->check].by_hand);
	if (fault && mistaken != NULL && !tells(explain, "mistaken"))
		page_wrap(page, "Mistaken for: ", 2, INK_NONE, mistaken);
	free(found);
}

void
explain_code(struct page *page, enum code code, const struct code_words *words)
{
	write_row(page, code, words != NULL ? words->explain : NULL);
}

bool
explain_bare(struct page *page, enum code code)
{
	static const char *const statuses[] = {
		[PASS] = "A good result: there is nothing to do.",
		[SKIP] = "The check does not judge this; it is neither a pass nor a failure.",
		[WARN] = "A warning.",
		[FAIL] = "A fault.",
		[UNKNOWN] = "The answer is not known; that is neither a pass nor a failure.",
	};
	const struct code_row *row = &code_table[code];

	if (code == CODE_CUSTOM)
		return false;
	page_wrap(page, "  ", 2, INK_NONE,
		  general[code] != NULL ? general[code] : statuses[row->severity]);
	write_row(page, code, NULL);
	return true;
}
