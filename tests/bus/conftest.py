# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from ctl_place import FakeHelper, running_bus  # noqa: E402
from place import Place, settle  # noqa: E402


@pytest.fixture
def place():
    place = Place()
    yield place
    place.close()


@pytest.fixture(scope="module")
def settled():
    place = Place()
    settle(place)
    yield place
    place.close()


@pytest.fixture
def daemon(tmp_path):
    with running_bus(tmp_path) as process:
        yield process


@pytest.fixture
def helper(daemon):
    fake = FakeHelper(daemon.address)
    yield fake
    fake.stop()
