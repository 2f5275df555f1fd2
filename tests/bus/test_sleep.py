# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine sleeps and wakes: a logind that says what each test wants, a clock that goes on."""
import os
import re
import select

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from fakes import Fake
from place import BLOCKING, NAME, PAUSED, SOURCE, run, settle, wait_for

LOGIND = "org.freedesktop.login1"
PATH = "/org/freedesktop/login1"
XML = """<node><interface name="org.freedesktop.login1.Manager">
<method name="Inhibit"><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="h" direction="out"/></method>
<signal name="PrepareForSleep"><arg type="b"/></signal>
</interface></node>"""
BUILD = os.path.realpath(os.environ.get("BULKHEAD_BUILD", os.path.join(SOURCE, "build")))


class Logind(Fake):
    """Gives out inhibitors, each a pipe of which it keeps the end that tells of the release."""

    def __init__(self, address):
        self.pipes, self.refuses = [], False
        super().__init__(address, LOGIND, PATH, XML)

    def _on_call(self, bus, sender, path, interface, method, arguments, invocation):
        self.calls.append((method, *arguments.unpack()))
        if self.refuses:
            invocation.return_dbus_error("org.freedesktop.DBus.Error.AccessDenied", "no")
            return
        ours, theirs = os.pipe()
        fds = Gio.UnixFDList.new()
        handle = fds.append(theirs)
        os.close(theirs)
        self.pipes.append(ours)
        invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (handle,)), fds)

    def is_held(self):
        """Whether the newest inhibitor is still held."""
        return bool(self.pipes) and not select.select([self.pipes[-1]], [], [], 0)[0]

    def say(self, asleep):
        self.bus.emit_signal(None, PATH, LOGIND + ".Manager", "PrepareForSleep",
                             GLib.Variant("(b)", (asleep,)))
        self.bus.flush_sync(None)

    def stop(self):
        super().stop()
        for pipe in self.pipes:
            os.close(pipe)


@pytest.fixture
def logind(place):
    fake = Logind(place.bus.address)
    yield fake
    fake.stop()


def told(place, event):
    return [e for e in place.events() if e["event"] == event]


def test_verified_before_and_after(place, logind):
    settle(place)
    wait_for(logind.is_held)
    assert logind.calls == [("Inhibit", "sleep", "Bulkhead", "The network lock is verified", "delay")]
    logind.say(True)
    wait_for(lambda: not logind.is_held())
    assert [e["rules"] for e in told(place, "asleep")] == ["verified"]
    assert told(place, "awake") == [] and len(logind.calls) == 1
    logind.say(False)
    wait_for(lambda: len(logind.pipes) == 2 and logind.is_held())
    assert [e["rules"] for e in told(place, "awake")] == ["verified"]
    assert place.property("State") == BLOCKING and place.property("Ready")


def test_the_log_is_written_before_the_sleep_begins(place, logind):
    """The inhibitor is let go of only after the rules were read back."""
    settle(place)
    for _ in range(5):
        wait_for(logind.is_held)
        logind.say(True)
        count = len(told(place, "asleep"))
        wait_for(lambda: not logind.is_held())
        assert len(told(place, "asleep")) in (count, count + 1)
        logind.say(False)
        wait_for(logind.is_held)
    assert len(told(place, "asleep")) == len(told(place, "awake")) == 5


def test_mended_when_awake(place, logind):
    """What was changed in the sleep is put back, and the log tells."""
    place.start(state=None, before="")
    place.end(place.helpers[-1])
    helper = place.spawn("--no-owner")
    wait_for(place.bus.has_helper)
    place.call("Lock")
    rules = place.rules_in_kernel()
    wait_for(logind.is_held)
    run("ip", "netns", "exec", place.namespace, "nft", "flush", "ruleset")
    logind.say(False)
    wait_for(lambda: told(place, "awake"))
    assert place.rules_in_kernel() == rules and helper.poll() is None
    assert told(place, "restored") and told(place, "awake")[0]["rules"] == "verified"


def test_links_are_read_anew(place, logind):
    settle(place)
    wait_for(logind.is_held)
    run("ip", "-n", place.namespace, "tuntap", "add", "dev", "wg7", "mode", "tun")
    logind.say(True)
    logind.say(False)
    wait_for(lambda: told(place, "awake"))
    seen = {t["id"]: t["present"] for t in place.call("ListTunnels")}
    assert seen["home"] is True


