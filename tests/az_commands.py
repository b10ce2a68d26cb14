#!/usr/bin/python3
"""Are az commands what az takes? Its own argument parser says so, without a network; for extensions, a table does.

refusals(commands) is for tests. Run as a program, it reads argument lists (JSON, one a line, without "az") and writes one answer a line:
null when az takes them, else why not. That is a process of its own, since az changes the interpreter it is loaded into."""
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import types

TESTS = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(TESTS, "data", "az-extensions.yaml")
PYTHON = "/usr/bin/python3"
GLOBAL = {"--output", "-o", "--query", "--subscription", "--only-show-errors", "--verbose", "--debug"}


def split(text):
    """The az commands in a line of shell, each as a list of arguments without "az"."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split, lexer.commenters = True, ""
    commands = [[]]
    for word in lexer:
        if set(word) <= set(";&|"):
            commands.append([])
        else:
            commands[-1].append(word)
    return [each[1:] for each in commands if each[:1] == ["az"]]


def name_of(args):
    return " ".join(args[:next((i for i, word in enumerate(args) if word.startswith("-")), len(args))])


# ---- extensions ----

def table():
    import yaml
    with open(TABLE, encoding="utf-8") as file:
        return yaml.safe_load(file)


def by_table(options, args):
    """Why the extension would refuse the options; None when it would not."""
    known, missing = set(GLOBAL), []
    given = {word.split("=", 1)[0] for word in args if word.startswith("-")}
    for option in options:
        names = set(option.lstrip("*").split())
        known |= names
        if option.startswith("*") and not names & given:
            missing.append(option.lstrip("*"))
    unknown = sorted(given - known)
    if unknown:
        return "unrecognized arguments: " + " ".join(unknown)
    return "the following arguments are required: " + ", ".join(missing) if missing else None


# ---- az itself ----

class Refused(Exception):
    """What az's parser says against a command."""


def mend():
    """Debian's az names SDK versions that its own packages lack; the parser needs those that are there."""
    from azure.cli.core.profiles import _shared
    azure = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(_shared.__file__))))
    have = {_shared.ResourceType.MGMT_COMPUTE: ("compute", "2022-08-01"), _shared.ResourceType.MGMT_NETWORK: ("network", "2022-07-01")}
    latest = _shared.AZURE_API_PROFILES["latest"]
    for kind, (package, newest) in have.items():
        def fit(version):
            return version if os.path.isdir(os.path.join(azure, "mgmt", package, "v" + version.replace("-", "_"))) else newest
        pin = latest[kind]
        if isinstance(pin, str):
            latest[kind] = fit(pin)
        else:
            parts = {key: fit(value) for key, value in pin.profile.items()}
            latest[kind] = _shared.SDKProfile(parts.pop(None), parts)
    network = os.path.join(azure, "mgmt", "network")
    if os.path.isdir(os.path.join(network, "v2022_07_01")) and not os.path.isdir(os.path.join(network, "v2022_07_01", "operations")):
        validation = types.ModuleType("azure.mgmt.network._validation")
        validation.api_version_validation = lambda **_: (lambda method: method)
        sys.modules[validation.__name__] = validation
        sys.modules["azure.mgmt.network.v2022_07_01.operations"] = importlib.import_module("azure.mgmt.network.operations")


class Az:
    def __init__(self):
        mend()
        from azure.cli.core import get_default_cli
        from azure.cli.core.azclierror import AzCLIError
        from azure.cli.core.parser import AzCliCommandParser

        self.events = importlib.import_module("azure.cli.core.commands.events")
        self.refusals = (Refused, AzCLIError)

        def refuse(_, message):
            raise Refused(message)
        AzCliCommandParser.error = AzCliCommandParser.validation_error = refuse
        self.cli = get_default_cli()
        self.parsers = {}

    def invocation(self):
        cli = self.cli
        cli.invocation = cli.invocation_cls(cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls)
        return cli.invocation

    def parser(self, args):
        """The steps of az's own execute() up to the parser of this command; None when there is no such command."""
        invocation = self.invocation()
        loader = invocation.commands_loader
        loader.load_command_table(args)
        command = invocation._rudimentary_get_command(args)  # pylint: disable=protected-access
        if command not in loader.command_table:
            return None
        invocation.data["command_string"] = loader.command_name = command
        loader.command_table = {command: loader.command_table[command]}
        self.cli.raise_event(self.events.EVENT_INVOKER_PRE_LOAD_ARGUMENTS, commands_loader=loader)
        loader.load_arguments(command)
        self.cli.raise_event(self.events.EVENT_INVOKER_POST_LOAD_ARGUMENTS, commands_loader=loader)
        invocation.parser.cli_ctx = self.cli
        invocation.parser.load_command_table(loader)
        return invocation.parser

    def refusal(self, args):
        name = name_of(args)
        if name not in self.parsers:
            self.parsers[name] = self.parser(args)
        if self.parsers[name] is None:
            return "'%s' is not an az command" % name
        try:
            self.parsers[name].parse_args(list(args))
        except (*self.refusals, SystemExit) as refused:
            return str(refused)
        return None


def serve():
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(AZURE_CONFIG_DIR=folder, AZURE_CORE_COLLECT_TELEMETRY="0")
        try:
            az = Az()
        except ImportError:
            return 77
        for line in sys.stdin:
            print(json.dumps(az.refusal(json.loads(line))), flush=True)
    return 0


# ---- for tests ----

def told(word):
    """<NEW-PRIORITY> asks the reader for a value; a number serves everywhere."""
    return "300" if re.fullmatch(r"<[A-Z0-9-]+>", word) else word


def refusals(commands):
    """{command: why} of those that are refused, and whether az's own parser was there. Each command is a tuple of arguments without "az"."""
    extensions, out, own = table(), {}, []
    for args in commands:
        options = extensions.get(name_of(args))
        if options is None:
            own.append(args)
        elif by_table(options, args):
            out[args] = by_table(options, args)
    done = subprocess.run([PYTHON, "-B", os.path.abspath(__file__)], input="".join(json.dumps([told(word) for word in args]) + "\n" for args in own),
                          capture_output=True, text=True, timeout=300, check=False)
    if done.returncode == 77:
        return out, False
    answers = [json.loads(line) for line in done.stdout.splitlines() if line[:1] in ('"', "n")]
    if done.returncode != 0 or len(answers) != len(own):
        raise RuntimeError("az's parser ended with %d: %s" % (done.returncode, done.stderr[-2000:]))
    out.update((args, why) for args, why in zip(own, answers) if why)
    return out, True


if __name__ == "__main__":
    sys.exit(serve())
