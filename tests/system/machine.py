# SPDX-License-Identifier: GPL-3.0-or-later
"""A Debian 12 with Bulkhead in it, that boots, is used, and is switched off."""
import contextlib
import os
import shutil
import subprocess
import tempfile

from ns import Failed, die_with_parent
from vpn import wait_for

_ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8",
                "HOME=/root", "TERM=dumb"]

# Both run in a mount namespace of their own: the mounts end with them, and /run of this host stays
# as it is. The cgroup is the machine's own: two systemds in one would end each other's processes.
_MOUNT = r"""
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
"""
_BOOT = _MOUNT + r"""
mount -t tmpfs run /run
echo $$ >"$4/cgroup.procs"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
exec systemd-nspawn --quiet --boot --register=no --keep-unit --directory="$2/root" \
    --network-namespace-path="$3" --machine=victim --capability=all --console=read-only
"""


def _cgroup2():
    """Where cgroup2 is mounted: not everywhere at /sys/fs/cgroup."""
    with open("/proc/self/mountinfo", encoding="ascii") as file:
        for line in file:
            left, right = line.split(" - ")
            if right.split()[0] == "cgroup2":
                return left.split()[4]
    raise Failed("there is no cgroup2 on this host: systemd cannot be booted")


class Machine:
    """Use as a context manager. Its disk lasts from one power-on to the next, what is in the
    kernel does not. `layers`: directories, the topmost first, that the disk begins as."""

    def __init__(self, network, layers):
        self.network, self.layers = network, layers
        self.nspawn = self.leader = None
        self.disk = tempfile.mkdtemp(prefix="bulkhead-machine-", dir=network.directory)
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(self.disk, name))
        os.chmod(os.path.join(self.disk, "upper"), 0o755)
        self.cgroup = os.path.join(_cgroup2(), os.path.basename(self.disk))
        os.mkdir(self.cgroup)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pull_the_plug()
        wait_for(self._is_empty)
        shutil.rmtree(self.disk)
        for path, _, _ in os.walk(self.cgroup, topdown=False):
            os.rmdir(path)

    # -- the disk

    def write(self, path, text, mode=0o644):
        """A file on the disk, while it is switched off or on."""
        root = f"/proc/{self.leader}/root" if self.leader else os.path.join(self.disk, "upper")
        target = root + path
        os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(target, mode)

    def enable(self, *units):
        """Enables units while it is off."""
        if not units:
            return
        done = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
             _MOUNT + 'root=$2/root\nshift 2\nsystemctl --root="$root" --quiet enable "$@"', "enable",
             ":".join(self.layers), self.disk, *units], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"enable {units}: {done.stdout}{done.stderr}")

    # -- power

    def power_on(self, booted=True):
        """Plugs it in and starts it; `booted`: and waits until its boot is over. To watch the wire
        from before its first instruction, call network.plug_in() first."""
        if self.network.victim is None:
            self.network.plug_in()
        with open(self.console_path, "ab") as console:
            self.nspawn = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _BOOT, "boot",
                 ":".join(self.layers), self.disk, f"/proc/{self.network.victim.pid}/ns/net",
                 self.cgroup],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                preexec_fn=die_with_parent)
        if not wait_for(self._find_leader, 20, 0.02):
            raise Failed("the machine does not start:\n" + self.console())
        if booted:
            self.wait_booted()

    def _find_leader(self):
        """The container's process 1, once systemd answers in it."""
        if self.nspawn.poll() is not None:
            raise Failed("systemd-nspawn ended:\n" + self.console())
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, IndexError):
            pid = self.nspawn.pid
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                child = file.read().split()[-1]
            with open(f"/proc/{child}/comm", encoding="ascii") as file:
                name = file.read().strip()
            if name == "systemd" and os.path.exists(f"/proc/{child}/root/run/systemd/private"):
                self.leader = int(child)
        return self.leader is not None

    def wait_booted(self):
        """Until systemd says its jobs are done: "running", or "degraded" when a unit failed."""
        self.run("systemctl", "is-system-running", "--wait", check=False, timeout=60)

    def failed_units(self):
        return self.run("systemctl", "list-units", "--failed", "--plain", "--no-legend").stdout

    def power_off(self):
        """An orderly shutdown; the wire is unplugged after the last process has ended."""
        self.run("systemctl", "poweroff", check=False)
        try:
            self.nspawn.wait(60)
        except subprocess.TimeoutExpired:
            raise Failed("the machine does not switch off:\n" + self.console()) from None
        self.nspawn = self.leader = None

    def pull_the_plug(self):
        """Ends it as a power cut does, if it runs, and takes the wire out."""
        if self.nspawn:
            with open(os.path.join(self.cgroup, "cgroup.kill"), "w", encoding="ascii") as file:
                file.write("1")
            self.nspawn.wait(10)
            self.nspawn = self.leader = None
        if self.network.victim:
            self.network.unplug()

    def _is_empty(self):
        with open(os.path.join(self.cgroup, "cgroup.events"), encoding="ascii") as file:
            return "populated 0" in file.read()

    def reboot(self):
        """Off and on again, with a kernel that has forgotten everything."""
        self.power_off()
        self.network.unplug()
        self.power_on()

    # -- in the machine

    def command(self, *args):
        """The command line that runs `args` as root in the machine."""
        return ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--net", "--pid",
                "--cgroup", "--root", "--wd", "--", "env", "-i", *_ENVIRONMENT,
                *(str(a) for a in args)]

    def run(self, *args, check=True, timeout=30, text=""):
        """Runs a program in it to its end; returns what subprocess.run returns."""
        done = subprocess.run(self.command(*args), input=text, capture_output=True, text=True,
                              timeout=timeout, check=False, preexec_fn=die_with_parent)
        if check and done.returncode:
            raise Failed(f"machine: {' '.join(str(a) for a in args)}\nexit {done.returncode}: "
                         f"{done.stdout}{done.stderr}")
        return done

    def shell(self, script, **options):
        return self.run("sh", "-ec", script, **options).stdout

    def ctl(self, *args, timeout=30):
        """bulkheadctl as root: (exit status, stdout, stderr)."""
        done = self.run("bulkheadctl", *args, check=False, timeout=timeout)
        return done.returncode, done.stdout, done.stderr

    def must(self, *args):
        """bulkheadctl, which must say 0; its stdout."""
        status, out, err = self.ctl(*args)
        if status:
            raise Failed(f"bulkheadctl {' '.join(map(str, args))}: exit {status}\n{out}{err}")
        return out

    def show(self, unit, name):
        """A property of a unit as `systemctl show` tells it."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).stdout.strip()

    def journal(self, *args):
        return self.run("journalctl", "--no-pager", "-q", "-b", "-o", "short-monotonic", *args,
                        check=False).stdout

    @property
    def console_path(self):
        return os.path.join(self.disk, "console")

    def console(self):
        """What it wrote on its console since it was made."""
        with open(self.console_path, encoding="utf-8", errors="replace") as file:
            return file.read()
