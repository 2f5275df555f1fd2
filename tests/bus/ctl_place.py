# SPDX-License-Identifier: GPL-3.0-or-later
"""bulkheadctl against a helper that says what each test wants, on a bus of its own.

BULKHEADCTL names the program; without it, app/ctl/bulkheadctl in the build directory that
BULKHEAD_BUILD names, or in build. The fake takes its methods from data/org.bulkhead.Helper1.xml,
so GDBus refuses a call that is not in the contract.
"""
import contextlib
import json
import os
import re
import subprocess
import threading

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..")
BUILD = os.environ.get("BULKHEAD_BUILD") or os.path.join(SOURCE, "build")
CTL = os.environ.get("BULKHEADCTL") or os.path.join(BUILD, "app/ctl/bulkheadctl")
NAME = "org.bulkhead.Helper1"
PATH = "/org/bulkhead/Helper1"
ERROR = NAME + ".Error."
UNKNOWN, OFF, PROTECTED, BLOCKING, PAUSED, BROKEN = range(6)
SECONDS = 20  # after which anything here is hung

BUS_CONFIG = """<busconfig>
<type>custom</type>
<listen>unix:path={directory}/bus</listen>
<servicedir>{directory}</servicedir>
<auth>EXTERNAL</auth>
<policy context="default">
  <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
</policy>
</busconfig>
"""

TUNNELS = [
    {
        "id": GLib.Variant("s", "home"),
        "interface": GLib.Variant("s", "wg0"),
        "kind": GLib.Variant("u", 1),
        "trusted": GLib.Variant("b", True),
        "present": GLib.Variant("b", True),
        "up": GLib.Variant("b", True),
        "endpoints": GLib.Variant("as", ["203.0.113.5:51820/udp"]),
        "mark": GLib.Variant("u", 51820),
        "user": GLib.Variant("u", 0),
        "handshake": GLib.Variant("x", 1700000000),
        "since": GLib.Variant("x", 1690000000),
        "received": GLib.Variant("t", 5000000000),
        "sent": GLib.Variant("t", 7),
    },
    {
        "id": GLib.Variant("s", "office"),
        "interface": GLib.Variant("s", "tun0"),
        "kind": GLib.Variant("u", 99),
        "trusted": GLib.Variant("b", True),
        "present": GLib.Variant("b", False),
        "up": GLib.Variant("b", False),
        "endpoints": GLib.Variant("as", []),
    },
]


def status(state, **more):
    """The answer of GetStatus."""
    values = {
        "state": GLib.Variant("u", state),
        "locked": GLib.Variant("b", state != OFF),
        "enforced": GLib.Variant("b", state != BROKEN),
        "paused_seconds": GLib.Variant("u", 0),
        "at_boot": GLib.Variant("b", True),
        "lan": GLib.Variant("b", False),
        "lan_cgnat": GLib.Variant("b", False),
        "lan_port_mapping": GLib.Variant("b", False),
        "exceptions": GLib.Variant("u", 0),
        "tunnels": GLib.Variant("aa{sv}", TUNNELS),
        "uplinks": GLib.Variant("as", ["eth0"]),
        "weakened": GLib.Variant("as", []),
        "problem": GLib.Variant("s", ""),
        "version": GLib.Variant("s", "9.9"),
    }
    values.update(more)
    return GLib.Variant("(a{sv})", (values,))


class FakeHelper:
    """Answers from `answers`: a value, (error name, message), None for (), "hang" or "die"."""

    def __init__(self, address):
        self.calls = []  # (method, arguments, may ask for a password)
        self.answers = {"GetStatus": status(PROTECTED), "Verify": GLib.Variant("(bs)", (True, ""))}
        self.context = GLib.MainContext()
        self.loop = GLib.MainLoop(context=self.context)
        self.address = address
        self.bus = None
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(SECONDS)

    def _run(self, started):
        self.context.push_thread_default()
        self.bus = Gio.DBusConnection.new_for_address_sync(
            self.address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        with open(os.path.join(SOURCE, "data", NAME + ".xml"), encoding="utf-8") as file:
            interface = Gio.DBusNodeInfo.new_for_xml(file.read()).lookup_interface(NAME)
        self.bus.register_object(PATH, interface, self._on_call, None, None)
        self.own()
        started.set()
        self.loop.run()
        self.context.pop_thread_default()

    def _on_call(self, bus, sender, path, interface, method, arguments, invocation):
        flags = invocation.get_message().get_flags()
        asks = bool(flags & Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        self.calls.append((method, arguments.unpack(), asks))
        answer = self.answers.get(method)
        if answer == "hang":
            return
        if answer == "die":
            bus.close_sync(None)
        elif isinstance(answer, tuple):
            invocation.return_dbus_error(*answer)
        else:
            invocation.return_value(answer)

    def _name(self, method, arguments):
        self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           method, arguments, None, Gio.DBusCallFlags.NONE, -1, None)

    def own(self):
        self._name("RequestName", GLib.Variant("(su)", (NAME, 4)))

    def disown(self):
        self._name("ReleaseName", GLib.Variant("(s)", (NAME,)))

    def say_changed(self, state):
        self.bus.emit_signal(
            None, PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged",
            GLib.Variant("(sa{sv}as)", (NAME, {"State": GLib.Variant("u", state)}, [])))

    def become(self, state, **more):
        self.answers["GetStatus"] = status(state, **more)
        self.say_changed(state)

    def stop(self):
        self.context.invoke_full(GLib.PRIORITY_DEFAULT, self.loop.quit)
        self.thread.join(SECONDS)
        if not self.bus.is_closed():
            self.bus.close_sync(None)


@contextlib.contextmanager
def running_bus(directory):
    """A dbus-daemon; .address is where."""
    config = directory / "bus.conf"
    config.write_text(BUS_CONFIG.format(directory=directory))
    with subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"],
                          stdout=subprocess.PIPE, text=True) as process:
        process.address = process.stdout.readline().strip()
        assert process.address
        yield process
        process.terminate()


def environment(address, **more):
    return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "LC_ALL": "C", "TZ": "UTC",
            "G_DEBUG": "fatal-criticals", "SSH_CONNECTION": "", **more}


def ctl(bus, *args):
    """Runs to the end. What it prints is checked here for the promises of every call."""
    done = subprocess.run([CTL, *args], env=environment(bus.address), capture_output=True,
                          encoding="utf-8", timeout=SECONDS, check=False)
    assert done.returncode >= 0, f"died: {done.stderr}"
    assert "\x1b" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    if done.returncode in (0, 20, 21, 22, 23):
        assert not lines
    else:
        assert len(lines) == 1 and re.match(r"bulkheadctl: \S", lines[0]), done.stderr
        assert "GDBus.Error" not in lines[0]
    return done


def ctl_json(bus, *args):
    done = ctl(bus, "--json", *args)
    value = json.loads(done.stdout)
    assert value["version"] == 1 and list(value)[0] == "version"
    assert done.stdout.count("\n") == 1
    if done.returncode in (0, 20, 21, 22, 23):
        assert "error" not in value
    else:
        assert value["error"]["code"] == done.returncode
        assert done.stderr == f"bulkheadctl: {value['error']['message']}\n"
    return done.returncode, value
