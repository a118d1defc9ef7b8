# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, opening a new connection on the mobile side: what a node that has moved tells its proxy."""

import pytest

from conformance.msocks.dut.mobile_node import MobileNode
from conformance.msocks.tester.client import random_data
from conformance.msocks.tester.mobility_proxy import MobilityProxy
from testbed import exclusive, inopportune, requirement, valid
from testbed.case.case import Case
from testbed.case.expect import preamble
from testbed.case.verdict import require

LOST = [0, 1, 1000, 5000]
MOVES = 3


@exclusive
@valid
@requirement("MSOCKS-4-25", case=1)
def test_node_comes_back(dut: MobileNode, proxy: MobilityProxy) -> None:
    """After a move RECONNECT comes from the new address, with the identifier that the node was given."""
    link, _ = dut.connect(proxy)
    dut.returns(proxy, link, dut.move())


@exclusive
@valid
@requirement("MSOCKS-4-25", case=2)
def test_counters_are_true(dut: MobileNode, proxy: MobilityProxy) -> None:
    """Where all has been read RECONNECT says exactly how much was received and sent, after one move and after more."""
    link, socket = dut.connect(proxy)
    for _ in range(MOVES):
        dut.carries(link, socket)
        call, request = dut.returns(proxy, link, dut.move())
        dut.counts(call, request, link)
        proxy.attach(call, link, request)


@exclusive
@valid
@requirement("MSOCKS-4-25", case=3)
def test_counters_of_an_idle_connection(dut: MobileNode, proxy: MobilityProxy) -> None:
    """RECONNECT of a connection that has carried nothing says zero twice."""
    link, _ = dut.connect(proxy)
    dut.counts(*dut.returns(proxy, link, dut.move()), link)


@exclusive
@valid
@requirement("MSOCKS-4-25", case=4)
def test_each_connection_comes_back(dut: MobileNode, proxy: MobilityProxy, case: Case) -> None:
    """Three connections come back, each with its own identifier and counters."""
    links = {}
    for number in range(MOVES):
        link, socket = dut.connect(proxy)
        dut.application_sends(link, socket, bytes(number + 1))
        dut.brings(link)
        links[link.identifier] = link
    calls = dut.all_call_again(proxy, dut.move(), len(links))
    for call in calls:
        request = dut.asks_again(call)
        named = request.address, request.port
        require(named in links, "identifier", "one that is not back yet", named, dut.frame(call))
        dut.counts(call, request, links.pop(named))


@exclusive
@valid
@requirement("MSOCKS-4-48", case=1)
def test_bytes_not_read_yet_come_once(dut: MobileNode, proxy: MobilityProxy) -> None:
    """What the node's kernel has acknowledged and the application has not read counts as received, and comes once."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    before = len(link.to_node)
    for _ in range(2):
        link.send(random_data(1000))
    dut.acknowledges(link)
    call, request = dut.returns(proxy, link, dut.move())
    dut.counts(call, request, link)
    proxy.attach(call, link, request)
    dut.reads(link, socket, before)


@exclusive
@valid
@requirement("MSOCKS-4-48", case=2)
def test_bytes_lost_on_the_way_come_once(dut: MobileNode, proxy: MobilityProxy) -> None:
    """What the proxy has sent and what was lost on the way comes once after the move."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    before = len(link.to_node)
    data = random_data(700)
    link.to_node += data
    link.call.peer.send_lost(data)
    call, request = dut.returns(proxy, link, dut.move())
    dut.counts(call, request, link, range(before, before + 1))
    proxy.attach(call, link, request)
    dut.reads(link, socket, before)


@exclusive
@pytest.mark.parametrize("lost", LOST)
@valid
@requirement("MSOCKS-4-26", case=1)
def test_node_sends_again_what_was_lost(dut: MobileNode, proxy: MobilityProxy, lost: int) -> None:
    """After the move exactly those bytes come again that the proxy has not received, and then what is new."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    link.lose()
    dut.application_sends(link, socket, random_data(lost) if lost else b"")
    dut.goes_on(proxy, link, dut.move())
    dut.brings(link)
    dut.carries(link, socket)


@exclusive
@valid
@requirement("MSOCKS-4-26", case=2)
def test_node_sends_again_what_was_acknowledged(dut: MobileNode, proxy: MobilityProxy) -> None:
    """Bytes that the proxy's kernel has acknowledged and its program has not received come again."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    dut.application_sends(link, socket, random_data(600))
    dut.brings(link)
    call, request = dut.returns(proxy, link, dut.move())
    received = len(link.from_node) - 600
    proxy.accept(call, link, received=received)
    link.taken, link.call = bytearray(link.received[:received]), call
    if request.received < len(link.to_node):
        call.peer.send(bytes(link.to_node[request.received :]))
    dut.brings(link)


