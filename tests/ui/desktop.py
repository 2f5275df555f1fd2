# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop of its own for one test: an X server, a session bus, a home, a notification server, and
a system bus with the real helper in a network namespace (tests/bus/place.py).

Programs are started with Desktop.environment; nothing here sees the host's buses or home.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import gi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bus"))
from place import SOURCE, Place  # noqa: E402
gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

BUILD = os.path.realpath(os.environ.get("BULKHEAD_BUILD") or os.path.join(SOURCE, "build"))
SHOTS = os.environ.get("BULKHEAD_SHOTS") or os.path.join(BUILD, "test-logs", "shots")
SECONDS = 20  # after which anything here is hung
SESSION_BUS = """<busconfig>
<type>session</type>
<listen>unix:path={directory}/session-bus</listen>
<auth>EXTERNAL</auth>
<standard_session_servicedirs/>
<policy context="default">
  <allow user="*"/>
  <allow own="*"/>
  <allow send_destination="*" eavesdrop="true"/>
  <allow eavesdrop="true"/>
</policy>
</busconfig>
"""
NOTIFICATIONS = "org.freedesktop.Notifications"
NOTIFICATIONS_XML = """<node><interface name="org.freedesktop.Notifications">
<method name="GetCapabilities"><arg type="as" direction="out"/></method>
<method name="GetServerInformation"><arg type="s" direction="out"/><arg type="s" direction="out"/>
  <arg type="s" direction="out"/><arg type="s" direction="out"/></method>
<method name="Notify"><arg type="s" direction="in"/><arg type="u" direction="in"/>
  <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
  <arg type="as" direction="in"/><arg type="a{sv}" direction="in"/><arg type="i" direction="in"/>
  <arg type="u" direction="out"/></method>
<method name="CloseNotification"><arg type="u" direction="in"/></method>
</interface></node>"""
PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="true"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="icon-size" type="uint" value="0"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
"""


def wait_for(condition, seconds=SECONDS):
    """What the condition gives once it is true; callbacks of this process run meanwhile."""
    end = time.monotonic() + seconds
    context = GLib.MainContext.default()
    while True:
        while context.iteration(False):
            pass
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def let_pass(seconds):
    """Callbacks of this process run for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        while GLib.MainContext.default().iteration(False):
            pass
        time.sleep(0.01)


def connect(address, uid=0):
    """As that user: a session's buses let nobody else in."""
    os.seteuid(uid)
    try:
        return Gio.DBusConnection.new_for_address_sync(
            address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    finally:
        os.seteuid(0)


def owner_of(bus, name):
    """The unique name of who owns it, or None."""
    try:
        return bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus",
                             "org.freedesktop.DBus", "GetNameOwner", GLib.Variant("(s)", (name,)),
                             None, 0, SECONDS * 1000, None).unpack()[0]
    except GLib.Error:
        return None


class Notices:
    """A notification server that keeps what it is shown."""

    def __init__(self, address, uid=0):
        self.bus = connect(address, uid)
        self.shown = {}  # id -> {"summary", "body", "actions", "urgency", "resident"}
        self.all = []  # every summary ever shown
        self.closed = []
        self.last = 0
        info = Gio.DBusNodeInfo.new_for_xml(NOTIFICATIONS_XML).interfaces[0]
        self.bus.register_object("/org/freedesktop/Notifications", info, self.on_called, None, None)
        self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           "RequestName", GLib.Variant("(su)", (NOTIFICATIONS, 4)), None, 0, -1,
                           None)

    def on_called(self, bus, sender, path, interface, method, arguments, invocation):
        answer = None
        if method == "GetCapabilities":
            answer = GLib.Variant("(as)", (["actions", "body", "body-markup", "persistence"],))
        elif method == "GetServerInformation":
            answer = GLib.Variant("(ssss)", ("test", "test", "1", "1.2"))
        elif method == "Notify":
            answer = GLib.Variant("(u)", (self.show(sender, *arguments.unpack()),))
        elif method == "CloseNotification":
            number = arguments.unpack()[0]
            self.closed.append(number)
            self.shown.pop(number, None)
        invocation.return_value(answer)

    def show(self, sender, app, replaces, icon, summary, body, actions, hints, timeout):
        if replaces == 0:
            self.last += 1
        number = replaces or self.last
        self.shown[number] = {"sender": sender, "app": app, "icon": icon, "summary": summary,
                              "body": body, "actions": actions, "hints": hints, "timeout": timeout}
        self.all.append(summary)
        return number

    def dismiss(self, number):
        """The user closes it."""
        sender = self.shown.pop(number)["sender"]
        self.bus.emit_signal(sender, "/org/freedesktop/Notifications", NOTIFICATIONS,
                             "NotificationClosed", GLib.Variant("(uu)", (number, 2)))

    def summaries(self):
        return [notice["summary"] for notice in self.shown.values()]

    def click(self, number, action="default"):
        self.bus.emit_signal(self.shown[number]["sender"], "/org/freedesktop/Notifications",
                             NOTIFICATIONS, "ActionInvoked", GLib.Variant("(us)", (number, action)))


