/* Inside the text format: the answer of one report as blocks that fit a screen, several reports as
 * rows, and the table of checks. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "report/wrap.h"

/* A part of the first screen. What the screen has no room for goes by rank, the highest first. */
enum rank {
	RANK_MUST,    /* never left out */
	RANK_COMMAND, /* says at least that it is left out */
	RANK_THEN,
	RANK_WHY,
	RANK_UNDO,
	RANK_STEP,
	RANK_POSSIBLE,
	RANK_TARGET,
	RANK_DECIDE,
	RANK_AFTER,
	RANK_PATH,
	RANK_SEEN,
	RANK_UNTIL,
};

/* Blocks of different sections have an empty line between them. */
enum section { SECTION_HEAD, SECTION_WHY, SECTION_FIX, SECTION_ELSE, SECTION_AFTER, SECTION_END };

/* Blocks under way; all of them lie in one buffer. */
struct screen {
	struct page page; /* write the current block here */
	char *text;
	size_t size;
	struct block {
		size_t start, end;
		enum rank rank;
		enum section section;
		bool dropped;
	} blocks[40];
	size_t count;
};

/* 0, or -ENOMEM with nothing to end. */
int screen_start(struct screen *screen, const struct page *like);

/* Begins a block; its page. */
struct page *screen_block(struct screen *screen, enum section section, enum rank rank);

/* The same with paragraphs of at most so many lines where the answer has to fit a screen. */
struct page *screen_short_block(struct screen *screen, enum section section, enum rank rank,
				size_t most);

/* Writes the blocks that fit. 0 or -errno. */
int screen_end(struct screen *screen, FILE *out);

/* ---- verdict.c ---- */

/* How a status looks: the sign on a terminal that has it, else the word. */
struct mark {
	const char *word, *sign;
	enum ink ink;
};

extern const struct mark marks[]; /* by enum status */

/* The sign or the word that begins a line. */
void write_sign(struct page *page, enum status status);

/* A verdict's first line: sign or word, text, and the code (may be NULL) where there is room. */
void write_verdict(struct page *page, enum status status, const char *text, const char *code);

/* A finding's title, with how sure it is. The caller frees. */
char *doubtful_title(const struct finding *finding);

/* ---- answer.c ---- */

/* "20 checks: 13 ok, 2 failed, 5 not reached, 0.6 s". The caller frees. */
char *counts_text(const struct report *report);

/* The first screen of one report. */
void write_answer(struct screen *screen, const struct report *report);

/* ---- remedies.c ---- */

enum { INDENT = 9 }; /* after "  Fix    " */

/* The command of a remedy, and what to put in its holes. */
void write_command(struct page *page, const struct remedy *remedy, size_t indent);

/* A remedy whole: title, command, how to verify and to undo it. Without a label it follows another
 * one. */
void write_remedy(struct screen *screen, const struct report *report, const struct remedy *remedy,
		  const char *label, enum rank rank);

void write_fix(struct screen *screen, const struct report *report);
void write_possible(struct screen *screen, const struct report *report);
void write_ways(struct screen *screen, const struct finding *cause);
void write_after(struct screen *screen, const struct report *report);

/* ---- table.c: what comes after the answer in a log, or with --verbose ---- */

void write_details(struct page *page, const struct report *report);
void write_footer(struct page *page, const struct report *report);

/* ---- several.c: a row for each of several reports, then their causes. ---- */

void write_overview(struct page *page, const struct report *const *reports, size_t count);

#endif
