# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, opening a new connection on the mobile side: RECONNECT in every state of the old one, and many times."""

import pytest

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.correspondent import HIGHEST, Correspondent
from conformance.msocks.tester.dialogue import OVER
from conformance.msocks.tester.session import Session
from layers.msocks import MSOCKSReconnectReply
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.wire import chance

LOSSES = pytest.mark.parametrize("how", ["open", "silent", "reset"])
ENDS = pytest.mark.parametrize("end", ["node", "correspondent"])
TEN, TOGETHER, HELD = 10, 100, 60
EDGES = (0, 1, 1400)
LONGEST = 20_000


def _lose(dut: Proxy, session: Session, how: str) -> None:
    if how == "reset":
        dut.needs_loss_by_reset()
    session.lose(how)


@LOSSES
@pytest.mark.parametrize("to", ["other address", "same address"])
@valid
@requirement("MSOCKS-4-11", case=1)
def test_session_goes_on(client: Client, far: Correspondent, dut: Proxy, how: str, to: str) -> None:
    """RECONNECT is answered by success, and data goes both ways at the new mobile side."""
    session = client.connect(far)
    dut.lives(session)
    _lose(dut, session, how)
    dut.goes_on(client, session, client.move() if to == "other address" else None)


@valid
@requirement("MSOCKS-4-11", case=2)
def test_session_without_data_goes_on(client: Client, far: Correspondent, dut: Proxy) -> None:
    """A session moves that has carried nothing yet."""
    session = client.connect(far)
    dut.goes_on(client, session, client.move())


@valid
@requirement("MSOCKS-4-11", case=3)
def test_reconnect_in_pieces(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """RECONNECT is understood that comes byte by byte."""
    session = client.connect(far)
    dut.lives(session)
    dialogue = client.greet(at=client.move())
    dialogue.send_in_pieces(client.reconnect_to(session), 3)
    dut.replies(dialogue, kind=MSOCKSReconnectReply)
    session.attach(dialogue)
    dut.carries(session)


@LOSSES
@valid
@requirement("MSOCKS-4-18", case=1)
def test_moves_again_and_back(client: Client, far: Correspondent, dut: Proxy, how: str) -> None:
    """RECONNECT succeeds a second time, a third one back at the first address, and a fourth at the second one."""
    session = client.connect(far)
    home, away = client.station, client.move()
    for place in (away, home, away, home):
        _lose(dut, session, how)
        dut.goes_on(client, session, place)


@LOSSES
@valid
@requirement("MSOCKS-4-13", case=1)
def test_correspondent_notices_nothing(client: Client, far: Correspondent, dut: Proxy, how: str) -> None:
    """Through ten moves the correspondent host gets no SYN, no FIN, no reset, and all from one address and port."""
    session = client.connect(far)
    for _ in range(TEN):
        _lose(dut, session, how)
        dut.moved(client, session, client.move())
    dut.stays_unbroken(session)


@LOSSES
@valid
@requirement("MSOCKS-4-12", case=1)
def test_old_side_is_cut_off(client: Client, far: Correspondent, dut: Proxy, how: str) -> None:
    """After RECONNECT data from the old mobile side goes nowhere, and none of the session comes there."""
    session = client.connect(far)
    dut.lives(session)
    _lose(dut, session, "open")
    former = session.dialogue
    dut.moved(client, session, client.move())
    if how != "open":
        client_again = session.dialogue
        dut.moved(client, session, client.move())
        dut.leaves(client_again, session)
    dut.leaves(former, session)


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


@inopportune
@requirement("MSOCKS-4-35", case=1)
def test_two_at_once(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Of two RECONNECTs at once one mobile side has the session a second later, and the stream appears once."""
    session = client.connect(far)
    dut.lives(session)
    both = [client.greet(at=client.move()) for _ in range(2)]
    for dialogue in both:
        dialogue.send(client.reconnect_to(session))
    for dialogue in both:
        dialogue.reply(MSOCKSReconnectReply)
    attached = dut.is_attached(session, both)
    require(len(attached) == 1, "mobile sides with the session", 1, len(attached), dut.frame(both[1]))
    other = next(one for one in both if one is not attached[0])
    if other.peer.state not in OVER:
        other.peer.send(b"from the loser")
    data = random_data(200)
    attached[0].peer.send(data)
    session.to_far += data
    dut.brings_to_far(session)


@pytest.mark.parametrize("how", ["silent", "reset"])
@inopportune
@requirement("MSOCKS-4-34", case=1)
def test_close_during_absence(client: Client, far: Correspondent, dut: Proxy, how: str) -> None:
    """Data and the FIN of the correspondent that come while the node is absent come to it after RECONNECT."""
    session = client.connect(far)
    dut.lives(session)
    _lose(dut, session, how)
    session.far_sends(random_data(2000))
    session.far.finish()
    dut.reconnects(client, session, client.move())
    dut.brings_to_node(session)
    dut.tells_node_of_a_close(session)
    session.node_sends(random_data(100))
    dut.brings_to_far(session)


@inopportune
@requirement("MSOCKS-4-34", case=2)
def test_reset_during_absence(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """After a reset of the correspondent RECONNECT is refused, or the new mobile side ends."""
    session = client.connect(far)
    dut.lives(session)
    session.lose("silent")
    session.far.reset()
    dut.quiesce()
    dialogue = client.greet(at=client.move())
    dialogue.send(client.reconnect_to(session))
    reply = dialogue.reply(MSOCKSReconnectReply)
    if reply is not None and reply.reply == 0:
        deadline = case.deadline()
        if not dialogue.ends(deadline):
            raise Broken(Finding("mobile side of a session that is over", "FIN or RST", "open"), deadline)


@ENDS
@valid
@requirement("MSOCKS-4-36", case=1)
def test_half_closed_session_moves(client: Client, far: Correspondent, dut: Proxy, end: str) -> None:
    """After the FIN of one end the session moves; the other direction goes on, and its FIN comes."""
    session = client.connect(far)
    dut.lives(session)
    dut.closes_one_way(session, end)
    session.lose("silent")
    dut.reconnects(client, session, client.move())
    dut.closes_the_other_way(session, end)


@valid
@requirement("MSOCKS-4-33", case=1)
def test_many_sessions_move(client: Client, far: Correspondent, dut: Proxy) -> None:
    """A hundred sessions of one node move together, and each goes on as itself."""
    sessions = client.connect_all(far, TOGETHER)
    place = client.move()
    for session in sessions:
        dut.pass_over(session)
        dut.reconnects(client, session, place)
    dut.carry_each(sessions)
    dut.stays_unbroken(*sessions)


@valid
@requirement("MSOCKS-4-07", case=1)
def test_identifiers_are_unique(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Sixty living sessions to one port have sixty identifiers, and each leads to its own."""
    sessions = [client.connect(far) for _ in range(HELD)]
    names = [session.identifier for session in sessions]
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, "identifiers of two sessions", "none", twice, sessions[-1].syn.frame)
    for session in sessions[:: HELD // 4]:
        dut.pass_over(session)
        dut.goes_on(client, session)
