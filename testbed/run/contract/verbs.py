# SPDX-License-Identifier: GPL-2.0-or-later
"""Each verb of the upper tester once, and on the wire what it has to bring about there."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from testbed.case.case import Case
from testbed.device.application import Application, Listener, Socket
from testbed.device.upper_tester import Call, OperationFailed, UpperTester
from testbed.interruptions import Inconclusive, NotApplicable
from testbed.peers.connection import accept, await_state, await_syn, connect, new_peer
from testbed.peers.stream import exchange, expect_stream
from testbed.peers.tcp import TcpPeer
from testbed.run.contract.lines import Line, Wrong, tried
from testbed.run.sanity import resolves

_ANSWER_S = 3.0
_SHORT_S = 0.2
_DATA = b"a few bytes"
_UNPREPARED = "what it needs is not there"

T = TypeVar("T")


class Hasty(UpperTester):
    """An upper tester that is not waited for as long as in a case; a person is."""

    def __init__(self, agent: UpperTester) -> None:
        self._agent = agent

    def ask(self, verb: str, **parameters: Any) -> Call:
        """Ask the upper tester."""
        call = self._agent.ask(verb, **parameters)
        within = _ANSWER_S + float(parameters.get("timeout_s", 0))
        return call if call.timeout_s is None else replace(call, timeout_s=within)

    def close(self) -> None:
        """Nothing: it is somebody else's."""


