# SPDX-License-Identifier: GPL-2.0-or-later
"""Limitations and security: the attacks that the author admits, carried out, and what he did not try."""

from conformance.sacip.dut.server import Server
from conformance.sacip.tester.node import Node
from testbed import inopportune, invalid, requirement
from testbed.case.case import Case
from testbed.device.application import Application
from testbed.peers.udp import UdpPeer


@invalid
@requirement("SACIP-security-01", case=1)
def test_reported_forged_notification(node: Node, other: Node, dut: Server, app: Application, case: Case) -> None:
    """Whether a forged notification, sent by somebody who is not on the path, has the data go to the attacker."""
    peer, socket = node.connect_to(app)
    mark = case.mark()
    other.notify(other.station.address, source=peer.station.address)
    dut.barrier()
    socket.send(b"confidential")
    stations = {"the peer": peer.station, "the attacker": other.station}
    case.values["data goes to"] = dut.where_it_sends(peer, mark, stations)


@invalid
@requirement("SACIP-security-01", case=2)
def test_reported_hijacked_connection(node: Node, other: Node, dut: Server, case: Case) -> None:
    """Whether the attacker, who has seen the numbers, can go on with the connection in the peer's place."""
    peer = node.connect()
    node.exchange(peer)
    other.notify(other.station.address, source=peer.station.address)
    case.values["the attacker's data"] = "served" if dut.is_served(peer.at(other.station)) else "not served"


@inopportune
@requirement("SACIP-limits-01", case=1)
def test_reported_lost_notification(node: Node, dut: Server, app: Application, case: Case) -> None:
    """What becomes of a connection whose notification was lost: where the device sends, and what the peer gets."""
    peer, socket = node.connect_to(app)
    left = peer.at(node.station)
    mark, moved = case.mark(), peer.at(case.station())
    moved.send(b"from the new address")
    socket.send(b"to whom")
    stations = {"the old address": left.station, "the new address": moved.station}
    case.values["after a lost notification data goes to"] = dut.where_it_sends(peer, mark, stations)


@inopportune
@requirement("SACIP-security-03", case=1)
def test_reported_late_duplicate(node: Node, dut: Server, case: Case) -> None:
    """Whether a duplicate of a notification that comes late takes a host with it that has got the old address since."""
    peer = node.connect()
    change = node.change(peer)
    node.exchange(peer)
    heir = node.peer(at=change.old)
    dut.accepts_new_connection(heir)
    node.notify(change.new.address, at=change.old)
    dut.barrier()
    case.values["the host that has the old address now"] = "is served" if dut.is_served(heir) else "has lost it"


@inopportune
@requirement("SACIP-limits-03", case=1)
def test_reported_connected_udp(node: Node, dut: Server, app: Application, case: Case) -> None:
    """Where the datagrams of a connected UDP socket go after a notification."""
    socket, port = node.datagram_socket(app)
    change = node.change()
    dut.barrier()
    socket.send(b"to whom")
    dut.quiesce()
    stations = {"the old address": change.old, "the new address": change.new}
    came = [name for name, station in stations.items() if UdpPeer(station, port).datagrams(change.mark)]
    case.values["datagrams after a notification go to"] = " and ".join(came) or "nobody"
