# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 7, TCP Rehash option format: kind, length, control header, nonce; as sent and as received."""

import pytest
from scapy.packet import Packet

from conformance.rehash.dut.host import Host
from conformance.rehash.oracle import require
from conformance.rehash.tester.host import Node
from layers.rehash import ADDR, INIT
from testbed import exclusive, inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.interruptions import Inconclusive

LENGTHS = pytest.mark.parametrize("length", [4, 12, 15, 17, 20])
CONTROLS = pytest.mark.parametrize("control", [0x0000, 0x0011, 0x0100, 0x1000, 0xFFFF], ids=hex)
FIELDS = pytest.mark.parametrize(
    "field",
    [
        pytest.param("kind", marks=requirement("REHASH-7-01")),
        pytest.param("length", marks=requirement("REHASH-7-02")),
    ],
)


def of_length(option: Packet, length: int) -> bytes:
    """The option with another length, in its length byte and in fact."""
    content = bytes(option)
    return bytes([content[0], length]) + content[2:length].ljust(length - 2, b"\0")


@FIELDS
@valid
@requirement(case=1)
def test_kind_and_length_of_init(node: Node, host: Host, case: Case, field: str) -> None:
    """The option of REHASH-INIT has kind 253 and length 16."""
    segment, init = host.init_on(node, "SYN-ACK")
    expected = {"kind": case.setup.profile.ixit.rehash.option_kind, "length": 16}[field]
    require(getattr(init, field) == expected, f"{field} of the option", expected, getattr(init, field), segment)


@FIELDS
@exclusive
@valid
@requirement(case=2)
def test_kind_and_length_of_the_order(node: Node, host: Host, case: Case, field: str) -> None:
    """The option of REHASH-ADDR has kind 253 and length 16."""
    session = host.offers(node)
    move = host.moves()
    host.application_sends(session, b"I have moved")
    segment, order = host.order_of(move, session.peer)
    expected = {"kind": case.setup.profile.ixit.rehash.option_kind, "length": 16}[field]
    require(getattr(order, field) == expected, f"{field} of the option", expected, getattr(order, field), segment)


@LENGTHS
@invalid
@requirement("REHASH-7-03", case=1)
def test_order_of_another_length_moves_nothing(node: Node, host: Host, length: int) -> None:
    """REHASH-ADDR with a length other than 16 moves nothing."""
    session = node.connects()
    node.uses(session)
    node.moves()
    end = node.end(session)
    option = of_length(end.order(session.peer.station.address), length)
    host.has_not_moved(session, node.sends(end, "A", options=[option]))


@LENGTHS
@invalid
@requirement("REHASH-7-03", case=2)
def test_init_of_another_length_completes_nothing(node: Node, host: Host, length: int) -> None:
    """REHASH-INIT with a length other than 16 in answer to the device's does not make the connection movable."""
    opening = host.opens(node)
    session = node.accepts(opening)
    node.sends(session.peer, "A", options=[of_length(session.peer.init(), length)])
    host.learns_nonce(session)
    node.moves()
    with host.asking_for_an_exchange():
        host.has_not_moved(session, node.orders(session))


@pytest.mark.parametrize("carrier", ["SYN", "SYN-ACK", "acknowledgement"])
@valid
@requirement("REHASH-7-04", case=1)
def test_control_header_of_init(node: Node, host: Host, carrier: str) -> None:
    """The control header of REHASH-INIT is 0x0001."""
    segment, init = host.init_on(node, carrier)
    require(init.control == INIT, "control header", hex(INIT), hex(init.control), segment)


@exclusive
@valid
@requirement("REHASH-7-05", case=1)
def test_control_header_of_the_order(node: Node, host: Host) -> None:
    """The control header of REHASH-ADDR is 0x0010."""
    session = host.offers(node)
    move = host.moves()
    host.application_sends(session, b"I have moved")
    segment, order = host.order_of(move, session.peer)
    require(order.control == ADDR, "control header", hex(ADDR), hex(order.control), segment)


@CONTROLS
@invalid
@requirement("REHASH-7-06", case=1)
def test_undefined_control_header_moves_nothing(node: Node, host: Host, control: int) -> None:
    """An option with an undefined control header and all else like REHASH-ADDR moves nothing."""
    session = node.connects()
    node.uses(session)
    node.moves()
    host.has_not_moved(session, node.orders(session, control=control))


