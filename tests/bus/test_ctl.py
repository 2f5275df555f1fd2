# SPDX-License-Identifier: GPL-3.0-or-later
"""bulkheadctl against a helper that says what each test wants, on a bus of its own.

BULKHEADCTL names the program; without it, app/ctl/bulkheadctl in the build directory that
BULKHEAD_BUILD names, or in build. The fake takes its methods from data/org.bulkhead.Helper1.xml,
so GDBus refuses a call that is not in the contract.
"""
import json
import os
import pty
import pwd
import re
import subprocess
import threading
import time

import gi
import pytest

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..")
BUILD = os.environ.get("BULKHEAD_BUILD") or os.path.join(SOURCE, "build")
CTL = os.environ.get("BULKHEADCTL") or os.path.join(BUILD, "app/ctl/bulkheadctl")
NAME = "org.bulkhead.Helper1"
PATH = "/org/bulkhead/Helper1"
ERROR = NAME + ".Error."
UNKNOWN, OFF, PROTECTED, BLOCKING, PAUSED, BROKEN = range(6)
SECONDS = 20  # after which anything here is hung

BUS_CONFIG = """<busconfig>
<type>custom</type>
<listen>unix:path={directory}/bus</listen>
<servicedir>{directory}</servicedir>
<auth>EXTERNAL</auth>
<policy context="default">
  <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
</policy>
</busconfig>
"""

TUNNELS = [
    {
        "id": GLib.Variant("s", "home"),
        "interface": GLib.Variant("s", "wg0"),
        "kind": GLib.Variant("u", 1),
        "trusted": GLib.Variant("b", True),
        "present": GLib.Variant("b", True),
        "up": GLib.Variant("b", True),
        "endpoints": GLib.Variant("as", ["203.0.113.5:51820/udp"]),
        "mark": GLib.Variant("u", 51820),
        "user": GLib.Variant("u", 0),
        "handshake": GLib.Variant("x", 1700000000),
        "since": GLib.Variant("x", 1690000000),
        "received": GLib.Variant("t", 5000000000),
        "sent": GLib.Variant("t", 7),
    },
    {
        "id": GLib.Variant("s", "office"),
        "interface": GLib.Variant("s", "tun0"),
        "kind": GLib.Variant("u", 99),
        "trusted": GLib.Variant("b", True),
        "present": GLib.Variant("b", False),
        "up": GLib.Variant("b", False),
        "endpoints": GLib.Variant("as", []),
    },
]


def status(state, **more):
    """The answer of GetStatus."""
    values = {
        "state": GLib.Variant("u", state),
        "locked": GLib.Variant("b", state != OFF),
        "enforced": GLib.Variant("b", state != BROKEN),
        "paused_seconds": GLib.Variant("u", 0),
        "at_boot": GLib.Variant("b", True),
        "lan": GLib.Variant("b", False),
        "lan_cgnat": GLib.Variant("b", False),
        "lan_port_mapping": GLib.Variant("b", False),
        "exceptions": GLib.Variant("u", 0),
        "tunnels": GLib.Variant("aa{sv}", TUNNELS),
        "uplinks": GLib.Variant("as", ["eth0"]),
        "weakened": GLib.Variant("as", []),
        "problem": GLib.Variant("s", ""),
        "version": GLib.Variant("s", "9.9"),
    }
    values.update(more)
    return GLib.Variant("(a{sv})", (values,))


