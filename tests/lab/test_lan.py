# SPDX-License-Identifier: GPL-3.0-or-later
"""LAN bypass, exceptions and pauses open what they say, and nothing to the internet."""
import signal
import subprocess
import time

import pytest

from checks import BLOCKING, OFF, PAUSED, Silence, assert_seen, assert_silent, state
from lab import WireGuard
from traffic import TARGET, TooBig, flow_ways, honest_ways, internet_ways, new_mark, ordinary_ways, packet_ways, probe_ways
from vpn import wait_for

GATEWAY = ["192.168.7.1", "fe80::ff:fe00:701%eth0"]


def lan_ways(ports, kinds=("udp", "tcp"), to=GATEWAY):
    return [f"{kind},to={address},port={port},tag={kind}-{n}-{port},rate=40"
            for kind in kinds for n, address in enumerate(to) for port in ports]


def test_lan_opens_and_closes(lab):
    printer = lan_ways([9100], ["udp"]) + ["icmp,to=192.168.7.1,tag=ping"]
    lab.must("lock")
    assert_silent(lab, printer)
    lab.must("lan", "on")
    assert_seen(lab, printer)
    lab.must("lan", "off")
    assert_silent(lab, printer)


def test_lan_discovery(lab):
    """Finding printers works with LAN bypass; names of the old kind (LLMNR, NetBIOS) never leave."""
    discovery = ["udp,to=224.0.0.251,port=5353,dev=eth0,tag=mdns4",
                 "udp,to=ff02::fb%eth0,port=5353,dev=eth0,tag=mdns6"]
    names = ["udp,to=224.0.0.252,port=5355,dev=eth0,tag=llmnr4",
             "udp,to=ff02::1:3%eth0,port=5355,dev=eth0,tag=llmnr6",
             "udp,to=192.168.7.255,port=137,dev=eth0,tag=netbios",
             "udp,to=192.168.7.255,port=138,dev=eth0,tag=netbios-datagram",
             "udp,to=192.168.7.1,port=5355,tag=llmnr-unicast"]
    assert_seen(lab, discovery + names)
    lab.must("lock")
    assert_silent(lab, discovery + names)
    lab.must("lan", "on")
    assert_seen(lab, discovery)
    assert_silent(lab, names, lan=True)


def test_lan_names_never_leave(lab):
    """L48, L50, L51: DNS to a resolver on the LAN, IPv4 and link-local IPv6, plain and encrypted."""
    ways = lan_ways([53, 853])
    assert_seen(lab, [w for w in ways if not w.startswith("tcp") or "192" in w])
    lab.must("lan", "on")
    lab.must("lock")
    assert_silent(lab, ways, lan=True)
    assert_seen(lab, lan_ways([9100], ["udp"]))


def test_lan_port_mapping(lab):
    """L57: the router would tell the real address: NAT-PMP, PCP, UPnP. Discovery by multicast may
    go out, but the router's answer, which names the door, does not come in. On the internet the
    same ports are what an exception says."""
    ways = lan_ways([5351, 1900], ["udp"]) + lan_ways([2869, 5000, 49152], ["tcp"], GATEWAY[:1])
    answer = ["udp,to=192.168.7.2,port=7001,sport=1900,tag=answer"]
    assert_seen(lab, ways)

    def heard():
        with lab.victim.start(*listen(7001), stdout=subprocess.PIPE, text=True) as child:
            child.stdout.readline()
            lab.send(new_mark(), answer, 0.3, where=lab.isp)
            return child.communicate(timeout=5)[0].strip() == "heard"

    assert heard(), "control"
    lab.must("lan", "on")
    lab.must("lock")
    assert_silent(lab, ways, lan=True)
    assert not heard()
    lab.must("except", "add", TARGET[4], "--protocol", "udp", "--port", "5351")
    assert_seen(lab, [f"udp,to={TARGET[4]},port=5351,tag=exception"])
    # Policy routing: the router is known from another table than main.
    lab.victim.ip("route del default\nroute add default via 192.168.7.1 dev eth0 table 100\n")
    try:
        time.sleep(0.1)
        assert_silent(lab, ways, lan=True)
        assert not heard()
    finally:
        lab.victim.ip("route del default table 100")


def listen(port):
    """A program that says whether a datagram came to that port within half a second."""
    return ["/usr/bin/python3", "-c", f"""import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", {port}))
s.settimeout(0.5)
print("listening", flush=True)
try:
    s.recv(9)
    print("heard")
except TimeoutError:
    print("silence")
"""]


