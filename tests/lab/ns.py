# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces that die with their owner.

A namespace is held by one process; every process of the lab is started with PDEATHSIG, and a
warden ends those that lost it, so that when the test run ends, however it ends, the processes
end, and with the last of them the namespace with all its links and rules. Nothing has a name on
the host, nothing is left behind.
"""
import ctypes
import os
import signal
import subprocess
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_host_net = os.stat("/proc/self/ns/net").st_ino

# Private: /run (bus, sockets of wireguard-go, dnsmasq), /sys (shows the links of the namespace it
# was mounted in), resolv.conf. The cgroups are kept: they are the machine's.
_HOLD = r"""
set -e
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/lab /run/cgroup /run/wireguard
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs lab /sys
mount --rbind /run/cgroup /sys/fs/cgroup
printf 'nameserver %s\n' "$1" > /run/lab/resolv.conf
[ ! -e /etc/resolv.conf ] || mount --bind /run/lab/resolv.conf "$(readlink -f /etc/resolv.conf)"
ip link set lo up
echo ready
exec sleep infinity
"""


class Failed(Exception):
    """A program of the lab failed; the text says which and what it said."""


def die_with_parent():
    """For preexec_fn: the child is killed when the test run ends, however it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


# Waits for the end of the test run (its pipe breaks) and ends what is left in the namespaces it
# was told: PDEATHSIG is lost by programs that change their user, as dnsmasq does.
_WARDEN = r"""
nets=" "
while read -r what net; do
    case $what in
    watch) nets="$nets$net " ;;
    forget) nets="${nets%%" $net "*} ${nets#*" $net "}" ;;
    esac
done
for process in /proc/[0-9]*; do
    net=$(readlink "$process/ns/net") || continue
    case $nets in *" $net "*) kill -9 "${process#/proc/}" ;; esac
done 2>/dev/null
rm -rf "$1"
"""


class Warden:
    """Cleans up behind a test run that was killed. A namespace is known to it by its number, which
    the kernel gives to another one, of another test run too, as soon as it is free."""

    def __init__(self, directory):
        self.child = subprocess.Popen(["sh", "-c", _WARDEN, "lab-warden", directory], text=True,
                                      stdin=subprocess.PIPE, start_new_session=True)

    def watch(self, namespace):
        self._tell("watch", namespace)

    def forget(self, namespace):
        """Before it is closed."""
        self._tell("forget", namespace)

    def _tell(self, what, namespace):
        self.child.stdin.write(f"{what} {namespace.number()}\n")
        self.child.stdin.flush()

    def close(self):
        self.child.stdin.close()
        self.child.wait(30)


class Namespace:
    """A network and mount namespace of its own."""

    def __init__(self, name, resolver="192.168.7.1"):
        self.name = name
        self.children = []
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private",
             "sh", "-c", _HOLD, "lab-" + name, resolver],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent, start_new_session=True)
        if self.holder.stdout.readline() != "ready\n":
            raise Failed(f"cannot make the namespace {name}: run as root")
        self.pid = self.holder.pid
        self.net = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.mnt = os.open(f"/proc/{self.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        if os.fstat(self.net).st_ino == _host_net:
            raise Failed("the namespace is the host's own: refusing to go on")

    def number(self):
        """As the kernel writes it in /proc/PID/ns/net."""
        return f"net:[{os.fstat(self.net).st_ino}]"

    def _enter(self):
        die_with_parent()
        if _libc.setns(self.net, CLONE_NEWNET) or _libc.setns(self.mnt, CLONE_NEWNS):
            os._exit(125)
        # The one line that keeps the host's network safe from everything the lab starts.
        if os.stat("/proc/self/ns/net").st_ino == _host_net:
            os._exit(126)
        os.chdir("/")

    def start(self, *args, log=None, env=None, **options):
        """Starts a program here; it is killed when the namespace is closed."""
        out = open(log, "ab") if log else None
        if out:
            options.setdefault("stdout", out)
            options.setdefault("stderr", out)
        options.setdefault("stdin", subprocess.DEVNULL)
        # A session of its own: Ctrl-C is for the test run, which then ends them in order.
        child = subprocess.Popen([str(a) for a in args], preexec_fn=self._enter,
                                 start_new_session=True, env={**os.environ, **(env or {})}, **options)
        if out:
            out.close()
        self.children.append(child)
        return child

    def run(self, *args, check=True, timeout=30, text=None, env=None):
        """Runs a program here to its end; returns what subprocess.run returns."""
        done = subprocess.run([str(a) for a in args], preexec_fn=self._enter, timeout=timeout,
                              start_new_session=True, input=text or "", capture_output=True,
                              text=True, env={**os.environ, **(env or {})}, check=False)
        if check and done.returncode:
            raise Failed(f"{self.name}: {' '.join(str(a) for a in args)}\n{text or ''}\n"
                         f"exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def ip(self, commands, check=True):
        """Lines of `ip` commands, in one process; an address tells its own family."""
        return self.run("ip", *([] if check else ["-force"]), "-batch", "-", text=commands,
                        check=check)

    def nft(self, text, check=True):
        return self.run("nft", "-f", "-", text=text, check=check)

    def sysctl(self, **values):
        """Names with __ for the dots, as net__ipv4__ip_forward=1."""
        self.run("sysctl", "-qw", *[f"{k.replace('__', '.')}={v}" for k, v in values.items()])

    @staticmethod
    def stop(child, how=signal.SIGTERM, timeout=5):
        """Ends one process we started; its exit status."""
        if child.poll() is None:
            child.send_signal(how)
        try:
            return child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait(timeout)

    def _end_rest(self):
        """Whatever children left here; the number is ours as long as the namespace is open."""
        for process in os.listdir("/proc"):
            try:
                if process.isdigit() and os.readlink(f"/proc/{process}/ns/net") == self.number():
                    os.kill(int(process), signal.SIGKILL)
            except OSError:
                pass  # it is gone

    def close(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.kill()
        for child in self.children:
            child.wait(10)
            for pipe in (child.stdin, child.stdout, child.stderr):
                if pipe:
                    pipe.close()
        self.holder.kill()
        self.holder.wait(10)
        self.holder.stdout.close()
        self._end_rest()
        os.close(self.net)
        os.close(self.mnt)


def require_root():
    if os.geteuid() != 0:
        sys.exit("the lab makes network namespaces: run it as root")
