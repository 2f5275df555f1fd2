# SPDX-License-Identifier: GPL-3.0-or-later
"""The wall when none could lock: bulkheadd --close and --boot, and a helper that is refused."""
import os
import re
import signal
import subprocess

import pytest

from place import BLOCKING, BROKEN, BUILD, OFF, PAUSED, SECONDS, run, settle, wait_for

NOWHERE = "unix:path=/nonexistent"


def nft(place, *words):
    return run(*place.enter(), "nft", *words)


def flush(place):
    nft(place, "flush", "ruleset")


def is_closed(place, chains=4):
    """The built-in rules, whatever guards the links; three chains where the kernel takes no second
    verdict."""
    rules = nft(place, "list", "table", "inet", "bulkhead")
    return (rules.count("policy drop"), rules.count("accept"), "jump" in rules) \
        == (chains, chains - 1, False)


def guards(place):
    """The chains at the links, as what they hook and whether any of their rules accepts."""
    rules = nft(place, "list", "table", "netdev", "bulkhead")
    return re.findall(r"hook egress device \S+ priority filter; policy drop;", rules), "accept" in rules


def fix_the_lock(place):
    """The administrator does."""
    os.mkdir(os.path.join(place.directory, "policy.d"), 0o755)
    with open(os.path.join(place.directory, "policy.d/lock.conf"), "w", encoding="utf-8") as file:
        file.write("[bulkhead]\nlocked=true\n")


def close(place, *more, before=""):
    return place.end(place.spawn("--close", *more, address=NOWHERE, before=before), how=None)


@pytest.mark.parametrize("option", [(), ("--if-stored",)], ids=["always", "if-stored"])
def test_close(place, option):
    """What is stored as locked and does not stand is closed; the next helper takes its place."""
    settle(place)
    rules = place.rules_in_kernel()
    place.end(place.helpers[0], signal.SIGKILL)
    assert close(place, *option) == (0, "") and place.rules_in_kernel() == rules
    flush(place)
    status, said = close(place, *option)
    assert status == 0 and "everything is blocked" in said
    assert is_closed(place)
    assert close(place, *option) == (0, "")
    place.start()
    assert place.property("State") == BLOCKING and place.call("Verify") == (True, "")
    place.call("Unlock")
    place.end(place.helpers[-1])
    assert close(place, *option) == (0, "") and place.rules_in_kernel() == ""


@pytest.mark.parametrize("damage, whole", [
    ("chain inet bulkhead output { policy accept; }", False),
    ("add table inet bulkhead { flags dormant; }", False),
    ("flush chain inet bulkhead input; delete chain inet bulkhead input", False),
    ("flush chain inet bulkhead output", True),  # it drops everything now
    ("delete table netdev bulkhead", True),  # no wall is there
])
def test_what_counts_as_a_wall(place, damage, whole):
    """Chains that drop, whatever they are called and however many are left."""
    settle(place, "--no-owner")
    place.end(place.helpers[0], signal.SIGKILL)
    nft(place, damage)
    rules = place.rules_in_kernel()
    status, said = close(place, "--no-owner")
    assert status == 0
    assert (place.rules_in_kernel() == rules) == whole == (said == "")
    assert whole or is_closed(place)


def test_a_helper_that_cannot_start_closes(place):
    """Where no service manager runs --close after it."""
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    flush(place)
    os.chmod(place.state, 0o777)
    status, said = place.end(place.spawn(), how=None)
    assert status == 1 and "everything is blocked" in said and "others may write" in said
    assert is_closed(place)


def test_a_helper_that_never_locked_closes_nothing(place):
    os.mkdir(place.state)
    os.chmod(place.state, 0o777)
    status, said = place.end(place.spawn(), how=None)
    assert status == 1 and "blocked" not in said.lower() and place.rules_in_kernel() == ""
    os.rmdir(place.state)
    status, said = place.end(place.spawn(address=NOWHERE), how=None)
    assert status == 1 and "blocked" not in said.lower() and place.rules_in_kernel() == ""
    place.start()
    place.end(place.helpers[-1])
    status, said = place.end(place.spawn(address=NOWHERE), how=None)
    assert status == 1 and "blocked" not in said.lower() and place.rules_in_kernel() == ""


@pytest.mark.parametrize("mode", [None, 0o700, 0o777], ids=["gone", "empty", "unusable"])
def test_what_was_never_stored(place, mode):
    """Gone by hand, as while a helper ran that never locked: no lock, but an administrator's."""
    if mode:
        os.mkdir(place.state)
        os.chmod(place.state, mode)
    assert close(place, "--if-stored") == (0, "") and place.rules_in_kernel() == ""
    fix_the_lock(place)
    assert "everything is blocked" in close(place, "--if-stored")[1] and is_closed(place)


