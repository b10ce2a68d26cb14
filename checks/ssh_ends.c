#include "checks/ssh_ends.h"
#include "checks/ssh_word.h"

/* Only ssh -G was asked: to start ssh would start one process after the other. */
static void
jump_loop(const struct fact_ssh_config *config, struct finding *main)
{
	struct finding *finding;

	if (config->jump == NULL || config->jump->loop == NULL)
		return;
	finding = finding_next(main);
	finding_text(finding, "hop", config->jump->loop);
	finding_text(finding, "proxyjump", config->proxyjump);
	finding_text(finding, "file", config->places.proxyjump.file);
	if (config->places.proxyjump.line > 0)
		finding_number(finding, "line", config->places.proxyjump.line);
	finding_set(
	    finding, FAIL, CODE_PROXYJUMP_LOOP,
	    "the jump host %s is itself reached through %s: ssh would start one process after "
	    "the other, without end",
	    config->jump->loop, config->jump->loop);
}

/* ssh -G did not end, and its configuration has a command that it waits for. Another command of the
 * files may be the slow one. */
static void
match_exec(const struct fact_ssh_config *config, struct finding *main)
{
	struct finding *finding;

	if (config->state != FACT_UNKNOWN || !doc_same(config->cause, "timeout") ||
	    config->match_exec_command == NULL)
		return;
	finding = finding_next(main);
	finding_text(finding, "command", config->match_exec_command);
	finding_text(finding, "file", config->match_exec_file);
	if (config->match_exec_line > 0)
		finding_number(finding, "line", config->match_exec_line);
	finding_text(finding, "name", config->name);
	finding_likely(
	    finding, FAIL, CODE_MATCH_EXEC_HANGS,
	    "%s: ssh waits for the command of its Match exec line, which does not end: %s",
	    config->reason, config->match_exec_command);
}

/* ssh -G and ssh -V run, and ssh itself does not. */
static void
broken_program(const struct scene *scene, struct finding *main)
{
	const struct fact_rehearsal *stopped = ssh_stopped_at(scene, REHEARSAL_CONFIG);
	struct finding *finding;

	if (stopped == NULL || stopped->fault != FAULT_PROGRAM_BROKEN)
		return;
	finding = finding_next(main);
	finding_text(finding, "message", stopped->message);
	finding_set(finding, FAIL, CODE_SSH_BROKEN, "ssh itself does not run: %s",
		    stopped->message);
}

void
ssh_ends(const struct scene *scene, struct finding *main)
{
	broken_program(scene, main);
	match_exec(scene->ssh_config, main);
	jump_loop(scene->ssh_config, main);
}
