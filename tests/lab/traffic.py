# SPDX-License-Identifier: GPL-3.0-or-later
"""What is sent and what is seen: senders in one namespace, the witness in the ISP's."""
import itertools
import json
import os
import signal
import subprocess
import time

from ns import Failed

ARP, IPV4, IPV6, EAPOL = 0x0806, 0x0800, 0x86DD, 0x888E
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6", 41: "6in4", 47: "gre", 132: "sctp"}

_serial = itertools.count(1)


def new_mark():
    """A byte string that is nowhere else: one per measurement."""
    return f"BhMk{os.getpid():x}x{next(_serial):x}:"


class Seen:
    """What the witness counted."""

    def __init__(self, data):
        self.frames = data["frames"]
        self.marked = data["marked"]
        self.drops = data["drops"]
        self.classes = data["classes"]
        self.tags = data["tags"]

    def count(self, **want):
        """How many frames are of these fields' values."""
        return sum(c["frames"] for c in self.classes if all(c[k] == v for k, v in want.items()))

    def forbidden(self, allowed):
        """The classes that `allowed` does not let out, as readable lines."""
        return [_describe(c) for c in self.classes if c["marked"] or not allowed(c)]


def _describe(c):
    name = {ARP: "arp", IPV4: "ipv4", IPV6: "ipv6"}.get(c["ethertype"], hex(c["ethertype"]))
    proto = NAMES.get(c["protocol"], c["protocol"])
    vlan = " vlan" if c["vlan"] else ""
    return (f"{c['frames']} frames ({c['marked']} marked){vlan} {name} {proto} "
            f"{c['source']} -> {c['destination']} {c['port'] if c['port'] >= 0 else ''}")


