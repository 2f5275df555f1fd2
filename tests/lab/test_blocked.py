# SPDX-License-Identifier: GPL-3.0-or-later
"""What was refused is shown, what left is not, and a flood costs next to nothing."""
import glob
import os
import subprocess
import time

import pytest

from checks import assert_seen
from traffic import TARGET
from vpn import wait_for
from wallclock import on_a_steady_clock

NOBODY = 65534
FLOOD = 100_000

# Sends as the user says, from a control group as the desktop makes one for each program.
SEND = """
import os, socket, sys, time
group, uid, address, kind, port = sys.argv[1], *sys.argv[2:]
if group:
    with open(group + "/cgroup.procs", "w") as file:
        file.write("0")
os.setuid(int(uid))
family = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
try:
    s.connect((address, int(port)))
    s.send(b"x")
except (PermissionError, ConnectionRefusedError):
    time.sleep(1.5)  # as a program that would try again
    sys.exit()
sys.exit("it was not refused")
"""

FLOODER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(int(sys.argv[1])):
    try:
        s.sendto(b"x", ("198.51.%d.%d" % (n // 250 % 250, n % 250 + 1), 1 + n % 60000))
    except PermissionError:
        pass
"""


def send(lab, family, kind, port, uid=0, group=""):
    lab.victim.run("/usr/bin/python3", "-c", SEND, group, uid, TARGET[family], kind, port)


def told(lab):
    return lab.call("ListBlocked")[0]


def entry(lab, port):
    """The entry of that port, when there is one."""
    return next((e for e in told(lab) if e["port"] == port), None)


def send_until_seen(lab, family, kind, port, uid=0, group=""):
    """The list is a sample: one packet among others may be left out, the tenth is not."""
    def tried():
        send(lab, family, kind, port, uid, group)
        return wait_for(lambda: entry(lab, port), 1.2)
    assert wait_for(tried, 10), (kind, port)
    return entry(lab, port)


def blocked_count(lab):
    return lab.property("BlockedCount")


def cost(lab):
    """(wake-ups, µs of CPU, kB of memory) of the helper so far, of all its threads."""
    wakes = nanoseconds = memory = 0
    for task in glob.glob(f"/proc/{lab.helper.pid}/task/*"):
        with open(task + "/status", encoding="ascii") as file:
            status = dict(line.split(":", 1) for line in file)
        with open(task + "/schedstat", encoding="ascii") as file:
            nanoseconds += int(file.read().split()[0])
        wakes += int(status["voluntary_ctxt_switches"])
        memory = int(status["VmRSS"].split()[0])
    return wakes, nanoseconds // 1000, memory


def wakes_in(lab, seconds):
    """One look among several may meet a router's advertisement, which wakes everybody."""
    before = cost(lab)[0]
    time.sleep(seconds)
    return cost(lab)[0] - before


@pytest.fixture
def group():
    """The control group of a program that the desktop started."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = [line.split()[4] for line in file if " - cgroup2 " in line]
    path = os.path.join(mounts[0], "app-gnome-org.bulkhead.Probe-1234.scope")
    os.mkdir(path)
    yield path
    assert wait_for(lambda: not open(path + "/cgroup.procs", encoding="ascii").read(), 5)
    os.rmdir(path)


@pytest.mark.parametrize("family", [4, 6])
@on_a_steady_clock()
def test_refused_is_shown(lab, family):
    lab.must("lock")
    for kind, port, uid in ("tcp", 7101, 0), ("udp", 7102, NOBODY), ("udp", 53, 0):
        before = int(time.time())
        e = send_until_seen(lab, family, kind, port, uid)
        assert (e["address"], e["protocol"], e["uid"]) == (TARGET[family], kind, uid)
        assert e["count"] >= 1 and before <= e["first"] <= e["last"] <= time.time()
    assert blocked_count(lab) >= 3
    assert f"{TARGET[family]} tcp 7101" in lab.must("blocked")
    lab.must("unlock")
    assert (told(lab), blocked_count(lab)) == ([], 0)
    assert lab.must("blocked") == "nothing was refused\n"


@pytest.mark.parametrize("family", [4, 6])
def test_program_of_a_datagram(lab, group, family):
    lab.must("lock")
    e = send_until_seen(lab, family, "udp", 7103, NOBODY, group)
    assert (e["program"], e["uid"]) == ("org.bulkhead.Probe", NOBODY)


def test_allowed_is_never_shown(lab, wireguard):
    """What goes through the tunnel, to its server, to the LAN and to exceptions."""
    lab.must("lan", "on")
    lab.must("except", "add", TARGET[4], "--protocol", "udp", "--port", "7104")
    lab.must("lock")
    assert wireguard.works()
    for family in (4, 6):
        assert lab.page(family)
    assert_seen(lab, [f"udp,to={TARGET[4]},port=7104,tag=exception,rate=40,dev=eth0",
                      "udp,to=192.168.7.1,port=7105,tag=lan,rate=40,dev=eth0"])
    wireguard.kill()
    send_until_seen(lab, 4, "udp", 7106)
    shown = {(e["address"], e["port"]) for e in told(lab)}
    assert not {(TARGET[4], 7104), ("192.168.7.1", 7105)} & shown
    assert not {address for address, _ in shown} & {"203.0.113.5", "2001:db8:5::5"}


def test_a_flood_costs_little(lab, record_property):
    """As many destinations as packets, so that nothing is put together."""
    lab.must("lock")
    send_until_seen(lab, 4, "udp", 7107)
    time.sleep(2)  # it listens for the first again
    wakes, cpu, memory = cost(lab)
    began = time.monotonic()
    for _ in range(4):
        lab.victim.run("/usr/bin/python3", "-c", FLOODER, FLOOD // 4)
    seconds = time.monotonic() - began
    time.sleep(2.5)
    after = cost(lab)
    seconds += 2.5
    wakes, cpu, grown = after[0] - wakes, after[1] - cpu, after[2] - memory
    print(f"{FLOOD} packets in {seconds - 2.5:.1f} s: {wakes / seconds:.1f} wake-ups a second, "
          f"{cpu / 1000:.1f} ms of CPU, {grown} kB more")
    record_property("wakeups_per_second", wakes / seconds)
    assert blocked_count(lab) >= FLOOD
    assert len(told(lab)) <= 64
    assert wakes / seconds < 5
    assert cpu < 100_000
    assert grown < 512
    assert min(wakes_in(lab, 2) for _ in range(4)) == 0, "it wakes with nothing to tell"


def test_nothing_is_kept(lab):
    lab.must("lock")
    send_until_seen(lab, 4, "udp", 7108)
    files = [name for folder in (lab.state_directory, os.path.join(lab.directory, "log"))
             for name in glob.glob(os.path.join(folder, "*"))]
    assert files
    found = subprocess.run(["grep", "-l", "-F", TARGET[4], *files, lab.log_path("helper")],
                           capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
