# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile programs of an ordinary user who is logged in at this machine: whatever they send, the
lock stays as it is, the helper stays, and the others are answered. attacker.py has the attacks."""
import collections
import os
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from gi.repository import Gio, GLib
import pytest

from place import NAME, PATH, SECONDS, SOURCE, settle, wait_for
from polkit_place import PolkitPlace, attack, result

ERROR = NAME + ".Error."
BUS_ERROR = "org.freedesktop.DBus.Error."
DENIED = BUS_ERROR + "AccessDenied"
INVALID = BUS_ERROR + "InvalidArgs"
PROPERTIES = "org.freedesktop.DBus.Properties"
MIB = 1024 * 1024
LARGEST = 16 * MIB  # of all messages here; GDBus keeps a buffer for it
KEPT = LARGEST + 6 * MIB  # what all of this may leave of memory
QUICK = 5  # seconds that root waits at most, on a machine that has other work too
PLACES = 16  # of a user who waits for polkit
REFUSALS = 20  # of a user told in the log, in a minute
XML = ElementTree.parse(os.path.join(SOURCE, "data", NAME + ".xml"))


class Helper:
    """What the kernel knows about a helper's process."""

    def __init__(self, process):
        self.pid = process.pid

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def memory(self):
        """What is its own, in bytes."""
        with open(f"/proc/{self.pid}/smaps_rollup", encoding="utf-8") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss_Anon"))

    def is_instrumented(self):
        """AddressSanitizer keeps what is freed, and reserves terabytes of addresses."""
        with open(f"/proc/{self.pid}/statm", encoding="utf-8") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") > 1 << 40


@pytest.fixture(scope="module")
def machine():
    place = PolkitPlace()
    settle(place)
    place.alice = place.session("alice")
    place.prompts = place.agent(place.alice, "wait")
    helper = Helper(place.helpers[0])
    memory = helper.memory()
    try:
        yield place
        if not helper.is_instrumented():
            wait_for(lambda: helper.memory() < memory + KEPT)
        print(f"memory {memory / MIB:.1f} MiB before, {helper.memory() / MIB:.1f} MiB after")
        status, said = place.end(place.helpers[0])
        assert status == 0, said
    finally:
        place.close()


@pytest.fixture
def unharmed(machine):
    """The machine under attack; afterwards everything is as it was."""
    helper = Helper(machine.helpers[0])
    if machine.revive_polkitd():  # the helper has to find the new one
        machine.prompts.close()
        machine.prompts = machine.agent(machine.alice, "wait")
    # Until polkitd has answered all that was before.
    wait_for(lambda: machine.alice.call("GetRules").startswith("("))
    before = machine.everything()
    files, threads = helper.files(), helper.threads()
    told = len(machine.events())
    minutes = time.monotonic() // 60
    yield machine
    machine.hang_polkitd(False)
    assert machine.helpers[0].poll() is None, machine.helpers[0].stderr.read()
    assert machine.everything() == before
    assert machine.call("Verify") == (True, "")
    minutes = time.monotonic() // 60 - minutes + 1
    users = collections.Counter(event.get("uid") for event in machine.events()[told:])
    assert max(users.values(), default=0) <= REFUSALS * minutes
    wait_for(lambda: (helper.files(), helper.threads()) == (files, threads))


def slowest_lock(place, attacker):
    """Seconds that root waited for the slowest Lock, one after the other during the attack."""
    slowest = 0
    while attacker.poll() is None:
        start = time.monotonic()
        place.call("Lock")
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.02)
    return slowest


@pytest.fixture
def questions(machine):
    """Counts what polkitd is asked, by watching the bus."""
    path = os.path.join(machine.directory, "questions")
    with open(path, "w", encoding="utf-8") as file:
        monitor = subprocess.Popen(
            ["dbus-monitor", "--address", machine.bus.address, "--profile",
             "member='CheckAuthorization'"], stdin=subprocess.DEVNULL, stdout=file)

    def count():
        with open(path, encoding="utf-8") as file:
            return file.read().count("\tCheckAuthorization")

    wait_for(lambda: machine.alice.call("GetRules") and count() > 0)
    yield count
    monitor.kill()
    monitor.wait(SECONDS)