class Witness:
    """Counts what arrives on one interface while the `with` block runs; then `seen` is there."""

    def __init__(self, lab, mark, interface="isp0", where=None):
        self.seen = None
        self._where = where or lab.isp
        self._output = os.path.join(lab.directory, f"witness{next(_serial)}.json")
        self._child = self._where.start(lab.program("witness"), interface, self._output, mark,
                                        stdout=subprocess.PIPE, text=True)
        if self._child.stdout.readline() != "ready\n":
            raise Failed(f"the witness does not start on {interface}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        status = self._where.stop(self._child, signal.SIGTERM, 20)
        self._child.stdout.close()
        self._where.children.remove(self._child)
        if status != 0:
            raise Failed(f"the witness ended with {status}")
        with open(self._output, encoding="ascii") as file:
            self.seen = Seen(json.load(file))
        os.unlink(self._output)


class Senders:
    """Sends in the background; `stop()` returns what the kernel took of it, by tag."""

    def __init__(self, lab, where, mark, ways, seconds=60):
        self._where = where
        self.mark = mark
        self._child = where.start(lab.program("sender"), mark, seconds, *ways,
                                  stdout=subprocess.PIPE, text=True)
        if self._child.stdout.readline() != "ready\n":
            raise Failed("the senders do not start")
        self.result = None

    def wait(self, timeout=90):
        out, _ = self._child.communicate(timeout=timeout)
        self._where.children.remove(self._child)
        if self._child.returncode != 0:
            raise Failed(f"the senders ended with {self._child.returncode}")
        self.result = json.loads(out)
        return self.result

    def stop(self):
        if self.result is None:
            self._child.send_signal(signal.SIGTERM)
            self.wait()
        return self.result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


TARGET = {4: "198.51.100.9", 6: "2001:db8:99::9"}
RESOLVER = {4: "192.168.7.1", 6: "2001:db8:7::1"}


def packet_ways(lab, family, dev="eth0", own=None):
    """AF_PACKET: plain, past the queue, and with lies told about what it is."""
    base = (f"packet,to={TARGET[family]},from={own or lab.own[family]},dev={dev},"
            f"mac={lab.isp_mac},rate=40,")
    f = str(family)
    to_all = base.replace(TARGET[4], "255.255.255.255")
    return [
        base + f"port=7010,tag=packet{f}",
        base + f"port=7011,tag=bypass{f},bypass=1",
        base + f"port=7012,tag=claim-arp{f},claim={ARP}",
        base + f"port=7013,tag=claim-eapol{f},claim={EAPOL},bypass=1",
        base + f"port=7014,tag=vlan{f},vlan=7",
        base + f"port=7015,tag=vlan-claim-ip{f},vlan=7,claim={IPV4}",
        base + f"port=7016,tag=vlan-claim-arp{f},vlan=7,claim={ARP},bypass=1",
        base + f"port=7017,tag=lldp{f},ether=0x88cc",
        base + f"port=7018,tag=pppoe{f},ether=0x8864,bypass=1",
        base + f"port=7019,tag=unknown-claim-arp{f},ether=0x88b5,claim={ARP}",
        base + f"port=7020,tag=piece{f},fragment=1",
        *[to_all + f"port=67,sport=68,tag=dhcp-{n:x}4,ether={n},claim={IPV4},bypass=1"
          for n in (0x88b5, 0x8847) if family == 4],
    ]


def internet_ways(family, dev="eth0", rate=40):
    """What programs send to the internet, bound to the uplink or not, as root and as nobody."""
    f = str(family)
    base = f"rate={rate},to={TARGET[family]},"
    ways = [
        f"udp,{base}port=7001,tag=udp{f}",
        f"udp,{base}port=7002,tag=udp-bound{f},dev={dev}",
        f"udp,{base}port=7003,tag=udp-nobody{f},dev={dev},uid=65534",
        f"tcp,{base}port=7004,tag=tcp{f}",
        f"tcp,{base}port=7005,tag=tcp-bound{f},dev={dev}",
        f"tcp,{base}port=7008,proto=262,tag=mptcp{f},dev={dev}",
        f"icmp,{base}tag=icmp{f}",
        f"icmp,{base}tag=icmp-bound{f},dev={dev}",
        f"raw,{base}proto=41,tag=raw-6in4{f}",
        f"raw,{base}proto=47,tag=raw-gre{f},dev={dev}",
        f"raw,{base}proto=132,tag=raw-sctp{f}",
        f"udp,{base}port=53,tag=dns{f},dev={dev}",
        f"udp,{base}port=853,tag=doq{f}",
        f"tcp,{base}port=853,tag=dot{f},dev={dev}",
        f"udp,{base}port=123,tag=ntp{f},dev={dev}",
    ]
    # What only looks like the link's own housekeeping.
    if family == 4:
        return ways + [f"udp,{base}port=67,sport=68,tag=dhcp-far4,dev={dev}"]
    return ways + [f"udp,{base}port=547,sport=546,tag=dhcp-far6,dev={dev}",
                   *(f"icmp,{base}type={n},hops=255,tag=ndp-far-{n}6,dev={dev}"
                     for n in (133, 135, 136))]


def ordinary_ways(family, dev="eth0", rate=40):
    """To the internet, to the resolver on the LAN, to everybody on the link."""
    to, f = RESOLVER[family], str(family)
    return internet_ways(family, dev, rate) + link_ways(family, dev, rate) + [
        f"udp,rate={rate},to={to},port=53,tag=dns-lan{f}",
        f"tcp,rate={rate},to={to},port=53,tag=dns-lan-tcp{f}",
    ]


def link_ways(family, dev="eth0", rate=40):
    """To everybody on the link: names (LLMNR, mDNS, NetBIOS), broadcast, multicast."""
    base = f"udp,rate={rate},dev={dev},"
    if family == 4:
        to = [("224.0.0.252", 5355, "llmnr4"), ("224.0.0.251", 5353, "mdns4"),
              ("192.168.7.255", 137, "netbios4"), ("192.168.7.255", 7001, "broadcast4"),
              ("255.255.255.255", 7001, "everybody4"), ("239.1.2.3", 7001, "multicast4")]
    else:
        to = [(f"ff02::1:3%{dev}", 5355, "llmnr6"), (f"ff02::fb%{dev}", 5353, "mdns6"),
              (f"ff02::1%{dev}", 7001, "everybody6"), (f"ff05::2%{dev}", 7001, "multicast6")]
    return [base + f"to={address},port={port},tag={tag}" for address, port, tag in to]


def flow_ways(families, dev="eth0"):
    """TCP connections made before anything happens, along the route and by the uplink."""
    return [w for f in families for w in (
        f"flow,to={TARGET[f]},port=7006,tag=flow{f},rate=40",
        f"flow,to={TARGET[f]},port=7007,tag=flow-bound{f},rate=40,dev={dev}")]


def honest_ways(lab, families):
    """What a pause opens again: all but frames that lie or are no IP."""
    return [w for f in families for w in ordinary_ways(f) + packet_ways(lab, f)[:2]]


def probe_ways(lab, families):
    """Everything but the flows."""
    return [w for f in families for w in ordinary_ways(f) + packet_ways(lab, f)]


# What the sizes of packets from these addresses to the target may be, at every line read.
_SIZES = """import socket, sys
def connected(family, source, target):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind((source, 5555))
    s.connect((target, 4433))
    return s
four = connected(socket.AF_INET, sys.argv[1], sys.argv[3])
six = connected(socket.AF_INET6, sys.argv[2], sys.argv[4])
for line in sys.stdin:
    for s in four, six:
        try:
            s.send(b"x")
        except OSError:
            pass  # what was heard of the last one
    print(four.getsockopt(socket.IPPROTO_IP, 14), six.getsockopt(socket.IPPROTO_IPV6, 24), flush=True)
"""
# Says of those packets that they were too big: 600 and 1280 are the most.
_TOO_BIG = """import socket, struct, sys
def checksum(b):
    s = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
source4, source6, target4, target6, to4, to6 = sys.argv[1:]
ports = struct.pack("!HHHH", 5555, 4433, 1300, 0)
quoted = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1320, 7, 0x4000, 64, 17, 0, socket.inet_aton(source4),
                     socket.inet_aton(target4)) + ports
head = struct.pack("!BBHHH", 3, 4, checksum(struct.pack("!BBHHH", 3, 4, 0, 0, 600) + quoted), 0, 600)
socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).sendto(head + quoted, (to4, 0))
quoted = struct.pack("!IHBB", 0x60000000, 1300, 17, 64) + b"".join(
    socket.inet_pton(socket.AF_INET6, a) for a in (source6, target6)) + ports
socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58).sendto(
    struct.pack("!BBHI", 2, 0, 0, 1280) + quoted, (to6, 0))
"""


class TooBig:
    """A program in `where` with a connection from each of `sources` to the target, and an ISP that
    guesses it: he tells the addresses `to` that its packets were too big."""

    def __init__(self, lab, where, sources, to):
        self._lab, self._where = lab, where
        self._ends = [sources[4], sources[6], TARGET[4], TARGET[6]]
        self._to = [to[4], to[6]]
        self._child = where.start("/usr/bin/python3", "-c", _SIZES, *self._ends, text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.communicate(timeout=5)
        for flag in ("-4", "-6"):
            self._where.run("ip", flag, "route", "flush", "cache")

    def sizes(self):
        """What its packets to the target may be: IPv4, IPv6."""
        self._child.stdin.write("\n")
        self._child.stdin.flush()
        return [int(size) for size in self._child.stdout.readline().split()]

    def after(self):
        """The same, when the ISP has spoken."""
        self._lab.isp.run("/usr/bin/python3", "-c", _TOO_BIG, *self._ends, *self._to)
        time.sleep(0.1)
        return self.sizes()
