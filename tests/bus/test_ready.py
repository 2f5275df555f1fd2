# SPDX-License-Identifier: GPL-3.0-or-later
"""`bulkheadctl ready --wait SECONDS && start-tunnel`, with the real helper."""
import os
import subprocess
import time

import pytest

from place import BLOCKING, PAUSED, SECONDS, SOURCE, run, settle

CTL = os.environ.get("BULKHEADCTL") or os.path.join(SOURCE, "build/app/ctl/bulkheadctl")


@pytest.fixture
def script(place):
    """Starts a reconnect script; its exit status when it ends. What it starts writes the rules."""
    started = os.path.join(place.directory, "started")
    running = []

    def start(seconds=SECONDS):
        command = (f"{CTL} ready --wait {seconds} && "
                   f"ip netns exec {place.namespace} nft list ruleset > {started}")
        running.append(subprocess.Popen(
            ["sh", "-c", command], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": place.bus.address}))
        return running[-1]
    start.file = started
    yield start
    for each in running:
        if each.poll() is None:
            each.kill()
        each.wait(SECONDS)


def is_waiting(script, process):
    time.sleep(0.5)
    return process.poll() is None and not os.path.exists(script.file)


def test_ready_at_once(place, script):
    settle(place)
    assert script().wait(SECONDS) == 0
    with open(script.file, encoding="utf-8") as file:
        assert "policy drop" in file.read()


def test_ready_before_the_helper_runs(place, script):
    """The lock is stored, the helper is not there yet: it waits for the name, and for the lock."""
    settle(place)
    place.end(place.helpers[-1])
    run("ip", "netns", "exec", place.namespace, "nft", "flush", "ruleset")
    process = script()
    assert is_waiting(script, process)
    place.start()
    assert process.wait(SECONDS) == 0
    with open(script.file, encoding="utf-8") as file:
        assert "policy drop" in file.read()


def test_ready_when_it_is_locked(place, script):
    place.start()
    process = script()
    assert is_waiting(script, process) and not place.property("Ready")
    place.call("Lock")
    assert place.property("Ready")
    assert process.wait(SECONDS) == 0 and place.property("State") == BLOCKING


def test_ready_when_the_pause_is_over(place, script):
    settle(place)
    place.call("Pause", "(uint32 2,)")
    process = script()
    assert is_waiting(script, process) and place.property("State") == PAUSED
    assert process.wait(SECONDS) == 0 and place.property("Ready")


def test_never_ready(place, script):
    place.start()
    assert script(1).wait(SECONDS) == 3
    place.end(place.helpers[-1])
    assert script(1).wait(SECONDS) == 3
    assert not os.path.exists(script.file)
