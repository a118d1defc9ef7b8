# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 5 and 6, appendix C: what passes is as it was: messages, sequence numbers, options."""

from collections.abc import Iterable

import pytest

from conformance.mops.capable import mobile_capable
from conformance.mops.dut.firewall import Firewall
from conformance.mops.tester.crossing import Flow, RoamingNode
from layers.mops import FAILED, MIGRATE, MIGRATE_ATOMIC, SUCCESS
from layers.tcp_options import walk_options
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require
from testbed.peers.segment import SACK, Segment
from testbed.peers.sequence import SEQUENCE_SPACE
from testbed.wire.capture import Frame, Sent
from testbed.wire.headers import TCP_HEADER, read_tcp

CROSSED = pytest.mark.parametrize("position", ["crossed"])
EDGES = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
BEFORE_THE_WRAP = 0xFFFFFFE8


@CROSSED
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@valid
@requirement("MOPS-6-10", case=1)
def test_migrate_and_reply_pass_unchanged(node: RoamingNode, dut: Firewall, transport: str) -> None:
    """Migrates of three sessions, best-effort and atomic, and replies to them come out with every byte as it was."""
    move = node.move(*[dut.connect(node, transport) for _ in range(3)])
    for code, answer in ((MIGRATE_ATOMIC, FAILED), (MIGRATE, FAILED), (MIGRATE_ATOMIC, SUCCESS)):
        request = node.migrate(move, code=code)
        dut.passes_unchanged(request.sent)
        dut.passes_unchanged(node.server.reply(request, answer))


@CROSSED
@valid
@requirement("MOPS-6-10", case=2)
def test_reserved_bits_pass_unchanged(node: RoamingNode, dut: Firewall) -> None:
    """What stands in Reserved comes out as it was, and so does the reply that repeats it."""
    move = node.move(dut.connect(node))
    for reserved in (1, 0xFFFF):
        request = node.migrate(move, reserved=reserved)
        dut.passes_unchanged(request.sent)
        dut.passes_unchanged(node.server.reply(request, FAILED, reserved=reserved))


@CROSSED
@valid
@requirement("MOPS-6-10", case=3)
def test_identifiers_pass_unchanged(node: RoamingNode, dut: Firewall) -> None:
    """Unique IDs of any value, in two orders, come out as they were, both ways."""
    flows = [dut.connect(node, "udp") for _ in EDGES]
    for edges in (EDGES, EDGES[2:] + EDGES[:2]):
        for flow, identifier in zip(flows, edges, strict=True):
            flow.unique_id = identifier
        request = node.migrate(node.move(*flows))
        dut.passes_unchanged(request.sent)
        dut.passes_unchanged(node.server.reply(request, FAILED))


@CROSSED
@valid
@requirement("MOPS-6-10", case=4)
def test_partial_reply_passes_unchanged(node: RoamingNode, dut: Firewall) -> None:
    """A failed reply to a best-effort Migrate that lists two of three entries comes out with every byte as it was."""
    move = node.move(*[dut.connect(node) for _ in range(3)])
    request = dut.ask(node, move)
    dut.passes_unchanged(node.server.reply(request, FAILED, entries=request.entries[::2]))


def require_same(what: str, one: object, other: object, came: Frame, sent: Sent) -> None:
    """Both are the same."""
    require(one == other, what, one, other, came, sent.frame)


def _requires_initial_numbers(node: RoamingNode, dut: Firewall, place: int) -> None:
    """The first or the second segment of handshakes comes out with the initial sequence number that it had."""
    for number in EDGES:
        session = dut.new_session(node, initial_sequence=number)
        with preamble():
            sent, came = dut.shakes_hands(*session.connection)[place]
        (before, *_), (after, *_) = _numbers(dut, sent, came)
        require_same("initial sequence number", before, after, came, sent)


