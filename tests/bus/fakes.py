# SPDX-License-Identifier: GPL-3.0-or-later
"""What the helper finds on a system bus besides itself: a systemd and a polkit that do as told."""
import threading

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

SECONDS = 20
BOOT, HELPER = "bulkhead-boot.service", "bulkhead.service"

SYSTEMD = """<node><interface name="org.freedesktop.systemd1.Manager">
<method name="Subscribe"/>
<method name="Reload"/>
<method name="GetUnitFileState"><arg type="s" direction="in"/><arg type="s" direction="out"/></method>
<method name="EnableUnitFiles"><arg type="as" direction="in"/><arg type="b" direction="in"/>
 <arg type="b" direction="in"/><arg type="b" direction="out"/><arg type="a(sss)" direction="out"/>
</method>
<method name="DisableUnitFiles"><arg type="as" direction="in"/><arg type="b" direction="in"/>
 <arg type="a(sss)" direction="out"/></method>
<signal name="UnitFilesChanged"/>
</interface></node>"""

POLKIT = """<node><interface name="org.freedesktop.PolicyKit1.Authority">
<method name="CheckAuthorization"><arg type="(sa{sv})" direction="in"/><arg type="s" direction="in"/>
 <arg type="a{ss}" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
 <arg type="(bba{ss})" direction="out"/></method>
</interface></node>"""


class Fake:
    """A service with a thread of its own. `hangs` names methods that are never answered, `fails`
    gives others an error (name, message)."""

    def __init__(self, address, name, path, xml):
        self.address, self.name, self.path = address, name, path
        self.calls, self.hangs, self.fails = [], set(), {}
        self.interface = Gio.DBusNodeInfo.new_for_xml(xml).interfaces[0]
        self.context = GLib.MainContext()
        self.loop = GLib.MainLoop(context=self.context)
        self.bus = None
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(SECONDS)

    def _run(self, started):
        self.context.push_thread_default()
        self.bus = Gio.DBusConnection.new_for_address_sync(
            self.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.bus.set_exit_on_close(False)
        self.bus.register_object(self.path, self.interface, self._on_call, None, None)
        self._call_bus("RequestName", GLib.Variant("(su)", (self.name, 4)))
        started.set()
        self.loop.run()
        self.context.pop_thread_default()

    def _call_bus(self, method, arguments):
        self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           method, arguments, None, Gio.DBusCallFlags.NONE, -1, None)

    def _on_call(self, bus, sender, path, interface, method, arguments, invocation):
        self.calls.append((method, *arguments.unpack()))
        if method in self.hangs:
            return
        if method in self.fails:
            invocation.return_dbus_error(*self.fails[method])
        else:
            invocation.return_value(getattr(self, method)(*arguments.unpack()))

    def stop(self):
        """Leaves the bus."""
        self.context.invoke_full(GLib.PRIORITY_DEFAULT, self.loop.quit)
        self.thread.join(SECONDS)
        if not self.bus.is_closed():
            self.bus.close_sync(None)


class Systemd(Fake):
    """`files`: what its GetUnitFileState says."""

    def __init__(self, address):
        self.files = {BOOT: "disabled", HELPER: "disabled"}
        self.deaf = self.subscribed = False
        super().__init__(address, "org.freedesktop.systemd1", "/org/freedesktop/systemd1", SYSTEMD)

    def put(self, state, units=(BOOT, HELPER)):
        """Somebody at another place enables or disables."""
        self.files.update(dict.fromkeys(units, state))
        if self.subscribed:
            self.bus.emit_signal(None, self.path, self.interface.name, "UnitFilesChanged", None)

    def _change(self, state, units):
        if not self.deaf:
            self.put(state, units)
        return [("symlink", "/etc/systemd/system/x", unit) for unit in units]

    def Subscribe(self):
        self.subscribed = True

    def Reload(self):
        pass

    def GetUnitFileState(self, unit):
        return GLib.Variant("(s)", (self.files[unit],))

    def EnableUnitFiles(self, units, runtime, force):
        return GLib.Variant("(ba(sss))", (True, self._change("enabled", units)))

    def DisableUnitFiles(self, units, runtime):
        return GLib.Variant("(a(sss))", (self._change("disabled", units),))


class Polkit(Fake):
    """Says yes to the actions in `allows`, and to others that it would after a password."""

    def __init__(self, address, *allows):
        self.allows = allows
        super().__init__(address, "org.freedesktop.PolicyKit1",
                         "/org/freedesktop/PolicyKit1/Authority", POLKIT)

    def CheckAuthorization(self, subject, action, details, flags, cancel):
        yes = action in self.allows
        return GLib.Variant("((bba{ss}))", ((yes, not yes, {}),))
