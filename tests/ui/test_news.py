# SPDX-License-Identifier: GPL-3.0-or-later
"""What tray and window tell by themselves: what the user did not do, once, and withdrawn when it is
over. It takes its time to be told."""
import signal
import time

from gi.repository import GLib
import pytest

from desktop import SECONDS, Notices, let_pass, owner_of, wait_for
from place import BLOCKING, Bus, run, tunnel
from test_window_hostile import LyingHelper
from tray import (BUS_NAME, LOCK, QUIT, RESUME, UNLOCK, FakeWatcher, FakeWindow, Tray,
                  tunnel_up)
from window import NetworkManager, Window


@pytest.fixture
def tray(desktop):
    desktop.place.start("--no-owner")
    desktop.place.call("AddTunnel", tunnel(interface="s 'tun0'"))
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    yield tray
    tray.end()


def test_no_tunnel_and_one_again(tray, desktop):
    """In words that are true also of a tunnel that is up and trusted no longer."""
    place, notices = desktop.place, desktop.notices
    with tunnel_up(place):
        place.call("Lock")
        wait_for(lambda: tray.icon() == "protected")
        let_pass(0.2)
        assert notices.all == []
        run("ip", "-n", place.namespace, "link", "set", "tun0", "down")
        wait_for(lambda: notices.summaries() == ["No trusted tunnel is up"])
        dropped = dict(notices.shown)
        run("ip", "-n", place.namespace, "link", "set", "tun0", "up")
        wait_for(lambda: notices.summaries() == ["A trusted tunnel is up again"])
        assert notices.shown.keys() == dropped.keys(), "one message in the other's place"
        assert next(iter(dropped.values()))["timeout"] == 0, "stays until it is over"
        place.call("ForgetTunnel", "('home',)")
        wait_for(lambda: notices.summaries() == ["No trusted tunnel is up"])
        place.call("Unlock")
        wait_for(lambda: notices.shown == {})
    assert notices.all == ["No trusted tunnel is up", "A trusted tunnel is up again",
                           "No trusted tunnel is up"]


def test_rules_removed_and_restored(tray, desktop):
    desktop.place.call("Lock")
    wait_for(lambda: tray.icon() == "blocking")
    run("ip", "netns", "exec", desktop.place.namespace, "nft", "flush", "ruleset")
    wait_for(lambda: desktop.notices.summaries() == ["Rules were removed and restored"])
    notice = next(iter(desktop.notices.shown.values()))
    assert notice["body"].startswith("nft changed the lock’s rules.")
    assert notice["icon"] == "org.bulkhead.bulkhead-problem-symbolic"
    assert desktop.place.property("State") == BLOCKING


def test_pause_about_to_end_and_ended(tray, desktop):
    place, notices = desktop.place, desktop.notices
    place.call("Lock")
    place.call("Pause", "(uint32 62,)")
    wait_for(lambda: tray.icon() == "paused")
    wait_for(lambda: notices.summaries() == ["Pause is about to end"])
    tray.click(RESUME)
    wait_for(lambda: notices.shown == {})
    place.call("Pause", "(uint32 1,)")
    wait_for(lambda: notices.summaries() == ["Pause ended"])
    assert notices.all == ["Pause is about to end", "Pause ended"]
    assert next(iter(notices.shown.values()))["body"].endswith("and no trusted tunnel is up.")


def test_a_pause_is_not_shown_beyond_its_end(tray, desktop):
    """A helper that hangs does not tell that the kernel has closed."""
    desktop.place.call("Lock")
    desktop.place.call("Pause", "(uint32 2,)")
    wait_for(lambda: tray.icon() == "paused")
    desktop.place.helpers[-1].send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: tray.icon() == "problem")
        assert tray.item("ToolTip")[2] == "Not known"
    finally:
        desktop.place.helpers[-1].send_signal(signal.SIGCONT)
    wait_for(lambda: tray.icon() == "blocking")


def test_not_enforced_is_urgent_until_it_is(desktop, helper):
    notices = desktop.notices
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    helper.say(State=GLib.Variant("u", 5), Locked=GLib.Variant("b", True))
    wait_for(lambda: notices.summaries() == ["Not protected"])
    wait_for(lambda: tray.icon() == "problem")
    assert next(iter(notices.shown.values()))["hints"]["urgency"] == 2
    assert {LOCK, UNLOCK} < set(tray.shown()), "both ways are there when it is broken"
    helper.say(Closed=GLib.Variant("b", True))
    wait_for(lambda: notices.summaries() == ["Everything is blocked"])
    assert "leak" not in next(iter(notices.shown.values()))["body"]
    wait_for(lambda: tray.item("ToolTip")[2] == "Everything is blocked")
    assert tray.icon() == "problem"
    helper.say(Closed=GLib.Variant("b", False))
    wait_for(lambda: notices.summaries() == ["Not protected"])
    helper.say(State=GLib.Variant("u", 3))
    wait_for(lambda: notices.shown == {})
    tray.end()


