#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit files: systemd understands every line, and nobody could do much with their processes.

check-units.py DIRECTORY: the build's data directory. The units are looked at as they would be
installed, under a root of their own in which the programs they start are there.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

UNITS = ("bulkhead.service", "bulkhead-boot.service", "bulkhead-closed.service")
EXPOSURE_MAX = 2.0


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"})


def copy(directory, root):
    """The units with an empty program in the place of ours, which may not be installed."""
    program = root / "bulkheadd"
    program.write_text("#!/bin/true\n")
    program.chmod(0o755)
    for name in UNITS:
        text = (directory / name).read_text()
        assert "@" not in text.replace("@system-service", "").replace("@privileged", "").replace(
            "@resources", ""), f"{name}: something was not filled in"
        text = re.sub(r"/\S*/bulkheadd\b(?!\()", str(program), text)
        # Manual pages are looked for with man, which finds them only where they are installed.
        (root / name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))


def verify(root):
    done = run("systemd-analyze", "verify", "--recursive-errors=no",
               *[str(root / name) for name in UNITS])
    if done.returncode != 0 or done.stderr.strip() or done.stdout.strip():
        yield f"systemd-analyze verify: {done.stdout}{done.stderr}"


def score(root, name):
    done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", str(root / name))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    if found is None:
        yield f"{name}: no score: {done.stderr}"
        return
    print(f"{name}: {found.group(1)}")
    if float(found.group(1)) > EXPOSURE_MAX:
        yield f"{name}: exposure {found.group(1)} is more than {EXPOSURE_MAX}"


def lines_of(directory, name):
    """The assignments, as they stand."""
    text = (directory / name).read_text()
    return [line for line in text.splitlines() if line and line[0] not in "#["]


STOPPED_AT_SHUTDOWN = ("Conflicts=", "BusName=", "PrivateTmp=", "RequiresMountsFor=", "StateDirectory=",
                       "LogsDirectory=", "CacheDirectory=")


def promises(directory):
    """What the design says of them, and no tool checks."""
    wanted = {
        "bulkhead.service": ["Type=notify", "DefaultDependencies=no", "Restart=always",
                             "StartLimitIntervalSec=0", "MemoryMax=1G", "MemorySwapMax=0",
                             "CapabilityBoundingSet=CAP_NET_ADMIN"],
        "bulkhead-boot.service": ["DefaultDependencies=no", "Wants=network-pre.target",
                                  "Before=network-pre.target shutdown.target",
                                  "OnFailure=bulkhead-closed.service",
                                  "CapabilityBoundingSet=CAP_NET_ADMIN"],
        "bulkhead-closed.service": ["DefaultDependencies=no",
                                    "Before=network-pre.target shutdown.target",
                                    "CapabilityBoundingSet=CAP_NET_ADMIN"],
    }
    for name, expected in wanted.items():
        there = lines_of(directory, name)
        for line in expected:
            if line not in there:
                yield f"{name}: {line} is not there"
        for line in there:
            if line.startswith("ExecStop="):
                yield f"{name}: {line}: stopping must open nothing"
            if line.startswith(("Requires=", "Requisite=")):
                yield f"{name}: {line}: nothing may keep the lock from starting"
            if name == "bulkhead.service" and line.startswith(STOPPED_AT_SHUTDOWN):
                yield f"{name}: {line}: it would be stopped when the machine shuts down"
    for word in ("dbus", "nss", "polkit"):
        for line in lines_of(directory, "bulkhead-boot.service"):
            if word in line:
                yield f"bulkhead-boot.service: {line}: nothing is there yet at that time"


def folders(directory):
    """What is done with all of root's rights before the helper starts makes the folders that are
    missing, and touches nothing else: not what a link in their place leads to."""
    lines = [line.partition("=")[2] for line in lines_of(directory, "bulkhead.service")
             if line.startswith("ExecStartPre=")]
    if len(lines) != 2:
        yield f"bulkhead.service: {len(lines)} commands before it starts"
    for line in lines:
        with tempfile.TemporaryDirectory() as temporary:
            target, link, new = (pathlib.Path(temporary) / name for name in ("target", "link", "new"))
            target.mkdir()
            target.chmod(0o755)
            link.symlink_to(target)
            command = line.lstrip("-+").split()[:-1]
            codes = [run(*command, str(path)).returncode for path in (link, new, new)]
            if codes != [0, 0, 0] or target.stat().st_mode & 0o777 != 0o755:
                yield f"bulkhead.service: {line}: touches what is there already"
            if not new.is_dir() or oct(new.stat().st_mode & 0o777)[2:] not in command[-1]:
                yield f"bulkhead.service: {line}: does not make the folder"
        if "/log/" in line and not line.startswith("-"):
            yield f"bulkhead.service: {line}: without a log there would be no lock"


def main():
    directory = pathlib.Path(sys.argv[1])
    problems = [*promises(directory), *folders(directory)]
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        copy(directory, root)
        problems += verify(root)
        for name in UNITS:
            problems += score(root, name)
    print("\n".join(problems) or "the units are as they should be")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
