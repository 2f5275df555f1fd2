# SPDX-License-Identifier: GPL-3.0-or-later
"""The tray as panels see it over the bus: the item, the menu, what a click does."""
import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from gi.repository import GLib
import pytest

from desktop import BUILD, SECONDS, let_pass, wait_for
from place import PAUSED, run, tunnel
from tray import (BUS_NAME, ITEM, ITEM_PATH, LAN, LINE, LOCK, MENU, MENU_PATH, OPEN, PAUSE, PAUSE_15,
                  PAUSE_5, PAUSE_60, PROPERTIES, QUIT, RESUME, STATE, TRAY, UNLOCK, FakeWindow,
                  Tray, tunnel_up)

FOLDER = os.path.dirname(os.path.abspath(__file__))
TYPES = {  # exactly these: panels crash on others
    "Category": "s", "Id": "s", "Title": "s", "Status": "s", "WindowId": "i", "IconName": "s",
    "IconPixmap": "a(iiay)", "IconAccessibleDesc": "s", "IconThemePath": "s",
    "OverlayIconName": "s", "OverlayIconPixmap": "a(iiay)", "AttentionIconName": "s",
    "AttentionIconPixmap": "a(iiay)", "AttentionAccessibleDesc": "s", "AttentionMovieName": "s",
    "ToolTip": "(sa(iiay)ss)", "ItemIsMenu": "b", "Menu": "o",
}


@pytest.fixture
def tray(desktop):
    """A tray whose helper is off."""
    desktop.place.start()
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    yield tray
    if tray.program.poll() is None:
        tray.end()


def refused(tray, method, signature, *arguments):
    with pytest.raises(GLib.Error) as raised:
        tray.menu(method, signature, *arguments)
    return "InvalidArgs" in raised.value.message


def test_version():
    """The same of every program of the user, with neither bus nor display."""
    told = [subprocess.run([f"{BUILD}/app/{path}", "--version"], env={}, capture_output=True,
                           text=True, timeout=SECONDS, check=True)
            for path in ("ctl/bulkheadctl", "tray/bulkhead-tray", "window/bulkhead")]
    version = told[0].stdout.split()[1]
    assert [done.stdout + done.stderr for done in told] == [
        f"{name} {version}\n" for name in ("bulkheadctl", "bulkhead-tray", "bulkhead")]


