# SPDX-License-Identifier: GPL-3.0-or-later
"""The window against a helper that tells names and numbers as odd as anybody can make them."""
import os
import re
import signal
import time

import pytest
from gi.repository import GLib

from desktop import let_pass, wait_for
from place import GRANTED
from tray import FakeHelper
from window import CHECKED, FOCUSED, SENSITIVE, TEXTS, WEAKER, NetworkManager, Window

ODD = "a<b>x</b> & <y \u202egnp.\u2028\nZ"  # markup, a turn to the left, two kinds of line ends
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


@pytest.fixture
def helper(desk):
    return LyingHelper(desk)


@pytest.fixture(params=[True, False], ids=["tells-first", "answers-first"])
def acting(desk, request):
    return ActingHelper(desk, request.param)


def start(desk):
    window = Window(desk)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    return window


def tunnel(name, interface, trusted):
    return {"id": V("s", name), "interface": V("s", interface), "trusted": V("b", trusted),
            "up": V("b", False), "present": V("b", True), "kind": V("u", 99),
            "endpoints": V("as", [ODD])}


def refused(port, **more):
    return {"address": V("s", "203.0.113.9"), "protocol": V("s", "udp"), "port": V("q", port),
            "program": V("s", ODD), "uid": V("u", 0), "count": V("t", 1), "last": V("x", 0), **more}


def test_odd_names_are_shown_as_they_are(desk, helper):
    """Also twice the same: a link may have the name of a trusted tunnel."""
    helper.lists["ListTunnels"] = V("(aa{sv})", ([
        tunnel("wg1", "wg7", True), tunnel(ODD, "wg2", True), tunnel("wg1", "wg1", False), {}, {}],))
    helper.lists["ListBlocked"] = V("(aa{sv})", ([
        refused(443, count=V("t", 2 ** 64 - 1), last=V("x", -2 ** 63)), {}, {"address": V("u", 5)},
        refused(0, protocol=V("s", "<47>&"))],))
    helper.lists["GetLog"] = V("(as)", ([ODD, '{"event":5,"time":[]}', "{}", "["] * 250,))
    helper.lists["GetStatus"] = V("(a{sv})", ({
        "weakened": V("as", [ODD, "owner"]), "managed_problem": V("s", ODD)},))
    helper.values["BlockedCount"] = V("t", 2 ** 64 - 1)
    window = start(desk)
    window.waits_for("^a<b>x</b> & <y ", "Status")
    window.waits_for("^203.0.113.9 <47>&", "Status")
    window.open(WEAKER, "Status")
    window.waits_for("^The kernel lacks “a<b>x</b> & <y ", "Status")
    window.waits_for("everything is locked. a<b>x</b> & <y ", "Status")
    desk.xdotool("key", "alt+2")
    wait_for(lambda: window.texts("Tunnels").count("wg1") >= 2)
    assert not window.says("^Up ", "Tunnels")
    helper.lists["ListTunnels"] = V("(aa{sv})", ([
        {**tunnel("wg1", "wg7", True), "up": V("b", True)}],))
    helper.say(Revision=V("t", 2))
    window.waits_for("^Up ", "Tunnels")
    desk.xdotool("key", "alt+3")
    window.waits_for("^a<b>x</b> & <y ", "Log")
    window.end()


def to_front(desk):
    """As a window manager does; there is none, and GTK 4.18 leaves it to that."""
    desk.xdotool("search", "--onlyvisible", "--name", "Bulkhead", "windowfocus")


