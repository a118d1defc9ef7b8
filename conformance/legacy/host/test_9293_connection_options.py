# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-5 and MUST-6: unknown options on segments of connections, and beside them."""

import pytest

from conformance.legacy.dut.host import Host
from conformance.legacy.tester.lower_tester import LowerTester
from testbed import inopportune, requirement, valid
from testbed.case.verdict import Broken, Finding
from testbed.device.upper_tester import OperationFailed

RETRANSMITTED_WITHIN_S = 1.5
"""RFC 6298: the timer of a connection that was never late is one second, or less."""

OPTIONS = pytest.mark.parametrize("option", ["REHASH-INIT", "REHASH-ADDR"])
LENGTHS = pytest.mark.parametrize("length", [1, 536, 1400])
SEGMENTS = pytest.mark.parametrize(
    ("flags", "data"),
    [("A", b""), ("PA", b"to whom it may concern"), ("FA", b"")],
    ids=["acknowledgement", "data", "FIN"],
)


@OPTIONS
@LENGTHS
@valid
@requirement("LEGACY-9293.3.1-02", case=1)
def test_data_with_rehash_option_is_taken(tester: LowerTester, host: Host, option: str, length: int) -> None:
    """Data of a segment with the option is taken as without it."""
    peer = tester.connects()
    data = bytes(number % 251 for number in range(length))
    sent = tester.sends(peer, "PA", tester.option(option, peer), data=data)
    host.delivers(peer, sent, data)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-02", case=2)
def test_acknowledgement_with_rehash_option_counts(tester: LowerTester, host: Host, option: str) -> None:
    """Data that was acknowledged by a segment with the option is not sent again."""
    peer = tester.connects()
    tester.hears(peer, b"say it once")
    tester.sends(peer, "A", tester.option(option, peer))
    host.repeats_nothing(peer, RETRANSMITTED_WITHIN_S)


@OPTIONS
@valid
@requirement("LEGACY-9293.3.1-02", case=3)
def test_fin_with_rehash_option_closes(tester: LowerTester, host: Host, option: str) -> None:
    """A FIN with the option closes the connection."""
    peer = tester.connects()
    host.closes(peer, tester.sends(peer, "FA", tester.option(option, peer)))


@SEGMENTS
@inopportune
@requirement("LEGACY-9293.3.1-02", case=4)
def test_new_address_in_a_segment_hears_nothing(tester: LowerTester, host: Host, flags: str, data: bytes) -> None:
    """A REHASH-ADDR that names another address, on a segment of the connection, makes nobody send anything there."""
    peer = tester.connects()
    order = peer.order(peer.station.address, nonce=1, new=tester.elsewhere.address)
    sent = tester.sends(peer, flags, bytes(order), data=data)
    host.sends_nothing_to(tester.elsewhere, sent)


@OPTIONS
@inopportune
@requirement("LEGACY-9293.3.1-02", case=5)
def test_connection_that_the_host_opens_works(tester: LowerTester, host: Host, option: str) -> None:
    """A connection that the device opens, and that is answered with the option on the SYN-ACK, carries data."""
    call, peer, syn = tester.is_called(host)
    peer.accepts(syn, options=[tester.option(option, peer)])
    try:
        connection = int(call.result()["connection"])
    except OperationFailed as error:
        raise Broken(Finding(f"the device does not connect: {error.reason}", "a connection", "none")) from None
    peer.read()
    host.sends_data(peer, connection, b"hello from the device")


@SEGMENTS
@inopportune
@requirement("LEGACY-9293.3.1-03", case=1)
def test_order_from_elsewhere_is_answered_like_any_segment(
    tester: LowerTester, host: Host, flags: str, data: bytes
) -> None:
    """A segment with REHASH-ADDR from where there is no connection is answered like one without it."""
    peer = tester.connects()
    plain = host.answer_to(*tester.strays(peer, flags, data=data))
    end, sent = tester.strays(peer, flags, tester.option("REHASH-ADDR", peer), data=data)
    host.answers_alike(plain, end, sent)


@SEGMENTS
@inopportune
@requirement("LEGACY-9293.3.1-03", case=2)
def test_order_from_elsewhere_leaves_the_connection(tester: LowerTester, host: Host, flags: str, data: bytes) -> None:
    """The connection that a REHASH-ADDR from elsewhere names goes on where it is."""
    peer = tester.connects()
    order = peer.order(peer.station.address, nonce=1, new=tester.elsewhere.address)
    tester.strays(peer, flags, bytes(order), data=data)
    host.has_gone_on()
    host.serves(peer)
