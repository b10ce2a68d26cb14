#!/usr/bin/python3
"""The JSON Schemas hold: golden reports and facts pass them, and documents that break the contract do not."""
import copy
import glob
import json
import os
import sys

import facts_schema as made

try:
    import jsonschema
except ImportError:
    print('1..0 # SKIP python3-jsonschema is not installed')
    sys.exit(0)

SOURCE = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
RESULTS = []


def load(*path):
    with open(os.path.join(SOURCE, *path), encoding='utf-8') as file:
        return json.load(file)


def test(name, errors, wanted=False):
    """wanted: there must be errors."""
    RESULTS.append((bool(errors) == wanted, name, errors[:3] or ['it passes']))


def errors_of(schema, document):
    validator = jsonschema.Draft7Validator(schema)
    return ['%s: %s' % ('/'.join(map(str, error.absolute_path)), error.message[:200])
            for error in sorted(validator.iter_errors(document), key=str)]


def put(document, path, value):
    """A copy with the member at path set, or taken away when value is None."""
    document = copy.deepcopy(document)
    at = document
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return document


REPORT_BREAKS = {
    'an_unknown_member_of_a_report': (['extra'], 1),
    'a_report_without_its_verdict': (['verdict'], None),
    'a_verdict_of_skip': (['verdict'], 'skip'),
    'an_exit_code_of_five': (['exit_code'], 5),
    'another_schema': (['schema'], 'azssh-doctor/report/2'),
    'a_digest_without_its_kind': (['tool', 'rules'], '0' * 64),
    'a_local_time': (['started'], '2026-01-01 00:00:00'),
    'a_port_in_text': (['target', 'port'], '22'),
    'an_unknown_member_of_the_target': (['target', 'password'], 'x'),
    'a_diagnosis_of_a_pass': (['verdict'], 'pass'),
    'a_diagnosis_with_evidence': (['diagnosis', 'evidence'], {}),
    'a_confidence_of_sure': (['diagnosis', 'confidence'], 'sure'),
    'a_code_in_capitals': (['diagnosis', 'code'], 'NSG'),
    'a_dialect_of_bash': (['diagnosis', 'remedies', 0, 'dialect'], 'bash'),
    'a_remedy_without_runnable': (['diagnosis', 'remedies', 0, 'runnable'], None),
    'a_finding_with_why': (['findings', 0, 'why'], 'x'),
    'a_finding_without_also': (['findings', 0, 'also'], None),
    'evidence_that_is_a_list': (['findings', 0, 'evidence'], []),
    'a_status_of_error': (['findings', 0, 'status'], 'error'),
    'a_hop_of_another_name': (['path', 0, 'hop'], 'moon'),
    'a_hop_state_of_maybe': (['path', 0, 'state'], 'maybe'),
    'a_mode_in_three_digits': (['findings', 1, 'evidence', 'mode'], '644'),
    'an_nsg_verdict_of_maybe': (['findings', 4, 'evidence', 'verdict'], 'maybe'),
    'a_tcp_result_of_closed': (['findings', 6, 'evidence', 'result'], 'closed'),
}

FACTS = {
    'schema': 'azssh-doctor/facts/1', 'started': '2026-01-01T00:00:00Z', 'duration_ms': 1,
    'asked': {'azure': True, 'port': 22},
    'machine': {'client': {'state': 'absent', 'cause': 'not-installed', 'reason': 'no ssh'},
                'keys': {'/home/me/.ssh/id': {'path': '/home/me/.ssh/id', 'present': True, 'mode': '0600', 'encrypted': 'no'}}},
    'azure': {'cloud': {}, 'signin': {'state': 'known', 'credential': 'azure-cli'},
              'resources': {'/subscriptions/s/resourcegroups/g/providers/microsoft.network/networkinterfaces/n': {'id': 'x'}},
              'missing': {'/subscriptions/s': {'state': 'unknown', 'cause': 'forbidden', 'reason': '403', 'status': 403}},
              'lists': {'/subscriptions/s/providers/x/y': {'state': 'known'}},
              'requests': [{'method': 'GET', 'url': 'https://management.azure.com/', 'status': 200, 'ms': 3}]},
    'targets': [{'name': 'myVM', 'vm': {'state': 'known', 'id': '/subscriptions/s'},
                 'commands': {'my-rule': {'state': 'known', 'object': {}}},
                 'wire': {'tcp': {'state': 'known', 'result': 'refused'}}}],
}

