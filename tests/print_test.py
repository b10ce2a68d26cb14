#!/usr/bin/python3
"""--print-config writes a block that the real ssh reads as it was meant, --print-fix one command and nothing else."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(os.environ.get('builddir', os.path.join(HERE, '..', 'build')), 'azssh-doctor')
RESULTS = []
KEY = {'path': '/home/me/.ssh/id', 'present': True, 'regular': True, 'readable': True, 'mode': '0600', 'uid': 1000, 'owned': True, 'kind': 'private',
       'format': 'openssh', 'type': 'ssh-ed25519', 'bits': 256, 'encrypted': 'no', 'loads': True, 'fingerprint': 'SHA256:mine', 'azure': 'accept'}


def test(name, wrong):
    RESULTS.append((not wrong, name, wrong))


def facts(key=KEY, **config):
    """A VM at which the key is accepted."""
    with open(os.path.join(HERE, 'facts', 'local-base.json'), encoding='utf-8') as file:
        doc = json.load(file)
    target = doc['targets'][0]
    doc['asked'].update({'azure': False, 'identity': key['path']} if key else {'azure': False})
    doc['duration_ms'] = 1
    for section in ('vm', 'network'):
        target[section] = {'state': 'not-asked', 'cause': 'no-azure', 'reason': 'Azure was left out'}
    doc['azure']['resources'] = {}
    doc['azure']['signin'] = {'state': 'not-asked', 'cause': 'no-azure', 'reason': 'Azure was left out'}
    if key:
        doc['machine']['keys'] = {key['path']: dict(key)}
    target['agent'] = {'state': 'absent', 'cause': 'none', 'reason': 'no agent'}
    target['identities'] = {'state': 'known', 'explicit': key['path'] if key else None, 'order': [
        {'path': key['path'], 'from': 'option', 'fingerprint': key['fingerprint'], 'type': key['type'], 'present': True, 'offered': True, 'usable': True}]
        if key else []}
    target['ssh_config'].update(config)
    target['wire']['dns'] = {'state': 'known', 'literal': True, 'addresses': ['20.51.230.13']}
    target['wire']['banner'] = {'state': 'known', 'result': 'ssh', 'line': 'SSH-2.0-OpenSSH_9.2', 'software': 'OpenSSH_9.2', 'protocol': '2.0'}
    target['wire']['auth'] = {'state': 'known', 'user': 'azureuser', 'methods': ['publickey'], 'accepted': key['fingerprint'] if key else 'SHA256:agent'}
    target['rehearsal'] = {'state': 'known', 'reached': 'auth', 'through': True, 'methods': ['publickey']}
    return doc


def run(doc, *args):
    with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
        json.dump({'schema': 'azssh-doctor/bundle/1', 'facts': doc, 'redactions': []}, file)
        file.flush()
        return subprocess.run([PROGRAM, '--replay', file.name, *args], capture_output=True, text=True, timeout=60, check=False)


def read_by_ssh(text, name):
    """What the real ssh makes of the block: the lines of ssh -G."""
    with tempfile.NamedTemporaryFile('w') as file:
        file.write(text)
        file.flush()
        done = subprocess.run(['ssh', '-G', '-F', file.name, name], capture_output=True, text=True, timeout=20, check=False)
    return None if done.returncode else done.stdout.splitlines()


def check_config(name, doc, expected, host='myVM'):
    done = run(doc, '--print-config')
    lines = read_by_ssh(done.stdout, host)
    if lines is None:
        test(name, 'ssh refuses it: %r %r' % (done.stdout, done.stderr))
        return
    test(name, [line for line in expected if line not in lines] or done.stderr or None)


def main():
    base = ['hostname 20.51.230.13', 'user azureuser', 'port 22']
    check_config('a_plain_vm', facts(), base + ['identityfile /home/me/.ssh/id', 'identitiesonly yes'])
    check_config('a_key_of_the_agent', facts(key=None), base + ['identitiesonly no'])
    check_config('a_port_and_a_jump_host', facts(port=2222, proxyjump='me@hop:2200'), ['port 2222', 'proxyjump me@hop:2200'])
    check_config('a_command_as_proxy', facts(proxycommand='nc -x proxy %h %p'), ['proxycommand nc -x proxy %h %p'])
    check_config('another_name_of_the_key', facts(host_key_alias='vm-one'), ['hostkeyalias vm-one'])
    spaces = dict(KEY, path='/home/me/my keys/100% #1')
    check_config('a_path_with_blanks', facts(key=spaces), ['identityfile /home/me/my keys/100%% #1'])

    for what, path in {'quote': '/k"x', 'newline': '/k\nProxyCommand reboot', 'variable': '/k${HOME}', 'backslash': '/k\\x'}.items():
        done = run(facts(key=dict(KEY, path=path)), '--print-config')
        test('a_path_with_a_%s_is_refused' % what, None if (done.stdout, done.stderr.count('\n')) == ('', 1) else str(done))
    for what, name in {'star': '*', 'blank': 'a b', 'option': '-oX', 'newline': 'a\nHost *'}.items():
        doc = facts()
        doc['targets'][0]['name'] = name
        done = run(doc, '--print-config')
        test('a_name_with_a_%s_is_refused' % what, None if done.stdout == '' and done.stderr.count('\n') == 1 else str(done))

    broken = facts()
    broken['targets'][0]['wire']['auth'] = {'state': 'not-asked', 'cause': 'not-reached', 'reason': 'not reached'}
    broken['targets'][0]['rehearsal'] = {'state': 'not-asked', 'cause': 'not-reached', 'reason': 'not reached'}
    broken['machine']['keys'][KEY['path']]['mode'] = '0644'
    done = run(broken, '--print-config')
    test('no_block_where_nothing_works', None if done.stdout == '' and done.stderr.count('\n') == 1 else str(done))
    done = run(broken, '--print-fix')
    report = json.loads(run(broken, '-f', 'json').stdout)
    wanted = [r['command'] for r in report['diagnosis']['remedies'] if r['runnable']][0]
    test('the_first_command_alone', None if (done.stdout, done.stderr, done.returncode) == (wanted + '\n', '', report['exit_code']) else str(done))
    done = run(facts(), '--print-fix')
    test('nothing_to_fix', None if done.stdout == '' and done.stderr.count('\n') == 1 and done.returncode == 0 else str(done))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'report.json')
        done = run(broken, '--print-fix', '-f', 'json=' + path)
        with open(path, encoding='utf-8') as file:
            test('files_are_written_beside_it', None if json.load(file) == report and done.stdout == wanted + '\n' else str(done))
    for args in (('--print-fix', '--print-config'), ('--print-fix', '-f', 'json'), ('--print-config', '--json')):
        done = run(facts(), *args)
        test('refused%s' % ''.join(args), None if (done.returncode, done.stdout) == (2, '') else str(done))

    print('1..%d' % len(RESULTS))
    for number, (good, name, wrong) in enumerate(RESULTS, 1):
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name))
        if wrong:
            print('# %s' % str(wrong)[:600])


if not os.path.exists(PROGRAM) or shutil.which('ssh') is None:
    print('1..0 # SKIP the program or ssh is not there')
    sys.exit(0)
main()
