# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, TCP splicing: acknowledgements that are those of the ends, and what is mapped between the two halves."""

import pytest

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.correspondent import Correspondent
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.peers.tcp import TIMESTAMPS

SACK_PERMITTED = 4
GAP, BLOCK = 300, 500
SMALL_MSS = 600
NARROW = 3000


@valid
@requirement("MSOCKS-4-20", case=1)
def test_data_for_the_node_waits_for_its_acknowledgement(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Data of the correspondent is acknowledged to it when the node has acknowledged it, and not before."""
    session = client.connect(far)
    dut.lives(session)
    dut.waits_for_the_node(session, random_data(1000))


@valid
@requirement("MSOCKS-4-21", case=1)
def test_data_of_the_node_waits_for_the_acknowledgement(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Data of the node is acknowledged to it when the correspondent has acknowledged it, and not before."""
    session = client.connect(far)
    dut.lives(session)
    session.node_sends(random_data(1000))
    dut.shows_at_far(session)
    dut.acknowledges_nothing(session.node)
    session.far.acknowledge()
    dut.acknowledges_all(session.node)


@valid
@requirement("MSOCKS-4-20", case=2)
def test_acknowledgements_wait_after_a_move(client: Client, far: Correspondent, dut: Proxy) -> None:
    """At the next mobile side data is acknowledged when the node has acknowledged it, and not before."""
    session = client.connect(far)
    dut.moved(client, session, client.move())
    dut.waits_for_the_node(session, random_data(1000))


@valid
@requirement("MSOCKS-4-53", case=1)
def test_selective_acknowledgement_is_mapped(client: Client, dut: Proxy, case: Case) -> None:
    """A block that the node acknowledges selectively comes to the correspondent with its own numbers."""
    far = Correspondent(case, sack=True)
    session = client.connect(far, sack=True)
    if session.syn.option(SACK_PERMITTED) is None:
        raise NotApplicable("the proxy's SYN does not permit SACK")
    dut.lives(session)
    end, node = session.far, session.node
    expected = tuple((end.snd_nxt + edge) % SEQUENCE_SPACE for edge in (GAP, GAP + BLOCK))
    end.send_out_of_window(random_data(BLOCK), GAP)
    dut.shows_a_gap(session)
    edges = [(node.rcv_nxt + edge) % SEQUENCE_SPACE for edge in (GAP, GAP + BLOCK)]
    option = b"\x01\x01\x05\x0a" + b"".join(edge.to_bytes(4, "big") for edge in edges)
    node.transmit(node.segment("A", options=[option]))
    segment = dut.brings_sack(session)
    require(segment.sack[:1] == [expected], "edges of the block", expected, segment.sack, segment.frame)


@valid
@requirement("MSOCKS-4-54", case=1)
def test_timestamps_are_mapped(client: Client, dut: Proxy, case: Case) -> None:
    """Where timestamps are agreed on, each end gets its own echoed."""
    far = Correspondent(case, timestamps=True, clock=1 << 30)
    session = client.connect(far, timestamps=True, clock=1 << 20)
    if session.syn.option(TIMESTAMPS) is None:
        raise NotApplicable("the proxy's SYN carries no timestamps")
    for _ in range(2):
        dut.carries(session, random_data(3000), random_data(3000))
    for end, first in ((session.far, 1 << 30), (session.node, 1 << 20)):
        for segment in dut.segments_at(end):
            stamps = segment.option(TIMESTAMPS)
            if stamps is None or "S" in segment.flags:
                continue
            echoed = int.from_bytes(stamps.raw[6:10], "big")
            require(first <= echoed <= end.clock, "echoed timestamp", f"{first} to {end.clock}", echoed, segment.frame)


@pytest.mark.parametrize("end", ["node", "correspondent"])
@valid
@requirement("MSOCKS-4-55", case=1)
def test_window_is_mapped(client: Client, far: Correspondent, dut: Proxy, end: str) -> None:
    """The window that one end announces is, scaled, the most that the other end is told."""
    session = client.connect(far)
    dut.lives(session)
    one, other = (session.node, session.far) if end == "node" else (session.far, session.node)
    if end == "node":
        session.far_sends(random_data(100))
        dut.shows_at_node(session)
    else:
        session.node_sends(random_data(100))
        dut.shows_at_far(session)
    one.acknowledge(window=NARROW)
    dut.acknowledges_all(other)
    step = 1 << other.scale
    segment = dut.segments_at(other)[-1]
    require(other.window < NARROW + step, "window", f"at most {NARROW}", other.window, segment.frame)


@valid
@requirement("MSOCKS-4-56", case=1)
def test_segments_fit_both_ends(client: Client, dut: Proxy, case: Case) -> None:
    """No segment is longer than its receiver takes, though the other end takes more."""
    for sizes in ((SMALL_MSS, 1400), (1400, SMALL_MSS)):
        session = client.connect(Correspondent(case, mss=sizes[1]), mss=sizes[0])
        dut.carries(session, random_data(5000), random_data(5000))
        for end, size in zip((session.node, session.far), sizes, strict=True):
            longest = max(dut.segments_at(end), key=lambda segment: len(segment.data))
            require(len(longest.data) <= size, "segment", f"at most {size} bytes", len(longest.data), longest.frame)
