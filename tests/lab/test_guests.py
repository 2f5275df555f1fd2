# SPDX-License-Identifier: GPL-3.0-or-later
"""What others send through this machine: containers, macvlan children (LEAKS L82 to L86)."""
import time

import pytest

from checks import Silence, assert_seen, assert_silent
from traffic import internet_ways, new_mark, ordinary_ways, packet_ways


@pytest.fixture(scope="module")
def container(module_lab):
    return module_lab.container()


@pytest.fixture(scope="module")
def child(module_lab):
    return module_lab.neighbour("macvlan", "child", 60)


def forwarded_ways():
    """Routed traffic only: what stays on docker0 (multicast) never comes near the uplink."""
    return [w for f in (4, 6) for w in internet_ways(f)] + [
        "udp,to=192.168.7.1,port=53,tag=dns-lan4", "udp,to=2001:db8:7::1,port=53,tag=dns-lan6"]


def test_container(lab, container):
    assert_seen(lab, forwarded_ways(), where=container)
    lab.must("lock")
    assert_silent(lab, forwarded_ways(), where=container)
    lab.must("lan", "on")
    assert_silent(lab, forwarded_ways(), where=container, lan=True)


def test_container_by_the_tunnel(lab, container, wireguard):
    """A container may use the tunnel, and nothing else when it dies."""
    lab.must("lock")
    assert lab.page(4, where=container) == "203.0.113.5"
    wireguard.kill()
    assert_silent(lab, forwarded_ways(), where=container, endpoints=wireguard.endpoints())


def test_old_flow_of_a_container(lab, container):
    """Forwarded connections made before the lock (L64, L84)."""
    ways = ["flow,to=198.51.100.9,port=7006,tag=flow4", "flow,to=2001:db8:99::9,port=7006,tag=flow6"]
    assert_seen(lab, ways, where=container)
    with lab.senders(new_mark(), ways, where=container) as senders:
        lab.must("lock")
        with Silence(lab, ways, begin=senders):
            time.sleep(0.6)


def test_macvlan_child(lab, child):
    ways = [w for f in (4, 6) for w in ordinary_ways(f)] \
        + [w for f in (4, 6) for w in packet_ways(lab, f)]
    assert_seen(lab, ways, where=child)
    lab.must("lock")
    assert_silent(lab, ways, where=child)
