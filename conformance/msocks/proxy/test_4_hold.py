# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, when they move: how long a session is kept whose mobile side is lost, and what does not end it."""

import pytest
from scapy.layers.inet import ICMP, IP

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.session import Joined
from testbed import inopportune, requirement, waits
from testbed.case.case import Case
from testbed.interruptions import NotApplicable
from testbed.peers.tcp import TcpPeer
from testbed.wire.clock import NANO

LATE, MIDDLE = 0.7, 0.6
SOFT = (0, 1, 5)
HELD = 60


def _lost(client: Client, far: Correspondent, dut: Proxy) -> Joined:
    """A session whose mobile side is lost as the proxy can see."""
    dut.needs_loss_by_reset()
    assert dut.hold_s
    session = client.connect(far)
    dut.lives(session)
    session.lose("reset")
    return session


@inopportune
@requirement("MSOCKS-4-17", case=1)
@waits(2)
def test_session_is_kept(client: Client, far: Correspondent, dut: Proxy) -> None:
    """RECONNECT succeeds late in the hold time; the correspondent has noticed nothing, and what it sent comes."""
    session = _lost(client, far, dut)
    session.far_sends(b"while you were away")
    dut.wait_after_loss(session, LATE)
    dut.goes_on(client, session, client.move())
    dut.stays_unbroken(session)


@inopportune
@requirement("MSOCKS-4-40", case=1)
@waits(5)
def test_session_is_given_up(client: Client, far: Correspondent, dut: Proxy) -> None:
    """When the hold time is over, and not before, the correspondent's connection ends, and RECONNECT is refused."""
    session = _lost(client, far, dut)
    dut.gives_up(session)
    dut.refuses_reconnect(client, client.reconnect_to(session))


@inopportune
@requirement("MSOCKS-4-17", case=2)
@waits(5)
def test_hold_begins_anew_at_each_loss(client: Client, far: Correspondent, dut: Proxy) -> None:
    """RECONNECT succeeds late in the hold time of a second loss, and of a third."""
    session = _lost(client, far, dut)
    dut.wait_after_loss(session, LATE)
    dut.moved(client, session, client.move())
    for _ in range(2):
        session.lose("reset")
        dut.wait_after_loss(session, LATE)
        dut.goes_on(client, session, client.move())


@inopportune
@requirement("MSOCKS-4-17", case=3)
@waits(4)
def test_idle_session_is_no_lost_one(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """A session that is open and carries nothing for longer than the hold time goes on, where it is and elsewhere."""
    session = client.connect(far)
    dut.lives(session)
    case.wait_until(case.clock.now_ns() + round((dut.hold_s + 1) * NANO))
    dut.carries(session)
    dut.goes_on(client, session, client.move())


@inopportune
@requirement("MSOCKS-4-17", case=4)
@waits(4)
def test_moved_session_is_not_given_up(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """The hold time of a loss ends nothing after RECONNECT."""
    session = _lost(client, far, dut)
    lost_ns = session.lost_ns
    dut.moved(client, session, client.move())
    case.wait_until(lost_ns + round((dut.hold_s + 1) * NANO))
    dut.carries(session)
    dut.stays_unbroken(session)


@inopportune
@requirement("MSOCKS-4-41", case=1)
@waits(5)
def test_refusals_do_not_prolong_the_hold_time(client: Client, far: Correspondent, dut: Proxy) -> None:
    """RECONNECTs that are refused during the absence change nothing about its end."""
    session = _lost(client, far, dut)
    for share in (0.3, MIDDLE, 0.8):
        dut.wait_after_loss(session, share)
        dut.refuses_reconnect(client, client.reconnect_to(session, received=1 << 40))
    dut.gives_up(session)


def _soft_errors(dut: Proxy, end: TcpPeer) -> None:
    """Soft errors about the last segment that has come to an end, dealt with."""
    last = dut.segments_at(end)[-1]
    for code in SOFT:
        quoted = bytes(IP(bytes(last.packet)))[:28]
        end.station.transmit(IP(src=end.station.address, dst=end.remote) / ICMP(type=3, code=code) / quoted)
    dut.quiesce()


@pytest.mark.parametrize("side", ["inside", "outside"])
@inopportune
@requirement("MSOCKS-4-42", case=1)
def test_soft_errors_end_nothing(client: Client, far: Correspondent, dut: Proxy, side: str) -> None:
    """Soft errors about either connection of a session end nothing."""
    session = client.connect(far)
    dut.lives(session)
    _soft_errors(dut, session.node if side == "inside" else session.far)
    dut.carries(session)


@inopportune
@requirement("MSOCKS-4-52", case=1)
def test_soft_errors_about_a_lost_side(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Soft errors about a mobile side to which data is under way in vain end nothing: the session goes on elsewhere."""
    session = client.connect(far)
    dut.lives(session)
    session.lose("silent")
    session.far_sends(b"to nobody")
    dut.quiesce()
    _soft_errors(dut, session.node)
    dut.goes_on(client, session, client.move())
    dut.stays_unbroken(session)


@inopportune
@requirement("MSOCKS-4-43", case=1)
def test_absent_nodes_starve_nobody(client: Client, far: Correspondent, dut: Proxy) -> None:
    """While sixty nodes are absent a new client is served, and the first and the last of them come back."""
    dut.needs_loss_by_reset()
    sessions = client.connect_all(far, HELD)
    for session in sessions:
        session.node.pass_over(session.node.station.trace.mark())
        session.lose("reset")
    dut.serves_anew(far.another_port())
    for session in (sessions[0], sessions[-1]):
        dut.pass_over(session)
        dut.goes_on(client, session, client.move())


@inopportune
@requirement("MSOCKS-4-44", case=1)
def test_reset_is_the_end(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """Where a reset of the mobile side is the end of the session the correspondent's connection ends."""
    if case.setup.profile.ixit.msocks.rst_means != "abort" and case.setup.profile.ics.msocks.reconnect:
        raise NotApplicable(f"{case.setup.profile.path}: ixit.msocks.rst_means is not abort")
    session = client.connect(far)
    dut.lives(session)
    session.node.reset()
    dut.tells_far_of_the_end(session)
