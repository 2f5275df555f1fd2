# SPDX-License-Identifier: GPL-3.0-or-later
"""What bulkheadctl asks of the helper, what it refuses, and how it ends."""
import os
import pty
import pwd
import subprocess

from gi.repository import GLib
import pytest

from ctl_place import BLOCKING, CTL, ERROR, OFF, SECONDS, ctl, ctl_json, environment, status

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
