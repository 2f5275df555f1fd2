# SPDX-License-Identifier: GPL-3.0-or-later
"""What bulkheadctl lists: rules, tunnels, exceptions, the log, what was refused, grants."""
import json

from gi.repository import GLib

from ctl_place import TUNNELS, ctl, ctl_json


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
