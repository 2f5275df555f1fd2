# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums what tests/run did: junit files and its own steps, in one directory.

Prints what failed and the closing line "N passed, N failed"; a skipped test counts as failed, and
so does a suite that said it failed, beside the tests it named.
"""
import glob
import os
import sys
import xml.etree.ElementTree as ElementTree


def main(directory):
    passed, failed, steps_failed = 0, [], []
    for path in sorted(glob.glob(os.path.join(directory, "*.xml"))):
        for case in ElementTree.parse(path).iter("testcase"):
            bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            name = f"{case.get('classname', '')} {case.get('name')}".strip()
            if bad:
                failed.append(f"{name} ({bad[0]})")
            else:
                passed += 1
    with open(os.path.join(directory, "steps"), encoding="utf-8") as file:
        for line in file.read().splitlines():
            result, name = line.split(" ", 1)
            if result == "ok":
                passed += 1
            else:  # also one whose tests are named above: one that died may have named none
                steps_failed.append(name)
    failed += steps_failed
    for name in failed:
        print("FAILED  " + name)
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


sys.exit(main(sys.argv[1]))
