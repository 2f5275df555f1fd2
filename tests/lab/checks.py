# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests say of a count: every negative has its positive control in the same test."""
import time

from traffic import new_mark


def tag_of(way):
    return next(part[4:] for part in way.split(",") if part.startswith("tag="))


def assert_seen(lab, ways, seconds=0.3, where=None, witness=None):
    """The positive control: what these senders send does arrive at the ISP, each of them."""
    mark = new_mark()
    seen, result = lab.count(mark, ways, seconds, where, witness and witness(mark))
    missing = [tag_of(way) for way in ways if not seen.tags.get(tag_of(way))]
    assert not missing, f"control: not seen at the ISP: {missing}; {result}"
    return seen


class Silence:
    """A `with` block while which the ISP must see nothing but what `allowed` lets out, and no
    mark at all. Senders run all the while; `begin` is where they are already running."""

    def __init__(self, lab, ways, endpoints=(), where=None, begin=None, interface="isp0",
                 lan=False):
        self.lab, self.ways, self.endpoints, self.where = lab, ways, endpoints, where
        self.senders, self.lan = begin, lan
        self.mark = begin.mark if begin else new_mark()
        self.witness = lab.witness(self.mark, interface)
        self.result = self.seen = None

    def __enter__(self):
        if self.senders is None:
            self.senders = self.lab.senders(self.mark, self.ways, 60, self.where)
        return self

    def __exit__(self, kind, *_):
        self.result = self.senders.stop()
        self.witness.__exit__()
        self.seen = self.witness.seen
        if kind:
            return
        leaks = self.seen.forbidden(self.lab.allowed(self.endpoints, self.lan))
        assert not leaks, "\n".join([f"leaked {len(leaks)} kinds:", *leaks[:12], str(self.seen.tags)])
        assert self.seen.drops == 0, "the witness missed frames: the count proves nothing"
        idle = [tag for tag, r in self.result.items() if not r["attempts"]]
        assert not idle, f"these senders did nothing: {idle}"


def assert_silent(lab, ways, seconds=0.4, endpoints=(), where=None, interface="isp0", lan=False):
    """These senders, for so long: nothing arrives. `lan`: LAN bypass is on, so MLD may leave."""
    with Silence(lab, ways, endpoints, where, interface=interface, lan=lan) as silence:
        time.sleep(seconds)
    return silence


def state(lab):
    """The exit status of `status --check`: 0 protected, 20 blocking, 21 off, 22 paused, 23 broken."""
    return lab.ctl("status", "--check")[0]


PROTECTED, BLOCKING, OFF, PAUSED, BROKEN = 0, 20, 21, 22, 23
