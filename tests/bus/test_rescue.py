# SPDX-License-Identifier: GPL-3.0-or-later
"""The way out when no helper answers."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

from place import BLOCKING, HELPER, NOBODY, OFF, PAUSED, SECONDS, SOURCE, Bus, settle, wait_for

CTL = os.environ.get("BULKHEADCTL") or os.path.join(SOURCE, "build/app/ctl/bulkheadctl")
NOWHERE = "unix:path=/nonexistent"
WANTS = "sysinit.target.wants/bulkhead-boot.service", "multi-user.target.wants/bulkhead.service"
OTHER = "multi-user.target.wants/ssh.service"


def units(place):
    """Shell: what stands for /etc/systemd/system in the helper's mounts. Links as they would be
    with "at boot" on, and one of somebody else."""
    directory = os.path.join(place.directory, "units")
    if not os.path.exists(directory):
        for link in (*WANTS, OTHER):
            path = os.path.join(directory, link)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink("/lib/systemd/system/" + os.path.basename(link), path)
    return f"mount --bind {directory} /etc/systemd/system;"


def rescue(place, *more, before="", stdout=subprocess.PIPE):
    """Exit status and what it said on stdout and stderr."""
    done = subprocess.run(
        ["ip", "netns", "exec", place.namespace, "sh", "-c", f'{units(place)} {before} exec "$@"',
         "sh", HELPER, "--rescue", "--state-dir", place.state, "--log-dir", place.log, *more],
        env={"PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": NOWHERE}, stdout=stdout,
        stderr=subprocess.PIPE, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
    assert "CRITICAL" not in done.stderr and "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def links(place):
    return [link for link in (*WANTS, OTHER)
            if os.path.islink(os.path.join(place.directory, "units", link))]


def settings(place):
    with open(place.file, encoding="utf-8") as file:
        return re.sub(r"sha256=.*", "", file.read())


def test_what_locks_again_is_named(place):
    """The administrator's files are his: one that locks is not touched, but told."""
    settle(place)
    folder = os.path.join(place.directory, "policy.d")
    os.mkdir(folder, 0o755)
    with open(os.path.join(folder, "10-lock.conf"), "w", encoding="utf-8") as file:
        file.write("[bulkhead]\nlocked=true\n")
    status, said, complaint = rescue(place, "--config-dir", place.directory)
    assert status == 0 and place.rules_in_kernel() == "" and "DOES NOT LAST" in complaint
    assert f"{place.directory}/policy.d/10-lock.conf locks again as soon as a helper starts" in said


def test_dead_helper(place):
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    kept = settings(place)
    status, said, _ = rescue(place)
    assert status == 0
    lines = said.splitlines()
    assert len(lines) == 4
    assert "rules" in lines[0] and "settings are kept" in lines[1]
    assert {line.split()[1].rsplit("/system/")[1].rstrip(":") for line in lines[2:]} == set(WANTS)
    assert place.rules_in_kernel() == ""
    assert settings(place) == kept.replace("locked=true", "locked=false") != kept
    assert links(place) == [OTHER]
    place.start()
    assert place.property("State") == OFF
    assert place.call("ListTunnels")[0]["id"] == "home"
    assert place.call("ListExceptions") == ["192.0.2.0/24"]
    assert ("unlocked", "rescue") in [(e["event"], e.get("by")) for e in place.events()]


@pytest.mark.parametrize("how", [signal.SIGSTOP, None], ids=["hung", "healthy"])
@pytest.mark.parametrize("guard", [(), ("--no-owner",)], ids=["owner", "plain"])
def test_helper_that_holds_on(place, how, guard):
    place.spawn(*guard)
    wait_for(place.bus.has_helper)
    place.call("Lock")
    helper = place.helpers[0]
    if how is not None:
        helper.send_signal(how)
    status, said, _ = rescue(place)
    assert status == 0
    assert said.splitlines()[0] == f"ended the helper, process {helper.pid}"
    assert helper.wait(SECONDS) == -signal.SIGKILL
    assert place.rules_in_kernel() == ""
    assert "locked=false" in settings(place)


