# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that the administrator fixed: who may change what, and files that cannot be used."""
import json
import os
import signal
import subprocess
import time

import pytest
from gi.repository import GLib

from place import BLOCKING, NAME, OFF, SOURCE, run, settle, tunnel, wait_for

ALL = ["lock", "at-boot", "lan", "lan-cgnat", "lan-port-mapping", "exceptions", "tunnels"]
CTL = os.environ.get("BULKHEADCTL") or os.path.join(SOURCE, "build/app/ctl/bulkheadctl")
OFFICE = "[tunnel office]\ninterface=tun0\nkind=openvpn\nendpoints=198.51.100.4:1194/udp\n"
OPENINGS = {  # for each setting a change that would open something
    "lock": ("Unlock", "()"), "lan": ("SetLan", "(true, @a{sv} {})"),
    "lan-cgnat": ("SetLan", "(false, {'cgnat': <true>})"),
    "lan-port-mapping": ("SetLan", "(false, {'port_mapping': <true>})"),
    "exceptions": ("AddExceptions", "(['198.51.100.0/24'],)"), "tunnels": ("AddTunnel", tunnel()),
}


def write(place, name, text, mode=0o644):
    """As an administrator's tool does: aside, then into place."""
    folder = os.path.join(place.directory, "policy.d")
    os.makedirs(folder, mode=0o755, exist_ok=True)
    path = os.path.join(folder, name)
    with open(path + "~", "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path + "~", mode)
    os.rename(path + "~", path)
    return path


def fixed(place):
    return place.call("GetStatus")["fixed"]


def problem(place):
    return place.call("GetStatus")["managed_problem"]


def is_refused(place, setting, file):
    name, text = place.fails(*OPENINGS[setting])
    assert name == "Fixed"
    return text.endswith(f" {setting}: is fixed by the administrator ({file})")


@pytest.mark.parametrize("setting, text", [
    ("lock", "[bulkhead]\nlocked=true\n"), ("lan", "[bulkhead]\nlan=false\n"),
    ("lan-cgnat", "[bulkhead]\nlan-cgnat=false\n"),
    ("lan-port-mapping", "[bulkhead]\nlan-port-mapping=false\n"),
    ("exceptions", "[exceptions]\n"), ("tunnels", OFFICE)])
def test_one_is_fixed_and_the_others_are_not(place, setting, text):
    write(place, "10-a.conf", text)
    place.start()
    assert place.property("Fixed") == fixed(place) == [setting]
    place.call("Lock")
    before = place.everything()
    assert is_refused(place, setting, "policy.d/10-a.conf")
    assert place.everything() == before
    for other in OPENINGS.keys() - {setting, "lock"}:
        place.call(*OPENINGS[other])
    if setting != "lock":
        place.call(*OPENINGS["lock"])


def test_at_boot_alone_fixes_no_other(place):
    write(place, "10-a.conf", "[bulkhead]\nat-boot=true\n")
    place.start()
    assert fixed(place) == ["at-boot"]
    for change in OPENINGS.values():
        place.call(*change)


@pytest.mark.parametrize("on", [True, False])
def test_at_boot(place, on):
    """Turned on or off as the file says, and kept so; when the file is gone it stays as it is."""
    place.systemd.put("disabled" if on else "enabled")
    place.start()
    assert place.property("AtBoot") is not on
    path = write(place, "10-a.conf", f"[bulkhead]\nat-boot={'true' if on else 'false'}\n")
    wait_for(lambda: place.property("AtBoot") is on)
    place.call("SetAtBoot", f"({'true' if on else 'false'},)")
    name, text = place.fails("SetAtBoot", f"({'false' if on else 'true'},)")
    assert name == "Fixed" and text.endswith("(policy.d/10-a.conf)")
    place.systemd.put("disabled" if on else "enabled")
    wait_for(lambda: list(place.systemd.files.values()) == 2 * ["enabled" if on else "disabled"])
    wait_for(lambda: place.property("AtBoot") is on)
    os.unlink(path)
    wait_for(lambda: fixed(place) == [])
    assert place.property("AtBoot") is on
    wait_for(lambda: is_set_at_boot(place, not on))


def is_set_at_boot(place, on):
    """Not yet, while the helper's own change is under way."""
    try:
        place.call("SetAtBoot", f"({'true' if on else 'false'},)")
    except GLib.Error as error:
        assert "under way" in error.message
        return False
    return place.property("AtBoot") is on


@pytest.mark.parametrize("before", ["enabled", "disabled"])
def test_at_boot_fixed_while_a_user_changes_it(place, before):
    """The user's change is made first, and does not stay."""
    place.systemd.put(before)
    place.start()
    disable = place.systemd.DisableUnitFiles

    def disable_late(units, runtime):
        write(place, "10-a.conf", "[bulkhead]\nat-boot=true\n")
        wait_for(lambda: fixed(place) == ["at-boot"])
        return disable(units, runtime)
    place.systemd.DisableUnitFiles = disable_late
    place.call("SetAtBoot", "(false,)")
    wait_for(lambda: place.property("AtBoot"))
    assert set(place.systemd.files.values()) == {"enabled"}


@pytest.mark.parametrize("on", [True, False])
def test_at_boot_stays_with_a_bad_file(place, on):
    place.systemd.put("enabled" if on else "disabled")
    write(place, "10-a.conf", "nonsense")
    place.start()
    place.call("SetAtBoot", f"({'true' if on else 'false'},)")
    assert place.fails("SetAtBoot", f"({'false' if on else 'true'},)")[0] == "Fixed"
    assert place.property("AtBoot") is on


def test_locked_by_the_administrator(place):
    """No unlock and no pause, for nobody; what is so already may be asked for."""
    write(place, "10-lock.conf", "# the office\n[bulkhead]\nlocked=true\nlan=true\n")
    place.start()
    assert place.property("State") == BLOCKING and place.property("Locked")
    assert "policy drop" in place.rules_in_kernel()
    assert place.fails("Unlock")[0] == "Fixed"
    assert place.fails("Pause", "(uint32 5,)")[0] == "Fixed"
    assert f"{NAME}.Error.Fixed" in place.call_as_nobody("Unlock", "()")
    place.call("Lock")
    place.call("Resume")
    place.call("SetLan", "(true, @a{sv} {})")
    assert place.fails("SetLan", "(false, @a{sv} {})")[0] == "Fixed"
    assert place.call("GetStatus")["lan"] is True


def test_the_users_own_come_back(place):
    """What was stored stays stored beneath, and nothing of the administrator's is stored."""
    settle(place)
    own = place.call("ListTunnels"), place.call("ListExceptions")
    place.call("Unlock")
    with open(place.file, encoding="utf-8") as file:
        stored = file.read()
    path = write(place, "10-all.conf", "[bulkhead]\nlocked=true\nlan=true\n" + OFFICE
                 + "[exceptions]\ntcp-443=198.51.100.9\n")
    wait_for(lambda: fixed(place) == ["lock", "lan", "exceptions", "tunnels"])
    assert place.property("State") == BLOCKING
    assert place.call("ListExceptions") == ["198.51.100.9 tcp 443"]
    assert [t["id"] for t in place.call("ListTunnels") if t["trusted"]] == ["office"]
    place.call("SetLan", "(true, {'cgnat': <true>})")
    os.unlink(path)
    wait_for(lambda: fixed(place) == [])
    assert place.property("State") == OFF and place.rules_in_kernel() == ""
    assert [e["event"] for e in place.events() if e.get("by") == "administrator"] == [
        "locked", "unlocked"]
    assert (place.call("ListTunnels"), place.call("ListExceptions")) == own
    with open(place.file, encoding="utf-8") as file:
        text = file.read()
    difference = set(text.splitlines()) ^ set(stored.splitlines())
    assert {line for line in difference if "sha256" not in line} == {
        "lan-cgnat=true", "lan-cgnat=false"}


def test_later_files_win(place):
    write(place, "20-b.conf", "[bulkhead]\nlan=false\n[exceptions]\nudp=192.0.2.3\ntcp-22=192.0.2.2\n")
    write(place, "10-a.conf", "[bulkhead]\nlan=true\nlan-cgnat=true\n[exceptions]\ntcp-22=192.0.2.1\n")
    write(place, "30-c.conf~", "[bulkhead]\nlan=true\n")
    write(place, ".40-d.conf", "[bulkhead]\nlan=true\n")
    place.start()
    status = place.call("GetStatus")
    assert (status["lan"], status["lan_cgnat"]) == (False, True)
    assert set(place.call("ListExceptions")) == {"192.0.2.3 udp", "192.0.2.2 tcp 22"}
    assert is_refused(place, "lan", "policy.d/20-b.conf")
    assert place.fails("SetLan", "(false, {'cgnat': <false>})")[1].endswith("(policy.d/10-a.conf)")


def test_at_the_boot(place):
    write(place, "10-lock.conf", "[bulkhead]\nlocked=true\n")
    nowhere = f"unix:path={place.directory}/nowhere"
    assert place.end(place.spawn("--boot", address=nowhere), how=None)[0] == 0
    assert "policy drop" in place.rules_in_kernel()


@pytest.mark.parametrize("text", ["[bulkhead]\nlocked=true\n", "nonsense"])
def test_closed_without_a_helper(place, text):
    """What is stored says unlocked; the administrator's file, or that it makes no sense, counts."""
    place.end(place.start())
    assert place.end(place.spawn("--close"), how=None)[0] == 0
    assert place.rules_in_kernel() == "", "control: nothing is closed without the file"
    write(place, "10-lock.conf", text)
    assert place.end(place.spawn("--close"), how=None)[0] == 0
    assert "drop" in place.rules_in_kernel()


def test_what_stays_is_stored(place):
    """The file is taken away while nobody looks: the lock stays, also when the machine starts again."""
    path = write(place, "10-lock.conf", "[bulkhead]\nlocked=true\n")
    helper = place.start()
    assert place.property("State") == BLOCKING
    place.end(helper, signal.SIGKILL)
    os.unlink(path)
    nowhere = f"unix:path={place.directory}/nowhere"
    place.end(place.start())
    run("ip", "netns", "exec", place.namespace, "nft", "flush", "ruleset")
    assert place.end(place.spawn("--boot", address=nowhere), how=None)[0] == 0
    assert "policy drop" in place.rules_in_kernel()
    place.start()
    assert place.property("State") == BLOCKING
    place.call("Unlock")
    place.end(place.helpers[-1])
    assert place.end(place.spawn("--boot", address=nowhere), how=None)[0] == 0
    assert place.rules_in_kernel() == "", "and an unlock takes it away"


# What makes a file of no use: its text, mode, owner, and what the problem says.
BAD = {
    "garbage": ("nonsense", 0o644, 0, "is not a key file"),
    "a misspelt key": ("[bulkhead]\nlokced=true\n", 0o644, 0, "“lokced”: is not known"),
    "a misspelt group": ("[bulkhaed]\nlocked=true\n", 0o644, 0, "“bulkhaed”: is not known"),
    "a bad value": ("[bulkhead]\nlan=no\n", 0o644, 0, "[bulkhead] lan “no”: must be true or false"),
    "an opening": ("[bulkhead]\nlocked=false\n", 0o644, 0, "may only be true"),
    "a tunnel of no link": ("[tunnel a]\nkind=other\n", 0o644, 0, "[tunnel a] interface: is missing"),
    "writable by others": ("", 0o646, 0, "others may write to it"),
    "writable by its group": ("", 0o664, 0, "others may write to it"),
    "another's": ("", 0o644, 2, "belongs to another user"),
}


def write_bad(place, why):
    text, mode, owner, says = BAD[why]
    os.chown(write(place, "50-bad.conf", text, mode), owner, 0)
    return "policy.d/50-bad.conf", says


def bad_symlink(place):
    os.symlink("10-good.conf", os.path.join(place.directory, "policy.d", "50-bad.conf"))
    return "policy.d/50-bad.conf", "symbolic links"


def bad_directory(place):
    os.mkdir(os.path.join(place.directory, "policy.d", "50-bad.conf"))
    return "policy.d/50-bad.conf", "not a regular file"


def bad_folder(place):
    os.chmod(os.path.join(place.directory, "policy.d"), 0o777)
    return "policy.d", "others may write to it"


MAKE_BAD = [lambda place, why=why: write_bad(place, why) for why in BAD]
MAKE_BAD += [bad_symlink, bad_directory, bad_folder]
NAMES = [*BAD, "a symlink", "a directory", "a folder of everybody's"]


@pytest.mark.parametrize("make", MAKE_BAD, ids=NAMES)
def test_bad_at_the_start(place, make):
    """Nobody knows what it would fix: locked, nothing open, nothing to change; tunnels stay."""
    settle(place)
    place.call("SetLan", "(true, {'cgnat': <true>, 'port_mapping': <true>})")
    place.call("Unlock")
    place.end(place.helpers[-1])
    write(place, "10-good.conf", "[bulkhead]\nlan-cgnat=true\n")
    file, says = make(place)
    place.start()
    status = place.call("GetStatus")
    assert status["managed_problem"].startswith(file + ": ") and says in status["managed_problem"]
    assert status["fixed"] == ALL and place.property("State") == BLOCKING
    assert not (status["lan"] or status["lan_cgnat"] or status["lan_port_mapping"])
    assert place.call("ListExceptions") == []
    assert [t["id"] for t in place.call("ListTunnels") if t["trusted"]] == ["home"]
    for setting in OPENINGS.keys() - {"tunnels"}:
        assert is_refused(place, setting, file)
    assert place.fails("ForgetTunnel", "('home',)")[0] == "Fixed"
    assert [e["problem"] for e in place.events() if e["event"] == "mismanaged"] == [
        status["managed_problem"]]


@pytest.mark.parametrize("make", MAKE_BAD, ids=NAMES)
def test_bad_while_running(place, make):
    """What the files said before stays in force, whatever that was; nothing is lost or opened."""
    settle(place)
    write(place, "10-good.conf", "[bulkhead]\nlocked=true\nlan=true\n")
    wait_for(lambda: fixed(place) == ["lock", "lan"])
    before = place.everything()
    revision = place.property("Revision")
    file, says = make(place)
    wait_for(lambda: problem(place) != "")
    assert place.property("Revision") != revision
    assert problem(place).startswith(file + ": ") and says in problem(place)
    assert place.everything() == before and fixed(place) == ["lock", "lan"]
    assert "cannot be used" in place.call_as_nobody("GetStatus", "()")
    assert says not in place.call_as_nobody("GetStatus", "()")


def test_mended(place):
    path = write(place, "10-a.conf", "nonsense")
    place.start()
    assert fixed(place) == ALL
    with open(path, "w", encoding="utf-8") as file:
        file.write("[bulkhead]\nlan=false\n")
    wait_for(lambda: fixed(place) == ["lan"])
    assert problem(place) == "" and place.property("State") == OFF
    assert [e["fixed"] for e in place.events() if e["event"] == "managed"] == ["lan"]


def test_a_pause_ends_when_the_lock_is_fixed(place):
    settle(place)
    place.call("Pause", "(uint32 600,)")
    write(place, "10-a.conf", "[bulkhead]\nlan=false\n")
    wait_for(lambda: fixed(place) == ["lan"])
    assert 590 < place.call("GetStatus")["paused_seconds"] <= 600
    write(place, "10-a.conf", "[bulkhead]\nlocked=true\n")
    wait_for(lambda: fixed(place) == ["lock"])
    assert place.property("State") == BLOCKING and place.property("Ready")


def test_a_file_that_is_being_written(place):
    """What it will fix is not known before it is closed; until then what it said counts."""
    path = write(place, "10-a.conf", "[bulkhead]\nlocked=true\n")
    place.start()
    rules = place.rules_in_kernel()
    with open(path, "w", encoding="utf-8") as file:
        place.helpers[0].send_signal(signal.SIGHUP)
        wait_for(lambda: problem(place) == "policy.d/10-a.conf: somebody is writing to it")
        assert fixed(place) == ["lock"] and place.rules_in_kernel() == rules
        file.write("[bulkhead]\nlocked=true\nlan=false\n")
    wait_for(lambda: fixed(place) == ["lock", "lan"])
    assert problem(place) == "" and place.rules_in_kernel() == rules


@pytest.mark.parametrize("text", ["[exceptions]\nany=192.0.2.0/24\n",
                                  "[exceptions]\nany=192.0.2.0/24;203.0.113.0/24\n"])
def test_what_a_file_closes_gets_no_answers_in(place, text):
    """Also when the same file opens another thing."""
    place.spawn("--no-owner")
    wait_for(place.bus.has_helper)
    place.call("AddExceptions", "(['192.0.2.0/24', '198.51.100.0/24'],)")
    place.call("Lock")
    nft = ["ip", "netns", "exec", place.namespace, "nft"]
    run(*nft, "add", "element", "inet", "bulkhead", "exception_flows4",
        "{ 198.51.100.7 . udp . 123 . 4123 }")
    assert "198.51.100.7" in run(*nft, "list", "ruleset")
    write(place, "10-a.conf", text)
    wait_for(lambda: fixed(place) == ["exceptions"])
    assert "198.51.100.7" not in run(*nft, "list", "ruleset")


@pytest.mark.parametrize("pause", [0, 0.5], ids=["at-once", "later"])
def test_another_directory_in_the_place(place, pause):
    """As an administrator's tool may do, which prepares all of it aside."""
    config = os.path.join(place.directory, "config")
    os.makedirs(os.path.join(config, "policy.d"), mode=0o755)
    place.spawn("--config-dir", config)
    wait_for(place.bus.has_helper)
    os.renames(os.path.dirname(write(place, "10-a.conf", "[bulkhead]\nlocked=true\n")),
               os.path.join(config + ".new", "policy.d"))
    os.rename(config, config + ".old")
    time.sleep(pause)
    os.rename(config + ".new", config)
    wait_for(lambda: place.property("Locked"))
    assert fixed(place) == ["lock"]


def test_hangup_reads_again(place):
    """Also where there was nothing to watch when the helper started."""
    helper = place.start()
    assert fixed(place) == []
    folder = os.path.join(place.directory, "aside")
    os.mkdir(folder)
    with open(os.path.join(folder, "1.conf"), "w", encoding="utf-8") as file:
        file.write("[bulkhead]\nlan=false\n")
    os.rename(folder, os.path.join(place.directory, "policy.d"))
    helper.send_signal(signal.SIGHUP)
    wait_for(lambda: fixed(place) == ["lan"])
    assert helper.poll() is None


def ctl(place, *arguments):
    done = subprocess.run([CTL, *arguments], capture_output=True, text=True, check=False, timeout=20,
                          env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": place.bus.address})
    return done.returncode, done.stdout, done.stderr


def test_the_command_line_says_so(place):
    write(place, "10-a.conf", "[bulkhead]\nlocked=true\nlan=false\n")
    place.start()
    assert json.loads(ctl(place, "status", "--json")[1])["fixed"] == ["lock", "lan"]
    assert "Fixed:     lock, lan (by the administrator)\n" in ctl(place, "status")[1]
    assert "bulkheadctl unlock" not in ctl(place, "status")[1]
    code, _, said = ctl(place, "unlock")
    assert (code, said) == (
        4, "bulkheadctl: lock: is fixed by the administrator (policy.d/10-a.conf)\n")
    write(place, "20-b.conf", "nonsense")
    wait_for(lambda: problem(place) != "")
    assert "Policy:    policy.d/20-b.conf: text" in ctl(place, "status")[1]