class FakeHelper:
    """Answers from `answers`: a value, (error name, message), None for (), "hang" or "die"."""

    def __init__(self, address):
        self.calls = []  # (method, arguments, may ask for a password)
        self.answers = {"GetStatus": status(PROTECTED), "Verify": GLib.Variant("(bs)", (True, ""))}
        self.context = GLib.MainContext()
        self.loop = GLib.MainLoop(context=self.context)
        self.address = address
        self.bus = None
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        assert started.wait(SECONDS)

    def _run(self, started):
        self.context.push_thread_default()
        self.bus = Gio.DBusConnection.new_for_address_sync(
            self.address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        with open(os.path.join(SOURCE, "data", NAME + ".xml"), encoding="utf-8") as file:
            interface = Gio.DBusNodeInfo.new_for_xml(file.read()).lookup_interface(NAME)
        self.bus.register_object(PATH, interface, self._on_call, None, None)
        self.own()
        started.set()
        self.loop.run()
        self.context.pop_thread_default()

    def _on_call(self, bus, sender, path, interface, method, arguments, invocation):
        flags = invocation.get_message().get_flags()
        asks = bool(flags & Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        self.calls.append((method, arguments.unpack(), asks))
        answer = self.answers.get(method)
        if answer == "hang":
            return
        if answer == "die":
            bus.close_sync(None)
        elif isinstance(answer, tuple):
            invocation.return_dbus_error(*answer)
        else:
            invocation.return_value(answer)

    def _name(self, method, arguments):
        self.bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                           method, arguments, None, Gio.DBusCallFlags.NONE, -1, None)

    def own(self):
        self._name("RequestName", GLib.Variant("(su)", (NAME, 4)))

    def disown(self):
        self._name("ReleaseName", GLib.Variant("(s)", (NAME,)))

    def say_changed(self, state):
        self.bus.emit_signal(
            None, PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged",
            GLib.Variant("(sa{sv}as)", (NAME, {"State": GLib.Variant("u", state)}, [])))

    def become(self, state, **more):
        self.answers["GetStatus"] = status(state, **more)
        self.say_changed(state)

    def stop(self):
        self.context.invoke_full(GLib.PRIORITY_DEFAULT, self.loop.quit)
        self.thread.join(SECONDS)
        if not self.bus.is_closed():
            self.bus.close_sync(None)


@pytest.fixture
def daemon(tmp_path):
    """A running dbus-daemon; .address is where."""
    config = tmp_path / "bus.conf"
    config.write_text(BUS_CONFIG.format(directory=tmp_path))
    with subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"],
                          stdout=subprocess.PIPE, text=True) as process:
        process.address = process.stdout.readline().strip()
        assert process.address
        yield process
        process.terminate()


@pytest.fixture
def helper(daemon):
    fake = FakeHelper(daemon.address)
    yield fake
    fake.stop()


def environment(address, **more):
    return {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "LC_ALL": "C", "TZ": "UTC",
            "G_DEBUG": "fatal-criticals", "SSH_CONNECTION": "", **more}


def ctl(bus, *args):
    """Runs to the end. What it prints is checked here for the promises of every call."""
    done = subprocess.run([CTL, *args], env=environment(bus.address), capture_output=True,
                          encoding="utf-8", timeout=SECONDS, check=False)
    assert done.returncode >= 0, f"died: {done.stderr}"
    assert "\x1b" not in done.stdout + done.stderr
    lines = done.stderr.splitlines()
    if done.returncode in (0, 20, 21, 22, 23):
        assert not lines
    else:
        assert len(lines) == 1 and re.match(r"bulkheadctl: \S", lines[0]), done.stderr
        assert "GDBus.Error" not in lines[0]
    return done


def ctl_json(bus, *args):
    done = ctl(bus, "--json", *args)
    value = json.loads(done.stdout)
    assert value["version"] == 1 and list(value)[0] == "version"
    assert done.stdout.count("\n") == 1
    if done.returncode in (0, 20, 21, 22, 23):
        assert "error" not in value
    else:
        assert value["error"]["code"] == done.returncode
        assert done.stderr == f"bulkheadctl: {value['error']['message']}\n"
    return done.returncode, value


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


def usages():
    """The usage lines of bulkheadctl --help."""
    text = subprocess.run([CTL, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z].*)$", text, re.M)


def verbs():
    """The verbs of those lines: their first words, up to what is no plain word."""
    return [re.match(r"[a-z]+( [a-z]+(?= |$))?( \[list\])?", usage).group()
            .replace("[list]", "list") for usage in usages()]


def manual_verbs(manual):
    """The verbs of the manual's own list, without its markup and their arguments."""
    section = manual[manual.index(".Sh VERBS"):manual.index("These options go with")]
    found = re.findall(r"^\.It Cm (.*)$", section, re.M)
    return [re.sub(r" (Ar|Fl|Oo|Op Ar|Op Fl|Cm on).*", "", item).replace("Op ", "").replace("Cm ", "")
            for item in found]


