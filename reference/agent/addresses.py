# SPDX-License-Identifier: GPL-2.0-or-later
"""The verbs of a host that takes further addresses and gives them up."""

from collections.abc import Awaitable, Callable
from typing import Any

from reference.system.own_address import OwnAddress, OwnAddresses

Verb = Callable[..., Awaitable[dict[str, Any]]]


def verbs_of(own: OwnAddress | None, ask: Callable[[str], Awaitable[dict[str, Any]]]) -> dict[str, Verb]:
    """`add_address` and `delete_address` where the host has them; `ask` asks its daemon."""
    if not isinstance(own, OwnAddresses):
        return {}

    async def add_address(address: str, prefix_length: int | None = None) -> dict[str, Any]:
        await ask(f"add_address {address} {prefix_length or ''}")
        own.added(address)
        return {}

    async def delete_address(address: str) -> dict[str, Any]:
        await ask(f"delete_address {address}")
        own.deleted(address)
        return {}

    return {"add_address": add_address, "delete_address": delete_address}
