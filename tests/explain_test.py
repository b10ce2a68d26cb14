#!/usr/bin/python3
"""--explain for every code and check, --list-checks with what each check reads, --permissions with --fix."""
import json
import os
import re
import subprocess
import sys

SOURCE = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
PROGRAM = os.path.join(os.environ.get('builddir', os.path.join(SOURCE, 'build')), 'azssh-doctor')
RESULTS = []
# what no check finds
TOPICS = {'credentials-forgotten', 'log-next'}


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, check=False)


def test(name, wrong):
    RESULTS.append((not wrong, name, wrong))


def table(name, pattern):
    with open(os.path.join(SOURCE, 'checks', name), encoding='utf-8') as file:
        return re.findall(pattern, file.read(), re.M)


def actions(*args):
    return json.loads(run('--permissions', *args).stdout)['Actions']


def main():
    codes = table('codes.def', r'^CODE\(\w+, "([a-z0-9-]+)", (\w+), (\w+), ')
    checks = table('checks.def', r'^(?:CHECK|WORDS)\((\w+), (?:\w+, )?"([a-z0-9-]+)"')
    missing = {'explained': [], 'found': [], 'by_hand': [], 'mistaken': []}
    for code, check, severity in codes:
        done = run('--explain', code)
        text = done.stdout
        if done.returncode != 0 or len(text) < 40 or not text.startswith(code + ': '):
            missing['explained'].append(code)
        if check == 'NONE' or code in TOPICS:
            continue
        if 'Found: ' not in text:
            missing['found'].append(code)
        if 'By hand: ' not in text and 'onfirm' not in text:
            missing['by_hand'].append(code)
        if severity in ('FAIL', 'WARN') and not re.search(r'[Mm]istaken', text):
            missing['mistaken'].append(code)
    for what, wrong in missing.items():
        test('every_code_says_%s' % what, wrong)

    listed = run('--list-checks').stdout
    blocks = {block.split(':')[0]: block for block in re.split(r'\n(?=[a-z0-9-]+: )', '\n' + listed.replace('\r', ''))}
    blocks = {name.strip(): block for name, block in blocks.items()}
    test('every_check_says_what_it_reads', [i for _, i in checks if 'Reads: ' not in blocks.get(i, '')])
    test('every_check_is_explained', [i for _, i in checks if 'Reads: ' not in run('--explain', i).stdout])
    named = set(re.findall(r'Microsoft\.[A-Za-z.]+/[A-Za-z/]+', listed))
    known = actions('--deep', '--guest')
    test('the_actions_of_checks_are_those_of_permissions', sorted(named - set(known)))
    # what every run needs, whatever it checks
    common = {'Microsoft.Resources/subscriptions/resourceGroups/read', 'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read',
              'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/networkInterfaces/read'}
    test('the_actions_of_permissions_are_those_of_checks', sorted(set(known) - named - common))

    fix = actions('--fix')
    test('fix_adds_to_what_is_read', [a for a in actions() if a not in fix])
    test('fix_names_what_remedies_need', [a for a in ('Microsoft.Compute/virtualMachines/start/action',
         'Microsoft.Network/networkSecurityGroups/securityRules/write', 'Microsoft.Compute/virtualMachines/extensions/write') if a not in fix])
    test('no_action_twice', sorted({a for a in fix if fix.count(a) > 1}))
    test('fix_alone_is_refused', None if run('--fix', 'vm').returncode == 2 else 'it is taken')

    for word, wanted in {'nsg-deny-nik': 'nsg-deny-nic', 'vm-stat': 'vm-state', 'lost-acess': 'lost-access', 'timeout': 'tcp-timeout'}.items():
        done = run('--explain', word)
        test('%s_suggests' % word, None if done.returncode == 2 and wanted in done.stderr and not done.stdout else str(done))
    for word in ('lost-access', 'lost-key', 'lost-password', 'credentials-forgotten'):
        done = run('--explain', word)
        test(word, None if 'az vm user update' in done.stdout and done.returncode == 0 else str(done))

    print('1..%d' % len(RESULTS))
    for number, (good, name, wrong) in enumerate(RESULTS, 1):
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name))
        if wrong:
            print('# %s' % str(wrong)[:600])


if not os.path.exists(PROGRAM):
    print('1..0 # SKIP the program is not built')
    sys.exit(0)
main()
