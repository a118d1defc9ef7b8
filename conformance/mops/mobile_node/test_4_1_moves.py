# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 2.1, 4.1, 7 and appendix B: a mobile node that moves again, moves back, or was without a network."""

from scapy.layers.l2 import ARP, Ether

from conformance.mops.dut.mobile_node import Applications, MobileNode
from conformance.mops.migrate import in_mops
from conformance.mops.tester.server import Correspondent
from layers.mops import FAILED
from testbed import exclusive, inopportune, requirement, valid, waits
from testbed.case.case import LATER_S, Case
from testbed.case.expect import preamble
from testbed.case.verdict import require, require_none
from testbed.interruptions import NotApplicable
from testbed.wire.clock import NANO

OUTAGE_S = 1.0
READ_TIMEOUT_S = 10
EARLY = b"for a read begun before the move"


@exclusive
@valid
@requirement("MOPS-2.1-02", case=1)
def test_connection_survives_a_while_without_network(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """After a time without a network the node migrates at its new address, and the data sent meanwhile arrives."""
    connection = app.connect(correspondent)
    start, data = len(connection.local.stream), b"sent while there was no network"
    sent_ns = connection.socket.send(data)
    case.wait_until(sent_ns + round(OUTAGE_S * NANO))
    connection.local.drop_unread()
    request = dut.migrates(dut.move(), connection)
    replied_ns = correspondent.reply_success(request, connection)
    dut.delivers(connection.local, data, replied_ns, start, sent_ns)


@exclusive
@inopportune
@requirement("MOPS-4.1-148", case=1)
@waits(3)
def test_move_while_a_migrate_is_unanswered(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """The next Migrate names the newest address, and nothing more comes from the address that was lost."""
    connection = app.connect(correspondent)
    dut.request(dut.move(), connection)
    move = dut.move()
    request = dut.migrates(move, connection)
    named, new = request.address("migrated_source"), in_mops(move.new)
    require(named == new, "migrated address", new, named, request.frame)
    mark = case.trace.mark_at(request.frame)
    case.wait_until(request.frame.ns + round(1.3 * case.setup.profile.ixit.mops.retry_interval_s * NANO))
    dut.quiesce()
    for one in correspondent.requests(mark):
        require(one.packet.src == move.new, "source of a Migrate", move.new, one.packet.src, one.frame)
        require(one.address("migrated_source") == new, "address", new, one.address("migrated_source"), one.frame)
    dut.expect_silence(connection.local, mark, resets=False, source=move.old)


@exclusive
@valid
@requirement("MOPS-A-21", case=1)
def test_lost_address_is_not_answered_for(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """An ARP request for the address that the node has left elicits no reply."""
    if case.network.name != "ipv4":
        raise NotApplicable("nobody asks for an IPFF address on the wire")
    move = dut.complete_move(app.connect(correspondent))
    question = ARP(hwsrc=case.interface.mac, psrc=correspondent.address, pdst=move.old)
    sent = case.interface.send(bytes(Ether(src=case.interface.mac, dst="ff:ff:ff:ff:ff:ff") / question), case.trace)
    dut.quiesce()
    for frame in case.trace.received(case.trace.mark_at(sent.frame)):
        arp = Ether(frame.data).getlayer(ARP)
        require(arp is None or arp.psrc != move.old, "ARP replies for the previous address", 0, 1, frame)


@exclusive
@inopportune
@requirement("MOPS-4.1-149", case=1)
def test_previous_tuple_while_a_migrate_is_unanswered(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Reported: which previous tuple the node names when it moves again before the reply."""
    connection = app.connect(correspondent)
    dut.request(dut.move(), connection)
    request = dut.request(dut.move(), connection)
    case.values["previous tuple"] = f"{request.address('previous_source')}:{request.entry(connection)[0]}"


@exclusive
@inopportune
@requirement("MOPS-4.1-108", case=12)
def test_what_is_asked_after_a_refusal_names_a_tuple_of_the_connection(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Moved twice without an answer and then refused, a node that asks again names a tuple that the connection had."""
    listener = app.listen()
    connections = [app.accept(correspondent, listener, shares_port=True) for _ in range(2)]
    tuples = {id(one): {(in_mops(dut.address), one.previous_port)} for one in connections}
    first = dut.move()
    for one in connections:
        tuples[id(one)].add((in_mops(first.new), dut.request(first, one).entry(one)[1]))
    second = dut.move()
    requests = [dut.request(second, one) for one in connections]
    mark = case.mark()
    for request in {request.frame.index: request for request in requests}.values():
        correspondent.reply_in_time(request, FAILED)
    dut.quiesce()
    again = [(request, one) for request in correspondent.requests(mark) for one in connections]
    asked = [(request, one, entry) for request, one in again if (entry := request.find_entry(one))]
    if not asked:
        raise NotApplicable("the device asks no more once it is refused")
    for request, one, entry in asked:
        named = request.address("previous_source"), entry[0]
        require(named in tuples[id(one)], "previous tuple", f"one of {tuples[id(one)]}", named, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-150", case=1)
def test_second_move_names_the_tuple_of_the_first(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """A move after a success names the migrated address and port of that success as the previous ones."""
    connection = app.connect(correspondent)
    first = dut.complete_move(connection)
    request = dut.request(dut.move(), connection)
    named = request.address("previous_source"), request.entry(connection)[0]
    expected = in_mops(first.new), connection.previous_port
    require(named == expected, "previous tuple", expected, named, request.frame)


@exclusive
@valid
@requirement("MOPS-4.1-150", case=3)
def test_each_of_four_moves_names_the_tuple_of_the_one_before(
    dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """However often the node has moved, the previous tuple is that of the last success."""
    connection = app.connect(correspondent)
    for _ in range(4):
        old, port = dut.address, connection.previous_port
        request = dut.request(dut.move(), connection)
        named = request.address("previous_source"), request.entry(connection)[0]
        require(named == (in_mops(old), port), "previous tuple", (in_mops(old), port), named, request.frame)
        correspondent.reply_success(request, connection)
        with preamble():
            dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-151", case=1)
def test_move_back_home(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """A connection comes back to the node's first address like to any other."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    request = dut.migrates(dut.move(dut.home), connection)
    correspondent.reply_success(request, connection)
    dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-4.1-152", case=1)
def test_move_neither_resets_nor_closes(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """No reset and no FIN of the connection is sent when its address is lost, for the second time."""
    connection = app.connect(correspondent)
    dut.complete_move(connection)
    move = dut.move()
    dut.request(move, connection)
    case.watch(LATER_S)
    for segment in dut.segments(connection.local, move.mark):
        ends = set("RF") & set(segment.flags)
        require(not ends, "flags", "neither R nor F", segment.flags, segment.frame)


@exclusive
@valid
@requirement("MOPS-7-02", case=1)
def test_application_keeps_its_socket(dut: MobileNode, app: Applications, correspondent: Correspondent) -> None:
    """A read that began before the move ends after it with the data, and the same socket still takes data to send."""
    connection = app.connect(correspondent)
    reading = connection.socket.begin_read(100, READ_TIMEOUT_S)
    request = dut.request(dut.move(), connection)
    correspondent.reply_success(request, connection)
    connection.local.send(EARLY)
    dut.completes_read(reading, EARLY)
    dut.continues(connection)


@exclusive
@valid
@requirement("MOPS-B-04", case=1)
def test_sockets_of_an_address_kept_stay(
    case: Case, dut: MobileNode, app: Applications, correspondent: Correspondent
) -> None:
    """Every socket of the lost address is listed, and none of an address that the node keeps."""
    others = [one for name, one in case.setup.networks.items() if name != case.network.name]
    if not others:
        raise NotApplicable(f"{case.setup.profile.path}: ics.networks names one, so the device has one address")
    kept = Correspondent(case, network=others[0])
    moving, staying = app.connect(correspondent), app.connect(kept)
    move = dut.move()
    dut.migrates(move, moving)
    dut.quiesce()
    require_none("Migrates for the address kept", [one.frame for one in kept.requests(move.mark)])
    with preamble():
        dut.continues(staying)
