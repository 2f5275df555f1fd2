# SPDX-License-Identifier: GPL-3.0-or-later
"""bulkheadctl status, ready and verify: once, watching and waiting."""
import json
import re
import subprocess
import threading
import time

from gi.repository import GLib
import pytest

from ctl_place import BLOCKING, BROKEN, CTL, ERROR, NAME, OFF, PAUSED, PROTECTED, SECONDS, TUNNELS
from ctl_place import UNKNOWN, FakeHelper, ctl, ctl_json, environment, status


class Watch:
    """bulkheadctl status --watch, read line by line."""

    def __init__(self, bus, *args):
        self.process = subprocess.Popen([CTL, "status", "--watch", *args],
                                        env=environment(bus.address), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, encoding="utf-8")
        self.timer = threading.Timer(SECONDS, self.process.kill)
        self.timer.start()

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()


def test_status_off_says_how_to_lock(helper):
    helper.answers["GetStatus"] = status(OFF)
    lines = ctl(helper, "status").stdout.splitlines()
    assert lines[0] == "off" and "lock is off" in lines[1]
    assert lines[-1].endswith("bulkheadctl lock")


def test_status_for_people(helper):
    helper.answers["GetStatus"] = status(
        PROTECTED, lan=GLib.Variant("b", True), lan_cgnat=GLib.Variant("b", True),
        exceptions=GLib.Variant("u", 3), weakened=GLib.Variant("as", ["egress", "novelty"]))
    text = ctl(helper, "status").stdout
    assert text == (
        "protected\n"
        "Locked: nothing leaves except through home and what is listed as open.\n"
        "\n"
        "Tunnels:   home (wg0) up\n"
        "           office (tun0) absent\n"
        "Open:      LAN, with CGNAT\n"
        "           3 exceptions\n"
        "At boot:   on\n"
        "Weakened:  egress: frames sent below IP, as by bridged machines, are not filtered\n"
        "           novelty\n"
        "Way out:   bulkheadctl unlock, or for a time: bulkheadctl pause 10m\n")


@pytest.mark.parametrize("state,more,headline,words", [
    (BLOCKING, {}, "blocking", "no trusted tunnel is up"),
    (BLOCKING, {"tunnels": GLib.Variant("aa{sv}", [])}, "blocking", "no tunnel is trusted"),
    (PAUSED, {"paused_seconds": GLib.Variant("u", 125)}, "paused", "2 min 5 s"),
    (BROKEN, {"problem": GLib.Variant("s", "set tunnels differs")}, "broken", "set tunnels differs"),
    (BROKEN, {"closed": GLib.Variant("b", True), "problem": GLib.Variant("s", "all is blocked: no")},
     "broken", "The lock could not be put in force: all is blocked: no."),
    (UNKNOWN, {}, "unknown", "does not know"),
    (77, {}, "unknown", "does not know"),
    (PROTECTED, {"enforced": GLib.Variant("b", False)}, "broken", "leak"),
    (BLOCKING, {"enforced": GLib.Variant("b", False)}, "broken", "leak"),
])
def test_status_headline_and_reason(helper, state, more, headline, words):
    helper.answers["GetStatus"] = status(state, **more)
    done = ctl(helper, "status")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0] == headline and words in lines[1]
    assert lines[-1].startswith("Way out:") and "bulkheadctl unlock" in lines[-1]


def test_status_of_rules_that_stand_while_the_lock_is_off(helper):
    """Nothing leaks, and a lock that is off cannot be paused."""
    helper.answers["GetStatus"] = status(BROKEN, locked=GLib.Variant("b", False))
    lines = ctl(helper, "status").stdout.splitlines()
    assert lines[:2] == ["broken", "The lock is off, but rules of a lock stand in the kernel."]
    assert lines[-1] == "Way out:   bulkheadctl unlock"


def test_status_tells_the_openings_only_when_something_is_closed(helper):
    for state in OFF, PAUSED, BROKEN:
        helper.answers["GetStatus"] = status(state)
        assert "Open:" not in ctl(helper, "status").stdout
    assert "pause" not in ctl(helper, "status").stdout, "the kernel refuses that, too"
    helper.answers["GetStatus"] = status(BLOCKING)
    assert "Open:      nothing\n" in ctl(helper, "status").stdout


def test_status_tells_what_starts_with_the_machine(helper):
    helper.answers["GetStatus"] = status(OFF, at_boot=GLib.Variant("b", False))
    assert "At boot:   off: open until the helper is started\n" in ctl(helper, "status").stdout
    assert ctl_json(helper, "status")[1]["at_boot"] is False


@pytest.mark.parametrize("state,more,code", [
    (PROTECTED, {}, 0), (BLOCKING, {}, 20), (OFF, {}, 21), (PAUSED, {}, 22), (BROKEN, {}, 23),
    (PROTECTED, {"enforced": GLib.Variant("b", False)}, 23), (UNKNOWN, {}, 1)])
