/* Reading one VM, in stages: a stage begins when all that the one before waited for has come. Its
 * rows say what is read then. */
#include "azure/read/rows.h"
#include "facts/arm.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* AT_VM is apart: it begins when the body of the VM has come, and only the end waits for it. */
enum stage { AT_BEGIN, AT_REFERENCES, AT_ASKED, AT_NEIGHBOURS, AT_NETWORK, STAGES, AT_VM };

/* ---- the VM itself ---- */

static void
read_subscription(struct vm_reader *reader)
{
	char *path = path_in_subscription(reader->id, NULL);

	reader_fetch(reader, &reader->all, path, NULL);
	free(path);
}

static void run_rows(struct vm_reader *reader, enum stage stage);

static void
vm_arrived(struct vm_reader *reader)
{
	if (reader_vm(reader, NULL) != NULL)
		run_rows(reader, AT_VM);
}

static void
read_vm(struct vm_reader *reader)
{
	reader_follow(reader, reader->id);
	reader_fetch(reader, &reader->all, reader->id, vm_arrived);
}

/* ---- what is asked about the VM ---- */

/* Takes the path. */
static void
ask_beside(struct vm_reader *reader, char *path)
{
	reader_ask(reader, &reader->all,
		   &(struct arm_ask){ .path = path, .flags = ARM_HAS_FALLBACK });
	free(path);
}

/* Of many VMs nothing is asked for one of them: what the lists have brought is all. Takes the path.
 */
static void
keep_beside(struct vm_reader *reader, char *path)
{
	reader_keep(reader, path);
	free(path);
}

static void
read_instance_view(struct vm_reader *reader)
{
	if (doc_list(reader_vm(reader, NULL), "properties.instanceView.statuses") == NULL)
		ask_beside(reader, doc_fmt("%s/instanceView", reader->id));
}

static void
read_health(struct vm_reader *reader)
{
	char *path = doc_fmt("%s/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
			     reader->id);

	if (reader->azure->fleet == NULL)
		ask_beside(reader, path);
	else
		keep_beside(reader, path);
}

/* A schedule may have stopped the VM. */
static void
read_schedule(struct vm_reader *reader)
{
	char *schedules, *path;

	if (reader_runs(reader) && !reader->azure->deep)
		return;
	schedules = path_in_group(reader->id, "Microsoft.DevTestLab/schedules");
	path = doc_fmt("%s/shutdown-computevm-%s", schedules, arm_id_name(reader->id));
	if (reader->azure->fleet == NULL)
		ask_beside(reader, path);
	else
		keep_beside(reader, path);
	free(schedules);
}

/* The sections of a VM that is not known share its state and reason. */
static void
settle_without_vm(const struct azure *azure, struct facts *facts)
{
	static const enum fact_section sections[] = { FACT_NETWORK, FACT_JIT,   FACT_DEEP,
						      FACT_BOOT,    FACT_PROOF, FACT_GUEST };
	const json_t *vm = facts_section(facts, FACT_VM);
	enum fact_state state = facts_state(facts, FACT_VM, NULL);

	if (state == FACT_KNOWN || state == FACT_PENDING)
		state = FACT_UNKNOWN;
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		if (((sections[i] != FACT_DEEP && sections[i] != FACT_BOOT) || azure->deep) &&
		    ((sections[i] != FACT_PROOF && sections[i] != FACT_GUEST) || azure->guest))
			facts_settle(facts, sections[i], state, entry_text(vm, "cause", "no-vm"),
				     "%s", entry_text(vm, "reason", "the VM is not known"));
}

/* ---- the rows ---- */

static bool
no_instance(const struct vm_reader *reader)
{
	return !reader_is_instance(reader);
}

static bool
found(const struct vm_reader *reader)
{
	return reader_vm(reader, NULL) != NULL || reader->nics != NULL;
}

static bool
asks_deep(const struct vm_reader *reader)
{
	return reader->azure->deep;
}

static bool
deep(const struct vm_reader *reader)
{
	return reader->azure->deep && reader_vm(reader, NULL) != NULL;
}

static bool
deep_and_runs(const struct vm_reader *reader)
{
	return deep(reader) && reader_runs(reader);
}