@pytest.mark.parametrize("guard", [(), ("--no-owner",)], ids=["owner", "plain"])
@pytest.mark.parametrize("again", [False, True], ids=["gone", "made-again"])
def test_state_removed_under_a_hung_helper(place, guard, again):
    """Somebody began by hand, and the helper still keeps its rules. It has its own view of the
    directory, as its unit gives it."""
    os.mkdir(place.state, 0o700)
    place.spawn(*guard, before=f"mount --bind {place.state} {place.state};")
    wait_for(place.bus.has_helper)
    place.call("Lock")
    helper = place.helpers[0]
    helper.send_signal(signal.SIGSTOP)
    shutil.rmtree(place.state)
    if again:
        os.mkdir(place.state, 0o700)
    status, said, _ = rescue(place)
    assert status == 0
    assert said.splitlines()[0] == f"ended the helper, process {helper.pid}"
    assert helper.wait(SECONDS) == -signal.SIGKILL
    assert place.rules_in_kernel() == ""


def test_never_locked(place):
    """Nothing is there, and nothing is made."""
    shutil.rmtree(os.path.join(place.directory, "units"), ignore_errors=True)
    status, said, _ = rescue(place, before="mount -t tmpfs none /etc/systemd/system;")
    assert (status, said.count("\n")) == (0, 1) and said.startswith("nothing to undo")
    assert not os.path.exists(place.state) and not os.path.exists(place.log)


def test_twice(place):
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    assert rescue(place)[0] == 0
    status, said, _ = rescue(place)
    assert status == 0 and said.startswith("nothing to undo")


@pytest.mark.parametrize("how", ["garbage", "empty", "directory"])
def test_unreadable_state(place, how):
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    os.unlink(place.file)
    if how == "directory":
        os.mkdir(place.file)
    else:
        with open(place.file, "w", encoding="utf-8") as file:
            file.write("what?" if how == "garbage" else "")
    status, said, _ = rescue(place)
    assert status == 0 and "could not be read" in said
    assert place.rules_in_kernel() == ""
    assert "locked=false" in settings(place)
    place.start()
    assert place.property("State") == OFF


MASKED = "mount -t tmpfs none /run; mkdir -p /run/systemd/system;" \
         "ln -s /dev/null /run/systemd/system/bulkhead.service;"


def test_disk_that_takes_no_writes(place):
    """The rules go, and the rest is told and tried: that it does not last, and what makes it."""
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    before = f"mount --bind {place.state} {place.state}; mount -o remount,bind,ro {place.state};"
    status, said, complaint = rescue(place, before=before + "mount -t tmpfs none /run;")
    assert status == 1
    assert "Read-only file system" in complaint and "not everything" in complaint
    assert "THIS DOES NOT LAST" in complaint
    assert "mask --runtime --now bulkhead.service\n    bulkheadctl rescue" in complaint
    assert "took the rules out" in said and links(place) == [OTHER]
    assert place.rules_in_kernel() == "" and "locked=true" in settings(place)
    place.start(before=before)
    assert place.property("State") == BLOCKING
    told = [event for event in place.events() if event["event"] == "unlocked"]
    assert [(event["by"], "locks again" in event["problem"]) for event in told] == [("rescue", True)]
    assert place.fails("Unlock")[0] == "StoreFailed" and place.rules_in_kernel() != ""
    place.call("Pause", "(uint32 600,)")
    assert place.property("State") == PAUSED
    place.end(place.helpers[-1], signal.SIGKILL)
    status, _, complaint = rescue(place, before=before + MASKED)
    assert status == 1 and "until the machine restarts" in complaint
    assert "DOES NOT LAST" not in complaint and place.rules_in_kernel() == ""


def test_only_the_helper_is_killed(place):
    """Another program that holds the state is left alone, and what can be done is done."""
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)
    holder = subprocess.Popen(["flock", "--no-fork", place.state, "sleep", "60"])
    try:
        wait_for(lambda: subprocess.run(["flock", "-n", place.state, "true"],
                                        check=False).returncode == 1)
        status, said, complaint = rescue(place)
        assert status == 1 and "not the helper" in complaint
        assert "ended" not in said and holder.poll() is None
        assert place.rules_in_kernel() == "" and links(place) == [OTHER]
        assert "locked=true" in settings(place)
    finally:
        holder.kill()
        holder.wait(SECONDS)


