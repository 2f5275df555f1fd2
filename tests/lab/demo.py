# SPDX-License-Identifier: GPL-3.0-or-later
"""The story that tests/demo tells, once with WireGuard and once with OpenVPN."""
import contextlib
import signal
import sys
import time

from checks import BLOCKING, OFF, PROTECTED, state, tag_of
from demo_window import DemoWindow, has_display
from lab import SERVER, Failed, Lab, OpenVPN, WireGuard, wait_for
from traffic import TARGET, flow_ways, new_mark

WIDTH = 66
KINDS = {"udp": "UDP", "tcp": "TCP, new connections", "flow": "TCP, connected before",
         "icmp": "ICMP echo", "raw": "raw IP (GRE)", "udp-bound": "UDP, bound to the uplink",
         "tcp-bound": "TCP, bound to the uplink", "flow-bound": "TCP, connected before, bound",
         "icmp-bound": "ICMP echo, bound to the uplink"}
WORDS = {PROTECTED: "protected", BLOCKING: "blocking", OFF: "off"}


class Story:
    """Prints lines; remembers whether each of them holds."""

    def __init__(self):
        self.holds = True
        self.leaked = {}  # by tag, while locked

    def line(self, text, result, holds):
        self.holds = self.holds and holds
        print(f"  {text:<{WIDTH}} {result}{'' if holds else '   <-- WRONG'}", flush=True)


def ways():
    made = flow_ways((4, 6))
    for family in (4, 6):
        base = f"rate=100,to={TARGET[family]},"
        for suffix, dev in (("", ""), ("-bound", ",dev=eth0")):
            made += [f"udp,{base}port=7001,tag=udp{suffix}{family}{dev}",
                     f"tcp,{base}port=7004,tag=tcp{suffix}{family}{dev}",
                     f"icmp,{base}tag=icmp{suffix}{family}{dev}"]
        made.append(f"raw,{base}proto=47,tag=raw{family}")
    return made


def page(lab, family):
    return lab.page(family) or "no answer"


def show_page(story, lab, text, wanted):
    for family in (4, 6):
        got = page(lab, family)
        story.line(f"{text}, IPv{family}: the page sees", got, got == wanted[family])


def silence(story, lab, tunnel, senders, text, event):
    """While `event` happens the senders go on; what the ISP sees of it."""
    with lab.witness(senders.mark) as witness:
        event()
        time.sleep(1.5)
    leaks = witness.seen.forbidden(lab.allowed(tunnel.endpoints()))
    leaked = sum(int(leak.split()[0]) for leak in leaks)
    story.line(text, f"{leaked} leaked", leaked == 0 and witness.seen.drops == 0)
    for leak in leaks:
        print("      " + leak)
    for tag, count in witness.seen.tags.items():
        story.leaked[tag] = story.leaked.get(tag, 0) + count


def show_table(story, before, result):
    print(f"\n    {'sender':<34}{'tried':>14}{'seen unlocked':>16}{'seen locked':>14}")
    for family in (4, 6):
        for kind, name in KINDS.items():
            tag = f"{kind}{family}"
            seen, leaked = before.tags.get(tag, 0), story.leaked.get(tag, 0)
            story.holds = story.holds and seen > 0 and leaked == 0
            print(f"    {name + f', IPv{family}':<34}{result[tag]['attempts']:>14}{seen:>16}{leaked:>14}")
    print()


def tables(lab):
    return [line for line in lab.victim.run("nft", "-a", "list", "tables").stdout.splitlines()
            if "bulkhead" in line]


def tell(story, lab, name, tunnel):
    print(f"\n{name}\n{'-' * len(name)}")
    direct, story.leaked = lab.own, {}
    lab.use(tunnel)
    show_page(story, lab, "No VPN", direct)
    control, _ = lab.count(new_mark(), ways(), 1)
    missing = [tag_of(w) for w in ways() if not control.tags.get(tag_of(w))]
    story.line("Unlocked, the senders below: the ISP sees", f"{control.marked} packets", not missing)
    tunnel.start().wait_up()
    show_page(story, lab, "Tunnel up", SERVER)
    lab.must(*tunnel.add_args())
    senders = lab.senders(new_mark(), ways())
    lab.must("lock")
    wait_for(lambda: state(lab) == PROTECTED, 3)
    story.line("Locked: the state is", WORDS.get(state(lab), "?"), state(lab) == PROTECTED)
    silence(story, lab, tunnel, senders, "Tunnel killed while all of them send", tunnel.kill)
    wait_for(lambda: state(lab) == BLOCKING, 3)
    story.line("The state is", WORDS.get(state(lab), "?"), state(lab) == BLOCKING)

    def restart():
        tunnel.start().wait_up()
        show_page(story, lab, "Tunnel started again, still locked", SERVER)

    silence(story, lab, tunnel, senders, "Meanwhile", restart)
    handles = tables(lab)

    def kill_helper():
        lab.stop_helper(signal.SIGKILL)
        tunnel.kill()

    silence(story, lab, tunnel, senders, "Helper killed (-9), then the tunnel too", kill_helper)
    blocked = lab.page(4, 0.5) is None and lab.page(6, 0.5) is None
    story.line("Still blocking without the helper", "yes" if blocked else "NO", blocked)
    silence(story, lab, tunnel, senders, "Helper started again", lab.start_helper)
    adopted = tables(lab) == handles and state(lab) == BLOCKING and lab.ctl("verify")[0] == 0
    story.line("It adopted the rules that were there", "yes" if adopted else "NO", adopted)
    show_table(story, control, senders.stop())
    tunnel.stop()
    lab.must("unlock")
    story.line("Unlocked: the state is", WORDS.get(state(lab), "?"), state(lab) == OFF)
    wait_for(lambda: lab.page(6), 5)
    show_page(story, lab, "Everything is open again", direct)
    lab.must("tunnels", "forget", "home")


def main():
    story = Story()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("A small network on this machine: you, your ISP who counts every frame, a VPN server, the web.")
    try:
        with Lab() as lab:
            lab.start_helper()
            with DemoWindow(lab) if has_display() else contextlib.nullcontext():
                tell(story, lab, "WireGuard", WireGuard(lab))
                tell(story, lab, "OpenVPN", OpenVPN(lab))
    except Failed as problem:
        print(f"\nStopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    verdict = "Every line holds." if story.holds else "NOT every line holds: see WRONG above."
    print(f"\n{verdict} ({time.monotonic() - began:.0f} seconds)")
    return 0 if story.holds else 1


if __name__ == "__main__":
    sys.exit(main())
