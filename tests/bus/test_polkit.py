# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked for a password and who is not: the real polkitd, users, sessions and passwords."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import termios
import time

import pytest

from place import BLOCKING, BUILD, GOOD, NAME, OFF, READS, SECONDS, wait_for
from polkit_place import ADMIN, ALICE, BOB, PASSWORD, USERS, PolkitPlace, attack, result

ACTION = "org.bulkhead.helper."
ADDRESSES = ("GetRules", "ListExceptions", "GetLog", "ListBlocked")
STRENGTHENING = ("Lock", "Resume", "SetAtBoot")  # on, that is
CTL = os.environ.get("BULKHEADCTL") or os.path.join(BUILD, "app/ctl/bulkheadctl")
WEAKENING = [method for method in GOOD
             if method not in (*READS, *ADDRESSES, *STRENGTHENING, "Authorize", "Revoke")]
NEEDS_PASSWORD = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
REFUSED = NAME + ".Error.NotAuthorized"
CLOSED = NAME + ".Error.Cancelled"
FAILED = NAME + ".Error.Failed"
RIGHT, WRONG = ("password", PASSWORD), ("password", "sesame")


@pytest.fixture(scope="module")
def machine():
    place = PolkitPlace()
    place.start()
    place.call("AddTunnel", "({'name': <'home'>, 'interface': <'wg7'>, "
                            "'endpoints': <['203.0.113.5:51820/udp']>},)")
    place.call("AddExceptions", "(['192.0.2.0/24'],)")
    yield place
    place.close()


@pytest.fixture
def locked(machine):
    """Locked, and nobody is authorised or logged in."""
    machine.revive_polkitd()
    machine.call("Lock")
    for uid, _, _ in machine.call("ListGrants"):
        machine.call("Revoke", f"(uint32 {uid},)")
    yield machine
    machine.log_out()


def test_an_active_user_locks_and_reads_without_a_prompt(locked):
    alice = locked.session("alice")
    agent = locked.agent(alice, "dismiss")
    locked.call("Unlock")
    for method in (*STRENGTHENING, *READS, *ADDRESSES):
        assert alice.call(method, GOOD[method], interactive=True).startswith("("), method
    assert agent.prompts() == 0
    assert "203.0.113.5" in alice.call("GetStatus") and "192.0.2.0/24" in alice.call("GetRules")
    assert locked.property("State") == BLOCKING


def test_at_boot_off_asks(locked):
    alice = locked.session("alice")
    assert alice.call("SetAtBoot", "(true,)") == "()\n"
    assert NEEDS_PASSWORD in alice.call("SetAtBoot", "(false,)")
    assert locked.property("AtBoot") is True
    locked.call("SetAtBoot", "(false,)")


def test_each_unlock_asks_once(locked):
    alice = locked.session("alice")
    agent = locked.agent(alice, *RIGHT)
    for _ in range(2):
        locked.call("Lock")
        assert alice.call("Unlock", interactive=True) == "()\n"
        assert locked.property("State") == OFF
        assert agent.next() == (f"asked {ACTION}control Authentication is required to turn the "
                                "network lock off")
        assert agent.next() == "success"
        assert agent.prompts() == 0


def test_a_password_is_for_one_call(locked):
    """Also for the same process: polkit would keep it for five minutes, if the action said so."""
    alice = locked.session("alice")
    agent = locked.agent(alice, *RIGHT)
    assert result(attack(alice, "insist", 3, "Unlock")) == {"null": 3}
    assert agent.prompts() == 3


# PAM makes who mistypes wait.
@pytest.mark.parametrize("answer, methods, error", [
    (("dismiss",), (*WEAKENING, "Authorize"), CLOSED),
    (WRONG, ("Unlock", "Authorize"), REFUSED)], ids=["dismissed", "wrong password"])
def test_a_prompt_without_the_password(locked, answer, methods, error):
    alice = locked.session("alice")
    agent = locked.agent(alice, *answer)
    before = locked.everything()
    for method in methods:
        assert error in alice.call(method, GOOD[method], interactive=True), method
        assert agent.prompts() == 1
    assert locked.everything() == before


