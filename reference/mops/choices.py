# SPDX-License-Identifier: GPL-2.0-or-later
"""What applications have chosen for their sockets: MOBILE_ALLOWED and Unique ID (MOPS, sections 3 and 7).

The agent declares a choice before it uses the port; the connections that a listener accepts inherit its choice.
Readings: without a choice TCP is mobile and UDP is not; a one-time Unique ID is followed, after a success, by the first
32 bits of the SHA-256 of its four bytes.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from reference.bump.network import TCP, UDP

PROTOCOLS = {"tcp": TCP, "udp": UDP}


@dataclass(frozen=True)
class Choice:
    """One application's choice; None where it did not choose."""

    mobile: bool | None = None
    unique_id: int | None = None
    one_time: bool = False

    def successor(self) -> "Choice":
        """What holds after a successful migration."""
        if not self.one_time or self.unique_id is None:
            return self
        digest = hashlib.sha256(self.unique_id.to_bytes(4, "big")).digest()
        return replace(self, unique_id=int.from_bytes(digest[:4], "big"))


NO_CHOICE = Choice()


class Choices:
    """The choices of one host, by protocol and own port."""

    role = "server"

    def __init__(self) -> None:
        self._by_port: dict[tuple[int, int], Choice] = {}

    def declare(self, declaration: dict[str, Any]) -> tuple[int, int]:
        """Take the agent's declaration; returns protocol and port. ValueError: no application can choose that."""
        key = PROTOCOLS[declaration["protocol"]], int(declaration["port"])
        chosen = declaration["choices"]
        unknown = sorted(set(chosen) - {"mobile_allowed", "unique_id", "one_time"})
        if unknown:
            raise ValueError(f"no such choice: {', '.join(unknown)}")
        unique_id = chosen.get("unique_id")
        if unique_id is not None and not (isinstance(unique_id, int) and 0 <= unique_id < 1 << 32):
            raise ValueError("unique_id is a number of 32 bits")
        self.choose(*key, Choice(chosen.get("mobile_allowed"), unique_id, bool(chosen.get("one_time"))))
        return key

    def choose(self, protocol: int, port: int, choice: Choice) -> None:
        """The application that has this port chooses."""
        self._by_port[protocol, port] = choice

    def forget(self, protocol: str, port: int) -> None:
        """The socket is closed; connections that it has accepted keep their choice."""
        self._by_port.pop((PROTOCOLS[protocol], port), None)

    def of(self, protocol: int, port: int) -> Choice:
        return self._by_port.get((protocol, port), NO_CHOICE)

    def is_unique_id(self, identifier: int) -> bool:
        """Whether an application of this host has given this Unique ID to a socket."""
        return any(choice.unique_id == identifier for choice in self._by_port.values())

    def is_mobile(self, protocol: int, choice: Choice) -> bool:
        """Whether a socket is MOBILE_ALLOWED."""
        return choice.mobile if choice.mobile is not None else self.is_mobile_by_default(protocol)

    def is_mobile_by_default(self, protocol: int) -> bool:
        return protocol == TCP

    def after_success(self, choice: Choice) -> Choice:
        return choice.successor()
