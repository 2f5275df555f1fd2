#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's catalog: each event of the helper has an entry, under its own words, and no other.

check-catalog.py SOURCES: journalctl reads it as it would be installed, under a root of its own.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EVENT = re.compile(r'\{\s*"\w+",\s*((?:"[^"]*"\s*)+),\s*"([0-9a-f]{32})"')
ENTRY = re.compile(r"^-- ([0-9a-f]{32})\n(.*?)(?=^-- |\Z)", re.M | re.S)


def events(source):
    """Identifiers and texts, as the helper writes them."""
    text = (source / "helper/journal.c").read_text()
    return {number: "".join(re.findall(r'"([^"]*)"', words))
            for words, number in EVENT.findall(text)}


def catalog(file):
    """Identifiers and subjects, as journalctl understood them."""
    with tempfile.TemporaryDirectory() as root:
        for folder in "usr/lib/systemd/catalog", "var/lib/systemd/catalog":
            pathlib.Path(root, folder).mkdir(parents=True)
        shutil.copy(file, pathlib.Path(root, "usr/lib/systemd/catalog"))
        ask = ["journalctl", f"--root={root}", "--no-pager"]
        subprocess.run([*ask, "--update-catalog"], check=True, timeout=60)
        said = subprocess.run([*ask, "--dump-catalog"], check=True, timeout=60, capture_output=True,
                              text=True).stdout
    entries = ENTRY.findall(said)
    for number, entry in entries:
        fields, _, body = entry.partition("\n\n")
        assert "Defined-By: Bulkhead" in fields and body.strip(), f"{number}: it says nothing"
    return {number: re.search("^Subject: (.*)$", entry, re.M).group(1) for number, entry in entries}


def main():
    source = pathlib.Path(sys.argv[1])
    wanted, found = events(source), catalog(source / "data/bulkhead.catalog")
    assert len(wanted) > 20, "they are not where they were"
    problems = [f"{number}: {wanted.get(number)!r} in the helper, {found.get(number)!r} explained"
                for number in sorted({*wanted, *found}) if wanted.get(number) != found.get(number)]
    print("\n".join(problems) or f"{len(found)} events are explained")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