@exclusive
@valid
@requirement("MSOCKS-4-27", case=1)
def test_application_sees_one_connection(dut: MobileNode, proxy: MobilityProxy, case: Case) -> None:
    """Through three moves and back the application reads and writes at one socket, without an error."""
    link, socket = dut.connect(proxy)
    for _ in range(MOVES):
        dut.carries(link, socket)
        dut.goes_on(proxy, link, dut.move())
    dut.carries(link, socket)


@exclusive
@valid
@requirement("MSOCKS-4-27", case=2)
def test_close_after_a_move(dut: MobileNode, proxy: MobilityProxy) -> None:
    """After a move the application's half-close comes to the proxy after all data, and the proxy's to it."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    dut.goes_on(proxy, link, dut.move())
    dut.application_sends(link, socket, b"last")
    socket.shut()
    dut.brings(link)
    dut.half_closes(link)
    before = len(link.to_node)
    link.send(b"and last")
    dut.reads(link, socket, before)
    link.call.peer.finish()
    dut.sees_the_end(socket)


@exclusive
@valid
@requirement("MSOCKS-4-49", case=1)
def test_node_that_stays_is_quiet(dut: MobileNode, proxy: MobilityProxy, case: Case) -> None:
    """Without a move and without a loss no further connection to the proxy is opened."""
    link, socket = dut.connect(proxy)
    since_ns = case.clock.now_ns()
    dut.carries(link, socket)
    dut.reconnects_nothing(proxy, since_ns)
    with preamble():
        dut.goes_on(proxy, link, dut.move())


@exclusive
@inopportune
@requirement("MSOCKS-4-28", case=1)
def test_refusal_is_told(dut: MobileNode, proxy: MobilityProxy, case: Case) -> None:
    """A RECONNECT that the proxy refuses is an error to the application."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    call, _ = dut.returns(proxy, link, dut.move())
    since_ns = case.clock.now_ns()
    proxy.refuse(call)
    dut.tells_of_an_error(socket, since_ns)


@exclusive
@inopportune
@requirement("MSOCKS-4-28", case=2)
def test_second_refusal_is_told(dut: MobileNode, proxy: MobilityProxy, case: Case) -> None:
    """A RECONNECT that is refused after one that was not is an error to the application."""
    link, socket = dut.connect(proxy)
    dut.goes_on(proxy, link, dut.move())
    dut.carries(link, socket)
    call, _ = dut.returns(proxy, link, dut.move())
    since_ns = case.clock.now_ns()
    proxy.refuse(call)
    dut.tells_of_an_error(socket, since_ns)


@exclusive
@pytest.mark.parametrize("beyond", [1, 1 << 32])
@inopportune
@requirement("MSOCKS-4-50", case=1)
def test_counter_that_cannot_be_is_told(dut: MobileNode, proxy: MobilityProxy, case: Case, beyond: int) -> None:
    """A success whose proxy has received more than the application has sent is an error to the application."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    call, _ = dut.returns(proxy, link, dut.move())
    since_ns = case.clock.now_ns()
    proxy.accept(call, link, received=len(link.from_node) + beyond)
    dut.tells_of_an_error(socket, since_ns)


@exclusive
@inopportune
@requirement("MSOCKS-4-51", case=1)
def test_loss_without_a_move(dut: MobileNode, proxy: MobilityProxy, case: Case) -> None:
    """After a reset of the mobile side the node comes back from where it is, and the connection goes on."""
    link, socket = dut.connect(proxy)
    dut.carries(link, socket)
    since = case.mark()
    link.call.peer.reset()
    call = dut.calls_after(proxy, since)
    proxy.attach(call, link, dut.reconnects(proxy, call, link))
    dut.carries(link, socket)
