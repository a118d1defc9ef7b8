# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, a connection identifier which they can show: identifiers and counters that cannot be, cut messages."""

import pytest

from conformance.msocks.dut.proxy import Proxy
from conformance.msocks.tester.client import Client, random_data
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.session import Identifier
from layers.msocks import DOMAIN, MSOCKSReconnectReply
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.interruptions import NotApplicable
from testbed.wire import chance

HIGHEST = (1 << 64) - 1
UNKNOWN = ["port 0", "port of the proxy", "other address", "zero", "name"]
RECEIVED = [1, 1000, 1 << 31, 1 << 32, 1 << 33, 1 << 63]
SENT = [1, 50, "none"]
CUT = [5, 7, 10, 17, 25]
GUESSES = 30


def _wrong(identifier: Identifier, how: str, port: int) -> Identifier:
    address, number = identifier
    return {
        "next port": (address, number % 65535 + 1),
        "port before": (address, number - 1),
        "port 0": (address, 0),
        "port of the proxy": (address, port),
        "other address": ("192.0.2.1", number),
        "zero": ("0.0.0.0", 0),
        "name": ("nobody", number),
    }[how]


@pytest.mark.parametrize("how", UNKNOWN)
@invalid
@requirement("MSOCKS-4-08", case=1)
def test_unknown_identifier(client: Client, far: Correspondent, dut: Proxy, case: Case, how: str) -> None:
    """RECONNECT with an identifier of nobody is refused, and the session next to it left alone."""
    session = client.connect(far)
    dut.lives(session)
    port = case.setup.profile.ixit.msocks.port
    fields = {"address_type": DOMAIN} if how == "name" else {}
    wrong = _wrong(session.identifier, how, port)
    dut.refuses_reconnect(client, client.reconnect(wrong, len(session.received), len(session.to_far), **fields))
    dut.leaves_alone(client, session)


@pytest.mark.parametrize("how", ["next port", "port before"])
@invalid
@requirement("MSOCKS-4-08", case=3)
@exclusive("the identifier must be that of no other session")
def test_identifier_beside(client: Client, far: Correspondent, dut: Proxy, how: str) -> None:
    """RECONNECT with the number beside that of a session is refused, and the session left alone."""
    session = client.connect(far)
    dut.lives(session)
    wrong = _wrong(session.identifier, how, 0)
    dut.refuses_reconnect(client, client.reconnect(wrong, len(session.received), len(session.to_far)))
    dut.leaves_alone(client, session)


@invalid
@requirement("MSOCKS-4-08", case=2)
@exclusive("the guesses must hit no other session")
def test_guessed_identifiers(client: Client, far: Correspondent, dut: Proxy) -> None:
    """Thirty guesses of an identifier are refused, and the session that was guessed for goes on."""
    session = client.connect(far)
    dut.lives(session)
    address, number = session.identifier
    for _ in range(GUESSES):
        guess = address, (number + 1 + chance.randbelow(60_000)) % 65536
        dut.refuses_reconnect(client, client.reconnect(guess, len(session.received), len(session.to_far)))
    dut.leaves_alone(client, session)


@pytest.mark.parametrize("closed", ["both ends", "reset of the correspondent"])
@inopportune
@requirement("MSOCKS-4-09", case=1)
def test_identifier_of_a_closed_session(
    client: Client, far: Correspondent, dut: Proxy, case: Case, closed: str
) -> None:
    """RECONNECT is refused a second after both ends have closed, or after a reset of the correspondent."""
    session = client.connect(far)
    dut.lives(session)
    if closed == "both ends":
        dut.closes_one_way(session, "node")
        session.far.finish()
        dut.tells_node_of_a_close(session)
    else:
        session.far.reset()
        dut.tells_node_of_the_end(session)
        session.node.reset()
    case.watch(1.0)
    dut.refuses_reconnect(client, client.reconnect_to(session))


@pytest.mark.parametrize("who", ["another user", "nobody"])
@invalid
@requirement("MSOCKS-4-10", case=1)
def test_identifier_of_another_user(client: Client, far: Correspondent, dut: Proxy, case: Case, who: str) -> None:
    """RECONNECT by another user, or without a name, is refused, and the session left alone."""
    owner, other = client.users(2)
    if who == "nobody" and not case.setup.profile.ics.msocks.anonymous:
        raise NotApplicable(f"{case.setup.profile.path}: ics.msocks.anonymous is false")
    session = client.connect(far, owner)
    dut.lives(session)
    dut.refuses_reconnect(client, client.reconnect_to(session), other if who == "another user" else "")
    dut.leaves_alone(client, session)


@valid
@requirement("MSOCKS-4-10", case=2)
def test_own_identifier_of_a_user(client: Client, far: Correspondent, dut: Proxy) -> None:
    """RECONNECT by the user whose session it is succeeds."""
    session = client.connect(far, client.users()[0])
    dut.lives(session)
    dut.goes_on(client, session, client.move())


@pytest.mark.parametrize("beyond", RECEIVED, ids=hex)
@invalid
@requirement("MSOCKS-4-16", case=1)
def test_received_more_than_was_sent(client: Client, far: Correspondent, dut: Proxy, beyond: int) -> None:
    """RECONNECT is refused that states more received than was sent, and the session left alone."""
    session = client.connect(far)
    dut.lives(session)
    dut.refuses_reconnect(client, client.reconnect_to(session, received=len(session.received) + beyond))
    dut.leaves_alone(client, session)


