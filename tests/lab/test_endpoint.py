# SPDX-License-Identifier: GPL-3.0-or-later
"""The hole for the VPN server is as wide as the VPN needs, and what comes in finds nothing."""
import time

import pytest

from checks import Silence, assert_seen, assert_silent
from lab import SERVER, WireGuard
from traffic import TARGET, TooBig, new_mark
from vpn import TUNNELS, wait_for


def wrong_senders(tunnel):
    """L22, L68: every way to the server's address but the VPN's own."""
    port, udp = tunnel.port, tunnel.transport == "udp"
    ways = []
    for family, address in SERVER.items():
        to, f = f"to={address},rate=40,", str(family)
        other = "tcp" if udp else "udp"
        ways += [
            f"udp,{to}port={port},tag=nobody-udp{f},uid=65534",
            f"tcp,{to}port={port},tag=nobody-tcp{f},uid=65534",
            f"udp,{to}port={port},tag=nobody-bound{f},uid=65534,dev=eth0",
            f"{other},{to}port={port},tag=other-protocol{f},fwmark={tunnel.mark}",
            f"{tunnel.transport},{to}port={port + 1},tag=other-port{f},fwmark={tunnel.mark}",
            f"udp,{to}port=53,tag=dns{f},fwmark={tunnel.mark}",
            f"icmp,{to}tag=icmp{f},fwmark={tunnel.mark}",
            f"raw,{to}proto=47,tag=gre{f},fwmark={tunnel.mark}",
            f"{tunnel.transport},to={TARGET[family]},rate=40,port={port},tag=other-address{f},"
            f"fwmark={tunnel.mark}",
        ]
        if tunnel.mark:
            ways += [f"{tunnel.transport},{to}port={port},tag=no-mark{f}",
                     f"{tunnel.transport},{to}port={port},tag=wrong-mark{f},fwmark={tunnel.mark + 1}"]
    return ways


def visible(ways):
    """Those whose payload leaves at once when nothing is in the way: TCP needs a listener."""
    return [w for w in ways if not w.startswith("tcp")]


@pytest.mark.parametrize("kind", TUNNELS)
def test_wrong_sender(lab, kind):
    tunnel = lab.use(TUNNELS[kind](lab))
    ways = wrong_senders(tunnel)
    assert_seen(lab, visible(ways))
    lab.must(*tunnel.add_args())
    lab.must("lock")
    assert_silent(lab, ways)  # not one frame to the server: not even a SYN
    right = [f"{tunnel.transport},to={SERVER[f]},port={tunnel.port},tag=right{f},"
             f"fwmark={tunnel.mark}" for f in (4, 6)]
    assert_seen(lab, right)
    lab.must("tunnels", "forget", "home")
    assert_silent(lab, right)


def test_source_routing(lab, wireguard):
    """L41: the header names the server, an option names the real target."""
    ways = []
    for family in (4, 6):
        base = f"udp,to={TARGET[family]},via={SERVER[family]},port=51820,rate=40,"
        ways += [base + f"tag=routed{family}", base + f"tag=routed-mark{family},fwmark=0xca6c",
                 base + f"tag=routed-bound{family},fwmark=0xca6c,dev=eth0"]
    wireguard.stop()
    assert_seen(lab, ways)
    lab.must("lock")
    assert_silent(lab, ways)
    ways = [w for w in ways if "bound" in w]
    wireguard.start().wait_up()
    with Silence(lab, ways, wireguard.endpoints()):
        time.sleep(0.5)


def test_fragments(lab, wireguard):
    """L73: fragments pass to the server only, and there only for the VPN's own sender."""
    ways = [f"udp,to={a},port=7001,size=4000,tag=big{n},rate=40"
            for n, a in enumerate([TARGET[4], TARGET[6]])]
    wireguard.stop()
    assert_seen(lab, ways)
    lab.must("lock")
    assert_silent(lab, ways)
    nobody = [f"udp,to={SERVER[f]},port=51820,size=4000,tag=nobody{f},uid=65534" for f in (4, 6)]
    assert_silent(lab, nobody)
    right = [f"udp,to={SERVER[f]},port=51820,size=4000,tag=right{f},fwmark=0xca6c" for f in (4, 6)]
    seen = assert_seen(lab, right)
    for version in (4, 6):  # all three pieces arrive, not only the first
        assert seen.count(version=version, fragment=2) >= seen.count(version=version, fragment=1) / 2


def test_spoofed_to_the_tunnels_address(lab, wireguard):
    """L97, CVE-2019-14899: a packet for the tunnel's address comes in by the uplink."""
    lab.isp.ip("route replace 10.8.0.2/32 via 192.168.7.2 dev isp0\n"
               f"route replace fd00:8::2/128 via {lab.own[6]} dev isp0\n")
    ways = ["tcp,to=10.8.0.2,from=192.168.7.1,port=12345,tag=syn4,rate=20",
            "tcp,to=fd00:8::2,from=2001:db8:7::1,port=12345,tag=syn6,rate=20"]
    mark = new_mark()
    result = lab.send(mark, ways, 0.3, where=lab.isp)
    for tag in ("syn4", "syn6"):
        assert result[tag]["errors"].get("ECONNREFUSED"), f"control: no reset came back: {result}"
    lab.must("lock")
    with lab.witness(mark) as witness:
        result = lab.send(mark, ways, 0.6, where=lab.isp)
    assert not witness.seen.forbidden(lab.allowed(wireguard.endpoints()))
    for tag in ("syn4", "syn6"):
        assert set(result[tag]["errors"]) == {"ETIMEDOUT"}, result


def test_too_big_about_the_tunnels_packets(lab, wireguard):
    """Nobody outside the tunnel changes the size of what goes through it, nor learns by it what
    does: the ISP guesses a connection."""
    with TooBig(lab, lab.victim, WireGuard.address, to=lab.own) as said:
        before = said.sizes()
        lab.must("lock")
        assert said.after() == before
        lab.must("lan", "on")
        assert said.after() == before
        lab.must("unlock")
        assert said.after() == [600, 1280], "control"


def test_arp_for_the_tunnels_address(lab, wireguard):
    """L98: the neighbour asks who has the tunnel's address."""
    def asked():
        lab.isp.ip("neigh flush dev isp0\nroute replace 10.8.0.2/32 dev isp0\n", check=False)
        with lab.witness(new_mark()) as witness:
            lab.send("x", ["udp,to=10.8.0.2,port=9,tag=t,rate=10"], 0.3, where=lab.isp)
        return [c for c in witness.seen.classes if c["ethertype"] == 0x0806
                and c["source"] == "10.8.0.2"]

    assert asked(), "control: unlocked, it answers"
    lab.must("lock")
    assert not asked()
    lab.isp.ip("route del 10.8.0.2/32 dev isp0")


def test_nothing_comes_in(lab):
    """Locked, nobody on the LAN reaches a service of this machine; with LAN bypass he does."""
    lab.victim.start("/usr/bin/python3", "-m", "http.server", "8080", "--bind", "::",
                     log=lab.log_path("victim-web"))

    def reached(address):
        return lab.isp.run("curl", "-s", "-m", "0.5", "-o", "/dev/null",
                           f"http://{address}:8080/", check=False).returncode == 0

    link_local = "[fe80::ff:fe00:702%25isp0]"
    assert wait_for(lambda: reached("192.168.7.2") and reached(link_local), 5)
    lab.must("lock")
    assert not reached("192.168.7.2") and not reached(link_local)
    lab.must("lan", "on")
    assert reached("192.168.7.2") and reached(link_local)
    assert not reached(f"[{lab.own[6]}]"), "a public address is not the LAN"