def test_a_reason_in_odd_words_is_told(desk, helper):
    window = start(desk)
    helper.error = ("org.bulkhead.Helper1.Error.Failed", "no <b> & <log>")
    desk.xdotool("key", "alt+3")
    window.waits_for("^The helper refused: no <b> & <log>$", "Log")
    desk.xdotool("key", "alt+1")  # what is not shown is not told, from GTK 4.18 on
    window.act("preferences")
    window.waits_for("^The helper refused: no <b> & <log>$", "Preferences")
    helper.say(Revision=V("t", 2))
    let_pass(0.2)
    helper.error = None
    helper.lists["GetStatus"] = V("(a{sv})", ({"weakened": V("as", ["owner"])},))
    assert not window.says("lacks 1 feature", "Status")
    helper.say(BlockedCount=V("t", 1))
    window.waits_for("lacks 1 feature", "Status")  # what failed is asked again
    wait_for(lambda: not window.says("^The helper refused", "Preferences"))
    helper.asked.clear()
    for count in range(2, 6):
        helper.say(BlockedCount=V("t", count))
        window.waits_for(f"^{count} packets were refused so far", "Status")
    assert helper.asked <= {"ListBlocked", "ListTunnels"}, "asked for what cannot have changed"
    desk.xdotool("key", "Escape")
    wait_for(lambda: not window.says("Lengths of a Pause", "Preferences"))
    to_front(desk)
    desk.xdotool("key", "alt+3")
    window.waits_for("Nothing Happened Yet", "Log")
    helper.lists["GetLog"] = V("(as)", (['{"event":"restored"}'],))
    helper.bus.emit_signal(None, "/org/bulkhead/Helper1", "org.bulkhead.Helper1", "Tampered",
                           V("(sb)", ("nft", True)))
    window.waits_for("^The rules were restored$", "Log", 5)  # before it is read anyway
    said = window.end()
    assert "markup" not in said, said


def test_very_many_exceptions_do_not_fill_the_window(desk, helper):
    helper.lists["ListGrants"] = V("(a(usx))", ([(GRANTED, "before", 1700000000)],))
    helper.lists["ListExceptions"] = V("(as)", ([f"10.{n >> 8}.{n & 255}.7" for n in range(20000)],))
    window = start(desk)
    window.act("preferences")
    window.waits_for("The first 100 of 20000 are shown", "Preferences")
    assert window.says(r"^10\.0\.99\.7$", "Preferences")
    assert not window.says(r"^10\.0\.100\.7$", "Preferences")
    assert window.says("^before$", "Preferences")  # who had the number of who looks on
    assert window.says("An administrator’s password is asked for once", "Preferences")
    assert window.find("Authorise Me", "Preferences")
    window.end()


@pytest.mark.parametrize("keys", ["Escape", "ctrl+w"])
def test_preferences_that_are_closed_ask_nothing(desk, helper, keys):
    """However often they were open; libadwaita 1.2 kept the rows of its own such window."""
    helper.lists["ListExceptions"] = V("(as)", (["192.0.2.7"],))
    window = start(desk)

    def change():
        helper.calls.clear()
        helper.say(Revision=V("t", helper.values["Revision"].unpack() + 1))
        wait_for(lambda: "GetStatus" in helper.calls)  # the page behind asks as ever
        let_pass(0.3)
        return [helper.calls.count(each) for each in ("ListExceptions", "ListGrants")]

    for _ in range(5):
        window.act("preferences")
        window.waits_for("^192.0.2.7$", "Preferences")
        assert change() == [1, 1]
        desk.xdotool("search", "--onlyvisible", "--name", "Preferences", "windowfocus")
        desk.xdotool("key", keys)
        wait_for(lambda: window.page("Preferences") is None)
    assert change() == [0, 0]
    window.end()


def test_a_search_tells_how_far_it_went(desk, helper):
    helper.lists["GetLog"] = V("(as)", (['{"event":"locked"}'] * 1000,))
    window = start(desk)
    desk.xdotool("key", "alt+3")
    window.waits_for("^Locked$", "Log")
    desk.xdotool("key", "ctrl+f")
    desk.xdotool("type", "leak")
    window.waits_for("^The newest 1000 events were searched", "Log")
    desk.xdotool("key", "Escape")
    wait_for(lambda: window.shows("^Locked$", "Log"))
    helper.lists["GetLog"] = V("(as)", (['{"event":"locked"}'] * 5,))
    helper.say(Revision=V("t", 2))
    desk.xdotool("type", "leak")
    wait_for(lambda: not window.says("^The newest", "Log") and window.says("Nothing Found", "Log"))
    window.end()


