# SPDX-License-Identifier: GPL-3.0-or-later
"""The same with owner+persist: nobody takes the table from a helper that lives, but from a dead one,
and nothing tells when it is free again."""
from test_broken import squatter, test_in_the_way_of_a_start, test_in_the_way_of_locking

LAB = {}
__all__ = ["squatter", "test_in_the_way_of_a_start", "test_in_the_way_of_locking"]
