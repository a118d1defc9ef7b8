# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations on the wire: options of TCP and checksums beside Rehash, windows, ICMP errors, other traffic."""

import struct
from dataclasses import replace

from reference.bump.flows import Flow
from reference.bump.network import ETHERNET, Packet
from reference.bump.segment import addresses, payload
from reference.bump.shaping import Shaped, segment_in, with_segment
from reference.bump.tcp import SACK, SEGMENT_SIZE, TIMESTAMPS, split, window_scale
from reference.rehash.context import context_of
from reference.rehash.datapath import RehashDatapath
from reference.rehash.host import Host
from reference.rehash.option import ADDR, LENGTH, Option
from reference.system.alterations import deviation

ICMP, ECHO_REQUEST, UNREACHABLE, TIME_EXCEEDED = 1, 8, 3, 11
TOO_BIG = (UNREACHABLE, 4)
SOFT = {(UNREACHABLE, 0), (UNREACHABLE, 1), (TIME_EXCEEDED, 0)}


@deviation(
    "duplicate-ack-without-timestamps",
    "5",
    "Where timestamps were agreed on, every segment with a Rehash option carries them.",
    "a duplicate ACK with one has none",
)
class DuplicateAckWithoutTimestamps(RehashDatapath):
    def acknowledge(self, flow: Flow, option: Option | None) -> None:
        context = context_of(flow)
        assert context is not None
        options, context.options = context.options, b""
        super().acknowledge(flow, option)
        context.options = options


@deviation(
    "duplicate-ack-with-a-wrong-checksum",
    "5",
    "A host that has to send a Rehash option and has no data to send, sends it in a duplicate ACK.",
    "the checksum of the duplicate ACK is wrong",
)
class DuplicateAckWithAWrongChecksum(RehashDatapath):
    def put_on_wire(self, frame: bytes) -> None:
        segment = segment_in(frame)
        super().put_on_wire(frame[:50] + bytes((frame[50] ^ 0xFF,)) + frame[51:] if segment else frame)


@deviation(
    "segment-size-of-the-peer-not-lessened",
    "5",
    "Segments with a Rehash option are not larger than the peer takes.",
    "the option comes on top of a full segment",
)
class SegmentSizeOfThePeerNotLessened(RehashDatapath):
    def _replace_options(self, start: int, packet: Packet, data: int, options: bytes) -> tuple[int, Packet]:
        changed = b""
        for kind, whole in split(options):
            if kind == SEGMENT_SIZE and len(whole) == 4:
                whole = whole[:2] + (int.from_bytes(whole[2:], "big") + LENGTH).to_bytes(2, "big")
            changed += whole
        return super()._replace_options(start, packet, data, changed + bytes(len(options) - len(changed)))


