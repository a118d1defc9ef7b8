# SPDX-License-Identifier: GPL-2.0-or-later
"""The NAT router under test: what it acknowledges, and the acknowledgements of others that it sends on."""

from dataclasses import dataclass
from typing import Any

from scapy.packet import Packet

from conformance.mops.capable import mobile_capable
from conformance.mops.dut.translations import Translations
from conformance.mops.migrate import in_mops, is_mops
from conformance.mops.tester.nat_router import nat_acknowledgement
from conformance.mops.tester.sides import Endpoint, Node, SentMessage, Server, Upstream
from layers.mops import MOPSNATAck
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.side import Side
from testbed.case.verdict import Broken, Finding
from testbed.interruptions import Inconclusive
from testbed.peers.through import Connection, Through, Tuple
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import NANO
from testbed.wire.station import Station

MIGRATE_TYPE, NAT_TYPE = 100, 102
AT_ONCE = 32
"""Messages that are sent before the first of them has come out."""

ACKNOWLEDGEMENT = "NAT acknowledgement"
"""What the acknowledgements of the device are called where their times are kept."""

LEARNING_S = 0.1
"""Appendix B: learning happens in a blink of an eye, under 100 milliseconds."""


@dataclass(frozen=True)
class Acknowledgement:
    """A NAT acknowledgement that the device has sent: its frame, the network packet around it, and its bytes."""

    frame: Frame
    packet: Packet
    octets: bytes
    station: Station
    """Where it came to."""

    @property
    def message(self) -> Packet:
        """The acknowledgement."""
        return self.packet.payload

    @property
    def pairs(self) -> list[tuple[Tuple, Tuple]]:
        """What it says is translated to what, addresses as MOPS writes them."""
        ends = in_mops(self.message.original_source), in_mops(self.message.translated_source)
        return [((ends[0], one), (ends[1], other)) for one, other in self.message.entries]

    @property
    def is_intact(self) -> bool:
        """Whether the checksum is right; in one's complement zero has two forms."""
        network = self.station.network
        ends = network.number(self.packet.src), network.number(self.packet.dst)
        return int.from_bytes(self.octets[2:4], "big") % 0xFFFF == network.message_checksum(*ends, self.octets) % 0xFFFF


@dataclass(frozen=True)
class Mapping:
    """A connection's mapping: the node's end, what it appears as, and the segment that made it, as it was sent."""

    inside: Tuple
    outside: Tuple
    made: Sent


