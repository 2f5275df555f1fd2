# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as an ordinary user works with it, against the real helper."""
import os
import re
import signal
import subprocess

import pytest
from gi.repository import GLib

from desktop import BUILD, SECONDS, SOURCE, let_pass, owner_of, wait_for
from place import run
from tray import tunnel_up
from window import CHECKED, FOCUSED, HOME, SENSITIVE, TEXTS, WEAKER, NetworkManager, Window

CONTROL = "org.bulkhead.helper.control"
AUTHORIZE = "org.bulkhead.helper.authorize-user"
SEND_REFUSED = """
import socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.51.100.9", 4567))
except OSError:
    pass  # as it should be
"""


def test_first_run(desk):
    desk.place.start()
    window = Window(desk)
    window.click("tun0", "Set Up")
    window.press("Next", "Set Up")
    window.press("Authorise Me", "Set Up")
    wait_for(lambda: desk.polkit.prompts == [AUTHORIZE])
    window.waits_for("1 tunnel will be trusted", "Set Up")
    window.press("Lock", "Set Up")
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    assert [(t["id"], t["trusted"]) for t in desk.place.call("ListTunnels")] == [("tun0", True)]
    assert desk.place.property("Locked")
    assert desk.polkit.prompts == [AUTHORIZE], "one password for everything"
    window.end()


def test_lock_never_asks_and_unlock_asks_before_and_by_password(desk, window):
    window.act("unlock")
    window.waits_for("Everything may then leave this computer")
    window.answer("Cancel")
    let_pass(0.3)
    assert desk.polkit.prompts == [] and desk.place.property("Locked")
    desk.polkit.password = "dismissed"
    window.press("Unlock…", "Status")
    window.answer("Unlock")
    wait_for(lambda: desk.polkit.prompts == [CONTROL])
    let_pass(0.5)
    assert not window.says("Could Not"), "a closed prompt is not told"
    desk.polkit.password = "wrong"
    window.press("Unlock…", "Status")
    quiet = window.control("not ask again")
    wait_for(lambda: quiet.has(FOCUSED))
    desk.xdotool("key", "alt+n")
    wait_for(lambda: quiet.has(CHECKED))
    window.answer("Unlock")
    window.waits_for("Could Not Unlock")
    window.waits_for("You are not allowed to do this.")
    assert desk.place.property("Locked")
    window.answer("Close")
    desk.polkit.password = "right"
    window.press("Unlock…", "Status")  # not asked again
    wait_for(lambda: window.headline() == "Lock is off")
    assert desk.polkit.prompts == [CONTROL] * 3
    window.press("^Lock( Lock)?$", "Status")
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    assert len(desk.polkit.prompts) == 3
    window.end()


def test_one_question_at_a_time(desk, window):
    """However often it is asked for from outside; the password too."""
    for _ in range(5):
        window.act("unlock")
    window.answer("Unlock")
    wait_for(lambda: window.headline() == "Lock is off")
    assert len(window.windows()) == 1 and desk.polkit.prompts == [CONTROL]
    window.act("lock")
    wait_for(lambda: window.headline() != "Lock is off")
    window.act("unlock")
    window.answer("Cancel")
    let_pass(0.3)
    window.act("unlock")  # a question that was answered is not in the way
    window.answer("Unlock")
    wait_for(lambda: window.headline() == "Lock is off")
    window.end()


def test_each_dialog_is_open_once(desk, window):
    for action in ("preferences", "about", "way-out") * 2:
        window.act(action)
    let_pass(0.5)
    names = sorted(each.name() for each in window.windows())
    assert names == ["About", "Bulkhead", "Preferences", "The Way Out"]
    window.answer("Close")
    wait_for(lambda: len(window.windows()) == 3)
    window.act("way-out")
    wait_for(lambda: len(window.windows()) == 4)
    window.end()


def test_pause_of_a_day_tells_the_date(desk, window):
    """Its time of day is the one of now."""
    desk.place.call("Pause", "(uint32 86400,)")
    wait_for(lambda: re.search("^Paused until .+/.+ [0-9]+:[0-9]+$", window.headline() or ""))
    window.end()


