# SPDX-License-Identifier: GPL-2.0-or-later
"""The tester as a host that speaks all of the protocols to one that speaks none."""

from typing import Any

from scapy.packet import Packet

from conformance.legacy.tester.messages import Damage, Message
from conformance.legacy.tester.options import Kind, Probe, malformed, migrate_of, rehash_addr
from layers.tcp_options import ROOM
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Application, Connecting
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import await_state, await_syn, await_syn_ack, connect, half_open, new_peer, packet_room
from testbed.peers.options import NO_OPERATION, segment_size
from testbed.peers.segment import Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.stream import exchange, most_data
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import Sent
from testbed.wire.station import Station

ICMP = 1
MSS = 1460
SCALE = 7
GAP = 100
"""Bytes of the stream that are missing before data sent out of order."""

_SACK_PERMITTED = b"\x04\x02"
_SCALE_OPTION = bytes([3, 3, SCALE])


class Node:
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
            self.resolve_neighbour(self._elsewhere)
        return self._elsewhere

    def resolve_neighbour(self, station: Station) -> None:
        """Connect for an instant: the device need not ask for the link-layer address of this station any more."""
        half_open(self._case, self.peer(station)).reset()

    def peer(self, station: Station | None = None, port: int = 0, remote_port: int = 0, **choices: Any) -> TcpPeer:
        """An end of a connection that is not open yet; `choices` are those of `TcpPeer`."""
        at = station or self.station
        return new_peer(self._case, at, port, remote_port, mss=MSS, checks_source=True, **choices)

    # Options

    @property
    def segment_size(self) -> bytes:
        """The option that says how long the segments may be that this end takes."""
        return segment_size(min(MSS, self.station.segment_room))

    def option(self, probe: Probe, peer: TcpPeer) -> bytes:
        """An option for a segment of this end."""
        return probe.option(self._ixit, peer)

    def rehash_addr(self, peer: TcpPeer) -> Packet:
        """REHASH-ADDR that names the other address of the tester as the new one of a connection."""
        return rehash_addr(self._ixit, peer, self.elsewhere.address, nonce=1)

    def migrate_option(self, live: TcpPeer, sequence: int, reqno: int) -> Packet:
        """Migrate with token and request of a live connection, for a SYN with this sequence number."""
        return migrate_of(self._ixit, live, sequence, reqno)

    # Opening

    def connect(self, probe: Probe | None = None) -> TcpPeer:
        """Open a connection, with an option on the SYN if given."""
        peer = self.peer()
        return connect(self._case, peer, self.option(probe, peer) if probe else None)

    def offer_exactly(self, *options: Probe | bytes, fill: bool = False) -> tuple[TcpPeer, Sent]:
        """Send a SYN with exactly these options; `fill` adds no-operations while there is room."""
        peer = self.peer()
        area = b"".join(self.option(one, peer) if isinstance(one, Probe) else one for one in options)
        return peer, peer.start_with([area.ljust(ROOM, NO_OPERATION) if fill else area])

    def offer(self, probe: Probe) -> tuple[TcpPeer, Sent]:
        """Send a SYN with this option after segment size and window scale."""
        peer = self.peer()
        return peer, peer.start_with([self.segment_size, _SCALE_OPTION, self.option(probe, peer)])

    def offer_all_options(self, probe: Probe | None = None, **fields: Any) -> tuple[TcpPeer, Sent]:
        """Send a SYN with segment size, SACK, timestamps and window scale, and this option in front of them."""
        peer = self.peer(timestamps=True)
        front = [self.option(probe, peer)] if probe else []
        return peer, peer.start_with(
            [*front, self.segment_size, _SACK_PERMITTED, peer.stamps(), _SCALE_OPTION], **fields
        )

    def connect_with_all_options(self, probe: Probe, window: int = 65535) -> TcpPeer:
        """Open a connection with all that an ordinary TCP knows and this option in front of it."""
        peer, syn = self.offer_all_options(probe, window=window)
        await_syn_ack(self._case, peer, self._case.deadline(since_ns=syn.ns))
        peer.acknowledge(window=window >> SCALE)
        return peer

    def await_syn(self, app: Application) -> tuple[Connecting, TcpPeer, Segment]:
        """Have the device's application connect: the end that its SYN came to, and that SYN, not answered yet."""
        port = next(self._case.setup.source_ports)
        connecting = app.connect(self.station.address, port)
        syn = await_syn(self._case, self.station, port, connecting)
        return connecting, self.peer(port=port, remote_port=syn.source_port), syn

    def find_refusing_port(self) -> int:
        """A port of the device at which an ordinary SYN is refused; NotApplicable if the device refuses none."""
        port = next(self._case.setup.source_ports)
        peer = self.peer(remote_port=port)
        deadline = self._case.deadline(since_ns=peer.start_with([self.segment_size]).ns)
        if await_state(self._case, peer, deadline, lambda: peer.state == "RESET") is None:
            raise NotApplicable("the device does not refuse a SYN to a port without service")
        return port

    # Segments

    def exchange(self, *peers: TcpPeer) -> None:
        """Exchange a few bytes with the echo service, as preamble."""
        with preamble():
            for peer in peers:
                exchange(self._case, peer, b"hello")

    def receive_without_ack(self, peer: TcpPeer, data: bytes) -> None:
        """Take in the echo of `data` without acknowledging it, as preamble."""
        expected = len(peer.stream) + len(data)
        deadline = self._case.deadline(since_ns=peer.send(data).ns)
        if await_state(self._case, peer, deadline, lambda: len(peer.stream) >= expected) is None:
            raise Inconclusive(f"preamble: no echo received within {deadline.within_s:g} s")

    def send_with_option(self, peer: TcpPeer, probe: Probe, length: int) -> tuple[bytes, Sent]:
        """Send so many bytes with this option, or as many as one segment and the window take; what was sent."""
        option = self.option(probe, peer)
        most = min(most_data(peer) - len(option) - -len(option) % 4, peer.window)
        data = bytes(number % 251 for number in range(min(length, most)))
        return data, peer.send(data, options=[option])

    def send_before_timestamps(self, peer: TcpPeer, probe: Probe, data: bytes, **fields: Any) -> Sent:
        """Send data with this option in front of the timestamps."""
        return peer.send(data, options=[self.option(probe, peer), peer.stamps()], **fields)

    def send_out_of_order(self, peer: TcpPeer, probe: Probe, data: bytes) -> tuple[Sent, tuple[int, int]]:
        """Send data beyond the next of the stream, as if a segment had been lost; its left and right edge."""
        left = (peer.snd_nxt + GAP) % SEQUENCE_SPACE
        sent = peer.send_out_of_window(data, GAP, [self.option(probe, peer), peer.stamps()])
        return sent, (left, (left + len(data)) % SEQUENCE_SPACE)

    def send_off_tuple(self, peer: TcpPeer, flags: str, data: bytes, *options: Packet | bytes) -> tuple[TcpPeer, Sent]:
        """Send a segment that fits the connection from an address and port without one; the end there."""
        end = peer.at(self.elsewhere, next(self._case.setup.source_ports))
        return end, end.transmit(end.segment(flags, data, options))

    def send_malformed(self, kind: Kind, length: int, segment: str) -> None:
        """Send a SYN, or data on a connection of its own, with an option of this length byte."""
        option = malformed(kind.number(self._ixit), length)
        if segment == "SYN":
            self.peer().start_with([self.segment_size, option])
        else:
            self.connect().send(b"malformed", options=[option])

    # Messages

    def send_message(
        self, message: Message, peer: TcpPeer, source: Station | None = None, damage: Damage | None = None
    ) -> Sent:
        """Send a message for a connection, from the address of the connection's peer unless another is named."""
        whole = message.build(peer, self.elsewhere.address)
        protocol = ICMP if message.is_icmp else self._case.network.icmp_protocol
        return (source or self.station).send(
            protocol, damage.apply(whole, self.most_payload(peer)) if damage else whole
        )

    def flood(self, message: Message, peer: TcpPeer, number: int) -> None:
        """Send a message so many times, at the profile's rate of such messages."""
        rate = self._ixit.mops.guess_rate_per_s
        for _ in range(number):
            self._case.send_paced(rate, lambda: self.send_message(message, peer))

    def most_payload(self, peer: TcpPeer | None = None) -> int:
        """The most bytes that a packet has room for on the way to the device, to which there may be a connection."""
        return packet_room(self._case, self.station, peer)

    def send_unknown_protocol(self, content: bytes) -> Sent:
        """Send a datagram of the protocol number that carries ICMPv5."""
        return self.station.send(self._case.network.icmp_protocol, content)
