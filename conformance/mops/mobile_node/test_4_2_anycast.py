# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4.2, the mobile node: what it does with an anycast acknowledgement, and which ones it ignores."""

from collections.abc import Callable
from typing import Any

from scapy.packet import Packet

from conformance.mops.dut.mobile_node import Device
from conformance.mops.mobile_node.test_4_1_forged import sealed
from conformance.mops.tester.server import Asked, Correspondent
from conformance.mops.tester.sessions import Move, Session
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require


def learns(device: Device, server: Correspondent, session: Session, *messages: Packet | bytes) -> None:
    """The device is told the server's unicast address, rightly or with these messages instead."""
    for message in messages or [server.anycast_acknowledgement(session.end)]:
        server.tells(session.end, message)
    device.has_gone_on()


def goes_to(request: Asked, address: str) -> None:
    """The Migrate was sent to this address of the server."""
    require(request.packet.dst == address, "destination of the Migrate", address, request.packet.dst, request.frame)


def follows_to_unicast(device: Device, server: Correspondent, session: Session) -> Move:
    """The device moves and is told success by the unicast address, where the session then is; preamble."""
    move = device.moves()
    request = device.asks(move, session)
    assert server.unicast
    device.preamble(lambda: goes_to(request, server.unicast.address if server.unicast else ""))
    device.is_told(request, session)
    session.end.rebind(server.unicast, session.end.port)
    return move


def ignores(device: Device, server: Correspondent, *wrong: Callable[[Session], Packet | bytes]) -> None:
    """None of these messages makes the device send its Migrate anywhere but to the anycast address."""
    server.becomes_anycast()
    session = device.connects(server)
    learns(device, server, session, *(make(session) for make in wrong))
    goes_to(device.asks(device.moves(), session), server.address)


def altered(server: Correspondent, **fields: Any) -> Callable[[Session], Packet]:
    """The acknowledgement with other values in some fields."""
    return lambda session: server.anycast_acknowledgement(session.end, **fields)


@exclusive
@valid
@requirement("MOPS-4.2-16", case=1)
def test_migrate_goes_to_the_unicast_address(device: Device, correspondent: Correspondent) -> None:
    """A node that has the acknowledgement sends the connection's Migrate to the unicast address."""
    unicast = correspondent.becomes_anycast()
    session = device.connects(correspondent)
    learns(device, correspondent, session)
    goes_to(device.asks(device.moves(), session), unicast.address)


@exclusive
@valid
@requirement("MOPS-4.2-17", case=1)
def test_connection_goes_on_at_the_unicast_address(device: Device, correspondent: Correspondent) -> None:
    """After success the connection goes on between the new tuple and the unicast address."""
    correspondent.becomes_anycast()
    session = device.connects(correspondent)
    learns(device, correspondent, session)
    follows_to_unicast(device, correspondent, session)
    device.goes_on(session)


@exclusive
@valid
@requirement("MOPS-4.2-18", case=1)
def test_connection_stays_until_the_move(device: Device, correspondent: Correspondent) -> None:
    """The acknowledgement alone moves nothing: data goes on to and from the anycast address."""
    correspondent.becomes_anycast()
    session = device.connects(correspondent)
    learns(device, correspondent, session)
    device.goes_on(session)


@exclusive
@invalid
@requirement("MOPS-4.2-19", case=1)
def test_acknowledgement_of_no_connection_is_ignored(case: Case, device: Device, correspondent: Correspondent) -> None:
    """An acknowledgement with another protocol, anycast address or port is ignored."""
    other = correspondent.network.in_mops(case.station().address)
    ignores(
        device,
        correspondent,
        altered(correspondent, protocol=17),
        altered(correspondent, anycast_destination=other),
        lambda session: correspondent.anycast_acknowledgement(session.end, source_port=session.previous_port ^ 1),
        lambda session: correspondent.anycast_acknowledgement(session.end, destination_port=session.end.port ^ 1),
    )


