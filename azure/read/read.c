#include "azure/inside.h"
#include "model/vm.h"
#include "facts/arm.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FOLLOW_MAX 500 /* resources one VM may refer to */

/* ---- following ---- */

struct step {
	struct read *read;
	char *id;
};

static void
step_arrived(void *ctx)
{
	struct step *step = ctx;
	struct read *read = step->read;
	const json_t *body, *why;

	if (facts_resource(&read->facts, step->id, &body, &why) == FACT_KNOWN)
		follow_body(read, step->id, body);
	free(step->id);
	free(step);
	read_drop(read);
}

void
read_follow(struct read *read, const char *id)
{
	char key[ARM_ID_MAX];
	struct arm_id parsed;
	struct step *step;

	if (arm_id_parse(id, &parsed) < 0 || arm_id_key(id, key, sizeof(key)) < 0 ||
	    json_object_get(read->seen, key) != NULL ||
	    json_object_size(read->seen) >= FOLLOW_MAX || (step = malloc(sizeof(*step))) == NULL)
		return;
	json_object_set_new(read->seen, key, json_string(id));
	*step = (struct step){ read, strdup(id) };
	read->pending++;
	fetch_resource(read->azure, id, step_arrived, step);
}

/* ---- beside the network ---- */

static void read_check_end(struct read *read);

void
read_aside_end(struct read *read)
{
	read->aside--;
	read_check_end(read);
}

static void
aside_arrived(void *ctx)
{
	read_aside_end(ctx);
}

void
read_aside(struct read *read, const struct arm_ask *ask)
{
	read->aside++;
	fetch_aside(read->azure, ask, aside_arrived, read);
}

static void
with_arrived(void *ctx)
{
	read_drop(ctx);
}

void
read_with(struct read *read, const struct arm_ask *ask)
{
	read->pending++;
	fetch_aside(read->azure, ask, with_arrived, read);
}

/* ---- the paths of what stands beside the VM ---- */

static char *
subscription_path(const char *id)
{
	char subscription[128];

	arm_id_subscription(id, subscription, sizeof(subscription));
	return doc_fmt("/subscriptions/%s", subscription);
}

static void
nobody_waits(void *ctx)
{
	(void)ctx;
}

/* Beside the lists of the group: the policies and the subscription's state, none of which waits for
 * the VM. */
void
read_prefetch(struct azure *azure, const char *id)
{
	char *jit = fetch_group_path(id, JIT_POLICIES), *subscription = subscription_path(id);
	char *locks = fetch_group_path(id, "Microsoft.Authorization/locks");

	fetch_group(azure, id);
	if (locks != NULL)
		fetch_list(azure, locks, true, NULL, NULL);
	free(locks);
	if (jit != NULL)
		fetch_list(azure, jit, false, NULL, NULL);
	if (subscription != NULL)
		fetch_resource(azure, subscription, nobody_waits, NULL);
	free(jit);
	free(subscription);
}

/* ---- stages: each begins when nothing of the one before is pending ---- */

/* A VM that could not be read, or whose body names no NIC, can still be found from the other side:
 * the NICs that name it. The user name of the one would stay unknown, so that is worth while only
 * when one was given. */
static bool
lacks_nics(const struct read *read)
{
	const json_t *body = read_vm(read, NULL);

	if (body == NULL)
		return !read->vm_absent && doc_str(read->facts.doc, "asked.login") != NULL;
	return json_array_size(doc_list(body, "properties.networkProfile.networkInterfaces")) ==
		   0 &&
	       !read_scale_set(read->id);
}

static void
nics_listed(void *ctx)
{
	read_drop(ctx);
}

/* The group's NICs are on their way since the beginning; only who has no other trace waits for
 * them. */
static void
await_nics(struct read *read)
{
	char *path = lacks_nics(read)
			 ? fetch_group_path(read->id, "Microsoft.Network/networkInterfaces")
			 : NULL;

	if (path != NULL) {
		read->pending++;
		fetch_list(read->azure, path, true, nics_listed, read);
	}
	free(path);
}

static void
nics_by_owner(struct read *read)
{
	char *path = fetch_group_path(read->id, "Microsoft.Network/networkInterfaces");
	const json_t *id;
	size_t i;

	if (lacks_nics(read))
		json_array_foreach ((json_t *)(uintptr_t)fetch_listed(read->azure, path), i, id) {
			if (!arm_id_same(doc_str(fetch_held(read->azure, json_string_value(id)),
						 "properties.virtualMachine.id"),
					 read->id))
				continue;
			if (read->nics == NULL)
				read->nics = json_array();
			json_array_append(read->nics, (json_t *)(uintptr_t)id);
			read_follow(read, json_string_value(id));
		}
	free(path);
}

static void
read_network_done(struct read *read)
{
	settle_network(read);
	if (read->settled != NULL)
		read->settled(read->ctx);
	if (read->azure->deep)
		read_deep(read);
	if (read->azure->guest)
		read_guest(read);
}

