# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1928, section 3: the choice of a method, and the messages of the client in whatever segments they come."""

import pytest

from conformance.msocks.dut.relay import Relay
from conformance.msocks.tester.client import Client
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.dialogue import ANONYMOUS, NO_METHOD, PASSWORD, Dialogue
from layers.msocks import Socks5Greeting
from testbed import invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable

GSSAPI, ASSIGNED, PRIVATE = 1, 3, 0x80
OTHERS = [[GSSAPI], [ASSIGNED], [PRIVATE, 0xFE], [NO_METHOD], [*range(3, 0xFF)]]
PIECES = [1, 2, 3]
TEN_SECONDS = 10.0


def _named(methods: list[int]) -> str:
    return " ".join(map(str, methods)) if len(methods) < 5 else f"{methods[0]} {len(methods)} times"


def _known(case: Case) -> set[int]:
    """The methods that the profile claims."""
    profile = case.setup.profile
    known = {ANONYMOUS} if profile.ics.msocks.anonymous else set()
    return known | ({PASSWORD} if profile.ixit.msocks.users else set())


@pytest.mark.parametrize("methods", [[0], [0, 1], [1, 0], [0x80, 3, 0], [0] * 255, [2], [2, 0], [0, 2]], ids=_named)
@valid
@requirement("MSOCKS-4-01", case=1)
def test_method_is_one_of_those_offered(client: Client, dut: Relay, case: Case, methods: list[int]) -> None:
    """A greeting is answered by a method that the client has offered and the proxy knows, or by none acceptable."""
    dialogue = client.call()
    dialogue.send(Socks5Greeting(methods=methods))
    dut.selects(dialogue, _known(case) & set(methods) or {NO_METHOD})


@pytest.mark.parametrize("methods", OTHERS, ids=lambda methods: f"{methods[0]} to {methods[-1]}")
@valid
@requirement("MSOCKS-4-01", case=2)
def test_no_acceptable_method(client: Client, dut: Relay, methods: list[int]) -> None:
    """A greeting that offers nothing which the proxy knows is answered by no acceptable method."""
    dialogue = client.call()
    dialogue.send(Socks5Greeting(methods=methods))
    dut.selects(dialogue, {NO_METHOD})


@invalid
@requirement("MSOCKS-1928.3-04", case=1)
def test_request_without_a_method_is_not_served(client: Client, far: Correspondent, dut: Relay) -> None:
    """After no acceptable method a CONNECT opens no connection."""
    dialogue = client.call()
    dialogue.send(Socks5Greeting(methods=[PRIVATE]))
    dut.selects(dialogue, {NO_METHOD})
    since = dut.mark()
    dialogue.send(far.request())
    dut.calls_nobody(far, since)
    dut.serves_an_ordinary_client()


@pytest.mark.parametrize("size", PIECES)
@valid
@requirement("MSOCKS-1928.3-01", case=1)
def test_messages_in_pieces(client: Client, far: Correspondent, dut: Relay, case: Case, size: int) -> None:
    """Greeting and CONNECT are served that come in segments of a few bytes."""
    dialogue = client.call()
    dialogue.send_in_pieces(Socks5Greeting(methods=[min(_known(case))]), size)
    _choose(client, dut, dialogue, case)
    since = dut.mark()
    dialogue.send_in_pieces(far.request(), size)
    dut.carries(dut.connects(dialogue, far, since))


@valid
@requirement("MSOCKS-1928.3-01", case=2)
def test_message_that_comes_slowly(client: Client, far: Correspondent, dut: Relay) -> None:
    """The second half of a CONNECT is waited for, and another client served meanwhile."""
    dialogue = client.greet()
    whole = bytes(far.request())
    dialogue.send(whole[:5])
    dut.serves_an_ordinary_client()
    since = dut.mark()
    dialogue.send(whole[5:])
    dut.carries(dut.connects(dialogue, far, since))


@valid
@requirement("MSOCKS-1928.3-02", case=1)
def test_request_right_after_the_greeting(client: Client, far: Correspondent, dut: Relay, case: Case) -> None:
    """A CONNECT is served that comes in one segment with the greeting."""
    if ANONYMOUS not in _known(case):
        raise NotApplicable(f"{case.setup.profile.path}: ics.msocks.anonymous is false")
    dialogue = client.call()
    since = dut.mark()
    dialogue.send(bytes(Socks5Greeting(methods=[ANONYMOUS])) + bytes(far.request()))
    dut.selects(dialogue, {ANONYMOUS})
    dut.carries(dut.connects(dialogue, far, since))


@pytest.mark.parametrize("version", [0, 4, 6, 255])
@invalid
@requirement("MSOCKS-1928.3-03", case=1)
def test_greeting_of_another_version(client: Client, far: Correspondent, dut: Relay, version: int) -> None:
    """After a greeting of another version no CONNECT is served."""
    dialogue = client.call()
    since = dut.mark()
    dialogue.send(Socks5Greeting(version=version, methods=[ANONYMOUS]))
    dialogue.send(far.request())
    dut.calls_nobody(far, since)
    dut.serves_an_ordinary_client()


@valid
@requirement("MSOCKS-1929.2-01", case=1)
def test_right_password(client: Client, far: Correspondent, dut: Relay) -> None:
    """Every user of the profile gets in with the password, and is served."""
    for user in client.every_user():
        dialogue = _with_password(client, dut)
        answer = dut.logs_in(dialogue, user, client.password(user))
        require(answer[1] == 0, "status", 0, answer[1], dut.frame(dialogue))
        since = dut.mark()
        dialogue.send(far.request())
        dut.carries(dut.connects(dialogue, far, since))


@pytest.mark.parametrize("wrong", ["password", "name", "empty", "longer", "shorter", "other user's"])
@invalid
@requirement("MSOCKS-1929.2-02", case=1)
def test_wrong_password(client: Client, far: Correspondent, dut: Relay, wrong: str) -> None:
    """A wrong name or password draws a failure, the end of the connection, and no service."""
    users = client.users(2 if wrong == "other user's" else 1)
    name, password = users[0], client.password(users[-1])
    changed = {"password": password[::-1] + "x", "empty": "", "longer": password + "x", "shorter": password[:-1]}
    if wrong == "name":
        name += "x"
    dialogue = _with_password(client, dut)
    answer = dut.logs_in(dialogue, name, changed.get(wrong, password))
    require(answer[1] != 0, "status", "any but 0", answer[1], dut.frame(dialogue))
    since = dut.mark()
    dialogue.send(far.request())
    dut.calls_nobody(far, since)
    dut.ends(dialogue, TEN_SECONDS)
    dut.serves_an_ordinary_client()


@invalid
@requirement("MSOCKS-1929.2-02", case=2)
def test_request_instead_of_a_password(client: Client, far: Correspondent, dut: Relay) -> None:
    """A CONNECT in the place of name and password opens no connection."""
    client.users()
    dialogue = _with_password(client, dut)
    since = dut.mark()
    dialogue.send(far.request())
    dut.calls_nobody(far, since)
    dut.serves_an_ordinary_client()


def _with_password(client: Client, dut: Relay) -> Dialogue:
    dialogue = client.call()
    dialogue.send(Socks5Greeting(methods=[PASSWORD]))
    dut.selects(dialogue, {PASSWORD})
    return dialogue


def _choose(client: Client, dut: Relay, dialogue: Dialogue, case: Case) -> None:
    method = min(_known(case))
    dut.selects(dialogue, {method})
    if method == PASSWORD:
        client.log_in(dialogue, client.users()[0])