@exclusive
@valid
@requirement("MOPS-4.2-20", case=1)
def test_acknowledgement_counts_for_its_connection_only(device: Device, correspondent: Correspondent) -> None:
    """Of two connections to one anycast address the one without an acknowledgement migrates at that address."""
    correspondent.becomes_anycast()
    told, untold = device.connects(correspondent), device.connects(correspondent)
    learns(device, correspondent, told)
    move = device.moves()
    goes_to(device.asks(move, untold), correspondent.address)


@exclusive
@invalid
@requirement("MOPS-4.2-21", case=1)
def test_acknowledgement_with_wrong_checksum_is_ignored(device: Device, correspondent: Correspondent) -> None:
    """An acknowledgement with a wrong checksum is ignored."""

    def spoilt(session: Session) -> bytes:
        right = bytes(correspondent.anycast_acknowledgement(session.end))
        return right[:2] + ((int.from_bytes(right[2:4], "big") + 1) % 0xFFFF).to_bytes(2, "big") + right[4:]

    ignores(device, correspondent, spoilt)


@exclusive
@invalid
@requirement("MOPS-4.2-22", case=1)
def test_acknowledgement_of_another_shape_is_ignored(device: Device, correspondent: Correspondent) -> None:
    """An acknowledgement of another version, code or length is ignored."""
    ignores(
        device,
        correspondent,
        *(altered(correspondent, version=version) for version in (0, 2, 255)),
        *(altered(correspondent, code=code) for code in (1, 255)),
        lambda session: sealed(bytes(correspondent.anycast_acknowledgement(session.end))[:24]),
        lambda session: sealed(bytes(correspondent.anycast_acknowledgement(session.end)) + bytes(4)),
    )


@exclusive
@valid
@requirement("MOPS-4.2-23", case=1)
def test_acknowledgement_with_reserved_bits_is_taken(device: Device, correspondent: Correspondent) -> None:
    """An acknowledgement with every bit of both Reserved fields set counts like any other."""
    unicast = correspondent.becomes_anycast()
    session = device.connects(correspondent)
    message = correspondent.anycast_acknowledgement(session.end, reserved=0xFFFF, reserved2=0x3FFF)
    learns(device, correspondent, session, message)
    goes_to(device.asks(device.moves(), session), unicast.address)


@valid
@requirement("MOPS-4.2-24", case=1)
def test_acknowledgement_is_not_answered(case: Case, device: Device, correspondent: Correspondent) -> None:
    """An anycast acknowledgement draws no message."""
    correspondent.becomes_anycast()
    session = device.connects(correspondent)
    mark = case.mark()
    learns(device, correspondent, session)
    device.calms_down()
    answers = [frame for frame, _ in case.messages(mark)]
    require(not answers, "messages", "none", len(answers), *answers)


@exclusive
@invalid
@requirement("MOPS-4.2-25", case=1)
def test_acknowledgement_from_somebody_else(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Reported: whether an acknowledgement that somebody else sent redirects the connection's Migrate."""
    correspondent.becomes_anycast()
    session = device.connects(correspondent)
    correspondent.tells(session.end, correspondent.anycast_acknowledgement(session.end), case.station())
    device.has_gone_on()
    request = device.asks(device.moves(), session)
    case.values["redirected"] = "no" if request.packet.dst == correspondent.address else "yes"


@exclusive
@inopportune
@requirement("MOPS-4.2-26", case=1)
def test_connection_that_fails_without_a_move(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Reported: what goes to the unicast address when the connection is reset without a move."""
    correspondent.becomes_anycast()
    session = device.connects(correspondent)
    learns(device, correspondent, session)
    mark = case.mark()
    session.end.reset()
    device.calms_down()
    assert correspondent.unicast
    asked = [one for one in correspondent.asked(mark) if one.packet.dst == correspondent.unicast.address]
    case.values["Migrates to the unicast address"] = str(len(asked))
