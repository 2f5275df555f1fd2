# SPDX-License-Identifier: GPL-3.0-or-later
"""The window against a helper that tells names and numbers as odd as anybody can make them."""
import signal
import time

import pytest

from desktop import let_pass, wait_for
from lying import LyingHelper, V, start
from place import GRANTED
from window import CHECKED, FOCUSED, SENSITIVE, WEAKER, NetworkManager, Window

ODD = "a<b>x</b> & <y \u202egnp.\u2028\nZ"  # markup, a turn to the left, two kinds of line ends


@pytest.fixture
def helper(desk):
    return LyingHelper(desk)


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
