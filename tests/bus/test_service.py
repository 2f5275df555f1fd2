# SPDX-License-Identifier: GPL-3.0-or-later
"""What the helper does for whom, what it tells, and what stays when it goes."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from gi.repository import GLib
import pytest

from fakes import Polkit
from place import BLOCKING, GOOD, GRANTED, HELPER, HOLD_TUN0, NAME, NOBODY, OFF, PATH, PAUSED
from place import READS, SECONDS, SOURCE, Bus, run, settle, tunnel, wait_for
from wallclock import on_our_own_clock


def test_the_table_is_the_contract():
    xml = ElementTree.parse(os.path.join(SOURCE, "data", NAME + ".xml"))
    assert {method.get("name") for method in xml.iter("method")} == set(GOOD)


def test_root_may_do_everything(place):
    settle(place)
    for method, arguments in GOOD.items():
        place.call(method, arguments)
    assert place.property("State") == OFF
    assert place.end(place.helpers[0])[0] == 0


@pytest.mark.parametrize("method", GOOD)
def test_what_others_may_do(settled, method):
    before = settled.everything()
    answer = settled.call_as_nobody(method, GOOD[method])
    if method in READS:
        assert answer.startswith("("), answer
    else:
        assert f"{NAME}.Error.NotAuthorized: {method}: user {NOBODY} may not" in answer
        refused = settled.events()[-1]
        assert refused["event"] == "refused"
        assert (refused["method"], refused["uid"]) == (method, str(NOBODY))
    assert settled.everything() == before


def test_others_see_no_addresses(settled):
    for method in READS:
        assert "203.0.113.5" not in settled.call_as_nobody(method, "()")
        assert "192.0.2." not in settled.call_as_nobody(method, "()")
    assert "'home'" in settled.call_as_nobody("ListTunnels", "()")
    assert settled.call("ListTunnels")[0]["endpoints"] == ["203.0.113.5:51820/udp"]
    assert settled.call("GetStatus")["tunnels"][0]["endpoints"] == ["203.0.113.5:51820/udp"]


def test_pause_needs_the_lock(place):
    place.start()
    assert place.fails("Pause", "(uint32 60,)")[0] == "WrongState"
    assert place.property("State") == OFF


def test_tunnels(place):
    place.start()
    assert [(t["id"], t["trusted"]) for t in place.call("ListTunnels")] == [("tun0", False)]
    place.call("AddTunnel", tunnel(name="s 'zoo'", mark="u 51820", user="u 7", kind="u 1"))
    place.call("TrustTunnel", "('tun0',)")
    assert place.fails("TrustTunnel", "('tun0',)")[0] == "Exists"
    tun0, zoo = place.call("ListTunnels")
    assert (tun0["id"], tun0["interface"], tun0["trusted"], tun0["present"], tun0["kind"]) == (
        "tun0", "tun0", True, True, 3)
    assert (zoo["id"], zoo["interface"], zoo["present"], zoo["up"], zoo["mark"], zoo["user"],
            zoo["kind"]) == ("zoo", "wg7", False, False, 51820, 7, 1)
    place.call("ForgetTunnel", "('tun0',)")
    assert [(t["id"], t["trusted"]) for t in place.call("ListTunnels")] == [
        ("zoo", True), ("tun0", False)]


def test_a_tunnel_that_is_not_there_yet(place):
    place.start()
    place.call("AddTunnel", tunnel())
    home = place.call("ListTunnels")[0]
    assert (home["id"], home["trusted"], home["present"], home["up"], home["kind"]) == (
        "home", True, False, False, 0)


def test_uplinks(place):
    """Whatever holds the default route leads outside, until it is trusted."""
    place.start()
    ip = ("ip", "-n", place.namespace)
    run(*ip, "link", "set", "tun0", "up")
    assert place.call("GetStatus")["uplinks"] == ["eth0", "far"]
    run(*ip, "route", "add", "default", "dev", "tun0")
    assert place.call("GetStatus")["uplinks"] == ["eth0", "far", "tun0"]
    place.call("TrustTunnel", "('tun0',)")
    assert place.call("GetStatus")["uplinks"] == ["eth0", "far"]
    place.call("ForgetTunnel", "('tun0',)")
    assert place.call("GetStatus")["uplinks"] == ["eth0", "far", "tun0"]


@contextlib.contextmanager
def tun0_up(place):
    ip = ("ip", "-n", place.namespace)
    wait = subprocess.Popen(
        ["ip", "netns", "exec", place.namespace, "/usr/bin/python3", "-c", HOLD_TUN0],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert wait.stdout.readline() == b"held\n"
        run(*ip, "address", "add", "10.8.0.2/24", "dev", "tun0")
        run(*ip, "link", "set", "tun0", "up")
        yield
    finally:
        wait.communicate(timeout=SECONDS)


def test_networks_behind_a_tunnel_are_kept(place):
    place.start()
    ip = ("ip", "-n", place.namespace)
    with tun0_up(place):
        run(*ip, "route", "add", "192.168.7.0/24", "via", "10.8.0.1")
        run(*ip, "route", "add", "203.0.113.0/24", "via", "10.8.0.1")
        place.call("AddTunnel", tunnel(interface="s 'tun0'"))
    run(*ip, "link", "delete", "tun0")
    place.call("GetStatus")
    with open(place.file, encoding="utf-8") as file:
        assert "networks=10.8.0.0/24;192.168.7.0/24;\n" in file.read()


def test_lan_and_exceptions(place):
    place.start()
    place.call("SetLan", "(true, {'cgnat': <true>})")
    place.call("SetLan", "(false, {'port_mapping': <true>})")
    status = place.call("GetStatus")
    assert (status["lan"], status["lan_cgnat"], status["lan_port_mapping"]) == (False, True, True)
    place.call("AddExceptions", "(['198.51.100.7 tcp 22', '2001:db8::/32'],)")
    assert set(place.call("ListExceptions")) == {"198.51.100.7 tcp 22", "2001:db8::/32"}
    place.call("RemoveExceptions", "(['2001:db8::/32'],)")
    assert place.call("ListExceptions") == ["198.51.100.7 tcp 22"]
    assert place.call("GetStatus")["exceptions"] == 1


@contextlib.contextmanager
def clock_ahead(seconds):
    """The machine's clock as a time server would set it, for a moment."""
    ahead = seconds * 10**9 + time.time_ns() - time.monotonic_ns()
    time.clock_settime_ns(time.CLOCK_REALTIME, ahead + time.monotonic_ns())
    try:
        yield
    finally:
        time.clock_settime_ns(time.CLOCK_REALTIME,
                              ahead - seconds * 10**9 + time.monotonic_ns())


