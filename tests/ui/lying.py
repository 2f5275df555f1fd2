# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers that tell the window what a test wants, and the window against one of them."""
import time

from gi.repository import GLib

from desktop import let_pass, wait_for
from tray import FakeHelper
from window import Window

V = GLib.Variant


class LyingHelper(FakeHelper):
    """Locked without a tunnel; answers a method that reads with what `lists` has for it."""

    def __init__(self, desktop):
        super().__init__(desktop)
        self.lists = {"ListTunnels": V("(aa{sv})", ([],)), "ListBlocked": V("(aa{sv})", ([],)),
                      "ListExceptions": V("(as)", ([],)), "ListGrants": V("(a(usx))", ([],)),
                      "GetLog": V("(as)", ([],)), "GetStatus": V("(a{sv})", ({},))}
        self.waiting = []  # what changes something and is not answered yet
        self.asked = set()
        self.values.update(State=V("u", 3), Locked=V("b", True), BlockedCount=V("t", 0),
                           AtBoot=V("b", False), Ready=V("b", True), Fixed=V("as", []),
                           Revision=V("t", 1))

    def on_called(self, bus, sender, path, interface, method, arguments, invocation):
        self.asked.add(method)
        self.calls.append(method)
        if self.error is not None:
            invocation.return_dbus_error(*self.error)
        elif method in self.lists:
            invocation.return_value(self.lists[method])
        else:
            self.waiting.append(invocation)


class ActingHelper(LyingHelper):
    """Does at once what opens and closes; tells of it before it answers, or after."""

    STATES = {"Lock": 3, "Resume": 3, "Unlock": 1, "Pause": 4}

    def __init__(self, desktop, tells_first):
        super().__init__(desktop)
        self.tells_first = tells_first
        self.done = []

    def on_called(self, bus, sender, path, interface, method, arguments, invocation):
        if method not in self.STATES:
            super().on_called(bus, sender, path, interface, method, arguments, invocation)
            return
        self.done.append(method)
        if self.tells_first:
            self.enter(self.STATES[method])
            let_pass(0.1)
        invocation.return_value(None)
        if not self.tells_first:
            let_pass(0.1)
            self.enter(self.STATES[method])

    def enter(self, state):
        self.say(State=V("u", state), Locked=V("b", state != 1), PausedUntil=V(
            "x", int(time.time()) + 600 if state == 4 else 0))


def start(desk):
    window = Window(desk)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    return window
