# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be mended: another program owns a table of our name, and the kernel lets nobody else
touch it. It is told everywhere within a second, and mended when the program is gone."""
import json
import signal
import time

import pytest

from checks import BLOCKING, BROKEN, assert_silent, state
from traffic import probe_ways
from vpn import wait_for

LAB = {"owner": False}
TOLD = 1  # second


class Squatter:
    """An nft that takes the table away and keeps one of the same name for itself."""

    def __init__(self, lab):
        self.lab = lab
        self.nft = lab.victim.start("nft", "-i", stdin=-1, text=True, log=lab.log_path("squatter"),
                                    env={"HOME": lab.directory})  # where its history goes

    def squat(self):
        there = "inet bulkhead" in self.lab.victim.run("nft", "list", "tables").stdout
        # One transaction: there is no moment for a repair in between.
        self.nft.stdin.write(("delete table inet bulkhead; " if there else "")
                             + "add table inet bulkhead { flags owner; }\n")
        self.nft.stdin.flush()

    def is_in(self):
        listed = self.lab.victim.run("nft", "list", "tables").stdout
        rules = self.lab.victim.run("nft", "list", "table", "inet", "bulkhead", check=False).stdout
        return "inet bulkhead" in listed and "owner" in rules and "chain" not in rules

    def leave(self):
        self.lab.victim.stop(self.nft, signal.SIGKILL)


@pytest.fixture
def squatter(lab):
    made = Squatter(lab)
    yield made
    made.leave()


def broken_events(lab):
    events = json.loads(lab.must("log", "--json", "--limit", "0"))["events"]
    return [event for event in events if event["event"] == "broken"]


def assert_told(lab, known):
    """In status, in ready's and verify's exit status, as a property, and in the log."""
    status = json.loads(lab.must("status", "--json"))
    assert (status["state"], status["enforced"]) == ("broken", False) and status["problem"]
    code, _, said = lab.ctl("ready")
    assert code == 1 and "does not hold the wanted rules" in said
    assert lab.ctl("verify")[0] == 1
    assert lab.ctl("ready", "--wait", "1")[0] == 3
    assert lab.property("Ready") is False and lab.property("State") == 5
    told = broken_events(lab)[known:]
    assert told and told[0]["problem"]


def assert_mended(lab, squatter):
    squatter.leave()
    assert wait_for(lambda: lab.ctl("ready")[0] == 0, 5)
    assert state(lab) == BLOCKING and lab.property("Ready") is True
    assert_silent(lab, probe_ways(lab, (4, 6)))


def test_taken_away_while_locked(lab, squatter, record_property):
    lab.must("lock")
    known = len(broken_events(lab))
    squatter.squat()
    began = time.monotonic()
    assert wait_for(lambda: lab.property("State") == 5, 3, 0.01), "not told"
    seconds = time.monotonic() - began
    assert squatter.is_in()
    print(f"broken is told after {seconds * 1000:.0f} ms")
    record_property("milliseconds", round(seconds * 1000))
    assert seconds < TOLD
    assert state(lab) == BROKEN
    assert_told(lab, known)
    assert_mended(lab, squatter)


def test_in_the_way_of_a_start(lab, squatter):
    """The stored lock cannot be had: the helper runs and says so."""
    lab.must("lock")
    known = len(broken_events(lab))
    lab.stop_helper(signal.SIGKILL)
    squatter.squat()
    assert wait_for(squatter.is_in, 3)
    lab.start_helper()
    assert_told(lab, known)
    assert_mended(lab, squatter)


def test_in_the_way_of_locking(lab, squatter):
    """Nothing was locked, and nothing is said to be: the caller gets the kernel's answer."""
    squatter.squat()
    assert wait_for(squatter.is_in, 3)
    code, _, said = lab.ctl("lock")
    assert code == 1 and "kernel refused" in said
    assert lab.property("Locked") is False and lab.property("Ready") is False
    squatter.leave()
    assert wait_for(lambda: state(lab) != BROKEN, 5)
