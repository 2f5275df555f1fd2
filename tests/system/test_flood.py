# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to services in a machine's life, and what other firewalls do, all under a flood.

With owner (Linux 6.9 and later) nobody but the helper can touch its rules: no packet leaves. The
plain way, forced by --no-owner, puts them back: how many left until then is told.
"""
import json
import shutil
import time

import pytest

import debian
from checks import assert_seen
from machine import Machine
from network import Network
from product import keep_plainly, plug_network
from traffic import TARGET, new_mark
from vpn import wait_for

FLOOD = [f"udp,to={TARGET[4]},port=7001,tag=flood4,rate=0,dev=eth0",
         f"udp,to={TARGET[6]},port=7001,tag=flood6,rate=0"]
BACK_SECONDS = 1.0

# What is done to the helper, and what brings it back afterwards. The rules are not touched.
SERVICE = {
    "kill -s KILL": ("systemctl kill -s KILL bulkhead", ""),
    "kill -s ABRT": ("systemctl kill -s ABRT bulkhead", ""),
    "restart": ("systemctl restart bulkhead", ""),
    "stop": ("systemctl stop bulkhead; sleep 1", "systemctl start bulkhead"),
    "restart dbus": ("systemctl restart dbus", ""),
    "upgrade": ("dpkg --install /run/later/*.deb", ""),
}
# What other programs do to the rules, and what ends it.
FOREIGN = {
    "5 nft flush ruleset": ("for i in 1 2 3 4 5; do nft flush ruleset; sleep 0.1; done", ""),
    "restart nftables": ("systemctl restart nftables", ""),
    "reload nftables": ("systemctl reload nftables", ""),
    "stop nftables": ("systemctl stop nftables", ""),
    "ufw enable": ("ufw --force enable", "ufw disable"),
    "firewalld reload": ("systemctl start firewalld; firewall-cmd --reload", "systemctl stop firewalld"),
}
FLUSHED = [name for name in FOREIGN if "nft" in name]


class Locked:
    """A locked machine and how its rules are kept."""

    def __init__(self, machine, way):
        self.machine, self.network, self.way = machine, machine.network, way
        self.told = []

    def repairs(self):
        events = json.loads(self.machine.must("log", "--json", "--limit", "0"))["events"]
        return [event for event in events if event.get("event") == "restored"]

    def is_whole(self):
        return self.machine.ctl("verify")[0] == 0

    def stands(self):
        """Whether the lock's rules are in the kernel; asks nobody but the kernel."""
        return "drop" in self.machine.run("nft", "list", "table", "inet", "bulkhead", check=False).stdout

    def flood(self, name, script):
        """Does it under a flood, until the helper said that the rules are whole: what left, and
        how long that took."""
        mark = new_mark()
        with self.network.witness(mark) as witness, self.network.senders(mark, FLOOD) as senders:
            time.sleep(0.2)
            self.machine.shell(script)
            done = time.monotonic()
            # Whoever can be flushed may just have been: then they are back in a moment, see took.
            assert self.way == "plain" or self.stands(), f"{name}: no rules stand"
            assert wait_for(self.is_whole, 10, 0.01), f"{name}: the rules are not whole again"
            took = time.monotonic() - done
            time.sleep(0.2)
        seen = witness.seen
        assert seen.drops == 0, "the witness missed frames: the count proves nothing"
        assert all(r["attempts"] > 5000 for r in senders.result.values()), "that was no flood"
        self.told.append(f"{name}: {seen.marked} leaked, whole after {took:.1f} s")
        return seen, took


@pytest.fixture(scope="module", params=["owner", "plain"])
def locked(request, layers, built, folders, figure):
    later = debian.rebuilt(built, str(folders / ("upgrade-" + request.param)), "999")
    with Network() as network, Machine(network, layers) as machine:
        plug_network(machine)
        if request.param == "plain":
            keep_plainly(machine)
        machine.power_on()
        assert wait_for(lambda: network.page(4) and network.page(6), 20)
        shutil.copytree(later, f"/proc/{machine.leader}/root/run/later")
        assert_seen(network, FLOOD)
        machine.must("lock")
        made = Locked(machine, request.param)
        owned = "owner" in machine.run("nft", "list", "table", "inet", "bulkhead").stdout
        assert owned == (request.param == "owner")
        yield made
        figure(f"under flood, {request.param}: " + "; ".join(made.told))
        machine.must("unlock")
        assert_seen(network, FLOOD)


@pytest.fixture(autouse=True)
def watched(locked, watch):
    watch(locked.machine)


@pytest.mark.parametrize("event", SERVICE)
def test_the_helper_comes_and_goes(locked, event):
    """Its rules stand in the kernel all the while: nothing leaves, whichever way they are kept."""
    script, after = SERVICE[event]
    before = locked.machine.show("bulkhead", "MainPID")
    seen, _ = locked.flood(event, script)
    locked.machine.shell(after)
    leaks = seen.forbidden(locked.network.allowed())
    assert not leaks, "\n".join(leaks)
    assert locked.machine.show("bulkhead", "MainPID") != before, "control: nothing was done to it"


def test_upgraded(locked):
    """Control of the upgrade above: the program that runs is the later one."""
    assert "999" in locked.machine.shell("dpkg-query -W bulkhead-helper")
    assert locked.machine.shell("tail -c1 /proc/$(systemctl show --value -p MainPID bulkhead)/exe "
                                "| od -An -tx1").split() == ["00"]


@pytest.mark.parametrize("event", FOREIGN)
def test_other_firewalls_come_and_go(locked, event):
    script, after = FOREIGN[event]
    before = len(locked.repairs())
    seen, took = locked.flood(event, script)
    locked.machine.shell(after)
    assert took < BACK_SECONDS
    repaired = len(locked.repairs()) > before
    assert repaired == (locked.way == "plain" and event in FLUSHED), "control: who took the rules out?"
    if not repaired:
        leaks = seen.forbidden(locked.network.allowed())
        assert not leaks, "\n".join(leaks)
