#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window's icons are there whatever icon theme a desktop has: GTK brings them, or Bulkhead does.

check-icons.py SOURCES WINDOW LIBRARIES: the window as it was built, and the folder of GTK.
"""

import pathlib
import re
import subprocess
import sys

NAME = re.compile(r'["> ]([a-z.-]+-symbolic)["<]')

OF_LIBADWAITA = {"document-edit-symbolic"}  # AdwEntryRow names it; its other ones it brings


def used(folder):
    return {name for suffix in ("ui", "c") for file in folder.glob("*." + suffix)
            for name in NAME.findall(file.read_text())}


def inside(program):
    """Of the icons in a program or library, the names."""
    paths = subprocess.run(["gresource", "list", program], check=True, timeout=60,
                           capture_output=True, text=True).stdout.split()
    return {pathlib.Path(path).name.partition(".")[0] for path in paths if "/icons/" in path}


def main():
    source, window, libraries = (pathlib.Path(argument) for argument in sys.argv[1:])
    wanted = used(source / "app/window") | used(source / "app") | OF_LIBADWAITA
    assert len(wanted) > 10, "they are not where they were"
    installed = {file.stem for file in (source / "data/icons").rglob("*.svg")}
    missing = wanted - installed - inside(window) - inside(libraries / "libgtk-4.so.1")
    print("\n".join(f"{name}: only some themes have it" for name in sorted(missing))
          or f"{len(wanted)} icons are always there")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
