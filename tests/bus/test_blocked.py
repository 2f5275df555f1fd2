# SPDX-License-Identifier: GPL-3.0-or-later
"""What was refused is told to whom it concerns, counted, and forgotten."""
import os
import subprocess

from gi.repository import GLib

from place import NAME, NOBODY, PATH, SECONDS, run, wait_for

TO = "198.51.100.9"

SEND = """
import os, socket, sys
os.setuid(int(sys.argv[1]))
kind, port, times = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for _ in range(times):
    s = socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    try:
        s.connect(("%s", port))
        s.send(b"x")
    except (PermissionError, ConnectionRefusedError):
        continue
    sys.exit("it was not refused")
""" % TO


def send(place, uid, kind, port, times=1):
    run("ip", "netns", "exec", place.namespace, "/usr/bin/python3", "-c", SEND, str(uid), kind,
        str(port), str(times))


def connect(place):
    """Gives the place a network whose packets would leave, and that is quiet by itself."""
    run("ip", "-n", place.namespace, "link", "set", "eth0", "addrgenmode", "none")
    run("ip", "-n", place.namespace, "addr", "flush", "dev", "eth0")
    for link in "lo", "far", "br0":
        run("ip", "-n", place.namespace, "link", "set", link, "addrgenmode", "none", "up")
    run("ip", "-n", place.namespace, "addr", "add", "192.0.2.1/24", "dev", "eth0")


def seen(place):
    """(protocol, port, uid) -> count of what went to TO; without the kernel's own housekeeping."""
    return {(entry["protocol"], entry["port"], entry["uid"]): entry["count"]
            for entry in place.call("ListBlocked") if entry["address"] == TO}


def send_until_seen(place, uid, kind, port):
    """The list is a sample: one packet among others may be left out, the tenth is not."""
    def tried():
        send(place, uid, kind, port)
        return (kind, port, uid) in seen(place)
    wait_for(tried)


def test_what_was_refused(place):
    place.start()
    connect(place)
    place.call("Lock")
    assert seen(place) == {}
    send_until_seen(place, 0, "tcp", 443)
    send_until_seen(place, NOBODY, "udp", 53)
    assert set(seen(place)) == {("tcp", 443, 0), ("udp", 53, NOBODY)}
    wait_for(lambda: place.property("BlockedCount") >= sum(seen(place).values()) >= 2)
    place.call("Unlock")
    assert (place.call("ListBlocked"), place.property("BlockedCount")) == ([], 0)
    place.call("Lock")
    assert seen(place) == {}


def test_what_may_leave_is_not_told(place):
    place.start()
    connect(place)
    place.call("AddExceptions", f"(['{TO} udp 7001'],)")
    place.call("Lock")
    done = subprocess.run(
        ["ip", "netns", "exec", place.namespace, "/usr/bin/python3", "-c", SEND, "0", "udp", "7001",
         "1"], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert "it was not refused" in done.stderr
    send_until_seen(place, 0, "udp", 7002)
    assert set(seen(place)) == {("udp", 7002, 0)}


def test_another_start_forgets(place):
    helper = place.start()
    connect(place)
    place.call("Lock")
    send_until_seen(place, 0, "udp", 7002)
    place.end(helper)
    place.start()
    assert (seen(place), place.property("Locked")) == ({}, True)
    send_until_seen(place, 0, "udp", 7003)
    assert set(seen(place)) == {("udp", 7003, 0)}


def test_the_count_is_of_all_and_tells_no_address(place):
    """The list is a sample, the count is not, also when the rules are written anew meanwhile."""
    place.start()
    connect(place)
    place.call("Lock")
    signals = []
    place.bus.connection.signal_subscribe(
        NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", PATH, None, 0,
        lambda *arguments: signals.append(arguments[5].unpack()[1]))
    send(place, 0, "udp", 7001, 500)
    wait_for(lambda: place.property("BlockedCount") >= 500)
    assert sum(seen(place).values()) < 100
    place.call("SetLan", "(true, @a{sv} {})")
    before = place.property("BlockedCount")
    send(place, 0, "udp", 7001, 300)
    wait_for(lambda: place.property("BlockedCount") >= before + 300)
    assert place.property("BlockedCount") < before + 400
    while GLib.MainContext.default().iteration(False):
        pass
    told = [change["BlockedCount"] for change in signals if "BlockedCount" in change]
    assert told and told == sorted(told)
    assert len(told) <= 8, "more than one in a second"
    assert TO not in str(signals)


def test_nothing_is_written(place):
    place.start()
    connect(place)
    place.call("Lock")
    send_until_seen(place, 0, "udp", 7001)
    place.end(place.helpers[0])
    for folder in place.state, place.log:
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                assert TO not in file.read(), name


def test_another_program_hears_the_group(place):
    """The lock does not depend on being told of."""
    place.start()
    listener = subprocess.Popen(
        ["ip", "netns", "exec", place.namespace, "/usr/bin/python3", "-c", HEAR],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert listener.stdout.readline() == b"heard\n"
        place.call("Lock")
        connect(place)
        send(place, 0, "udp", 7001)
        assert seen(place) == {}
        assert place.call("Verify") == (True, "")
        place.call("Unlock")
    finally:
        listener.communicate(timeout=SECONDS)
    assert "nflog group 4224: not permitted, or another program hears it" in place.end(place.helpers[0])[1]


# Binds nflog group 4224 (NFULNL_CFG_CMD_BIND) until there is nothing more to read.
HEAR = """
import socket, struct, sys
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
s.bind((0, 0))
s.send(struct.pack("=IHHII", 28, 0x401, 5, 1, 0) + struct.pack("!BBH", 0, 0, 4224)
       + struct.pack("=HHBxxx", 5, 1, 1))
assert struct.unpack_from("=i", s.recv(4096), 16)[0] == 0
print("heard", flush=True)
sys.stdin.read()
"""
