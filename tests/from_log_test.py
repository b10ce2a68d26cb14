#!/usr/bin/python3
"""--from-log on logs and messages of many clients (tests/data/logs): what each comes to, how surely, and the run that decides.

table.tsv: file, the codes that are right as the cause (|), the confidences that are right (|; "pass" for a login that worked), what the
printed run of azssh-doctor must hold ("-": anything)."""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LOGS = os.path.join(HERE, 'data', 'logs')
PROGRAM = os.path.join(os.environ.get('builddir', os.path.join(HERE, '..', 'build')), 'azssh-doctor')
RESULTS = []


def run(*args, stdin=None):
    return subprocess.run((PROGRAM,) + args, input=stdin, capture_output=True, timeout=60, check=False,
                          env={'PATH': '/nowhere', 'HOME': '/nowhere', 'LC_ALL': 'C.UTF-8'})


def test(name, wrong):
    RESULTS.append((not wrong, name, wrong))


def rows():
    with open(os.path.join(LOGS, 'table.tsv'), encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                yield line.rstrip('\n').split('\t')


def judge(data, codes, confidences, expected):
    """What is wrong with the answer to a log; None for nothing."""
    done = run('--from-log', '-', '-f', 'json', stdin=data)
    if done.stderr or not done.stdout:
        return 'stderr: %s' % done.stderr[:200]
    report = json.loads(done.stdout)
    cause = report['diagnosis']
    if confidences == 'pass':
        return None if done.returncode == 0 and cause is None else '%s, exit %d' % (cause and cause['code'], done.returncode)
    if cause is None:
        return 'no cause: %s' % report['title']
    if cause['code'] not in codes.split('|'):
        return '%s: %s' % (cause['code'], report['findings'][0]['summary'])
    if confidences != '-' and cause['confidence'] not in confidences.split('|'):
        return 'it is %s' % cause['confidence']
    if done.returncode != (3 if cause['status'] == 'unknown' else 1):
        return 'exit %d' % done.returncode
    if len(cause['possible']) > 3:
        return '%d possible causes' % len(cause['possible'])
    if '<' in cause['title'] + cause['why']:
        return 'words with a gap: %s %s' % (cause['title'], cause['why'])
    commands = [each['command'] for each in cause['remedies']]
    if cause['confidence'] != 'certain' and cause['status'] == 'fail' and not commands[0].startswith('azssh-doctor '):
        return 'the first command does not look: %s' % commands[0]
    if expected != '-' and not any(c.startswith('azssh-doctor ') and expected in c for c in commands):
        return 'no run with %s: %s' % (expected, commands)
    return None


# ---- the same log as other programs hand it on ----

def stamped(text):
    return '\n'.join('2026-03-02T10:11:12.345Z [worker-1] %s' % line for line in text.split('\n'))


def coloured(text):
    return '\n'.join('\x1b[31m%s\x1b[0m' % line for line in text.split('\n'))


def as_json(text):
    return json.dumps({'changed': False, 'msg': text}, ensure_ascii=True)


def as_json_twice(text):
    return json.dumps({'msg': json.dumps(text.replace('\n', '\r\n'))})


def quoted(text):
    return '\n'.join('> ' + line for line in text.split('\n'))


MANGLED = {'stamped': stamped, 'coloured': coloured, 'json': as_json, 'json_twice': as_json_twice, 'quoted': quoted}
CODED = {'utf16le': lambda t: t.encode('utf-16'), 'utf16be': lambda t: b'\xfe\xff' + t.encode('utf-16-be'),
         'bom': lambda t: b'\xef\xbb\xbf' + t.encode(), 'crlf': lambda t: t.replace('\r', '').replace('\n', '\r\n').encode()}
SAMPLES = ('openssh-mode.txt', 'openssh-v-offered.log', 'openssh-changed.txt', 'openssh-timeout.txt', 'openssh-kex-closed.txt',
           'well-openssh.log')


def check_tables():
    """Every word of a shape comes to a code, every value that it names has a place."""
    def text(*path):
        with open(os.path.join(HERE, '..', *path), encoding='utf-8') as file:
            return file.read()
    shapes = text('model', 'log_shapes.def')
    shapes = shapes[shapes.index('*/') + 2:]
    causes = set(re.findall(r'LOGGED\("([a-z0-9-]+)"', text('checks', 'log_causes.def')))
    codes = set(re.findall(r'^CODE\(\w+, "([a-z0-9-]+)"', text('checks', 'codes.def'), re.M))
    judged = set(re.findall(r'"([a-z-]+)"', text('checks', 'log.c')))
    words = set(re.findall(r'^(?:SAYS|ENDS|SESSION)\(\w+, "([a-z0-9-]+)"', shapes, re.M))
    faults = set(re.findall(r'WORD\(FAULT_\w+, "([a-z-]+)"\)', text('facts', 'sections.def')))
    used = set(re.findall(r'OWN\(\w+, (FAULT_\w+)', shapes))
    faults = {w for f, w in re.findall(r'WORD\((FAULT_\w+), "([a-z-]+)"\)', text('facts', 'sections.def')) if f in used}
    test('every_word_comes_to_a_code', sorted((words | faults) - causes - codes - judged))
    section = text('facts', 'sections.def').split('SECTION(log)')[1].split('\nEND')[0]
    members = set(re.findall(r'\((\w+)[,)]', section))
    names = set(re.findall(r'\{(\w+)\}', shapes))
    test('every_value_has_a_place', sorted(names - members - {'login', 'command', 'azure', 'remote'}))
    rows = re.findall(r'^\w+\((.*)"\)$', shapes, re.M)
    test('the_lower_shapes_fit', sum(len(row) + 1 for row in rows) > 128 * len(rows))


def main():
    check_tables()
    table = {row[0]: row[1:] for row in rows()}
    for name, (codes, confidences, expected) in table.items():
        with open(os.path.join(LOGS, name), 'rb') as file:
            test(name, judge(file.read(), codes, confidences, expected))
    test('every_log_is_in_the_table', [n for n in os.listdir(LOGS) if n not in table and n != 'table.tsv'])

    for name in SAMPLES:
        codes, confidences, expected = table[name]
        with open(os.path.join(LOGS, name), encoding='utf-8') as file:
            text = file.read()
        for how, make in MANGLED.items():
            test('%s_%s' % (name, how), judge(make(text).encode(), codes, confidences, expected))
        for how, make in CODED.items():
            test('%s_%s' % (name, how), judge(make(text), codes, confidences, expected))

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'log')
        refused = {'binary': bytes(range(256)) * 64, 'huge': b'x' * ((16 << 20) + 1)}
        for name, data in refused.items():
            with open(path, 'wb') as file:
                file.write(data)
            done = run('--from-log', path)
            test('%s_is_refused' % name, None if (done.returncode, done.stdout, done.stderr.count(b'\n')) == (2, b'', 1) else str(done))
        for name, where in {'missing': os.path.join(folder, 'none'), 'folder': folder}.items():
            done = run('--from-log', where)
            test('%s_is_refused' % name, None if (done.returncode, done.stdout, done.stderr.count(b'\n')) == (2, b'', 1) else str(done))
        for beside in (('--host', 'vm'), ('--wait', '5s'), ('vm1', 'vm2'), ('--all',)):
            done = run('--from-log', path, *beside)
            test('%s_beside_it_is_refused' % beside[0], None if (done.returncode, done.stdout) == (2, b'') else str(done))

    # every format, a name for the VM, names that are no names, any bytes
    with open(os.path.join(LOGS, 'openssh-timeout.txt'), 'rb') as file:
        timeout = file.read()
    for form in ('text', 'short', 'json', 'ndjson', 'junit', 'sarif', 'markdown', 'html', 'tap', 'github', 'azdo'):
        done = run('--from-log', '-', '-f', form, stdin=timeout)
        test('format_%s' % form, None if done.returncode == 1 and b'20.51.230.13' in done.stdout and not done.stderr else str(done))
    done = run('--from-log', '-', 'shop-rg/web01', stdin=timeout)
    test('the_vm_that_is_named_is_in_the_run', None if b'azssh-doctor --resource-group shop-rg --host 20.51.230.13 web01' in done.stdout else str(done))
    for hostile in ('$(reboot)', '-oProxyCommand=x', 'a;b', "a'b", 'x`y`', '\x1b]0;x'):
        line = 'ssh: connect to host %s port 22: Connection timed out\n' % hostile
        done = run('--from-log', '-', '-f', 'json', stdin=line.encode())
        report = json.loads(done.stdout)
        argv = [each['argv'] for each in report['diagnosis']['remedies']]
        test('no_command_has_%s' % ascii(hostile), [a for a in argv if a and any(hostile in word for word in a)])
    rng = random.Random(20260302)
    for i in range(20):
        data = bytes(rng.choice(b'debug1: ssh{}*$@\\"\n\r\x1b[{]host port 22: Permission denied (') for _ in range(20000))
        done = run('--from-log', '-', '-f', 'json', stdin=data)
        test('noise_%d' % i, None if done.returncode in (0, 1, 2, 3) else str(done.returncode))

    print('1..%d' % len(RESULTS))
    for number, (good, name, wrong) in enumerate(RESULTS, 1):
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name))
        if wrong:
            print('# %s' % wrong)


if not os.path.exists(PROGRAM):
    print('1..0 # SKIP the program is not built')
    sys.exit(0)
main()