def test_pause_counts_down(desk, window):
    window.act("pause-for", GLib.Variant("u", 5))
    window.waits_for("for 5 minutes. Then the lock closes by itself")
    window.answer("Pause")
    window.waits_for("Paused until [0-9]+:[0-9]+", "Status")
    first = window.waits_for("0:04:5[0-9] left", "Status")
    wait_for(lambda: window.says("0:04:5[0-9] left", "Status") not in (first, None))
    window.press("Resume", "Status")
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    assert not window.says("left$", "Status")
    window.end()


def test_switch_follows_the_helper(desk, window):
    lan = window.control("Allow the Local Network", "Status")
    desk.polkit.password = "dismissed"
    lan.press()
    window.answer("Allow")
    wait_for(lambda: desk.polkit.prompts == [CONTROL])
    let_pass(0.3)
    assert not lan.has(CHECKED) and lan.has(SENSITIVE)
    desk.polkit.password = "right"
    lan.press()
    let_pass(0.3)
    assert not lan.has(CHECKED), "the switch is ahead of the helper"
    window.answer("Allow")
    wait_for(lambda: lan.has(CHECKED))
    assert desk.place.property("Lan")
    lan.press()  # off is not asked about
    wait_for(lambda: not desk.place.property("Lan"))
    wait_for(lambda: not lan.has(CHECKED))
    desk.place.call("SetLan", "(true, @a{sv} {})")  # by somebody else
    wait_for(lambda: lan.has(CHECKED))
    window.end()


def test_lock_at_boot(desk, window):
    boot = window.control("Lock When the Computer Starts", "Status")
    boot.press()  # on is not asked about
    wait_for(lambda: desk.place.property("AtBoot"))
    wait_for(lambda: boot.has(CHECKED))
    assert desk.polkit.prompts == []
    boot.press()
    window.waits_for("Traffic may then leave after a restart")
    window.answer("Do Not Lock")
    wait_for(lambda: not desk.place.property("AtBoot"))
    wait_for(lambda: not boot.has(CHECKED))
    assert desk.polkit.prompts == [CONTROL]
    window.end()


def test_switch_that_closes_follows_the_helper_too(desk, window):
    """Closing needs no question: the request begins while the switch still moves."""
    desk.place.call("SetLan", "(true, @a{sv} {})")
    lan = window.control("Allow the Local Network", "Status")
    wait_for(lambda: lan.has(CHECKED))
    desk.helper.send_signal(signal.SIGSTOP)
    try:
        lan.press()
        wait_for(lambda: not lan.has(SENSITIVE))
        let_pass(0.3)
        assert lan.has(CHECKED), "the switch is ahead of the helper"
    finally:
        desk.helper.send_signal(signal.SIGCONT)
    wait_for(lambda: not lan.has(CHECKED))
    assert not desk.place.property("Lan")
    window.end()


def test_trust_and_forget(desk, window):
    desk.xdotool("key", "alt+2")
    tun0 = window.control("^tun0", "Tunnels")
    tun0.press()
    window.waits_for("“tun0”")
    window.answer("Trust")
    wait_for(lambda: tun0.has(CHECKED))
    assert {t["id"] for t in desk.place.call("ListTunnels") if t["trusted"]} == {"home", "tun0"}
    window.waits_for("mark 0xca6c", "Tunnels")
    window.press("^home", "Tunnels")  # needs no question
    wait_for(lambda: not window.find("^home", "Tunnels"))
    assert [t["id"] for t in desk.place.call("ListTunnels")] == ["tun0"]
    window.end()


def test_add_by_hand_names_the_field(desk, window):
    desk.xdotool("key", "alt+2")
    window.press("Add a Tunnel by Hand", "Tunnels")
    fields = {name: window.control(name, "Add a Tunnel", TEXTS)
              for name in ("Name", "Interface", "Servers")}
    fields["Name"].type("office")
    fields["Interface"].type("tun1")
    fields["Servers"].type("vpn.example:1194/udp")
    window.press("^Add( Add)?$", "Add a Tunnel")
    window.waits_for("endpoint “vpn.example:1194/udp”: host must be a plain IPv4 or IPv6 address",
                     "Add a Tunnel")
    fields["Servers"].type("198.51.100.7:1194/udp")
    window.press("^Add( Add)?$", "Add a Tunnel")
    wait_for(lambda: window.find("^office", "Tunnels"))
    office, = [t for t in desk.place.call("ListTunnels") if t["id"] == "office"]
    assert (office["interface"], office["endpoints"]) == ("tun1", ["198.51.100.7:1194/udp"])
    window.end()