# The verbs that only command: arguments, method, what the helper must get.
COMMANDS = [
    (["lock"], "Lock", ()),
    (["unlock"], "Unlock", ()),
    (["resume"], "Resume", ()),
    (["pause", "300"], "Pause", (300,)),
    (["pause", "30s"], "Pause", (30,)),
    (["pause", "5m"], "Pause", (300,)),
    (["pause", "1h"], "Pause", (3600,)),
    (["lan", "on"], "SetLan", (True, {})),
    (["lan", "off", "--cgnat", "on"], "SetLan", (False, {"cgnat": True})),
    (["lan", "on", "--cgnat=off", "--port-mapping", "on"], "SetLan",
     (True, {"cgnat": False, "port_mapping": True})),
    (["boot", "on"], "SetAtBoot", (True,)),
    (["boot", "off"], "SetAtBoot", (False,)),
    (["tunnels", "trust", "wg1"], "TrustTunnel", ("wg1",)),
    (["tunnels", "forget", "--", "-odd"], "ForgetTunnel", ("-odd",)),
    (["tunnels", "add", "home", "--interface", "wg0"], "AddTunnel",
     ({"name": "home", "interface": "wg0", "endpoints": []},)),
    (["tunnels", "add", "hôme", "--interface", "tun0", "--endpoint", "203.0.113.5:1194/udp",
      "--endpoint", "[2001:db8::5]:443/tcp", "--mark", "0xCA6C", "--user", "root", "--kind",
      "openvpn"], "AddTunnel",
     ({"name": "hôme", "interface": "tun0", "mark": 0xca6c, "user": 0, "kind": 2,
       "endpoints": ["203.0.113.5:1194/udp", "[2001:db8::5]:443/tcp"]},)),
    (["tunnels", "add", "x", "--interface", "wg0", "--mark", "51820", "--user", "4242", "--kind",
      "wireguard"], "AddTunnel",
     ({"name": "x", "interface": "wg0", "endpoints": [], "mark": 51820, "user": 4242, "kind": 1},)),
    (["except", "add", "192.0.2.0/24", "2001:db8::1"], "AddExceptions",
     (["192.0.2.0/24", "2001:db8::1"],)),
    (["except", "add", "192.0.2.1", "192.0.2.2", "--protocol", "tcp", "--port", "443"],
     "AddExceptions", (["192.0.2.1 tcp 443", "192.0.2.2 tcp 443"],)),
    (["except", "add", "192.0.2.1", "--protocol", "icmp"], "AddExceptions", (["192.0.2.1 icmp"],)),
    (["except", "add", "192.0.2.1", "--port", "443"], "AddExceptions", (["192.0.2.1 any 443"],)),
    (["except", "remove", "192.0.2.1", "--protocol", "udp"], "RemoveExceptions",
     (["192.0.2.1 udp"],)),
    (["authorize"], "Authorize", ()),
    (["revoke"], "Revoke", (os.getuid(),)),
    (["revoke", "nobody"], "Revoke", (65534,)),
    (["revoke", "4242"], "Revoke", (4242,)),
]


def lock_over_ssh(bus, *args, typed=None, client="203.0.113.9", server="192.0.2.7", before=()):
    """Exit code and stderr; on a terminal when something is typed. `before`: what starts it."""
    ours, theirs = pty.openpty()
    os.write(ours, (typed or "").encode())
    done = subprocess.run(
        [*before, CTL, "lock", *args], stdin=theirs if typed is not None else subprocess.DEVNULL,
        env=environment(bus.address, SSH_CONNECTION=f"{client} 50000 {server} 22"),
        capture_output=True, encoding="utf-8", timeout=SECONDS, check=False)
    os.close(ours)
    os.close(theirs)
    return done.returncode, done.stderr


