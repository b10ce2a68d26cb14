/* Rule files that are wrong in one way each: what is said, and where. Line and column are part of
 * the contract. */
static const struct bad {
	const char *name, *text, *at, *says;
} bad_files[] = {
	{ "empty", "", "1:1", "\"\" is empty; accepted: version, checks, custom, waivers" },
	{ "only_a_comment", "# nothing\n", "1:1",
	  "\"\" is empty; accepted: version, checks, custom, waivers" },
	{ "only_dashes", "---\n", "2:1",
	  "\"\" is not accepted here; accepted: a map with version, checks, custom," },
	{ "a_list_on_top", "- version: 1\n", "1:1",
	  "a list is not accepted here; accepted: a map with version, checks, custom, waivers" },
	{ "a_word_on_top", "hello\n", "1:1",
	  "\"hello\" is not accepted here; accepted: a map with version, checks," },
	{ "version_missing", "checks: {}\n", "1:1",
	  "\"version\" is missing; accepted: version: 1" },
	{ "version_two", "version: 2\n", "1:10", "\"2\" is not accepted here; accepted: 1" },
	{ "version_in_quotes", "version: \"1\"\n", "1:10",
	  "\"1\" is not accepted here; accepted: 1" },
	{ "version_a_list", "version: [1]\n", "1:10", "a list is not accepted here; accepted: 1" },
	{ "unknown_top_key", "version: 1\ncheck: {}\n", "2:1",
	  "\"check\" is not a key here; accepted: version, checks, custom, waivers" },
	{ "duplicate_top_key", "version: 1\nchecks: {}\nchecks: {}\n", "3:1",
	  "\"checks\" appears twice; accepted: each key once" },
	{ "second_document", "version: 1\n---\nversion: 1\n", "2:1",
	  "\"---\" starts a second document; accepted: one" },
	{ "tab_in_indentation", "version: 1\nchecks:\n\tnsg: {}\n", "3:1",
	  "\"\\tnsg: {}\" is indented by a tab; accepted: blanks" },
	{ "tab_after_blanks", "version: 1\nchecks:\n  \tnsg: {}\n", "3:3",
	  "\"\\tnsg: {}\" is indented by a tab; accepted: blanks" },
	{ "control_character", "version: 1\n# \x01\n", "2:3",
	  "\"\\x01\" starts with a control character; accepted: text" },
	{ "delete_character", "version: 1\ncustom: [\x7f]\n", "2:10",
	  "\"\\x7f]\" starts with a control character; accepted: text" },
	{ "escaped_control_character",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"a\\eb\"\n",
	  "6:16", "\"a\\x1bb\" holds the character U+001B; accepted: visible characters and line" },
	{ "escaped_nul",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"a\\0b\"\n",
	  "6:16", "\"a\" holds the character U+0000; accepted: visible characters and line" },
	{ "bidi_override",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"a\xe2\x80\xae"
	  "b\"\n",
	  "6:16", "\"a\\u202eb\" holds the character U+202E; accepted: visible characters and" },
	{ "zero_width",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"a\xe2\x80\x8b"
	  "b\"\n",
	  "6:16", "\"a\\u200bb\" holds the character U+200B; accepted: visible characters and" },
	{ "invalid_utf8", "version: 1\n# \xff\n", "2:3",
	  "\"\\xff\" is not UTF-8; accepted: UTF-8 text" },
	{ "overlong_utf8", "version: 1\nchecks: {nsg: {enabled: \xc0\xaf}}\n", "2:25",
	  "\"\\xc0\\xaf}}\" is not UTF-8; accepted: UTF-8 text" },
	{ "unclosed_quote",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"a\n", "6:16",
	  "\"\"a\" is not YAML here: found unexpected end of stream; accepted: YAML 1.1" },
	{ "unclosed_list", "version: 1\ncustom: [\n", "3:1",
	  "\"\" is not YAML here: did not find expected node content; accepted: YAML 1.1" },
	{ "bad_indentation", "version: 1\nchecks:\n  nsg:\n    enabled: true\n   params: {}\n",
	  "5:4", "\"params: {}\" is not YAML here: did not find expected key; accepted: YAML" },
	{ "value_twice", "version: 1\nchecks: a: b\n", "2:10",
	  "\": b\" is not YAML here: mapping values are not allowed in this context;" },
	{ "tag", "version: 1\nchecks: !!map {}\n", "2:9",
	  "\"!!map {}\" has a tag; accepted: plain and quoted text, lists and maps" },
	{ "tag_on_text",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: !secret abc\n",
	  "6:16", "\"!secret abc\" has a tag; accepted: plain and quoted text, lists and maps" },
	{ "unknown_alias", "version: 1\nchecks: *here\n", "2:9",
	  "\"*here\" is an alias of nothing; accepted: the name of an anchor before it" },
	{ "alias_within_itself", "version: 1\nchecks: &all\n  nsg: *all\n", "3:8",
	  "\"*all\" is an alias of a value that holds it; accepted: an anchor that ends" },
	{ "exploding_aliases",
	  "version: 1\na: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, "
	  "*a, *a, *a]\n"
	  "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, "
	  "*c, *c]\n"
	  "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n",
	  "6:36", "\"*d, *d, *d]\" is an alias that makes the file too large; accepted: at most" },
	{ "too_deep",
	  "version: 1\nchecks: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
	  "2:32", "\"[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\" is too much; accepted: at most" },
	{ "list_as_key", "version: 1\n[a]: b\n", "2:1", "a list is not a key; accepted: a word" },
	{ "map_as_key", "version: 1\n? {a: b}\n: c\n", "2:3",
	  "a map is not a key; accepted: a word" },
	{ "checks_a_list", "version: 1\nchecks: [nsg]\n", "2:9",
	  "a list is not accepted here; accepted: a map of checks" },
	{ "checks_nothing", "version: 1\nchecks:\n", "2:8",
	  "\"\" is not accepted here; accepted: a map of checks" },
	{ "unknown_check", "version: 1\nchecks:\n  ngs: {}\n", "3:3", "\"ngs\" is not a check" },
	{ "check_a_word", "version: 1\nchecks:\n  nsg: off\n", "3:8",
	  "\"off\" is not accepted here; accepted: a map with enabled, params," },
	{ "unknown_check_key", "version: 1\nchecks:\n  nsg:\n    enable: true\n", "4:5",
	  "\"enable\" is not a key here; accepted: enabled, params, evidence, ways, codes" },
	{ "enabled_maybe", "version: 1\nchecks:\n  nsg:\n    enabled: maybe\n", "4:14",
	  "\"maybe\" is not accepted here; accepted: true or false" },
	{ "enabled_quoted", "version: 1\nchecks:\n  nsg:\n    enabled: \"true\"\n", "4:14",
	  "\"true\" is not accepted here; accepted: true or false" },
	{ "enabled_yes", "version: 1\nchecks:\n  nsg:\n    enabled: yes\n", "4:14",
	  "\"yes\" is not accepted here; accepted: true or false" },
	{ "params_a_list", "version: 1\nchecks:\n  nsg:\n    params: []\n", "4:13",
	  "a list is not accepted here; accepted: a map of parameters: lower-case letters," },
	{ "unknown_param", "version: 1\nchecks:\n  nsg:\n    params: {no_such_param: 5}\n", "4:14",
	  "\"no_such_param\" is not a parameter of nsg" },
	{ "evidence_a_word", "version: 1\nchecks:\n  nsg:\n    evidence: rule\n", "4:15",
	  "\"rule\" is not accepted here; accepted: a list of evidence keys" },
	{ "evidence_bad_name", "version: 1\nchecks:\n  nsg:\n    evidence: [rule, Bad-Name]\n",
	  "4:22", "\"Bad-Name\" is not accepted here; accepted: an evidence key: lower-case" },
	{ "codes_a_list", "version: 1\nchecks:\n  nsg:\n    codes: []\n", "4:12",
	  "a list is not accepted here; accepted: a map of codes: lower-case words joined by" },
	{ "code_in_capitals", "version: 1\nchecks:\n  nsg:\n    codes:\n      My-Code: {}\n", "5:7",
	  "\"My-Code\" is not accepted here; accepted: a map of codes: lower-case words" },
	{ "code_with_underscore", "version: 1\nchecks:\n  nsg:\n    codes:\n      my_code: {}\n",
	  "5:7", "\"my_code\" is not accepted here; accepted: a map of codes: lower-case words" },
	{ "code_ends_with_dash", "version: 1\nchecks:\n  nsg:\n    codes:\n      my-: {}\n", "5:7",
	  "\"my-\" is not accepted here; accepted: a map of codes: lower-case words" },
	{ "code_twice",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "      my-code: {}\n",
	  "8:7", "\"my-code\" appears twice; accepted: each key once" },
	{ "code_without_title",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        why: w\n", "5:7",
	  "\"my-code\" has no title; accepted: a code with title and why" },
	{ "code_without_why",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n", "5:7",
	  "\"my-code\" has no why; accepted: a code with title and why" },
	{ "code_without_words",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        severity: warn\n",
	  "5:7", "\"my-code\" has no title; accepted: a code with title and why" },
	{ "unknown_code_key",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        tittle: t\n", "6:9",
	  "\"tittle\" is not a key here; accepted: severity, title, why, explain, docs," },
	{ "severity_error",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        severity: error\n",
	  "6:19", "\"error\" is not accepted here; accepted: fail or warn" },
	{ "severity_number",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        severity: 1\n", "6:19",
	  "\"1\" is a number; accepted: fail or warn" },
	{ "title_a_number",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: 22\n", "6:16",
	  "\"22\" is a number; accepted: text, in quotes" },
	{ "title_a_truth_value",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: true\n", "6:16",
	  "\"true\" is a truth value; accepted: text, in quotes" },
	{ "title_nothing",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title:\n        why: "
	  "w\n",
	  "6:15", "\"\" is not accepted here; accepted: text" },
	{ "title_empty",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"\"\n", "6:16",
	  "\"\" is not accepted here; accepted: text" },
	{ "title_a_map",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: {a: b}\n",
	  "6:16", "a map is not accepted here; accepted: text" },
	{ "docs_http",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        docs: "
	  "http://example.org/\n",
	  "6:15", "\"http://example.org/\" is not accepted here; accepted: an address that" },
	{ "docs_with_blank",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        docs: "
	  "\"https://example.org/a b\"\n",
	  "6:15", "\"https://example.org/a b\" is not accepted here; accepted: an address that" },
	{ "explains_a_word",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        explains: "
	  "tcp-timeout\n",
	  "6:19", "\"tcp-timeout\" is not accepted here; accepted: a list of codes" },
	{ "explains_unknown",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        explains: [no-such-code]\n",
	  "8:20",
	  "\"no-such-code\" is not a known code; accepted: a code or check of the rule set" },
	{ "unknown_dialect",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        remedies: {bash: []}\n",
	  "6:20", "\"bash\" is not accepted here; accepted: az, powershell, shell or portal" },
	{ "remedies_a_word",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        remedies: none\n",
	  "6:19", "\"none\" is not accepted here; accepted: a list of remedies" },
	{ "remedy_without_dialect",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {argv: [x]}\n",
	  "9:13", "\"dialect\" is missing; accepted: dialect: az, powershell, shell or portal" },
	{ "remedy_of_another_dialect",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: bash, argv: [x]}\n",
	  "9:23", "\"bash\" is not accepted here; accepted: az, powershell, shell or portal" },
	{ "remedy_without_command",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, title: t}\n",
	  "9:13", "\"argv\" is missing; accepted: argv: text, a list of arguments, or" },
	{ "remedy_with_two_commands",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x], text: x}\n",
	  "9:13", "\"text\" conflicts with \"argv\"; accepted: one of them" },
	{ "portal_with_argv",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: portal, argv: [x]}\n",
	  "9:13", "\"text\" is missing; accepted: text: text" },
	{ "run_in_the_new_form",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, run: x}\n",
	  "9:13", "\"argv\" is missing; accepted: argv: text, a list of arguments, or" },
	{ "remedy_a_plain_word",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - x\n",
	  "9:13", "\"x\" is not accepted here; accepted: a map with dialect, and argv or text" },
	{ "argv_empty",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: []}\n",
	  "9:33",
	  "a list is not accepted here; accepted: text, a list of arguments, or a list of such "
	  "lists" },
	{ "argv_a_map",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: {a: b}}\n",
	  "9:33",
	  "a map is not accepted here; accepted: text, a list of arguments, or a list of such "
	  "lists" },
	{ "argv_with_an_empty_step",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [[x], []]}\n",
	  "9:39",
	  "a list is not accepted here; accepted: text, a list of arguments, or a list of such" },
	{ "argv_of_words_and_steps",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x, [y]]}\n",
	  "9:37", "a list is not accepted here; accepted: a word, or {script: ...}" },
	{ "argv_with_another_map",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x, {json: y}]}\n",
	  "9:37", "a map is not accepted here; accepted: a word, or {script: ...}" },
	{ "argv_with_json",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [az, rest, --body, '{\"a\": "
	  "\"{vm}\"}']}\n",
	  "9:33",
	  "\"argv\" has a placeholder in JSON; accepted: one placeholder for the whole value" },
	{ "argv_with_a_query",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [az, --query, "
	  "\"[?name=='{vm}']\"]}\n",
	  "9:33",
	  "\"argv\" has a placeholder in JSON; accepted: one placeholder for the whole value" },
	{ "script_with_double_quotes",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [sh, -c, {script: 'echo "
	  "\"{vm}\"'}]}\n",
	  "9:33", "\"argv\" has a placeholder in quotes; accepted: a placeholder on its own" },
	{ "script_in_text",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, text: \"az vm run-command --scripts 'echo "
	  "{vm}'\"}\n",
	  "9:33",
	  "\"az vm run-command --scripts 'echo {vm}'\" has a placeholder in a script; accepted: "
	  "argv with {script: ...} in it" },
	{ "script_beside_quotes",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, text: \"sh -c 'echo '{vm}\"}\n",
	  "9:33", "\"sh -c 'echo '{vm}\" has a placeholder in a script; accepted: argv with" },
	{ "script_after_equals",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, text: \"az x --scripts={vm}\"}\n",
	  "9:33", "\"az x --scripts={vm}\" has a placeholder in a script; accepted: argv with" },
	{ "double_quotes_in_text",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, text: 'echo \"{vm}\"'}\n",
	  "9:33", "\"echo \"{vm}\"\" has a placeholder in quotes; accepted: a placeholder on" },
	{ "json_in_text",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, text: \"az rest --body '[{vm}]'\"}\n",
	  "9:33",
	  "\"az rest --body '[{vm}]'\" has a placeholder in quotes; accepted: a placeholder on" },
	{ "unclosed_quote_in_undo",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x], undo: \"echo 'a\"}\n",
	  "9:44", "\"echo 'a\" leaves a ' open; accepted: a whole command" },
	{ "unknown_placeholder_in_argv",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [az, vm, \"{name_of_vm}\"]}\n",
	  "9:42", "\"name_of_vm\" is not a placeholder of nsg" },
	{ "unknown_placeholder_in_undo",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x], undo: [az, \"{prot}\"]}\n",
	  "9:49", "\"prot\" is not a placeholder of nsg" },
	{ "changes_unknown",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x], changes: all}\n",
	  "9:47",
	  "\"all\" is not accepted here; accepted: nothing, this-computer, azure or guest" },
	{ "needs_a_word",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x], needs: a/b}\n",
	  "9:45", "\"a/b\" is not accepted here; accepted: a list of Azure actions" },
	{ "needs_no_action",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        remedies:\n          - {dialect: az, argv: [x], needs: [all]}\n",
	  "9:46", "\"all\" is not accepted here; accepted: an Azure action, such as" },
	{ "dialect_a_map",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        remedies: {az: {run: "
	  "x}}\n",
	  "6:24", "a map is not accepted here; accepted: a list of remedies" },
	{ "remedy_a_word",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        remedies: {az: [x]}\n",
	  "6:25", "\"x\" is not accepted here; accepted: a map with dialect, and argv or text" },
	{ "remedy_without_run",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        remedies: {az: "
	  "[{title: t}]}\n",
	  "6:25", "\"run\" is missing; accepted: run: text" },
	{ "remedy_with_steps",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        remedies: {az: "
	  "[{steps: t}]}\n",
	  "6:25", "\"run\" is missing; accepted: run: text" },
	{ "portal_with_run",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        remedies: {portal: "
	  "[{run: t}]}\n",
	  "6:29", "\"steps\" is missing; accepted: steps: text" },
	{ "unknown_remedy_key",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n"
	  "        remedies: {az: [{run: t, costs: none}]}\n",
	  "6:34",
	  "\"costs\" is not a key here; accepted: dialect, title, when, unless, argv, text," },
	{ "unknown_placeholder_in_title",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"port "
	  "{prot}\"\n"
	  "        why: w\n",
	  "6:16", "\"prot\" is not a placeholder of nsg" },
	{ "unknown_placeholder_in_run",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"t\"\n        "
	  "why: \"w\"\n"
	  "        remedies:\n          az:\n            - run: \"az vm start -n {name_of_vm}\"\n",
	  "10:20", "\"name_of_vm\" is not a placeholder of nsg" },
	{ "unknown_placeholder_in_decide",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: t\n        why: "
	  "w\n"
	  "        decide: \"x {y}\"\n",
	  "8:17", "\"y\" is not a placeholder of nsg" },
	{ "unknown_when",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"t\"\n        "
	  "why: \"w\"\n"
	  "        remedies:\n          az:\n            - {run: x, when: nothing_known}\n",
	  "10:30", "\"nothing_known\" is not a placeholder of nsg" },
	{ "unclosed_quote_in_run",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"t\"\n        "
	  "why: \"w\"\n"
	  "        remedies:\n          az:\n            - run: \"echo 'a\"\n",
	  "10:20", "\"echo 'a\" leaves a ' open; accepted: a whole command" },
	{ "backquote_in_run",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"t\"\n        "
	  "why: \"w\"\n"
	  "        remedies:\n          az:\n            - run: \"echo `id`\"\n",
	  "10:20", "\"echo `id`\" holds a backquote; accepted: $(...)" },
	{ "dollar_before_placeholder",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"t\"\n        "
	  "why: \"w\"\n"
	  "        remedies:\n          az:\n            - run: \"echo ${vm}\"\n",
	  "10:20", "\"echo ${vm}\" has a $ before a placeholder" },
	{ "backslash_before_placeholder",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"t\"\n        "
	  "why: \"w\"\n"
	  "        remedies:\n          az:\n            - run: 'echo \\{vm}'\n",
	  "10:20", "\"echo \\{vm}\" has an escape character before a placeholder" },
	{ "unclosed_substitution",
	  "version: 1\nchecks:\n  nsg:\n    codes:\n      my-code:\n        title: \"t\"\n        "
	  "why: \"w\"\n"
	  "        remedies:\n          az:\n            - run: \"echo $(id\"\n",
	  "10:20", "\"echo $(id\" leaves a ( open; accepted: a whole command" },
	{ "words_lose_their_evidence",
	  "version: 1\nchecks:\n  nsg:\n    evidence: [vm]\n    codes:\n"
	  "      my-code: {title: \"{rule}\", why: w}\n",
	  "6:24", "\"rule\" is not a placeholder of nsg" },
	{ "custom_a_map", "version: 1\ncustom: {}\n", "2:9",
	  "a map is not accepted here; accepted: a list of custom rules" },
	{ "custom_a_word", "version: 1\ncustom: [x]\n", "2:10",
	  "\"x\" is not accepted here; accepted: a map with id, type, title" },
	{ "custom_without_type", "version: 1\ncustom: [{id: x}]\n", "2:10",
	  "\"type\" is missing; accepted: type: fact or command" },
	{ "custom_unknown_type", "version: 1\ncustom: [{id: x, type: shell}]\n", "2:24",
	  "\"shell\" is not accepted here; accepted: fact or command" },
	{ "custom_without_id",
	  "version: 1\ncustom: [{type: fact, title: t, pointer: /a, exists: true, codes: {}}]\n",
	  "2:10", "\"id\" is missing; accepted: id: a code: lower-case words joined by '-'" },
	{ "custom_with_a_checks_id",
	  "version: 1\ncustom:\n  - id: nsg\n    type: fact\n    title: t\n    pointer: /a\n    "
	  "exists: true\n"
	  "    codes: {nsg: {title: t, why: w}}\n",
	  "3:9", "\"nsg\" is taken; accepted: an id that no check and no other custom rule has" },
	{ "custom_twice",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    exists: true\n    codes: {my-fact: {title: t, why: w}}\n  - id: my-fact\n    type: "
	  "fact\n"
	  "    title: t\n    pointer: /a\n    exists: true\n    codes: {}\n",
	  "9:9", "\"my-fact\" is taken; accepted: an id that no check and no other custom rule" },
	{ "fact_without_pointer",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    exists: true\n"
	  "    codes: {my-fact: {title: t, why: w}}\n",
	  "3:5", "\"pointer\" is missing; accepted: pointer: a JSON Pointer: /like/this, with" },
	{ "fact_pointer_without_slash",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: a/b\n"
	  "    exists: true\n    codes: {my-fact: {title: t, why: w}}\n",
	  "6:14", "\"a/b\" is not accepted here; accepted: a JSON Pointer: /like/this, with ~1" },
	{ "fact_pointer_bad_escape",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a~2\n"
	  "    exists: true\n    codes: {my-fact: {title: t, why: w}}\n",
	  "6:14", "\"/a~2\" is not accepted here; accepted: a JSON Pointer: /like/this, with ~1" },
	{ "fact_without_comparison",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    codes: {my-fact: {title: t, why: w}}\n",
	  "3:5", "a comparison is missing; accepted: exactly one of exists, absent, equals," },
	{ "fact_with_two_comparisons",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    exists: true\n    equals: 1\n    codes: {my-fact: {title: t, why: w}}\n",
	  "8:5", "\"equals\" conflicts with \"exists\"; accepted: exactly one of exists, absent," },
	{ "fact_exists_false",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    exists: false\n    codes: {my-fact: {title: t, why: w}}\n",
	  "7:13", "\"false\" is not accepted here; accepted: true" },
	{ "fact_less_than_a_word",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n   "
	  " less: ten\n"
	  "    codes: {my-fact: {title: t, why: w}}\n",
	  "7:11", "\"ten\" is not accepted here; accepted: a number" },
	{ "fact_in_a_word",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n   "
	  " in: ten\n"
	  "    codes: {my-fact: {title: t, why: w}}\n",
	  "7:9", "\"ten\" is not accepted here; accepted: a list of values" },
	{ "fact_broken_expression",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    matches: \"a(\"\n    codes: {my-fact: {title: t, why: w}}\n",
	  "7:14", "\"a(\" is not accepted here; accepted: an extended regular expression of at" },
	{ "fact_back_reference",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    matches: '(a)\\1'\n    codes: {my-fact: {title: t, why: w}}\n",
	  "7:14", "\"(a)\\1\" is not accepted here; accepted: an extended regular expression of" },
	{ "fact_exploding_expression",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    matches: '((a{1,64}){1,64}){1,64}'\n    codes: {my-fact: {title: t, why: w}}\n",
	  "7:14", "\"((a{1,64}){1,64}){1,64}\" is not accepted here; accepted: an extended" },
	{ "fact_without_words",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    exists: true\n    codes: {}\n",
	  "3:9", "\"my-fact\" has no words; accepted: an entry of that name under codes" },
	{ "fact_unknown_placeholder",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    exists: true\n    codes: {my-fact: {title: \"{rule}\", why: w}}\n",
	  "8:30", "\"rule\" is not a placeholder of my-fact" },
	{ "fact_with_argv",
	  "version: 1\ncustom:\n  - id: my-fact\n    type: fact\n    title: t\n    pointer: /a\n"
	  "    exists: true\n    argv: [x]\n    codes: {my-fact: {title: t, why: w}}\n",
	  "8:5",
	  "\"argv\" is not a key here; accepted: id, type, title, pointer, exists, absent," },
	{ "command_without_argv", "version: 1\ncustom: [{id: x, type: command, title: t}]\n",
	  "2:10", "\"argv\" is missing; accepted: argv: a list of words, the program first" },
	{ "command_argv_a_word",
	  "version: 1\ncustom: [{id: x, type: command, title: t, argv: /bin/true}]\n", "2:49",
	  "\"/bin/true\" is not accepted here; accepted: a list of words, the program" },
	{ "command_argv_empty",
	  "version: 1\ncustom: [{id: x, type: command, title: t, argv: []}]\n", "2:49",
	  "\"[]\" names no program; accepted: a list of words, the program first" },
	{ "command_deadline_too_long",
	  "version: 1\ncustom: [{id: x, type: command, title: t, argv: [a], deadline: 10m}]\n",
	  "2:64", "\"10m\" is not accepted here; accepted: a duration of at most 2 minutes," },
	{ "command_deadline_a_number",
	  "version: 1\ncustom: [{id: x, type: command, title: t, argv: [a], deadline: 5}]\n",
	  "2:64", "\"5\" is a number; accepted: a duration of at most 2 minutes, such as 500ms," },
	{ "command_deadline_no_unit",
	  "version: 1\ncustom: [{id: x, type: command, title: t, argv: [a], deadline: \"5\"}]\n",
	  "2:64", "\"5\" is not accepted here; accepted: a duration of at most 2 minutes, such" },
	{ "waivers_a_map", "version: 1\nwaivers: {}\n", "2:10",
	  "a map is not accepted here; accepted: a list of waivers" },
	{ "waiver_without_code", "version: 1\nwaivers: [{reason: r, expires: 2027-01-01}]\n",
	  "2:11", "\"code\" is missing; accepted: code: a code: lower-case words joined by '-'" },
	{ "waiver_without_expiry", "version: 1\nwaivers: [{code: a, reason: r}]\n", "2:11",
	  "\"expires\" is missing; accepted: expires: a date, such as 2027-01-31" },
	{ "waiver_bad_date", "version: 1\nwaivers: [{code: a, reason: r, expires: 2027-02-30}]\n",
	  "2:41", "\"2027-02-30\" is not accepted here; accepted: a date, such as 2027-01-31" },
	{ "waiver_other_date", "version: 1\nwaivers: [{code: a, reason: r, expires: 1.1.2027}]\n",
	  "2:41", "\"1.1.2027\" is not accepted here; accepted: a date, such as 2027-01-31" },
	{ "waiver_unknown_key",
	  "version: 1\nwaivers: [{code: a, reason: r, expires: 2027-01-01, by: me}]\n", "2:53",
	  "\"by\" is not a key here; accepted: code, resource, reason, owner, expires" },
	{ "two_errors_give_the_first", "version: 1\nchecks:\n  ngs: {}\nwaivers: {}\n", "3:3",
	  "\"ngs\" is not a check" },
	{ "carriage_returns", "version: 1\nchecks:\r\n  ngs: {}\r\n", "3:3",
	  "\"ngs\" is not a check" },
	{ "quotes_long_values",
	  "version: 1\n"
	  "checks: "
	  "{xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxx: {}}\n",
	  "2:10",
	  "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is not a check" },
	{ "columns_count_characters",
	  "version: 1\nwaivers: [{reason: \"\xc3\xa4\xc3\xa4\xc3\xa4\", cod: a}]\n", "2:27",
	  "\"cod\" is not a key here; accepted: code, resource, reason, owner, expires" },
};
