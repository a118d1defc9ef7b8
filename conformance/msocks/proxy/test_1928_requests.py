# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 1928, sections 4 to 6: requests, their replies in every outcome, and what follows a failure."""

import pytest
from scapy.layers.inet import ICMP, IP

from conformance.msocks.dut.relay import Relay
from conformance.msocks.tester.client import Client
from conformance.msocks.tester.correspondent import Correspondent
from conformance.msocks.tester.dialogue import Dialogue
from layers.msocks import DOMAIN, IPV4, IPV6
from testbed import invalid, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.peers.segment import Segment

REFUSED, NETWORK_UNREACHABLE, HOST_UNREACHABLE = 5, 3, 4
COMMAND, ADDRESS_TYPE = 7, 8
TEN_SECONDS = 10.0
UNREACHABLE = {"network": (0, NETWORK_UNREACHABLE), "host": (1, HOST_UNREACHABLE)}
FAILURES = ["refused", "network", "host"]
CODES = [
    pytest.param(0, id="refused", marks=requirement("MSOCKS-1928.4-01")),
    pytest.param(COMMAND, id="its code", marks=requirement("MSOCKS-1928.6-05")),
]
TYPES = [
    pytest.param(0, id="refused", marks=requirement("MSOCKS-1928.4-02")),
    pytest.param(ADDRESS_TYPE, id="its code", marks=requirement("MSOCKS-1928.6-06")),
]


@valid
@requirement("MSOCKS-4-02", case=1)
def test_connect_succeeds(client: Client, far: Correspondent, dut: Relay) -> None:
    """CONNECT opens a connection to the address and port, is answered by success, and data goes both ways."""
    dialogue, since = client.greet(), dut.mark()
    dialogue.send(far.request())
    dut.carries(dut.connects(dialogue, far, since))


@valid
@requirement("MSOCKS-4-02", case=2)
def test_success_waits_for_the_connection(client: Client, far: Correspondent, dut: Relay, case: Case) -> None:
    """No success comes before the correspondent host has answered the SYN."""
    dialogue, since = client.greet(), dut.mark()
    dialogue.send(far.request())
    syn = dut.calls(far, since)
    case.watch(case.setup.profile.ixit.silence_s)
    dut.has_not_replied(dialogue, syn.frame)
    peer = far.end_for(syn)
    peer.accept(syn)
    dut.replies(dialogue, deadline=case.deadline())


@valid
@requirement("MSOCKS-1928.6-03", case=1)
def test_reply_names_the_end_of_the_connection(client: Client, far: Correspondent, dut: Relay) -> None:
    """BND.ADDR and BND.PORT of the reply are address and port that the correspondent host sees."""
    session = client.connect(far)
    seen = session.syn.source, session.syn.source_port
    require(session.identifier == seen, "bound address and port", seen, session.identifier, session.syn.frame)


@valid
@requirement("MSOCKS-1928.6-04", case=1)
def test_shape_of_the_reply(client: Client, far: Correspondent, dut: Relay) -> None:
    """A success has RSV 0 and a known type of address."""
    dialogue, since = client.greet(), dut.mark()
    dialogue.send(far.request())
    peer, _ = far.accept(since)
    reply = dut.replies(dialogue)
    require(reply.reserved == 0, "RSV", 0, reply.reserved, dut.frame(dialogue))
    known = IPV4, DOMAIN, IPV6
    require(reply.address_type in known, "ATYP", "1, 3 or 4", reply.address_type, dut.frame(dialogue))
    peer.reset()


@valid
@requirement("MSOCKS-1928.5-01", case=1)
def test_domain_name(client: Client, far: Correspondent, dut: Relay) -> None:
    """A domain name that is an address in dotted form leads to a connection to that address."""
    dialogue, since = client.greet(), dut.mark()
    dialogue.send(far.request(address_type=DOMAIN))
    dut.carries(dut.connects(dialogue, far, since))


