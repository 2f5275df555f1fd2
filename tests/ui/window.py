# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as a screen reader sees it, used by an ordinary user whose passwords are scripted."""
import json
import os
import re

from gi.repository import Gio, GLib

from desktop import BUILD, SECONDS, Desktop, connect, let_pass, owner_of, wait_for
from place import GRANTED, Bus, Place, run  # after desktop, which says where it is

WINDOW = f"{BUILD}/app/window/bulkhead"
APP = "org.bulkhead.bulkhead"
ACCESSIBLE = "org.a11y.atspi.Accessible"
PROPERTIES = "org.freedesktop.DBus.Properties"
ROOT = "/org/a11y/atspi/accessible/root"
POLKIT = "org.freedesktop.PolicyKit1"
MANAGER = "org.freedesktop.NetworkManager"
CHECKED, FOCUSED, SENSITIVE = 4, 12, 24  # of AtspiStateType
TEXTS = ("text", "text box", "entry")
BUTTONS = ("button", "push button", "toggle button", "checkbox", "check box", "switch", "tab")
GROUPS = ("group", "panel", "dialog", "window", "frame")
WEAKER = "^Some protections are weaker here$"
HOME = ("({'name': <'home'>, 'interface': <'wg7'>, 'mark': <uint32 51820>,"
        " 'endpoints': <['203.0.113.5:51820/udp']>},)")

# The system bus of the place, on which this process plays polkitd and NetworkManager.
PLAYED = """<policy context="default">
  <allow own="org.freedesktop.PolicyKit1"/>
  <allow send_destination="org.freedesktop.PolicyKit1"/>
  <allow own="org.freedesktop.NetworkManager"/>
  <allow send_destination="org.freedesktop.NetworkManager"/>
</policy>"""
POLKIT_XML = """<node><interface name="org.freedesktop.PolicyKit1.Authority">
<method name="CheckAuthorization"><arg type="(sa{sv})" direction="in"/>
  <arg type="s" direction="in"/><arg type="a{ss}" direction="in"/><arg type="u" direction="in"/>
  <arg type="s" direction="in"/><arg type="(bba{ss})" direction="out"/></method>
<method name="CancelCheckAuthorization"><arg type="s" direction="in"/></method>
<signal name="Changed"/></interface></node>"""
MANAGER_XML = """<node><interface name="org.freedesktop.NetworkManager">
<property name="Connectivity" type="u" access="read"/>
<property name="PrimaryConnection" type="o" access="read"/></interface></node>"""


def own(bus, name, path, xml, on_called, on_read=None):
    bus.register_object(path, Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0], on_called, on_read,
                        None)
    bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                  "RequestName", GLib.Variant("(su)", (name, 4)), None, 0, -1, None)


class Polkit:
    """Says yes to what an active local user may do, and for the rest what `password` is: "right",
    "dismissed" or "wrong". Keeps the actions it would have asked a password for."""

    def __init__(self, address):
        self.bus = connect(address)
        self.password = "right"
        self.prompts = []
        own(self.bus, POLKIT, "/org/freedesktop/PolicyKit1/Authority", POLKIT_XML, self.on_called)

    def on_called(self, bus, sender, path, interface, method, arguments, invocation):
        if method != "CheckAuthorization":
            invocation.return_value(None)
            return
        _, action, _, flags, _ = arguments.unpack()
        answer = (True, False, {})
        if action.endswith((".control", ".authorize-user")):
            answer = (False, True, {})
            if flags & 1:
                self.prompts.append(action)
                answer = {"right": (True, False, {}), "wrong": (False, False, {}),
                          "dismissed": (False, False, {"polkit.dismissed": "true"})}[self.password]
        invocation.return_value(GLib.Variant("((bba{ss}))", (answer,)))


class NetworkManager:
    """What it says of the network."""

    def __init__(self, address):
        self.bus = connect(address)
        self.values = {"Connectivity": GLib.Variant("u", 4),
                       "PrimaryConnection": GLib.Variant("o", "/one")}
        own(self.bus, MANAGER, "/org/freedesktop/NetworkManager", MANAGER_XML, None,
            lambda *arguments: self.values[arguments[4]])

    def say(self, **values):
        self.values.update(values)
        self.bus.emit_signal(None, "/org/freedesktop/NetworkManager", PROPERTIES,
                             "PropertiesChanged", GLib.Variant("(sa{sv}as)", (MANAGER, values, [])))


