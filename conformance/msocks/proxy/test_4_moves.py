# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, opening a new connection on the mobile side: RECONNECT in every state of the old one, and many times."""

import pytest

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.dialogue import OVER
from conformance.msocks.tester.session import Joined
from layers.msocks import MSOCKSReconnectReply
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.interruptions import Inconclusive

LOSSES = pytest.mark.parametrize("how", ["open", "silent", "reset"])
ENDS = pytest.mark.parametrize("end", ["node", "correspondent"])
TEN, TOGETHER, HELD = 10, 100, 60
EDGES = (0, 1, 1400)
LONGEST = 20_000


def _lose(dut: Proxy, session: Joined, how: str) -> None:
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
    try:
        for _ in range(TEN):
            _lose(dut, session, how)
            dut.moved(client, session, client.move())
    except Inconclusive:
        dut.stays_unbroken(session)
        raise
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
