# SPDX-License-Identifier: GPL-3.0-or-later
"""From power-on to power-off, seen at the ISP's end of the wire."""
import pytest

from checks import PROTECTED
from product import keep_plainly, lock_with_tunnel, plug_sender
from traffic import internet_ways, new_mark
from vpn import SERVER, wait_for

WAYS = internet_ways(4) + internet_ways(6)
REPAIRED_MARKS = 1000  # what all senders send in less than a second
TAGS = {part[4:] for way in WAYS for part in way.split(",") if part.startswith("tag=")}


def started(machine, unit):
    return int(machine.show(unit, "ExecMainStartTimestampMonotonic"))


def reaches(network, page, family=4):
    """Whether the internet sees a program of the machine come from this address."""
    return wait_for(lambda: network.page(family) == page, 20)


@pytest.mark.parametrize("network, firewalls, plain", [
    ("dhcp", (), False),
    ("dhcp", ("firewalld.service",), False),
    ("static", ("nftables.service", "ufw.service"), False),
    ("static", ("nftables.service", "ufw.service"), True),
], indirect=["network"], ids=["dhcp", "dhcp firewalld", "static nftables ufw",
                              "static nftables ufw plain"])
def test_nothing_but_the_tunnel_from_power_on_to_power_off(network, machine, firewalls, plain,
                                                           figure, request):
    """A sender that starts before everything and stays to the end; the tunnel's unit waits until
    it was read back that the lock is in force. Kept plainly, the rules are flushed by nftables when
    the machine shuts down, and put back: how much left until then is told."""
    mark = new_mark()
    machine.enable(*firewalls)
    # A mount of its own, as /var may have one: what needs it is stopped with it at the shutdown.
    machine.write("/etc/fstab", "/srv/state /var/lib/bulkhead none bind 0 0\n")
    machine.write("/srv/state/.mount", "")
    if plain:
        keep_plainly(machine)
    plug_sender(machine, mark, WAYS)
    network.plug_in()
    with network.witness(mark) as control:
        machine.power_on()
        assert reaches(network, network.own[4]) and reaches(network, network.own[6], 6)
        with network.witness(mark) as last:
            machine.power_off()
    control, last = control.seen, last.seen
    assert control.marked > 100 and last.marked > 100, "control: it does not send"
    assert set(control.tags) == TAGS, f"control: not seen: {TAGS - set(control.tags)}"

    network.unplug()
    machine.power_on()
    assert machine.ctl("ready")[0] != 0, "control: it is not locked yet"
    lock_with_tunnel(machine)
    machine.power_off()
    network.unplug()

    network.plug_in()
    with network.witness(mark) as witness:
        machine.power_on()
        assert reaches(network, SERVER[4]) and reaches(network, SERVER[6], 6)
        assert machine.ctl("status", "--check")[0] == PROTECTED
        assert 0 < started(machine, "sender") < started(machine, "bulkhead-boot")
        assert started(machine, "bulkhead-boot") < started(machine, "systemd-networkd")
        assert started(machine, "bulkhead-boot") < started(machine, "wg-quick@wg0")
        for unit in firewalls:
            assert 0 < started(machine, unit) < started(machine, "bulkhead-boot")
        assert "ordering cycle" not in machine.journal("_PID=1")
        machine.power_off()
    seen = witness.seen
    figure(f"power-on to power-off, {request.node.callspec.id}: locked: {network.told(seen)}; "
           f"not locked: {control.marked} of the senders, {last.marked} while it shuts down")
    leaks = seen.forbidden(network.allowed(network.endpoints))
    assert not leaks or plain, "\n".join(leaks)
    assert seen.marked < REPAIRED_MARKS
    assert seen.drops == 0, "the witness missed frames: the count proves nothing"
    assert seen.count(destination=SERVER[4]), "control: no tunnel"
