# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input of every sort: a clear error that names the thing, nothing changed, never weaker."""
import os
import stat

from gi.repository import GLib
import pytest

from place import BLOCKING, GOOD, NAME, NOBODY, OFF, PATH, Bus, run, settle, tunnel


def other(**changes):
    return tunnel(**{"name": "s 'b'", "interface": "s 'b'", **changes})


def endpoint(text):
    return other(endpoints=f"as ['{text}']")


BAD_INPUT = [
    ("AddTunnel", tunnel(colour="s 'red'"), "InvalidArgument", "colour"),
    ("AddTunnel", tunnel(mark="s '7'"), "InvalidArgument", "mark"),
    ("AddTunnel", tunnel(mark="x 7"), "InvalidArgument", "mark"),
    ("AddTunnel", tunnel(endpoints="s '203.0.113.9:1/udp'"), "InvalidArgument", "endpoints"),
    ("AddTunnel", tunnel(name=None), "InvalidArgument", "name"),
    ("AddTunnel", tunnel(interface=None), "InvalidArgument", "interface"),
    ("AddTunnel", tunnel(endpoints=None), "InvalidArgument", "endpoints"),
    ("AddTunnel", other(kind="u 4"), "InvalidArgument", "kind"),
    ("AddTunnel", other(user="u 4294967295"), "InvalidArgument", "user"),
    ("AddTunnel", tunnel(name="s ''"), "InvalidArgument", "name"),
    ("AddTunnel", tunnel(name="s 'a\\nb'"), "InvalidArgument", "a\\nb"),
    ("AddTunnel", tunnel(name=f"s '{'x' * 65}'"), "InvalidArgument", "64"),
    ("AddTunnel", tunnel(name=f"s '{'x' * 1000000}'"), "InvalidArgument", "64"),
    ("AddTunnel", other(interface="s 'sixteen-letters-'"), "InvalidArgument", "15"),
    ("AddTunnel", other(interface="s 'a b'"), "InvalidArgument", "interface"),
    ("AddTunnel", other(interface="s 'a\\nb'"), "InvalidArgument", "a\\nb"),
    ("AddTunnel", other(interface="s 'wg*'"), "InvalidArgument", "wg*"),
    ("AddTunnel", other(interface="s 'lo'"), "InvalidArgument", "loopback"),
    ("AddTunnel", other(interface="s 'eth0'"), "InvalidArgument", "uplink"),
    ("AddTunnel", other(interface="s 'br0'"), "InvalidArgument", "bridge"),
    ("AddTunnel", tunnel(), "Exists", "home"),
    ("AddTunnel", tunnel(name="s 'b'"), "Exists", "wg7"),
    ("AddTunnel", endpoint("203.0.113.5:0/udp"), "InvalidArgument", "203.0.113.5:0/udp"),
    ("AddTunnel", endpoint("203.0.113.5:65536/udp"), "InvalidArgument", "65536"),
    ("AddTunnel", endpoint("203.0.113.5:1/icmp"), "InvalidArgument", "udp or tcp"),
    ("AddTunnel", endpoint("203.0.113.5:1"), "InvalidArgument", "protocol"),
    ("AddTunnel", endpoint("vpn.example.org:1/udp"), "InvalidArgument", "vpn.example.org"),
    ("AddTunnel", endpoint("0.0.0.0:1/udp"), "InvalidArgument", "0.0.0.0"),
    ("AddTunnel", endpoint("224.0.0.251:1/udp"), "InvalidArgument", "224.0.0.251"),
    ("AddTunnel", endpoint("127.0.0.1:1/udp"), "InvalidArgument", "127.0.0.1"),
    ("AddTunnel", endpoint("[ff02::1]:1/udp"), "InvalidArgument", "ff02::1"),
    ("AddTunnel", endpoint("[::]:1/tcp"), "InvalidArgument", "::"),
    ("AddTunnel", other(endpoints="as " + str([f"203.0.113.9:{n}/udp" for n in range(1, 258)])),
     "InvalidArgument", "256"),
    ("TrustTunnel", "('nowhere',)", "NotFound", "nowhere"),
    ("TrustTunnel", "('lo',)", "InvalidArgument", "loopback"),
    ("TrustTunnel", "('eth0',)", "InvalidArgument", "uplink"),
    ("TrustTunnel", "('br0',)", "InvalidArgument", "bridge"),
    ("TrustTunnel", "('far',)", "InvalidArgument", "far"),
    ("ForgetTunnel", "('nowhere',)", "NotFound", "nowhere"),
    ("ForgetTunnel", "('tun0',)", "NotFound", "tun0"),
    ("AddExceptions", "(['198.51.100.0/24', '192.0.2.1/24'],)", "InvalidArgument", "192.0.2.1/24"),
    ("AddExceptions", "(['198.51.100.0/33'],)", "InvalidArgument", "198.51.100.0/33"),
    ("AddExceptions", "(['0.0.0.0/0'],)", "InvalidArgument", "0.0.0.0/0"),
    ("AddExceptions", "(['::/0'],)", "InvalidArgument", "::/0"),
    ("AddExceptions", "(['198.51.100.7 tcp 0'],)", "InvalidArgument", "tcp 0"),
    ("AddExceptions", "(['198.51.100.7 udp 53'],)", "InvalidArgument", "udp 53"),
    ("AddExceptions", "(['198.51.100.7 tcp 853'],)", "InvalidArgument", "tcp 853"),
    ("AddExceptions", "(['198.51.100.7 icmp 8'],)", "InvalidArgument", "icmp 8"),
    ("AddExceptions", "(['example.org'],)", "InvalidArgument", "example.org"),
    ("AddExceptions", "(['198.51.100.7\\n'],)", "InvalidArgument", "198.51.100.7\\n"),
    ("RemoveExceptions", "(['192.0.2.0/24', '198.51.100.7'],)", "NotFound", "198.51.100.7"),
    ("Pause", "(uint32 0,)", "InvalidArgument", "0"),
    ("Pause", "(uint32 86401,)", "InvalidArgument", "86401"),
    ("SetLan", "(true, {'public': <true>})", "InvalidArgument", "public"),
    ("SetLan", "(true, {'cgnat': <'yes'>})", "InvalidArgument", "cgnat"),
    ("Lock", "('now',)", "org.freedesktop.DBus.Error.InvalidArgs", ""),
]


