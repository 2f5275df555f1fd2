# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: a victim, his ISP, a VPN server and the internet, all on this machine and off its net.

    container, guest -- victim eth0 ==== isp0 isp -- vpn server
                                              |`- 198.51.100.9, 2001:db8:99::9: the target, with a
                                              `-- witness on isp0      page that tells who called

The product runs in the victim's namespace with a bus, state and log directories of its own.
"""
import os
import signal
import tempfile
import time

import gi
gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from ns import Failed, Namespace, Warden, require_root  # noqa: E402
from traffic import ARP, EAPOL, ICMPV6, IPV4, IPV6, TARGET, UDP, Senders, Witness  # noqa: E402
from vpn import SERVER, OpenVPN, WireGuard, wait_for  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BULKHEAD_BUILD", os.path.join(REPOSITORY, "build"))
BUS_NAME, BUS_PATH = "org.bulkhead.Helper1", "/org/bulkhead/Helper1"

_ISP_RULES = """
table inet lab {
    chain target { type nat hook prerouting priority -100;
        ip daddr 198.51.100.9 tcp dport != 80 redirect to :7000
        ip6 daddr 2001:db8:99::9 tcp dport != 80 redirect to :7000
        ip daddr 192.168.7.1 tcp dport { 853, 2869, 5000, 49152 } redirect to :7000
    }
    chain input { type filter hook input priority 0;
        iifname "isp0" ip daddr 198.51.100.9 meta l4proto != { tcp, icmp } drop
        iifname "isp0" ip6 daddr 2001:db8:99::9 meta l4proto != { tcp, icmpv6 } drop
    }
    chain unreachable { type filter hook forward priority 0; }
}
"""

_BUS = """<busconfig>
  <include>{repository}/tests/bus/system-bus.conf</include>
  <type>system</type>
  <listen>unix:path={bus}</listen>
  <policy user="root">
    <allow send_destination="*"/>
  </policy>