def test_what_may_be_stored(place):
    """A disk that fails is not an empty one; and without --close it is no option."""
    with open(place.state, "w", encoding="utf-8"):
        pass
    assert "everything is blocked" in close(place, "--if-stored")[1] and is_closed(place)
    status, said = place.end(place.spawn("--if-stored"), how=None)
    assert status == 2 and "--if-stored goes with --close" in said


def test_close_leaves_a_helper_alone(place):
    """It may be about to lock or unlock."""
    settle(place)
    place.helpers[0].send_signal(signal.SIGSTOP)
    assert close(place) == (0, "")
    place.helpers[0].send_signal(signal.SIGCONT)
    assert place.call("Verify") == (True, "")


SPOILT = ["echo what > {file};", "chmod 777 {state};", "rm {file}; mkdir {file};"]


@pytest.mark.parametrize("what, spoil", [
    ("--close", "rm -r {state};"),  # a disk that is not there, for all anybody knows
    *[(what, spoil) for what in ("--close", "--boot") for spoil in SPOILT]])
def test_state_that_cannot_be_read_is_closed(place, what, spoil):
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    flush(place)
    subprocess.run(["sh", "-c", spoil.format(state=place.state, file=place.file)], check=True)
    place.end(place.spawn(what, address=NOWHERE), how=None)
    rules = place.rules_in_kernel()
    assert rules.count("policy drop") >= 3 and "203.0.113.5" not in rules


def test_boot_with_a_broken_disk(place):
    """A state that is there and out of reach: closed, said, and failed."""
    settle(place)
    place.end(place.helpers[0])
    flush(place)
    status, said = place.end(place.spawn(
        "--boot", address=NOWHERE, before=f"mount -t tmpfs -o mode=777 none {place.state};"),
        how=None)
    assert status == 1 and "everything is blocked" in said and "others may write" in said
    assert is_closed(place)
    place.start()
    assert place.property("State") == BLOCKING and not is_closed(place)
    assert "closed" in [event["event"] for event in place.events()]


def test_boot_while_a_helper_has_the_lock(place):
    settle(place)
    rules = place.rules_in_kernel()
    status, said = place.end(place.spawn("--boot", address=NOWHERE), how=None)
    assert status == 1 and "another helper" in said
    assert place.rules_in_kernel() == rules


def crowd(place, hook="postrouting", family="ip", device=""):
    """So many chains of somebody else that the kernel takes none of ours there."""
    chains = "".join(f"chain c{n} {{ type filter hook {hook} {device} priority 0; }}\n"
                     for n in range(1024))
    subprocess.run([*place.enter(), "nft", "-f", "-"], check=True, text=True, timeout=SECONDS,
                   input=f"table {family} crowd {{\n{chains}}}")


def refused(what):
    """For `before`: a kernel that refuses it."""
    module = os.path.join(BUILD, "tests/bus/refusing.so")
    assert os.path.exists(module)
    return (f"export LD_PRELOAD={module} BULKHEAD_TEST_REFUSED={what}"
            " ASAN_OPTIONS=verify_asan_link_order=0;")


@pytest.mark.parametrize("what, arguments, problem", [
    ("routes", (), "cannot read links"), ("watch", ("--no-owner",), "cannot be watched")])
def test_boot_that_does_not_see(place, what, arguments, problem):
    """A lock for links that were never seen, or that goes unseen, is none: closed, and failed."""
    settle(place, *arguments)
    place.end(place.helpers[0], signal.SIGKILL)
    flush(place)
    status, said = place.end(place.spawn("--boot", *arguments, address=NOWHERE,
                                         before=refused(what)), how=None)
    assert status == 1 and "everything is blocked" in said and problem in said
    assert is_closed(place)
    place.start(*arguments)
    assert place.property("State") == BLOCKING and place.property("Ready")


def test_no_helper_whose_rules_go_unseen(place):
    """It would tell of rules that somebody took away. Control: without owner only."""
    settle(place, "--no-owner")
    place.end(place.helpers[0])
    helper = place.spawn("--no-owner", before=refused("watch"))
    status, said = place.end(helper, how=None)
    assert status == 1 and "cannot be watched" in said
    place.start(before=refused("watch"))
    assert place.property("State") == BLOCKING


