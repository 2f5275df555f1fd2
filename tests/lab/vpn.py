# SPDX-License-Identifier: GPL-3.0-or-later
"""Real tunnels: wireguard-go and OpenVPN, each with its server in the lab's VPN namespace."""
import os
import signal
import socket
import subprocess
import time

from ns import Failed

SERVER = {4: "203.0.113.5", 6: "2001:db8:5::5"}


def wait_for(what, seconds=10, step=0.05):
    """Polls until what() is true; False when it never was."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(step)
    return bool(what())


class Tunnel:
    """A VPN client in the victim's namespace."""
    link = ""
    mark = 0
    transport = "udp"

    def __init__(self, lab):
        self.lab = lab
        self.client = None
        self.family = 4

    def endpoint(self, family=None):
        address = SERVER[family or self.family]
        return f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"

    def add_args(self, name="home"):
        """What the user tells bulkheadctl."""
        args = ["tunnels", "add", name, "--interface", self.link]
        for family in (4, 6):
            args += ["--endpoint", f"{self.endpoint(family)}/{self.transport}"]
        return args + (["--mark", hex(self.mark)] if self.mark else ["--user", "root"])

    def endpoints(self):
        """(address, protocol, port) that the ISP may see while locked."""
        protocol = 6 if self.transport == "tcp" else 17
        return [(address, protocol, self.port) for address in SERVER.values()]

    def kill(self):
        self.lab.victim.stop(self.client, signal.SIGKILL)
        if not wait_for(lambda: not self.lab.has_link(self.link)):
            raise Failed(f"{self.link} is still there")

    def stop(self):
        if self.client and self.client.poll() is None:
            self.lab.victim.stop(self.client)

    def works(self, family=4, seconds=1.0):
        """The page, through the tunnel, shows the VPN server's address."""
        return self.lab.page(family, seconds) == SERVER[family]

    def wait_up(self, seconds=15):
        if not wait_for(lambda: self.works(), seconds):
            raise Failed(f"{type(self).__name__} does not come up:\n{self.lab.log_of(self.log)}")
        return self


class WireGuard(Tunnel):
    link, mark, port = "wg0", 0xCA6C, 51820
    address = {4: "10.8.0.2", 6: "fd00:8::2"}
    inner = {4: "10.8.0.1", 6: "fd00:8::1"}
    log = "wireguard"

    def __init__(self, lab):
        super().__init__(lab)
        self.key, self.public = _wg_keys(lab, "client")

    @staticmethod
    def serve(lab):
        """The server; its public key is kept for the clients."""
        key, lab.wg_server_public = _wg_keys(lab, "server")
        _, client_public = _wg_keys(lab, "client")
        _wireguard_go(lab, lab.vpn, "wgs0")
        lab.vpn.run("wg", "set", "wgs0", "private-key", key, "listen-port", WireGuard.port,
                    "peer", client_public, "allowed-ips",
                    # The victim's own addresses too: what must not come must be able to come.
                    "10.8.0.2/32,fd00:8::2/128,192.168.7.0/24,2001:db8:7::/64")
        lab.vpn.ip("addr add 10.8.0.1/24 dev wgs0\naddr add fd00:8::1/64 dev wgs0\n"
                   "link set wgs0 up\n")

    def start(self, family=4):
        self.family = family
        victim, mark = self.lab.victim, self.mark
        self.client = _wireguard_go(self.lab, victim, self.link)
        victim.run("wg", "set", self.link, "private-key", self.key, "fwmark", mark,
                   "peer", self.lab.wg_server_public, "endpoint", self.endpoint(),
                   "allowed-ips", "0.0.0.0/0,::/0", "persistent-keepalive", "2")
        victim.ip(f"addr add {self.address[4]}/24 dev {self.link}\n"
                  f"addr add {self.address[6]}/64 dev {self.link}\n"
                  f"link set {self.link} mtu 1380 up\n"
                  f"route add default dev {self.link} table {mark}\n"
                  f"route add ::/0 dev {self.link} table {mark}\n")
        for flag in ("-4", "-6"):  # as wg-quick does
            if "suppress_prefixlength" not in victim.run("ip", flag, "rule").stdout:
                victim.run("ip", flag, "rule", "add", "not", "fwmark", mark, "table", mark)
                victim.run("ip", flag, "rule", "add", "table", "main", "suppress_prefixlength", 0)
        return self

    def stop(self):
        super().stop()
        for flag in ("-4", "-6"):
            self.lab.victim.run("ip", flag, "rule", "del", "table", self.mark, check=False)
            self.lab.victim.run("ip", flag, "rule", "del", "table", "main",
                                "suppress_prefixlength", 0, check=False)


