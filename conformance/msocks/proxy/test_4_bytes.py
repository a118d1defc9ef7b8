# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, hides mobility: bytes that are under way at a move, and the counters that account for them."""

import pytest

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.correspondent import HIGHEST, Correspondent
from conformance.msocks.tester.session import Joined
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire import chance

LOSSES = pytest.mark.parametrize("how", ["open", "silent", "reset"])
EDGES = (0, 1, 1400)
LONGEST = 20_000


def _lose(dut: Proxy, session: Joined, how: str) -> None:
    if how == "reset":
        dut.needs_loss_by_reset()
    session.lose(how)


@pytest.mark.parametrize("lost", EDGES)
@pytest.mark.parametrize("sent", EDGES)
@pytest.mark.parametrize("way", ["outward", "inward"])
@valid
@requirement("MSOCKS-4-14", case=1)
def test_bytes_at_the_edge(client: Client, far: Correspondent, dut: Proxy, sent: int, lost: int, way: str) -> None:
    """What was under way comes once: so many bytes that had arrived, so many that were lost, twice in a row."""
    session = client.connect(far)
    dut.lives(session)
    for _ in range(2):
        if way == "outward":
            session.node_sends(random_data(sent), lost=random_data(lost))
            session.lose("silent")
        else:
            session.far_sends(random_data(sent))
            dut.brings_to_node(session)
            session.lose("silent")
            session.far_sends(random_data(lost))
        dut.goes_on(client, session, client.move())


@LOSSES
@pytest.mark.parametrize("seed", range(3))
@valid
@requirement("MSOCKS-4-14", case=2)
def test_bytes_under_way_both_ways(
    client: Client, far: Correspondent, dut: Proxy, case: Case, how: str, seed: int
) -> None:
    """At points that chance draws, bytes under way both ways are lost or not; five moves, and each comes once."""
    session = client.connect(far)
    for _ in range(5):
        cut = [chance.randbelow(LONGEST) for _ in range(4)]
        case.values["cut at"] = f"{case.values.get('cut at', '')} {'/'.join(map(str, cut))}".strip()
        session.node_sends(random_data(cut[0]), lost=random_data(cut[1]))
        session.far_sends(random_data(cut[2]))
        dut.takes_some(session)
        _lose(dut, session, how if how != "open" else "silent")
        session.far_sends(random_data(cut[3]))
        dut.goes_on(client, session, client.move())
    dut.stays_unbroken(session)


@valid
@requirement("MSOCKS-4-14", case=3)
def test_numbers_wrap_at_a_move(client: Client, dut: Proxy, case: Case) -> None:
    """Bytes under way come once whose sequence numbers pass 2^32 at the correspondent and at both mobile sides."""
    far = Correspondent(case, initial_sequence=HIGHEST - 3000)
    session = client.connect(far, initial_sequence=HIGHEST - 2000)
    session.node_sends(random_data(1500), lost=random_data(1500))
    session.far_sends(random_data(1500))
    dut.brings_to_node(session)
    session.lose("silent")
    session.far_sends(random_data(2500))
    dut.goes_on(client, session, client.move())


@pytest.mark.parametrize("how", ["silent", "reset"])
@valid
@requirement("MSOCKS-4-14", case=4)
def test_move_while_a_direction_is_full(client: Client, far: Correspondent, dut: Proxy, how: str) -> None:
    """All comes once that the correspondent has sent to an absent node until its window was shut."""
    session = client.connect(far)
    dut.lives(session)
    _lose(dut, session, how)
    dut.fills_for_absent(session)
    dut.goes_on(client, session, client.move())


@valid
@requirement("MSOCKS-4-14", case=5)
def test_same_point_twice(client: Client, far: Correspondent, dut: Proxy) -> None:
    """What was lost again on the next mobile side comes once on the third one."""
    session = client.connect(far)
    dut.lives(session)
    session.lose("silent")
    session.far_sends(random_data(3000))
    for _ in range(2):
        with_loss = dut.reconnects(client, session, client.move())
        require(
            with_loss.sent <= len(session.to_node),
            "sent",
            len(session.to_node),
            with_loss.sent,
            dut.frame(session.dialogue),
        )
        session.node.drop_incoming()
        session.node.drop_unread()
    dut.goes_on(client, session, client.move())


@valid
@requirement("MSOCKS-4-15", case=1)
def test_counters_of_an_idle_session(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Where nothing is under way the reply says exactly what either end has, after one move and after more."""
    session = client.connect(far)
    for _ in range(3):
        dut.lives(session)
        reply = dut.reconnects(client, session, client.move())
        dut.counts(session, reply, {len(session.to_far)}, {len(session.to_node)})


@valid
@requirement("MSOCKS-4-15", case=2)
def test_counters_with_bytes_under_way(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Received is at least what has come to the correspondent and no more than what was sent; sent likewise."""
    session = client.connect(far)
    dut.lives(session)
    session.node_sends(random_data(1000))
    dut.brings_to_far(session)
    session.node_sends(b"", lost=random_data(500))
    session.lose("silent")
    session.far_sends(random_data(700))
    received, lost = len(session.to_far) - 500, len(session.to_node) - 700
    reply = dut.reconnects(client, session, client.move())
    dut.counts(session, reply, {received}, range(lost, lost + 701))


@valid
@requirement("MSOCKS-4-15", case=3)
def test_sent_never_goes_back(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Sent is what was sent at the most, though the node says that it has received less."""
    session = client.connect(far)
    dut.lives(session)
    session.far_sends(random_data(900))
    dut.shows_at_node(session)
    session.unread(900)
    for _ in range(2):
        reply = dut.reconnects(client, session, client.move())
        dut.counts(session, reply, {len(session.to_far)}, {len(session.to_node)})
        session.node.drop_incoming()