class Desktop:
    """The desktop outlives what runs on it; close() ends everything it started. Its session bus
    lets in every user, so that a program of another one can be at home here."""

    uid = 0  # of who sits at it

    def __init__(self, size="1024x768", place=None):
        self.directory = tempfile.mkdtemp(prefix="bulkhead-desktop-")
        os.chmod(self.directory, 0o755)
        self.programs = []
        self.place = place or Place()
        try:
            self.start(size)
        except BaseException:
            self.close()
            raise

    def start(self, size):
        home = os.path.join(self.directory, "home")
        runtime = os.path.join(self.directory, "runtime")
        os.makedirs(runtime, mode=0o700)
        shutil.copytree(os.path.join(SOURCE, "data", "icons"),
                        os.path.join(home, ".local/share/icons"))
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "TZ": "UTC",
            "XDG_RUNTIME_DIR": runtime, "XDG_DATA_DIRS": "/usr/local/share:/usr/share",
            "XDG_CONFIG_HOME": os.path.join(home, ".config"),
            "DISPLAY": self.start_x(size), "DBUS_SYSTEM_BUS_ADDRESS": self.place.bus.address,
            "GSK_RENDERER": "cairo", "GTK_A11Y": "atspi", "GDK_BACKEND": "x11",
            "LIBGL_ALWAYS_SOFTWARE": "1", "GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "0",
        }
        config = os.path.join(self.directory, "session-bus.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(SESSION_BUS.format(directory=self.directory))
        # Where the place is, its users are known.
        address = self.read_line([*self.place.enter(), "dbus-daemon", "--nofork",
                                  "--print-address=1", "--config-file", config])
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        self.bus = connect(address, self.uid)
        self.notices = Notices(address, self.uid)

    def start_x(self, size):
        number = self.read_line(["Xvfb", "-displayfd", "1", "-screen", "0", f"{size}x24", "-nolisten",
                                 "tcp", "-noreset"], {"PATH": os.environ["PATH"]})
        return f":{number}"

    def read_line(self, command, environment=None):
        """Starts what tells in its first line where it is."""
        program = subprocess.Popen(command, env=environment or self.environment, text=True,
                                   stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.programs.append(program)
        line = program.stdout.readline().strip()
        assert line, f"{command[0]} did not start"
        return line

    def spawn(self, *command, **environment):
        """Starts a program of the user; its words are in the file .log of the Popen."""
        log = tempfile.NamedTemporaryFile(dir=self.directory, suffix=".log", delete=False)
        program = subprocess.Popen(command, env={**self.environment, **environment},
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        program.log = log.name
        log.close()
        self.programs.append(program)
        return program

    def end(self, program, how=signal.SIGTERM):
        """Ends it; what it said must have no complaint of GLib, nor of text that is no markup."""
        if program.poll() is None:
            program.send_signal(how)
        program.wait(SECONDS)
        with open(program.log, encoding="utf-8") as file:
            said = file.read()
        assert "CRITICAL" not in said and "Sanitizer" not in said, said
        assert "from markup" not in said, said
        return said

    def start_panel(self):
        """A real Xfce panel with its tray."""
        folder = os.path.join(self.environment["XDG_CONFIG_HOME"],
                              "xfce4/xfconf/xfce-perchannel-xml")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "xfce4-panel.xml"), "w", encoding="utf-8") as file:
            file.write(PANEL)
        panel = self.spawn("xfce4-panel", "--disable-wm-check")
        wait_for(lambda: owner_of(self.bus, "org.kde.StatusNotifierWatcher"))
        return panel

    def screenshot(self, name, crop=None):
        """A PNG of the whole screen or of "WIDTHxHEIGHT+X+Y"; its path."""
        os.makedirs(SHOTS, exist_ok=True)
        path = os.path.join(SHOTS, f"{name}.png")
        cut = ["-crop", crop, "+repage"] if crop else []
        subprocess.run(["import", "-window", "root", *cut, path], env=self.environment, check=True,
                       timeout=SECONDS)
        return path

    def xdotool(self, *arguments):
        return subprocess.run(["xdotool", *arguments], env=self.environment, check=True, text=True,
                              capture_output=True, timeout=SECONDS).stdout

    def call(self, name, path, interface, method, arguments=None, bus=None):
        """A call on the session bus; callbacks of this process run while it waits."""
        done = []
        (bus or self.bus).call(name, path, interface, method, arguments, None,
                               Gio.DBusCallFlags.NO_AUTO_START, SECONDS * 1000, None,
                               lambda source, result: done.append((source, result)))
        source, result = wait_for(lambda: done)[0]
        return source.call_finish(result).unpack()

    def close(self):
        for program in reversed(self.programs):
            if program.poll() is None:
                program.kill()
            program.wait(SECONDS)
        self.place.close()
        shutil.rmtree(self.directory, ignore_errors=True)
