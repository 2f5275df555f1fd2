# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian packages under test, built by the command that the README names."""
import glob
import os
import re
import subprocess

from lab import REPOSITORY
from ns import Failed, die_with_parent

BUILD = os.path.join(REPOSITORY, "data/debian/build")
CONTROL = os.path.join(REPOSITORY, "data/debian/control")

# nspawn keeps sockets in /run, where this host's own may be: a /run for it alone. What the build
# writes beside its result is in memory and gone with it.
_IN_ROOT = r"""
set -e
mount -t tmpfs run /run
exec systemd-nspawn --quiet --register=no --keep-unit --private-network --pipe \
    --directory="$1" --volatile=overlay --bind="$2" --bind-ro="$3" --bind-ro="$4" \
    --setenv=DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS" sh -ec "$5"
"""


def _run(*args, timeout=300, **environment):
    done = subprocess.run([str(a) for a in args], stdin=subprocess.DEVNULL, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          preexec_fn=die_with_parent, env={**os.environ, **environment})
    if done.returncode:
        raise Failed(f"{' '.join(str(a) for a in args)} ended with {done.returncode}:\n"
                     + done.stdout[-3000:])
    return done.stdout


def build(folder, **environment):
    """Builds on this machine; what was said."""
    return _run(BUILD, folder, **environment)


def build_in(root, folder):
    """Builds in the image `root` without a network, and has its lintian look at the result; what
    was said."""
    os.makedirs(folder, exist_ok=True)
    history = _run("git", "-c", "safe.directory=" + REPOSITORY, "-C", REPOSITORY, "rev-parse",
                   "--path-format=absolute", "--git-common-dir").strip()
    return _run("unshare", "--mount", "--propagation", "private", "sh", "-c", _IN_ROOT, "build",
                root, folder, REPOSITORY, history, f"{BUILD} {folder} && {LINTIAN} {folder}/*.deb",
                DEB_BUILD_OPTIONS=os.environ.get("DEB_BUILD_OPTIONS", ""))


def build_depends():
    """What has to be installed to build, and to judge what was built."""
    with open(CONTROL, encoding="utf-8") as file:
        field = re.search(r"^Build-Depends:(.*?)^\S", file.read(), re.M | re.S).group(1)
    names = [re.match(r"\s*([a-z0-9.+-]+)", item) for item in field.split(",")]
    names = [name.group(1) for name in names if name]
    return ["build-essential", "git", "lintian",
            *("debhelper" if name == "debhelper-compat" else name for name in names)]


LINTIAN = "lintian --allow-root --fail-on error,warning --display-info --tag-display-limit 0"


def lintian(folder):
    """What lintian says of the packages; raises Failed when one is an error or a warning."""
    return _run("sh", "-ec", f"exec {LINTIAN} {folder}/*.deb")


def files(folder):
    """The packages of the system in this folder, those that others need first; the desktop's needs
    much that the machines here do not have."""
    paths = [path for path in glob.glob(folder + "/*.deb")
             if "-dbgsym_" not in path and "/bulkhead_" not in path]
    return sorted(paths, key=lambda path: "bulkhead-helper_" not in path)


def rebuilt(folder, into, version):
    """The same packages again under another version, with programs that differ by a byte."""
    os.makedirs(into)
    for path in files(folder):
        name = os.path.basename(path).split("_")[0]
        tree = os.path.join(into, name)
        _run("dpkg-deb", "--raw-extract", path, tree)
        _run("sed", "-i", f"s/^Version: .*/Version: {version}/; s/(= [^)]*)/(= {version})/",
             tree + "/DEBIAN/control")
        for program in glob.glob(tree + "/usr/libexec/*") + glob.glob(tree + "/usr/bin/*"):
            with open(program, "ab") as file:
                file.write(b"\0")
        _run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree,
             f"{into}/{name}_{version}.deb")
        _run("rm", "-r", tree)
    return into
