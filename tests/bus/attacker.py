#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile program of some user: python3 attacker.py BUS-SOCKET ATTACK [ARGUMENT]...

Prints what came of it as JSON: mostly how often each answer was given, by the error's name.
"""
import collections
import heapq
import json
import os
import queue
import random
import sys
import threading
import time

from gi.repository import Gio, GLib

from wire import BUS, NAME, PATH, SECONDS, Wire, helper, message, to_bytes

MAY_ASK = Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION
NO_ANSWER = Gio.DBusMessageFlags.NO_REPLY_EXPECTED
WEAKER = [("Unlock", None), ("Pause", "(uint32 60,)"), ("SetLan", "(true, @a{sv} {})"),
          ("AddExceptions", "(['198.51.100.0/24'],)"), ("Authorize", None)]
WAITING = 126  # answers a connection may wait for: dbus-daemon's limit
BUSY = NAME + ".Error.Failed"
LOCKED_UP = 2  # seconds: polkitd answers nobody any more; the helper waits for five


def seconds_of_checks(bus, count):
    """Until so many at once have their answers, on the machine as it is now. Those who left before
    are in the way until the helper knows of it, and while polkitd does not answer for them."""
    answers = {BUSY}
    patience = time.monotonic() + SECONDS
    while BUSY in answers:
        assert time.monotonic() < patience, "the helper keeps the places of those who left"
        time.sleep(0.05)
        start = time.monotonic()
        wires = [Wire(bus) for _ in range(count)]
        calls = [(wire, wire.send(helper("Unlock"))) for wire in wires]
        answers = {wire.answer(serial) for wire, serial in calls}
        for wire in wires:
            wire.close()
    return time.monotonic() - start


def come_and_vanish(bus, count, in_flight, longest):
    waiting = []
    for i in range(count):
        method, arguments = random.choice(WEAKER)
        wire = Wire(bus)
        wire.send(helper(method, arguments, MAY_ASK if i % 8 == 0 else MAY_ASK & 0))
        heapq.heappush(waiting, (time.monotonic() + random.uniform(0, longest), i, wire))
        if len(waiting) == in_flight:
            until, _, wire = heapq.heappop(waiting)
            time.sleep(max(0, until - time.monotonic()))
            wire.close()
    for _, _, wire in waiting:
        wire.close()


def vanish(bus, count, in_flight):
    """Callers that leave at a random moment of the check; some of them let a person be asked. How
    long a check takes depends on what else the machine does, and is measured ten times."""
    longest = [seconds_of_checks(bus, int(in_flight))]
    locked_up = False
    for _ in range(10):
        come_and_vanish(bus, int(count) // 10, int(in_flight), longest[-1])
        if not locked_up:
            seconds = seconds_of_checks(bus, int(in_flight))
            locked_up = seconds > LOCKED_UP
            longest.append(longest[-1] if locked_up else seconds)
    return {"longest": longest}


def crowd(bus, connections, method, arguments=None):
    """As many calls at once as the bus lets through. Says "sent" when they are on their way."""
    wires = [Wire(bus) for _ in range(int(connections))]
    answers = collections.Counter()
    sent = [(wire, [wire.send(helper(method, arguments)) for _ in range(WAITING)])
            for wire in wires]
    print("sent", flush=True)
    for wire, serials in sent:
        left = set(serials)
        while left:
            received = wire.receive()
            if received.get_reply_serial() in left:
                left.remove(received.get_reply_serial())
                answers[received.get_error_name()] += 1
    return answers


def mute(bus, count, method):
    """Calls that want no answer, which the bus does not count."""
    wire = Wire(bus)
    for _ in range(int(count)):
        wire.send(helper(method, None, NO_ANSWER))
    return {"the bus listens": wire.call(message(BUS, "/org/freedesktop/DBus", BUS, "GetId"))}


def forge(bus, count):
    """Answers that nobody asked for, as if polkit had said yes, and tales of who left the bus."""
    wire = Wire(bus)
    yes = GLib.Variant.parse(None, "((true, false, @a{ss} {}),)", None, None)
    for serial in range(1, int(count) + 1):
        reply = Gio.DBusMessage()
        reply.set_message_type(Gio.DBusMessageType.METHOD_RETURN)
        reply.set_destination(NAME)
        reply.set_reply_serial(serial)
        reply.set_body(yes)
        wire.send(reply)
        left = Gio.DBusMessage.new_signal("/org/freedesktop/DBus", BUS, "NameOwnerChanged")
        left.set_destination(NAME)
        left.set_body(GLib.Variant("(sss)", (f":1.{serial}", f":1.{serial}", "")))
        wire.send(left)
    return {"the bus listens": wire.call(message(BUS, "/org/freedesktop/DBus", BUS, "GetId"))}


def descriptors(bus, connections):
    """Sixteen open files with each call that waits."""
    wires = [Wire(bus) for _ in range(int(connections))]
    null = os.open("/dev/null", os.O_RDONLY)
    answers = collections.Counter()
    serials = []
    for wire in wires:
        wire.call(message(BUS, "/org/freedesktop/DBus", BUS, "GetId"))  # files are welcome now
        for _ in range(4):
            call = helper("Unlock")
            call.set_unix_fd_list(Gio.UnixFDList.new_from_array(
                [os.dup(null) for _ in range(16)]))
            serials.append((wire, wire.send(call, [null] * 16)))
    print("sent", flush=True)
    for wire, serial in serials:
        answers[wire.answer(serial)] += 1
    return answers


def large(bus, connections, size):
    """Calls that wait, each of this many bytes."""
    wires = [Wire(bus) for _ in range(int(connections))]
    texts = GLib.Variant("(as)", (["x" * 40] * (int(size) // 48),))
    blob = bytearray(to_bytes(message(NAME, PATH, NAME, "AddExceptions", texts), 2))
    for wire in wires:
        wire.socket.sendall(blob)
    print("sent", flush=True)
    return collections.Counter(wire.answer(2) for wire in wires)


def ask(bus, connections, held, method, size=0):
    """Calls that a person is to be asked about, `held` of which get no answer. Says how the others
    were answered, and waits to be killed."""
    wires = [Wire(bus) for _ in range(int(connections))]
    texts = "(['" + "x" * int(size) + "'],)" if size else None
    serials = [wire.send(helper(method, texts, MAY_ASK)) for wire in wires]
    answers = queue.SimpleQueue()
    for wire, serial in zip(wires, serials):
        wire.socket.settimeout(None)
        threading.Thread(target=lambda wire=wire, serial=serial: answers.put(wire.answer(serial)),
                         daemon=True).start()
    answered = [answers.get(timeout=SECONDS) for _ in range(len(wires) - int(held))]
    print(json.dumps(collections.Counter(answered)), flush=True)
    answers.get()


def bad_bytes(bus):
    """What is no message, or no text: the bus ends the connection."""
    good = to_bytes(helper("ForgetTunnel", "('home',)"), 2)
    bad = {
        "not UTF-8": good.replace(b"home", b"h\xffme"),
        "NUL in a string": good.replace(b"home", b"h\0me"),
        "longer than it is": good.replace(b"\x04\0\0\0home", b"\xff\0\0\0home"),
        "another type than said": good.replace(b"\x01s\0", b"\x01u\0"),
        "no such type": good.replace(b"\x01s\0", b"\x01!\0"),
        "no such byte order": b"?" + good[1:],
        "no such version": good[:3] + b"\x09" + good[4:],
        "no such message": good[:1] + b"\x00" + good[2:],
        "no serial": good[:8] + b"\0\0\0\0" + good[12:],
        "of 4 GiB": good[:4] + b"\xff\xff\xff\xff" + good[8:],
        "a method's name that is none": good.replace(b"ForgetTunnel\0", b"Forget-unnel\0"),
    }
    ends = {}
    for what, blob in bad.items():
        assert blob != good, what
        wire = Wire(bus)
        wire.socket.sendall(blob)
        try:
            while wire.receive().get_reply_serial() != 2:
                pass
            ends[what] = "answered"
        except EOFError:
            ends[what] = "closed"
    return ends


def come_and_go(bus, count):
    """Connections that ask for something small and go without a word."""
    answers = collections.Counter()
    for _ in range(int(count)):
        wire = Wire(bus)
        answers[wire.call(message(NAME, PATH, BUS + ".Peer", "Ping"))] += 1
        wire.close()
    return answers


def insist(bus, count, method):
    """The same again and again, by one process, each time with a person to be asked."""
    wire = Wire(bus)
    return collections.Counter(wire.call(helper(method, None, MAY_ASK)) for _ in range(int(count)))


def strange(bus):
    """Calls of what is not there, or not for the caller."""
    calls = {
        "unknown method": message(NAME, PATH, NAME, "OpenEverything"),
        "no interface": message(NAME, PATH, None, "Unlock"),
        "unknown interface": message(NAME, PATH, "org.bulkhead.Helper2", "Unlock"),
        "unknown path": message(NAME, "/", NAME, "Unlock"),
        "a path below": message(NAME, PATH + "/tunnels", NAME, "Unlock"),
        "read-only property": message(
            NAME, PATH, BUS + ".Properties", "Set",
            GLib.Variant("(ssv)", (NAME, "Locked", GLib.Variant("b", False)))),
        "unknown property": message(NAME, PATH, BUS + ".Properties", "Get",
                                    GLib.Variant("(ss)", (NAME, "Password"))),
    }
    wire = Wire(bus)
    return {what: wire.call(call) for what, call in calls.items()}


def steal(bus):
    """Both names that the lock's safety hangs on."""
    wire = Wire(bus)
    flags = 2 | 4  # in another's place, and at once
    return {name: wire.call(message(BUS, "/org/freedesktop/DBus", BUS, "RequestName",
                                    GLib.Variant("(su)", (name, flags))))
            for name in (NAME, "org.freedesktop.PolicyKit1")}


ATTACKS = (vanish, crowd, mute, forge, descriptors, large, ask, bad_bytes, come_and_go, insist,
           strange, steal)


def main(bus, attack, *arguments):
    random.seed(attack)
    print(json.dumps({attack.__name__: attack for attack in ATTACKS}[attack](bus, *arguments)))


main(*sys.argv[1:])
