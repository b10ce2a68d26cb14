#!/usr/bin/python3
"""Work over outside bytes grows as they do: twice the input costs about twice the instructions, counted by valgrind, never timed."""
import os
import re
import shutil
import subprocess

from simlib import BUILD, expect, run, test

PROBE = os.path.join(BUILD, "tests", "work_probe")
SIZE = 40000
KINDS = subprocess.run([PROBE], capture_output=True, text=True, check=True).stdout.splitlines()


def instructions(kind, size):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PROBE, kind, str(size)], capture_output=True, text=True, timeout=300, check=True)
    return int(re.search(r"Collected *: (\d+)", done.stderr)[1])


def grows_linearly(kind):
    def check():
        start, once, twice = (instructions(kind, size) for size in (0, SIZE, 2 * SIZE))
        ratio = (twice - start) / (once - start)
        print("# %-28s %.1f instructions a byte, twice as much costs %.2f times" % (kind, (once - start) / SIZE, ratio))
        assert ratio < 2.3, ratio
    check.__name__ = kind.replace(" ", "_")
    return check


if shutil.which("valgrind") is None:
    print("1..0 # SKIP no valgrind")
    raise SystemExit(0)
for each in KINDS:
    test(grows_linearly(each))

if __name__ == "__main__":
    raise SystemExit(run())
