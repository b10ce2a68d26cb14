#!/usr/bin/python3
"""SPDX 2.3: the program, and what it is linked to or loads, with the versions that are installed here. usage: sbom.py VERSION PROGRAM"""
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys


def needed(program):
    """The libraries that the program names itself, and libcurl, which it loads."""
    text = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    return sorted(set(re.findall(r"\(NEEDED\).*\[(.+?)\]", text)) | {"libcurl.so.4"})


def owner(library):
    """(package, version) of a library, or its own name where no package is known."""
    found = subprocess.run(["dpkg-query", "-S", "*/" + library], capture_output=True, text=True, check=False)
    package = found.stdout.split(":")[0] if found.returncode == 0 else ""
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False) if package else None
    return (package, shown.stdout) if shown and shown.returncode == 0 else (library, "NOASSERTION")


def entry(name, version, licence="NOASSERTION"):
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION"}


def main():
    version, program = sys.argv[1:3]
    with open(program, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    own = entry("azssh-doctor", version, "MIT")
    own["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest}]
    others = [entry(*pair) for pair in sorted({owner(library) for library in needed(program)})]
    made = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or os.stat(program).st_mtime, datetime.timezone.utc)
    document = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "azssh-doctor-" + version,
                "documentNamespace": "urn:azssh-doctor:sbom:" + digest, "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: packaging/sbom.py"]},
                "packages": [own] + others, "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": own["SPDXID"]}] +
                [{"spdxElementId": own["SPDXID"], "relationshipType": "DYNAMIC_LINK", "relatedSpdxElement": other["SPDXID"]} for other in others]}
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
