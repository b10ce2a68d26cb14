#!/usr/bin/python3
"""Every key file of the shared corpus through the JSON report of the built program, against the corpus's own manifest (TAP).
The corpus is made anew by keys/make-corpus.sh of the shared folder (SHARED, else beside the source tree); without it there is nothing to
compare with, and one line says so. Where the manifest names a comment that the file has lost (a PEM key rewritten by ssh-keygen holds none),
ssh-keygen -l is the referee."""
import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BUILD = pathlib.Path(os.environ.get("builddir", "."))
SRC = pathlib.Path(os.environ.get("srcdir", "."))
MAKER = pathlib.Path(os.environ.get("SHARED", SRC.parent / "shared")) / "keys/make-corpus.sh"
COLUMNS = {"kind": "kind", "format": "format", "type": "type", "bits": "bits", "encrypted": "encrypted", "cipher": "cipher", "kdf": "kdf",
           "fp_sha256": "fingerprint", "fp_md5": "fingerprint_md5", "comment": "comment", "defect": "defect", "azure": "azure"}


def evidence(path, home):
    """What the key-format check says of the file; nothing is asked on a terminal, nothing else is looked at."""
    run = subprocess.run([str(BUILD / "azssh-doctor"), "--no-azure", "--no-probe", "-i", str(path), "-f", "json"], capture_output=True,
                         stdin=subprocess.DEVNULL, timeout=30, env={"PATH": os.environ["PATH"], "HOME": home, "AZURE_CONFIG_DIR": home})
    report = json.loads(run.stdout)
    return next(f["evidence"] for f in report["findings"] if f["check"] == "key-format")


def comment_is_lost(path):
    out = subprocess.run(["ssh-keygen", "-lf", str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    return "  (" in out or " no comment (" in out


def wrong(row, path, home):
    said = evidence(path, home)
    found = []
    for column, key in COLUMNS.items():
        got = str(said.get(key, "-"))
        if got != row[column] and not (column == "comment" and got == "-" and comment_is_lost(path)):
            found.append(f"{key}: {row[column]!r} was to be expected, {got!r} came")
    return found


def main():
    if not MAKER.exists():
        print("1..0 # SKIP there is no shared corpus beside this source tree")
        return 0
    work = tempfile.mkdtemp(prefix="corpus")
    try:
        home = os.path.join(work, "home")
        os.mkdir(home)
        subprocess.run(["bash", str(MAKER), os.path.join(work, "keys")], check=True, stdout=subprocess.DEVNULL, timeout=300)
        with open(os.path.join(work, "keys/manifest.tsv"), encoding="utf-8") as manifest:
            rows = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))
        print(f"1..{len(rows)}")
        for i, row in enumerate(rows, 1):
            complaints = wrong(row, os.path.join(work, "keys", row["file"]), home)
            print(f"{'not ok' if complaints else 'ok'} {i} - {row['file']}")
            for complaint in complaints:
                print("# " + complaint)
        return 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


sys.exit(main())