@pytest.mark.parametrize("below", SENT, ids=str)
@invalid
@requirement("MSOCKS-4-16", case=2)
def test_sent_less_than_was_received(client: Client, far: Correspondent, dut: Proxy, below: int | str) -> None:
    """RECONNECT is refused that states less sent than the proxy has received, and the session left alone."""
    session = client.connect(far)
    dut.lives(session)
    sent = 0 if below == "none" else len(session.to_far) - int(below)
    dut.refuses_reconnect(client, client.reconnect_to(session, sent=sent))
    dut.leaves_alone(client, session)


@pytest.mark.parametrize("by", [-1, 1, 1 << 32])
@invalid
@requirement("MSOCKS-4-16", case=3)
def test_sent_after_the_end(client: Client, far: Correspondent, dut: Proxy, by: int) -> None:
    """After the node's FIN RECONNECT is refused that states any other sent than what came before the FIN."""
    session = client.connect(far)
    dut.lives(session)
    dut.closes_one_way(session, "node")
    dut.refuses_reconnect(client, client.reconnect_to(session, sent=len(session.to_far) + by))
    session.far_sends(random_data(100))
    dut.brings_to_node(session)


@invalid
@requirement("MSOCKS-4-16", case=4)
def test_highest_counters(client: Client, far: Correspondent, dut: Proxy) -> None:
    """RECONNECT with the highest received there is, and with none where some was received, is no way in."""
    session = client.connect(far)
    dut.lives(session)
    dut.refuses_reconnect(client, client.reconnect_to(session, received=HIGHEST, sent=HIGHEST))
    dut.leaves_alone(client, session)


@pytest.mark.parametrize("length", CUT)
@pytest.mark.parametrize("then", ["closed", "left open", "reset"])
@invalid
@requirement("MSOCKS-4-19", case=1)
def test_reconnect_cut_short(client: Client, far: Correspondent, dut: Proxy, length: int, then: str) -> None:
    """RECONNECT of which only the beginning comes moves nothing."""
    session = client.connect(far)
    dut.lives(session)
    dialogue = client.greet(at=client.move())
    dialogue.send(bytes(client.reconnect_to(session))[:length])
    if then == "closed":
        dialogue.peer.finish()
    elif then == "reset":
        dialogue.peer.reset()
    dut.quiesce()
    dut.leaves_alone(client, session)


@pytest.mark.parametrize(
    "fields", [{"version": 4}, {"version": 0}, {"address_type": 9}, {"cmd": 0x81}, {"cmd": 0}], ids=str
)
@invalid
@requirement("MSOCKS-4-19", case=2)
def test_malformed_reconnect(client: Client, far: Correspondent, dut: Proxy, fields: dict[str, int]) -> None:
    """RECONNECT of another version, type of address or command moves nothing."""
    session = client.connect(far)
    dut.lives(session)
    dialogue = client.greet(at=client.move())
    dialogue.send(client.reconnect_to(session, **fields))
    dut.refuses_or_ends(dialogue)
    dut.leaves_alone(client, session)


@inopportune
@requirement("MSOCKS-4-37", case=1)
def test_refused_one_changes_no_counter(client: Client, far: Correspondent, dut: Proxy) -> None:
    """After refusals the session carries data where it is, and the next reply has the counters that are due."""
    session = client.connect(far)
    dut.lives(session)
    for fields in ({"received": 1 << 40}, {"sent": 0}, {"received": HIGHEST, "sent": 0}):
        dut.refuses_reconnect(client, client.reconnect_to(session, **fields))
    dut.carries(session)
    reply = dut.reconnects(client, session, client.move())
    dut.counts(session, reply, {len(session.to_far)}, {len(session.to_node)})
    dut.carries(session)


@inopportune
@requirement("MSOCKS-4-38", case=1)
def test_older_reconnect_again(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """A recorded RECONNECT that comes again after more data is refused, or brings exactly what is right."""
    session = client.connect(far)
    dut.lives(session)
    recorded = bytes(client.reconnect_to(session))
    since = len(session.received)
    dut.goes_on(client, session, client.move())
    dialogue = client.greet(at=client.move())
    dialogue.send(recorded)
    reply = dialogue.reply(MSOCKSReconnectReply)
    if reply is None or reply.reply != 0:
        dut.carries(session)
        return
    dut.brings_from(session, dialogue, since)


@valid
@requirement("MSOCKS-4-23", case=1)
def test_reported_takeover(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """Whether another host that knows identifier and counters gets the session."""
    session = client.connect(far)
    dut.lives(session)
    dialogue = Client(case).greet()
    dialogue.send(client.reconnect_to(session))
    reply = dialogue.reply(MSOCKSReconnectReply)
    taken = reply is not None and reply.reply == 0
    case.values["a host that knows identifier and counters"] = "takes the session" if taken else "is refused"


@valid
@requirement("MSOCKS-4-39", case=1)
def test_reported_data_after_the_counters(client: Client, far: Correspondent, dut: Proxy, case: Case) -> None:
    """What becomes of data that comes in one segment with RECONNECT."""
    session = client.connect(far)
    dut.lives(session)
    session.lose("silent")
    dialogue = client.greet(at=client.move())
    message, data = bytes(client.reconnect_to(session)), random_data(20)
    dialogue.send(message + data)
    reply = dialogue.reply(MSOCKSReconnectReply)
    dut.comes_to(
        session.far, lambda: data in bytes(session.far.stream), case.deadline(case.setup.profile.ixit.silence_s)
    )
    how = "the session does not go on" if reply is None or reply.reply else "it is lost"
    case.values["data after the counters"] = "it comes" if data in bytes(session.far.stream) else how
