# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of kernels before 6.9: a plain table, put back when another program takes it away."""
import json
import re
import signal
import subprocess
import time

import pytest

from checks import BLOCKING, PROTECTED, Silence, assert_seen, assert_silent, state
from lab import SERVER
from test_tamper import FLOOD, reapply, tamperings
from traffic import probe_ways
from vpn import wait_for

LAB = {"owner": False}
BACK_MS = 100  # 10 are meant, on an idle machine; this one has two cores that both flood
WAITED_MS = 1000  # a grace period of RCU is over by then, also beside the flood


def repairs(lab):
    """What the log says of them: it tells at most a few a second, however many there were."""
    return [event for event in events(lab) if event.get("event") == "restored"]


def events(lab):
    return json.loads(lab.must("log", "--json", "--limit", "0"))["events"]


def whole(lab):
    return lab.ctl("verify")[0] == 0


class Attacker:
    """An nft that stays. The end of one that does not makes the next who changes rules wait: the
    kernel closes its socket with nftables' lock held, for an RCU grace period (nft_rcv_nl_event),
    which beside a flood takes a hundred milliseconds and more, whoever waits."""

    def __init__(self, lab):
        self.victim = lab.victim
        self.log = lab.log_path("attacker")
        self.nft = self.victim.start("nft", "-i", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                     text=True, log=self.log, env={"HOME": lab.directory})

    def attack(self, command):
        self.nft.stdin.write(command + "\n")
        self.nft.stdin.flush()

    def leave(self):
        """Control: each command was taken."""
        self.nft.stdin.close()
        assert self.nft.wait(5) == 0
        with open(self.log, encoding="utf-8") as file:
            assert file.read() == ""


@pytest.mark.parametrize("attack", ["flush ruleset"] + tamperings())
def test_put_back(lab, attack, record_property):
    """L105, L108: how many packets left until the table was back, and after how long; who did it."""
    def blamed():
        return [event["by"] for event in events(lab)[known:] if event["event"] == "removed"]

    lab.must("lock")
    known = len(events(lab))
    assert_silent(lab, FLOOD, 0.1)
    ways = probe_ways(lab, (4, 6))
    attacker = Attacker(lab)
    leaked, gaps, before = 0, [], len(repairs(lab))
    for i in range(5):
        mark = "BhGap%d:" % i
        with lab.witness(mark) as witness, lab.senders(mark, FLOOD):
            time.sleep(0.02)
            began = time.monotonic()
            attacker.attack(attack)
            assert wait_for(lambda: len(blamed()) > i and whole(lab), 3, 0.001), "not put back"
            gaps.append((time.monotonic() - began) * 1000)
        leaked += witness.seen.marked
    attacker.leave()
    told = [int(event["microseconds"]) / 1000 for event in repairs(lab)[before:]]
    print(f"nft {attack}: {leaked} packets in 5 attacks; seen whole again after at most "
          f"{max(gaps):.0f} ms; the log tells of {told} ms")
    record_property("leaked", leaked)
    assert told and max(told) < BACK_MS
    assert len(blamed()) == 5 and all(re.fullmatch(r"nft \(\d+\)", who) for who in blamed())
    assert_silent(lab, ways)
    assert state(lab) == BLOCKING


@pytest.mark.parametrize("attack", ["flush ruleset"] + tamperings())
def test_put_back_behind_one_that_ends(lab, attack):
    """The kernel makes us wait for its end, but not for long."""
    lab.must("lock")
    known = len(events(lab))
    for _ in range(5):
        with lab.senders("BhGap:", FLOOD):
            time.sleep(0.02)
            lab.victim.run("nft", attack)
            assert wait_for(lambda: whole(lab), 3, 0.001), "not put back"
    told = events(lab)[known:]
    waited = [int(event["microseconds"]) / 1000 for event in told if event["event"] == "restored"]
    blamed = [event["by"] for event in told if event["event"] == "removed"]
    print(f"the log tells of {waited} ms")
    assert waited and max(waited) < WAITED_MS
    assert len(blamed) == 5 and all(re.fullmatch(r"nft \(\d+\)", who) for who in blamed), blamed


def test_a_pause_made_longer(lab):
    """By another program: the rules are ours in every word, and stay open for longer."""
    lab.must("lock")
    lab.must("pause", "300")
    known = len(events(lab))
    lab.victim.nft("flush set inet bulkhead paused\n"
                   "add element inet bulkhead paused { ipv4 timeout 1d, ipv6 timeout 1d }\n")
    assert wait_for(lambda: "1d" not in lab.victim.run(
        "nft", "list", "set", "inet", "bulkhead", "paused").stdout, 3)
    assert "ipv4 timeout 5m expires" in lab.victim.run(
        "nft", "list", "set", "inet", "bulkhead", "paused").stdout
    assert "removed" in [event["event"] for event in events(lab)[known:]]


def test_never_broken_for_long(lab):
    """Two hundred flushes: it is whole after the last one, and says so."""
    lab.must("lock")
    for _ in range(200):
        lab.victim.run("nft", "flush", "ruleset")
    assert wait_for(lambda: whole(lab), 3)
    assert wait_for(lambda: state(lab) == BLOCKING, 3)
    assert_silent(lab, probe_ways(lab, (4, 6)))


def test_reapplications(lab):
    lab.must("lock")
    with Silence(lab, FLOOD):
        reapply(lab, 300)


def test_helper_dies_and_is_back(lab, wireguard):
    lab.must("lock")
    ways = probe_ways(lab, (4, 6))
    with Silence(lab, ways, wireguard.endpoints()):
        lab.stop_helper(signal.SIGKILL)
        assert wireguard.works()
        wireguard.kill()
        time.sleep(0.3)
        lab.start_helper()
        assert state(lab) == BLOCKING and whole(lab)
        wireguard.start().wait_up()
        assert lab.page(6) == SERVER[6]
        assert wait_for(lambda: state(lab) == PROTECTED, 3)
        wireguard.kill()
        time.sleep(0.3)
    lab.must("unlock")
    assert lab.victim.run("nft", "list", "ruleset").stdout.strip() == ""
    assert_seen(lab, ways)