def test_nobody_is_asked_who_did_not_say_so(locked):
    alice = locked.session("alice")
    agent = locked.agent(alice, *RIGHT)
    before = locked.everything()
    for method in (*WEAKENING, "Authorize"):
        assert NEEDS_PASSWORD in alice.call(method, GOOD[method]), method
    assert agent.prompts() == 0
    assert locked.everything() == before


def test_no_prompt_program(locked):
    answer = locked.session("alice").call("Unlock", interactive=True)
    assert NEEDS_PASSWORD in answer and "no password prompt program" in answer


def authorize(place, session):
    agent = place.agent(session, *RIGHT)
    assert session.call("Authorize", interactive=True) == "()\n"
    assert agent.prompts() == 1
    return agent


def test_authorised_once(locked):
    alice = locked.session("alice")
    agent = authorize(locked, alice)
    for helper in (locked.helpers[-1], None):
        for method in WEAKENING:
            locked.call("Lock")
            answer = alice.call(method, GOOD[method], interactive=True)
            assert answer == "()\n" or "Exists" in answer or "NotFound" in answer, answer
        if helper is not None:
            locked.end(helper)
            locked.start()
    assert alice.call("Authorize", interactive=True) == "()\n"
    assert agent.prompts() == 0
    assert [grant[:2] for grant in locked.call("ListGrants")] == [(ALICE, "alice")]
    locked.call("Lock")
    assert alice.call("Revoke", f"(uint32 {ALICE},)", interactive=True) == "()\n"
    assert agent.prompts() == 0
    agent.set("dismiss")
    assert CLOSED in alice.call("Unlock", interactive=True)
    assert agent.prompts() == 1
    assert locked.property("State") == BLOCKING


def test_root_revokes_at_once(locked):
    alice = locked.session("alice")
    authorize(locked, alice)
    locked.call("Revoke", f"(uint32 {ALICE},)")
    assert NEEDS_PASSWORD in alice.call("Unlock")


def test_one_user_is_not_another(locked):
    alice = locked.session("alice")
    authorize(locked, alice)
    bob = locked.session("bob")
    agent = locked.agent(bob, *WRONG)
    before = locked.everything()
    for method, arguments in (("Unlock", "()"), ("Authorize", "()"),
                              ("Revoke", f"(uint32 {ALICE},)")):
        assert NEEDS_PASSWORD in bob.call(method, arguments)
        assert REFUSED in bob.call(method, arguments, interactive=True)
        assert agent.prompts() == 1
    assert locked.everything() == before


@pytest.mark.parametrize("kind", [{"active": False}, {"seat": False}], ids=["inactive", "remote"])
def test_from_a_session_that_is_not_in_front(locked, kind):
    """Authorised or not: a password for everything but reading, and no addresses at all."""
    authorize(locked, locked.session("alice"))
    locked.log_out()
    before = locked.everything()
    for user in ("alice", "bob"):
        session = locked.session(user, **kind)
        for method, arguments in GOOD.items():
            if (user, method) == ("alice", "Authorize"):
                continue  # she is
            answer = session.call(method, arguments)
            if method in READS:
                assert answer.startswith("(") and "203.0.113.5" not in answer, method
            else:
                assert (REFUSED if method in ADDRESSES else NEEDS_PASSWORD) in answer, method
    assert locked.everything() == before


def test_a_session_that_goes_to_the_back(locked):
    alice = locked.session("alice")
    authorize(locked, alice)
    for active in (True, False, True):
        alice.set_active(active)
        locked.call("Lock")
        answer = alice.call("Unlock")
        assert answer == "()\n" if active else NEEDS_PASSWORD in answer


def test_a_process_of_no_session(locked):
    authorize(locked, locked.session("alice"))
    locked.log_out()
    alice = locked.session("alice", cgroup=False)
    assert NEEDS_PASSWORD in alice.call("Unlock")
    assert REFUSED in alice.call("GetRules")
    assert locked.property("State") == BLOCKING


def test_a_uid_with_a_new_name(locked):
    authorize(locked, locked.session("alice"))
    locked.log_out()
    locked.write_users({"mallory": ALICE, "bob": BOB, "ada": ADMIN})
    try:
        mallory = locked.session("alice")
        assert NEEDS_PASSWORD in mallory.call("Unlock")
        assert [grant[:2] for grant in locked.call("ListGrants")] == [(ALICE, "alice")]
        authorize(locked, mallory)
        assert [grant[:2] for grant in locked.call("ListGrants")] == [(ALICE, "mallory")]
    finally:
        locked.write_users(USERS)


