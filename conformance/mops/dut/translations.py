# SPDX-License-Identifier: GPL-2.0-or-later
"""What the trace of a case shows of a NAT router's translations: which acknowledgements something has asked for."""

from scapy.packet import Packet

from conformance.mops.migrate import entries_in, in_mops
from layers.mops import MOPSMigrate, MOPSNATAck
from testbed.case.case import Case
from testbed.peers.through import Tuple
from testbed.wire.capture import Frame
from testbed.wire.headers import TCP_PROTOCOL, UDP_PROTOCOL


class Translations:
    """Inside tuples that something was sent from, outside tuples that something came from, and upstream levels."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._known: dict[str, set[Tuple]] = {"inside": set(), "outside": set()}
        self._seen = {"inside": 0, "outside": 0}

    def explains(self, packet: Packet) -> bool:
        """Whether an acknowledgement tells of translations that the trace shows, or of a level that an upstream has."""
        message = packet.payload
        if not isinstance(message, MOPSNATAck):
            return False
        entries = message.entries
        original, translated = in_mops(message.original_source), in_mops(message.translated_source)
        if message.nat_level > 1:
            return any(self._tells(one, original, translated) for one in self._upstream())
        inside, outside = self._tuples("inside"), self._tuples("outside")
        return in_mops(packet.dst) == original and all(
            (original, one) in inside and (translated, other) in outside for one, other in entries
        )

    @staticmethod
    def _tells(upstream: Packet, original: str, translated: str) -> bool:
        ends = in_mops(upstream.original_source), in_mops(upstream.translated_source)
        return ends == (original, translated)

    def _upstream(self) -> list[Packet]:
        sent = [frame for frame in self._case.trace.frames if frame.outgoing and frame.interface == "outside"]
        messages = [self._case.outside.network.dissect(frame.data).payload for frame in sent]
        return [one for one in messages if isinstance(one, MOPSNATAck)]

    def _tuples(self, link: str) -> set[Tuple]:
        """Sources of segments and datagrams, and migrated tuples: sent on the inside, received on the outside."""
        is_inside = link == "inside"
        frames = [one for one in self._case.trace.frames if one.interface == link and one.outgoing is is_inside]
        known, seen = self._known[link], self._seen[link]
        for frame in frames[seen:]:
            known.update(self._named(frame, link))
        self._seen[link] = len(frames)
        return known

    def _named(self, frame: Frame, link: str) -> list[Tuple]:
        network = self._case.sides[link].network
        header = network.header(frame.data)
        if header is None:
            return []
        payload = network.payload(frame.data)
        if header.protocol in (TCP_PROTOCOL, UDP_PROTOCOL):
            return [(in_mops(network.address(header.source)), int.from_bytes(payload[:2], "big"))]
        if header.protocol != network.icmp_protocol:
            return []
        message = network.dissect(frame.data).payload
        entries = entries_in(payload) if isinstance(message, MOPSMigrate) else []
        return [(in_mops(message.migrated_source), migrated) for _, migrated, _ in entries]
