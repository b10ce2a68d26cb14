#!/usr/bin/python3
"""The completion scripts: bash runs its own; what zsh and fish are told is compared with --help, and their syntax is checked where they are."""
import os
import re
import shutil
import subprocess
import sys

BUILD = os.environ.get("builddir", os.getcwd())
PROGRAM = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))
RESULTS = []


def test(name, complaints):
    RESULTS.append(complaints)
    print("%sok %d - %s" % ("not " if complaints else "", len(RESULTS), name), flush=True)
    for complaint in complaints[:5]:
        print("# %s" % complaint)


def run(*args):
    done = subprocess.run([PROGRAM] + list(args), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"})
    return done.stdout


def bash(script, *words):
    """What bash offers for the last of these words."""
    ask = script + '\nCOMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _azssh_doctor; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", ask, "bash", "azssh-doctor"] + list(words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.split() + (["!" + done.stderr] if done.stderr else [])


def main():
    names = re.findall(r"--([a-z-]+)", "\n".join(line for line in run("--help").split("\n") if re.match(r"  (-.,|   ) --", line)))
    names = [n for i, n in enumerate(names) if n not in names[:i]]
    script = run("--completion", "bash")
    cases = {("--for",): ["--format"], ("-f", "j"): ["json", "junit"], ("--format", "sa"): ["sarif"], ("--skip", "host"): ["host-key"],
             ("--explain", "nsg-no-a"): ["nsg-no-allow-rule"], ("--credential", "m"): ["managed"], ("-i", "/etc/host"): None, ("-g", "x"): [], ("--deep", "--gu"): ["--guest"]}
    for words, want in cases.items():
        got = bash(script, *words)
        fine = any(w.startswith("/etc/host") for w in got) if want is None else got == want
        test("bash: %s" % " ".join(words), [] if fine else ["%s, not %s" % (got, want)])
    test("bash knows every option of --help", ["--" + n for n in names if "--" + n not in bash(script, "--")])
    for shell in ("zsh", "fish"):
        text = run("--completion", shell)
        known = re.findall(r"--([a-z-]+)", text) if shell == "zsh" else re.findall(r" -l ([a-z-]+)", text)
        test("%s knows every option of --help" % shell, ["--" + n for n in names if n not in known])
        if shutil.which(shell):
            done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, timeout=20, check=False)
            test("%s accepts the script" % shell, [done.stderr] if done.returncode else [])
    print("1..%d" % len(RESULTS))
    return any(RESULTS)


if __name__ == "__main__":
    sys.exit(main())
