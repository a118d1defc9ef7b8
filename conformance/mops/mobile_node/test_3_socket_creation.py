# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 3: the choice that an application makes with MOBILE_ALLOWED, at a mobile node."""

import pytest

from conformance.applicability import needs
from conformance.mops.dut.application import creates
from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Correspondent
from testbed import exclusive, requirement, valid
from testbed.case.case import Case

UNIQUE_ID = 0x51AC0FFE
either = pytest.mark.parametrize("allowed", [True, False], ids=["set", "cleared"])


@exclusive
@valid
@requirement("MOPS-3-02", case=1)
def test_node_asks_for_no_socket_that_is_not_mobile(device: Device, correspondent: Correspondent) -> None:
    """A node that moves asks for its mobile connection and not for the one without MOBILE_ALLOWED."""
    mobile, immobile = device.connects(correspondent), device.connects(correspondent, mobile_allowed=False)
    move = device.moves()
    device.asks(move, mobile)
    device.lists_nowhere(immobile, move.mark)


@either
@valid
@requirement("MOPS-3-03", case=2)
def test_node_application_can_choose(case: Case, correspondent: Correspondent, allowed: bool) -> None:
    """A UDP socket can be created with MOBILE_ALLOWED set and with it cleared."""
    needs(case, "mops.udp")
    arguments = {"address": correspondent.address, "port": 9, "timeout_s": 1}
    creates(case, "connect", protocol="udp", mobile_allowed=allowed, **arguments)


@exclusive
@valid
@requirement("MOPS-3-04", case=2)
def test_node_udp_socket_is_not_mobile_by_itself(case: Case, device: Device, correspondent: Correspondent) -> None:
    """A node does not ask for a UDP socket whose application did not choose, even if it has a Unique ID."""
    needs(case, "mops.unique_id")
    mobile, talk = device.connects(correspondent), device.talks(correspondent, unique_id=UNIQUE_ID)
    move = device.moves()
    device.asks(move, mobile)
    device.lists_nowhere(talk, move.mark)


@exclusive
@valid
@requirement("MOPS-3-06", case=2)
def test_node_udp_socket_with_flag_and_unique_id_migrates(
    case: Case, device: Device, correspondent: Correspondent
) -> None:
    """A node's UDP socket with MOBILE_ALLOWED and a Unique ID is asked for and goes on at the new tuple."""
    needs(case, "mops.unique_id")
    talk = device.talks(correspondent, mobile_allowed=True, unique_id=UNIQUE_ID)
    request = device.migrates(device.moves(), talk)
    device.is_told(request, talk)
    device.goes_on(talk)


@exclusive
@valid
@requirement("MOPS-7-03", case=2)
def test_node_socket_with_the_flag_is_mobile(device: Device, correspondent: Correspondent) -> None:
    """A TCP socket that was opened with MOBILE_ALLOWED is asked for."""
    session = device.connects(correspondent, mobile_allowed=True)
    device.migrates(device.moves(), session)
