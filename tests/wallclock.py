# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own clock: one test sets it while others, beside it, compare times by it.
The lock is of this checkout: the runs of two, side by side, do not know of each other."""
import contextlib
import fcntl


@contextlib.contextmanager
def _locked(how):
    with open(__file__, "rb") as file:
        fcntl.flock(file, how)
        yield


def on_a_steady_clock():
    """Nobody sets the clock meanwhile."""
    return _locked(fcntl.LOCK_SH)


def on_our_own_clock():
    """Nobody compares times meanwhile."""
    return _locked(fcntl.LOCK_EX)
