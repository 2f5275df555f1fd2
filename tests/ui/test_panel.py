# SPDX-License-Identifier: GPL-3.0-or-later
"""The tray in a real panel of Xfce: what it shows, what its own menu does, and every order of
starting. Screenshots are in build/test-logs/shots, to be looked at."""
import itertools
import signal
import subprocess

import pytest

from desktop import let_pass, owner_of, wait_for
from place import tunnel
from tray import (BUS_NAME, ITEM, ITEM_PATH, MENU, STATE, WATCHER, FakeWatcher, FakeWindow, Tray,
                  registered, tunnel_up)

ICON = "32x32+0+0"  # the first place of the panel's tray
MIDDLE = ("16", "16")


@pytest.fixture
def panel(desktop):
    return desktop.start_panel()


def picture(desktop, name):
    """The icon's bytes in greyscale."""
    path = desktop.screenshot(f"icon-{name}", ICON)
    return subprocess.run(["convert", path, "-colorspace", "Gray", "-depth", "8", "gray:-"],
                          check=True, capture_output=True, timeout=20).stdout


def calls_to_menu(desktop):
    """Watches the bus from now on: the members called on the menu, by whomever."""
    watch = desktop.spawn("dbus-monitor", "--session", f"interface='{MENU}',type='method_call'")

    def members():
        with open(watch.log, encoding="utf-8") as file:
            return [line.rsplit("member=", 1)[1].strip() for line in file if "member=" in line]

    let_pass(0.3)
    return members


def test_every_state_has_its_own_icon(desktop, panel):
    place = desktop.place
    pictures = {}
    tray = Tray(desktop)

    def look(state):
        wait_for(lambda: tray.icon() == state)
        let_pass(0.4)  # the panel waits a little, and draws
        pictures[state] = picture(desktop, state)

    look("problem")
    place.start()
    look("off")
    place.call("AddTunnel", tunnel(interface="s 'tun0'"))
    place.call("Lock")
    look("blocking")
    with tunnel_up(place):
        look("protected")
    place.call("Pause", "(uint32 600,)")
    look("paused")
    for one, other in itertools.combinations(pictures, 2):
        far = sum(abs(a - b) > 64 for a, b in zip(pictures[one], pictures[other]))
        assert far > 60, f"{one} and {other} look alike: {far} pixels of {len(pictures[one])}"
    tray.end()


def test_menu_by_the_panel_itself(desktop, panel):
    place = desktop.place
    place.start()
    members = calls_to_menu(desktop)
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off" and registered(desktop))
    let_pass(0.5)
    desktop.xdotool("mousemove", *MIDDLE, "click", "3")
    let_pass(0.7)
    desktop.screenshot("menu-off", "360x260+0+0")
    desktop.xdotool("key", "Down", "Return")
    wait_for(lambda: tray.icon() == "blocking")
    assert place.call("Verify") == (True, "")
    desktop.xdotool("mousemove", *MIDDLE, "click", "3")
    let_pass(0.7)
    desktop.xdotool("key", "Down", "Down", "Right")
    let_pass(0.5)
    desktop.screenshot("menu-blocking", "360x260+0+0")
    desktop.xdotool("key", "Return")
    wait_for(lambda: tray.icon() == "paused")
    assert 290 <= place.call("GetStatus")["paused_seconds"] <= 300
    called = set(members())
    assert "GetLayout" in called and called & {"Event", "EventGroup"}, called
    tray.end()


def test_left_click_opens_the_window(desktop, panel):
    window = FakeWindow(desktop)
    tray = Tray(desktop)
    wait_for(lambda: registered(desktop))
    let_pass(0.5)
    desktop.xdotool("mousemove", *MIDDLE, "click", "1")
    wait_for(lambda: window.calls)
    tray.end()


def test_panel_restarted_three_times(desktop, panel):
    """One icon, also for who asks while it is not shown; and the item is never hidden."""
    desktop.place.start()
    tray = Tray(desktop)
    statuses = []
    desktop.bus.signal_subscribe(BUS_NAME, ITEM, "NewStatus", None, None, 0,
                                 lambda *told: statuses.append(told[5].unpack()[0]))
    for _ in range(3):
        wait_for(lambda: len(registered(desktop)) == 1)
        panel.send_signal(signal.SIGKILL)
        panel.wait(10)
        wait_for(lambda: owner_of(desktop.bus, WATCHER) is None)
        panel = desktop.start_panel()
    wait_for(lambda: registered(desktop))
    let_pass(1)
    assert len(registered(desktop)) == 1
    assert set(statuses) == {"Active"}
    desktop.screenshot("one-icon", "200x32+0+0")
    tray.end()
    wait_for(lambda: registered(desktop) == [])


def test_watchers_that_come_and_go(desktop):
    """Each is told of the one path once, the first only when it is ready to hear it."""
    desktop.place.start()
    tray = Tray(desktop)
    me = owner_of(desktop.bus, BUS_NAME)
    for refusals in (2, 0, 0):
        watcher = FakeWatcher(desktop, refusals)
        wait_for(lambda: watcher.registered)
        let_pass(0.3)
        assert watcher.registered == [(me, ITEM_PATH)]
        watcher.bus.close_sync(None)
    tray.end()


def test_a_watcher_that_refused_is_asked_anew_when_a_panel_comes(desktop):
    """At once: two of the slow attempts would take too long for this."""
    desktop.place.start()
    watcher = FakeWatcher(desktop, refusals=6, has_host=False)
    tray = Tray(desktop)
    wait_for(lambda: watcher.refusals == 1)
    watcher.take_host()
    wait_for(lambda: watcher.registered)
    let_pass(1.2)
    assert watcher.registered == [(owner_of(desktop.bus, BUS_NAME), ITEM_PATH)]
    tray.end()


def test_tray_before_the_panel(desktop):
    desktop.place.start()
    desktop.place.call("Lock")
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "blocking")
    empty = picture(desktop, "none")
    desktop.start_panel()
    wait_for(lambda: len(registered(desktop)) == 1)
    let_pass(0.7)
    assert picture(desktop, "tray-first") != empty
    assert tray.properties(STATE)["label"] == "Blocking: no tunnel is up"
    again = desktop.spawn(*tray.program.args)
    assert again.wait(10) == 0 and len(registered(desktop)) == 1
    tray.end()


def test_tray_killed_and_started_again(desktop, panel):
    tray = Tray(desktop)
    for _ in range(3):
        wait_for(lambda: len(registered(desktop)) == 1)
        desktop.end(tray.program, signal.SIGKILL)
        wait_for(lambda: registered(desktop) == [])
        tray.start()
    wait_for(lambda: len(registered(desktop)) == 1)
    tray.end()
