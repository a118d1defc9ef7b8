# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, joined to appear as one connection: streams both ways, closes, many clients, clients that say nothing."""

from contextlib import suppress

import pytest

from conformance.msocks.dut.relay import Relay
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.correspondent import HIGHEST, Correspondent
from conformance.msocks.tester.streams import Echo, Flow, carry_through
from layers.msocks import Socks5Greeting
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, require

BULK = 300_000
ECHO_LIMIT = 20_000
ENOUGH, AT_THE_MOST = 250_000, 5_000_000
SILENT = 40
TOGETHER = 300
ENDS = pytest.mark.parametrize("end", ["node", "correspondent"])


@valid
@requirement("MSOCKS-4-04", case=1)
def test_bytes_go_both_ways(client: Client, far: Correspondent, dut: Relay) -> None:
    """Small data goes both ways, several times."""
    session = client.connect(far)
    for _ in range(3):
        dut.carries(session)


@pytest.mark.parametrize("way", ["outward", "inward", "both ways at once"])
@valid
@requirement("MSOCKS-4-04", case=2)
def test_bulk(client: Client, far: Correspondent, dut: Relay, way: str) -> None:
    """Bulk data comes byte for byte, one way or both ways at once."""
    session = client.connect(far)
    dut.carries(session, b"" if way == "inward" else random_data(BULK), b"" if way == "outward" else random_data(BULK))


@valid
@requirement("MSOCKS-4-04", case=3)
def test_numbers_wrap(case: Case, client: Client, dut: Relay) -> None:
    """Data comes byte for byte while the sequence numbers of all directions pass 2^32."""
    far = Correspondent(case, initial_sequence=HIGHEST - BULK // 2)
    session = client.connect(far, initial_sequence=HIGHEST - BULK // 3)
    dut.carries(session, random_data(BULK), random_data(BULK))


@valid
@requirement("MSOCKS-4-29", case=1)
def test_bulk_echo(client: Client, far: Correspondent, dut: Relay, case: Case) -> None:
    """Data both ways at once: bulk comes back from a host that takes more only as fast as what it returns is taken."""
    session = client.connect(far)
    flow = Flow.of(session.node, session.node, random_data(AT_THE_MOST))
    carry_through(case, flow, Echo(session.far, ECHO_LIMIT), ENOUGH)


@ENDS
@valid
@requirement("MSOCKS-4-29", case=2)
def test_blocked_direction_does_not_stop_the_other(client: Client, far: Correspondent, dut: Relay, end: str) -> None:
    """While one end takes nothing and the data to it has filled all buffers, what it sends comes to the other."""
    session = client.connect(far)
    one, other = (session.node, session.far) if end == "node" else (session.far, session.node)
    with suppress(Broken):  # how much is kept is judged by a case of its own
        dut.fills(other, one)
    dut.comes_through(one, other, random_data(2000))


@ENDS
@valid
@requirement("MSOCKS-4-05", case=1)
def test_half_close(client: Client, far: Correspondent, dut: Relay, end: str) -> None:
    """A FIN comes to the other end after all data; the other direction still carries data, and its FIN comes too."""
    session = client.connect(far)
    dut.half_closes(session, end)


@ENDS
@valid
@requirement("MSOCKS-4-05", case=2)
def test_close_after_bulk(client: Client, far: Correspondent, dut: Relay, end: str) -> None:
    """A FIN right after bulk data comes after all of it."""
    session = client.connect(far)
    data = random_data(50_000)
    dut.half_closes(session, end, data)


@inopportune
@requirement("MSOCKS-4-30", case=1)
def test_reset_of_the_correspondent(client: Client, far: Correspondent, dut: Relay) -> None:
    """A reset of the correspondent host ends the connection of the node."""
    session = client.connect(far)
    dut.lives(session)
    session.far.reset()
    dut.tells_node_of_the_end(session)


@valid
@requirement("MSOCKS-4-06", case=1)
def test_correspondent_sees_the_proxy(client: Client, far: Correspondent, dut: Relay, case: Case) -> None:
    """The connection to the correspondent host comes from the proxy's address on the outside."""
    session = client.connect(far)
    expected, seen = case.outside.dut_address, session.syn.source
    require(seen == expected, "source of the SYN", expected, seen, session.syn.frame)
    dut.lives(session)
    dut.stays_unbroken(session)


@pytest.mark.parametrize("said", ["nothing", "half a greeting", "a greeting", "half a request"])
@inopportune
@requirement("MSOCKS-4-31", case=1)
def test_silent_clients_hold_nobody_up(client: Client, far: Correspondent, dut: Relay, said: str) -> None:
    """Another client is served while forty have said nothing or only half of what they want."""
    for _ in range(SILENT):
        dialogue = client.greet() if said == "half a request" else client.call()
        if said != "nothing":
            words = {
                "half a greeting": b"\x05",
                "a greeting": bytes(Socks5Greeting(methods=[0])),
                "half a request": bytes(far.request())[:6],
            }
            dialogue.send(words[said])
    dut.serves_anew(far)


@valid
@requirement("MSOCKS-4-32", case=1)
def test_three_hundred_connections(client: Client, far: Correspondent, dut: Relay) -> None:
    """Three hundred connections of one node carry data, each its own."""
    sessions = dut.opens_many(client, far, TOGETHER)
    dut.carry_each(sessions)
    dut.stays_unbroken(*sessions)


@invalid
@requirement("MSOCKS-4-31", case=2)
def test_garbage_harms_nobody(client: Client, far: Correspondent, dut: Relay) -> None:
    """A session carries data, and a new client is served, after clients that send garbage."""
    session = client.connect(far)
    for length in (1, 2, 10, 500, 1400):
        client.call().send(random_data(length))
    for length in (1, 9, 1000):
        client.greet().send(b"\x05" + random_data(length))
    dut.carries(session)
    dut.serves_anew(far.another_port())


@ENDS
@valid
@requirement("MSOCKS-4-22", case=1)
def test_buffer_is_bounded(client: Client, far: Correspondent, dut: Relay, case: Case, end: str) -> None:
    """The window of a side closes when the other end takes nothing, before more is kept than the profile says."""
    session = client.connect(far)
    one, other = (session.node, session.far) if end == "node" else (session.far, session.node)
    case.values["bytes kept"] = str(len(dut.fills(other, one)))
