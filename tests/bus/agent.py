#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password prompt without a person: python3 agent.py BUS-ADDRESS SESSION-ID

Each line of its input says what to do from now on: "password TEXT", "dismiss" or "wait"; "count"
makes it say "counted" after all that happened before. It says what happens, a line each. What it
types goes to polkit's own polkit-agent-helper-1, through PAM, as with any desktop's agent.
"""
import pwd
import subprocess
import sys
import threading

from gi.repository import Gio, GLib

HELPER = "/usr/lib/polkit-1/polkit-agent-helper-1"
POLKIT = "org.freedesktop.PolicyKit1"
PATH = "/org/bulkhead/TestAgent"
INTERFACE = """<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
<method name="BeginAuthentication">
  <arg name="action_id" type="s" direction="in"/><arg name="message" type="s" direction="in"/>
  <arg name="icon_name" type="s" direction="in"/><arg name="details" type="a{ss}" direction="in"/>
  <arg name="cookie" type="s" direction="in"/>
  <arg name="identities" type="a(sa{sv})" direction="in"/>
</method>
<method name="CancelAuthentication"><arg name="cookie" type="s" direction="in"/></method>
</interface></node>"""

todo = ["dismiss"]
waiting = {}


def say(text):
    print(text, flush=True)


def authenticate(user, cookie, password):
    """Types the password once."""
    helper = subprocess.Popen([HELPER, user], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    helper.stdin.write(cookie + "\n")
    helper.stdin.flush()
    for line in helper.stdout:
        if line.startswith("PAM_PROMPT_ECHO_OFF"):
            helper.stdin.write(password + "\n")
            helper.stdin.flush()
        elif line.startswith(("SUCCESS", "FAILURE")):
            say(line.split()[0].lower())
    helper.wait()


def begin(arguments, invocation):
    action, message, _, _, cookie, identities = arguments.unpack()
    uids = [details["uid"] for kind, details in identities if kind == "unix-user"]
    say(f"asked {action} {message}")
    if todo[0] == "dismiss":
        invocation.return_dbus_error(POLKIT + ".Error.Cancelled", "dismissed")
    elif todo[0] == "wait":
        waiting[cookie] = invocation
    else:
        authenticate(pwd.getpwuid(uids[0]).pw_name, cookie, todo[0].split(" ", 1)[1])
        invocation.return_value(None)


def on_call(bus, sender, path, interface, method, arguments, invocation):
    if method == "BeginAuthentication":
        begin(arguments, invocation)
        return
    say("cancelled")
    invocation.return_value(None)
    begun = waiting.pop(arguments.unpack()[0], None)
    if begun is not None:
        begun.return_dbus_error(POLKIT + ".Error.Cancelled", "cancelled")


def on_line(line):
    if line == "count":
        say("counted")
    else:
        todo[0] = line
        say("set")


def read_lines(loop):
    for line in sys.stdin:
        GLib.idle_add(on_line, line.rstrip("\n"))
    GLib.idle_add(loop.quit)


def main(address, session):
    loop = GLib.MainLoop()
    bus = Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
        | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    node = Gio.DBusNodeInfo.new_for_xml(INTERFACE)
    bus.register_object(PATH, node.interfaces[0], on_call, None, None)
    bus.call_sync(POLKIT, "/org/freedesktop/PolicyKit1/Authority", POLKIT + ".Authority",
                  "RegisterAuthenticationAgent",
                  GLib.Variant("((sa{sv})ss)", (
                      ("unix-session", {"session-id": GLib.Variant("s", session)}),
                      "C.UTF-8", PATH)), None, 0, -1, None)
    say("ready")
    threading.Thread(target=read_lines, args=(loop,), daemon=True).start()
    loop.run()


main(*sys.argv[1:])