@pytest.mark.parametrize("method, arguments, error, names", BAD_INPUT,
                         ids=[f"{row[0]}-{row[3]}" for row in BAD_INPUT])
def test_bad_input(settled, method, arguments, error, names):
    before = settled.everything()
    name, message = settled.fails(method, arguments)
    assert name == error
    assert names in message
    assert len(message) < 400 and "\n" not in message
    assert settled.everything() == before


def test_no_kind_of_a_link_that_is_up(place):
    """What a link tells is looked at before the tunnel is taken; its kind may be any number."""
    helper = place.start()
    for words in ("link add end0 type veth peer name end1", "address add 10.9.0.2/24 dev end0",
                  "link set end1 up", "link set end0 up"):
        run("ip", "-n", place.namespace, *words.split())
    for kind in (4, 4294967295):
        name, message = place.fails("AddTunnel", tunnel(interface="s 'end0'", kind=f"u {kind}"))
        assert name == "InvalidArgument" and "kind" in message
    assert helper.poll() is None and place.property("State") == OFF


def test_a_key_given_twice(settled):
    """GLib's text form cannot say it; the wire can."""
    pair = GLib.Variant.parse(None, "{'cgnat', <true>}", None, None)
    options = GLib.Variant.new_array(GLib.VariantType("{sv}"), [pair, pair])
    with pytest.raises(GLib.Error, match="cgnat.*twice"):
        settled.bus.connection.call_sync(
            NAME, PATH, NAME, "SetLan",
            GLib.Variant.new_tuple(GLib.Variant("b", True), options), None, 0, -1, None)
    assert settled.property("Lan") is False


def test_second_helper(place):
    settle(place)
    before = place.everything()
    status, said = place.end(place.spawn(state=place.state + "2"), how=None)
    assert status == 1 and NAME in said
    assert not os.path.exists(place.state + "2")
    other = os.path.join(place.directory, "other")
    os.mkdir(other)
    bus = Bus(other)
    try:
        status, said = place.end(place.spawn(address=bus.address), how=None)
    finally:
        bus.stop()
    assert status == 1 and place.state in said and "another helper" in said
    assert place.everything() == before


def truncate(path):
    os.truncate(path, os.path.getsize(path) // 2)


def randomise(path):
    with open(path, "wb") as file:
        file.write(os.urandom(5000))


def empty(path):
    os.truncate(path, 0)


def symlink(path):
    os.rename(path, path + ".away")
    os.symlink(path + ".away", path)


def give_away(path):
    os.chown(path, NOBODY, NOBODY)


def make_directory(path):
    os.unlink(path)
    os.mkdir(path)


@pytest.mark.parametrize("spoil", [truncate, randomise, empty, symlink, give_away, make_directory])
def test_unreadable_state(place, spoil):
    helper = place.start()
    place.call("SetLan", "(true, @a{sv} {})")
    place.end(helper)
    spoil(place.file)
    helper = place.start()
    assert (place.property("State"), place.property("Locked"), place.property("Lan")) == (
        BLOCKING, True, False)
    assert place.call("Verify")[0] and place.rules_in_kernel()
    assert place.file in str([e for e in place.events() if e["event"] == "unreadable"])
    place.call("Unlock")
    assert os.path.lexists(place.file + ".unreadable")
    assert stat.S_ISREG(os.lstat(place.file).st_mode)
    assert place.end(helper)[0] == 0
    place.start()
    assert place.property("State") == OFF


def test_full_disk(place):
    os.mkdir(place.state)
    helper = place.start(
        before=f"mount -t tmpfs -o size=32k,mode=0700 tmpfs {place.state} && cd / &&")
    inside = f"/proc/{helper.pid}/root{place.state}"
    place.file = inside + "/state.conf"
    place.call("AddTunnel", tunnel())
    ballast = os.path.join(inside, "ballast")

    def fill():
        with open(ballast, "wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(bytes(512))

    for first in ("Lock", "Unlock"):
        place.call(first)
        fill()
        before = place.everything()
        for method in ("Lock" if first == "Unlock" else "Unlock", "AddExceptions", "SetLan"):
            name, message = place.fails(method, GOOD[method])
            assert name == "StoreFailed"
            assert place.state in message and "No space left" in message
        assert place.everything() == before
        os.unlink(ballast)
    place.call("Lock")
    assert place.property("State") == BLOCKING