@on_our_own_clock()
def test_what_is_told_when_the_clock_is_set(place):
    """The end of a pause, and since when a tunnel is up, by which it was not up longer."""
    def since():
        return place.call("ListTunnels")[0]["since"]

    place.start()
    place.call("AddTunnel", tunnel(interface="s 'tun0'"))
    place.call("Lock")
    place.call("Pause", "(uint32 600,)")
    until = place.property("PausedUntil")
    before = int(time.time())
    with tun0_up(place):
        up = since()
        assert before <= up <= time.time()
        with clock_ahead(seconds=3):
            wait_for(lambda: place.property("PausedUntil") != until)
            assert abs(place.property("PausedUntil") - until - 3) <= 1
            assert 595 < place.call("GetStatus")["paused_seconds"] <= 600
            assert abs(since() - up - 3) <= 1
        assert abs(since() - up) <= 1
    wait_for(lambda: abs(place.property("PausedUntil") - until) <= 1)


def test_properties(place):
    place.start()
    changes = []
    place.bus.connection.signal_subscribe(
        NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", PATH, None, 0,
        lambda *arguments: changes.append(arguments[5].unpack()[1]))
    place.call("AddTunnel", tunnel())
    assert (place.property("State"), place.property("Locked")) == (OFF, False)
    place.call("Lock")
    assert (place.property("State"), place.property("Locked")) == (BLOCKING, True)
    place.call("Pause", "(uint32 600,)")
    assert place.property("State") == PAUSED
    assert abs(place.property("PausedUntil") - time.time() - 600) < 5
    assert 590 < place.call("GetStatus")["paused_seconds"] <= 600
    place.call("Resume")
    assert (place.property("State"), place.property("PausedUntil")) == (BLOCKING, 0)
    place.call("SetLan", "(true, @a{sv} {})")
    assert place.property("Lan") is True
    assert re.fullmatch(r"\d+\.\d+\.\d+", place.property("Version"))
    while GLib.MainContext.default().iteration(False):
        pass
    assert {"State": BLOCKING, "Locked": True, "Ready": True} in changes
    assert [change["Ready"] for change in changes if "Ready" in change] == [True, False, True]
    assert "203.0.113.5" not in str(changes)