def test_lan_is_private_and_on_link(lab):
    """L19 LocalNet: a public prefix on the link is not the LAN; nor is a private one behind it."""
    lab.victim.ip("addr add 198.51.100.2/24 dev eth0\naddr add 2001:db8:99::2/64 dev eth0\n"
                  "route add 10.77.0.0/16 via 192.168.7.1\n")
    lab.isp.ip("addr add 198.51.100.1/24 dev isp0\naddr add 2001:db8:99::9/64 dev isp0\n")
    try:
        ways = [w for f in (4, 6) for w in internet_ways(f) if "ndp-far" not in w]
        ways += ["udp,to=10.77.0.1,port=7001,tag=routed"]
        assert_seen(lab, ways)
        lab.must("lan", "on")
        lab.must("lock")
        time.sleep(0.2)
        assert_silent(lab, ways, lan=True)
    finally:
        lab.victim.ip("addr del 198.51.100.2/24 dev eth0\naddr del 2001:db8:99::2/64 dev eth0\n"
                      "route del 10.77.0.0/16\n", check=False)
        lab.isp.ip("addr del 198.51.100.1/24 dev isp0\naddr del 2001:db8:99::9/64 dev isp0\n")


def test_lan_minus_the_tunnels_subnet(lab, wireguard):
    """L25: the ISP takes the tunnel's own private addresses onto the LAN, and those of a network
    behind it that only wg-quick's own table knows."""
    lab.victim.ip("addr add 10.8.0.77/16 dev eth0\nroute add 10.8.0.53/32 dev eth0\n"
                  "addr add 10.50.0.77/24 dev eth0\n"
                  f"route add 10.50.0.0/24 dev wg0 table {wireguard.mark}\n")
    lab.isp.ip("addr add 10.8.0.53/16 dev isp0\naddr add 10.50.0.53/24 dev isp0\n")
    try:
        ways = ["udp,to=10.8.0.53,port=7001,tag=stolen", "udp,to=10.8.0.53,port=53,tag=stolen-dns",
                "udp,to=10.8.0.53,port=7001,tag=stolen-bound,dev=eth0",
                "udp,to=10.50.0.53,port=7001,tag=stolen-table,dev=eth0"]
        assert_seen(lab, ways)
        lab.must("lan", "on")
        lab.must("lock")
        time.sleep(0.2)
        assert_silent(lab, ways, endpoints=wireguard.endpoints(), lan=True)
        wireguard.kill()
        assert_silent(lab, ways, endpoints=wireguard.endpoints(), lan=True)
    finally:
        lab.victim.ip("addr del 10.8.0.77/16 dev eth0\nroute del 10.8.0.53/32\n"
                      "addr del 10.50.0.77/24 dev eth0\n", check=False)
        lab.isp.ip("addr del 10.8.0.53/16 dev isp0\naddr del 10.50.0.53/24 dev isp0\n",
                   check=False)


def test_lan_is_not_told_the_tunnels_address(lab, wireguard):
    """L31, L32: what is bound to the tunnel's address leaves by the tunnel alone, or not at all."""
    ways = ["udp,to=192.168.7.1,from=10.8.0.2,port=9100,tag=lan4",
            "udp,to=239.1.2.3,from=10.8.0.2,dev=eth0,port=6771,tag=group4",
            "udp,to=fe80::ff:fe00:701%eth0,from=fd00:8::2,port=9100,tag=lan6",
            "udp,to=198.51.100.9,from=10.8.0.2,dev=eth0,port=7001,tag=exception4",
            "udp,to=2001:db8:99::9,from=fd00:8::2,dev=eth0,port=7001,tag=exception6",
            f"packet,to=192.168.7.1,from=10.8.0.2,dev=eth0,mac={lab.isp_mac},port=9100,tag=frame"]
    assert_seen(lab, ways)
    lab.must("lan", "on")
    for family in (4, 6):
        lab.must("except", "add", TARGET[family], "--protocol", "udp", "--port", "7001")
    lab.must("lock")
    assert_silent(lab, ways, endpoints=wireguard.endpoints(), lan=True)
    ways = ways[:-1]  # a frame may say of itself what it likes
    with Silence(lab, ways, wireguard.endpoints(), lan=True):
        wireguard.kill()
        time.sleep(0.4)
    assert_seen(lab, lan_ways([9100], ["udp"]))


