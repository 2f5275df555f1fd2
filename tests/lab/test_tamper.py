# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules change under floods, other programs meddle with them: with owner+persist."""
import json
import re
import signal
import time

import pytest
from gi.repository import GLib

from checks import BLOCKING, PROTECTED, Silence, assert_seen, assert_silent, state
from lab import Failed
from ns import Namespace
from traffic import TARGET, new_mark, ordinary_ways, probe_ways
from vpn import wait_for

FLOOD = [f"udp,to={TARGET[4]},port=7001,tag=flood-a,rate=0,dev=eth0",
         f"udp,to={TARGET[6]},port=7001,tag=flood-b,rate=0"]
REFUSED = ("EPERM", "EACCES", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH")


def reapply(lab, times):
    """Alternates one exception: each call is one transaction; how long all took."""
    began = time.monotonic()
    for n in range(times):
        lab.call("RemoveExceptions" if n % 2 else "AddExceptions", "(as)", ["192.0.2.7 tcp 443"])
    return time.monotonic() - began


def test_thousand_reapplications_leak_nothing(lab, record_property):
    """L103: two cores send to a forbidden address while the rules are made anew 1,000 times."""
    mark = new_mark()
    seen, _ = lab.count(mark, FLOOD, 0.2)
    assert all(seen.tags.get(tag) for tag in ("flood-a", "flood-b"))
    lab.must("lock")
    with Silence(lab, FLOOD) as silence:
        seconds = reapply(lab, 1000)
    tried = sum(r["attempts"] for r in silence.result.values())
    print(f"1,000 re-applications in {seconds:.1f} s, {tried} packets tried, 0 leaked")
    record_property("attempts", tried)
    assert tried > 50000, "that was no flood"


@pytest.fixture
def bare_tunnel(lab):
    """A tunnel that costs nothing, so that the flood meets the rules and not a cipher."""
    lab.victim.ip(f"""
        link add tun0 type veth peer name far0 netns {lab.isp.pid}
        addr add 10.8.0.2/24 dev tun0
        addr add fd00:8::2/64 dev tun0
        link set tun0 up
    """)
    lab.isp.ip("addr add 10.8.0.1/24 dev far0\naddr add fd00:8::1/64 dev far0\nlink set far0 up\n")
    lab.isp.nft("table inet far { chain input { type filter hook input priority 0;\n"
                "iifname far0 udp dport 7001 drop\n}\n}\n")
    lab.must("tunnels", "add", "bare", "--interface", "tun0")
    yield
    lab.isp.ip("link del far0")
    lab.isp.run("nft", "delete", "table", "inet", "far")


def test_thousand_reapplications_refuse_nothing(lab, bare_tunnel):
    """L104: the same with a flood into the tunnel: no allowed packet is refused."""
    lab.must("lock")
    assert state(lab) == PROTECTED
    ways = [f"udp,to={to},port=7001,tag=tunnel{f},rate=0" for f, to in ((4, "10.8.0.1"), (6, "fd00:8::1"))]
    ways += ["flow,to=10.8.0.1,port=80,tag=flow4,rate=200", "flow,to=fd00:8::1,port=80,tag=flow6,rate=200"]
    with Silence(lab, ways) as silence:
        seconds = reapply(lab, 1000)
    refused = {tag: {e: n for e, n in r["errors"].items() if e in REFUSED}
               for tag, r in silence.result.items()}
    print(f"1,000 re-applications in {seconds:.1f} s; {silence.result}")
    assert not any(refused.values()), refused
    assert all(r["sent"] > 50000 for tag, r in silence.result.items() if "tunnel" in tag)
    # Control: what is not allowed is refused, and counted as such.
    forbidden = lab.send(new_mark(), [f"udp,to={TARGET[4]},port=7001,tag=no,dev=eth0"], 0.1)
    assert forbidden["no"]["errors"].get("EPERM"), forbidden


def test_reapplication_with_a_tunnel_under_flood(lab, wireguard):
    """L06: endpoints change while everything is sent to where it must not go."""
    lab.must("lock")
    with Silence(lab, FLOOD, wireguard.endpoints()):
        for _ in range(50):
            lab.call("AddTunnel", "(a{sv})", variant_tunnel())
            lab.call("ForgetTunnel", "(s)", "second")


def variant_tunnel():
    return {"name": GLib.Variant("s", "second"), "interface": GLib.Variant("s", "tun9"),
            "endpoints": GLib.Variant("as", ["203.0.113.77:1194/udp"]),
            "mark": GLib.Variant("u", 77)}


def test_flush_by_another_program(lab):
    """L108: with owner nobody can; `nft flush ruleset` over and over under a flood."""
    lab.must("lock")
    before = lab.victim.run("nft", "list", "tables").stdout
    with Silence(lab, FLOOD):
        for _ in range(50):
            lab.victim.run("nft", "flush", "ruleset", check=False)
    assert lab.victim.run("nft", "list", "tables").stdout == before
    assert lab.ctl("verify")[0] == 0
    for attack in tamperings():
        done = lab.victim.run("nft", attack, check=False)
        assert done.returncode != 0, f"nft {attack}: was let in"
    assert lab.ctl("verify")[0] == 0
    lab.must("unlock")
    assert_seen(lab, FLOOD, 0.1)


def tamperings():
    return ["delete table inet bulkhead", "flush table inet bulkhead",
            "add table inet bulkhead { flags dormant; }",
            "insert rule inet bulkhead output accept", "add chain inet bulkhead spy",
            "insert rule inet bulkhead output jump { accept; }",
            "insert rule inet bulkhead output udp dport { 7001, 7002 } accept",
            "add chain inet bulkhead output { policy accept; }", "flush chain inet bulkhead output",
            'add element inet bulkhead dhcp_routers4 { "eth0" . 198.51.100.9 }',
            "delete table netdev bulkhead", "flush chain netdev bulkhead allowed",
            "insert rule netdev bulkhead allowed accept"]


def test_another_table_that_drops(lab, wireguard):
    """It can only close more: nothing is wrong with ours, nothing is told or taken away."""
    lab.must("lock")
    assert wait_for(lambda: state(lab) == PROTECTED, 3)
    before = events(lab)
    lab.victim.nft("table inet other { chain o { type filter hook output priority -400; drop; }\n"
                   "chain i { type filter hook input priority -400; drop; }\n}")
    try:
        assert not wireguard.works()
        assert lab.ctl("verify")[0] == 0 and lab.ctl("ready")[0] == 0
        assert "table inet other" in lab.victim.run("nft", "list", "tables").stdout
    finally:
        lab.victim.run("nft", "delete", "table", "inet", "other")
    assert wireguard.works()
    assert not [e for e in events(lab)[len(before):] if e["event"] in ("removed", "broken")]


def events(lab):
    return json.loads(lab.must("log", "--json", "--limit", "0"))["events"]


def test_flush_after_the_helper_died(lab):
    """The orphan keeps blocking; a new helper adopts it, or puts it back when it was flushed."""
    lab.must("lock")
    ways = probe_ways(lab, (4, 6))
    lab.stop_helper(signal.SIGKILL)
    assert_silent(lab, ways)
    lab.victim.run("nft", "flush", "ruleset")
    lab.start_helper()
    assert lab.ctl("verify")[0] == 0 and state(lab) == BLOCKING
    assert_silent(lab, ways)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_helper_ends(lab, how):
    """However the helper ends, the rules stay; started again, it is as before."""
    lab.must("lock")
    ways = probe_ways(lab, (4, 6))
    with Silence(lab, ways):
        lab.stop_helper(how)
        time.sleep(0.3)
        lab.start_helper()
        time.sleep(0.2)
    assert state(lab) == BLOCKING


def test_helper_restarts_under_flood(lab):
    """Start, adoption and the first transaction of a helper open nothing."""
    lab.must("lock")
    with Silence(lab, FLOOD):
        for _ in range(10):
            lab.stop_helper(signal.SIGKILL)
            lab.start_helper()
    assert state(lab) == BLOCKING


def test_reroute_after_the_verdict(lab, wireguard):
    """L39: another program's `type route` chain sends elsewhere what was meant for the tunnel."""
    lab.victim.nft("""table inet other {
        chain m { type route hook output priority 10; udp dport 7012 meta mark set 0x77; }
        chain n { type route hook output priority 300; udp dport 7013 meta mark set 0x77; }
        }""")
    for flag, via in (("-4", "192.168.7.1"), ("-6", "2001:db8:7::1")):
        lab.victim.run("ip", flag, "rule", "add", "fwmark", "0x77", "table", "77", "priority", "10")
        lab.victim.run("ip", flag, "route", "add", "default", "via", via, "dev", "eth0", "table", "77")
    ways = [f"udp,to={TARGET[f]},port={port},tag=p{port}-{f}" for f in (4, 6) for port in (7012, 7013)]
    try:
        assert_seen(lab, ways)
        lab.must("lock")
        assert wireguard.works()
        assert_silent(lab, ways, endpoints=wireguard.endpoints())
    finally:
        lab.victim.run("nft", "delete", "table", "inet", "other")
        for flag in ("-4", "-6"):
            lab.victim.run("ip", flag, "rule", "del", "fwmark", "0x77")


def test_translation_before_the_verdict(lab, wireguard):
    """L40: another program's DNAT points at the allowed server."""
    lab.victim.nft("""table inet other {
        chain o { type nat hook output priority -100;
            udp dport 7014 dnat ip to 203.0.113.5:51820
            tcp dport 7015 dnat ip to 192.168.7.1:80; }
        }""")
    ways = [f"udp,to={TARGET[4]},port=7014,tag=to-server,dev=eth0",
            f"tcp,to={TARGET[4]},port=7015,tag=to-lan,dev=eth0"]
    try:
        assert_seen(lab, ways)
        lab.must("lock")
        assert_silent(lab, ways, endpoints=wireguard.endpoints())
        time.sleep(0.1)
    finally:
        lab.victim.run("nft", "delete", "table", "inet", "other")


def test_accept_everything_elsewhere(lab):
    """Another firewall that accepts, earlier and later, cannot undo the lock."""
    lab.victim.nft("table inet other {\n" + "".join(
        f"chain {hook}{n} {{ type filter hook {hook} priority {p}; policy accept; accept; }}\n"
        for hook in ("output", "postrouting", "forward", "input")
        for n, p in enumerate((-400, 0, 400))) + "}")
    ways = probe_ways(lab, (4, 6))
    try:
        assert_seen(lab, ways)
        lab.must("lock")
        assert_silent(lab, ways)
    finally:
        lab.victim.run("nft", "delete", "table", "inet", "other")


# What differs between our text and the live table and means nothing: who owns it, what it counted.
def normal(text):
    text = re.sub(r"^\s*flags owner.*$|#.*$", "", text, flags=re.M)
    text = re.sub(r"counter packets \d+ bytes \d+", "counter", text)
    text = re.sub(r" expires \w+", "", text)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("setting", ["blocking", "protected", "everything"])
def test_rules_as_text(lab, wireguard, setting):
    """`bulkheadctl rules`, loaded by nft into an empty namespace, lists as the live table does."""
    if setting == "blocking":
        wireguard.kill()
    if setting == "everything":
        lab.must("lan", "on")
        for n in range(20):
            lab.must("except", "add", f"198.51.100.{n * 8}/29", "--protocol", "tcp", "--port", str(n + 1000))
        lab.must("except", "add", "2001:db8:77::/48")
    lab.must("lock")
    text = lab.must("rules")
    live = lab.victim.run("nft", "-s", "list", "ruleset").stdout
    empty = Namespace("empty")
    try:
        empty.ip("link add eth0 type veth peer name eth1\n")
        empty.nft(text)
        assert normal(empty.run("nft", "-s", "list", "ruleset").stdout) == normal(live)
    finally:
        empty.close()


def test_no_rules_when_unlocked(lab):
    lab.must("lock")
    assert "bulkhead" in lab.victim.run("nft", "list", "tables").stdout
    lab.must("unlock")
    assert lab.victim.run("nft", "list", "ruleset").stdout.strip() == ""
    assert lab.must("rules").strip() == ""
    assert_seen(lab, probe_ways(lab, (4, 6)))


def test_lock_takes_hold_at_once(lab):
    """Not one packet after `lock` has answered, under a flood that began before."""
    for _ in range(5):
        with lab.senders(new_mark(), FLOOD) as senders:
            time.sleep(0.05)
            lab.must("lock")
            with Silence(lab, FLOOD, begin=senders):
                time.sleep(0.1)
        lab.must("unlock")


def test_names_are_refused_at_once(lab):
    """Programs fail at once instead of hanging: TCP is reset, the rest is told why."""
    ways = [w for f in (4, 6) for w in ordinary_ways(f)]
    lab.must("lock")
    began = time.monotonic()
    assert lab.page(4, 5) is None and lab.page(6, 5) is None
    assert time.monotonic() - began < 1
    result = lab.send(new_mark(), ways, 0.3)
    assert not any(r["sent"] for r in result.values()), {t: r for t, r in result.items() if r["sent"]}


def test_status_tells_the_truth(lab, wireguard):
    lab.must("lock")
    assert wait_for(lambda: state(lab) == PROTECTED, 3)
    status = json.loads(lab.must("status", "--json"))
    assert status["version"]
    assert lab.ctl("ready")[0] == 0
    wireguard.kill()
    assert wait_for(lambda: state(lab) == BLOCKING, 3)
    assert lab.ctl("ready")[0] == 0
    lab.must("unlock")
    assert lab.ctl("ready")[0] != 0
    lab.stop_helper()
    assert lab.ctl("status")[0] == 8
    with pytest.raises(Failed):
        lab.must("lock")
