# SPDX-License-Identifier: GPL-2.0-or-later
"""Appendix C: MOBILE_CAPABLE on the SYN of a mobile node and on the ACK that ends the handshake."""

from conformance.mops.capable import carries_mobile_capable
from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.tester.server import Correspondent
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require


@valid
@requirement("MOPS-C-01", case=1)
def test_syn_carries_mobile_capable(case: Case, app: Applications, correspondent: Correspondent) -> None:
    """The SYN of a mobile connection carries MOBILE_CAPABLE."""
    attempt = app.begin_connect(correspondent)
    carried = carries_mobile_capable(case, attempt.syn.tcp)
    require(carried, "MOBILE_CAPABLE on the SYN", "present", "absent", attempt.syn.frame)
    attempt.local.reset()


@valid
@requirement("MOPS-C-03", case=1)
def test_ack_of_the_handshake_carries_mobile_capable(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The ACK that ends a handshake whose SYN-ACK carried MOBILE_CAPABLE carries it too."""
    connection = correspondent.accept(app.begin_connect(correspondent))
    ack = next(one for one in dut.segments(connection.local) if "S" not in one.flags and "A" in one.flags)
    carried = carries_mobile_capable(case, ack.tcp)
    require(carried, "MOBILE_CAPABLE on the ACK", "present", "absent", ack.frame)


@valid
@requirement("MOPS-C-05", case=1)
def test_syn_ack_without_mobile_capable_is_accepted(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A connection whose SYN carries MOBILE_CAPABLE and whose SYN-ACK does not opens and works."""
    attempt = app.begin_connect(correspondent)
    with preamble():
        carried = carries_mobile_capable(case, attempt.syn.tcp)
        require(carried, "MOBILE_CAPABLE on the SYN", "present", "absent", attempt.syn.frame)
    connection = correspondent.accept(attempt, negotiates=False)
    dut.continues(connection, b"without the option")
