# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock before the network: turned on and off through systemd, and told as systemd tells it."""
import time

from gi.repository import GLib
import pytest

from fakes import BOOT, HELPER, Polkit, Systemd
from place import NAME, NOBODY, wait_for

CHANGES = ("EnableUnitFiles", "DisableUnitFiles", "Reload")


def at_boot(place):
    """As both ways tell it."""
    told = place.property("AtBoot")
    assert place.call("GetStatus")["at_boot"] is told
    return told


def changes(place):
    return [call for call in place.systemd.calls if call[0] in CHANGES]


def test_on_and_off(place):
    place.start()
    assert at_boot(place) is False
    place.call("SetAtBoot", "(true,)")
    assert at_boot(place) is True
    place.call("SetAtBoot", "(false,)")
    assert at_boot(place) is False
    units = [BOOT, HELPER]
    assert changes(place) == [("EnableUnitFiles", units, False, True), ("Reload",),
                              ("DisableUnitFiles", units, False), ("Reload",)]
    assert [(event["at_boot"], event["uid"]) for event in place.events()
            if event["event"] == "changed"] == [("on", "0"), ("off", "0")]


def test_clients_are_told(place):
    place.start()
    told = []
    place.bus.connection.signal_subscribe(
        NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", None, None, 0,
        lambda *arguments: told.append(arguments[5].unpack()[1]))
    place.call("SetAtBoot", "(true,)")
    while GLib.MainContext.default().iteration(False):
        pass
    assert {"AtBoot": True} in told


def test_it_is_known_when_the_helper_is_there(place):
    """Who starts the helper by asking it is told the truth at once."""
    place.systemd.put("enabled")
    place.start()
    assert at_boot(place) is True


def test_what_somebody_else_changes_is_seen(place):
    place.start()
    place.systemd.put("enabled")
    wait_for(lambda: place.property("AtBoot"))
    place.systemd.put("disabled")
    wait_for(lambda: not place.property("AtBoot"))
    assert not changes(place)


@pytest.mark.parametrize("boot, helper", [
    ("enabled", "disabled"), ("disabled", "enabled"), ("enabled-runtime", "enabled"),
    ("masked", "enabled"), ("static", "static"), ("", "enabled")])
def test_half_of_it_is_off(place, boot, helper):
    place.systemd.files.update({BOOT: boot, HELPER: helper})
    place.start()
    assert at_boot(place) is False


def test_systemd_refuses(place):
    place.systemd.fails["EnableUnitFiles"] = ("org.freedesktop.systemd1.UnitMasked",
                                              "Unit bulkhead-boot.service is masked.")
    place.start()
    name, message = place.fails("SetAtBoot", "(true,)")
    assert name == "Failed" and "is masked" in message and message.count("GDBus.Error") == 1
    assert at_boot(place) is False
    assert "changed" not in [event["event"] for event in place.events()]
    del place.systemd.fails["EnableUnitFiles"]
    place.call("SetAtBoot", "(true,)")
    assert at_boot(place) is True


def test_systemd_says_yes_and_does_nothing(place):
    place.systemd.deaf = True
    place.start()
    name, message = place.fails("SetAtBoot", "(true,)")
    assert name == "Failed" and "still off" in message
    assert at_boot(place) is False


def test_a_reload_that_fails_is_no_failure(place):
    """What is on the disk counts when the machine starts."""
    place.systemd.fails["Reload"] = ("org.freedesktop.DBus.Error.LimitsExceeded", "too often")
    place.start()
    place.call("SetAtBoot", "(true,)")
    assert at_boot(place) is True


def test_without_systemd(place):
    place.systemd.stop()
    place.start()
    name, message = place.fails("SetAtBoot", "(true,)")
    assert name == "Failed" and "no systemd" in message and "--boot" in message
    assert at_boot(place) is False
    place.call("Lock")
    place.systemd = Systemd(place.bus.address)
    place.systemd.put("enabled")
    wait_for(lambda: place.property("AtBoot"))


@pytest.mark.parametrize("where", ["GetUnitFileState", "EnableUnitFiles"])
def test_systemd_hangs(place, where):
    """Nothing else waits for it, and only one change of it does."""
    place.systemd.hangs.add(where)
    began = time.monotonic()
    place.start()
    assert time.monotonic() - began < 10
    before = len(place.systemd.calls)
    answers = []
    place.bus.connection.call(NAME, "/org/bulkhead/Helper1", NAME, "SetAtBoot",
                              GLib.Variant("(b)", (True,)), None, 0, -1, None,
                              lambda bus, result: answers.append(result))
    place.call("Lock")
    assert at_boot(place) is False
    wait_for(lambda: where in [call[0] for call in place.systemd.calls[before:]])
    name, message = place.fails("SetAtBoot", "(false,)")
    assert name == "WrongState" and "under way" in message
    assert not answers and len(changes(place)) == (where == "EnableUnitFiles")


def test_asked_for_again_and_again(place):
    """It needs no password, and a reload keeps the whole machine's systemd busy."""
    place.start()
    for _ in range(20):
        place.call("SetAtBoot", "(true,)")
    assert len(changes(place)) == 2
    assert len([event for event in place.events() if "at_boot" in event]) == 1
    place.systemd.files[HELPER] = "disabled"  # and nobody told
    place.call("SetAtBoot", "(true,)")
    assert place.systemd.files[HELPER] == "enabled" and at_boot(place) is True


def test_the_argument_decides_who_may(place):
    """On closes, as locking does; off opens, and wants a password."""
    polkit = Polkit(place.bus.address, "org.bulkhead.helper.lock")
    try:
        place.start()
        assert "()" in place.call_as_nobody("SetAtBoot", "(true,)")
        assert at_boot(place) is True
        assert "InteractiveAuthorizationRequired" in place.call_as_nobody("SetAtBoot", "(false,)")
        assert at_boot(place) is True
        actions = [call[2] for call in polkit.calls]
        assert actions == ["org.bulkhead.helper.lock", "org.bulkhead.helper.control"]
        assert [event["uid"] for event in place.events() if "at_boot" in event] == [str(NOBODY)]
    finally:
        polkit.stop()