@deviation(
    "sack-cut-without-timestamps",
    "5",
    "A segment with a Rehash option has at most 40 bytes of options, all well-formed.",
    "where there are no timestamps half of the last SACK block is cut off",
)
class SackCutWithoutTimestamps(Host):
    def insert(self, options: bytes, option: bytes) -> bytes | None:
        inserted = super().insert(options, option)
        kinds = dict(split(options))
        if inserted is None or TIMESTAMPS in kinds or SACK not in kinds:
            return inserted
        room = 40 - len(option) - 4
        block = kinds[SACK][2 : 2 + room // 8 * 8 - 4]
        return b"\x01\x01" + bytes((SACK, 2 + len(block))) + block + option


@deviation(
    "rehash-window-stays-shut",
    "6.2",
    "A REHASH-ADDR with the right Old address and nonce moves the connection.",
    "a window that is shut when it comes never opens any more",
)
class ShutWindowStaysShut(Shaped, RehashDatapath):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._windows: dict[tuple[int, int], int] = {}
        self._shut: set[tuple[int, int]] = set()

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment is not None and not segment.is_reset():
            ends = segment.port, segment.to_port
            option = self.host.read(segment.area)
            if option is not None and option.control == ADDR and self._windows.get(ends, 1) < 2:
                self._shut.add(ends)
            self._windows[ends] = segment.window
            if ends in self._shut:
                frame = with_segment(frame, replace(segment, window=0))
        super().arrives(frame)


@deviation(
    "window-scale-lost-at-the-move",
    "6.2",
    "A REHASH-ADDR with the right Old address and nonce moves the connection.",
    "windows of a peer that has moved are taken as they stand, without their scale",
)
class WindowScaleLostAtTheMove(Shaped, RehashDatapath):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._scales: dict[tuple[int, int], int] = {}

    def arrives(self, frame: bytes) -> None:
        segment = segment_in(frame)
        if segment is not None:
            ends = segment.port, segment.to_port
            if segment.is_syn():
                self._scales[ends] = window_scale(segment.area) or 0
            flow = self._ipv4.flows.by_wire.get((segment.source, *ends))
            if flow is not None and flow.wire_address != flow.kernel_address:
                frame = with_segment(frame, replace(segment, window=segment.window >> self._scales.get(ends, 0)))
        super().arrives(frame)


class _Errors(Shaped, RehashDatapath):
    """Looks at ICMP before the kernel does."""

    def arrives(self, frame: bytes) -> None:
        packet = frame[ETHERNET:]
        message = payload(packet, ICMP) if frame[12:14] == b"\x08\x00" and len(packet) >= 20 else None
        if message is None or self.icmp(addresses(packet)[0], message):
            super().arrives(frame)

    def icmp(self, source: int, message: bytes) -> bool:
        """Whether an ICMP message goes on to the kernel."""
        raise NotImplementedError

    def aborts(self, flow: Flow | None) -> bool:
        """End a connection."""
        context = None if flow is None else context_of(flow)
        if flow is not None and context is not None:
            self.host.fail(flow, context)
        return True


def _quoted(message: bytes) -> tuple[int, int, int, int] | None:
    """Peer and its port, own address and port of the segment that an error quotes."""
    if len(message) < 36 or message[0] not in (UNREACHABLE, TIME_EXCEEDED):
        return None
    own, peer = struct.unpack_from("!II", message, 20)
    own_port, port = struct.unpack_from("!HH", message, 28)
    return peer, port, own, own_port


@deviation(
    "soft-error-aborts",
    "5",
    "A soft ICMP error aborts no connection.",
    "it aborts the connection that it quotes",
)
class SoftErrorAborts(_Errors):
    def icmp(self, source: int, message: bytes) -> bool:
        quoted = _quoted(message)
        if quoted is None or (message[0], message[1]) not in SOFT or quoted[2] != self._ipv4.own:
            return True
        return self.aborts(self._ipv4.flows.by_wire.get((quoted[0], quoted[1], quoted[3])))


@deviation(
    "packet-too-big-aborts",
    "5",
    "That a packet was too big for the path aborts no connection.",
    "it aborts the connection that it quotes",
)
class PacketTooBigAborts(_Errors):
    def icmp(self, source: int, message: bytes) -> bool:
        quoted = _quoted(message)
        if quoted is None or (message[0], message[1]) != TOO_BIG or quoted[2] != self._ipv4.own:
            return True
        return self.aborts(self._ipv4.flows.by_wire.get((quoted[0], quoted[1], quoted[3])))


@deviation(
    "error-about-a-left-tuple-aborts",
    "5",
    "An ICMP error that quotes the tuple that a connection has left does not touch the connection.",
    "it aborts the connection",
)
class ErrorAboutALeftTupleAborts(_Errors):
    def icmp(self, source: int, message: bytes) -> bool:
        quoted = _quoted(message)
        if quoted is None:
            return True
        flow = self._ipv4.flows.by_kernel.get((quoted[0], quoted[1], quoted[3]))
        is_stale = flow is not None and (flow.wire_address != quoted[0] or quoted[2] in self.host.left)
        return self.aborts(flow if is_stale else None)


@deviation(
    "echo-of-a-moved-peer-unanswered",
    "5",
    "Echo requests of the peer's new address are answered after a move as before it.",
    "they are dropped",
)
class EchoOfAMovedPeerUnanswered(_Errors):
    def icmp(self, source: int, message: bytes) -> bool:
        flows = self._ipv4.flows.by_wire.values()
        has_moved = any(flow.wire_address == source != flow.kernel_address for flow in flows)
        return not (message[0] == ECHO_REQUEST and has_moved)
