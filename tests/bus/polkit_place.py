# SPDX-License-Identifier: GPL-3.0-or-later
"""The real helper asking the real polkitd about real users, of a small machine of their own.

The machine is a mount namespace: its own users and passwords, its own polkit rules, its own /run,
in which the files say who has which session, as systemd-logind writes them, and its own view of
cgroups, from which polkitd knows whose session a process is of.
"""
import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import threading

from place import SECONDS, SOURCE, NAME, PATH, Bus, Place, run, wait_for

from gi.repository import Gio, GLib  # after place, which says which version

POLKITD = "/usr/lib/polkit-1/polkitd"
POLKIT_NAME = "org.freedesktop.PolicyKit1"
HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("agent.py", "attacker.py", "wire.py")
PASSWORD = "open, please"
ALICE, BOB, ADMIN = 60001, 60002, 60003  # the last one's password is the administrator's
USERS = {"alice": ALICE, "bob": BOB, "ada": ADMIN}

# Makes the mount namespace, and holds it until there is nothing more to read.
HOLD = """set -e
for file in passwd group shadow; do mount --bind "$1/$file" /etc/$file; done
mount --bind "$1/rules" /etc/polkit-1/rules.d
mount --bind "$1/actions" /usr/share/polkit-1/actions
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/dbus /run/systemd/sessions /run/systemd/users /run/systemd/seats
ln -s "$1/bus" /run/dbus/system_bus_socket
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo ready
read _ || :
"""


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


