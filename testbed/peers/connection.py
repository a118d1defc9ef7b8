# SPDX-License-Identifier: GPL-2.0-or-later
"""Ordinary TCP connections with the device, opened by either side, as preamble.

What goes wrong here is no finding against the device: it raises Inconclusive.
"""

from collections.abc import Callable
from typing import Any

from scapy.packet import Packet

from testbed.case.case import Case
from testbed.device.application import Connecting
from testbed.interruptions import Inconclusive
from testbed.peers.segment import Segment
from testbed.peers.tcp import TcpPeer
from testbed.wire.capture import BEGINNING, Frame, Mark, Sent
from testbed.wire.clock import Deadline
from testbed.wire.headers import TCP_HEADER
from testbed.wire.station import Station

ETHERNET_MTU = 1500


def new_peer(case: Case, station: Station, port: int = 0, remote_port: int = 0, **choices: Any) -> TcpPeer:
    """An end of a connection that is not open yet, to the echo service unless another port is named.

    `choices` are those of `TcpPeer`.
    """
    services = case.setup.profile.ixit.services
    return TcpPeer(station, port or next(case.setup.source_ports), remote_port or services.echo, **choices)


def connect(case: Case, peer: TcpPeer, *options: Packet | bytes | None) -> TcpPeer:
    """Open the connection of a peer, with further options on the SYN if given."""
    half_open(case, peer, *options)
    peer.acknowledge()
    return peer


def half_open(case: Case, peer: TcpPeer, *options: Packet | bytes | None) -> TcpPeer:
    """The first two segments of a handshake: the SYN is answered, its answer not yet acknowledged.

    Where the device still has a connection of an earlier attempt at this tuple, which it shows by an acknowledgement of
    other data, that one is reset and the SYN sent again (RFC 9293 3.5.1, half-open connections).
    """
    sent = peer.start(*options)
    answer = _answer(case, peer, sent)
    if answer and answer.flags == "A" and answer.ack != peer.snd_nxt:
        answer.frame.account("a connection of an earlier attempt, now reset")
        peer.transmit(peer.segment("R", seq=answer.ack))
        peer.snd_nxt = peer.snd_una
        sent = peer.start(*options)
    await_syn_ack(case, peer, case.deadline(since_ns=sent.ns))
    return peer


def _answer(case: Case, peer: TcpPeer, sent: Sent) -> Segment | None:
    """The first segment of the device on the connection of a peer after a frame of the tester's."""
    deadline, since = case.deadline(since_ns=sent.ns), case.trace.mark_at(sent.frame)
    return first_segment(case, lambda one: peer.owns(one.frame), deadline, since, peer.station)


def await_syn_ack(case: Case, peer: TcpPeer, deadline: Deadline) -> None:
    """The SYN that the peer has sent is answered with a SYN-ACK."""
    answered = await_state(case, peer, deadline, lambda: peer.state != "SYN-SENT")
    if answered is None or peer.state != "ESTABLISHED":
        raise Inconclusive(f"preamble: {peer} got no SYN-ACK within {deadline.within_s} s ({peer.state})")


def packet_room(case: Case, station: Station, peer: TcpPeer | None = None) -> int:
    """The most bytes that one packet brings the device, without its network header: as the interface's MTU says.

    An MTU above Ethernet's counts as far as the device shows that it has such a one too, by the segment size that it
    announces on the connection of `peer`, or on one that is opened to find out.
    """
    room, usual = station.room, ETHERNET_MTU - station.network.header_length
    if room > usual:
        peer = peer or half_open(case, new_peer(case, station, checks_source=True))
        room = max(usual, min(room, peer.largest + TCP_HEADER))
    case.values["full packet"] = f"{room + station.network.header_length} bytes"
    return room


def accept(case: Case, peer: TcpPeer, syn: Segment, *options: Packet | bytes) -> None:
    """Answer the device's SYN, with further options if given; the device acknowledges the SYN-ACK."""
    deadline = case.deadline(since_ns=peer.accept(syn, *options).ns)
    if await_state(case, peer, deadline, lambda: peer.state == "ESTABLISHED") is None:
        raise Inconclusive("preamble: the device did not acknowledge the SYN-ACK")


def await_syn(
    case: Case, station: Station, port: int, connecting: Connecting | None = None, since: Mark = BEGINNING
) -> Segment:
    """The SYN to a port of the tester; NotApplicable if an application was told to connect and the device cannot."""

    def wanted(segment: Segment) -> bool:
        ends = segment.destination, segment.destination_port
        return ends == (station.address, port) and "S" in segment.flags

    segment = first_segment(case, wanted, case.deadline(), since, station)
    if segment is None:
        if connecting:
            connecting.call.check_verb()
        raise Inconclusive("preamble: the device did not send a SYN")
    segment.frame.account()
    return segment


def await_state(case: Case, peer: TcpPeer, deadline: Deadline, reached: Callable[[], bool]) -> Frame | None:
    """The frame by which the peer has come into a state, None if it has not in time."""

    def news() -> Frame | None:
        frames = peer.read(reached)
        return frames[-1] if frames and reached() else None

    return case.look(news, deadline)


def first_segment(
    case: Case, wanted: Callable[[Segment], Any], deadline: Deadline, since: Mark = BEGINNING, at: Station | None = None
) -> Segment | None:
    """The first segment of the device since a mark that is wanted, if it comes in time.

    It is looked for on the case's network, or on that of the station `at`.
    """
    network = at.network if at else case.network
    found: list[Segment] = []

    def look() -> Frame | None:
        segments = (Segment.read(frame, network) for frame in case.trace.received(since))
        found.extend([segment for segment in segments if segment and wanted(segment)][:1])
        return found[0].frame if found else None

    return found[0] if case.look(look, deadline) else None
