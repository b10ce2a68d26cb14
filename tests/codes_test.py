#!/usr/bin/python3
"""No code that was ever published is gone (tests/data/codes.txt). Every code has a page, docs/codes/CODE.md, made of what --explain says.

With --write (make docs) the pages are made anew, and new codes join the list. With --current (make check-long) the pages have to be of today."""
import concurrent.futures
import os
import re
import subprocess
import sys

SOURCE = os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
PROGRAM = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "azssh-doctor"))
FOLDER, LIST = os.path.join(SOURCE, "docs", "codes"), os.path.join(SOURCE, "tests", "data", "codes.txt")
HEAD = "<!-- Made by `make docs` from rules/default.yaml; do not edit. -->\n"


def program(*args):
    """What it prints; nothing where it refuses."""
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    return subprocess.run([PROGRAM] + list(args), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=env, timeout=60).stdout


def codes():
    """{check: (title, [code])} in path order."""
    found = {}
    for line in program("--list-checks").split("\n"):
        head, row = re.match(r"([a-z][a-z0-9-]*): (.*)", line), re.match(r"  ([a-z][a-z0-9-]*)( |$)", line)
        if head:
            check = found.setdefault(head.group(1), (head.group(2), []))
        elif row:
            check[1].append(row.group(1))
    return found


def plain(text):
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", text)


def remedies(lines):
    """"  az: Title" and its commands, four blanks in."""
    out, dialect = [], None
    for line in lines:
        head = re.match(r"  (az|powershell|portal|shell): (.*)$", line)
        if head:
            dialect = head.group(1)
            out.append("\n**%s** (%s)\n" % (plain(head.group(2)), dialect))
        elif dialect in ("portal", None):
            out.append(plain(line.strip()))
        else:
            out.append(line)
    return "\n".join(out)


def page(text):
    """What --explain prints of one code, as Markdown."""
    lines = text.rstrip("\n").split("\n")
    code, check = re.match(r"([a-z0-9-]+): (.*)", lines[0]).groups()
    out, rest = [HEAD, "# %s\n" % code], lines[1:]
    blocks = "\n".join(rest).split("\n\n")
    out.append("**%s** (check: %s)\n" % (plain(" ".join(blocks[0].split())), check))
    for block in blocks[1:]:
        first, _, more = block.partition("\n")
        if first == "What to do:":
            out.append("## What to do\n" + remedies(more.split("\n")) + "\n")
        elif first.endswith(":") and not first.startswith(" "):
            out.append("## %s\n\n%s\n" % (first.rstrip(":"), "\n".join("    " + line.strip() for line in more.split("\n")) if "tell" in first else plain(" ".join(more.split()))))
        elif re.match(r"[A-Z][a-z ]+: +\S", first) and not first.startswith("More: "):
            out.append("\n".join("- **%s**: %s" % (label, plain(" ".join(words.split()))) for label, words in re.findall(r"^([A-Z][a-z ]+): +(.*(?:\n  .*)*)", block, re.M)) + "\n")
        elif first.startswith("More: "):
            out.append("More: <%s>\n" % first[6:])
        else:
            out.append(plain(" ".join(block.split())) + "\n")
    return "\n".join(out)


def pages():
    """{file: text} of all pages and of the list of them."""
    found, made = codes(), {}
    index = [HEAD, "# What azssh-doctor can say\n", "One page a code, in the order of the path; `azssh-doctor --explain CODE` says the same.\n"]
    names = [code for _, (_, own) in found.items() for code in own]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        texts = dict(zip(names, pool.map(lambda code: program("--explain", code), names)))
    for check, (title, own) in found.items():
        own = [code for code in own if texts[code].startswith(code + ": ")]    # the others are words of a sentence
        index.append("\n## %s: %s\n" % (check, plain(title)))
        for code in own:
            title = texts[code].split("\n")[1].strip()
            index.append("- [%s](%s.md): %s" % (code, code, plain(title)))
            made[code + ".md"] = page(texts[code])
    made["README.md"] = "\n".join(index) + "\n"
    return made


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def published():
    return read(LIST).split()


def write(made, now):
    os.makedirs(FOLDER, exist_ok=True)
    for name in os.listdir(FOLDER):
        if name.endswith(".md") and name not in made:
            os.unlink(os.path.join(FOLDER, name))
    for name, text in made.items():
        if read(os.path.join(FOLDER, name)) != text:
            with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
                file.write(text)
    with open(LIST, "w", encoding="utf-8") as file:
        file.write("\n".join(sorted(set(published()) | now)) + "\n")


def main():
    made = pages()
    now = {name[:-3] for name in made} - {"README"}
    if sys.argv[1:] == ["--write"]:
        write(made, now)
        return 0
    gone = [code for code in published() if code not in now]
    tests = [("no published code is gone", gone, "a published code keeps its meaning for ever:"),
             ("the list of published codes is not empty", [] if published() else ["tests/data/codes.txt"], "empty:")]
    if sys.argv[1:] == ["--current"]:
        stale = [name for name, text in made.items() if read(os.path.join(FOLDER, name)) != text]
        left = [name for name in os.listdir(FOLDER) if name not in made] if os.path.isdir(FOLDER) else []
        tests.append(("the pages are of today", stale + left, "run 'make docs' for"))
    print("1..%d" % len(tests))
    for number, (name, faults, words) in enumerate(tests, 1):
        print("%sok %d - %s" % ("not " if faults else "", number, name))
        if faults:
            print("# %s %s" % (words, ", ".join(faults[:8])))
    return 1 if any(faults for _, faults, _ in tests) else 0


if __name__ == "__main__":
    sys.exit(main())
