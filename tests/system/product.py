# SPDX-License-Identifier: GPL-3.0-or-later
"""What is laid over the image: the product, and the people and things of a house with a computer."""
import os
import subprocess

from lab import Lab
from ns import Failed

PASSWORDS = {"root": "of-the-administrator", "alice": "of-alice", "bob": "of-bob"}
SENDER = "/usr/local/libexec/sender"
_WIREGUARD = "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1"  # else it does not start

# The packages are installed as dpkg does it for everybody, with no network in reach.
# Users without a password prompt of their own desktop: a session is what pam_systemd makes of it.
_FURNISH = r"""
set -eu
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/layer,workdir=$2/work" "$2/root"
cd "$2/root"
install -D "$3" ./"$4"
shift 4
mkdir packages
cp "$@" packages
unshare --net chroot . sh -c 'dpkg --install packages/*' >&2
rm -r packages
for user in alice bob; do chroot . useradd --create-home --shell /bin/sh "$user"; done
chroot . chpasswd
mkdir -p var/log/journal etc/systemd/system.conf.d
printf '[Manager]\nDefaultTimeoutStopSec=2s\n' >etc/systemd/system.conf.d/house.conf
cat >etc/pam.d/house <<END
@include common-account
session required pam_systemd.so
END
"""


def furnish(image, packages, directory):
    """Makes the layer in `directory`, with these packages installed; the layers of a machine, the
    topmost first."""
    for name in ("layer", "work", "root"):
        os.mkdir(os.path.join(directory, name))
    os.chmod(os.path.join(directory, "layer"), 0o755)
    users = "".join(f"{user}:{password}\n" for user, password in PASSWORDS.items())
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", _FURNISH, "furnish", image,
         directory, Lab.program("sender"), SENDER, *packages],
        input=users, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise Failed(f"the product cannot be installed:\n{done.stdout}{done.stderr}")
    return [os.path.join(directory, "layer"), image]


def plug_network(machine):
    """networkd, as on a server or a small desktop; its addresses as the network gives them."""
    if machine.network.static:
        told = "".join(f"Address={machine.network.own[f]}/{bits}\nGateway={gateway}\n"
                       for f, bits, gateway in ((4, 24, "192.168.7.1"), (6, 64, "2001:db8:7::1")))
        told += "IPv6AcceptRA=no\n"
    else:
        told = "DHCP=yes\nIPv6AcceptRA=yes\n"
    machine.write("/etc/systemd/network/eth0.network", f"[Match]\nName=eth0\n[Network]\n{told}")
    machine.enable("systemd-networkd.service", "systemd-networkd-wait-online.service")


def plug_tunnel(machine):
    """wg-quick's wg0, started at boot, after it was read back that the lock is in force."""
    network = machine.network
    with open(os.path.join(network.directory, "client.key"), encoding="ascii") as file:
        key = file.read().strip()
    machine.write("/etc/wireguard/wg0.conf", f"""[Interface]
PrivateKey = {key}
Address = 10.8.0.2/24, fd00:8::2/64
MTU = 1380
[Peer]
PublicKey = {network.wg_server_public}
Endpoint = 203.0.113.5:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 2
""", 0o600)
    machine.write("/etc/systemd/system/wg-quick@wg0.service.d/lock.conf", f"""[Unit]
After=bulkhead-boot.service
[Service]
Environment={_WIREGUARD}
ExecStartPre=bulkheadctl ready --wait 30
""")


def keep_plainly(machine):
    """The rules are kept as kernels before 6.9 need it."""
    for unit, start, stop in (("bulkhead", "", " --if-stored"), ("bulkhead-boot", " --boot", "")):
        machine.write(f"/etc/systemd/system/{unit}.service.d/plain.conf", f"""[Service]
ExecStart=
ExecStart=/usr/libexec/bulkheadd --no-owner{start}
ExecStopPost=
ExecStopPost=/usr/libexec/bulkheadd --no-owner --close{stop}
""")


def plug_sender(machine, mark, ways):
    """An ordinary program started as early as a unit can be, that does not heed SIGTERM."""
    machine.write("/etc/systemd/system/sender.service", f"""[Unit]
DefaultDependencies=no
Before=bulkhead-boot.service systemd-networkd.service sysinit.target
[Service]
ExecStart=sh -c 'trap "" TERM; exec {SENDER} {mark} 600 {" ".join(ways)}'
KillMode=none
[Install]
WantedBy=sysinit.target
""")
    machine.enable("sender.service")


def lock_with_tunnel(machine):
    """As the README says: the tunnel is up, it is trusted, the machine is locked, also at boot."""
    machine.run("env", _WIREGUARD, "wg-quick", "up", "wg0")
    machine.must("tunnels", "trust", "wg0")
    machine.must("lock")
    machine.must("boot", "on")
    machine.run("systemctl", "enable", "wg-quick@wg0")
