# SPDX-License-Identifier: GPL-2.0-or-later
"""States of a connection on its way to the end (RFC 9293, 3.6): how the device gets there, and what it does next."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from conformance.rehash.tester.connection import Connection
from testbed.peers.tcp import TcpPeer

if TYPE_CHECKING:
    from conformance.rehash.dut.host import DutHost


class TcpState(ABC):
    """A state of the device's end; its name is that of RFC 9293."""

    name: str

    def __str__(self) -> str:
        return self.name

    @abstractmethod
    def reach(self, connection: Connection, dut: "DutHost") -> None:
        """Bring the device there, as preamble."""


class Closing(TcpState):
    """A state with something to come: one side at least has not closed, or does not know that the other has."""

    @abstractmethod
    def continues_at(self, end: TcpPeer, connection: Connection, dut: "DutHost") -> None:
        """What the device does next on the connection comes to this end of the tester."""


class CloseWait(Closing):
    """The tester has closed, the application goes on sending."""

    name = "CLOSE-WAIT"

    def reach(self, connection: Connection, dut: "DutHost") -> None:
        connection.local.finish()
        dut.quiesce()

    def continues_at(self, end: TcpPeer, connection: Connection, dut: "DutHost") -> None:
        dut.delivers_at(end, b"the device's side is open", connection.socket.send(b"the device's side is open"))


class FinWait2(Closing):
    """The application has closed, the tester has acknowledged that and not closed."""

    name = "FIN-WAIT-2"

    def reach(self, connection: Connection, dut: "DutHost") -> None:
        connection.socket.close()
        dut.sends_fin(connection)
        connection.local.read()
        connection.local.acknowledge()
        dut.barrier()

    def continues_at(self, end: TcpPeer, connection: Connection, dut: "DutHost") -> None:
        dut.acknowledges_fin(end)


class _FinOutstanding(Closing):
    """The device's FIN has come to nobody: it is retransmitted."""

    def continues_at(self, end: TcpPeer, connection: Connection, dut: "DutHost") -> None:
        dut.retransmits_fin(end)


class FinWait1(_FinOutstanding):
    """The application has closed, the tester acknowledges nothing."""

    name = "FIN-WAIT-1"

    def reach(self, connection: Connection, dut: "DutHost") -> None:
        connection.local.drop_incoming()
        connection.socket.close()
        dut.sends_fin(connection)


class Simultaneous(_FinOutstanding):
    """Both have closed, the tester before it has seen the device's FIN."""

    name = "CLOSING"

    def reach(self, connection: Connection, dut: "DutHost") -> None:
        FinWait1().reach(connection, dut)
        connection.local.finish()
        dut.barrier()


class LastAck(_FinOutstanding):
    """The tester has closed, then the application, whose FIN is not acknowledged."""

    name = "LAST-ACK"

    def reach(self, connection: Connection, dut: "DutHost") -> None:
        connection.local.finish()
        dut.quiesce()
        FinWait1().reach(connection, dut)


class TimeWait(TcpState):
    """The application has closed first, then the tester, and both FINs are acknowledged."""

    name = "TIME-WAIT"

    def reach(self, connection: Connection, dut: "DutHost") -> None:
        FinWait2().reach(connection, dut)
        dut.acknowledges_fin(connection.local)


class Closed(TcpState):
    """The tester has closed, then the application, whose FIN is acknowledged."""

    name = "CLOSED"

    def reach(self, connection: Connection, dut: "DutHost") -> None:
        CloseWait().reach(connection, dut)
        connection.socket.close()
        dut.sends_fin(connection)
        connection.local.read()
        connection.local.acknowledge()
        dut.barrier()


CLOSED_ON_ONE_SIDE: tuple[Closing, ...] = (CloseWait(), FinWait1(), FinWait2())
CLOSING: tuple[Closing, ...] = (Simultaneous(), LastAck())
CLOSED: tuple[TcpState, ...] = (TimeWait(), Closed())
