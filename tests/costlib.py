"""Instructions of a whole process, counted by valgrind's callgrind: they repeat, however busy the machine is."""
import os
import subprocess
import tempfile

FLAGS = ("--tool=callgrind", "--compress-strings=no", "--compress-pos=no")


def by_object(path):
    """{file name of the program or library: instructions spent in it}. A line after "calls=" is what the called one spent."""
    spent, here, called = {}, "", False
    with open(path, encoding="utf-8", errors="replace") as text:
        for line in text:
            if line.startswith("ob="):
                here = os.path.basename(line[3:].strip())
            elif line.startswith("calls="):
                called = True
            elif line[:1].isdigit():
                if not called:
                    spent[here] = spent.get(here, 0) + int(line.split()[1])
                called = False
    return spent


def count(argv, env, ok=(0,), timeout=300):
    """(all instructions, those of the program's own code)."""
    with tempfile.TemporaryDirectory(prefix="azssh-cost-") as folder:
        out = os.path.join(folder, "out")
        done = subprocess.run(["valgrind", *FLAGS, "--callgrind-out-file=" + out, *argv], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)
        assert done.returncode in ok, (done.returncode, done.stderr[-2000:])
        spent = by_object(out)
    return sum(spent.values()), spent[os.path.basename(argv[0])]