def test_dhcp_routes(lab, wireguard):
    """L23 TunnelVision: DHCP option 121 draws the target out of the tunnel."""
    ways = internet_ways(4)
    lab.start_dnsmasq("--dhcp-option=121,198.51.100.0/24,192.168.7.1,0.0.0.0/1,192.168.7.1,"
                      "128.0.0.0/1,192.168.7.1")
    try:
        lab.victim.stop(lab.dhclient)
        lab.start_dhclient()
        assert wait_for(lambda: "198.51.100.0/24" in lab.victim.run("ip", "route").stdout, 10)
        assert lab.page(4) == lab.own[4], "control: unlocked, the attack works"
        assert_seen(lab, ways)
        lab.must("lock")
        assert lab.page(4, 0.5) is None
        assert_silent(lab, ways, endpoints=wireguard.endpoints())
        lab.must("lan", "on")
        assert_silent(lab, ways, endpoints=wireguard.endpoints(), lan=True)
    finally:
        lab.start_dnsmasq()
        lab.victim.ip("route del 198.51.100.0/24\nroute del 0.0.0.0/1\nroute del 128.0.0.0/1\n",
                      check=False)


def test_exceptions(lab):
    """An exception opens its address, protocol and port; removed, its connections end too."""
    only = [f"udp,to={TARGET[4]},port=7001,tag=open4", f"udp,to={TARGET[6]},port=7001,tag=open6"]
    flow = [f"flow,to={TARGET[4]},port=7006,tag=flow4"]
    lab.must("lock")
    assert_silent(lab, only)
    for address in (TARGET[4], TARGET[6]):
        lab.must("except", "add", address, "--protocol", "udp", "--port", "7001")
    lab.must("except", "add", TARGET[4], "--protocol", "tcp", "--port", "7006")
    assert_seen(lab, only + flow)
    others = [w for f in (4, 6) for w in ordinary_ways(f) if ",port=7001," not in w]
    # The later pieces of what is open have no ports: they may pass to that host.
    others += [w for f in (4, 6) for w in packet_ways(lab, f) if "fragment" not in w]
    assert_silent(lab, others)
    with lab.senders(new_mark(), only + flow) as senders:
        lab.must("except", "remove", TARGET[4], "--protocol", "tcp", "--port", "7006")
        for address in (TARGET[4], TARGET[6]):
            lab.must("except", "remove", address, "--protocol", "udp", "--port", "7001")
        with Silence(lab, only + flow, begin=senders):
            time.sleep(0.6)


def test_exception_of_a_whole_address(lab):
    """Without protocol and port: tcp, udp and icmp to it; still no names, still no other host."""
    lab.must("lock")
    lab.must("except", "add", "198.51.100.0/28")
    assert_seen(lab, [f"udp,to={TARGET[4]},port=7001,tag=udp", f"icmp,to={TARGET[4]},tag=icmp",
                      f"tcp,to={TARGET[4]},port=7004,tag=tcp"])
    assert_silent(lab, [f"udp,to={TARGET[4]},port=53,tag=dns", f"tcp,to={TARGET[4]},port=853,tag=dot",
                        f"udp,to={TARGET[6]},port=7001,tag=udp6", f"raw,to={TARGET[4]},proto=47,tag=gre",
                        "udp,to=198.51.100.17,port=7001,tag=outside"])


# A server that answers with a datagram too big for one packet, and who asks it.
PIECES = """import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
if len(sys.argv) == 1:
    s.bind(("::", 9998))
    print("ready", flush=True)
    s.sendto(b"z" * 4000, s.recvfrom(9)[1])
else:
    s.settimeout(1)
    s.sendto(b"x", (sys.argv[1], 9998))
    print(len(s.recv(9999)))
"""


def test_answer_in_pieces(lab):
    """IPv6 without connection tracking puts them together behind the rules."""
    lab.must("except", "add", "2001:db8:7::1", "--protocol", "udp", "--port", "9998")
    lab.must("lock")
    with lab.isp.start("/usr/bin/python3", "-c", PIECES, stdout=subprocess.PIPE, text=True) as server:
        server.stdout.readline()
        asked = lab.victim.run("/usr/bin/python3", "-c", PIECES, "2001:db8:7::1", check=False)
        server.kill()
    assert asked.stdout.strip() == "4000", asked.stderr


def test_too_big_about_an_exception(lab):
    """Routers say how big its packets may be, also where no tunnel is trusted."""
    for address in TARGET.values():
        lab.must("except", "add", address)
    with TooBig(lab, lab.victim, lab.own, to=lab.own) as said:
        lab.must("lock")
        assert said.sizes() == [1500, 1500]
        assert said.after() == [600, 1280]


@pytest.mark.parametrize("helper", ["alive", "dead"])
def test_pause_closes_by_itself(lab, helper):
    """L18: with the helper alive and dead alike; connections made in the pause end with it."""
    ways = probe_ways(lab, (4, 6))
    lab.must("lock")
    assert_silent(lab, ways, 0.2)
    lab.must("pause", "2")
    began = time.monotonic()
    assert state(lab) == PAUSED
    assert lab.page(4) == lab.own[4] and lab.page(6)
    ways += flow_ways((4, 6))
    if helper == "dead":
        lab.stop_helper(signal.SIGKILL)
    assert_seen(lab, honest_ways(lab, (4, 6)) + flow_ways((4, 6)))
    with lab.senders(new_mark(), ways) as senders:
        time.sleep(max(0, began + 2.2 - time.monotonic()))
        with Silence(lab, ways, begin=senders):
            time.sleep(0.6)
    if helper == "dead":
        lab.start_helper()
    assert wait_for(lambda: state(lab) == BLOCKING, 3)
    assert_silent(lab, ways)


