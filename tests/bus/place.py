# SPDX-License-Identifier: GPL-3.0-or-later
"""The real helper on a bus of its own, in a network namespace of its own.

BULKHEADD names the program; without it, helper/bulkheadd in the build directory that BULKHEAD_BUILD
names, or in build. The bus is as strict as the system's and takes the policy that is installed with
the helper.
"""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from fakes import Systemd  # noqa: E402

SOURCE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.environ.get("BULKHEAD_BUILD") or os.path.join(SOURCE, "build")
HELPER = os.path.realpath(os.environ.get("BULKHEADD") or os.path.join(BUILD, "helper/bulkheadd"))
NAME = "org.bulkhead.Helper1"
PATH = "/org/bulkhead/Helper1"
OFF, BLOCKING, PAUSED, BROKEN = 1, 3, 4, 5
NOBODY = 65534
GRANTED = 2  # Debian's user bin
SECONDS = 20  # after which anything here is hung

BUS_CONFIG = """<busconfig>
<include>{source}/tests/bus/system-bus.conf</include>
<type>system</type>
<listen>unix:path={directory}/bus</listen>
<policy user="root">
  <allow own="org.freedesktop.systemd1"/>
  <allow send_destination="org.freedesktop.systemd1"/>
  <allow own="org.freedesktop.PolicyKit1"/>
  <allow send_destination="org.freedesktop.PolicyKit1"/>
  <allow own="org.freedesktop.login1"/>
</policy>
<policy context="default"><allow send_destination="org.freedesktop.login1"/></policy>
{more}
</busconfig>
"""

HOME = {"name": "s 'home'", "interface": "s 'wg7'", "endpoints": "as ['203.0.113.5:51820/udp']"}
GOOD = {  # for each method arguments that are right, once the lock is on and "home" is trusted
    "GetStatus": "()", "Verify": "()", "ListTunnels": "()",
    "GetRules": "()", "ListBlocked": "()", "ListExceptions": "()", "GetLog": "(uint32 5,)",
    "Lock": "()", "Pause": "(uint32 60,)", "Resume": "()",
    "AddTunnel": "({'name': <'office'>, 'interface': <'tun1'>, 'endpoints': <@as []>},)",
    "TrustTunnel": "('tun0',)", "ForgetTunnel": "('home',)",
    "SetLan": "(true, @a{sv} {})", "SetAtBoot": "(true,)", "AddExceptions": "(['198.51.100.0/24 tcp 22'],)",
    "RemoveExceptions": "(['192.0.2.0/24'],)", "Unlock": "()",
    "ListGrants": "()", "Authorize": "()", "Revoke": f"(uint32 {GRANTED},)",
}
# Gives tun0 its carrier until there is nothing more to read.
HOLD_TUN0 = """
import fcntl, struct, sys
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x0001))
print("held", flush=True)
sys.stdin.read()
"""
READS = ("GetStatus", "Verify", "ListTunnels", "ListGrants")


def tunnel(**changes):
    """AddTunnel's arguments: a good tunnel, with changes; None leaves a key out."""
    options = {key: value for key, value in {**HOME, **changes}.items() if value is not None}
    pairs = ", ".join(f"{key!r}: <@{value}>" for key, value in options.items())
    return f"(@a{{sv}} {{{pairs}}},)"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS,
                          stdin=subprocess.DEVNULL).stdout


