# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 2.1, 4.1, 7 and appendix B: a mobile node that moves again, moves back, or was without a network."""

from scapy.layers.l2 import ARP, Ether

from conformance.mops.dut.mobile_node import Device
from conformance.mops.tester.server import Correspondent
from conformance.mops.tester.sessions import listed
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.interruptions import NotApplicable
from testbed.wire.clock import NANO

OUTAGE_S = 1.0


@exclusive
@valid
@requirement("MOPS-2.1-02", case=1)
def test_connection_survives_a_while_without_network(case: Case, device: Device, correspondent: Correspondent) -> None:
    """After a time in which nothing got through the node migrates at its new address, and what waited arrives."""
    session = device.connects(correspondent)
    start, data = len(session.end.stream), b"sent while there was no network"
    sent_ns = device.application_sends(session, data)
    case.wait_until(sent_ns + round(OUTAGE_S * NANO))
    session.end.drop_unread()
    request = device.migrates(device.moves(), session)
    device.delivers(session, data, start, device.is_told(request, session), sent_ns)


@exclusive
@inopportune
@requirement("MOPS-4.1-148", case=1)
@waits(0.6)
def test_move_while_a_migrate_is_unanswered(case: Case, device: Device, correspondent: Correspondent) -> None:
    """The next Migrate names the newest address, and nothing more comes from the address that was lost."""
    session = device.connects(correspondent)
    device.asks(device.moves(), session)
    move = device.moves()
    request = device.migrates(move, session)
    said, new = request.address("migrated_source"), correspondent.network.in_mops(move.new)
    require(said == new, "migrated address", new, said, request.frame)
    mark = case.trace.mark_at(request.frame)
    case.wait_until(request.frame.ns + round(1.3 * case.setup.profile.ixit.mops.retry_interval_s * NANO))
    device.calms_down()
    for asked in correspondent.asked(mark):
        require(asked.packet.src == move.new, "source of a Migrate", move.new, asked.packet.src, asked.frame)
        require(asked.address("migrated_source") == new, "address", new, asked.address("migrated_source"), asked.frame)
    device.sends_nothing(session, mark, move.old, resets=False)


@exclusive
@valid
@requirement("MOPS-4.1-148", case=2)
def test_lost_address_is_not_answered_for(case: Case, device: Device, correspondent: Correspondent) -> None:
    """An ARP request for the address that the node has left draws no answer."""
    if case.network.name != "ipv4":
        raise NotApplicable("nobody asks for an IPFF address on the wire")
    move = device.moves()
    question = ARP(hwsrc=case.interface.mac, psrc=correspondent.address, pdst=move.old)
    sent = case.interface.send(bytes(Ether(src=case.interface.mac, dst="ff:ff:ff:ff:ff:ff") / question), case.trace)
    device.calms_down()
    for frame in case.trace.received(case.trace.mark_at(sent.frame)):
        arp = Ether(frame.data).getlayer(ARP)
        require(arp is None or arp.psrc != move.old, "answer for the address left", "none", "one", frame)


@exclusive
@inopportune
@requirement("MOPS-4.1-149", case=1)
def test_previous_tuple_while_a_migrate_is_unanswered(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Reported: which previous tuple the node names when it moves again before the reply."""
    session = device.connects(correspondent)
    device.asks(device.moves(), session)
    request = device.asks(device.moves(), session)
    case.values["previous tuple"] = f"{request.address('previous_source')}:{listed(request, session)[0]}"


@exclusive
@valid
@requirement("MOPS-4.1-150", case=1)
def test_second_move_names_the_tuple_of_the_first(device: Device, correspondent: Correspondent) -> None:
    """A move after a success names the migrated address and port of that success as the previous ones."""
    session = device.connects(correspondent)
    first = device.has_migrated(session)
    request = device.asks(device.moves(), session)
    said = request.address("previous_source"), listed(request, session)[0]
    expected = correspondent.network.in_mops(first.new), session.previous_port
    require(said == expected, "previous tuple", expected, said, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-151", case=1)
def test_move_back_home(device: Device, correspondent: Correspondent) -> None:
    """A connection comes back to the node's first address like to any other."""
    session = device.connects(correspondent)
    device.has_migrated(session)
    request = device.migrates(device.moves(device.home), session)
    device.is_told(request, session)
    device.goes_on(session)


@exclusive
@valid
@requirement("MOPS-4.1-152", case=1)
def test_move_neither_resets_nor_closes(device: Device, correspondent: Correspondent) -> None:
    """No reset and no FIN of the connection is sent when its address goes away."""
    session = device.connects(correspondent)
    move = device.moves()
    device.calms_down()
    for frame, packet in device.segments(session, move.mark):
        flags = str(packet.payload.flags)
        require(not set("RF") & set(flags), "flags", "neither R nor F", flags, frame)


@exclusive
@valid
@requirement("MOPS-7-02", case=1)
def test_application_keeps_its_socket(device: Device, correspondent: Correspondent) -> None:
    """A read that began before the move ends after it with the data, and the same socket goes on writing."""
    session = device.connects(correspondent)
    arguments = {"connection": session.connection, "length": 100, "timeout_s": 10}
    read = device.agent.ask("receive", **arguments)
    request = device.asks(device.moves(), session)
    device.is_told(request, session)
    session.end.send(b"for a read begun before the move")
    result = device.result_of(read)
    require(result == b"for a read begun before the move", "what the read brings", "the data", result)
    device.goes_on(session)


@exclusive
@valid
@requirement("MOPS-B-04", case=1)
def test_sockets_of_an_address_kept_stay(case: Case, device: Device, correspondent: Correspondent) -> None:
    """Every socket of the lost address is asked for, and none of an address that the node keeps."""
    others = [one for name, one in case.setup.networks.items() if name != case.network.name]
    if not others:
        raise NotApplicable(f"{case.setup.profile.path}: ics.networks names one, so the device has one address")
    kept = Correspondent(case, network=others[0])
    moving, staying = device.connects(correspondent), device.connects(kept)
    move = device.moves()
    device.migrates(move, moving)
    device.calms_down()
    asked = kept.asked(move.mark)
    require(not asked, "Migrates for the address kept", "none", len(asked), *(one.frame for one in asked))
    device.preamble(lambda: device.goes_on(staying))
