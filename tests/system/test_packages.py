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
    debian.build(again, TMPDIR=str(temporary), TZ="Asia/Tokyo", LC_ALL="C", DEB_BUILD_OPTIONS="parallel=1")
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