def test_the_administrators_rules_win(locked):
    """polkit is asked about a user who is authorised, too."""
    alice = locked.session("alice")
    authorize(locked, alice)
    rule = os.path.join(locked.directory, "rules", "10-no.rules")
    with open(rule, "w", encoding="utf-8") as file:
        file.write('polkit.addRule(function(action, subject) {'
                   'if (action.id.indexOf("org.bulkhead.") == 0 && subject.user == "alice")'
                   ' return polkit.Result.NO; });')
    try:
        wait_for(lambda: REFUSED in alice.call("Unlock"))
        locked.call("Lock")
        before = locked.everything()
        for method in (*WEAKENING, *STRENGTHENING):
            assert REFUSED in alice.call(method, GOOD[method], interactive=True), method
        assert locked.everything() == before
    finally:
        os.unlink(rule)
        wait_for(lambda: alice.call("Lock") == "()\n")


def begin_prompt(place, session):
    """An Unlock whose prompt is open."""
    agent = place.agent(session, "wait")
    call = session.begin("Unlock", interactive=True)
    assert agent.next().startswith("asked")
    return call, agent


def test_the_prompt_goes_with_who_asked(locked):
    call, agent = begin_prompt(locked, locked.session("alice"))
    call.kill()
    assert agent.next() == "cancelled"
    call.communicate()
    assert locked.property("State") == BLOCKING


def test_the_prompt_goes_when_the_user_locks(locked):
    """Also an authorised user's, whose session went to the back."""
    alice = locked.session("alice")
    call, agent = begin_prompt(locked, alice)
    assert alice.call("Lock") == "()\n"
    assert CLOSED in alice.answer(call)
    assert agent.next() == "cancelled"
    assert locked.property("State") == BLOCKING


def test_prompts_that_nobody_answers(locked):
    """Users with more uids than their own leave open all that they may. It keeps nobody else from
    what needs no password: the bus lets the helper wait for 128 answers, and these are 136."""
    alice = locked.session("alice")
    locked.agent(alice, "wait")
    ada = locked.session("ada")
    uids = range(ADMIN + 1, ADMIN + 9)
    locked.write_users({**USERS, **{f"alice{uid}": uid for uid in uids}})
    attackers = []
    try:
        for alice.uid in uids:
            attackers.append(attack(alice, "ask", 17, 4, "Unlock"))
            assert json.loads(attackers[-1].stdout.readline()) == {FAILED: 13}
        assert ada.call("Lock") == "()\n"
        assert ada.call("GetRules").startswith("(")
        assert NEEDS_PASSWORD in ada.call("Unlock")
        assert "too many password prompts" in ada.call("Unlock", interactive=True)
    finally:
        for attacker in attackers:
            attacker.kill()
            attacker.communicate()
        locked.write_users(USERS)
    locked.revive_polkitd()
    wait_for(lambda: NEEDS_PASSWORD in ada.call("Unlock", interactive=True))


def test_large_calls_that_wait_for_a_password(locked):
    """One user's keep nobody else's out, and two users' not root's."""
    large = "([" + ",".join(f"'198.51.{n // 250}.{n % 250}'" for n in range(400)) + "],)"
    attackers = []
    try:
        for user in "alice", "bob":
            session = locked.session(user)
            locked.agent(session, "wait")
            assert NEEDS_PASSWORD in session.call("AddExceptions", large)
            attackers.append(attack(session, "ask", 5, 4, "AddExceptions", 3800000))
            assert json.loads(attackers[-1].stdout.readline()) == {FAILED: 1}
        locked.call("AddExceptions", large)
        locked.call("RemoveExceptions", large)
    finally:
        for attacker in attackers:
            attacker.kill()
            attacker.communicate()


def test_one_users_refusals_hide_nobody_elses(locked):
    alice, ada = (locked.session(user, seat=False) for user in ("alice", "ada"))
    before = len(locked.events())
    assert result(attack(alice, "insist", 25, "GetRules")) == {REFUSED: 25}
    assert REFUSED in ada.call("GetRules")
    told = [(event["event"], event["uid"]) for event in locked.events()[before:]]
    assert told[-1] == ("refused", str(ADMIN)) and told.count(("refused", str(ALICE))) <= 20


