# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that a case leaves at a device which outlives it: they are reset, and no later case or run meets them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from testbed.peers.build import plain_segment
from testbed.peers.segment import Segment, tcp_carrier
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire.capture import Frame, Trace
from testbed.wire.headers import LETTERS, TCP_PROTOCOL, read_tcp
from testbed.wire.interface import ETHERTYPE_ARP, Interface
from testbed.wire.leftovers import Key
from testbed.wire.station import Station

End = tuple[Station, int, int, int]
"""A station and its port, the device's address and port."""


@dataclass
class _Left:
    """What the device expects next, by its own last segment and by the tester's; nothing after its reset."""

    by_device: int | None = None
    by_tester: list[int] = field(default_factory=list)


class Leftovers:
    """The ports of stations that have left an interface.

    Whatever the device still sends to them is answered as RFC 9293 3.10.7.1 has it for a connection that does not
    exist, by a reset, until another station has the address.
    """

    def __init__(self, interface: Interface) -> None:
        self._left: dict[Key, tuple[Station, set[tuple[int, int]]]] = {}
        interface.leftovers = self

    def leave(self, trace: Trace, stations: Iterable[Station]) -> None:
        """Reset every connection between a station and the device that the trace does not show to be over.

        A reset is taken where its number is the next one that the device expects (RFC 5961 3.2): what it has
        acknowledged, or what the tester has sent beyond that.
        """
        for (station, port, address, remote_port), left in _ends(trace, stations).items():
            key = station.network.key(station.address)
            self._left.setdefault(key, (station, set()))[1].add((port, remote_port))
            if left.by_device is not None:
                for number in {left.by_device, *left.by_tester[-1:]}:
                    _reset(station, port, address, remote_port, seq=number)

    def forget(self, key: Key) -> None:
        """Another station has the address."""
        self._left.pop(key, None)

    def take(self, key: Key, frame: Frame) -> None:
        """A frame for the address of nobody."""
        station, ports = self._left.get(key, (None, set()))
        if station is None:
            return
        if int.from_bytes(frame.data[12:14], "big") == ETHERTYPE_ARP:
            station.interface.answer_arp(frame, None)
            return
        segment = Segment.read(frame, station.network)
        if segment is None or segment.is_reset or (segment.destination_port, segment.source_port) not in ports:
            return
        ends = station, segment.destination_port, segment.ip.source, segment.source_port
        if "A" in segment.flags:
            _reset(*ends, seq=segment.ack)
        else:
            length = len(segment.data) + ("S" in segment.flags) + ("F" in segment.flags)
            _reset(*ends, flags="RA", seq=0, ack=(segment.seq + length) % SEQUENCE_SPACE)


def _reset(
    station: Station, port: int, address: int, remote_port: int, *, flags: str = "R", seq: int, ack: int = 0
) -> None:
    header = {"sport": port, "dport": remote_port, "seq": seq, "ack": ack, "flags": flags, "window": 0}
    segment = plain_segment(station.network, station.number, address, header, b"", b"")
    station.leave_behind(station.network.enclose(station.number, address, TCP_PROTOCOL, segment))


def _ends(trace: Trace, stations: Iterable[Station]) -> dict[End, _Left]:
    """The connections between the stations and the device that the trace shows."""
    owners = {station.network.key(station.address): station for station in stations}
    networks = {station.network.name: station.network for station in owners.values()}.values()
    ends: dict[End, _Left] = {}
    for frame in trace.frames:
        for network in networks:
            if (ip := tcp_carrier(frame, network)) is None:
                continue
            own, other = (ip.source, ip.destination) if frame.outgoing else (ip.destination, ip.source)
            tcp = read_tcp(frame.data[ip.start : ip.end])
            station = owners.get((network.ethertype, own))
            if tcp is None or station is None:
                continue
            flags, length = LETTERS[tcp.word & 0x1FF], ip.end - ip.start - (tcp.word >> 12) * 4
            if frame.outgoing:
                left = ends.setdefault((station, tcp.source_port, other, tcp.destination_port), _Left())
                left.by_tester.append((tcp.seq + length + ("S" in flags) + ("F" in flags)) % SEQUENCE_SPACE)
            else:
                left = ends.setdefault((station, tcp.destination_port, other, tcp.source_port), _Left())
                left.by_device = None if "R" in flags else tcp.ack
    return ends