def test_logind_restarts(place):
    """A new logind knows nothing of the old one's inhibitors."""
    settle(place)
    for _ in range(3):
        fake = Logind(place.bus.address)
        wait_for(fake.is_held)
        fake.stop()
    fake = Logind(place.bus.address)
    try:
        wait_for(fake.is_held)
        fake.say(True)
        wait_for(lambda: not fake.is_held())
        assert len(told(place, "asleep")) == 1
    finally:
        fake.stop()


def test_logind_refuses(place, logind):
    """The machine does not wait for us; what it says still counts."""
    logind.refuses = True
    settle(place)
    wait_for(lambda: logind.calls)
    logind.say(True)
    wait_for(lambda: told(place, "asleep"))
    logind.say(False)
    wait_for(lambda: told(place, "awake"))


@pytest.mark.parametrize("directly", [False, True])
def test_others_say_nothing(place, logind, directly):
    """Only logind's own signal counts; one to the helper alone goes past what it subscribed to."""
    settle(place)
    wait_for(logind.is_held)
    owner = place.bus.connection.call_sync(
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
        GLib.Variant("(s)", (NAME,)), None, 0, -1, None).unpack()[0]
    place.bus.connection.emit_signal(owner if directly else None, PATH, LOGIND + ".Manager",
                                     "PrepareForSleep", GLib.Variant("(b)", (True,)))
    place.bus.connection.flush_sync(None)
    place.call("GetStatus")
    assert logind.is_held() and told(place, "asleep") == []


# ---- a pause does not grow by the time asleep ----

def left_in_the_kernel(place):
    """Seconds until the kernel closes the pause; None: it is closed."""
    text = run("ip", "netns", "exec", place.namespace, "nft", "list", "ruleset")
    times = re.findall(r"ipv[46] timeout 10m expires (?:(\d+)m)?(?:(\d+)s)?", text)
    return max((int(m or 0) * 60 + int(s or 0) for m, s in times), default=None)


@pytest.fixture
def sleeper(place):
    """A helper in a machine that can sleep: call it with the seconds asleep so far."""
    file = os.path.join(place.directory, "slept")
    module = os.path.join(BUILD, "tests/bus/asleep.so")
    assert os.path.exists(module)

    def sleep(seconds):
        with open(file + ".new", "w", encoding="utf-8") as new:
            new.write(str(seconds))
        os.rename(file + ".new", file)
    sleep(0)
    place.start(before=f"export LD_PRELOAD={module} BULKHEAD_TEST_SLEPT={file}"
                " ASAN_OPTIONS=verify_asan_link_order=0;")
    place.call("Lock")
    place.call("Pause", "(uint32 600,)")
    assert 590 <= left_in_the_kernel(place) <= 600
    return sleep


def test_a_pause_is_shortened(place, logind, sleeper):
    wait_for(logind.is_held)
    logind.say(True)
    wait_for(lambda: not logind.is_held())
    sleeper(400)
    assert left_in_the_kernel(place) > 580, "control: the kernel's own time stands still"
    logind.say(False)
    wait_for(lambda: told(place, "awake"))
    assert place.property("State") == PAUSED
    assert 180 <= left_in_the_kernel(place) <= 200
    assert 180 <= place.call("GetStatus")["paused_seconds"] <= 200
    assert told(place, "removed") == [], "nobody took anything away"


def test_a_pause_that_ended_in_the_sleep(place, logind, sleeper):
    wait_for(logind.is_held)
    sleeper(601)
    logind.say(False)
    wait_for(lambda: place.property("State") == BLOCKING)
    assert left_in_the_kernel(place) is None
    assert told(place, "resumed")[-1]["by"] == "time" and told(place, "removed") == []
    assert place.call("Verify") == (True, "")


def test_a_pause_is_shortened_without_logind(place, sleeper):
    """By the next look, whoever causes it: a link that comes back, most often."""
    sleeper(400)
    run("ip", "-n", place.namespace, "link", "set", "eth0", "down")
    wait_for(lambda: left_in_the_kernel(place) <= 200)
    assert place.property("State") == PAUSED and told(place, "removed") == []
    sleeper(500)
    assert place.call("Verify") == (True, "")
    assert 80 <= left_in_the_kernel(place) <= 100 and told(place, "removed") == []
