# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester's other half: JSON-RPC 2.0 over standard input and output, on real sockets in the host namespace."""

import asyncio
import binascii
import functools
import itertools
import json
import socket
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from reference.agent.addresses import verbs_of
from reference.agent.echo import Echo
from reference.agent.sockets import GONE, Chosen, Connection, Listener, RefusedError, describe, facts, new_socket
from reference.agent.streams import say, standard_input
from reference.agent.udp import DatagramListener
from reference.system.addresses import to_kernel_text
from reference.system.own_address import OwnAddress

UNKNOWN_VERB, FAILED, INVALID_REQUEST, NO_JSON = -32601, -32000, -32600, -32700
_BACKLOG = 4096
_LINE_LIMIT = 64 << 20


class Agent:
    """Carries out the verbs of the DUT contract, all or those that are named."""

    def __init__(
        self,
        dual_stack: bool,
        ask: Callable[[str], dict[str, Any]],
        own: OwnAddress | None = None,
        verbs: Collection[str] | None = None,
    ) -> None:
        self._dual_stack = dual_stack
        self._ask, self._asking = ask, asyncio.Lock()
        self._own = own
        self._started = time.monotonic()
        self._numbers = itertools.count(1)
        self._connections: dict[int, Connection] = {}
        self._listeners: dict[int, Listener] = {}
        self._verbs: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
            "listen": self.listen,
            "connect": self.connect,
            "send": self.send,
            "receive": self.receive,
            "close": self.close,
            "shutdown": self.shutdown,
            "sockets": self.sockets,
            "status": self.status,
            **({"move": self.move} if own is not None else {}),
            **verbs_of(own, self._ask_daemon),
        }
        if verbs is not None:
            self._verbs = {name: verb for name, verb in self._verbs.items() if name in verbs}

    # Verbs -------------------------------------------------------------------------------------------------------

    async def listen(
        self, port: int = 0, service: str = "echo", address: str | None = None, protocol: str = "tcp", **choice: Any
    ) -> dict[str, Any]:
        if service not in ("echo", "manual"):
            raise RefusedError(f"service {service!r}: echo | manual")
        chosen = Chosen(protocol, **choice)
        held = new_socket(protocol, self._dual_stack)
        try:
            # Where the kernel chooses it is a port that no other socket has; sockets of UDP would share it.
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(port != 0))
            held.bind(("" if address is None else self._to_bind(address), port))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            await self._declare(chosen, held)
            if protocol == "tcp":
                held.listen(_BACKLOG)
        except (OSError, OverflowError, RefusedError):
            held.close()
            raise
        number = next(self._numbers)
        loop = asyncio.get_running_loop()
        if protocol == "udp":
            is_echo = service == "echo"
            talk = DatagramListener(
                held, is_echo, self._dual_stack, functools.partial(self._take_datagram, listener=number)
            )
            self._listeners[number] = Listener(held, address is not None, talk.close, chosen=chosen)
        elif service == "echo":
            server = await loop.create_server(Echo, sock=held, backlog=_BACKLOG)
            self._listeners[number] = Listener(held, address is not None, server.close, chosen=chosen)
        else:
            accept = functools.partial(self._accept, held, number)
            closing = functools.partial(_stop_listening, loop, held)
            self._listeners[number] = Listener(held, address is not None, closing, accept, chosen)
            loop.add_reader(held, accept)
        return {"listener": number, "port": self._listeners[number].port}

    async def connect(
        self, address: str, port: int, timeout_s: float = 5.0, protocol: str = "tcp", **choice: Any
    ) -> dict[str, Any]:
        target = to_kernel_text(address) if self._dual_stack else address
        chosen = Chosen(protocol, **choice)
        held = new_socket(protocol, self._dual_stack)
        try:
            if chosen.is_any:
                held.bind(("", 0))
                await self._declare(chosen, held)
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(held, (target, port)), timeout_s)
        except BaseException:
            local = held.getsockname()[1]
            held.close()
            await self._forget(chosen, local)
            raise
        return {"connection": self._keep(held, None, chosen)}

    async def send(self, connection: int, data: str) -> dict[str, Any]:
        octets = binascii.unhexlify(data)
        loop = asyncio.get_running_loop()
        await self._busy(connection, lambda held: loop.sock_sendall(held, octets))
        return {"length": len(octets)}

    async def receive(self, connection: int, length: int, timeout_s: float = 5.0) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        held = self._connections.get(connection)
        if held is not None and held.backlog:
            return {"data": held.backlog.popleft()[:length].hex(), "eof": False}
        try:
            octets = await self._busy(
                connection, lambda held: asyncio.wait_for(loop.sock_recv(held, length), timeout_s)
            )
        except TimeoutError as error:
            if error.errno is not None:  # the socket's, not ours
                raise
            return {"data": "", "eof": False}
        return {"data": octets.hex(), "eof": not octets and held is not None and held.protocol == "tcp"}

    async def close(self, connection: int | None = None, listener: int | None = None) -> dict[str, Any]:
        if connection is not None:
            closing = self._connections.pop(connection, None)
            if closing is None:
                raise RefusedError(f"no connection {connection}")
            for task in closing.tasks:
                task.cancel()
            await asyncio.sleep(0)
            port = closing.port
            closing.socket.close()
            await self._forget(closing.chosen, port)
        elif listener is not None:
            ending = self._listeners.pop(listener, None)
            if ending is None:
                raise RefusedError(f"no listener {listener}")
            ending.close()
            in_use = any(one.listener == listener for one in self._connections.values())
            await self._forget(ending.chosen, ending.port, in_use)
        else:
            raise RefusedError("close needs connection or listener")
        return {}

    async def shutdown(self, connection: int) -> dict[str, Any]:
        held = self._connections.get(connection)
        if held is None:
            raise RefusedError(f"no connection {connection}")
        held.socket.shutdown(socket.SHUT_WR)
        return {}

    async def sockets(self) -> dict[str, Any]:
        for listener in self._listeners.values():
            listener.accept()
        return {
            "connections": [
                {"connection": number, "listener": connection.listener, **facts(connection)}
                for number, connection in self._connections.items()
            ],
            "listeners": [{"listener": number, "port": listener.port} for number, listener in self._listeners.items()],
        }

    async def move(self, address: str) -> dict[str, Any]:
        assert self._own is not None
        await self._ask_daemon(f"move {address}")
        self._own.moved(address)
        for listener in self._listeners.values():
            if not self._own.listens_on(listener.is_bound):
                listener.close()
        return {}

    async def status(self) -> dict[str, Any]:
        return {
            "uptime_s": round(time.monotonic() - self._started, 3),
            **await self._ask_daemon("status"),
        }

    # Sockets -----------------------------------------------------------------------------------------------------

    async def _ask_daemon(self, question: str) -> dict[str, Any]:
        async with self._asking:
            answer = await asyncio.get_running_loop().run_in_executor(None, self._ask, question)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer

    async def _declare(self, chosen: Chosen, held: socket.socket) -> None:
        """Tell the daemon what the application has chosen, before the first packet."""
        if chosen.is_any:
            await self._ask_daemon(f"declare {json.dumps(chosen.declaration(held.getsockname()[1]))}")

    async def _forget(self, chosen: Chosen | None, port: int, in_use: bool = False) -> None:
        """The socket is closed; `in_use`: what it has accepted is not."""
        if chosen is not None and chosen.is_any:
            await self._ask_daemon(f"forget {chosen.protocol} {port} {'in_use' if in_use else 'free'}")

    def _to_bind(self, address: str) -> str:
        if self._own is not None:
            address = self._own.to_bind(address)
        return to_kernel_text(address) if self._dual_stack else address

    def _keep(self, held: socket.socket, listener: int | None, chosen: Chosen | None = None) -> int:
        number = next(self._numbers)
        self._connections[number] = Connection(held, listener, chosen)
        return number

    def _take_datagram(self, held: socket.socket, first: bytes, listener: int) -> Connection:
        """A peer of a UDP listener has spoken for the first time."""
        connection = self._connections[self._keep(held, listener)]
        connection.backlog.append(first)
        return connection

    def _accept(self, listening: socket.socket, listener: int) -> None:
        while True:
            try:
                held, _ = listening.accept()
            except OSError:
                return
            held.setblocking(False)
            self._keep(held, listener)

    async def _busy(self, number: int, operation: Callable[[socket.socket], Awaitable[Any]]) -> Any:
        """Do something on a connection that a close from elsewhere may end."""
        connection = self._connections.get(number)
        if connection is None:
            raise RefusedError(f"no connection {number}")
        if connection.error:
            raise RefusedError(connection.error)
        task = asyncio.ensure_future(operation(connection.socket))
        connection.tasks.add(task)
        try:
            return await task
        except OSError as error:
            if error.errno in GONE:
                connection.error = describe(error)
            raise
        except asyncio.CancelledError:
            raise RefusedError(f"connection {number} was closed meanwhile") from None
        finally:
            connection.tasks.discard(task)

    # JSON-RPC ----------------------------------------------------------------------------------------------------

    async def answer(self, line: bytes) -> dict[str, Any] | None:
        """The response to one message; None to a notification."""
        number = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict) or not isinstance(request.get("method"), str):
                return _error(None, INVALID_REQUEST, "not a JSON-RPC request")
            number = request.get("id")
            verb = self._verbs.get(request["method"])
            if verb is None:
                response = _error(number, UNKNOWN_VERB, f"unknown verb {request['method']!r}")
            else:
                response = {"jsonrpc": "2.0", "id": number, "result": await verb(**request.get("params", {}))}
        except json.JSONDecodeError as error:
            return _error(None, NO_JSON, str(error))
        except (RefusedError, OSError, ValueError, TypeError, OverflowError) as error:
            response = _error(number, FAILED, describe(error))
        return response if "id" in request else None

    async def serve(self) -> None:
        """Answer requests, several at once, until standard input ends."""
        reader = await standard_input(_LINE_LIMIT)
        tasks: set[asyncio.Task[None]] = set()
        while line := await reader.readline():
            if line.strip():
                task = asyncio.create_task(self._serve_one(line))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    async def _serve_one(self, line: bytes) -> None:
        response = await self.answer(line)
        if response is not None:
            say(response)


def _stop_listening(loop: asyncio.AbstractEventLoop, held: socket.socket) -> None:
    loop.remove_reader(held)
    held.close()


def _error(number: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}