def test_what_becomes_fixed_while_the_lists_stay(desk, helper):
    helper.lists["ListExceptions"] = V("(as)", (["192.0.2.7"],))
    helper.lists["ListBlocked"] = V("(aa{sv})", ([refused(443)],))
    helper.lists["ListTunnels"] = V("(aa{sv})", ([
        {**tunnel("wg0", "wg0", True), "handshake": V("x", int(time.time()) - 20)}],))
    helper.values["BlockedCount"] = V("t", 1)
    window = start(desk)
    handshake = window.waits_for("last handshake [0-9]+ seconds ago", "Status")
    window.act("preferences")

    def usable():
        return [window.control("Allow 203.0.113.9 udp 443", "Status").has(SENSITIVE),
                window.control("Remove the exception 192.0.2.7", "Preferences").has(SENSITIVE),
                window.row("Add, such as", "Preferences").has(SENSITIVE)]

    note = "^Fixed by the administrator$"
    wait_for(lambda: usable() == [True] * 3)
    assert not window.says(note, "Preferences")
    helper.say(Fixed=V("as", ["exceptions"]))
    wait_for(lambda: usable() == [False] * 3)
    assert window.says(note, "Preferences")
    helper.say(Fixed=V("as", []))
    wait_for(lambda: usable() == [True] * 3)
    assert not window.says(note, "Preferences")
    wait_for(lambda: window.says("last handshake [0-9]+ seconds ago", "Status") != handshake)
    window.press("^Close$", "Preferences")
    boot = window.control("Lock When the Computer Starts", "Status")
    boot.press()
    helper.say(BlockedCount=V("t", 2))  # while the switch still moves
    assert wait_for(lambda: helper.waiting)[0].get_method_name() == "SetAtBoot"
    window.end()


def open_exceptions(desk, helper):
    """The window, where an exception is typed, and its row, to see whether it can be used."""
    window = start(desk)
    window.act("preferences")
    row = window.row("Add, such as", "Preferences")
    wait_for(lambda: row.has(SENSITIVE))
    entry = window.control("Add, such as", "Preferences", TEXTS)
    window.click("Add, such as", "Preferences", TEXTS)
    return window, entry, row


def test_an_exception_is_as_the_helper_writes_it(desk, helper):
    window, entry, _ = open_exceptions(desk, helper)
    entry.type(" \t ")
    desk.xdotool("key", "Return")
    let_pass(0.3)
    assert not window.says("^Add This Exception")
    entry.type("  192.0.2.7\t tcp   22 ")
    desk.xdotool("key", "Return")
    window.waits_for("“192.0.2.7 tcp 22”")
    window.answer("Add Exception")
    invocation = wait_for(lambda: helper.waiting and helper.waiting.pop())
    assert invocation.get_parameters().unpack() == (["192.0.2.7 tcp 22"],)
    window.end()


def test_what_becomes_fixed_while_it_waits_stays_so(desk, helper):
    window, entry, row = open_exceptions(desk, helper)
    entry.type("192.0.2.7")
    desk.xdotool("key", "Return")
    window.answer("Add Exception")
    invocation = wait_for(lambda: helper.waiting and helper.waiting.pop())
    assert not row.has(SENSITIVE)
    helper.say(Fixed=V("as", ["exceptions"]))
    window.waits_for("^Fixed by the administrator$", "Preferences")
    invocation.return_dbus_error("org.bulkhead.Helper1.Error.Fixed", "exceptions")
    window.waits_for("^The Exception Was Not Added$")
    assert not row.has(SENSITIVE)
    window.answer("Close")
    helper.say(Fixed=V("as", []))
    wait_for(lambda: row.has(SENSITIVE))
    window.end()


def found(name, trusted):
    return {**tunnel(name, name, trusted), "endpoints": V("as", [])}


