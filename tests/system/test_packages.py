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
         for way in internet_ways(family, rate=100) + link_ways(family, rate=40)]
PACKAGES = ("bulkhead-helper", "bulkheadctl")
HELPER = "bulkhead.service"
SCRIPTS = "/var/lib/dpkg/info/bulkhead-helper"
FORGET_NOTHING = ("/tmp", "/var/cache/apt", "/var/lib/dpkg", "/var/log/apt", "/var/log/journal")
_GRANTS = "bulkhead grants 1\n2 1700000000 bin\n"
GRANT = _GRANTS + f"sha256 {hashlib.sha256(_GRANTS.encode()).hexdigest()}\n"  # given long ago


# -- building

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


def test_the_same_bytes(built, folders, figure):
    """Built in another place, time zone and language."""
    temporary = folders / "a-longer-way-to-the-same.place"
    temporary.mkdir()
    again = str(folders / "again")
    debian.build(again, TMPDIR=str(temporary), TZ="Asia/Tokyo", LC_ALL="C",
                 DEB_BUILD_OPTIONS="nocheck")
    assert sums(built) and sums(again) == sums(built)
    figure(f"built twice, in other folders: {len(sums(built))} packages, the same bytes")


def test_no_way_to_other_bytes(folders):
    """In such a folder dpkg keeps the path in the debug symbols: refused, not built otherwise."""
    odd = folders / "a folder"
    odd.mkdir()
    with pytest.raises(debian.Failed, match="TMPDIR .*a folder"):
        debian.build(str(folders / "none"), TMPDIR=str(odd))


def told_by_lintian(told):
    hints = [line for line in told.splitlines() if line.startswith("I: ")]
    return f"lintian: no error, no warning, {len(hints)} hints"


def test_lintian(built, figure):
    figure(f"built on {BOOKWORM}: " + told_by_lintian(debian.lintian(built)))


def test_built_on_debian_13(built_there, figure):
    folder, told = built_there
    figure(f"built on {TRIXIE}: " + told_by_lintian(told))
    assert len(debian.files(folder)) == 2
    assert "warning:" not in told


# -- using

@pytest.fixture(scope="module", params=[BOOKWORM, TRIXIE])
def debian_machine(request, built, folders):
    """A Debian that has not seen Bulkhead yet, on the network, with packages to install in its
    /run: as built on Debian 12, and again under a later version."""
    later = debian.rebuilt(built, str(folders / ("later-for-" + request.param)), "999")
    with Network(static=True) as network, Machine(network, [image(request.param)]) as machine:
        machine.power_on()
        network.victim.ip("link set eth0 up\naddr add 192.168.7.2/24 dev eth0\n"
                          "addr add 2001:db8:7::2/64 dev eth0\n")
        network.routes()
        for name, folder in (("first", built), ("later", later)):
            shutil.copytree(folder, f"/proc/{machine.leader}/root/run/{name}")
        machine.untouched, machine.debian = files(machine), request.param
        yield machine


@pytest.fixture
def machine(debian_machine, watch):
    """The same, with nothing of Bulkhead on it."""
    debian_machine.run("dpkg", "--purge", *PACKAGES)
    watch(debian_machine)
    return debian_machine


def apt(machine, *args):
    """What a user reads on the terminal."""
    done = machine.run("sh", "-c", 'exec apt-get -qq -y -o Dpkg::Use-Pty=0 "$@" 2>&1', "apt", *args)
    return done.stdout


def install(machine, which="first"):
    """From the disk; the machine has no way to what apt would get from elsewhere."""
    paths = machine.shell(
        f"ls /run/{which}/bulkhead-helper_*.deb /run/{which}/bulkheadctl_*.deb").split()
    return apt(machine, "--allow-downgrades", "--no-install-recommends", "install", *paths)


def files(machine):
    """All files on the disk but those of dpkg, apt and the journal, which forget nothing."""
    but = [word for path in FORGET_NOTHING for word in ("-path", path, "-prune", "-o")]
    return set(machine.run("find", "/", "-xdev", *but, "-print").stdout.splitlines())


def settings(machine):
    """What the user chose, as the helper tells it."""
    return [machine.run("bulkheadctl", *words, "--json").stdout
            for words in (("tunnels",), ("except", "list"))]


def grants(machine):
    """Who needs no password."""
    told = json.loads(machine.run("bulkheadctl", "--json", "grants").stdout)
    return [grant["name"] for grant in told["grants"]]


def settle(machine):
    """Chooses something everywhere, and locks."""
    for line in ("tunnels add office --interface tun0 --endpoint 203.0.113.9:1194/udp",
                 "except add 192.0.2.7 --protocol tcp --port 443", "boot on", "lock"):
        machine.run("bulkheadctl", *line.split())


def state(machine):
    return machine.ctl("status", "--check")[0]


def assert_in_force(machine):
    assert state(machine) == BLOCKING
    assert machine.ctl("verify")[0] == 0, "the kernel does not hold what the helper says"


def enabled(machine):
    """The links in /etc that start something of Bulkhead with the machine."""
    return machine.run("find", "/etc/systemd", "-name", "bulkhead*").stdout.splitlines()


def helper(machine):
    return int(machine.show(HELPER, "MainPID"))


