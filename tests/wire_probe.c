/* Runs the conversation alone: `wire_probe HOST PORT USER STEP_MS DEADLINE_MS < facts.json` prints
 * the facts with what was found. The facts hold what the conversation reads (ssh_config,
 * known_hosts, identities). tests/wire_test.py drives it against real servers. */
#include "loop/owner.h"
#include "ssh/ssh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

static void
on_done(void *ctx)
{
	++*(int *)ctx;
}

int
main(int argc, char **argv)
{
	struct ssh_wire_request request;
	struct facts facts;
	struct loop *loop;
	json_t *doc;
	int calls = 0;

	if (argc == 3 && strcmp(argv[1], "--resolve-for-probe") == 0)
		return ssh_resolve_main(argv[2]);
	if (argc != 6)
		return 2;
	doc = json_loadf(stdin, 0, NULL);
	if (doc == NULL || facts_view(doc, 0, &facts) < 0)
		return 2;
	if ((loop = loop_new(number(argv[5]), NULL)) == NULL)
		return 4;
	request = (struct ssh_wire_request){ .host = argv[1],
					     .port = number(argv[2]),
					     .user = argv[3],
					     .self = argv[0],
					     .step_ms = number(argv[4]),
					     .config_file = getenv("WIRE_SSH_CONFIG"),
					     .reference = getenv("WIRE_REFERENCE") };
	ssh_wire_collect(loop, &facts, &request, on_done, &calls);
	loop_run(loop, NULL, NULL);
	loop_free(loop);
	json_dumpf(doc, stdout, JSON_SORT_KEYS);
	json_decref(doc);
	return calls == 1 ? 0 : 3;
}
