# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's ISP and VPN server, and a socket in the wall: a machine is plugged in and unplugged."""
from lab import Lab
from ns import Namespace
from traffic import ARP, ICMPV6, UDP
from vpn import SERVER, WireGuard, wait_for


class Network(Lab):
    """Use as a context manager. `static`: no DHCP and no router advertisements."""

    endpoints = [(address, UDP, WireGuard.port) for address in SERVER.values()]

    def __init__(self, static=False):
        super().__init__(static=static)
        self.victim = None
        if static:
            self.own = {4: "192.168.7.2", 6: "2001:db8:7::2"}

    def _build(self):
        self.isp, self.vpn = self.namespace("isp"), self.namespace("vpn")
        self._build_isp()
        WireGuard.serve(self)

    def plug_in(self):
        """A network namespace nobody has used, with eth0 in it, still down. What the machine before
        left in the kernel is gone, as when the power goes."""
        self.victim = Namespace("victim")
        self.namespaces.append(self.victim)
        self.warden.watch(self.victim)
        self._connect_victim()
        if not wait_for(lambda: "192.168.7.1:53" in self.isp.run("ss", "-Hlun").stdout):
            raise AssertionError("the ISP's name server does not listen:\n" + self.log_of("dnsmasq"))
        return self.victim

    def unplug(self):
        self.isp.ip("link del isp0")
        self.namespaces.remove(self.victim)
        self.warden.forget(self.victim)
        self.victim.close()
        self.victim = None

    def told(self, seen):
        """What the witness saw, in a line."""
        arp = seen.count(ethertype=ARP)
        dhcp = sum(seen.count(protocol=UDP, port=port) for port in (67, 547))
        ndp = sum(seen.count(protocol=ICMPV6, port=kind) for kind in (133, 135, 136))
        tunnel = sum(seen.count(destination=to, protocol=protocol, port=port)
                     for to, protocol, port in self.endpoints)
        others = seen.frames - arp - dhcp - ndp - tunnel
        return (f"{arp} ARP, {dhcp} DHCP, {ndp} NDP, {tunnel} of the tunnel, {others} others, "
                f"{seen.marked} of the senders")
