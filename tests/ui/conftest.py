# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desktop import Desktop, wait_for  # noqa: E402
from tray import FakeHelper  # noqa: E402
from window import HOME, Polkit, UserDesktop, Window  # noqa: E402


@pytest.fixture
def desktop():
    desktop = Desktop()
    yield desktop
    desktop.close()


@pytest.fixture
def helper(desktop):
    return FakeHelper(desktop)


@pytest.fixture
def desk():
    """Of an ordinary user, whose passwords are scripted."""
    desk = UserDesktop()
    desk.polkit = Polkit(desk.place.bus.address)
    yield desk
    desk.close()


@pytest.fixture
def window(desk):
    """Locked, with a tunnel that is trusted and down."""
    desk.helper = desk.place.start()
    desk.place.call("AddTunnel", HOME)
    desk.place.call("Lock")
    window = Window(desk)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    return window
