# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-6: what ordinary TCP options mean beside, and behind, one that is unknown."""

import pytest

from conformance.legacy.dut.host import SACK, SACK_PERMITTED, TIMESTAMPS, WINDOW_SCALE, Host
from conformance.legacy.tester.lower_tester import SCALE, LowerTester
from testbed import requirement, valid

OPTIONS = pytest.mark.parametrize(
    "option",
    ["REHASH-INIT", "MOBILE_CAPABLE", "Migrate-Permitted, length 3", "Migrate-Permitted, length 20", "Migrate"],
)
WINDOW = 4 << SCALE


def ordinarily_uses(tester: LowerTester, host: Host, kind: int) -> None:
    """The device uses an ordinary option if there is no other beside it, as preamble."""
    plain = tester.peer(timestamps=True)
    host.uses(kind, plain, tester.starts_richly(plain))


@OPTIONS
@pytest.mark.parametrize("kind", [WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS], ids=["scale", "SACK", "timestamps"])
@valid
@requirement("LEGACY-9293.3.1-07", case=1)
def test_ordinary_option_behind_unknown_one_on_a_syn(tester: LowerTester, host: Host, option: str, kind: int) -> None:
    """An ordinary option of a SYN is answered although an unknown one stands in front of it."""
    ordinarily_uses(tester, host, kind)
    peer = tester.peer(timestamps=True)
    syn = tester.starts_richly(peer, tester.option(option, peer))
    host.answers_with(kind, peer, syn)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=2)
def test_timestamps_of_a_syn_are_echoed(tester: LowerTester, host: Host, option: str) -> None:
    """The timestamp of a SYN is echoed although an unknown option stands in front of it."""
    ordinarily_uses(tester, host, TIMESTAMPS)
    peer = tester.peer(timestamps=True)
    syn = tester.starts_richly(peer, tester.option(option, peer))
    segment, stamps = host.option_in_answer(TIMESTAMPS, peer, syn)
    host.echoes(peer.clock, stamps, segment)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=3)
def test_timestamps_of_data_are_echoed(tester: LowerTester, host: Host, option: str) -> None:
    """The timestamp of data is echoed although an unknown option stands in front of it."""
    ordinarily_uses(tester, host, TIMESTAMPS)
    peer = tester.opens_richly("REHASH-INIT")
    sent = tester.sends(peer, "PA", tester.option(option, peer), data=b"what time is it")
    segment, stamps = host.option_in_answer(TIMESTAMPS, peer, sent)
    host.echoes(peer.clock, stamps, segment)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=4)
def test_gap_is_told_by_selective_acknowledgement(tester: LowerTester, host: Host, option: str) -> None:
    """Data beyond a gap, in a segment with an unknown option, is acknowledged by SACK."""
    ordinarily_uses(tester, host, SACK_PERMITTED)
    peer = tester.opens_richly(option)
    sent, block = tester.leaves_a_gap(peer, tester.option(option, peer), b"behind the gap")
    segment, blocks = host.option_in_answer(SACK, peer, sent)
    host.names_the_block(block, blocks, segment)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-07", case=5)
def test_window_is_scaled(tester: LowerTester, host: Host, option: str) -> None:
    """The device uses a window that is large only if the scale behind an unknown option counts."""
    ordinarily_uses(tester, host, WINDOW_SCALE)
    peer = tester.opens_richly(option, WINDOW)
    sent = tester.sends(peer, "PA", tester.option(option, peer), data=bytes(WINDOW), window=WINDOW >> SCALE)
    host.fills_the_window(peer, sent, WINDOW)
