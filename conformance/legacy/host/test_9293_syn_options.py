# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-6: unknown options on a SYN, which is answered as without them."""

from collections.abc import Iterable
from typing import Any

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.node import Node
from conformance.legacy.tester.options import (
    CAPABLE,
    CAPABLE_LENGTHS,
    CAPABLE_TWICE,
    MIGRATE,
    MIGRATE_LENGTHS,
    PERMITTED,
    PERMITTED_LENGTHS,
    PERMITTED_WITH_KEY,
    REHASH_ADDR,
    REHASH_INIT,
    REHASH_INIT_TWICE,
    REHASH_LENGTHS,
    REHASH_UNDEFINED,
    UNKNOWN_MIGRATE,
    Probe,
)
from layers.tcp_options import TimestampOption
from testbed import inopportune, invalid, requirement, valid
from testbed.peers.tcp import TIMESTAMPS
from testbed.wire import chance

REQUESTS = pytest.mark.parametrize("reqno", [0, 1, 255])


def rows(probes: Iterable[Probe], *marks: pytest.MarkDecorator) -> list[Any]:
    """A row of a table for each option."""
    return [pytest.param(probe, id=probe.name, marks=marks) for probe in probes]


@pytest.mark.parametrize(
    "option",
    [
        *rows([REHASH_INIT], requirement("LEGACY-9293.3.1-01", case=1), valid),
        *rows([CAPABLE], requirement("LEGACY-9293.3.1-04", case=1), valid),
        *rows([PERMITTED, PERMITTED_WITH_KEY], requirement("LEGACY-9293.3.1-05", case=1), valid),
        *rows([UNKNOWN_MIGRATE], requirement("LEGACY-9293.3.1-06", case=1), valid),
        *rows(
            [REHASH_INIT_TWICE, REHASH_ADDR, REHASH_UNDEFINED, *REHASH_LENGTHS],
            requirement("LEGACY-9293.3.1-01", case=2),
            invalid,
        ),
        *rows([CAPABLE_TWICE, *CAPABLE_LENGTHS], requirement("LEGACY-9293.3.1-04", case=2), invalid),
        *rows(PERMITTED_LENGTHS, requirement("LEGACY-9293.3.1-05", case=2), invalid),
        *rows(MIGRATE_LENGTHS, requirement("LEGACY-9293.3.1-06", case=2), invalid),
    ],
)
def test_syn_with_unknown_option_is_answered_without_it(node: Node, dut: LegacyHost, option: Probe) -> None:
    """A SYN with an unknown option of any length or content is answered with a SYN-ACK that has none of its kind."""
    dut.answers_syn(*node.offer(option), without=option.kind)


@pytest.mark.parametrize(
    "option",
    [
        *rows([REHASH_INIT], requirement("LEGACY-9293.3.1-01", case=3), valid),
        *rows([CAPABLE], requirement("LEGACY-9293.3.1-04", case=3), valid),
        *rows([PERMITTED, PERMITTED_WITH_KEY], requirement("LEGACY-9293.3.1-05", case=3), valid),
        *rows([UNKNOWN_MIGRATE], requirement("LEGACY-9293.3.1-06", case=3), valid),
        *rows(
            [REHASH_INIT_TWICE, REHASH_ADDR, REHASH_UNDEFINED, *REHASH_LENGTHS],
            requirement("LEGACY-9293.3.1-01", case=4),
            invalid,
        ),
        *rows([CAPABLE_TWICE, *CAPABLE_LENGTHS], requirement("LEGACY-9293.3.1-04", case=4), invalid),
        *rows(PERMITTED_LENGTHS, requirement("LEGACY-9293.3.1-05", case=4), invalid),
        *rows(MIGRATE_LENGTHS, requirement("LEGACY-9293.3.1-06", case=4), invalid),
    ],
)
def test_connection_opened_with_unknown_option_carries_data(node: Node, dut: LegacyHost, option: Probe) -> None:
    """A connection whose SYN carried an unknown option of any length or content carries data."""
    dut.serves(node.connect(option))


@valid
@requirement("LEGACY-9293.3.1-05", case=5)
def test_key_of_migrate_permitted_in_the_timestamps(node: Node, dut: LegacyHost) -> None:
    """The second half of the key, which stands in for both timestamps of the SYN, is taken for timestamps."""
    dut.supports(TIMESTAMPS, *node.offer_all_options())
    peer = node.peer(timestamps=True)
    peer.clock = chance.randbits(32)
    key = TimestampOption(tsval=peer.clock, tsecr=chance.randbits(32))
    syn = peer.start_with([node.segment_size, key, node.option(PERMITTED_WITH_KEY, peer)])
    dut.echoes_timestamp(peer, syn)


@REQUESTS
@inopportune
@requirement("LEGACY-9293.3.1-06", case=5)
def test_syn_with_migrate_to_a_closed_port_is_refused(node: Node, dut: LegacyHost, reqno: int) -> None:
    """A SYN with Migrate, also with token and request of a live connection, to a port without service is refused."""
    live = node.connect(PERMITTED)
    peer = node.peer(node.elsewhere, remote_port=node.find_refusing_port())
    syn = peer.start_with([node.segment_size, node.migrate_option(live, peer.snd_nxt, reqno)])
    dut.refuses(peer, syn)


@REQUESTS
@inopportune
@requirement("LEGACY-9293.3.1-06", case=6)
def test_syn_with_migrate_of_a_live_connection_opens_another(node: Node, dut: LegacyHost, reqno: int) -> None:
    """A SYN with token and request of a live connection is answered with a SYN-ACK, as any SYN."""
    live = node.connect(PERMITTED)
    peer = node.peer(node.elsewhere)
    syn = peer.start_with([node.segment_size, node.migrate_option(live, peer.snd_nxt, reqno)])
    dut.answers_syn(peer, syn, without=MIGRATE)


@REQUESTS
@inopportune
@requirement("LEGACY-9293.3.1-06", case=7)
def test_syn_with_migrate_harms_no_connection(node: Node, dut: LegacyHost, reqno: int) -> None:
    """The connection whose token and request a SYN carries continues where it is, and so does another of its peer."""
    other, live = node.connect(), node.connect(PERMITTED)
    peer = node.peer(node.elsewhere)
    option = node.migrate_option(live, peer.snd_nxt, reqno)
    node.exchange(live, other)
    peer.start_with([node.segment_size, option])
    dut.barrier()
    dut.serves(live, other)