@CONTROLS
@invalid
@requirement("REHASH-7-06", case=2)
def test_undefined_control_header_completes_nothing(node: Node, host: Host, control: int) -> None:
    """An option with an undefined control header and all else like REHASH-INIT makes no connection movable."""
    opening = host.opens(node)
    session = node.accepts(opening, opening.peer.init(control=control))
    host.learns_nonce(session)
    node.moves()
    with host.asking_for_an_exchange():
        host.has_not_moved(session, node.orders(session))


@pytest.mark.parametrize("carrier", ["SYN", "SYN-ACK", "acknowledgement"])
@valid
@requirement("REHASH-7-07", case=1)
def test_nonce_of_init_is_the_one_that_counts(node: Node, host: Host, carrier: str) -> None:
    """The authenticator of the device's REHASH-INIT is the nonce that moves the connection."""
    if carrier == "SYN":
        session = host.connects(node)
    elif carrier == "SYN-ACK":
        session = node.connects()
    else:
        session = node.connects_plainly()
        node.wants_init(session.peer)
    node.moves()
    host.has_moved(session, node.orders(session))


@pytest.mark.parametrize("what", ["acknowledgement", "data", "INIT from elsewhere"])
@exclusive
@inopportune
@requirement("REHASH-7-09", case=1)
def test_only_init_acknowledges_the_order(node: Node, host: Host, case: Case, what: str) -> None:
    """A segment without REHASH-INIT, or with it but from somebody else, does not end the repeating of REHASH-ADDR."""
    session = host.offers(node)
    move = host.moves()
    host.order_of(move, session.peer)
    peer = session.peer
    peer.follows_device(move.new, move.mark)
    stranger = peer.at(case.station())
    if what == "INIT from elsewhere":
        node.sends(stranger, "A", options=[peer.init()])
    else:
        node.sends(peer, "A" if what == "acknowledgement" else "PA", b"" if what == "acknowledgement" else b"plain")
    host.has_gone_on()
    mark = case.mark()
    asked_ns = host.application_sends(session, b"is this an order too")
    within = case.setup.profile.ixit.rehash.retry_within_s
    order = host.waits_for(peer, mark, lambda one: one.order, asked_ns, within)
    others = [one for one in host.segments(peer, mark) if "R" not in one.flags]
    if not others:
        raise Inconclusive("preamble: the device sent nothing more")
    require(order, "REHASH-ADDR before REHASH-INIT", "some", "none", *others)


@exclusive
@valid
@requirement("REHASH-7-09", case=2)
def test_init_acknowledges_the_order(node: Node, host: Host, case: Case) -> None:
    """REHASH-INIT of the peer at the new tuple ends the repeating of REHASH-ADDR, and the connection lives."""
    session = host.offers(node)
    move = host.moves()
    host.order_of(move, session.peer)
    node.takes_over(session, move)
    host.has_gone_on()
    mark = case.mark()
    host.serves(session)
    for segment in host.segments(session.peer, mark):
        require(not segment.order, "segment after REHASH-INIT", "no REHASH-ADDR", segment, segment)


@pytest.mark.parametrize("pair", ["the same twice", "wrong nonce first", "right nonce first", "INIT and ADDR"])
@invalid
@requirement("REHASH-7-10", case=1)
def test_two_options_on_a_segment(node: Node, host: Host, case: Case, pair: str) -> None:
    """Reported: what a segment with two Rehash options does; the connection is not harmed."""
    session = node.connects()
    node.uses(session)
    node.moves()
    end = node.end(session)
    old = session.peer.station.address
    right, wrong = end.order(old), end.order(old, nonce=host.nonce(session) ^ 1)
    options = {
        "the same twice": [right, right],
        "wrong nonce first": [wrong, right],
        "right nonce first": [right, wrong],
        "INIT and ADDR": [end.init(), right],
    }[pair]
    order = node.sends(end, "A", options=options)
    case.values["answer"] = host.answers(order)
    if any(one.init for one in host.segments(end, order.mark)):
        session.follows(order)
    case.values["connection goes on"] = str(host.is_served(session))