class PlayedPlace(Place):
    def make_bus(self):
        return Bus(self.directory, more=PLAYED)


class UserDesktop(Desktop):
    """A desktop of the user `bin`, who is no administrator."""

    uid = GRANTED

    def __init__(self, place=None, **options):
        super().__init__(place=place or PlayedPlace(), **options)

    def start(self, size):
        os.chown(self.directory, self.uid, self.uid)  # for the session bus
        super().start(size)
        for name in ("home", "runtime"):
            run("chown", "-R", f"{self.uid}:{self.uid}", os.path.join(self.directory, name))
        self.environment["GSETTINGS_SCHEMA_DIR"] = f"{BUILD}/data"

    def as_user(self, command):
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups",
                *command]

    def read_line(self, command, environment=None):
        if "dbus-daemon" in command:  # root enters where it runs
            at = command.index("dbus-daemon")
            command = [*command[:at], *self.as_user(command[at:])]
        return super().read_line(command, environment)

    def spawn(self, *command, **environment):
        return super().spawn(*self.as_user(command), **environment)


def prefix():
    with open(f"{BUILD}/meson-info/intro-buildoptions.json", encoding="utf-8") as file:
        return next(option["value"] for option in json.load(file) if option["name"] == "prefix")


class TranslatedDesktop(UserDesktop):
    """Sees the translations of the build directory where they would be installed, and those in the
    folder `locale` of its own."""

    def start(self, size):
        os.makedirs(os.path.join(self.directory, "locale"))
        super().start(size)

    def as_user(self, command):
        if command[0] == "dbus-daemon":
            return super().as_user(command)
        locale = f"{prefix()}/share/locale"
        lower = f"{BUILD}/po:{self.directory}/locale:{locale}"
        return ["unshare", "--mount", "sh", "-c", f"mkdir -p {locale} && mount -t overlay overlay "
                f"-o lowerdir={lower} {locale} && exec \"$@\"", "sh", *super().as_user(command)]


