#!/usr/bin/python3
"""The words of rules/default.yaml name what exists, and no remedy is unsafe. (Codes and words: tests/unit/checks/tables_test.c.)"""
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
# unit tests alone play these
NOT_PLAYED = {'vm-name-ambiguous', 'vm-os-unknown', 'jit-mapped-port',
              'tcp-reset', 'hostkey-cert-forged'}
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
                        yield file.read()


def remedies_of(code):
    for item in code.get('remedies') or []:
        yield from item if isinstance(item, list) else [item]


def plain(command):
    """A command as one text: an argument list with blanks between, steps by &&, scripts by their text."""
    if isinstance(command, dict):
        return command['script']
    if not isinstance(command, list):
        return str(command)
    return (' && ' if isinstance(command[0], list) else ' ').join(plain(word) for word in command)


def command_of(remedy):
    return plain(remedy['argv'] if 'argv' in remedy else remedy['text'])


def codes():
    """(word, check, severity) of the rows of codes.def."""
    with open(os.path.join(SOURCE, 'checks', 'codes.def'), encoding='utf-8') as file:
        return re.findall(r'^CODE\(\w+, "([a-z0-9-]+)", (\w+), (\w+), ', file.read(), re.M)


def scenarios():
    """Every word that a scenario names, and every code that a log comes to."""
    words, folder = set(), os.path.join(SOURCE, 'tests', 'scenarios')
    for name in (each for each in os.listdir(folder) if each.endswith('.yaml')):
        with open(os.path.join(folder, name), encoding='utf-8') as file:
            words.update(re.findall(r'[a-z0-9]+(?:-[a-z0-9]+)+', file.read()))
    with open(os.path.join(SOURCE, 'tests', 'data', 'logs', 'table.tsv'), encoding='utf-8') as file:
        words.update(code for line in file if '\t' in line for code in line.split('\t')[1].split('|'))
    return words


# Everyday words for technical acts, and riddles: what to write instead is in CONTRIBUTING.md.
RIDDLES = re.compile(r'\b(?:stands? (?:in|before|behind|on|there)|on file|is over|run out|lets? (?:you|nobody|nothing) in|turn(?:s|ed) (?:\w+ )?away'
                     r'|admits?|come[s]? in by|go by|way[s]? in|for the while|for good|meanwhile|goes on|without a word|in place of|whoever|nobody|anybody'
                     r'|somebody|mend(?:s|ed|ing)?|hear[sd]?|bears?|lends?|lent|hands? on|hang(?:s|ed)? up|(?<!there )is no(?! longer)'
                     r'|sign in anew|makes no sense)\b', re.I)
LONGEST = 30    # words of one sentence, what stands in brackets not counted


def templates(code):
    for key in ('title', 'why', 'explain', 'decide'):
        yield key, plain(code.get(key) or '')
    for remedy in remedies_of(code):
        for key, text in remedy.items():
            yield remedy['dialect'] + ' ' + ('command' if key in ('argv', 'text') else key), plain(text)


def main():
    with open(os.path.join(SOURCE, 'rules', 'default.yaml'), encoding='utf-8') as file:
        checks = yaml.safe_load(file)['checks']
    code_of, results = {}, []
    for check, entry in checks.items():
        for code in entry['codes']:
            code_of[code] = check
    everything = '\n'.join(sources())

    def test(name, wrong):
        results.append((not wrong, name, sorted(set(wrong))))

    rows, played = codes(), scenarios()
    test('every_code_of_a_check_that_runs_has_a_scenario', [code for code, check, severity in rows
         if severity in ('WARN', 'FAIL', 'UNKNOWN') and check not in ('NONE',) and not check.startswith('GUEST_')
         and code not in NOT_PLAYED and code not in played])
    test('what_is_not_played_has_no_scenario', [code for code in NOT_PLAYED if code in played])

    test('explains_names_codes_or_checks_that_exist',
         ['%s: %s' % (code, other) for code, check in code_of.items() for other in checks[check]['codes'][code].get('explains', [])
          if other not in code_of and other not in checks])

    test('every_parameter_is_read_by_c', ['%s: %s' % (check, param) for check, entry in checks.items()
         for param in entry.get('params') or {} if '"%s"' % param not in everything])

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
        remedies = list(remedies_of(checks[check]['codes'][code]))
        dialects = [each['dialect'] for each in remedies]
        if any(each['dialect'] == 'az' and re.search(r'\baz ', command_of(each)) for each in remedies):
            wrong += ['%s: %s' % (code, dialect) for dialect in ('powershell', 'portal') if dialect not in dialects]
    test('every_azure_remedy_comes_in_three_dialects', wrong)

    test('azure_powershell_is_no_azure_cli', ['%s: %s' % (code, command_of(each)) for code, check in code_of.items()
         for each in remedies_of(checks[check]['codes'][code])
         if each['dialect'] == 'powershell' and re.match(r'az (?!network bastion ssh)', command_of(each))])

    # what && alone joins is a list of steps, what no shell is needed for a list of arguments
    test('text_is_only_what_argv_cannot_say', ['%s: %s' % (code, each['text']) for code, check in code_of.items()
         for each in remedies_of(checks[check]['codes'][code])
         if 'text' in each and each['dialect'] != 'portal' and not re.search(r'[|;<>($*@]|^[A-Z_]+=', each['text'])])

    for name, pattern in UNSAFE.items():
        test(name.replace(' ', '_'), ['%s %s: %s' % (code, where, words) for code, check in code_of.items()
                                      for where, words in templates(checks[check]['codes'][code])
                                      if where.split()[-1] in ('command', 'undo') and re.search(pattern, str(words))])

    texts = [(code, where, words) for code, check in code_of.items() for where, words in templates(checks[check]['codes'][code])
             if where.split()[-1] in ('title', 'why', 'explain', 'cost')]
    test('no_remedy_begins_with_or', ['%s: %s' % (code, words) for code, where, words in texts
                                      if where.endswith(' title') and words.lower().startswith('or ')])
    test('standard_terms_only', ['%s %s: %s (%s)' % (code, where, words, said.group(0)) for code, where, words in texts
                                 for said in [RIDDLES.search(words)] if said])
    test('a_sentence_has_at_most_%d_words' % LONGEST, ['%s %s: %s' % (code, where, sentence) for code, where, words in texts
         for sentence in re.split(r'(?<=[.:;!?])\s+', re.sub(r'\([^()]*\)', '', words)) if len(sentence.split()) > LONGEST])
    test('a_title_begins_with_a_capital', ['%s: %s' % (code, words) for code, where, words in texts
         if where == 'title' and re.match(r'[a-z]', words) and not re.match(r'ssh|sshd|az|root|fail2ban|authorized_keys|known_hosts|cloud-init|tcpwrappers', words)])
    test('why_does_not_repeat_the_title', [code for code, check in code_of.items() for entry in [checks[check]['codes'][code]]
         if plain(entry['title']).strip('.').lower() in plain(entry.get('why') or '').lower()])

    print('1..%d' % len(results))
    for number, (good, name, wrong) in enumerate(results, 1):
        print('%s %d - %s' % ('ok' if good else 'not ok', number, name))
        for line in wrong:
            print('# ' + line)


main()
