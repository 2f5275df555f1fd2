# SPDX-License-Identifier: GPL-3.0-or-later
"""When the stored lock cannot be put in force the machine is closed, and says so on its console."""
import os
import time

import pytest

from checks import BLOCKING, assert_seen
from product import plug_sender
from traffic import internet_ways, new_mark
from vpn import wait_for

WAYS = internet_ways(4) + internet_ways(6)
STATE = "/var/lib/bulkhead/state.conf"


def corrupt(machine):
    machine.write(STATE, "[policy]\nlocked=perhaps\n\x01\x02")


def no_directory(machine):
    path = os.path.join(machine.disk, "upper/var/lib/bulkhead")
    os.rename(path, path + ".away")
    machine.write("/var/lib/bulkhead", "a file where the folder should be")


def does_not_start(machine):
    for unit in ("bulkhead", "bulkhead-boot"):
        machine.write(f"/etc/systemd/system/{unit}.service.d/broken.conf",
                      "[Service]\nExecStart=\nExecStart=/bin/false\n")


@pytest.mark.parametrize("damage", [corrupt, no_directory, does_not_start])
def test_closed_at_boot(network, machine, damage, figure):
    """Locked and at boot on; then something is broken while the machine is off."""
    mark = new_mark()
    plug_sender(machine, mark, WAYS)
    machine.power_on()
    assert wait_for(lambda: network.page(4) and network.page(6), 20)
    with network.witness(mark) as control:
        time.sleep(0.5)
    assert control.seen.marked > 100, "control: it does not send"
    machine.must("lock")
    machine.must("boot", "on")
    machine.power_off()
    network.unplug()

    damage(machine)
    written = len(machine.console())
    network.plug_in()
    with network.witness(mark) as witness:
        machine.power_on()
        # As long as it takes a machine that is not locked to be reached, and longer.
        assert not wait_for(lambda: network.page(4, 0.3) or network.page(6, 0.3), 4)
        assert int(machine.show("sender", "ExecMainStartTimestampMonotonic")) > 0, "control: it runs"
        machine.power_off()
    leaks = witness.seen.forbidden(network.allowed())
    assert not leaks, "\n".join(leaks)
    assert witness.seen.drops == 0
    told = machine.console()[written:]
    assert "bulkheadd: everything is blocked" in told \
        or "bulkheadd: locked with nothing open" in told, told
    figure(f"booted with {damage.__name__}: {network.told(witness.seen)}")


def test_hung_helper_is_restarted(network, machine, figure):
    """The real watchdog, only sooner than after a minute; the rules stand all the while."""
    machine.write("/etc/systemd/system/bulkhead.service.d/soon.conf", "[Service]\nWatchdogSec=3\n")
    machine.power_on()
    assert wait_for(lambda: network.page(4) and network.page(6), 20)
    assert_seen(network, WAYS)
    machine.must("lock")
    pid = machine.show("bulkhead", "MainPID")
    time.sleep(4)
    assert machine.show("bulkhead", "MainPID") == pid, "control: a helper at work is left alone"
    mark = new_mark()
    with network.witness(mark) as witness, network.senders(mark, WAYS) as senders:
        began = time.monotonic()
        machine.run("kill", "-STOP", pid)
        assert wait_for(lambda: machine.show("bulkhead", "MainPID") not in (pid, "0"), 15)
        took = time.monotonic() - began
        assert wait_for(lambda: machine.ctl("status", "--check")[0] == BLOCKING, 10)
    leaks = witness.seen.forbidden(network.allowed())
    assert not leaks and witness.seen.drops == 0, "\n".join(leaks)
    assert all(r["attempts"] for r in senders.result.values())
    assert "watchdog" in machine.journal("-u", "bulkhead").lower()
    figure(f"a hung helper: another one after {took:.1f} s with WatchdogSec=3, "
           f"{witness.seen.marked} packets leaked meanwhile")
