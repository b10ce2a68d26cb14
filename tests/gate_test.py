#!/usr/bin/python3
"""What a pipeline relies on: --wait, --fail-on, --bundle-on-fail, and the rule files that are found. In a network of its own, without Azure."""
import json
import os
import subprocess
import sys
import tempfile

BUILD = os.environ.get("builddir", ".")
DOCTOR = os.path.abspath(os.environ.get("DOCTOR") or os.path.join(BUILD, "azssh-doctor"))
REFUSED = ["--no-azure", "--host", "127.0.0.1", "-p", "1"]    # nothing listens there: verdict fail
RENAMED = "version: 1\nchecks:\n  tcp:\n    codes:\n      tunnel-not-running: {title: \"%s\"}\n"
COMMAND = "version: 1\ncustom:\n- {id: mine, title: Mine, type: command, argv: [/bin/true]}\n"


class Place:
    """A home and a folder to work in."""

    def __init__(self, root):
        self.home, self.folder = os.path.join(root, "home"), os.path.join(root, "folder")
        os.makedirs(self.home)
        os.makedirs(self.folder)

    def write(self, path, text, mode=0o644):
        full = os.path.join(self.home if path.startswith(".config") else self.folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(full, mode)
        return full

    def run(self, *args, **env):
        plain = {"HOME": self.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "AZURE_CONFIG_DIR": self.home,
                 "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9"}
        return subprocess.run([DOCTOR, *args], cwd=self.folder, env={**plain, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              check=False)

    def title(self, *args, **env):
        done = self.run(*REFUSED, "--json", *args, **env)
        assert done.returncode == 1, (done.returncode, done.stderr)
        report = json.loads(done.stdout)
        return report["title"], report["tool"].get("rule_files")


def wait_says_what_it_found_and_when_it_looks_again(place):
    done = place.run(*REFUSED, "--wait", "7s", "-f", "short")
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and len(lines) == 2, (done.returncode, lines)
    assert lines[0].startswith("azssh-doctor: look 1: fail: ") and "next look in 5 s" in lines[0], lines[0]
    assert lines[1].startswith("azssh-doctor: look 2: fail: ") and "no time is left" in lines[1], lines[1]
    assert done.stdout.count("# azssh-doctor ") == 1, done.stdout


def wait_is_silent_with_quiet(place):
    done = place.run(*REFUSED, "--wait", "1s", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", ""), (done.returncode, done.stdout, done.stderr)


def fail_on_sets_the_threshold(place):
    assert place.run(*REFUSED, "--fail-on", "fail").returncode == 1
    assert place.run(*REFUSED, "--fail-on", "never").returncode == 0
    unread = ["--host", "127.0.0.1", "-p", "1", "--no-probe", "--no-ssh-config", "--only", "azure-signin"]
    plain = place.run(*unread).returncode
    assert plain == 3, plain
    assert place.run(*unread, "--fail-on", "unknown").returncode == 1
    assert place.run(*unread, "--fail-on", "never").returncode == 0
    wrong = place.run(*REFUSED, "--fail-on", "allways")
    assert wrong.returncode == 2 and wrong.stdout == "" and "allways" in wrong.stderr and "never" in wrong.stderr, wrong.stderr


def never_keeps_the_usage_and_output_errors(place):
    assert place.run("--fail-on", "never").returncode == 2
    assert place.run(*REFUSED, "--fail-on", "never", "-f", "json=/nonexistent/x.json").returncode == 4


def a_bundle_is_written_only_on_failure(place):
    path = os.path.join(place.folder, "seen.json")
    place.run(*REFUSED, "--bundle-on-fail", path)
    assert os.path.exists(path) and os.stat(path).st_mode & 0o777 == 0o600
    os.unlink(path)
    place.run(*REFUSED, "--fail-on", "never", "--bundle-on-fail", path)
    assert not os.path.exists(path)


def rule_files_are_found_in_order(place):
    assert place.title()[1] is None
    user = place.write(".config/azssh-doctor/rules.yaml", RENAMED % "From the user")
    assert place.title() == ("From the user", [user])
    place.write(".azssh-doctor.yaml", RENAMED % "From the folder")
    assert place.title() == ("From the folder", [user, ".azssh-doctor.yaml"])
    named = place.write("named.yaml", RENAMED % "From the environment")
    assert place.title(AZSSH_RULES=named) == ("From the environment", [user, ".azssh-doctor.yaml", named])
    option = place.write("option.yaml", RENAMED % "From the option")
    assert place.title("-r", option, AZSSH_RULES=named)[0] == "From the option"
    assert place.title("--no-config", "-r", option, AZSSH_RULES=named) == ("From the option", [option])
    assert place.title("--no-config", AZSSH_RULES=named)[1] is None
    elsewhere = os.path.join(place.home, ".config")
    assert place.title(XDG_CONFIG_HOME=elsewhere, HOME="/nonexistent")[1][0] == user
    assert "Rule files: " + user in place.run(*REFUSED, "-v").stdout


def a_found_rule_file_starts_no_program(place):
    place.write(".azssh-doctor.yaml", COMMAND)
    done = place.run(*REFUSED, "--allow-commands")
    assert done.returncode == 2 and "mine" in done.stderr and done.stderr.count("\n") == 1 and done.stdout == "", done.stderr
    assert place.run(*REFUSED, "--no-config").returncode == 1


def a_found_rule_file_of_others_is_refused(place):
    place.write(".azssh-doctor.yaml", RENAMED % "x", mode=0o666)
    done = place.run(*REFUSED)
    assert done.returncode == 2 and ".azssh-doctor.yaml" in done.stderr and "--no-config" in done.stderr, done.stderr
    place.write(".azssh-doctor.yaml", RENAMED % "x")
    if os.geteuid() == 0:
        os.chown(os.path.join(place.folder, ".azssh-doctor.yaml"), 12345, 12345)
        assert place.run(*REFUSED).returncode == 2


def a_named_rule_file_must_be_there(place):
    done = place.run(*REFUSED, AZSSH_RULES="/nonexistent/rules.yaml")
    assert done.returncode == 2 and "/nonexistent/rules.yaml" in done.stderr, done.stderr


TESTS = [wait_says_what_it_found_and_when_it_looks_again, wait_is_silent_with_quiet, fail_on_sets_the_threshold,
         never_keeps_the_usage_and_output_errors, a_bundle_is_written_only_on_failure, rule_files_are_found_in_order,
         a_found_rule_file_starts_no_program, a_found_rule_file_of_others_is_refused, a_named_rule_file_must_be_there]


def main():
    if os.environ.get("GATE_INSIDE") != "1":    # a network of its own, of which only loopback is up
        inside = ["unshare", "-n" if os.geteuid() == 0 else "-rn", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh", sys.executable, "-B", os.path.abspath(__file__)]
        os.execvpe("unshare", inside, dict(os.environ, GATE_INSIDE="1"))
    print("1..%d" % len(TESTS))
    for number, test in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory(prefix="gate.") as root:
            try:
                test(Place(root))
                print("ok %d - %s" % (number, test.__name__))
            except AssertionError as e:
                print("not ok %d - %s\n#   %s" % (number, test.__name__, str(e).replace("\n", "\n#   ")))


main()