def wait_for(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


class Bus:
    """`enter` is a command that runs the rest of its line where the bus is to be; `more` belongs
    to its configuration; `stderr` gets a line for each message that it stops."""

    def __init__(self, directory, enter=(), more="", stderr=None):
        os.chmod(directory, 0o755)
        config = os.path.join(directory, "bus.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(BUS_CONFIG.format(directory=directory, source=SOURCE, more=more))
        self.address = f"unix:path={directory}/bus"
        self.daemon = subprocess.Popen(
            [*enter, "dbus-daemon", "--nofork", "--print-address", "--config-file", config],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        assert self.daemon.stdout.readline()  # it listens; its socket is there before that
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def ask(self, method, name):
        """What the bus itself says of a name."""
        return self.connection.call_sync(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
            method, GLib.Variant("(s)", (name,)), None, 0, -1, None).unpack()[0]

    def has_owner(self, name):
        return self.ask("NameHasOwner", name)

    def process_of(self, name):
        return self.ask("GetConnectionUnixProcessID", name)

    def has_helper(self):
        return self.has_owner(NAME)

    def stop(self):
        if self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.communicate(timeout=SECONDS)


class Place:
    """Where a helper lives: directories, network namespace, bus. Outlives the helper."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="bulkhead-service-")
        self.state = os.path.join(self.directory, "state")
        self.log = os.path.join(self.directory, "log")
        self.file = os.path.join(self.state, "state.conf")
        self.namespace = os.path.basename(self.directory)
        self.helpers = []
        self.make_network()
        self.bus = self.make_bus()
        self.systemd = Systemd(self.bus.address)

    def make_network(self):
        """A network namespace of that name, and what is in it."""
        run("ip", "netns", "add", self.namespace)
        for link in (("add", "eth0", "type", "veth", "peer", "name", "far"),
                     ("add", "br0", "type", "bridge"), ("set", "far", "master", "br0")):
            run("ip", "-n", self.namespace, "link", *link)
        run("ip", "-n", self.namespace, "tuntap", "add", "dev", "tun0", "mode", "tun")
        # A link of eth0's kind is refused as a tunnel when the traffic leaves by it.
        run("ip", "-n", self.namespace, "link", "set", "eth0", "up")
        run("ip", "-n", self.namespace, "route", "add", "default", "dev", "eth0", "metric", "9")

    def make_bus(self):
        return Bus(self.directory)

    def enter(self):
        """The command that runs the rest of its line where the helper lives."""
        return ["ip", "netns", "exec", self.namespace]

    def close(self):
        """Ends the helpers as a service manager does, so that a sanitiser's has its say."""
        try:
            for helper in self.helpers:
                if helper.poll() is None:
                    self.end(helper)
        finally:
            for helper in self.helpers:
                helper.kill()
                helper.wait(SECONDS)
            self.systemd.stop()
            self.bus.stop()
            run("ip", "netns", "delete", self.namespace)
            shutil.rmtree(self.directory)

    def spawn(self, *more, state=None, before="", address=None):
        """Starts a helper; `before` is a shell command of its mount namespace."""
        command = [HELPER, "--state-dir", state or self.state, "--log-dir", self.log,
                   "--config-dir", self.directory, *more]
        environment = {"PATH": os.environ["PATH"],
                       "G_SLICE": "always-malloc",  # as the unit has it
                       "DBUS_SYSTEM_BUS_ADDRESS": address or self.bus.address}
        helper = subprocess.Popen(
            [*self.enter(), "sh", "-c", f'{before} exec "$@"', "sh", *command],
            env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.helpers.append(helper)
        return helper

    def start(self, *arguments, **more):
        helper = self.spawn(*arguments, **more)
        wait_for(lambda: helper.poll() is not None or self.bus.has_helper())
        assert helper.poll() is None, helper.stderr.read()
        return helper

    def end(self, helper, how=signal.SIGTERM):
        """The exit status and what it said."""
        if helper.poll() is None and how is not None:
            helper.send_signal(how)
        said = helper.communicate(timeout=SECONDS)[1]
        assert "Sanitizer" not in said and "CRITICAL" not in said, said
        return helper.returncode, said

    def call(self, method, arguments="()"):
        answer = self.bus.connection.call_sync(
            NAME, PATH, NAME, method, GLib.Variant.parse(None, arguments, None, None), None,
            Gio.DBusCallFlags.NO_AUTO_START, SECONDS * 1000, None)
        return answer.unpack()[0] if answer.n_children() == 1 else answer.unpack()

    def fails(self, method, arguments="()"):
        """The error's name behind the common part, and its text."""
        with pytest.raises(GLib.Error) as raised:
            self.call(method, arguments)
        name = Gio.DBusError.get_remote_error(raised.value)
        Gio.DBusError.strip_remote_error(raised.value)
        return name.replace(NAME + ".Error.", ""), raised.value.message

    def call_as_nobody(self, method, arguments):
        return self.call_as(NOBODY, method, arguments)

    def call_as(self, uid, method, arguments):
        """What gdbus prints: the answer, or the error with its name."""
        parameters = GLib.Variant.parse(None, arguments, None, None)
        texts = [parameters.get_child_value(i).print_(True)
                 for i in range(parameters.n_children())]
        done = subprocess.run(
            ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "gdbus", "call",
             "--address", self.bus.address, "--dest", NAME, "--object-path", PATH, "--method",
             f"{NAME}.{method}", "--", *texts], capture_output=True, text=True, timeout=SECONDS,
            stdin=subprocess.DEVNULL, check=False)
        return done.stdout + done.stderr

    def property(self, name):
        return self.bus.connection.call_sync(
            NAME, PATH, "org.freedesktop.DBus.Properties", "Get",
            GLib.Variant("(ss)", (NAME, name)), None, 0, -1, None).unpack()[0]

    def events(self, limit=0):
        return [json.loads(line) for line in self.call("GetLog", f"(uint32 {limit},)")]

    def rules_in_kernel(self):
        """What is enforced: without whose the tables are, which changes when the helper ends."""
        text = run("ip", "netns", "exec", self.namespace, "nft", "-s", "list", "ruleset")
        return re.sub(r" # progname .*|\tflags( [a-z,]*)?\n\t?\n?", "", text)

    def everything(self):
        """What a refused call may not change."""
        with open(self.file, "rb") as file:
            return (self.call("GetRules"), self.rules_in_kernel(), file.read(),
                    self.call("ListTunnels"), self.call("ListExceptions"), self.property("State"),
                    self.property("AtBoot"), self.call("ListGrants"))


def write_grants(place, *grants):
    """Grants as if given earlier: (uid, name) each, by uid."""
    body = "".join(["bulkhead grants 1\n"] + [f"{uid} 1700000000 {name}\n" for uid, name in grants])
    path = os.path.join(place.state, "grants.conf")
    os.makedirs(place.state, mode=0o700, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(body + f"sha256 {hashlib.sha256(body.encode()).hexdigest()}\n")
    os.chmod(path, 0o600)


def settle(place, *arguments):
    """Locked, with a trusted tunnel, an exception, and a user who is authorised."""
    write_grants(place, (GRANTED, "bin"))
    place.start(*arguments)
    place.call("AddTunnel", tunnel())
    place.call("AddExceptions", "(['192.0.2.0/24'],)")
    place.call("Lock")
