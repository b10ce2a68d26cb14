#!/usr/bin/python3
"""Bundles: what one says beside the facts; and bad ones, and bad places to write to: one sentence, exit 2 (or 4 where nothing can be
written), nothing on stdout, and the old file as it was."""
import json
import os
import shutil
import subprocess
import tempfile

from simlib import BUILD, CLIENT, SRC, TENANT, Sim, run, test

DOCTOR = os.path.abspath(os.path.join(BUILD, "azssh-doctor"))
OLD = '{"old": true}'


def call(*args, before="", env=None):
    env = dict({"HOME": "/", "LANG": "C.UTF-8", "PATH": "/bin:/usr/bin"}, **(env or {}))
    words = ["/bin/sh", "-c", before + 'exec "$0" "$@"', DOCTOR] if before else [DOCTOR]
    return subprocess.run(words + list(args), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False, env=env)


def bundle():
    with open(os.path.join(SRC, "tests", "facts", "local-base.json"), encoding="utf-8") as file:
        return {"schema": "azssh-doctor/bundle/1", "facts": json.load(file), "redactions": []}


def refused(done, code, *words):
    assert done.returncode == code and done.stdout == "" and done.stderr.count("\n") == 1, done
    for word in words:
        assert word in done.stderr, (word, done.stderr)


@test
def bad_bundles_are_refused_in_one_sentence():
    good = json.dumps(bundle())
    deep = good[:-1] + ', "x": ' + "[" * 5000 + "]" * 5000 + "}"
    cases = {"truncated": good[:len(good) // 2], "empty": "", "text": "no such thing\n", "list": "[]", "foreign": '{"schema": "x"}', "report": '{"schema": "azssh-doctor/report/1"}',
             "no targets": good.replace('"targets"', '"other"'), "twice": good[:-1] + ', "schema": "azssh-doctor/bundle/1"}', "deep": deep, "bytes": "\x00\x01\x02",
             "many": good[:-1] + ', "x": [' + "1," * 3000000 + "1]}"}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in cases.items():
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            refused(call("--replay", path), 2, name)
            refused(call("--redact", path), 2, name)
            with open(path, encoding="utf-8") as file:
                assert file.read() == text, name
        future = good.replace("bundle/1", "bundle/2")
        with open(folder + "/future", "w", encoding="utf-8") as file:
            file.write(future)
        refused(call("--replay", folder + "/future"), 2, "azssh-doctor/bundle/2", "newer")
        with open(folder + "/huge", "wb") as file:
            file.truncate(200 << 20)
        os.mkfifo(folder + "/fifo")
        for name in ("huge", "fifo", "", "missing"):
            refused(call("--replay", os.path.join(folder, name)), 2, "cannot be read")


@test
def a_place_that_cannot_be_written_is_exit_4():
    args = ("--no-azure", "--no-probe", "--no-ssh-config", "--host", "192.0.2.1", "-q", "--bundle")
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/file", "w", encoding="utf-8") as file:
            file.write(OLD)
        for path in (folder, folder + "/none/b", folder + "/file/b", "/proc/b"):
            refused(call(*args, path), 4, "cannot be written")
        with open(folder + "/good", "w", encoding="utf-8") as file:
            json.dump(bundle(), file)
        refused(call("--redact", folder + "/good", "--bundle", folder + "/none/b"), 4, "cannot be written")
        refused(call("--redact", folder + "/good", "--bundle", folder + "/new", "--keep-map", folder + "/none/m"), 4, "cannot be written")
        assert not os.path.exists(folder + "/new"), "a bundle without its map"


@test
def a_full_disk_leaves_the_old_file():
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/good", "w", encoding="utf-8") as file:
            json.dump(bundle(), file)
        before = "mount -t tmpfs -o size=8k tmpfs {0}/disk && printf '%s' '{1}' > {0}/disk/b && head -c 100000 /dev/zero > {0}/disk/fill 2>/dev/null; ".format(folder, OLD)
        after = "; code=$?; cat {0}/disk/b; ls {0}/disk; exit $code".format(folder)
        os.mkdir(folder + "/disk")
        for args in ("--redact {0}/good --bundle {0}/disk/b", "--replay {0}/good -q -f json={0}/disk/b", "--replay {0}/good -q -f html={0}/disk/b"):
            script = before + DOCTOR + " " + args.format(folder) + after
            done = subprocess.run(["unshare", "-m", "/bin/sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 4 and done.stdout == OLD + "b\nfill\n", (args, done)
            assert done.stderr.count("\n") == 1 and "No space left" in done.stderr, done.stderr


@test
def a_bundle_says_who_wrote_it_and_what_it_lacks():
    with Sim() as sim, tempfile.TemporaryDirectory() as folder:
        path, env = folder + "/b", {"AZSSH_ARM_ENDPOINT": sim.url.rstrip("/"), "AZURE_AUTHORITY_HOST": sim.url, "AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT,
                                    "AZURE_CLIENT_SECRET": "sim-secret", "HOME": folder, "AZURE_CONFIG_DIR": folder, "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}
        done = call("rg/myVM", "--no-probe", "--no-ssh-config", "-q", "--bundle", path, "-f", "json=" + folder + "/r", env=env)
        with open(path, encoding="utf-8") as file:
            made = json.load(file)
        with open(folder + "/r", encoding="utf-8") as file:
            tool = json.load(file)["tool"]
        assert made["tool"] == tool and tool["rules"].startswith("sha256:") and len(tool["rules"]) == 71, (made["tool"], tool)
        options = {m["section"]: m["option"] for m in made["not_collected"]}
        assert options["deep"] == "--deep" and options["guest"] == "--guest" and options["tcp"] == "without --no-probe", options
        requests = made["facts"]["azure"]["requests"]
        assert len(requests) > 4 and all(r["at"] >= 0 and r["ms"] >= 0 for r in requests) and max(r["at"] for r in requests) > 0, requests[:3]
        assert done.returncode in (0, 1, 3), done
        # whoever reads it later has other rules: they judge what the old one saw
        with open(folder + "/rules.yaml", "w", encoding="utf-8") as file:
            file.write("version: 1\nchecks:\n  vm-state:\n    codes:\n      vm-running: {title: newer words}\n")
        again = call("--replay", path, "-f", "json", "-r", folder + "/rules.yaml")
        assert again.returncode == done.returncode and json.loads(again.stdout)["tool"]["rules"] != tool["rules"], again
        del made["tool"], made["not_collected"]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(made, file)
        assert call("--replay", path).returncode == done.returncode, "a bundle of the version before"


@test
def a_reader_that_has_seen_enough_is_no_fault():
    for args in (["--list-checks"], ["--explain", "nsg"]):
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([DOCTOR] + args, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        os.close(write)
        assert done.returncode == 0 and done.stderr == "", done
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([DOCTOR] + args, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert done.returncode == 4 and "No space left" in done.stderr, done


if __name__ == "__main__":
    raise SystemExit(run())
