# SPDX-License-Identifier: GPL-3.0-or-later
"""Real tunnels die, flap, lose their server and come back; the helper dies. Nothing leaves."""
import signal
import time

import pytest

from checks import BLOCKING, PROTECTED, Silence, assert_seen, state
from lab import SERVER
from traffic import flow_ways, new_mark, probe_ways
from vpn import TUNNELS, wait_for
from wallclock import on_a_steady_clock

EVENTS = ["kill", "flap", "unreachable", "restart", "helper-kill", "helper-adopt"]


def table_handles(lab):
    return [line for line in lab.victim.run("nft", "-a", "list", "tables").stdout.splitlines()
            if "bulkhead" in line]


def happen(lab, tunnel, event):
    if event == "kill":
        tunnel.kill()
        assert wait_for(lambda: state(lab) == BLOCKING, 3), "not blocking after the tunnel died"
        time.sleep(0.5)
    elif event == "flap":
        for _ in range(3):
            lab.flap(0.1)
            time.sleep(0.2)
        assert wait_for(lambda: tunnel.works(), 15), "the tunnel does not come back after a flap"
    elif event == "unreachable":
        lab.server_unreachable()
        time.sleep(1.5 if tunnel.link == "wg0" else 6)  # OpenVPN gives up after 4 s
    elif event == "restart":
        tunnel.kill()
        time.sleep(0.3)
        tunnel.start(tunnel.family).wait_up()
        assert lab.page(6) == SERVER[6]
        assert wait_for(lambda: state(lab) == PROTECTED, 3), "not protected with the tunnel back"
        tunnel.kill()
        time.sleep(0.3)
    elif event == "helper-kill":
        lab.stop_helper(signal.SIGKILL)
        assert tunnel.works(), "the tunnel must go on working without the helper"
        tunnel.kill()
        time.sleep(0.5)
        assert lab.ctl("status")[0] == 8
    elif event == "helper-adopt":
        before = table_handles(lab)
        lab.stop_helper(signal.SIGKILL)
        time.sleep(0.2)
        lab.start_helper()
        assert table_handles(lab) == before, "the table was made anew instead of adopted"
        assert lab.ctl("verify")[0] == 0
        assert wait_for(lambda: tunnel.works(), 3)
        tunnel.kill()
        assert wait_for(lambda: state(lab) == BLOCKING, 3)
        time.sleep(0.3)


# OpenVPN takes its time after a flap: once for each transport is enough.
CASES = [pytest.param(kind, family, event, id=f"{kind}-by-ipv{family}-{event}")
         for kind in TUNNELS for family in (4, 6) for event in EVENTS
         if (kind, family, event) not in (("openvpn-udp", 6, "flap"), ("openvpn-tcp", 4, "flap"))]


@pytest.mark.parametrize("kind, family, event", CASES)
def test_nothing_leaves(lab, kind, family, event):
    """All senders, both families, connections made before the lock and before the tunnel's death."""
    ways = probe_ways(lab, (4, 6)) + flow_ways((4, 6))
    assert_seen(lab, ways)
    tunnel = lab.use(TUNNELS[kind](lab))
    tunnel.start(family).wait_up()
    lab.must(*tunnel.add_args())
    with lab.senders(new_mark(), ways) as senders:
        lab.must("lock")
        assert wait_for(lambda: state(lab) == PROTECTED, 3)
        assert tunnel.works() and lab.page(6) == SERVER[6]
        with Silence(lab, ways, tunnel.endpoints(), begin=senders):
            happen(lab, tunnel, event)


@pytest.mark.parametrize("kind", TUNNELS)
def test_connects_while_locked(lab, kind):
    """Locked first, then the first handshake; then unlocked again: everything is open."""
    tunnel = lab.use(TUNNELS[kind](lab))
    lab.must(*tunnel.add_args())
    lab.must("lock")
    assert state(lab) == BLOCKING
    assert lab.page(4, 0.5) is None and lab.page(6, 0.5) is None
    with Silence(lab, flow_ways(()) + probe_ways(lab, (4, 6)), tunnel.endpoints()):
        tunnel.start().wait_up()
        assert lab.page(6) == SERVER[6]
    assert wait_for(lambda: state(lab) == PROTECTED, 3)
    tunnel.stop()
    lab.must("unlock")
    assert wait_for(lambda: lab.page(4) == lab.own[4], 3)


def test_wireguard_is_found_by_itself(lab):
    """`trust` of a link that was found: endpoint and mark are read from it."""
    tunnel = lab.use(TUNNELS["wireguard"](lab))
    tunnel.start().wait_up()
    lab.must("tunnels", "trust", "wg0")
    lab.must("lock")
    assert wait_for(lambda: state(lab) == PROTECTED, 3) and tunnel.works()
    ways = probe_ways(lab, (4, 6))
    with Silence(lab, ways, tunnel.endpoints()):
        tunnel.kill()
        time.sleep(0.5)
        tunnel.start().wait_up()


@pytest.mark.parametrize("kind", TUNNELS)
@on_a_steady_clock()
def test_figures(lab, kind):
    """Traffic, age and handshake of a tunnel are what they are, of every kind."""
    def figures():
        told = next(t for t in lab.call("ListTunnels")[0] if t["trusted"])
        return told["since"], told["handshake"], told["received"], told["sent"]

    tunnel = lab.use(TUNNELS[kind](lab))
    lab.must(*tunnel.add_args())
    lab.must("lock")
    assert figures() == (0, 0, 0, 0)
    before = int(time.time())
    tunnel.start().wait_up()
    assert wait_for(lambda: state(lab) == PROTECTED, 3)
    since, handshake, received, sent = figures()
    assert before <= since <= time.time()
    assert handshake == 0 or before <= handshake <= time.time()
    assert (handshake > 0) == (kind == "wireguard")
    for _ in range(20):
        assert tunnel.works()
    later = figures()
    assert later[0] == since
    assert 1000 < later[2] - received < 100_000 and 1000 < later[3] - sent < 100_000
    tunnel.kill()
    assert wait_for(lambda: state(lab) == BLOCKING, 3)
    assert figures()[0] == 0


def test_two_tunnels(lab):
    """One dies; the traffic goes by the other and nowhere else."""
    first, second = TUNNELS["openvpn-udp"](lab), lab.use(TUNNELS["wireguard"](lab))
    ways = probe_ways(lab, (4, 6))
    assert_seen(lab, ways)
    lab.must(*first.add_args("work"))
    lab.must(*second.add_args("home"))
    lab.must("lock")
    second.start().wait_up()
    first.start().wait_up()
    with Silence(lab, ways, first.endpoints() + second.endpoints()):
        second.kill()
        assert wait_for(lambda: first.works(), 3)
        assert state(lab) == PROTECTED
        first.kill()
        time.sleep(0.5)
        assert wait_for(lambda: state(lab) == BLOCKING, 3)