def test_resume(lab):
    lab.must("lock")
    lab.must("pause", "60")
    assert_seen(lab, honest_ways(lab, (4, 6)))
    lab.must("resume")
    assert state(lab) == BLOCKING
    assert_silent(lab, probe_ways(lab, (4, 6)))


def test_pause_does_not_survive_a_restart(lab):
    """After a crash the stricter state is in force."""
    lab.must("lock")
    lab.must("pause", "600")
    lab.stop_helper(signal.SIGKILL)
    lab.start_helper()
    assert state(lab) == BLOCKING
    assert_silent(lab, probe_ways(lab, (4, 6)))


def test_old_flows_end_with_the_lock(lab):
    """L64: conntrack knows them; they die all the same."""
    lab.victim.nft("table inet other { chain o { type filter hook output priority -200; "
                   "ct state new counter; ct state established accept; }; }")
    ways = flow_ways((4, 6)) + [f"udp,to={TARGET[f]},port=7001,tag=old{f}" for f in (4, 6)]
    try:
        assert_seen(lab, ways)
        with lab.senders(new_mark(), ways) as senders:
            time.sleep(0.2)
            lab.must("lock")
            with Silence(lab, ways, begin=senders):
                time.sleep(0.8)
    finally:
        lab.victim.run("nft", "delete", "table", "inet", "other")
    lab.must("unlock")
    assert state(lab) == OFF


def test_lan_flow_ends_with_the_bypass(lab):
    """A connection made by LAN bypass does not outlive it."""
    lab.must("lock")
    lab.must("lan", "on")
    ways = ["flow,to=192.168.7.1,port=80,tag=flow", "udp,to=192.168.7.1,port=9100,tag=udp"]
    assert_seen(lab, ways)
    with lab.senders(new_mark(), ways) as senders:
        lab.must("lan", "off")
        with Silence(lab, ways, begin=senders):
            time.sleep(0.5)


def test_tunnel_beside_lan_bypass(lab):
    """With LAN bypass on, a dead tunnel still means: nothing to the internet."""
    tunnel = lab.use(WireGuard(lab))
    ways = [w for f in (4, 6) for w in internet_ways(f) + packet_ways(lab, f)]
    lab.must(*tunnel.add_args())
    lab.must("lan", "on")
    lab.must("lock")
    tunnel.start().wait_up()
    with Silence(lab, ways, tunnel.endpoints(), lan=True):
        tunnel.kill()
        time.sleep(0.6)


# A shell's server at the victim, and whoever works in it: both print what they heard.
SESSION = """
import socket, sys, time
if sys.argv[1] == "serve":
    wire = socket.create_server(("0.0.0.0", 2222)).accept()[0]
else:
    wire = socket.create_connection((sys.argv[2], 2222), 5, (sys.argv[1], 0))
wire.settimeout(0.05)
for i in range(200):
    try:
        wire.sendall(b"%d." % i)
        print(wire.recv(999).decode(), flush=True)
    except TimeoutError:
        pass
    time.sleep(0.02)
"""


@pytest.mark.parametrize("kept", [False, True])
def test_a_session_from_outside(lab, kept):
    """It ends with the lock, unless its other end is an exception."""
    def heard(name):
        return len(lab.log_of(name))

    for name in ("server", "client"):  # what the one before heard
        lab.write(name + ".log", "")
    server = lab.victim.start("/usr/bin/python3", "-c", SESSION, "serve", log=lab.log_path("server"))
    assert wait_for(lambda: ":2222" in lab.victim.run("ss", "-Hltn").stdout, 5)
    client = lab.isp.start("/usr/bin/python3", "-c", SESSION, TARGET[4], lab.own[4],
                           log=lab.log_path("client"))
    try:
        assert wait_for(lambda: heard("server") > 5 and heard("client") > 5, 5)
        if kept:
            lab.must("except", "add", TARGET[4], "--protocol", "tcp")
        lab.must("lock")
        before = heard("server"), heard("client")
        time.sleep(1)
        goes_on = heard("server") > before[0] + 5 and heard("client") > before[1] + 5
        assert goes_on == kept, (before, heard("server"), heard("client"))
    finally:
        lab.victim.stop(server)
        lab.isp.stop(client)
