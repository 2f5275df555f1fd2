# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab for each file of tests; each test begins with the helper running and nothing asked."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from lab import Lab, WireGuard  # noqa: E402

@pytest.fixture(scope="module")
def module_lab(request):
    """LAB in a test file: the options of its lab."""
    with Lab(**getattr(request.module, "LAB", {})) as lab:
        yield lab


@pytest.fixture
def lab(module_lab, request):
    module_lab.reset()
    yield module_lab
    if request.node.stash.get(FAILED, False):
        print("helper's log:\n" + module_lab.log_of("helper"))


FAILED = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.when == "call":
        item.stash[FAILED] = report.failed


@pytest.fixture
def wireguard(lab):
    """A WireGuard tunnel that is up and trusted; not locked yet."""
    tunnel = lab.use(WireGuard(lab))
    tunnel.start().wait_up()
    lab.must(*tunnel.add_args())
    return tunnel
