# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that a case leaves at a device which outlives the run: they are reset, and no later run meets them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from testbed.peers.build import plain_segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire.capture import Trace
from testbed.wire.headers import BITS, LETTERS, TCP_PROTOCOL, read_tcp
from testbed.wire.station import Station

End = tuple[Station, int, int, int]
"""A station and its port, the device's address and port."""


@dataclass
class _Left:
    """What the device expects next, by its own last segment and by the tester's; nothing after its reset."""

    by_device: int | None = None
    by_tester: list[int] = field(default_factory=list)


def reset_connections(trace: Trace, stations: Iterable[Station]) -> None:
    """Reset every connection between a station and the device that the trace does not show to be over.

    A reset is taken where its number is the next one that the device expects (RFC 5961 3.2): what it has acknowledged,
    or what the tester has sent beyond that.
    """
    for (station, port, address, remote_port), left in _open_ends(trace, stations).items():
        for number in {left.by_device, *left.by_tester[-1:]} - {None}:
            header = {"sport": port, "dport": remote_port, "seq": number, "ack": 0, "flags": "R", "window": 0}
            segment = plain_segment(station.network, station.number, address, header, b"", b"")
            packet = station.network.enclose(station.number, address, TCP_PROTOCOL, segment)
            station.leave_behind(packet)


def _open_ends(trace: Trace, stations: Iterable[Station]) -> dict[End, _Left]:
    """The connections on which the device has spoken last otherwise than by a reset."""
    owners = {station.network.key(station.address): station for station in stations}
    networks = {station.network.name: station.network for station in owners.values()}.values()
    ends: dict[End, _Left] = {}
    for frame in trace.frames:
        for network in networks:
            ip = network.header(frame.data)
            if ip is None or ip.protocol != TCP_PROTOCOL or ip.fragment:
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
                left.by_device = None if tcp.word & BITS["R"] else tcp.ack
    return {end: left for end, left in ends.items() if left.by_device is not None}
