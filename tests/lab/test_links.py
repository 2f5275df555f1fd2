# SPDX-License-Identifier: GPL-3.0-or-later
"""Links come, go and change their names and indexes; sockets keep sources that are no longer."""
import signal
import time

import pytest

from checks import BLOCKING, PROTECTED, Silence, assert_seen, assert_silent, state
from lab import WireGuard
from traffic import TARGET, internet_ways, link_ways, new_mark, ordinary_ways, packet_ways, probe_ways
from vpn import wait_for

LATER = 0.3  # what the guard around raw frames may need to bind to a link that is new


@pytest.fixture
def plugged(lab):
    """What a test did to the links is undone."""
    yield
    lab.isp.run("ip", "link", "del", "isp2", check=False)
    lab.victim.ip("link set eth9 down\nlink set eth9 name eth0\nlink set eth0 up", check=False)
    lab.routes()


def ways_by(lab, link, raw=True):
    """Bound to the link and not, and raw frames to its far end."""
    ways = [w for f in (4, 6) for w in internet_ways(f, link) + link_ways(f, link)]
    if raw:
        ways += [w.replace(lab.isp_mac, lab.isp2_mac)
                 for f in (4, 6) for w in packet_ways(lab, f, link)]
    return ways


@pytest.mark.parametrize("locked_first", [True, False], ids=["locked-first", "there-first"])
def test_new_uplink(lab, plugged, locked_first):
    """L04: a phone is plugged in and its default route wins."""
    if locked_first:
        lab.must("lock")
        ways, mark = ways_by(lab, "usb0", raw=False), new_mark()
        lab.plug("usb0")
        with lab.witness(mark, "isp2") as second, lab.witness(mark) as first:
            lab.send(mark, ways, 0.3)
        for seen in (first.seen, second.seen):
            assert not seen.forbidden(lab.allowed())
        time.sleep(LATER)
    else:
        lab.plug("usb0")
        assert_seen(lab, ways_by(lab, "usb0"), witness=lambda m: lab.witness(m, "isp2"))
        lab.must("lock")
    assert_silent(lab, ways_by(lab, "usb0"), interface="isp2")
    lab.must("unlock")
    assert_seen(lab, ways_by(lab, "usb0"), witness=lambda m: lab.witness(m, "isp2"))


def test_lease_by_the_routers_link_only(lab, plugged):
    """One uplink's next hop may be anybody: DHCP to it does not leave by another."""
    ways = [f"udp,to={TARGET[4]},sport=68,port=67,dev=usb0,tag=other",
            "udp,to=192.168.9.1,sport=68,port=67,dev=usb0,tag=own"]
    lab.plug("usb0")
    lab.victim.ip(f"route add default via {TARGET[4]} dev eth0 onlink metric 50\n")
    try:
        lab.must("lock")
        time.sleep(LATER)
        mark = new_mark()
        seen, _ = lab.count(mark, ways, 0.3, witness=lab.witness(mark, "isp2"))
        assert seen.tags.get("own") and not seen.tags.get("other"), seen.tags
        lab.must("unlock")
        assert_seen(lab, ways, witness=lambda m: lab.witness(m, "isp2"))
    finally:
        lab.victim.ip("route del default metric 50", check=False)


def test_index_reuse(lab, plugged, wireguard):
    """L37: a new link is born with the dead tunnel's index."""
    lab.must("lock")
    index = lab.link_index("wg0")
    wireguard.kill()
    lab.plug("eth1", index)
    assert lab.link_index("eth1") == index
    assert_silent(lab, ways_by(lab, "eth1", raw=False), interface="isp2")
    time.sleep(LATER)
    assert_silent(lab, ways_by(lab, "eth1"), interface="isp2")
    lab.must("unlock")
    assert_seen(lab, ways_by(lab, "eth1"), witness=lambda m: lab.witness(m, "isp2"))


@pytest.mark.parametrize("name", ["wg01", "wg0x", "wg", "xwg0"])
def test_name_prefix(lab, plugged, wireguard, name):
    """L76: names are compared whole."""
    lab.plug(name)
    ways = [w for w in ways_by(lab, name) if f"dev={name}" in w]  # the tunnel has the routes
    assert_seen(lab, ways, witness=lambda m: lab.witness(m, "isp2"))
    lab.must("lock")
    assert_silent(lab, ways, interface="isp2", endpoints=wireguard.endpoints())


def test_dead_tunnels_name(lab, wireguard, plugged):
    """A way onto the wire is given the dead tunnel's name: it is no tunnel for that."""
    lab.must("lock")
    wireguard.kill()
    ways = [w for w in ordinary_ways(4, "wg0") if "dev=wg0" in w]
    try:
        lab.victim.ip("link add wg0 link eth0 type macvlan mode bridge\nlink set wg0 up\n"
                      "addr add 192.168.7.77/24 dev wg0\n"
                      "route add default via 192.168.7.1 dev wg0 metric 1\n")
        time.sleep(LATER)
        assert state(lab) == BLOCKING
        assert_silent(lab, ways)
        result = lab.send(new_mark(), ways, 0.2)
        assert not any(r["sent"] for r in result.values()), "not even refused by the first wall"
        lab.must("unlock")
        assert_seen(lab, ways)
    finally:
        lab.victim.ip("link del wg0", check=False)


def test_dead_tunnels_name_on_a_veth(lab, plugged):
    """Trusted before it was ever there: what it is was learnt when it came, and is stored."""
    tunnel = lab.use(WireGuard(lab))
    lab.must(*tunnel.add_args())
    tunnel.start().wait_up()
    lab.must("lock")
    assert wait_for(lambda: state(lab) == PROTECTED, 3)
    tunnel.kill()
    lab.stop_helper(signal.SIGKILL)
    lab.start_helper()
    lab.plug("wg0")
    ways = ways_by(lab, "wg0")
    time.sleep(LATER)
    assert state(lab) == BLOCKING
    assert_silent(lab, ways, interface="isp2")
    lab.must("unlock")
    assert_seen(lab, ways, witness=lambda m: lab.witness(m, "isp2"))