class Verbs:
    """Tries the verbs of a host in an order in which each finds what it needs."""

    def __init__(self, case: Case, agent: UpperTester) -> None:
        self._case = case
        self._agent = Hasty(agent)
        self._app = Application(self._agent, case.clock)
        self._listener: Listener | None = None
        self._peer: TcpPeer | None = None
        self._socket: Socket | None = None

    def lines(self) -> Iterator[Line]:
        """What came of each verb; one that does not answer at all is the last."""
        trials: list[tuple[str, Callable[[], None], str]] = [
            ("a verb that no device has", self._unknown, "The answer is an error with code -32601, and at once."),
            ("status", self._status, "The result is any JSON object."),
            (
                "listen, service echo",
                self._listen_echo,
                "It listens when the answer is there, at the port that it names.",
            ),
            ("close, a listener", self._close_listener, "It does not listen any more when the answer is there."),
            ("listen, service manual", self._listen_manual, "Nobody reads what comes there, but the verb receive."),
            ("sockets", self._sockets, "`connections` lists what listeners of service manual have accepted."),
            ("receive", self._receive, "It waits for the first bytes, not for all, and no longer than timeout_s."),
            ("receive, at the end", self._end, "When the peer has closed, the result is no data and eof true."),
            ("send", self._send, "Bytes are lower-case hexadecimal; they leave at once."),
            ("shutdown", self._shutdown, "The device sends its FIN, and the socket stays."),
            ("close, a connection", self._close, ""),
            ("connect", self._connect, "The SYN leaves at once; the answer comes when the connection is there."),
        ]
        for what, trial, advice in trials:
            line = tried(what, trial, advice)
            if line.why == _UNPREPARED:
                continue
            yield line
            if line.result == "wrong" and "no answer to" in line.why:
                yield Line("wrong", "the other verbs", "not tried: the upper tester does not answer")
                return
        yield from self._moves()
        yield tried("reset", self._reset, "The device is at its first addresses, without the sockets of verbs.")

    # Listening

    def _unknown(self) -> None:
        try:
            self._agent.call("no_such_verb")
        except NotApplicable:
            return
        except OperationFailed as error:
            raise Wrong(f"it fails in another way: {error}") from None
        raise Wrong("it has a result")

    def _status(self) -> None:
        self._agent.call("status")

    def _listen_echo(self) -> None:
        self._listener = None
        listener = self._app.listen(service="echo")
        self._listener = listener
        exchange(self._case, self._opened(listener.port), _DATA)

    def _close_listener(self) -> None:
        listener = self._needed(self._listener)
        listener.close()
        peer = new_peer(self._case, self._case.station(), remote_port=listener.port)
        sent = peer.start()
        await_state(self._case, peer, self._case.deadline(_SHORT_S, sent.ns), lambda: peer.state != "SYN-SENT")
        if peer.state == "ESTABLISHED":
            peer.reset()
            raise Wrong(f"port {listener.port} still takes connections")

    def _listen_manual(self) -> None:
        self._listener = None
        self._listener = self._app.listen(service="manual")
        self._peer = self._opened(self._listener.port)

    def _sockets(self) -> None:
        self._socket = self._needed(self._listener).accepted(_ANSWER_S)

    # Data

    def _receive(self) -> None:
        socket, peer = self._needed(self._socket), self._needed(self._peer)
        peer.send(_DATA)
        came, why = socket.read(len(_DATA), _ANSWER_S)
        if came != _DATA:
            raise Wrong(f"sent were {_DATA.hex()}, it gives {came.hex() or 'nothing'} {why}".rstrip())
        began_ns = self._case.clock.now_ns()
        result = socket.begin_read(1, _SHORT_S).result()
        waited_s = (self._case.clock.now_ns() - began_ns) / 1e9
        if result["data"] or result["eof"]:
            raise Wrong(f"where nothing was sent it gives {result}, not no data and eof false")
        if waited_s < _SHORT_S / 2:
            raise Wrong(f"timeout_s was {_SHORT_S}, it has waited for {waited_s:.2f} s")

    def _end(self) -> None:
        socket, peer = self._needed(self._socket), self._needed(self._peer)
        peer.finish()
        result = socket.begin_read(1, _ANSWER_S - 1).result()
        if result["data"] or not result["eof"]:
            raise Wrong(f"it gives {result}")

    def _send(self) -> None:
        socket, peer = self._needed(self._socket), self._needed(self._peer)
        expect_stream(self._case, peer, _DATA, self._case.deadline(since_ns=socket.send(_DATA)))

    def _shutdown(self) -> None:
        socket, peer = self._needed(self._socket), self._needed(self._peer)
        asked_ns = self._case.clock.now_ns()
        socket.shut()
        if (
            await_state(self._case, peer, self._case.deadline(since_ns=asked_ns), lambda: peer.state == "CLOSE-WAIT")
            is None
        ):
            raise Wrong("no FIN has come")
        peer.acknowledge()

    def _close(self) -> None:
        self._needed(self._socket).close()
        self._needed(self._listener).close()

    def _connect(self) -> None:
        station, port = self._case.station(), next(self._case.setup.source_ports)
        connecting = self._app.connect(station.address, port, _ANSWER_S)
        syn = await_syn(self._case, station, port, connecting)
        peer = new_peer(self._case, station, port, syn.source_port)
        accept(self._case, peer, syn)
        connecting.socket().close()
        peer.reset()

    # Addresses

    def _moves(self) -> Iterator[Line]:
        network = self._case.network
        if not network.moves_to:
            return
        target = network.moves_to[0]
        line = tried(f"move, to {target}", lambda: self._move(target), "Connections are taken there when it answers.")
        yield line
        if line.result == "ok":
            yield tried(f"move, back to {network.dut}", lambda: self._move(network.dut))
        if network.has_arp:
            yield tried(f"add_address, {target}", lambda: self._add(target), "The device answers ARP for both.")
            yield tried(
                f"delete_address, {target}", lambda: self._delete(target), "The device answers ARP for it no more."
            )

    def _move(self, address: str) -> None:
        setup = self._case.setup
        self._agent.call("move", address=address)
        setup.moved(self._case.network.name, address)
        peer = new_peer(self._case, self._case.station())
        peer.remote = address
        exchange(self._case, connect(self._case, peer), _DATA)
        peer.reset()

    def _add(self, address: str) -> None:
        self._agent.call("add_address", address=address)
        if not resolves(self._case, next(iter(self._case.sides.values())), address):
            raise Wrong(f"nobody answers ARP for {address}")

    def _delete(self, address: str) -> None:
        self._agent.call("delete_address", address=address)
        if resolves(self._case, next(iter(self._case.sides.values())), address, _SHORT_S):
            raise Wrong(f"it still answers ARP for {address}")

    def _reset(self) -> None:
        self._listener = None
        with contextlib.suppress(NotApplicable, Inconclusive):
            self._listener = self._app.listen(service="manual")
        self._agent.call("reset")
        if self._listener is None:
            return
        listed = self._agent.call("sockets").get("listeners", [])
        if any(one["listener"] == self._listener.listener and one["port"] == self._listener.port for one in listed):
            raise Wrong(f"the listener at port {self._listener.port} is still there")

    # Both

    def _opened(self, port: int) -> TcpPeer:
        return connect(self._case, new_peer(self._case, self._case.station(), remote_port=port))

    @staticmethod
    def _needed(one: T | None) -> T:
        """What an earlier verb has made; NotApplicable where it has not."""
        if one is None:
            raise NotApplicable(_UNPREPARED)
        return one