def test_what_could_not_be_put_back_is_told_until_it_is(desktop, helper):
    """And what was put back until somebody has read it."""
    notices = desktop.notices
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    helper.say(State=GLib.Variant("u", 2), Locked=GLib.Variant("b", True))
    helper.emit("Tampered", "(sb)", "nft", False)
    helper.say(State=GLib.Variant("u", 5))
    wait_for(lambda: set(notices.summaries()) == {"Rules were removed", "Not protected"})
    helper.say(State=GLib.Variant("u", 2))
    wait_for(lambda: notices.shown == {})
    helper.emit("Tampered", "(sb)", "nft", True)
    helper.say(State=GLib.Variant("u", 1), Locked=GLib.Variant("b", False))
    wait_for(lambda: tray.icon() == "off")
    wait_for(lambda: notices.summaries() == ["Rules were removed and restored"])
    tray.end()


def test_another_server_has_its_own_messages(desktop, helper):
    """A new one counts from the start: its first is not ours. And none of ours stays behind."""
    window = FakeWindow(desktop)
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    helper.say(State=GLib.Variant("u", 2), Locked=GLib.Variant("b", True))
    helper.say(State=GLib.Variant("u", 3))
    wait_for(lambda: list(desktop.notices.shown) == [1])
    desktop.notices.bus.close_sync(None)
    notices = Notices(desktop.environment["DBUS_SESSION_BUS_ADDRESS"])
    notices.show(owner_of(desktop.bus, BUS_NAME), "mail", 0, "", "You have mail", "", [], {}, 0)
    notices.click(1)
    helper.say(State=GLib.Variant("u", 2))
    wait_for(lambda: list(notices.shown) == [1, 2])
    notices.click(2)
    wait_for(lambda: window.calls)
    assert len(window.calls) == 1, "a click on another's message opens nothing"
    tray.click(QUIT)
    assert tray.program.wait(SECONDS) == 0
    wait_for(lambda: notices.closed)
    assert notices.closed == [2] and notices.summaries() == ["You have mail"]


def names_of(bus, pid):
    """The unique names that a process has on the bus."""
    def ask(method, *name):
        return bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus",
                             "org.freedesktop.DBus", method,
                             GLib.Variant("(" + "s" * len(name) + ")", name), None, 0,
                             SECONDS * 1000, None).unpack()[0]
    return [name for name in ask("ListNames")
            if name.startswith(":") and ask("GetConnectionUnixProcessID", name) == pid]


def test_only_the_helper_is_believed(desktop, helper):
    """Anybody on the bus may address a signal to the tray."""
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    bus = desktop.place.bus.connection
    protected = {"State": GLib.Variant("u", 2), "Locked": GLib.Variant("b", True)}
    name, = names_of(bus, tray.program.pid)
    bus.emit_signal(name, "/org/bulkhead/Helper1", "org.freedesktop.DBus.Properties",
                    "PropertiesChanged",
                    GLib.Variant("(sa{sv}as)", ("org.bulkhead.Helper1", protected, [])))
    let_pass(0.5)
    assert tray.icon() == "off"
    helper.say(State=GLib.Variant("u", 77))
    wait_for(lambda: tray.icon() == "problem")
    assert "does not know" in tray.item("ToolTip")[3]
    tray.end()


def test_helper_killed_hung_and_back(desktop):
    """Never protected and never off while nobody knows; and it recovers by itself."""
    place = desktop.place
    helper = place.start()
    place.call("Lock")
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "blocking")
    place.end(helper, signal.SIGKILL)
    wait_for(lambda: tray.icon() == "problem")
    assert tray.item("ToolTip")[2] == "Not known"
    assert "is not running" in tray.item("ToolTip")[3]
    tray.click(LOCK)
    wait_for(lambda: desktop.notices.summaries() == ["That was not done"])
    helper = place.start()
    wait_for(lambda: tray.icon() == "blocking")

    helper.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    tray.menu("AboutToShow", "(i)", 0)
    wait_for(lambda: tray.icon() == "problem")
    assert time.monotonic() - began < 8
    assert "does not answer" in tray.item("ToolTip")[3]
    helper.send_signal(signal.SIGCONT)
    wait_for(lambda: tray.icon() == "blocking")
    wait_for(lambda: "The lock’s state is not known" not in desktop.notices.summaries())

    place.bus.stop()
    wait_for(lambda: "no system bus" in tray.item("ToolTip")[3])
    assert tray.icon() == "problem"
    place.bus = Bus(place.directory)
    wait_for(lambda: helper.poll() is not None)  # a helper does not outlive its bus
    place.start()
    wait_for(lambda: tray.icon() == "blocking")
    tray.end()


