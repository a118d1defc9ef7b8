# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-7: options of an illegal length."""

import pytest

from conformance.legacy.dut.host import Host
from conformance.legacy.tester.lower_tester import SEGMENT_SIZE, LowerTester
from conformance.legacy.tester.options import kind_of, malformed
from testbed import invalid, requirement
from testbed.case.case import Case

KINDS = pytest.mark.parametrize("option", ["Rehash", "MOBILE_CAPABLE", "Migrate-Permitted", "Migrate"])
LENGTHS = pytest.mark.parametrize("length", [0, 1, 5, 255])
"""Of an option of four bytes at the end of the header: 5 is one too many."""

SEGMENTS = pytest.mark.parametrize("segment", ["SYN", "data"])


def sends_malformed(tester: LowerTester, case: Case, option: str, length: int, segment: str) -> None:
    """Send a SYN, or another segment on a connection of its own, with a malformed option."""
    content = malformed(kind_of(case.setup.profile.ixit, option), length)
    if segment == "SYN":
        tester.starts(tester.peer(), SEGMENT_SIZE, content)
    else:
        tester.sends(tester.connects(), "PA", content, data=b"malformed")


@KINDS
@LENGTHS
@SEGMENTS
@invalid
@requirement("LEGACY-9293.3.1-08", case=1)
def test_other_connections_go_on(
    tester: LowerTester, host: Host, case: Case, option: str, length: int, segment: str
) -> None:
    """A connection of the same peer goes on behind an option of illegal length on another one."""
    other = tester.connects()
    sends_malformed(tester, case, option, length, segment)
    host.serves(other)


@KINDS
@LENGTHS
@SEGMENTS
@invalid
@requirement("LEGACY-9293.3.1-08", case=2)
def test_new_connections_open(
    tester: LowerTester, host: Host, case: Case, option: str, length: int, segment: str
) -> None:
    """A new connection of the same peer opens behind an option of illegal length."""
    sends_malformed(tester, case, option, length, segment)
    host.welcomes(tester.peer())