def test_set_up_tells_and_does_the_same(desk, helper):
    """Whatever comes and goes meanwhile, and whenever it is left."""
    def tell(*tunnels):
        helper.lists["ListTunnels"] = V("(aa{sv})", ([found(*each) for each in tunnels],))
        helper.say(Revision=V("t", helper.values["Revision"].unpack() + 1))

    def answer(method):
        invocation = wait_for(lambda: helper.waiting and helper.waiting.pop())
        assert invocation.get_method_name() == method
        invocation.return_value(None)

    def menu_is_open():
        if window.find("^(Set Up…)?$", roles=("menu item",)):  # GTK 4.18 names none of them
            return True
        desk.xdotool("key", "F10")
        return let_pass(0.2)

    helper.values.update(State=V("u", 1), Locked=V("b", False))
    tell(("wg0", False), ("wg1", False), ("wg2", False))
    window = Window(desk)
    for name in ("wg0", "wg1", "wg2"):
        window.click(name, "Set Up")
    desk.xdotool("key", "alt+3", "ctrl+f", "Tab")  # to nothing that is behind it
    wait_for(lambda: any(node.has(FOCUSED) for node in window.nodes("Set Up")))
    window.press("Next", "Set Up")
    window.press("Not Now", "Set Up")
    window.waits_for("^3 tunnels will be trusted", "Set Up")
    tell(("wg0", False), ("wg1", False))
    window.waits_for("^2 tunnels will be trusted", "Set Up")
    window.press("^Lock( Lock)?$", "Set Up")
    wait_for(lambda: helper.waiting)
    window.press("Skip", "Set Up")
    wait_for(lambda: window.headline() == "Lock is off")
    to_front(desk)
    wait_for(menu_is_open)
    desk.xdotool("key", "Return")  # set up anew, while the answer is still to come
    wait_for(lambda: not window.control("^wg1", "Set Up").has(CHECKED))
    answer("TrustTunnel")
    tell(("wg0", True), ("wg1", False))
    wg0 = window.control("^wg0", "Set Up")
    wait_for(lambda: wg0.has(CHECKED) and not wg0.has(SENSITIVE))
    assert window.says("^Trusted already", "Set Up")
    assert helper.waiting == [], "something followed what was skipped"
    window.click("^wg1", "Set Up")
    window.press("Next", "Set Up")
    window.press("Not Now", "Set Up")
    window.waits_for("^2 tunnels will be trusted", "Set Up")
    window.press("^Lock( Lock)?$", "Set Up")
    answer("TrustTunnel")
    answer("Lock")
    wait_for(lambda: window.headline() == "Lock is off")
    window.end()


def test_no_name_is_markup(desk, helper):
    """Wherever names are shown; GTK would complain of these, and show nothing."""
    name = "<i>"
    helper.lists["ListTunnels"] = V("(aa{sv})", ([found(name, False)],))
    helper.lists["ListExceptions"] = V("(as)", ([name],))
    helper.lists["ListGrants"] = V("(a(usx))", ([(0, name, 1700000000)],))
    helper.lists["GetStatus"] = V("(a{sv})", ({"weakened": V("as", [name])},))
    helper.values.update(State=V("u", 1), Locked=V("b", False))
    window = Window(desk)
    window.waits_for(f"^{name}$", "Set Up")
    window.press("Skip", "Set Up")
    window.waits_for("lacks 1 feature", "Status")
    window.act("preferences")
    window.control(f"^Remove the exception {name}$", "Preferences")
    window.control(f"^Revoke the authorisation of {name}$", "Preferences")
    said = window.end()
    assert "markup" not in said, said


def start_quiet(desk):
    """Nothing is asked any more: each press of a button counts."""
    folder = os.path.join(desk.environment["XDG_CONFIG_HOME"], "glib-2.0/settings")
    os.makedirs(folder)
    with open(os.path.join(folder, "keyfile"), "w", encoding="utf-8") as file:
        file.write("[org/bulkhead/bulkhead]\nquiet-questions=['unlock', 'pause']\n")
    return Window(desk, GSETTINGS_BACKEND="keyfile")


def has_focus(window, pattern, page):
    try:
        return any(re.search(pattern, node.name()) and node.has(FOCUSED)
                   for node in window.nodes(page))
    except GLib.Error:
        return False


def reach(window, pattern, page):
    """With the keyboard."""
    def is_reached():
        if has_focus(window, pattern, page):
            return True
        window.desktop.xdotool("key", "Tab")
        return let_pass(0.2)
    wait_for(is_reached)


