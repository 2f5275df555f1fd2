# SPDX-License-Identifier: GPL-3.0-or-later
"""A user who logged in: a shell on a terminal, in a session that logind knows."""
import os
import re
import select
import subprocess
import time

from ns import Failed, die_with_parent
from vpn import wait_for

PROMPT = "Password:"


class Session:
    """Use as a context manager. `seat`: at this computer's own screen and keyboard, which makes it
    the active session there; otherwise it is like one that came over the network."""

    def __init__(self, machine, user, seat=True):
        self.machine, self.user = machine, user
        self._output = ""
        self._terminal, far = os.openpty()
        environment = ["-E", "XDG_SESSION_TYPE=tty", "-E", "XDG_SESSION_CLASS=user", "-E", "PS1="]
        if seat:
            environment += ["-E", "XDG_SEAT=seat0"]
        self._shell = subprocess.Popen(
            machine.command("systemd-run", "--quiet", "--collect", "--pty", f"--uid={user}",
                            "-p", "PAMName=house", *environment, "sh", "-c", "echo logged in; exec sh"),
            stdin=far, stdout=far, stderr=far, start_new_session=True, preexec_fn=die_with_parent)
        os.close(far)
        self._read_until("logged in", 30)  # what is typed before is lost
        self.terminal = self._ask("tty")
        self.id = self._ask("echo $XDG_SESSION_ID")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.write(self._terminal, b"exit\n")
        try:
            self._shell.wait(10)
        except subprocess.TimeoutExpired:
            self._shell.kill()
            self._shell.wait(10)
        os.close(self._terminal)

    def _read_until(self, pattern, seconds):
        """The match, and what came before and with it; what was read is then behind us."""
        until = time.monotonic() + seconds
        while (found := re.search(pattern, self._output)) is None:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._terminal], [], [], left)[0]:
                raise Failed(f"{self.user}'s terminal says nothing more:\n{self._output}")
            self._output += os.read(self._terminal, 65536).decode(errors="replace")
        told, self._output = self._output[:found.end()], self._output[found.end():]
        return found, told

    def _does_not_echo(self):
        told = self.machine.run("stty", "-a", "-F", self.terminal, check=False).stdout
        return " -echo " in told

    def run(self, line, password="", seconds=30):
        """Types a command line, and the password whenever one is asked for: (exit status, what
        was on the terminal, how often a password was asked for)."""
        os.write(self._terminal, f"{line}; echo \"<$?>\"\n".encode())
        told, asked = "", 0
        while True:
            found, more = self._read_until(rf"<(\d+)>|{PROMPT}", seconds)
            told += more.removesuffix(found[0])
            if found[0] != PROMPT:
                return int(found[1]), told, asked
            asked += 1
            # The agent throws away what was typed before it turned the echo off.
            if not wait_for(self._does_not_echo, 5):
                raise Failed(f"the password would be seen on {self.user}'s terminal:\n{told}")
            os.write(self._terminal, f"{password}\n".encode())

    def _ask(self, line):
        """The last word it answers: what was typed is echoed before it."""
        return self.run(line)[1].split()[-1]

    def is_active(self):
        return self.machine.run("loginctl", "show-session", "--value", "-p", "Active",
                                self.id).stdout.strip() == "yes"

    def activate(self):
        """As by the switch of users on the screen."""
        self.machine.run("loginctl", "activate", self.id)
        if not wait_for(self.is_active, 5):
            raise Failed(f"{self.user}'s session does not become active")