def test_every_event_of_the_helper_has_words():
    with open(os.path.join(SOURCE, "helper/journal.c"), encoding="utf-8") as file:
        words = re.findall(r'\[BULKHEAD_EVENT_\w+\] = \{\s*"(\w+)"', file.read())
    with open(os.path.join(SOURCE, "app/window/log-event.c"), encoding="utf-8") as file:
        known = re.findall(r'^    \{ "(\w+)", N_', file.read(), re.M)
    assert len(words) > 15 and sorted(words) == sorted(known)


def test_log_is_searched(desk, window):
    desk.xdotool("key", "alt+3")
    window.waits_for("^Locked$", "Log")
    window.waits_for("^The helper started$", "Log")
    assert window.says(r"^[-0-9]+ [:0-9]+ · tunnel home added · by the user root$", "Log")
    window.control("Search the log", "Log", ("search box", "text", "entry", "text box")).type(
        "LOCKED")
    wait_for(lambda: not window.says("^The helper started$", "Log"))
    assert window.says("^Locked$", "Log")
    window.end()


def test_tunnel_comes_and_goes(desk, window):
    desk.place.call("TrustTunnel", "('tun0',)")
    with tunnel_up(desk.place):
        wait_for(lambda: window.headline() == "Protected")
        window.waits_for(r"^Up\b", "Status")
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    assert window.says("Connect your VPN", "Status")
    window.end()


def test_closing_a_dialog_while_the_helper_works(desk, window):
    window.act("preferences")
    window.waits_for("Exceptions", "Preferences")
    row = window.row("Add, such as", "Preferences")
    wait_for(lambda: row.has(SENSITIVE))
    entry = window.control("Add, such as", "Preferences", TEXTS)
    window.click("Add, such as", "Preferences", TEXTS)
    entry.type("192.0.2.7")
    desk.xdotool("key", "Return")
    desk.helper.send_signal(signal.SIGSTOP)
    try:
        window.answer("Add Exception")
        wait_for(lambda: not row.has(SENSITIVE))
        window.press("^Close$", "Preferences")
        wait_for(lambda: window.page("Preferences") is None)
    finally:
        desk.helper.send_signal(signal.SIGCONT)
    wait_for(lambda: desk.place.call("ListExceptions") == ["192.0.2.7"])
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    window.end()


def test_exception_from_recently_refused(desk, window):
    assert not window.says("^Recently Refused", "Status")
    place = desk.place
    run("ip", "-n", place.namespace, "address", "add", "192.0.2.2/24", "dev", "eth0")

    def send(*user):
        run("ip", "netns", "exec", place.namespace, *user, "/usr/bin/python3", "-c", SEND_REFUSED)

    def sent_again():
        send("setpriv", f"--reuid={desk.uid}", "--clear-groups")
        return window.says(r"^198\.51\.100\.9 udp 4567 · ([2-9]|\d\d+) times, last at", "Status")

    send()
    window.waits_for("packets? (was|were) refused so far", "Status")
    window.waits_for("None is known to come from your programs", "Status")
    send("setpriv", f"--reuid={desk.uid}", "--clear-groups")
    allow = window.control("Allow 198.51.100.9 udp 4567", "Status")
    assert not window.says("None is known to come from your programs", "Status")
    wait_for(sent_again)
    allow.press()  # the same one, while it counts on
    window.waits_for("“198.51.100.9 udp 4567” can then be reached outside the tunnel")
    window.answer("Add Exception")
    wait_for(lambda: place.call("ListExceptions") == ["198.51.100.9 udp 4567"])
    window.end()


def test_lost_helper_is_not_known_and_comes_back(desk, window):
    desk.place.end(desk.helper, signal.SIGKILL)
    wait_for(lambda: window.headline() == "Not known")
    assert window.says("helper is not running", "Status")
    assert not window.control("Allow the Local Network", "Status").has(SENSITIVE)
    assert not window.says("Protected|Lock is off", "Status")
    desk.place.start()
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    window.end()


