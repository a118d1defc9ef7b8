# SPDX-License-Identifier: GPL-2.0-or-later
"""What a Rehash host keeps of a connection beside its tuples and its TCP state (section 6.1)."""

import secrets
from typing import NamedTuple

from reference.bump.flows import Flow, Flows
from reference.bump.tcp import distance
from reference.rehash.option import Option
from reference.rehash.slow_start import SlowStart


class RehashFlows(Flows):
    """The connections of the host."""

    role = "host"


class Nonces:
    """Where nonces come from."""

    role = "host"

    def fresh(self) -> int:
        """A nonce for a new connection."""
        return secrets.randbits(32)


class Segment(NamedTuple):
    """A segment from the wire, its checksum found right."""

    address: int
    port: int
    local_port: int
    sequence: int
    acknowledgement: int
    flags: int
    length: int
    option: Option | None


class Exchange:
    """A move that the peer has not acknowledged."""

    __slots__ = ("last", "olds", "sent", "turn")

    def __init__(self, olds: list[int], now: float) -> None:
        self.olds = olds  # addresses under which the peer may know the connection, the likeliest first
        self.sent = 0  # segments with REHASH-ADDR
        self.turn = 0
        self.last = now

    @property
    def old(self) -> int:
        return self.olds[self.turn % len(self.olds)]


class Context:
    """Nonces, what is pending, the move under way, and what it takes to make a duplicate ACK."""

    __slots__ = (
        "acknowledged",
        "addresses",
        "answers_left",
        "exchange",
        "init_pending",
        "init_sequences",
        "is_active",
        "is_failed",
        "is_init_sent",
        "next",
        "options",
        "own_nonce",
        "peer_nonce",
        "reissues",
        "segment_size",
        "slow_start",
        "window",
    )  # fmt: skip

    def __init__(self, own_nonce: int, own_address: int, is_active: bool, reissues: int) -> None:
        self.own_nonce = own_nonce
        self.peer_nonce: int | None = None
        self.is_active = is_active
        self.is_init_sent = False
        self.is_failed = False
        self.reissues = reissues  # how often REHASH-INIT may still be sent again unasked
        self.answers_left = reissues  # how many retransmitted REHASH-INITs may still be answered
        self.init_pending = False
        self.init_sequences: set[int] = set()  # of data sent with REHASH-INIT and not acknowledged
        self.addresses = [own_address]  # the own address that the peer knows, and those used since
        self.exchange: Exchange | None = None
        self.slow_start: SlowStart | None = None
        self.segment_size = 536
        self.acknowledged = 0  # SND.UNA
        self.next = 0  # SND.NXT of what has gone out
        self.window = 0
        self.options = b""  # of the last segment of the kernel

    @property
    def init_completed(self) -> bool:
        """Whether the init exchange is complete."""
        return self.is_init_sent and self.peer_nonce is not None

    def opens(self, sequence: int) -> None:
        """The kernel sends a SYN."""
        self.acknowledged = self.next = sequence

    def sent(self, sequence: int, length: int) -> None:
        """A segment goes out."""
        end = (sequence + length) & 0xFFFFFFFF
        if distance(self.next, end) > 0:
            self.next = end
        if self.slow_start is not None and length:
            self.slow_start.sent(sequence, length)

    def ack_received(self, number: int, is_duplicate: bool) -> None:
        """Account for an acknowledgement of the peer; `is_duplicate` when it can be a duplicate ACK."""
        progress = distance(self.acknowledged, number)
        if progress < 0 or distance(number, self.next) < 0:
            return
        if progress > 0:
            self.acknowledged = number
            if self.init_sequences:
                self.init_sequences = {one for one in self.init_sequences if distance(number, one) >= 0}
        if self.slow_start is not None and (progress or is_duplicate):
            self.slow_start.acknowledge(number, progress)


def context_of(flow: Flow) -> Context | None:
    """What the host keeps of a connection; None for one that it has not seen opening."""
    context: Context | None = flow.contexts.get(Context)
    return context
