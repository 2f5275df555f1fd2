# SPDX-License-Identifier: GPL-3.0-or-later
"""bulkheadctl's help, manual and completion tell of the same verbs."""
import json
import os
import re
import subprocess

from gi.repository import GLib

from ctl_place import CTL, SECONDS, SOURCE, ctl, environment


def usages():
    """The usage lines of bulkheadctl --help."""
    text = subprocess.run([CTL, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z].*)$", text, re.M)


def verbs():
    """The verbs of those lines: their first words, up to what is no plain word."""
    return [re.match(r"[a-z]+( [a-z]+(?= |$))?( \[list\])?", usage).group()
            .replace("[list]", "list") for usage in usages()]


def manual_verbs(manual):
    """The verbs of the manual's own list, without its markup and their arguments."""
    section = manual[manual.index(".Sh VERBS"):manual.index("These options go with")]
    found = re.findall(r"^\.It Cm (.*)$", section, re.M)
    return [re.sub(r" (Ar|Fl|Oo|Op Ar|Op Fl|Cm on).*", "", item).replace("Op ", "").replace("Cm ", "")
            for item in found]


def test_help_and_version_need_no_bus(daemon, tmp_path):
    daemon.address = f"unix:path={tmp_path}/nothing"
    text = ctl(daemon, "--help").stdout
    assert ctl(daemon, "-h").stdout == text and ctl(daemon, "--json", "--help").stdout == text
    for verb, usage in zip(verbs(), usages()):
        help_text = ctl(daemon, *verb.split(), "--help").stdout
        assert help_text.startswith(f"Usage: bulkheadctl {usage}\n")
        for option in re.findall("--[a-z-]+", usage):
            assert f"\n  {option} " in help_text
    assert "--cgnat on|off" in ctl(daemon, "lan", "--help").stdout
    assert "tunnels forget ID" in ctl(daemon, "tunnels", "--help").stdout
    assert re.fullmatch(r"bulkheadctl \d+\.\d+\.\d+\n", ctl(daemon, "--version").stdout)


def test_options_of_every_verb_stand_anywhere(helper):
    for args in (["--json", "status"], ["status", "--json"], ["tunnels", "--json", "list"]):
        helper.answers["ListTunnels"] = GLib.Variant("(aa{sv})", ([],))
        assert json.loads(ctl(helper, *args).stdout)["version"] == 1
    assert ctl(helper, "tunnels", "trust", "--", "--json").returncode == 0
    assert helper.calls[-1][1] == ("--json",)


def read_data(name):
    with open(os.path.join(SOURCE, "data", name), encoding="utf-8") as file:
        return file.read()


def test_manual_has_every_verb_in_order():
    manual = read_data("bulkheadctl.1")
    assert manual_verbs(manual) == verbs()
    for option in re.findall("--([a-z-]+)", "".join(usages())):
        assert f"Fl -{option}" in manual
    sections = re.findall(r"^\.Sh (.*)$", manual, re.M)
    assert sections[:2] == ["NAME", "THE WAY OUT"]


def complete(bus, *words, before=""):
    """What bash offers for the last word."""
    script = (f"{before}\nsource {os.path.join(SOURCE, 'data/bulkheadctl.bash')}\n"
              'COMP_WORDS=(bulkheadctl "$@"); COMP_CWORD=$#\n'
              '_bulkheadctl bulkheadctl "${!#}" "${COMP_WORDS[COMP_CWORD-1]}"\n'
              'printf "%s\\n" "${COMPREPLY[@]}"\n')
    env = environment(bus.address)
    env["PATH"] = os.path.dirname(os.path.abspath(CTL)) + ":" + env["PATH"]
    done = subprocess.run(["bash", "-c", script, "bash", *words], env=env, capture_output=True,
                          text=True, timeout=SECONDS, check=True)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


def test_completion(helper, tmp_path):
    nasty = f"$(touch {tmp_path}/pwned)"
    helper.answers["ListTunnels"] = GLib.Variant(
        "(aa{sv})", ([{"id": GLib.Variant("s", name)} for name in ("home", nasty)],))
    helper.answers["ListGrants"] = GLib.Variant("(a(usx))", ([(1000, "alice", 1)],))
    assert complete(helper, "re") == ["resume", "ready", "revoke", "rescue"]
    assert complete(helper, "boot", "o") == ["on", "off"]
    assert complete(helper, "revoke", "") == ["alice"]
    assert complete(helper, "--json", "p") == ["pause"]
    assert complete(helper, "tunnels", "t") == ["trust"]
    assert complete(helper, "status", "--w") == ["--watch"]
    assert complete(helper, "lan", "on", "--cgnat", "") == ["on", "off"]
    assert "lo" in complete(helper, "tunnels", "add", "x", "--interface", "")
    offered = complete(helper, "tunnels", "forget", "")
    assert offered[0] == "home" and len(offered) == 2
    words = subprocess.run(["bash", "-c", f"printf %s {offered[1]}"], capture_output=True,
                           text=True, check=True).stdout
    assert words == nasty and not (tmp_path / "pwned").exists()


def test_completion_has_every_verb_and_option(daemon):
    for verb, usage in zip(verbs(), usages()):
        words = verb.split()
        for n, word in enumerate(words):
            assert word in complete(daemon, *words[:n], ""), verb
        arguments = words + (["on"] if verb == "lan" else [])
        for option in re.findall("--[a-z-]+", usage):
            assert option in complete(daemon, *arguments, "--"), verb
