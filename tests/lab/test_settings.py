# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input, bad files, full disks, a second helper: a clear error, and the lock never weaker."""
import glob
import os
import shutil
import signal
import time

import pytest

from checks import BLOCKING, BROKEN, Silence, assert_seen, assert_silent, state
from traffic import ordinary_ways, probe_ways

E = ["--endpoint", "203.0.113.5:51820/udp"]
ADD = ["tunnels", "add", "t", "--interface"]
TUNNEL = [*ADD, "wg9"]
WEB = ["except", "add", "198.51.100.9", "--protocol"]
BAD_USE = (1, 2)  # refused by the helper, or already by bulkheadctl

# What is asked, the exit statuses that are right, and what the error must name.
BAD = {
    "trust-unknown": (["tunnels", "trust", "nothing-of-that-name"], (10,), "nothing-of-that-name"),
    "forget-unknown": (["tunnels", "forget", "nothing-of-that-name"], (10,), "nothing-of-that-name"),
    "cidr-long": (["except", "add", "198.51.100.0/33"], BAD_USE, "198.51.100.0/33"),
    "cidr-words": (["except", "add", "not-an-address"], BAD_USE, "not-an-address"),
    "cidr-host-name": (["except", "add", "example.org"], BAD_USE, "example.org"),
    "cidr-everything": (["except", "add", "0.0.0.0/0"], BAD_USE, "0.0.0.0/0"),
    "cidr-everything-6": (["except", "add", "::/0"], BAD_USE, "::/0"),
    "exception-multicast": (["except", "add", "224.0.0.0/4"], BAD_USE, "224.0.0.0/4"),
    "exception-dns": ([*WEB, "udp", "--port", "53"], BAD_USE, "53"),
    "exception-dot": ([*WEB, "tcp", "--port", "853"], BAD_USE, "853"),
    "exception-port-0": ([*WEB, "tcp", "--port", "0"], BAD_USE, "0"),
    "exception-port-big": ([*WEB, "tcp", "--port", "65536"], BAD_USE, "65536"),
    "exception-port-without-protocol": ([*WEB, "icmp", "--port", "7"], BAD_USE, "port"),
    "exception-protocol": ([*WEB, "gre"], BAD_USE, "gre"),
    "except-remove-unknown": (["except", "remove", "192.0.2.99"], (10, 1), "192.0.2.99"),
    "port-0": (TUNNEL + ["--endpoint", "203.0.113.5:0/udp"], BAD_USE, "203.0.113.5:0"),
    "port-big": (TUNNEL + ["--endpoint", "203.0.113.5:65536/udp"], BAD_USE, "65536"),
    "no-port": (TUNNEL + ["--endpoint", "203.0.113.5/udp"], BAD_USE, "203.0.113.5/udp"),
    "no-protocol": (TUNNEL + ["--endpoint", "203.0.113.5:51820"], BAD_USE, "203.0.113.5:51820"),
    "protocol": (TUNNEL + ["--endpoint", "203.0.113.5:51820/sctp"], BAD_USE, "sctp"),
    "endpoint-any": (TUNNEL + ["--endpoint", "0.0.0.0:51820/udp"], BAD_USE, "0.0.0.0"),
    "endpoint-any-6": (TUNNEL + ["--endpoint", "[::]:51820/udp"], BAD_USE, "[::]"),
    "endpoint-multicast": (TUNNEL + ["--endpoint", "224.0.0.5:51820/udp"], BAD_USE, "224.0.0.5"),
    "endpoint-multicast-6": (TUNNEL + ["--endpoint", "[ff02::5]:51820/udp"], BAD_USE, "ff02::5"),
    "endpoint-broadcast": (TUNNEL + ["--endpoint", "255.255.255.255:51820/udp"], BAD_USE, "255.255.255.255"),
    "endpoint-loopback": (TUNNEL + ["--endpoint", "127.0.0.1:51820/udp"], BAD_USE, "127.0.0.1"),
    "endpoint-mapped": (TUNNEL + ["--endpoint", "[::ffff:0.0.0.0]:51820/udp"], BAD_USE, "::ffff:"),
    "endpoint-name": (TUNNEL + ["--endpoint", "vpn.example.org:51820/udp"], BAD_USE, "vpn.example.org"),
    "endpoint-prefix": (TUNNEL + ["--endpoint", "203.0.113.0/24:51820/udp"], BAD_USE, "203.0.113.0/24"),
    "name-newline": (["tunnels", "add", "a\nb", "--interface", "wg9", *E], BAD_USE, "name"),
    "name-empty": (["tunnels", "add", "", "--interface", "wg9", *E], BAD_USE, "name"),
    "name-long": (["tunnels", "add", "n" * 65, "--interface", "wg9", *E], BAD_USE, "name"),
    "interface-long": ([*ADD, "sixteen-letters0", *E], BAD_USE, "sixteen-letters0"),
    "interface-newline": ([*ADD, "wg\n9", *E], BAD_USE, "interface"),
    "interface-empty": ([*ADD, "", *E], BAD_USE, "interface"),
    "interface-path": ([*ADD, "../wg9", *E], BAD_USE, "../wg9"),
    "interface-wildcard": ([*ADD, "wg*", *E], BAD_USE, "wg*"),
    "interface-lo": ([*ADD, "lo", *E], BAD_USE, "lo"),
    "interface-uplink": ([*ADD, "eth0", *E], BAD_USE, "eth0"),
    "mark-words": (TUNNEL + E + ["--mark", "soon"], BAD_USE, "soon"),
    "mark-big": (TUNNEL + E + ["--mark", "0x100000000"], BAD_USE, "0x100000000"),
    "user-unknown": (TUNNEL + E + ["--user", "nobody-of-that-name"], BAD_USE, "nobody-of-that-name"),
    "pause-0": (["pause", "0"], BAD_USE, "0"),
    "pause-long": (["pause", "86401"], BAD_USE, "86401"),
    "pause-negative": (["pause", "-5"], BAD_USE, "-5"),
    "pause-words": (["pause", "soon"], BAD_USE, "soon"),
    "lan-words": (["lan", "perhaps"], (2,), "perhaps"),
    "verb-unknown": (["open-sesame"], (2,), "open-sesame"),
    "no-verb-argument": (["tunnels", "add"], (2,), ""),
}