def _fail(client: Client, far: Correspondent, dut: Relay, how: str) -> tuple[Dialogue, int]:
    """A CONNECT that comes to nothing in this way; the code that says so."""
    dialogue, since = client.greet(), dut.mark()
    dialogue.send(far.request())
    syn = dut.calls(far, since)
    if how == "refused":
        peer = far.end_for(syn)
        peer.rcv_nxt = (syn.seq + 1) % (1 << 32)
        peer.reset()
        return dialogue, REFUSED
    code, reply = UNREACHABLE[how]
    _unreachable(far, syn, code)
    return dialogue, reply


def _unreachable(far: Correspondent, syn: Segment, code: int) -> None:
    quoted = bytes(IP(bytes(syn.packet)))[:28]
    far.station.transmit(IP(src=far.station.address, dst=syn.source) / ICMP(type=3, code=code) / quoted)


@pytest.mark.parametrize("how", FAILURES)
@valid
@requirement("MSOCKS-4-03", case=1)
def test_failure_is_told(client: Client, far: Correspondent, dut: Relay, how: str) -> None:
    """A CONNECT to a host that refuses it or that cannot be reached is answered by an error."""
    dialogue, _ = _fail(client, far, dut, how)
    dut.refuses(dialogue)


@pytest.mark.parametrize("how", FAILURES)
@valid
@requirement("MSOCKS-1928.6-01", case=1)
def test_failure_is_told_by_its_code(client: Client, far: Correspondent, dut: Relay, how: str) -> None:
    """The reply code says which failure it was."""
    dialogue, code = _fail(client, far, dut, how)
    dut.refuses(dialogue, {code})


@valid
@requirement("MSOCKS-4-03", case=2)
@waits(4)
def test_nobody_there_is_told(client: Client, far: Correspondent, dut: Relay, case: Case) -> None:
    """A CONNECT to an address of the outside that nobody has is answered by an error within ten seconds."""
    dialogue = client.greet()
    dialogue.send(far.request(address=dut.address_of_nobody()))
    dut.refuses(dialogue, within_s=TEN_SECONDS)


@valid
@requirement("MSOCKS-4-03", case=3)
def test_next_connect_succeeds(client: Client, far: Correspondent, dut: Relay) -> None:
    """After a failure the next client is served."""
    dialogue, _ = _fail(client, far, dut, "refused")
    dut.refuses(dialogue)
    dut.serves_anew(far)


@pytest.mark.parametrize("how", FAILURES)
@valid
@requirement("MSOCKS-1928.6-02", case=1)
def test_failure_ends_the_connection(client: Client, far: Correspondent, dut: Relay, how: str) -> None:
    """Within ten seconds of a failure the proxy ends the client's connection."""
    dialogue, _ = _fail(client, far, dut, how)
    dut.refuses(dialogue)
    dut.ends(dialogue, TEN_SECONDS)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("command", [0, 4, 0x7F, 0x81, 0xFF])
@invalid
@requirement(case=1)
def test_unknown_command(client: Client, far: Correspondent, dut: Relay, command: int, code: int) -> None:
    """An unknown command draws an error, or the end of the connection, and opens no connection."""
    dialogue, since = client.greet(), dut.mark()
    dialogue.send(far.request(cmd=command))
    dut.refuses(dialogue, {code}) if code else dut.refuses_or_ends(dialogue)
    dut.calls_nobody(far, since)
    dut.serves_an_ordinary_client()


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("kind", [0, 2, 5, 0xFF])
@invalid
@requirement(case=1)
def test_unknown_address_type(client: Client, dut: Relay, kind: int, code: int) -> None:
    """An unknown type of address draws an error, or the end of the connection."""
    dialogue = client.greet()
    dialogue.send(bytes([5, 1, 0, kind]) + b"\xc0\x00\x02\x01\x00\x50")
    dut.refuses(dialogue, {code}) if code else dut.refuses_or_ends(dialogue)
    dut.serves_an_ordinary_client()


@pytest.mark.parametrize("version", [0, 4, 6, 255])
@invalid
@requirement("MSOCKS-1928.4-03", case=1)
def test_request_of_another_version(client: Client, far: Correspondent, dut: Relay, version: int) -> None:
    """A request of another version opens no connection."""
    dialogue, since = client.greet(), dut.mark()
    dialogue.send(far.request(version=version))
    dut.calls_nobody(far, since)
    dut.serves_an_ordinary_client()
