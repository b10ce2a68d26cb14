#!/usr/bin/python3
"""Every code that can be certain has look-alikes, each with a scenario that must not get it: tests/data/lookalikes.yaml. TAP on stdout."""
import os
import re
import sys

try:
    import yaml
except ImportError:
    print('1..0 # SKIP python3-yaml is not installed')
    sys.exit(0)

SOURCE = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
# codes of these checks rest on this computer and on the wire; what Azure reports has no look-alikes yet
CHECKS = {'SSH_CONFIG', 'KEY_FILE', 'KEY_PERMISSIONS', 'KEY_FORMAT', 'KEY_AGENT', 'DNS', 'TCP', 'BANNER', 'KEX', 'HOST_KEY', 'AUTH'}
# known to be missing; whoever adds the scenario takes the word out
MISSING = {'key-refused-unexplained', 'win-key-never-provisioned', 'tcp-reset', 'tcpwrappers-deny', 'hostkey-cert-forged'}


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding='utf-8') as file:
        return file.read()


def certain_codes():
    """The words of codes that some call sets as failed and certain."""
    source = ''.join(read('checks', name) for name in sorted(os.listdir(os.path.join(SOURCE, 'checks'))) if name.endswith('.c'))
    names = {name for call in re.findall(r'finding_set\([^;]*?;', source) if 'FAIL' in call for name in re.findall(r'CODE_(\w+)', call)}
    rows = re.findall(r'^CODE\((\w+), "([a-z0-9-]+)", (\w+), FAIL, ', read('checks', 'codes.def'), re.M)
    return {word for name, word, check in rows if check in CHECKS and name in names}


def scenarios():
    folder = os.path.join(SOURCE, 'tests', 'scenarios')
    for name in os.listdir(folder):
        if name.endswith('.yaml'):
            one = yaml.safe_load(read('tests', 'scenarios', name))
            yield one['name'], one['expect']


def shields(expect, code):
    """The scenario fails when the code is told, or is told with certainty."""
    causes = expect.get('cause')
    return code in (expect.get('not') or []) or (code in (causes if isinstance(causes, list) else [causes])
                                                 and expect.get('confidence') in ('likely', 'possible'))


def main():
    table, played, certain = yaml.safe_load(read('tests', 'data', 'lookalikes.yaml')), dict(scenarios()), certain_codes()
    tests = {
        'every_certain_code_has_a_lookalike': sorted(certain - set(table) - MISSING),
        'what_is_missing_is_missing': sorted(MISSING & set(table)) + sorted(MISSING - certain),
        'no_row_of_a_code_that_is_never_certain': sorted(set(table) - certain),
        'every_scenario_exists_and_excludes_the_code':
            ['%s: %s' % (code, name) for code, rows in table.items() for name in rows if name not in played or not shields(played[name], code)],
    }
    print('1..%d' % len(tests))
    for number, (name, wrong) in enumerate(tests.items(), 1):
        print('%s %d - %s' % ('not ok' if wrong else 'ok', number, name))
        for each in wrong:
            print('# ' + each)
    print('# %d certain codes, %d look-alikes, %d codes without: %s' % (len(certain), sum(len(rows) for rows in table.values()), len(MISSING), ' '.join(sorted(MISSING))))
    return 1 if any(tests.values()) else 0


if __name__ == '__main__':
    sys.exit(main())
