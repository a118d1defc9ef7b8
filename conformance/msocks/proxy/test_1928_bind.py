# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1928, sections 4 and 6, BIND: the passive side, which the lecture's accept needs."""

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.session import Joined
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require

BIND = 2


def _bound(client: Client, far: Correspondent, dut: Proxy, case: Case) -> Joined:
    """A session that the correspondent has opened to where the proxy listens for the client."""
    dialogue = client.greet()
    dialogue.send(far.request(cmd=BIND))
    first = dut.replies(dialogue)
    address = first.bound_address if first.bound_address != "0.0.0.0" else case.outside.dut_address
    peer, syn_ack = dut.is_open(far, address, first.bound_port)
    second = dut.replies(dialogue, deadline=case.deadline())
    named, seen = (second.bound_address, second.bound_port), (far.station.address, peer.port)
    require(named == seen, "connecting host in the second reply", seen, named, dut.frame(dialogue))
    return Joined(dialogue, peer, (first.bound_address, first.bound_port), syn_ack)


@valid
@requirement("MSOCKS-1928.6-07", case=1)
def test_bind(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """BIND is answered twice, by where the proxy listens and by who has come, and data goes both ways."""
    dut.carries(_bound(client, far, dut, case))


@valid
@requirement("MSOCKS-4-45", case=1)
def test_bound_session_moves(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """A session that the correspondent has opened goes on after RECONNECT with the identifier of the first reply."""
    session = _bound(client, far, dut, case)
    dut.carries(session)
    dut.goes_on(client, session, client.move())