def hold_return(window, ends):
    """So long that the window has long been another one when the key comes up."""
    keys = ("key", "--repeat", "10", "--delay", "40", "Return")
    window.desktop.xdotool(*keys)
    wait_for(ends)
    window.desktop.xdotool(*keys)
    let_pass(0.2)


def test_return_held_down_closes_and_never_opens(desk, acting):
    acting.enter(4)
    window = start_quiet(desk)
    wait_for(lambda: (window.headline() or "").startswith("Paused"))
    for state, button, does in ((4, "^Resume", "Resume"), (1, "^Lock( Lock)?$", "Lock"),
                                (5, "^Lock Again", "Lock")):
        acting.enter(state)
        reach(window, button, "Status")
        acting.done.clear()
        hold_return(window, lambda: window.headline() == "Blocking: no tunnel is up")
        assert acting.values["State"].unpack() == 3 and set(acting.done) == {does}
        wait_for(lambda: has_focus(window, "^Blocking: no tunnel is up$", "Status"))
        desk.xdotool("key", "Tab")
        wait_for(lambda: has_focus(window, "^Unlock…", "Status"))
    desk.xdotool("key", "Return")
    wait_for(lambda: has_focus(window, "^Lock( Lock)?$", "Status"))
    assert acting.done[-1] == "Unlock"
    window.end()


def test_the_lock_of_the_set_up_held_down_opens_nothing(desk, acting):
    acting.enter(1)
    window = start_quiet(desk)
    window.press("Next", "Set Up")
    window.press("Not Now", "Set Up")
    reach(window, "^Lock( Lock)?$", "Set Up")
    hold_return(window, lambda: window.headline() == "Blocking: no tunnel is up")
    assert set(acting.done) == {"Lock"}
    wait_for(lambda: has_focus(window, "^Blocking: no tunnel is up$", "Status"))
    desk.xdotool("key", "Tab")
    wait_for(lambda: has_focus(window, "^Unlock…", "Status"))
    window.end()


def test_a_press_that_outlasts_the_pause_opens_nothing(desk, acting):
    acting.enter(4)
    window = start_quiet(desk)
    resume = window.control("^Resume", "Status")
    desk.xdotool("mousemove", *map(str, wait_for(resume.middle)), "mousedown", "1")
    let_pass(0.2)
    acting.enter(3)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    wait_for(lambda: window.shows("^Unlock…", "Status"))
    let_pass(0.2)
    desk.xdotool("mouseup", "1")
    desk.xdotool("key", "alt+2")
    wait_for(lambda: has_focus(window, "", "Tunnels"))  # which came after the mouse
    assert acting.done == []
    window.end()


def test_a_failure_is_told_when_its_row_has_gone(desk, helper):
    """What is refused next makes the list of it anew."""
    helper.lists["ListBlocked"] = V("(aa{sv})", ([refused(443)],))
    helper.values["BlockedCount"] = V("t", 1)
    window = start(desk)
    window.press("Allow 203.0.113.9 udp 443", "Status")
    window.answer("Add Exception")
    invocation = wait_for(lambda: helper.waiting and helper.waiting.pop())
    helper.lists["ListBlocked"] = V("(aa{sv})", ([refused(80)],))
    helper.say(BlockedCount=V("t", 2))
    window.waits_for("203.0.113.9 udp 80 ", "Status")
    invocation.return_dbus_error("org.bulkhead.Helper1.Error.Fixed", "exceptions")
    window.waits_for("^The Exception Was Not Added$")
    window.answer("Close")
    window.end()


def test_lock_is_asked_for_behind_a_dialog_that_closes(desk, helper):
    """What the main button does can be done again, whichever dialog was in front."""
    window = start(desk)
    window.act("preferences")
    window.waits_for("Lengths of a Pause", "Preferences")
    window.act("lock")
    invocation = wait_for(lambda: helper.waiting and helper.waiting.pop())
    window.press("^Close$", "Preferences")
    wait_for(lambda: window.page("Preferences") is None)
    invocation.return_value(None)
    let_pass(0.3)
    window.act("lock")
    wait_for(lambda: helper.waiting)
    window.end()


