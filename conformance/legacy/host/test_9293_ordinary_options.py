# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-6: what ordinary TCP options mean after one that is unknown."""

import pytest

from conformance.legacy.dut.host import LegacyHost
from conformance.legacy.tester.node import SCALE, Node
from conformance.legacy.tester.options import (
    CAPABLE,
    PERMITTED,
    PERMITTED_WITH_KEY,
    REHASH_INIT,
    UNKNOWN_MIGRATE,
    Probe,
)
from testbed import requirement, valid
from testbed.peers.tcp import TIMESTAMPS, WINDOW_SCALE

SACK_PERMITTED = 4
OPTIONS = pytest.mark.parametrize(
    "option", [REHASH_INIT, CAPABLE, PERMITTED, PERMITTED_WITH_KEY, UNKNOWN_MIGRATE], ids=str
)
UNSCALED = 4
"""What a window says that is large only if it is scaled."""


@OPTIONS
@pytest.mark.parametrize("kind", [WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS], ids=["scale", "SACK", "timestamps"])
@valid
@requirement("LEGACY-9293.3.1-07", case=1)
def test_ordinary_option_after_unknown_one_on_a_syn(node: Node, dut: LegacyHost, option: Probe, kind: int) -> None:
    """An ordinary option of a SYN is answered although an unknown one stands in front of it."""
    dut.supports(kind, *node.offer_all_options())
    dut.answers_with(kind, *node.offer_all_options(option))


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=2)
def test_timestamps_of_a_syn_are_echoed(node: Node, dut: LegacyHost, option: Probe) -> None:
    """The timestamp of a SYN is echoed although an unknown option stands in front of it."""
    dut.supports(TIMESTAMPS, *node.offer_all_options())
    dut.echoes_timestamp(*node.offer_all_options(option))


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=3)
def test_timestamps_of_data_are_echoed(node: Node, dut: LegacyHost, option: Probe) -> None:
    """The timestamp of data is echoed although an unknown option stands in front of it."""
    dut.supports(TIMESTAMPS, *node.offer_all_options())
    peer = node.connect_with_all_options(REHASH_INIT)
    sent = node.send_before_timestamps(peer, option, b"what time is it")
    dut.echoes_timestamp(peer, sent)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=4)
def test_out_of_order_data_is_acknowledged_by_sack(node: Node, dut: LegacyHost, option: Probe) -> None:
    """Data after a gap, in a segment with an unknown option, is acknowledged by SACK."""
    dut.supports(SACK_PERMITTED, *node.offer_all_options())
    peer = node.connect_with_all_options(option)
    sent, block = node.send_out_of_order(peer, option, b"after the gap")
    dut.acknowledges_block(block, peer, sent)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=5)
def test_window_is_scaled(node: Node, dut: LegacyHost, option: Probe) -> None:
    """The device uses a window that is large only if the scale after an unknown option counts."""
    dut.supports(WINDOW_SCALE, *node.offer_all_options())
    peer = node.connect_with_all_options(option, UNSCALED << SCALE)
    sent = node.send_before_timestamps(peer, option, bytes(8 * UNSCALED), window=UNSCALED)
    dut.exceeds(peer, sent, UNSCALED)
