# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester as a host that speaks all of the protocols to one that speaks none."""

from typing import Any

from scapy.packet import Packet

from conformance.legacy.dut.host import Host
from conformance.legacy.tester.messages import ICMP, is_sacip
from conformance.legacy.tester.options import OPTIONS
from conformance.rehash.tester.peer import RehashPeer
from testbed.case.case import Case
from testbed.case.verdict import Broken
from testbed.device.upper_tester import Call
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import exchange, opens
from testbed.peers.segment import Segment, read
from testbed.peers.tcp import SEQUENCE_SPACE
from testbed.wire.capture import Frame, Sent
from testbed.wire.clock import Deadline
from testbed.wire.station import Station

SEGMENT_SIZE = b"\x02\x04\x05\xb4"
SACK_PERMITTED = b"\x04\x02"
SCALE = 7
WINDOW_SCALE = bytes([3, 3, SCALE])
GAP = 100
CONNECT_TIMEOUT_S = 10


class LowerTester:
    """The tester at an address of its own. `elsewhere` is where it says it is going, if it ever does."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ixit = case.setup.profile.ixit
        self.station = case.station()
        self._elsewhere: Station | None = None

    @property
    def elsewhere(self) -> Station:
        """Another address of the tester, which the device knows as a neighbour."""
        if self._elsewhere is None:
            self._elsewhere = self._case.station()
            self.introduces(self._elsewhere)
        return self._elsewhere

    def introduces(self, station: Station) -> None:
        """Connect for an instant: what the device has to say to this address it can say at once from then on."""
        peer = self.peer(station)
        opens(self._case, peer)
        peer.reset()

    def peer(self, station: Station | None = None, remote_port: int = 0, *, timestamps: bool = False) -> RehashPeer:
        """An end of a connection that is not open yet."""
        port, echo = next(self._case.setup.source_ports), self._ixit.services.echo
        kind = self._ixit.rehash.option_kind
        return RehashPeer(station or self.station, port, remote_port or echo, kind, timestamps)

    def option(self, name: str, peer: RehashPeer) -> bytes:
        """An option by its name."""
        return OPTIONS[name](self._ixit, peer)

    # Connections

    def connects(self, option: str = "", *, timestamps: bool = False) -> RehashPeer:
        """Open a connection, with an option on the SYN if given; Inconclusive if the device does not answer."""
        peer = self.peer(timestamps=timestamps)
        opens(self._case, peer, self.option(option, peer) if option else None)
        peer.acknowledge()
        return peer

    def starts(self, peer: RehashPeer, *options: Packet | bytes, **fields: Any) -> Sent:
        """Send a SYN with exactly these options."""
        peer.state = "SYN-SENT"
        sent = peer.transmit(peer.segment("S", options=options, **fields))
        peer.snd_nxt = (peer.snd_nxt + 1) % SEQUENCE_SPACE
        return sent

    def starts_richly(self, peer: RehashPeer, *options: bytes, **fields: Any) -> Sent:
        """Send a SYN with these options in front of segment size, SACK, timestamps and window scale."""
        return self.starts(peer, *options, SEGMENT_SIZE, SACK_PERMITTED, peer.stamps(), WINDOW_SCALE, **fields)

    def starts_with(self, peer: RehashPeer, option: str) -> Sent:
        """Send a SYN with this option behind segment size and window scale."""
        return self.starts(peer, SEGMENT_SIZE, WINDOW_SCALE, self.option(option, peer))

    def opens_richly(self, option: str, window: int = 65535) -> RehashPeer:
        """Open a connection with all that an ordinary TCP knows, and an unknown option in front of it, as preamble."""
        peer = self.peer(timestamps=True)
        syn = self.starts_richly(peer, self.option(option, peer), window=window)

        def answered() -> Frame | None:
            news = peer.read()
            return news[-1] if peer.state != "SYN-SENT" else None

        if self._case.look(answered, Deadline(syn.ns, self._ixit.tcp_within_s)) is None or peer.state != "ESTABLISHED":
            raise Inconclusive(f"preamble: no SYN-ACK came ({peer.state})")
        peer.acknowledge(window=window >> SCALE)
        return peer

    def sends(self, peer: RehashPeer, flags: str, *options: bytes, data: bytes = b"", **fields: Any) -> Sent:
        """Send a segment of the connection with these options, and count what it takes of the sequence space."""
        stamps = [peer.stamps()] if peer.timestamps else []
        sent = peer.transmit(peer.segment(flags, data, options=[*options, *stamps], **fields))
        peer.snd_nxt = (peer.snd_nxt + len(data) + ("F" in flags)) % SEQUENCE_SPACE
        return sent

    def leaves_a_gap(self, peer: RehashPeer, option: bytes, data: bytes) -> tuple[Sent, tuple[int, int]]:
        """Send data beyond the next of the stream, as if a segment had been lost; where it begins and ends."""
        start = (peer.snd_nxt + GAP) % SEQUENCE_SPACE
        sent = peer.transmit(peer.segment("PA", data, options=[option, peer.stamps()], seq=start))
        return sent, (start, (start + len(data)) % SEQUENCE_SPACE)

    def strays(self, peer: RehashPeer, flags: str, *options: bytes, data: bytes = b"") -> tuple[RehashPeer, Sent]:
        """Send a segment that fits the connection from an address and port where there is none."""
        end = peer.at(self.elsewhere, next(self._case.setup.source_ports))
        return end, end.transmit(end.segment(flags, data, options=options))

    def closed_port(self) -> int:
        """A port of the device at which an ordinary SYN is refused; NotApplicable if the device refuses none."""
        port = next(self._case.setup.source_ports)
        peer = self.peer(remote_port=port)
        syn = self.starts(peer, SEGMENT_SIZE)

        def refused() -> Frame | None:
            news = peer.read()
            return news[-1] if peer.state == "RESET" else None

        if self._case.look(refused, Deadline(syn.ns, self._ixit.tcp_within_s)) is None:
            raise NotApplicable("the device does not refuse a SYN to a port without service")
        return port

    def is_called(self, host: Host) -> tuple[Call, RehashPeer, Packet]:
        """The device connects to the tester; its SYN, which is not answered yet, and the end that it came to."""
        port = next(self._case.setup.source_ports)
        call = host.agent.ask("connect", address=self.station.address, port=port, timeout_s=CONNECT_TIMEOUT_S)
        found: list[Segment] = []

        def called() -> Frame | None:
            for frame in self._case.trace.received():
                segment = read(frame)
                if segment and segment.ip.dst == self.station.address and segment.tcp.dport == port:
                    found.append(segment)
                    return frame
            return None

        if self._case.look(called, Deadline(self._case.clock.now_ns(), self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: the device did not send a SYN")
        syn = found[-1].tcp
        peer = self.peer(remote_port=int(syn.sport))
        peer.port = port
        return call, peer, syn

    def uses(self, *peers: RehashPeer) -> None:
        """Exchange a few bytes with the echo service, as preamble."""
        for peer in peers:
            try:
                exchange(self._case, peer, b"hello")
            except Broken as broken:
                raise Inconclusive(f"preamble: {broken.finding.reason}") from None

    def hears(self, peer: RehashPeer, data: bytes) -> None:
        """Take in the echo of `data` without acknowledging it, as preamble."""
        start = len(peer.stream)
        sent = peer.send(data)

        def complete() -> Frame | None:
            news = peer.read()
            return news[-1] if len(peer.stream) >= start + len(data) else None

        if self._case.look(complete, Deadline(sent.ns, self._ixit.tcp_within_s)) is None:
            raise Inconclusive("preamble: no echo came")

    # Messages

    def tells(self, message: Packet | bytes, source: Station | None = None, *, icmp: bool | None = None) -> Sent:
        """Send a message, as ICMP of IPv4 (SACIP) or in the protocol number that carries ICMPv5."""
        as_icmp = is_sacip(message) if icmp is None else icmp
        return (source or self.station).send(ICMP if as_icmp else self._case.network.icmp_protocol, message)