def test_callers_that_vanish(unharmed, questions):
    """At random moments of 10,000 checks. For most of them polkit was already asked; when polkitd
    locked itself up, at least for the first ones, which it answered, and for all that may wait."""
    first = 16
    stayed = 11 * first  # whose checks were measured
    attacker = attack(unharmed.alice, "vanish", 10000, first)
    slowest = slowest_lock(unharmed, attacker)
    outcome = result(attacker)
    print(outcome, f"polkit was asked {questions()} times, slowest lock {slowest:.3f} s")
    assert questions() > 5000 + stayed or (questions() >= first + PLACES
                                           and not unharmed.polkitd_answers())
    assert slowest < QUICK


def test_ten_thousand_calls_that_wait(unharmed):
    """polkitd hangs. Each call is answered, root locks, and others read the state."""
    unharmed.hang_polkitd(True)
    attacker = attack(unharmed.alice, "crowd", 80, "Unlock")
    assert attacker.stdout.readline() == "sent\n"
    start = time.monotonic()
    unharmed.call("Lock")
    assert time.monotonic() - start < QUICK
    assert unharmed.session("bob").call("GetStatus").startswith("(")
    assert time.monotonic() - start < 2 * QUICK + 2
    answers = result(attacker)
    assert set(answers) == {ERROR + "NotAuthorized", ERROR + "Failed"}
    assert sum(answers.values()) == 80 * 126


def test_calls_that_want_no_answer(unharmed):
    attacker = attack(unharmed.alice, "mute", 10000, "Unlock")
    assert slowest_lock(unharmed, attacker) < QUICK
    assert result(attacker) == {"the bus listens": None}


def test_open_files_with_each_call(unharmed):
    """They are closed while the calls wait."""
    helper = Helper(unharmed.helpers[0])
    files = helper.files()
    unharmed.hang_polkitd(True)
    attacker = attack(unharmed.alice, "descriptors", 16)
    assert attacker.stdout.readline() == "sent\n"
    unharmed.call("Lock")
    assert helper.files() == files
    answers = result(attacker)
    assert set(answers) == {ERROR + "NotAuthorized", ERROR + "Failed"}
    assert sum(answers.values()) == 64


@pytest.mark.parametrize("connections, size, most", [
    (64, 60000, 32), (24, MIB, 16), (6, LARGEST, 3)], ids=["60 KB", "1 MiB", "16 MiB"])
def test_large_calls_that_wait(unharmed, connections, size, most):
    """Together they hold 16 MiB. The largest ones take so long to come that the first has its
    answer before the last."""
    helper = Helper(unharmed.helpers[0])
    unharmed.hang_polkitd(True)
    attacker = attack(unharmed.alice, "large", connections, size)
    assert attacker.stdout.readline() == "sent\n"
    slowest = slowest_lock(unharmed, attacker)
    print(f"slowest lock {slowest:.3f} s, memory {helper.memory() / MIB:.1f} MiB")
    answers = result(attacker)
    assert set(answers) == {ERROR + "NotAuthorized", ERROR + "Failed"}
    assert answers[ERROR + "NotAuthorized"] <= most


def test_forged_answers_of_polkit(unharmed):
    """And of the bus, while an unlock waits for a person."""
    unharmed.prompts.prompts()  # of other tests
    call = unharmed.alice.begin("Unlock", interactive=True)
    assert unharmed.prompts.next().startswith("asked")
    forger = attack(unharmed.session("bob"), "forge", 10000)
    assert result(forger) == {"the bus listens": None}
    assert call.poll() is None
    call.kill()
    call.communicate()
    assert unharmed.prompts.next() == "cancelled"


