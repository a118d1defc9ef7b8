# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-5 and MUST-6: unknown options on segments of connections, and of no connection."""

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.node import Node
from conformance.legacy.tester.options import REHASH_ADDR, REHASH_INIT, Probe
from testbed import inopportune, requirement, valid
from testbed.device.application import Application

RETRANSMITTED_WITHIN_S = 1.5
"""RFC 6298: the timer of a connection that was never late is one second, or less."""


OPTIONS = pytest.mark.parametrize("option", [REHASH_INIT, REHASH_ADDR], ids=str)
LENGTHS = pytest.mark.parametrize("length", [1, 536, 1400])
SEGMENTS = pytest.mark.parametrize(
    ("flags", "data"),
    [("A", b""), ("PA", b"to whom it may concern"), ("FA", b"")],
    ids=["acknowledgement", "data", "FIN"],
)


@OPTIONS
@LENGTHS
@valid
@requirement("LEGACY-9293.3.1-02", case=1)
def test_data_with_rehash_option_is_delivered(node: Node, dut: LegacyHost, option: Probe, length: int) -> None:
    """Data of a segment with the option is taken as without it."""
    peer = node.connect()
    data, sent = node.send_with_option(peer, option, length)
    dut.delivers(peer, data, sent.ns)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-02", case=2)
def test_acknowledgement_with_rehash_option_counts(node: Node, dut: LegacyHost, option: Probe) -> None:
    """Data that was acknowledged by a segment with the option is not retransmitted."""
    peer = node.connect()
    node.receive_without_ack(peer, b"say it once")
    peer.acknowledge(options=[node.option(option, peer)])
    dut.retransmits_nothing(peer, RETRANSMITTED_WITHIN_S)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-02", case=3)
def test_fin_with_rehash_option_closes(node: Node, dut: LegacyHost, option: Probe) -> None:
    """A FIN with the option closes the connection."""
    peer = node.connect()
    fin = peer.send(flags="FA", options=[node.option(option, peer)])
    dut.closes(peer, fin.ns)


@SEGMENTS
@inopportune
@requirement("LEGACY-9293.3.1-02", case=4)
def test_new_address_in_a_segment_receives_nothing(node: Node, dut: LegacyHost, flags: str, data: bytes) -> None:
    """A REHASH-ADDR that names another address, on a segment of the connection, has nothing sent there."""
    peer = node.connect()
    sent = peer.send(data, flags, [node.rehash_addr(peer)])
    dut.stays_silent_at(node.elsewhere, sent)


@OPTIONS
@inopportune
@requirement("LEGACY-9293.3.1-02", case=5)
def test_connection_that_the_dut_opens_carries_data(
    node: Node, dut: LegacyHost, app: Application, option: Probe
) -> None:
    """A connection that the device opens, and that is answered with the option on the SYN-ACK, carries data."""
    connecting, peer, syn = node.await_syn(app)
    peer.accept(syn, node.option(option, peer))
    dut.connects_and_delivers(connecting, peer)


@SEGMENTS
@inopportune
@requirement("LEGACY-9293.3.1-03", case=1)
def test_rehash_addr_off_the_tuple_is_answered_like_any_segment(
    node: Node, dut: LegacyHost, flags: str, data: bytes
) -> None:
    """A segment with REHASH-ADDR from where there is no connection is answered like one without it."""
    peer = node.connect()
    plain = dut.answer_to(*node.send_off_tuple(peer, flags, data))
    end, sent = node.send_off_tuple(peer, flags, data, node.option(REHASH_ADDR, peer))
    dut.answers_alike(plain, end, sent)


@SEGMENTS
@inopportune
@requirement("LEGACY-9293.3.1-03", case=2)
def test_rehash_addr_off_the_tuple_leaves_the_connection(node: Node, dut: LegacyHost, flags: str, data: bytes) -> None:
    """The connection that a REHASH-ADDR from elsewhere names continues where it is."""
    peer = node.connect()
    node.send_off_tuple(peer, flags, data, node.rehash_addr(peer))
    dut.barrier()
    dut.serves(peer)
