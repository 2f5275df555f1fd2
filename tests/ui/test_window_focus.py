# SPDX-License-Identifier: GPL-3.0-or-later
"""Who works with the keyboard: where the focus goes, and what a key does that is held down."""
import os

import pytest

from desktop import let_pass, wait_for
from lying import ActingHelper
from window import Window


def test_first_run_by_keyboard_alone(desk):
    desk.place.start()
    window = Window(desk)
    wait_for(lambda: window.find("tun0", "Set Up"))
    window.open("tun0", "Set Up")  # which ticks it
    desk.xdotool("key", "alt+n")
    wait_for(lambda: window.has_focus("Authorise Me", "Set Up"))
    desk.xdotool("key", "Return")
    wait_for(lambda: window.has_focus("^Lock( Lock)?$", "Set Up"))
    desk.xdotool("key", "Return")
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    assert desk.place.call("ListTunnels")[0]["trusted"]
    window.end()


def test_the_focus_stays_where_it_was(desk, window):
    """The main button waits for the helper, and cannot be used meanwhile."""
    window.open("Unlock…", "Status")
    window.answer("Unlock")
    wait_for(lambda: window.headline() == "Lock is off")
    # As a window manager does after a dialog; there is none, and GTK 4.18 leaves it to that.
    desk.xdotool("search", "--onlyvisible", "--name", "Bulkhead", "windowfocus")
    wait_for(lambda: window.has_focus("^Lock( Lock)?$", "Status"))
    desk.xdotool("key", "Return")
    wait_for(lambda: window.has_focus("^Blocking: no tunnel is up$", "Status"))
    desk.xdotool("key", "Tab")  # never of itself on what weakens
    wait_for(lambda: window.has_focus("Unlock…", "Status"))
    assert desk.place.property("Locked")
    window.end()


@pytest.fixture(params=[True, False], ids=["tells-first", "answers-first"])
def acting(desk, request):
    return ActingHelper(desk, request.param)


def start_quiet(desk):
    """Nothing is asked any more: each press of a button counts."""
    folder = os.path.join(desk.environment["XDG_CONFIG_HOME"], "glib-2.0/settings")
    os.makedirs(folder)
    with open(os.path.join(folder, "keyfile"), "w", encoding="utf-8") as file:
        file.write("[org/bulkhead/bulkhead]\nquiet-questions=['unlock', 'pause']\n")
    return Window(desk, GSETTINGS_BACKEND="keyfile")


def reach(window, pattern, page):
    """With the keyboard."""
    def is_reached():
        if window.has_focus(pattern, page):
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
        wait_for(lambda: window.has_focus("^Blocking: no tunnel is up$", "Status"))
        desk.xdotool("key", "Tab")
        wait_for(lambda: window.has_focus("^Unlock…", "Status"))
    desk.xdotool("key", "Return")
    wait_for(lambda: window.has_focus("^Lock( Lock)?$", "Status"))
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
    wait_for(lambda: window.has_focus("^Blocking: no tunnel is up$", "Status"))
    desk.xdotool("key", "Tab")
    wait_for(lambda: window.has_focus("^Unlock…", "Status"))
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
    wait_for(lambda: window.has_focus("", "Tunnels"))  # which came after the mouse
    assert acting.done == []
    window.end()
