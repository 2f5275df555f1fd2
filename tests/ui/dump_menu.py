# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints a menu of the session bus, as JSON, as the library that panels use understands it.

    dump_menu.py NAME PATH
"""
import json
import sys

import gi

gi.require_version("Dbusmenu", "0.4")
from gi.repository import Dbusmenu, GLib  # noqa: E402

SECONDS = 20


def known(item, ready):
    """Whether the properties of all that is in it have come."""
    children = item.get_children()
    return all(child.get_id() in ready and known(child, ready) for child in children)


def told(item):
    properties = {name: item.property_get_variant(name).unpack()
                  for name in sorted(item.properties_list())}
    children = [told(child) for child in item.get_children()]
    return {"id": item.get_id(), **properties, **({"submenu": children} if children else {})}


def main(name, path):
    client = Dbusmenu.Client.new(name, path)
    ready = set()
    client.connect("new-menuitem", lambda _, item: ready.add(item.get_id()))
    GLib.timeout_add_seconds(SECONDS, lambda: sys.exit("no menu came"))
    while not (ready and known(client.get_root(), ready)):
        GLib.MainContext.default().iteration(True)
    json.dump(told(client.get_root()), sys.stdout, indent=2, ensure_ascii=False)
    print()


main(*sys.argv[1:])
