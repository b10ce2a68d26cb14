#!/usr/bin/python3
"""The files that other places read: the GitHub Action, workflows and pipelines are YAML of the right shape, their scripts are shell that shellcheck
takes, and no value of the outside is pasted into a script; the recipe that opens a port closes it again whatever happens; the extension for
az makes the command line that it should; the list of what the program is made of is JSON that names its libraries."""
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types

import yaml

from simlib import seal

SOURCE = os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
BUILD = os.environ.get("builddir", ".")
FILES = ("action.yml", ".github/workflows/ci.yml", "packaging/azure-pipelines.yml", "packaging/gitlab-ci.yml")


def load(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return yaml.safe_load(file)


def scripts(value):
    """Every script of a file: what stands under run, script, inlineScript, and lists of commands."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("run", "script", "inlineScript", "after_script") and each != "inlineScript":
                yield "\n".join(each) if isinstance(each, list) else each
            else:
                yield from scripts(each)
    elif isinstance(value, list):
        for each in value:
            yield from scripts(each)


def scripts_are_sound():
    count = 0
    for name in FILES:
        for text in scripts(load(name)):
            count += 1
            assert not re.search(r"\$\{\{", text), (name, "a value is pasted into a script", text)
            plain = re.sub(r"\$\(Agent\.\w+\)", "/tmp", text)
            done = subprocess.run(["bash", "-n"], input=plain, text=True, capture_output=True, check=False)
            assert done.returncode == 0, (name, done.stderr)
            if shutil.which("shellcheck"):
                done = subprocess.run(["shellcheck", "-s", "bash", "-"], input=plain, text=True, capture_output=True, check=False)
                assert done.returncode == 0, (name, done.stdout)
    assert count > 8, count


def what_is_opened_is_closed():
    steps = load("action.yml")["runs"]["steps"]
    names = [s["name"] for s in steps]
    opened, closed = steps[names.index("Open port 22 for this runner")], steps[-1]
    assert closed["name"] == "Close it again" and closed["if"].startswith("always()") and "steps.open.outputs.rule" in closed["if"], closed
    create, delete = opened["run"], closed["run"]
    assert create.index("rule=$RULE") < create.index("az network nsg rule create"), "a rule that was half made must be known to the step that deletes it"
    assert "--source-address-prefixes \"$address\"" in create and "rule delete" in delete and '"$RULE"' in delete, (create, delete)


def the_action_has_its_parts():
    action = load("action.yml")
    assert action["runs"]["using"] == "composite" and action["inputs"]["vm"]["required"] is True
    assert all("description" in i for i in list(action["inputs"].values()) + list(action["outputs"].values()))
    run = "\n".join(scripts(action))
    for part in ("-f github", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "azssh-doctor \"${args[@]}\" -- \"$VM\""):
        assert part in run, part
    options = subprocess.run([os.path.join(BUILD, "azssh-doctor"), "--help"], capture_output=True, text=True, check=True).stdout
    for name in FILES:
        for text in scripts(load(name)):
            for line in re.findall(r"azssh-doctor (.*(?:\\\n.*)*)", text):
                for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line):
                    assert option + " " in options, (name, option)


def the_extension_hands_over():
    for name in ("azure", "azure.cli", "azure.cli.core", "azure.cli.core.commands", "knack", "knack.help_files"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["azure.cli.core"].AzCommandsLoader = type("AzCommandsLoader", (), {})
    sys.modules["azure.cli.core.commands"].CliCommandType = object
    sys.modules["knack.help_files"].helps = {}
    spec = importlib.util.spec_from_file_location("azext", os.path.join(SOURCE, "packaging", "az-extension", "azext_ssh_doctor", "__init__.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    line = module.command_line("/bin/azssh-doctor", "sub", "rg", "--evil", ["--deep"])
    assert line == ["/bin/azssh-doctor", "--credential", "cli", "-s", "sub", "-g", "rg", "--deep", "--", "--evil"], line
    assert module.command_line("p", None) == ["p", "--credential", "cli"]


def the_real_az_runs_it():
    if shutil.which("az") is None:
        print("# az is not installed: the extension was not run by it")
        return
    with tempfile.TemporaryDirectory() as folder:
        made = os.path.join(folder, "ext", "ssh-doctor")
        shutil.copytree(os.path.join(SOURCE, "packaging", "az-extension", "azext_ssh_doctor"), os.path.join(made, "azext_ssh_doctor"))
        os.makedirs(os.path.join(made, "ssh_doctor-0.1.0.dist-info"))
        with open(os.path.join(made, "ssh_doctor-0.1.0.dist-info", "METADATA"), "w", encoding="utf-8") as file:
            file.write("Metadata-Version: 2.1\nName: ssh-doctor\nVersion: 0.1.0\n")
        program = os.path.join(folder, "azssh-doctor")
        with open(program, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho \"RAN $*\"\nexit 3\n")
        os.chmod(program, 0o755)
        env = {"PATH": "/usr/bin:/bin", "HOME": folder, "AZURE_CONFIG_DIR": folder + "/az", "AZURE_EXTENSION_DIR": folder + "/ext", "AZURE_CORE_COLLECT_TELEMETRY": "no",
               "AZSSH_DOCTOR": program, "LANG": "C.UTF-8"}
        done = subprocess.run(["az", "ssh-doctor", "-g", "rg", "-n", "myVM", "--subscription", "22222222-2222-2222-2222-222222222222", "--", "--deep"], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 3 and "RAN --credential cli -s 22222222-2222-2222-2222-222222222222 -g rg --deep -- myVM\n" == done.stdout, done


def the_list_of_parts_names_the_libraries():
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "packaging", "sbom.py"), "1.2", os.path.join(BUILD, "azssh-doctor")], capture_output=True, text=True, check=True,
                          env=dict(os.environ, SOURCE_DATE_EPOCH="1700000000"))
    document = json.loads(done.stdout)
    names = " ".join(p["name"] for p in document["packages"])
    assert document["spdxVersion"] == "SPDX-2.3" and document["creationInfo"]["created"] == "2023-11-14T22:13:20Z", document["creationInfo"]
    assert all(word in names for word in ("azssh-doctor", "libcurl", "libssh2", "libyaml", "jansson")), names


TESTS = [scripts_are_sound, what_is_opened_is_closed, the_action_has_its_parts, the_extension_hands_over, the_real_az_runs_it, the_list_of_parts_names_the_libraries]


def main():
    seal()
    print("1..%d" % len(TESTS))
    failed = 0
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print("ok %d - %s" % (number, test.__name__))
        except AssertionError as error:
            failed += 1
            print("not ok %d - %s\n# %s" % (number, test.__name__, str(error)[:800].replace("\n", "\n# ")))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