def test_no_panel_and_a_lost_helper(desktop):
    """Never invisible without saying so, and not in doubt for long: told after ten seconds."""
    helper = desktop.place.start()
    window = FakeWindow(desktop)
    watcher = FakeWatcher(desktop, has_host=False)
    notices = desktop.notices
    desktop.place.bus.daemon.send_signal(signal.SIGSTOP)
    tray = Tray(desktop)  # there is an icon, also when the bus hangs from the start
    assert tray.icon() == "problem" and "no system bus" in tray.item("ToolTip")[3]
    desktop.place.bus.daemon.send_signal(signal.SIGCONT)
    wait_for(lambda: tray.icon() == "off")
    assert notices.all == []
    desktop.place.end(helper, signal.SIGKILL)
    wait_for(lambda: len(notices.shown) == 2)
    number, hidden = next(pair for pair in notices.shown.items()
                          if pair[1]["summary"] == "Bulkhead has no tray icon")
    assert hidden["timeout"] == 0 and hidden["actions"] == ["default", "Open"]
    notices.click(number)
    wait_for(lambda: window.calls)
    assert "The lock’s state is not known" in notices.summaries()
    assert "Lock is off" not in str(notices.shown), "what stays tells no state"
    desktop.place.start()
    wait_for(lambda: list(notices.shown) == [number])
    watcher.take_host()
    wait_for(lambda: notices.shown == {})
    assert len(watcher.registered) == 1
    tray.end()


def test_panel_goes_later(desktop):
    """Told each time that it is gone for long, and not because it restarts."""
    desktop.place.start()
    watcher = FakeWatcher(desktop)
    tray = Tray(desktop)
    wait_for(lambda: watcher.registered)
    let_pass(0.3)
    for _ in range(2):
        watcher.lose_host()
        let_pass(0.3)
        watcher.take_host()
    let_pass(11)
    assert desktop.notices.all == []
    watcher.lose_host()
    wait_for(lambda: desktop.notices.summaries() == ["Bulkhead has no tray icon"])
    watcher.take_host()
    wait_for(lambda: desktop.notices.shown == {})
    watcher.bus.close_sync(None)  # the watcher with it
    wait_for(lambda: desktop.notices.summaries() == ["Bulkhead has no tray icon"])
    tray.end()


def test_a_watcher_that_refuses_for_long(desktop):
    """It says nothing when it is ready, and is asked now and then all the same."""
    desktop.place.start()
    watcher = FakeWatcher(desktop, refusals=5)
    tray = Tray(desktop)
    wait_for(lambda: watcher.registered, 3 * SECONDS)
    wait_for(lambda: desktop.notices.shown == {})
    assert desktop.notices.all == ["Bulkhead has no tray icon"]
    tray.end()


def test_a_hung_helper_is_told_once(desktop):
    """Neither again every few seconds to who closed it, nor beside what was so before."""
    place, notices = desktop.place, desktop.notices
    helper = place.start()
    place.call("AddTunnel", tunnel(interface="s 'tun0'"))
    FakeWatcher(desktop)
    with tunnel_up(place):
        place.call("Lock")
        tray = Tray(desktop)
        wait_for(lambda: tray.icon() == "protected")
        run("ip", "-n", place.namespace, "link", "set", "tun0", "down")
        wait_for(lambda: notices.summaries() == ["No trusted tunnel is up"])
        helper.send_signal(signal.SIGSTOP)
        tray.menu("AboutToShow", "(i)", 0)
        wait_for(lambda: notices.summaries() == ["The lock’s state is not known"])
        notices.dismiss(*notices.shown)
        let_pass(25)
        assert notices.all == ["No trusted tunnel is up", "The lock’s state is not known"]
        helper.send_signal(signal.SIGCONT)
        wait_for(lambda: tray.icon() == "blocking")
    tray.end()


def test_sign_in_is_offered_where_no_tunnel_comes_up(desk):
    """Also to who opens the window only because nothing works. Meanwhile the log stays as it is."""
    NetworkManager(desk.place.bus.address)
    helper = LyingHelper(desk)
    window = Window(desk)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    opened = time.monotonic()
    desk.xdotool("key", "alt+3")
    window.waits_for("Nothing Happened Yet", "Log")
    helper.lists["GetLog"] = GLib.Variant("(as)", (['{"event":"refused"}'],))
    window.waits_for("^Somebody without the right", "Log")  # which nothing else tells
    desk.xdotool("key", "alt+1")
    assert not window.find("Pause for 5 Minutes")
    wait_for(lambda: window.find("Pause for 5 Minutes"), 35)
    assert time.monotonic() - opened > 25
    window.waits_for("^No tunnel came up on this network", "Status")
    helper.say(State=GLib.Variant("u", 2))
    wait_for(lambda: not window.find("Pause for 5 Minutes"))
    helper.say(State=GLib.Variant("u", 3))
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    let_pass(0.3)
    assert not window.find("Pause for 5 Minutes"), "a tunnel did come up on it"
    window.end()
