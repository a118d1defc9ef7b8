# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 4.3, 6 and C: the NAT acknowledgement that a SYN from the inside elicits."""

from collections.abc import Callable
from typing import Any

import pytest

from conformance.mops.capable import mobile_capable
from conformance.mops.dut.acknowledging import Acknowledgement, Mapping
from conformance.mops.dut.nat_router import NatRouter
from conformance.mops.migrate import in_mops
from conformance.mops.tester.sides import Node, Server
from testbed import inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.interruptions import NotApplicable
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire.headers import TCP_PROTOCOL

HEADER, PAIR = 24, 4
SACK_PERMITTED, NO_OPERATIONS = b"\x04\x02", b"\x01\x01"


@valid
@requirement("MOPS-4.3-01", "MOPS-6-04", case=1)
def test_syn_elicits_an_acknowledgement(node: Node, server: Server, dut: NatRouter) -> None:
    """A SYN from the inside elicits an acknowledgement to the node that has sent it."""
    dut.acknowledges(node.station, dut.maps(node.at(), server).made)


@valid
@requirement("MOPS-4.3-01", case=2)
def test_every_new_connection_is_acknowledged(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Of three connections of one node, and one of another node from the same port, each SYN is acknowledged."""
    first = node.at()
    ends = [first, node.at(), node.at()]
    for end in ends:
        dut.acknowledges(node.station, dut.maps(end, server).made)
    other = Node(case)
    dut.acknowledges(other.station, dut.maps(other.at(first.port), server).made)


@pytest.mark.parametrize("option", [b"", SACK_PERMITTED + NO_OPERATIONS, b"\x4d\x04\x4d\x4d"], ids=["", "SACK", "77"])
@valid
@requirement("MOPS-4.3-01", case=3)
def test_syn_with_other_options_is_acknowledged(node: Node, server: Server, dut: NatRouter, option: bytes) -> None:
    """What else a SYN carries makes no difference: no further option, SACK, one that is unknown."""
    dut.acknowledges(node.station, dut.maps(node.at(), server, *dut.syn_options, option).made)


def _tuple(one: tuple[str, int]) -> tuple[str, int]:
    return in_mops(one[0]), one[1]


Content = Callable[[Acknowledgement, Mapping], tuple[Any, Any]]
"""What a field should be, and what it is."""

FIELDS: dict[str, tuple[str, Content]] = {
    "type, version, code and length": (
        "MOPS-4.3-05",
        lambda came, _: (
            (102, 1, 0, HEADER + PAIR * came.message.count),
            (*(came.message.getfieldval(name) for name in ("type", "version", "code")), len(came.octets)),
        ),
    ),
    "checksum": ("MOPS-4.3-06", lambda came, _: ("a right one", "a right one" if came.is_intact else "a wrong one")),
    "Reserved": ("MOPS-4.3-07", lambda came, _: (0, came.message.reserved)),
    "NAT Level": ("MOPS-4.3-08", lambda came, _: (1, came.message.nat_level)),
    "Protocol": ("MOPS-4.3-09", lambda came, _: (TCP_PROTOCOL, came.message.protocol)),
    "Original Source Address": (
        "MOPS-4.3-10",
        lambda came, mapping: (in_mops(mapping.inside[0]), in_mops(came.message.original_source)),
    ),
    "Translated Source Address": (
        "MOPS-4.3-11",
        lambda came, mapping: (in_mops(mapping.outside[0]), in_mops(came.message.translated_source)),
    ),
    "Original Source Port": (
        "MOPS-4.3-12",
        lambda came, mapping: ([mapping.inside[1]], [one for one, _ in came.message.entries]),
    ),
    "Translated Source Port": (
        "MOPS-4.3-13",
        lambda came, mapping: ([mapping.outside[1]], [one for _, one in came.message.entries]),
    ),
    "Count and entries": ("MOPS-4.3-14", lambda came, _: ((1, 1), (came.message.count, len(came.message.entries)))),
}


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("type, version, code and length", marks=requirement("MOPS-4.3-05")),
        pytest.param("checksum", marks=requirement("MOPS-4.3-06")),
        pytest.param("Reserved", marks=requirement("MOPS-4.3-07")),
        pytest.param("NAT Level", marks=requirement("MOPS-4.3-08")),
        pytest.param("Protocol", marks=requirement("MOPS-4.3-09")),
        pytest.param("Original Source Address", marks=requirement("MOPS-4.3-10")),
        pytest.param("Translated Source Address", marks=requirement("MOPS-4.3-11")),
        pytest.param("Original Source Port", marks=requirement("MOPS-4.3-12")),
        pytest.param("Translated Source Port", marks=requirement("MOPS-4.3-13")),
        pytest.param("Count and entries", marks=requirement("MOPS-4.3-14")),
    ],
)
@valid
@requirement(case=1)
def test_field_of_the_acknowledgement(case: Case, node: Node, server: Server, dut: NatRouter, field: str) -> None:
    """Each field is right, at the first, the second and the third connection, and that of a node with a taken port."""
    _, content = FIELDS[field]
    first = node.at()
    for end in (first, node.at(), Node(case).at(first.port), node.at()):
        mapping = dut.maps(end, server)
        came = dut.is_acknowledged(mapping)
        expected, seen = content(came, mapping)
        require(expected == seen, field, expected, seen, came.frame, mapping.made.frame)


@valid
@requirement("MOPS-4.3-13", case=2)
def test_reused_mapping_is_acknowledged_as_it_is(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """A second SYN from one port, to another server: what is said of it, if anything, is what it appears as there."""
    end, other = node.at(), Server(case)
    first = dut.maps(end, server)
    dut.is_acknowledged(first)
    second = dut.maps(end, other)
    dut.settles()
    for came in dut.acknowledgements(node.station, case.trace.mark_at(second.made.frame)):
        pair = _tuple(second.inside), _tuple(second.outside)
        require(came.pairs == [pair], "original and translated tuple", [pair], came.pairs, came.frame)


@valid
@requirement("MOPS-4.3-04", case=1)
def test_acknowledgement_goes_to_the_original_source(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Two nodes connect from one port by turns: each gets its own acknowledgement, and nobody else gets any."""
    nodes = [node, Node(case)]
    stranger, port = Node(case), node.at().port
    mappings = [dut.maps(one.at(port), server) for one in nodes]
    for one, mapping in zip(nodes, mappings, strict=True):
        came = dut.acknowledges(one.station, mapping.made)
        original = came.pairs[0][0]
        require(
            original[0] == in_mops(one.address), "Original of what came", in_mops(one.address), original, came.frame
        )
    dut.settles()
    for one in (*nodes, stranger):
        others = [
            came.frame for came in dut.acknowledgements(one.station) if came.pairs[0][0][0] != in_mops(one.address)
        ]
        require_none(f"acknowledgements to {one.address} of what others have sent", others)
    require_none("acknowledgements on the outside", dut.outside_acknowledgements())


@valid
@requirement("MOPS-4.3-61", case=1)
def test_acknowledgement_comes_from_the_inside_address(node: Node, server: Server, dut: NatRouter) -> None:
    """The source of the acknowledgement is the router's address on the inside."""
    came = dut.is_acknowledged(dut.maps(node.at(), server))
    require(came.packet.src == dut.inside.dut_address, "source", dut.inside.dut_address, came.packet.src, came.frame)


@valid
@requirement("MOPS-B-31", case=1)
def test_learning_takes_less_than_a_tenth_of_a_second(node: Node, server: Server, dut: NatRouter) -> None:
    """From the SYN to its acknowledgement, as the frames are stamped, it takes less than 100 ms, three times."""
    for number in ("first", "second", "third"):
        dut.learns(f"acknowledgement of the {number} SYN after", node.station, dut.maps(node.at(), server).made)


OTHERS = ("SYN-ACK", "data from the inside", "data from the outside", "acknowledgement", "FIN", "reset")


@pytest.mark.parametrize("segment", OTHERS)
@valid
@requirement("MOPS-4.3-03", case=1)
def test_other_segments_elicit_none(case: Case, node: Node, server: Server, dut: NatRouter, segment: str) -> None:
    """Of an open connection SYN-ACK, data of either side, acknowledgement, FIN and reset elicit no acknowledgement."""
    connection = dut.connect(node.at(), server.listening, *dut.syn_options)
    came = dut.acknowledgement(node.station, connection.made)
    inner, outer = connection.inner, connection.outer
    since = case.trace.mark_after(came.frame)
    if segment == "data from the inside":
        dut.delivers(inner, outer, b"outward")
    elif segment == "data from the outside":
        dut.delivers(outer, inner, b"inward")
    elif segment == "acknowledgement":
        inner.acknowledge()
    elif segment == "FIN":
        inner.finish()
        outer.finish()
    elif segment == "reset":
        inner.reset()
    dut.settles()
    require_none("acknowledgements", [one.frame for one in dut.acknowledgements(node.station, since)])


@inopportune
@requirement("MOPS-4.3-03", case=2)
def test_segment_of_an_unknown_connection_elicits_none(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Data and an acknowledgement from the inside, in mid-stream of no connection, elicit no acknowledgement."""
    since = case.mark()
    for flags, data in (("A", b""), ("PA", b"in mid-stream"), ("FA", b""), ("R", b"")):
        end = dut.end(node.at(), server.listening.place)
        end.rcv_nxt = (end.snd_nxt + 1) % SEQUENCE_SPACE
        end.transmit(end.segment(flags, data))
    dut.settles()
    require_none("acknowledgements", [one.frame for one in dut.acknowledgements(node.station, since)])


@inopportune
@requirement("MOPS-4.3-68", case=1)
def test_syn_from_the_outside_elicits_none(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """A SYN from the outside, to a mapped port and to one that is not, elicits no acknowledgement on either side."""
    mapping = dut.maps(node.at(), server)
    came = dut.is_acknowledged(mapping)
    since = case.trace.mark_after(came.frame)
    for port in (mapping.outside[1], mapping.outside[1] ^ 1):
        end = dut.end(server.at(), (mapping.outside[0], port))
        end.start(*dut.syn_options)
    dut.settles()
    require_none("acknowledgements", [one.frame for one in dut.acknowledgements(node.station, since)])
    require_none("acknowledgements on the outside", dut.outside_acknowledgements())


@valid
@requirement("MOPS-C-06", case=1)
def test_syn_without_the_option_elicits_none(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Where a SYN has to carry MOBILE_CAPABLE, one without it elicits none, and the next one with it does."""
    profile = case.setup.profile
    if profile.ixit.mops.nat_ack_trigger != "mobile_capable":
        raise NotApplicable(f'{profile.path}: ixit.mops.nat_ack_trigger is "any_syn"')
    dut.maps(node.at(), server, SACK_PERMITTED)
    dut.settles()
    require_none("acknowledgements", [one.frame for one in dut.acknowledgements(node.station)])
    with preamble():
        dut.acknowledges(node.station, dut.maps(node.at(), server, mobile_capable(case)).made)


@valid
@requirement("MOPS-4.3-69", case=1)
def test_syn_on_a_reused_mapping_is_acknowledged(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """A second SYN from a port that has a mapping, to another server while none is established, elicits one too."""
    end = node.at()
    dut.is_acknowledged(dut.maps(end, server))
    dut.acknowledges(node.station, dut.maps(end, Server(case)).made)


@inopportune
@requirement("MOPS-4.3-16", case=1)
def test_retransmitted_syn_is_told(case: Case, node: Node, server: Server, dut: NatRouter) -> None:
    """Reported: how many acknowledgements a SYN that is sent three times elicits."""
    mapping = dut.maps(node.at(), server)
    for _ in range(2):
        node.station.transmit(mapping.made.data[14:])
    dut.settles()
    case.values["acknowledgements of a SYN sent three times"] = str(len(dut.acknowledgements(node.station)))