class Node:
    """Something on the screen, as the accessibility bus tells of it."""

    def __init__(self, bus, owner, path):
        self.bus, self.owner, self.path = bus, owner, path

    def call(self, method, arguments=None, interface=ACCESSIBLE):
        return self.bus.call_sync(self.owner, self.path, interface, method, arguments, None,
                                  Gio.DBusCallFlags.NONE, SECONDS * 1000, None).unpack()

    def get(self, name, interface=ACCESSIBLE):
        return self.call("Get", GLib.Variant("(ss)", (interface, name)), PROPERTIES)[0]

    def children(self):
        return [Node(self.bus, *reference) for reference in self.call("GetChildren")[0]]

    def name(self):
        """Without the marks of mnemonics, which GTK 4.8 leaves in."""
        return self.get("Name").replace("_", "")

    def role(self):
        return self.call("GetRoleName")[0]

    def has(self, state):
        low, high = self.call("GetState")[0]
        return bool(((high << 32) | low) >> state & 1)

    def press(self):
        assert self.has(SENSITIVE), f"{self.name()} is insensitive"
        assert self.call("DoAction", GLib.Variant("(i)", (0,)), "org.a11y.atspi.Action")[0]

    def extents(self):
        """x, y, width and height in the window; no width when its page is not in front."""
        return self.call("GetExtents", GLib.Variant("(u)", (1,)), "org.a11y.atspi.Component")[0]

    def middle(self):
        """Where in the window it is, or None when its page is not in front."""
        x, y, width, height = self.extents()
        return (x + width // 2, y + height // 2) if width else None

    def type(self, text):
        self.call("SetTextContents", GLib.Variant("(s)", (text,)), "org.a11y.atspi.EditableText")

    def all(self):
        """This and what is in it, on the pages that are not in front, too: GTK 4.8 does not tell
        which these are. Things may go while they are looked at."""
        try:
            children = self.children()
        except GLib.Error:
            return
        yield self
        for child in children:
            yield from child.all()


class Window:
    def __init__(self, desktop, *arguments, **environment):
        self.desktop = desktop
        self.pages = {}
        self.program = desktop.spawn(WINDOW, *arguments, **environment)
        address, = desktop.bus.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus",
                                         "GetAddress", None, None, Gio.DBusCallFlags.NONE,
                                         SECONDS * 1000, None).unpack()
        self.bus = connect(address, desktop.uid)
        wait_for(lambda: owner_of(desktop.bus, APP))

    def application(self):
        registry = Node(self.bus, "org.a11y.atspi.Registry", ROOT)
        for child in registry.children():
            try:
                if child.name() in ("bulkhead", "Bulkhead", APP):
                    return child
            except GLib.Error:
                pass  # it has just gone
        return None

    def windows(self):
        application = self.application()
        return application.children() if application else []

    def page(self, name):
        """The group or dialog of that name; looked for once, as the tree is large."""
        try:
            if self.pages[name].name() == name:
                return self.pages[name]
        except (KeyError, GLib.Error):
            pass
        for window in self.windows():
            for node in window.all():
                if node.name() == name and node.role() in GROUPS:
                    self.pages[name] = node
                    return node
        return None

    def nodes(self, page=None):
        """All there is, or what is on the page of that name."""
        if page is None:
            return [node for window in self.windows() for node in window.all()]
        root = self.page(page)
        return list(root.all()) if root else []

    def texts(self, page=None):
        try:
            return [name for node in self.nodes(page) if (name := node.name())]
        except GLib.Error:
            return []

    def says(self, pattern, page=None):
        return next((text for text in self.texts(page) if re.search(pattern, text)), None)

    def has_focus(self, pattern, page):
        try:
            return any(re.search(pattern, node.name()) and node.has(FOCUSED)
                       for node in self.nodes(page))
        except GLib.Error:
            return False

    def shows(self, pattern, page):
        """The same, but it must have its place on a page that is in front."""
        try:
            return any(re.search(pattern, node.name()) and node.middle()
                       for node in self.nodes(page))
        except GLib.Error:
            return False

    def waits_for(self, pattern, page=None, seconds=SECONDS):
        try:
            return wait_for(lambda: self.says(pattern, page), seconds)
        except AssertionError:
            raise AssertionError(f"{pattern!r} is not among {self.texts(page)}") from None

    def find(self, pattern, page=None, roles=BUTTONS):
        try:
            return next((node for node in self.nodes(page)
                         if re.search(pattern, node.name()) and node.role() in roles), None)
        except GLib.Error:
            return None

    def control(self, pattern, page=None, roles=BUTTONS):
        try:
            return wait_for(lambda: self.find(pattern, page, roles))
        except AssertionError:
            seen = [(node.role(), node.name()) for node in self.nodes(page)]
            raise AssertionError(f"{pattern!r} is not among {seen}") from None

    def row(self, pattern, page=None):
        """Of an entry, to see whether it can be used: GTK 4.8 tells that of the text in it."""
        return self.control(pattern, page, ("list item", *TEXTS))

    def press(self, pattern, page=None):
        node = self.control(pattern, page)
        wait_for(lambda: node.middle() and node.has(SENSITIVE))
        node.press()

    def answer(self, label):
        """Presses the button of the dialog that is open; GTK 4.8 tells its name twice."""
        def find():
            try:
                return next((node for window in self.windows() if window.role() == "dialog"
                             for node in window.all() if node.role() in BUTTONS
                             and re.search(f"^({label} )?{label}$", node.name())), None)
            except GLib.Error:
                return None
        wait_for(find).press()

    def click(self, pattern, page=None, roles=BUTTONS):
        """With the mouse: GTK 4.8 has no action for check boxes and rows. The window is where the
        screen begins, as there is no window manager."""
        node = self.control(pattern, page, roles)
        x, y = wait_for(node.middle)
        self.desktop.xdotool("mousemove", str(x), str(y), "click", "1")

    def open(self, pattern, page):
        """A row that holds others, with the keyboard, as one who cannot see does. GTK 4.18 tells
        nothing of those before."""
        def is_reached():
            self.desktop.xdotool("key", "Tab")
            let_pass(0.1)
            try:
                return any(re.search(pattern, node.name()) and node.has(FOCUSED)
                           for node in self.nodes(page))
            except GLib.Error:
                return False
        wait_for(is_reached)
        self.desktop.xdotool("key", "Return")

    def headline(self):
        node = self.find("", "Status", ("heading",))
        return node and node.name()

    def act(self, action, *parameters):
        """Activates an action of the application, as the desktop file and the tray do."""
        self.desktop.call(APP, "/org/bulkhead/bulkhead", "org.freedesktop.Application",
                          "ActivateAction", GLib.Variant("(sava{sv})", (action, list(parameters),
                                                                        {})))

    def end(self):
        return self.desktop.end(self.program)