def ail(machine, how):
    """Lets the helper be well, dead or hung."""
    if how == "dead":
        machine.run("systemctl", "stop", HELPER)
    elif how == "hung":
        machine.run("kill", "-STOP", helper(machine))


def assert_nothing_runs(machine):
    assert enabled(machine) == []
    assert machine.run("find", "/run/systemd/system", "-name", "bulkhead*").stdout == ""
    assert machine.run("pgrep", "-x", "bulkheadd", check=False).stdout == ""
    assert "bulkhead" not in machine.run("nft", "list", "tables").stdout


def test_install_enables_nothing(machine):
    install(machine)
    assert_nothing_runs(machine)
    assert_seen(machine.network, FLOOD)
    assert state(machine) == OFF, "the bus does not start the helper"
    assert helper(machine) > 0 and enabled(machine) == []
    assert "Defined-By: Bulkhead" in machine.journal("-x", "-u", HELPER), "no catalog"
    machine.run("rm", "-r", "/var/lib/bulkhead")  # by hand, for good
    machine.run("systemctl", "stop", HELPER)
    assert_nothing_runs(machine)


@pytest.mark.parametrize("how", ["well", "dead", "hung"])
def test_upgrade_keeps_the_lock(machine, how, figure):
    """Under flood, to a later version and back to the earlier one."""
    install(machine)
    assert_seen(machine.network, FLOOD)
    settle(machine)
    before = settings(machine)
    for which in ("later", "first"):
        ail(machine, how)
        old = helper(machine)
        with Silence(machine.network, FLOOD) as silence:
            install(machine, which)
        assert_in_force(machine)
        assert helper(machine) not in (0, old)
        assert settings(machine) == before
        assert len(enabled(machine)) == 2
        figure(f"{machine.debian}: {'up' if which == 'later' else 'down'}graded while locked, helper "
               f"{how}: {silence.seen.marked} of "
               f"{sum(sent['attempts'] for sent in silence.result.values())} packets leaked")


@pytest.mark.parametrize("how", ["well", "dead", "hung"])
def test_remove_opens(machine, how, figure):
    """The command line first, so that only the package itself can open the lock."""
    install(machine)
    machine.write("/var/lib/bulkhead/grants.conf", GRANT, 0o600)
    settle(machine)
    before = settings(machine)
    assert grants(machine) == ["bin"]
    assert_silent(machine.network, FLOOD)
    ail(machine, how)
    apt(machine, "remove", "bulkheadctl")
    assert_silent(machine.network, FLOOD)
    said = apt(machine, "remove", "bulkhead-helper")
    assert "everything is open" in said
    assert_nothing_runs(machine)
    assert_seen(machine.network, FLOOD)
    figure(f"{machine.debian}: removed while locked, helper {how}: open, and said so")
    install(machine)
    assert state(machine) == OFF
    assert settings(machine) == before, "what the user chose is not kept"
    assert grants(machine) == []


def test_remove_is_refused_when_it_cannot_open(machine):
    """Nobody is left locked in without the program that opens."""
    install(machine)
    machine.run("bulkheadctl", "lock")
    machine.run("mount", "--bind", "/bin/false", "/usr/libexec/bulkheadd")
    try:
        done = machine.run("dpkg", "--remove", "bulkheadctl", "bulkhead-helper", check=False)
    finally:
        machine.run("umount", "/usr/libexec/bulkheadd")
    assert done.returncode != 0 and "the way out stays installed" in done.stderr
    assert_silent(machine.network, FLOOD)
    verify = "busctl", "call", "org.bulkhead.Helper1", "/org/bulkhead/Helper1", \
             "org.bulkhead.Helper1", "Verify"
    machine.run(*verify)  # starts the helper
    # And when it goes well, nobody starts one between the rescue and the end of its files.
    assert "everything is open" in machine.run(f"{SCRIPTS}.prerm", "remove").stdout
    assert "masked" in machine.run(*verify, check=False).stderr
    assert "bulkhead" not in machine.run("nft", "list", "tables").stdout


def test_remove_in_a_chroot_opens_nothing(machine):
    """There the packages are another system's, and the rules in the kernel are not; what would
    start with that system is taken away."""
    install(machine)
    settle(machine)
    for script in "prerm", "postrm":
        machine.run("unshare", "--mount", "sh", "-ec", "mount --rbind / /mnt; exec chroot /mnt "
                    f"{SCRIPTS}.{script} remove")
    assert_in_force(machine)
    assert enabled(machine) == []


def test_purge_leaves_no_file(machine, figure):
    """All packages at once, of a machine that is locked and paused; purged, or removed first."""
    for first in ("purge", "remove"):
        install(machine)
        settle(machine)
        machine.write("/etc/bulkhead/policy.d/10-company.conf", "[bulkhead]\nlan=false\n")
        machine.run("bulkheadctl", "pause", "60")
        assert "everything is open" in apt(machine, first, *PACKAGES)
        assert_nothing_runs(machine)
        machine.run("dpkg", "--purge", *PACKAGES)
        left = sorted(files(machine) ^ machine.untouched)
        figure(f"{machine.debian}: {first}d while paused, then purged: {len(left)} files left")
        assert left == []
    assert_seen(machine.network, FLOOD)
