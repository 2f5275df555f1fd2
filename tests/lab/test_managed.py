# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that the administrator fixed, on the wire: what the files say is what leaves."""
import json
import os
import signal
import time

import pytest

from checks import BLOCKING, OFF, PROTECTED, Silence, assert_seen, assert_silent, state
from traffic import TARGET, probe_ways
from vpn import wait_for

LOCK = "[bulkhead]\nlocked=true\n"


class Files:
    """policy.d, written to as an administrator's tool does: aside, then into place."""

    def __init__(self, lab):
        self.lab, self.folder = lab, os.path.join(lab.directory, "config", "policy.d")
        os.makedirs(self.folder, mode=0o755, exist_ok=True)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path + "~", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + "~", mode)
        os.rename(path + "~", path)

    def remove(self):
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        assert wait_for(lambda: not self.status()["fixed"], 5)

    def status(self):
        return json.loads(self.lab.must("status", "--json"))

    def wait_fixed(self, *settings):
        assert wait_for(lambda: self.status()["fixed"] == list(settings), 5), self.status()


@pytest.fixture
def files(lab):
    made = Files(lab)
    yield made
    made.remove()


def test_locked_and_let_go_by_a_file(lab, files):
    ways = probe_ways(lab, (4, 6))
    assert_seen(lab, ways)
    files.write("10-lock.conf", LOCK)
    files.wait_fixed("lock")
    with Silence(lab, ways):
        for verb in (["unlock"], ["pause", "60"]):
            assert lab.ctl(*verb)[0] == 4
        lab.stop_helper(signal.SIGKILL)
        lab.start_helper()
        time.sleep(0.2)
    assert state(lab) == BLOCKING
    files.remove()
    assert wait_for(lambda: state(lab) == OFF, 3)
    assert_seen(lab, ways)


def test_a_file_of_no_use_opens_nothing(lab, files):
    """Neither while the helper runs nor when it starts: not what it says, nor what was fixed."""
    ways = probe_ways(lab, (4, 6))
    assert_seen(lab, ways)
    files.write("10-lock.conf", LOCK)
    files.wait_fixed("lock")
    with Silence(lab, ways):
        files.write("10-lock.conf", f"[bulkhead]\nlan=true\n[exceptions]\nany={TARGET[4]}\nnonsense")
        assert wait_for(lambda: files.status()["managed_problem"], 5)
        files.write("10-lock.conf", f"[bulkhead]\nlan=true\n[exceptions]\nany={TARGET[4]}\n", 0o666)
        time.sleep(0.3)
        assert lab.ctl("unlock")[0] == 4
        lab.stop_helper()
        lab.start_helper()
        assert lab.ctl("unlock")[0] == 4
        time.sleep(0.2)


def test_a_tunnel_of_the_administrators(lab, files, wireguard):
    """It works as one that the user trusts; the user's own is none while it is fixed."""
    lab.must("lock")
    assert wait_for(lambda: state(lab) == PROTECTED, 3)
    files.write("20-tunnel.conf", LOCK + "[tunnel office]\ninterface=tun7\n")
    files.wait_fixed("lock", "tunnels")
    assert state(lab) == BLOCKING and not wireguard.works()
    files.write("20-tunnel.conf",
                LOCK + f"[tunnel office]\ninterface={wireguard.link}\nkind=wireguard\n"
                "endpoints=203.0.113.5:51820/udp\n")
    assert wait_for(lambda: state(lab) == PROTECTED, 5)
    assert wireguard.works()
    assert_silent(lab, probe_ways(lab, (4, 6)), endpoints=wireguard.endpoints())