def test_revision(place):
    """Another one for each list that is another one, and for nothing else."""
    place.start()
    seen = [place.property("Revision")]

    def is_told():
        seen.append(place.property("Revision"))
        return seen[-1] != seen[-2]

    assert not is_told()
    for method, arguments, told in (
            ("AddTunnel", tunnel(), True), ("Lock", "()", False),
            ("AddExceptions", "(['192.0.2.7'],)", True), ("AddExceptions", "(['x'],)", False),
            ("SetLan", "(true, @a{sv} {})", False), ("Pause", "(uint32 60,)", False),
            ("RemoveExceptions", "(['192.0.2.7'],)", True), ("Resume", "()", False),
            ("ListExceptions", "()", False), ("ForgetTunnel", "('home',)", True)):
        try:
            place.call(method, arguments)
        except GLib.Error:
            assert method == "AddExceptions"
        assert is_told() == told, (method, arguments)
    assert len({*seen}) == 5


def test_revision_of_grants(place):
    settle(place)
    before = place.property("Revision")
    place.call("Revoke", f"(uint32 {GRANTED},)")
    assert place.property("Revision") != before


def test_revoked_while_polkit_is_asked(place):
    """What it says of an authorised user is of no use to one who is that no more."""
    class Slow(Polkit):
        def CheckAuthorization(self, subject, action, details, flags, cancel):
            if action.endswith("granted"):
                place.call("Revoke", f"(uint32 {GRANTED},)")
            return super().CheckAuthorization(subject, action, details, flags, cancel)

    settle(place)
    polkit = Slow(place.bus.address, "org.bulkhead.helper.control-granted")
    try:
        assert "InteractiveAuthorizationRequired" in place.call_as(GRANTED, "Unlock", "()")
        actions = [call[2].rpartition(".")[2] for call in polkit.calls]
        assert actions == ["control-granted", "control"]
        assert place.property("State") == BLOCKING and place.call("ListGrants") == []
    finally:
        polkit.stop()


def test_ready_waits_for_the_large_lists(place):
    """They are read back a moment later: not ready until then."""
    place.start()
    place.call("Lock")
    changes = []
    place.bus.connection.signal_subscribe(
        NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", PATH, None, 0,
        lambda *arguments: changes.append(arguments[5].unpack()[1]))
    many = [f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(0, 40000, 2)]
    place.call("AddExceptions", f"({many!r},)")
    wait_for(lambda: not GLib.MainContext.default().iteration(False) and len(changes) >= 2)
    assert [change["Ready"] for change in changes if "Ready" in change] == [False, True]
    assert place.property("Ready")


def test_log(place):
    helper = place.start()
    for method, arguments in (("Lock", "()"), ("Lock", "()"), ("Pause", "(uint32 60,)"),
                              ("Resume", "()"), ("AddTunnel", tunnel()), ("Unlock", "()")):
        place.call(method, arguments)
    told = [event for event in place.events() if "uid" in event]
    assert [event["event"] for event in told] == [
        "locked", "paused", "resumed", "changed", "unlocked"]
    assert {event["uid"] for event in told} == {"0"}
    assert (told[1]["seconds"], told[3]["tunnel_added"]) == ("60", "home")
    assert place.events()[0]["event"] == "started"
    assert place.events(2) == place.events()[-2:]
    assert place.end(helper)[0] == 0
    place.start()
    assert "stopped" in [event["event"] for event in place.events()]


def test_refusals_do_not_fill_the_log(place):
    place.start()
    for _ in range(45):
        place.call_as_nobody("Unlock", "()")
    refused = [event for event in place.events() if event["event"] == "refused"]
    assert len(refused) == 20


