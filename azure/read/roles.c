/* Which of the signed-in account's roles include the Entra login to the VM. Azure counts those at
 * every scope above the VM and those of the account's groups. Asked only where such a login is
 * prepared or tried. */
#include "azure/arm/url.h"
#include "azure/read/rows.h"
#include "facts/arm.h"
#include "model/vm.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEFINITIONS_MAX = 20 };

struct roles {
	struct vm_reader *reader;
	char *principal;
	json_t *definitions; /* id in small letters: its name */
	bool login, unsure;
	struct join join;
};

/* Built-in roles that are met everywhere, so that they need not be asked for. */
static const struct {
	const char *guid, *name;
	bool login;
} built_in[] = {
	{ "1c0163c0-47e6-4577-8991-ea5c82e286e4", "Virtual Machine Administrator Login", true },
	{ "fb879df8-f326-4884-b1cf-06f3ad86be52", "Virtual Machine User Login", true },
	{ "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", false },
	{ "b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", false },
	{ "acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", false },
	{ "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", false },
	{ "9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor", false },
};

static void
roles_end(void *ctx)
{
	struct roles *roles = ctx;
	json_t *section = facts_known(&roles->reader->facts, FACT_ROLES), *names = json_array();
	enum fact_maybe login = roles->login ? FACT_YES : FACT_NO;
	const char *id;
	json_t *name;

	json_object_foreach (roles->definitions, id, name)
		if (json_is_string(name))
			json_array_append(names, name);
	FACT_PUT(section, roles, principal, roles->principal);
	FACT_PUT(section, roles, login, roles->unsure && !roles->login ? FACT_MAYBE : login);
	FACT_PUT_JSON(section, roles, names, names);
	join_end(&roles->reader->all);
	json_decref(roles->definitions);
	free(roles->principal);
	free(roles);
}

/* ---- definitions ---- */

/* An action with a star at its end holds all that begin so. */
static bool
holds_login(const json_t *actions)
{
	static const char *const wanted[] = {
		"microsoft.compute/virtualmachines/login/action",
		"microsoft.compute/virtualmachines/loginasadmin/action"
	};
	const json_t *action;
	size_t i;

	json_array_foreach (actions, i, action)
		for (size_t j = 0; j < sizeof(wanted) / sizeof(*wanted); j++)
			if (json_is_string(action) && json_string_length(action) < 256 &&
			    fnmatch(json_string_value(action), wanted[j], FNM_CASEFOLD) == 0)
				return true;
	return false;
}

static void
definition_got(void *ctx, const struct arm_answer *answer)
{
	struct roles *roles = ctx;
	const json_t *permission;
	const char *name = doc_str(answer->body, "properties.roleName");
	size_t i;

	roles->unsure |= answer->why != NULL;
	json_array_foreach (doc_list(answer->body, "properties.permissions"), i, permission)
		roles->login |= holds_login(doc_list(permission, "dataActions")) &&
				!holds_login(doc_list(permission, "notDataActions"));
	if (name != NULL)
		json_object_set_new(roles->definitions, name, json_string(name));
	join_end(&roles->join);
}

static void
ask_definition(struct roles *roles, const char *id)
{
	const char *guid = arm_id_name(id);

	if (json_object_get(roles->definitions, guid) != NULL)
		return;
	json_object_set_new(roles->definitions, guid, json_true());
	for (size_t i = 0; i < sizeof(built_in) / sizeof(*built_in); i++)
		if (strcasecmp(guid, built_in[i].guid) == 0) {
			json_object_set_new(roles->definitions, guid,
					    json_string(built_in[i].name));
			roles->login |= built_in[i].login;
			return;
		}
	if (json_object_size(roles->definitions) > DEFINITIONS_MAX) {
		roles->unsure = true;
		return;
	}
	join_add(&roles->join);
	arm_ask(roles->reader->fetches->arm,
		&(struct arm_ask){ .path = id, .flags = ARM_HAS_FALLBACK }, definition_got, roles);
}

/* ---- assignments ---- */

static void
assignments_got(void *ctx, const struct arm_answer *answer)
{
	struct roles *roles = ctx;
	const json_t *item;
	const char *id;
	size_t i;

	if (answer->why != NULL) {
		facts_settle(&roles->reader->facts, FACT_ROLES, FACT_UNKNOWN,
			     doc_str(answer->why, "cause"), "%s", doc_str(answer->why, "reason"));
		join_end(&roles->reader->all);
		json_decref(roles->definitions);
		free(roles->principal);
		free(roles);
		return;
	}
	roles->unsure = answer->more;
	join_begin(&roles->join, roles_end, roles);
	json_array_foreach (answer->body, i, item)
		if ((id = doc_str(item, "properties.roleDefinitionId")) != NULL && *id == '/')
			ask_definition(roles, id);
	join_end(&roles->join);
}

/* The account of a token is a GUID; anything else does not enter a request. */
static bool
is_guid(const char *text)
{
	return text != NULL && strlen(text) == 36 &&
	       text[strspn(text, "0123456789abcdefABCDEF-")] == '\0';
}

static bool
is_entra(const struct vm_reader *reader)
{
	const char *login = FACT_GET(facts_asked(&reader->facts), asked, login);
	struct vm_extension extension;
	struct vm vm;

	if (vm_from_facts(&reader->facts, &vm, NULL) < 0 || vm.windows)
		return false;
	return (login != NULL && strchr(login, '@') != NULL) ||
	       vm_extension(&reader->facts, &vm, "AADSSHLoginForLinux", &extension);
}

void
read_roles(struct vm_reader *reader)
{
	const char *oid = doc_str(facts_section(&reader->facts, FACT_SIGNIN), "claims.oid");
	struct roles *roles;
	char *path, *query;

	if (!is_entra(reader) || !is_guid(oid))
		return;
	roles = malloc(sizeof(*roles));
	*roles = (struct roles){ .reader = reader,
				 .principal = strdup(oid),
				 .definitions = json_object() };
	path = doc_fmt("%s/providers/Microsoft.Authorization/roleAssignments", reader->id);
	query = doc_fmt("$filter=assignedTo('%s')", oid);
	join_add(&reader->all);
	arm_ask(reader->fetches->arm,
		&(struct arm_ask){ .path = path, .query = query, .flags = ARM_LIST },
		assignments_got, roles);
	free(path);
	free(query);
}
