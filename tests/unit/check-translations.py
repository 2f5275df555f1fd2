#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file with words for people is in po/POTFILES, and every language has all of them."""

import pathlib
import re
import subprocess
import sys
import tempfile

WORDS = {
    ".c": re.compile(r'\b(_|N_|C_|NC_|ngettext) \(\s*"'),
    ".ui": re.compile('translatable="yes"'),
    ".in": re.compile(r"^\[Desktop Entry\]|<component ", re.M),
    ".policy": re.compile("<message>"),
}
KEYWORDS = ["_", "N_", "C_:1c,2", "NC_:1c,2", "ngettext:1,2"]


def files_with_words(root):
    for folder in ("app", "helper", "data"):
        for path in sorted((root / folder).rglob("*")):
            pattern = WORDS.get(path.suffix)
            if pattern and pattern.search(path.read_text(encoding="utf-8")):
                yield path.relative_to(root).as_posix()


def check_list(root):
    listed = (root / "po" / "POTFILES").read_text().split()
    found = list(files_with_words(root))
    for path in sorted(set(found) - set(listed)):
        yield f"po/POTFILES: {path} has words and is not listed"
    for path in sorted(set(listed) - set(found)):
        yield f"po/POTFILES: {path} is listed and has no words"
    if listed != sorted(listed):
        yield "po/POTFILES: is not sorted"


def check_language(root, language, template):
    path = root / "po" / f"{language}.po"
    for command in (["msgfmt", "--check", "--output-file=/dev/null", path],
                    ["msgcmp", path, template]):  # missing, fuzzy and empty ones
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"po/{language}.po: {done.stderr.strip()}"


def main():
    root = pathlib.Path(sys.argv[1])
    problems = list(check_list(root))
    with tempfile.NamedTemporaryFile(suffix=".pot") as template:
        subprocess.run(["xgettext", "--from-code=UTF-8", "--files-from=po/POTFILES",
                        f"--output={template.name}", *(f"--keyword={word}" for word in KEYWORDS)],
                       cwd=root, check=True)
        languages = (root / "po" / "LINGUAS").read_text().split()
        for language in languages:
            problems += check_language(root, language, template.name)
    print("\n".join(problems) or f"{len(languages)} languages are complete")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
