# SPDX-License-Identifier: GPL-2.0-or-later
"""What a host keeps of a connection beside its tuples and its TCP state."""

from typing import NamedTuple

from reference.bump import slow_start
from reference.bump.flows import Flow, Flows
from reference.bump.tcp import distance
from reference.migrate import curve
from reference.migrate.option import Permitted


class MigrateFlows(Flows):
    """The connections of the host."""

    role = "server"


class SlowStart(slow_start.SlowStart):
    """Congestion window and held segments of a connection that has migrated."""

    role = "server"


class Keys:
    """Where private keys come from, and what becomes of them."""

    role = "server"

    def fresh(self) -> int:
        """The random number X of a new connection."""
        return curve.private_key()

    def public(self, private: int) -> bytes:
        return curve.public_key(private)

    def secret(self, private: int, key_data: bytes) -> bytes | None:
        """The secret that is shared with the owner of a public key; None where that is no point of the curve."""
        point = curve.point_of(key_data)
        return None if point is None else curve.shared_secret(private, point)


class Segment(NamedTuple):
    """A segment from the wire, its checksum found right."""

    address: int
    port: int
    local_port: int
    sequence: int
    acknowledgement: int
    flags: int
    window: int
    options: bytes
    length: int

    @property
    def tuple(self) -> tuple[int, int, int]:
        return self.address, self.port, self.local_port


class Exchange:
    """A migration of our own that the peer has not answered."""

    __slots__ = ("began", "last", "option", "sequence")

    def __init__(self, sequence: int, option: bytes, now: float) -> None:
        self.sequence, self.option = sequence, option
        self.began = self.last = now


class Context:
    """Keys, numbers, the migration under way, and what it takes to make a segment of our own."""

    __slots__ = (
        "acknowledged",
        "awaits_ack",
        "echo",
        "exchange",
        "is_active",
        "is_failed",
        "kernel_stamp",
        "key",
        "na",
        "next",
        "ni",
        "options",
        "own",
        "own_reqno",
        "peer",
        "peer_reqno",
        "peer_stamp",
        "peer_window",
        "private",
        "segment_size",
        "slow_start",
        "swallowed",
        "syn_acks",
        "token",
        "wait_until",
        "window",
    )  # fmt: skip

    def __init__(self, is_active: bool) -> None:
        self.is_active = is_active  # the SYN was ours
        self.private = 0
        self.own: Permitted | None = None  # what our SYN or SYN-ACK carries
        self.peer: Permitted | None = None
        self.ni = self.na = 0
        self.key: bytes | None = None  # K, where both sides permit migration
        self.token = b""
        self.own_reqno: int | None = None
        self.peer_reqno: int | None = None
        self.exchange: Exchange | None = None
        self.wait_until: float | None = None  # the end of MIGRATE-WAIT
        self.awaits_ack = False  # the SYN-ACK of a migration has not been acknowledged
        self.syn_acks = 0
        self.is_failed = False
        self.swallowed = False  # a segment of the kernel that only acknowledges was not sent
        self.slow_start: slow_start.SlowStart | None = None
        self.segment_size = 536
        self.acknowledged = 0  # SND.UNA
        self.next = 0  # SND.NXT of what has gone out
        self.window = self.peer_window = 0
        self.options = b""  # of the last segment of the kernel
        self.kernel_stamp = b""  # TSval of the kernel's SYN, in whose place the end of our key went out
        self.peer_stamp = b""  # TSval of the peer's, the end of its key
        self.echo = b""  # what the peer echoes of our key

    @property
    def shift(self) -> int:
        """What is added to the kernel's timestamps towards an ordinary peer, which has seen the end of our key as one.

        Otherwise they would go back, and the peer would drop what carries them (RFC 7323, 5).
        """
        if not self.echo or (self.peer is not None and self.peer.is_secure):
            return 0
        return int.from_bytes(self.echo, "big") - int.from_bytes(self.kernel_stamp, "big")

    @property
    def is_silent(self) -> bool:
        """Whether nothing that the kernel sends goes out now."""
        return self.wait_until is not None or self.awaits_ack or self.exchange is not None

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
        if self.slow_start is not None and (progress or is_duplicate):
            self.slow_start.acknowledge(number, progress)


def context_of(flow: Flow) -> Context | None:
    """What the host keeps of a connection; None for one that it has not seen opening."""
    context: Context | None = flow.contexts.get(Context)
    return context