def test_another_users_bulkheadd(place):
    """Who names a program so, and gives it a directory that is gone, keeps no rescue busy."""
    program = os.path.join(place.directory, "bulkheadd")
    shutil.copy("/bin/sleep", program)
    impostors = []
    try:
        for n in range(25):  # more than a rescue tries to end
            directory = os.path.join(place.directory, f"held-{n}")
            os.mkdir(directory, 0o755)
            impostors.append(subprocess.Popen(
                ["ip", "netns", "exec", place.namespace, "setpriv", f"--reuid={NOBODY}",
                 f"--regid={NOBODY}", "--clear-groups", "flock", "--no-fork", directory, program,
                 "60"]))
            link = f"/proc/{impostors[-1].pid}/exe"
            wait_for(lambda link=link: os.readlink(link) == program)
            os.rmdir(directory)
        settle(place)  # found after them
        place.helpers[0].send_signal(signal.SIGSTOP)
        status, said, _ = rescue(place)
        assert status == 0 and place.rules_in_kernel() == ""
        assert said.count("ended the helper") == 1
        assert all(impostor.poll() is None for impostor in impostors)
    finally:
        for impostor in impostors:
            impostor.kill()
            impostor.wait(SECONDS)


def test_helper_beside_one_whose_state_was_removed(place):
    """Both are ended, whichever is found first: the older one would put its rules back."""
    other = os.path.join(place.directory, "other")
    bus = Bus(tempfile.mkdtemp(dir=place.directory))
    try:
        new = place.spawn("--no-owner", state=other, address=bus.address)
        wait_for(bus.has_helper)
        os.mkdir(place.state, 0o700)
        old = place.spawn("--no-owner", before=f"mount --bind {place.state} {place.state};")
        wait_for(place.bus.has_helper)
        place.call("Lock")
        shutil.rmtree(place.state)
        os.rename(other, place.state)
        status, said, _ = rescue(place)
        assert status == 0 and said.count("ended the helper") == 2
        assert {old.wait(SECONDS), new.wait(SECONDS)} == {-signal.SIGKILL}
        assert place.rules_in_kernel() == ""
    finally:
        bus.stop()


# Enough of a FUSE server for its directory to be opened; argv: where, with which inode number, and
# for how long it answers nothing then: who waits for it cannot be killed before.
HANGING = """import ctypes, fcntl, os, struct, sys, threading, time
server = os.open("/dev/fuse", os.O_RDWR)
done = ctypes.CDLL(None).mount(b"hanging", sys.argv[1].encode(), b"fuse", 0,
                               f"fd={server},rootmode=40000,user_id=0,group_id=0".encode())
assert done == 0
INIT = struct.pack("<4I2H2I2H8I", 7, 31, 65536, 0, 12, 9, 65536, 1, 32, 0, *[0] * 8)
ATTRIBUTES = struct.pack("<16xQ52x7I", int(sys.argv[2]), 0o40755, 2, 0, 0, 0, 4096, 0)
ANSWERS = {26: INIT, 27: bytes(16), 3: ATTRIBUTES}  # opendir, getattr; others: there is none
hangs = False
def serve():
    while not hangs:
        call = struct.unpack_from("<IIQ", os.read(server, 1 << 17))
        body = ANSWERS.get(call[1], b"")
        head = struct.pack("<IiQ", 16 + len(body), 0 if body else -38, call[2])
        if not hangs:
            os.write(server, head + body)
threading.Thread(target=serve, daemon=True).start()
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
os.fstat(fd)
fcntl.flock(fd, fcntl.LOCK_EX)
hangs = True
print("locked", flush=True)
time.sleep(int(sys.argv[3]))
"""


