# SPDX-License-Identifier: GPL-3.0-or-later
"""The window in large text, and as a screen reader reads it."""
import gettext
import platform
import re
import subprocess

import pytest

from desktop import BUILD, wait_for
from window import HOME, Polkit, TranslatedDesktop, Window

INNER = ("GtkSearchEntry", "GtkListBox", "GtkListView")  # of libadwaita's own widgets


def make_text_large(desk):
    subprocess.run(["xprop", "-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER",
                    "Xft.dpi:\t192\n"], env=desk.environment, check=True)  # 200 %


def test_large_text_fits_a_narrow_window(desk):
    make_text_large(desk)
    desk.place.start()
    desk.place.call("AddTunnel", HOME)
    window = Window(desk)
    wait_for(lambda: window.headline() == "Lock is off")
    desk.xdotool("search", "--onlyvisible", "--name", "Bulkhead", "windowsize", "360", "640")
    for key, page in (("alt+2", "Tunnels"), ("alt+3", "Log"), ("alt+1", "Status")):
        desk.xdotool("key", key)
        wait_for(lambda: 0 < window.page(page).extents()[2] <= 360)
    window.end()


# Debian 13's C library has no translations in C.UTF-8, the one locale that is always there.
TRANSLATED = tuple(map(int, platform.libc_ver()[1].split("."))) < (2, 37)


@pytest.fixture(params=["en", "zh_CN", "ja"] if TRANSLATED else ["en"])
def large(request):
    """A desktop with text of 200 % in that language."""
    desk = TranslatedDesktop()
    try:
        desk.polkit = Polkit(desk.place.bus.address)
        desk.language = desk.environment["LANGUAGE"] = request.param
        make_text_large(desk)
        yield desk
    finally:
        desk.close()


def test_large_text_fits_narrow_dialogs_in_every_language(large):
    catalog = gettext.translation("bulkhead", f"{BUILD}/po", [large.language],
                                  fallback=large.language == "en")

    def words(text):
        return catalog.gettext(text).replace("_", "")

    def fits(title, page):
        large.xdotool("search", "--sync", "--onlyvisible", "--name", title, "windowsize", "360",
                      "640")
        wait_for(lambda: window.page(page) and 0 < window.page(page).extents()[2] <= 360)

    large.place.start()
    window = Window(large)
    set_up, preferences = words("Set Up"), words("Preferences")
    for step in ("_Next", "_Not Now", "Finish _Without Locking"):
        fits("Bulkhead", set_up)
        window.press(re.escape(words(step)), set_up)
    window.act("preferences")
    fits(preferences, preferences)
    window.end()


def test_everything_has_a_name(desk, window):
    """No class name is read to anybody, but for what is inside of toolkit's own widgets."""
    window.act("preferences")
    window.waits_for("Lengths of a Pause")
    for node in window.nodes():
        name, role = node.name(), node.role()
        assert not name.startswith("Bulkhead") or name == "Bulkhead", (role, name)
        if role in ("window", "dialog", "button", "switch", "checkbox", "text box", "tab",
                    "search box", "spin button", "list"):
            assert name and (name in INNER or not re.match("(Gtk|Adw)[A-Z]", name)), (role, name)
