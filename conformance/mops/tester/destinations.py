# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tester plays at a router that translates destinations: servers on the inside, a node on the outside."""

from conformance.mops.tester.sides import Node, Server
from testbed.case.case import Case
from testbed.peers.through import Tuple


class InsideServer(Server):
    """A server on the inside, one of those that the profile names; ports of the router's outside address lead there."""

    side_name = "inside"

    def __init__(self, case: Case, number: int) -> None:
        mops, network = case.setup.profile.ixit.mops, case.inside.network.name
        super().__init__(case, mops.servers_on(network)[number], mops.nat_server_port)
        self._port = mops.nat_destination_port + number

    @classmethod
    def several(cls, case: Case, number: int) -> list["InsideServer"]:
        """So many of them, which no other case has meanwhile; cases take different ones as far as there are enough."""
        every = len(case.setup.profile.ixit.mops.servers_on(case.inside.network.name))
        first = next(case.setup.source_ports) % every
        return [cls(case, one) for one in sorted((first + one) % every for one in range(number))]

    @property
    def called(self) -> str:
        return self._case.outside.dut_address

    @property
    def place(self) -> Tuple:
        """What hosts outside know it by."""
        return self.called, self._port


class OutsideNode(Node):
    """A mobile node on the outside."""

    side_name = "outside"