FACTS_BREAKS = {
    'another_schema_of_facts': (['schema'], 'azssh-doctor/facts/2'),
    'an_unknown_part_of_the_facts': (['secrets'], {}),
    'a_section_without_state': (['targets', 0, 'vm', 'state'], None),
    'a_section_of_another_state': (['targets', 0, 'vm', 'state'], 'maybe'),
    'a_section_unknown_for_no_reason': (['targets', 0, 'vm'], {'state': 'unknown', 'cause': 'error'}),
    'a_section_unknown_without_cause': (['targets', 0, 'vm'], {'state': 'unknown', 'reason': 'because'}),
    'a_missing_resource_that_is_known': (['azure', 'missing', '/subscriptions/s', 'state'], 'known'),
    'a_resource_key_in_capitals': (['azure', 'resources', '/Subscriptions/S'], {}),
    'a_resource_that_is_no_object': (['azure', 'resources', '/x'], []),
    'a_request_without_url': (['azure', 'requests', 0, 'url'], None),
    'an_unknown_wire_section': (['targets', 0, 'wire', 'telnet'], {'state': 'known'}),
    'a_tcp_result_of_its_own': (['targets', 0, 'wire', 'tcp', 'result'], 'closed'),
    'a_key_mode_as_number': (['machine', 'keys', '/home/me/.ssh/id', 'mode'], 600),
    'a_command_without_state': (['targets', 0, 'commands', 'my-rule'], {}),
}


def main():
    report_schema, facts_schema = load('report', 'report.schema.json'), load('facts', 'facts.schema.json')
    for name, schema in (('report', report_schema), ('facts', facts_schema)):
        try:
            jsonschema.Draft7Validator.check_schema(schema)
            test('the_%s_schema_is_a_schema' % name, [])
        except jsonschema.SchemaError as error:
            test('the_%s_schema_is_a_schema' % name, [str(error)[:200]])
    goldens = sorted(glob.glob(os.path.join(SOURCE, 'tests', 'golden', '*.json')))
    reports = []
    for path in goldens:
        with open(path, encoding='utf-8') as file:
            reports.append(json.load(file))
        test('golden_%s_is_a_report' % os.path.basename(path), errors_of(report_schema, reports[-1]))
    test('several_reports_are_an_array', errors_of(report_schema, reports))
    blocked = load('tests', 'golden', 'blocked.json')
    for name, (path, value) in REPORT_BREAKS.items():
        test(name + '_is_refused', errors_of(report_schema, put(blocked, path, value)), True)
    with open(os.path.join(SOURCE, 'facts', 'facts.schema.json'), encoding='utf-8') as file:
        test('the_facts_schema_is_made_from_the_table', [] if file.read() == made.text() else ['tests/facts_schema.py > facts/facts.schema.json'])
    test('facts_pass', errors_of(facts_schema, FACTS))
    for name, (path, value) in FACTS_BREAKS.items():
        test(name + '_is_refused', errors_of(facts_schema, put(FACTS, path, value)), True)
    for path in sorted(glob.glob(os.path.join(SOURCE, 'tests', 'facts', '*.json'))):
        with open(path, encoding='utf-8') as file:
            test('%s_is_a_facts_document' % os.path.basename(path), errors_of(facts_schema, json.load(file)))
    print('1..%d' % len(RESULTS))
    for number, (good, name, why) in enumerate(RESULTS, 1):
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name))
        if not good:
            for line in why:
                print('# ' + line)


main()
