# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester's other half: JSON-RPC 2.0 over standard input and output, on real sockets in the host namespace."""

import asyncio
import binascii
import functools
import itertools
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from reference.addresses import from_kernel_text, to_kernel_text
from reference.echo import Echo
from reference.own_address import OwnAddress

UNKNOWN_VERB, FAILED, INVALID_REQUEST, NO_JSON = -32601, -32000, -32600, -32700
_BACKLOG = 4096
_LINE_LIMIT = 64 << 20
_STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECEIVED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT", "CLOSED", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING",
)  # fmt: skip


class RefusedError(Exception):
    """An operation that cannot be done, with the reason for the caller."""


class Connection:
    """A socket that the upper tester holds."""

    def __init__(self, held: socket.socket, listener: int | None) -> None:
        self.socket, self.listener = held, listener
        self.tasks: set[asyncio.Task[Any]] = set()


class Listener:
    """A listening socket and the service behind it."""

    def __init__(
        self,
        held: socket.socket,
        is_bound: bool,
        closing: Callable[[], None],
        accept: Callable[[], None] = lambda: None,
    ) -> None:
        self.port = held.getsockname()[1]
        self.is_bound = is_bound  # to an address, not to any
        self.close = closing
        self.accept = accept


class Agent:
    """Carries out the verbs of the DUT contract."""

    def __init__(self, dual_stack: bool, ask: Callable[[str], dict[str, Any]], own: OwnAddress | None = None) -> None:
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
            "sockets": self.sockets,
            "status": self.status,
            **({"move": self.move} if own is not None else {}),
        }

    # Verbs -------------------------------------------------------------------------------------------------------

    async def listen(self, port: int = 0, service: str = "echo", address: str | None = None) -> dict[str, Any]:
        if service not in ("echo", "manual"):
            raise RefusedError(f"service {service!r}: echo | manual")
        held = self._new_socket()
        try:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("" if address is None else self._to_bind(address), port))
            held.listen(_BACKLOG)
        except (OSError, OverflowError):
            held.close()
            raise
        number = next(self._numbers)
        loop = asyncio.get_running_loop()
        if service == "echo":
            server = await loop.create_server(Echo, sock=held, backlog=_BACKLOG)
            self._listeners[number] = Listener(held, address is not None, server.close)
        else:
            accept = functools.partial(self._accept, held, number)
            closing = functools.partial(_stop_listening, loop, held)
            self._listeners[number] = Listener(held, address is not None, closing, accept)
            loop.add_reader(held, accept)
        return {"listener": number, "port": self._listeners[number].port}

    async def connect(self, address: str, port: int, timeout_s: float = 5.0) -> dict[str, Any]:
        target = to_kernel_text(address) if self._dual_stack else address
        held = self._new_socket()
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(held, (target, port)), timeout_s)
        except BaseException:
            held.close()
            raise
        return {"connection": self._keep(held, None)}

    async def send(self, connection: int, data: str) -> dict[str, Any]:
        octets = binascii.unhexlify(data)
        loop = asyncio.get_running_loop()
        await self._busy(connection, lambda held: loop.sock_sendall(held, octets))
        return {"length": len(octets)}

    async def receive(self, connection: int, length: int, timeout_s: float = 5.0) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        try:
            octets = await self._busy(
                connection, lambda held: asyncio.wait_for(loop.sock_recv(held, length), timeout_s)
            )
        except TimeoutError:
            return {"data": "", "eof": False}
        return {"data": octets.hex(), "eof": not octets}

    async def close(self, connection: int | None = None, listener: int | None = None) -> dict[str, Any]:
        if connection is not None:
            closing = self._connections.pop(connection, None)
            if closing is None:
                raise RefusedError(f"no connection {connection}")
            for task in closing.tasks:
                task.cancel()
            await asyncio.sleep(0)
            closing.socket.close()
        elif listener is not None:
            ending = self._listeners.pop(listener, None)
            if ending is None:
                raise RefusedError(f"no listener {listener}")
            ending.close()
        else:
            raise RefusedError("close needs connection or listener")
        return {}

    async def sockets(self) -> dict[str, Any]:
        for listener in self._listeners.values():
            listener.accept()
        return {
            "connections": [
                {"connection": number, "listener": connection.listener, **_facts(connection.socket)}
                for number, connection in self._connections.items()
            ],
            "listeners": [{"listener": number, "port": listener.port} for number, listener in self._listeners.items()],
        }

    async def move(self, address: str) -> dict[str, Any]:
        assert self._own is not None
        answer = await self._ask_daemon(f"move {address}")
        if "error" in answer:
            raise RefusedError(answer["error"])
        self._own.wire = address
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
            return await asyncio.get_running_loop().run_in_executor(None, self._ask, question)

    def _to_bind(self, address: str) -> str:
        if self._own is not None:
            return self._own.to_bind(address)
        return to_kernel_text(address) if self._dual_stack else address

    def _new_socket(self) -> socket.socket:
        family = socket.AF_INET6 if self._dual_stack else socket.AF_INET
        held = socket.socket(family, socket.SOCK_STREAM)
        held.setblocking(False)
        if self._dual_stack:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        return held

    def _keep(self, held: socket.socket, listener: int | None) -> int:
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = next(self._numbers)
        self._connections[number] = Connection(held, listener)
        return number

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
        task = asyncio.ensure_future(operation(connection.socket))
        connection.tasks.add(task)
        try:
            return await task
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
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            response = _error(number, FAILED, reason)
        return response if "id" in request else None

    async def serve(self) -> None:
        """Answer requests, several at once, until standard input ends."""
        reader = await _standard_input()
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


def say(message: dict[str, Any]) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _error(number: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


def _facts(held: socket.socket) -> dict[str, str]:
    """State and tuple of a socket, as an application would see them."""
    try:
        state = _STATES[held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]]
    except (OSError, IndexError):
        state = "CLOSED"

    def text(name: Callable[[], Any]) -> str:
        try:
            address, port, *_ = name()
        except OSError:
            return ""
        return f"{from_kernel_text(address)}:{port}"

    return {"state": state, "local": text(held.getsockname), "peer": text(held.getpeername)}


async def _standard_input() -> asyncio.StreamReader:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LINE_LIMIT)
    mode = os.fstat(0).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    else:
        reader.feed_data(sys.stdin.buffer.read())
        reader.feed_eof()
    return reader