static void (*const stages[])(struct read *read) = { await_nics, nics_by_owner, read_nearby,
						     read_network_done };

#define STAGES (sizeof(stages) / sizeof(*stages))

static void
read_free(struct read *read)
{
	json_decref(read->seen);
	json_decref(read->nics);
	json_decref(read->activity);
	json_decref(read->changes);
	free(read->id);
	free(read->jit);
	free(read);
}

static void
read_check_end(struct read *read)
{
	void (*done)(void *) = read->done;
	void *ctx = read->ctx;

	if (read->pending > 0 || read->stage < STAGES || read->aside > 0)
		return;
	if (read->azure->deep)
		settle_deep(read);
	read_free(read);
	done(ctx);
}

void
read_drop(struct read *read)
{
	const json_t *why;

	if (--read->pending > 0)
		return;
	if (read_vm(read, &why) == NULL && doc_is(why, "state", "absent")) {
		read->vm_absent = true;
		if (facts_state(&read->facts, FACT_VM, NULL) == FACT_KNOWN)
			facts_settle(&read->facts, FACT_VM, FACT_ABSENT, "not-found", "%s",
				     doc_str(why, "reason"));
	}
	while (read->stage < STAGES) {
		read->pending = 1;
		stages[read->stage++](read);
		if (--read->pending > 0)
			return;
	}
	read_check_end(read);
}

/* ---- beginning ---- */

static void
jit_listed(void *ctx)
{
	struct read *read = ctx;

	settle_jit(read);
	aside_arrived(read);
}

static void
instance_nics_listed(void *ctx)
{
	struct read *read = ctx;
	char *path = doc_fmt("%s/networkInterfaces", read->id);
	const json_t *id;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)fetch_listed(read->azure, path), i, id)
		read_follow(read, json_string_value(id));
	free(path);
	read_drop(read);
}

/* The VM runs, as far as its body tells. */
bool
read_runs(const struct read *read)
{
	struct vm vm;

	return vm_from_facts(&read->facts, &vm, NULL) == 0 && doc_same(vm.power, "running");
}

static void
ask_aside(struct read *read, char *path)
{
	if (path != NULL)
		read_aside(read, &(struct arm_ask){ .path = path, .flags = ARM_SPARE });
	free(path);
}

/* How the platform is, and whether a schedule may have stopped it: nothing waits for these but the
 * end. */
static void
vm_arrived(void *ctx)
{
	struct read *read = ctx;
	char *schedules = fetch_group_path(read->id, "Microsoft.DevTestLab/schedules");

	if (read_vm(read, NULL) != NULL &&
	    doc_list(read_vm(read, NULL), "properties.instanceView.statuses") == NULL)
		ask_aside(read, doc_fmt("%s/instanceView", read->id));
	if (read_vm(read, NULL) != NULL && !read_scale_set(read->id)) {
		ask_aside(
		    read,
		    doc_fmt("%s/providers/Microsoft.ResourceHealth/availabilityStatuses/current",
			    read->id));
		if (!read_runs(read) || read->azure->deep)
			ask_aside(read, doc_fmt("%s/shutdown-computevm-%s", schedules,
						arm_id_name(read->id)));
	}
	free(schedules);
	aside_arrived(read);
}

static void
read_begin(struct read *read)
{
	char *path;

	read->pending = 1;
	read->aside = 1;
	read_prefetch(read->azure, read->id);
	read_follow(read, read->id);
	read->aside++;
	fetch_resource(read->azure, read->id, vm_arrived, read);
	if (read_scale_set(read->id) &&
	    (path = doc_fmt("%s/networkInterfaces", read->id)) != NULL) {
		read->pending++;
		fetch_list(read->azure, path, false, instance_nics_listed, read);
		free(path);
	}
	read->aside++;
	fetch_list(read->azure, read->jit, false, jit_listed, read);
	if ((path = subscription_path(read->id)) != NULL) {
		read->aside++;
		fetch_resource(read->azure, path, aside_arrived, read);
		free(path);
	}
	read->aside--;
	read_drop(read);
}

void
azure_read(struct azure *azure, struct facts *facts, void (*settled)(void *ctx),
	   void (*done)(void *ctx), void *ctx)
{
	enum fact_state state = facts_state(facts, FACT_VM, NULL);
	const char *id = state == FACT_KNOWN || state == FACT_UNKNOWN
			     ? doc_str(facts_section(facts, FACT_VM), "id")
			     : NULL;
	struct read *read;
	char *jit = id != NULL ? fetch_group_path(id, JIT_POLICIES) : NULL;

	if (jit == NULL || (read = calloc(1, sizeof(*read))) == NULL) {
		free(jit);
		settle_without_vm(azure, facts);
		done(ctx);
		return;
	}
	*read = (struct read){ .azure = azure,
			       .facts = *facts,
			       .id = strdup(id),
			       .jit = jit,
			       .seen = json_object(),
			       .settled = settled,
			       .done = done,
			       .ctx = ctx };
	read_begin(read);
}