def test_status_check(helper, state, more, code):
    helper.answers["GetStatus"] = status(state, **more)
    if code == 1:
        done = subprocess.run([CTL, "status", "--check"], env=environment(helper.address),
                              capture_output=True, check=False)
        assert done.returncode == 1
        return
    assert ctl(helper, "status", "--check").returncode == code
    returned, value = ctl_json(helper, "status", "--check")
    assert returned == code
    assert value["state"] == {0: "protected", 20: "blocking", 21: "off", 22: "paused",
                              23: "broken"}[code]


def test_status_json(helper):
    code, value = ctl_json(helper, "status")
    assert code == 0
    tunnels = value.pop("tunnels")
    assert value == {
        "version": 1, "state": "protected", "locked": True, "enforced": True, "paused_seconds": 0,
        "at_boot": True, "lan": False, "lan_cgnat": False, "lan_port_mapping": False, "exceptions": 0,
        "uplinks": ["eth0"], "weakened": [], "problem": "", "helper_version": "9.9"}
    assert tunnels[0] == {
        "id": "home", "interface": "wg0", "kind": "wireguard", "trusted": True, "present": True,
        "up": True, "endpoints": ["203.0.113.5:51820/udp"], "mark": 51820, "user": 0,
        "handshake": 1700000000, "since": 1690000000, "received": 5000000000, "sent": 7}
    assert tunnels[1]["kind"] == "unknown"


def test_status_without_helper_is_unknown(daemon):
    assert ctl(daemon, "status").stdout == "unknown\n"
    assert ctl_json(daemon, "status")[1]["state"] == "unknown"


def test_names_cannot_write_to_the_terminal(helper):
    tunnel = dict(TUNNELS[0], id=GLib.Variant("s", "a\x1b]0;x\x07\u009b1m\nb"))
    helper.answers["ListTunnels"] = GLib.Variant("(aa{sv})", ([tunnel],))
    helper.answers["GetStatus"] = status(PROTECTED, tunnels=GLib.Variant("aa{sv}", [tunnel]))
    assert ctl(helper, "tunnels").stdout.count("\n") == 1
    for args in ["tunnels"], ["status"]:
        text = ctl(helper, *args).stdout
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert ctl_json(helper, "tunnels")[1]["tunnels"][0]["id"] == tunnel["id"].get_string()


def test_watch(helper):
    with Watch(helper) as watch:
        assert watch.line().startswith("protected: Locked")
        helper.say_changed(PROTECTED)  # nothing new: no line
        helper.become(BLOCKING)
        assert watch.line().startswith("blocking: ")
        helper.disown()
        assert watch.line().startswith("unknown: ")
        helper.own()
        assert watch.line().startswith("blocking: ")
        helper.become(OFF)
        assert watch.line().startswith("off: ")


def test_watch_json(helper):
    with Watch(helper, "--json") as watch:
        for state, word in (PROTECTED, "protected"), (PAUSED, "paused"), (BROKEN, "broken"):
            helper.become(state)
            value = json.loads(watch.line())
            while value["state"] != word:  # the one before, when it was quicker
                value = json.loads(watch.line())
            assert value["version"] == 1 and value["tunnels"][0]["id"] == "home"
        helper.disown()
        assert json.loads(watch.line()) == {"version": 1, "state": "unknown"}


def test_watch_shows_a_quick_restart(helper):
    with Watch(helper) as watch:
        assert watch.line().startswith("protected: ")
        helper.disown()
        helper.own()
        assert watch.line().startswith("unknown: ")
        assert watch.line().startswith("protected: ")


def test_watch_begins_without_a_helper(daemon):
    with Watch(daemon) as watch:
        assert watch.line().startswith("unknown: ")
        fake = FakeHelper(daemon.address)
        assert watch.line().startswith("protected: ")
        fake.stop()
        assert watch.line().startswith("unknown: ")