@pytest.mark.parametrize("number", [1, None], ids=["other-number", "same-number"])
def test_files_of_a_server_that_does_not_answer(place, number):
    """The lock itself may be what cuts it off; nobody's open files there hold up the way out."""
    settle(place)
    place.end(place.helpers[0], signal.SIGKILL)  # all there are must be looked at
    directory = os.path.join(place.directory, "hanging")
    os.mkdir(directory)
    user = subprocess.Popen(
        ["unshare", "--mount", sys.executable, "-c", HANGING, directory,
         str(number or os.stat(place.state).st_ino), str(SECONDS + 5)], stdout=subprocess.PIPE)
    try:
        assert user.stdout.readline() == b"locked\n"
        assert rescue(place)[0] == 0 and place.rules_in_kernel() == ""
    finally:
        user.kill()
        user.communicate(timeout=SECONDS)


def test_nobody_listens(place):
    """The terminal it was started from is gone, as with a connection that the lock cut."""
    settle(place)
    place.helpers[0].send_signal(signal.SIGSTOP)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert rescue(place, stdout=writer)[0] == 0
    finally:
        os.close(writer)
    assert place.rules_in_kernel() == "" and "locked=false" in settings(place)
    assert links(place) == [OTHER]


def test_rules_of_another_helper(place):
    """A helper of another state directory is not the one to end: it is told why its rules stay."""
    settle(place)
    status, said, complaint = rescue(place, "--state-dir", os.path.join(place.directory, "other"))
    assert status == 1 and "not permitted" in complaint and "rules" not in said
    assert place.helpers[0].poll() is None
    assert place.call("Verify") == (True, "") and place.property("State") == BLOCKING
    assert "unlocked" not in [event["event"] for event in place.events()]


def test_helpers_that_are_restarted(place):
    """A service manager that starts the helper again at once does not lock again."""
    settle(place)
    # It ends with the place, too: a test run that is killed leaves no loop behind.
    script = 'while [ -d "$0" ] && [ ! -e "$0/over" ]; do "$@" || true; done'
    manager = subprocess.Popen(
        ["ip", "netns", "exec", place.namespace, "sh", "-c", script, place.directory, HELPER,
         "--state-dir", place.state, "--log-dir", place.log], env={
             "PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": place.bus.address},
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        place.helpers[0].send_signal(signal.SIGSTOP)
        assert rescue(place)[0] == 0
        wait_for(place.bus.has_helper)
        assert place.property("State") == OFF
        assert place.rules_in_kernel() == ""
    finally:
        with open(os.path.join(place.directory, "over"), "w", encoding="utf-8"):
            pass
        rescue(place)
        manager.wait(SECONDS)


def test_only_root(place):
    done = subprocess.run(["setpriv", "--reuid=65534", HELPER, "--rescue"], capture_output=True,
                          text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1 and "only root" in done.stderr and done.stdout == ""
    done = subprocess.run(["setpriv", "--reuid=65534", CTL, "rescue", "--json"],
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 4
    assert json.loads(done.stdout)["error"]["message"] == "only root may rescue; use sudo"


def test_bulkheadctl(place):
    """As it is installed, and with no bus: what it starts, and what --json makes of that."""
    settle(place)
    place.helpers[0].send_signal(signal.SIGSTOP)
    with open(CTL, "rb") as file:
        program = re.search(rb"(/[^\0]+/bulkheadd)\0", file.read()).group(1).decode()
    there = directory = os.path.dirname(program)
    while not os.path.isdir(there):
        there = os.path.dirname(there)
    installed = (f"{units(place)} mount -t tmpfs none {there}; mkdir -p {directory};"
                 f"cp {HELPER} {directory}; mount -t tmpfs none /var/log;"
                 "mount -t tmpfs none /var/lib; mkdir /var/lib/bulkhead;"
                 f"mount --bind {place.state} /var/lib/bulkhead;")

    def ctl(*arguments):
        return subprocess.run(
            ["ip", "netns", "exec", place.namespace, "sh", "-c", f'{installed} exec "$@"', "sh",
             os.path.realpath(CTL), *arguments], capture_output=True, text=True, timeout=SECONDS,
            env={"PATH": os.environ["PATH"], "DBUS_SYSTEM_BUS_ADDRESS": NOWHERE}, check=False)

    done = ctl("rescue", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["undone"]) == 5
    assert place.rules_in_kernel() == ""
    done = ctl("rescue")
    assert done.returncode == 0 and done.stdout.startswith("nothing to undo")
    assert place.helpers[0].wait(SECONDS) == -signal.SIGKILL