def test_lock_over_ssh(helper, daemon):
    def locked():
        calls, helper.calls = helper.calls, []
        return "Lock" in [call[0] for call in calls]

    helper.answers["GetStatus"] = status(OFF)
    helper.answers["ListExceptions"] = GLib.Variant("(as)", (["198.51.100.0/24 tcp 22"],))
    for typed in ("n\n", "\n", "", "\x04"):
        code, told = lock_over_ssh(daemon, typed=typed or "\x04")
        assert (code, locked()) == (1, False)
        assert "except add 203.0.113.9 --protocol tcp" in told and told.endswith("not locked\n")
    assert lock_over_ssh(daemon, typed="y\n")[0] == 0 and locked()
    code, told = lock_over_ssh(daemon)  # a script
    assert (code, locked()) == (0, True) and "ends this SSH session from 203.0.113.9" in told
    assert lock_over_ssh(daemon, "--yes", typed="") == (0, "") and locked()
    for kept in ("203.0.113.0/24", "203.0.113.9 tcp"):
        helper.answers["ListExceptions"] = GLib.Variant("(as)", ([kept],))
        assert lock_over_ssh(daemon, typed="") == (0, "") and locked()
    local = {"client": "fe80::9%eth0", "server": "fe80::7%eth0"}
    code, told = lock_over_ssh(daemon, typed="n\n", **local)
    assert code == 1 and "except add fe80::9 --protocol tcp" in told
    helper.answers["ListExceptions"] = GLib.Variant("(as)", (["fe80::9 tcp"],))
    assert lock_over_ssh(daemon, typed="", **local) == (0, "") and locked()
    helper.answers["ListExceptions"] = GLib.Variant("(as)", ([],))
    # As sudo and su do it: called by another user, and without the variable.
    root = ("setpriv", "--ruid=65534", "timeout", "9", "setpriv", "--ruid=0", "env", "-u",
            "SSH_CONNECTION")
    code, told = lock_over_ssh(daemon, before=root)
    assert (code, locked()) == (0, True) and "ends this SSH session from 203.0.113.9" in told
    assert lock_over_ssh(daemon, typed="", client="127.0.0.1", server="127.0.0.1") == (0, "")
    helper.answers["GetStatus"] = status(BLOCKING)
    assert lock_over_ssh(daemon, typed="") == (0, "")


@pytest.mark.parametrize("args,method,arguments", COMMANDS, ids=lambda v: " ".join(v)
                         if isinstance(v, list) else "")
def test_command(helper, args, method, arguments):
    done = ctl(helper, *args)
    assert (done.returncode, done.stdout) == (0, "")
    assert helper.calls == [(method, arguments, True)]
    assert ctl_json(helper, "--no-ask-password", *args) == (0, {"version": 1})
    assert helper.calls[1:] == [(method, arguments, False)]


def test_user_is_resolved_here(helper):
    name = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    ctl(helper, "tunnels", "add", "x", "--interface", "tun0", "--user", name.pw_name)
    assert helper.calls[0][1][0]["user"] == name.pw_uid


BAD_USAGE = [
    ([], "no verb"),
    (["frobnicate"], "frobnicate"),
    (["tunnels", "frobnicate"], "verb tunnels frobnicate"),
    (["frobnicate", "--help"], "frobnicate"),
    (["lock", "now"], "now"),
    (["status", "--frobnicate"], "--frobnicate"),
    (["status", "--watch", "--check"], "--watch and --check"),
    (["pause"], "missing"),
    (["pause", "soon"], "pause soon"),
    (["pause", ""], "pause"),
    (["pause", "m"], "pause m"),
    (["pause", "5d"], "pause 5d"),
    (["pause", "-5"], "-5"),
    (["pause", "+5"], "pause +5"),
    (["pause", "4294967296"], "pause 4294967296"),
    (["pause", "1193047h"], "pause 1193047h"),
    (["pause", "1", "2"], "2"),
    (["ready", "--wait"], "--wait"),
    (["ready", "--wait", "x"], "--wait x"),
    (["lan"], "missing"),
    (["lan", "maybe"], "lan maybe"),
    (["boot"], "missing"),
    (["boot", "maybe"], "boot maybe"),
    (["rescue", "me"], "me"),
    (["lan", "on", "--cgnat", "yes"], "--cgnat yes"),
    (["lan", "on", "--port-mapping", "1"], "--port-mapping 1"),
    (["log", "--limit", "ten"], "--limit ten"),
    (["tunnels", "trust"], "missing"),
    (["tunnels", "forget", "a", "b"], "b"),
    (["tunnels", "add", "--interface", "wg0"], "missing"),
    (["tunnels", "add", "home"], "--interface"),
    (["tunnels", "add", "x", "--interface", "wg0", "--mark", "0"], "--mark 0"),
    (["tunnels", "add", "x", "--interface", "wg0", "--mark", "0x"], "--mark 0x"),
    (["tunnels", "add", "x", "--interface", "wg0", "--mark", "0x100000000"], "--mark 0x1"),
    (["tunnels", "add", "x", "--interface", "wg0", "--mark", "1k"], "--mark 1k"),
    (["tunnels", "add", "x", "--interface", "wg0", "--user", "no-such-user"], "--user no-such-user"),
    (["tunnels", "add", "x", "--interface", "wg0", "--user", "4294967295"], "--user 4294967295"),
    (["tunnels", "add", "x", "--interface", "wg0", "--kind", "ipsec"], "--kind ipsec"),
    (["except", "add"], "address"),
    (["except", "add", "--port", "1"], "address"),
    (["except", "add", "192.0.2.1", "--port", "0"], "--port 0"),
    (["except", "add", "192.0.2.1", "--port", "65536"], "--port 65536"),
    (["except", "add", "--file", "/dev/null"], "0 exceptions"),
    (["except", "add", "--file", "/dev/null", "--protocol", "tcp"], "--protocol"),
    (["authorize", "nobody"], "nobody"),
    (["revoke", "no-such-user"], "revoke no-such-user"),
    (["revoke", "4294967295"], "revoke 4294967295"),
    (["revoke", "a", "b"], "b"),
    (["grants", "nobody"], "nobody"),
    (["tunnels", "trust", b"\xff"], "UTF-8"),
]


