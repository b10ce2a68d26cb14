#!/usr/bin/python3
"""The JSON Schema of the facts, made from facts/sections.def: one definition for each struct, one property for each row.

usage: facts_schema.py > facts/facts.schema.json     schema_test.py compares the file with what this prints

What the table does not say is RULES below: which members are required, and what keys look like."""
import json
import os
import re

SOURCE = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

TEXT = {'type': 'string'}
WHOLE = {'type': ['integer', 'string'], 'pattern': '^-?[0-9]+$'}    # ssh -G writes numbers as texts, and both are read
FORMS = {'FINGERPRINT': {'type': 'string', 'pattern': '^SHA256:'}, 'MODE': {'type': 'string', 'pattern': '^[0-7]{4}$'},
         'TIME': {'type': 'string', 'pattern': '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'}}
LOWER = {'propertyNames': {'pattern': '^/[^A-Z]*$'}}
RULES = {
    'document': {'required': ['schema', 'started', 'machine', 'azure', 'targets'], 'additionalProperties': False},
    'azure': {'required': ['resources', 'missing', 'requests']},
    'request': {'required': ['method', 'url']},
    'key': {'required': ['path', 'present']},
    'wire': {'additionalProperties': False},
}
MEMBERS = {
    ('document', 'schema'): {'const': 'azssh-doctor/facts/1'},
    ('azure', 'missing'): LOWER,
    ('missing', 'state'): {'enum': ['absent', 'unknown', 'not-asked']},
    ('azure', 'lists'): {'additionalProperties': {'$ref': '#/definitions/list'}},
}
# how a section is settled; one that is pending is not there at all
SECTION = {
    'type': 'object', 'required': ['state'],
    'properties': {'state': {'enum': ['known', 'absent', 'unknown', 'not-asked']},
                   'cause': {'type': 'string', 'pattern': '^[a-z][a-z0-9-]*$'}, 'reason': {'type': 'string', 'minLength': 1}},
    'if': {'properties': {'state': {'const': 'known'}}}, 'else': {'required': ['state', 'cause', 'reason']},
}
LIST = {'oneOf': [{'type': 'object', 'required': ['state'], 'properties': {'state': {'const': 'known'}}}, {'$ref': '#/definitions/missing'}]}


def table():
    """The words, and the rows of each struct, in the order of the file."""
    with open(os.path.join(SOURCE, 'facts', 'sections.def'), encoding='utf-8') as file:
        text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)
    text = text[text.index('\n#endif') + 1:]
    words, structs, at = {}, {}, None
    for name, arguments in re.findall(r'^(\w+)\(([^)]*)\)|^(?:END|ENDWORDS)$', text, flags=re.M):
        values = [each.strip() for each in arguments.split(',')]
        if name == 'WORDS':
            at = words.setdefault(values[0], [])
        elif name == 'WORD':
            at += [json.loads(values[1])] if values[1] != 'NULL' else []
        elif name in ('STRUCT', 'SECTION'):
            at = structs.setdefault(values[0], {'section': name == 'SECTION', 'rows': []})['rows']
        elif name:
            at.append((name, values))
    return words, structs


def property_of(kind, values, words):
    """The schema of one row."""
    ref = {'$ref': '#/definitions/' + values[1]} if len(values) > 1 and kind in ('PART', 'SOME', 'LIST', 'MAP') else None
    if kind == 'FORM':
        return FORMS[values[1]]
    if kind == 'WORD_OF':
        return {'enum': words[values[1]]}
    return {'TEXT': TEXT, 'KEY': TEXT, 'INT': WHOLE, 'COUNT': {'type': 'integer', 'minimum': 0}, 'BOOL': {'type': 'boolean'},
            'MAYBE': {'type': 'boolean'}, 'TEXTS': {'type': 'array', 'items': TEXT}, 'PART': ref, 'SOME': ref, 'LIST': {'type': 'array', 'items': ref},
            'MAP': {'type': 'object', 'additionalProperties': ref}, 'JSON': {},
            'BODIES': dict({'type': 'object', 'additionalProperties': {'type': 'object'}}, **LOWER)}[kind]


def definition_of(name, struct, words):
    body = {'type': 'object', 'properties': {}}
    for kind, values in struct['rows']:
        if kind != 'REST':
            key = values[0].rstrip('_')
            body['properties'][key] = dict(property_of(kind, values, words), **MEMBERS.get((name, key), {}))
    for (owner, key), rule in MEMBERS.items():
        if owner == name and key not in body['properties']:
            body['properties'][key] = rule
    body.update(RULES.get(name, {}))
    return {'allOf': [{'$ref': '#/definitions/section'}, body]} if struct['section'] else body


def schema():
    words, structs = table()
    return {
        '$schema': 'http://json-schema.org/draft-07/schema#', '$id': 'urn:azssh-doctor:facts:1',
        'title': 'azssh-doctor facts, version 1: made from facts/sections.def; open to further members',
        'allOf': [{'$ref': '#/definitions/document'}],
        'definitions': dict({name: definition_of(name, struct, words) for name, struct in structs.items()}, section=SECTION, list=LIST),
    }


def text():
    return json.dumps(schema(), indent=1) + '\n'


if __name__ == '__main__':
    print(text(), end='')