def test_uplink_renamed(lab, plugged):
    """L91: the kernel drops the egress chain silently; the inet rules hold, the guard comes back."""
    ordinary = [w for f in (4, 6) for w in ordinary_ways(f, "eth9")]
    lab.must("lock")
    rename = ("link set eth0 down\nlink set eth0 name eth9\nlink set eth9 up\n"
              "route replace default via 192.168.7.1 dev eth9 metric 100\n")
    unbound = [w.replace(",dev=eth9", "") for w in ordinary if "%" not in w and "224" not in w]
    with Silence(lab, unbound):
        lab.victim.ip(rename)
        time.sleep(0.3)
    ways = ordinary + [w for f in (4, 6) for w in packet_ways(lab, f, "eth9")]
    assert_silent(lab, ways)
    lab.must("unlock")
    assert wait_for(lambda: lab.page(6, 0.3), 5)
    assert_seen(lab, ways)


@pytest.mark.parametrize("how", ["killed", "link-down", "addresses-gone"])
def test_stale_source(lab, wireguard, how):
    """L31, L32: connections that keep the tunnel's address as their source."""
    def lose():
        if how == "killed":
            wireguard.kill()
        elif how == "link-down":
            lab.victim.ip("link set wg0 down")
        else:
            lab.victim.ip("addr flush dev wg0\nlink set wg0 down")

    ways = [f"flow,to={TARGET[f]},port=7006,tag=flow{f},rate=40" for f in (4, 6)] \
        + [f"udp,to={TARGET[f]},from={wireguard.address[f]},port=7001,tag=udp{f}" for f in (4, 6)]
    # Control: unlocked, something with the tunnel's address, or asking for it, does come out.
    mark = new_mark()
    with lab.senders(mark, ways), lab.witness(mark) as control:
        lose()
        time.sleep(0.6)
    tunnel = set(wireguard.address.values())
    assert any(c["source"] in tunnel for c in control.seen.classes)
    wireguard.stop()
    assert wait_for(lambda: not lab.has_link("wg0"), 3)
    wireguard.start().wait_up()
    with lab.senders(new_mark(), ways) as senders:
        lab.must("lock")
        with Silence(lab, ways, wireguard.endpoints(), begin=senders):
            lose()
            time.sleep(1)


def test_physical_source_in_the_tunnel(lab, wireguard):
    """L33: an old socket would carry the real address to the VPN's far end."""
    wireguard.stop()
    ways = [f"flow,to={TARGET[f]},port=7006,tag=flow{f},rate=40" for f in (4, 6)]
    ways += [f"udp,to={TARGET[f]},from={lab.own[f]},port=7001,tag=udp{f}" for f in (4, 6)]

    def inside(lock):
        wireguard.stop()
        mark = new_mark()
        with lab.senders(mark, ways):
            wireguard.start().wait_up()
            if lock:
                lab.must("lock")
            with lab.witness(mark, "wgs0", lab.vpn) as witness:
                time.sleep(0.6)
        return [c for c in witness.seen.classes if c["source"] in lab.own.values()]

    control = inside(False)
    assert {c["version"] for c in control} == {4, 6}, control
    assert inside(True) == []


def has_heard(process):
    """Whether a program has read all that the kernel told it of links."""
    with open(f"/proc/{process.pid}/net/netlink", encoding="ascii") as file:
        sockets = [line.split() for line in file]
    waiting = [int(bytes) for _, protocol, port, _, bytes, *_ in sockets
               if (protocol, port) == ("0", str(process.pid))]
    assert len(waiting) == 1, "control: no such socket"
    return waiting == [0]


def test_hundred_flaps(lab):
    """L03: a hundred flaps of uplink and tunnel under all ordinary senders. wireguard-go ends itself
    when it falls behind with reading of them."""
    ways = [w for f in (4, 6) for w in ordinary_ways(f)]
    assert_seen(lab, ways)
    wireguard = lab.use(WireGuard(lab))
    wireguard.start().wait_up()
    lab.must(*wireguard.add_args())
    lab.must("lock")
    with Silence(lab, ways, wireguard.endpoints()) as silence:
        for _ in range(50):
            lab.victim.ip("link set eth0 down\nlink set eth0 up\n"
                          "route replace default via 192.168.7.1 dev eth0 metric 100\n"
                          "link set wg0 down\nlink set wg0 up\n")
            assert wait_for(lambda: has_heard(wireguard.client), 3, 0.001)
    assert silence.seen.marked == 0
    wireguard.kill()
    assert wait_for(lambda: state(lab) == BLOCKING, 3)


def test_dhcp_and_neighbours_while_locked(lab):
    """The link itself keeps working: a new lease, router advertisements, and nothing more."""
    lab.must("lock")
    with Silence(lab, probe_ways(lab, (4, 6))) as silence:
        lab.victim.stop(lab.dhclient)
        lab.victim.ip("link set eth0 down\naddr flush dev eth0\nlink set eth0 up")
        lab.start_dhclient()
        assert wait_for(lambda: "192.168.7.2/24" in lab.victim.run("ip", "addr").stdout, 10)
        assert wait_for(lambda: "2001:db8:7:" in lab.victim.run("ip", "-6", "addr").stdout, 10)
        assert wait_for(lambda: "default" in lab.victim.run("ip", "-6", "route").stdout, 5)
    assert silence.seen.count(protocol=17, port=67) > 0, "no DHCP at all was seen"
