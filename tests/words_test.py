#!/usr/bin/python3
"""Words and code fit together: what checks/*.c can say has words in rules/default.yaml, and what the words name is said by C."""
import os
import re
import sys

try:
    import yaml
except ImportError:
    print('1..0 # SKIP python3-yaml is not installed')
    sys.exit(0)

SOURCE = os.environ.get('srcdir', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
FOLDERS = ('facts', 'checks', 'model')
# set by the run itself for every check; the finding's own summary is all there is to say
PLAIN = {'not-run', 'not-asked', 'not-known', 'not-selected', 'not-reached', 'nothing-to-check', 'disabled', 'command-failed',
         'not-comparable'}
UNSAFE = {
    'StrictHostKeyChecking is never switched off': r'StrictHostKeyChecking[= ]+(no|off|accept-new)',
    'no rule opens a port for everybody': r'-(source-address-prefix(es)?|SourceAddressPrefix)[= ]+[\'"]?(\*|Internet|Any|0\.0\.0\.0/0)',
    'no address service is asked': r'(ifconfig\.(me|co)|ipify|icanhazip|ipinfo\.io|checkip|api\.my-?ip)',
    'no JIT deny rule is deleted': r'nsg rule delete.*(SecurityCenter|ASC|MicrosoftDefender)',
}


def sources():
    for top in FOLDERS:
        for folder, _, names in sorted(os.walk(os.path.join(SOURCE, top))):
            for name in sorted(names):
                if name.endswith('.c') or name.endswith('.h'):
                    with open(os.path.join(folder, name), encoding='utf-8') as file:
                        yield os.path.relpath(folder, SOURCE) + '/' + name, file.read()


def codes_set(text):
    """(status, code) of each finding_set with literals; a status that is computed counts as a failure."""
    for call in re.finditer(r'finding_set\s*\(', text):
        depth, at, args, start = 1, call.end(), [], call.end()
        while depth and at < len(text):
            char = text[at]
            if char == '"':
                at += 1
                while text[at] != '"':
                    at += 2 if text[at] == '\\' else 1
            depth += (char in '([{') - (char in ')]}')
            if (char == ',' and depth == 1) or depth == 0:
                args.append(text[start:at])
                start = at + 1
            at += 1
        if len(args) >= 3:
            choices, last = args[2], None
            while choices != last:      # what stands in calls is no code, what stands in parentheses may be
                last, choices = choices, re.sub(r'\w+\s*\([^()]*\)', '', choices)
            for code in re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+|[a-z]+)"', choices):
                yield args[1].strip(), code


def templates(code):
    for key in ('title', 'why', 'explain', 'decide'):
        yield key, code.get(key) or ''
    for dialect, remedies in (code.get('remedies') or {}).items():
        for remedy in remedies:
            for key, text in remedy.items():
                yield dialect + ' ' + key, text


def main():
    with open(os.path.join(SOURCE, 'rules', 'default.yaml'), encoding='utf-8') as file:
        checks = yaml.safe_load(file)['checks']
    code_of, results = {}, []
    for check, entry in checks.items():
        for code in entry['codes']:
            code_of[code] = check
    text = dict(sources())
    everything = '\n'.join(text.values())

    def test(name, wrong):
        results.append((not wrong, name, sorted(set(wrong))))

    said, wrong = set(), []
    for name, body in text.items():
        for status, code in codes_set(body):
            said.add(code)
            if status in ('PASS', 'SKIP') or code in PLAIN or name == 'checks/generic.c':
                continue
            if code not in code_of:
                wrong.append('%s: %s' % (name, code))
        for code in re.findall(r'finding_possible\s*\([^,]+,\s*"([^"]+)"', body):
            if code not in code_of:
                wrong.append('%s: possible %s' % (name, code))
            elif not checks[code_of[code]]['codes'][code].get('decide'):
                wrong.append('%s: possible %s has no decide' % (name, code))
    test('every_failure_that_c_can_set_has_words', wrong)

    test('explains_names_codes_or_checks_that_exist',
         ['%s: %s' % (code, other) for code, check in code_of.items() for other in checks[check]['codes'][code].get('explains', [])
          if other not in code_of and other not in checks])

    wrong = []
    for name, body in text.items():
        for param in re.findall(r'rule_(?:int|str|list)\s*\([^,]+,\s*"([a-z0-9_]+)"', body):
            if not any(param in (entry['params'] or {}) for entry in checks.values()):
                wrong.append('%s: %s' % (name, param))
    test('every_parameter_that_c_reads_has_its_default', wrong)

    # {your_...} is never set: it asks the reader for a value
    wrong = []
    for code, check in code_of.items():
        for where, words in templates(checks[check]['codes'][code]):
            for name in re.findall(r'\{([a-z][a-z0-9_]*)\}', str(words)):
                if '"%s"' % name not in everything and not name.startswith('your_'):
                    wrong.append('%s %s: {%s}' % (code, where, name))
            if where.split()[-1] in ('when', 'unless') and '"%s"' % words not in everything:
                wrong.append('%s %s: %s' % (code, where, words))
    test('every_placeholder_is_set_by_c', wrong)

    wrong = []
    for code, check in code_of.items():
        remedies = checks[check]['codes'][code].get('remedies') or {}
        if any(re.search(r'\baz ', each['run']) for each in remedies.get('az') or []):
            wrong += ['%s: %s' % (code, dialect) for dialect in ('powershell', 'portal') if not remedies.get(dialect)]
    test('every_azure_remedy_comes_in_three_dialects', wrong)

    test('azure_powershell_is_no_azure_cli', ['%s: %s' % (code, each['run']) for code, check in code_of.items()
         for each in (checks[check]['codes'][code].get('remedies') or {}).get('powershell') or []
         if re.match(r'az (?!network bastion ssh)', each['run'])])

    for name, pattern in UNSAFE.items():
        test(name.replace(' ', '_'), ['%s %s: %s' % (code, where, words) for code, check in code_of.items()
                                      for where, words in templates(checks[check]['codes'][code])
                                      if where.split()[-1] in ('run', 'undo') and re.search(pattern, str(words))])

    print('1..%d' % len(results))
    for number, (good, name, wrong) in enumerate(results, 1):
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name))
        for line in wrong:
            print('# ' + line)
    idle = sorted(code for code in code_of if code not in said and '"%s"' % code not in everything)
    if idle:
        print('# words that no check uses (only --explain): ' + ', '.join(idle))


main()
