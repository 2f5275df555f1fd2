# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from desktop import Desktop  # noqa: E402


@pytest.fixture
def desktop():
    desktop = Desktop()
    yield desktop
    desktop.close()
