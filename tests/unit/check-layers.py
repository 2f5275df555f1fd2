#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may include what. One wrong #include fails the build's tests."""

import pathlib
import re
import sys

# The pure core: values in, values out.
CORE = {
    "address", "blocked", "compile", "compile-egress", "compile-element", "compile-local",
    "compile-sets", "error", "exception", "found", "managed", "managed-text", "net", "packet",
    "policy", "policy-keys", "policy-text", "program-name", "quota", "ruleset", "ruleset-text",
    "statement", "tunnel", "weaker",
}
CORE_SYSTEM = {"gio/gio.h", "glib.h", "string.h"}

# Libraries that few may see: pattern -> who.
GUARDED = {
    r"libnftnl/": {"nft-encode"},
    r"libmnl/": {
        "conntrack", "links", "links-parse", "netlink", "nflog", "nft-batch", "nft-describe",
        "nft-socket", "nft-watch", "wireguard", "wireguard-parse",
    },
    r"libnetfilter_conntrack/": {"conntrack"},
    r"json-glib/": {"journal"},
    r"helper1\.h": {"service"},
    r"polkit/|polkitagent/": set(),  # see polkit.h
    r"polkit\.h": {"authority", "polkit"},
}

# Names on the bus that few may call.
GUARDED_NAMES = {
    "org.freedesktop.PolicyKit1": {"polkit"},
    "org.freedesktop.login1": {"sleep"},
    "org.freedesktop.systemd1": {"at-boot"},
}

# Nothing points back: a file may include only headers of its own layer or of one below.
LAYERS = [
    CORE,
    {"clock", "netlink", "nflog", "nft-batch", "nft-change", "nft-counter", "nft-describe", "nft-encode",
     "nft-listing", "nft-sink", "nft-socket", "nft-watch", "links", "links-parse", "wireguard",
     "wireguard-parse", "conntrack", "grants", "trusted-file", "state-file", "store",
     "policy-files", "settings", "journal", "observe", "enforcer", "fallback", "holder", "program",
     "schedule", "uptime", "watchdog"},
    {"engine"},
    {"lock", "lock-log"},
    {"recorder"},
    {"answers", "arguments", "at-boot", "authority", "intake", "methods", "permission", "places",
     "polkit", "service", "sleep"},
    {"boot", "bus", "daemon", "rescue", "main"},
]

INCLUDE = re.compile(r'^\s*#include\s+([<"])([^>"]+)[>"]', re.M)


def layer_of(name):
    for index, layer in enumerate(LAYERS):
        if name in layer:
            return index
    return None


def check(path):
    name = path.stem
    text = path.read_text()
    own = layer_of(name)
    if own is None:
        yield f"{path.name}: in no layer; add it to check-layers.py"
        return
    for bus_name, allowed in GUARDED_NAMES.items():
        if bus_name in text and name not in allowed:
            yield f"{path.name}: calls {bus_name}, which only {sorted(allowed)} may"
    for kind, header in INCLUDE.findall(text):
        for pattern, allowed in GUARDED.items():
            if re.match(pattern, header) and name not in allowed:
                yield f"{path.name}: includes {header}, which only {sorted(allowed)} may"
        if kind == "<" and name in CORE and header not in CORE_SYSTEM:
            yield f"{path.name}: is of the pure core and includes <{header}>"
        if kind == '"':
            other = layer_of(pathlib.Path(header).stem)
            if other is None and header != "helper1.h":
                yield f"{path.name}: includes {header}, which is in no layer"
            elif other is not None and other > own:
                yield f"{path.name}: includes {header} of a layer above"


def check_apart(root):
    """App and helper share the XML in data/ and nothing else."""
    helper = {path.name for path in (root / "helper").glob("*.h")}
    for path in sorted((root / "app").rglob("*.[ch]")):
        own = {other.name for other in (root / "app").rglob("*.h")}
        for _, header in INCLUDE.findall(path.read_text()):
            if "helper/" in header or (header in helper and header not in own):
                yield f"app/{path.name}: includes the helper's {header}"
            if header.startswith("polkit") and path.stem != "agent":
                yield f"app/{path.name}: includes {header}, which only agent may"
            if re.match("gtk/|adwaita|gdk", header) and path.parent.name != "window":
                yield f"app/{path.name}: includes {header}; only the window has a toolkit"


def main():
    root = pathlib.Path(sys.argv[1])
    files = sorted((root / "helper").glob("*.[ch]"))
    assert len(files) > 40, "the helper's files were not found"
    problems = [p for path in files for p in check(path)] + list(check_apart(root))
    print("\n".join(problems) or f"{len(files)} files in their layers")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
