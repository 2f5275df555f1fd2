# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debians that machines of these tests begin as.

Made once by debootstrap, kept in /var/cache/bulkhead-system under a name that says what is in it:
another list of packages is another image. Nobody writes to it afterwards, for machines put an
overlay on top, and nobody removes it while somebody uses it.
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

from ns import Failed

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("BULKHEAD_CACHE", "/var/cache/bulkhead-system")
MIRROR = os.environ.get("BULKHEAD_MIRROR", "http://deb.debian.org/debian")
BOOKWORM, TRIXIE = "bookworm", "trixie"

# No daemon may start in the chroot, and nothing in it sees a network when it is set up.
_SET_UP = r"""
set -eu
cd "$1"
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
echo force-unsafe-io >etc/dpkg/dpkg.cfg.d/image
mount -t proc proc proc
shift
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt='apt-get -y -q --no-install-recommends'
chroot . $apt install --download-only "$@"
unshare --net chroot . $apt install --no-download "$@"
chroot . systemctl --quiet disable firewalld nftables ufw
chroot . apt-get clean
umount proc
rm usr/sbin/policy-rc.d etc/dpkg/dpkg.cfg.d/image
"""


def packages():
    """What a machine has beside what every Debian has."""
    with open(os.path.join(HERE, "packages"), encoding="ascii") as file:
        return file.read().split()


def _key(suite, wanted):
    told = "\n".join([suite, _SET_UP, *wanted])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _say(program, *args):
    with open(os.path.join(CACHE, "log"), "ab") as log:
        done = subprocess.run([program, *args], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              check=False, timeout=900)
    if done.returncode:
        with open(os.path.join(CACHE, "log"), encoding="utf-8", errors="replace") as log:
            raise Failed(f"no Debian image: {program} ended with {done.returncode}:\n"
                         + log.read()[-1500:])


def _make(path, suite, wanted):
    shutil.rmtree(path, ignore_errors=True)
    _say("debootstrap", "--variant=minbase", suite, path, MIRROR)
    # A mount namespace of its own: /proc in the chroot goes whatever happens.
    _say("unshare", "--mount", "--propagation", "private", "sh", "-c", _SET_UP, "image", path,
         *wanted)


_in_use = []  # descriptors with a shared lock, for as long as this process lives


def _hold(path, how):
    """Locks an image; whether that could be done at once."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(directory, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(directory)
        return False
    _in_use.append(directory)
    return True


def image(suite=BOOKWORM, purpose=None, wanted=None):
    """The path of an image of this Debian with the packages `wanted` in it, made now if it is not
    there yet. `purpose` is the word for another list than that of machines. Raises Failed."""
    wanted = wanted or packages()
    kind = f"{suite}-{purpose}" if purpose else suite
    path = os.path.join(CACHE, f"{kind}-{_key(suite, wanted)}")
    os.makedirs(CACHE, mode=0o755, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(path):
            for name in os.listdir(CACHE):  # images of other lists are of no use any more
                other = os.path.join(CACHE, name)
                if name.rpartition("-")[0] == kind and _hold(other, fcntl.LOCK_EX):
                    shutil.rmtree(other)
            _make(os.path.join(CACHE, "new"), suite, wanted)
            os.rename(os.path.join(CACHE, "new"), path)
        _hold(path, fcntl.LOCK_SH)
    return path


if __name__ == "__main__":  # image.py SUITE PURPOSE PACKAGE...
    print(image(sys.argv[1], sys.argv[2], sys.argv[3:]))