def test_hung_helper_leaves_the_window_alive(desk, window):
    desk.helper.send_signal(signal.SIGSTOP)
    try:
        window.act("lock")
        wait_for(lambda: window.headline() == "Not known")
        assert window.says("does not answer", "Status")
        window.act("about")
        window.waits_for("GNU General Public|Legal|Version|0\\.1\\.0")
    finally:
        desk.helper.send_signal(signal.SIGCONT)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    window.end()


def test_what_the_administrator_fixed_cannot_be_changed(desk):
    folder = os.path.join(desk.place.directory, "policy.d")
    os.makedirs(folder)
    with open(os.path.join(folder, "10-a.conf"), "w", encoding="utf-8") as file:
        file.write("[bulkhead]\nlocked=true\nlan=true\n[exceptions]\nany=192.0.2.0/24\n")
    desk.place.start()
    window = Window(desk)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    window.waits_for("The lock is fixed by the administrator.", "Status")
    assert not window.find("Pause", "Status")
    assert not window.shows("Unlock", "Status")
    lan = window.control("Allow the Local Network", "Status")
    assert lan.has(CHECKED) and not lan.has(SENSITIVE)
    assert window.says("\nFixed by the administrator$", "Status")
    window.act("unlock")
    window.answer("Unlock")
    window.waits_for("The administrator of this computer fixed this setting.")
    window.answer("Close")
    window.act("preferences")
    window.waits_for("^192.0.2.0/24$", "Preferences")
    assert not window.control("Remove the exception", "Preferences").has(SENSITIVE)
    window.end()


def test_what_this_computer_lacks_and_what_cannot_be_used(desk):
    folder = os.path.join(desk.place.directory, "policy.d")
    os.makedirs(folder)
    helper = desk.place.start("--no-owner")
    desk.place.call("AddTunnel", HOME)
    window = Window(desk)
    wait_for(lambda: window.headline() == "Lock is off")
    weaker = "can remove the rules. Bulkhead puts them back at once"
    window.waits_for("^The Linux kernel of this computer lacks 1 feature.$", "Status")
    assert not window.shows(weaker, "Status")
    window.open(WEAKER, "Status")
    wait_for(lambda: window.shows(weaker, "Status"))
    managed = "^The administrator’s settings cannot be used$"
    assert not window.shows(managed, "Status")
    desk.place.end(helper)
    with open(os.path.join(folder, "10-a.conf"), "w", encoding="utf-8") as file:
        file.write("[bulkhead]\nlocked=perhaps\n")
    desk.place.start("--no-owner")
    wait_for(lambda: window.shows(managed, "Status"))
    assert window.says("10-a.conf: .*perhaps", "Status")
    window.end()


def test_what_others_change_is_seen_at_once(desk, window):
    """In a window that is open, when nothing else changes with it."""
    def ctl(*arguments):
        program = desk.spawn(f"{BUILD}/app/ctl/bulkheadctl", *arguments)
        wait_for(lambda: program.poll() is not None)  # polkit is played here meanwhile
        assert program.returncode == 0

    window.act("preferences")
    window.waits_for("An administrator’s password is asked for once", "Preferences")
    ctl("except", "add", "192.0.2.7", "--protocol", "tcp", "--port", "22")
    window.waits_for("^192.0.2.7 tcp 22$", "Preferences")
    ctl("except", "remove", "192.0.2.7", "--protocol", "tcp", "--port", "22")
    wait_for(lambda: not window.says("^192.0.2.7 tcp 22$", "Preferences"))
    ctl("authorize")
    window.waits_for("You need no password", "Preferences")
    ctl("revoke")
    window.waits_for("An administrator’s password is asked for once", "Preferences")
    folder = os.path.join(desk.place.directory, "policy.d")
    os.makedirs(folder)
    path = os.path.join(folder, "10-a.conf")
    for value in ("perhaps", "never"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"[bulkhead]\nlocked={value}\n")
        window.waits_for(f"10-a.conf: .*{value}", "Status")
    os.unlink(path)
    wait_for(lambda: not window.says("10-a.conf: ", "Status"))
    window.end()


