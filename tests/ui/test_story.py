# SPDX-License-Identifier: GPL-3.0-or-later
"""One story, as a person at the window lives it and as the ISP sees it: the window in Alice's
session, read and pressed as a screen reader does; the real helper, polkitd and password prompt; a
real WireGuard tunnel; and in every chapter senders that the witness listens for."""
import os
import signal
import sys
import time

import pytest
from gi.repository import GLib

from desktop import SOURCE, Desktop, let_pass, wait_for
from place import run
from polkit_place import ALICE, PASSWORD, PolkitPlace
from tray import Tray
from window import CHECKED, SENSITIVE, UserDesktop, Window

sys.path.insert(0, os.path.join(SOURCE, "tests", "lab"))
from checks import tag_of  # noqa: E402
from lab import Lab, WireGuard  # noqa: E402
from traffic import ICMP, TARGET, UDP, new_mark  # noqa: E402

CONTROL = "org.bulkhead.helper.control"
AUTHORIZE = "org.bulkhead.helper.authorize-user"
NEIGHBOUR, PRINTER = "192.168.7.1", 9100
WANTED = 7002  # the port that an exception will be made for
BLOCKING = "Blocking: no tunnel is up"


def ways():
    """What is sent in every chapter: to the internet, along the routes and bound to the uplink, and
    to the LAN. `wanted` is a program of Alice's: only what her own were refused is told to her, and
    ten packets a second of all are looked at: it sends enough to be among them."""
    made = [f"udp,rate=40,to={NEIGHBOUR},port={PRINTER},dev=eth0,tag=printer",
            f"icmp,rate=40,to={NEIGHBOUR},dev=eth0,tag=neighbour",
            f"udp,rate=40,to={NEIGHBOUR},port=53,dev=eth0,tag=resolver"]
    for family in (4, 6):
        base = f"rate=40,to={TARGET[family]},"
        for suffix, dev in (("", ""), ("-bound", ",dev=eth0")):
            made += [f"udp,{base}port=7001,tag=udp{suffix}{family}{dev}",
                     f"tcp,{base}port=7004,tag=tcp{suffix}{family}{dev}",
                     f"icmp,{base}tag=icmp{suffix}{family}{dev}"]
    return made + [f"udp,rate=400,to={TARGET[4]},port={WANTED},uid={ALICE},tag=wanted"]


# What a chapter may open: (destination, protocol, port or type) and the tag of who sends there.
LAN = {(NEIGHBOUR, UDP, PRINTER): "printer", (NEIGHBOUR, ICMP, 8): "neighbour"}
EXCEPTION = {(TARGET[4], UDP, WANTED): "wanted"}


class StoryPlace(PolkitPlace):
    """Its network is the victim's of the lab."""

    def __init__(self, lab):
        self.lab = lab
        super().__init__()
        self.share("wireguard")

    def make_network(self):
        run("ip", "netns", "attach", self.namespace, str(self.lab.victim.pid))

    def share(self, name):
        """A folder of /run that programs of the lab and of this place see alike: both have a /run
        of their own."""
        shared = os.path.join(self.directory, name)
        os.mkdir(shared, mode=0o700)
        run(*self.enter(), "mkdir", f"/run/{name}")
        run(*self.enter(), "mount", "--bind", shared, f"/run/{name}")
        self.lab.victim.run("mount", "--bind", shared, f"/run/{name}")


class SessionDesktop(UserDesktop):
    """The desktop of Alice's session, as polkitd knows it."""

    uid = ALICE

    def __init__(self, place):
        self.session = place.session("alice")
        super().__init__(place)

    def as_user(self, command):
        return self.session.command(*command)

    def read_line(self, command, environment=None):
        if "dbus-daemon" in command:  # the session enters the place itself
            command = self.as_user(command[command.index("dbus-daemon"):])
        return Desktop.read_line(self, command, environment)