class Acknowledging(Through):
    """The device under test, as far as acknowledgements go."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self._translations = Translations(case)
        self._control: tuple[Upstream, Mapping] | None = None
        self._probe: tuple[Node, Server] | None = None
        case.explains = lambda packet: is_mops(packet) and not self._translations.explains(packet)

    @property
    def inside(self) -> Side:
        """Its inside."""
        return self._case.inside

    @property
    def outside(self) -> Side:
        """Its outside."""
        return self._case.outside

    @property
    def syn_options(self) -> list[bytes]:
        """What a SYN carries that elicits an acknowledgement."""
        return [mobile_capable(self._case)] if self._ixit.mops.nat_ack_trigger == "mobile_capable" else []

    # Connections

    def maps(self, inner: Endpoint, server: Server, *options: bytes) -> Mapping:
        """A SYN from the inside comes to a server; what it appears as; preamble."""
        end = self.end(inner, server.listening.place)
        with preamble():
            sent = end.start(*(options or self.syn_options))
            syn = self.passes_syn(end, sent, server.listening)
        return Mapping(inner.place, (syn.source, syn.source_port), sent)

    def converses(self, inner: Endpoint, server: Server, **choices: Any) -> Connection:
        """A connection to a server, used once; preamble."""
        connection = self.connect(inner, server.listening, *self.syn_options, **choices)
        with preamble():
            self.carries(connection, b"hello")
        return connection

    # Acknowledgements

    def received_at(self, station: Station, kind: int, since: Mark) -> list[tuple[Frame, bytes]]:
        """Messages of this type that have come to a station since a mark: frame and bytes."""
        network, found = station.network, []
        for frame in self._case.trace.received(since):
            header = network.header(frame.data) if frame.interface == station.interface.name else None
            if header and (header.protocol, header.destination) == (network.icmp_protocol, station.number):
                payload = network.payload(frame.data)
                if int.from_bytes(payload[:2]) == kind:
                    found.append((frame, payload))
        return found

    def acknowledgements(self, at: Station | None = None, since: Mark | None = None) -> list[Acknowledgement]:
        """Those that have come on the inside since a mark, to one station or to any."""
        found = [
            Acknowledgement(frame, packet, payload, station)
            for station in ([at] if at else self.inside.stations)
            for frame, payload in self.received_at(station, NAT_TYPE, since or BEGINNING)
            if isinstance((packet := station.network.dissect(frame.data)).payload, MOPSNATAck)
        ]
        return sorted(found, key=lambda one: one.frame.ns)

    def acknowledges(
        self, at: Station, since: Sent, within_s: float = 0, number: int = 1, until: Sent | None = None
    ) -> Acknowledgement:
        """So many acknowledgements come to a station after something that was sent, in time; the last of them.

        Where it takes the tester a while to send what draws them, the time begins with the last of it, `until`.
        """
        last = until or since
        deadline = self._case.deadline(within_s or self._ixit.mops.reply_within_s, last.ns)
        mark = self._case.trace.mark_at(since.frame)

        def find() -> Frame | None:
            found = self.acknowledgements(at, mark)
            return found[number - 1].frame if len(found) >= number else None

        frame = self._case.look(find, deadline)
        if frame is None:
            what = f"NAT acknowledgement to {at.address} within {deadline.within_s:g} s"
            raise Broken(Finding(f"no {what}", "1", "0", frames=[last.frame]), deadline)
        self._case.answered(ACKNOWLEDGEMENT, last.ns, frame.ns)
        frame.account("acknowledgement")
        return self.acknowledgements(at, mark)[number - 1]

    def acknowledgement(self, at: Station, since: Sent) -> Acknowledgement:
        """The acknowledgement that a case looks into, as preamble."""
        with preamble():
            return self.acknowledges(at, since)

    def is_acknowledged(self, mapping: Mapping) -> Acknowledgement:
        """The acknowledgement of a mapping, as preamble."""
        station = next(one for one in self.inside.stations if one.address == mapping.inside[0])
        return self.acknowledgement(station, mapping.made)

    def learns(self, what: str, at: Station, since: Sent) -> None:
        """An acknowledgement comes to a station within the time of Appendix B; how long it took is told."""
        came = self.acknowledges(at, since, LEARNING_S)
        self._case.values[what] = f"{(came.frame.ns - since.ns) / NANO * 1000:.3f} ms"

    def outside_acknowledgements(self) -> list[Frame]:
        """Those of the device that have come on the outside."""
        network = self.outside.network
        return [
            frame
            for frame in self.outside.received()
            if network.protocol(frame.data) == network.icmp_protocol
            and isinstance(network.dissect(frame.data).payload, MOPSNATAck)
        ]

    def settles(self) -> None:
        """What was sent before is dealt with: another connection is acknowledged and opens, then it is quiet."""
        if self._probe is None:
            self._probe = Node(self._case), Server(self._case)
        node, server = self._probe
        connection = self.connect(node.at(), server.listening, *self.syn_options)
        self.acknowledgement(node.station, connection.made)
        self.quiets()

    # Levels

    def forwards_level(self, at: Station, told: SentMessage) -> Acknowledgement:
        """An upstream acknowledgement is sent on to a station, in time: the first acknowledgement that comes there."""
        return self.acknowledges(at, told.sent)

    def forwarded_level(self, at: Station, told: SentMessage) -> Acknowledgement:
        """What was sent on that a case looks into, as preamble."""
        with preamble():
            return self.forwards_level(at, told)

    def climbs(
        self, at: Station, upstream: Upstream, mapping: Mapping, number: int
    ) -> tuple[Tuple, list[Acknowledgement]]:
        """Levels 1 to `number` are sent on to a station, in order; the last translated tuple, and what has come."""
        original, came = mapping.outside, []
        for first in range(1, number + 1, AT_ONCE):
            told = []
            for level in range(first, min(first + AT_ONCE, number + 1)):
                translated = upstream.address, 1024 + level
                told.append(upstream.send(nat_acknowledgement(original, translated, level), mapping.outside[0]))
                original = translated
            self.acknowledges(at, told[0].sent, number=len(told), until=told[-1].sent)
            came += self.acknowledgements(at, told[0].since)
        return original, came

    def passes_none(self, told: SentMessage, *stations: Station) -> None:
        """After a right one of another mapping was sent on, none has come to these stations since that one."""
        self.message_barrier()
        self.quiets()
        for station in stations or self.inside.stations:
            for one in self.acknowledgements(station, told.since):
                if not one.frame.accounted:
                    seen = one.message.summary()
                    finding = Finding(f"unexpected acknowledgement #{one.frame.index}", "none", seen)
                    raise Broken(finding, one.frame.account("must not be sent"), told.sent.frame)

    def message_barrier(self) -> None:
        """Every message from the outside has been dealt with: one that has to be sent on has come in after it."""
        if self._control is None:
            node, server, upstream = Node(self._case), Server(self._case), Upstream(self._case)
            mapping = self.maps(node.at(), server)
            self.is_acknowledged(mapping)
            self._control = upstream, mapping
        upstream, mapping = self._control
        told = upstream.acknowledge(mapping.outside, upstream.translation())
        station = next(one for one in self.inside.stations if one.address == mapping.inside[0])
        try:
            self.forwards_level(station, told)
        except Broken as broken:
            raise Inconclusive(f"barrier: a right upstream acknowledgement: {broken.finding.reason}") from None

    def quiets(self) -> None:
        """So long as this device may need for an acknowledgement nothing more is sent."""
        self._case.watch(self._case.quiet_window(ACKNOWLEDGEMENT, self._ixit.mops.reply_within_s))