class OpenVPN(Tunnel):
    """udp: the sender is known by a mark; tcp: by the user who opened the socket."""
    link = "tun0"
    log = "openvpn"

    def __init__(self, lab, transport="udp"):
        super().__init__(lab)
        self.transport = transport
        self.port = 1194 if transport == "udp" else 443
        self.mark = 0x0BE7 if transport == "udp" else 0
        net = 9 if transport == "udp" else 10
        self.address = {4: f"10.{net}.0.2", 6: f"fd00:{net}::1000"}
        self.inner = {4: f"10.{net}.0.1", 6: f"fd00:{net}::1"}

    @staticmethod
    def serve(lab):
        _certificates(lab)
        for transport, port, net in (("udp6", 1194, 9), ("tcp6-server", 443, 10)):
            config = (f"dev tun{net}\ndev-type tun\nproto {transport}\nport {port}\nmultihome\n"
                      if transport == "udp6" else
                      f"dev tun{net}\ndev-type tun\nproto {transport}\nport {port}\n")
            config += (f"topology subnet\nserver 10.{net}.0.0 255.255.255.0\n"
                       f"server-ipv6 fd00:{net}::/64\n" + _common(lab, "server")
                       + "dh none\nkeepalive 1 4\nduplicate-cn\n")
            lab.vpn.start("openvpn", "--config", lab.write(f"server{net}.conf", config),
                          log=lab.log_path(f"openvpn-server{net}"))

    def start(self, family=4):
        self.family = family
        six = "6" if family == 6 else ""
        proto = f"udp{six}" if self.transport == "udp" else f"tcp{six}-client"
        config = (f"client\ndev {self.link}\ndev-type tun\nproto {proto}\nnobind\n"
                  f"remote {SERVER[family]} {self.port}\n" + _common(self.lab, "client")
                  + (f"mark {self.mark}\n" if self.mark else "")
                  + "remote-cert-tls server\nkeepalive 1 4\nconnect-retry 1 1\nconnect-timeout 3\n"
                  "hand-window 4\nredirect-gateway def1 ipv6\n")
        self.client = self.lab.victim.start(
            "openvpn", "--config", self.lab.write("client.conf", config),
            log=self.lab.log_path(self.log))
        return self


def _wg_keys(lab, name):
    """The path of the private key and the public key; made on first use."""
    path = os.path.join(lab.directory, name + ".key")
    if not os.path.exists(path):
        key = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
        lab.write(name + ".key", key, 0o600)
    with open(path, encoding="ascii") as file:
        key = file.read()
    public = subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True, check=True)
    return path, public.stdout.strip()


def _wireguard_go(lab, where, link):
    path = f"/proc/{where.pid}/root/run/wireguard/{link}.sock"

    def listens():
        # Not by `wg show`: it removes a socket that does not listen yet.
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(path) == 0

    if os.path.exists(path):  # of one that was killed
        os.unlink(path)
    child = where.start("wireguard-go", "-f", link, log=lab.log_path("wireguard"),
                        env={"LOG_LEVEL": "verbose",
                             "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD": "1"})
    if not wait_for(listens, step=0.02) or child.poll() is not None:
        raise Failed(f"wireguard-go does not start:\n{lab.log_of('wireguard')}")
    return child


def _common(lab, who):
    files = "".join(f"{k} {lab.directory}/{v}\n" for k, v in (
        ("ca", "ca.crt"), ("cert", who + ".crt"), ("key", who + ".key.pem")))
    return files + "data-ciphers AES-256-GCM\ndisable-dco\nverb 3\n"


def _certificates(lab):
    """A CA and two certificates, in the lab's directory."""
    def openssl(*args):
        done = subprocess.run(["openssl", *args], cwd=lab.directory, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Failed(f"openssl {args[0]}: {done.stderr}")

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30",
            "-subj", "/CN=lab")
    for who in ("server", "client"):
        lab.write(who + ".ext", f"extendedKeyUsage={who}Auth\nkeyUsage=digitalSignature\n")
        openssl("req", *key, "-keyout", who + ".key.pem", "-out", who + ".csr", "-subj", f"/CN={who}")
        openssl("x509", "-req", "-in", who + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", who + ".crt", "-days", "30", "-extfile", who + ".ext")


TUNNELS = {
    "wireguard": WireGuard,
    "openvpn-udp": OpenVPN,
    "openvpn-tcp": lambda lab: OpenVPN(lab, "tcp"),
}
