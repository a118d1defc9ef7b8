# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a legacy host that does not ignore unknown TCP options."""

import hashlib
import struct

from reference.bump.segment import Segment, read
from reference.bump.tcp import ACK, FIN, MAXIMUM_OPTIONS, SYN
from reference.legacy.host import LegacyHost, WatchingHost
from reference.system.alterations import deviation

REHASH, CAPABLE, PERMITTED, MIGRATE = 253, 254, 15, 16
SCALE, SACK_PERMITTED, TIMESTAMPS = 3, 4, 8
_IGNORED = "An option that TCP does not implement is ignored without error."
_LENGTHS = "An illegal option length harms no other connection."


def _option(segment: Segment, kind: int) -> bytes:
    return next((option for one, option in segment.unknown if one == kind), b"")


def _rehash_addr(segment: Segment) -> tuple[int, int] | None:
    """Old and New address of the REHASH-ADDR on a segment; None without one."""
    option = _option(segment, REHASH)
    if len(option) != 16:
        return None
    control, _, old, new = struct.unpack("!HIII", option[2:])
    return (old, new) if control == 0x0010 else None


class _Reflects(LegacyHost):
    """The option of a SYN comes back on the SYN-ACK."""

    kind: int

    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._seen: dict[tuple[int, int], bytes] = {}

    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.is_syn() and (option := _option(segment, self.kind)):
            self._seen[segment.source, segment.port] = option
        super().from_wire(packet)

    def from_kernel(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.flags & (SYN | ACK) == SYN | ACK:
            option = self._seen.get((segment.destination, segment.to_port), b"")
            if len(segment.area) + len(option) <= MAXIMUM_OPTIONS:
                packet = segment.with_options(segment.area, option).packet()
        super().from_kernel(packet)


@deviation("rehash-option-reflected", "9293.3.1", _IGNORED, "a Rehash option on a SYN comes back on the SYN-ACK")
class RehashOptionReflected(_Reflects):
    kind = REHASH


@deviation("mobile-capable-reflected", "9293.3.1", _IGNORED, "MOBILE_CAPABLE on a SYN comes back on the SYN-ACK")
class MobileCapableReflected(_Reflects):
    kind = CAPABLE


@deviation("migrate-permitted-reflected", "9293.3.1", _IGNORED, "Migrate-Permitted on a SYN comes back on the SYN-ACK")
class MigratePermittedReflected(_Reflects):
    kind = PERMITTED


@deviation("migrate-option-reflected", "9293.3.1", _IGNORED, "Migrate on a SYN comes back on the SYN-ACK")
class MigrateOptionReflected(_Reflects):
    kind = MIGRATE


@deviation("syn-with-rehash-refused", "9293.3.1", _IGNORED, "a SYN with a Rehash option is answered with a reset")
class SynWithRehashRefused(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        if not (segment.is_syn() and _option(segment, REHASH)):
            return True
        self.to_wire(segment.reset().packet())
        return False


@deviation("syn-with-mobile-capable-dropped", "9293.3.1", _IGNORED, "a SYN with MOBILE_CAPABLE is dropped")
class SynWithMobileCapableDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.is_syn() and _option(segment, CAPABLE))


@deviation(
    "permitted-connection-mute", "9293.3.1", _IGNORED, "a connection opened with Migrate-Permitted takes no data"
)
class PermittedConnectionMute(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._mute: set[tuple[int, int]] = set()

    def takes(self, segment: Segment) -> bool:
        end = segment.source, segment.port
        if segment.is_syn() and _option(segment, PERMITTED) and not segment.has_timestamps:
            self._mute.add(end)
        return not (segment.data and end in self._mute)


@deviation(
    "migrate-ends-connection", "9293.3.1", _IGNORED, "a SYN with Migrate ends the connection that its token names"
)
class MigrateEndsConnection(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._initial: dict[tuple[int, int], int] = {}
        self._tokens: dict[bytes, int] = {}

    def takes(self, segment: Segment) -> bool:
        if segment.is_syn():
            self._initial[segment.source, segment.port] = segment.sequence
            self.ends(self._tokens.get(_option(segment, MIGRATE)[3:11]))
        return True

    def from_kernel(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.flags & (SYN | ACK) == SYN | ACK:
            initial = self._initial.get((segment.destination, segment.to_port), 0)
            hashed = hashlib.sha1(struct.pack("!II", initial, segment.sequence)).digest()
            self._tokens[hashed[:8]] = segment.destination
        super().from_kernel(packet)


@deviation("migrate-not-refused", "9293.3.1", _IGNORED, "a SYN with Migrate to a closed port is silently discarded")
class MigrateNotRefused(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._asking: set[tuple[int, int]] = set()

    def takes(self, segment: Segment) -> bool:
        if segment.is_syn() and _option(segment, MIGRATE):
            self._asking.add((segment.source, segment.port))
        return True

    def from_kernel(self, packet: bytes) -> None:
        segment = read(packet)
        if not (segment and segment.is_reset() and (segment.destination, segment.to_port) in self._asking):
            super().from_kernel(packet)


@deviation("data-with-option-dropped", "9293.3.1", _IGNORED, "data of a segment with an unknown option is dropped")
class DataWithOptionDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.data and segment.unknown and self.knows(segment))


@deviation("fin-with-option-dropped", "9293.3.1", _IGNORED, "a FIN with an unknown option is dropped")
class FinWithOptionDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return not (segment.flags & FIN and segment.unknown and self.knows(segment))


@deviation("acknowledgement-with-option-dropped", "9293.3.1", _IGNORED, "an ACK with an unknown option is dropped")
class AcknowledgementWithOptionDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        is_plain = segment.flags & (SYN | FIN | ACK) == ACK and not segment.data
        return not (is_plain and segment.unknown and self.knows(segment))


@deviation("option-resets", "9293.3.1", _IGNORED, "a Rehash option on a segment of a connection ends it")
class OptionResets(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        if self.knows(segment) and not segment.is_syn() and _option(segment, REHASH):
            self.ends(segment.source)
            self.to_wire(segment.reset().packet())
            return False
        return True


@deviation(
    "order-on-connection-followed", "9293.3.1", _IGNORED, "segments go to the New address of a REHASH-ADDR as well"
)
class RehashAddrOnConnectionFollowed(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._new: dict[tuple[int, int], int] = {}

    def takes(self, segment: Segment) -> bool:
        rehash_addr = _rehash_addr(segment)
        if self.knows(segment) and rehash_addr is not None:
            self._new[segment.source, segment.port] = rehash_addr[1]
        return True

    def from_kernel(self, packet: bytes) -> None:
        super().from_kernel(packet)
        segment = read(packet)
        if segment and (new := self._new.get((segment.destination, segment.to_port))):
            super().from_kernel(segment.to(new).packet())


@deviation(
    "order-from-elsewhere-dropped",
    "9293.3.1",
    _IGNORED,
    "a segment with a Rehash option for no connection is silently discarded",
)
class RehashAddrFromElsewhereDropped(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        return bool(self.knows(segment) or segment.flags & SYN or not _option(segment, REHASH))


@deviation(
    "order-from-elsewhere-ends", "9293.3.1", _IGNORED, "a REHASH-ADDR from elsewhere ends the connection it names"
)
class RehashAddrFromElsewhereEnds(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        rehash_addr = _rehash_addr(segment)
        if not self.knows(segment) and rehash_addr is not None:
            self.ends(rehash_addr[0])
        return True


class _Loses(LegacyHost):
    """An ordinary option beside an unknown one is lost."""

    kind: int

    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.unknown:
            kept = [b"\1" * len(option) if kind == self.kind else option for kind, option in segment.options]
            packet = segment.with_options(*kept).packet()
        super().from_wire(packet)


@deviation("timestamps-lost", "9293.3.1", _IGNORED, "timestamps beside an unknown option do not count")
class TimestampsLost(_Loses):
    kind = TIMESTAMPS


@deviation("sack-lost", "9293.3.1", _IGNORED, "SACK-Permitted beside an unknown option does not count")
class SackLost(_Loses):
    kind = SACK_PERMITTED


@deviation("scale-lost", "9293.3.1", _IGNORED, "a window scale beside an unknown option does not count")
class ScaleLost(_Loses):
    kind = SCALE


@deviation("options-end-at-unknown", "9293.3.1", _IGNORED, "options after an unknown one do not count")
class OptionsEndAtUnknown(LegacyHost):
    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.unknown:
            first = segment.options.index(segment.unknown[0])
            packet = segment.with_options(*(option for _, option in segment.options[:first])).packet()
        super().from_wire(packet)


@deviation("scale-not-used", "9293.3.1", _IGNORED, "a scale in front of which an unknown option stands is taken for 0")
class ScaleNotUsed(LegacyHost):
    def from_wire(self, packet: bytes) -> None:
        segment = read(packet)
        if segment and segment.is_syn() and segment.unknown:
            kept = [option[:2] + b"\0" if kind == SCALE else option for kind, option in segment.options]
            packet = segment.with_options(*kept).packet()
        super().from_wire(packet)


@deviation("illegal-length-silences", "9293.3.1", _LENGTHS, "after one the peer's packets are dropped")
class IllegalLengthSilences(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._silent: set[int] = set()

    def takes(self, segment: Segment) -> bool:
        if segment.is_malformed:
            self._silent.add(segment.source)
        return segment.source not in self._silent


@deviation("illegal-length-refuses", "9293.3.1", _LENGTHS, "after one the peer opens no more connections")
class IllegalLengthRefuses(WatchingHost):
    def __init__(self, *arguments) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments)
        self._refused: set[int] = set()

    def takes(self, segment: Segment) -> bool:
        if segment.is_malformed:
            self._refused.add(segment.source)
        return not (segment.is_syn() and segment.source in self._refused)


@deviation("illegal-length-ends", "9293.3.1", _LENGTHS, "one ends every connection of the peer")
class IllegalLengthEnds(WatchingHost):
    def takes(self, segment: Segment) -> bool:
        if segment.is_malformed:
            self.ends(segment.source)
        return True