class Story:
    def __init__(self, lab, desk):
        self.lab, self.desk, self.place = lab, desk, desk.place
        self.helper = self.place.start()
        self.agent = self.place.agent(desk.session, "password", PASSWORD)
        self.tunnel = lab.use(WireGuard(lab))

    def sent(self, seconds, during=None):
        """Everything is sent for so long, and `during` happens meanwhile: what the ISP saw, and how
        much was tried."""
        mark = new_mark()
        with self.lab.witness(mark) as witness:
            with self.lab.senders(mark, ways()) as senders:
                if during:
                    during()
                let_pass(seconds)
        tried = {tag: result["attempts"] for tag, result in senders.result.items()}
        assert all(tried.values()), f"a sender did nothing: {tried}"
        assert witness.seen.drops == 0, "the witness missed frames: the count proves nothing"
        return witness.seen, sum(tried.values())

    def open_chapter(self, name, seconds=0.7):
        """The control: every sender is heard."""
        seen, tried = self.sent(seconds)
        print(f"{name:<52}{tried:>6} tried {seen.marked:>6} seen", flush=True)
        missing = {tag_of(way) for way in ways()} - set(seen.tags)
        assert not missing, f"{name}: control: not seen at the ISP: {missing}"

    def closed_chapter(self, name, seconds=1.5, opened=None, during=None):
        """Some of what is opened must be seen; of the rest nothing, and no frame of any kind but
        what may leave while locked (Lab.allowed)."""
        opened = opened or {}
        allowed = self.lab.allowed(self.tunnel.endpoints(), opened is LAN)
        seen, tried = self.sent(seconds, during)
        leaks = [c for c in seen.classes
                 if (c["destination"], c["protocol"], c["port"]) not in opened
                 and (c["marked"] or not allowed(c))]
        let_out = sum(seen.tags.get(tag, 0) for tag in opened.values())
        print(f"{name:<52}{tried:>6} tried {let_out:>6} let out "
              f"{sum(c['frames'] for c in leaks):>4} leaked", flush=True)
        assert not leaks, "\n".join([name, *map(str, leaks)])
        assert all(seen.tags.get(tag) for tag in opened.values()), (name, seen.tags)

    def open_window(self, headline):
        self.window = Window(self.desk)
        wait_for(lambda: self.window.headline() == headline)

    def kill_what_shows(self):
        for program in (self.window.program, self.tray.program):
            self.desk.end(program, signal.SIGKILL)

    def first_run(self):
        self.tunnel.start().wait_up()
        self.window = window = Window(self.desk)
        window.click(self.tunnel.link, "Set Up")
        window.press("Next", "Set Up")
        window.press("Authorise Me", "Set Up")
        window.waits_for("1 tunnel will be trusted", "Set Up")
        window.press("Lock", "Set Up")
        wait_for(lambda: window.headline() == "Protected")
        assert self.agent.next().startswith(f"asked {AUTHORIZE} ")
        assert self.tunnel.works(4) and self.tunnel.works(6)
        self.tray = Tray(self.desk)
        wait_for(lambda: self.tray.icon() == "protected")

    def kill_tunnel(self):
        headline = self.window.control("", "Status", ("heading",))
        self.tunnel.client.kill()
        began = time.monotonic()
        wait_for(lambda: headline.name() == BLOCKING)
        seconds = time.monotonic() - began
        print(f"  the headline says “{BLOCKING}” after {seconds * 1000:.0f} ms", flush=True)
        assert seconds < 1
        wait_for(lambda: self.tray.icon() == "blocking")

    def left(self):
        """The seconds that the window says are left of the pause."""
        text = self.window.says("left$", "Status")
        return text and sum(int(part) * unit for part, unit in
                            zip(text.split()[0].split(":"), (3600, 60, 1)))

    def pause(self):
        self.window.act("pause-for", GLib.Variant("u", 1))
        self.window.answer("Pause")
        first = wait_for(self.left)
        assert 55 <= first <= 60
        wait_for(lambda: (self.left() or first) < first - 1)
        self.open_chapter("paused: the control")

    def let_pause_end(self):
        """The rest of the minute is cut short; then only the kernel is there to close."""
        assert self.desk.session.call("Pause", "(uint32 5,)") == "()\n"
        end = time.monotonic() + 5
        wait_for(lambda: (self.left() or 9) <= 5)
        self.helper.send_signal(signal.SIGSTOP)
        self.kill_what_shows()
        assert time.monotonic() < end, "too slow: the helper saw the end of the pause"
        time.sleep(end + 0.3 - time.monotonic())

    def set_lan(self, on):
        switch = self.window.control("Allow the Local Network", "Status")
        wait_for(lambda: switch.has(SENSITIVE))
        switch.press()
        if on:
            self.window.answer("Allow")
        wait_for(lambda: switch.has(CHECKED) == on)

    def allow_what_was_refused(self):
        wanted = f"{TARGET[4]} udp {WANTED}"
        self.window.press(f"^Allow {wanted}", "Status")
        self.window.waits_for(f"“{wanted}” can then be reached outside the tunnel")
        self.window.answer("Add Exception")
        wait_for(lambda: self.place.call("ListExceptions") == [wanted])

    def revoke(self):
        assert self.agent.prompts() == 0, "authorised once, and never asked again"
        self.window.act("preferences")
        self.window.press("Revoke the authorisation of alice", "Preferences")
        wait_for(lambda: self.place.call("ListGrants") == [])
        self.window.press("^Close$", "Preferences")
        self.agent.set("dismiss")
        self.window.act("unlock")
        self.window.answer("Unlock")
        assert self.agent.next().startswith(f"asked {CONTROL} ")
        let_pass(0.5)
        assert self.window.headline() == BLOCKING


@pytest.fixture
def story():
    with Lab() as lab:
        desk = SessionDesktop(StoryPlace(lab))
        try:
            yield Story(lab, desk)
        finally:
            desk.close()


def test_story(story):
    print()
    story.open_chapter("no lock yet: the control")
    story.first_run()
    story.closed_chapter("locked by the first run, tunnel up")
    story.closed_chapter("the tunnel is killed", 3, during=story.kill_tunnel)
    story.closed_chapter("window and tray are killed", during=story.kill_what_shows)
    story.tray.start()
    story.open_window(BLOCKING)
    story.pause()
    story.let_pause_end()
    story.closed_chapter("closed with helper, window and tray dead or hung")
    story.helper.send_signal(signal.SIGCONT)
    story.tray.start()
    story.open_window(BLOCKING)
    story.set_lan(True)
    story.closed_chapter("local network allowed", opened=LAN)
    story.set_lan(False)
    story.closed_chapter("local network closed again")
    story.allow_what_was_refused()
    story.closed_chapter("one address allowed from what was refused", opened=EXCEPTION)
    story.revoke()
    story.closed_chapter("revoked, and the password not given", opened=EXCEPTION)
    story.window.end()
    story.tray.end()
