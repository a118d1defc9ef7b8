# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-5 and MUST-6: options of every kind on every segment, several, and what is left of them."""

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.node import Node
from conformance.legacy.tester.options import (
    CAPABLE,
    PERMITTED,
    PERMITTED_WITH_KEY,
    REHASH_INIT,
    UNKNOWN_MIGRATE,
    Probe,
)
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import LATER_S, Case
from testbed.device.application import Application

ALL = [REHASH_INIT, CAPABLE, PERMITTED, PERMITTED_WITH_KEY, UNKNOWN_MIGRATE]
OTHERS = pytest.mark.parametrize("option", ALL[1:], ids=str)
EVERY = pytest.mark.parametrize("option", ALL, ids=str)
SMALL = 400
"""A segment size below the one that holds where none is named."""

MANY = 5
TOGETHER = {
    "two": [CAPABLE, REHASH_INIT],
    "the same kind in two lengths": [PERMITTED, PERMITTED_WITH_KEY],
    "three": [CAPABLE, PERMITTED, REHASH_INIT],
}


@OTHERS
@pytest.mark.parametrize("length", [1, 500])
@valid
@requirement("LEGACY-9293.3.1-09", case=1)
def test_data_with_the_option_is_delivered(node: Node, dut: LegacyHost, option: Probe, length: int) -> None:
    """Data of a segment with the option is taken as without it, a retransmission with it too."""
    peer = node.connect()
    data, sent = node.send_with_option(peer, option, length)
    dut.delivers(peer, data, sent.ns)
    peer.send_out_of_window(data, -len(data), [node.option(option, peer)])
    dut.barrier()
    dut.serves(peer)


@OTHERS
@valid
@requirement("LEGACY-9293.3.1-09", case=2)
def test_fin_with_the_option_closes(node: Node, dut: LegacyHost, option: Probe) -> None:
    """A FIN with the option closes the connection."""
    peer = node.connect()
    dut.closes(peer, peer.send(flags="FA", options=[node.option(option, peer)]).ns)


@EVERY
@valid
@requirement("LEGACY-9293.3.1-09", case=3)
def test_reset_with_the_option_ends_the_connection(node: Node, dut: LegacyHost, option: Probe) -> None:
    """A reset with the option ends the connection: what is sent on it afterwards is for none."""
    plain, probed = node.connect(), node.connect()
    plain.reset()
    probed.send(flags="RA", options=[node.option(option, probed)])
    dut.barrier()
    dut.treats_alike(plain, probed, b"is anybody there")


@EVERY
@inopportune
@requirement("LEGACY-9293.3.1-09", case=4)
@waits(LATER_S)
def test_connection_continues_long_after_the_option(node: Node, dut: LegacyHost, case: Case, option: Probe) -> None:
    """Half a second after data and acknowledgements with the option the connection continues."""
    peer = node.connect(option)
    node.exchange(peer)
    peer.acknowledge(options=[node.option(option, peer)])
    case.watch(LATER_S)
    dut.serves(peer)


@OTHERS
@inopportune
@requirement("LEGACY-9293.3.1-09", case=5)
def test_connection_that_the_dut_opens_with_the_option(
    node: Node, dut: LegacyHost, app: Application, option: Probe
) -> None:
    """A connection that the device opens, and that is answered with the option on the SYN-ACK, carries data."""
    connecting, peer, syn = node.await_syn(app)
    peer.accept(syn, node.option(option, peer))
    dut.connects_and_delivers(connecting, peer)


@EVERY
@valid
@requirement("LEGACY-9293.3.1-10", case=1)
def test_option_comes_back_nowhere(node: Node, dut: LegacyHost, option: Probe) -> None:
    """No segment of a connection on which the option is on everything carries one of its kind."""
    peer = node.connect(option)
    for data in (b"one", b"two"):
        start = len(peer.stream)
        dut.delivers(peer, data, peer.send(data, options=[node.option(option, peer)]).ns, start)
    dut.closes(peer, peer.send(flags="FA", options=[node.option(option, peer)]).ns)
    dut.never_sends(option.kind, peer)


@EVERY
@valid
@requirement("LEGACY-9293.3.1-07", case=6)
def test_segment_size_after_unknown_option(node: Node, dut: LegacyHost, option: Probe) -> None:
    """The maximum segment size of a SYN counts although an unknown option stands in front of it."""
    peer = dut.opens(*node.offer_exactly(option, b"\x02\x04" + SMALL.to_bytes(2, "big")))
    data = bytes(3 * SMALL)
    dut.delivers_in_segments(peer, data, SMALL)


@pytest.mark.parametrize("together", TOGETHER)
@inopportune
@requirement("LEGACY-9293.3.1-11", case=1)
def test_several_unknown_options_on_a_syn(node: Node, dut: LegacyHost, together: str) -> None:
    """A SYN with several unknown options is answered like any other, and the connection carries data."""
    dut.serves(dut.opens(*node.offer_exactly(node.segment_size, *TOGETHER[together])))


@EVERY
@inopportune
@requirement("LEGACY-9293.3.1-11", case=2)
def test_option_in_a_full_area(node: Node, dut: LegacyHost, option: Probe) -> None:
    """A SYN whose options fill the header to its last byte is answered like any other."""
    dut.serves(dut.opens(*node.offer_exactly(node.segment_size, option, fill=True)))


@EVERY
@inopportune
@requirement("LEGACY-9293.3.1-11", case=3)
def test_connections_with_the_option_one_after_another(node: Node, dut: LegacyHost, option: Probe) -> None:
    """Each of several connections of one peer whose SYNs carry the option opens and carries data."""
    peers = [dut.opens(*node.offer(option)) for _ in range(MANY)]
    dut.serves(*peers)
    peers[0].reset()
    dut.serves(*peers[1:], dut.opens(*node.offer(option)))