def test_bytes_that_are_no_message(unharmed):
    ends = result(attack(unharmed.alice, "bad_bytes"))
    assert len(ends) == 11 and set(ends.values()) == {"closed"}


def test_thousands_of_connections(unharmed):
    attacker = attack(unharmed.alice, "come_and_go", 3000)
    assert slowest_lock(unharmed, attacker) < QUICK
    assert result(attacker) == {"null": 3000}


def test_stealing_names(unharmed):
    """Also polkit's, while nobody has it; and by root, who may own them."""
    names = (NAME, "org.freedesktop.PolicyKit1")
    assert result(attack(unharmed.alice, "steal")) == dict.fromkeys(names, DENIED)
    unharmed.stop_polkitd()
    try:
        assert result(attack(unharmed.alice, "steal")) == dict.fromkeys(names, DENIED)
    finally:
        unharmed.start_polkitd()
    exists = unharmed.bus.connection.call_sync(
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
        GLib.Variant("(su)", (NAME, 2 | 4)), None, 0, -1, None).unpack()[0]
    assert exists == 3


def test_what_is_not_there(unharmed):
    """And what cannot be written. The bus itself stops what the helper has no use for."""
    answers = result(attack(unharmed.alice, "strange"))
    assert answers == {
        "unknown method": BUS_ERROR + "UnknownMethod", "no interface": DENIED,
        "unknown interface": DENIED, "unknown path": BUS_ERROR + "UnknownMethod",
        "a path below": BUS_ERROR + "UnknownMethod", "read-only property": INVALID,
        "unknown property": INVALID}
    for element in XML.iter("property"):
        name = GLib.Variant("s", element.get("name"))
        value = GLib.Variant("v", default_of(element.get("type")))
        assert error_of(unharmed, PROPERTIES, "Set", GLib.Variant.new_tuple(
            GLib.Variant("s", NAME), name, value))[0] == INVALID, element.get("name")


def default_of(kind):
    """Some value of a type."""
    return GLib.Variant.new_from_bytes(GLib.VariantType(kind), GLib.Bytes.new(b""),
                                       False).get_normal_form()


def error_of(place, interface, member, arguments):
    """What root gets: the error's name, and its text."""
    with pytest.raises(GLib.Error) as raised:
        place.bus.connection.call_sync(NAME, PATH, interface, member, arguments, None, 0,
                                       SECONDS * 1000, None)
    name = Gio.DBusError.get_remote_error(raised.value)
    Gio.DBusError.strip_remote_error(raised.value)
    return name, raised.value.message


TYPES = ("()", "(s)", "(u)", "(i)", "(b)", "(x)", "(d)", "(o)", "(g)", "(as)", "(ay)", "(au)",
         "(aas)", "(a{sv})", "(aa{sv})", "(a{ss})", "(ss)", "(us)", "(bb)", "(ba{sv})", "(ba{ss})",
         "(b(s))", "((s))", "(a(usx))", "(" + "s" * 200 + ")", "(" + "a" * 30 + "s)")


@pytest.mark.parametrize("method", list(XML.iter("method")), ids=lambda method: method.get("name"))
def test_wrong_types(machine, method):
    """By root, whom nothing else refuses."""
    before = machine.everything()
    kind = "(" + "".join(argument.get("type") for argument in method.iter("arg")
                         if argument.get("direction") == "in") + ")"
    for wrong in (*TYPES, kind[:-1] + "s)"):
        if wrong != kind:
            name, text = error_of(machine, NAME, method.get("name"), default_of(wrong))
            assert name == INVALID and len(text) < 1000
    assert machine.everything() == before


