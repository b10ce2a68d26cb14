#!/usr/bin/python3
"""Every az command that rules/default.yaml can print is one that az takes: remedies, what undoes and verifies them, what decides."""
import os
import re
import sys

try:
    import yaml
except ImportError:
    print("1..0 # SKIP python3-yaml is not installed")
    sys.exit(0)

from az_commands import by_table, refusals, split, table

SOURCE = os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
# what stands for a placeholder: az looks at the form of some values
VALUES = {"new_priority": "310", "other_new_priority": "320", "behind_priority": "4000", "your_larger_number": "400", "priority": "300", "port": "22", "frontend_port": "50001", "backend_port": "2222"}


def filled(word):
    return re.sub(r"\{([a-z][a-z0-9_]*)\}", lambda found: VALUES.get(found.group(1), "x"), word)


def commands(argv):
    """The az commands of one `argv` of the rules (a list, or a list of lists) or of a line of shell."""
    if argv is None:
        return []
    if isinstance(argv, str):
        return [tuple(args) for args in split(filled(argv))]
    if argv and isinstance(argv[0], list):
        return [args for each in argv for args in commands(each)]
    words = [str(word["script"]) if isinstance(word, dict) else str(word) for word in argv]
    return [tuple(filled(word) for word in words[1:])] if words[0] == "az" else []


def of_rules(checks):
    """{command: codes that print it}."""
    out = {}
    for entry in checks.values():
        for code, words in entry["codes"].items():
            found = commands(words.get("decide"))
            for item in words.get("remedies") or []:
                for remedy in item if isinstance(item, list) else [item]:
                    places = ("argv", "undo", "verify") + (("text",) if remedy["dialect"] in ("az", "shell") else ())
                    found += [args for place in places for args in commands(remedy.get(place))]
            for args in found:
                out.setdefault(args, set()).add(code)
    return out


def main():
    results = []
    with open(os.path.join(SOURCE, "rules", "default.yaml"), encoding="utf-8") as file:
        found = of_rules(yaml.safe_load(file)["checks"])
    wrong, own = refusals(sorted(found))
    results.append((not wrong, "every_az_command_of_the_rules_is_taken" + ("" if own else " # SKIP azure-cli is not installed; extensions alone were looked at"),
                    ["%s: az %s: %s" % (", ".join(sorted(found[args])), " ".join(args), why) for args, why in sorted(wrong.items())]))
    bad = [("vm", "start", "-g", "rg"), ("vm", "start", "-g", "rg", "-n", "x", "--bogus"), ("network", "bogus", "-g", "rg"),
           ("network", "public-ip", "create", "-g", "rg", "-n", "x", "--sku", "Bogus")]
    refused = refusals(bad)[0] if own else dict.fromkeys(bad)
    results.append((set(refused) == set(bad), "what_az_does_not_take_is_refused", [repr(args) for args in bad if args not in refused]))
    options = table()["network bastion ssh"]
    results.append((by_table(options, ("network", "bastion", "ssh", "-n", "b", "-g", "rg")) is not None and
                    by_table(options, ("network", "bastion", "ssh", "-n", "b", "-g", "rg", "--auth-type", "AAD", "--bogus")) is not None,
                    "the_table_of_extensions_refuses_too", []))
    print("1..%d" % len(results))
    for number, (good, name, complaints) in enumerate(results, 1):
        print("%s %d - %s" % ("ok" if good else "not ok", number, name))
        for complaint in complaints:
            print("#   " + complaint)
    return 0 if all(good for good, _, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
