/* Rule files: whatever stands in them, the parser ends, says one sentence or makes a set whose
 * words can be filled in. */
#include "rules/rules.h"
#include "checks/finding.h"
#include "facts/doc.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char base[] =
    "version: 1\nchecks:\n  nsg:\n    enabled: true\n    params: {least: 1}\n    evidence: [rule, "
    "port]\n    codes:\n      base-code: {title: '{rule}', why: '{vm}', remedies: [{dialect: az, "
    "argv: [x, '{rule}', {script: 'y {rule}'}]}]}\ncustom: []\nwaivers: []\n";

static void
use(const struct rules *rules)
{
	const json_t *expired;
	static const char *const dialects[] = { "az", "powershell", "portal", NULL };
	json_t *globals = json_pack("{s:s}", "vm", "a 'b\" $(c)");
	struct rule rule = rules_for(rules, "nsg");

	for (size_t i = 0; i < rule.code_count; i++) {
		struct finding finding;

		finding_init(&finding, "nsg");
		finding_custom(&finding, FAIL, rule.codes[i].code, "s");
		finding_text(&finding, "rule", "x\"y'`z$");
		if (finding_fill_in(&finding, rules, globals, dialects) < 0)
			abort();
		finding_free(&finding);
	}
	rules_waiver(rules, "a-code", "/subscriptions/s/resourceGroups/g/providers/p/t/n",
		     1767225600, &expired);
	json_decref(globals);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct rules *rules = NULL;
	struct err err = { "" };
	int r;

	if (rules_text(&rules, "base", base, sizeof(base) - 1, &err) < 0)
		abort();
	r = rules_layer_text(rules, "fuzz", (const char *)data, size, &err);
	if (r < 0 && err.text[0] == '\0')
		abort();
	if (r == 0)
		use(rules);
	rules_free(rules);
	return 0;
}