LONG = "x" * 65536
HOSTILE_ARGUMENTS = {
    "a name of 64 KiB": ("TrustTunnel", "(s)", (LONG,)),
    "a name of 64 KiB to forget": ("ForgetTunnel", "(s)", (LONG,)),
    "an exception of 64 KiB": ("AddExceptions", "(as)", ([LONG],)),
    "an exception of 64 KiB to remove": ("RemoveExceptions", "(as)", ([LONG],)),
    "1 MiB of exceptions, the last one wrong": (
        "AddExceptions", "(as)", (["198.51.100.0/24 tcp 22"] * 45000 + ["198.51.100.0/24 tcp x"],)),
    "as many again to remove, none there": (
        "RemoveExceptions", "(as)", ([f"10.{n >> 8}.{n & 255}.0/24" for n in range(45000)],)),
    "more exceptions than may be": ("AddExceptions", "(as)", (["::1"] * 200001,)),
    "1 MiB of empty exceptions": ("AddExceptions", "(as)", ([""] * 200000,)),
    "a tunnel's name of 64 KiB": ("AddTunnel", "(a{sv})", ({
        "name": GLib.Variant("s", LONG), "interface": GLib.Variant("s", "wg8"),
        "endpoints": GLib.Variant("as", [])},)),
    "an interface of 64 KiB": ("AddTunnel", "(a{sv})", ({
        "name": GLib.Variant("s", "b"), "interface": GLib.Variant("s", LONG),
        "endpoints": GLib.Variant("as", [])},)),
    "an endpoint of 64 KiB": ("AddTunnel", "(a{sv})", ({
        "name": GLib.Variant("s", "b"), "interface": GLib.Variant("s", "wg8"),
        "endpoints": GLib.Variant("as", [LONG])},)),
    "1 MiB of endpoints": ("AddTunnel", "(a{sv})", ({
        "name": GLib.Variant("s", "b"), "interface": GLib.Variant("s", "wg8"),
        "endpoints": GLib.Variant("as", [f"10.1.1.1:{n}/udp" for n in range(1, 50000)])},)),
    "50,000 options": ("SetLan", "(ba{sv})", (True, {
        f"option{n}": GLib.Variant("b", True) for n in range(50000)})),
    "an option's name of 64 KiB": ("SetLan", "(ba{sv})", (True, {LONG: GLib.Variant("b", True)})),
}


@pytest.mark.parametrize("what", HOSTILE_ARGUMENTS)
def test_hostile_arguments(machine, what):
    """By root: what anybody who is authorised may say."""
    before = machine.everything()
    method, kind, arguments = HOSTILE_ARGUMENTS[what]
    start = time.monotonic()
    name, text = error_of(machine, NAME, method, GLib.Variant(kind, arguments))
    took = time.monotonic() - start
    assert name in (ERROR + "InvalidArgument", ERROR + "NotFound")
    assert 0 < len(text) < 400 and "\n" not in text
    assert took < QUICK
    assert machine.everything() == before


def test_a_nested_option(machine):
    """As deep as D-Bus allows, where a number is wanted."""
    before = machine.everything()
    value = GLib.Variant("u", 1)
    for _ in range(60):
        value = GLib.Variant("v", value)
    name, text = error_of(machine, NAME, "SetLan", GLib.Variant("(ba{sv})", (True, {
        "cgnat": value})))
    assert name == ERROR + "InvalidArgument" and "cgnat" in text
    assert machine.everything() == before


def test_whoever_is_in_the_way_others_get_their_answers(unharmed):
    """Two hostile users at once, with a hanging polkitd and all the waiting they can have."""
    unharmed.hang_polkitd(True)
    bob = unharmed.session("bob")
    attackers = [attack(session, "crowd", 20, method)
                 for session in (unharmed.alice, bob) for method in ("Unlock", "Lock")]
    for attacker in attackers:
        assert attacker.stdout.readline() == "sent\n"
    ada = unharmed.session("ada")
    start = time.monotonic()
    assert ada.call("GetStatus").startswith("(")
    for method in ("Lock", "Verify"):
        unharmed.call(method)
    assert time.monotonic() - start < 2 * QUICK + 2
    for attacker in attackers:
        assert sum(result(attacker).values()) == 20 * 126