@pytest.mark.parametrize("args,word", BAD_USAGE, ids=lambda v: str(v) if isinstance(v, list) else "")
def test_bad_usage(helper, args, word):
    done = ctl(helper, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert ctl_json(helper, *args)[0] == 2
    assert not helper.calls, "a wrong command line must not reach the helper"


@pytest.mark.parametrize("name,code", [
    (ERROR + "NotAuthorized", 4),
    (ERROR + "NotFound", 10),
    (ERROR + "InvalidArgument", 2),
    (ERROR + "Failed", 1),
    (ERROR + "WrongState", 1),
    (ERROR + "KernelRefused", 1),
    (ERROR + "NotEnforced", 1),
    ("org.freedesktop.DBus.Error.AccessDenied", 4),
    (ERROR + "Cancelled", 4),
    ("org.freedesktop.DBus.Error.UnknownMethod", 1),
    ("org.freedesktop.DBus.Error.ServiceUnknown", 8),
    ("org.freedesktop.DBus.Error.NameHasNoOwner", 8),
    ("org.freedesktop.DBus.Error.Spawn.ChildExited", 8),
])
def test_error_codes(helper, name, code):
    for args, method in ((["unlock"], "Unlock"), (["status"], "GetStatus"), (["log"], "GetLog"),
                         (["tunnels", "forget", "x"], "ForgetTunnel"), (["verify"], "Verify"),
                         (["status", "--check"], "GetStatus"), (["ready"], "Verify")):
        helper.answers[method] = (name, "field x: too\nodd")
        done = ctl(helper, *args)
        assert done.returncode == code, args
        assert done.stderr.endswith("field x: too odd\n")
    assert ctl_json(helper, "unlock")[0] == code


PASSWORD_NEEDED = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"


def test_nobody_can_ask_for_the_password(helper):
    helper.answers["Unlock"] = (PASSWORD_NEEDED, "Unlock: a password is needed")
    done = ctl(helper, "unlock")
    assert done.returncode == 4
    assert done.stderr == "bulkheadctl: no password prompt program is running; use sudo\n"
    done = ctl(helper, "unlock", "--no-ask-password")
    assert (done.returncode, done.stderr) == (4, "bulkheadctl: Unlock: a password is needed\n")
    assert [asks for _, _, asks in helper.calls] == [True, False]


EVERY = [["status"], ["status", "--check"], ["lock"], ["unlock"], ["pause", "1"], ["resume"],
         ["ready"], ["verify"], ["rules"], ["tunnels"], ["tunnels", "list"],
         ["tunnels", "add", "x", "--interface", "wg0"], ["tunnels", "trust", "x"],
         ["tunnels", "forget", "x"], ["lan", "on"], ["except"], ["except", "list"],
         ["except", "add", "192.0.2.1"], ["except", "remove", "192.0.2.1"], ["authorize"], ["revoke"], ["grants"], ["blocked"], ["log"]]


@pytest.mark.parametrize("args", EVERY, ids=" ".join)
def test_no_helper(daemon, args):
    assert ctl(daemon, *args).returncode == 8
    assert ctl_json(daemon, *args)[0] == 8


def test_no_bus(daemon, tmp_path):
    daemon.address = f"unix:path={tmp_path}/nothing"
    for args in ["status"], ["status", "--watch"], ["lock"], ["ready", "--wait", "5"]:
        assert ctl(daemon, *args).returncode == 8


@pytest.mark.parametrize("args,method", [
    (["unlock"], "Unlock"), (["status"], "GetStatus"), (["ready"], "Verify")])
def test_helper_dies_during_the_call(helper, args, method):
    helper.answers[method] = "die"
    assert ctl(helper, *args).returncode == 8


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


def test_rules(helper):
    text = "table inet bulkhead {\n\tchain output {\n\t}\n}\n"
    helper.answers["GetRules"] = GLib.Variant("(s)", (text,))
    assert ctl(helper, "rules").stdout == text
    assert ctl_json(helper, "rules") == (0, {"version": 1, "rules": text})
    helper.answers["GetRules"] = GLib.Variant("(s)", ("",))
    assert ctl(helper, "rules").stdout == ""


def test_tunnels_list(helper):
    found = dict(TUNNELS[0], id=GLib.Variant("s", "wg9"), trusted=GLib.Variant("b", False),
                 up=GLib.Variant("b", False))
    helper.answers["ListTunnels"] = GLib.Variant("(aa{sv})", (TUNNELS + [found],))
    for args in ["tunnels"], ["tunnels", "list"]:
        lines = [line.split() for line in ctl(helper, *args).stdout.splitlines()]
        assert lines == [
            ["home", "wg0", "wireguard", "trusted", "up", "203.0.113.5:51820/udp"],
            ["office", "tun0", "unknown", "trusted", "absent"],
            ["wg9", "wg0", "wireguard", "found", "down", "203.0.113.5:51820/udp"]]
        code, value = ctl_json(helper, *args)
        assert code == 0 and [tunnel["id"] for tunnel in value["tunnels"]] == ["home", "office", "wg9"]


def test_except_list(helper):
    helper.answers["ListExceptions"] = GLib.Variant("(as)", (["192.0.2.0/24", "192.0.2.1 tcp 443"],))
    for args in ["except"], ["except", "list"]:
        assert ctl(helper, *args).stdout == "192.0.2.0/24\n192.0.2.1 tcp 443\n"
        assert ctl_json(helper, *args) == (
            0, {"version": 1, "exceptions": ["192.0.2.0/24", "192.0.2.1 tcp 443"]})


def test_except_file(helper, tmp_path):
    file = tmp_path / "list"
    file.write_bytes(b"# office\r\n\n  192.0.2.0/24  \n2001:db8::/32 tcp 443 # web\n#\n192.0.2.9")
    expected = ["192.0.2.0/24", "2001:db8::/32 tcp 443", "192.0.2.9"]
    for verb, method in ("add", "AddExceptions"), ("remove", "RemoveExceptions"):
        assert ctl(helper, "except", verb, "--file", str(file)).returncode == 0
        assert helper.calls.pop() == (method, (expected,), True)
    assert ctl(helper, "except", "add", "198.51.100.1", "--file", str(file)).returncode == 0
    assert helper.calls.pop()[1] == (["198.51.100.1"] + expected,)


def test_except_file_that_cannot_be_read(helper, tmp_path):
    assert ctl(helper, "except", "add", "--file", str(tmp_path / "missing")).returncode == 1
    for content in b"192.0.2.1\n\xff\n", b"192.0.2.1\n\0\n":
        (tmp_path / "bad").write_bytes(content)
        assert ctl(helper, "except", "add", "--file", str(tmp_path / "bad")).returncode == 2
    assert not helper.calls


def test_except_file_of_the_greatest_size(helper, tmp_path):
    lines = [f"2001:db8::{n >> 16:x}:{n & 0xffff:x} tcp 443" for n in range(200000)]
    (tmp_path / "list").write_text("\n".join(lines) + "\n")
    assert ctl(helper, "except", "add", "--file", str(tmp_path / "list")).returncode == 0
    assert len(helper.calls) == 1 and helper.calls[0][1] == (lines,)
    (tmp_path / "list").write_text("\n".join(lines + ["192.0.2.1"]) + "\n")
    done = ctl(helper, "except", "add", "--file", str(tmp_path / "list"))
    assert done.returncode == 2 and "200001" in done.stderr


LOG = [
    '{"time":"2026-01-02T03:04:05.678Z","event":"locked","text":"The user locked","tunnel":"home",'
    '"uid":"1000"}',
    '{"time":"soon","event":5,"text":"odd\\u001b[31m"}',
    "not json at all",
    '["not an object"]',
]


def test_log(helper):
    helper.answers["GetLog"] = GLib.Variant("(as)", (LOG,))
    assert ctl(helper, "log").stdout.splitlines() == [
        "2026-01-02 03:04:05  locked      The user locked (tunnel: home, uid: 1000)",
        "soon                             odd [31m",
        " " * 33 + "not json at all",
        " " * 33 + '["not an object"]']
    code, value = ctl_json(helper, "log", "--limit", "3")
    assert code == 0 and value["events"][0] == json.loads(LOG[0])
    assert value["events"][2] == {"text": "not json at all"}
    ctl(helper, "log", "--limit", "0")
    assert [call[1] for call in helper.calls] == [(100,), (3,), (0,)]


def blocked(address, protocol, port, uid, program, count):
    return {"address": GLib.Variant("s", address), "protocol": GLib.Variant("s", protocol),
            "port": GLib.Variant("q", port), "uid": GLib.Variant("u", uid),
            "program": GLib.Variant("s", program), "count": GLib.Variant("t", count),
            "first": GLib.Variant("x", 1), "last": GLib.Variant("x", 1700000000)}


def test_blocked(helper):
    nobody = 4294967295
    helper.answers["ListBlocked"] = GLib.Variant("(aa{sv})", ([
        blocked("198.51.100.9", "udp", 443, 0, "fire\x1bfox", 12),
        blocked("2001:db8::9", "icmp", 0, nobody, "", 1)],))
    lines = [line.split() for line in ctl(helper, "blocked").stdout.splitlines()]
    assert lines == [
        ["LAST", "PACKETS", "USER", "DESTINATION", "PROGRAM"],
        ["2023-11-14", "22:13:20", "12", "root", "198.51.100.9", "udp", "443", "fire", "fox"],
        ["2023-11-14", "22:13:20", "1", "-", "2001:db8::9", "icmp"]]
    code, value = ctl_json(helper, "blocked")
    assert code == 0 and value["blocked"][0] == {
        "address": "198.51.100.9", "protocol": "udp", "port": 443, "uid": 0,
        "program": "fire\x1bfox", "count": 12, "first": 1, "last": 1700000000}
    helper.answers["ListBlocked"] = GLib.Variant("(aa{sv})", ([],))
    assert ctl(helper, "blocked").stdout == "nothing was refused\n"
    assert ctl_json(helper, "blocked") == (0, {"version": 1, "blocked": []})


def test_grants(helper):
    helper.answers["ListGrants"] = GLib.Variant(
        "(a(usx))", ([(1000, "alice", 1700000000), (1001, "b\x1b[1m", 1)],))
    assert ctl(helper, "grants").stdout == (
        "alice                1000       since 2023-11-14 22:13:20\n"
        "b [1m                1001       since 1970-01-01 00:00:01\n")
    code, value = ctl_json(helper, "grants")
    assert code == 0
    assert value["grants"][0] == {"name": "alice", "user": 1000, "since": 1700000000}
    helper.answers["ListGrants"] = GLib.Variant("(a(usx))", ([],))
    assert ctl(helper, "grants").stdout == ""


def test_full_disk_is_an_error(helper):
    helper.answers["GetRules"] = GLib.Variant("(s)", ("x" * 100000,))
    for args in ["status"], ["rules"], ["rules", "--json"], ["status", "--watch"]:
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([CTL, *args], env=environment(helper.address), stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 1 and "standard output" in done.stderr, args


def test_closed_pipe_ends_it_as_any_other_program(helper):
    helper.answers["GetRules"] = GLib.Variant("(s)", ("x" * 1000000,))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([CTL, "rules"], env=environment(helper.address), stdout=writer,
                          stderr=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (-13, "")


def test_help_and_version_need_no_bus(daemon, tmp_path):
    daemon.address = f"unix:path={tmp_path}/nothing"
    text = ctl(daemon, "--help").stdout
    assert ctl(daemon, "-h").stdout == text and ctl(daemon, "--json", "--help").stdout == text
    for verb, usage in zip(verbs(), usages()):
        help_text = ctl(daemon, *verb.split(), "--help").stdout
        assert help_text.startswith(f"Usage: bulkheadctl {usage}\n")
        for option in re.findall("--[a-z-]+", usage):
            assert f"\n  {option} " in help_text
    assert "--cgnat on|off" in ctl(daemon, "lan", "--help").stdout
    assert "tunnels forget ID" in ctl(daemon, "tunnels", "--help").stdout
    assert re.fullmatch(r"bulkheadctl \d+\.\d+\.\d+\n", ctl(daemon, "--version").stdout)


def test_options_of_every_verb_stand_anywhere(helper):
    for args in (["--json", "status"], ["status", "--json"], ["tunnels", "--json", "list"]):
        helper.answers["ListTunnels"] = GLib.Variant("(aa{sv})", ([],))
        assert json.loads(ctl(helper, *args).stdout)["version"] == 1
    assert ctl(helper, "tunnels", "trust", "--", "--json").returncode == 0
    assert helper.calls[-1][1] == ("--json",)


def read_data(name):
    with open(os.path.join(SOURCE, "data", name), encoding="utf-8") as file:
        return file.read()


def test_manual_has_every_verb_in_order():
    manual = read_data("bulkheadctl.1")
    assert manual_verbs(manual) == verbs()
    for option in re.findall("--([a-z-]+)", "".join(usages())):
        assert f"Fl -{option}" in manual
    sections = re.findall(r"^\.Sh (.*)$", manual, re.M)
    assert sections[:2] == ["NAME", "THE WAY OUT"]


def complete(bus, *words, before=""):
    """What bash offers for the last word."""
    script = (f"{before}\nsource {os.path.join(SOURCE, 'data/bulkheadctl.bash')}\n"
              'COMP_WORDS=(bulkheadctl "$@"); COMP_CWORD=$#\n'
              '_bulkheadctl bulkheadctl "${!#}" "${COMP_WORDS[COMP_CWORD-1]}"\n'
              'printf "%s\\n" "${COMPREPLY[@]}"\n')
    env = environment(bus.address)
    env["PATH"] = os.path.dirname(os.path.abspath(CTL)) + ":" + env["PATH"]
    done = subprocess.run(["bash", "-c", script, "bash", *words], env=env, capture_output=True,
                          text=True, timeout=SECONDS, check=True)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


def test_completion(helper, tmp_path):
    nasty = f"$(touch {tmp_path}/pwned)"
    helper.answers["ListTunnels"] = GLib.Variant(
        "(aa{sv})", ([{"id": GLib.Variant("s", name)} for name in ("home", nasty)],))
    helper.answers["ListGrants"] = GLib.Variant("(a(usx))", ([(1000, "alice", 1)],))
    assert complete(helper, "re") == ["resume", "ready", "revoke", "rescue"]
    assert complete(helper, "boot", "o") == ["on", "off"]
    assert complete(helper, "revoke", "") == ["alice"]
    assert complete(helper, "--json", "p") == ["pause"]
    assert complete(helper, "tunnels", "t") == ["trust"]
    assert complete(helper, "status", "--w") == ["--watch"]
    assert complete(helper, "lan", "on", "--cgnat", "") == ["on", "off"]
    assert "lo" in complete(helper, "tunnels", "add", "x", "--interface", "")
    offered = complete(helper, "tunnels", "forget", "")
    assert offered[0] == "home" and len(offered) == 2
    words = subprocess.run(["bash", "-c", f"printf %s {offered[1]}"], capture_output=True,
                           text=True, check=True).stdout
    assert words == nasty and not (tmp_path / "pwned").exists()


def test_completion_has_every_verb_and_option(daemon):
    for verb, usage in zip(verbs(), usages()):
        words = verb.split()
        for n, word in enumerate(words):
            assert word in complete(daemon, *words[:n], ""), verb
        arguments = words + (["on"] if verb == "lan" else [])
        for option in re.findall("--[a-z-]+", usage):
            assert option in complete(daemon, *arguments, "--"), verb
