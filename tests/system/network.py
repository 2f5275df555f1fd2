# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's ISP and VPN server, and a socket in the wall: a machine is plugged in and unplugged."""
from lab import Lab
from ns import Namespace
from traffic import ARP, ICMPV6, UDP
from vpn import WireGuard, wait_for


class Network(Lab):
    """Use as a context manager. `static`: no DHCP and no router advertisements."""

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
        self.namespaces.remove(self.victim)
        self.victim.close()
        self.victim = None
        wait_for(lambda: self.isp.run("ip", "link", "show", "isp0", check=False).returncode)

    @staticmethod
    def told(seen):
        """What the witness saw, in one line: how many frames of ARP, DHCP, NDP, and of the rest."""
        arp = seen.count(ethertype=ARP)
        dhcp = sum(seen.count(protocol=UDP, port=port) for port in (67, 547))
        ndp = sum(seen.count(protocol=ICMPV6, port=kind) for kind in (133, 135, 136))
        return (f"{seen.frames} frames: {arp} ARP, {dhcp} DHCP, {ndp} NDP, "
                f"{seen.frames - arp - dhcp - ndp} others; {seen.marked} marked")
