# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1122, 3.2.2: messages of unknown type are discarded in silence, whole or damaged."""

import pytest

from conformance.legacy.dut.host import Host
from conformance.legacy.tester.lower_tester import LowerTester
from conformance.legacy.tester.messages import ALL, DAMAGE, MOPS, NOTIFICATIONS, is_sacip
from testbed import inopportune, invalid, requirement, valid

MESSAGES = pytest.mark.parametrize("message", list(MOPS))
NOTICES = pytest.mark.parametrize("notice", list(NOTIFICATIONS))
DAMAGED = pytest.mark.parametrize("damage", list(DAMAGE))
WHICH = pytest.mark.parametrize("message", list(ALL))


@MESSAGES
@valid
@requirement("LEGACY-1122.3.2.2-01", case=1)
def test_mops_message_is_not_answered(tester: LowerTester, host: Host, message: str) -> None:
    """A MOPS message for a connection, from its new address, draws Protocol Unreachable or silence."""
    peer = tester.connects()
    sent = tester.tells(MOPS[message](peer, tester.elsewhere), tester.elsewhere)
    host.says_nothing(sent, [tester.station, tester.elsewhere], but_unreachable=True)


@MESSAGES
@valid
@requirement("LEGACY-1122.3.2.2-01", case=2)
def test_connection_goes_on_behind_a_mops_message(tester: LowerTester, host: Host, message: str) -> None:
    """The connection that a MOPS message from the new address is about goes on at the old one."""
    peer = tester.connects()
    tester.tells(MOPS[message](peer, tester.elsewhere), tester.elsewhere)
    host.has_gone_on()
    host.serves(peer)


@NOTICES
@valid
@requirement("LEGACY-1122.3.2.2-02", case=1)
def test_sacip_is_not_answered(tester: LowerTester, host: Host, notice: str) -> None:
    """A SACIP notification from the peer of a connection draws silence, at the old address and at the new one."""
    peer = tester.connects()
    sent = tester.tells(NOTIFICATIONS[notice](peer, tester.elsewhere))
    host.says_nothing(sent, [tester.station, tester.elsewhere])


@NOTICES
@inopportune
@requirement("LEGACY-1122.3.2.2-02", case=2)
def test_sacip_of_a_stranger_is_not_answered(tester: LowerTester, host: Host, notice: str) -> None:
    """A SACIP notification from an address without any connection draws silence."""
    tester.introduces(tester.station)
    sent = tester.tells(NOTIFICATIONS[notice](tester.peer(), tester.elsewhere))
    host.says_nothing(sent, [tester.station, tester.elsewhere])


@NOTICES
@valid
@requirement("LEGACY-1122.3.2.2-02", case=3)
def test_connections_go_on_at_the_old_address(tester: LowerTester, host: Host, notice: str) -> None:
    """All connections of the peer that has sent a SACIP notification go on at its old address."""
    peers = [tester.connects() for _ in range(3)]
    tester.tells(NOTIFICATIONS[notice](peers[0], tester.elsewhere))
    host.has_gone_on()
    host.serves(*peers)


@NOTICES
@valid
@requirement("LEGACY-1122.3.2.2-02", case=4)
def test_new_address_hears_nothing(tester: LowerTester, host: Host, notice: str) -> None:
    """Data that a connection carries behind a SACIP notification does not go to the new address."""
    peer = tester.connects()
    sent = tester.tells(NOTIFICATIONS[notice](peer, tester.elsewhere))
    peer.send(b"where does the answer go")
    host.sends_nothing_to(tester.elsewhere, sent)


@WHICH
@DAMAGED
@invalid
@requirement("LEGACY-1122.3.2.2-03", case=1)
def test_connection_goes_on_behind_a_damaged_message(
    tester: LowerTester, host: Host, message: str, damage: str
) -> None:
    """A connection goes on behind a message that is cut short, has a wrong checksum or is as long as can be."""
    peer = tester.connects()
    whole = ALL[message](peer, tester.elsewhere)
    tester.tells(DAMAGE[damage](whole), icmp=is_sacip(whole))
    host.serves(peer)


@WHICH
@DAMAGED
@invalid
@requirement("LEGACY-1122.3.2.2-03", case=2)
def test_new_connection_opens_behind_a_damaged_message(
    tester: LowerTester, host: Host, message: str, damage: str
) -> None:
    """A new connection of the same peer opens behind such a message."""
    whole = ALL[message](tester.connects(), tester.elsewhere)
    tester.tells(DAMAGE[damage](whole), icmp=is_sacip(whole))
    host.welcomes(tester.peer())