@pytest.mark.parametrize("guard", [(), ("--no-owner",)], ids=["owner", "plain"])
def test_a_lock_that_the_kernel_refuses(place, guard):
    """Nothing is left open meanwhile, and the lock comes as soon as it is to be had."""
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    flush(place)
    crowd(place)
    status, said = place.end(place.spawn("--boot", *guard, address=NOWHERE), how=None)
    assert status == 1 and "everything is blocked" in said and "refused" in said
    nft(place, "delete", "table", "inet", "bulkhead")
    place.spawn(*guard)
    wait_for(place.bus.has_helper)
    assert place.property("State") == BROKEN
    assert is_closed(place, chains=3)
    nft(place, "delete", "table", "ip", "crowd")
    wait_for(lambda: place.property("State") == BLOCKING)
    assert place.call("Verify") == (True, "")


def test_a_stricter_lock_that_the_kernel_refuses(place):
    """What stands from before lets more out than is wanted now: it does not count as a wall."""
    settle(place)
    place.call("SetLan", "(true, @a{sv} {})")
    place.end(place.helpers[0], signal.SIGKILL)
    nft(place, "flush chain inet bulkhead postrouting; delete chain inet bulkhead postrouting")
    crowd(place)
    os.mkdir(os.path.join(place.directory, "policy.d"), 0o755)
    with open(os.path.join(place.directory, "policy.d/lan.conf"), "w", encoding="utf-8") as file:
        file.write("[bulkhead]\nlan=false\n")
    place.start()
    assert place.property("State") == BROKEN and is_closed(place, chains=3)
    nft(place, "delete", "table", "ip", "crowd")
    wait_for(lambda: place.property("State") == BLOCKING)
    assert place.call("Verify") == (True, "")


def refuse(place):
    """A new link whose egress is full, seen by the helper when it is."""
    helper = place.helpers[-1]
    helper.send_signal(signal.SIGSTOP)
    run("ip", "-n", place.namespace, "link", "add", "eth1", "type", "veth", "peer", "name", "far1")
    crowd(place, "egress", "netdev", "device eth1")
    helper.send_signal(signal.SIGCONT)
    wait_for(lambda: place.property("State") == BROKEN)


def accept(place):
    """The end of that, and all is well."""
    nft(place, "delete", "table", "netdev", "crowd")
    wait_for(lambda: place.property("State") == BLOCKING)
    assert place.call("Verify") == (True, "") and not is_closed(place)
    assert not place.property("Closed") and not place.call("GetStatus")["closed"]


def test_a_link_that_cannot_be_guarded(place):
    """The others stay guarded: raw and bridged frames pass no other chain."""
    settle(place)
    before, accepts = guards(place)
    assert "eth0" in str(before) and accepts
    refuse(place)
    status = place.call("GetStatus")
    problem = status["problem"]
    assert problem.startswith("everything is blocked") and "eth1" in problem
    assert is_closed(place) and guards(place) == (before, False)
    assert status["closed"] and place.property("Closed")
    told = [event["event"] for event in place.events()]
    assert told[-1] == "closed" and "broken" not in told, "nothing that says: possible leak"
    told = place.call_as_nobody("GetStatus", "()")
    assert "everything is blocked" in told and "eth1" not in told.split("problem")[1].split(">")[0]
    accept(place)


def test_a_pause_ends_though_the_kernel_refuses_the_lock(place):
    """Whoever resumes wants it closed."""
    settle(place)
    place.call("Pause", "(uint32 600,)")
    wait_for(lambda: place.property("State") == PAUSED)
    refuse(place)
    assert place.fails("Resume")[0] == "KernelRefused"
    assert place.property("State") == BROKEN and is_closed(place)
    accept(place)


def test_settings_change_while_rules_of_another_lock_stand(place):
    """They are nobody's to take out but by unlocking."""
    settle(place)
    saved = nft(place, "list", "table", "inet", "bulkhead")
    place.call("Unlock")
    assert place.property("State") == OFF
    rules = saved[saved.index("\tchain refuse"):saved.index("\tchain input")]
    nft(place, f"table inet bulkhead {{ {rules} }}")
    wait_for(lambda: not place.call("Verify")[0])
    assert place.property("State") == BROKEN and not place.property("Closed")
    for method, arguments in (("Resume", "()"), ("AddExceptions", "(['198.51.100.0/24'],)"),
                              ("SetLan", "(true, @a{sv} {})")):
        place.call(method, arguments)
        assert place.property("State") == BROKEN and "refuse" in place.rules_in_kernel()
    assert "198.51.100.0/24" in place.call("ListExceptions")
    place.call("Unlock")
    assert place.property("State") == OFF and place.rules_in_kernel() == ""
    assert [event["event"] for event in place.events()][-1] == "unlocked"