def test_sign_in_page_offers_a_pause(desk):
    network = NetworkManager(desk.place.bus.address)
    desk.place.start()
    desk.place.call("AddTunnel", HOME)
    desk.place.call("Lock")
    window = Window(desk)
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    let_pass(0.5)
    assert not window.find("Pause for 5 Minutes")
    network.say(Connectivity=GLib.Variant("u", 2))
    window.waits_for("This network wants you to sign in first.")
    window.press("Pause for 5 Minutes")
    window.answer("Pause")
    window.waits_for("Sign in now: the lock closes by itself in 4:5[0-9]")
    desk.place.call("Resume")
    window.waits_for("This network wants you to sign in first.")
    network.say(Connectivity=GLib.Variant("u", 4))
    wait_for(lambda: not window.find("Pause for 5 Minutes"))
    window.end()


def test_desktop_action_starts_and_locks(desk):
    desk.place.start()
    desk.place.call("AddTunnel", HOME)
    assert not desk.place.property("Locked")
    window = Window(desk, "--gapplication-service")
    window.act("lock")
    wait_for(lambda: desk.place.property("Locked"))
    wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    window.end()


# What weakens: the method, how far a person goes, and the press with which it is asked for.
WEAKENINGS = {
    "Unlock": (lambda window: window.act("unlock"), lambda window: window.answer("Unlock")),
    "Pause": (lambda window: window.act("pause-for", GLib.Variant("u", 5)),
              lambda window: window.answer("Pause")),
    "SetLan": (lambda window: window.press("Allow the Local Network", "Status"),
               lambda window: window.answer("Allow")),
    "SetAtBoot": (lambda window: window.press("Lock When the Computer Starts", "Status"),
                  lambda window: window.answer("Do Not Lock")),
    "TrustTunnel": (lambda window: (window.desktop.xdotool("key", "alt+2"),
                                    window.press("^tun0", "Tunnels")),
                    lambda window: window.answer("Trust")),
    "ForgetTunnel": (lambda window: window.desktop.xdotool("key", "alt+2"),
                     lambda window: window.press("^home", "Tunnels")),
    "RemoveExceptions": (lambda window: (window.act("preferences"),
                                         window.control("Remove the exception", "Preferences")),
                         lambda window: window.press("Remove the exception", "Preferences")),
    "Authorize": (lambda window: (window.act("preferences"),
                                  window.control("Authorise Me", "Preferences")),
                  lambda window: window.press("Authorise Me", "Preferences")),
}


@pytest.fixture
def messages(desk):
    """Gives what was said on the system bus so far: a list of fields for each message."""
    path = os.path.join(desk.directory, "messages")
    with open(path, "w", encoding="utf-8") as file:
        monitor = subprocess.Popen(
            ["dbus-monitor", "--address", desk.place.bus.address, "--profile",
             "type='method_call'", "type='method_return'", "type='error'"],
            stdin=subprocess.DEVNULL, stdout=file)

    def said():
        with open(path, encoding="utf-8") as file:
            return [line.split("\t") for line in file.read().splitlines()]

    yield said
    monitor.kill()
    monitor.wait(SECONDS)


def test_kill_while_the_helper_has_the_call_changes_nothing(desk, messages, window):
    """While the helper has the call and has not looked at it; polkit would say yes."""
    desk.place.call("AddExceptions", "(['192.0.2.7'],)")
    desk.place.call("SetAtBoot", "(true,)")
    before = desk.place.everything()
    for method, (prepare, press) in WEAKENINGS.items():
        prepare(window)
        known = len(messages())
        desk.helper.send_signal(signal.SIGSTOP)
        try:
            press(window)
            _, _, serial, sender, *_ = wait_for(lambda: next(
                (said for said in messages()[known:] if said[0] == "mc" and said[-1] == method),
                None))
            window.program.kill()
            window.program.wait(SECONDS)
            wait_for(lambda: not owner_of(desk.place.bus.connection, sender))
        finally:
            desk.helper.send_signal(signal.SIGCONT)
        wait_for(lambda: ["err", sender, serial] in [
            [said[0], said[4], said[-1]] for said in messages() if len(said) > 4])
        assert desk.place.everything() == before, method
        window = Window(desk)
        wait_for(lambda: window.headline() == "Blocking: no tunnel is up")
    assert desk.polkit.prompts == [] and desk.helper.poll() is None
    window.end()
