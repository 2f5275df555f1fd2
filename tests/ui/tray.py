# SPDX-License-Identifier: GPL-3.0-or-later
"""bulkhead-tray on a desktop of its own, as panels see it."""
import contextlib
import subprocess

from gi.repository import Gio, GLib

from desktop import BUILD, SECONDS, SOURCE, connect, owner_of, wait_for
from place import HOLD_TUN0, NAME, PATH, run

TRAY = f"{BUILD}/app/tray/bulkhead-tray"
BUS_NAME = "org.bulkhead.bulkhead.Tray"
ITEM_PATH = "/org/bulkhead/bulkhead/Tray/Icon"
MENU_PATH = "/org/bulkhead/bulkhead/Tray/Menu"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
WATCHER = "org.kde.StatusNotifierWatcher"
PROPERTIES = "org.freedesktop.DBus.Properties"
STATE, LOCK, UNLOCK, PAUSE, PAUSE_5, PAUSE_15, PAUSE_60, RESUME, LAN, LINE, OPEN, QUIT = range(1, 13)


class Tray:
    """`command` starts it in another way than as it is."""

    def __init__(self, desktop, command=(TRAY,)):
        self.desktop = desktop
        self.command = command
        self.start()

    def start(self):
        self.program = self.desktop.spawn(*self.command)
        wait_for(lambda: owner_of(self.desktop.bus, BUS_NAME))
        wait_for(self.answers)

    def answers(self):
        try:
            return self.icon()
        except GLib.Error:
            return None

    def end(self):
        return self.desktop.end(self.program)

    def call(self, path, interface, method, arguments=None):
        return self.desktop.call(BUS_NAME, path, interface, method, arguments)

    def item(self, name):
        return self.call(ITEM_PATH, PROPERTIES, "Get", GLib.Variant("(ss)", (ITEM, name)))[0]

    def icon(self):
        """The state in the icon's name."""
        return self.item("IconName").removeprefix("org.bulkhead.bulkhead-").removesuffix("-symbolic")

    def menu(self, method, signature, *arguments):
        return self.call(MENU_PATH, MENU, method, GLib.Variant(signature, arguments))

    def properties(self, number):
        return self.menu("GetGroupProperties", "(aias)", [number], [])[0][0][1]

    def shown(self):
        """The ids of what is visible."""
        return [number for number, look in self.menu("GetGroupProperties", "(aias)", [], [])[0]
                if number and look.get("visible", True)]

    def click(self, number):
        self.menu("Event", "(isvu)", number, "clicked", GLib.Variant("i", 0), 0)


def registered(desktop):
    """What the watcher lists, or nothing while there is none."""
    try:
        return desktop.call(WATCHER, "/StatusNotifierWatcher", PROPERTIES, "Get", GLib.Variant(
            "(ss)", (WATCHER, "RegisteredStatusNotifierItems")))[0]
    except GLib.Error:
        return []


@contextlib.contextmanager
def tunnel_up(place):
    """tun0, trusted and up while this lasts; its link stays."""
    ip = ("ip", "-n", place.namespace)
    hold = subprocess.Popen(["ip", "netns", "exec", place.namespace, "/usr/bin/python3", "-c",
                             HOLD_TUN0], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert hold.stdout.readline() == b"held\n"
        run(*ip, "address", "replace", "10.8.0.2/24", "dev", "tun0")
        run(*ip, "link", "set", "tun0", "up")
        yield
    finally:
        hold.communicate(timeout=SECONDS)


class FakeWindow:
    """Stands for the window: keeps what it is activated with."""

    XML = """<node><interface name="org.freedesktop.Application">
    <method name="Activate"><arg type="a{sv}" direction="in"/></method></interface></node>"""

    def __init__(self, desktop):
        self.calls = []
        self.bus = connect(desktop.environment["DBUS_SESSION_BUS_ADDRESS"])
        export(self.bus, "org.bulkhead.bulkhead", "/org/bulkhead/bulkhead", self.XML,
               self.on_called)

    def on_called(self, bus, sender, path, interface, method, arguments, invocation):
        self.calls.append(arguments.unpack()[0])
        invocation.return_value(None)


class FakeWatcher:
    """A StatusNotifierWatcher as slow and as empty as a test wants."""

    XML = """<node><interface name="org.kde.StatusNotifierWatcher">
    <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
    <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
    <signal name="StatusNotifierHostRegistered"/>
    <signal name="StatusNotifierHostUnregistered"/></interface></node>"""

    def __init__(self, desktop, refusals=0, has_host=True):
        self.refusals = refusals
        self.has_host = has_host
        self.registered = []
        self.bus = connect(desktop.environment["DBUS_SESSION_BUS_ADDRESS"])
        export(self.bus, WATCHER, "/StatusNotifierWatcher", self.XML, self.on_called,
               lambda *asked: GLib.Variant("b", self.has_host))

    def on_called(self, bus, sender, path, interface, method, arguments, invocation):
        if self.refusals > 0:
            self.refusals -= 1
            invocation.return_dbus_error("org.freedesktop.DBus.Error.UnknownMethod", "not yet")
            return
        self.registered.append((sender, *arguments.unpack()))
        invocation.return_value(None)

    def take_host(self):
        self.has_host = True
        self.tell("StatusNotifierHostRegistered")

    def lose_host(self):
        self.has_host = False
        self.tell("StatusNotifierHostUnregistered")

    def tell(self, signal):
        self.bus.emit_signal(None, "/StatusNotifierWatcher", WATCHER, signal, None)


def export(bus, name, path, xml, on_called, on_read=None):
    """An object of the test, and its well-known name."""
    bus.register_object(path, Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0], on_called, on_read,
                        None)
    bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                  "RequestName", GLib.Variant("(su)", (name, 4)), None, 0, -1, None)


class FakeHelper:
    """The helper's name and properties, answering as a test wants."""

    def __init__(self, desktop):
        self.bus = connect(desktop.place.bus.address)
        self.values = {"State": GLib.Variant("u", 1), "Locked": GLib.Variant("b", False),
                       "Lan": GLib.Variant("b", False), "PausedUntil": GLib.Variant("x", 0),
                       "Version": GLib.Variant("s", "0")}
        self.calls = []  # (method, arguments, whether a password may be asked for)
        self.error = None  # (name, text): what every call fails with
        with open(f"{SOURCE}/data/{NAME}.xml", encoding="utf-8") as file:
            xml = file.read()
        export(self.bus, NAME, PATH, xml, self.on_called,
               lambda bus, sender, path, interface, name: self.values.get(name))

    def on_called(self, bus, sender, path, interface, method, arguments, invocation):
        flags = invocation.get_message().get_flags()
        self.calls.append((method, arguments.unpack(), bool(
            flags & Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)))
        if self.error is not None:
            invocation.return_dbus_error(*self.error)
        else:
            invocation.return_value(None)

    def say(self, **values):
        """The properties change."""
        self.values.update(values)
        self.bus.emit_signal(None, PATH, PROPERTIES, "PropertiesChanged",
                             GLib.Variant("(sa{sv}as)", (NAME, values, [])))

    def emit(self, signal, signature, *arguments):
        self.bus.emit_signal(None, PATH, NAME, signal, GLib.Variant(signature, arguments))
