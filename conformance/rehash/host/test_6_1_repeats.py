# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.1: REHASH-INIT goes again with segments that are retransmitted."""

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import require
from conformance.rehash.tester.host import Node
from testbed import inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.interruptions import Inconclusive

RETRANSMISSION = 0.3
"""A SYN or SYN-ACK is sent again after a second (RFC 6298), a little more in units of 5 s."""

LONG_S = 4.0


@valid
@requirement("REHASH-6.1-14", case=1)
@waits(RETRANSMISSION)
def test_retransmitted_syn_ack(node: Node, host: Host) -> None:
    """A SYN-ACK that is not acknowledged is sent again with the REHASH-INIT of the first one."""
    session = node.half_opens()
    host.nonce(session)
    again = host.sees_again(session.peer, host.segments(session.peer)[0], LONG_S)
    nonce = again.init.nonce if again.init else "none"
    require(nonce == session.peer.device_nonce, "nonce on the second SYN-ACK", session.peer.device_nonce, nonce, again)


@inopportune
@requirement("REHASH-6.1-14", case=2)
def test_syn_ack_for_a_repeated_syn(node: Node, host: Host, case: Case) -> None:
    """The answer to a repeated SYN carries the REHASH-INIT of the first answer."""
    peer = node.peer()
    session = node.half_opens(peer)
    host.nonce(session)
    mark = case.mark()
    peer.transmit(peer.segment("S", seq=peer.snd_nxt - 1, ack=0, options=peer.syn_options(peer.init())))
    again = host.waits_for(peer, mark, lambda one: one.flags == "SA")
    if again is None:
        raise Inconclusive("preamble: no SYN-ACK came for the repeated SYN")
    nonce = again.init.nonce if again.init else "none"
    require(nonce == peer.device_nonce, "nonce on the second SYN-ACK", peer.device_nonce, nonce, again)


@valid
@requirement("REHASH-6.1-14", case=3)
@waits(RETRANSMISSION)
def test_retransmitted_syn(node: Node, host: Host) -> None:
    """A SYN that is not answered is sent again with the REHASH-INIT of the first one."""
    opening = host.opens(node)
    first = opening.syn.init
    if first is None:
        raise Inconclusive("preamble: the SYN carries no REHASH-INIT", repeat=False)
    again = host.sees_again(opening.peer, opening.syn, LONG_S)
    node.accepts(opening, opening.peer.init())
    nonce = again.init.nonce if again.init else "none"
    require(nonce == first.nonce, "nonce on the second SYN", first.nonce, nonce, again)


@valid
@requirement("REHASH-6.1-15", case=1)
def test_retransmitted_data(node: Node, host: Host) -> None:
    """A data segment that carried REHASH-INIT and is not acknowledged carries it again."""
    segment, peer = host.data_with_init(node)
    again = host.sees_again(peer, segment, LONG_S)
    require(again.init == segment.init, "REHASH-INIT on the retransmission", segment.init, again.init, again)