def picture(lab):
    """Everything asked for and everything enforced, without counters."""
    return lab.must("rules"), lab.must("tunnels", "list"), lab.must("except", "list"), state(lab)


@pytest.mark.parametrize("case", BAD)
def test_bad_input(lab, case):
    arguments, statuses, named = BAD[case]
    lab.must("tunnels", "add", "home", "--interface", "wg0", *E, "--mark", "0xca6c")
    lab.must("lock")
    before = picture(lab)
    status, out, err = lab.ctl(*arguments)
    assert status in statuses, f"exit {status}: {out}{err}"
    assert named in err, f"the error does not name {named!r}: {err!r}"
    assert len(err.strip().splitlines()) <= 3 and "GDBus" not in err, f"not for people: {err!r}"
    assert picture(lab) == before
    assert lab.ctl("verify")[0] == 0


def test_taken_twice(lab):
    lab.must("tunnels", "add", "home", "--interface", "wg0", *E)
    before = picture(lab)
    for name, link in (("home", "wg8"), ("other", "wg0")):
        status, _, err = lab.ctl("tunnels", "add", name, "--interface", link, *E)
        assert status == 1 and ("home" in err or "wg0" in err), err
    assert picture(lab) == before


def test_only_root_may_change(lab):
    """Reading is for everyone; weakening and strengthening are for uid 0."""
    lab.must("lock")
    before = picture(lab)

    def as_nobody(*arguments):
        return lab.victim.run("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                              lab.program("bulkheadctl"), *arguments, check=False,
                              env=lab.environment)

    for arguments in (["unlock"], ["pause", "5"], ["lan", "on"], ["except", "add", "192.0.2.1"],
                      ["tunnels", "add", "x", "--interface", "wg9", *E], ["resume"]):
        done = as_nobody(*arguments)
        assert done.returncode == 4, f"{arguments}: {done.returncode} {done.stderr}"
    assert as_nobody("status").returncode == 0
    assert picture(lab) == before


