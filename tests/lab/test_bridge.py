# SPDX-License-Identifier: GPL-3.0-or-later
"""The uplink is a port of a bridge, with a guest beside the host (LEAKS L85)."""
import signal
import time

import pytest

from checks import BLOCKING, Silence, assert_seen, assert_silent, state
from traffic import internet_ways, ordinary_ways, packet_ways

LAB = {"bridge": True, "static": True}


@pytest.fixture(scope="module")
def guest(module_lab):
    return module_lab.neighbour("bridge", "guest", 50)


def all_ways(lab, dev):
    return [w for f in (4, 6) for w in ordinary_ways(f, dev) + packet_ways(lab, f, dev)]


def test_guest(lab, guest):
    ways = all_ways(lab, "eth0")
    assert_seen(lab, ways, where=guest)
    lab.must("lock")
    assert_silent(lab, ways, where=guest)


def test_guest_with_lan_bypass(lab, guest):
    """LAN bypass is for this machine's own programs; a guest's names still do not leave."""
    ways = [w for f in (4, 6) for w in internet_ways(f) + packet_ways(lab, f)]
    ways += ["udp,to=192.168.7.1,port=53,tag=dns-lan",
             "udp,to=224.0.0.252,port=5355,dev=eth0,tag=llmnr"]
    assert_seen(lab, ways, where=guest)
    lab.must("lan", "on")
    lab.must("lock")
    assert_silent(lab, ways, where=guest, lan=True)


def test_guest_while_the_vpn_has_the_default_route(lab, guest, wireguard):
    """The bridge keeps the route to the VPN's server, then not even that: its port is guarded on."""
    ways = [w for f in (4, 6) for w in internet_ways(f) + packet_ways(lab, f)]
    lab.must("lock")
    try:
        with Silence(lab, ways, wireguard.endpoints(), guest):
            lab.victim.ip("route add 203.0.113.5/32 via 192.168.7.1 dev br0\n"
                          "route add 2001:db8:5::5/128 via 2001:db8:7::1 dev br0\n"
                          "route del default\nroute del ::/0 dev br0\n")
            time.sleep(0.2)
            lab.stop_helper(signal.SIGKILL)
            lab.start_helper()
            time.sleep(0.2)
            lab.victim.ip("route del 203.0.113.5/32\nroute del 2001:db8:5::5/128\n")
            time.sleep(0.2)
        lab.must("unlock")
        assert_seen(lab, ways, where=guest)
    finally:
        lab.routes()


def test_host(lab, guest):
    """The host itself: on the bridge, and by raw frames on bridge and port alike."""
    ways = all_ways(lab, "br0")
    port = [w for f in (4, 6) for w in packet_ways(lab, f, "eth0")]
    assert_seen(lab, ways)
    assert_seen(lab, port)
    lab.must("lock")
    assert state(lab) == BLOCKING
    assert_silent(lab, ways)
    assert_silent(lab, port)
