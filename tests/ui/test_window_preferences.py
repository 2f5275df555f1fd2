# SPDX-License-Identifier: GPL-3.0-or-later
"""Preferences: against the real helper, and against one that tells odd things."""
import os
import re
import shutil

import pytest

from desktop import let_pass, wait_for
from lying import LyingHelper, V, start
from place import run
from window import CHECKED, SENSITIVE, TEXTS, Window


def test_preferences(desk, window):
    window.act("preferences")
    row = window.row("Add, such as", "Preferences")
    wait_for(lambda: row.has(SENSITIVE))
    entry = window.control("Add, such as", "Preferences", TEXTS)
    window.click("Add, such as", "Preferences", TEXTS)
    entry.type("192.0.2.7 tcp 22")
    desk.xdotool("key", "Return")
    window.waits_for("“192.0.2.7 tcp 22”")
    window.answer("Add Exception")
    window.waits_for("^192.0.2.7 tcp 22", "Preferences")
    assert desk.place.call("ListExceptions") == ["192.0.2.7 tcp 22"]
    window.press("Remove the exception 192.0.2.7", "Preferences")
    wait_for(lambda: desk.place.call("ListExceptions") == [])
    window.press("Authorise Me", "Preferences")
    window.waits_for("You need no password", "Preferences")
    assert [grant[1] for grant in desk.place.call("ListGrants")] == ["bin"]
    desk.polkit.prompts.clear()
    desk.place.call("Resume")
    window.press("Revoke the authorisation of bin", "Preferences")
    wait_for(lambda: desk.place.call("ListGrants") == [])
    window.waits_for("An administrator’s password is asked for once", "Preferences")
    assert desk.polkit.prompts == []
    window.end()


def test_the_tray_after_login(desk, window):
    """A file of the user's hides the one of the system, and goes again."""
    system = os.path.join(desk.directory, "xdg")
    os.makedirs(os.path.join(system, "autostart"))
    name = "org.bulkhead.bulkhead-tray.desktop"
    with open(os.path.join(system, "autostart", name), "w", encoding="utf-8") as file:
        file.write("[Desktop Entry]\nType=Application\nName=Bulkhead\nExec=true\n")
    window.end()
    window = Window(desk, XDG_CONFIG_DIRS=system)
    own = os.path.join(desk.environment["XDG_CONFIG_HOME"], "autostart", name)
    window.act("preferences")

    def press_and_see(on):
        window.press("Show the Tray Icon", "Preferences")
        wait_for(lambda: window.control("Show the Tray Icon", "Preferences").has(CHECKED) == on)
        assert os.path.exists(own) != on

    press_and_see(False)
    with open(own, encoding="utf-8") as file:
        assert "Hidden=true" in file.read()
    press_and_see(True)
    shutil.rmtree(os.path.dirname(own))
    with open(os.path.dirname(own), "w", encoding="utf-8"):
        pass  # no folder any more
    window.press("Show the Tray Icon", "Preferences")
    window.waits_for("^The Setting Was Not Changed$")
    path = re.escape(own).replace("_", "_?")  # GTK tells a screen reader of labels without them
    window.waits_for(f"^That failed: {path}: ")
    assert window.control("Show the Tray Icon", "Preferences").has(CHECKED)
    window.end()


def test_the_tray_by_a_file_of_the_users_own(desk, window):
    """Of which nothing else is changed."""
    system = os.path.join(desk.directory, "xdg")
    own = os.path.join(desk.environment["XDG_CONFIG_HOME"], "autostart")
    name = "org.bulkhead.bulkhead-tray.desktop"
    entry = "[Desktop Entry]\nType=Application\nName=Bulkhead\nExec=true\n"
    theirs = f"{entry}# mine\nComment[ja]=x\n"
    for folder, text in ((os.path.join(system, "autostart"), entry),
                         (own, f"{theirs}X-GNOME-Autostart-enabled=false\n")):
        os.makedirs(folder)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    run("chown", "-R", f"{desk.uid}:{desk.uid}", own)
    window.end()
    window = Window(desk, XDG_CONFIG_DIRS=system)
    window.act("preferences")

    def shows(on):
        return window.control("Show the Tray Icon", "Preferences").has(CHECKED) == on

    def press_and_read(on):
        window.press("Show the Tray Icon", "Preferences")
        wait_for(lambda: shows(on))
        with open(os.path.join(own, name), encoding="utf-8") as file:
            return file.read()

    window.waits_for("Show the Tray Icon", "Preferences")
    assert shows(False)
    assert press_and_read(True) == theirs
    assert press_and_read(False) == f"{theirs}Hidden=true\n"
    assert press_and_read(True) == theirs
    window.end()


@pytest.fixture
def helper(desk):
    return LyingHelper(desk)


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