</busconfig>
"""

_DHCLIENT_SCRIPT = """#!/bin/sh
case "$reason" in
BOUND|RENEW|REBIND|REBOOT)
    ip addr replace "$new_ip_address/24" dev "$interface"
    [ -z "$new_routers" ] ||
        ip route replace default via "${new_routers%% *}" dev "$interface" metric 100
    set -- $new_rfc3442_classless_static_routes
    while [ $# -gt 4 ]; do
        length=$1; shift
        net=; octets=$(( (length + 7) / 8 ))
        for i in 1 2 3 4; do
            if [ $i -le $octets ]; then net=$net.$1; shift; else net=$net.0; fi
        done
        ip route replace "${net#.}/$length" via "$1.$2.$3.$4" dev "$interface"
        shift 4
    done ;;
esac
"""


class Lab:
    """Use as a context manager. `static`: addresses by hand instead of DHCP and RA; `bridge`: the
    victim's uplink is a port of br0; `owner`: False forces the way of kernels before 6.9."""

    own = {4: "192.168.7.2", 6: "2001:db8:7::ff:fe00:702"}
    isp_mac, isp2_mac = "02:00:00:00:07:01", "02:00:00:00:09:01"
    victim_mac = "02:00:00:00:07:02"

    def __init__(self, static=False, bridge=False, owner=True, vpn=True):
        require_root()
        self.static, self.bridge, self.owner, self.with_vpn = static, bridge, owner, vpn
        self.namespaces, self.helper, self._bus, self.tunnel = [], None, None, None
        self.directory = tempfile.mkdtemp(prefix="bulkhead-lab-")
        os.chmod(self.directory, 0o755)
        self.warden = Warden(self.directory)
        self.uplink = "br0" if bridge else "eth0"

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._bus = None
        for namespace in reversed(self.namespaces):
            self.warden.forget(namespace)
            namespace.close()
        self.namespaces = []
        self.warden.close()

    # -- files

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, mode)) as file:
            file.write(text)
        return path

    def log_path(self, name):
        return os.path.join(self.directory, name + ".log")

    def log_of(self, name):
        try:
            with open(self.log_path(name), encoding="utf-8", errors="replace") as file:
                return file.read()[-1500:]
        except FileNotFoundError:
            return ""

    @staticmethod
    def program(name):
        folder = {"bulkheadd": "helper", "bulkheadctl": "app/ctl"}.get(name, "tests/lab")
        path = os.path.join(BUILD, folder, name)
        if not os.path.exists(path):
            raise Failed(f"{path} is missing: build first (sudo tests/run does)")
        return path

    # -- topology

    def namespace(self, name):
        made = Namespace(name)
        self.namespaces.append(made)
        self.warden.watch(made)
        made.sysctl(net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0,
                    net__ipv6__conf__default__accept_dad=0, net__ipv6__conf__all__accept_dad=0,
                    net__ipv4__ping_group_range="0 65535")
        return made

    def _build(self):
        self.isp, self.victim = self.namespace("isp"), self.namespace("victim")
        self.vpn = self.namespace("vpn")
        self._build_isp()
        self._connect_victim()
        self._build_victim()
        self._build_bus()
        if self.with_vpn:
            WireGuard.serve(self)
            OpenVPN.serve(self)
        if not wait_for(lambda: self.page(4) and self.page(6), 15):
            raise Failed("the victim does not reach the internet:\n" + self.log_of("dnsmasq")
                         + self.log_of("dhclient") + self.victim.run("ip", "addr").stdout)

    def _build_isp(self):
        isp = self.isp
        isp.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        isp.ip(f"""
            link add vpn0 type veth peer name eth0 netns {self.vpn.pid}
            addr add 203.0.113.1/24 dev vpn0
            addr add 2001:db8:5::1/64 dev vpn0
            addr add 198.51.100.9/32 dev lo
            addr add 2001:db8:99::9/128 dev lo
            link set vpn0 up
        """)
        isp.nft(_ISP_RULES)
        self.vpn.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        self.vpn.ip("""
            addr add 203.0.113.5/24 dev eth0
            addr add 2001:db8:5::5/64 dev eth0
            link set eth0 up
            route add default via 203.0.113.1
            route add ::/0 via 2001:db8:5::1
        """)
        self.vpn.nft('table inet lab { chain out { type nat hook postrouting priority 100; '
                     'iifname != "eth0" oifname "eth0" masquerade; }; }')
        isp.start("/usr/bin/python3", os.path.join(HERE, "services.py"), log=self.log_path("services"))
        self.start_dnsmasq()

    def _connect_victim(self):
        """The wire between the ISP's isp0 and the victim's eth0, which is still down."""
        self.victim.sysctl(net__ipv6__conf__default__accept_ra=0 if self.static else 2,
                           net__ipv6__conf__default__router_solicitation_delay=0,
                           net__ipv6__conf__default__addr_gen_mode=0)
        self.isp.ip(f"""
            link add isp0 address {self.isp_mac} type veth peer name eth0 netns {self.victim.pid}
            addr add 192.168.7.1/24 dev isp0
            addr add 2001:db8:7::1/64 dev isp0
            link set isp0 up
        """)
        self.victim.ip(f"link set eth0 address {self.victim_mac}")

    def start_dnsmasq(self, *options):
        """DNS always; DHCP and RA unless static. More options for an ISP that lies."""
        if getattr(self, "dnsmasq", None):
            self.isp.stop(self.dnsmasq)
        dhcp = [] if self.static else [
            "--dhcp-range=192.168.7.100,192.168.7.200,1h", "--dhcp-authoritative", "--no-ping",
            f"--dhcp-host={self.victim_mac},192.168.7.2", "--dhcp-option=6,192.168.7.1",
            "--enable-ra", "--dhcp-range=2001:db8:7::,ra-only,64",
            f"--dhcp-leasefile={self.directory}/dnsmasq.leases"]
        self.dnsmasq = self.isp.start(
            "dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground", "--user=root", "--no-resolv",
            "--no-hosts", "--interface=isp0", "--bind-dynamic", "--log-facility=-",
            "--address=/lab.test/198.51.100.9", "--pid-file=", *dhcp, *options,
            log=self.log_path("dnsmasq"))

    def _build_victim(self):
        victim = self.victim
        if self.bridge:
            # As a kernel without br_netfilter has it: what the inet rules see of bridged frames
            # would hide what the guard on the port lets out.
            victim.run("sysctl", "-qew", "net.bridge.bridge-nf-call-iptables=0",
                       "net.bridge.bridge-nf-call-ip6tables=0")
            victim.ip(f"link add br0 address {self.victim_mac} type bridge\nlink set eth0 master br0\n"
                      "link set br0 up\n")
        victim.ip("link set eth0 up")
        if self.static:
            self.own = {4: "192.168.7.2", 6: "2001:db8:7::2"}
            victim.ip(f"addr add 192.168.7.2/24 dev {self.uplink}\n"
                      f"addr add 2001:db8:7::2/64 dev {self.uplink}\n")
        else:
            self.start_dhclient()
            wait_for(lambda: "default" in victim.run("ip", "-4", "route").stdout, 10)
        self.routes()

    def start_dhclient(self):
        script = self.write("dhclient-script", _DHCLIENT_SCRIPT, 0o755)
        self.dhclient = self.victim.start(
            "dhclient", "-4", "-d", "-sf", script, "-lf", self.directory + "/dhclient.leases",
            "-pf", self.directory + "/dhclient.pid", self.uplink, log=self.log_path("dhclient"))

    def routes(self):
        """What a network manager does when the link is back: the default routes."""
        self.victim.ip(f"route replace default via 192.168.7.1 dev {self.uplink} metric 100\n"
                       + (f"addr replace {self.own[6]}/64 dev {self.uplink}\n"
                          f"route replace ::/0 via 2001:db8:7::1 dev {self.uplink}\n"
                          if self.static else ""), check=False)

    def container(self):
        """A namespace behind docker0 with NAT, as container engines make it."""
        made = self.namespace("container")
        self.victim.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        self.victim.ip(f"""
            link add docker0 type bridge
            addr add 172.17.0.1/16 dev docker0
            addr add fd00:17::1/64 dev docker0
            link set docker0 up
            link add veth0 type veth peer name eth0 netns {made.pid}
            link set veth0 master docker0
            link set veth0 up
        """)
        made.ip("""
            addr add 172.17.0.2/16 dev eth0
            addr add fd00:17::2/64 dev eth0
            link set eth0 up
            route add default via 172.17.0.1
            route add ::/0 via fd00:17::1
        """)
        self.victim.nft("""table inet docker { chain out { type nat hook postrouting priority 100;
            ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
            ip6 saddr fd00:17::/64 oifname != "docker0" masquerade; };
            chain f { type filter hook forward priority 0; iifname "docker0" accept; }; }""")
        return made

    def neighbour(self, kind, name="guest", last=50):
        """A guest on the victim's own link: `bridge` (a port of br0) or `macvlan` (on eth0)."""
        made = self.namespace(name)
        made.sysctl(net__ipv6__conf__default__accept_ra=0)
        if kind == "bridge":
            self.victim.ip(f"link add tap-{name} type veth peer name eth0 netns {made.pid}\n"
                           f"link set tap-{name} master br0\nlink set tap-{name} up\n")
        else:
            self.victim.ip(f"link add mv-{name} link eth0 type macvlan mode bridge\n"
                           f"link set mv-{name} netns {made.pid} name eth0\n")
        made.ip(f"""
            addr add 192.168.7.{last}/24 dev eth0
            addr add 2001:db8:7::{last}/64 dev eth0
            link set eth0 up
            route add default via 192.168.7.1
            route add ::/0 via 2001:db8:7::1
        """)
        return made

    def hotspot(self):
        """A client of the victim's, by a link of its own with NAT, as a hotspot has it."""
        made = self.namespace("client")
        self.victim.sysctl(net__ipv4__ip_forward=1)
        self.victim.ip(f"""
            link add ap0 type veth peer name eth0 netns {made.pid}
            addr add 10.42.0.1/24 dev ap0
            link set ap0 up
        """)
        made.ip("""
            addr add 10.42.0.2/24 dev eth0
            link set eth0 up
            route add default via 10.42.0.1
        """)
        self.victim.nft("""table inet hotspot { chain out { type nat hook postrouting priority 100;
            ip saddr 10.42.0.0/24 oifname != "ap0" masquerade; }; }""")
        return made

    def plug(self, name="usb0", index=None, routed=True):
        """A phone or a dock: a link to the ISP's isp2, and its default route wins."""
        self.victim.ip(f"link add {name} {f'index {index}' if index else ''} type veth "
                       f"peer name isp2 netns {self.isp.pid}\n")
        self.isp.ip(f"""
            addr add 192.168.9.1/24 dev isp2
            addr add 2001:db8:29::1/64 dev isp2
            link set isp2 address {self.isp2_mac} up
        """)
        self.victim.ip(f"""
            link set {name} up
            addr add 192.168.9.2/24 dev {name}
            addr add 2001:db8:29::2/64 dev {name}
        """)
        if not routed:
            return
        self.victim.ip(f"""
            route add default via 192.168.9.1 dev {name} metric 1
            route add ::/0 via 2001:db8:29::1 dev {name} metric 1
        """)

    # -- the product

    def _build_bus(self):
        self.bus_path = os.path.join(self.directory, "bus")
        config = self.write("bus.conf", _BUS.format(bus=self.bus_path, repository=REPOSITORY))
        self.victim.start("dbus-daemon", "--config-file=" + config, "--nofork", "--nopidfile",
                          log=self.log_path("bus"))
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + self.bus_path,
                            "LC_ALL": "C.UTF-8"}
        if not wait_for(self._connect):
            raise Failed("no bus:\n" + self.log_of("bus"))
        self._bus.set_exit_on_close(False)
        self.state_directory = os.path.join(self.directory, "state")

    def _connect(self):
        try:
            self._bus = Gio.DBusConnection.new_for_address_sync(
                "unix:path=" + self.bus_path,
                Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        except GLib.Error:  # not listening yet
            return False
        return True

    def helper_arguments(self):
        return [self.program("bulkheadd"), "--state-dir", self.state_directory,
                "--config-dir", os.path.join(self.directory, "config"),
                "--log-dir", os.path.join(self.directory, "log"),
                *([] if self.owner else ["--no-owner"])]

    def start_helper(self):
        """Starts it and waits until its name is on the bus: the stored lock is then in force."""
        self.helper = self.victim.start(*self.helper_arguments(), env=self.environment,
                                        log=self.log_path("helper"))
        self.weigh_helper()
        if not wait_for(lambda: self.on_bus() or self.helper.poll() is not None, 10, 0.01) \
                or self.helper.poll() is not None:
            raise Failed("the helper does not start:\n" + self.log_of("helper"))
        return self.helper

    def weigh_helper(self):
        """As CPUWeight= of its unit, ten times an ordinary service. What groups processes here is
        their sessions (sched(7)), and every program of the lab has one; -10 weighs nine times 0."""
        try:
            with open(f"/proc/{self.helper.pid}/autogroup", "w", encoding="ascii") as file:
                file.write("-10")
        except FileNotFoundError:  # a kernel without such groups
            os.setpriority(os.PRIO_PROCESS, self.helper.pid, -10)

    def on_bus(self):
        answer = self._bus.call_sync(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
            GLib.Variant("(s)", (BUS_NAME,)), None, Gio.DBusCallFlags.NONE, 2000, None)
        return answer.unpack()[0]

    def stop_helper(self, how=signal.SIGTERM):
        status = self.victim.stop(self.helper, how)
        wait_for(lambda: not self.on_bus(), 5, 0.01)
        return status

    def call(self, method, signature=None, *arguments):
        """A method of the helper on the long-lived connection, without a process."""
        parameters = GLib.Variant(signature, arguments) if signature else None
        return self._bus.call_sync(BUS_NAME, BUS_PATH, BUS_NAME, method, parameters, None,
                                   Gio.DBusCallFlags.NO_AUTO_START, 30000, None).unpack()

    def property(self, name):
        return self._bus.call_sync(
            BUS_NAME, BUS_PATH, "org.freedesktop.DBus.Properties", "Get",
            GLib.Variant("(ss)", (BUS_NAME, name)), None, Gio.DBusCallFlags.NO_AUTO_START, 30000,
            None).unpack()[0]

    def ctl(self, *arguments, timeout=30):
        """bulkheadctl: (exit status, stdout, stderr)."""
        done = self.victim.run(self.program("bulkheadctl"), *arguments, check=False,
                               timeout=timeout, env=self.environment)
        return done.returncode, done.stdout, done.stderr

    def must(self, *arguments):
        """bulkheadctl, which must say 0; its stdout."""
        status, out, err = self.ctl(*arguments)
        if status:
            raise Failed(f"bulkheadctl {' '.join(map(str, arguments))}: exit {status}\n{out}{err}"
                         f"\nhelper: {self.log_of('helper')[-600:]}")
        return out

    def use(self, tunnel):
        """The tunnel of this test: reset() ends it."""
        self.tunnel = tunnel
        return tunnel

    def reset(self):
        """Nothing trusted, nothing locked, nothing foreign, the helper running."""
        if self.helper is None or self.helper.poll() is not None:
            self.start_helper()
        self.server_unreachable(False)
        self.call("Unlock")
        self.call("SetLan", "(ba{sv})", False, {})
        exceptions, = self.call("ListExceptions")
        if exceptions:
            self.call("RemoveExceptions", "(as)", exceptions)
        for tunnel in self.call("ListTunnels")[0]:
            if tunnel["trusted"]:
                self.call("ForgetTunnel", "(s)", tunnel["id"])
        if self.tunnel:
            self.tunnel.stop()
            self.tunnel = None
        self.routes()
        if not wait_for(lambda: self.page(4) == self.own[4] and self.page(6), 5):
            raise Failed("the victim is not where the test before found him")

    # -- looking and sending

    def page(self, family=4, seconds=1.0, where=None, device=None):
        """The caller's address as the target sees it, or None."""
        target = TARGET[family]
        url = f"http://[{target}]/" if family == 6 else f"http://{target}/"
        done = (where or self.victim).run(
            "curl", "-s", "-m", seconds, *(["--interface", device] if device else []), url,
            check=False)
        return done.stdout.strip() or None

    def has_link(self, name):
        return self.victim.run("ip", "link", "show", "dev", name, check=False).returncode == 0

    def link_index(self, name):
        return int(self.victim.run("cat", f"/sys/class/net/{name}/ifindex").stdout)

    def table(self, name="bulkhead"):
        return self.victim.run("nft", "list", "table", "inet", name, check=False).stdout

    def witness(self, mark, interface="isp0", where=None):
        return Witness(self, mark, interface, where)

    def senders(self, mark, ways, seconds=60, where=None):
        return Senders(self, where or self.victim, mark, ways, seconds)

    def send(self, mark, ways, seconds=0.5, where=None):
        """Sends for so long; what the kernel took."""
        with Senders(self, where or self.victim, mark, ways, seconds) as senders:
            return senders.wait()

    def count(self, mark, ways, seconds=0.5, where=None, witness=None):
        """Sends with the witness looking on: (what it saw, what the kernel took)."""
        with witness or self.witness(mark) as seen:
            result = self.send(mark, ways, seconds, where)
        return seen.seen, result

    def allowed(self, endpoints=(), lan=False):
        """Whether the ISP may see a frame while locked: compile.h, written a second time."""
        tunnels = set(WireGuard.address.values()) | {"10.9.0.2", "10.10.0.2"}

        def judge(c):
            if c["vlan"] or c["source"] in tunnels:
                return False
            if c["ethertype"] in (ARP, EAPOL):
                return True
            if c["ethertype"] == IPV4 and c["version"] == 4:
                if (c["destination"], c["protocol"], c["port"]) in endpoints:
                    return True
                return (c["protocol"], c["port"]) == (UDP, 67) \
                    and c["destination"] in ("255.255.255.255", "192.168.7.1")
            if c["ethertype"] == IPV6 and c["version"] == 6:
                if (c["destination"], c["protocol"], c["port"]) in endpoints:
                    return True
                if c["protocol"] == ICMPV6:
                    return c["port"] in (135, 136) or (c["port"], c["destination"]) in (
                        (133, "ff02::2"), *([(143, "ff02::16")] if lan else []))
                return (c["protocol"], c["port"]) == (UDP, 547) and c["destination"] == "ff02::1:2"
            return False
        return judge

    # -- events

    def flap(self, seconds=0.2):
        self.victim.ip(f"link set {self.uplink} down")
        time.sleep(seconds)
        self.victim.ip(f"link set {self.uplink} up")
        self.routes()

    def server_unreachable(self, unreachable=True):
        self.isp.run("nft", "flush", "chain", "inet", "lab", "unreachable")
        if unreachable:
            self.isp.nft("add rule inet lab unreachable ip daddr 203.0.113.5 drop\n"
                         "add rule inet lab unreachable ip6 daddr 2001:db8:5::5 drop\n")


__all__ = ["Lab", "SERVER", "WireGuard", "OpenVPN", "wait_for", "Failed"]