@valid
@requirement("MOPS-6-01", case=11)
def test_initial_number_of_a_syn_is_as_it_was(node: RoamingNode, dut: Firewall) -> None:
    """SYNs from the inside come out with their initial sequence numbers."""
    _requires_initial_numbers(node, dut, 0)


@valid
@requirement("MOPS-6-02", case=11)
def test_initial_number_of_a_syn_ack_is_as_it_was(node: RoamingNode, dut: Firewall) -> None:
    """SYN-ACKs from the outside come out with their initial sequence numbers."""
    _requires_initial_numbers(node, dut, 1)


def _numbers(dut: Firewall, sent: Sent, came: Frame) -> list[tuple[object, ...]]:
    """Sequence number, acknowledgement and edges of the SACK blocks, as sent and as they came out."""
    network = dut.across(sent).network
    found: list[tuple[object, ...]] = []
    for frame in (sent.frame, came):
        content = network.payload(frame.data)
        header = read_tcp(content)
        assert header
        blocks = [
            one.raw.hex() for one in walk_options(content[TCP_HEADER : (header.word >> 12) * 4]) if one.kind == SACK
        ]
        found.append((header.seq, header.ack, *blocks))
    return found


def _requires_numbers(dut: Firewall, sent: Iterable[Sent]) -> None:
    for one in sent:
        came = dut.passes(one)
        before, after = _numbers(dut, one, came)
        require_same("sequence number, acknowledgement, SACK blocks", before, after, came, one)


@CROSSED
@valid
@requirement("MOPS-5-01", case=11)
def test_numbers_are_as_they_were(node: RoamingNode, dut: Firewall) -> None:
    """Data, acknowledgements and SACK blocks of both ends come out with their numbers, across their wrap, at home and
    after moves."""
    session = dut.connect(node, timestamps=True, initial_sequence=BEFORE_THE_WRAP)
    for number in range(3):
        if number:
            dut.migrate(node, session, used=False)
        for one, other in (session.connection, session.connection[::-1]):
            _requires_numbers(dut, [one.send(b"in its turn"), one.send_out_of_window(b"before its turn", 100)])
            other.read()
            edges = [(one.snd_nxt + offset) % SEQUENCE_SPACE for offset in (100, 115)]
            block = b"\x01\x01\x05\x0a" + b"".join(edge.to_bytes(4) for edge in edges)
            _requires_numbers(dut, [other.acknowledge(options=[block, other.stamps()])])


@CROSSED
@valid
@requirement("MOPS-C-07", case=11)
def test_mobile_capable_passes_unchanged(node: RoamingNode, dut: Firewall, case: Case) -> None:
    """MOBILE_CAPABLE comes out on each segment of the handshake as it was."""
    session = dut.new_session(node)
    opener, other = session.connection if node.position == "inside" else session.connection[::-1]
    option = mobile_capable(case)
    for end in (opener, other):
        end.options.clear()
    with preamble():
        syn = came(dut, opener.start(option))
        syn_ack = came(dut, other.accept(syn, option))
        opener.read()
        ack = came(dut, opener.acknowledge(options=[option]))
    for segment in (syn, syn_ack, ack):
        seen = [one.raw for one in segment.options]
        require(option in seen, f"options of {segment.flags}", option.hex(), [one.hex() for one in seen], segment.frame)


def came(dut: Firewall, sent: Sent) -> Segment:
    """A segment as it comes out."""
    segment = Segment.read(dut.passes(sent), dut.across(sent).network)
    assert segment
    return segment


@CROSSED
@valid
@requirement("MOPS-6-77", case=1)
def test_no_message_of_its_own(node: RoamingNode, dut: Firewall) -> None:
    """While sessions open, migrate and are refused no message comes that the tester has not sent."""
    session: Flow = dut.connect(node)
    dut.migrate(node, session)
    dut.hear(node.server.reply(dut.ask(node, node.move(session)), FAILED))
    dut.message_barrier()
    dut.quiesce()