static const struct row {
	enum stage stage;
	bool (*needs)(const struct vm_reader *reader); /* NULL: nothing */
	void (*start)(struct vm_reader *reader);
} rows[] = {
	{ AT_BEGIN, NULL, read_vm },
	{ AT_BEGIN, reader_is_instance, read_instance_nics },
	{ AT_BEGIN, NULL, read_jit },
	{ AT_BEGIN, NULL, read_own_grants },
	{ AT_BEGIN, NULL, read_subscription },
	{ AT_VM, NULL, read_instance_view },
	{ AT_VM, NULL, read_roles },
	{ AT_VM, no_instance, read_health },
	{ AT_VM, no_instance, read_schedule },
	{ AT_REFERENCES, reader_lacks_nics, read_nics_by_owner },
	{ AT_ASKED, found, read_asked_address },
	{ AT_NEIGHBOURS, reader_needs_front, read_peered },
	{ AT_NEIGHBOURS, found, read_former_addresses },
	{ AT_NEIGHBOURS, found, read_balancers },
	{ AT_NEIGHBOURS, found, read_firewalls },
	{ AT_NEIGHBOURS, found, read_bastions },
	{ AT_NEIGHBOURS, found, read_grants },
	{ AT_REFERENCES, asks_deep, read_boot_log },
	{ AT_NETWORK, NULL, settle_network },
	{ AT_NETWORK, deep_and_runs, read_effective },
	{ AT_NETWORK, deep, read_admin_rules },
	{ AT_NETWORK, deep_and_runs, read_flow_verdict },
	{ AT_NETWORK, deep, read_activity },
	{ AT_NETWORK, deep, read_policies },
	{ AT_NETWORK, deep, read_service_tags },
};

static void
run_rows(struct vm_reader *reader, enum stage stage)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].stage == stage && (rows[i].needs == NULL || rows[i].needs(reader)))
			rows[i].start(reader);
}

static void
reader_end(void *ctx)
{
	struct vm_reader *reader = ctx;
	void (*done)(void *) = reader->done;
	void *done_ctx = reader->ctx;

	if (reader->azure->deep)
		settle_deep(reader);
	json_decref(reader->seen);
	json_decref(reader->nics);
	json_decref(reader->activity);
	json_decref(reader->changes);
	json_decref(reader->asked);
	free(reader->id);
	free(reader);
	done(done_ctx);
}

/* A VM that was found and whose body says that it does not exist is gone since. */
static void
settle_gone(struct vm_reader *reader)
{
	const json_t *why;

	if (reader_vm(reader, &why) == NULL && doc_is(why, "state", "absent") &&
	    facts_state(&reader->facts, FACT_VM, NULL) == FACT_KNOWN)
		facts_settle(&reader->facts, FACT_VM, FACT_ABSENT, "not-found", "%s",
			     doc_str(why, "reason"));
}

static void
next_stage(void *ctx)
{
	struct vm_reader *reader = ctx;
	enum stage stage = reader->stage++;

	if (stage > AT_BEGIN)
		settle_gone(reader);
	if (stage == STAGES) {
		join_end(&reader->all);
		return;
	}
	join_begin(&reader->network, next_stage, reader);
	run_rows(reader, stage);
	join_end(&reader->network);
}

void
azure_read(struct azure *azure, struct facts *facts, void (*settled)(void *ctx),
	   void (*done)(void *ctx), void *ctx)
{
	enum fact_state state = facts_state(facts, FACT_VM, NULL);
	struct arm_id parsed = { .group.len = 0 };
	struct vm_reader *reader;
	const char *id = NULL;

	if (state == FACT_KNOWN || state == FACT_UNKNOWN)
		id = doc_str(facts_section(facts, FACT_VM), "id");
	if (id == NULL || arm_id_parse(id, &parsed) < 0 || parsed.group.len == 0) {
		settle_without_vm(azure, facts);
		done(ctx);
		return;
	}
	reader = malloc(sizeof(*reader));
	*reader = (struct vm_reader){ .azure = azure,
				      .fetches = &azure->fetches,
				      .facts = *facts,
				      .id = strdup(id),
				      .seen = json_object(),
				      .settled = settled,
				      .done = done,
				      .ctx = ctx };
	reader_prefetch(reader->fetches, reader->id);
	join_begin(&reader->all, reader_end, reader);
	next_stage(reader);
}
