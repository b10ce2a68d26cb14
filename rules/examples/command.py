#!/usr/bin/python3
"""Example of a command rule: is the server's OpenSSH at least the version given as the argument?"""
import json
import re
import sys


def answer(status, code, message, **evidence):
    json.dump({'status': status, 'code': code, 'message': message, 'evidence': evidence}, sys.stdout)


def main():
    facts, least = json.load(sys.stdin), sys.argv[1]
    wire = facts['targets'][0].get('wire', {})
    match = re.match(r'OpenSSH_(\d+)\.(\d+)', wire.get('banner', {}).get('software', ''))
    if match is None:
        answer('skip', 'sshd-version-not-seen', 'no OpenSSH server was seen')
        return
    version = '.'.join(match.groups())
    if tuple(map(int, match.groups())) < tuple(map(int, least.split('.'))):
        answer('warn', 'sshd-outdated', 'the server runs OpenSSH %s, older than %s' % (version, least), version=version, least=least)
    else:
        answer('pass', 'sshd-recent', 'the server runs OpenSSH %s' % version, version=version, least=least)


main()
