# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines to boot, and the figures of the run, which are printed at its end."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lab")]

import debian  # noqa: E402
import product  # noqa: E402
from image import image  # noqa: E402
from machine import Machine  # noqa: E402
from network import Network  # noqa: E402

FIGURES, FAILED = pytest.StashKey(), pytest.StashKey()


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Where packages of this run are. Short names: they get into paths that are compared."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="session")
def built(folders):
    """The folder of the packages under test: of BULKHEAD_PACKAGES, or built now."""
    folder = os.environ.get("BULKHEAD_PACKAGES")
    if not folder:
        folder = str(folders / "bookworm")
        debian.build(folder)
    return folder


@pytest.fixture(scope="session")
def layers(built, tmp_path_factory):
    """What every disk begins as: Debian with the product installed. A failure to make it fails
    the tests; none is skipped."""
    return product.furnish(image(), debian.files(built), str(tmp_path_factory.mktemp("product")))


@pytest.fixture
def network(request):
    with Network(static=getattr(request, "param", None) == "static") as made:
        yield made


@pytest.fixture
def watch(request):
    """watch(machine): when the test fails, it is printed what the machine says of it."""
    watched = []
    yield watched.append
    if request.node.stash.get(FAILED, False):
        for machine in watched:
            tell(machine)


@pytest.fixture
def plugged(network, layers):
    with Machine(network, layers) as made:
        product.plug_network(made)
        product.plug_tunnel(made)
        yield made


@pytest.fixture
def machine(plugged, watch):  # in this order: it is still there when it is asked what happened
    """Switched off; a network manager starts at its boot, a tunnel is set up."""
    watch(plugged)
    return plugged


def tell(machine):
    """What a failed test leaves to be read."""
    print("console:\n" + machine.console()[-1500:])
    if machine.leader:
        print("failed units:\n" + machine.failed_units())
        print("journal:\n" + machine.journal("-u", "bulkhead*", "-u", "wg-quick*", "-n", "40"))
        print("links:\n" + machine.run("ip", "-brief", "addr", check=False).stdout)


@pytest.fixture(scope="session")
def figure(request):
    """figure(text): a line at the end of the run, for the closing note of an issue."""
    return request.config.stash.setdefault(FIGURES, []).append


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.when == "call":
        item.stash[FAILED] = report.failed


def pytest_terminal_summary(terminalreporter, config):
    if FIGURES in config.stash:
        terminalreporter.section("figures of the booted Debian")
        for line in config.stash[FIGURES]:
            terminalreporter.write_line(line)
