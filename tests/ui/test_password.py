# SPDX-License-Identifier: GPL-3.0-or-later
"""The tray of an ordinary user, with the real panel, polkitd, password prompt and helper."""
import os
import shutil

import pytest

from desktop import Desktop, let_pass, wait_for
from place import BLOCKING, OFF
from polkit_place import PASSWORD, PolkitPlace
from tray import LOCK, TRAY, UNLOCK, Tray, registered


@pytest.fixture
def desktop():
    desktop = Desktop(place=PolkitPlace())
    yield desktop
    desktop.close()


def choose(desktop, *keys):
    """From the icon's menu, as a person does."""
    desktop.xdotool("mousemove", "16", "16", "click", "3")
    let_pass(0.7)
    desktop.xdotool("key", *keys, "Return")


def test_unlock_asks_once_and_never_again_when_authorised(desktop):
    place = desktop.place
    place.start()
    desktop.start_panel()
    alice = place.session("alice")
    agent = place.agent(alice, "dismiss")
    program = os.path.join(place.directory, "bulkhead-tray")  # where its user can read it
    shutil.copy(TRAY, program)
    tray = Tray(desktop, alice.command(program))
    wait_for(lambda: tray.icon() == "off" and registered(desktop))
    let_pass(0.5)

    choose(desktop, "Down")
    wait_for(lambda: tray.icon() == "blocking")
    assert agent.prompts() == 0, "locking asks nobody"

    choose(desktop, "Down")
    assert agent.next().startswith("asked org.bulkhead.helper.control ")
    let_pass(0.5)
    assert place.property("State") == BLOCKING and desktop.notices.all == [], "closed in silence"

    agent.set("password", PASSWORD)
    choose(desktop, "Down")
    wait_for(lambda: tray.icon() == "off")
    assert agent.prompts() == 1

    assert alice.call("Authorize", interactive=True) == "()\n"
    assert agent.prompts() == 1
    for number, state in ((LOCK, BLOCKING), (UNLOCK, OFF)):
        tray.click(number)
        wait_for(lambda: place.property("State") == state)
    assert agent.prompts() == 0, "and never again"
    desktop.screenshot("authorised", "360x40+0+0")
    tray.end()