@pytest.mark.parametrize("arguments, said", [
    (["foo"], "bulkhead-tray: unexpected argument foo (see bulkhead-tray --help)\n"),
    (["--", "--foo", "bar"], "bulkhead-tray: unexpected argument --foo (see bulkhead-tray --help)\n"),
    (["--foo"], "Unknown option --foo\n"),
])
def test_wrong_usage_is_refused(arguments, said):
    """With the same number as bulkheadctl's; before a bus is looked for."""
    done = subprocess.run([TRAY, *arguments], env={}, capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    helps = subprocess.run([TRAY, "--help"], env={}, capture_output=True, text=True,
                           timeout=SECONDS, check=True)
    assert "--version" in helps.stdout and helps.stderr == ""


def test_item_has_every_property_with_its_type(tray, desktop):
    told = ElementTree.fromstring(tray.call(ITEM_PATH, "org.freedesktop.DBus.Introspectable",
                                            "Introspect")[0])
    interface = next(node for node in told.iter("interface") if node.get("name") == ITEM)
    assert {node.get("name"): node.get("type") for node in interface.iter("property")} == TYPES
    assert not [node for node in interface.iter("property") if node.get("access") != "read"]
    answer = desktop.bus.call_sync(BUS_NAME, ITEM_PATH, PROPERTIES, "GetAll",
                                   GLib.Variant("(s)", (ITEM,)), None, 0, 5000, None)
    values = answer.get_child_value(0)
    assert {name: values.lookup_value(name, None).get_type_string() for name in TYPES} == TYPES
    item = answer.unpack()[0]
    assert (item["Category"], item["Status"], item["ItemIsMenu"], item["Menu"]) == (
        "SystemServices", "Active", False, MENU_PATH)
    assert item["OverlayIconName"] == "" and item["OverlayIconPixmap"] == []
    assert not set("<>&") & set(item["Title"] + "".join(item["ToolTip"][2:]))
    assert item["ToolTip"][2:] == ("Lock is off", "Everything may leave, with or without a VPN.")
    assert [(width, height, len(pixels)) for width, height, pixels in item["IconPixmap"]] == [
        (size, size, 4 * size * size) for size in (22, 24, 32, 48)]


def test_pixels_are_the_icon(tray):
    """Grey where it is drawn, nothing elsewhere, and another picture for each state."""
    pictures = set()
    for method in (None, "Lock"):
        if method:
            tray.desktop.place.call(method)
            wait_for(lambda: tray.icon() == "blocking")
        pixels = bytes(tray.item("IconPixmap")[3][2])
        solid = {pixels[i:i + 4] for i in range(0, len(pixels), 4) if pixels[i] == 255}
        assert solid == {b"\xff\x7a\x7a\x7a"}
        assert b"\0" in {pixels[i:i + 1] for i in range(0, len(pixels), 4)}
        pictures.add(pixels)
    assert len(pictures) == 2


def test_menu_is_as_expected(tray):
    """By a client that is not ours; BULKHEAD_TEST_REGENERATE=1 writes the file anew."""
    told = run("env", *[f"{key}={value}" for key, value in tray.desktop.environment.items()],
               "/usr/bin/python3", os.path.join(FOLDER, "dump_menu.py"), BUS_NAME, MENU_PATH)
    path = os.path.join(FOLDER, "menu.golden")
    if os.environ.get("BULKHEAD_TEST_REGENERATE"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(told)
    with open(path, encoding="utf-8") as file:
        assert told == file.read()


def test_menu_answers_as_panels_need(tray):
    revision, (root, properties, children) = tray.menu("GetLayout", "(iias)", 0, -1, [])
    assert (revision, root, properties) == (1, 0, {"children-display": "submenu"})
    assert [child[0] for child in children] == [STATE, LOCK, UNLOCK, PAUSE, RESUME, LAN, LINE, OPEN,
                                                QUIT]
    assert len(children[3][2]) == 8
    shallow = tray.menu("GetLayout", "(iias)", 0, 1, ["label"])[1]
    assert len(shallow[2]) == 9 and shallow[2][3] == (PAUSE, {"label": "_Pause"}, [])
    assert tray.menu("GetLayout", "(iias)", 0, 0, [])[1][2] == []
    assert tray.menu("GetLayout", "(iias)", LOCK, -1, [])[1] == (LOCK, {"label": "_Lock"}, [])
    assert refused(tray, "GetLayout", "(iias)", 99, -1, [])
    assert tray.menu("GetGroupProperties", "(aias)", [0, LOCK, 99], ["label"])[0] == [
        (0, {}), (LOCK, {"label": "_Lock"})]
    assert len(tray.menu("GetGroupProperties", "(aias)", [], [])[0]) == 18
    assert tray.menu("GetProperty", "(is)", LOCK, "visible") == (True,)
    assert tray.menu("GetProperty", "(is)", 0, "children-display") == ("submenu",)
    assert refused(tray, "GetProperty", "(is)", 99, "label")
    assert tray.menu("AboutToShow", "(i)", 0) == (False,)
    assert tray.menu("AboutToShow", "(i)", 99) == (False,)
    assert tray.menu("AboutToShowGroup", "(ai)", [0, 99]) == ([], [99])
    hover = ("hovered", GLib.Variant("i", 0), 0)
    assert tray.menu("EventGroup", "(a(isvu))", [(LOCK, *hover), (99, *hover)]) == ([99],)
    assert refused(tray, "EventGroup", "(a(isvu))", [(99, *hover)])
    assert refused(tray, "Event", "(isvu)", 99, *hover)
    versions = tray.call(MENU_PATH, PROPERTIES, "GetAll", GLib.Variant("(s)", (MENU,)))[0]
    assert versions == {"Version": 3, "TextDirection": "ltr", "Status": "normal",
                        "IconThemePath": []}


def test_menu_changes_without_a_new_layout(tray):
    signals = []
    tray.desktop.bus.signal_subscribe(BUS_NAME, MENU, None, MENU_PATH, None, 0,
                                      lambda *told: signals.append((told[4], told[5].unpack())))
    tray.desktop.place.call("Lock")
    wait_for(lambda: tray.icon() == "blocking")
    wait_for(lambda: signals)
    let_pass(0.2)
    assert {name for name, _ in signals} == {"ItemsPropertiesUpdated"}
    updated, removed = signals[0][1]
    assert dict(updated)[STATE]["label"] == "Blocking: no tunnel is up"
    assert dict(updated)[LOCK]["visible"] is False
    assert dict(removed)[UNLOCK] == ["visible"]


def test_what_each_click_does(tray):
    place = tray.desktop.place
    assert tray.shown() == [STATE, LOCK, 5, 6, 7, LAN, LINE, OPEN, QUIT]
    tray.click(STATE)  # is not for clicking
    tray.click(UNLOCK)  # is hidden
    tray.click(LOCK)
    wait_for(lambda: tray.icon() == "blocking")
    assert place.call("Verify") == (True, "")
    assert tray.shown() == [STATE, UNLOCK, PAUSE, 5, 6, 7, LAN, LINE, OPEN, QUIT]
    tray.click(LAN)
    wait_for(lambda: tray.properties(LAN)["toggle-state"] == 1)
    assert place.property("Lan") is True
    tray.click(PAUSE_5)
    wait_for(lambda: tray.icon() == "paused")
    assert 290 <= place.call("GetStatus")["paused_seconds"] <= 300
    assert tray.shown() == [STATE, UNLOCK, 5, 6, 7, RESUME, LAN, LINE, OPEN, QUIT]
    tray.click(RESUME)
    wait_for(lambda: tray.icon() == "blocking")
    tray.click(UNLOCK)
    wait_for(lambda: tray.icon() == "off")
    assert place.rules_in_kernel() == ""
    tray.click(LOCK)
    wait_for(lambda: tray.icon() == "blocking")
    rules = place.rules_in_kernel()
    tray.click(QUIT)
    assert tray.program.wait(10) == 0
    assert tray.end() == ""
    assert place.rules_in_kernel() == rules
    assert tray.desktop.notices.all == [], "the user's own doing is no news"


@pytest.mark.parametrize("state, locked, icon, headline, reason", [
    (0, False, "problem", "Not known", "version of Bulkhead does not know"),
    (2, True, "protected", "Protected", "except through a trusted tunnel"),
    (3, True, "blocking", "Blocking: no tunnel is up", "so nothing leaves except"),
    (4, True, "paused", "Paused until 01/01/70 00:40", "until 01/01/70 00:40; then the lock closes"),
    (5, True, "problem", "Not protected", "so traffic may leak"),
    (5, False, "problem", "Not protected", "rules of a lock still stand"),
    (6, True, "problem", "Not known", "version of Bulkhead does not know"),
])
def test_each_state_has_its_words(desktop, helper, state, locked, icon, headline, reason):
    helper.values.update(State=GLib.Variant("u", state), Locked=GLib.Variant("b", locked),
                         PausedUntil=GLib.Variant("x", 2400))
    tray = Tray(desktop)
    tooltip = tray.item("ToolTip")
    assert (tray.icon(), tooltip[2], tooltip[0]) == (icon, headline, tray.item("IconName"))
    assert reason in tooltip[3] and tooltip[3].count(".") == 1, "one sentence"
    assert tray.item("IconAccessibleDesc") == f"Bulkhead: {headline}"
    assert tray.properties(STATE) == {"label": headline, "enabled": False}
    lan = tray.properties(LAN)
    assert (lan["toggle-state"], lan.get("enabled", True)) == (
        (-1, False) if headline == "Not known" else (0, True)), "nothing is claimed unknown"
    tray.end()


def test_weakening_lets_polkit_ask_and_tells_what_went_wrong(desktop, helper):
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    helper.say(State=GLib.Variant("u", 3), Locked=GLib.Variant("b", True))
    wait_for(lambda: tray.icon() == "blocking")
    error = "org.bulkhead.Helper1.Error."
    helper.error = (error + "Cancelled", "the prompt was closed")
    tray.click(UNLOCK)
    wait_for(lambda: helper.calls)
    assert helper.calls == [("Unlock", (), True)]
    let_pass(0.3)
    assert desktop.notices.all == []
    for name, sentence in ((error + "NotAuthorized", "You are not allowed to do this."),
                           (error + "KernelRefused", "The helper refused: no <b>such</b> table")):
        helper.error = (name, "no <b>such</b> table")
        tray.click(UNLOCK)
        body = sentence.replace("<", "&lt;").replace(">", "&gt;")
        wait_for(lambda: [notice["body"] for notice in desktop.notices.shown.values()] == [body])
    helper.error = None
    tray.click(PAUSE_5)
    wait_for(lambda: desktop.notices.shown == {})
    assert helper.calls[-1] == ("Pause", (300,), True)
    tray.end()


def test_what_the_administrator_fixed_cannot_be_clicked(desktop, helper):
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    helper.say(State=GLib.Variant("u", 3), Locked=GLib.Variant("b", True),
               Fixed=GLib.Variant("as", ["lock", "lan"]))
    wait_for(lambda: tray.icon() == "blocking")
    for number in (UNLOCK, PAUSE, LAN):
        assert tray.properties(number)["enabled"] is False
        tray.click(number)
    let_pass(0.2)
    assert helper.calls == []
    tray.end()


@pytest.mark.parametrize("state, fixed, works, call", [
    (0, [], LOCK, "Lock"), (1, [], LOCK, "Lock"), (4, [], RESUME, "Resume"), (5, [], LOCK, "Lock"),
    (2, ["lock"], LAN, "SetLan"), (3, ["lock"], LAN, "SetLan"),
    (2, [], PAUSE_5, "Pause"), (3, [], PAUSE_5, "Pause"),
])
def test_a_pause_is_clicked_only_where_it_is_offered(desktop, helper, state, fixed, works, call):
    """A panel may show the submenu as it was. What works is clicked last: calls keep their order."""
    helper.values.update(State=GLib.Variant("u", state), Locked=GLib.Variant("b", state != 1),
                         PausedUntil=GLib.Variant("x", 2400), Fixed=GLib.Variant("as", fixed))
    tray = Tray(desktop)
    if works != PAUSE_5:
        tray.click(PAUSE)
        tray.click(PAUSE_5)
        clicks = [(number, "clicked", GLib.Variant("i", 0), 0) for number in (PAUSE_15, PAUSE_60)]
        tray.menu("EventGroup", "(a(isvu))", clicks)
    tray.click(works)
    wait_for(lambda: helper.calls)
    assert [method for method, _, _ in helper.calls] == [call]
    tray.end()


def test_pauses_are_those_that_the_user_chose(desktop, helper):
    helper.values.update(State=GLib.Variant("u", 3), Locked=GLib.Variant("b", True))
    desktop.environment.update(GSETTINGS_SCHEMA_DIR=f"{BUILD}/data", GSETTINGS_BACKEND="keyfile")
    tray = Tray(desktop)

    def offered():
        looks = tray.menu("GetLayout", "(iias)", PAUSE, -1, [])[1][2]
        return [(number, look["label"]) for number, look, _ in looks if look.get("visible", True)]

    assert offered() == [(5, "5 minutes"), (6, "15 minutes"), (7, "1 hour")]
    for minutes in range(1, 9), (7, 90):
        subprocess.run(["gsettings", "set", "org.bulkhead.bulkhead", "pause-minutes",
                        str(list(minutes))], env=desktop.environment, check=True, timeout=SECONDS)
        wait_for(lambda: len(offered()) == len(minutes))
    assert offered() == [(5, "7 minutes"), (6, "90 minutes")]
    tray.click(7)  # is hidden
    tray.click(6)
    wait_for(lambda: helper.calls)
    assert helper.calls == [("Pause", (5400,), True)]
    tray.end()


def test_the_icon_changes_no_faster_than_panels_follow(desktop, helper):
    """And shows at the end what is so at the end."""
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    told = []
    desktop.bus.signal_subscribe(BUS_NAME, ITEM, "NewIcon", ITEM_PATH, None, 0,
                                 lambda *signal: told.append(time.monotonic()))
    began = time.monotonic()
    for state in 20 * [2, 3] + [4]:
        helper.say(State=GLib.Variant("u", state))
        let_pass(0.03)
    wait_for(lambda: tray.icon() == "paused")
    let_pass(0.3)
    assert 2 <= len(told) <= (time.monotonic() - began) / 0.2 + 2, told
    assert tray.icon() == "paused"
    tray.end()


def test_a_change_is_in_the_icon_within_300_ms(tray):
    """From the link's end in the kernel to the new name in the item, told to panels."""
    place = tray.desktop.place
    told = []
    tray.desktop.bus.signal_subscribe(BUS_NAME, ITEM, "NewIcon", ITEM_PATH, None, 0,
                                      lambda *signal: told.append(time.monotonic()))
    place.call("AddTunnel", tunnel(interface="s 'tun0'"))
    place.call("Lock")
    times = []
    with tunnel_up(place):
        wait_for(lambda: tray.icon() == "protected")
        for way, icon in 3 * (("down", "blocking"), ("up", "protected")):
            let_pass(0.3)
            told.clear()
            began = time.monotonic()
            run("ip", "-n", place.namespace, "link", "set", "tun0", way)
            wait_for(lambda: told and tray.icon() == icon)
            times.append(round(1000 * (told[-1] - began)))
    print("state change to icon, ms:", times)
    assert sorted(times)[len(times) // 2] < 300, times


def test_weighs_nothing(desktop):
    """With settings as on a desktop, where they are kept by what a session has for that."""
    del desktop.environment["GSETTINGS_BACKEND"]
    desktop.environment["GSETTINGS_SCHEMA_DIR"] = f"{BUILD}/data"
    desktop.place.start()
    tray = Tray(desktop)
    wait_for(lambda: tray.icon() == "off")
    desktop.place.call("Lock")
    wait_for(lambda: tray.icon() == "blocking")
    let_pass(1)
    with open(f"/proc/{tray.program.pid}/smaps_rollup", encoding="utf-8") as file:
        pss = next(int(line.split()[1]) for line in file if line.startswith("Pss:"))

    def switches():
        total = 0
        for task in os.listdir(f"/proc/{tray.program.pid}/task"):
            with open(f"/proc/{tray.program.pid}/task/{task}/status", encoding="utf-8") as status:
                total += sum(int(line.split()[1]) for line in status if "ctxt" in line)
        return total

    before = switches()
    let_pass(3)
    woken = switches() - before
    print(f"PSS {pss} kB, woken {woken} times in 3 s")
    assert pss <= 5 * 1024 and woken == 0
    tray.end()


def test_a_session_wakes_the_helper_once(desktop):
    """And never again by itself: who stops the helper has it stopped."""
    place = desktop.place
    watch = desktop.spawn("dbus-monitor", "--address", place.bus.address,
                          "member='StartServiceByName'")

    def wakings():
        with open(watch.log, encoding="utf-8") as file:
            return file.read().count("member=StartServiceByName")

    let_pass(0.3)
    tray = Tray(desktop)
    wait_for(wakings)
    helper = place.start()
    wait_for(lambda: tray.icon() == "off")
    place.end(helper)
    wait_for(lambda: tray.icon() == "problem")
    tray.menu("AboutToShow", "(i)", 0)
    let_pass(0.5)
    assert wakings() == 1
    tray.end()


def test_second_start_opens_the_window(tray, desktop):
    window = FakeWindow(desktop)
    again = desktop.spawn(TRAY)
    assert again.wait(10) == 0
    wait_for(lambda: window.calls)
    assert tray.program.poll() is None
    tray.call(ITEM_PATH, ITEM, "ProvideXdgActivationToken", GLib.Variant("(s)", ("token-1",)))
    tray.call(ITEM_PATH, ITEM, "Activate", GLib.Variant("(ii)", (1, 1)))
    wait_for(lambda: len(window.calls) == 2)
    tray.click(OPEN)
    wait_for(lambda: len(window.calls) == 3)
    assert window.calls == [{}, {"activation-token": "token-1", "desktop-startup-id": "token-1"},
                            {}], "a token is used once"


def test_no_window_is_told(tray, desktop):
    tray.click(OPEN)
    notice = wait_for(lambda: list(desktop.notices.shown.values()))[0]
    assert notice["body"].startswith("The window could not be opened: ")


def test_killed_at_any_moment_the_lock_stays(tray, desktop):
    """The moment sweeps over the whole of a change, from before it is sent to after it is done."""
    place = desktop.place
    place.call("AddTunnel", tunnel(interface="s 'tun0'"))
    place.call("Lock")
    pairs = {LOCK: "Unlock", UNLOCK: "Lock", PAUSE_5: "Resume", LAN: "SetLan"}
    for moment in range(5):
        for number, back in pairs.items():
            if number == LOCK:
                place.call("Unlock")
            wait_for(lambda: tray.icon() == ("off" if number == LOCK else "blocking"))
            desktop.bus.call(BUS_NAME, MENU_PATH, MENU, "Event", GLib.Variant(
                "(isvu)", (number, "clicked", GLib.Variant("i", 0), 0)), None, 0, 1000, None, None)
            time.sleep(moment / 1000)
            desktop.end(tray.program, signal.SIGKILL)
            let_pass(0.05)
            assert place.call("Verify") == (True, "")
            status = place.call("GetStatus")
            assert status["tunnels"][0]["id"] == "home" and status["exceptions"] == 0
            place.call("Lock")
            if status["state"] == PAUSED:
                place.call("Resume")
            place.call("SetLan", "(false, @a{sv} {})")
            tray.start()