def test_polkitd_dies_while_it_asks(locked):
    alice = locked.session("alice")
    call, _ = begin_prompt(locked, alice)
    before = locked.everything()
    start = time.monotonic()
    locked.stop_polkitd()
    try:
        assert REFUSED in alice.answer(call)
        assert time.monotonic() - start < 5
        assert locked.everything() == before
    finally:
        locked.start_polkitd()
    agent = locked.agent(alice, *RIGHT)
    assert alice.call("Unlock", interactive=True) == "()\n" and agent.prompts() == 1


def check_without_polkit(place, session, seconds):
    before = place.everything()
    start = time.monotonic()
    calls = [(method, session.begin(method, GOOD[method], interactive=True))
             for method in (*READS, *ADDRESSES, *STRENGTHENING, *WEAKENING)]
    for method, call in calls:
        answer = session.answer(call)
        if method in READS:
            assert answer.startswith("(") and "203.0.113.5" not in answer, method
        else:
            assert REFUSED in answer and "polkit does not answer" in answer, method
    assert time.monotonic() - start < seconds
    assert place.everything() == before
    for method, state in (("Unlock", OFF), ("Lock", BLOCKING)):
        start = time.monotonic()
        place.call(method)
        assert time.monotonic() - start < 1 and place.property("State") == state


def test_without_polkitd(locked):
    """Nobody but root; also who was authorised is not."""
    alice = locked.session("alice")
    authorize(locked, alice)
    locked.stop_polkitd()
    try:
        check_without_polkit(locked, alice, 3)
    finally:
        locked.start_polkitd()
    assert alice.call("Unlock") == "()\n"


def test_polkitd_takes_its_time_to_start(locked):
    """Longer than it may take to answer, as on a machine that has much to start."""
    alice = locked.session("alice")
    with locked.polkitd_started_by_the_bus(seconds=7):
        calls = [alice.begin("Lock"), alice.begin("Unlock")]
        assert alice.answer(calls[0]) == "()\n" and NEEDS_PASSWORD in alice.answer(calls[1])


def test_with_polkitd_hanging(locked):
    alice = locked.session("alice")
    authorize(locked, alice)
    locked.hang_polkitd(True)
    try:
        check_without_polkit(locked, alice, 7)
    finally:
        locked.hang_polkitd(False)
    assert alice.call("Unlock") == "()\n"


class Terminal:
    """bulkheadctl as somebody runs it in a terminal of their session."""

    def __init__(self, session, *arguments):
        program = shutil.copy(CTL, session.place.directory)  # where its user may run it
        self.screen, ours = pty.openpty()
        self.process = subprocess.Popen(
            session.command("setsid", "--ctty", "--wait", program, *arguments),
            stdin=ours, stdout=ours, stderr=ours)
        os.close(ours)
        session.place.agents.append(self)  # whatever happens, it ends when everybody logs out

    def type(self, text):
        """What is typed before the screen stops showing it is thrown away."""
        wait_for(lambda: not termios.tcgetattr(self.screen)[3] & termios.ECHO)
        os.write(self.screen, text.encode() + b"\n")

    def read_until(self, pattern=None):
        """What the screen shows until it matches, or until the program ends."""
        seen = ""
        while pattern is None or not re.search(pattern, seen):
            assert select.select([self.screen], [], [], SECONDS)[0], seen
            try:
                seen += os.read(self.screen, 4096).decode()
            except OSError:  # nobody has the terminal any more
                break
        return seen

    def end(self):
        """The exit status, and the rest of what the screen shows."""
        rest = self.read_until()
        return self.process.wait(SECONDS), rest

    def close(self):
        os.close(self.screen)
        self.process.kill()
        self.process.wait(SECONDS)


def test_the_command_line_asks_on_its_terminal(locked):
    alice = locked.session("alice")
    for typed, status, state in ((WRONG, 4, BLOCKING), (RIGHT, 0, OFF)):
        terminal = Terminal(alice, "unlock")
        assert "turn the network lock off" in terminal.read_until("Password: ")
        terminal.type(typed[1])
        assert terminal.end()[0] == status
        assert locked.property("State") == state
    status, screen = Terminal(alice, "lock").end()
    assert status == 0 and "Password" not in screen
    assert locked.property("State") == BLOCKING
