# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2, the anycast server: segments that draw no acknowledgement, and what is only reported."""

from collections.abc import Callable
from functools import partial

import pytest

from conformance.mops.capable import mobile_capable
from conformance.mops.dut.anycast_server import AnycastServer
from conformance.mops.migrate import messages
from conformance.mops.tester.anycast_node import AnycastNode
from layers.mops import SUCCESS, MOPSNATAck
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import LATER_S, Case
from testbed.case.verdict import require
from testbed.peers.connection import connect, half_open
from testbed.peers.spoilt import transmit_spoilt
from testbed.peers.tcp import TcpPeer

BURST = 100
LENGTH_WITHOUT_EXID = 2


def other_options(case: Case) -> list[bytes]:
    """Options that resemble MOBILE_CAPABLE: of another kind, and of another experiment (RFC 6994)."""
    right = mobile_capable(case)
    of_another_kind = bytes([right[0] ^ 1]) + right[1:]
    of_another_experiment = right[:-1] + bytes([right[-1] ^ 1])
    return [of_another_kind, *([of_another_experiment] if len(right) > LENGTH_WITHOUT_EXID else [])]


@valid
@requirement("MOPS-4.2-02", case=1)
def test_syn_without_the_option(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """A SYN without MOBILE_CAPABLE, or with an option that only resembles it, draws no acknowledgement."""
    plain = connect(case, node.new_peer())
    others = [connect(case, node.new_peer(), option) for option in other_options(case)]
    dut.acknowledges_none(node, plain, *others)


def send_others(peer: TcpPeer, option: bytes) -> None:
    """On an open connection: acknowledgement, data, urgent data and FIN, all with the option; then a reset."""
    for flags, data in (("A", b""), ("PA", b"data"), ("PAU", b"urgent")):
        peer.send(data, flags, options=[option])
    peer.send(flags="FA", options=[option])
    peer.transmit(peer.segment("R", options=[option]))


def send_without_connection(peer: TcpPeer, option: bytes) -> None:
    """Of no connection: a SYN-ACK, an acknowledgement, data, a FIN and a reset, all with the option."""
    for flags in ("SA", "A", "PA", "FA", "R"):
        peer.transmit(peer.segment(flags, b"data" if flags == "PA" else b"", options=[option]))


@inopportune
@requirement("MOPS-4.2-02", case=2)
def test_segments_of_a_connection(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """No other segment of a connection draws one, with the option in it, or after its only one for the SYN."""
    mark = case.mark()
    peer = node.open_capable()
    dut.acknowledgement_of(peer, mark)
    send_others(peer, mobile_capable(case))
    dut.acknowledges_none(node, peer, but=1)


@inopportune
@requirement("MOPS-4.2-02", case=3)
def test_segments_of_no_connection(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """No segment but a SYN draws one where there is no connection."""
    peer = node.new_peer()
    send_without_connection(peer, mobile_capable(case))
    dut.acknowledges_none(node, peer)


@inopportune
@requirement("MOPS-4.2-02", case=4)
def test_none_follows_later(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """After the one for its SYN a connection draws no further one, not even a while after its Migrate was served."""
    mark = case.mark()
    connection = node.connect()
    dut.acknowledgement_of(connection.local, mark)
    ports = [connection.local.at(node.station)]
    node.migrate(connection)
    dut.acknowledges_none(node, *ports, connection.local, but=1, later_s=LATER_S)


@inopportune
@requirement("MOPS-4.2-36", case=1)
def test_syn_to_the_unicast_address(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """A SYN with MOBILE_CAPABLE to the unicast address draws no acknowledgement."""
    peer = node.capable_peer()
    peer.remote = node.unicast
    dut.acknowledges_none(node, connect(case, peer))


def refused(case: Case, node: AnycastNode) -> TcpPeer:
    """A SYN to a port where nobody listens, or so it is to be believed."""
    peer = node.new_peer(remote_port=node.new_port())
    peer.start(mobile_capable(case))
    return peer


def spoilt(case: Case, node: AnycastNode) -> TcpPeer:
    """A SYN that was spoilt on its way, in its last option, so that its checksum is wrong."""
    peer = node.new_peer()
    transmit_spoilt(peer, peer.segment("S", options=[mobile_capable(case), *peer.syn_options()]))
    return peer


@pytest.mark.parametrize("send", [refused, spoilt], ids=["refused", "wrong checksum"])
@invalid
@requirement("MOPS-4.2-37", case=1)
def test_syn_that_opens_nothing(
    case: Case, node: AnycastNode, dut: AnycastServer, send: Callable[[Case, AnycastNode], TcpPeer]
) -> None:
    """A SYN to a closed port, or with a wrong checksum, draws no acknowledgement."""
    dut.acknowledges_none(node, send(case, node))


@valid
@requirement("MOPS-4.3-27", case=3)
def test_anycast_server_sends_no_nat_acknowledgement(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """It sends no NAT acknowledgement, neither for a SYN nor for a Migrate."""
    connection = node.connect()
    node.move()
    dut.reply_to(node.send_migrate(connection), SUCCESS)
    dut.quiesce()
    for frame, message in messages(case):
        require(not isinstance(message, MOPSNATAck), "message", "no NAT acknowledgement", message.name, frame)


@inopportune
@requirement("MOPS-4.2-14", case=1)
def test_retransmitted_syn(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Reported: how many acknowledgements two more SYNs of a half-open connection draw, as retransmissions do."""
    peer = half_open(case, node.new_peer(), mobile_capable(case))
    for _ in range(2):
        syn = peer.segment("S", options=peer.syn_options(mobile_capable(case)), seq=peer.snd_nxt - 1)
        peer.transmit(syn)
        dut.quiesce()
    case.values["acknowledgements of one SYN and two retransmissions"] = str(len(dut.has_acknowledged(peer)))


@valid
@requirement("MOPS-4.2-53", case=1)
def test_order_of_the_answers(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Reported: which comes first, the acknowledgement or the SYN-ACK."""
    mark = case.mark()
    peer = node.open_capable()
    frame, _ = dut.acknowledgement_of(peer, mark)
    answer = next(one for one in dut.segments(peer, mark) if "S" in one.flags)
    case.values["comes first"] = "the acknowledgement" if frame.ns < answer.frame.ns else "the SYN-ACK"


@inopportune
@requirement("MOPS-4.2-54", case=1)
def test_handshake_that_is_not_completed(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Reported: whether there is an acknowledgement of a SYN whose handshake is not complete."""
    peer = half_open(case, node.new_peer(), mobile_capable(case))
    dut.quiesce()
    case.values["acknowledged before the handshake is complete"] = "yes" if dut.has_acknowledged(peer) else "no"


@inopportune
@requirement("MOPS-4.2-55", case=1)
def test_burst_of_syns(case: Case, node: AnycastNode, dut: AnycastServer) -> None:
    """Measured: acknowledgements that a hundred SYNs draw which nobody completes, and bytes sent for each received."""
    peers, mark = [node.new_peer() for _ in range(BURST)], case.mark()
    rate = case.setup.profile.ixit.mops.guess_rate_per_s
    sent = [case.send_paced(rate, partial(peer.start, mobile_capable(case))).frame for peer in peers]
    dut.quiesce()
    ports = {peer.port for peer in peers}
    answers = [one.frame for peer in peers for one in dut.segments(peer, mark)] + dut.has_acknowledged(*peers)
    case.values["acknowledgements"] = f"{len(dut.has_acknowledged(*peers))} of {len(ports)} SYNs"
    ratio = sum(len(one.data) for one in answers) / sum(len(one.data) for one in sent)
    case.values["bytes sent for each received"] = f"{ratio:.2f}"
