# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2: REHASH-ADDR on segments that ordinary TCP would not accept, and windows with a scale after a move."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.connection import Connection, SentSegment
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr
from layers.tcp_options import TimestampOption
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.device.application import Application
from testbed.peers.connection import await_syn_ack
from testbed.peers.options import NO_OPERATION, segment_size
from testbed.peers.segment import WINDOW_SCALE
from testbed.peers.sequence import SEQUENCE_SPACE

FAR = 1 << 30
"""Far out of every window."""

LONG_AGO = 100_000
"""Ticks of the timestamp clock."""

PROBE = 1
SEGMENT = 1024
"""A sender need not make use of a window to the last byte (RFC 9293, 3.8.6.2.1), but of the first segment's share."""

UNSCALED = 16
"""The window field of a peer whose window is a multiple of it."""


def moves_or_stays(node: RehashHost, dut: DutHost, case: Case, connection: Connection, sent: SentSegment) -> None:
    """The connection is at the new address, and REHASH-INIT comes; or it is at the old one, and none does."""
    dut.quiesce()
    next_data = node.send(sent.end, "PA", b"where am I")
    dut.quiesce()
    moved = any(not one.is_reset for one in dut.segments(sent.end, sent.mark))
    case.values["moved by it"] = str(moved)
    if moved:
        connection.rebind(next_data)
        dut.acknowledges(sent)
        dut.delivers_on(connection, next_data.data, next_data.ns)
    dut.serves(connection)
    dut.moves_an_ordinary_connection()


@pytest.mark.parametrize("what", ["sequence number", "acknowledgement", "keep-alive", "old data"])
@inopportune
@requirement("REHASH-6.2-27", case=1)
def test_rehash_addr_on_a_segment_out_of_window(node: RehashHost, dut: DutHost, case: Case, what: str) -> None:
    """REHASH-ADDR on a segment out of window: REHASH-INIT comes exactly where the connection was moved."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station)
    seq = (end.snd_nxt + {"sequence number": FAR, "keep-alive": -1, "old data": -5}.get(what, 0)) % SEQUENCE_SPACE
    ack = (end.rcv_nxt + (FAR if what == "acknowledgement" else 0)) % SEQUENCE_SPACE
    option, data = rehash_addr(end, connection.address), b"hello" if what == "old data" else b""
    sent = node.transmitted(end, end.segment("A", data, [option], seq=seq, ack=ack))
    moves_or_stays(node, dut, case, connection, sent)


@inopportune
@requirement("REHASH-6.2-27", case=2)
def test_rehash_addr_with_an_old_timestamp(node: RehashHost, dut: DutHost, case: Case) -> None:
    """REHASH-ADDR beside a timestamp of long ago, which PAWS refuses: REHASH-INIT comes exactly where it moved."""
    connection = node.connect(timestamps=True)
    dut.agrees_to_timestamps(connection)
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station)
    old = TimestampOption(tsval=(end.clock - LONG_AGO) % SEQUENCE_SPACE, tsecr=end.echo)
    options = [NO_OPERATION * 2, old, rehash_addr(end, connection.address)]
    moves_or_stays(node, dut, case, connection, node.transmitted(end, end.segment("A", b"", options)))


@pytest.mark.parametrize("scale", [1, 7, 11])
@valid
@requirement("REHASH-6.2-16", case=11)
def test_window_has_its_scale_after_the_move(
    node: RehashHost, dut: DutHost, app: Application, case: Case, scale: int
) -> None:
    """The scale of the peer's window counts after a move as before: the window is used, and not exceeded."""
    listener = app.listen()
    peer = node.new_peer(remote_port=listener.port)
    with preamble():
        offer = [segment_size(peer.mss), NO_OPERATION, bytes([WINDOW_SCALE, 3, scale])]
        await_syn_ack(case, peer, case.deadline(since_ns=peer.start_with(offer).ns))
    peer.acknowledge(window=1)
    connection = Connection(peer, application=listener.accepted(case.setup.profile.ixit.tcp_within_s))
    dut.agrees_to_scale(connection)
    node.exchange_init(connection)
    node.rehash(connection)
    window = min(UNSCALED << scale, 2048)
    connection.local.acknowledge(window=window >> scale)
    dut.barrier()
    sending = connection.socket.begin_send(bytes(window + 1))
    dut.flight(connection.local, min(window, SEGMENT), window + PROBE)
    connection.local.acknowledge()
    dut.completes(connection, bytes(window + 1))
    sending.result()
