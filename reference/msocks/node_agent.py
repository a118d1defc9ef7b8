# SPDX-License-Identifier: GPL-2.0-or-later
"""The upper tester of a mobile node: it connects through the proxy, and `move` gives the kernel a new address."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reference import NAME, VERSION
from reference.agent.agent import Agent
from reference.bump.ipv4 import Ipv4Settings
from reference.msocks.client.node import Ends, MobileNode
from reference.system.addresses import ipv4_from_text
from reference.system.own_address import OwnAddress
from reference.system.rtnetlink import Rtnetlink

_CONNECTING_AT_ONCE = 64


class KernelAddress(OwnAddress):
    """The address of a host without a bump: sockets that are bound to one that it has left are dead."""

    def __init__(self, wire: str, network: Ipv4Settings) -> None:
        super().__init__(network.text)
        self._wire, self._now = wire, network.kernel_address

    def to_bind(self, address: str) -> str:
        return address

    def listens_on(self, bound: bool) -> bool:
        return not bound

    def moved(self, address: str) -> None:
        packed = ipv4_from_text(address).to_bytes(4, "big")
        if packed != self._now:
            with Rtnetlink() as netlink:
                netlink.add_address(self._wire, packed)
                netlink.delete_address(self._wire, self._now)
            self._now = packed
        super().moved(address)


class NodeAgent(Agent):
    """Carries out the verbs with the library of the mobile node."""

    def __init__(self, node: MobileNode, own: KernelAddress, alteration: str | None) -> None:
        super().__init__(False, self._answer, own)
        self._node, self._address, self._alteration = node, own, alteration
        self._ends: dict[int, Ends] = {}
        self._connecting = ThreadPoolExecutor(_CONNECTING_AT_ONCE)

    async def connect(
        self, address: str, port: int, timeout_s: float = 5.0, protocol: str = "tcp", **choice: Any
    ) -> dict[str, Any]:
        if protocol != "tcp":
            return await super().connect(address, port, timeout_s, protocol, **choice)
        connecting = asyncio.get_running_loop().run_in_executor(
            self._connecting, self._node.connect_with_ends, address, port, timeout_s
        )
        connection, ends = await connecting
        connection.setblocking(False)
        number = self._keep(connection, None)
        self._ends[number] = ends
        return {"connection": number}

    async def sockets(self) -> dict[str, Any]:
        """What an application sees, but for the ends: they are those that the correspondent sees."""
        found = await super().sockets()
        for one in found["connections"]:
            if (ends := self._ends.get(one["connection"])) is not None:
                one["local"], one["peer"] = (f"{end.address}:{end.port}" for end in (ends.local, ends.peer))
        return found

    async def move(self, address: str) -> dict[str, Any]:
        result = await super().move(address)
        self._node.moved()
        return result

    def _answer(self, question: str) -> dict[str, Any]:
        if question == "status":
            return {"name": NAME, "version": VERSION, "alteration": self._alteration}
        word, _, address = question.partition(" ")
        if word != "move":
            return {"error": f"a mobile node of MSOCKS knows no {word}"}
        try:
            ipv4_from_text(address)
        except ValueError as error:
            return {"error": str(error)}
        return {}
