# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2: REHASH-ADDRs that the draft says nothing of, carried out and reported."""

import pytest

from conformance.rehash.dut.host import DutHost
from conformance.rehash.tester.host import RehashHost
from conformance.rehash.tester.state import rehash_addr, rehash_init
from testbed import exclusive, inopportune, invalid, requirement
from testbed.case.case import Case
from testbed.device.application import Application
from testbed.wire import chance

BITS = 32


@invalid
@requirement("REHASH-6.2-42", case=1)
def test_recorded_rehash_addr_after_the_return(node: RehashHost, dut: DutHost, case: Case) -> None:
    """Reported: whether the recorded REHASH-ADDR of a first move is served again after the return."""
    connection = node.connect()
    home = node.station
    node.move()
    away = node.station
    first = connection.local.at(away)
    recorded = first.segment("A", options=[rehash_addr(first, connection.address)])
    connection.rebind(node.transmitted(first, recorded))
    dut.quiesce()
    node.station = home
    back = node.send_rehash_addr(connection)
    case.values["answer to the return"] = dut.response_to(back)
    connection.rebind(back)
    replayed = node.transmitted(first, recorded)
    case.values["answer to the record"] = dut.response_to(replayed)
    case.values["connection still with its peer"] = str(dut.is_served(connection))


@pytest.mark.parametrize("new", ["Old", "0.0.0.0", "255.255.255.255", "224.0.0.1", "the device's"])
@invalid
@requirement("REHASH-6.2-43", case=1)
def test_rehash_addr_to_an_impossible_address(node: RehashHost, dut: DutHost, case: Case, new: str) -> None:
    """Reported: what a REHASH-ADDR does whose New address can be no peer's."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    address = {"Old": connection.address, "the device's": dut.address}.get(new, new)
    case.values["answer"] = dut.response_to(node.send_rehash_addr(connection, new=address))
    case.values["connection still with its peer"] = str(dut.is_served(connection))


@exclusive
@inopportune
@requirement("REHASH-6.1-25", case=1)
def test_nonce_of_a_later_init(node: RehashHost, dut: DutHost, app: Application, case: Case) -> None:
    """Reported: whether a host that moves gives the first or the last nonce of its peer."""
    connection = node.connect_to(app)
    later = chance.randbits(BITS)
    node.send(connection.local, "A", options=[rehash_init(connection.local, nonce=later)])
    dut.quiesce()
    announced = dut.move_with_data(connection)
    names = {connection.state.nonce: "the first", later: "the last"}
    case.values["nonce of REHASH-ADDR"] = names.get(announced.rehash_addr.nonce, "neither")


@pytest.mark.parametrize("where", ["the new address", "the connection's own tuple"])
@invalid
@requirement("REHASH-6.2-43", case=2)
def test_rehash_addr_on_a_syn(node: RehashHost, dut: DutHost, case: Case, where: str) -> None:
    """Reported: what a SYN with REHASH-ADDR of a live connection does."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    end = connection.local.at(node.station) if where == "the new address" else connection.local
    option = rehash_addr(end, connection.address, new=node.address)
    case.values["answer"] = dut.response_to(node.transmitted(end, end.segment("S", b"", [option], ack=0)))
    case.values["connection still with its peer"] = str(dut.is_served(connection))
