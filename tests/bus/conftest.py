# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
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
