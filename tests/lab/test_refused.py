# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel refuses the lock that is wanted: the built-in rules stand in its place, no link that was
guarded lets a frame out, and nothing leaves by any way. What it refuses is a chain at a link that is full."""
import os
import signal

import pytest

from checks import BLOCKING, BROKEN, PAUSED, Silence, assert_seen, assert_silent, state
from traffic import internet_ways, probe_ways
from vpn import wait_for

LAB = {}
FULL = 1024  # chains at one hook, MAX_HOOK_COUNT of net/netfilter/core.c
PRINTER = ["udp,to=192.168.7.1,port=9100,dev=eth0,tag=printer"]


@pytest.fixture
def refuse(lab):
    """Makes the kernel refuse; what is gone afterwards is mended."""
    def refuse():
        chains = "".join(f"chain c{n} {{ type filter hook egress device eth5 priority 0; }}\n"
                         for n in range(FULL))
        os.kill(lab.helper.pid, signal.SIGSTOP)  # sees the link when it is full
        lab.victim.ip("link add eth5 type veth peer name far5")
        lab.victim.nft(f"table netdev crowd {{\n{chains}}}")
        os.kill(lab.helper.pid, signal.SIGCONT)
        assert wait_for(lambda: state(lab) == BROKEN, 5)
    yield refuse
    lab.victim.nft("delete table netdev crowd")
    lab.victim.ip("link del eth5")
    assert wait_for(lambda: state(lab) == BLOCKING, 5), "not mended"
    lab.must("lan", "off")
    assert_silent(lab, probe_ways(lab, (4, 6)))


def test_a_link_that_cannot_be_guarded(lab, refuse):
    ways = probe_ways(lab, (4, 6))
    assert_seen(lab, ways)
    lab.must("lock")
    with Silence(lab, ways):
        refuse()
        assert lab.property("Closed") is True


def test_the_local_network_is_closed_with_the_rest(lab, refuse):
    lab.must("lan", "on")
    lab.must("lock")
    assert_seen(lab, PRINTER)
    refuse()
    assert_silent(lab, probe_ways(lab, (4, 6)) + PRINTER)


def test_helper_dies_and_is_started_meanwhile(lab, refuse):
    ways = probe_ways(lab, (4, 6))
    assert_seen(lab, ways)
    lab.must("lock")
    refuse()
    with Silence(lab, ways):
        lab.stop_helper(signal.SIGKILL)
        lab.start_helper()
        assert state(lab) == BROKEN and lab.property("Closed") is True


def test_resume_meanwhile(lab, refuse):
    """The answer is the kernel's refusal, and everything is closed all the same."""
    lab.must("lock")
    lab.must("pause", "300")
    assert state(lab) == PAUSED
    assert_seen(lab, internet_ways(4) + internet_ways(6))
    refuse()
    code, _, said = lab.ctl("resume")
    assert code == 1 and "kernel refused" in said
    assert_silent(lab, probe_ways(lab, (4, 6)))
