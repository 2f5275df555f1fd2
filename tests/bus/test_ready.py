# SPDX-License-Identifier: GPL-3.0-or-later
"""`bulkheadctl ready --wait SECONDS && start-tunnel`, with the real helper."""
import os
import resource
import subprocess
import time

import pytest

from place import BLOCKING, BROKEN, PAUSED, SECONDS, SOURCE, run, settle, wait_for

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


@pytest.fixture
def starve():
    """Lets a process have no file descriptor more, for a while."""
    before = {}

    def limit(pid, wanted=True):
        before.setdefault(pid, resource.prlimit(pid, resource.RLIMIT_NOFILE))
        used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
        free = min(set(range(len(used) + 1)) - used)
        resource.prlimit(pid, resource.RLIMIT_NOFILE,
                         (free, before[pid][1]) if wanted else before[pid])
    return limit


def guarded(place, link):
    return f'device "{link}"' in place.rules_in_kernel()


def test_not_ready_while_the_links_cannot_be_read(place, script, starve):
    """A new one has no guard then, and a tunnel may be gone: it is said, whoever asks."""
    helper = place.start()
    place.call("Lock")
    assert guarded(place, "eth0") and place.call("Verify") == (True, "")
    starve(helper.pid)
    run("ip", "-n", place.namespace, "link", "add", "usb0", "type", "veth", "peer", "name", "usb1")
    run("ip", "-n", place.namespace, "link", "set", "usb0", "up")
    run("ip", "-n", place.namespace, "route", "add", "198.51.100.0/24", "dev", "usb0")
    wait_for(lambda: not place.property("Ready"))
    enforced, problem = place.call("Verify")
    assert not enforced and "cannot read links" in problem, problem
    wait_for(lambda: place.property("State") == BROKEN)
    assert not place.call("GetStatus")["enforced"] and not place.property("Ready")
    assert script(1).wait(SECONDS) == 3 and not guarded(place, "usb0")
    starve(helper.pid, False)
    wait_for(lambda: place.property("State") == BLOCKING and place.property("Ready"))
    assert place.call("Verify") == (True, "") and guarded(place, "usb0")
