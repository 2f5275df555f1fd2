# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked for a password: users of a real logind and a real polkitd, at a real terminal."""
import pytest

from checks import BLOCKING, OFF
from product import PASSWORDS
from session import Session

ADMIN = PASSWORDS["root"]
OK, REFUSED = 0, 4


@pytest.fixture
def switched_on(machine):
    machine.power_on()
    return machine


def state(machine):
    return machine.ctl("status", "--check")[0]


def do(session, line, expected=OK, asked=0, password=ADMIN):
    """A command of bulkheadctl: its exit status, and how often the user was asked."""
    status, told, times = session.run("bulkheadctl " + line, password)
    assert (status, times) == (expected, asked), f"{session.user}: {line}:\n{told}"
    return told


def test_authorised_once(switched_on, figure):
    """Locking asks nothing, opening asks each time, until `authorize`: then never, also after
    the next boot."""
    machine = switched_on
    with Session(machine, "alice") as alice:
        assert alice.is_active()
        do(alice, "lock")
        assert state(machine) == BLOCKING
        for _ in range(2):  # one answer is not kept for the next question
            do(alice, "unlock", asked=1)
            assert state(machine) == OFF
            do(alice, "lock")
        assert do(alice, "unlock", REFUSED, asked=1, password="wrong")
        assert state(machine) == BLOCKING
        do(alice, "authorize", asked=1)
        for _ in range(3):
            do(alice, "unlock")
            do(alice, "lock")
            do(alice, "pause 60")
            do(alice, "resume")
    assert state(machine) == BLOCKING
    machine.reboot()
    with Session(machine, "alice") as alice:
        do(alice, "lock")
        do(alice, "unlock")
        assert state(machine) == OFF
        do(alice, "lock")
        do(alice, "revoke")
        do(alice, "unlock", REFUSED, asked=1, password="wrong")
    assert state(machine) == BLOCKING
    figure("an ordinary user: locks without a prompt, unlocks with one, after authorize without, "
           "after a reboot too; after revoke with one again")


def test_others_are_asked(switched_on, figure):
    """A grant is one user's, at this computer's screen: no other user's, no other session's. Of an
    inactive session polkit asks whether the user has any that is active: alice must have none."""
    machine = switched_on
    with Session(machine, "alice") as alice, Session(machine, "bob") as bob:
        alice.activate()
        do(alice, "lock")
        do(alice, "authorize", asked=1)
        assert alice.is_active() and not bob.is_active()
        do(bob, "unlock", REFUSED, asked=1, password=PASSWORDS["bob"])
        do(bob, "unlock </dev/null", REFUSED)
        with Session(machine, "alice", seat=False) as afar:
            do(afar, "unlock", REFUSED, asked=1, password=PASSWORDS["alice"])
        bob.activate()
        do(bob, "unlock", REFUSED, asked=1, password=PASSWORDS["bob"])
        do(bob, "lock")
        assert not alice.is_active()
        do(alice, "unlock", REFUSED, asked=1, password=PASSWORDS["alice"])
        assert state(machine) == BLOCKING
        alice.activate()
        do(alice, "unlock")  # control: it is the session that was asked about
        assert state(machine) == OFF
        bob.activate()
        do(bob, "lock")
        do(bob, "unlock", asked=1)  # control: who has the administrator's password may
    figure("a second user, active or not, a session that came over the network, and an inactive "
           "session of the authorised user: asked each time, refused without the password")