def test_many_calls_at_once(place):
    """All are answered, some with a refusal, and the helper is there afterwards."""
    place.start()
    answers = []

    def note(connection, result):
        try:
            answers.append(connection.call_finish(result).unpack()[0]["state"])
        except GLib.Error as error:
            answers.append(error.message)

    calls = 120  # the bus itself bears 128 for one caller
    for _ in range(calls):
        place.bus.connection.call(NAME, PATH, NAME, "GetStatus", None, None, 0, -1, None, note)
    end = time.monotonic() + SECONDS
    while len(answers) < calls and time.monotonic() < end:
        GLib.MainContext.default().iteration(False)
    assert answers.count(OFF) >= 32
    assert all(answer == OFF or "waiting already" in answer for answer in answers)
    assert len(answers) == calls
    assert place.property("State") == OFF


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_rules_outlive_the_helper(place, how):
    settle(place)
    rules = place.rules_in_kernel()
    assert rules
    assert place.end(place.helpers[0], how)[0] == (0 if how != signal.SIGKILL else -how)
    assert place.rules_in_kernel() == rules
    place.start()
    assert place.property("State") == BLOCKING
    assert place.call("Verify") == (True, "")


@pytest.fixture
def without_bus(place):
    """A machine that shuts down has no bus any more when other firewalls are stopped."""
    settle(place)
    rules = place.rules_in_kernel()
    place.bus.stop()
    time.sleep(1.5)  # it looked for another bus by now
    assert place.helpers[0].poll() is None
    # The rules still have their owner: nobody else can take them out.
    run("ip", "netns", "exec", place.namespace, "nft", "flush", "ruleset")
    assert place.rules_in_kernel() == rules
    return rules


def test_bus_gone(place, without_bus):
    assert place.end(place.helpers[0])[0] == 0
    assert place.rules_in_kernel() == without_bus


def test_bus_restarted(place, without_bus):
    """It ends, so that whoever watches it starts it anew."""
    place.bus = Bus(place.directory)
    status, said = place.end(place.helpers[0], how=None)
    assert status == 1 and "bus was restarted" in said
    assert place.rules_in_kernel() == without_bus


def test_boot(place):
    """No bus, no name: the stored lock, and out."""
    nowhere = f"unix:path={place.directory}/nowhere"
    assert place.end(place.spawn("--boot", address=nowhere), how=None)[0] == 0
    assert place.rules_in_kernel() == ""
    settle(place)
    place.end(place.helpers[-1])
    rules = place.rules_in_kernel()
    run("ip", "netns", "exec", place.namespace, "nft", "flush", "ruleset")
    assert place.end(place.spawn("--boot", address=nowhere), how=None)[0] == 0
    assert place.rules_in_kernel() == rules
    assert place.end(place.spawn(address=nowhere), how=None)[0] == 1


def test_tampering_is_told(place):
    """As kernels before 6.9 have it: there others can remove the rules."""
    place.start("--no-owner")
    place.call("Lock")
    told = []
    place.bus.connection.signal_subscribe(NAME, NAME, "Tampered", PATH, None, 0,
                                          lambda *signal: told.append(signal[5].unpack()))
    run("ip", "netns", "exec", place.namespace, "nft", "flush", "ruleset")
    wait_for(lambda: (GLib.MainContext.default().iteration(False), told)[1])
    assert told == [("nft", True)]
    assert "inet bulkhead" in place.rules_in_kernel()


def test_watchdog(place):
    """The service manager hears of the main loop as long as it turns, and of the end."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(os.path.join(place.directory, "notify"))
    manager.settimeout(1)
    helper = place.start(before=f"export NOTIFY_SOCKET={place.directory}/notify "
                                "WATCHDOG_USEC=200000;")
    assert manager.recv(64) == b"READY=1"  # its name was on the bus before
    assert {manager.recv(64) for _ in range(5)} == {b"WATCHDOG=1"}
    helper.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    manager.settimeout(0.5)
    with pytest.raises(TimeoutError):
        for _ in range(10):  # what it had told before
            manager.recv(64)
    helper.send_signal(signal.SIGCONT)
    assert manager.recv(64) == b"WATCHDOG=1"
    assert place.end(helper)[0] == 0
    heard = []
    while b"STOPPING=1" not in heard:
        heard.append(manager.recv(64))
    manager.close()


def test_command_line(place):
    assert "bulkheadd" in run(HELPER, "--version")
    for wrong in ("--open-everything", "surplus"):
        status, said = place.end(place.spawn(wrong), how=None)
        assert status == 2 and wrong in said
    status, said = place.end(place.spawn("--rescue", "--boot"), how=None)
    assert status == 2 and "exclude" in said