def state_file(lab):
    files = [f for f in glob.glob(lab.state_directory + "/*")
             if os.path.getsize(f) and not f.endswith(".unreadable")]
    assert len(files) == 1, files
    return files[0]


def damage(path, how):
    with open(path, "rb") as file:
        data = file.read()
    changed = {"empty": b"", "half": data[:len(data) // 2], "cut": data[:-1],
               "random": os.urandom(4096), "bit": bytes([data[0] ^ 1]) + data[1:],
               "unlocked": data.replace(b"true", b"false"), "long": data + b"\nlocked=false\n",
               "zeros": bytes(len(data))}
    if how in changed:
        with open(path, "wb") as file:
            file.write(changed[how])
    else:
        os.unlink(path)
        {"directory": lambda: os.mkdir(path), "fifo": lambda: os.mkfifo(path),
         "symlink": lambda: os.symlink("/dev/null", path)}[how]()


@pytest.mark.parametrize("how", ["empty", "half", "cut", "random", "bit", "unlocked", "long", "zeros",
                                 "directory", "fifo", "symlink"])
@pytest.mark.parametrize("boot", [False, True], ids=["helper", "boot"])
def test_unreadable_state_is_locked(lab, how, boot):
    """L08: after a restart of the whole machine (no rules left), any doubt means locked, and said."""
    lab.must("except", "add", "198.51.100.0/28")
    lab.must("lock")
    lab.stop_helper()
    lab.victim.run("nft", "flush", "ruleset")
    path = state_file(lab)
    damage(path, how)
    ways = probe_ways(lab, (4, 6))
    if boot:
        done = lab.victim.run(*lab.helper_arguments(), "--boot", check=False, env=lab.environment)
        assert os.path.basename(path) in done.stderr or lab.state_directory in done.stderr, done
        assert_silent(lab, ways, 0.2)
    try:
        lab.start_helper()
        assert state(lab) in (BLOCKING, BROKEN)
        assert_silent(lab, ways, 0.2)
        assert lab.ctl("verify")[0] == 0
        said = lab.log_of("helper") + lab.must("status") + lab.must("log")
        assert lab.state_directory in said or "unreadable" in said, said
        lab.must("unlock")
        lab.must("lock")
        lab.stop_helper(signal.SIGKILL)
        lab.start_helper()
        assert state(lab) == BLOCKING
    finally:
        lab.stop_helper()
        for left in glob.glob(lab.state_directory + "/*"):
            if not left.endswith(".unreadable"):  # that one stays, for the next case to meet
                shutil.rmtree(left) if os.path.isdir(left) else os.unlink(left)


def test_missing_state_was_never_locked(lab):
    lab.must("unlock")
    lab.stop_helper()
    for path in glob.glob(lab.state_directory + "/*"):
        os.unlink(path)
    lab.start_helper()
    assert state(lab) == 21 and lab.page(4) == lab.own[4]


# What goes to our own address, and so to loopback, is on its way out behind the first verdict.
NAT = """table ip other {
    chain o { type nat hook output priority -100;
        ip daddr 192.168.7.2 udp dport 7020 dnat to 198.51.100.9:7001; }
    chain p { type nat hook postrouting priority 100; oifname "eth0" masquerade; }
}"""


def test_the_wall_in_the_place_of_the_lock(lab):
    """Where no lock is to be had nothing leaves, also while the lock takes the wall's place."""
    lab.must("lock")
    lab.stop_helper()
    lab.victim.run("nft", "flush", "ruleset")
    lab.victim.nft(NAT)
    try:
        ways = ordinary_ways(4) + ordinary_ways(6) + ["udp,to=192.168.7.2,port=7020,tag=nat"]
        assert_seen(lab, ways)
        done = lab.victim.run(*lab.helper_arguments(), "--close", check=False, env=lab.environment)
        assert done.returncode == 0 and "everything is blocked" in done.stderr
        own = lab.victim.run("curl", "-s", "--max-time", "2", "http://127.0.0.1:9/", check=False)
        assert own.returncode == 7, "loopback is open: a closed port refuses at once"
        with Silence(lab, ways):
            time.sleep(0.3)
            lab.start_helper()
            time.sleep(0.3)
    finally:
        lab.victim.run("nft", "delete", "table", "ip", "other")
    assert state(lab) == BLOCKING and lab.ctl("verify")[0] == 0


def test_boot(lab):
    """`bulkheadd --boot` puts the stored lock into the kernel without a bus, and ends."""
    lab.must("tunnels", "add", "home", "--interface", "wg0", *E, "--mark", "0xca6c")
    lab.must("lock")
    lab.stop_helper()
    lab.victim.run("nft", "flush", "ruleset")
    done = lab.victim.run(*lab.helper_arguments(), "--boot", check=False, timeout=5,
                          env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"})
    assert done.returncode == 0, done.stderr
    assert_silent(lab, probe_ways(lab, (4, 6)))
    lab.start_helper()
    assert state(lab) == BLOCKING and lab.ctl("verify")[0] == 0


def test_full_disk(lab):
    """The change is refused by name; what was stored and what is enforced stay as they were."""
    lab.must("lock")
    lab.stop_helper()
    mount = lab.victim.run("mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "full",
                           lab.state_directory, check=False)
    assert mount.returncode == 0, mount.stderr
    try:
        lab.victim.run("nft", "flush", "ruleset")
        lab.start_helper()
        lab.must("lock")
        before = picture(lab)
        lab.victim.run("sh", "-c", f"cat /dev/zero >{lab.state_directory}/fill 2>/dev/null; true")
        many = [f"192.0.{n}.0/25 tcp 443" for n in range(200)]
        with pytest.raises(Exception, match="(?i)space|full|StoreFailed|store"):
            lab.call("AddExceptions", "(as)", many)
        status, _, err = lab.ctl("except", "add", "192.0.2.1")
        assert status == 1 and lab.state_directory in err, err
        assert picture(lab) == before and lab.ctl("verify")[0] == 0
        lab.stop_helper(signal.SIGKILL)
        lab.start_helper()
        assert state(lab) == BLOCKING
    finally:
        lab.stop_helper()
        lab.victim.run("umount", "-l", lab.state_directory)
        lab.start_helper()


def test_second_helper(lab):
    """Started beside the first it says so and ends; nothing changes."""
    lab.must("lock")
    before = picture(lab)
    done = lab.victim.run(*lab.helper_arguments(), check=False, timeout=10, env=lab.environment)
    assert done.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT)
    assert "already" in done.stderr or "another" in done.stderr, done.stderr
    assert picture(lab) == before and lab.ctl("verify")[0] == 0


def test_ten_thousand_exceptions(lab):
    """Lists are sets: added at once, verified, removed at once."""
    many = [f"10.{a}.{b}.0/24 tcp 443" for a in range(40) for b in range(250)]
    lab.must("lock")
    lab.call("AddExceptions", "(as)", many)
    assert lab.ctl("verify")[0] == 0
    lab.call("RemoveExceptions", "(as)", many)
    assert lab.ctl("verify")[0] == 0


def test_helper_is_idle(lab):
    """Nothing happens: it does not wake up."""
    lab.must("lock")

    def switches():
        total = 0
        for path in glob.glob(f"/proc/{lab.helper.pid}/task/*/status"):
            with open(path, encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
        return total

    # A router's advertisement or the machine's other work may fall into one window, not into all.
    windows = []
    for _ in range(5):
        before = switches()
        time.sleep(2)
        windows.append(switches() - before)
    assert min(windows) == 0, windows
