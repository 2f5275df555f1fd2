# SPDX-License-Identifier: GPL-3.0-or-later
"""What others send through this machine: containers, macvlan children (LEAKS L82 to L86)."""
import time

import pytest

from checks import Silence, assert_seen, assert_silent
from traffic import TARGET, TooBig, internet_ways, new_mark, ordinary_ways, packet_ways


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


def test_stranger_by_the_tunnel(lab, container, wireguard):
    """The ISP calls itself a container: its packets do not leave the VPN server as ours."""
    ways = [f"packet,to={TARGET[f]},from={source},dev=isp0,mac={lab.victim_mac},port=7001,tag=f{f}"
            for f, source in ((4, "172.17.0.9"), (6, "fd00:17::9"))]

    def at_the_server(mark):
        return lab.witness(mark, "wgs0", lab.vpn)

    assert_seen(lab, ways, where=lab.isp, witness=at_the_server)
    lab.must("lock")
    mark = new_mark()
    seen, result = lab.count(mark, ways, 0.3, lab.isp, at_the_server(mark))
    assert not seen.marked and all(way["sent"] for way in result.values())
    assert lab.page(4, where=container) == "203.0.113.5"


def test_too_big_about_a_guests_packets(lab, container, wireguard):
    """The ISP, who guesses a container's connection by the tunnel and its address, changes nothing."""
    guest = {4: "172.17.0.2", 6: "fd00:17::2"}
    routes = [f"172.17.0.0/16 via {lab.own[4]} dev isp0", f"fd00:17::/64 via {lab.own[6]} dev isp0"]
    lab.isp.ip("".join(f"route add {route}\n" for route in routes))
    try:
        with TooBig(lab, container, guest, to=guest) as said:
            lab.must("lock")
            assert said.after() == [1500, 1500]
            lab.must("lan", "on")
            assert said.after() == [1500, 1500]
            lab.must("unlock")
            assert said.after() == [600, 1280], "control"
    finally:
        lab.isp.ip("".join(f"route del {route}\n" for route in routes))


def test_tunnel_to_an_exception(lab, container, wireguard):
    """Who is in the tunnel does not speak to an exception by the uplink of a machine that forwards."""
    ways = ["udp,to=192.168.7.1,from=203.0.113.5,port=7001,tag=bounced"]
    lab.must("except", "add", "192.168.7.1")
    lab.vpn.ip("route add 192.168.7.1/32 dev wgs0")
    try:
        assert_seen(lab, ways, where=lab.vpn)
        lab.must("lock")
        assert wireguard.works()
        assert_silent(lab, ways, where=lab.vpn, endpoints=wireguard.endpoints())
        assert_seen(lab, ["udp,to=192.168.7.1,port=7001,tag=guest"], where=container)
    finally:
        lab.vpn.ip("route del 192.168.7.1/32 dev wgs0")


def test_hotspot_client_by_the_tunnel(lab, container, wireguard):
    """A link of its own that leads to no router, as an access point's: a guest like any other."""
    lab.victim.ip(f"link add ap0 type veth peer name ap0 netns {container.pid}\n"
                  "addr add 172.17.99.1/32 peer 172.17.99.2/32 dev ap0\nlink set ap0 up\n")
    try:
        container.ip("addr add 172.17.99.2/32 peer 172.17.99.1/32 dev ap0\nlink set ap0 up\n"
                     "route add default via 172.17.99.1 dev ap0 metric 1\n")
        lab.must("lock")
        assert lab.page(4, where=container) == "203.0.113.5"
    finally:
        lab.victim.ip("link del ap0")


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


def test_hotspot_client(lab, wireguard):
    """What the tunnel answers to a client goes out by the link that the client is on."""
    client = lab.hotspot()
    lab.must("lock")
    try:
        assert lab.page(4, where=client) == "203.0.113.5"
        ways = internet_ways(4)
        wireguard.kill()
        assert_silent(lab, ways, where=client, endpoints=wireguard.endpoints())
    finally:
        lab.victim.ip("link del ap0")


def test_link_without_a_router(lab):
    """A second card, a network without a gateway: nobody is forwarded for, so no guests are there.
    With forwarding on there may be, but not where a router was seen; port mapping never (L57)."""
    base = f"packet,to=192.168.9.1,from=192.168.9.2,dev=lan0,mac={lab.isp2_mac},rate=40,"
    ways = [base + "port=9100,tag=printer,bypass=1", base + "port=5351,tag=port-mapping",
            base + "port=1900,tag=upnp"]
    lab.victim.sysctl(net__ipv4__ip_forward=0, net__ipv6__conf__all__forwarding=0)
    lab.plug("lan0", routed=False)
    try:
        assert_seen(lab, ways, witness=lambda m: lab.witness(m, "isp2"))
        lab.must("lock")
        assert_silent(lab, ways, 0.2, interface="isp2")
        lab.victim.sysctl(net__ipv4__ip_forward=1)
        assert_silent(lab, ways[1:], 0.2, interface="isp2")
        lab.victim.ip("route add 10.77.0.0/16 via 192.168.9.1")
        time.sleep(0.1)
        lab.victim.ip("route del 10.77.0.0/16")
        time.sleep(0.1)
        assert_silent(lab, ways, 0.2, interface="isp2")
    finally:
        lab.victim.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        lab.isp.ip("link del isp2")