def test_one_question_over_a_window(desk, helper):
    """One answer is never to two of them."""
    window = start(desk)
    window.act("unlock")
    window.waits_for("^Unlock the Network")
    window.act("pause-for", V("u", 5))
    window.press("Allow the Local Network", "Status")
    let_pass(0.3)
    assert len(window.windows()) == 2 and not window.says("^Pause the Lock")
    window.answer("Unlock")
    assert wait_for(lambda: helper.waiting)[0].get_method_name() == "Unlock"
    let_pass(0.3)
    assert len(helper.waiting) == 1 and len(window.windows()) == 1
    window.end()


def test_what_waits_is_not_asked_for_again(desk, helper):
    """Also when something else has been answered meanwhile."""
    window = start(desk)
    unlock = window.control("^Unlock…", "Status")
    window.act("unlock")
    window.waits_for("^Unlock the Network")
    window.act("lock")
    wait_for(lambda: len(helper.waiting) == 1)
    window.answer("Unlock")
    wait_for(lambda: len(helper.waiting) == 2)
    lock, waiting = helper.waiting
    lock.return_value(None)
    let_pass(0.3)
    assert not unlock.has(SENSITIVE)
    waiting.return_value(None)
    wait_for(lambda: unlock.has(SENSITIVE))
    window.end()


def test_failures_do_not_pile_up(desk, helper):
    window = start(desk)
    for reason in ("one", "two", "three"):
        helper.error = ("org.bulkhead.Helper1.Error.Failed", reason)
        window.act("lock")
        window.waits_for(f"^The helper refused: {reason}$")
        assert len(window.windows()) == 2
    window.answer("Close")
    wait_for(lambda: len(window.windows()) == 1)
    window.act("lock")
    window.waits_for("^The helper refused: three$")
    window.end()


def test_a_pause_of_somebody_else_is_none_to_sign_in(desk, helper):
    """Also after one here that was declined, or that has ended."""
    network = NetworkManager(desk.place.bus.address)
    window = start(desk)
    network.say(Connectivity=V("u", 2))

    def enter(state, seconds=0):
        helper.say(State=V("u", state), PausedUntil=V("x", int(time.time()) + seconds))

    def pause_elsewhere():
        enter(4, 3600)
        window.waits_for("^Paused until", "Status")
        let_pass(0.2)
        assert not window.says("^Sign in now")
        enter(3)
        window.waits_for("^This network wants you to sign in first", "Status")

    window.press("Pause for 5 Minutes")
    window.answer("Cancel")
    wait_for(lambda: len(window.windows()) == 1)
    pause_elsewhere()
    window.press("Pause for 5 Minutes")
    window.answer("Pause")
    invocation = wait_for(lambda: helper.waiting and helper.waiting.pop())
    assert invocation.get_parameters().unpack() == (300,)
    assert not window.control("^Unlock…", "Status").has(SENSITIVE)
    invocation.return_value(None)
    enter(4, 300)
    window.waits_for("^Sign in now: the lock closes by itself in [45]:")
    enter(3)
    window.waits_for("^This network wants you to sign in first", "Status")
    pause_elsewhere()
    window.end()


def test_broken_tells_whether_traffic_may_leak(desk, helper):
    window = start(desk)
    helper.say(State=V("u", 5))
    wait_for(lambda: window.headline() == "Not protected")
    window.waits_for("traffic may leak", "Status")
    helper.say(Closed=V("b", True))
    wait_for(lambda: window.headline() == "Everything is blocked")
    assert not window.says("may leak", "Status")
    assert window.says("^Lock again. The log tells", "Status")
    helper.say(Closed=V("b", False), Locked=V("b", False))
    wait_for(lambda: window.headline() == "Not protected")
    window.waits_for("^Unlock to remove them, or lock.$", "Status")
    window.end()


def test_a_helper_that_hangs_is_noticed(desk, window):
    """Without anything done: no state stays on the screen that nobody stands for."""
    desk.helper.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: window.headline() == "Not known")
    finally:
        desk.helper.send_signal(signal.SIGCONT)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    window.end()
