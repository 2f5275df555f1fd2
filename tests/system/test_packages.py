# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian packages: how they are built, and what installing, upgrading, removing and purging
them does to a machine, on Debian 12 and on Debian 13."""
import hashlib
import json
import os
import shutil

import pytest

import debian
from checks import BLOCKING, OFF, Silence, assert_seen, assert_silent
from image import BOOKWORM, TRIXIE, image
from machine import Machine
from network import Network
from traffic import internet_ways, link_ways

FLOOD = [way for family in (4, 6)
         for way in internet_ways(family, rate=300) + link_ways(family, rate=100)]
HELPER = "bulkhead.service"


# -- building

@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Where packages of this run are. Short names: they get into paths that are compared."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="session")
def built(folders):
    """Built on this machine, which is a Debian 12."""
    folder = str(folders / "bookworm")
    debian.build(folder)
    return folder


@pytest.fixture(scope="session")
def built_there(folders):
    """Built in a Debian 13, and what was said while that was done."""
    folder = str(folders / "trixie")
    return folder, debian.build_in(image(TRIXIE, "build", debian.build_depends()), folder)


def sums(folder):
    result = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            result[name] = hashlib.sha256(file.read()).hexdigest()
    return result


def test_the_same_bytes(built, folders):
    """Built in another place, time zone and language."""
    temporary = folders / "a-longer-way-to-the-same.place"
    temporary.mkdir()
    again = str(folders / "again")
    debian.build(again, TMPDIR=str(temporary), TZ="Asia/Tokyo", LC_ALL="C",
                 DEB_BUILD_OPTIONS="nocheck")
    print(json.dumps(sums(built), indent=1))
    assert sums(built) and sums(again) == sums(built)


def test_no_way_to_other_bytes(folders):
    """In such a folder dpkg keeps the path in the debug symbols: refused, not built otherwise."""
    odd = folders / "a folder"
    odd.mkdir()
    with pytest.raises(debian.Failed, match="TMPDIR .*a folder"):
        debian.build(str(folders / "none"), TMPDIR=str(odd))


def test_lintian(built):
    print(debian.lintian(built))


def test_built_on_debian_13(built_there):
    folder, told = built_there
    print("\n".join(line for line in told.splitlines() if line.startswith("I: ")))
    assert len(debian.files(folder)) == 2
    assert "warning:" not in told


# -- using

@pytest.fixture(scope="module", params=[BOOKWORM, TRIXIE])
def machine(request, built, folders):
    """A Debian that has not seen Bulkhead yet, on the network, with packages to install at hand:
    those of Debian 12 as built, and again under a later version."""
    later = debian.rebuilt(built, str(folders / ("later-for-" + request.param)), "999")
    with Network(static=True) as network, Machine(network, [image(request.param)]) as machine:
        machine.mask("firewalld.service", "ufw.service")
        machine.power_on()
        network.victim.ip("link set eth0 up\naddr add 192.168.7.2/24 dev eth0\n"
                          "addr add 2001:db8:7::2/64 dev eth0\n")
        network.routes()
        for name, folder in (("first", built), ("later", later)):
            shutil.copytree(folder, f"/proc/{machine.leader}/root/run/{name}")
        machine.untouched = files(machine)
        yield machine


def files(machine):
    """All files but those of dpkg, apt and the journal, which do not forget."""
    return set(machine.shell("""
        find / -xdev -path /var/lib/dpkg -prune -o -path /var/log/journal -prune -o \
            -path /var/log/apt -prune -o -path /var/cache/apt -prune -o -path /tmp -prune -o -print
    """).splitlines())


def apt(machine, *args):
    """What it said to the user, who sees both outputs on one terminal."""
    return machine.shell('apt-get -y -q "$@" 2>&1' , *args)


def install(machine, which="first"):
    return machine.shell(f"exec apt-get -qy --allow-downgrades install /run/{which}/bulkhead*_*.deb 2>&1")