def test_watch_wakes_the_helper(daemon, tmp_path):
    """One that the bus starts was not away before: the first line is what it says."""
    asked, service = tmp_path / "asked", tmp_path / f"{NAME}.service"

    def reload():
        subprocess.run(["dbus-send", f"--bus={daemon.address}", "--print-reply",
                        "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                        "org.freedesktop.DBus.ReloadConfig"], capture_output=True, check=True,
                       timeout=SECONDS)

    service.write_text(f"[D-BUS Service]\nName={NAME}\nExec=/usr/bin/touch {asked}\n")
    reload()
    with Watch(daemon) as watch:
        while not asked.exists():
            assert watch.process.poll() is None
            time.sleep(0.01)
        fake = FakeHelper(daemon.address)
        assert watch.line().startswith("protected: ")
        service.unlink()  # what it starts is no helper: nobody is to wait for it again
        reload()
        fake.become(BLOCKING)
        assert watch.line().startswith("blocking: ")
        fake.stop()
        assert watch.line().startswith("unknown: ")


def test_watch_survives_a_helper_that_dies_in_the_call(helper):
    with Watch(helper) as watch:
        assert watch.line().startswith("protected: ")
        while len(helper.calls) < 2:  # it looks again once it knows who owns the name
            time.sleep(0.01)
        helper.answers["GetStatus"] = "die"
        helper.say_changed(BLOCKING)
        assert watch.line().startswith("unknown: ")
        assert watch.process.poll() is None


def test_watch_ends_with_the_bus(daemon, helper):
    with Watch(helper) as watch:
        assert watch.line().startswith("protected: ")
        daemon.terminate()
        assert watch.line().startswith("unknown: ")
        assert watch.process.wait(SECONDS) == 8


@pytest.mark.parametrize("state,more,verify,code", [
    (PROTECTED, {}, (True, ""), 0),
    (BLOCKING, {}, (True, ""), 0),
    (OFF, {}, (True, ""), 1),
    (PAUSED, {}, (True, ""), 1),
    (BROKEN, {}, (False, "table missing"), 1),
    (BROKEN, {}, (True, ""), 1),
    (UNKNOWN, {}, (True, ""), 1),
    (PROTECTED, {}, (False, "chain output differs"), 1),
    (PROTECTED, {"enforced": GLib.Variant("b", False)}, (True, ""), 1),
])
def test_ready(helper, state, more, verify, code):
    helper.answers["GetStatus"] = status(state, **more)
    helper.answers["Verify"] = GLib.Variant("(bs)", verify)
    done = ctl(helper, "ready")
    assert (done.returncode, done.stdout) == (code, "")
    assert verify[1] in done.stderr
    returned, value = ctl_json(helper, "ready")
    assert returned == code and value["ready"] is (code == 0)
    assert [call[0] for call in helper.calls[:2]] == ["Verify", "GetStatus"]


def test_ready_wait_times_out(helper):
    helper.answers["GetStatus"] = status(OFF)
    began = time.monotonic()
    done = ctl(helper, "ready", "--wait", "2")
    assert done.returncode == 3 and "2 s" in done.stderr and "off" in done.stderr
    assert 1.9 < time.monotonic() - began < 6
    assert 3 <= [call[0] for call in helper.calls].count("Verify") <= 5, "once a second"
    code, value = ctl_json(helper, "ready", "--wait", "0")
    assert code == 3 and value["ready"] is False and value["state"] == "off"


def test_ready_wait_ends_at_the_change(helper):
    helper.answers["GetStatus"] = status(OFF)
    timer = threading.Timer(0.3, helper.become, args=(BLOCKING,))
    began = time.monotonic()
    timer.start()
    assert ctl(helper, "ready", "--wait", "15").returncode == 0
    assert time.monotonic() - began < 10


def test_ready_wait_sees_what_nobody_signals(helper):
    helper.answers["Verify"] = GLib.Variant("(bs)", (False, "not yet"))
    timer = threading.Timer(0.3, helper.answers.update,
                            args=({"Verify": GLib.Variant("(bs)", (True, ""))},))
    timer.start()
    assert ctl(helper, "ready", "--wait", "15").returncode == 0


def test_ready_wait_for_a_helper_that_comes(daemon):
    fakes = []
    timer = threading.Timer(0.5, lambda: fakes.append(FakeHelper(daemon.address)))
    timer.start()
    assert ctl(daemon, "ready", "--wait", "15").returncode == 0
    fakes[0].stop()
    done = ctl(daemon, "ready", "--wait", "1")
    assert done.returncode == 3 and "not running" in done.stderr


def test_ready_wait_does_not_hang_with_the_helper(helper):
    helper.answers["Verify"] = "hang"
    assert ctl(helper, "ready", "--wait", "1").returncode == 3


def test_ready_wait_ends_at_a_refusal(helper):
    helper.answers["Verify"] = (ERROR + "NotAuthorized", "no")
    assert ctl(helper, "ready", "--wait", "15").returncode == 4


def test_ready_wait_ends_with_the_bus(daemon, helper):
    helper.answers["GetStatus"] = status(OFF)
    threading.Timer(0.5, daemon.terminate).start()
    assert ctl(helper, "ready", "--wait", "15").returncode == 8


def test_verify(helper):
    assert ctl(helper, "verify").stdout == "protected: the kernel holds the wanted rules\n"
    assert ctl_json(helper, "verify") == (
        0, {"version": 1, "enforced": True, "problem": "", "state": "protected"})
    helper.answers["GetStatus"] = status(OFF)
    assert ctl(helper, "verify").stdout == "off: the kernel holds no rules\n"
    helper.answers["GetStatus"] = status(BROKEN)
    helper.answers["Verify"] = GLib.Variant("(bs)", (False, "chain output: rule 3 differs"))
    done = ctl(helper, "verify")
    assert (done.returncode, done.stdout) == (1, "") and "rule 3 differs" in done.stderr
    code, value = ctl_json(helper, "verify")
    assert code == 1 and value["enforced"] is False
    assert value["problem"] == "chain output: rule 3 differs"