class Session:
    """Somebody's log-in. A process that is started in it is of it, as polkitd sees it."""

    def __init__(self, place, user, active=True, seat=True, cgroup=True):
        self.place = place
        self.user = user
        self.uid = USERS[user]
        self.id = f"{user}{len(place.sessions)}"
        self.seat = seat
        self.cgroup = os.path.join(place.cgroup, f"user-{self.uid}.slice/session-{self.id}.scope"
                                   if cgroup else "other.service")
        os.makedirs(place.root + self.cgroup, exist_ok=True)
        place.sessions.append(self)
        self.set_active(active)

    def set_active(self, active):
        state = "active" if active else "online"
        where = "SEAT=seat0\n" if self.seat else "REMOTE=1\n"
        run_systemd = self.place.root + "/run/systemd"
        write(f"{run_systemd}/sessions/{self.id}",
              f"UID={self.uid}\nUSER={self.user}\nACTIVE={int(active)}\nSTATE={state}\n"
              f"{where}TYPE=x11\nCLASS=user\n")
        write(f"{run_systemd}/users/{self.uid}",
              f"NAME={self.user}\nSTATE={state}\nDISPLAY={self.id}\nSESSIONS={self.id}\n")

    def command(self, *command):
        """The command line that runs `command` as the user, of the session."""
        return [*self.place.enter(), "sh", "-c", f'echo $$ >{self.cgroup}/cgroup.procs; exec "$@"',
                "sh", "setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups",
                *command]

    def begin(self, method, arguments="()", interactive=False):
        """Starts a call; its end is for answer()."""
        parameters = GLib.Variant.parse(None, arguments, None, None)
        texts = [parameters.get_child_value(i).print_(True)
                 for i in range(parameters.n_children())]
        return subprocess.Popen(
            self.command("gdbus", "call", "--address", self.place.bus.address, "--timeout", "60",
                         *(["--interactive"] if interactive else []), "--dest", NAME,
                         "--object-path", PATH, "--method", f"{NAME}.{method}", "--", *texts),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def call(self, method, arguments="()", interactive=False):
        """What gdbus prints: the answer, or the error with its name."""
        return self.answer(self.begin(method, arguments, interactive))

    @staticmethod
    def answer(call, seconds=SECONDS):
        return call.communicate(timeout=seconds)[0]


class Agent:
    """The password prompt of a session: answers with what it was told last."""

    def __init__(self, session, *answer):
        self.process = subprocess.Popen(
            session.command("/usr/bin/python3", f"{session.place.directory}/agent.py",
                            session.place.bus.address, session.id),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = queue.SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()
        assert self.next() == "ready"
        self.set(*answer)

    def listen(self):
        for line in self.process.stdout:
            self.events.put(line.rstrip("\n"))

    def set(self, *answer):
        """("password", TEXT), ("dismiss",) or ("wait",)."""
        self.process.stdin.write(" ".join(answer) + "\n")
        self.process.stdin.flush()
        assert self.next() == "set"

    def next(self):
        """What happened next: "asked ACTION MESSAGE", "cancelled", ..."""
        return self.events.get(timeout=SECONDS)

    def prompts(self):
        """How many prompts there were since this was asked last, none being open."""
        count = 0
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        while (event := self.next()) != "counted":
            count += event.startswith("asked")
        return count

    def close(self):
        self.process.kill()
        self.process.wait(SECONDS)


def attack(session, *arguments):
    """Starts attacker.py; its end is for result()."""
    directory = session.place.directory
    return subprocess.Popen(
        session.command("/usr/bin/python3", f"{directory}/attacker.py", f"{directory}/bus",
                        *map(str, arguments)),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def result(attacker):
    output = attacker.communicate(timeout=100)[0]
    assert attacker.returncode == 0
    return json.loads(output.splitlines()[-1])


class PolkitPlace(Place):
    """A place whose helper has a polkitd. It starts without any session."""

    def __init__(self):
        self.holder = None
        self.polkitd = None
        self.sessions = []
        self.agents = []
        super().__init__()
        self.start_polkitd()

    def write_users(self, users):
        """The host's users and these; `ada` is in the group of administrators."""
        secret = run("openssl", "passwd", "-6", PASSWORD).strip()
        with open("/etc/passwd", encoding="utf-8") as file:
            passwd = file.read()
        with open("/etc/group", encoding="utf-8") as file:
            group = [line for line in file if not line.startswith("sudo:")]
        for name, uid in users.items():
            passwd += f"{name}:x:{uid}:{uid}::/:/bin/sh\n"
        self.fill("passwd", passwd)
        self.fill("group", "".join(group) + "sudo:x:27:ada\n")
        self.fill("shadow", "".join(f"{name}:{secret}:19000:0:99999:7:::\n" for name in users))
        os.chmod(os.path.join(self.directory, "shadow"), 0o600)

    def fill(self, name, text):
        """Writes in place: a file that is mounted elsewhere stays the same one."""
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            file.write(text)

    def make_bus(self):
        self.write_users(USERS)
        for name in ("rules", "actions", "services"):
            os.mkdir(os.path.join(self.directory, name))
            os.chmod(os.path.join(self.directory, name), 0o755)
        for program in PROGRAMS:  # to where their users can read them
            shutil.copy(os.path.join(HERE, program), self.directory)
        policy = "org.bulkhead.helper.policy"
        shutil.copy(os.path.join(SOURCE, "data", policy), os.path.join(self.directory, "actions"))
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", HOLD, "sh",
             self.directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "ready\n"
        self.root = f"/proc/{self.holder.pid}/root"
        self.cgroup = f"/sys/fs/cgroup/{self.namespace}.slice"
        return Bus(self.directory, enter=self.enter(), stderr=subprocess.DEVNULL,
                   more="<include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf"
                        f"</include><servicedir>{self.directory}/services</servicedir>")

    def enter(self):
        return ["nsenter", f"--net=/run/netns/{self.namespace}",
                f"--mount=/proc/{self.holder.pid}/ns/mnt"]

    def start_polkitd(self):
        self.polkitd = subprocess.Popen(
            [*self.enter(), POLKITD, "--no-debug"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"DBUS_SYSTEM_BUS_ADDRESS": self.bus.address})
        wait_for(lambda: self.bus.has_owner(POLKIT_NAME))

    @contextlib.contextmanager
    def polkitd_started_by_the_bus(self, seconds):
        """When it is asked for; it takes so long."""
        self.stop_polkitd()
        self.fill(f"services/{POLKIT_NAME}.service",
                  f"[D-BUS Service]\nName={POLKIT_NAME}\nUser=root\nExec=/bin/sh -c 'sleep {seconds}; "
                  f"DBUS_SYSTEM_BUS_ADDRESS={self.bus.address} exec {POLKITD} --no-debug'\n")
        try:
            yield
        finally:
            os.unlink(os.path.join(self.directory, "services", POLKIT_NAME + ".service"))
            os.kill(self.bus.process_of(POLKIT_NAME), signal.SIGKILL)
            wait_for(lambda: not self.bus.has_owner(POLKIT_NAME))
            self.start_polkitd()

    def stop_polkitd(self):
        if self.polkitd.poll() is None:
            self.polkitd.kill()
        self.polkitd.wait(SECONDS)
        wait_for(lambda: not self.bus.has_owner(POLKIT_NAME))

    def polkitd_answers(self):
        """Asked directly, for it can lock itself up for ever: when checks are cancelled while an
        agent answers, its main thread and GDBus' may wait for each other (polkit 122 and 126)."""
        try:
            self.bus.connection.call_sync(
                POLKIT_NAME, "/org/freedesktop/PolicyKit1/Authority",
                "org.freedesktop.DBus.Properties", "Get",
                GLib.Variant("(ss)", (POLKIT_NAME + ".Authority", "BackendName")), None, 0,
                SECONDS * 1000, None)
        except GLib.Error as error:
            if not error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT):
                raise
            return False
        return True

    def revive_polkitd(self):
        """TRUE when it had locked itself up, which is its own fault: another one runs now, and no
        agent is known to it."""
        if self.polkitd_answers():
            return False
        print("polkitd had locked itself up")
        self.stop_polkitd()
        self.start_polkitd()
        return True

    def hang_polkitd(self, hangs):
        self.polkitd.send_signal(signal.SIGSTOP if hangs else signal.SIGCONT)

    def session(self, user, **more):
        return Session(self, user, **more)

    def agent(self, session, *answer):
        self.agents.append(Agent(session, *answer))
        return self.agents[-1]

    def log_out(self):
        """Everybody."""
        for agent in self.agents:
            agent.close()
        self.agents = []
        for kind in ("sessions", "users"):
            for entry in os.scandir(f"{self.root}/run/systemd/{kind}"):
                os.unlink(entry.path)

    def close(self):
        self.log_out()
        self.polkitd.kill()
        self.polkitd.wait(SECONDS)
        wait_for(self.remove_cgroups)
        namespace = self.holder
        super().close()
        namespace.communicate(timeout=SECONDS)

    def remove_cgroups(self):
        """FALSE while a process of a session still ends."""
        top = self.root + self.cgroup
        try:
            for directory, _, _ in os.walk(top, topdown=False):
                os.rmdir(directory)
        except OSError:
            return False
        return True
